//! The state of a live database, read from PostgreSQL's catalog.
//!
//! Takes a connection and the schemas to read, and returns a [`State`] like the one that a schema file leads to. All
//! queries run in one read-only transaction. Partitions, the tables of migration histories and the members of
//! extensions are left out. Functions, triggers, policies and other definitions are read only if a whole database is
//! requested.

mod audit;
mod catalog;
mod citus;
mod indexes;
mod lasting;
mod managed;
mod objects;
mod others;
mod policies;
mod pulled_objects;
mod pulled_views;
mod tables;
#[cfg(test)]
mod tests;
mod uses;

use relata_codegen::ir::Schema;
use relata_codegen::sql::quote::ident;
use relata_codegen::sql::{Catalog, ObjectName, State};
use tokio_postgres::{Client, IsolationLevel, Row, Transaction};

use crate::failure::Failure;

pub(crate) use managed::read_managed;
pub(crate) use pulled_objects::read_objects;
pub(crate) use pulled_views::{PulledView, read_views};

/// The schemas to read, and how their objects are named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The current schema of the connection. Names have no schema.
    Current,
    /// These schemas. Every name has its schema.
    Named(Vec<String>),
    /// All schemas. Only names in the current schema of the connection have no schema.
    All,
}

impl Scope {
    /// Returns the PostgreSQL schemas that `schema` names.
    pub(crate) fn of(schema: &Schema) -> Self {
        if schema.namespaces.is_empty() { Self::Current } else { Self::Named(schema.namespaces.clone()) }
    }
}

/// The tables of migration histories, which are not part of the schema.
pub(crate) const HISTORY_TABLES: [&str; 3] =
    [relata::migrate::HISTORY_TABLE, relata::migrate::LOCK_TABLE, "_prisma_migrations"];

/// The condition that a user set the option `o` of a column. Some minor releases of PostgreSQL keep a number of their own
/// among the options of each column.
pub(crate) const SET_BY_USER: &str = "o NOT LIKE 'pg\\_attver=%'";

/// The condition that leaves out partitions, which no schema declares.
const NO_PARTITION: &str = "NOT c.relispartition";

/// Makes PostgreSQL print constants and names in the same way, whatever the settings of the database, the role and the
/// server.
pub(crate) const PRINTING: &str = "SET LOCAL datestyle TO 'ISO, YMD'; SET LOCAL intervalstyle TO 'postgres'; \
    SET LOCAL bytea_output TO 'hex'; SET LOCAL extra_float_digits TO 1; SET LOCAL quote_all_identifiers TO off; \
    SET LOCAL standard_conforming_strings TO on; SET LOCAL xmlbinary TO 'base64'";

/// The transaction that reads, and the context of all queries.
struct Cx<'a> {
    transaction: &'a Transaction<'a>,
    /// The schemas that are read.
    schemas: Vec<String>,
    /// The schema whose objects are named without a schema.
    unqualified: Option<String>,
    /// Whether partitions are read as tables: everything is compared.
    has_partitions: bool,
    /// Whether all schemas are read.
    is_whole: bool,
    /// Whether views are read in place of tables.
    has_views: bool,
}

impl<'a> Cx<'a> {
    /// Prepares a transaction for reading. `has_partitions` says whether everything is compared.
    async fn new(transaction: &'a Transaction<'a>, scope: &Scope, has_partitions: bool) -> Result<Self, Failure> {
        let failed = |error: tokio_postgres::Error| Failure::database("reading the database", &error);
        Ok(match scope {
            Scope::Current | Scope::All => {
                let row = transaction.query_one("SELECT current_schema()::text", &[]).await.map_err(failed)?;
                let schema: Option<String> = row.try_get(0).map_err(failed)?;
                let schema = schema.ok_or_else(|| {
                    Failure::refused("none of the schemas in the search path exists in this database")
                        .help("create one (CREATE SCHEMA), or correct `schema=` in the URL")
                })?;
                let is_whole = *scope == Scope::All;
                let schemas = if is_whole {
                    objects::all_schemas(transaction).await.map_err(failed)?
                } else {
                    vec![schema.clone()]
                };
                if has_partitions {
                    // PostgreSQL prints the names of other schemas with their schema.
                    let path = format!("SET LOCAL search_path TO {}", ident(&schema));
                    transaction.batch_execute(&path).await.map_err(failed)?;
                }
                Cx { transaction, schemas, unqualified: Some(schema), has_partitions, is_whole, has_views: false }
            }
            Scope::Named(schemas) => {
                // Without a search path, PostgreSQL prints every name with its schema.
                transaction.batch_execute("SET LOCAL search_path TO ''").await.map_err(failed)?;
                Cx {
                    transaction,
                    schemas: schemas.clone(),
                    unqualified: None,
                    has_partitions,
                    is_whole: false,
                    has_views: false,
                }
            }
        })
    }

    /// Runs a query whose only parameter is the list of schemas. It leaves partitions out with the words
    /// `NOT c.relispartition`, unless they are read, and chooses tables with `relkind IN ('r', 'p')`.
    async fn rows(&self, sql: &str) -> Result<Vec<Row>, tokio_postgres::Error> {
        if self.has_views {
            let sql = sql.replace("relkind IN ('r', 'p')", "relkind IN ('v', 'm')");
            return self.transaction.query(&sql, &[&self.schemas]).await;
        }
        if self.has_partitions {
            return self.transaction.query(&sql.replace(NO_PARTITION, "true"), &[&self.schemas]).await;
        }
        self.transaction.query(sql, &[&self.schemas]).await
    }

    /// Returns a comment as part of what it is on. If everything is compared, comments are objects.
    fn comment(&self, text: Option<String>) -> Option<String> {
        text.filter(|_| !self.has_partitions)
    }

    fn name(&self, schema: &str, name: &str) -> ObjectName {
        let schema = (self.unqualified.as_deref() != Some(schema)).then_some(schema);
        ObjectName::new(schema, name)
    }
}

/// Reads everything that can be compared with a schema.
pub async fn introspect(client: &mut Client, scope: &Scope) -> Result<State, Failure> {
    read_as(client, scope, Depth::Schema).await
}

/// Reads everything in which two databases can differ.
pub(crate) async fn introspect_whole(client: &mut Client, scope: &Scope) -> Result<State, Failure> {
    read_as(client, scope, Depth::Whole).await
}

/// How much is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    Schema,
    Whole,
}

async fn read_as(client: &mut Client, scope: &Scope, depth: Depth) -> Result<State, Failure> {
    let transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await
        .map_err(|error| Failure::database("reading the database", &error))?;
    let state = read(&transaction, scope, depth).await?;
    transaction.rollback().await.map_err(|error| Failure::database("reading the database", &error))?;
    Ok(state)
}

async fn read(transaction: &Transaction<'_>, scope: &Scope, depth: Depth) -> Result<State, Failure> {
    let failed = |error: tokio_postgres::Error| Failure::database("reading the database", &error);
    transaction.batch_execute(PRINTING).await.map_err(failed)?;
    let cx = Cx::new(transaction, scope, depth == Depth::Whole).await?;
    let mut state = collect(&cx).await.map_err(failed)?;
    if depth == Depth::Whole {
        state.catalog = catalog::catalog(&cx, &state).await.map_err(failed)?;
        catalog::take_parts_of_views(&mut state);
        lasting::rewrite_tables(&mut state);
        state.catalog.objects.iter_mut().for_each(lasting::rewrite_object);
    }
    Ok(state)
}

async fn collect(cx: &Cx<'_>) -> Result<State, tokio_postgres::Error> {
    let enums = objects::enums(cx).await?;
    let mut state = State {
        schemas: if cx.unqualified.is_none() { objects::schemas(cx).await? } else { Vec::new() },
        extensions: objects::extensions(cx).await?,
        sequences: objects::sequences(cx).await?,
        tables: tables::tables(cx, &enums).await?,
        enums,
        audit: None,
        others: Vec::new(),
        catalog: Catalog::default(),
    };
    indexes::add_indexes(cx, &mut state).await?;
    policies::add_row_security(cx, &mut state).await?;
    audit::add_audit(cx, &mut state).await?;
    citus::add_distribution(cx, &mut state).await?;
    let idle = objects::take_idle_sequences(&mut state);
    if cx.has_partitions {
        // Privileges are compared as such.
        state.tables.iter_mut().flat_map(|table| &mut table.columns).for_each(|column| column.grants.clear());
    }
    state.others = others::others(cx, &idle).await?;
    state.sort();
    Ok(state)
}
