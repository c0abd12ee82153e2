//! Queries: the FROM clause, the result columns, and which of them are nullable.

use super::super::catalog::Column;
use super::super::tree::{Expr, ExprKind, Item, Name, Query, Select, Statement, Term, Window, With};
use super::super::types::{Base, Ty, common};
use super::scope::Scope;
use super::{Cte, Cx, NAMELESS, Output, Typed};
use crate::diagnostics::{self as codes, Diagnostic, Span, counted};

pub(in crate::queries) fn columns(outputs: Vec<Output>) -> Vec<Column> {
    let column = |output: Output| {
        let Typed { ty, nullable, holes, sensitive, field } = output.typed;
        let name = output.name.unwrap_or_else(|| NAMELESS.to_owned());
        Column { name, ty, nullable, holes, sensitive, field, has_default: false }
    };
    outputs.into_iter().map(column).collect()
}

impl Cx<'_> {
    /// Returns the columns of a statement; `None` if it returns no rows. With `close`, types that are still open become
    /// text.
    pub(super) fn statement(
        &mut self,
        scope: Option<&Scope<'_>>,
        statement: &Statement,
        close: bool,
    ) -> Option<Vec<Output>> {
        match statement {
            Statement::Query(query) => Some(self.query(scope, query, close)),
            Statement::Insert(insert) => self.insert(scope, insert),
            Statement::Update(update) => self.update(scope, update),
            Statement::Delete(delete) => self.delete(scope, delete),
        }
    }

    /// Adds the queries of WITH. `end_with` removes as many.
    pub(super) fn begin_with(&mut self, scope: Option<&Scope<'_>>, with: &With) -> usize {
        let before = self.ctes.len();
        for cte in &with.ctes {
            match &cte.statement {
                Statement::Query(query) if with.recursive && query.terms.len() > 1 => {
                    self.recursion(scope, &cte.name, &cte.columns, query);
                }
                statement => {
                    let outputs = self.statement(scope, statement, true).unwrap_or_default();
                    let columns = self.renamed(columns(outputs), &cte.columns, &cte.name);
                    self.ctes.push(Cte { name: cte.name.text.clone(), columns });
                }
            }
        }
        before
    }

    /// The first part of a recursive query determines its columns, and the rest reads them. If the rest makes one of
    /// them nullable, all may be null: the database repeats the rest more often than the analysis does.
    fn recursion(&mut self, scope: Option<&Scope<'_>>, name: &Name, names: &[Name], query: &Query) {
        let before = self.begin_with(scope, &query.with);
        let mut first = query.terms.first().map(|term| self.term(scope, term)).unwrap_or_default();
        self.close(&mut first);
        let mut known = self.renamed(columns(first), names, name);
        self.ctes.push(Cte { name: name.text.clone(), columns: known.clone() });
        let mut newly_null = false;
        for term in &query.terms[1..] {
            let outputs = self.term(scope, term);
            if outputs.len() != known.len() {
                self.shape(
                    query.span,
                    format!(
                        "the first query returns {}, but another one returns {}",
                        counted(known.len(), "column"),
                        outputs.len()
                    ),
                );
            }
            for (output, column) in outputs.iter().zip(&known) {
                self.settle(output.typed.ty, column.ty);
                newly_null |= output.typed.nullable && !column.nullable;
            }
        }
        self.ctes.truncate(before);
        known.iter_mut().for_each(|column| column.nullable |= newly_null);
        known.iter_mut().for_each(|column| column.field = None);
        self.ctes.push(Cte { name: name.text.clone(), columns: known });
    }

    pub(super) fn end_with(&mut self, before: usize) {
        self.ctes.truncate(before);
    }

    pub(super) fn renamed(&mut self, mut columns: Vec<Column>, names: &[Name], of: &Name) -> Vec<Column> {
        if names.len() > columns.len() {
            self.shape(
                of.span,
                format!("`{}` has {}, but {}", of.text, counted(columns.len(), "column"), counted(names.len(), "name")),
            );
        }
        columns.iter_mut().zip(names).for_each(|(column, name)| column.name.clone_from(&name.text));
        columns
    }

    pub(super) fn shape(&mut self, span: Span, message: String) {
        self.report(Diagnostic::new(codes::QUERY_SHAPE, span, message).help("write one name per column"));
    }

    /// Returns the columns of a query.
    pub(super) fn query(&mut self, scope: Option<&Scope<'_>>, query: &Query, close: bool) -> Vec<Output> {
        self.counted_query(scope, query, close).0
    }

    /// Returns the columns of a query, and whether it returns exactly one row, whatever the tables contain.
    pub(super) fn counted_query(
        &mut self,
        scope: Option<&Scope<'_>>,
        query: &Query,
        close: bool,
    ) -> (Vec<Output>, bool) {
        let before = self.begin_with(scope, &query.with);
        let single = match query.terms.as_slice() {
            [Term::Select(select)] => Some(select),
            _ => None,
        };
        let (mut outputs, gives_one_row) = match (single, query.terms.as_slice()) {
            (Some(select), _) => self.select(scope, select, &query.order_by, close),
            (None, [only]) => (self.term(scope, only), matches!(only, Term::Values { rows, .. } if rows.len() == 1)),
            (None, terms) => (self.union(scope, terms), false),
        };
        if close {
            self.close(&mut outputs);
        }
        if single.is_none() {
            self.order_of_union(&query.order_by, &outputs);
        }
        let empty = Scope::inside(scope);
        for (expr, name) in [(&query.limit, "limit"), (&query.offset, "offset")] {
            let Some(expr) = expr else { continue };
            let typed = self.expr(&empty, expr);
            self.fit(expr, typed, Ty::Base(Base::Int8), true);
            self.name_param(expr, name);
        }
        self.end_with(before);
        (outputs, gives_one_row && query.limit.is_none() && query.offset.is_none())
    }

    fn term(&mut self, scope: Option<&Scope<'_>>, term: &Term) -> Vec<Output> {
        match term {
            Term::Select(select) => self.select(scope, select, &[], false).0,
            Term::Query(query) => self.query(scope, query, false),
            Term::Values { rows, span, .. } => self.values(scope, rows, *span),
        }
    }

    /// Returns the columns of a set operation.
    fn union(&mut self, scope: Option<&Scope<'_>>, terms: &[Term]) -> Vec<Output> {
        let parts: Vec<Vec<Output>> = terms.iter().map(|term| self.term(scope, term)).collect();
        let mut outputs = parts[0].clone();
        for part in &parts[1..] {
            if part.len() != outputs.len() {
                let span = part.first().or(outputs.first()).map_or_else(Span::default, |output| output.span);
                let (first, other) = (counted(outputs.len(), "column"), part.len());
                self.shape(span, format!("the first query returns {first}, but this one returns {other}"));
                return outputs;
            }
        }
        for (at, output) in outputs.iter_mut().enumerate() {
            output.whole = None;
            let column: Vec<&Output> = parts.iter().map(|part| &part[at]).collect();
            let types: Vec<(Ty, Span)> = column.iter().map(|output| (output.typed.ty, output.span)).collect();
            let ty = match self.together(&types) {
                open if open.is_open() => Ty::Base(Base::Text),
                known => known,
            };
            for other in &column {
                self.settle(other.typed.ty, ty);
            }
            output.typed = Typed {
                ty,
                nullable: column.iter().any(|output| output.typed.nullable),
                holes: column.iter().any(|output| output.typed.holes),
                sensitive: column.iter().any(|output| output.typed.sensitive),
                field: None,
            };
        }
        outputs
    }

    /// Returns the common type of several expressions. Reports a mistake if there is none.
    pub(super) fn together(&mut self, types: &[(Ty, Span)]) -> Ty {
        match common(types.iter().map(|(ty, _)| *ty)) {
            Ok(ty) => ty,
            Err((first, second)) => {
                let span =
                    types.iter().rev().find(|(ty, _)| *ty == second).map_or_else(Span::default, |(_, span)| *span);
                let (first, second) = (first.describe(self.schema), second.describe(self.schema));
                let message = format!("this is {second}, but the other value is {first}");
                let help = format!("add a cast to one of them, such as `::{first}`");
                self.wrong(codes::QUERY_TYPES, span, message, &format!("is {second}"), help);
                Ty::Opaque
            }
        }
    }

    fn values(&mut self, scope: Option<&Scope<'_>>, rows: &[Vec<Expr>], span: Span) -> Vec<Output> {
        let empty = Scope::inside(scope);
        let rows: Vec<Vec<(Typed, Span)>> =
            rows.iter().map(|row| row.iter().map(|expr| (self.expr(&empty, expr), expr.span)).collect()).collect();
        let width = rows.first().map_or(0, Vec::len);
        if let Some(other) = rows.iter().find(|row| row.len() != width) {
            let span = other.first().map_or(span, |(_, span)| *span);
            self.shape(
                span,
                format!("the first row has {}, but this one has {}", counted(width, "value"), other.len()),
            );
            return Vec::new();
        }
        let column = |this: &mut Self, at: usize| {
            let types: Vec<(Ty, Span)> = rows.iter().map(|row| (row[at].0.ty, row[at].1)).collect();
            let ty = match this.together(&types) {
                open if open.is_open() => Ty::Base(Base::Text),
                known => known,
            };
            for (known, _) in &types {
                this.settle(*known, ty);
            }
            let nullable = rows.iter().any(|row| row[at].0.nullable);
            let name = Some(format!("column{}", at + 1));
            Output { name, typed: Typed::new(ty, nullable), span: rows[0][at].1, is_star: false, whole: None }
        };
        (0..width).map(|at| column(self, at)).collect()
    }

    /// ORDER BY of a union names columns or numbers.
    fn order_of_union(&mut self, order_by: &[Expr], outputs: &[Output]) {
        for expr in order_by {
            let ExprKind::Column(path) = &expr.kind else { continue };
            let [name] = path.as_slice() else { continue };
            let known: Vec<String> = outputs.iter().filter_map(|output| output.name.clone()).collect();
            if !known.contains(&name.text) {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                let message = format!("the queries return no column `{}`", name.text);
                self.unknown_name(codes::QUERY_UNKNOWN_COLUMN, name, message, known);
            }
        }
    }

    /// Returns the columns of a SELECT, and whether it returns exactly one row.
    fn select(
        &mut self,
        parent: Option<&Scope<'_>>,
        select: &Select,
        order_by: &[Expr],
        close: bool,
    ) -> (Vec<Output>, bool) {
        let mut scope = Scope::inside(parent);
        for source in &select.from {
            self.source(&mut scope, source);
        }
        // An empty grouping set is a group even without rows.
        scope.has_rows = !select.group_by.is_empty();
        let framed = select.windows.iter().filter(|(_, window)| window.has_frame);
        scope.framed = framed.map(|(name, _)| name.text.clone()).collect();
        if let Some(filter) = &select.filter {
            self.narrow(&mut scope, filter);
        }
        scope.grouping_sets = self.grouping_sets(&scope, select);
        self.record_grouping(&scope, select);
        let grouped = select.group_by.iter().chain(&select.grouping_sets).chain(&select.distinct_on);
        let listed = item_exprs(&select.items).chain(grouped).chain(order_by);
        let sets = listed.map(|expr| self.count_sets(expr)).sum::<usize>();
        scope.padded = sets > 1;
        let mut outputs = self.items(&scope, &select.items);
        if close || select.distinct {
            self.close(&mut outputs);
        }
        if let Some(filter) = &select.filter {
            self.condition(&scope, filter);
        }
        if let Some(having) = &select.having {
            self.condition(&scope, having);
        }
        let grouped = select.group_by.iter().chain(&select.grouping_sets);
        for expr in order_by.iter().chain(grouped).chain(&select.distinct_on) {
            self.output_or_expr(&scope, expr, &mut outputs);
        }
        let mut windows: Vec<&Window> = Vec::new();
        item_exprs(&select.items).chain(order_by).for_each(|expr| expr.windows(&mut windows));
        for window in windows.into_iter().chain(select.windows.iter().map(|(_, window)| window)) {
            self.window(&scope, window);
        }
        (outputs, sets == 0 && self.gives_one_row(&scope, select))
    }

    /// Aggregates over all rows return one row, and so does SELECT without FROM.
    fn gives_one_row(&self, scope: &Scope<'_>, select: &Select) -> bool {
        if select.grouped || select.having.is_some() {
            return false;
        }
        let mut over_all_rows = |expr: &Expr| match &expr.kind {
            ExprKind::Call(call) => self.is_aggregate(call) && std::ptr::eq(scope.of_aggregate(call), scope),
            _ => false,
        };
        item_exprs(&select.items).any(|expr| expr.has(&mut over_all_rows))
            || select.from.is_empty() && select.filter.is_none()
    }

    /// Returns the expressions that grouping sets make null.
    fn grouping_sets<'t>(&self, scope: &Scope<'_>, select: &'t Select) -> Vec<&'t Expr> {
        select.grouping_sets.iter().map(|expr| self.meant(scope, select, expr)).collect()
    }

    /// Returns the expression that an expression of GROUP BY denotes: a name or a number may mean a column of the result.
    pub(super) fn meant<'t>(&self, scope: &Scope<'_>, select: &'t Select, expr: &'t Expr) -> &'t Expr {
        match &expr.kind {
            ExprKind::Number(text) => {
                let at = text.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
                at.and_then(|at| item_exprs(&select.items).nth(at)).unwrap_or(expr)
            }
            // A column of a table takes precedence over one of the result.
            ExprKind::Column(path) if path.len() == 1 && !scope.has_column(path) => {
                let aliased = select.items.iter().find_map(|item| match item {
                    Item::Expr(expr, Some(alias)) if alias.text == path[0].text => Some(expr),
                    _ => None,
                });
                aliased.unwrap_or(expr)
            }
            _ => expr,
        }
    }

    /// ORDER BY and GROUP BY may name a column of the result, or its number. A sorted value has a type.
    fn output_or_expr(&mut self, scope: &Scope<'_>, expr: &Expr, outputs: &mut [Output]) {
        let named = |name: &Name| outputs.iter().position(|output| output.name.as_deref() == Some(&name.text));
        let at = match &expr.kind {
            ExprKind::Number(text) => text.parse::<usize>().ok().and_then(|number| number.checked_sub(1)),
            ExprKind::Column(path) if path.len() == 1 => named(&path[0]),
            _ => None,
        };
        match at.and_then(|at| outputs.get_mut(at)) {
            Some(output) => self.close(std::slice::from_mut(output)),
            None => {
                let typed = self.expr(scope, expr);
                self.settle(typed.ty, Ty::Base(Base::Text));
            }
        }
    }

    pub(super) fn condition(&mut self, scope: &Scope<'_>, expr: &Expr) {
        let typed = self.expr(scope, expr);
        self.fit(expr, typed, Ty::Base(Base::Bool), false);
    }

    /// Remembers the columns that are not null if a condition is true.
    pub(super) fn narrow(&mut self, scope: &mut Scope<'_>, condition: &Expr) {
        match &condition.kind {
            ExprKind::All(parts) => parts.iter().for_each(|part| self.narrow(scope, part)),
            ExprKind::IsNull(expr, false) => self.know(scope, expr),
            ExprKind::Chain(first, rest) if rest.len() == 1 && STRICT.contains(&rest[0].0.as_str()) => {
                self.know(scope, first);
                self.know(scope, &rest[0].1);
            }
            ExprKind::Between(expr, ..) | ExprKind::Like(expr, ..) => self.know(scope, expr),
            // Neither `IN` nor `NOT IN` is true for null, except `NOT IN` with an empty query.
            ExprKind::In(expr, _) => self.know(scope, expr),
            // Any value is equal to all elements of an empty list.
            ExprKind::AnyOf(expr, quantified, list) => {
                if !quantified.all && (STRICT.contains(&&*quantified.operator) || quantified.operator == "~~") {
                    self.know(scope, expr);
                }
                self.know(scope, list);
            }
            _ => {}
        }
    }

    fn know(&mut self, scope: &mut Scope<'_>, expr: &Expr) {
        if let ExprKind::Column(path) = &expr.kind
            && let Some(place) = self.place(scope, path)
        {
            scope.known.push(place);
        }
    }

    pub(super) fn items(&mut self, scope: &Scope<'_>, items: &[Item]) -> Vec<Output> {
        let mut outputs = Vec::new();
        for item in items {
            match item {
                Item::Star(table, span) => match self.star(scope, table, *span) {
                    Some(columns) => outputs.extend(columns),
                    None => outputs.push(Output {
                        name: None,
                        typed: Typed::opaque(),
                        span: *span,
                        is_star: true,
                        whole: None,
                    }),
                },
                Item::Expr(expr, alias) => {
                    let typed = self.expr(scope, expr);
                    let name = alias.as_ref().map(|alias| alias.text.clone()).or_else(|| figure_name(expr));
                    outputs.push(Output { name, typed, span: expr.span, is_star: false, whole: None });
                }
            }
        }
        outputs
    }
}

/// Operators that are never true for null.
const STRICT: [&str; 27] = [
    "=", "<", ">", "<=", ">=", "<>", "!=", "~", "~*", "!~", "!~*", "^@", "@>", "<@", "&&", "<<", ">>", "<<=", ">>=",
    "&<", "&>", "-|-", "?", "?|", "?&", "@@", "@?",
];

fn item_exprs(items: &[Item]) -> impl Iterator<Item = &Expr> {
    items.iter().filter_map(|item| match item {
        Item::Expr(expr, _) => Some(expr),
        Item::Star(..) => None,
    })
}

/// Returns the name that PostgreSQL gives a column without AS.
pub(super) fn figure_name(expr: &Expr) -> Option<String> {
    named(expr).map(|(name, _)| name)
}

/// Returns the name, and whether it takes precedence over the name of a cast.
fn named(expr: &Expr) -> Option<(String, bool)> {
    let firm = |name: &str| Some((name.to_owned(), true));
    match &expr.kind {
        ExprKind::Column(path) | ExprKind::WholeRow(path) => path.last().map(|name| (name.text.clone(), true)),
        ExprKind::Call(call) => call.name.last().map(|name| (name.text.clone(), true)),
        ExprKind::Cast(inner, ty) => match named(inner) {
            Some((name, true)) => Some((name, true)),
            _ => Some((catalog_name(ty.parts.last()?), false)),
        },
        ExprKind::Collate(inner) | ExprKind::Element(inner, _) | ExprKind::Slice(inner, _) => named(inner),
        ExprKind::AtTimeZone(..) => firm("timezone"),
        ExprKind::Case(_, _, otherwise) => {
            otherwise.as_deref().and_then(named).filter(|(_, firm)| *firm).or_else(|| Some(("case".to_owned(), false)))
        }
        ExprKind::Exists(_) => firm("exists"),
        ExprKind::List(_) | ExprKind::ListQuery(_) => firm("array"),
        ExprKind::Row(_) => firm("row"),
        ExprKind::Query(query) => match query.terms.first()? {
            Term::Select(select) => match select.items.first()? {
                Item::Expr(_, Some(alias)) => firm(&alias.text),
                Item::Expr(expr, None) => named(expr).map(|(name, _)| (name, true)),
                Item::Star(..) => None,
            },
            Term::Values { .. } => firm("column1"),
            Term::Query(_) => None,
        },
        _ => None,
    }
}

fn catalog_name(name: &str) -> String {
    match name {
        "int" | "integer" => "int4".to_owned(),
        "bigint" => "int8".to_owned(),
        "smallint" => "int2".to_owned(),
        "boolean" => "bool".to_owned(),
        "float" => "float8".to_owned(),
        "real" => "float4".to_owned(),
        "decimal" | "dec" => "numeric".to_owned(),
        "char" | "character" => "bpchar".to_owned(),
        other => other.to_owned(),
    }
}
