//! Functions, procedures, triggers and policies as `db pull` writes them.

use relata_codegen::sql::{CatalogObject, State};
use tokio_postgres::{Client, Error};

use super::managed::{is_same_object, known_functions};
use super::{Cx, PRINTING, Scope, catalog};
use crate::failure::Failure;

/// The kinds that a schema manages, in files of SQL.
const KINDS: [&str; 4] = ["function", "policy", "procedure", "trigger"];

/// Reads the functions, procedures, triggers and policies that a schema does not have, except those of extensions. `create`
/// is the text of a file: whether a trigger is enabled is not part of it.
pub(crate) async fn read_objects(
    client: &mut Client,
    scope: &Scope,
    schema: &State,
) -> Result<Vec<CatalogObject>, Failure> {
    let failed = |error: Error| Failure::database("reading the functions and triggers of the database", &error);
    let transaction = client.transaction().await.map_err(failed)?;
    let functions = known_functions(&transaction, schema).await.map_err(failed)?;
    transaction.rollback().await.map_err(failed)?;
    let transaction = client.build_transaction().read_only(true).start().await.map_err(failed)?;
    transaction.batch_execute(PRINTING).await.map_err(failed)?;
    let cx = Cx::new(&transaction, scope, true).await?;
    let found = catalog::catalog(&cx, &State::default()).await.map_err(failed)?;
    let names = functions.names(&transaction).await.map_err(failed)?;
    transaction.rollback().await.map_err(failed)?;
    let is_new = |object: &CatalogObject| {
        KINDS.contains(&object.key.kind.as_str())
            && object.create.is_some()
            && !names.iter().any(|(there, _)| *there == object.key)
            && !schema.catalog.objects.iter().any(|known| is_same_object(&known.key, &object.key))
    };
    let mut objects: Vec<CatalogObject> = found.objects.into_iter().filter(is_new).collect();
    for object in objects.iter_mut().filter(|object| object.key.kind == "trigger") {
        object.create = Some(object.shape.clone());
    }
    Ok(objects)
}
