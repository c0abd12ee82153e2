//! Inserts rows with values for the same columns.

use super::insert::{Inserted, bulk_statement, in_order, marked};
use crate::connection::Session;
use crate::error::Result;
use crate::query::{BulkOptions, MAX_ROWS, NewRows, Returned, UniformRows};
use crate::rows::Node;
use crate::sql::{self, Context, Statement};

/// Inserts rows with values for the same columns.
pub(super) async fn insert_uniform(session: Session<'_>, rows: UniformRows, options: BulkOptions) -> Result<Inserted> {
    let (table, total) = (rows.table(), rows.len());
    let mut inserted = Inserted::default();
    let mut placed = Vec::new();
    let mut positions = 0..total;
    for part in rows.into_parts(options.returned, options.on_conflict()) {
        let of_part: Vec<usize> = match options.returned {
            Returned::Marked => positions.by_ref().take(part.rows).collect(),
            _ => Vec::new(),
        };
        for statement in sql::bulk_insert_statements(session.unshaped(), part) {
            match options.returned {
                Returned::Count => inserted.count += session.execute(statement, table).await?,
                Returned::Rows => inserted.rows.extend(session.query(statement, table).await?),
                Returned::Marked => {
                    placed.extend(marked(Node::new(table, session.query(statement, table).await?), &of_part)?);
                }
            }
        }
    }
    if options.returned == Returned::Marked {
        (inserted.rows, inserted.places) = in_order(placed, total);
    }
    Ok(inserted)
}

/// Returns the statement, if one is enough and there are no nested rows.
pub(super) fn statement(context: Context<'_>, rows: NewRows, options: BulkOptions) -> Option<Statement> {
    match rows {
        NewRows::Uniform(uniform) if uniform.len() > MAX_ROWS => None,
        NewRows::Uniform(uniform) => {
            let part = uniform.into_parts(options.returned, options.on_conflict()).next()?;
            sql::bulk_insert_statements(context, part).pop()
        }
        NewRows::Any(rows) => bulk_statement(context, rows, options),
    }
}
