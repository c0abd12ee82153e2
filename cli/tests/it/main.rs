//! The built command against real databases.

mod adopt;
mod bad_input;
mod check;
mod db;
mod dev;
mod diff;
mod down;
mod embedded;
mod faults;
mod fmt;
mod generate;
mod interrupted;
mod ir;
mod lint;
mod lock_file;
mod migrate;
mod proxy;
mod queries;
mod rebase;
mod recipes;
mod resolve;
mod retyped;
mod settings;
mod squash;
mod support;
mod verify;
