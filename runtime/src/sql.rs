//! The text of queries, and the shapes by which connections identify it.
//!
//! Other statements of a connection, such as BEGIN, SAVEPOINT and DECLARE, are in `connection`, and those of the
//! migration runner in `migrate`.

mod aggregate;
mod bulk;
mod condition;
pub(crate) mod effect;
mod expression;
mod inside;
mod json_field;
mod nested;
mod order;
mod pass;
mod plan;
mod read;
mod recursion;
mod scope;
mod sets;
mod statement;
mod tenant;
mod walk;
mod write;
mod writer;

pub(crate) use aggregate::aggregate_statement;
pub(crate) use bulk::bulk_insert_statements;
pub(crate) use effect::SessionEffect;
pub(crate) use nested::{
    BulkUpdate, InputRows, Pairs, connect_statement, connect_through_statement, disconnect_statement, join_statement,
    read_each_statement, rows_per_statement, update_each_statement, which_exist_statement,
};
pub(crate) use plan::{ReadPlan, read_plan, unjoined_plan, written_plan};
pub(crate) use read::{ChildrenOf, KeySource, read_statement, written_statement};
pub(crate) use statement::{Statement, Statements};
pub(crate) use tenant::Context;
pub(crate) use write::{
    columns_statement, copy_statement, count_statement, delete_many_statement, delete_statement, exists_statement,
    insert_statement, now_statement, refresh_statement, update_many_statement, update_statement, upsert_statement,
};
