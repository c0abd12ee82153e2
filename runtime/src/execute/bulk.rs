//! Inserts rows that are alike.

use super::insert::{Inserted, bulk_statement};
use crate::connection::Session;
use crate::error::Result;
use crate::query::{AlikeRows, BulkOptions, MOST_ROWS, NewRows};
use crate::sql::{self, Statement};

/// Inserts rows that are alike.
pub(super) async fn insert_alike(session: Session<'_>, rows: AlikeRows, options: BulkOptions) -> Result<Inserted> {
    let table = rows.table();
    let mut inserted = Inserted::default();
    for statement in rows.into_parts(options).flat_map(sql::bulk_insert_statements) {
        if options.returning {
            inserted.rows.extend(session.query(statement, table).await?);
        } else {
            inserted.count += session.execute(statement, table).await?;
        }
    }
    Ok(inserted)
}

/// The statement of rows that take only one, and no others along.
pub(super) fn statement(rows: NewRows, options: BulkOptions) -> Option<Statement> {
    match rows {
        NewRows::Alike(alike) if alike.len() > MOST_ROWS => None,
        NewRows::Alike(alike) => sql::bulk_insert_statements(alike.into_parts(options).next()?).pop(),
        NewRows::Any(rows) => bulk_statement(rows, options),
    }
}
