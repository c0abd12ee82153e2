//! The actions of each change. Changes share a statement if they can: all new columns of a table, all changed ones, all
//! dropped ones.

mod dropped_tables;

use std::collections::{BTreeMap, BTreeSet};

use self::dropped_tables::drop_tables;
use super::action::{Action, Alteration, ColumnSpec};
use super::conversion::Conversions;
use crate::ir::NativeType;
use crate::sql::cast::cast;
use crate::sql::change::{Belongings, CatalogChange, Change, TableObject};
use crate::sql::data_type::DataType;
use crate::sql::names::sequence_name;
use crate::sql::quote::{ident, qualified};
use crate::sql::state::{
    Column, ColumnDefault, ColumnGrant, EnumType, Exclusion, Index, IndexPart, Need, ObjectName, Other, OtherKind,
    PrimaryKey, Sequence, SequenceOptions, Table, UniqueConstraint,
};

/// Returns the actions. Renames stay in their order, all others in the order of the changes.
pub(super) fn build(changes: Vec<Change>, conversions: &Conversions) -> Vec<Action> {
    let dropped_views = changes.iter().filter_map(dropped_view).collect();
    let placed = changes.iter().filter_map(Change::placed).flatten().cloned().collect();
    let serial = serial_columns(&changes);
    let created = changes.iter().filter_map(created_table).collect();
    let mut builder = Builder { serial, dropped_views, placed, created, ..Builder::default() };
    for change in changes {
        builder.add(change, conversions);
    }
    builder.finish()
}

#[derive(Default)]
struct Builder {
    actions: Vec<Action>,
    added: BTreeMap<ObjectName, Vec<ColumnSpec>>,
    altered: BTreeMap<ObjectName, Vec<Alteration>>,
    dropped: BTreeMap<ObjectName, Vec<Column>>,
    /// Columns that have a default only until the rows of their table are filled.
    filled: BTreeMap<ObjectName, Vec<String>>,
    dropped_tables: Vec<Table>,
    /// Columns that are created together with their sequence.
    serial: BTreeSet<(ObjectName, String)>,
    /// Views that are dropped, even if only to be created again.
    dropped_views: BTreeSet<String>,
    /// Tables whose rows Citus has.
    placed: BTreeSet<ObjectName>,
    /// New tables.
    created: BTreeSet<ObjectName>,
}

fn dropped_view(change: &Change) -> Option<String> {
    let dropped = match change {
        Change::DropOther(other) => other,
        Change::ReplaceOther(pair) if pair.1.change.is_none() => &pair.0,
        _ => return None,
    };
    matches!(dropped.kind, OtherKind::View | OtherKind::MaterializedView).then(|| dropped.name.clone())
}

fn created_table(change: &Change) -> Option<ObjectName> {
    match change {
        Change::CreateTable(table) => Some(table.name.clone()),
        _ => None,
    }
}

fn alter_sequence(actions: &mut Vec<Action>, old: &Sequence, next: Sequence) {
    let ty = (old.ty != next.ty).then_some(next.ty);
    if old.options != next.options {
        let (previous, sequence) = (old.options.clone(), next.name.clone());
        actions.push(Action::SetSequenceOptions { sequence, ty, previous, next: next.options });
    } else if let Some(ty) = ty {
        actions.push(Action::SetSequenceType { sequence: next.name.clone(), ty });
    }
    if old.owned_by != next.owned_by {
        actions.push(match next.owned_by {
            Some((table, column)) => Action::OwnSequence { sequence: next.name, table, column },
            None => Action::DisownSequence(next.name),
        });
    }
}

impl Builder {
    fn add(&mut self, change: Change, conversions: &Conversions) {
        let actions = &mut self.actions;
        match change {
            Change::CreateSchema(name) => actions.push(Action::CreateSchema(name)),
            Change::CreateExtension(extension) => actions.push(Action::CreateExtension(extension)),
            Change::AlterExtension(pair) => {
                let (previous, next) = *pair;
                if let (Some(schema), true) = (next.schema, previous.schema.is_some()) {
                    actions.extend(
                        (Some(&schema) != previous.schema.as_ref())
                            .then(|| Action::MoveExtension { name: next.name.clone(), schema }),
                    );
                }
                if let Some(version) = next.version.filter(|version| previous.version.as_ref() != Some(version)) {
                    actions.push(Action::UpdateExtension { name: next.name, version });
                }
            }
            Change::DropExtension(extension) => actions.push(Action::DropExtension(extension.name)),
            Change::RenameEnum { from, to } => rename_enum(actions, from, to),
            Change::RenameLabel { enum_name, from, to } => actions.push(Action::RenameLabel { enum_name, from, to }),
            Change::CreateEnum(ty) => actions.push(Action::CreateEnum(ty)),
            Change::AddLabel { enum_name, label, place } => {
                actions.push(Action::AddLabel { enum_name, label, place });
            }
            Change::ReplaceEnum { previous, next, temporary_name } => {
                replace_enum(actions, &previous, next, temporary_name)
            }
            Change::DropEnum(ty) => actions.push(Action::DropEnum { name: ty.name, replaced_by: None }),
            Change::RenameSequence { from, to } => actions.push(Action::RenameSequence { from, to: to.name }),
            Change::CreateSequence(sequence) => self.create_sequence(sequence),
            Change::AlterSequence(pair) => {
                let (old, next) = *pair;
                alter_sequence(actions, &old, next);
            }
            Change::AlterTable { table, previous, next, after } => {
                if !previous.is_partitioned_like(&next) {
                    let (table, previous, next) = (table.clone(), previous.clone(), next.clone());
                    actions.push(Action::Repartition { table, previous, next });
                }
                if !previous.is_stored_like(&next) {
                    actions.push(Action::AlterTable { table, previous, next, after });
                }
            }
            Change::DropSequence(sequence) => actions.push(Action::DropSequence(sequence.name)),
            Change::RenameTable { from, to } => rename_table(actions, from, to),
            Change::CreateTable(table) => self.create_table(table),
            Change::DropTable(table) => self.dropped_tables.push(table),
            Change::RenameColumn { table, from, to } => actions.push(Action::RenameColumn { table, from, to }),
            Change::AddColumn { table, column, fill } => self.add_column(table, column, fill),
            Change::AlterColumn { table, previous, next, using, enum_replaced, belongings } => {
                self.alter_column(table, (*previous, *next), using, enum_replaced, belongings);
            }
            Change::DropColumn { table, column } => self.dropped.entry(table).or_default().push(column),
            Change::RenameObject { table, object, to } if self.placed.contains(&table) => {
                rename_on_citus(actions, table, object, to);
            }
            Change::RenameObject { table, object, to } => actions.push(Action::RenameObject { table, object, to }),
            Change::AddObject { table, object } => actions.push(Action::AddObject { table, object, holds: false }),
            Change::ReplaceObject { table, previous, next } => {
                let holds = holds_still(&previous, &next) && conversions.keep(&table, &next);
                actions.push(Action::DropObject { table: table.clone(), object: previous });
                actions.push(Action::AddObject { table, object: next, holds });
            }
            Change::DropObject { table, object } => actions.push(Action::DropObject { table, object }),
            Change::CreateOther(other) => actions.push(Action::CreateOther(other)),
            Change::DropOther(other) => self.drop_other(other),
            Change::ReplaceOther(pair) => match *pair {
                (_, next) if next.change.is_some() => actions.push(Action::ChangeOther(next)),
                (previous, next) => {
                    self.drop_other(previous);
                    let restore = |sql: &String| Action::Restore { order: next.order, sql: sql.clone() };
                    let restored: Vec<_> = next.restore.iter().map(restore).collect();
                    self.actions.push(Action::CreateOther(next));
                    self.actions.extend(restored);
                }
            },
            Change::CreatePolicy { table, policy } => actions.push(Action::CreatePolicy { table, policy }),
            Change::ReplacePolicy { table, previous, next } => {
                actions.push(Action::DropPolicy { table: table.clone(), policy: *previous });
                actions.push(Action::CreatePolicy { table, policy: *next });
            }
            Change::DropPolicy { table, policy } => actions.push(Action::DropPolicy { table, policy }),
            Change::SetRowSecurity { table, previous, next } => {
                actions.push(Action::SetRowSecurity { table, previous, next });
            }
            Change::SetAuditLog { previous, next } => {
                let previous = previous.map(|log| log.name).filter(|name| *name != next.name);
                actions.push(Action::SetAuditLog { previous, log: next });
            }
            Change::SetAudit { table, log, is_early, previous, next } => {
                actions.push(Action::SetAudit { table, log, is_early, replaces: previous.is_some(), next });
            }
            Change::EditAudit { log, table, what } => actions.push(Action::EditAudit { log, table, what }),
            Change::ShowAllTenants => actions.push(Action::ShowAllTenants),
            Change::SetComment { on, next, .. } => actions.push(Action::SetComment { on, text: next }),
            Change::Distribute { table, previous, next, follows, has_rows } => {
                if previous.is_placed() {
                    actions.push(Action::Undistribute(table.clone()));
                }
                if next.is_placed() {
                    actions.push(Action::Distribute { table: table.clone(), next, follows, has_rows });
                    actions.extend(has_rows.then_some(Action::ClearLocalRows(table)));
                }
            }
            Change::Catalog(change) => actions.push(Action::Catalog(change)),
            Change::OnCitus(_) | Change::OnPartitions(_) | Change::OnDomains(_) | Change::OnAudited(_) => {}
            Change::Unmigrated(_) => {}
        }
    }

    /// Objects that belong to a view are dropped with it.
    fn drop_other(&mut self, other: Other) {
        let goes_along = other.part_of.as_ref().is_some_and(|view| self.dropped_views.contains(&view.to_string()));
        if !goes_along {
            self.actions.push(Action::DropOther(other));
        }
    }

    fn create_sequence(&mut self, sequence: Sequence) {
        let owner = sequence.owned_by.clone();
        if owner.as_ref().is_some_and(|owner| self.serial.contains(owner)) {
            return;
        }
        let name = sequence.name.clone();
        self.actions.push(Action::CreateSequence(sequence));
        if let Some((table, column)) = owner {
            self.actions.push(Action::AdvanceSequence {
                sequence: name.clone(),
                table: table.clone(),
                column: column.clone(),
            });
            self.actions.push(Action::OwnSequence { sequence: name, table, column });
        }
    }

    fn create_table(&mut self, mut table: Table) {
        // Of constraints in one CREATE TABLE that differ only in their names, PostgreSQL creates a single one.
        let repeated = take_repeated(&mut table);
        let is_serial = |column: &&Column| self.serial.contains(&(table.name.clone(), column.name.clone()));
        let serial = table.columns.iter().filter(is_serial).map(|column| column.name.clone()).collect();
        let name = table.name.clone();
        self.actions.push(Action::CreateTable { table, serial });
        let add = |object| Action::AddObject { table: name.clone(), object, holds: false };
        self.actions.extend(repeated.into_iter().map(add));
    }

    fn add_column(&mut self, table: ObjectName, column: Column, fill: Option<String>) {
        let serial = self.serial.contains(&(table.clone(), column.name.clone()));
        let needs_fill =
            !column.nullable && column.default.is_none() && column.identity.is_none() && column.generated.is_none();
        let fill = fill.filter(|_| needs_fill);
        if fill.is_some() {
            self.filled.entry(table.clone()).or_default().push(column.name.clone());
        }
        self.added.entry(table).or_default().push(ColumnSpec { column, serial, fill });
    }

    fn alter_column(
        &mut self,
        table: ObjectName,
        (mut previous, next): (Column, Column),
        using: Option<String>,
        enum_replaced: bool,
        belongings: Box<Belongings>,
    ) {
        let retyped = enum_replaced || previous.is_retyped(&next);
        let has_value = !matches!(next.default, None | Some(ColumnDefault::Unmanaged));
        // A new partition has no rows.
        let has_rows = !self.created.contains(&table);
        let not_null_later = previous.nullable && !next.nullable && has_value && has_rows;
        if not_null_later {
            self.actions.push(Action::Backfill { table: table.clone(), column: next.name.clone() });
            self.actions.push(Action::SetNotNull { table: table.clone(), column: next.name.clone(), proven: false });
        }
        if previous.identity.is_none() && next.identity.is_some() {
            let (column, options) = (next.name.clone(), next.options.counts.clone());
            if let Some(ColumnDefault::Sequence(sequence)) = previous.default.take_if(|it| is_sequence(it)) {
                self.actions.push(Action::DropDefault { table: table.clone(), column: column.clone(), sequence });
            }
            self.actions.push(Action::AdvanceIdentity { table: table.clone(), column, options });
        }
        if previous.identity.is_some() && next.identity.is_none() && !previous.is_recreated(&next) {
            let sequence = match &next.default {
                Some(ColumnDefault::Sequence(sequence)) => Some(sequence.clone()),
                _ => None,
            };
            // PostgreSQL gives an identity column no type that cannot count, not even in the statement that ends it.
            if sequence.is_some() || retyped {
                let column = next.name.clone();
                self.actions.push(Action::DropIdentity { table: table.clone(), column, next: sequence });
                previous.identity = None;
            }
        }
        if previous.is_recreated(&next) {
            let restore = |grant: &ColumnGrant| Action::Restore { order: 0, sql: grant_sql(grant, &table, &next.name) };
            self.actions.extend(previous.grants.iter().map(restore));
        }
        let using = using.or_else(|| if retyped { cast(&previous, &next).using } else { None });
        let redefaulted = previous.default != next.default
            || previous.options.defaults_otherwise(&next.options)
            || (retyped && next.default.is_some());
        let alteration = Alteration {
            previous,
            next,
            retyped,
            using,
            redefaulted,
            not_null_later,
            expression_dropped: false,
            belongings,
        };
        if !not_null_later || alteration.changes_more() {
            self.altered.entry(table).or_default().push(alteration);
        }
    }

    /// Tables are dropped late, but their foreign keys must be dropped before the keys and types that they depend on.
    fn detach_dropped_tables(&mut self) {
        let mut held: BTreeSet<&ObjectName> = self.actions.iter().filter_map(dropped_key).collect();
        let retypes = |alterations: &Vec<Alteration>| alterations.iter().any(|alteration| alteration.retyped);
        held.extend(self.actions.iter().filter_map(moved_table));
        held.extend(self.altered.iter().filter(|(_, alterations)| retypes(alterations)).map(|(table, _)| table));
        let partitions = self.dropped_tables.iter().filter(|table| table.options.partition_bound.is_some());
        held.extend(partitions.flat_map(|table| &table.options.inherits));
        let held: BTreeSet<ObjectName> = held.into_iter().cloned().collect();
        // A partition that stays would keep the foreign keys of its table.
        let left: BTreeSet<ObjectName> = self.actions.iter().flat_map(left_by_partition).cloned().collect();
        let mut detached = Vec::new();
        for table in &mut self.dropped_tables {
            let keys = std::mem::take(&mut table.foreign_keys).into_iter();
            let (into, rest): (Vec<_>, Vec<_>) =
                keys.partition(|key| held.contains(&key.referenced_table) || left.contains(&table.name));
            table.foreign_keys = rest;
            let detach = |key| Action::DropObject { table: table.name.clone(), object: TableObject::ForeignKey(key) };
            detached.extend(into.into_iter().map(detach));
        }
        self.actions.extend(detached);
    }

    /// Lets columns no longer be generated in a statement of their own, if the statement that changes the columns of their
    /// table converts their values, or drops a column of the expression.
    fn drop_expressions(&mut self) {
        for (table, alterations) in &mut self.altered {
            let dropped = self.dropped.get(table).into_iter().flatten().map(|column| &column.name);
            let recreated = alterations.iter().filter(|it| it.previous.is_recreated(&it.next)).map(|it| &it.next.name);
            let gone: Vec<String> = dropped.chain(recreated).cloned().collect();
            for it in alterations.iter_mut().filter(|it| !it.previous.is_recreated(&it.next)) {
                let (Some(sql), None) = (&it.previous.generated, &it.next.generated) else { continue };
                if it.retyped || gone.iter().any(|name| sql.contains(name.as_str())) {
                    it.expression_dropped = true;
                    let (previous, next) = (Box::new(it.previous.clone()), Box::new(it.next.clone()));
                    self.actions.push(Action::DropExpression { table: table.clone(), previous, next });
                }
            }
            let is_left = |it: &Alteration| it.changes_more() || it.previous.nullable != it.next.nullable;
            alterations.retain(|it| !it.expression_dropped || is_left(it));
        }
        self.altered.retain(|_, alterations| !alterations.is_empty());
    }

    /// Drops generated columns in a statement of their own if a column of their expression gets another type: PostgreSQL
    /// refuses that while they are there.
    fn drop_generated(&mut self) {
        for (table, columns) in &mut self.dropped {
            let retyped = self.altered.get(table).into_iter().flatten().filter(|it| it.retyped);
            let retyped: Vec<&str> = retyped.map(|it| it.next.name.as_str()).collect();
            let is_in_the_way = |column: &mut Column| {
                column.generated.as_ref().is_some_and(|sql| retyped.iter().any(|name| sql.contains(name)))
            };
            let first: Vec<_> = columns.extract_if(.., is_in_the_way).collect();
            if !first.is_empty() {
                self.actions.push(Action::DropColumns { table: table.clone(), columns: first });
            }
        }
        self.dropped.retain(|_, columns| !columns.is_empty());
    }

    fn finish(mut self) -> Vec<Action> {
        self.detach_dropped_tables();
        self.drop_expressions();
        // Objects that are created last depend on the others, so they are dropped first. The sort is stable and keeps
        // the rest in place.
        let mut others: Vec<_> = self.actions.extract_if(.., |action| place(action).is_some()).collect();
        others.sort_by_key(place);
        self.actions.extend(others);
        // PostgreSQL drops and adds the columns of a statement in order, and a generated column needs those of its
        // expression.
        self.dropped.values_mut().for_each(|columns| columns.sort_by_key(|column| column.generated.is_none()));
        self.added.values_mut().for_each(|specs| specs.sort_by_key(|spec| spec.column.generated.is_some()));
        self.drop_generated();
        let actions = &mut self.actions;
        actions
            .extend(self.altered.into_iter().map(|(table, alterations)| Action::AlterColumns { table, alterations }));
        actions.extend(self.added.into_iter().map(|(table, columns)| Action::AddColumns { table, columns }));
        actions.extend(self.dropped.into_iter().map(|(table, columns)| Action::DropColumns { table, columns }));
        actions.extend(self.filled.into_iter().map(|(table, columns)| Action::DropDefaults { table, columns }));
        drop_tables(actions, self.dropped_tables);
        self.actions
    }
}

fn grant_sql(grant: &ColumnGrant, table: &ObjectName, column: &str) -> String {
    let column = ident(column);
    let privileges: Vec<_> = grant.privileges.iter().map(|privilege| format!("{privilege} ({column})")).collect();
    let grantee = grant.grantee.as_deref().map_or_else(|| "PUBLIC".to_owned(), ident);
    let option = if grant.grantable { " WITH GRANT OPTION" } else { "" };
    format!("GRANT {} ON {} TO {grantee}{option}", privileges.join(", "), qualified(table))
}

/// Returns the place of an action among those for objects that no schema declares.
fn place(action: &Action) -> Option<(bool, i64)> {
    match action {
        Action::DropOther(other) => Some((false, -i64::from(other.order))),
        Action::CreateOther(other) | Action::ChangeOther(other) => Some((true, i64::from(other.order))),
        Action::Restore { order, .. } => Some((true, i64::from(*order))),
        _ => None,
    }
}

/// Returns whether rows that satisfied the previous object satisfy the next one.
fn holds_still(previous: &TableObject, next: &TableObject) -> bool {
    match (previous, next) {
        (TableObject::ForeignKey(a), TableObject::ForeignKey(b)) => {
            a.columns == b.columns
                && a.referenced_table == b.referenced_table
                && a.referenced_columns == b.referenced_columns
        }
        (TableObject::Index(a), TableObject::Index(b)) if a.unique && b.unique && a.is_plain() && b.is_plain() => {
            let compares_alike = |a: &IndexPart| {
                b.parts.iter().any(|b| {
                    (&a.target, &a.collation, &a.operator_class) == (&b.target, &b.collation, &b.operator_class)
                })
            };
            a.parts.iter().all(compares_alike) && (a.nulls_not_distinct || !b.nulls_not_distinct)
        }
        _ => previous == next,
    }
}

/// Returns the table that loses a key which foreign keys may reference.
fn dropped_key(action: &Action) -> Option<&ObjectName> {
    match action {
        Action::DropObject { table, object } => match object {
            TableObject::PrimaryKey(_) | TableObject::Unique(_) => Some(table),
            TableObject::Index(index) => index.unique.then_some(table),
            TableObject::ForeignKey(_) | TableObject::Check(_) | TableObject::Exclusion(_) => None,
        },
        _ => None,
    }
}

/// Returns the tables of a partition that is detached, which includes itself.
fn left_by_partition(action: &Action) -> impl Iterator<Item = &ObjectName> {
    let partition = match action {
        Action::Catalog(CatalogChange::Drop { object, .. }) if object.key.kind == "partition" => Some(object),
        _ => None,
    };
    partition.into_iter().flat_map(|object| object.needs.iter().filter_map(Need::table))
}

/// Returns the table whose rows Citus takes or gives back, which it refuses under foreign keys.
fn moved_table(action: &Action) -> Option<&ObjectName> {
    match action {
        Action::Undistribute(table) | Action::Distribute { table, .. } => Some(table),
        _ => None,
    }
}

/// Citus renames no constraints. The index of a key gives its name to the constraint.
fn rename_on_citus(actions: &mut Vec<Action>, table: ObjectName, object: TableObject, to: String) {
    let index = match &object {
        TableObject::PrimaryKey(PrimaryKey { name, columns, options })
        | TableObject::Unique(UniqueConstraint { name, columns, options }) => {
            Some(Index::of_key(name.clone(), columns, options))
        }
        TableObject::Index(index) | TableObject::Exclusion(Exclusion { index, .. }) => Some(index.clone()),
        TableObject::ForeignKey(_) | TableObject::Check(_) => None,
    };
    if let Some(index) = index {
        return actions.push(Action::RenameObject { table, object: TableObject::Index(index), to });
    }
    let mut renamed = object.clone();
    match &mut renamed {
        TableObject::ForeignKey(key) => key.name = to,
        TableObject::Check(check) => check.name = to,
        _ => {}
    }
    actions.push(Action::DropObject { table: table.clone(), object });
    actions.push(Action::AddObject { table, object: renamed, holds: true });
}

/// Returns the columns whose sequence PostgreSQL would create with the same properties.
fn serial_columns(changes: &[Change]) -> BTreeSet<(ObjectName, String)> {
    let mut columns: BTreeMap<(ObjectName, String), &Column> = BTreeMap::new();
    for change in changes {
        match change {
            Change::CreateTable(table) => {
                columns.extend(table.columns.iter().map(|column| ((table.name.clone(), column.name.clone()), column)));
            }
            Change::AddColumn { table, column, .. } => {
                columns.insert((table.clone(), column.name.clone()), column);
            }
            _ => {}
        }
    }
    let owner = |change: &Change| match change {
        Change::CreateSequence(sequence) => {
            let owner = sequence.owned_by.clone()?;
            let column = columns.get(&owner)?;
            let fits = is_serial(&column.ty)
                && column.options.domain.is_none()
                && column.ty == sequence.ty
                && !column.nullable
                && !column.array
                && column.default == Some(ColumnDefault::Sequence(sequence.name.clone()))
                && sequence.options == SequenceOptions::default()
                && sequence.name == sequence_name(&owner.0, &owner.1);
            fits.then_some(owner)
        }
        _ => None,
    };
    changes.iter().filter_map(owner).collect()
}

/// Returns whether the type has a serial form.
fn is_serial(ty: &DataType) -> bool {
    matches!(ty, DataType::Native(NativeType::SmallInt | NativeType::Integer | NativeType::BigInt))
}

fn rename_enum(actions: &mut Vec<Action>, from: ObjectName, to: ObjectName) {
    let mut name = from;
    if let Some(schema) = to.schema.filter(|schema| name.schema.as_ref() != Some(schema)) {
        actions.push(Action::MoveEnum { from: name.clone(), schema: schema.clone() });
        name.schema = Some(schema);
    }
    if name.name != to.name {
        actions.push(Action::RenameEnum { from: name, to: to.name });
    }
}

fn rename_table(actions: &mut Vec<Action>, from: ObjectName, to: ObjectName) {
    let mut name = from;
    if let Some(schema) = to.schema.filter(|schema| name.schema.as_ref() != Some(schema)) {
        actions.push(Action::MoveTable { from: name.clone(), schema: schema.clone() });
        name.schema = Some(schema);
    }
    if name.name != to.name {
        actions.push(Action::RenameTable { from: name, to: to.name });
    }
}

/// Renames the old type first, so that the later actions can use its name. It is dropped once no column has it.
fn replace_enum(actions: &mut Vec<Action>, previous: &EnumType, next: EnumType, temporary_name: String) {
    let old = Action::DropEnum { name: previous.name.sibling(&temporary_name), replaced_by: Some(next.name.clone()) };
    actions.push(Action::RenameEnum { from: previous.name.clone(), to: temporary_name });
    actions.push(Action::CreateEnum(next));
    actions.push(old);
}

fn is_sequence(default: &ColumnDefault) -> bool {
    matches!(default, ColumnDefault::Sequence(_))
}

/// Takes the constraints out of a table that differ from an earlier one only in their names.
fn take_repeated(table: &mut Table) -> Vec<TableObject> {
    let mut uniques: Vec<UniqueConstraint> = Vec::new();
    let mut exclusions: Vec<Exclusion> = Vec::new();
    let (mut kept_uniques, mut kept_exclusions) = (Vec::new(), Vec::new());
    for unique in std::mem::take(&mut table.uniques) {
        let nameless = UniqueConstraint { name: String::new(), ..unique.clone() };
        if uniques.contains(&nameless) {
            kept_uniques.push(unique);
        } else {
            uniques.push(nameless);
            table.uniques.push(unique);
        }
    }
    for exclusion in std::mem::take(&mut table.exclusions) {
        let mut nameless = exclusion.clone();
        nameless.index.name.clear();
        if exclusions.contains(&nameless) {
            kept_exclusions.push(exclusion);
        } else {
            exclusions.push(nameless);
            table.exclusions.push(exclusion);
        }
    }
    let repeated = kept_uniques.into_iter().map(TableObject::Unique);
    repeated.chain(kept_exclusions.into_iter().map(TableObject::Exclusion)).collect()
}
