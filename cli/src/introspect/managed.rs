//! The views, functions, procedures, triggers and policies that a schema manages, in a live database, and everything that
//! needs them.
//!
//! Takes the state of a schema and a connection. Adds the objects to the state of the database, and makes the texts of
//! those equal that mean the same.

mod compare;
mod objects;

use std::collections::BTreeSet;

use relata_codegen::sql::{Catalog, CatalogObject, Managed, Nature, Need, ObjectKey, State, User};
use tokio_postgres::{Client, Error, Transaction};

use super::{Cx, PRINTING, Scope, catalog};
use crate::failure::Failure;
use compare::{Compared, Outcome};

/// Reads the managed objects of `schema` from the database into `database`. Where both mean the same, their texts are made
/// equal. Returns the objects that could not be compared, because the server only reads or the role cannot create
/// temporary objects: they are taken for equal.
pub(crate) async fn read_managed(
    client: &mut Client,
    scope: &Scope,
    database: &mut State,
    schema: &mut State,
) -> Result<Vec<ObjectKey>, Failure> {
    if schema.catalog.objects.is_empty() {
        return Ok(Vec::new());
    }
    let failed =
        |error: tokio_postgres::Error| Failure::database("reading the views and functions of the database", &error);
    let transaction = client.transaction().await.map_err(failed)?;
    let compared = compare::compare(&transaction, schema).await.map_err(failed)?;
    transaction.rollback().await.map_err(failed)?;
    let transaction = client.build_transaction().read_only(true).start().await.map_err(failed)?;
    transaction.batch_execute(PRINTING).await.map_err(failed)?;
    let cx = Cx::new(&transaction, scope, false).await?;
    let mut found = catalog::catalog(&cx, database).await.map_err(failed)?;
    let names = KnownFunctions::of(&compared).names(&transaction).await.map_err(failed)?;
    transaction.rollback().await.map_err(failed)?;
    name_as_in_schema(&mut found, schema, &names);
    keep_connected(&mut found, schema);
    keep_unknown_parts(&mut found, schema);
    let mut unknown = Vec::new();
    add_sequences(&mut found, &compared, schema);
    for Compared { key, outcome, .. } in compared {
        let Some(there) = found.objects.iter_mut().find(|object| object.key == key) else { continue };
        let Some(wanted) = schema.catalog.objects.iter_mut().find(|object| object.key == key) else { continue };
        if matches!(wanted.managed, Some(Managed::Object(_))) {
            // Whether a trigger is enabled is not part of a schema.
            there.parts.clone_from(&wanted.parts);
        }
        if wanted.nature == Nature::Guard {
            let is_constraint = there.shape.starts_with("CREATE CONSTRAINT");
            there.shape = if is_constraint { "constraint" } else { "" }.to_owned();
        }
        match outcome {
            Outcome::Differs(Some(shape)) if wanted.replace.is_some() => wanted.shape = shape,
            Outcome::Differs(_) => {}
            Outcome::DiffersIn(printed) => {
                let [new, old] = *printed;
                (wanted.shape, wanted.parts) = (new.shape, new.parts);
                (there.shape, there.parts, there.replace) = (old.shape, old.parts, None);
            }
            // PostgreSQL compared it with the columns that are there now.
            Outcome::Same if reads_other_columns(wanted, database) => {}
            Outcome::Same | Outcome::Unknown => {
                there.create.clone_from(&wanted.create);
                there.replace.clone_from(&wanted.replace);
                there.shape.clone_from(&wanted.shape);
                if outcome == Outcome::Unknown {
                    unknown.push(key);
                }
            }
        }
    }
    forget_uses(database, &found);
    database.catalog = found;
    Ok(unknown)
}

/// Returns whether a view or a function selects all columns of a table that is about to get or lose some.
fn reads_other_columns(object: &CatalogObject, database: &State) -> bool {
    let first = object.shape.lines().next().unwrap_or_default();
    let Some(read) = first.strip_prefix("* of ") else { return false };
    let read: BTreeSet<&str> = read.split(", ").collect();
    let changes = |need: &Need| {
        let Need::Table(name) = need else { return false };
        let of_table = format!("{name}.");
        let known: BTreeSet<&str> = read.iter().copied().filter(|column| column.starts_with(&of_table)).collect();
        let Some(table) = database.table(name).filter(|_| !known.is_empty()) else { return false };
        let there: Vec<String> = table.columns.iter().map(|column| format!("{of_table}{}", column.name)).collect();
        there.iter().map(String::as_str).collect::<BTreeSet<_>>() != known
    };
    object.needs.iter().any(changes)
}

/// Keeps what a hand made from making way, because nothing would bring it back.
fn keep_unknown_parts(found: &mut Catalog, schema: &State) {
    let is_known = |user: &User| {
        let Some(table) = schema.table(user.table()) else { return false };
        match user {
            User::Default(_, column) | User::Column(_, column) => table.column(column).is_some(),
            User::Constraint(_, name) => {
                table.checks.iter().any(|it| it.name == *name)
                    || table.exclusions.iter().any(|it| it.index.name == *name)
            }
            User::Index(_, name) => table.indexes.iter().any(|it| it.name == *name),
            User::Table(_) => true,
        }
    };
    found.usages.iter_mut().filter(|usage| !is_known(&usage.user)).for_each(|usage| usage.release = None);
}

/// The functions and procedures of a schema that a database has: their keys in the schema, and their oids.
pub(super) struct KnownFunctions(Vec<(ObjectKey, u32)>);

impl KnownFunctions {
    fn of(compared: &[Compared]) -> Self {
        let functions = compared.iter().filter(|it| it.key.kind != "sequence");
        Self(functions.filter_map(|it| Some((it.key.clone(), it.there?))).collect())
    }

    /// Returns the keys that they have in the database, each with that in the schema.
    pub(super) async fn names(&self, transaction: &Transaction<'_>) -> Result<Vec<(ObjectKey, ObjectKey)>, Error> {
        let mut names = Vec::new();
        for (key, oid) in &self.0 {
            let row = transaction.query_one("SELECT ($1::oid)::regprocedure::text", &[oid]).await?;
            names.push((ObjectKey { kind: key.kind.clone(), name: row.try_get(0)? }, key.clone()));
        }
        Ok(names)
    }
}

/// Adds the sequences of a schema that the database has: elsewhere, they are part of tables, or of no schema.
fn add_sequences(found: &mut Catalog, compared: &[Compared], schema: &State) {
    let are_there = compared.iter().filter(|it| it.key.kind == "sequence" && it.there.is_some());
    for Compared { key, outcome, .. } in are_there {
        let Some(wanted) = schema.catalog.objects.iter().find(|object| object.key == *key) else { continue };
        let replace = wanted.replace.clone().filter(|_| *outcome == Outcome::Same);
        found.objects.push(CatalogObject { replace, ..wanted.clone() });
    }
}

/// Returns the functions and procedures of a schema that the database has. Changes nothing if the transaction is rolled
/// back.
pub(super) async fn known_functions(transaction: &Transaction<'_>, schema: &State) -> Result<KnownFunctions, Error> {
    Ok(KnownFunctions::of(&compare::compare(transaction, schema).await?))
}

/// Whether two keys differ in quotes only.
pub(super) fn is_same_object(a: &ObjectKey, b: &ObjectKey) -> bool {
    a.kind == b.kind && bare(a) == bare(b)
}

fn bare(key: &ObjectKey) -> String {
    key.name.replace('"', "")
}

/// Gives the objects that a schema has the keys which they have there: PostgreSQL quotes keywords, and `names` has the
/// functions.
fn name_as_in_schema(found: &mut Catalog, schema: &State, names: &[(ObjectKey, ObjectKey)]) {
    let known = |key: &ObjectKey| {
        if let Some((_, known)) = names.iter().find(|(there, _)| there == key) {
            return Some(known.clone());
        }
        let is_it = |other: &&CatalogObject| other.key != *key && is_same_object(&other.key, key);
        schema.catalog.objects.iter().find(is_it).map(|object| object.key.clone())
    };
    let rename = |key: &mut ObjectKey| {
        if let Some(name) = known(key) {
            *key = name;
        }
    };
    for object in &mut found.objects {
        rename(&mut object.key);
        for need in object.needs.iter_mut().chain(&mut object.owner) {
            if let Need::Object(key) = need {
                rename(key);
            }
        }
    }
    found.usages.iter_mut().for_each(|usage| rename(&mut usage.object));
}

/// Leaves only what the schema has, and what needs that. A view that is materialized in one of both is the same view.
fn keep_connected(found: &mut Catalog, schema: &State) {
    let is_managed = |object: &CatalogObject| {
        let is_it = |other: &CatalogObject| match &other.managed {
            Some(Managed::View(_)) => object.nature == Nature::View && other.key.name == object.key.name,
            Some(Managed::Object(_)) => other.key == object.key,
            None => false,
        };
        schema.catalog.objects.iter().any(is_it)
    };
    let mut kept: BTreeSet<ObjectKey> =
        found.objects.iter().filter(|object| is_managed(object)).map(|object| object.key.clone()).collect();
    loop {
        let is_connected = |need: &Need| matches!(need, Need::Object(key) if kept.contains(key));
        let more: Vec<_> = found
            .objects
            .iter()
            .filter(|object| !kept.contains(&object.key))
            .filter(|object| object.needs.iter().chain(&object.owner).any(is_connected))
            .map(|object| object.key.clone())
            .collect();
        if more.is_empty() {
            break;
        }
        kept.extend(more);
    }
    found.objects.retain(|object| kept.contains(&object.key));
    found.usages.retain(|usage| kept.contains(&usage.object));
}

/// What is managed makes way by itself.
fn forget_uses(database: &mut State, found: &Catalog) {
    let bare = |name: &str| name.replace('"', "");
    let names: BTreeSet<String> = found
        .objects
        .iter()
        .filter_map(|object| match object.nature {
            Nature::View => Some(bare(&object.key.to_string())),
            Nature::Base | Nature::Guard => Some(bare(&object.described)),
            Nature::Space | Nature::Part | Nature::Note => None,
        })
        .collect();
    let stays = |user: &String| !names.contains(&bare(user));
    for table in &mut database.tables {
        table.used_by.retain(stays);
        table.columns.iter_mut().for_each(|column| column.used_by.retain(stays));
    }
}
