//! Type changes that would rewrite their table, by means of shadow columns.
//!
//! A sync trigger computes the shadow column whenever a row is written. A backfill fills the other rows in batches.
//! Keys, indexes and foreign keys are built on the shadow column while clients keep working. The cutover, one short
//! transaction, then gives it the name of the old column and drops the old column. Takes the actions in order. Returns
//! those that are not handled here, and the steps for the rest. An action that it does not understand is left
//! unchanged.

mod guard;
mod steps;

use std::collections::{BTreeMap, BTreeSet};

use super::Transaction;
use super::action::{Action, Alteration, ShadowColumn};
use super::assess::{AssessCx, altered_work};
use crate::sql::cast::Work;
use crate::sql::change::TableObject;
use crate::sql::data_type::DataType;
use crate::sql::expression::{Token, tokens};
use crate::sql::names::stem;
use crate::sql::state::{
    Check, Column, ColumnDefault, ConstraintOptions, Exclusion, ForeignKey, Index, IndexTarget, ObjectName, Policy,
    PrimaryKey, UniqueConstraint,
};
pub(super) use guard::guard_first;

/// Replaces the type changes by [`Action::Cutover`], their last step. The second value is all of their steps; empty if
/// there are none.
pub(super) fn replace_columns(actions: Vec<Action>, cx: &AssessCx) -> (Vec<Action>, Vec<(Action, Transaction)>) {
    let Some(group) = Group::find(&actions, cx) else { return (actions, Vec::new()) };
    let cutover = group.cutover();
    let steps = group.steps(&cutover);
    let mut rest = Vec::with_capacity(actions.len());
    for (at, action) in actions.into_iter().enumerate() {
        if group.taken.contains(&at) {
            continue;
        }
        let is_last = at + 1 == group.end;
        match action {
            Action::AlterColumns { table, mut alterations } if group.columns.contains_key(&table) => {
                alterations.retain(|alteration| !group.has(&table, &alteration.next.name));
                if !alterations.is_empty() {
                    rest.push(Action::AlterColumns { table, alterations });
                }
            }
            other => rest.push(other),
        }
        if is_last {
            rest.push(cutover.clone());
        }
    }
    (rest, steps)
}

/// A key or index on shadow columns, and its name until it replaces the old one.
struct Successor {
    table: ObjectName,
    /// Its final form.
    object: TableObject,
    meanwhile: String,
    /// The object that it replaces.
    previous: TableObject,
    /// Whether existing rows are known to satisfy it.
    holds: bool,
}

/// The type changes that are carried out together.
struct Group {
    columns: BTreeMap<ObjectName, Vec<ShadowColumn>>,
    /// The index after the last type change.
    end: usize,
    successors: Vec<Successor>,
    /// Checks with the names of their predecessors. They are created in the cutover and validated afterwards.
    checks: Vec<(ObjectName, Check, String)>,
    /// Objects with the names of successors. They may depend on columns that stay, so they would not be dropped with
    /// the old columns.
    replaced: Vec<(ObjectName, TableObject)>,
    /// Policies that name the columns, in their final form.
    policies: Vec<(ObjectName, Policy)>,
    /// Actions that are handled here.
    taken: BTreeSet<usize>,
    /// Temporary names that are in use.
    names: BTreeSet<String>,
}

impl Group {
    fn find(actions: &[Action], cx: &AssessCx) -> Option<Self> {
        let start = actions.iter().position(|action| !new_columns(action, actions, cx).is_empty())?;
        let is_alteration = |action: &&Action| matches!(action, Action::AlterColumns { .. });
        let end = start + actions[start..].iter().take_while(is_alteration).count();
        let mut group = Self {
            columns: BTreeMap::new(),
            end,
            successors: Vec::new(),
            checks: Vec::new(),
            replaced: Vec::new(),
            policies: Vec::new(),
            taken: BTreeSet::new(),
            names: BTreeSet::new(),
        };
        for action in &actions[start..end] {
            let columns = new_columns(action, actions, cx);
            if let (Action::AlterColumns { table, .. }, false) = (action, columns.is_empty()) {
                group.columns.insert(table.clone(), columns);
            }
        }
        group.keep_what_stays();
        let pairs = replaced_objects(actions, start, end);
        group.take_own_objects(actions, &pairs);
        group.take_foreign_keys(actions, &pairs);
        group.take_policies(actions);
        Some(group)
    }

    fn shadow(&self, table: &ObjectName, column: &str) -> Option<&ShadowColumn> {
        self.columns.get(table)?.iter().find(|shadow| shadow.alteration.next.name == column)
    }

    fn has(&self, table: &ObjectName, column: &str) -> bool {
        self.shadow(table, column).is_some()
    }

    fn meanwhile(&mut self, name: &str) -> String {
        free_name(name, &mut self.names)
    }

    /// Keys and indexes that do not change must survive the old column.
    fn keep_what_stays(&mut self) {
        let mut objects: Vec<(ObjectName, TableObject)> = Vec::new();
        for (table, columns) in &self.columns {
            for object in columns.iter().flat_map(|shadow| &shadow.alteration.belongings.objects) {
                if !objects.iter().any(|(other, it)| other == table && it == object) {
                    objects.push((table.clone(), object.clone()));
                }
            }
        }
        for (table, object) in objects {
            let (previous, meanwhile) = (object.clone(), self.meanwhile(object.name()));
            self.successors.push(Successor { table, object, meanwhile, previous, holds: true });
        }
    }

    /// Takes over the keys, indexes and checks that are replaced together with their columns.
    fn take_own_objects(&mut self, actions: &[Action], pairs: &[(usize, usize)]) {
        for (drop, add) in pairs.iter().copied() {
            let (Action::DropObject { table, object: previous }, Action::AddObject { object, holds, .. }) =
                (&actions[drop], &actions[add])
            else {
                continue;
            };
            let is_ours = self.is_built_on(table, previous) || self.is_built_on(table, object);
            let exists = object.columns().all(|column| !is_added(actions, table, column));
            if !is_ours || !exists {
                continue;
            }
            match object {
                TableObject::ForeignKey(_) => continue,
                TableObject::Check(check) => {
                    self.checks.push((table.clone(), check.clone(), previous.name().to_owned()));
                }
                _ if self.translated(table, object).is_none() => continue,
                _ => {
                    let meanwhile = self.meanwhile(object.name());
                    let (table, object) = (table.clone(), object.clone());
                    let previous = previous.clone();
                    self.successors.push(Successor { table, object, meanwhile, previous, holds: *holds });
                }
            }
            self.replaced.push((table.clone(), previous.clone()));
            self.taken.extend([drop, add]);
        }
    }

    /// Takes over policies over the columns. They are replaced in the cutover; otherwise, rows would be hidden between
    /// the drop of a policy and its creation.
    fn take_policies(&mut self, actions: &[Action]) {
        for (drop, add) in policy_pairs(actions) {
            let (Action::DropPolicy { table, policy: previous }, Action::CreatePolicy { policy, .. }) =
                (&actions[drop], &actions[add])
            else {
                continue;
            };
            if previous.uses.iter().any(|(named, column)| self.has(named, column)) {
                self.policies.push((table.clone(), policy.clone()));
                self.taken.extend([drop, add]);
            }
        }
    }

    /// Takes over foreign keys: each needs a unique index that it references, and columns of compatible types.
    fn take_foreign_keys(&mut self, actions: &[Action], pairs: &[(usize, usize)]) {
        for (drop, add) in pairs.iter().copied() {
            let (
                Action::DropObject { table, object: TableObject::ForeignKey(previous) },
                Action::AddObject { object: TableObject::ForeignKey(key), holds, .. },
            ) = (&actions[drop], &actions[add])
            else {
                continue;
            };
            if !self.fits(actions, table, key) || !self.fits(actions, table, previous) {
                continue;
            }
            // A logged table cannot reference one that is still unlogged.
            if [table, &key.referenced_table].into_iter().any(|table| is_relogged(actions, table)) {
                continue;
            }
            let meanwhile = self.meanwhile(&key.name);
            self.successors.push(Successor {
                table: table.clone(),
                object: TableObject::ForeignKey(key.clone()),
                meanwhile,
                previous: TableObject::ForeignKey(previous.clone()),
                holds: *holds,
            });
            self.taken.extend([drop, add]);
        }
    }

    fn fits(&self, actions: &[Action], table: &ObjectName, key: &ForeignKey) -> bool {
        let referenced = &key.referenced_table;
        let sides = [(table, &key.columns), (referenced, &key.referenced_columns)];
        let mut columns = sides.iter().flat_map(|(table, columns)| columns.iter().map(move |column| (*table, column)));
        let is_there = |(table, column): (&ObjectName, &String)| {
            !is_added(actions, table, column) && (self.has(table, column) || !is_retyped(actions, table, column))
        };
        if !columns.clone().any(|(table, column)| self.has(table, column)) || !columns.all(is_there) {
            return false;
        }
        let loses_key = actions.iter().enumerate().any(|(at, action)| {
            let is_key = |object: &TableObject| match object {
                TableObject::PrimaryKey(_) | TableObject::Unique(_) => true,
                TableObject::Index(index) => index.unique,
                _ => false,
            };
            !self.taken.contains(&at)
                && matches!(action, Action::DropObject { table, object } if table == referenced && is_key(object))
        });
        let is_new = key.referenced_columns.iter().any(|column| self.has(referenced, column));
        let has_key = self.successors.iter().any(|it| it.table == *referenced && is_key_of(&it.object, key));
        !loses_key && (!is_new || has_key)
    }

    /// Returns whether it uses one of the columns, also inside an expression.
    fn is_built_on(&self, table: &ObjectName, object: &TableObject) -> bool {
        let Some(columns) = self.columns.get(table) else { return false };
        let is_ours = |name: &str| columns.iter().any(|shadow| shadow.alteration.next.name == name);
        let mentions = |sql: &String| {
            let is_name = |token: &Token| matches!(token, Token::Word(name) | Token::Quoted(name) if is_ours(name));
            tokens(sql).is_none_or(|tokens| tokens.iter().any(is_name))
        };
        match object {
            TableObject::Check(check) => mentions(&check.expression),
            TableObject::Index(index) | TableObject::Exclusion(Exclusion { index, .. }) => {
                object.columns().any(is_ours) || index.expressions().any(mentions)
            }
            _ => object.columns().any(is_ours),
        }
    }

    /// Returns the object on the shadow columns, with its temporary name; `None` if an expression cannot be translated.
    fn translated(&self, table: &ObjectName, object: &TableObject) -> Option<TableObject> {
        let name = |column: &String| self.shadow(table, column).map_or(column, |shadow| &shadow.name).clone();
        let names = |columns: &[String]| columns.iter().map(name).collect::<Vec<_>>();
        Some(match object {
            TableObject::PrimaryKey(PrimaryKey { columns, options, .. })
            | TableObject::Unique(UniqueConstraint { columns, options, .. }) => {
                let options = ConstraintOptions { include: names(&options.include), ..options.clone() };
                TableObject::Index(Index::of_key(String::new(), &names(columns), &options))
            }
            TableObject::ForeignKey(key) => {
                let there = |column: &String| {
                    self.shadow(&key.referenced_table, column).map_or(column, |shadow| &shadow.name).clone()
                };
                let referenced_columns = key.referenced_columns.iter().map(there).collect();
                let options =
                    ConstraintOptions { delete_columns: names(&key.options.delete_columns), ..key.options.clone() };
                let columns = names(&key.columns);
                TableObject::ForeignKey(ForeignKey { columns, referenced_columns, options, ..key.clone() })
            }
            TableObject::Index(index) => {
                let mut index = Index { include: names(&index.include), ..index.clone() };
                for part in &mut index.parts {
                    match &mut part.target {
                        IndexTarget::Column(column) => *column = name(column),
                        IndexTarget::Expression(sql) => *sql = self.translated_sql(table, sql)?,
                    }
                }
                if let Some(sql) = &mut index.predicate {
                    *sql = self.translated_sql(table, sql)?;
                }
                TableObject::Index(index)
            }
            TableObject::Check(_) | TableObject::Exclusion(_) => return None,
        })
    }

    /// Returns the expression with the shadow columns; `None` if a word may be something other than a column.
    fn translated_sql(&self, table: &ObjectName, sql: &str) -> Option<String> {
        renamed_in(sql, |name| self.shadow(table, name).map(|shadow| shadow.name.as_str()))
    }
}

/// Returns the expression with other names of columns; `None` if a word may be something other than a column.
pub(super) fn renamed_in<'n>(sql: &str, rename: impl Fn(&str) -> Option<&'n str>) -> Option<String> {
    let old = tokens(sql)?;
    let mut new = Vec::with_capacity(old.len());
    for (at, token) in old.iter().enumerate() {
        let name = match token {
            Token::Word(name) | Token::Quoted(name) => rename(name),
            _ => None,
        };
        let Some(name) = name else {
            new.push(token.clone());
            continue;
        };
        let is_sign = |token: Option<&Token>, signs: &[&str]| matches!(token, Some(Token::Sign(sign)) if signs.contains(&sign.as_str()));
        let before = at.checked_sub(1).and_then(|at| old.get(at));
        let is_type = is_sign(before, &["::", "."]) || matches!(before, Some(Token::Word(word)) if word == "as");
        if is_type || is_sign(old.get(at + 1), &["(", "."]) {
            return None;
        }
        new.push(Token::Quoted(name.to_owned()));
    }
    let is_same = new == old;
    let text = || new.iter().map(Token::to_string).collect::<Vec<_>>().join(" ");
    Some(if is_same { sql.to_owned() } else { text() })
}

/// Returns whether a foreign key can reference it.
fn is_key_of(object: &TableObject, key: &ForeignKey) -> bool {
    let is_key = match object {
        TableObject::PrimaryKey(PrimaryKey { .. }) | TableObject::Unique(UniqueConstraint { .. }) => true,
        TableObject::Index(index) => index.unique && index.is_plain() && index.include.is_empty(),
        TableObject::ForeignKey(_) | TableObject::Check(_) | TableObject::Exclusion(_) => false,
    };
    let columns: BTreeSet<&str> = object.columns().collect();
    is_key && columns == key.referenced_columns.iter().map(String::as_str).collect()
}

/// Returns the positions of objects that are dropped and created again with the same name.
fn replaced_objects(actions: &[Action], start: usize, end: usize) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for (drop, action) in actions[..start].iter().enumerate() {
        let Action::DropObject { table, object } = action else { continue };
        let comes_again = |action: &Action| {
            matches!(action, Action::AddObject { table: other, object: next, .. }
                if other == table && next.name() == object.name())
        };
        if let Some(add) = actions[end..].iter().position(comes_again) {
            pairs.push((drop, end + add));
        }
    }
    pairs
}

fn is_added(actions: &[Action], table: &ObjectName, column: &str) -> bool {
    actions.iter().any(|action| match action {
        Action::CreateTable { table: other, .. } => other.name == *table,
        Action::AddColumns { table: other, columns } => {
            other == table && columns.iter().any(|spec| spec.column.name == column)
        }
        _ => false,
    })
}

fn is_retyped(actions: &[Action], table: &ObjectName, column: &str) -> bool {
    actions.iter().any(|action| match action {
        Action::AlterColumns { table: other, alterations } => {
            other == table && alterations.iter().any(|it| it.retyped && it.next.name == column)
        }
        _ => false,
    })
}

/// Returns the shadow columns of an action; empty if its table is rewritten anyway.
fn new_columns(action: &Action, actions: &[Action], cx: &AssessCx) -> Vec<ShadowColumn> {
    let Action::AlterColumns { table, alterations } = action else { return Vec::new() };
    let rewrites = |it: &&Alteration| altered_work(it) == Work::Rewrite;
    let is_renamed_later = actions.iter().skip_while(|other| *other != action).any(|other| match other {
        Action::RenameObject { table: other, .. } => other == table,
        Action::RenameSequence { from, to } => {
            alterations.iter().any(|it| it.belongings.sequences.contains(&from.sibling(to)))
        }
        _ => false,
    });
    // A policy that is dropped for good, or names other columns afterwards, must be dropped before the column.
    let pairs = policy_pairs(actions);
    let has_policy = |it: &Alteration| {
        actions.iter().enumerate().any(|(at, other)| {
            matches!(other, Action::DropPolicy { policy, .. } if names_column(policy, table, &it.next.name))
                && !pairs.iter().any(|(drop, _)| *drop == at)
        })
    };
    if alterations.iter().any(has_policy) {
        return Vec::new();
    }
    // Citus has no triggers on its tables.
    if cx.is_new(table)
        || cx.placed.contains(table)
        || cx.partitioned.contains(table)
        // The values of a shadow column would be recorded, also those that are not to be shown.
        || cx.audited.contains(table)
        || is_renamed_later
        || !alterations.iter().filter(rewrites).all(can_be_recreated)
    {
        return Vec::new();
    }
    let mut taken: BTreeSet<String> = alterations.iter().flat_map(|it| it.belongings.columns.iter().cloned()).collect();
    let shadow = |alteration: &Alteration| ShadowColumn {
        name: free_name(&alteration.next.name, &mut taken),
        alteration: alteration.clone(),
    };
    alterations.iter().filter(rewrites).map(shadow).collect()
}

/// Returns the positions at which a policy is dropped and created again with the same columns.
fn policy_pairs(actions: &[Action]) -> Vec<(usize, usize)> {
    let comes_back = |(at, action): (usize, &Action)| {
        let Action::DropPolicy { table, policy } = action else { return None };
        let columns = |policy: &Policy| policy.uses.iter().cloned().collect::<BTreeSet<_>>();
        let add = actions.iter().position(|other| {
            matches!(other, Action::CreatePolicy { table: t, policy: next }
                if t == table && next.name == policy.name && columns(next) == columns(policy))
        })?;
        Some((at, add))
    };
    actions.iter().enumerate().filter_map(comes_back).collect()
}

fn names_column(policy: &Policy, table: &ObjectName, column: &str) -> bool {
    policy.uses.iter().any(|(named, name)| named == table && name == column)
}

/// Returns a temporary name that is not in use.
fn free_name(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut free = format!("{}__new", stem(name));
    let mut number = 1;
    while !taken.insert(free.clone()) {
        number += 1;
        free = format!("{}__new{number}", stem(name));
    }
    free
}

/// Returns whether a table begins or ceases to be logged.
fn is_relogged(actions: &[Action], name: &ObjectName) -> bool {
    let is_it = |action: &Action| match action {
        Action::AlterTable { table, previous, next, .. } => table == name && previous.unlogged != next.unlogged,
        _ => false,
    };
    actions.iter().any(is_it)
}

/// Returns whether all properties of the column are known, and a new column can have them too.
fn can_be_recreated(alteration: &Alteration) -> bool {
    let Alteration { previous, next, .. } = alteration;
    let counts = |column: &Column| matches!(column.default, Some(ColumnDefault::Sequence(_)));
    let is_known = |column: &Column| column.default != Some(ColumnDefault::Unmanaged) && column.generated.is_none();
    // The old type of a replaced enum has another name until no column has it, which clients would notice.
    let enum_replaced = matches!(next.ty, DataType::Enum(_)) && previous.ty == next.ty && previous.array == next.array;
    alteration.retyped
        && !enum_replaced
        && is_known(previous)
        && is_known(next)
        && counts(previous) == counts(next)
        && previous.identity == next.identity
        && previous.used_by.is_empty()
        // A new column with a domain rewrites the table, too.
        && next.options.domain.is_none()
        // The index of an exclusion constraint cannot be built while clients write.
        && alteration.belongings.exclusions.is_empty()
}
