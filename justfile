# Recipes for https://just.systems; each is one command that also works by hand.

# what CI runs
ready:
    .ci/run

# the client of schema.dsl
gen:
    cargo codegen generate

# all tests, against a real PostgreSQL
test:
    cargo test

# the client against hand-written tokio-postgres
bench:
    cargo bench

# the tests with snapshots, written anew: look at the difference before you commit it
snap:
    INSTA_UPDATE=always cargo test --package relata-codegen --package relata-cli
    git diff --stat -- '*.snap'

fmt:
    cargo fmt --all

lint:
    cargo clippy --all-targets -- -D warnings
# What queries and generated clients cost; docs/performance.md says how to read the tables.
cost *PARTS:
    scripts/cost {{PARTS}}
