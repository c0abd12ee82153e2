//! Names of constraints and indexes: Prisma's defaults, and the rule that they are unique.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::Cx;
use super::draft::{KeyDraft, KeyKind, KeyTarget};
use crate::diagnostics::{self as codes, Diagnostic, Span};
use crate::ir::ModelId;
use crate::syntax::ModelKind;

/// PostgreSQL truncates names to this many bytes.
pub(super) const MAX_NAME_BYTES: usize = 63;

/// Gives every key, check and foreign key its name in the database.
pub(super) fn name_constraints(cx: &mut Cx<'_, '_>) {
    for id in cx.model_ids() {
        name_keys(cx, id);
        name_checks(cx, id);
    }
    name_foreign_keys(cx);
    names_are_unique(cx);
}

/// Returns `{table}_{columns}_{suffix}`, truncated so that the suffix stays.
fn default_name(table: &str, columns: &[&str], suffix: &str) -> String {
    let mut name = table.to_owned();
    for column in columns {
        name.push('_');
        name.push_str(column);
    }
    let mut length = name.len().min(MAX_NAME_BYTES - suffix.len() - 1);
    while !name.is_char_boundary(length) {
        length -= 1;
    }
    name.truncate(length);
    format!("{name}_{suffix}")
}

fn name_keys(cx: &mut Cx<'_, '_>, id: ModelId) {
    let model = cx.model(id);
    let names: Vec<_> = model.keys.iter().map(|key| key_name(cx, model.db_name(), key)).collect();
    for (key, name) in cx.model_mut(id).keys.iter_mut().zip(names) {
        key.constraint_name = name;
    }
}

fn key_name(cx: &Cx<'_, '_>, table: &str, key: &KeyDraft<'_>) -> String {
    if let Some(map) = key.map {
        return map.text.to_owned();
    }
    let columns: Vec<_> = key
        .fields
        .iter()
        .map(|field| match field.target {
            KeyTarget::Field(id) => Cow::Borrowed(cx.field(id).db_name()),
            KeyTarget::Expression(sql) => Cow::Owned(words(sql.text)),
        })
        .collect();
    let columns: Vec<&str> = columns.iter().map(AsRef::as_ref).collect();
    match key.kind {
        KeyKind::Primary => default_name(table, &[], "pkey"),
        KeyKind::Unique => default_name(table, &columns, "key"),
        KeyKind::Index => default_name(table, &columns, "idx"),
        KeyKind::Exclusion => default_name(table, &columns, "excl"),
    }
}

/// Returns the words of an expression: `lower_email` for `lower(email)`, and `expr` if there are none.
fn words(sql: &str) -> String {
    let words = sql.split(|character: char| !character.is_alphanumeric() && character != '_');
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    if words.is_empty() { "expr".to_owned() } else { words.join("_") }
}

fn name_checks(cx: &mut Cx<'_, '_>, id: ModelId) {
    let table = cx.model(id).db_name();
    for (index, check) in cx.model_mut(id).checks.iter_mut().enumerate() {
        let suffix = if index == 0 { "check".to_owned() } else { format!("check{index}") };
        check.constraint_name = check.map.map_or_else(|| default_name(table, &[], &suffix), |map| map.text.to_owned());
    }
}

fn name_foreign_keys(cx: &mut Cx<'_, '_>) {
    let names: Vec<_> = cx
        .relations
        .iter()
        .map(|relation| {
            let key = relation.foreign_key.as_ref()?;
            let table = cx.model(cx.field(relation.referencing).model).db_name();
            let columns: Vec<_> = key.fields.iter().map(|id| cx.field(*id).db_name()).collect();
            Some(key.map.map_or_else(|| default_name(table, &columns, "fkey"), |map| map.text.to_owned()))
        })
        .collect();
    for (relation, name) in cx.relations.iter_mut().zip(names) {
        if let (Some(key), Some(name)) = (&mut relation.foreign_key, name) {
            key.constraint_name = name;
        }
    }
}

/// Names of indexes are unique in their PostgreSQL schema, names of constraints in their table. A primary key, a
/// deferrable key and an exclusion constraint are both. Prisma also refuses a foreign key with the name of an index, which PostgreSQL allows.
fn names_are_unique(cx: &mut Cx<'_, '_>) {
    let mut found = Vec::new();
    let mut indexes: BTreeMap<(Option<&str>, &str), Span> = BTreeMap::new();
    let mut constraints: BTreeMap<(ModelId, &str), Span> = BTreeMap::new();
    for id in models_with_tables(cx) {
        let model = cx.model(id);
        let namespace = model.namespace.map(|namespace| namespace.text);
        for key in keys_but_second_ids(&model.keys) {
            let span = key.map.map_or(key.span, |map| map.span);
            let name = key.constraint_name.as_str();
            let is_constraint = matches!(key.kind, KeyKind::Primary | KeyKind::Exclusion);
            if is_constraint || key.options.deferrable.is_some() {
                constraints.entry((id, name)).or_insert(span);
            }
            found.extend(indexes.insert((namespace, name), span).map(|first| duplicate(span, first, name)));
        }
        for check in &model.checks {
            let span = check.map.map_or(check.span, |map| map.span);
            let name = check.constraint_name.as_str();
            found.extend(constraints.insert((id, name), span).map(|first| duplicate(span, first, name)));
        }
    }
    for relation in cx.relations.iter().filter(|_| cx.config.foreign_keys) {
        let Some(key) = &relation.foreign_key else { continue };
        let model = cx.field(relation.referencing).model;
        let span = key.map.map_or(key.span, |map| map.span);
        let name = key.constraint_name.as_str();
        found.extend(constraints.insert((model, name), span).map(|first| duplicate(span, first, name)));
    }
    cx.diagnostics.extend(found);
}

/// Returns all models except views without indexes, and except those whose table another model already has, which is reported.
fn models_with_tables(cx: &Cx<'_, '_>) -> Vec<ModelId> {
    let mut tables = BTreeSet::new();
    let own_table = |id: &ModelId| {
        let model = cx.model(*id);
        tables.insert((model.namespace.map(|namespace| namespace.text), model.db_name()))
            && (model.ast.kind != ModelKind::View || model.has_indexes())
    };
    cx.model_ids().filter(own_table).collect()
}

/// Leaves out a second primary key, which is reported elsewhere.
fn keys_but_second_ids<'k, 'a>(keys: &'k [KeyDraft<'a>]) -> impl Iterator<Item = &'k KeyDraft<'a>> {
    let first = keys.iter().position(|key| key.kind == KeyKind::Primary);
    let kept = move |(index, key): &(usize, &KeyDraft<'_>)| key.kind != KeyKind::Primary || Some(*index) == first;
    keys.iter().enumerate().filter(kept).map(|(_, key)| key)
}

fn duplicate(span: Span, first: Span, name: &str) -> Diagnostic {
    Diagnostic::new(codes::DUPLICATE_CONSTRAINT, span, format!("two constraints or indexes are named `{name}`"))
        .label("this is the second")
        .second(first, "this is the first")
        .help("remove one of them, or give it another name with `map: \"..\"`")
}

#[cfg(test)]
mod tests {
    use super::{default_name, words};

    #[test]
    fn expressions_are_called_by_their_words() {
        assert_eq!(words("lower(email)"), "lower_email");
        assert_eq!(words("(data ->> 'city')::text"), "data_city_text");
        assert_eq!(words("'' || '-'"), "expr");
    }

    #[test]
    fn names_are_cut_before_their_suffix() {
        assert_eq!(default_name("User", &["email", "name"], "key"), "User_email_name_key");
        let long = "TableWithAnExtremelyLongNameThatIsLongerThanSixtyThreeBytesInTotalForSure";
        assert_eq!(default_name(long, &[], "pkey"), "TableWithAnExtremelyLongNameThatIsLongerThanSixtyThreeByte_pkey");
        assert_eq!(
            default_name(long, &["a"], "idx"),
            "TableWithAnExtremelyLongNameThatIsLongerThanSixtyThreeBytes_idx"
        );
        assert_eq!(default_name(&"ä".repeat(40), &["x"], "idx"), format!("{}_idx", "ä".repeat(29)));
    }
}
