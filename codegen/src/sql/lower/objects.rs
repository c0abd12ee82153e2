//! The functions, procedures, triggers and policies of `sql/**/*.sql`, as objects of the catalog.

use super::mentions::{Mentions, printed};
use super::views;
use crate::ir::{ObjectSignature, ObjectTarget, Schema, SqlObject};
use crate::sql::quote::{ident, qualified};
use crate::sql::state::{
    CatalogObject, ColumnDefault, IndexTarget, Managed, Nature, Need, ObjectInSchema, ObjectKey, ObjectName, State,
    Table, Usage, User,
};

/// Adds the objects to a state that has the tables, and the views that they need. `views` are the names and keys of these.
pub(super) fn add(schema: &Schema, state: &mut State) {
    let functions = functions(schema);
    let mut relations = views::keys(schema);
    relations.extend(functions.iter().cloned());
    let objects: Vec<CatalogObject> = schema.objects.iter().map(|object| lower(object, state, &relations)).collect();
    secure(schema, state);
    name_triggers(&objects, state);
    state.catalog.usages.extend(usages(state, &functions));
    state.catalog.objects.extend(objects);
    state.catalog.objects.sort_by(|a, b| a.key.cmp(&b.key));
}

/// Returns the functions and procedures: their names without a schema, and their keys.
pub(super) fn functions(schema: &Schema) -> Vec<(String, ObjectKey)> {
    let functions = schema.objects.iter().filter(|object| object.signature().is_some());
    functions.map(|object| (object.name.clone(), key_of(object))).collect()
}

fn key_of(object: &SqlObject) -> ObjectKey {
    ObjectKey { kind: object.kind().to_owned(), name: object.identity() }
}

fn lower(object: &SqlObject, state: &State, known: &[(String, ObjectKey)]) -> CatalogObject {
    match &object.target {
        ObjectTarget::Function(signature) | ObjectTarget::Procedure(signature) => {
            lower_function(object, signature, state, known)
        }
        ObjectTarget::Trigger { namespace, table } | ObjectTarget::Policy { namespace, table } => {
            lower_guard(object, &ObjectName { schema: namespace.clone(), name: table.clone() }, state, known)
        }
    }
}

fn lower_function(
    object: &SqlObject,
    signature: &ObjectSignature,
    state: &State,
    known: &[(String, ObjectKey)],
) -> CatalogObject {
    let key = key_of(object);
    let name = ObjectName { schema: signature.namespace.clone(), name: object.name.clone() };
    let signature_sql = format!("{}({})", qualified(&name), signature.inputs.join(", "));
    let types = Mentions::of(&object.sql[..signature.types_end]);
    let mut needs = types.tables(state, false);
    needs.extend(types.enums(state));
    needs.extend(types.objects(&known.iter().filter(|(_, key)| is_view(key)).cloned().collect::<Vec<_>>(), &key));
    // PostgreSQL reads a body without quotes when it creates the function.
    if let Some(body) = signature.body_at {
        let body = Mentions::of(&object.sql[body..]);
        needs.extend(body.tables(state, false));
        needs.extend(body.enums(state));
        needs.extend(body.objects(known, &key));
    }
    needs.sort();
    needs.dedup();
    CatalogObject {
        described: key.to_string(),
        create: Some(object.sql.clone()),
        drop: format!("DROP {} {signature_sql}", key.kind.to_uppercase()),
        shape: signature.shape.clone(),
        replace: Some(replacing(object)),
        parts: Vec::new(),
        managed: Some(Managed::Object(managed(object, name, signature_sql))),
        restore: None,
        needs,
        owner: None,
        nature: Nature::Base,
        key,
    }
}

fn is_view(key: &ObjectKey) -> bool {
    key.kind.ends_with("view")
}

/// Returns the statement with `OR REPLACE`.
fn replacing(object: &SqlObject) -> String {
    if object.replaces {
        return object.sql.clone();
    }
    let (create, rest) = object.sql.split_at(object.replace_at);
    format!("{create} OR REPLACE{rest}")
}

fn managed(object: &SqlObject, relation: ObjectName, identity: String) -> ObjectInSchema {
    ObjectInSchema {
        kind: object.kind(),
        relation,
        name: object.name.clone(),
        identity,
        sql: object.sql.clone(),
        relation_at: object.name_at.clone(),
    }
}

/// A trigger or a policy.
fn lower_guard(object: &SqlObject, table: &ObjectName, state: &State, known: &[(String, ObjectKey)]) -> CatalogObject {
    let key = key_of(object);
    let identity = format!("{} ON {}", ident(&object.name), qualified(table));
    let drop = format!("DROP {} {identity}", key.kind.to_uppercase());
    // A trigger executes a function without arguments, whatever others have the same name.
    let executed = object.sql.to_ascii_lowercase().rfind("execute").filter(|_| key.kind == "trigger");
    let (condition, execution) = object.sql.split_at(executed.unwrap_or(object.sql.len()));
    let (mentions, execution) = (Mentions::of(condition), Mentions::of(execution));
    let view = known.iter().find(|(_, key)| is_view(key) && key.name == printed(table));
    let owner = view.map_or_else(|| Need::Table(table.clone()), |(_, key)| Need::Object(key.clone()));
    let mut needs = mentions.tables(state, false);
    needs.extend(mentions.enums(state));
    needs.extend(mentions.objects(known, &key));
    let executed = execution.objects(known, &key);
    needs.extend(executed.into_iter().filter(|need| matches!(need, Need::Object(key) if key.name.ends_with("()"))));
    needs.sort();
    needs.dedup();
    needs.retain(|need| *need != owner);
    // A trigger that says so is replaced as it is; a policy and other triggers are dropped and created in one step.
    let replace = if object.replaces { object.sql.clone() } else { format!("{drop};\n{}", object.sql) };
    CatalogObject {
        described: format!("{} {} on table {}", key.kind, ident_in_words(&object.name), printed(table)),
        create: Some(object.sql.clone()),
        drop,
        shape: String::new(),
        replace: Some(replace),
        parts: Vec::new(),
        managed: Some(Managed::Object(managed(object, table.clone(), identity))),
        restore: None,
        needs,
        owner: Some(owner),
        nature: Nature::Guard,
        key,
    }
}

fn ident_in_words(name: &str) -> String {
    relata_pgsql::ident_if_needed(name)
}

/// Tells views which triggers of theirs are created on their own.
fn name_triggers(objects: &[CatalogObject], state: &mut State) {
    for object in objects.iter().filter(|object| object.key.kind == "trigger") {
        let (Some(Need::Object(view)), Some(Managed::Object(trigger))) = (&object.owner, &object.managed) else {
            continue;
        };
        let view = state.catalog.objects.iter_mut().find(|it| it.key == *view).and_then(|it| it.managed.as_mut());
        if let Some(Managed::View(view)) = view {
            view.triggers.push(trigger.name.clone());
        }
    }
}

/// Enables row security on the tables that have policies.
fn secure(schema: &Schema, state: &mut State) {
    for object in &schema.objects {
        let (ObjectTarget::Policy { .. }, Some((namespace, name))) = (&object.target, object.table()) else { continue };
        let is_it = |table: &&mut Table| table.name.name == name && table.name.schema.as_deref() == namespace;
        if let Some(table) = state.tables.iter_mut().find(is_it) {
            table.row_security.enabled = true;
            table.row_security.has_files = true;
        }
    }
}

/// Returns the parts of tables that use functions.
fn usages(state: &State, functions: &[(String, ObjectKey)]) -> Vec<Usage> {
    let mut found = Vec::new();
    for table in &state.tables {
        for (user, sql, release) in expressions(table) {
            let mentions = Mentions::of(&sql);
            let used = functions.iter().filter(|(name, _)| mentions.names(name));
            found.extend(used.map(|(_, key)| Usage {
                user: user.clone(),
                object: key.clone(),
                release: release.clone(),
            }));
        }
    }
    found
}

/// Returns the parts of a table that have an expression: the part, the expression, and the statement that drops it.
fn expressions(table: &Table) -> Vec<(User, String, Option<String>)> {
    let name = || table.name.clone();
    let alter = format!("ALTER TABLE {}", qualified(&table.name));
    let mut found = Vec::new();
    for column in &table.columns {
        if let Some(ColumnDefault::Expression(sql)) = &column.default {
            let release = format!("{alter} ALTER COLUMN {} DROP DEFAULT", ident(&column.name));
            found.push((User::Default(name(), column.name.clone()), sql.clone(), Some(release)));
        }
        if let Some(sql) = &column.generated {
            found.push((User::Column(name(), column.name.clone()), sql.clone(), None));
        }
    }
    let drop = |constraint: &str| Some(format!("{alter} DROP CONSTRAINT {}", ident(constraint)));
    for check in &table.checks {
        found.push((User::Constraint(name(), check.name.clone()), check.expression.clone(), drop(&check.name)));
    }
    let exclusions = table.exclusions.iter().map(|exclusion| (&exclusion.index, true));
    for (index, is_constraint) in table.indexes.iter().map(|index| (index, false)).chain(exclusions) {
        let parts = index.parts.iter().filter_map(|part| match &part.target {
            IndexTarget::Expression(sql) => Some(sql.as_str()),
            IndexTarget::Column(_) => None,
        });
        let sql: Vec<&str> = parts.chain(index.predicate.as_deref()).collect();
        if sql.is_empty() {
            continue;
        }
        let (user, release) = match is_constraint {
            true => (User::Constraint(name(), index.name.clone()), drop(&index.name)),
            false => {
                let release = format!("DROP INDEX {}", qualified(&table.name.sibling(&index.name)));
                (User::Index(name(), index.name.clone()), Some(release))
            }
        };
        found.push((user, sql.join(" "), release));
    }
    found
}
