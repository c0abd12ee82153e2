//! The syntax tree of a query: what is written, with places, before any name means anything.
//!
//! Chains of operators, of set operations and of joins are lists, so that no tree is deeper than its brackets.

use crate::diagnostics::Span;

/// A name as PostgreSQL folds it.
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) span: Span,
}

#[derive(Debug)]
pub(super) enum Statement {
    Query(Query),
    Insert(Insert),
    Update(Update),
    Delete(Delete),
}

/// `WITH name (columns) AS (..)`.
#[derive(Debug)]
pub(super) struct Cte {
    pub(super) name: Name,
    pub(super) columns: Vec<Name>,
    pub(super) statement: Statement,
}

#[derive(Debug, Default)]
pub(super) struct With {
    pub(super) recursive: bool,
    pub(super) ctes: Vec<Cte>,
}

#[derive(Debug)]
pub(super) struct Query {
    pub(super) with: With,
    /// The first one, and what is united with it.
    pub(super) terms: Vec<Term>,
    pub(super) order_by: Vec<Expr>,
    pub(super) limit: Option<Expr>,
    pub(super) offset: Option<Expr>,
    /// `FOR UPDATE OF`.
    pub(super) locks: Vec<Name>,
    pub(super) span: Span,
}

impl Query {
    /// Whether it gives exactly one row, whatever the tables hold: aggregates over all rows.
    pub(super) fn gives_one_row(&self) -> bool {
        let ([Term::Select(select)], None, None) = (self.terms.as_slice(), &self.limit, &self.offset) else {
            return false;
        };
        let is_plain = select.group_by.is_empty() && !select.grouping_sets && select.having.is_none();
        let all_rows = |item: &Item| matches!(item, Item::Expr(expr, _) if expr.is_over_all_rows());
        is_plain && (select.items.iter().any(all_rows) || select.from.is_empty() && select.filter.is_none())
    }
}

impl Expr {
    /// Whether it is an aggregate, or made of one.
    fn is_over_all_rows(&self) -> bool {
        const AGGREGATES: [&str; 12] = [
            "count",
            "sum",
            "avg",
            "min",
            "max",
            "bool_and",
            "bool_or",
            "every",
            "array_agg",
            "string_agg",
            "json_agg",
            "jsonb_agg",
        ];
        match &self.kind {
            ExprKind::Call(call) => {
                let is_aggregate = call.name.last().is_some_and(|name| AGGREGATES.contains(&name.text.as_str()));
                is_aggregate && call.over.is_none() || call.args.iter().any(Self::is_over_all_rows)
            }
            ExprKind::Cast(inner, _) => inner.is_over_all_rows(),
            ExprKind::Chain(first, rest) => {
                first.is_over_all_rows() || rest.iter().any(|(_, expr)| expr.is_over_all_rows())
            }
            _ => false,
        }
    }
}

#[derive(Debug)]
pub(super) enum Term {
    Select(Box<Select>),
    Values(Vec<Vec<Expr>>, Span),
    Query(Box<Query>),
}

#[derive(Debug, Default)]
pub(super) struct Select {
    pub(super) distinct: bool,
    pub(super) distinct_on: Vec<Expr>,
    pub(super) items: Vec<Item>,
    pub(super) from: Vec<Source>,
    pub(super) filter: Option<Expr>,
    pub(super) group_by: Vec<Expr>,
    /// `ROLLUP`, `CUBE` or `GROUPING SETS`: columns that are grouped by may be null.
    pub(super) grouping_sets: bool,
    pub(super) having: Option<Expr>,
    pub(super) windows: Vec<(Name, Window)>,
    pub(super) span: Span,
}

#[derive(Debug)]
pub(super) enum Item {
    /// `*`, or `t.*`.
    Star(Vec<Name>, Span),
    Expr(Expr, Option<Name>),
}

/// What stands in FROM: a table or the like, and what is joined to it.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) first: Relation,
    pub(super) joins: Vec<Join>,
}

#[derive(Debug)]
pub(super) struct Join {
    pub(super) kind: JoinKind,
    pub(super) relation: Relation,
    pub(super) on: On,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JoinKind {
    Inner,
    Left,
    Right,
    Full,
}

#[derive(Debug)]
pub(super) enum On {
    Nothing,
    Condition(Expr),
    Using(Vec<Name>),
    Natural,
}

#[derive(Debug)]
pub(super) struct Relation {
    pub(super) kind: RelationKind,
    pub(super) alias: Option<Name>,
    pub(super) columns: Vec<Name>,
    /// `AS t (a int, b text)`: the types of the columns.
    pub(super) types: Vec<TypeName>,
    pub(super) span: Span,
}

#[derive(Debug)]
pub(super) enum RelationKind {
    Table(Vec<Name>),
    Query { query: Box<Query>, lateral: bool },
    Function { call: Box<Expr>, ordinality: bool },
    Joined(Box<Source>),
}

#[derive(Debug)]
pub(super) struct Insert {
    pub(super) with: With,
    pub(super) table: Vec<Name>,
    pub(super) alias: Option<Name>,
    pub(super) columns: Vec<Name>,
    /// None: DEFAULT VALUES.
    pub(super) source: Option<Box<Query>>,
    pub(super) conflict: Option<Conflict>,
    pub(super) returning: Option<Vec<Item>>,
}

#[derive(Debug)]
pub(super) struct Conflict {
    pub(super) target: Vec<Expr>,
    pub(super) target_filter: Option<Expr>,
    pub(super) sets: Vec<Set>,
    pub(super) filter: Option<Expr>,
}

#[derive(Debug)]
pub(super) struct Set {
    pub(super) columns: Vec<Name>,
    /// `SET (a, b) = ..`.
    pub(super) is_list: bool,
    pub(super) value: Expr,
}

#[derive(Debug)]
pub(super) struct Update {
    pub(super) with: With,
    pub(super) table: Vec<Name>,
    pub(super) alias: Option<Name>,
    pub(super) sets: Vec<Set>,
    pub(super) from: Vec<Source>,
    pub(super) filter: Option<Expr>,
    pub(super) returning: Option<Vec<Item>>,
}

#[derive(Debug)]
pub(super) struct Delete {
    pub(super) with: With,
    pub(super) table: Vec<Name>,
    pub(super) alias: Option<Name>,
    pub(super) using: Vec<Source>,
    pub(super) filter: Option<Expr>,
    pub(super) returning: Option<Vec<Item>>,
}

/// The name of a type in a cast: `timestamp with time zone`, `numeric(10, 2)`, `app.role[]`.
#[derive(Debug, Clone)]
pub(super) struct TypeName {
    /// The schema's name, if there is one, and the type's.
    pub(super) parts: Vec<String>,
    pub(super) list: bool,
}

#[derive(Debug)]
pub(super) struct Expr {
    pub(super) kind: ExprKind,
    pub(super) span: Span,
}

#[derive(Debug)]
pub(super) enum ExprKind {
    Column(Vec<Name>),
    /// `t.*` as an argument or a row.
    WholeRow(Vec<Name>),
    Param(u16),
    Number(String),
    Text(String),
    Bits,
    Bool,
    Null,
    Default,
    Cast(Box<Expr>, TypeName),
    Sign(Box<Expr>),
    /// An operator before its only operand.
    Prefix(String, Box<Expr>),
    /// `a + b - c`: operators of one precedence, from left to right.
    Chain(Box<Expr>, Vec<(String, Expr)>),
    All(Vec<Expr>),
    Any(Vec<Expr>),
    Not(Box<Expr>),
    /// `IS NULL` (true) and `IS NOT NULL` (false).
    IsNull(Box<Expr>, bool),
    /// `IS TRUE` and the like.
    IsBool(Box<Expr>),
    /// `IS JSON`, `IS DOCUMENT`, `IS NORMALIZED`.
    IsKind(Box<Expr>),
    Distinct(Box<Expr>, Box<Expr>),
    Between(Box<Expr>, Box<Expr>, Box<Expr>),
    In(Box<Expr>, Vec<Expr>),
    InQuery(Box<Expr>, Box<Query>),
    /// `a = ANY (list)`.
    AnyOf(Box<Expr>, String, Box<Expr>),
    AnyOfQuery(Box<Expr>, String, Box<Query>),
    Like(Box<Expr>, Box<Expr>, Option<Box<Expr>>),
    Case(Option<Box<Expr>>, Vec<(Expr, Expr)>, Option<Box<Expr>>),
    Call(Box<Call>),
    Exists(Box<Query>),
    Query(Box<Query>),
    ListQuery(Box<Query>),
    List(Vec<Expr>),
    Row(Vec<Expr>),
    Element(Box<Expr>, Box<Expr>),
    Slice(Box<Expr>, Vec<Expr>),
    /// `(row).field`.
    Field,
    AtTimeZone(Box<Expr>, Box<Expr>),
    Collate(Box<Expr>),
}

#[derive(Debug, Default)]
pub(super) struct Call {
    pub(super) name: Vec<Name>,
    pub(super) args: Vec<Expr>,
    /// `count(*)`.
    pub(super) star: bool,
    pub(super) order_by: Vec<Expr>,
    /// `WITHIN GROUP (ORDER BY ..)`.
    pub(super) within: Vec<Expr>,
    pub(super) filter: Option<Expr>,
    pub(super) over: Option<Window>,
}

#[derive(Debug, Default)]
pub(super) struct Window {
    pub(super) exprs: Vec<Expr>,
    /// `ROWS BETWEEN ..`, in which there may be no row.
    pub(super) has_frame: bool,
    /// The window of WINDOW that it names.
    pub(super) name: Option<Name>,
}
