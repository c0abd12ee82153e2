//! From the syntax tree to types: resolves names, and infers the type of every column and parameter and whether it may
//! be null.
//!
//! Follows the order of PostgreSQL's own analysis, because a parameter gets its type at the first place where it occurs
//! with something of a known type. A type that cannot be inferred is `Opaque`, and needs an annotation.

mod expression;
mod from;
mod function;
mod grouping;
mod listed;
mod operator;
mod scope;
mod select;
mod write;
mod written;

use std::collections::{BTreeMap, BTreeSet};

use super::catalog::{Catalog, Column};
use super::tree::{Expr, ExprKind, Name, Statement};
use super::types::{Base, Ty};
use crate::diagnostics::{self as codes, Code, Diagnostic, Span, did_you_mean, suggest};
use crate::ir::{FieldId, ModelId, Schema};

pub(super) use expression::named_type;
pub(super) use select::columns;
pub(super) use written::{LeftOut, NewRows, NewValues, Write};

/// PostgreSQL's name for a column without a name.
pub(super) const NAMELESS: &str = "?column?";

/// What is known about a parameter.
#[derive(Debug, Clone, Default)]
pub(super) struct ParamState {
    pub(super) ty: Option<Ty>,
    /// The column that it is compared with or stored in.
    pub(super) hint: Option<String>,
    /// Whether an annotation declares it nullable.
    pub(super) noted_nullable: bool,
    /// Whether the statement tests it for null.
    pub(super) tested: bool,
    /// Its places, and the places where it is stored in a nullable column.
    uses: BTreeSet<u32>,
    nullable_uses: BTreeSet<u32>,
    /// Its places that compare it with a field, or store it in one.
    fields: BTreeMap<u32, FieldId>,
    /// The fields that are arguments of the same functions and operators.
    beside: BTreeSet<FieldId>,
}

impl ParamState {
    /// Returns whether null is a useful value: the statement tests for it, or only stores it in nullable columns.
    pub(super) fn takes_null(&self) -> bool {
        self.tested || !self.uses.is_empty() && self.uses == self.nullable_uses
    }

    /// Returns the fields that it is compared with, stored in, or beside which it is an argument.
    pub(super) fn all_fields(&self) -> impl Iterator<Item = FieldId> {
        self.fields.values().chain(&self.beside).copied()
    }

    /// Returns a field that it is compared with or stored in, if the Rust type of the field fits all of its places.
    pub(super) fn field(&self, schema: &Schema) -> Option<FieldId> {
        let first = *self.fields.values().next()?;
        let own = |id: FieldId| schema.walk_field(id).as_column().and_then(|column| column.column().rust.as_deref());
        let is_everywhere = self.uses.iter().all(|place| self.fields.contains_key(place));
        (is_everywhere && self.fields.values().all(|id| own(*id) == own(first))).then_some(first)
    }
}

/// A result column of a query.
#[derive(Debug, Clone)]
pub(super) struct Output {
    pub(super) name: Option<String>,
    pub(super) typed: Typed,
    pub(super) span: Span,
    /// Whether it stands for unknown columns of `*` or `t.*`.
    pub(super) is_star: bool,
    /// The table that `*` or `t.*` reads whole.
    pub(super) whole: Option<Whole>,
}

/// A table that `*` or `t.*` reads whole, from the first column to the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Whole {
    /// The place of the star, and that of the table in FROM.
    pub(super) at: (Span, usize),
    /// The name of the table in the query.
    pub(super) name: String,
    pub(super) model: ModelId,
    /// Whether an outer join may leave it out.
    pub(super) missing: bool,
}

/// What is known about an expression.
#[derive(Debug, Clone, Copy)]
pub(super) struct Typed {
    pub(super) ty: Ty,
    pub(super) nullable: bool,
    pub(super) holes: bool,
    pub(super) sensitive: bool,
    pub(super) field: Option<FieldId>,
}

impl Typed {
    fn new(ty: Ty, nullable: bool) -> Self {
        Self { ty, nullable, holes: false, sensitive: false, field: None }
    }

    fn base(base: Base, nullable: bool) -> Self {
        Self::new(Ty::Base(base), nullable)
    }

    /// Returns a type that cannot be inferred.
    fn opaque() -> Self {
        Self::new(Ty::Opaque, true)
    }

    /// Marks the value as computed: it is no longer the column itself.
    fn derived(self) -> Self {
        Self { field: None, ..self }
    }

    fn of_column(column: &Column, nullable: bool) -> Self {
        let Column { ty, holes, sensitive, field, .. } = *column;
        Self { ty, nullable, holes, sensitive, field }
    }
}

/// A query of WITH.
struct Cte {
    name: String,
    columns: Vec<Column>,
}

/// The GROUP BY of a SELECT.
#[derive(Debug)]
pub(super) struct Grouping {
    /// The end of its last expression that is part of every group.
    pub(super) end: u32,
    /// The columns among its expressions, with their qualifiers.
    pub(super) columns: Vec<Vec<String>>,
    /// The tables whose rows it groups.
    pub(super) tables: Vec<GroupedTable>,
    /// The conditions of WHERE and ON, which are evaluated before rows are grouped.
    pub(super) conditions: Vec<Span>,
}

/// A table of FROM in a grouped query.
#[derive(Debug)]
pub(super) struct GroupedTable {
    /// The place of its name.
    pub(super) span: Span,
    /// The name under which its columns are visible.
    pub(super) name: String,
    /// Whether its columns have other names in the query.
    pub(super) is_renamed: bool,
}

/// The result of the analysis of one statement.
pub(super) struct Cx<'s> {
    schema: &'s Schema,
    catalog: &'s Catalog,
    pub(super) params: Vec<ParamState>,
    ctes: Vec<Cte>,
    pub(super) found: Vec<Diagnostic>,
    pub(super) writes: Option<ModelId>,
    /// The list columns to which the statement writes lists that may contain null.
    written_holes: BTreeSet<FieldId>,
    /// The tables that are read, and the places of their names.
    pub(super) tables: Vec<(Span, ModelId)>,
    pub(super) groupings: Vec<Grouping>,
    /// The tables that are written.
    pub(super) written: Vec<Write>,
    pub(super) left_out: Vec<LeftOut>,
    /// Whether it reads or writes something that the schema does not know, or that cannot be confined to a tenant.
    pub(super) goes_outside: bool,
}

/// The number of diagnostics up to which similar names are suggested.
const MAX_SEARCHES: usize = 50;

/// The maximum number of reported errors per statement.
const MAX_FOUND: usize = 100;

/// Infers the types of a statement. Returns its result columns, if it returns rows.
pub(super) fn infer<'s>(
    schema: &'s Schema,
    catalog: &'s Catalog,
    params: Vec<ParamState>,
    statement: &Statement,
) -> (Cx<'s>, Option<Vec<Output>>) {
    let mut cx = Cx::new(schema, catalog, params.clone());
    let outputs = cx.statement(None, statement, true);
    // The types of parameters come after the columns that use them, and written values after the rows that they return.
    let is_tested = cx.params.iter().zip(&params).any(|(after, before)| after.tested && !before.tested);
    if is_tested || !cx.written_holes.is_empty() {
        let tested: Vec<bool> = cx.params.iter().map(|param| param.tested).collect();
        let again = params.into_iter().zip(tested).map(|(param, tested)| ParamState { tested, ..param }).collect();
        cx = Cx { written_holes: cx.written_holes, ..Cx::new(schema, catalog, again) };
        let outputs = cx.statement(None, statement, true);
        return (cx, outputs);
    }
    (cx, outputs)
}

impl<'s> Cx<'s> {
    fn new(schema: &'s Schema, catalog: &'s Catalog, params: Vec<ParamState>) -> Self {
        Cx {
            schema,
            catalog,
            params,
            ctes: Vec::new(),
            found: Vec::new(),
            writes: None,
            written_holes: BTreeSet::new(),
            tables: Vec::new(),
            groupings: Vec::new(),
            written: Vec::new(),
            left_out: Vec::new(),
            goes_outside: false,
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        if self.found.len() < MAX_FOUND && !self.found.contains(&diagnostic) {
            self.found.push(diagnostic);
        }
    }

    fn wrong(&mut self, code: &'static Code, span: Span, message: String, label: &str, help: String) {
        self.report(Diagnostic::new(code, span, message).label(label).help(help));
    }

    fn guess<'a>(&self, name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
        if self.found.len() < MAX_SEARCHES { did_you_mean(name, known) } else { None }
    }

    fn unknown_name<'a>(
        &mut self,
        code: &'static Code,
        name: &Name,
        message: String,
        known: impl IntoIterator<Item = &'a str> + Clone,
    ) {
        let help = suggest(self.guess(&name.text, known.clone()), || {
            let mut names: Vec<&str> = known.into_iter().take(20).collect();
            names.dedup();
            if names.is_empty() { "there is none here".to_owned() } else { format!("there are {}", names.join(", ")) }
        });
        self.wrong(code, name.span, message, "", help);
    }

    fn param(&mut self, number: u16) -> &mut ParamState {
        let at = usize::from(number) - 1;
        if self.params.len() <= at {
            self.params.resize_with(at + 1, ParamState::default);
        }
        &mut self.params[at]
    }

    /// Records a use of a parameter.
    fn param_here(&mut self, number: u16, span: Span) -> Typed {
        let param = self.param(number);
        param.uses.insert(span.start);
        let nullable = param.noted_nullable || param.tested;
        Typed::new(param.ty.unwrap_or(Ty::Param(number)), nullable)
    }

    /// Gives an open type its meaning.
    fn settle(&mut self, ty: Ty, meaning: Ty) -> Ty {
        match ty {
            Ty::Param(number) if !meaning.is_open() => {
                let param = self.param(number);
                if meaning != Ty::Opaque {
                    param.ty.get_or_insert(meaning);
                }
                meaning
            }
            Ty::Literal if !meaning.is_open() => meaning,
            known => known,
        }
    }

    /// Names a parameter inside casts and functions with one argument after the column on the other side.
    fn name_after(&mut self, expr: &Expr, other: &Expr) {
        if let (Some(number), Some(name)) = (param_of(expr), column_of(other)) {
            let name = name.to_owned();
            self.param(number).hint.get_or_insert(name);
        }
    }

    /// Records that a parameter is a value of a field.
    fn value_of(&mut self, expr: &Expr, field: Option<FieldId>) {
        if let (ExprKind::Param(number), Some(field)) = (&expr.kind, field) {
            self.param(*number).fields.insert(expr.span.start, field);
        }
    }

    fn name_param(&mut self, expr: &Expr, name: &str) {
        if let Some(number) = param_of(expr) {
            self.param(number).hint.get_or_insert(name.to_owned());
        }
    }

    /// Checks an expression against the expected type, and gives it that type if it has none.
    fn fit(&mut self, expr: &Expr, typed: Typed, wanted: Ty, assigned: bool) -> Typed {
        let typed = Typed { ty: self.settle(typed.ty, wanted), ..typed };
        self.check_label(expr, wanted);
        let fits = match (typed.ty, wanted) {
            (Ty::Opaque, _) | (_, Ty::Opaque) => true,
            (ty, wanted) if ty.is_open() || wanted.is_open() => true,
            (from, to) => from.becomes(to) || assigned && from.is_assigned_to(to),
        };
        if !fits {
            let (is, should) = (typed.ty.describe(self.schema), wanted.describe(self.schema));
            self.wrong(
                codes::QUERY_TYPES,
                expr.span,
                format!("expected {should}, found {is}"),
                &format!("is {is}"),
                format!("write a value of that type, or a cast such as `::{should}`"),
            );
        }
        typed
    }

    /// A literal that is used as a value of an enum must be one of its labels.
    fn check_label(&mut self, expr: &Expr, wanted: Ty) {
        let (ExprKind::Text(text), Ty::Base(Base::Enum(id))) = (&expr.kind, wanted) else { return };
        let known = self.schema.walk_enum(id);
        let labels = known.enumeration().values.iter().map(|value| value.db_name.as_str());
        if labels.clone().any(|label| label == text) {
            return;
        }
        let help =
            suggest(self.guess(text, labels.clone()), || format!("it has {}", labels.collect::<Vec<_>>().join(", ")));
        let message = format!("the enum `{}` has no value `{text}`", known.name());
        self.wrong(codes::UNKNOWN_VALUE, expr.span, message, "", help);
    }

    /// Types that are still open become text, as in PostgreSQL.
    fn close(&mut self, outputs: &mut [Output]) {
        for output in outputs {
            output.typed.ty = self.settle(output.typed.ty, Ty::Base(Base::Text));
        }
    }
}

fn param_of(expr: &Expr) -> Option<u16> {
    match &expr.kind {
        ExprKind::Param(number) => Some(*number),
        ExprKind::Cast(inner, _) | ExprKind::Collate(inner) => param_of(inner),
        ExprKind::Call(call) if call.args.len() == 1 => param_of(&call.args[0]),
        ExprKind::Chain(first, rest) => {
            let mut found = std::iter::once(&**first).chain(rest.iter().map(|(_, expr)| expr)).filter_map(param_of);
            found.next().filter(|_| found.next().is_none())
        }
        _ => None,
    }
}

fn column_of(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Column(path) => path.last().map(|name| name.text.as_str()),
        ExprKind::Cast(inner, _) | ExprKind::Collate(inner) => column_of(inner),
        ExprKind::Call(call) if call.args.len() == 1 => column_of(&call.args[0]),
        _ => None,
    }
}
