//! The objects of `sql/**/*.sql` as those of the catalog: functions, procedures, triggers, policies, domains, composite
//! types and sequences.

use relata_pgsql::{Token, tokens};

use super::mentions::Mentions;
use super::views;
use crate::ir::{ObjectSignature, ObjectTarget, Schema, SqlObject, TypeParts};
use crate::sql::data_type::DataType;
use crate::sql::quote::{ident, qualified};
use crate::sql::state::{
    CatalogObject, CatalogPart, ColumnDefault, IndexTarget, Managed, Nature, Need, ObjectInSchema, ObjectKey,
    ObjectName, State, Table, Usage, User,
};

/// Adds the objects to a state that has the tables and the views.
pub(super) fn add(schema: &Schema, state: &mut State) {
    let own = known(schema);
    let mut all = views::keys(schema);
    all.extend(own.iter().cloned());
    let objects: Vec<CatalogObject> = schema.objects.iter().map(|object| lower(object, state, &all)).collect();
    secure(schema, state);
    name_triggers(&objects, state);
    state.catalog.usages.extend(usages(state, &own));
    state.catalog.objects.extend(objects);
    state.catalog.objects.sort_by(|a, b| a.key.cmp(&b.key));
}

/// Returns what others can use: the names without a schema, and the keys.
pub(super) fn known(schema: &Schema) -> Vec<(String, ObjectKey)> {
    let used = schema.objects.iter().filter(|object| object.table().is_none());
    used.map(|object| (object.name.clone(), key_of(object))).collect()
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
        ObjectTarget::Domain { parts, .. } => lower_type(object, "DOMAIN", parts, domain_part, state, known),
        ObjectTarget::Composite { parts, .. } => lower_type(object, "TYPE", parts, attribute, state, known),
        ObjectTarget::Sequence { options, .. } => lower_sequence(object, options),
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
    let types = Mentions::of(&object.sql[object.name_at.end..signature.types_end]);
    let mut needs = types.tables(state, false);
    needs.extend(types.enums(state));
    // A default of an argument may call a function.
    needs.extend(types.objects(known, &key));
    let mut shape = signature.shape.clone();
    // PostgreSQL reads a body without quotes when it creates the function.
    if let Some(body) = signature.body_at {
        let body = Mentions::of(&object.sql[body..]);
        let tables = body.tables(state, body.reads_all());
        if body.reads_all() {
            // PostgreSQL writes the columns down, as for a view.
            shape = format!("{}\n{shape}", views::all_columns(&tables));
        }
        needs.extend(tables);
        needs.extend(body.enums(state));
        needs.extend(body.objects(known, &key));
    }
    needs.sort();
    needs.dedup();
    CatalogObject {
        described: key.to_string(),
        create: Some(object.sql.clone()),
        drop: format!("DROP {} {signature_sql}", key.kind.to_uppercase()),
        shape,
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

/// The statements that add, drop and change a part of a type.
type PartSql = (String, String, Option<String>);

/// A domain or a composite type. `part` returns the statements that add, drop and change a part, given its name and text.
fn lower_type(
    object: &SqlObject,
    word: &str,
    parts: &TypeParts,
    part: fn(&str, &str, &str) -> PartSql,
    state: &State,
    known: &[(String, ObjectKey)],
) -> CatalogObject {
    let key = key_of(object);
    let name = ObjectName { schema: object.namespace().map(str::to_owned), name: object.name.clone() };
    let identity = qualified(&name);
    let mentions = Mentions::of(&object.sql[object.name_at.end..]);
    let mut needs = mentions.enums(state);
    needs.extend(mentions.objects(known, &key));
    let lowered = parts.parts.iter().map(|(name, text)| {
        let (add, drop, change) = part(&identity, name, text);
        CatalogPart { name: name.clone(), text: text.clone(), add, drop, change }
    });
    CatalogObject {
        described: key.to_string(),
        create: Some(object.sql.clone()),
        drop: format!("DROP {word} {identity}"),
        shape: parts.shape.clone(),
        replace: None,
        parts: lowered.collect(),
        managed: Some(Managed::Object(managed(object, name, identity))),
        restore: None,
        needs,
        owner: None,
        nature: Nature::Base,
        key,
    }
}

fn domain_part(domain: &str, name: &str, text: &str) -> PartSql {
    let alter = format!("ALTER DOMAIN {domain}");
    match name.strip_prefix("check ") {
        Some(check) => {
            (format!("{alter} ADD CONSTRAINT {check} {text}"), format!("{alter} DROP CONSTRAINT {check}"), None)
        }
        None if name == "default" => {
            let set = format!("{alter} SET DEFAULT {text}");
            (set.clone(), format!("{alter} DROP DEFAULT"), Some(set))
        }
        None => (format!("{alter} SET NOT NULL"), format!("{alter} DROP NOT NULL"), None),
    }
}

fn attribute(ty: &str, name: &str, text: &str) -> PartSql {
    let alter = format!("ALTER TYPE {ty}");
    (
        format!("{alter} ADD ATTRIBUTE {name} {text} CASCADE"),
        format!("{alter} DROP ATTRIBUTE {name} CASCADE"),
        Some(format!("{alter} ALTER ATTRIBUTE {name} TYPE {text} CASCADE")),
    )
}

fn lower_sequence(object: &SqlObject, options: &str) -> CatalogObject {
    let key = key_of(object);
    let name = ObjectName { schema: object.namespace().map(str::to_owned), name: object.name.clone() };
    let identity = qualified(&name);
    CatalogObject {
        described: key.to_string(),
        create: Some(object.sql.clone()),
        drop: format!("DROP SEQUENCE {identity}"),
        shape: String::new(),
        replace: Some(format!("ALTER SEQUENCE {identity} {options}")),
        parts: Vec::new(),
        managed: Some(Managed::Object(managed(object, name, identity))),
        restore: None,
        needs: Vec::new(),
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
    let is_execute = |token: &Token| token.is_word(&object.sql, "execute");
    let executed = tokens(&object.sql).filter(is_execute).last().filter(|_| key.kind == "trigger");
    let executed = executed.map(|token| token.start);
    let (condition, execution) = object.sql.split_at(executed.unwrap_or(object.sql.len()));
    let (mentions, execution) = (Mentions::of(condition), Mentions::of(execution));
    let view = known.iter().find(|(_, key)| is_view(key) && key.name == table.printed());
    let owner = view.map_or_else(|| Need::Table(table.clone()), |(_, key)| Need::Object(key.clone()));
    let mut needs = mentions.tables(state, mentions.reads_all());
    needs.extend(mentions.enums(state));
    needs.extend(mentions.objects(known, &key));
    let executed = execution.objects(known, &key);
    needs.extend(executed.into_iter().filter(|need| matches!(need, Need::Object(key) if key.name.ends_with("()"))));
    needs.sort();
    needs.dedup();
    needs.retain(|need| *need != owner);
    // A trigger that says so is replaced as it is; a policy and other triggers are dropped and created in one step.
    let is_constraint = tokens(&object.sql).take(4).any(|token| token.is_word(&object.sql, "constraint"));
    let replace = if object.replaces { object.sql.clone() } else { format!("{drop};\n{}", object.sql) };
    CatalogObject {
        described: format!("{} {} on table {}", key.kind, relata_pgsql::ident_if_needed(&object.name), table.printed()),
        create: Some(object.sql.clone()),
        drop,
        // Neither becomes the other one.
        shape: if is_constraint { "constraint" } else { "" }.to_owned(),
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

/// Returns the parts of tables that use objects.
fn usages(state: &State, known: &[(String, ObjectKey)]) -> Vec<Usage> {
    let mut found = Vec::new();
    for table in &state.tables {
        for (user, sql, release) in expressions(table) {
            let mentions = Mentions::of(&sql);
            let used = known.iter().filter(|(name, key)| mentions.uses(&key.kind, name));
            found.extend(used.map(|(_, key)| Usage {
                user: user.clone(),
                object: key.clone(),
                release: release.clone(),
            }));
        }
    }
    found
}

/// Returns the parts of a table that have an expression or the name of a type: the part, the expression, and the statement that drops it.
fn expressions(table: &Table) -> Vec<(User, String, Option<String>)> {
    let name = || table.name.clone();
    let alter = format!("ALTER TABLE {}", qualified(&table.name));
    let mut found = Vec::new();
    for column in &table.columns {
        let ty = match (&column.options.domain, &column.ty) {
            (Some(domain), _) => Some(qualified(domain)),
            (None, DataType::Other(sql)) => Some(sql.clone()),
            _ => None,
        };
        found.extend(ty.map(|ty| (User::Column(name(), column.name.clone()), ty, None)));
        if let Some(ColumnDefault::Sequence(sequence)) = &column.default {
            let release = format!("{alter} ALTER COLUMN {} DROP DEFAULT", ident(&column.name));
            found.push((User::Default(name(), column.name.clone()), qualified(sequence), Some(release)));
        }
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
