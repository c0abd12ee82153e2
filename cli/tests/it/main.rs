//! The built command against real databases.

mod bad_input;
mod interrupted;
mod migrate;
mod support;
