//! The generated client against a real PostgreSQL.

#![allow(
    clippy::duplicate_mod,
    reason = "the tests of tenants hold for a client with row security and for one without"
)]

mod aggregates;
mod audit;
mod book;
mod bulk;
#[cfg(unix)]
mod citus;
mod commits;
mod compile_errors;
mod constructs;
mod deep;
mod derives;
mod design;
mod dropped;
mod examples;
mod explain;
mod expressions;
mod factories;
mod filters;
mod generated;
mod generic;
mod hooks;
mod inside;
mod json_types;
mod kinds;
mod limits;
mod listen;
mod locks;
mod many;
mod many_at_once;
mod names;
mod nested_bulk;
mod nested_writes;
mod omitted;
mod operations;
mod or_create;
mod own_types;
mod pages;
mod patch;
mod places;
mod planner;
mod pooler;
mod postgres_types;
mod prisma;
mod queries;
mod random;
mod raw_queries;
mod reads;
mod replicas;
mod restart;
mod returning;
mod round_trips;
mod savepoints;
mod scenarios;
mod schemas;
mod secrets;
mod sessions;
mod soft_delete;
mod statements;
mod streams;
mod support;
mod tenants;
mod testing;
mod traces;
mod transactions;
mod trees;
mod turns;
mod types;
mod values;
mod vectors;
mod violations;
#[allow(clippy::module_inception, reason = "the client of `tests/wide` has the same name as its tests")]
mod wide;
mod writes;
