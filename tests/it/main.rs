//! The generated client against a real PostgreSQL.

mod aggregates;
mod book;
mod compile_errors;
mod design;
mod examples;
mod generated;
mod inside;
mod names;
mod nested_writes;
mod pages;
mod raw_queries;
mod reads;
mod returning;
mod round_trips;
mod scenarios;
mod support;
mod transactions;
mod violations;
#[allow(clippy::module_inception, reason = "the client of `tests/wide` is called like the tests of it")]
mod wide;
mod writes;
