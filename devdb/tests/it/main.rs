//! Tests devdb with the PostgreSQL of this machine. Each test has a cluster in its own folder.

#![cfg(unix)]

mod building;
mod choosing;
mod citus;
mod cluster;
mod command;
mod databases;
mod skipping;
mod support;
