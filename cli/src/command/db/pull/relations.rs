//! Relation fields for foreign keys and join tables, with the names that the existing schema gives them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use relata_codegen::ir::names::snake_ident;
use relata_codegen::ir::{ReferentialAction, RelationStorage};
use relata_codegen::sql::{ForeignKey, ObjectName, State, Table, names::clipped, unique_sets};

use super::blocks::Line;
use super::names::{Names, Taken};
use super::render::quoted;
use super::words::{english_plural, plural, singular, snake};
use crate::args::Naming;

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

/// The context of all relations.
struct Relations<'a> {
    state: &'a State,
    names: &'a Names<'a>,
    ignored: &'a BTreeSet<ObjectName>,
    taken: BTreeMap<ObjectName, Taken>,
    /// Names of fields, by table and foreign key.
    chosen: BTreeMap<(ObjectName, String), String>,
    /// The names of relations between two tables; the empty name for relations without a name.
    relation_names: BTreeSet<(ObjectName, ObjectName, String)>,
}

type Key<'k> = (&'k Table, &'k ForeignKey, Option<Known>);

/// Returns all relation fields, in the order of the tables. `ignored` are the tables whose models are not in the
/// client.
pub(super) fn relation_fields(state: &State, names: &Names<'_>, ignored: &BTreeSet<ObjectName>) -> Vec<RelationField> {
    let mut cx = Relations {
        state,
        names,
        ignored,
        taken: BTreeMap::new(),
        chosen: BTreeMap::new(),
        relation_names: BTreeSet::new(),
    };
    for table in &state.tables {
        let mut taken = Taken::new(snake_ident);
        table.columns.iter().for_each(|column| taken.insert(&names.field_name(&table.name, &column.name)));
        cx.taken.insert(table.name.clone(), taken);
    }
    let mut keys: Vec<Key<'_>> = Vec::new();
    for table in state.tables.iter().filter(|table| !is_join_table(state, names, table)) {
        keys.extend(table.foreign_keys.iter().map(|key| (table, key, known(names, table, key))));
    }
    // Known names come first, so that no new name takes one of them.
    keys.sort_by_key(|(.., known)| known.is_none());
    for (table, key, known) in &keys {
        if let Some(known) = known {
            cx.take_known(&table.name, &key.referenced_table, known);
        }
    }
    // A field that is named after its column takes precedence over one that is named after its model.
    for (table, key, _) in keys.iter().filter(|(.., known)| known.is_none()) {
        let columns: Vec<String> = key.columns.iter().map(|it| names.field_name(&table.name, it)).collect();
        if let Some(plain) = of_column(&columns) {
            let chosen = cx.take(&table.name, &names.naming.field(plain));
            cx.chosen.insert((table.name.clone(), key.name.clone()), chosen);
        }
    }
    let joins: Vec<&Table> = state.tables.iter().filter(|table| is_join_table(state, names, table)).collect();
    let mut joined = Vec::new();
    for table in joins {
        joined.extend(cx.of_join_table(table));
    }
    let mut fields = Vec::new();
    for (table, key, known) in &keys {
        fields.extend(cx.of_key(&keys, (table, key, known.as_ref())).into_iter().flatten());
    }
    fields.extend(joined);
    fields
}

pub(super) fn of_table<'f>(fields: &'f [RelationField], table: &ObjectName) -> impl Iterator<Item = &'f Line> {
    fields.iter().filter(move |field| field.table == *table).map(|field| &field.line)
}

/// Returns whether Prisma's implicit many-to-many can describe the table: the two models allow it, and a field on each
/// side expresses the whole table.
pub(super) fn is_join_table(state: &State, names: &Names<'_>, table: &Table) -> bool {
    let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let Some(short) = table.name.name.strip_prefix('_') else { return false };
    let Some((a, b)) = sides(table) else { return false };
    let has_single_id = |name: &ObjectName| {
        let key = state.table(name).and_then(|table| table.primary_key.as_ref());
        key.is_some_and(|key| key.columns.len() == 1)
    };
    // Column `A` belongs to the model whose name comes first.
    let in_order = a == b || names.model_name(a) < names.model_name(b);
    let has_unique_index = || {
        table.primary_key.is_none()
            && table.indexes.iter().any(|index| index.unique && index.is_plain() && index.columns().eq(["A", "B"]))
    };
    columns == ["A", "B"]
        && !short.is_empty()
        && (table.primary_key.as_ref().is_some_and(|key| key.columns == ["A", "B"]) || has_unique_index())
        && table.indexes.iter().any(|index| index.is_plain() && index.columns().eq(["B"]))
        && table.foreign_keys.len() == 2
        && table.checks.is_empty()
        && table.columns.iter().all(|column| !column.nullable && column.default.is_none() && column.identity.is_none())
        && in_order
        && table.name.schema == a.schema
        && has_single_id(a)
        && has_single_id(b)
}

fn sides(table: &Table) -> Option<(&ObjectName, &ObjectName)> {
    let side =
        |column: &str| table.foreign_keys.iter().find(|key| key.columns == [column]).map(|key| &key.referenced_table);
    Some((side("A")?, side("B")?))
}

fn known(names: &Names<'_>, table: &Table, key: &ForeignKey) -> Option<Known> {
    let relation = names.old?.walk_relations().find(|relation| {
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

impl Relations<'_> {
    fn take_known(&mut self, from: &ObjectName, to: &ObjectName, known: &Known) {
        if let Some(taken) = self.taken.get_mut(from) {
            taken.insert(&known.referencing);
        }
        if let Some(taken) = self.taken.get_mut(to) {
            taken.insert(&known.referenced);
        }
        self.name_is_free(from, to, known.name.as_deref().unwrap_or_default());
    }

    /// Returns whether no other relation of the two tables has that name, and takes it.
    fn name_is_free(&mut self, a: &ObjectName, b: &ObjectName, name: &str) -> bool {
        self.relation_names.insert((a.min(b).clone(), a.max(b).clone(), name.to_owned()))
    }

    fn free_name(&mut self, a: &ObjectName, b: &ObjectName, plain: &str) -> String {
        let mut name = plain.to_owned();
        for number in 2_u32.. {
            if self.name_is_free(a, b, &name) {
                break;
            }
            name = format!("{plain}_{number}");
        }
        name
    }

    fn take(&mut self, table: &ObjectName, plain: &str) -> String {
        self.taken.get_mut(table).map_or_else(|| plain.to_owned(), |taken| taken.take(plain))
    }

    /// Returns ` @ignore` if a field would lead from a model of the client to a model that is not in the client.
    fn ignore(&self, table: &ObjectName, target: &ObjectName) -> &'static str {
        if self.ignored.contains(target) && !self.ignored.contains(table) { " @ignore" } else { "" }
    }

    fn of_key(
        &mut self,
        all: &[Key<'_>],
        (table, key, known): (&Table, &ForeignKey, Option<&Known>),
    ) -> Option<[RelationField; 2]> {
        let names = self.names;
        let referenced = self.state.tables.iter().find(|it| it.name == key.referenced_table)?;
        let (model, target) = (names.model_name(&table.name), names.model_name(&referenced.name));
        let columns: Vec<String> = key.columns.iter().map(|column| names.field_name(&table.name, column)).collect();
        let name = self.relation_name(all, (table, key, known), &format!("{model}_{}To{target}", columns.join("_")));
        let is_optional = key.columns.iter().any(|column| table.column(column).is_some_and(|column| column.nullable));
        let set: BTreeSet<&str> = key.columns.iter().map(String::as_str).collect();
        let is_one = unique_sets(table).contains(&set);

        let (referencing, back) = match known {
            Some(known) => (known.referencing.clone(), known.referenced.clone()),
            None => {
                let chosen = self.chosen.get(&(table.name.clone(), key.name.clone())).cloned();
                let own = own_names(&columns, &target, is_one).filter(|_| table.name == referenced.name);
                let plain = own.as_ref().map_or_else(|| lower_first(&target), |(referencing, _)| referencing.clone());
                let plain = names.naming.field(&plain);
                let referencing = chosen.unwrap_or_else(|| self.take(&table.name, &plain));
                let plain = if is_one { lower_first(&model) } else { many(names.naming, &model) };
                let proposed = match own {
                    Some((_, back)) => back,
                    None if name.is_some() => format!("{plain}_{}", columns.join("_")),
                    None => plain,
                };
                let proposed = if names.naming == Naming::Keep { proposed } else { names.naming.field(&proposed) };
                (referencing, self.take(&referenced.name, &proposed))
            }
        };
        let attribute = attribute(names, (table, key), referenced, &columns, name.as_deref());
        let ignore = self.ignore(&table.name, &referenced.name);
        let text = format!("  {referencing} {target}{} {attribute}{ignore}", if is_optional { "?" } else { "" });
        let mark = if is_one { "?" } else { "[]" };
        let other = name.map_or_else(String::new, |name| format!(" @relation({})", quoted(&name)));
        let ignore = self.ignore(&referenced.name, &table.name);
        Some([
            RelationField { table: table.name.clone(), line: Line::new(&referencing, text) },
            RelationField {
                table: referenced.name.clone(),
                line: Line::new(&back, format!("  {back} {model}{mark}{other}{ignore}")),
            },
        ])
    }

    /// Returns the name of the relation, if the two models have several relations or the name is known.
    fn relation_name(
        &mut self,
        all: &[Key<'_>],
        (table, key, known): (&Table, &ForeignKey, Option<&Known>),
        plain: &str,
    ) -> Option<String> {
        if let Some(known) = known {
            return known.name.clone();
        }
        let same_pair = |other: &&Key<'_>| {
            let pair = [&other.0.name, &other.1.referenced_table];
            pair == [&table.name, &key.referenced_table] || pair == [&key.referenced_table, &table.name]
        };
        let is_one_of_several = table.name == key.referenced_table || all.iter().filter(same_pair).count() > 1;
        if !is_one_of_several && self.name_is_free(&table.name, &key.referenced_table, "") {
            return None;
        }
        Some(self.free_name(&table.name, &key.referenced_table, plain))
    }

    fn of_join_table(&mut self, table: &Table) -> Vec<RelationField> {
        let names = self.names;
        let Some((a, b)) = sides(table) else { return Vec::new() };
        let is_it = |storage: &RelationStorage| {
            matches!(storage, RelationStorage::JoinTable { db_name, namespace }
                if *db_name == table.name.name && (table.name.schema.is_none() || *namespace == table.name.schema))
        };
        let known = names.old.and_then(|old| old.walk_relations().find(|relation| is_it(&relation.relation().storage)));
        let (first, second) = (names.model_name(a), names.model_name(b));
        let short = table.name.name.strip_prefix('_').unwrap_or_default();
        let name = match &known {
            Some(known) => known.relation().name.clone(),
            // A relation of a model with itself has a name.
            None => (a == b || short != format!("{first}To{second}")).then(|| short.to_owned()),
        };
        self.name_is_free(a, b, name.as_deref().unwrap_or_default());
        let attribute = name.map_or_else(String::new, |name| format!(" @relation({})", quoted(&name)));
        let known_names =
            known.map(|it| [it.referencing_field().name().to_owned(), it.referenced_field().name().to_owned()]);
        let mut fields = Vec::new();
        for (at, (table, target, model)) in [(a, b, &second), (b, a, &first)].into_iter().enumerate() {
            let field = match &known_names {
                Some(names) => names[at].clone(),
                None => self.take(table, &many(names.naming, model)),
            };
            if let Some(taken) = self.taken.get_mut(table) {
                taken.insert(&field);
            }
            let ignore = self.ignore(table, target);
            let line = Line::new(&field, format!("  {field} {model}[]{attribute}{ignore}"));
            fields.push(RelationField { table: table.clone(), line });
        }
        fields
    }
}

/// Returns `@relation(..)` for the side that has the columns.
fn attribute(
    names: &Names<'_>,
    (table, key): (&Table, &ForeignKey),
    referenced: &Table,
    columns: &[String],
    name: Option<&str>,
) -> String {
    let references: Vec<String> =
        key.referenced_columns.iter().map(|column| names.field_name(&referenced.name, column)).collect();
    let mut text = "@relation(".to_owned();
    if let Some(name) = name {
        let _ = write!(text, "{}, ", quoted(name));
    }
    let _ = write!(text, "fields: [{}], references: [{}]", columns.join(", "), references.join(", "));
    // Required: the columns are never null, and a delete cannot set the key to null. Lists do not count.
    let is_required = |column: &String| table.column(column).is_some_and(|it| !it.nullable && !it.array);
    let is_required = key.columns.iter().any(is_required);
    let usual = if is_required { ReferentialAction::Restrict } else { ReferentialAction::SetNull };
    if key.on_delete != usual {
        let _ = write!(text, ", onDelete: {}", action(key.on_delete));
    }
    if key.on_update != ReferentialAction::Cascade {
        let _ = write!(text, ", onUpdate: {}", action(key.on_update));
    }
    if !key.options.delete_columns.is_empty() && key.on_delete == ReferentialAction::SetNull {
        let fields = key.options.delete_columns.iter().map(|column| names.field_name(&table.name, column));
        let _ = write!(text, ", setNull: [{}]", fields.collect::<Vec<_>>().join(", "));
    }
    if key.options.match_full {
        text += ", match: Full";
    }
    if let Some(deferrable) = key.options.deferrable {
        let _ = write!(text, ", deferrable: {deferrable:?}");
    }
    let usual = clipped(&format!("{}_{}", table.name.name, key.columns.join("_")), "_fkey");
    if key.name != usual {
        let _ = write!(text, ", map: {}", quoted(&key.name));
    }
    text + ")"
}

/// Returns the name of a field after its column: `author` for `author_id`.
fn of_column(columns: &[String]) -> Option<&str> {
    let [column] = columns else { return None };
    column.strip_suffix("Id").or(column.strip_suffix("_id")).filter(|it| !it.is_empty())
}

/// Returns the two fields of a relation of a model with itself, named after its only column: a row has a `parent` and
/// `children`, or a `manager`, and is `manager_of` others.
fn own_names(columns: &[String], model: &str, is_one: bool) -> Option<(String, String)> {
    let [column] = columns else { return None };
    let role = of_column(columns).unwrap_or(column);
    let back = match (role, is_one) {
        ("parent", true) => "child".to_owned(),
        ("parent", false) => "children".to_owned(),
        _ => format!("{role}_of"),
    };
    // The column itself already has the name of the role.
    Some((format!("{role}_{}", singular(&snake(model))), back))
}

/// Returns the name of a field with many rows of `model`.
fn many(naming: Naming, model: &str) -> String {
    match naming {
        Naming::Keep => plural(&lower_first(model)),
        _ => naming.field(&english_plural(&snake(model))),
    }
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
