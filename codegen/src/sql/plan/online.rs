//! Online migrations: long work runs outside of transactions, under locks that let clients read and write.
//!
//! Takes actions in order. Returns more of them, each with its place among the transactions. Some work still needs a
//! long lock: an identity or stored generated column for existing rows, and a domain. `shadow` handles type changes that rewrite the
//! table.

use std::collections::BTreeSet;

use super::Transaction;
use super::action::{Action, Alteration, ColumnSpec};
use super::assess::{AssessCx, added_work, altered_work};
use super::shadow;
use super::unique;
use crate::sql::cast::Work;
use crate::sql::change::TableObject;
use crate::sql::names::{sequence_name, stem};
use crate::sql::state::{
    Check, Column, ColumnDefault, ConstraintOptions, Exclusion, Index, ObjectName, PrimaryKey, Sequence,
    SequenceOptions, UniqueConstraint,
};

/// Returns the actions of an online plan, each with its place among the transactions.
pub(super) fn expand(actions: Vec<Action>, cx: &AssessCx) -> Vec<(Action, Transaction)> {
    let guards = unique::guards(&actions, cx);
    let (actions, group) = shadow::replace_columns(catch_up_at_once(actions), cx);
    let mut expander = Expander { cx, checks: BTreeSet::new(), stages: Stages::default(), group, steps: Vec::new() };
    let mut kind = None;
    for action in pair_replacements(actions, cx) {
        let next = kind_of(&action.action);
        if kind != Some(next) || next == Kind::Other {
            expander.flush();
        }
        kind = Some(next);
        expander.add(action);
    }
    expander.flush();
    shadow::guard_first(&mut expander.steps);
    free_dropped_columns(&mut expander.steps);
    unique::guard_keys(&mut expander.steps, guards);
    expander.steps
}

/// New clients do not write a column that is dropped, and they already run before it is dropped. So the column becomes
/// nullable in the first segment.
fn free_dropped_columns(steps: &mut Vec<(Action, Transaction)>) {
    let Some(first) = steps.iter().position(|(_, transaction)| *transaction == Transaction::Outside) else { return };
    let mut freed = Vec::new();
    for (at, (action, _)) in steps.iter().enumerate().skip(first) {
        let Action::DropColumns { table, columns } = action else { continue };
        let is_named = |(action, _): &(Action, Transaction)| match action {
            Action::RenameTable { from, to } => from.sibling(to) == *table,
            Action::MoveTable { from, schema } => ObjectName::new(Some(schema), &from.name) == *table,
            Action::RenameColumn { table: other, .. } => other == table,
            _ => false,
        };
        if steps[first..at].iter().any(is_named) {
            continue;
        }
        let is_in_key = |column: &Column| {
            steps.iter().any(|(action, _)| {
                matches!(action, Action::DropObject { table: other, object: object @ TableObject::PrimaryKey(_) }
                    if other == table && object.columns().any(|name| name == column.name))
            })
        };
        let needs_value = |column: &&Column| {
            !column.nullable && column.default.is_none() && column.identity.is_none() && column.generated.is_none()
        };
        let alterations: Vec<Alteration> =
            columns.iter().filter(needs_value).filter(|column| !is_in_key(column)).map(without_not_null).collect();
        if !alterations.is_empty() {
            freed.push((Action::AlterColumns { table: table.clone(), alterations }, Transaction::Transactional));
        }
    }
    steps.splice(first..first, freed);
}

fn without_not_null(column: &Column) -> Alteration {
    Alteration {
        previous: column.clone(),
        next: Column { nullable: true, ..column.clone() },
        retyped: false,
        using: None,
        redefaulted: false,
        not_null_later: false,
        expression_dropped: false,
        belongings: Box::default(),
    }
}

/// The kind of an action. Actions of the same kind do not depend on each other, so their stages can run together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    AlterColumns,
    AddColumns,
    Backfill,
    SetNotNull,
    Drop,
    Index,
    Reference,
    Other,
}

fn kind_of(action: &Action) -> Kind {
    match action {
        Action::AlterColumns { .. } | Action::AdvanceSequence { .. } => Kind::AlterColumns,
        Action::AddColumns { .. } => Kind::AddColumns,
        Action::Backfill { .. } => Kind::Backfill,
        Action::SetNotNull { .. } => Kind::SetNotNull,
        Action::DropObject { .. } => Kind::Drop,
        Action::AddObject { object: TableObject::ForeignKey(_), .. } => Kind::Reference,
        Action::AddObject { .. } => Kind::Index,
        _ => Kind::Other,
    }
}

/// An action, and the object that it replaces.
struct Paired {
    action: Action,
    replaces: Option<TableObject>,
}

/// An index or key that changes stays until its successor is built, unless its columns change in between, which
/// requires dropping it first.
fn pair_replacements(actions: Vec<Action>, cx: &AssessCx) -> Vec<Paired> {
    let mut paired: Vec<Option<Paired>> =
        actions.into_iter().map(|action| Some(Paired { action, replaces: None })).collect();
    for at in 0..paired.len() {
        let Some(later) = successor(&paired, at, cx) else { continue };
        let Some(Paired { action: Action::DropObject { object, .. }, .. }) = paired[at].take() else { continue };
        if let Some(successor) = &mut paired[later] {
            successor.replaces = Some(object);
        }
    }
    paired.into_iter().flatten().collect()
}

/// Returns the index of the action that creates the dropped object again under the same name.
fn successor(actions: &[Option<Paired>], at: usize, cx: &AssessCx) -> Option<usize> {
    let Some(Paired { action: Action::DropObject { table, object }, .. }) = &actions[at] else { return None };
    if !has_index(object) || cx.is_new(table) || cx.partitioned.contains(table) {
        return None;
    }
    for (later, paired) in actions.iter().enumerate().skip(at + 1) {
        match paired.as_ref().map(|paired| &paired.action) {
            Some(Action::AlterColumns { table: other, alterations })
                if other == table && alterations.iter().any(|it| it.retyped || it.previous.is_recreated(&it.next)) =>
            {
                return None;
            }
            Some(Action::Cutover { actions, .. })
                if actions.iter().any(|action| takes_along(action, table, object)) =>
            {
                return None;
            }
            Some(Action::DropColumns { table: other, columns })
                if other == table && columns.iter().any(|column| may_use(object, &column.name)) =>
            {
                return None;
            }
            // Citus refuses the key that is replaced.
            Some(Action::Distribute { table: other, .. } | Action::Undistribute(other)) if other == table => {
                return None;
            }
            Some(Action::AddObject { table: other, object: next, .. })
                if other == table && next.name() == object.name() && has_index(next) =>
            {
                return Some(later);
            }
            _ => {}
        }
    }
    None
}

/// Returns whether the object is dropped with a column.
fn takes_along(action: &Action, table: &ObjectName, object: &TableObject) -> bool {
    matches!(action, Action::DropColumns { table: other, columns }
        if other == table && columns.iter().any(|column| may_use(object, &column.name)))
}

/// Expressions and conditions are not analysed.
fn may_use(object: &TableObject, column: &str) -> bool {
    match object {
        TableObject::PrimaryKey(key) => key.columns.iter().any(|name| name == column),
        TableObject::Unique(unique) => unique.columns.iter().any(|name| name == column),
        TableObject::Index(index) | TableObject::Exclusion(Exclusion { index, .. }) => {
            !index.is_plain()
                || index.columns().any(|name| name == column)
                || index.include.iter().any(|it| it == column)
        }
        TableObject::ForeignKey(_) | TableObject::Check(_) => true,
    }
}

/// A column that gets a sequence must continue after its largest value immediately: no row may be inserted between the
/// new default and the sequence's start.
fn catch_up_at_once(mut actions: Vec<Action>) -> Vec<Action> {
    let mut at = 0;
    while at < actions.len() {
        if let Action::AdvanceSequence { table, column, .. } = &actions[at] {
            let counts = |action: &Action| match action {
                Action::AlterColumns { table: other, alterations } => {
                    other == table && alterations.iter().any(|alteration| &alteration.next.name == column)
                }
                _ => false,
            };
            if let Some(before) = actions[..at].iter().position(counts) {
                let action = actions.remove(at);
                actions.insert(before + 1, action);
            }
        }
        at += 1;
    }
    actions
}

/// Returns whether existing rows can be checked in a separate step. Not if they are never checked, and not for a key
/// with a period or an exclusion constraint, which cannot be created from an existing index.
fn can_be_proved_later(object: &TableObject) -> bool {
    let is_exclusion = matches!(object, TableObject::Exclusion(_));
    !is_exclusion
        && object.options().is_none_or(|options| !options.not_valid && !options.not_enforced && !options.period)
}

fn has_index(object: &TableObject) -> bool {
    matches!(object, TableObject::PrimaryKey(_) | TableObject::Unique(_) | TableObject::Index(_))
}

/// Actions in the order of their stages. Every second stage is outside of transactions.
#[derive(Default)]
struct Stages([Vec<Action>; 5]);

/// In a transaction: immediate changes.
const PREPARE: usize = 0;
/// Outside: long work, statement by statement.
const WORK: usize = 1;
/// In a transaction: changes that depend on the work.
const FINISH: usize = 2;
/// Outside: proves that no value is missing, after the work that filled them.
const PROVE: usize = 3;
/// In a transaction: changes that depend on the proof.
const CONCLUDE: usize = 4;

struct Expander<'a> {
    cx: &'a AssessCx,
    /// The names of checks that temporarily substitute NOT NULL.
    checks: BTreeSet<String>,
    stages: Stages,
    /// Type changes with their own steps, in place of their last step.
    group: Vec<(Action, Transaction)>,
    steps: Vec<(Action, Transaction)>,
}

impl Expander<'_> {
    fn flush(&mut self) {
        for (stage, actions) in std::mem::take(&mut self.stages).0.into_iter().enumerate() {
            let transaction = if stage % 2 == 1 { Transaction::Outside } else { Transaction::Transactional };
            self.steps.extend(actions.into_iter().map(|action| (action, transaction)));
        }
    }

    fn push(&mut self, stage: usize, action: Action) {
        self.stages.0[stage].push(action);
    }

    fn add(&mut self, Paired { action, replaces }: Paired) {
        match action {
            Action::AlterColumns { table, alterations } => self.alter_columns(table, alterations),
            Action::AddColumns { table, columns } => self.add_columns(table, columns),
            // The rows of a table of Citus are not in the pages of the table.
            Action::Backfill { table, column } if self.cx.placed.contains(&table) => {
                self.push(WORK, Action::Backfill { table, column });
            }
            Action::Backfill { table, column } => self.push(WORK, Action::BackfillInBatches { table, column }),
            Action::SetNotNull { table, column, .. } => self.require(table, column, true, [PREPARE, WORK, FINISH]),
            Action::DropObject { table, object: TableObject::Index(index) } if self.is_built_online(&table) => {
                self.push(WORK, Action::DropIndexConcurrently { table, index: index.name });
            }
            // It is not to be valid, so nothing is read.
            Action::AddObject { table, object, holds } if object.is_not_valid() => {
                self.push(PREPARE, Action::AddObject { table, object, holds });
            }
            Action::AddObject { table, object: object @ TableObject::Check(_), holds } if !self.cx.is_new(&table) => {
                self.prove_later(table, object, holds);
            }
            Action::AddObject { table, object, holds } if self.is_built_online(&table) => match object {
                TableObject::Index(index) => self.build_index(table, index, replaces, holds),
                object if !can_be_proved_later(&object) => {
                    if let Some(object) = replaces {
                        self.push(PREPARE, Action::DropObject { table: table.clone(), object });
                    }
                    self.push(PREPARE, Action::AddObject { table, object, holds });
                }
                TableObject::PrimaryKey(_) | TableObject::Unique(_) => self.build_key(table, object, replaces, holds),
                TableObject::ForeignKey(_) | TableObject::Check(_) | TableObject::Exclusion(_) => {
                    self.prove_later(table, object, holds)
                }
            },
            Action::Cutover { .. } => self.steps.append(&mut self.group),
            other => self.push(PREPARE, other),
        }
    }

    /// PostgreSQL builds no index of a partitioned table concurrently, and adds no foreign key to one without a scan.
    fn is_built_online(&self, table: &ObjectName) -> bool {
        !self.cx.is_new(table) && !self.cx.partitioned.contains(table)
    }

    fn prove_later(&mut self, table: ObjectName, object: TableObject, holds: bool) {
        self.push(PREPARE, Action::AddNotValid { table: table.clone(), object: object.clone() });
        self.push(WORK, Action::Validate { table, object, column: None, holds });
    }

    /// Sets NOT NULL without a scan under a lock, because a check has proved it before.
    fn require(&mut self, table: ObjectName, column: String, holds: bool, stages: [usize; 3]) {
        let object = TableObject::Check(self.required_check(&table, &column));
        let [prepare, prove, conclude] = stages;
        self.push(prepare, Action::AddNotValid { table: table.clone(), object: object.clone() });
        self.push(
            prove,
            Action::Validate { table: table.clone(), object: object.clone(), column: Some(column.clone()), holds },
        );
        self.push(conclude, Action::SetNotNull { table: table.clone(), column, proven: true });
        self.push(conclude, Action::DropObject { table, object });
    }

    fn required_check(&mut self, table: &ObjectName, column: &str) -> Check {
        let expression = format!("{} IS NOT NULL", crate::sql::quote::ident(column));
        let place = format!("{}_{column}", table.name);
        let mut name = format!("{}__required", stem(&place));
        let mut number = 1;
        while !self.checks.insert(name.clone()) {
            number += 1;
            name = format!("{}__required{number}", stem(&place));
        }
        Check { name, expression, options: ConstraintOptions::default() }
    }

    /// A rewrite reads all rows under its lock anyway. Only without one is it worthwhile to prove NOT NULL separately.
    fn alter_columns(&mut self, table: ObjectName, mut alterations: Vec<Alteration>) {
        let rewrites = alterations.iter().any(|alteration| {
            altered_work(&Alteration { not_null_later: true, ..alteration.clone() }) == Work::Rewrite
        });
        let mut required = Vec::new();
        if !rewrites {
            for alteration in &mut alterations {
                let becomes_required = alteration.previous.nullable && !alteration.next.nullable;
                // An identity needs NOT NULL in the same statement.
                if becomes_required && !alteration.not_null_later && alteration.next.identity.is_none() {
                    alteration.not_null_later = true;
                    required.push(alteration.next.name.clone());
                }
            }
        }
        alterations.retain(|alteration| !required.contains(&alteration.next.name) || alteration.changes_more());
        if !alterations.is_empty() {
            self.push(PREPARE, Action::AlterColumns { table: table.clone(), alterations });
        }
        for column in required {
            self.require(table.clone(), column, false, [PREPARE, WORK, FINISH]);
        }
    }

    /// A column whose default differs from row to row is added empty and filled in batches.
    fn add_columns(&mut self, table: ObjectName, columns: Vec<ColumnSpec>) {
        let is_placed = self.cx.placed.contains(&table);
        let (stepwise, at_once): (Vec<_>, Vec<_>) = columns.into_iter().partition(|spec| {
            !is_placed
                && added_work(spec) == Work::Rewrite
                && spec.column.identity.is_none()
                && spec.column.generated.is_none()
                && spec.column.options.domain.is_none()
        });
        if !at_once.is_empty() {
            self.push(PREPARE, Action::AddColumns { table: table.clone(), columns: at_once });
        }
        for spec in stepwise {
            self.add_column_in_steps(&table, spec);
        }
    }

    fn add_column_in_steps(&mut self, table: &ObjectName, spec: ColumnSpec) {
        let ColumnSpec { column, serial, fill } = spec;
        let empty = Column { nullable: true, default: None, ..column.clone() };
        let spec = ColumnSpec { column: empty.clone(), serial: false, fill: None };
        self.push(PREPARE, Action::AddColumns { table: table.clone(), columns: vec![spec] });
        if serial {
            let name = sequence_name(table, &column.name);
            let sequence = Sequence {
                name: name.clone(),
                ty: column.ty.clone(),
                owned_by: None,
                options: SequenceOptions::default(),
            };
            self.push(PREPARE, Action::CreateSequence(sequence));
            self.push(
                PREPARE,
                Action::OwnSequence { sequence: name, table: table.clone(), column: column.name.clone() },
            );
        }
        let default = fill.map(ColumnDefault::Expression).or_else(|| column.default.clone());
        let alteration = Alteration {
            next: Column { default, ..empty.clone() },
            previous: empty,
            retyped: false,
            using: None,
            redefaulted: true,
            not_null_later: false,
            expression_dropped: false,
            belongings: Box::default(),
        };
        self.push(PREPARE, Action::AlterColumns { table: table.clone(), alterations: vec![alteration] });
        self.push(WORK, Action::BackfillInBatches { table: table.clone(), column: column.name.clone() });
        if !column.nullable {
            self.require(table.clone(), column.name, true, [FINISH, PROVE, CONCLUDE]);
        }
    }

    fn build_index(&mut self, table: ObjectName, index: Index, replaces: Option<TableObject>, holds: bool) {
        let Some(previous) = replaces else {
            return self.push(WORK, Action::CreateIndexConcurrently { table, index, holds });
        };
        let to = index.name.clone();
        let index = Index { name: successor_name(&index.name), ..index };
        self.push(WORK, Action::CreateIndexConcurrently { table: table.clone(), index: index.clone(), holds });
        match previous {
            TableObject::Index(previous) => {
                self.push(WORK, Action::DropIndexConcurrently { table: table.clone(), index: previous.name });
            }
            object => self.push(FINISH, Action::DropObject { table: table.clone(), object }),
        }
        self.push(FINISH, Action::RenameObject { table, object: TableObject::Index(index), to });
    }

    fn build_key(&mut self, table: ObjectName, object: TableObject, replaces: Option<TableObject>, holds: bool) {
        let (TableObject::PrimaryKey(PrimaryKey { name, columns, options })
        | TableObject::Unique(UniqueConstraint { name, columns, options })) = &object
        else {
            return;
        };
        let name = if replaces.is_some() { successor_name(name) } else { name.clone() };
        let index = Index::of_key(name.clone(), columns, options);
        self.push(WORK, Action::CreateIndexConcurrently { table: table.clone(), index, holds });
        if let Some(object) = replaces {
            self.push(FINISH, Action::DropObject { table: table.clone(), object });
        }
        self.push(FINISH, Action::AddUsingIndex { table, object, index: name });
    }
}

/// Returns the name of an index until it takes the name of the index that it replaces.
fn successor_name(name: &str) -> String {
    format!("{}__new", stem(name))
}
