//! devdb against the PostgreSQL of this machine, each test with a cluster in a folder of its own.

#![cfg(unix)]

mod building;
mod choosing;
mod cluster;
mod command;
mod databases;
mod skipping;
mod support;
