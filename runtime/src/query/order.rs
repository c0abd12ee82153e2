//! Sort keys, as data.

use std::fmt::Write;

use super::condition::{Condition, MAX_DEPTH, Search};
use super::expression::Expression;
use super::json_place::JsonPlace;
use crate::meta::{Column, Relation, Table};

/// A value that rows are sorted by.
#[derive(Debug, Clone)]
pub(crate) struct OrderTerm {
    pub(crate) key: OrderKey,
    pub(crate) descending: bool,
    pub(crate) nulls_first: Option<bool>,
    /// Whether the value can be null.
    pub(crate) nullable: bool,
}

/// The value of a sort key. Column numbers refer to the sorted table, or to the table that a relation leads to.
#[derive(Debug, Clone)]
pub(crate) enum OrderKey {
    Column(u16),
    /// The number of rows of a relation that match a condition.
    Count {
        relation: &'static Relation,
        condition: Condition,
    },
    /// A value of the row that a to-one relation leads to.
    Related {
        relation: &'static Relation,
        key: Box<OrderKey>,
    },
    /// The relevance of a text for a full-text query.
    Relevance(Search),
    Expression(Expression),
    /// A value inside a Json column.
    JsonField(JsonPlace),
    /// A sort key that cannot be sent, and why.
    Refused(&'static str),
}

impl OrderKey {
    /// A value of the row that a to-one relation leads to.
    pub(crate) fn related(relation: &'static Relation, key: OrderKey) -> Self {
        let mut inner = &key;
        for _ in 1..MAX_DEPTH {
            match inner {
                OrderKey::Related { key, .. } => inner = key,
                _ => return OrderKey::Related { relation, key: Box::new(key) },
            }
        }
        OrderKey::Refused("the order leads through more than 256 relations")
    }

    /// Returns the column of the value, if there is one.
    pub(crate) fn column(&self, table: &'static Table) -> Option<&'static Column> {
        match self {
            OrderKey::Column(column) => Some(&table.columns[usize::from(*column)]),
            OrderKey::Count { .. }
            | OrderKey::Relevance(_)
            | OrderKey::Expression(_)
            | OrderKey::JsonField(_)
            | OrderKey::Refused(_) => None,
            OrderKey::Related { relation, key } => key.column(relation.child),
        }
    }

    /// Returns a `@sensitive` column that the value is in, is a part of, or is computed from.
    pub(crate) fn sensitive_column(&self, table: &'static Table) -> Option<&'static Column> {
        let number = match self {
            OrderKey::Column(column) => *column,
            OrderKey::Relevance(search) => search.column,
            OrderKey::Expression(expression) => return expression.find_column(table, |column| column.sensitive),
            OrderKey::JsonField(place) => place.column,
            OrderKey::Count { .. } | OrderKey::Refused(_) => return None,
            OrderKey::Related { relation, key } => return key.sensitive_column(relation.child),
        };
        Some(&table.columns[usize::from(number)]).filter(|column| column.sensitive)
    }

    /// Writes the order in words, including search texts. Only its fingerprint is used.
    fn write_signature(&self, table: &'static Table, text: &mut String) {
        // Writing into a String cannot fail.
        let _ = match self {
            OrderKey::Column(column) => write!(text, "{}", table.columns[usize::from(*column)].name),
            OrderKey::Count { relation, condition } => write!(text, "count {} {condition:?}", relation.name),
            OrderKey::Relevance(search) => write!(text, "{search:?} {}", search.words()),
            OrderKey::Expression(expression) => expression.write_signature(text),
            OrderKey::JsonField(place) => {
                write!(text, "{} {:?}", table.columns[usize::from(place.column)].name, place.path)
            }
            OrderKey::Refused(_) => Ok(()),
            OrderKey::Related { relation, key } => {
                let _ = write!(text, "{}.", relation.name);
                key.write_signature(relation.child, text);
                Ok(())
            }
        };
    }
}

impl OrderTerm {
    /// A column of the primary key.
    pub(crate) fn by_key(column: u16, descending: bool) -> Self {
        Self { key: OrderKey::Column(column), descending, nulls_first: None, nullable: false }
    }

    pub(crate) fn is_column(&self, number: u16) -> bool {
        matches!(self.key, OrderKey::Column(column) if column == number)
    }

    /// Returns whether nulls come first. By default, PostgreSQL treats nulls as larger than every value.
    pub(crate) fn has_nulls_first(&self) -> bool {
        self.nulls_first.unwrap_or(self.descending)
    }

    /// Returns the opposite order, including that of nulls.
    pub(crate) fn reversed(mut self) -> Self {
        self.descending = !self.descending;
        self.nulls_first = self.nulls_first.map(|first| !first);
        self
    }
}

/// Returns a text for the order that is stable as long as the schema is.
pub(crate) fn signature(terms: &[OrderTerm], table: &'static Table) -> String {
    let mut text = format!("{}:", table.name);
    for term in terms {
        term.key.write_signature(table, &mut text);
        text.push_str(if term.descending { " desc" } else { " asc" });
        text.push_str(if term.has_nulls_first() { " first;" } else { " last;" });
    }
    text
}
