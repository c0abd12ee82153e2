//! Filters and unique keys: created by fields and relations, and combined with `&`, `|` and `!`.

use std::marker::PhantomData;
use std::ops::{BitAnd, BitOr, Not};

use crate::query::{Condition, MAX_DEPTH, Operator};
use crate::rows::Model;
use crate::value::Param;

/// Identifies a single row. Only `eq` on a unique column or a unique key creates one.
#[diagnostic::on_unimplemented(
    message = "this does not identify a single row of `{M}`",
    label = "expected `eq` on an @id, @unique, @@id or @@unique field, found `{Self}`",
    note = "use `find_first` or `find_many().filter(..)` for other conditions"
)]
pub trait UniqueKey<M> {
    /// The key.
    fn into_unique(self) -> Unique<M>;
}

impl<M> UniqueKey<M> for Unique<M> {
    fn into_unique(self) -> Unique<M> {
        self
    }
}

/// A condition on rows of `M`.
///
/// The fields and relations of the model's module create filters, which compose with `&`, `|` and `!`:
///
/// ```text
/// student::institution_id.eq(tenant) & (student::class_year.gte(2026) | student::exams.some(student_exam::score.gt(90.0)))
/// ```
pub struct Filter<M> {
    pub(crate) condition: Condition,
    /// The maximum depth of its conditions.
    levels: u16,
    model: PhantomData<fn() -> M>,
}

const TOO_DEEP: &str = "the filter has more than 256 conditions inside one another: \
    combine lists of conditions by Filter::all and Filter::any";

/// A key that at most one row of `M` has.
pub struct Unique<M> {
    pub(crate) values: Vec<(u16, Param)>,
    model: PhantomData<fn() -> M>,
}

impl<M> Filter<M> {
    /// Creates a filter from a condition that contains no other filter.
    pub(crate) fn new(condition: Condition) -> Self {
        Self::deep(condition, 1)
    }

    pub(super) fn deep(condition: Condition, levels: u16) -> Self {
        if levels > MAX_DEPTH {
            return Self::new(Condition::Refused(Param::Refused(TOO_DEEP)));
        }
        Self { condition, levels, model: PhantomData }
    }

    /// Wraps the condition.
    pub(crate) fn inside<P>(self, around: impl FnOnce(Condition) -> Condition) -> Filter<P> {
        Filter::deep(around(self.condition), self.levels + 1)
    }

    /// Returns the depth of its conditions.
    pub(super) fn levels(&self) -> u16 {
        self.levels
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

    /// Matches rows that match all of the filters. Without filters, every row matches.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let filters = [Some(student::class_year.gte(2026)), None].into_iter().flatten();
    /// let students = db.student().find_many().filter(relata::Filter::all(filters)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn all(filters: impl IntoIterator<Item = Filter<M>>) -> Self {
        Self::list(filters, Condition::And)
    }

    /// Matches rows that match at least one of the filters. Without filters, no row matches.
    pub fn any(filters: impl IntoIterator<Item = Filter<M>>) -> Self {
        Self::list(filters, Condition::Or)
    }

    /// Returns the depth of this filter combined with another one. If this one is already a list, it takes the other
    /// in.
    fn levels_with(&self, other: &Self, takes_in: bool) -> u16 {
        let one_more = u16::from(!takes_in);
        (self.levels + one_more).max(other.levels + 1)
    }
}

impl<M: Model> Unique<M> {
    /// Returns the condition that a call on the row with the key begins with.
    pub(crate) fn into_row_condition(self) -> Condition {
        let is_live_key = M::table().is_live_key_of(&self.values);
        let condition = self.into_condition();
        if is_live_key { condition.by_live_key() } else { condition }
    }
}

impl<M> Unique<M> {
    /// For generated code: a key of these columns.
    pub fn of<const N: usize>(values: [(u16, Param); N]) -> Self {
        Self::new(values.into())
    }

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

/// `None` applies no filter: `.filter(name.map(|name| user::name.eq(name)))`.
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

/// Escapes `%`, `_` and `\`, so that they have no special meaning in a pattern.
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
    use super::escape_like;

    #[test]
    fn wildcards_are_escaped() {
        assert_eq!(escape_like(r"50%_\"), r"50\%\_\\");
    }
}
