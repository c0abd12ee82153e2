//! The service, over HTTP. Each test has a database of its own.

mod access;
mod customers;
mod dashboard;
mod import;
mod lifecycle;
mod problems;
mod support;
mod tickets;
