//! Compares the client's result with the oracle's.

use super::oracle;
use super::query::{Include, Query, Rows};
use super::subject::Tree;
use super::value::Value;
use super::world::{Arity, Class, Model, Row, Selected, World};

/// Describes the difference, if there is one.
pub(crate) fn check(world: &World, model: usize, query: &Query, got: &[Tree]) -> Result<(), String> {
    let all = || world.rows[model].iter().collect::<Vec<_>>();
    match query {
        Query::Find(_, rows) | Query::Stream(rows) => whole_rows(world, model, all(), rows, got),
        Query::First(_, rows) => whole_rows(world, model, all(), &Rows { take: Some(1), ..rows.clone() }, got),
        Query::Unique(_, (key, values), rows) => {
            let key = &world.models[model].keys[*key];
            let has_key = |row: &&Row| key.iter().zip(values).all(|(field, value)| row[*field] == *value);
            whole_rows(world, model, all().into_iter().filter(has_key).collect(), rows, got)
        }
        Query::Pages(_, rows) | Query::PagesBack(_, rows) => {
            // Pages make the order total, as a cursor does.
            let total = Rows { last: true, take: None, ..rows.clone() };
            whole_rows(world, model, all(), &total, got)
        }
        Query::Select(place, rows) => {
            let rows = oracle::read(world, model, all(), rows).rows;
            let expected =
                rows.into_iter().map(|row| selected(world, model, row, &world.models[model].selections[*place]));
            same_lists(got, &expected.collect::<Vec<_>>())
        }
        Query::Count(filter) => {
            let count = all().into_iter().filter(|row| oracle::meets(world, model, row, filter.as_ref())).count();
            same_lists(got, &[Tree::Value(Value::Int(i64::try_from(count).expect("is small")))])
        }
        Query::Exists(filter) => {
            let exists = all().into_iter().any(|row| oracle::meets(world, model, row, filter.as_ref()));
            same_lists(got, &[Tree::Value(Value::Bool(exists))])
        }
        Query::Aggregate(rows) => same_lists(got, &[values(oracle::aggregate(world, model, rows))]),
        Query::GroupBy(groups) => {
            let columns = &world.models[model].columns[groups.by];
            let expected = oracle::groups(world, model, groups).into_iter().map(|(keys, calculated)| {
                let keys = columns.iter().zip(keys).map(|(column, key)| as_read(&world.models[model], *column, &key));
                Tree::Row(vec![values(keys.collect()), values(calculated)])
            });
            same_lists(got, &expected.collect::<Vec<_>>())
        }
    }
}

fn values(values: Vec<Value>) -> Tree {
    Tree::Row(values.into_iter().map(Tree::Value).collect())
}

/// The client reads a list that is null as an empty one.
fn as_read(model: &Model, field: usize, value: &Value) -> Value {
    match model.fields[field].class {
        Class::List if value.is_null() => Value::List(Vec::new()),
        _ => value.clone(),
    }
}

/// Compares rows with their relations. Each row must be the oracle's, or one that is equal in the order.
fn whole_rows(world: &World, model: usize, from: Vec<&Row>, query: &Rows, got: &[Tree]) -> Result<(), String> {
    let mut sorted = oracle::read(world, model, from, query);
    let name = world.models[model].name;
    if got.len() != sorted.rows.len() {
        return Err(format!("{} rows of {name} came, expected {}: {:?}", got.len(), sorted.rows.len(), sorted.rows));
    }
    for (place, (tree, expected)) in got.iter().zip(&sorted.rows).enumerate() {
        let Tree::Row(parts) = tree else { return Err(format!("{tree:?} is no row")) };
        let is_this = |row: &&Row| same(&parts[0], &whole(&world.models[model], row));
        let Some(found) = sorted.candidates.iter().position(is_this) else {
            return Err(format!("{name} {place}: {:?} came, expected {expected:?}", parts[0]));
        };
        let row = sorted.candidates.swap_remove(found);
        if oracle::compare(world, model, &sorted.order, row, expected).is_ne() {
            return Err(format!("{name} {place}: {row:?} came, expected {expected:?}"));
        }
        for include in &query.includes {
            included(world, model, row, include, parts).map_err(|reason| format!("{name} {place}: {reason}"))?;
        }
    }
    Ok(())
}

fn whole(model: &Model, row: &Row) -> Tree {
    values(row.iter().enumerate().map(|(field, value)| as_read(model, field, value)).collect())
}

fn included(world: &World, model: usize, row: &Row, include: &Include, parts: &[Tree]) -> Result<(), String> {
    let relation = &world.models[model].relations[include.relation];
    let children = world.related(model, row, include.relation);
    let one;
    let got: &[Tree] = match (&parts[include.relation + 1], relation.arity) {
        (Tree::Rows(rows), Arity::Many) => rows,
        (Tree::Value(Value::Null), Arity::Maybe) => &[],
        (row @ Tree::Row(_), Arity::One | Arity::Maybe) => {
            one = [row.clone()];
            &one
        }
        (other, _) => return Err(format!("{} is {other:?}", relation.name)),
    };
    whole_rows(world, relation.child, children, &include.rows, got)
        .map_err(|reason| format!("{}: {reason}", relation.name))
}

fn selected(world: &World, model: usize, row: &Row, selection: &[Selected]) -> Tree {
    let info = &world.models[model];
    let value = |value: &Selected| match value {
        Selected::Field(name) => {
            let field = info.field(name);
            Tree::Value(as_read(info, field, &row[field]))
        }
        Selected::Count(name) => {
            let count = world.related(model, row, info.relation(name)).len();
            Tree::Value(Value::Int(i64::try_from(count).expect("is small")))
        }
        Selected::Related(name, inner) => {
            let relation = &info.relations[info.relation(name)];
            let mut rows = world.related(model, row, info.relation(name));
            let key = world.models[relation.child].keys[0][0];
            rows.sort_by(|left, right| left[key].compare(&right[key]));
            let mut rows: Vec<Tree> = rows.into_iter().map(|row| selected(world, relation.child, row, inner)).collect();
            match relation.arity {
                Arity::Many => Tree::Rows(rows),
                _ => rows.pop().unwrap_or(Tree::Value(Value::Null)),
            }
        }
    };
    Tree::Row(selection.iter().map(value).collect())
}

fn same_lists(got: &[Tree], expected: &[Tree]) -> Result<(), String> {
    match got.len() == expected.len() && got.iter().zip(expected).all(|(got, expected)| same(got, expected)) {
        true => Ok(()),
        false => Err(format!("came {got:?}\nexpected {expected:?}")),
    }
}

fn same(got: &Tree, expected: &Tree) -> bool {
    match (got, expected) {
        (Tree::Value(got), Tree::Value(expected)) => got.same(expected),
        (Tree::Row(got), Tree::Row(expected)) | (Tree::Rows(got), Tree::Rows(expected)) => {
            got.len() == expected.len() && got.iter().zip(expected).all(|(got, expected)| same(got, expected))
        }
        _ => false,
    }
}
