//! Sort keys, as data.

use std::fmt::Write;

use super::condition::{Condition, MAX_DEPTH, Search};
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

/// What the value is. Column numbers refer to the table that is sorted, or to the one that a relation leads to.
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
    /// How relevant a text is for a full-text query.
    Relevance(Search),
    /// In the place of a key that cannot be sent: why not.
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

    /// The column that holds the value, if one does.
    pub(crate) fn column(&self, table: &'static Table) -> Option<&'static Column> {
        match self {
            OrderKey::Column(column) => Some(&table.columns[usize::from(*column)]),
            OrderKey::Count { .. } | OrderKey::Relevance(_) | OrderKey::Refused(_) => None,
            OrderKey::Related { relation, key } => key.column(relation.child),
        }
    }

    /// The order in words, from which only a fingerprint is made: what is searched for is in them.
    fn write_signature(&self, table: &'static Table, text: &mut String) {
        // Writing into a String cannot fail.
        let _ = match self {
            OrderKey::Column(column) => write!(text, "{}", table.columns[usize::from(*column)].name),
            OrderKey::Count { relation, condition } => write!(text, "count {} {condition:?}", relation.name),
            OrderKey::Relevance(search) => write!(text, "{search:?} {}", search.words()),
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

    /// Whether nulls come first. By default, PostgreSQL treats nulls as larger than every value.
    pub(crate) fn has_nulls_first(&self) -> bool {
        self.nulls_first.unwrap_or(self.descending)
    }

    /// The opposite order, nulls included.
    pub(crate) fn reversed(mut self) -> Self {
        self.descending = !self.descending;
        self.nulls_first = self.nulls_first.map(|first| !first);
        self
    }
}

/// A text for the order that stays the same as long as the schema does.
pub(crate) fn signature(terms: &[OrderTerm], table: &'static Table) -> String {
    let mut text = format!("{}:", table.name);
    for term in terms {
        term.key.write_signature(table, &mut text);
        text.push_str(if term.descending { " desc" } else { " asc" });
        text.push_str(if term.has_nulls_first() { " first;" } else { " last;" });
    }
    text
}
