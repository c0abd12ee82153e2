//! Where Citus keeps the rows of tables.

use relata_codegen::sql::{Distribution, State};

use super::Cx;

/// Reference tables are those with two-phase commits. Other tables without a column are on the coordinator alone.
const TABLES: &str = "
    SELECT n.nspname::text, c.relname::text, p.partmethod = 'h', column_to_column_name(p.logicalrelid, p.partkey),
           p.colocationid::text
    FROM pg_dist_partition p JOIN pg_class c ON c.oid = p.logicalrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY($1) AND (p.partmethod = 'h' OR p.partmethod = 'n' AND p.repmodel = 't')";

/// Adds the distribution of the tables that were read, if the database has Citus.
pub(super) async fn add_distribution(cx: &Cx<'_>, state: &mut State) -> Result<(), tokio_postgres::Error> {
    let installed = "SELECT FROM pg_extension WHERE extname = 'citus'";
    if cx.transaction.query_opt(installed, &[]).await?.is_none() {
        return Ok(());
    }
    for row in cx.rows(TABLES).await? {
        let name = cx.name(row.try_get(0)?, row.try_get(1)?);
        let is_hashed: bool = row.try_get(2)?;
        let column: Option<String> = row.try_get(3)?;
        let distribution = match column.filter(|_| is_hashed) {
            Some(column) => Distribution::By { column, group: row.try_get(4)? },
            None => Distribution::Reference,
        };
        if let Some(table) = state.tables.iter_mut().find(|table| table.name == name) {
            table.distribution = distribution;
        }
    }
    Ok(())
}
