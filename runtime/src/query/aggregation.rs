//! Aggregations, as data: values calculated over rows, or over groups of rows.

use tokio_postgres::Row;

use super::condition::Operator;
use super::expression::Operand;
use super::order::OrderTerm;
use super::select::Select;
use crate::rows::{Names, Node};
use crate::value::{Averaged, Param, Summed};

/// Why groups are not ordered by something else.
pub(crate) const NOT_GROUPED_BY: &str =
    "groups are ordered by calculated values, and by the fields and expressions that they are grouped by";

/// A calculation over rows.
#[derive(Debug, Clone)]
pub(crate) enum Calculation {
    /// Counts the rows themselves.
    CountRows,
    /// Calculates with the values of a column or an expression.
    Of(Function, Operand),
}

/// What is calculated. Nulls are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Count,
    CountDistinct,
    Sum(Summed),
    Average(Averaged),
    Least,
    Greatest,
}

/// An aggregation as data.
#[derive(Debug, Clone)]
pub(crate) struct Aggregation {
    /// The rows.
    pub(crate) select: Select,
    pub(crate) group_by: Vec<Operand>,
    pub(crate) calculations: Vec<Calculation>,
    pub(crate) having: Option<GroupCondition>,
    pub(crate) order: Vec<GroupTerm>,
    /// The maximum number of groups.
    pub(crate) take: Option<u64>,
    /// The number of groups to skip.
    pub(crate) skip: Option<u64>,
}

impl Aggregation {
    /// Returns the columns of the values of a row. A count of rows has none.
    pub(crate) fn names(&self) -> Names {
        let table = self.select.table;
        let of = |calculation: &Calculation| match calculation {
            Calculation::CountRows => "count(*)",
            Calculation::Of(_, operand) => operand.name(table),
        };
        let groups = self.group_by.iter().map(|key| key.name(table));
        groups.chain(self.calculations.iter().map(of)).collect()
    }

    /// Returns its rows.
    pub(crate) fn node(&self, rows: Vec<Row>) -> Node {
        let mut node = Node::new(self.select.table, rows);
        node.set_names(Some(self.names()));
        node
    }
}

/// A condition on groups.
#[derive(Debug, Clone)]
pub(crate) enum GroupCondition {
    /// Two or more.
    And(Vec<GroupCondition>),
    /// Two or more.
    Or(Vec<GroupCondition>),
    Not(Box<GroupCondition>),
    Compare {
        calculation: Calculation,
        operator: Operator,
        value: Param,
    },
    /// Conditions that cannot be sent, and why.
    Refused(&'static str),
}

impl GroupCondition {
    pub(crate) fn and(self, other: GroupCondition) -> Self {
        match self {
            GroupCondition::And(mut parts) => {
                parts.push(other);
                GroupCondition::And(parts)
            }
            one => GroupCondition::And(vec![one, other]),
        }
    }

    pub(crate) fn or(self, other: GroupCondition) -> Self {
        match self {
            GroupCondition::Or(mut parts) => {
                parts.push(other);
                GroupCondition::Or(parts)
            }
            one => GroupCondition::Or(vec![one, other]),
        }
    }
}

/// A sort key of groups.
#[derive(Debug, Clone)]
pub(crate) enum GroupTerm {
    Rows(OrderTerm),
    Calculated { calculation: Calculation, descending: bool, nulls_first: Option<bool> },
}
