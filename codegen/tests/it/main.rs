//! The compiler from outside: one module per part, fixtures in `tests/fixtures`.

mod language;
mod migrate;
mod postgres;
mod printed;
