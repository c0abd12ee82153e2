//! Relata's runtime: what generated clients call, and the migration runner that a program can embed.
//!
//! A client is generated from `schema.dsl` by `relata-codegen`; its models, fields and relations are
//! thin constants and structs over the builders of this crate. Start at [`Client`].
//!
//! This crate knows nothing of the schema language and never reads a schema.

pub mod audit;
mod builder;
mod client;
mod connection;
mod dsl;
mod error;
mod execute;
mod factory;
mod meta;
#[cfg(feature = "migrate")]
pub mod migrate;
mod query;
mod rows;
pub mod rt;
mod sql;
mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
mod value;

pub use builder::{
    AddFilterOrAllRows, AddOnWithAKey, Aggregate, All, Batch, Cardinality, CopyCall, CopyIn, Count, Create, CreateMany,
    CreateManyAndReturn, CreateManyOrNone, Delegate, Delete, DeleteMany, ExactlyOne, Exists, Find, FindFirst, FindMany,
    FindPage, FindUnique, GroupBy, IntoSqlCall, KeyChosen, OneOrNone, Page, Refresh, RowsChosen, SelectFrom,
    SqlCommand, SqlQuery, Update, UpdateEach, UpdateEachAndReturn, UpdateMany, UpdateManyAndReturn, UpdatedEach,
    Upsert, UpsertMany, UpsertManyAndReturn, Upserted, Written,
};
pub use client::{
    AdvisoryLock, Begin, Client, ClientBuilder, IntoTenantId, Isolation, Listen, Listens, Models, Repeated, Retrying,
    RunsWith, Savepoint, Transaction, TransactionCall,
};
pub use connection::{ConnectOptions, ListenEvent, Listener, LockKey, Login, Notification, RowSecurity};
pub use dsl::{
    Addend, Aggregates, As, Assignment, Calculated, CanInclude, Case, ColumnOf, Columns, Comparand, CountOf, CreateRow,
    CreateWith, DatePart, DateUnit, Day, Elapsed, Expression, Field, Filter, GroupOrder, Grouping, Having, InParent,
    Included, Inside, Instant, IntoAssignments, IntoInclude, IsModel, JsonField, JsonPath, Key, Keyed, Link, Nested,
    NestedChange, NestedUpdate, NewRow, NewValue, Now, Omits, OrCreate, Order, OrderedInJson, Overlapping, Parent,
    PartOf, Put, Recursive, RecursiveField, Refined, RelationField, RelationOf, Relevance, Scope, SearchQuery,
    Searched, SelectRelated, Selectable, Selection, SqlArguments, Temporal, Term, TextOrRange, Today, Unique,
    UniqueColumns, UniqueKey, WholeOf, WithAll, WrittenColumns, case, count, kind, now, today,
};
#[cfg(feature = "types")]
pub use dsl::{IntoRange, Ranges};
pub use error::{ConstraintViolation, DatabaseError, Error, Lookup, Result};
pub use execute::{BatchCall, Call, Explain, ExplainedStatement, Explanation, Plan, RowStream};
pub use factory::{Factory, HasModels};
pub use query::{PageToken, Query, Select};
/// Turns an async function into a test that has its own database, with all migrations applied.
///
/// The migrations run once; each test gets a copy of the result, which takes some milliseconds, and is dropped after the
/// test. So tests can run in parallel, and commit what they like. The database is on the server that
/// [`DevDb::start`](testing::DevDb::start) finds or starts.
///
/// The arguments are of types with [`TestArgument`](testing::TestArgument): the `Client` of the schema, its
/// `ClientBuilder`, a [`&TestDatabase`](testing::TestDatabase), or your own type. The function can return whatever a
/// test can return, such as a `Result`. Other attributes, such as `#[ignore]` and `#[should_panic]`, work as usual.
///
/// Options, separated by commas; paths start at the folder of the package:
/// - `migrations = ".."`: the folder of the migrations; `migrations` by default. With `migrations = false`, the database
///   is empty.
/// - `fixtures("..", "..")`: files of SQL that run after the migrations, also once.
/// - `rollback`: the function gets a `&Transaction` that is rolled back, in a database that all such tests share: see
///   [`InTransaction`](testing::InTransaction).
/// - `role = ".."`: sessions begin as this role, which may read and write all tables and owns nothing: for schemas with row
///   security. It is created on the server if it does not exist.
/// - `flavor = "multi_thread"`, `worker_threads = 2`: the runtime, as for `#[tokio::test]`. By default, it is one thread.
///
/// ```
/// use plain_planner::{Client, Error, institution};
///
/// #[relata::test]
/// async fn a_slug_is_taken_once(db: Client) -> relata::Result<()> {
///     let north = || institution::Create { name: "North".to_owned(), slug: "north".to_owned() };
///     db.institution().create(north()).await?;
///     let again = db.institution().create(north()).await;
///     assert!(matches!(again, Err(Error::UniqueViolation(c)) if c.constraint == institution::SLUG_KEY));
///     Ok(())
/// }
/// ```
#[cfg(feature = "testing")]
pub use relata_derive::test;
#[cfg(feature = "derive")]
pub use relata_derive::{FromRawRow, Patch, Selectable, Value};
pub use rows::{
    FromRawRow, FromRow, Model, NotIncluded, RawColumn, RawRow, Scalars, SingleColumn, Slot, SqlRow, Tree, Writable,
};
pub use telemetry::{Hooks, Intent, IntentKind, Report, ServerRole, ServerStatistics, Statistics};
#[cfg(feature = "pgvector")]
pub use value::AnyVector;
#[cfg(feature = "net")]
pub use value::NetAddress;
#[cfg(feature = "geo")]
pub use value::Spatial;
pub use value::{
    AsText, Assigned, Average, Compared, Holds, IntoNullable, IntoParam, IntoValue, List, Newtype, Number, Ordered,
    Param, Postgres, Scalar, Sum, TsVector, UnknownLabel,
};
#[cfg(feature = "types")]
pub use value::{Hstore, Interval, Ltree, Multirange, NotAnInterval, Range, RangeOf};
#[cfg(feature = "serde")]
pub use value::{Json, double_option, not_null};

#[cfg(feature = "bit")]
pub use bit_vec;
#[cfg(feature = "geo")]
pub use geo_types;
#[cfg(feature = "pgvector")]
pub use pgvector;
pub use {chrono, rust_decimal, serde_json, tokio_postgres, uuid};
#[cfg(feature = "net")]
pub use {cidr, macaddr};

/// Includes the client that the build script wrote to `OUT_DIR`, in the module that calls this macro.
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
#[cfg(feature = "migrate")]
#[macro_export]
macro_rules! migrations {
    () => {
        $crate::migrate::Migrations::from_static(include!(concat!(env!("OUT_DIR"), "/relata_migrations.rs")))
    };
}
