//! The compiler from outside: one module per part, fixtures in `tests/fixtures`.

mod arbitrary;
mod book;
#[cfg(unix)]
mod citus;
mod emit;
mod format;
mod hostile;
mod language;
mod layers;
mod migrate;
mod postgres;
mod printed;
mod properties;
mod queries;
mod shapes;
mod size;
mod synthetic;
mod unique;
