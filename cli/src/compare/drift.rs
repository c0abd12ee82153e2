//! Drift: changes of a database that no migration made.
//!
//! Compares the live database with the snapshot of its last applied migration. Objects that the schema does not contain
//! are not drift: tables and types of other programs, indexes and checks that were added by hand.

use std::path::Path;

use relata::migrate::Status;
use relata_codegen::ir::Schema;
use relata_codegen::sql::{Change, Pair, TableObject};
use tokio_postgres::Client;

use crate::compare::difference::{Renames, difference};
use crate::compare::endpoint::{Loaded, read_for, read_old_schema};
use crate::failure::Failure;
use crate::introspect::Scope;
use crate::project::snapshot::SNAPSHOT;

/// The changes that would restore the database. None if its last migration has no snapshot.
pub(crate) async fn drift(client: &mut Client, status: &Status, folder: &Path) -> Result<Vec<Change>, Failure> {
    let last = status.applied.last().map(|last| folder.join(&last.name).join(SNAPSHOT));
    let Some(snapshot) = last.filter(|path| path.is_file()) else { return Ok(Vec::new()) };
    missing(client, &read_old_schema(&snapshot)?).await
}

/// The changes that a database needs to match a schema. Additional objects are ignored.
pub(crate) async fn missing(client: &mut Client, schema: &Schema) -> Result<Vec<Change>, Failure> {
    let mut next = Loaded::of_schema(schema);
    let previous = read_for(client, &Scope::of(schema), &mut next).await?;
    let mut changes = difference(Pair { previous: &previous, next: &next }, Renames::none())?;
    changes.retain(|change| !is_addition_of_others(change));
    Ok(changes)
}

/// Whether the change would drop an object that another program may have created.
pub(crate) fn is_addition_of_others(change: &Change) -> bool {
    match change {
        Change::DropTable(_) | Change::DropEnum(_) | Change::DropSequence(_) | Change::DropExtension(_) => true,
        Change::DropObject { object, .. } => {
            matches!(object, TableObject::Index(_) | TableObject::Check(_) | TableObject::Exclusion(_))
        }
        _ => false,
    }
}
