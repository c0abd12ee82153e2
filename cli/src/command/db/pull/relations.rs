//! Foreign keys and join tables as relation fields, under the names that the existing schema gives them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use relata_codegen::ir::{ReferentialAction, RelationStorage, Schema};
use relata_codegen::sql::{ForeignKey, ObjectName, State, Table};

use super::blocks::Line;
use super::render::{Names, quoted};

/// A relation field of a model.
pub(super) struct RelationField {
    table: ObjectName,
    pub(super) line: Line,
}

/// The names that an existing schema gives to a relation.
struct Known {
    referencing: String,
    referenced: String,
    name: Option<String>,
}

/// All relation fields, in the order of the tables.
pub(super) fn relation_fields(state: &State, names: &Names<'_>, old: Option<&Schema>) -> Vec<RelationField> {
    let mut fields = Vec::new();
    let mut taken: BTreeSet<(ObjectName, String)> = BTreeSet::new();
    for table in &state.tables {
        taken.extend(
            table.columns.iter().map(|column| (table.name.clone(), names.field_name(&table.name, &column.name))),
        );
    }
    // Names that are known come first, so that a new one never takes them.
    let mut keys: Vec<(&Table, &ForeignKey, Option<Known>)> = Vec::new();
    for table in state.tables.iter().filter(|table| !is_join_table(table)) {
        keys.extend(
            table
                .foreign_keys
                .iter()
                .filter(|key| is_possible(state, key))
                .map(|key| (table, key, known(names, old, table, key))),
        );
    }
    keys.sort_by_key(|(.., known)| known.is_none());
    for (table, key, known) in &keys {
        fields.extend(of_key(state, names, &keys, (table, key, known.as_ref()), &mut taken).into_iter().flatten());
    }
    for table in state.tables.iter().filter(|table| is_join_table(table)) {
        fields.extend(of_join_table(names, old, table, &mut taken));
    }
    fields
}

pub(super) fn of_table<'f>(fields: &'f [RelationField], table: &ObjectName) -> impl Iterator<Item = &'f Line> {
    fields.iter().filter(move |field| field.table == *table).map(|field| &field.line)
}

/// Prisma's implicit many-to-many.
pub(super) fn is_join_table(table: &Table) -> bool {
    let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    table.name.name.starts_with('_') && columns == ["A", "B"] && table.foreign_keys.len() == 2
}

/// The language knows foreign keys to a key or a unique index.
fn is_possible(state: &State, key: &ForeignKey) -> bool {
    let Some(table) = state.tables.iter().find(|table| table.name == key.referenced_table) else { return false };
    let columns: BTreeSet<&str> = key.referenced_columns.iter().map(String::as_str).collect();
    unique_sets(table).contains(&columns)
}

/// The sets of columns that no two rows share.
pub(super) fn unique_sets(table: &Table) -> Vec<BTreeSet<&str>> {
    let key = table.primary_key.iter().map(|key| key.columns.iter().map(String::as_str).collect());
    let uniques = table.uniques.iter().map(|unique| unique.columns.iter().map(String::as_str).collect());
    let indexes = table.indexes.iter().filter(|index| index.unique && index.is_plain());
    key.chain(uniques).chain(indexes.map(|index| index.columns().collect())).collect()
}

fn known(names: &Names<'_>, old: Option<&Schema>, table: &Table, key: &ForeignKey) -> Option<Known> {
    let relation = old?.walk_relations().find(|relation| {
        let model = relation.referencing_field().model();
        let is_table = names.is_table(model, &table.name);
        let columns = || relation.referencing_columns().map(|column| column.db_name().to_owned()).collect::<Vec<_>>();
        is_table
            && relation.foreign_key().is_some_and(|it| it.constraint_name == key.name)
            && columns() == key.columns
            && names.is_table(relation.referenced_field().model(), &key.referenced_table)
    })?;
    Some(Known {
        referencing: relation.referencing_field().name().to_owned(),
        referenced: relation.referenced_field().name().to_owned(),
        name: relation.relation().name.clone(),
    })
}

type Key<'k> = (&'k Table, &'k ForeignKey, Option<Known>);

fn of_key(
    state: &State,
    names: &Names<'_>,
    all: &[Key<'_>],
    (table, key, known): (&Table, &ForeignKey, Option<&Known>),
    taken: &mut BTreeSet<(ObjectName, String)>,
) -> Option<[RelationField; 2]> {
    let referenced = state.tables.iter().find(|it| it.name == key.referenced_table)?;
    let same_pair = |other: &&Key<'_>| {
        let pair = [&other.0.name, &other.1.referenced_table];
        pair == [&table.name, &referenced.name] || pair == [&referenced.name, &table.name]
    };
    let is_one_of_several = table.name == referenced.name || all.iter().filter(same_pair).count() > 1;
    let (model, target) = (names.model_name(&table.name), names.model_name(&referenced.name));
    let columns: Vec<String> = key.columns.iter().map(|column| names.field_name(&table.name, column)).collect();
    let name = known
        .and_then(|known| known.name.clone())
        .or_else(|| is_one_of_several.then(|| format!("{model}_{}To{target}", columns.join("_"))));
    let is_optional = key.columns.iter().any(|column| table.column(column).is_some_and(|column| column.nullable));
    let set: BTreeSet<&str> = key.columns.iter().map(String::as_str).collect();
    let is_one = unique_sets(table).contains(&set);

    let proposed = match columns.as_slice() {
        [column] => column.strip_suffix("Id").or(column.strip_suffix("_id")).filter(|it| !it.is_empty()),
        _ => None,
    };
    let proposed = proposed.map_or_else(|| lower_first(&target), str::to_owned);
    let referencing = known.map(|it| it.referencing.clone()).unwrap_or_else(|| free(taken, &table.name, &proposed));
    taken.insert((table.name.clone(), referencing.clone()));
    let plural = if is_one { lower_first(&model) } else { plural(&model) };
    let back = if is_one_of_several { format!("{plural}_{}", columns.join("_")) } else { plural };
    let back = known.map(|it| it.referenced.clone()).unwrap_or_else(|| free(taken, &referenced.name, &back));
    taken.insert((referenced.name.clone(), back.clone()));

    let references: Vec<String> =
        key.referenced_columns.iter().map(|column| names.field_name(&referenced.name, column)).collect();
    let mut text = format!("{referencing} {target}{} @relation(", if is_optional { "?" } else { "" });
    if let Some(name) = &name {
        let _ = write!(text, "{}, ", quoted(name));
    }
    let _ = write!(text, "fields: [{}], references: [{}]", columns.join(", "), references.join(", "));
    let usual = if is_optional { ReferentialAction::SetNull } else { ReferentialAction::Restrict };
    if key.on_delete != usual {
        let _ = write!(text, ", onDelete: {}", action(key.on_delete));
    }
    if key.on_update != ReferentialAction::Cascade {
        let _ = write!(text, ", onUpdate: {}", action(key.on_update));
    }
    let usual = relata_codegen::sql::names::clipped(&format!("{}_{}", table.name.name, key.columns.join("_")), "_fkey");
    if key.name != usual {
        let _ = write!(text, ", map: {}", quoted(&key.name));
    }
    text.push(')');
    let mark = if is_one { "?" } else { "[]" };
    let other = name.map_or_else(String::new, |name| format!(" @relation({})", quoted(&name)));
    Some([
        RelationField { table: table.name.clone(), line: Line::new(&referencing, format!("  {text}")) },
        RelationField {
            table: referenced.name.clone(),
            line: Line::new(&back, format!("  {back} {model}{mark}{other}")),
        },
    ])
}

fn of_join_table(
    names: &Names<'_>,
    old: Option<&Schema>,
    table: &Table,
    taken: &mut BTreeSet<(ObjectName, String)>,
) -> Vec<RelationField> {
    let side =
        |column: &str| table.foreign_keys.iter().find(|key| key.columns == [column]).map(|key| &key.referenced_table);
    let (Some(a), Some(b)) = (side("A"), side("B")) else { return Vec::new() };
    let known = old.and_then(|old| {
        old.walk_relations().find(|relation| {
            matches!(&relation.relation().storage, RelationStorage::JoinTable { db_name, .. } if *db_name == table.name.name)
        })
    });
    let (first, second) = (names.model_name(a), names.model_name(b));
    let short = table.name.name.trim_start_matches('_');
    let name = match &known {
        Some(known) => known.relation().name.clone(),
        None => (short != format!("{first}To{second}")).then(|| short.to_owned()),
    };
    let attribute = name.map_or_else(String::new, |name| format!(" @relation({})", quoted(&name)));
    let mut fields = Vec::new();
    let known_names =
        known.map(|it| [it.referencing_field().name().to_owned(), it.referenced_field().name().to_owned()]);
    for (at, (table, target)) in [(a, &second), (b, &first)].into_iter().enumerate() {
        let field = match &known_names {
            Some(names) => names[at].clone(),
            None => free(taken, table, &plural(target)),
        };
        taken.insert((table.clone(), field.clone()));
        let line = Line::new(&field, format!("  {field} {target}[]{attribute}"));
        fields.push(RelationField { table: table.clone(), line });
    }
    fields
}

fn free(taken: &BTreeSet<(ObjectName, String)>, table: &ObjectName, proposed: &str) -> String {
    let mut name = proposed.to_owned();
    let mut number = 2;
    while taken.contains(&(table.clone(), name.clone())) {
        name = format!("{proposed}{number}");
        number += 1;
    }
    name
}

/// Tables are often called by a plural already.
fn plural(model: &str) -> String {
    let name = lower_first(model);
    if name.ends_with('s') { name } else { format!("{name}s") }
}

fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn action(action: ReferentialAction) -> &'static str {
    match action {
        ReferentialAction::Cascade => "Cascade",
        ReferentialAction::Restrict => "Restrict",
        ReferentialAction::NoAction => "NoAction",
        ReferentialAction::SetNull => "SetNull",
        ReferentialAction::SetDefault => "SetDefault",
    }
}
