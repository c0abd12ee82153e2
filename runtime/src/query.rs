//! Calls, as data. Nothing here is generic over models, and nothing knows SQL or connections.

mod aggregation;
mod bulk;
mod condition;
mod default;
mod expression;
mod json_place;
mod operation;
mod order;
mod outcome;
mod page;
mod query_file;
mod scope;
mod select;
mod tenant;
mod upsert;
mod write;

pub(crate) use aggregation::{Aggregation, Calculation, Function, GroupCondition, GroupTerm, NOT_GROUPED_BY};
pub(crate) use bulk::{
    BulkInsert, BulkLookup, BulkOptions, MAX_ROWS, NewRows, OnConflict, Returned, UniformRows, takes_several_statements,
};
pub(crate) use condition::{Condition, JsonFieldTest, JsonTest, MAX_DEPTH, Operator, Search};
pub(crate) use default::generate;
pub(crate) use expression::{Expression, Form, Now, Operand, OperandType, Refusal, ServerTime, parts, places};
pub use json_place::JsonKind;
pub(crate) use json_place::{JsonChange, JsonPlace};
pub use operation::Query;
pub(crate) use operation::{Operation, Parts, Returning};
pub(crate) use order::{OrderKey, OrderTerm};
pub(crate) use outcome::{Outcome, Place};
pub(crate) use page::PageStart;
pub use page::PageToken;
pub use query_file::Sql;
pub(crate) use query_file::SqlCall;
pub(crate) use scope::Removal;
pub use select::Select;
pub(crate) use select::{Include, Lock, Output, Outputs, Recursion, RecursiveRows};
pub use tenant::TenantId;
pub(crate) use tenant::{Tenant, confine_copied};
pub(crate) use upsert::{Existing, UpsertRows, value_of};
pub(crate) use write::{Action, Cell, Key, NestedWrite, Referenced, SetTo, Sets, another_key, push_set};
pub use write::{Insert, LinkTarget};
