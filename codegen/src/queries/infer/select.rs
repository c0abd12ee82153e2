//! Queries: what stands in FROM, which columns come out, and what may be null on the way.

use super::super::catalog::{Column, Lookup};
use super::super::tree::{
    Expr, ExprKind, Item, Join, JoinKind, Name, On, Query, Relation as TreeRelation, RelationKind, Select, Source,
    Statement, Term, With,
};
use super::super::types::{Base, Ty, common};
use super::scope::{Relation, Scope};
use super::{Cte, Cx, NAMELESS, Output, Typed};
use crate::diagnostics::{self as codes, Diagnostic, Span};

pub(super) fn columns(outputs: Vec<Output>) -> Vec<Column> {
    let column = |output: Output| {
        let Typed { ty, nullable, holes, sensitive, field } = output.typed;
        let name = output.name.unwrap_or_else(|| NAMELESS.to_owned());
        Column { name, ty, nullable, holes, sensitive, field, has_default: false }
    };
    outputs.into_iter().map(column).collect()
}

impl Cx<'_> {
    /// The columns of a statement; none if it gives no rows. With `close`, what is still open becomes text.
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

    /// Makes the queries of WITH known, until `end_with` takes as many away.
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

    /// The first part of a recursive query says which columns it has, and the rest reads them. If the rest makes one of
    /// them null, all may be: rows go round more often than this looks at them.
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
                    format!("the first query gives {} columns, and one gives {}", known.len(), outputs.len()),
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

    fn renamed(&mut self, mut columns: Vec<Column>, names: &[Name], of: &Name) -> Vec<Column> {
        if names.len() > columns.len() {
            self.shape(of.span, format!("`{}` has {} columns, and {} names", of.text, columns.len(), names.len()));
        }
        columns.iter_mut().zip(names).for_each(|(column, name)| column.name.clone_from(&name.text));
        columns
    }

    pub(super) fn shape(&mut self, span: Span, message: String) {
        self.report(Diagnostic::new(codes::QUERY_SHAPE, span, message).help("give as many as there are columns"));
    }

    /// The columns of a query.
    pub(super) fn query(&mut self, scope: Option<&Scope<'_>>, query: &Query, close: bool) -> Vec<Output> {
        let before = self.begin_with(scope, &query.with);
        let single = match query.terms.as_slice() {
            [Term::Select(select)] => Some(select),
            _ => None,
        };
        let mut outputs = match (single, query.terms.as_slice()) {
            (Some(select), _) => self.select(scope, select, &query.order_by, close),
            (None, [only]) => self.term(scope, only),
            (None, terms) => self.union(scope, terms),
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
        outputs
    }

    fn term(&mut self, scope: Option<&Scope<'_>>, term: &Term) -> Vec<Output> {
        match term {
            Term::Select(select) => self.select(scope, select, &[], false),
            Term::Query(query) => self.query(scope, query, false),
            Term::Values(rows, span) => self.values(scope, rows, *span),
        }
    }

    /// Columns of several queries under one another.
    fn union(&mut self, scope: Option<&Scope<'_>>, terms: &[Term]) -> Vec<Output> {
        let parts: Vec<Vec<Output>> = terms.iter().map(|term| self.term(scope, term)).collect();
        let mut outputs = parts[0].clone();
        for part in &parts[1..] {
            if part.len() != outputs.len() {
                let span = part.first().or(outputs.first()).map_or_else(Span::default, |output| output.span);
                let (first, other) = (outputs.len(), part.len());
                self.shape(span, format!("the first query gives {first} columns, and this one {other}"));
                return outputs;
            }
        }
        for (at, output) in outputs.iter_mut().enumerate() {
            let column: Vec<&Output> = parts.iter().map(|part| &part[at]).collect();
            let types: Vec<(Ty, Span)> = column.iter().map(|output| (output.typed.ty, output.span)).collect();
            let ty = self.together(&types);
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

    /// The common type of several expressions; a mistake if there is none.
    pub(super) fn together(&mut self, types: &[(Ty, Span)]) -> Ty {
        match common(types.iter().map(|(ty, _)| *ty)) {
            Ok(ty) => ty,
            Err((first, second)) => {
                let span =
                    types.iter().rev().find(|(ty, _)| *ty == second).map_or_else(Span::default, |(_, span)| *span);
                let (first, second) = (first.describe(self.schema), second.describe(self.schema));
                let message = format!("this is {second}, and what stands with it is {first}");
                let help = format!("write a cast on one of them, such as `::{first}`");
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
            self.shape(span, format!("the first row has {width} values, and this one {}", other.len()));
            return Vec::new();
        }
        let column = |this: &mut Self, at: usize| {
            let types: Vec<(Ty, Span)> = rows.iter().map(|row| (row[at].0.ty, row[at].1)).collect();
            let ty = this.together(&types);
            for (known, _) in &types {
                this.settle(*known, ty);
            }
            let nullable = rows.iter().any(|row| row[at].0.nullable);
            Output { name: Some(format!("column{}", at + 1)), typed: Typed::new(ty, nullable), span: rows[0][at].1 }
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
                let message = format!("the queries give no column `{}`", name.text);
                self.unknown_name(codes::QUERY_UNKNOWN_COLUMN, name, message, known);
            }
        }
    }

    fn select(&mut self, parent: Option<&Scope<'_>>, select: &Select, order_by: &[Expr], close: bool) -> Vec<Output> {
        let mut scope = Scope::inside(parent);
        for source in &select.from {
            self.source(&mut scope, source);
        }
        scope.has_rows = !select.group_by.is_empty() && !select.grouping_sets;
        scope.grouping_sets = select.grouping_sets;
        let framed = select.windows.iter().filter(|(_, window)| window.has_frame);
        scope.framed = framed.map(|(name, _)| name.text.clone()).collect();
        if let Some(filter) = &select.filter {
            self.narrow(&mut scope, filter);
        }
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
        let grouped = select.group_by.iter().chain(order_by);
        for expr in grouped.chain(&select.distinct_on) {
            self.output_or_expr(&scope, expr, &mut outputs);
        }
        for (_, window) in &select.windows {
            for expr in &window.exprs {
                self.expr(&scope, expr);
            }
        }
        outputs
    }

    /// ORDER BY and GROUP BY may name a column of the result, or its number. What is sorted has a type.
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

    /// Remembers which columns are not null where a condition holds.
    pub(super) fn narrow(&mut self, scope: &mut Scope<'_>, condition: &Expr) {
        match &condition.kind {
            ExprKind::All(parts) => parts.iter().for_each(|part| self.narrow(scope, part)),
            ExprKind::IsNull(expr, false) => self.know(scope, expr),
            ExprKind::Chain(first, rest) => {
                let strict = ["=", "<", ">", "<=", ">=", "<>", "!=", "~", "~*", "@>", "<@", "&&"];
                if rest.len() == 1 && strict.contains(&rest[0].0.as_str()) {
                    self.know(scope, first);
                    self.know(scope, &rest[0].1);
                }
            }
            ExprKind::Between(expr, ..) | ExprKind::Like(expr, ..) => self.know(scope, expr),
            // Neither `IN` nor `NOT IN` is true of null, the latter but for an empty query.
            ExprKind::In(expr, _) => self.know(scope, expr),
            ExprKind::AnyOf(expr, operator, _) if operator == "=" => self.know(scope, expr),
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
                    Some(columns) => outputs.extend(columns.into_iter().map(|(name, typed)| Output {
                        name: Some(name),
                        typed,
                        span: *span,
                    })),
                    None => outputs.push(Output { name: None, typed: Typed::opaque(), span: *span }),
                },
                Item::Expr(expr, alias) => {
                    let typed = self.expr(scope, expr);
                    let name = alias.as_ref().map(|alias| alias.text.clone()).or_else(|| figure_name(expr));
                    outputs.push(Output { name, typed, span: expr.span });
                }
            }
        }
        outputs
    }

    /// Adds what stands in FROM to a scope.
    pub(super) fn source(&mut self, scope: &mut Scope<'_>, source: &Source) {
        let begin = scope.relations.len();
        self.relation(scope, &source.first);
        for join in &source.joins {
            self.join(scope, join, begin);
        }
    }

    fn join(&mut self, scope: &mut Scope<'_>, join: &Join, begin: usize) {
        let middle = scope.relations.len();
        self.relation(scope, &join.relation);
        match &join.on {
            On::Condition(condition) => self.condition(scope, condition),
            On::Using(names) => names.iter().for_each(|name| self.merge(scope, name, join.kind, begin, middle)),
            On::Natural => {
                let left: Vec<String> = scope.relations[begin..middle]
                    .iter()
                    .flat_map(|relation| relation.columns.iter().map(|column| column.name.clone()))
                    .collect();
                let right = scope.relations[middle..].iter().flat_map(|relation| &relation.columns);
                let both: Vec<String> =
                    right.filter(|column| left.contains(&column.name)).map(|column| column.name.clone()).collect();
                for text in both {
                    let name = Name { text, span: join.relation.span };
                    self.merge(scope, &name, join.kind, begin, middle);
                }
            }
            On::Nothing => {}
        }
        let (left, right) = scope.relations[begin..].split_at_mut(middle - begin);
        if matches!(join.kind, JoinKind::Left | JoinKind::Full) {
            right.iter_mut().for_each(|relation| relation.missing = true);
        }
        if matches!(join.kind, JoinKind::Right | JoinKind::Full) {
            left.iter_mut().for_each(|relation| relation.missing = true);
        }
    }

    /// Makes one column of two, as USING does.
    fn merge(&mut self, scope: &mut Scope<'_>, name: &Name, kind: JoinKind, begin: usize, middle: usize) {
        let find = |from: usize, to: usize| {
            (from..to).find_map(|at| {
                let column = scope.relations[at].columns.iter().position(|column| column.name == name.text)?;
                Some((at, column))
            })
        };
        let (Some(left), Some(right)) = (find(begin, middle), find(middle, scope.relations.len())) else {
            if !scope.relations[begin..].iter().any(|relation| relation.opaque) {
                let message = format!("one side of the join has no column `{}`", name.text);
                let known: Vec<String> = scope.relations[begin..]
                    .iter()
                    .flat_map(|relation| relation.columns.iter().map(|column| column.name.clone()))
                    .collect();
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                self.unknown_name(codes::QUERY_UNKNOWN_COLUMN, name, message, known);
            }
            return;
        };
        let [a, b] = [left, right].map(|(at, column)| scope.relations[at].columns[column].clone());
        let types = [(a.ty, name.span), (b.ty, name.span)];
        let ty = self.together(&types);
        let nullable = match kind {
            JoinKind::Inner => a.nullable && b.nullable,
            JoinKind::Left => a.nullable || scope.relations[left.0].missing,
            JoinKind::Right => b.nullable,
            JoinKind::Full => a.nullable || b.nullable,
        };
        for (at, column) in [left, right] {
            scope.relations[at].merged.push(column);
        }
        scope.merged.retain(|column| column.name != name.text);
        scope.merged.push(Column { ty, nullable, ..a });
    }

    fn relation(&mut self, scope: &mut Scope<'_>, relation: &TreeRelation) {
        let mut found = match &relation.kind {
            RelationKind::Joined(source) => {
                let begin = scope.relations.len();
                self.source(scope, source);
                if let Some(alias) = &relation.alias {
                    // An alias of a join hides the tables in it.
                    let inner: Vec<Column> =
                        scope.relations.drain(begin..).flat_map(|relation| relation.columns).collect();
                    scope.relations.push(Relation::new(&alias.text, inner));
                }
                return;
            }
            RelationKind::Table(path) => self.table(path),
            RelationKind::Query { query, lateral } => {
                let around = if *lateral { Some(&*scope) } else { scope.parent };
                let outputs = self.query(around, query, true);
                Relation::new("", columns(outputs))
            }
            RelationKind::Function { call, ordinality } => self.function_relation(scope, call, relation, *ordinality),
        };
        if let Some(alias) = &relation.alias {
            found.name.clone_from(&alias.text);
            found.namespace = None;
        }
        if relation.types.is_empty() && !found.opaque {
            let of = Name { text: found.name.clone(), span: relation.span };
            found.columns = self.renamed(found.columns, &relation.columns, &of);
        }
        if !found.name.is_empty()
            && scope.relations.iter().any(|known| known.name == found.name && known.namespace == found.namespace)
        {
            let message = format!("`{}` stands in FROM twice", found.name);
            let help = "give one of them another name: `AS other`".to_owned();
            self.wrong(codes::QUERY_AMBIGUOUS_COLUMN, relation.span, message, "", help);
        }
        scope.relations.push(found);
    }

    /// A table of WITH or of the schema.
    fn table(&mut self, path: &[Name]) -> Relation {
        let Some(name) = path.last() else { return Relation::new("", Vec::new()) };
        if let [_] = path
            && let Some(cte) = self.ctes.iter().rev().find(|cte| cte.name == name.text)
        {
            return Relation::new(&name.text, cte.columns.clone());
        }
        self.stored_table(path).0
    }

    /// A table of the schema, and its model.
    pub(super) fn stored_table(&mut self, path: &[Name]) -> (Relation, Option<crate::ir::ModelId>) {
        let Some(name) = path.last() else { return (Relation::new("", Vec::new()), None) };
        let namespace = path.len().checked_sub(2).map(|at| path[at].text.as_str());
        match self.catalog.table(namespace, &name.text) {
            Lookup::Found(table) => {
                let named = Some(namespace.map_or("public", |namespace| namespace).to_owned());
                let relation = Relation { namespace: named, ..Relation::new(&name.text, table.columns.clone()) };
                return (relation, table.model);
            }
            Lookup::System => {}
            Lookup::Unknown => self.unknown_table(namespace, name),
        }
        (Relation { opaque: true, ..Relation::new(&name.text, Vec::new()) }, None)
    }

    fn unknown_table(&mut self, namespace: Option<&str>, name: &Name) {
        let full = namespace.map_or_else(|| name.text.clone(), |namespace| format!("{namespace}.{}", name.text));
        let message = format!("the schema has no table `{full}`");
        if let Some(other) = self.catalog.elsewhere(&name.text) {
            let help = format!("did you mean `{}.{}`?", other.namespace.as_deref().unwrap_or("public"), other.name);
            self.wrong(codes::QUERY_UNKNOWN_TABLE, name.span, message, "", help);
            return;
        }
        // People write the name of the model, too.
        let model = self.schema.walk_models().find(|model| model.name().eq_ignore_ascii_case(&name.text));
        if let Some(model) = model {
            let help = format!("the table of the model `{}` is `{}`", model.name(), model.model().db_name);
            self.wrong(codes::QUERY_UNKNOWN_TABLE, name.span, message, "", help);
            return;
        }
        let ctes = self.ctes.iter().map(|cte| cte.name.clone());
        let known: Vec<String> = ctes.chain(self.catalog.tables.iter().map(|table| table.name.clone())).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        self.unknown_name(codes::QUERY_UNKNOWN_TABLE, name, message, known);
    }

    fn function_relation(
        &mut self,
        scope: &Scope<'_>,
        call: &Expr,
        relation: &TreeRelation,
        ordinality: bool,
    ) -> Relation {
        let ExprKind::Call(tree) = &call.kind else { return Relation::new("", Vec::new()) };
        let (typed, named) = self.set_call(scope, tree);
        let function = tree.name.last().map_or("", |name| name.text.as_str());
        let alias = relation.alias.as_ref().map_or(function, |alias| alias.text.as_str());
        let plain = |name: &str, typed: Typed| Column {
            name: name.to_owned(),
            ty: typed.ty,
            nullable: typed.nullable,
            holes: typed.holes,
            sensitive: typed.sensitive,
            field: None,
            has_default: false,
        };
        let mut columns: Vec<Column> = if !relation.types.is_empty() {
            let names = relation.columns.iter().zip(&relation.types);
            names.map(|(name, ty)| plain(&name.text, Typed::new(self.type_of(ty), true))).collect()
        } else if named.is_empty() {
            vec![plain(alias, typed)]
        } else {
            named.into_iter().map(|(name, typed)| plain(name, typed)).collect()
        };
        if ordinality {
            columns.push(plain("ordinality", Typed::base(Base::Int8, false)));
        }
        let opaque = typed.ty == Ty::Opaque && relation.types.is_empty() && relation.columns.is_empty();
        Relation { opaque, ..Relation::new(function, columns) }
    }
}

/// The name that PostgreSQL gives a column without AS.
pub(super) fn figure_name(expr: &Expr) -> Option<String> {
    named(expr).map(|(name, _)| name)
}

/// The name, and whether it is more than a guess that a cast gives up.
fn named(expr: &Expr) -> Option<(String, bool)> {
    let firm = |name: &str| Some((name.to_owned(), true));
    match &expr.kind {
        ExprKind::Column(path) => path.last().map(|name| (name.text.clone(), true)),
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
        ExprKind::Bool => Some(("bool".to_owned(), false)),
        ExprKind::Query(query) => match query.terms.first()? {
            Term::Select(select) => match select.items.first()? {
                Item::Expr(_, Some(alias)) => firm(&alias.text),
                Item::Expr(expr, None) => named(expr).map(|(name, _)| (name, true)),
                Item::Star(..) => None,
            },
            Term::Values(..) => firm("column1"),
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
