//! A query as data: what to read from which table, and what to read along with it.

use crate::field::OrderTerm;
use crate::filter::Condition;
use crate::table::{Relation, Table};

/// A read of one table, as data. Column numbers are those of its table.
#[derive(Debug, Clone)]
pub struct Select {
    pub(crate) table: &'static Table,
    pub(crate) condition: Condition,
    pub(crate) order: Vec<OrderTerm>,
    pub(crate) take: Option<u64>,
    pub(crate) skip: Option<u64>,
    pub(crate) outputs: Outputs,
    pub(crate) includes: Vec<Include>,
    /// At most one row comes back.
    pub(crate) single: bool,
}

/// What a row of the result holds.
#[derive(Debug, Clone)]
pub(crate) enum Outputs {
    /// All columns, in the order of the model's fields.
    All,
    /// These.
    List(Vec<Output>),
}

/// One value of a row.
#[derive(Debug, Clone)]
pub(crate) enum Output {
    Column(u16),
    Count { relation: &'static Relation, condition: Condition },
}

/// A relation that is read along.
#[derive(Debug, Clone)]
pub(crate) struct Include {
    pub(crate) slot: usize,
    pub(crate) relation: &'static Relation,
    pub(crate) select: Select,
}

impl Select {
    pub(crate) fn new(table: &'static Table) -> Self {
        Self {
            table,
            condition: Condition::ALL,
            order: Vec::new(),
            take: None,
            skip: None,
            outputs: Outputs::All,
            includes: Vec::new(),
            single: false,
        }
    }

    pub(crate) fn filter(&mut self, condition: Condition) {
        let before = std::mem::replace(&mut self.condition, Condition::ALL);
        self.condition = before.and(condition);
    }

    /// Reads a relation along; including it again replaces what was said before.
    pub(crate) fn include(&mut self, include: Include) {
        self.includes.retain(|known| known.slot != include.slot);
        self.includes.push(include);
    }

    /// Whether rows have columns of their own choice rather than the whole model.
    pub(crate) fn is_projection(&self) -> bool {
        matches!(self.outputs, Outputs::List(_))
    }
}
