//! The generated client against a real PostgreSQL.

mod compile_errors;
mod design;
mod generated;
mod round_trips;
mod scenarios;
mod support;
mod transactions;
mod violations;
mod wide;
