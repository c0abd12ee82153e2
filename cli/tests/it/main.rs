//! The built command against real databases.

mod bad_input;
mod dev;
mod diff;
mod down;
mod embedded;
mod fmt;
mod generate;
mod interrupted;
mod lint;
mod migrate;
mod resolve;
mod support;
