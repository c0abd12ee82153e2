# Recipes for https://just.systems; each is one command that also works by hand.

# what CI runs
ready:
    .ci/run

# the clients of the schemas in this repository
gen:
    cargo codegen generate
    cargo codegen generate --schema tests/wide/schema.dsl --out tests/wide/generated
    cargo codegen generate --schema tests/names/schema.dsl --out tests/names/generated
    cargo codegen generate --schema tests/constructs/schema.dsl --out tests/constructs/generated
    cargo codegen generate --schema tests/types/jiff.dsl --out tests/types/jiff
    cargo codegen generate --schema tests/types/time.dsl --out tests/types/time

# all tests, against a real PostgreSQL
test:
    cargo test

# all tests on the embedded PostgreSQL, as on a machine with nothing but Rust
embedded *ARGUMENTS:
    scripts/embedded {{ARGUMENTS}}

# random queries and writes against the oracle, many more than `cargo test` makes of them
random cases='10000' seed='2026':
    RELATA_RANDOM_CASES={{cases}} RELATA_RANDOM_SEED={{seed}} cargo test --package exam-planner --test it random -- --nocapture

# random statements of files of SQL against PostgreSQL, many more than `cargo test` makes of them
queries cases='10000' seed='2026':
    scripts/queries {{cases}} {{seed}}

# what queries cost beside code by hand: every workload, a JSON line for each figure and tables
bench *ARGUMENTS:
    cargo run --quiet --release --package relata-bench --bin run -- {{ARGUMENTS}}

# what queries and generated clients cost: `run`, `compile`, `instructions`, `growth`, or both of the first
cost *PARTS:
    scripts/cost {{PARTS}}

# the tests with snapshots, written anew: look at the difference before you commit it
snap:
    INSTA_UPDATE=always cargo test --package relata-codegen --package relata-cli
    git diff --stat -- '*.snap'

# whether it compiles for Windows and macOS
platforms:
    scripts/platforms

fmt:
    cargo fmt --all

lint:
    cargo clippy --all-targets -- -D warnings

# every figure over a corpus of real schemas and Prisma's answers: minutes, and no test
corpus corpus='../shared/corpus' oracle='../shared/oracle':
    #!/usr/bin/env bash
    export RELATA_CORPUS=${RELATA_CORPUS:-{{corpus}}} RELATA_ORACLE=${RELATA_ORACLE:-{{oracle}}}
    [ -f "$RELATA_CORPUS/EXPECTED.tsv" ] || { echo "there is no corpus at $RELATA_CORPUS: NOTHING WAS MEASURED" >&2; exit 1; }
    failed=0
    cargo run --quiet --package relata-codegen --example verdicts -- "$RELATA_CORPUS" || failed=1
    scripts/corpus-format "$RELATA_CORPUS" || failed=1
    scripts/corpus-ir || failed=1
    scripts/corpus-sql || failed=1
    scripts/corpus-pairs "$RELATA_CORPUS" || failed=1
    scripts/corpus-clients || failed=1
    exit $failed

# looks for texts that the compiler cannot stand, with a nightly compiler and cargo-fuzz: 10 minutes
fuzz *ARGUMENTS:
    scripts/fuzz {{ARGUMENTS}}
