//! Inserts rows with values for the same columns.

use super::insert::{Inserted, bulk_statement};
use crate::connection::Session;
use crate::error::Result;
use crate::query::{BulkOptions, MAX_ROWS, NewRows, UniformRows};
use crate::sql::{self, Context, Statement};

/// Inserts rows with values for the same columns.
pub(super) async fn insert_uniform(session: Session<'_>, rows: UniformRows, options: BulkOptions) -> Result<Inserted> {
    let table = rows.table();
    let mut inserted = Inserted::default();
    let statements = |part| sql::bulk_insert_statements(session.unshaped(), part);
    for statement in rows.into_parts(options).flat_map(statements) {
        if options.returning {
            inserted.rows.extend(session.query(statement, table).await?);
        } else {
            inserted.count += session.execute(statement, table).await?;
        }
    }
    Ok(inserted)
}

/// Returns the statement, if one is enough and there are no nested rows.
pub(super) fn statement(context: Context<'_>, rows: NewRows, options: BulkOptions) -> Option<Statement> {
    match rows {
        NewRows::Uniform(uniform) if uniform.len() > MAX_ROWS => None,
        NewRows::Uniform(uniform) => sql::bulk_insert_statements(context, uniform.into_parts(options).next()?).pop(),
        NewRows::Any(rows) => bulk_statement(context, rows, options),
    }
}
