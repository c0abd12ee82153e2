//! Relata's runtime: what generated clients call, and the migration runner that a program can embed.
//!
//! A client is generated from `schema.dsl` by `relata-codegen`; its models, fields and relations are
//! thin constants and structs over the builders of this crate. Start at [`Client`].
//!
//! This crate knows nothing of the schema language and never reads a schema.

mod aggregate;
mod batch;
mod client;
mod columns;
mod connect;
mod connection;
mod copy;
mod create;
mod delegate;
mod error;
mod field;
mod filter;
mod find;
mod group;
mod hooks;
mod json;
pub mod migrate;
mod model;
mod nested;
mod observe;
mod operation;
mod order;
mod page;
mod raw;
mod relation;
mod result;
pub mod rt;
mod search;
mod select;
mod selectable;
mod selection;
mod sql;
mod statistics;
mod stream;
mod table;
mod transaction;
mod typed;
mod value;
mod write;

pub use aggregate::{Aggregate, Aggregates, Average, Calculated, Ordered, Sum, count};
pub use batch::{Batch, BatchCall, Query};
pub use client::{Client, ClientBuilder, Models};
pub use columns::Columns;
pub use connect::ConnectOptions;
pub use copy::{CopyCall, CopyIn};
pub use create::{CreateRow, CreateWith, Link, NewRow, Parent};
pub use delegate::{Delegate, UniqueKey};
pub use error::{ConstraintViolation, DatabaseError, Error, Result};
pub use field::{Assignment, ColumnOf, Field, Key, ListField, Number, OptionalField, OptionalUniqueField, UniqueField};
pub use filter::{Filter, Unique};
pub use find::{All, Amount, Count, ExactlyOne, Exists, Find, FindFirst, FindMany, FindUnique, OneOrNone, SelectFrom};
pub use group::{GroupBy, GroupOrder, Having};
pub use hooks::{Hooks, Intent, IntentKind, Report};
pub use json::JsonPath;
pub use model::{FromRow, Model, NotIncluded, Slot};
pub use nested::{Nested, NestedChange, NestedUpdate};
pub use operation::Call;
pub use order::Order;
pub use page::{FindPage, Page, PageToken};
pub use raw::{FromRawRow, IntoParam, List, RawColumn, RawRow};
#[cfg(feature = "derive")]
pub use relata_derive::{FromRawRow, Selectable};
pub use relation::{CanInclude, IncludeMany, IncludeOne, Included, IntoInclude, Many, Maybe, One, Put, RelationOf};
pub use search::{Relevance, SearchQuery};
pub use select::Select;
pub use selectable::{As, Selectable};
pub use selection::{CountOf, SelectRelated, Selection};
pub use statistics::Statistics;
pub use stream::RowStream;
pub use transaction::{Begin, Isolation, Savepoint, Transaction, TransactionCall};
pub use typed::{IntoSqlCall, SqlCommand, SqlQuery};
pub use value::{IntoNullable, IntoValue, Param, Scalar};
pub use write::{
    AddFilterOrAllRows, Create, CreateMany, CreateManyAndReturn, Delete, DeleteMany, RowsChosen, Update, UpdateMany,
    UpdateManyAndReturn, Upsert, Written,
};

pub use {chrono, rust_decimal, serde_json, tokio_postgres, uuid};

/// Brings the client that the build script wrote to `OUT_DIR` into the module where it stands.
///
/// ```text
/// mod db {
///     relata::include_client!();
/// }
/// ```
#[macro_export]
macro_rules! include_client {
    () => {
        include!(concat!(env!("OUT_DIR"), "/relata/lib.rs"));
    };
}

/// The migrations that the build script embedded with `Build::migrations`, for [`migrate::deploy`] at program start.
///
/// ```text
/// let report = migrate::deploy(&mut connection, &relata::migrations!()?, &migrate::Options::default()).await?;
/// ```
#[macro_export]
macro_rules! migrations {
    () => {
        $crate::migrate::Migrations::from_static(include!(concat!(env!("OUT_DIR"), "/relata_migrations.rs")))
    };
}
