//! The generated client against a real PostgreSQL.

mod aggregates;
mod book;
mod bulk;
mod compile_errors;
mod constructs;
mod derives;
mod design;
mod dropped;
mod examples;
mod filters;
mod generated;
mod hooks;
mod inside;
mod limits;
mod names;
mod nested_bulk;
mod nested_writes;
mod pages;
mod pooler;
mod prisma;
mod random;
mod raw_queries;
mod reads;
mod restart;
mod returning;
mod round_trips;
mod scenarios;
mod streams;
mod support;
mod traces;
mod transactions;
mod types;
mod violations;
#[allow(clippy::module_inception, reason = "the client of `tests/wide` is called like the tests of it")]
mod wide;
mod writes;
