//! Nested creates, level by level: all rows that rows of one level take along through one relation go together.

use futures_util::future::{BoxFuture, FutureExt};

use super::insert::{BulkOptions, insert_many, upsert};
use super::nested;
use crate::connection::Session;
use crate::create::Insert;
use crate::error::{Error, Result};
use crate::nested::{Action, NestedWrite};
use crate::result::Node;
use crate::sql;
use crate::table::{JoinTable, Relation};
use crate::value::RawList;

/// A write that belongs to the row with this number.
pub(super) type OfRow<T> = (usize, T);

/// Writes what rows point at, and gives what is to be written behind them.
pub(super) async fn write_before(session: Session<'_>, rows: &mut [Insert]) -> Result<Vec<OfRow<NestedWrite>>> {
    let mut behind = Vec::new();
    for (number, row) in rows.iter_mut().enumerate() {
        let (own, theirs): (Vec<_>, Vec<_>) =
            std::mem::take(&mut row.after).into_iter().partition(|write| write.relation.referencing);
        behind.extend(theirs.into_iter().map(|write| (number, write)));
        for NestedWrite { relation, action } in own {
            match action {
                Action::Create(others) => row.before.extend(others.into_iter().map(|other| (relation, other))),
                Action::Connect(keys) => keys.iter().for_each(|key| nested::look_up(row, relation, key)),
                Action::ConnectOrCreate(key, other) => {
                    let other = upsert(session, other, key, Vec::new()).await?;
                    point_at(row, relation, &other, 0)?;
                }
                _ => return Err(nested::changes_nothing()),
            }
        }
    }
    write_parents(session, rows).await?;
    Ok(behind)
}

/// The rows that rows point at: those of one relation together.
pub(super) fn write_parents<'a>(session: Session<'a>, rows: &'a mut [Insert]) -> BoxFuture<'a, Result<()>> {
    async move {
        let mut parents: Vec<(&'static Relation, Vec<OfRow<Insert>>)> = Vec::new();
        for (number, row) in rows.iter_mut().enumerate() {
            for (relation, parent) in std::mem::take(&mut row.before) {
                add(&mut parents, relation, [(number, parent)]);
            }
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

fn point_at(row: &mut Insert, relation: &Relation, others: &Node, place: usize) -> Result<()> {
    if place >= others.len() {
        return Err(Error::NotFound { model: relation.child.name, operation: "connected" });
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

async fn create(session: Session<'_>, relation: &'static Relation, rows: Vec<Insert>) -> Result<Node> {
    let options = BulkOptions { returning: true, ..BulkOptions::default() };
    Ok(Node::new(relation.child, insert_many(session, rows, options).await?.rows))
}

/// Writes of different rows that can be carried out together.
#[derive(Default)]
struct Round {
    creates: Vec<(&'static Relation, Vec<OfRow<Insert>>)>,
    others: Vec<OfRow<NestedWrite>>,
}

/// The first writes of all rows, their second ones, and so on: each row's own stay in their order. Creates of one
/// relation behind one another are one write. `writes` come row by row.
fn rounds(writes: Vec<OfRow<NestedWrite>>) -> Vec<Round> {
    let mut rounds: Vec<Round> = Vec::new();
    let mut before: Option<(usize, usize, Option<&'static Relation>)> = None;
    for (number, NestedWrite { relation, action }) in writes {
        let creates = matches!(action, Action::Create(_)).then_some(relation);
        let round = match before {
            Some((same, round, last)) if same == number => {
                let goes_on = matches!((last, creates), (Some(last), Some(now)) if std::ptr::eq(last, now));
                round + usize::from(!goes_on)
            }
            _ => 0,
        };
        before = Some((number, round, creates));
        if rounds.len() <= round {
            rounds.push(Round::default());
        }
        match action {
            Action::Create(rows) => {
                add(&mut rounds[round].creates, relation, rows.into_iter().map(|row| (number, row)));
            }
            action => rounds[round].others.push((number, NestedWrite { relation, action })),
        }
    }
    rounds
}

/// Writes what belongs to the rows of a node: new rows of one relation together, everything else row by row.
pub(super) async fn write_behind(session: Session<'_>, node: &Node, writes: Vec<OfRow<NestedWrite>>) -> Result<()> {
    for Round { creates, others } in rounds(writes) {
        for (relation, rows) in creates {
            match relation.through {
                Some(through) => create_through(session, node, relation, through, rows).await?,
                None => create_referencing(session, node, relation, rows).await?,
            }
        }
        for (number, write) in others {
            nested::write_children(session, node.cursor(number), write).await?;
        }
    }
    Ok(())
}

async fn create_referencing(
    session: Session<'_>,
    node: &Node,
    relation: &'static Relation,
    rows: Vec<OfRow<Insert>>,
) -> Result<()> {
    let pointing = |(number, mut row): OfRow<Insert>| {
        row.point_at(relation.child_columns, relation.parent_columns, node.cursor(number));
        row
    };
    let rows = rows.into_iter().map(pointing).collect();
    insert_many(session, rows, BulkOptions::default()).await?;
    Ok(())
}

/// New rows, and then all rows of the table between them and their parents.
async fn create_through(
    session: Session<'_>,
    node: &Node,
    relation: &'static Relation,
    through: JoinTable,
    rows: Vec<OfRow<Insert>>,
) -> Result<()> {
    let (numbers, rows): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    let made = create(session, relation, rows).await?;
    let (ours, theirs) = (usize::from(relation.parent_columns[0]), usize::from(relation.child_columns[0]));
    let (mut parents, mut children) = (RawList::with_capacity(made.len()), RawList::with_capacity(made.len()));
    for (child, number) in made.cursors().zip(numbers) {
        if let (Some(parent), Some(child)) = (node.raw(number, ours), child.raw(theirs)) {
            parents.push(parent);
            children.push(child);
        }
    }
    let statement = sql::connect_many_statement(node.table, relation, through, parents, children);
    session.execute(statement, relation.child).await?;
    Ok(())
}
