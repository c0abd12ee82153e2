//! Functions, procedures, triggers, policies, domains, composite types and sequences as `db pull` writes them.

use relata_codegen::sql::{AUDIT, AUDIT_TRUNCATE, CatalogObject, Nature, ObjectKey, ObjectName, State};
use tokio_postgres::{Client, Error};

use super::managed::{is_same_object, known_functions};
use super::{Cx, PRINTING, Scope, catalog};
use crate::failure::Failure;

/// The kinds that a schema manages, in files of SQL.
const KINDS: [&str; 7] = ["composite type", "domain", "function", "policy", "procedure", "sequence", "trigger"];

/// Sequences that no column owns.
const SEQUENCES: &str = "
    SELECT n.nspname::text, c.relname::text,
           format('AS %s INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s %s', format_type(s.seqtypid, NULL),
               s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache, CASE WHEN s.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END)
    FROM pg_sequence AS s JOIN pg_class AS c ON c.oid = s.seqrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY($1) AND c.relpersistence = 'p' AND NOT EXISTS (SELECT FROM pg_depend AS d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i', 'e')) ORDER BY 1, 2";

/// Reads the objects that files of SQL can manage and that a schema does not have, except those of extensions. `create` is
/// the text of a file: whether a trigger is enabled is not part of it.
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
    let mut objects = found.objects;
    for row in cx.rows(SEQUENCES).await.map_err(failed)? {
        let name = cx.name(row.try_get(0).map_err(failed)?, row.try_get(1).map_err(failed)?);
        objects.push(sequence(&name, row.try_get(2).map_err(failed)?));
    }
    let names = functions.names(&transaction).await.map_err(failed)?;
    transaction.rollback().await.map_err(failed)?;
    let is_new = |object: &CatalogObject| {
        KINDS.contains(&object.key.kind.as_str())
            && object.create.is_some()
            && !object.key.name.split(['.', ' ', '(']).any(|part| part == AUDIT || part == AUDIT_TRUNCATE)
            && !names.iter().any(|(there, _)| *there == object.key)
            && !schema.catalog.objects.iter().any(|known| is_same_object(&known.key, &object.key))
    };
    let mut objects: Vec<CatalogObject> = objects.into_iter().filter(is_new).collect();
    for object in objects.iter_mut().filter(|object| object.key.kind == "trigger") {
        object.create = Some(object.shape.clone());
    }
    Ok(objects)
}

fn sequence(name: &ObjectName, options: &str) -> CatalogObject {
    let key = ObjectKey { kind: "sequence".to_owned(), name: name.printed() };
    CatalogObject {
        described: key.to_string(),
        create: Some(format!("CREATE SEQUENCE {} {options}", key.name)),
        drop: String::new(),
        shape: String::new(),
        replace: None,
        parts: Vec::new(),
        managed: None,
        restore: None,
        needs: Vec::new(),
        owner: None,
        nature: Nature::Base,
        key,
    }
}
