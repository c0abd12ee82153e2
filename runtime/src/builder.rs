//! The calls on models that programs chain, and the methods that refine them. Awaiting a call turns it into an
//! operation.

mod across;
mod aggregate;
mod batch;
mod cardinality;
mod copy;
mod count;
mod delegate;
mod explain;
mod find;
mod group;
mod page;
mod query_file;
mod refresh;
mod scope;
mod write;

pub use across::AcrossTenants;
pub use aggregate::Aggregate;
pub use batch::Batch;
pub use cardinality::{All, Cardinality, ExactlyOne, OneOrNone};
pub use copy::{CopyCall, CopyIn};
pub use count::{Count, Exists};
pub use delegate::Delegate;
pub use find::{Find, FindFirst, FindMany, FindUnique, SelectFrom};
pub use group::GroupBy;
pub use page::{FindPage, Page};
pub use query_file::{Confined, IntoSqlCall, OnlyConfined, SqlCommand, SqlQuery};
pub(crate) use query_file::{OfModels, Unconfined};
pub use refresh::Refresh;
pub use write::{
    AddFilterOrAllRows, AddOnWithAKey, Create, CreateMany, CreateManyAndReturn, CreateManyOrNone, Delete, DeleteMany,
    KeyChosen, RowsChosen, Update, UpdateEach, UpdateEachAndReturn, UpdateMany, UpdateManyAndReturn, UpdatedEach,
    Upsert, UpsertMany, UpsertManyAndReturn, Upserted, Written,
};
