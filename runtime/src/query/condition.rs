//! Conditions on rows, as data.

use super::expression::{Expression, Operand};
use super::json_place::JsonPlace;
use super::select::Recursion;
use crate::meta::{Lifted, Relation, Table};
use crate::value::{Param, RawList};

/// The maximum depth of conditions and other parts of a query.
///
/// Filters may be built from user input. Functions that walk over a query are recursive, and dropping it is recursive
/// too. So anything deeper is dropped while the query is built, and the query is refused.
pub(crate) const MAX_DEPTH: u16 = 256;

/// The content of a filter. Column numbers are those of the condition's table.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    /// The condition is false or, because of a null, unknown.
    NotTrue(Box<Condition>),
    Compare {
        column: u16,
        operator: Operator,
        value: Param,
    },
    CompareColumns {
        left: u16,
        operator: Operator,
        right: u16,
    },
    In {
        column: u16,
        values: Param,
    },
    IsNull {
        column: u16,
    },
    Like {
        column: u16,
        pattern: Param,
        insensitive: bool,
    },
    Contains {
        column: u16,
        value: Param,
    },
    ContainsAll {
        column: u16,
        values: Param,
    },
    Overlaps {
        column: u16,
        values: Param,
    },
    IsEmpty {
        column: u16,
    },
    Related {
        relation: &'static Relation,
        condition: Box<Condition>,
    },
    /// Following a relation of the table to itself step by step, along rows that match one condition, leads to a row that
    /// also matches another.
    Reaches {
        relation: &'static Relation,
        recursion: Recursion,
        along: Box<Condition>,
        condition: Box<Condition>,
    },
    /// A row of a many-to-many relation's child that is connected to the parent with this key.
    JoinedTo {
        relation: &'static Relation,
        key: Param,
    },
    /// A row with one of these keys, each with several columns.
    Keys {
        table: &'static Table,
        columns: Vec<u16>,
        keys: Vec<Vec<Param>>,
    },
    /// Any row of a table matches a condition, whatever the current row is.
    Another {
        table: &'static Table,
        condition: Box<Condition>,
    },
    Json {
        column: u16,
        /// A list of names; `None` for the whole value.
        path: Option<Param>,
        test: JsonTest,
    },
    /// A condition on a value inside a Json column whose place the schema knows.
    JsonField(JsonPlace, JsonFieldTest),
    Search(Search),
    /// An expression that is true or false.
    Holds(Expression),
    /// An expression is not null.
    IsNotNull(Expression),
    CompareOperands {
        left: Box<Operand>,
        operator: Operator,
        right: Box<Operand>,
    },
    /// An operand is one of the values.
    OperandIn {
        operand: Box<Operand>,
        values: Param,
    },
    /// A condition that cannot be sent, and why: [`Param::Refused`] or [`Param::Misuse`].
    Refused(Param),
    /// A condition on the rows that remain if some scopes of the table are lifted. Never inside another condition.
    Lifting {
        lifted: Lifted,
        condition: Box<Condition>,
    },
}

/// SQL's comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Eq,
    Ne,
    Lt,
    Lte,
    Gt,
    Gte,
}

impl Operator {
    pub(crate) fn sql(self) -> &'static str {
        match self {
            Operator::Eq => " = ",
            Operator::Ne => " <> ",
            Operator::Lt => " < ",
            Operator::Lte => " <= ",
            Operator::Gt => " > ",
            Operator::Gte => " >= ",
        }
    }
}

impl Condition {
    /// The condition that every row matches.
    pub(crate) const ALL: Condition = Condition::And(Vec::new());

    /// Returns the condition that columns have the values of one of several keys. Each list has those of one column.
    pub(crate) fn has_one_of(table: &'static Table, columns: &[u16], lists: Vec<RawList>) -> Condition {
        if let ([column], [_]) = (columns, lists.as_slice()) {
            return Condition::In {
                column: *column,
                values: lists.into_iter().next().map_or(Param::Null, Param::RawList),
            };
        }
        let count = lists.first().map_or(0, RawList::len);
        let key = |place| lists.iter().map(|list| list.param(place).unwrap_or(Param::Null)).collect();
        Condition::Keys { table, columns: columns.to_vec(), keys: (0..count).map(key).collect() }
    }

    /// Returns whether every row matches, as far as its form shows.
    pub(crate) fn is_all(&self) -> bool {
        match self {
            Condition::And(parts) => parts.iter().all(Condition::is_all),
            Condition::Or(parts) => parts.iter().any(Condition::is_all),
            Condition::Not(part) | Condition::NotTrue(part) => part.is_none(),
            Condition::Lifting { condition, .. } => condition.is_all(),
            _ => false,
        }
    }

    /// Returns whether no row matches, as far as its form shows.
    fn is_none(&self) -> bool {
        match self {
            Condition::And(parts) => parts.iter().any(Condition::is_none),
            Condition::Or(parts) => parts.iter().all(Condition::is_none),
            Condition::Not(part) | Condition::NotTrue(part) => part.is_all(),
            _ => false,
        }
    }

    /// Returns the value that a column has in every row that matches the condition, if there is one.
    pub(crate) fn equal_value(&self, wanted: u16) -> Option<&Param> {
        match self {
            Condition::And(parts) => parts.iter().find_map(|part| part.equal_value(wanted)),
            Condition::Compare { column, operator: Operator::Eq, value } if *column == wanted => Some(value),
            Condition::Lifting { condition, .. } => condition.equal_value(wanted),
            _ => None,
        }
    }

    /// Returns whether it is written with OR.
    pub(crate) fn is_or(&self) -> bool {
        match self {
            Condition::Or(_) => true,
            Condition::Lifting { condition, .. } => condition.is_or(),
            _ => false,
        }
    }

    /// Returns the scopes that the condition lifts.
    #[inline]
    pub(crate) fn lifted(&self) -> Lifted {
        match self {
            Condition::Lifting { lifted, .. } => *lifted,
            _ => Lifted::default(),
        }
    }

    /// Changes the scopes that the condition lifts.
    pub(crate) fn lifting(self, change: impl FnOnce(&mut Lifted)) -> Condition {
        let (mut lifted, condition) = match self {
            Condition::Lifting { lifted, condition } => (lifted, condition),
            other => (Lifted::default(), Box::new(other)),
        };
        change(&mut lifted);
        Condition::Lifting { lifted, condition }
    }

    pub(crate) fn and(self, other: Condition) -> Condition {
        match (self, other) {
            (Condition::Lifting { lifted, condition }, other) => condition.and(other).lifting(|known| *known = lifted),
            (one, Condition::Lifting { lifted, condition }) => one.and(*condition).lifting(|known| *known = lifted),
            (Condition::And(parts), other) if parts.is_empty() => other,
            (one, Condition::And(parts)) if parts.is_empty() => one,
            (Condition::And(mut parts), other) => {
                parts.push(other);
                Condition::And(parts)
            }
            (one, other) => Condition::And(vec![one, other]),
        }
    }

    pub(crate) fn or(self, other: Condition) -> Condition {
        match (self, other) {
            (Condition::Or(mut parts), other) => {
                parts.push(other);
                Condition::Or(parts)
            }
            (one, other) => Condition::Or(vec![one, other]),
        }
    }

    pub(crate) fn negated(self) -> Condition {
        Condition::Not(Box::new(self))
    }
}

/// A condition on a value inside a Json column.
#[derive(Debug, Clone)]
pub(crate) enum JsonTest {
    Exists,
    /// Equality of any two values, or another comparison of two values of the same kind.
    Compare(Operator, Param),
    /// A string that matches the pattern.
    Like {
        pattern: Param,
        insensitive: bool,
    },
    /// An array that contains all of these.
    ArrayContains(Param),
    ArrayStartsWith(Param),
    ArrayEndsWith(Param),
}

/// A condition on a value whose place and type the schema knows.
#[derive(Debug, Clone)]
pub(crate) enum JsonFieldTest {
    Compare(Operator, Param),
    In(Param),
    IsNull,
    Like {
        pattern: Param,
        insensitive: bool,
    },
    /// A list that contains all elements of a list in JSON.
    HasEvery(Param),
    /// A list that contains all elements of one of several lists in JSON.
    HasSome(Param),
    IsEmpty,
}

impl JsonFieldTest {
    /// Returns a number for the form of the condition, which its values do not change.
    pub(crate) fn word(&self) -> usize {
        match self {
            JsonFieldTest::Compare(operator, _) => *operator as usize,
            JsonFieldTest::In(_) => 8,
            JsonFieldTest::IsNull => 9,
            JsonFieldTest::Like { insensitive: false, .. } => 10,
            JsonFieldTest::Like { insensitive: true, .. } => 11,
            JsonFieldTest::HasEvery(_) => 12,
            JsonFieldTest::HasSome(_) => 13,
            JsonFieldTest::IsEmpty => 14,
        }
    }
}

/// A search in one column.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    pub(crate) column: u16,
    /// Whether the column is a `tsvector`.
    pub(crate) is_document: bool,
    /// The text search configuration, or the server's default.
    pub(crate) language: Option<&'static str>,
    pub(crate) query: Param,
    /// Whether the query is user input, rather than PostgreSQL's query syntax.
    pub(crate) web: bool,
}

impl Search {
    /// Returns the text of the search.
    pub(crate) fn words(&self) -> &str {
        match &self.query {
            Param::Text(words) => words,
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Condition;

    #[test]
    fn a_condition_without_content_is_recognised() {
        assert!(Condition::ALL.is_all());
        assert!(Condition::And(vec![Condition::ALL, Condition::ALL]).is_all());
        assert!(Condition::Or(Vec::new()).negated().is_all());
        assert!(!Condition::IsNull { column: 0 }.is_all());
        assert!(!Condition::Or(Vec::new()).is_all());
    }
}
