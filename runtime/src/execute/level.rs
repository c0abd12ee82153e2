//! Nested writes, level by level: rows of one level that are nested through the same relation are written together.

use std::mem::{Discriminant, discriminant};

use futures_util::future::{BoxFuture, FutureExt};

use super::children::{Children, ForRow};
use super::insert::insert_many;
use super::nested;
use super::upsert::upsert_many;
use crate::connection::Session;
use crate::error::{Error, Lookup, Result};
use crate::meta::Relation;
use crate::query::{Action, BulkOptions, Condition, Insert, Key, NestedWrite, Referenced, Returned, Sets};
use crate::rows::Node;

/// Writes the rows that `rows` reference. Returns what has to be written afterwards.
pub(super) async fn write_before(session: Session<'_>, rows: &mut [Insert]) -> Result<Vec<ForRow<NestedWrite>>> {
    let mut behind = Vec::new();
    for (number, row) in rows.iter_mut().enumerate() {
        let (own, theirs): (Vec<_>, Vec<_>) =
            std::mem::take(&mut row.after).into_iter().partition(|write| write.relation.referencing);
        behind.extend(theirs.into_iter().map(|write| (number, write)));
        for NestedWrite { relation, action, .. } in own {
            match action {
                Action::Create(others) => {
                    row.before.extend(others.into_iter().map(|row| Referenced { relation, key: None, row }));
                }
                Action::Connect(keys) => keys.iter().for_each(|key| nested::look_up(row, relation, key)),
                Action::ConnectOrCreate(key, other) => {
                    row.before.push(Referenced { relation, key: Some(key), row: other });
                }
                _ => return Err(nested::changes_nothing()),
            }
        }
    }
    write_parents(session, rows).await?;
    Ok(behind)
}

/// Connects to existing rows or creates them, each once.
async fn connect_or_create(
    session: Session<'_>,
    rows: &mut [Insert],
    relation: &'static Relation,
    others: Vec<ForRow<(Insert, Key)>>,
) -> Result<()> {
    let (numbers, others): (Vec<_>, Vec<_>) = others.into_iter().unzip();
    let upserted = upsert_many(session, others, &Sets::new(), &Condition::ALL).await?;
    for (number, place) in numbers.into_iter().zip(upserted.places) {
        point_at(&mut rows[number], relation, &upserted.node, place)?;
    }
    Ok(())
}

/// Rows that are reached through one relation.
type OfRelation<T> = (&'static Relation, Vec<ForRow<T>>);

/// Writes the referenced rows, those of one relation together.
pub(super) fn write_parents<'a>(session: Session<'a>, rows: &'a mut [Insert]) -> BoxFuture<'a, Result<()>> {
    async move {
        let mut either: Vec<OfRelation<(Insert, Key)>> = Vec::new();
        let mut parents: Vec<OfRelation<Insert>> = Vec::new();
        for (number, row) in rows.iter_mut().enumerate() {
            for Referenced { relation, key, row } in std::mem::take(&mut row.before) {
                match key {
                    Some(key) => add(&mut either, relation, [(number, (row, key))]),
                    None => add(&mut parents, relation, [(number, row)]),
                }
            }
        }
        for (relation, others) in either {
            connect_or_create(session, rows, relation, others).await?;
        }
        for (relation, parents) in parents {
            let (numbers, parents): (Vec<_>, Vec<_>) = parents.into_iter().unzip();
            let parents = create(session, relation, parents).await?;
            for (place, number) in numbers.into_iter().enumerate() {
                point_at(&mut rows[number], relation, &parents, place)?;
            }
        }
        Ok(())
    }
    .boxed()
}

pub(super) fn point_at(row: &mut Insert, relation: &Relation, others: &Node, place: usize) -> Result<()> {
    if place >= others.len() {
        return Err(Error::not_related(relation, Lookup::Connect));
    }
    row.point_at(relation.parent_columns, relation.child_columns, others.cursor(place));
    Ok(())
}

/// Adds rows to those of the same relation.
fn add<T>(
    relations: &mut Vec<(&'static Relation, Vec<T>)>,
    relation: &'static Relation,
    rows: impl IntoIterator<Item = T>,
) {
    match relations.iter_mut().find(|(known, _)| std::ptr::eq(*known, relation)) {
        Some((_, known)) => known.extend(rows),
        None => relations.push((relation, rows.into_iter().collect())),
    }
}

pub(super) async fn create(session: Session<'_>, relation: &'static Relation, rows: Vec<Insert>) -> Result<Node> {
    let options = BulkOptions { returned: Returned::Rows, ..BulkOptions::default() };
    Ok(Node::new(relation.child, insert_many(session, rows, options).await?.rows))
}

/// Writes of one kind to the rows of one relation, for several parents.
struct Group {
    relation: &'static Relation,
    kind: Discriminant<Action>,
    actions: Vec<ForRow<Action>>,
}

/// Returns the first writes of all rows, then the second ones, and so on, so that those of each row stay in order.
/// Consecutive writes of one kind and one relation become one. `writes` are sorted by row.
fn rounds(writes: Vec<ForRow<NestedWrite>>) -> Vec<Vec<Group>> {
    let mut rounds: Vec<Vec<Group>> = Vec::new();
    let mut before: Option<(usize, usize, &'static Relation, Discriminant<Action>)> = None;
    for (number, NestedWrite { relation, action, .. }) in writes {
        let kind = discriminant(&action);
        let round = match before {
            Some((same, round, last, last_kind)) if same == number => {
                round + usize::from(!(std::ptr::eq(last, relation) && last_kind == kind))
            }
            _ => 0,
        };
        before = Some((number, round, relation, kind));
        if rounds.len() <= round {
            rounds.push(Vec::new());
        }
        let round = &mut rounds[round];
        match round.iter_mut().find(|group| std::ptr::eq(group.relation, relation) && group.kind == kind) {
            Some(group) => group.actions.push((number, action)),
            None => round.push(Group { relation, kind, actions: vec![(number, action)] }),
        }
    }
    rounds
}

/// Writes the rows that belong to the rows of a node.
pub(super) fn write_after<'a>(
    session: Session<'a>,
    node: &'a Node,
    writes: Vec<ForRow<NestedWrite>>,
) -> BoxFuture<'a, Result<()>> {
    async move {
        for Group { relation, actions, .. } in rounds(writes).into_iter().flatten() {
            Children { session, parents: node, relation }.write(actions).await?;
        }
        Ok(())
    }
    .boxed()
}
