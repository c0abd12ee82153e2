//! Guards of an online plan that look for keys which would no longer be unique, before anything is changed.
//!
//! A guard reads the whole table, so it is a separate statement outside of transactions, without a lock that others
//! wait for. Rows that are written after it can still make the index fail.

use super::Transaction;
use super::action::{Action, UniqueGuard};
use super::assess::AssessCx;
use super::shadow::renamed_in;
use crate::sql::expression::{Token, tokens};
use crate::sql::state::ObjectName;

/// Returns the guards for the keys of a plan. Guards that cannot be written are left out.
pub(super) fn guards(actions: &[Action], cx: &AssessCx) -> Vec<UniqueGuard> {
    let added = actions.iter().filter_map(|action| match action {
        Action::AddObject { table, object, .. } => Some((table, object)),
        _ => None,
    });
    let mut found: Vec<UniqueGuard> = Vec::new();
    for (table, object) in cx.conversions.keys().chain(added) {
        let is_threatened = !cx.is_new(table) && cx.conversions.may_merge(table, object);
        let guard = if is_threatened { cx.conversions.guard(table, object) } else { None };
        let guard = guard.filter(|guard| !names_new_column(guard, actions) && !found.contains(guard));
        found.extend(guard);
    }
    found
}

/// Puts each guard at the beginning of the plan, with the old names. If it cannot be written there, puts it before the
/// first step that changes its table.
pub(super) fn guard_keys(steps: &mut Vec<(Action, Transaction)>, guards: Vec<UniqueGuard>) {
    let is_guard = |(action, _): &&(Action, Transaction)| matches!(action, Action::Guard(_));
    let has_copy = steps.iter().filter(is_guard).count() > 2 && steps.first().is_some_and(|step| is_guard(&step));
    let front = usize::from(has_copy);
    let (mut first, mut late) = (Vec::new(), Vec::new());
    for guard in guards {
        let Some(at) = steps.iter().position(|(action, _)| concerns(action, &guard.table)) else { continue };
        match steps[..at].iter().rev().try_fold(guard.clone(), |guard, (action, _)| earlier(guard, action)) {
            Some(guard) => first.push((Action::GuardUnique(guard), Transaction::Outside)),
            None => late.push((at, (Action::GuardUnique(guard), Transaction::Outside))),
        }
    }
    late.sort_by_key(|(at, _)| *at);
    for (at, step) in late.into_iter().rev() {
        steps.insert(at, step);
    }
    steps.splice(front..front, first);
}

fn concerns(action: &Action, table: &ObjectName) -> bool {
    match action {
        Action::Guard(guard) => guard.columns.iter().any(|(other, ..)| other == table),
        Action::AlterColumns { table: other, .. }
        | Action::AddObject { table: other, .. }
        | Action::CreateIndexConcurrently { table: other, .. }
        | Action::BackfillInBatches { table: other, .. } => other == table,
        _ => false,
    }
}

/// Returns the guard as it must be written before an action; `None` if that is unknown.
fn earlier(mut guard: UniqueGuard, action: &Action) -> Option<UniqueGuard> {
    match action {
        Action::RenameTable { from, to } if from.sibling(to) == guard.table => {
            guard = without_table(guard)?;
            guard.table = from.clone();
        }
        Action::MoveTable { from, schema } if ObjectName::new(Some(schema), &from.name) == guard.table => {
            guard = without_table(guard)?;
            guard.table = from.clone();
        }
        Action::RenameColumn { table, from, to } if *table == guard.table => {
            let rename = |name: &str| (name == to).then_some(from.as_str());
            let renamed = |sql: &String| renamed_in(sql, rename);
            guard.values = guard.values.iter().map(renamed).collect::<Option<_>>()?;
            guard.condition = match &guard.condition {
                Some(sql) => Some(renamed(sql)?),
                None => None,
            };
        }
        // A user's expression, and a type that is not PostgreSQL's own, may need something that this action creates.
        Action::CreateSchema(_)
        | Action::CreateExtension(_)
        | Action::UpdateExtension { .. }
        | Action::MoveExtension { .. }
        | Action::RenameEnum { .. }
        | Action::MoveEnum { .. }
        | Action::RenameLabel { .. }
        | Action::AddLabel { .. }
        | Action::CreateEnum(_)
        | Action::Catalog(_)
        | Action::TrustBodies
        | Action::CheckBodies(_)
        | Action::NoteBelongings(_)
        | Action::RestoreBelongings
        | Action::CreateOther(_)
        | Action::ChangeOther(_)
            if guard.is_custom =>
        {
            return None;
        }
        _ => {}
    }
    Some(guard)
}

/// Returns the guard, if none of its expressions can name the table.
fn without_table(guard: UniqueGuard) -> Option<UniqueGuard> {
    let is_named = texts(&guard).any(|sql| names(sql, |name| name == guard.table.name));
    (!is_named).then_some(guard)
}

fn names_new_column(guard: &UniqueGuard, actions: &[Action]) -> bool {
    let is_new = |name: &str| {
        actions.iter().any(|action| match action {
            Action::AddColumns { table, columns } => {
                *table == guard.table && columns.iter().any(|spec| spec.column.name == name)
            }
            _ => false,
        })
    };
    texts(guard).any(|sql| names(sql, is_new))
}

fn texts(guard: &UniqueGuard) -> impl Iterator<Item = &String> {
    guard.values.iter().chain(&guard.condition)
}

/// Returns whether a name in an expression satisfies the condition. An expression that cannot be parsed may contain any
/// name.
fn names(sql: &str, is_such: impl Fn(&str) -> bool) -> bool {
    let is_name = |token: &Token| matches!(token, Token::Word(name) | Token::Quoted(name) if is_such(name));
    tokens(sql).is_none_or(|tokens| tokens.iter().any(is_name))
}
