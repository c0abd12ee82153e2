//! Queries as data for the oracle. `build` converts them to queries of the client.
//!
//! Fields, relations and keys are numbers: positions in the lists of `world::Model`.

use relata::serde_json::Value as Json;

use super::value::Value;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Compare {
    Eq,
    Ne,
    Lt,
    Lte,
    Gt,
    Gte,
}

impl Compare {
    pub(crate) const ALL: [Compare; 6] =
        [Compare::Eq, Compare::Ne, Compare::Lt, Compare::Lte, Compare::Gt, Compare::Gte];
}

/// A condition on a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    /// `Filter::all` and `Filter::any`.
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Field(usize, Test),
    /// Compares two columns of the row, given by the position of the pair in the list.
    Pair(usize, Compare),
    Related(usize, Reach, Box<Condition>),
}

/// A condition on a relation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Reach {
    Some,
    Every,
    None,
    Is,
    IsNot,
    IsSome,
    IsNone,
}

/// A condition on a field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    Compare(Compare, Value),
    CompareIf(Compare, Option<Value>),
    Between(Value, Value),
    In(Vec<Value>),
    NotIn(Vec<Value>),
    InIf(Option<Vec<Value>>),
    IsNull,
    IsNotNull,
    Like(Like, String, bool),
    ContainsIf(Option<String>),
    Has(Value),
    HasEvery(Vec<Value>),
    HasSome(Vec<Value>),
    IsEmpty,
    Json(Vec<String>, JsonTest),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Like {
    Contains,
    Starts,
    Ends,
    /// Ignoring case.
    Equals,
    Differs,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum JsonTest {
    Exists,
    Compare(Compare, Json),
    Like(Like, String, bool),
    ArrayContains(Vec<Json>),
    ArrayStarts(Json),
    ArrayEnds(Json),
}

/// A sort key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Term {
    pub(crate) key: OrderKey,
    pub(crate) descending: bool,
    pub(crate) nulls_first: Option<bool>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum OrderKey {
    Field(usize),
    Related(usize, Box<OrderKey>),
    Count(usize, Option<Condition>),
}

/// Rows of one model, or of a relation.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Rows {
    pub(crate) filter: Option<Condition>,
    pub(crate) order: Vec<Term>,
    pub(crate) take: Option<u64>,
    pub(crate) last: bool,
    pub(crate) skip: Option<u64>,
    /// A unique key, by its position in the list of keys, and its values.
    pub(crate) cursor: Option<(usize, Vec<Value>)>,
    /// A position in the list of columns for `distinct`.
    pub(crate) distinct: Option<usize>,
    /// The included relations, in the order of the shape.
    pub(crate) includes: Vec<Include>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Include {
    pub(crate) relation: usize,
    pub(crate) rows: Rows,
}

/// A condition on a group: an aggregate by its position in the list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Having {
    And(Box<[Having; 2]>),
    Or(Box<[Having; 2]>),
    Not(Box<Having>),
    Compare(usize, Compare, Value),
}

/// A sort key of groups.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum GroupTerm {
    Field(usize, bool, Option<bool>),
    Calculated(usize, bool, Option<bool>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Groups {
    /// A position in the list of columns for `group_by`.
    pub(crate) by: usize,
    pub(crate) filter: Option<Condition>,
    pub(crate) having: Option<Having>,
    pub(crate) order: Vec<GroupTerm>,
    pub(crate) take: Option<u64>,
    pub(crate) skip: Option<u64>,
}

/// One query of a model.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Query {
    /// With the shape of the include.
    Find(usize, Rows),
    First(usize, Rows),
    Unique(usize, (usize, Vec<Value>), Rows),
    /// All pages, one after the other.
    Pages(u64, Rows),
    /// All pages, from the last to the first.
    PagesBack(u64, Rows),
    /// Row by row.
    Stream(Rows),
    /// With the shape of the selection.
    Select(usize, Rows),
    Count(Option<Condition>),
    Exists(Option<Condition>),
    Aggregate(Rows),
    GroupBy(Groups),
}
