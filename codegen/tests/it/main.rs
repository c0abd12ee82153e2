//! The compiler from outside: one module per part, fixtures in `tests/fixtures`.

mod emit;
mod language;
mod migrate;
mod postgres;
mod printed;
