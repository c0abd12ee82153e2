//! Views as `db pull` writes them: their columns, their indexes and their queries.

use relata_codegen::sql::{ObjectName, State, Table};
use tokio_postgres::{Client, Error};

use super::{Cx, PRINTING, Scope, indexes, objects, tables};
use crate::failure::Failure;

/// A view of a database.
pub(crate) struct PulledView {
    /// Its columns and indexes.
    pub(crate) table: Table,
    pub(crate) query: String,
    pub(crate) is_materialized: bool,
}

/// Reads the views, except those of extensions.
pub(crate) async fn read_views(client: &mut Client, scope: &Scope) -> Result<Vec<PulledView>, Failure> {
    let failed = |error: Error| Failure::database("reading the views of the database", &error);
    let transaction = client.build_transaction().read_only(true).start().await.map_err(failed)?;
    transaction.batch_execute(PRINTING).await.map_err(failed)?;
    let cx = Cx { has_views: true, ..Cx::new(&transaction, scope, false).await? };
    read(&cx).await.map_err(failed)
}

async fn read(cx: &Cx<'_>) -> Result<Vec<PulledView>, Error> {
    let enums = objects::enums(cx).await?;
    let mut state = State { tables: tables::tables(cx, &enums).await?, ..State::default() };
    indexes::add_indexes(cx, &mut state).await?;
    let mut views = Vec::new();
    for row in cx.rows(QUERIES).await? {
        let name: ObjectName = cx.name(row.try_get(0)?, row.try_get(1)?);
        let Some(at) = state.tables.iter().position(|table| table.name == name) else { continue };
        let table = state.tables.swap_remove(at);
        views.push(PulledView { table, query: row.try_get(2)?, is_materialized: row.try_get(3)? });
    }
    Ok(views)
}

/// Names that are on the search path have no schema.
const QUERIES: &str = "
    SELECT n.nspname::text, c.relname::text, rtrim(pg_get_viewdef(c.oid, true), ';'), c.relkind = 'm'
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('v', 'm') AND n.nspname = ANY($1) ORDER BY 1, 2";
