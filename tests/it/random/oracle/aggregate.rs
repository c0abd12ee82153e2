//! Aggregates of rows, and of groups of rows.

use std::cmp::Ordering;

use relata::rust_decimal::Decimal;

use super::super::query::{GroupTerm, Groups, Having, Rows};
use super::super::value::{Plain, Value};
use super::super::world::{Calculation, Model, Row, World};
use super::condition::{compare, meets};
use super::rows::read;

/// Returns the aggregates of the model for the rows of a query.
pub(crate) fn aggregate(world: &World, model: usize, query: &Rows) -> Vec<Value> {
    let rows = read(world, model, world.rows[model].iter().collect(), query).rows;
    calculations(&world.models[model], &rows)
}

fn calculations(model: &Model, rows: &[&Row]) -> Vec<Value> {
    model.calculations.iter().map(|calculation| calculate(model, *calculation, rows)).collect()
}

/// Returns the values of the columns and the aggregates, for each group.
pub(crate) fn groups(world: &World, model: usize, query: &Groups) -> Vec<(Vec<Value>, Vec<Value>)> {
    let info = &world.models[model];
    let columns = &info.columns[query.by];
    let mut groups: Vec<Vec<&Row>> = Vec::new();
    for row in world.rows[model].iter().filter(|row| meets(world, model, row, query.filter.as_ref())) {
        let agrees = |group: &&mut Vec<&Row>| columns.iter().all(|column| group[0][*column].same(&row[*column]));
        match groups.iter_mut().find(agrees) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    let values_of = |group: Vec<&Row>| {
        let keys = columns.iter().map(|column| group[0][*column].clone()).collect();
        (keys, calculations(info, &group))
    };
    let mut groups: Vec<(Vec<Value>, Vec<Value>)> = groups.into_iter().map(values_of).collect();
    groups.retain(|(_, values)| query.having.as_ref().is_none_or(|having| truth(values, having) == Some(true)));
    groups.sort_by(|left, right| {
        query
            .order
            .iter()
            .fold(Ordering::Equal, |before, term| before.then_with(|| by_term(columns, term, left, right)))
    });
    let skip = usize::try_from(query.skip.unwrap_or(0)).expect("is small");
    let take = query.take.map_or(usize::MAX, |take| usize::try_from(take).expect("is small"));
    groups.into_iter().skip(skip).take(take).collect()
}

fn by_term(
    columns: &[usize],
    term: &GroupTerm,
    left: &(Vec<Value>, Vec<Value>),
    right: &(Vec<Value>, Vec<Value>),
) -> Ordering {
    let (left, right, descending, nulls_first) = match term {
        GroupTerm::Field(field, descending, nulls) => {
            let place = columns.iter().position(|column| column == field).expect("is grouped by");
            (&left.0[place], &right.0[place], *descending, nulls)
        }
        GroupTerm::Calculated(place, descending, nulls) => (&left.1[*place], &right.1[*place], *descending, nulls),
    };
    left.compare_nullable(right, descending, nulls_first.unwrap_or(descending))
}

fn truth(values: &[Value], having: &Having) -> Option<bool> {
    match having {
        Having::And(parts) => match (truth(values, &parts[0]), truth(values, &parts[1])) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        },
        Having::Or(parts) => match (truth(values, &parts[0]), truth(values, &parts[1])) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        },
        Having::Not(part) => truth(values, part).map(|truth| !truth),
        Having::Compare(place, operator, value) => compare(&values[*place], *operator, value),
    }
}

fn calculate(model: &Model, calculation: Calculation, rows: &[&Row]) -> Value {
    let values = |field: usize| rows.iter().map(move |row| &row[field]).filter(|value| !value.is_null());
    let integer = |count: usize| Value::Int(i64::try_from(count).expect("is small"));
    match calculation {
        Calculation::Rows => integer(rows.len()),
        Calculation::Count(field) => integer(values(field).count()),
        Calculation::CountDistinct(field) => {
            let mut distinct: Vec<&Value> = Vec::new();
            for value in values(field) {
                if !distinct.iter().any(|known| known.compare(value).is_eq()) {
                    distinct.push(value);
                }
            }
            integer(distinct.len())
        }
        Calculation::Sum(field) => match sum(values(field)) {
            Value::Null => zero_of(&model.fields[field].pool[0]),
            sum => sum,
        },
        Calculation::Average(field) => average(values(field)),
        Calculation::Least(field) => extreme(values(field), Ordering::Less),
        Calculation::Greatest(field) => extreme(values(field), Ordering::Greater),
    }
}

fn zero_of(value: &Value) -> Value {
    match value {
        Value::Int(_) => Value::Int(0),
        Value::Float(_) => Value::Float(0.0),
        _ => Value::Decimal(Decimal::ZERO),
    }
}

/// The result for no values is null.
fn sum<'v>(values: impl Iterator<Item = &'v Value>) -> Value {
    values.fold(Value::Null, |sum, value| match (sum, value) {
        (Value::Null, value) => value.clone(),
        (Value::Int(sum), value) => Value::Int(sum + i64::of(value)),
        (Value::Float(sum), value) => Value::Float(sum + f64::of(value)),
        (Value::Decimal(sum), value) => Value::Decimal(sum + Decimal::of(value)),
        (sum, _) => panic!("{sum:?} is no number"),
    })
}

fn average<'v>(values: impl Iterator<Item = &'v Value>) -> Value {
    let values: Vec<&Value> = values.collect();
    match sum(values.iter().copied()) {
        Value::Int(sum) => Value::Float(sum as f64 / values.len() as f64),
        Value::Float(sum) => Value::Float(sum / values.len() as f64),
        Value::Decimal(sum) => Value::Decimal(sum / Decimal::from(values.len())),
        _ => Value::Null,
    }
}

fn extreme<'v>(values: impl Iterator<Item = &'v Value>, wanted: Ordering) -> Value {
    let best = values.reduce(|best, value| if value.compare(best) == wanted { value } else { best });
    best.cloned().unwrap_or(Value::Null)
}
