//! Smaller queries: each lacks one part of the original.

use super::query::{Condition, Groups, Having, OrderKey, Query, Rows, Term};

/// Returns all queries that are one step smaller.
pub(crate) fn smaller(query: &Query) -> Vec<Query> {
    match query {
        Query::Find(shape, rows) => smaller_rows(rows).into_iter().map(|rows| Query::Find(*shape, rows)).collect(),
        Query::First(shape, rows) => smaller_rows(rows).into_iter().map(|rows| Query::First(*shape, rows)).collect(),
        Query::Unique(shape, key, rows) => {
            smaller_rows(rows).into_iter().map(|rows| Query::Unique(*shape, key.clone(), rows)).collect()
        }
        Query::Pages(size, rows) => smaller_rows(rows).into_iter().map(|rows| Query::Pages(*size, rows)).collect(),
        Query::PagesBack(size, rows) => {
            smaller_rows(rows).into_iter().map(|rows| Query::PagesBack(*size, rows)).collect()
        }
        Query::Stream(rows) => smaller_rows(rows).into_iter().map(Query::Stream).collect(),
        // The last sort keys of the order are the key. Without it, the right result would not be known.
        Query::Select(place, rows) => without_order(rows).into_iter().map(|rows| Query::Select(*place, rows)).collect(),
        Query::Aggregate(rows) => without_order(rows).into_iter().map(Query::Aggregate).collect(),
        Query::Count(filter) => smaller_filter(filter).into_iter().map(Query::Count).collect(),
        Query::Exists(filter) => smaller_filter(filter).into_iter().map(Query::Exists).collect(),
        Query::GroupBy(groups) => smaller_groups(groups).into_iter().map(Query::GroupBy).collect(),
    }
}

fn without_order(rows: &Rows) -> Vec<Rows> {
    smaller_rows(rows).into_iter().filter(|smaller| smaller.order == rows.order).collect()
}

fn smaller_rows(rows: &Rows) -> Vec<Rows> {
    let mut all: Vec<Rows> =
        smaller_filter(&rows.filter).into_iter().map(|filter| Rows { filter, ..rows.clone() }).collect();
    let mut also = |changed: bool, change: &dyn Fn(&mut Rows)| {
        if changed {
            let mut smaller = rows.clone();
            change(&mut smaller);
            all.push(smaller);
        }
    };
    also(rows.take.is_some(), &|rows| (rows.take, rows.last) = (None, false));
    also(rows.skip.is_some(), &|rows| rows.skip = None);
    also(rows.cursor.is_some(), &|rows| rows.cursor = None);
    also(rows.distinct.is_some(), &|rows| rows.distinct = None);
    for place in 0..rows.order.len() {
        also(true, &|rows| drop(rows.order.remove(place)));
        for term in smaller_terms(&rows.order[place]) {
            also(true, &|rows| rows.order[place] = term.clone());
        }
    }
    // The relations of a shape stay, because the shape is a type; their rows can be simpler.
    for (place, include) in rows.includes.iter().enumerate() {
        for inner in smaller_rows(&include.rows) {
            also(true, &|rows| rows.includes[place].rows = inner.clone());
        }
    }
    all
}

fn smaller_terms(term: &Term) -> Vec<Term> {
    let mut all = Vec::new();
    if term.nulls_first.is_some() {
        all.push(Term { nulls_first: None, ..term.clone() });
    }
    if let OrderKey::Count(relation, Some(condition)) = &term.key {
        let simpler = smaller_filter(&Some(condition.clone()));
        all.extend(simpler.into_iter().map(|filter| Term { key: OrderKey::Count(*relation, filter), ..term.clone() }));
    }
    all
}

fn smaller_filter(filter: &Option<Condition>) -> Vec<Option<Condition>> {
    let Some(condition) = filter else { return Vec::new() };
    std::iter::once(None).chain(smaller_conditions(condition).into_iter().map(Some)).collect()
}

fn smaller_conditions(condition: &Condition) -> Vec<Condition> {
    let of_parts = |parts: &[Condition], make: fn(Vec<Condition>) -> Condition| {
        let mut all: Vec<Condition> = parts.to_vec();
        for place in 0..parts.len() {
            let mut fewer = parts.to_vec();
            fewer.remove(place);
            all.push(make(fewer));
            all.extend(smaller_conditions(&parts[place]).into_iter().map(|part| {
                let mut changed = parts.to_vec();
                changed[place] = part;
                make(changed)
            }));
        }
        all
    };
    match condition {
        Condition::And(parts) => of_parts(parts, Condition::And),
        Condition::Or(parts) => of_parts(parts, Condition::Or),
        Condition::All(parts) => of_parts(parts, Condition::All),
        Condition::Any(parts) => of_parts(parts, Condition::Any),
        Condition::Not(part) => {
            let inner = smaller_conditions(part).into_iter().map(|part| Condition::Not(Box::new(part)));
            std::iter::once((**part).clone()).chain(inner).collect()
        }
        Condition::Related(relation, reach, inner) => {
            let related = |inner| Condition::Related(*relation, *reach, Box::new(inner));
            let everything = (**inner != Condition::And(Vec::new())).then(|| Condition::And(Vec::new()));
            everything.into_iter().chain(smaller_conditions(inner)).map(related).collect()
        }
        Condition::Field(..) | Condition::Pair(..) => Vec::new(),
    }
}

fn smaller_groups(groups: &Groups) -> Vec<Groups> {
    let mut all: Vec<Groups> =
        smaller_filter(&groups.filter).into_iter().map(|filter| Groups { filter, ..groups.clone() }).collect();
    if let Some(having) = &groups.having {
        all.push(Groups { having: None, ..groups.clone() });
        let parts: Vec<Having> = match having {
            Having::And(parts) | Having::Or(parts) => parts.to_vec(),
            Having::Not(part) => vec![(**part).clone()],
            Having::Compare(..) => Vec::new(),
        };
        all.extend(parts.into_iter().map(|part| Groups { having: Some(part), ..groups.clone() }));
    }
    if groups.take.is_some() || groups.skip.is_some() {
        all.push(Groups { take: None, skip: None, ..groups.clone() });
    }
    all
}
