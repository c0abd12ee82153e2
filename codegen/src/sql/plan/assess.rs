//! What each step locks, what it does to the rows, and what can be lost or go wrong.
//!
//! The locks are those that PostgreSQL 15 was seen to take.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::action::{Action, Alteration, ColumnSpec};
use super::cast::{Risk, Work, cast};
use super::{Step, Transaction};
use crate::sql::change::{Change, TableObject};
use crate::sql::expression::{Node, canonical, parse};
use crate::sql::state::{ColumnDefault, Index, ObjectName};

/// The strongest lock of a step on a table that was there before, from weak to strong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lock {
    /// Nobody waits.
    None,
    /// Only other changes of the table and vacuum wait.
    ShareUpdateExclusive,
    /// Writers of the same rows wait.
    RowExclusive,
    /// Writers wait.
    Share,
    /// Writers wait, here and on the referenced table.
    ShareRowExclusive,
    /// Readers and writers wait.
    AccessExclusive,
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Lock::None => "no lock",
            Lock::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Lock::RowExclusive => "ROW EXCLUSIVE",
            Lock::Share => "SHARE",
            Lock::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Lock::AccessExclusive => "ACCESS EXCLUSIVE",
        })
    }
}

/// What a hazard threatens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HazardKind {
    /// Data is gone afterwards.
    DataLoss,
    /// The statement fails if the data is not as it must be; then nothing has happened.
    MayFail,
    /// Programs that still run with the old schema fail.
    BreaksPrograms,
}

/// What can be lost or go wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hazard {
    /// What it threatens.
    pub kind: HazardKind,
    /// What happens, and to what.
    pub text: String,
}

/// What was there before and is not new: only that can be locked or lost.
#[derive(Default)]
pub(super) struct Scene {
    new_tables: BTreeSet<ObjectName>,
    /// New columns that hold NULL in all rows.
    empty_columns: BTreeSet<(ObjectName, String)>,
    removed_labels: BTreeMap<ObjectName, Vec<String>>,
}

impl Scene {
    pub(super) fn of(changes: &[Change]) -> Self {
        let mut scene = Self::default();
        for change in changes {
            match change {
                Change::CreateTable(table) => {
                    scene.new_tables.insert(table.name.clone());
                }
                Change::AddColumn { table, column, .. } if column.nullable && column.default.is_none() => {
                    scene.empty_columns.insert((table.clone(), column.name.clone()));
                }
                Change::ReplaceEnum { previous, next } => {
                    let removed = previous.labels.iter().filter(|label| !next.labels.contains(label));
                    scene.removed_labels.insert(next.name.clone(), removed.cloned().collect());
                }
                _ => {}
            }
        }
        scene
    }

    pub(super) fn is_new(&self, table: &ObjectName) -> bool {
        self.new_tables.contains(table)
    }

    pub(super) fn step(&self, action: Action) -> Step {
        let (lock, work) = self.cost(&action);
        let hazards = self.hazards(&action);
        Step { action, transaction: Transaction::Transactional, lock, work, hazards }
    }

    fn cost(&self, action: &Action) -> (Lock, Work) {
        let at_once = (Lock::AccessExclusive, Work::None);
        match action {
            Action::AddColumns { columns, .. } => {
                (Lock::AccessExclusive, columns.iter().map(added_work).max().unwrap_or(Work::None))
            }
            Action::AlterColumns { alterations, .. } => {
                (Lock::AccessExclusive, alterations.iter().map(altered_work).max().unwrap_or(Work::None))
            }
            Action::Backfill { .. } => (Lock::RowExclusive, Work::Rewrite),
            Action::BackfillInBatches { .. } => (Lock::RowExclusive, Work::Rewrite),
            Action::SetNotNull { proven, .. } => (Lock::AccessExclusive, if *proven { Work::None } else { Work::Scan }),
            Action::CreateIndexConcurrently { .. } | Action::Validate { .. } => {
                (Lock::ShareUpdateExclusive, Work::Scan)
            }
            Action::DropIndexConcurrently { .. } => (Lock::ShareUpdateExclusive, Work::None),
            Action::AddNotValid { object: TableObject::ForeignKey(_), .. } => (Lock::ShareRowExclusive, Work::None),
            Action::AddNotValid { .. } | Action::AddUsingIndex { .. } => at_once,
            Action::CatchUpSequence { table, .. } if !self.new_tables.contains(table) => (Lock::None, Work::Scan),
            Action::AddObject { table, .. } if self.new_tables.contains(table) => (Lock::None, Work::None),
            Action::AddObject { object, .. } => match object {
                TableObject::ForeignKey(_) => (Lock::ShareRowExclusive, Work::Scan),
                TableObject::Index(_) => (Lock::Share, Work::Scan),
                TableObject::PrimaryKey(_) | TableObject::Unique(_) | TableObject::Check(_) => {
                    (Lock::AccessExclusive, Work::Scan)
                }
            },
            Action::RenameObject { object: TableObject::Index(_), .. } => (Lock::ShareUpdateExclusive, Work::None),
            Action::RenameTable { .. }
            | Action::MoveTable { .. }
            | Action::RenameColumn { .. }
            | Action::RenameObject { .. }
            | Action::DropObject { .. }
            | Action::DropTable(_)
            | Action::DropDefaults { .. }
            | Action::DropColumns { .. } => at_once,
            _ => (Lock::None, Work::None),
        }
    }

    fn hazards(&self, action: &Action) -> Vec<Hazard> {
        let loss = |text| vec![Hazard { kind: HazardKind::DataLoss, text }];
        let failure = |text| vec![Hazard { kind: HazardKind::MayFail, text }];
        let breakage = |text| vec![Hazard { kind: HazardKind::BreaksPrograms, text }];
        match action {
            Action::DropTable(table) => loss(format!("table {} is dropped with all its rows", table.name)),
            Action::DropColumns { table, columns } => {
                columns.iter().flat_map(|column| loss(format!("column {table}.{} is dropped", column.name))).collect()
            }
            Action::RenameTable { from, to } => breakage(format!("table {from} is called {to}")),
            Action::MoveTable { from, schema } => breakage(format!("table {from} lies in schema {schema}")),
            Action::RenameColumn { table, from, to } => breakage(format!("column {table}.{from} is called {to}")),
            Action::RenameLabel { enum_name, from, to } => breakage(format!("value {enum_name}.{from} is called {to}")),
            Action::AlterColumns { table, alterations } => {
                alterations.iter().flat_map(|alteration| self.alteration_hazards(table, alteration)).collect()
            }
            Action::AddColumns { table, columns } => {
                let required = columns.iter().filter(|spec| is_without_value(spec));
                required
                    .flat_map(|spec| {
                        let name = &spec.column.name;
                        failure(format!("{table}.{name} is required and has no default: fails if the table has rows"))
                    })
                    .collect()
            }
            Action::AddObject { table, .. } if self.new_tables.contains(table) => Vec::new(),
            Action::AddObject { holds: true, .. } => Vec::new(),
            Action::AddObject { table, object, .. } if self.is_without_values(table, object) => Vec::new(),
            Action::AddObject { table, object, .. } => added_object_hazard(table, object).map_or(Vec::new(), failure),
            Action::CreateIndexConcurrently { holds: true, .. } | Action::Validate { holds: true, .. } => Vec::new(),
            Action::CreateIndexConcurrently { table, index, .. } => {
                let object = TableObject::Index(index.clone());
                if self.is_without_values(table, &object) {
                    return Vec::new();
                }
                added_object_hazard(table, &object).map_or(Vec::new(), failure)
            }
            Action::Validate { table, column: Some(column), .. } => {
                failure(format!("{table}.{column} becomes required: fails if it holds NULL"))
            }
            Action::Validate { table, object, .. } if self.is_without_values(table, object) => Vec::new(),
            Action::Validate { table, object, .. } => added_object_hazard(table, object).map_or(Vec::new(), failure),
            _ => Vec::new(),
        }
    }

    /// NULL never repeats and points nowhere.
    fn is_without_values(&self, table: &ObjectName, object: &TableObject) -> bool {
        let is_empty = |column: &str| self.empty_columns.contains(&(table.clone(), column.to_owned()));
        match object {
            TableObject::Unique(unique) => unique.columns.iter().any(|column| is_empty(column)),
            TableObject::ForeignKey(key) => key.columns.iter().any(|column| is_empty(column)),
            TableObject::Index(index) => !index.nulls_not_distinct && index.columns().any(is_empty),
            TableObject::PrimaryKey(_) | TableObject::Check(_) => false,
        }
    }

    fn alteration_hazards(&self, table: &ObjectName, alteration: &Alteration) -> Vec<Hazard> {
        let Alteration { previous, next, .. } = alteration;
        let name = format!("{table}.{}", next.name);
        let mut hazards = Vec::new();
        let mut add = |kind, text| hazards.push(Hazard { kind, text });
        if alteration.retyped {
            let change = format!("{name} becomes {} from {}", type_text(next), type_text(previous));
            let removed = match &next.ty {
                crate::sql::DataType::Enum(ty) if previous.ty == next.ty => self.removed_labels.get(ty),
                _ => None,
            };
            match (removed, cast(previous, next).risk) {
                (Some(removed), _) if removed.is_empty() => {}
                (Some(removed), _) => {
                    add(
                        HazardKind::MayFail,
                        format!("{name} no longer takes {}: fails if it holds that", removed.join(", ")),
                    );
                }
                (None, Risk::MayFail(what)) => add(HazardKind::MayFail, format!("{change}: fails for {what}")),
                (None, Risk::Loses(what)) => add(HazardKind::DataLoss, format!("{change}: loses {what}")),
                (None, Risk::None) => {}
            }
        }
        if previous.nullable && !next.nullable && !alteration.not_null_later {
            add(HazardKind::MayFail, format!("{name} becomes required: fails if it holds NULL"));
        }
        hazards
    }
}

fn type_text(column: &crate::sql::Column) -> String {
    format!("{}{}", column.ty, if column.array { "[]" } else { "" })
}

fn is_without_value(spec: &ColumnSpec) -> bool {
    let column = &spec.column;
    let has_default = !matches!(column.default, None | Some(ColumnDefault::Unmanaged));
    !column.nullable && !has_default && spec.fill.is_none() && column.identity.is_none() && column.generated.is_none()
}

/// Whether an expression has one value for a whole statement. A function is taken for one that has not.
fn is_stable(sql: &str) -> bool {
    fn calls(node: &Node) -> bool {
        match node {
            Node::Call(..) => true,
            Node::Op(_, args) => args.iter().any(calls),
            Node::Cast(inner, _) => calls(inner),
            Node::Name(_) | Node::Text(_) | Node::Number(_) => false,
        }
    }
    canonical(sql) == "current_timestamp" || parse(sql).is_some_and(|node| !calls(&node))
}

/// A default that is the same for all rows costs nothing; one that is not is written into each.
pub(super) fn added_work(spec: &ColumnSpec) -> Work {
    let expression = match (&spec.fill, &spec.column.default) {
        (Some(sql), _) | (None, Some(ColumnDefault::Expression(sql))) => Some(sql),
        _ => None,
    };
    let is_stable = expression.is_none_or(|sql| is_stable(sql));
    let counts = matches!(spec.column.default, Some(ColumnDefault::Sequence(_)));
    if is_stable && !counts && spec.column.identity.is_none() && spec.column.generated.is_none() {
        Work::None
    } else {
        Work::Rewrite
    }
}

pub(super) fn altered_work(alteration: &Alteration) -> Work {
    let Alteration { previous, next, .. } = alteration;
    let not_null =
        if previous.nullable && !next.nullable && !alteration.not_null_later { Work::Scan } else { Work::None };
    match (alteration.retyped, &alteration.using) {
        (true, Some(_)) => Work::Rewrite,
        (true, None) => cast(previous, next).work.max(not_null),
        (false, _) => not_null,
    }
}

fn added_object_hazard(table: &ObjectName, object: &TableObject) -> Option<String> {
    let list = |columns: &[String]| columns.join(", ");
    match object {
        TableObject::PrimaryKey(key) => {
            Some(format!("{table} gets the primary key ({}): fails for duplicates and NULL", list(&key.columns)))
        }
        TableObject::Unique(unique) => {
            Some(format!("{table} ({}) becomes unique: fails for duplicates", list(&unique.columns)))
        }
        TableObject::Index(index @ Index { unique: true, .. }) => {
            Some(format!("{table} gets the unique index {}: fails for duplicates", index.name))
        }
        TableObject::Index(_) => None,
        TableObject::ForeignKey(key) => Some(format!(
            "{table} ({}) must point at rows of {}: fails for those that do not",
            list(&key.columns),
            key.referenced_table
        )),
        TableObject::Check(check) => {
            Some(format!("{table} must pass the check {}: fails for rows that do not", check.name))
        }
    }
}
