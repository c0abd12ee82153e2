//! Conditions as values: made by fields and relations, combined with `&`, `|` and `!`, rendered by `sql`.

use std::marker::PhantomData;
use std::ops::{BitAnd, BitOr, Not};

use crate::json::JsonTest;
use crate::search::Search;
use crate::table::{Relation, Table};
use crate::value::Param;

/// A condition on rows of `M`.
///
/// Made by the fields and relations of the model's module, combined with `&`, `|` and `!`:
///
/// ```text
/// student::institution_id.eq(tenant) & (student::class_year.gte(2026) | student::exams.some(student_exam::score.gt(90.0)))
/// ```
pub struct Filter<M> {
    pub(crate) condition: Condition,
    /// How many conditions are inside one another at most.
    levels: u16,
    model: PhantomData<fn() -> M>,
}

/// How many conditions, or other parts of a query, may be inside one another.
///
/// A visitor may have sent what a filter is made of. Whatever walks over a query does so by recursion, and dropping it
/// is recursion, too: so what is deeper is dropped while it is put together, and the query is refused.
pub(crate) const MOST_LEVELS: u16 = 256;

const TOO_DEEP: &str = "the filter has more than 256 conditions inside one another: \
    combine lists of conditions by Filter::all and Filter::any";

/// A key that at most one row of `M` has.
pub struct Unique<M> {
    pub(crate) values: Vec<(u16, Param)>,
    model: PhantomData<fn() -> M>,
}

/// What a filter is made of. Column numbers belong to the table that the condition is about.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    /// It is false or, because of a null, unknown.
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
    /// A row of a many-to-many relation's child that belongs to the parent with this key.
    JoinedTo {
        relation: &'static Relation,
        key: Param,
    },
    /// A row with one of these keys, which have several columns.
    Keys {
        table: &'static Table,
        columns: Vec<u16>,
        keys: Vec<Vec<Param>>,
    },
    /// Some row of a table meets a condition, whatever this one is.
    Another {
        table: &'static Table,
        condition: Box<Condition>,
    },
    Json {
        column: u16,
        /// A list of names; none for the whole value.
        path: Option<Param>,
        test: JsonTest,
    },
    Search(Search),
    /// In the place of conditions that cannot be sent: why not.
    Refused(&'static str),
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
    /// The condition that every row meets.
    pub(crate) const ALL: Condition = Condition::And(Vec::new());

    /// Whether every row meets it, as far as its form tells.
    pub(crate) fn is_all(&self) -> bool {
        match self {
            Condition::And(parts) => parts.iter().all(Condition::is_all),
            Condition::Or(parts) => parts.iter().any(Condition::is_all),
            Condition::Not(part) | Condition::NotTrue(part) => part.is_none(),
            _ => false,
        }
    }

    /// Whether no row meets it, as far as its form tells.
    fn is_none(&self) -> bool {
        match self {
            Condition::And(parts) => parts.iter().any(Condition::is_none),
            Condition::Or(parts) => parts.iter().all(Condition::is_none),
            Condition::Not(part) | Condition::NotTrue(part) => part.is_all(),
            _ => false,
        }
    }

    /// The value that a column has in every row that meets the condition, if it says so.
    pub(crate) fn equal_value(&self, wanted: u16) -> Option<&Param> {
        match self {
            Condition::And(parts) => parts.iter().find_map(|part| part.equal_value(wanted)),
            Condition::Compare { column, operator: Operator::Eq, value } if *column == wanted => Some(value),
            _ => None,
        }
    }

    pub(crate) fn and(self, other: Condition) -> Condition {
        match (self, other) {
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

impl<M> Filter<M> {
    /// A condition that is made of no other filter.
    pub(crate) fn new(condition: Condition) -> Self {
        Self::deep(condition, 1)
    }

    fn deep(condition: Condition, levels: u16) -> Self {
        if levels > MOST_LEVELS {
            return Self::new(Condition::Refused(TOO_DEEP));
        }
        Self { condition, levels, model: PhantomData }
    }

    /// A condition around this one.
    pub(crate) fn inside<P>(self, around: impl FnOnce(Condition) -> Condition) -> Filter<P> {
        Filter::deep(around(self.condition), self.levels + 1)
    }

    fn list(filters: impl IntoIterator<Item = Filter<M>>, around: fn(Vec<Condition>) -> Condition) -> Self {
        let mut levels = 0;
        let take = |filter: Filter<M>| {
            levels = levels.max(filter.levels);
            filter.condition
        };
        let conditions = filters.into_iter().map(take).collect();
        Self::deep(around(conditions), levels + 1)
    }

    /// Every one of the filters holds. Of none: every row.
    pub fn all(filters: impl IntoIterator<Item = Filter<M>>) -> Self {
        Self::list(filters, Condition::And)
    }

    /// At least one of the filters holds. Of none: no row.
    pub fn any(filters: impl IntoIterator<Item = Filter<M>>) -> Self {
        Self::list(filters, Condition::Or)
    }

    /// How many levels this filter and another one make together: one that is a list already takes the other in.
    fn levels_with(&self, other: &Self, takes_in: bool) -> u16 {
        let one_more = u16::from(!takes_in);
        (self.levels + one_more).max(other.levels + 1)
    }
}

impl<M> Unique<M> {
    pub(crate) fn new(values: Vec<(u16, Param)>) -> Self {
        Self { values, model: PhantomData }
    }

    pub(crate) fn into_condition(self) -> Condition {
        let compare = |(column, value)| Condition::Compare { column, operator: Operator::Eq, value };
        let mut values = self.values;
        match values.pop() {
            Some(only) if values.is_empty() => compare(only),
            last => Condition::And(values.into_iter().chain(last).map(compare).collect()),
        }
    }

    pub(crate) fn condition(&self) -> Condition {
        let compare = |(column, value): &(u16, Param)| Condition::Compare {
            column: *column,
            operator: Operator::Eq,
            value: value.clone(),
        };
        match self.values.as_slice() {
            [one] => compare(one),
            several => Condition::And(several.iter().map(compare).collect()),
        }
    }
}

impl<M> Clone for Filter<M> {
    fn clone(&self) -> Self {
        Self::deep(self.condition.clone(), self.levels)
    }
}

impl<M> Clone for Unique<M> {
    fn clone(&self) -> Self {
        Self::new(self.values.clone())
    }
}

impl<M> std::fmt::Debug for Filter<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.condition.fmt(f)
    }
}

impl<M> std::fmt::Debug for Unique<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.values.fmt(f)
    }
}

impl<M> From<Unique<M>> for Filter<M> {
    fn from(key: Unique<M>) -> Self {
        Self::deep(key.into_condition(), 2)
    }
}

/// Without a filter every row is meant: `.filter(name.map(|name| user::name.eq(name)))`.
impl<M, F: Into<Filter<M>>> From<Option<F>> for Filter<M> {
    fn from(filter: Option<F>) -> Self {
        filter.map_or(Self::new(Condition::ALL), F::into)
    }
}

impl<M, R: Into<Filter<M>>> BitAnd<R> for Filter<M> {
    type Output = Filter<M>;

    fn bitand(self, other: R) -> Filter<M> {
        let other = other.into();
        let levels = match (&self.condition, &other.condition) {
            (Condition::And(parts), _) if parts.is_empty() => other.levels,
            (_, Condition::And(parts)) if parts.is_empty() => self.levels,
            (condition, _) => self.levels_with(&other, matches!(condition, Condition::And(_))),
        };
        Self::deep(self.condition.and(other.condition), levels)
    }
}

impl<M, R: Into<Filter<M>>> BitOr<R> for Filter<M> {
    type Output = Filter<M>;

    fn bitor(self, other: R) -> Filter<M> {
        let other = other.into();
        let levels = self.levels_with(&other, matches!(self.condition, Condition::Or(_)));
        Self::deep(self.condition.or(other.condition), levels)
    }
}

impl<M> Not for Filter<M> {
    type Output = Filter<M>;

    fn not(self) -> Filter<M> {
        self.inside(Condition::negated)
    }
}

impl<M, R: Into<Filter<M>>> BitAnd<R> for Unique<M> {
    type Output = Filter<M>;

    fn bitand(self, other: R) -> Filter<M> {
        Filter::from(self) & other
    }
}

impl<M, R: Into<Filter<M>>> BitOr<R> for Unique<M> {
    type Output = Filter<M>;

    fn bitor(self, other: R) -> Filter<M> {
        Filter::from(self) | other
    }
}

impl<M> Not for Unique<M> {
    type Output = Filter<M>;

    fn not(self) -> Filter<M> {
        !Filter::from(self)
    }
}

/// `%`, `_` and `\` of a text mean themselves in a pattern.
pub(crate) fn escape_like(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::{Condition, escape_like};

    #[test]
    fn wildcards_are_escaped() {
        assert_eq!(escape_like(r"50%_\"), r"50\%\_\\");
    }

    #[test]
    fn a_condition_without_content_is_recognised() {
        assert!(Condition::ALL.is_all());
        assert!(Condition::And(vec![Condition::ALL, Condition::ALL]).is_all());
        assert!(Condition::Or(Vec::new()).negated().is_all());
        assert!(!Condition::IsNull { column: 0 }.is_all());
        assert!(!Condition::Or(Vec::new()).is_all());
    }
}
