//! The type of an expression, and whether it may be null.

use super::super::tree::{Call, Expr, ExprKind, Query, TypeName};
use super::super::types::{Base, Ty, common};
use super::operator::is_comparison;
use super::scope::Scope;
use super::{Cx, Output, Typed, column_of};
use crate::diagnostics::{self as codes, Span, counted};
use crate::ir::{Domain, Enum, Schema};

impl Cx<'_> {
    pub(super) fn expr(&mut self, scope: &Scope<'_>, expr: &Expr) -> Typed {
        let typed = self.ungrouped_expr(scope, expr);
        Typed { nullable: typed.nullable || scope.is_grouped(expr), ..typed }
    }

    fn ungrouped_expr(&mut self, scope: &Scope<'_>, expr: &Expr) -> Typed {
        match &expr.kind {
            ExprKind::Column(path) => self.column(scope, path),
            ExprKind::Param(number) => self.param_here(*number, expr.span),
            ExprKind::Number(text) => Typed::base(number_type(text), false),
            ExprKind::Text(_) => Typed::new(Ty::Literal, false),
            ExprKind::Bits => Typed::base(Base::Bit, false),
            ExprKind::Bool => Typed::base(Base::Bool, false),
            ExprKind::Null => Typed::new(Ty::Literal, true),
            ExprKind::Default | ExprKind::WholeRow(_) => Typed::opaque(),
            ExprKind::Field(inner) => {
                self.expr(scope, inner);
                Typed::opaque()
            }
            ExprKind::Cast(inner, ty) => self.cast(scope, inner, ty),
            ExprKind::Sign(inner) => self.expr(scope, inner).derived(),
            ExprKind::Prefix(operator, inner) => self.prefix(scope, operator, inner),
            ExprKind::Chain(first, rest) => self.chain(scope, first, rest),
            ExprKind::All(parts) | ExprKind::Any(parts) => self.conditions(scope, parts),
            ExprKind::Not(inner) => self.conditions(scope, std::slice::from_ref(inner)),
            ExprKind::IsNull(inner, _) => self.is_null(scope, inner),
            ExprKind::IsBool(inner) => {
                self.condition(scope, inner);
                Typed::base(Base::Bool, false)
            }
            ExprKind::IsKind(inner) => {
                let typed = self.expr(scope, inner);
                self.settle(typed.ty, Ty::Base(Base::Text));
                Typed::base(Base::Bool, typed.nullable)
            }
            ExprKind::Distinct(left, right) => self.distinct(scope, left, right),
            ExprKind::Between(value, low, high) => self.between(scope, value, low, high),
            ExprKind::In(value, list) => self.in_list(scope, value, list),
            ExprKind::InQuery(value, query) => self.in_query(scope, value, "=", query),
            ExprKind::AnyOf(value, operator, list) => self.any_of(scope, value, &operator.operator, list),
            ExprKind::AnyOfQuery(value, operator, query) => self.in_query(scope, value, operator, query),
            ExprKind::Like(value, pattern, escape) => self.like(scope, value, pattern, escape.as_deref()),
            ExprKind::Case(operand, whens, otherwise) => {
                self.case(scope, operand.as_deref(), whens, otherwise.as_deref())
            }
            ExprKind::Call(call) => self.call(scope, call),
            ExprKind::Exists(query) => {
                self.query(Some(scope), query, true);
                Typed::base(Base::Bool, false)
            }
            ExprKind::Query(query) => self.scalar_query(scope, query),
            ExprKind::ListQuery(query) => self.list_query(scope, query),
            ExprKind::List(items) => self.list(scope, items),
            ExprKind::Row(items) => {
                for item in items {
                    self.expr(scope, item);
                }
                Typed::opaque()
            }
            ExprKind::Element(list, index) => self.element(scope, list, index),
            ExprKind::Slice(list, bounds) => {
                let typed = self.expr(scope, list).derived();
                let bounds = bounds.iter().map(|bound| self.subscript(scope, bound).nullable);
                let nullable = bounds.fold(typed.nullable, |any, nullable| any | nullable);
                Typed { nullable, ..typed }
            }
            ExprKind::AtTimeZone(time, zone) => self.at_time_zone(scope, time, zone),
            // A parameter stays without a type: PostgreSQL puts a cast around it below COLLATE.
            ExprKind::Collate(inner) => self.expr(scope, inner),
        }
    }

    /// Infers an expression with an expected type.
    pub(super) fn want(&mut self, scope: &Scope<'_>, expr: &Expr, base: Base) -> Typed {
        let typed = self.expr(scope, expr);
        self.fit(expr, typed, Ty::Base(base), false)
    }

    fn conditions(&mut self, scope: &Scope<'_>, parts: &[impl std::borrow::Borrow<Expr>]) -> Typed {
        let mut nullable = false;
        for part in parts {
            nullable |= self.want(scope, part.borrow(), Base::Bool).nullable;
        }
        Typed::base(Base::Bool, nullable)
    }

    fn is_null(&mut self, scope: &Scope<'_>, inner: &Expr) -> Typed {
        self.expr(scope, inner);
        let asked = match &inner.kind {
            ExprKind::Cast(inner, _) => &inner.kind,
            kind => kind,
        };
        if let ExprKind::Param(number) = asked {
            self.param(*number).tested = true;
        }
        Typed::base(Base::Bool, false)
    }

    fn distinct(&mut self, scope: &Scope<'_>, left: &Expr, right: &Expr) -> Typed {
        let (a, b) = (self.expr(scope, left), self.expr(scope, right));
        for (expr, other) in [(left, b), (right, a)] {
            if let (ExprKind::Param(number), true) = (&expr.kind, other.nullable) {
                self.param(*number).tested = true;
            }
        }
        Typed { nullable: false, ..self.operator("=", (left, a), (right, b)) }
    }

    fn between(&mut self, scope: &Scope<'_>, value: &Expr, low: &Expr, high: &Expr) -> Typed {
        let mut typed = self.expr(scope, value);
        let mut nullable = typed.nullable;
        for bound in [low, high] {
            // A parameter has the type of the value that it is first compared with.
            if let Ty::Param(number) = typed.ty {
                typed.ty = self.param(number).ty.unwrap_or(typed.ty);
            }
            let other = self.expr(scope, bound);
            nullable |= self.operator("<=", (value, typed), (bound, other)).nullable;
        }
        Typed::base(Base::Bool, nullable)
    }

    fn in_list(&mut self, scope: &Scope<'_>, value: &Expr, list: &[Expr]) -> Typed {
        if let ExprKind::Row(values) = &value.kind {
            let typed: Vec<Typed> = values.iter().map(|value| self.expr(scope, value)).collect();
            for row in list {
                let ExprKind::Row(others) = &row.kind else { continue };
                self.rows(scope, (values, &typed), others, row.span);
            }
            return Typed::base(Base::Bool, true);
        }
        let typed = self.expr(scope, value);
        let items: Vec<(&Expr, Typed)> = list.iter().map(|item| (item, self.expr(scope, item))).collect();
        // Expressions without columns become one list, whose type is common to its values and the other side.
        let is_constant = |item: &&(&Expr, Typed)| !item.0.has(&mut |expr| matches!(expr.kind, ExprKind::Column(_)));
        let constants: Vec<Ty> = items.iter().filter(|item| is_constant(item)).map(|item| item.1.ty).collect();
        let shared = common(constants.iter().copied().chain([typed.ty])).ok();
        let shared = shared.filter(|ty| constants.len() > 1 && !ty.is_open() && *ty != Ty::Opaque);
        let mut nullable = typed.nullable;
        for item in &items {
            let (expr, mut other) = *item;
            if let Some(shared) = shared.filter(|_| is_constant(&item)) {
                other.ty = self.settle(other.ty, shared);
            }
            nullable |= self.operator("=", (value, typed), (expr, other)).nullable;
        }
        Typed::base(Base::Bool, nullable)
    }

    /// Rows are compared value by value.
    pub(super) fn rows(&mut self, scope: &Scope<'_>, left: (&[Expr], &[Typed]), right: &[Expr], span: Span) {
        if left.0.len() != right.len() {
            self.shape(
                span,
                format!("a row of {} is compared with a row of {}", counted(left.0.len(), "value"), right.len()),
            );
        }
        for ((a, typed), b) in left.0.iter().zip(left.1).zip(right) {
            let other = self.expr(scope, b);
            self.operator("=", (a, *typed), (b, other));
        }
    }

    fn in_query(&mut self, scope: &Scope<'_>, value: &Expr, operator: &str, query: &Query) -> Typed {
        let values = match &value.kind {
            ExprKind::Row(values) => values.as_slice(),
            _ => std::slice::from_ref(value),
        };
        let typed: Vec<Typed> = values.iter().map(|value| self.expr(scope, value)).collect();
        let outputs = self.query(Some(scope), query, false);
        let unknown = outputs.iter().any(|output| output.typed.ty == Ty::Opaque);
        if outputs.len() != values.len() && !unknown {
            self.shape(
                query.span,
                match values.len() {
                    1 => format!("one column is compared, but this returns {}", outputs.len()),
                    values => format!("{values} columns are compared, but this returns {}", outputs.len()),
                },
            );
        }
        let mut nullable = false;
        for ((value, typed), output) in values.iter().zip(typed).zip(&outputs) {
            let place = Expr { kind: ExprKind::Null, span: output.span };
            nullable |= self.operator(operator, (value, typed), (&place, output.typed)).nullable;
        }
        Typed::base(Base::Bool, nullable)
    }

    fn any_of(&mut self, scope: &Scope<'_>, value: &Expr, operator: &str, list: &Expr) -> Typed {
        let (typed, of) = (self.expr(scope, value), self.expr(scope, list));
        self.name_after(list, value);
        if is_comparison(operator) {
            self.value_of(list, typed.field);
        }
        let element = match (typed.ty, of.ty) {
            (_, Ty::List(base)) => Ty::Base(base),
            (Ty::Base(base), open) if open.is_open() && base.is_named() => {
                let element = self.listed_right_side(operator, typed.ty);
                element.and_then(Ty::base).iter().for_each(|base| {
                    self.settle(open, Ty::List(*base));
                });
                element.unwrap_or(Ty::Opaque)
            }
            (Ty::Base(base), open) if open.is_open() => {
                // Text is compared as text, and so are types that convert to it.
                let base = if base == Base::Varchar { Base::Text } else { base };
                self.settle(open, Ty::List(base));
                Ty::Base(base)
            }
            (_, Ty::Base(_)) => {
                let message = format!("expected a list, found {}", of.ty.describe(self.schema));
                let help = "write a list: `= ANY($1)` takes one".to_owned();
                self.wrong(codes::QUERY_TYPES, list.span, message, "", help);
                Ty::Opaque
            }
            _ => Ty::Opaque,
        };
        let place = Expr { kind: ExprKind::Null, span: list.span };
        let nullable = of.nullable || of.holes;
        if operator == "~~" {
            self.fit(value, typed, Ty::Base(Base::Text), false);
            return Typed::base(Base::Bool, nullable || typed.nullable);
        }
        let compared = self.operator(operator, (value, typed), (&place, Typed::new(element, nullable)));
        Typed::base(Base::Bool, compared.nullable)
    }

    fn like(&mut self, scope: &Scope<'_>, value: &Expr, pattern: &Expr, escape: Option<&Expr>) -> Typed {
        let (typed, with) = (self.expr(scope, value), self.expr(scope, pattern));
        self.name_after(pattern, value);
        self.fit(value, typed, Ty::Base(Base::Text), false);
        self.fit(pattern, with, Ty::Base(Base::Text), false);
        let escape = escape.map(|escape| self.want(scope, escape, Base::Text));
        let nullable = typed.nullable || with.nullable || escape.is_some_and(|escape| escape.nullable);
        Typed::base(Base::Bool, nullable)
    }

    fn case(
        &mut self,
        scope: &Scope<'_>,
        operand: Option<&Expr>,
        whens: &[(Expr, Expr)],
        otherwise: Option<&Expr>,
    ) -> Typed {
        let of = operand.map(|operand| (operand, self.expr(scope, operand)));
        let mut results: Vec<(&Expr, Typed)> = Vec::new();
        for (when, then) in whens {
            match of {
                Some((operand, typed)) => {
                    let other = self.expr(scope, when);
                    self.operator("=", (operand, typed), (when, other));
                }
                None => self.condition(scope, when),
            }
            results.push((then, self.expr(scope, then)));
        }
        // PostgreSQL reads ELSE last, but it is the first to decide about the type.
        results.extend(otherwise.map(|otherwise| (otherwise, self.expr(scope, otherwise))));
        if otherwise.is_some() {
            results.rotate_right(1);
        }
        let (typed, _) = self.one_type(&results);
        Typed { nullable: typed.nullable || otherwise.is_none(), ..typed }
    }

    /// Infers expressions of which one is the result. Also returns whether all of them may be null.
    pub(super) fn one_of(&mut self, scope: &Scope<'_>, exprs: &[&Expr]) -> (Typed, bool) {
        let typed: Vec<(&Expr, Typed)> = exprs.iter().map(|expr| (*expr, self.expr(scope, expr))).collect();
        self.one_type(&typed)
    }

    /// Gives one type to expressions of which one is the result. Also returns whether all of them may be null.
    fn one_type(&mut self, exprs: &[(&Expr, Typed)]) -> (Typed, bool) {
        let types: Vec<(Ty, Span)> = exprs.iter().map(|(expr, typed)| (typed.ty, expr.span)).collect();
        let ty = self.together(&types);
        let ty = if ty.is_open() { Ty::Base(Base::Text) } else { ty };
        let named = exprs.iter().find(|(expr, _)| column_of(expr).is_some());
        for (expr, typed) in exprs {
            self.settle(typed.ty, ty);
            self.check_label(expr, ty);
            named.iter().for_each(|(other, _)| self.name_after(expr, other));
        }
        let typed = || exprs.iter().map(|(_, typed)| typed);
        let one = Typed {
            ty,
            nullable: typed().any(|typed| typed.nullable),
            holes: typed().any(|typed| typed.holes),
            sensitive: typed().any(|typed| typed.sensitive),
            field: None,
        };
        (one, typed().all(|typed| typed.nullable))
    }

    fn scalar_query(&mut self, scope: &Scope<'_>, query: &Query) -> Typed {
        let (outputs, gives_one_row) = self.counted_query(Some(scope), query, true);
        let Some(output) = self.only(&outputs, query) else { return Typed::opaque() };
        Typed { nullable: output.nullable || !gives_one_row, ..output.derived() }
    }

    fn list_query(&mut self, scope: &Scope<'_>, query: &Query) -> Typed {
        let outputs = self.query(Some(scope), query, true);
        let Some(output) = self.only(&outputs, query) else { return Typed::opaque() };
        match output.ty {
            Ty::Base(base) | Ty::List(base) => {
                let holes = output.nullable || output.holes;
                Typed { holes, sensitive: output.sensitive, ..Typed::new(Ty::List(base), false) }
            }
            _ => Typed::opaque(),
        }
    }

    fn only(&mut self, outputs: &[Output], query: &Query) -> Option<Typed> {
        match outputs {
            [only] => Some(only.typed),
            several => {
                if !several.iter().any(|output| output.typed.ty == Ty::Opaque) {
                    self.shape(query.span, format!("expected one column, but this returns {}", several.len()));
                }
                None
            }
        }
    }

    fn list(&mut self, scope: &Scope<'_>, items: &[Expr]) -> Typed {
        if items.is_empty() {
            return Typed::new(Ty::Literal, false);
        }
        let exprs: Vec<&Expr> = items.iter().collect();
        let (typed, _) = self.one_of(scope, &exprs);
        match typed.ty {
            Ty::Base(base) | Ty::List(base) => {
                let holes = typed.nullable || typed.holes;
                Typed { holes, sensitive: typed.sensitive, ..Typed::new(Ty::List(base), false) }
            }
            _ => Typed::opaque(),
        }
    }

    /// Infers a subscript, where any number becomes an integer.
    fn subscript(&mut self, scope: &Scope<'_>, index: &Expr) -> Typed {
        let typed = self.expr(scope, index);
        self.fit(index, typed, Ty::Base(Base::Int4), true)
    }

    fn element(&mut self, scope: &Scope<'_>, list: &Expr, index: &Expr) -> Typed {
        let typed = self.expr(scope, list);
        match typed.ty {
            Ty::List(base) => {
                self.subscript(scope, index);
                Typed { sensitive: typed.sensitive, ..Typed::base(base, true) }
            }
            Ty::Base(Base::Jsonb) => {
                let at = self.expr(scope, index);
                self.settle(at.ty, Ty::Base(Base::Text));
                Typed { sensitive: typed.sensitive, ..Typed::base(Base::Jsonb, true) }
            }
            _ => {
                self.expr(scope, index);
                Typed::opaque()
            }
        }
    }

    fn at_time_zone(&mut self, scope: &Scope<'_>, time: &Expr, zone: &Expr) -> Typed {
        self.known_call(scope, &Call::default(), &[zone, time], "timezone").0
    }

    fn cast(&mut self, scope: &Scope<'_>, inner: &Expr, name: &TypeName) -> Typed {
        let ty = self.type_of(name);
        if let (ExprKind::List(items), Ty::List(base)) = (&inner.kind, ty) {
            return self.cast_list(scope, items, base);
        }
        let typed = self.expr(scope, inner);
        self.settle(typed.ty, ty);
        self.check_label(inner, ty);
        let to_json_null = matches!(ty, Ty::Base(_)) && matches!(typed.ty, Ty::Base(Base::Jsonb)) && ty != typed.ty;
        Typed { ty, nullable: typed.nullable || to_json_null && ty != Ty::Base(Base::Text), ..typed.derived() }
    }

    /// `ARRAY[a, b]::int[]` casts each element rather than the list.
    fn cast_list(&mut self, scope: &Scope<'_>, items: &[Expr], base: Base) -> Typed {
        let mut cast = Typed::new(Ty::List(base), false);
        for item in items {
            let typed = match &item.kind {
                ExprKind::List(inner) => self.cast_list(scope, inner, base),
                _ => self.expr(scope, item),
            };
            self.settle(typed.ty, Ty::Base(base));
            self.check_label(item, Ty::Base(base));
            cast.holes |= typed.nullable || typed.holes;
            cast.sensitive |= typed.sensitive;
        }
        cast
    }

    /// Returns the type with that name, in a cast.
    pub(super) fn type_of(&self, name: &TypeName) -> Ty {
        named_type(self.schema, name)
    }
}

/// Returns the type with that name.
pub(in crate::queries) fn named_type(schema: &Schema, name: &TypeName) -> Ty {
    let Some(last) = name.parts.last() else { return Ty::Opaque };
    let namespace = name.parts.len().checked_sub(2).map(|at| name.parts[at].as_str());
    let is_builtin = matches!(namespace, None | Some("pg_catalog"));
    let is_it = |known: &Enum| {
        let default = |namespace: Option<&str>| namespace.is_none_or(|namespace| namespace == "public");
        let known_in = known.namespace.as_deref();
        known.db_name == *last && (known_in == namespace || default(known_in) && default(namespace))
    };
    let an_enum = || schema.walk_enums().find(|known| is_it(known.enumeration())).map(|known| Base::Enum(known.id));
    // A type of an extension may be in any schema, beside an enum of the same name.
    let known = Base::of_name(last);
    let of_extension = known.filter(|base| base.extension().is_some());
    let base = known.filter(|_| is_builtin && of_extension.is_none()).or_else(an_enum).or(of_extension);
    let base = base.or_else(|| based_on(schema, namespace, last));
    match base {
        Some(base) if name.list => Ty::List(base),
        Some(base) => Ty::Base(base),
        None => Ty::Opaque,
    }
}

/// Returns the type below a domain, if a column has the domain.
fn based_on(schema: &Schema, namespace: Option<&str>, name: &str) -> Option<Base> {
    let is_it = |known: &Domain| {
        let is_there = known.schema.is_none() || namespace.is_none() || known.schema.as_deref() == namespace;
        known.name == name && is_there
    };
    let mut columns = schema.walk_models().flat_map(|model| model.columns().collect::<Vec<_>>());
    let column = columns.find(|column| column.column().domain.as_ref().is_some_and(is_it))?;
    Base::of_column(&column.column().ty)
}

/// A number without a point has the smallest integer type that holds it.
fn number_type(text: &str) -> Base {
    let plain = text.replace('_', "");
    match plain.parse::<i64>() {
        Ok(number) if i32::try_from(number).is_ok() => Base::Int4,
        Ok(_) => Base::Int8,
        Err(_) => Base::Numeric,
    }
}
