# Recipes for https://just.systems. Each is one command that also works without just.

# run everything that CI runs
ready:
    .ci/run

# generate the clients of the schemas in this repository
gen:
    cargo codegen generate
    cargo codegen generate --schema tests/plain/schema.dsl --out tests/plain/generated
    cargo codegen generate --schema tests/wide/schema.dsl --out tests/wide/generated
    cargo codegen generate --schema tests/names/schema.dsl --out tests/names/generated
    cargo codegen generate --schema tests/constructs/schema.dsl --out tests/constructs/generated
    cargo codegen generate --schema tests/tenants/schema.dsl --out tests/tenants/generated
    cargo codegen generate --schema tests/tenants/secured.dsl --out tests/tenants/secured
    cargo codegen generate --schema tests/soft_delete/schema.dsl --out tests/soft_delete/generated
    cargo codegen generate --schema tests/soft_delete/tenants.dsl --out tests/soft_delete/tenants
    cargo codegen generate --schema tests/audit/schema.dsl --out tests/audit/generated
    cargo codegen generate --schema tests/audit/tenants.dsl --out tests/audit/tenants
    cargo codegen generate --schema tests/people/schema.dsl --out tests/people/generated
    cargo codegen generate --schema tests/own/schema.dsl --out tests/own/generated
    cargo codegen generate --schema tests/own_mistakes/schema.dsl --out tests/own_mistakes/generated
    cargo codegen generate --schema tests/json/schema.dsl --out tests/json/generated
    cargo codegen generate --schema tests/citus/schema.dsl --out tests/citus/generated
    cargo codegen generate --schema tests/types/jiff.dsl --out tests/types/jiff
    cargo codegen generate --schema tests/types/time.dsl --out tests/types/time
    cargo codegen generate --schema tests/postgres/schema.dsl --out tests/postgres/generated
    cargo codegen generate --schema tests/postgres/vectors/schema.dsl --out tests/postgres/vectors/generated
    cargo codegen generate --schema tests/postgres/places/schema.dsl --out tests/postgres/places/generated
    cargo codegen generate --schema examples/embeddings/schema.dsl --out examples/embeddings/generated
    cargo codegen generate --schema examples/places/schema.dsl --out examples/places/generated

# run all tests, against a real PostgreSQL
test:
    cargo test

# run all tests on the embedded PostgreSQL, as on a machine with nothing but Rust
embedded *ARGUMENTS:
    scripts/embedded {{ARGUMENTS}}

# test random queries and writes against the oracle, many more than `cargo test` does
random cases='10000' seed='2026':
    RELATA_RANDOM_CASES={{cases}} RELATA_RANDOM_SEED={{seed}} cargo test --package exam-planner --test it random -- --nocapture

# test random query files against PostgreSQL, many more than `cargo test` does
queries cases='10000' seed='2026':
    scripts/queries {{cases}} {{seed}}

# measure queries and the same code written by hand: every workload, as JSON lines and tables
bench *ARGUMENTS:
    cargo run --quiet --release --package relata-bench --bin run -- {{ARGUMENTS}}

# measure queries and generated clients: `run`, `compile`, `instructions`, `growth`; by default the first two
cost *PARTS:
    scripts/cost {{PARTS}}

# update the snapshots of the tests; review the difference before you commit it
snap:
    INSTA_UPDATE=always cargo test --package relata-codegen --package relata-cli
    git diff --stat -- '*.snap'

# check that everything compiles for Windows and macOS
platforms:
    scripts/platforms

fmt:
    cargo fmt --all

lint:
    cargo clippy --all-targets -- -D warnings

# measure the compiler against a corpus of real schemas and Prisma's results; takes minutes, and is not a test
corpus corpus='../shared/corpus' oracle='../shared/oracle':
    #!/usr/bin/env bash
    export RELATA_CORPUS=${RELATA_CORPUS:-{{corpus}}} RELATA_ORACLE=${RELATA_ORACLE:-{{oracle}}}
    [ -f "$RELATA_CORPUS/EXPECTED.tsv" ] || { echo "no corpus at $RELATA_CORPUS: NOTHING WAS MEASURED" >&2; exit 1; }
    failed=0
    cargo run --quiet --package relata-codegen --example verdicts -- "$RELATA_CORPUS" || failed=1
    scripts/corpus-format "$RELATA_CORPUS" || failed=1
    scripts/corpus-ir || failed=1
    scripts/corpus-sql || failed=1
    scripts/corpus-pairs "$RELATA_CORPUS" || failed=1
    scripts/corpus-clients || failed=1
    exit $failed

# search for texts that crash the compiler, with a nightly compiler and cargo-fuzz; takes 10 minutes
fuzz *ARGUMENTS:
    scripts/fuzz {{ARGUMENTS}}
