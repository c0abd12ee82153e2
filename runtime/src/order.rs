//! Orders as values: made by fields, counts and relations, rendered by `sql`.

use std::fmt::Write;
use std::marker::PhantomData;

use crate::filter::{Condition, MOST_LEVELS};
use crate::search::Search;
use crate::table::{Column, Relation, Table};

/// A place in the order of the result, for `order_by`.
pub struct Order<M> {
    pub(crate) term: OrderTerm,
    model: PhantomData<fn() -> M>,
}

/// One value that rows are ordered by.
#[derive(Debug, Clone)]
pub(crate) struct OrderTerm {
    pub(crate) key: OrderKey,
    pub(crate) descending: bool,
    pub(crate) nulls_first: Option<bool>,
    /// Whether the value can be null.
    pub(crate) nullable: bool,
}

/// What the value is. Column numbers belong to the table that is ordered, or that a relation leads to.
#[derive(Debug, Clone)]
pub(crate) enum OrderKey {
    Column(u16),
    /// How many rows of a relation meet a condition.
    Count {
        relation: &'static Relation,
        condition: Condition,
    },
    /// A value of the row that a to-one relation leads to.
    Related {
        relation: &'static Relation,
        key: Box<OrderKey>,
    },
    /// How well a text answers a query.
    Relevance(Search),
    /// In the place of a key that cannot be sent: why not.
    Refused(&'static str),
}

impl OrderKey {
    /// A value of the row that a to-one relation leads to.
    pub(crate) fn related(relation: &'static Relation, key: OrderKey) -> Self {
        let mut inner = &key;
        for _ in 1..MOST_LEVELS {
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

    /// Where nulls stand: PostgreSQL takes them for larger than every value.
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

/// The order in words that stay the same while the schema does.
pub(crate) fn signature(terms: &[OrderTerm], table: &'static Table) -> String {
    let mut text = format!("{}:", table.name);
    for term in terms {
        term.key.write_signature(table, &mut text);
        text.push_str(if term.descending { " desc" } else { " asc" });
        text.push_str(if term.has_nulls_first() { " first;" } else { " last;" });
    }
    text
}

impl<M> Order<M> {
    /// By what cannot be null, smallest first.
    pub(crate) fn by(key: OrderKey) -> Self {
        Self { term: OrderTerm { key, descending: false, nulls_first: None, nullable: false }, model: PhantomData }
    }

    pub(crate) fn by_column(column: u16, nullable: bool) -> Self {
        let mut order = Self::by(OrderKey::Column(column));
        order.term.nullable = nullable;
        order
    }

    pub(crate) fn reversed(self) -> Self {
        Self { term: self.term.reversed(), model: PhantomData }
    }

    /// The same order of something else; it can be null if this can, or if `nullable`.
    pub(crate) fn map<P>(self, key: impl FnOnce(OrderKey) -> OrderKey, nullable: bool) -> Order<P> {
        let OrderTerm { key: inner, descending, nulls_first, nullable: before } = self.term;
        let term = OrderTerm { key: key(inner), descending, nulls_first, nullable: before || nullable };
        Order { term, model: PhantomData }
    }

    /// Nulls before all values. PostgreSQL puts them last when ascending, first when descending.
    pub fn nulls_first(mut self) -> Self {
        self.term.nulls_first = Some(true);
        self
    }

    /// Nulls behind all values.
    pub fn nulls_last(mut self) -> Self {
        self.term.nulls_first = Some(false);
        self
    }
}

impl<M> Clone for Order<M> {
    fn clone(&self) -> Self {
        Self { term: self.term.clone(), model: PhantomData }
    }
}

impl<M> std::fmt::Debug for Order<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.term.fmt(f)
    }
}
