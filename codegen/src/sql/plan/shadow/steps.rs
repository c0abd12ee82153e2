//! The steps by which shadow columns replace old columns.

use std::collections::BTreeSet;

use super::{Group, Successor};
use crate::sql::change::TableObject;
use crate::sql::names::stem;
use crate::sql::plan::Transaction;
use crate::sql::plan::action::{Action, Alteration, ColumnSpec, Guard, ShadowColumn};
use crate::sql::quote::ident;
use crate::sql::state::{Check, Column, ConstraintOptions, ForeignKey, Index, ObjectName};

impl Group {
    fn sync_function(table: &ObjectName) -> ObjectName {
        table.sibling(&format!("{}__sync", stem(&table.name)))
    }

    /// A check as a temporary substitute for NOT NULL of the shadow column.
    fn required(table: &ObjectName, shadow: &ShadowColumn) -> Option<TableObject> {
        let Alteration { next, not_null_later, .. } = &shadow.alteration;
        let expression = format!("{} IS NOT NULL", ident(&shadow.name));
        let name = format!("{}__required", stem(&format!("{}_{}", table.name, shadow.name)));
        let check = Check { name, expression, options: ConstraintOptions::default() };
        (!next.nullable && !not_null_later).then_some(TableObject::Check(check))
    }

    fn guard(&self) -> Action {
        let name = |it: &Successor| (it.table.clone(), it.previous.name().to_owned());
        let tuned = self.successors.iter().filter(|it| it.previous.is_tuned());
        let own = self.successors.iter().map(name);
        let checks = self.checks.iter().map(|(table, _, previous)| (table.clone(), previous.clone()));
        let known: BTreeSet<_> = own.chain(checks).collect();
        let shadows = || self.columns.iter().flat_map(|(table, columns)| columns.iter().map(move |it| (table, it)));
        let column = |(table, shadow): (&ObjectName, &ShadowColumn)| {
            let Alteration { previous, next, .. } = &shadow.alteration;
            (table.clone(), next.name.clone(), previous.identity.is_some())
        };
        let sequences = shadows().flat_map(|(_, shadow)| &shadow.alteration.belongings.sequences);
        Action::Guard(Guard {
            columns: shadows().map(column).collect(),
            known: known.into_iter().collect(),
            tuned: tuned.map(name).collect(),
            dropped: Vec::new(),
            generated: Vec::new(),
            policies: self.policies.iter().map(|(table, policy)| (table.clone(), policy.name.clone())).collect(),
            sequences: sequences.cloned().collect(),
        })
    }

    pub(super) fn steps(&self, cutover: &Action) -> Vec<(Action, Transaction)> {
        let mut steps = Vec::new();
        let mut push = |transaction, actions: Vec<Action>| {
            steps.extend(actions.into_iter().map(|action| (action, transaction)));
        };
        push(Transaction::Transactional, self.beginning());
        push(Transaction::Outside, self.work());
        let (references, proofs) = self.references();
        push(Transaction::Transactional, references);
        push(Transaction::Outside, proofs);
        push(Transaction::Outside, self.columns.keys().cloned().map(Action::Analyze).collect());
        push(Transaction::Transactional, vec![self.guard(), cutover.clone()]);
        let checks = self.checks.iter().map(|(table, check, _)| Action::Validate {
            table: table.clone(),
            object: TableObject::Check(check.clone()),
            column: None,
            holds: false,
        });
        push(Transaction::Outside, checks.collect());
        steps
    }

    /// Adds the empty shadow columns, which are kept in sync from now on.
    fn beginning(&self) -> Vec<Action> {
        let mut actions = vec![self.guard()];
        for (table, columns) in &self.columns {
            let (table, function) = (table.clone(), Self::sync_function(table));
            let specs =
                columns.iter().map(|it| ColumnSpec { column: it.column(), serial: false, fill: None }).collect();
            actions.push(Action::AddColumns { table: table.clone(), columns: specs });
            actions.push(Action::CreateSyncFunction {
                table: table.clone(),
                function: function.clone(),
                columns: columns.clone(),
            });
            actions.push(Action::CreateSyncTrigger { table: table.clone(), function });
            actions.push(Action::EnableSyncTriggerAlways { table: table.clone() });
            let required = columns.iter().filter_map(|shadow| Self::required(&table, shadow));
            actions.extend(required.map(|object| Action::AddNotValid { table: table.clone(), object }));
        }
        actions
    }

    /// Fills existing rows, and builds all indexes.
    fn work(&self) -> Vec<Action> {
        let fill = |(table, columns): (&ObjectName, &Vec<ShadowColumn>)| Action::FillShadowColumns {
            table: table.clone(),
            columns: columns.clone(),
        };
        let mut actions: Vec<Action> = self.columns.iter().map(fill).collect();
        for (table, columns) in &self.columns {
            let required = columns.iter().filter_map(|shadow| Self::required(table, shadow));
            let prove = |object| Action::Validate { table: table.clone(), object, column: None, holds: true };
            actions.extend(required.map(prove));
        }
        for Successor { table, object, meanwhile, holds, .. } in &self.successors {
            if let Some(TableObject::Index(index)) = self.translated(table, object) {
                let index = Index { name: meanwhile.clone(), ..index };
                actions.push(Action::CreateIndexConcurrently { table: table.clone(), index, holds: *holds });
            }
        }
        actions
    }

    fn references(&self) -> (Vec<Action>, Vec<Action>) {
        let (mut added, mut proved) = (Vec::new(), Vec::new());
        for Successor { table, object, meanwhile, holds, .. } in &self.successors {
            if let Some(TableObject::ForeignKey(key)) = self.translated(table, object) {
                let object = TableObject::ForeignKey(ForeignKey { name: meanwhile.clone(), ..key });
                added.push(Action::AddNotValid { table: table.clone(), object: object.clone() });
                proved.push(Action::Validate { table: table.clone(), object, column: None, holds: *holds });
            }
        }
        (added, proved)
    }

    /// Renames the shadow columns. PostgreSQL drops the old columns with their keys, indexes and checks.
    pub(super) fn cutover(&self) -> Action {
        let mut tables: BTreeSet<ObjectName> = self.columns.keys().cloned().collect();
        let mut actions = Vec::new();
        for (table, policy) in &self.policies {
            tables.insert(table.clone());
            actions.push(Action::DropPolicy { table: table.clone(), policy: policy.clone() });
        }
        for Successor { table, object, previous, .. } in &self.successors {
            if let TableObject::ForeignKey(key) = object {
                tables.extend([table.clone(), key.referenced_table.clone()]);
                let object = TableObject::ForeignKey(ForeignKey { name: previous.name().to_owned(), ..key.clone() });
                actions.push(Action::DropObject { table: table.clone(), object });
            }
        }
        let replaced = self.replaced.iter().cloned();
        actions.extend(replaced.map(|(table, object)| Action::DropObject { table, object }));
        for (table, columns) in &self.columns {
            columns.iter().for_each(|shadow| take_over(table, shadow, &mut actions));
            actions.push(Action::DropSyncTrigger { table: table.clone() });
            actions.push(Action::DropSyncFunction { function: Self::sync_function(table) });
            let old = |shadow: &ShadowColumn| Column {
                name: shadow.alteration.next.name.clone(),
                ..shadow.alteration.previous.clone()
            };
            actions.push(Action::DropColumns { table: table.clone(), columns: columns.iter().map(old).collect() });
            columns.iter().for_each(|shadow| take_name(table, shadow, &mut actions));
        }
        actions.extend(self.successors.iter().map(succeed));
        actions.extend(self.checks.iter().map(|(table, check, _)| Action::AddNotValid {
            table: table.clone(),
            object: TableObject::Check(check.clone()),
        }));
        let policies = self.policies.iter().cloned();
        actions.extend(policies.map(|(table, policy)| Action::CreatePolicy { table, policy }));
        Action::Cutover { tables: tables.into_iter().collect(), actions }
    }
}

/// Sets the properties of the shadow column that do not need the old column to be dropped.
fn take_over(table: &ObjectName, shadow: &ShadowColumn, actions: &mut Vec<Action>) {
    let next = &shadow.alteration.next;
    if Group::required(table, shadow).is_some() {
        let column = shadow.name.clone();
        actions.push(Action::SetNotNull { table: table.clone(), column, proven: true });
    }
    for sequence in &shadow.alteration.belongings.sequences {
        let (sequence, column) = (sequence.clone(), shadow.name.clone());
        actions.push(Action::OwnSequence { sequence, table: table.clone(), column });
    }
    let (from, to) = (next.name.clone(), shadow.name.clone());
    if next.identity.is_some() {
        let column = Column { nullable: false, ..shadow.column() };
        let counting = Column { identity: next.identity, ..column.clone() };
        actions.push(alter(table, column, counting, false));
        actions.push(Action::TransferIdentity { table: table.clone(), from: from.clone(), to: to.clone() });
    }
    actions.push(Action::TransferComment { table: table.clone(), from, to });
}

/// Sets the properties of the shadow column after the old column was dropped.
fn take_name(table: &ObjectName, shadow: &ShadowColumn, actions: &mut Vec<Action>) {
    let next = &shadow.alteration.next;
    let (from, to) = (shadow.name.clone(), next.name.clone());
    actions.push(Action::RenameColumn { table: table.clone(), from, to });
    if let Some(object) = Group::required(table, shadow) {
        actions.push(Action::DropObject { table: table.clone(), object });
    }
    if next.default.is_some() {
        let bare = Column { default: None, ..next.clone() };
        actions.push(alter(table, bare, next.clone(), true));
    }
    if next.identity.is_some() {
        actions.push(Action::RenameIdentitySequence { table: table.clone(), column: next.name.clone() });
    }
}

fn alter(table: &ObjectName, previous: Column, next: Column, redefaulted: bool) -> Action {
    let alteration = Alteration {
        previous,
        next,
        retyped: false,
        using: None,
        redefaulted,
        not_null_later: false,
        expression_dropped: false,
        belongings: Box::default(),
    };
    Action::AlterColumns { table: table.clone(), alterations: vec![alteration] }
}

/// Gives the index or foreign key the name of the dropped one.
fn succeed(successor: &Successor) -> Action {
    let Successor { table, object, meanwhile, .. } = successor;
    let (table, to, meanwhile) = (table.clone(), object.name().to_owned(), meanwhile.clone());
    match object {
        TableObject::PrimaryKey(_) | TableObject::Unique(_) => {
            Action::AddUsingIndex { table, object: object.clone(), index: meanwhile }
        }
        TableObject::Exclusion(_) => Action::RenameObject { table, object: object.clone(), to },
        TableObject::Index(index) => {
            let object = TableObject::Index(Index { name: meanwhile, ..index.clone() });
            Action::RenameObject { table, object, to }
        }
        TableObject::ForeignKey(key) => {
            let object = TableObject::ForeignKey(ForeignKey { name: meanwhile, ..key.clone() });
            Action::RenameObject { table, object, to }
        }
        TableObject::Check(check) => {
            let object = TableObject::Check(Check { name: meanwhile, ..check.clone() });
            Action::RenameObject { table, object, to }
        }
    }
}
