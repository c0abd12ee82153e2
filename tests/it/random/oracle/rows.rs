//! Which rows a query returns, and in which order.

use std::cmp::Ordering;

use super::super::query::{OrderKey, Rows, Term};
use super::super::value::Value;
use super::super::world::{Arity, Model, Row, World};
use super::condition::meets;

/// The rows of a query.
#[derive(Debug)]
pub(crate) struct Sorted<'w> {
    /// The expected rows.
    pub(crate) rows: Vec<&'w Row>,
    /// The rows that may replace them: if rows are equal in the order, the database may cut between them anywhere.
    pub(crate) candidates: Vec<&'w Row>,
    /// The order of the result; empty if there is none.
    pub(crate) order: Vec<Term>,
}

/// Returns the rows of `from` that a query of a model finds.
pub(crate) fn read<'w>(world: &'w World, model: usize, from: Vec<&'w Row>, query: &Rows) -> Sorted<'w> {
    let mut rows: Vec<&Row> = from.into_iter().filter(|row| meets(world, model, row, query.filter.as_ref())).collect();
    let total = total_order(&world.models[model], &query.order);
    if let Some(columns) = query.distinct {
        rows.sort_by(|left, right| compare(world, model, &total, left, right));
        rows = first_of_each(rows, &world.models[model].columns[columns]);
    }
    if let Some((key, values)) = &query.cursor {
        let key = &world.models[model].keys[*key];
        let is_cursor =
            |row: &&Row| key.iter().zip(values).all(|(field, value)| !row[*field].is_null() && row[*field] == *value);
        match world.rows[model].iter().find(is_cursor) {
            Some(cursor) => rows.retain(|row| match compare(world, model, &total, row, cursor) {
                Ordering::Equal => true,
                order => order.is_lt() == query.last,
            }),
            None => rows.clear(),
        }
    }
    let order = if query.last || query.cursor.is_some() { total } else { query.order.clone() };
    rows.sort_by(|left, right| compare(world, model, &order, left, right));
    let candidates = rows.clone();
    if query.last {
        rows.reverse();
    }
    let skip = usize::try_from(query.skip.unwrap_or(0)).expect("is small");
    let take = query.take.map_or(usize::MAX, |take| usize::try_from(take).expect("is small"));
    rows = rows.into_iter().skip(skip).take(take).collect();
    if query.last {
        rows.reverse();
    }
    Sorted { rows, candidates, order }
}

/// Returns the order of the query, made total by the primary key in the direction of its last sort key.
fn total_order(model: &Model, order: &[Term]) -> Vec<Term> {
    let mut total = order.to_vec();
    for field in &model.keys[0] {
        if !total.iter().any(|term| term.key == OrderKey::Field(*field)) {
            let descending = total.last().is_some_and(|term| term.descending);
            total.push(Term { key: OrderKey::Field(*field), descending, nulls_first: None });
        }
    }
    total
}

fn first_of_each<'w>(rows: Vec<&'w Row>, columns: &[usize]) -> Vec<&'w Row> {
    let mut first: Vec<&Row> = Vec::new();
    for row in rows {
        let agrees = |known: &&Row| columns.iter().all(|column| known[*column].same(&row[*column]));
        if !first.iter().any(agrees) {
            first.push(row);
        }
    }
    first
}

pub(crate) fn compare(world: &World, model: usize, order: &[Term], left: &Row, right: &Row) -> Ordering {
    order.iter().fold(Ordering::Equal, |before, term| {
        before.then_with(|| {
            let (left, right) = (value(world, model, left, &term.key), value(world, model, right, &term.key));
            left.compare_nullable(&right, term.descending, term.nulls_first.unwrap_or(term.descending))
        })
    })
}

fn value(world: &World, model: usize, row: &Row, key: &OrderKey) -> Value {
    match key {
        OrderKey::Field(field) => row[*field].clone(),
        OrderKey::Related(relation, key) => {
            let info = &world.models[model].relations[*relation];
            assert_ne!(info.arity, Arity::Many, "only to-one relations have values to order by");
            let rows = world.related(model, row, *relation);
            rows.first().map_or(Value::Null, |row| value(world, info.child, row, key))
        }
        OrderKey::Count(relation, condition) => {
            let child = world.models[model].relations[*relation].child;
            let rows = world.related(model, row, *relation);
            let count = rows.iter().filter(|row| meets(world, child, row, condition.as_ref())).count();
            Value::Int(i64::try_from(count).expect("is small"))
        }
    }
}
