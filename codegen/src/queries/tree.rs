//! The syntax tree of a query, with places, before names are resolved.
//!
//! Chains of operators, set operations and joins are lists, so no tree is deeper than its brackets.

use crate::diagnostics::Span;

/// A name, folded as in PostgreSQL.
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

/// An object that queries can name, other than the tables of the schema.
#[derive(Debug)]
pub(super) enum Object {
    Function(FunctionObject),
    View { name: Vec<Name>, columns: Vec<Name>, query: Box<Query> },
    Sequence(Vec<Name>),
    Extension(Name),
}

/// The signature of CREATE FUNCTION.
#[derive(Debug)]
pub(super) struct FunctionObject {
    pub(super) name: Vec<Name>,
    pub(super) args: Vec<Argument>,
    pub(super) returns: Returns,
}

#[derive(Debug)]
pub(super) struct Argument {
    pub(super) mode: Mode,
    pub(super) name: Option<Name>,
    pub(super) ty: TypeName,
    pub(super) has_default: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    In,
    Out,
    InOut,
    Variadic,
}

#[derive(Debug)]
pub(super) enum Returns {
    /// What the OUT arguments are.
    Outputs,
    Type {
        ty: TypeName,
        set: bool,
    },
    Table(Vec<(Name, TypeName)>),
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
    /// The first query, and those combined with it.
    pub(super) terms: Vec<Term>,
    pub(super) order_by: Vec<Expr>,
    pub(super) limit: Option<Expr>,
    pub(super) offset: Option<Expr>,
    /// `FOR UPDATE OF`.
    pub(super) locks: Vec<Name>,
    pub(super) span: Span,
}

impl Expr {
    /// Returns the expressions that it consists of, without those of nested queries.
    pub(super) fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Column(_)
            | ExprKind::WholeRow(_)
            | ExprKind::Param(_)
            | ExprKind::Number(_)
            | ExprKind::Text(_)
            | ExprKind::Bits
            | ExprKind::Bool
            | ExprKind::Null
            | ExprKind::Default
            | ExprKind::Exists(_)
            | ExprKind::Query(_)
            | ExprKind::ListQuery(_) => Vec::new(),
            ExprKind::Cast(inner, _)
            | ExprKind::Sign(inner)
            | ExprKind::Prefix(_, inner)
            | ExprKind::Not(inner)
            | ExprKind::IsNull(inner, _)
            | ExprKind::IsBool(inner)
            | ExprKind::IsKind(inner)
            | ExprKind::InQuery(inner, _)
            | ExprKind::AnyOfQuery(inner, _, _)
            | ExprKind::Field(inner)
            | ExprKind::Collate(inner) => vec![inner],
            ExprKind::Distinct(a, b)
            | ExprKind::AnyOf(a, _, b)
            | ExprKind::Element(a, b)
            | ExprKind::AtTimeZone(a, b) => vec![a, b],
            ExprKind::Between(a, b, c) => vec![a, b, c],
            ExprKind::Like(a, b, escape) => [a, b].into_iter().chain(escape).map(|expr| &**expr).collect(),
            ExprKind::Chain(first, rest) => {
                std::iter::once(&**first).chain(rest.iter().map(|(_, expr)| expr)).collect()
            }
            ExprKind::All(exprs) | ExprKind::Any(exprs) | ExprKind::List(exprs) | ExprKind::Row(exprs) => {
                exprs.iter().collect()
            }
            ExprKind::In(value, exprs) | ExprKind::Slice(value, exprs) => {
                std::iter::once(&**value).chain(exprs).collect()
            }
            ExprKind::Case(operand, whens, otherwise) => {
                let whens = whens.iter().flat_map(|(when, then)| [when, then]);
                operand.iter().map(|expr| &**expr).chain(whens).chain(otherwise.as_deref()).collect()
            }
            ExprKind::Call(call) => {
                let window = call.over.iter().flat_map(|window| window.exprs.iter().chain(&window.bounds));
                call.args.iter().chain(&call.order_by).chain(&call.within).chain(&call.filter).chain(window).collect()
            }
        }
    }

    /// Collects the windows of the calls that it contains.
    pub(super) fn windows<'e>(&'e self, found: &mut Vec<&'e Window>) {
        if let ExprKind::Call(call) = &self.kind {
            found.extend(&call.over);
        }
        self.children().into_iter().for_each(|child| child.windows(found));
    }

    /// Returns whether a condition holds for it, or for an expression inside it.
    pub(super) fn has(&self, what: &mut impl FnMut(&Expr) -> bool) -> bool {
        what(self) || self.children().into_iter().any(|child| child.has(what))
    }

    /// Returns whether PostgreSQL may treat both as the same expression. Casts may have no effect.
    pub(super) fn may_equal(&self, other: &Expr) -> bool {
        match (&self.kind, &other.kind) {
            (ExprKind::Cast(inner, _), _) => return inner.may_equal(other),
            (_, ExprKind::Cast(inner, _)) => return self.may_equal(inner),
            _ => {}
        }
        let is_same = match (&self.kind, &other.kind) {
            (ExprKind::Column(a), ExprKind::Column(b)) => is_named(a, b),
            (ExprKind::Param(a), ExprKind::Param(b)) => a == b,
            (ExprKind::Number(a), ExprKind::Number(b)) | (ExprKind::Text(a), ExprKind::Text(b)) => a == b,
            (ExprKind::Call(a), ExprKind::Call(b)) => is_named(&a.name, &b.name),
            (ExprKind::Chain(_, a), ExprKind::Chain(_, b)) => {
                a.iter().map(|(operator, _)| operator).eq(b.iter().map(|(operator, _)| operator))
            }
            (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
        };
        let (mine, others) = (self.children(), other.children());
        is_same && mine.len() == others.len() && mine.iter().zip(others).all(|(mine, other)| mine.may_equal(other))
    }
}

/// Returns whether two paths end in the same name.
fn is_named(a: &[Name], b: &[Name]) -> bool {
    a.last().map(|name| &name.text) == b.last().map(|name| &name.text)
}

#[derive(Debug)]
pub(super) enum Term {
    Select(Box<Select>),
    Values {
        rows: Vec<Vec<Expr>>,
        /// The places of the closing parentheses of the rows.
        ends: Vec<u32>,
        span: Span,
    },
    Query(Box<Query>),
}

#[derive(Debug, Default)]
pub(super) struct Select {
    pub(super) distinct: bool,
    pub(super) distinct_on: Vec<Expr>,
    pub(super) items: Vec<Item>,
    /// The end of the last item, behind which another one can be added. `TABLE t` has none.
    pub(super) items_end: Option<u32>,
    pub(super) from: Vec<Source>,
    pub(super) filter: Option<Expr>,
    /// The expressions of every grouping.
    pub(super) group_by: Vec<Expr>,
    /// The expressions of only some groups of `ROLLUP`, `CUBE` or `GROUPING SETS`: null in the others.
    pub(super) grouping_sets: Vec<Expr>,
    /// Whether there is a GROUP BY, even an empty one: `GROUP BY ()`.
    pub(super) grouped: bool,
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

/// An item of FROM: a table or similar, and its joins.
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
    Query {
        query: Box<Query>,
        lateral: bool,
    },
    /// Functions of `ROWS FROM (..)`, or one function.
    Functions {
        calls: Vec<FunctionCall>,
        ordinality: bool,
    },
    Joined(Box<Source>),
}

/// A function in FROM.
#[derive(Debug)]
pub(super) struct FunctionCall {
    pub(super) call: Expr,
    /// `AS (a int, b text)` inside `ROWS FROM`.
    pub(super) columns: Vec<(Name, TypeName)>,
}

#[derive(Debug)]
pub(super) struct Insert {
    pub(super) with: With,
    pub(super) table: Vec<Name>,
    pub(super) alias: Option<Name>,
    pub(super) columns: Vec<Name>,
    /// The place of the closing parenthesis behind the columns.
    pub(super) columns_end: u32,
    pub(super) source: InsertSource,
    pub(super) conflict: Option<Conflict>,
    pub(super) returning: Option<Vec<Item>>,
}

#[derive(Debug)]
pub(super) enum InsertSource {
    Query(Box<Query>),
    /// DEFAULT VALUES, and its place.
    Defaults(Span),
}

#[derive(Debug)]
pub(super) struct Conflict {
    pub(super) target: Vec<Expr>,
    pub(super) target_filter: Option<Expr>,
    /// Empty for DO NOTHING.
    pub(super) sets: Vec<Set>,
    pub(super) filter: Filter,
}

/// WHERE of a statement that writes.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) condition: Option<Expr>,
    /// The place of the condition, with its parentheses. Without a condition, it is empty, and WHERE can be added there.
    pub(super) span: Span,
}

#[derive(Debug)]
pub(super) struct Set {
    pub(super) columns: Vec<Name>,
    /// `SET (a, b) = ..`.
    pub(super) is_list: bool,
    /// `SET a[1] = ..`, `SET a[1:2] = ..`: the parts of the column that are written.
    pub(super) subscripts: Vec<Subscript>,
    pub(super) value: Expr,
}

#[derive(Debug)]
pub(super) struct Update {
    pub(super) with: With,
    pub(super) table: Vec<Name>,
    pub(super) alias: Option<Name>,
    pub(super) sets: Vec<Set>,
    pub(super) from: Vec<Source>,
    pub(super) filter: Filter,
    pub(super) returning: Option<Vec<Item>>,
}

#[derive(Debug)]
pub(super) struct Delete {
    pub(super) with: With,
    pub(super) table: Vec<Name>,
    pub(super) alias: Option<Name>,
    pub(super) using: Vec<Source>,
    pub(super) filter: Filter,
    pub(super) returning: Option<Vec<Item>>,
}

/// `[1]`, or `[1:2]`.
#[derive(Debug)]
pub(super) struct Subscript {
    pub(super) bounds: Vec<Expr>,
    pub(super) is_slice: bool,
}

/// The name of a type in a cast: `timestamp with time zone`, `numeric(10, 2)`, `app.role[]`.
#[derive(Debug, Clone)]
pub(super) struct TypeName {
    /// The name of the schema, if there is one, and the name of the type.
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
    AnyOf(Box<Expr>, Quantified, Box<Expr>),
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
    Field(Box<Expr>),
    AtTimeZone(Box<Expr>, Box<Expr>),
    Collate(Box<Expr>),
}

/// The operator before ANY or ALL.
#[derive(Debug)]
pub(super) struct Quantified {
    pub(super) operator: String,
    /// Whether it is ALL, which is true for an empty list.
    pub(super) all: bool,
}

#[derive(Debug, Default)]
pub(super) struct Call {
    pub(super) name: Vec<Name>,
    pub(super) args: Vec<Expr>,
    /// `count(*)`.
    pub(super) star: bool,
    /// `name => value`: the places of arguments, and their names.
    pub(super) names: Vec<(usize, Name)>,
    /// `VARIADIC list`: its elements are the last arguments.
    pub(super) variadic: bool,
    pub(super) order_by: Vec<Expr>,
    /// `WITHIN GROUP (ORDER BY ..)`.
    pub(super) within: Vec<Expr>,
    pub(super) filter: Option<Expr>,
    pub(super) over: Option<Window>,
}

#[derive(Debug, Default)]
pub(super) struct Window {
    /// The expressions of PARTITION BY and ORDER BY, in the order in which PostgreSQL looks at them.
    pub(super) exprs: Vec<Expr>,
    /// The numbers before PRECEDING and FOLLOWING.
    pub(super) bounds: Vec<Expr>,
    /// Whether it is RANGE, whose bounds have the type that can be added to the sort key.
    pub(super) is_range: bool,
    /// Whether it has a frame, such as `ROWS BETWEEN ..`, which may be empty.
    pub(super) has_frame: bool,
    /// The window of WINDOW that it names.
    pub(super) name: Option<Name>,
}
