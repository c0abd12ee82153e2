//! Calls: which of a function's signatures is meant, and what it gives.

use super::super::catalog::{Function, Kind, Nulls, Slot};
use super::super::tree::{Call, Expr, ExprKind};
use super::super::types::{Base, Ty};
use super::scope::Scope;
use super::{Cx, Typed};

impl Cx<'_> {
    pub(super) fn call(&mut self, scope: &Scope<'_>, call: &Call) -> Typed {
        let name = call.name.last().map_or("", |name| name.text.as_str());
        let is_builtin = call.name.len() == 1 || call.name[0].text == "pg_catalog";
        for expr in call.order_by.iter().chain(call.over.iter().flat_map(|window| &window.exprs)) {
            self.expr(scope, expr);
        }
        if let Some(filter) = &call.filter {
            self.condition(scope, filter);
        }
        match (is_builtin, name) {
            (true, "coalesce") => self.coalesce(scope, &call.args),
            (true, "nullif") => self.null_if(scope, &call.args),
            (true, "greatest" | "least") => self.first_of(scope, &call.args),
            (true, "current_date") => Typed::base(Base::Date, false),
            (true, "current_time") => Typed::base(Base::Timetz, false),
            (true, "localtime") => Typed::base(Base::Time, false),
            (true, "current_timestamp") => Typed::base(Base::Timestamptz, false),
            (true, "localtimestamp") => Typed::base(Base::Timestamp, false),
            (true, "current_user" | "session_user" | "user" | "current_catalog" | "current_role") => {
                Typed::base(Base::Name, false)
            }
            (true, "current_schema") => Typed::base(Base::Name, true),
            (true, "trim") if call.args.len() == 2 => {
                for arg in &call.args {
                    self.want(scope, arg, Base::Text);
                }
                Typed::base(Base::Text, true)
            }
            (true, _) => self.known_call(scope, call, name).0,
            (false, _) => self.unknown_call(scope, call),
        }
    }

    /// A function in FROM: what it gives, and its columns where they have names of their own.
    pub(super) fn set_call(&mut self, scope: &Scope<'_>, call: &Call) -> (Typed, Vec<(&'static str, Typed)>) {
        let name = call.name.last().map_or("", |name| name.text.as_str());
        if call.name.len() > 1 && call.name[0].text != "pg_catalog" {
            return (self.unknown_call(scope, call), Vec::new());
        }
        let (typed, function) = self.known_call(scope, call, name);
        let columns = function.map_or_else(Vec::new, |function| function.columns);
        let column = |(name, slot, nullable)| match slot {
            Slot::Base(base) => (name, Typed { sensitive: typed.sensitive, ..Typed::base(base, nullable) }),
            _ => (name, Typed::opaque()),
        };
        (typed, columns.into_iter().map(column).collect())
    }

    fn unknown_call(&mut self, scope: &Scope<'_>, call: &Call) -> Typed {
        for arg in call.args.iter().chain(&call.within) {
            self.expr(scope, arg);
        }
        Typed::opaque()
    }

    fn coalesce(&mut self, scope: &Scope<'_>, args: &[Expr]) -> Typed {
        let [others @ .., _] = args else { return Typed::opaque() };
        for arg in others {
            let inner = if let ExprKind::Cast(inner, _) = &arg.kind { inner } else { arg };
            if let ExprKind::Param(number) = inner.kind {
                self.param(number).tested = true;
            }
        }
        self.first_of(scope, args)
    }

    /// One of the arguments, whichever is not null.
    fn first_of(&mut self, scope: &Scope<'_>, args: &[Expr]) -> Typed {
        let exprs: Vec<&Expr> = args.iter().collect();
        let (typed, all_nullable) = self.one_of(scope, &exprs);
        Typed { nullable: all_nullable, ..typed }
    }

    fn null_if(&mut self, scope: &Scope<'_>, args: &[Expr]) -> Typed {
        let [left, right] = args else { return Typed::opaque() };
        let (a, b) = (self.expr(scope, left), self.expr(scope, right));
        self.operator("=", (left, a), (right, b));
        let ty = if a.ty.is_open() { self.settle(a.ty, Ty::Base(Base::Text)) } else { a.ty };
        Typed { ty, nullable: true, ..a.derived() }
    }

    fn known_call(&mut self, scope: &Scope<'_>, call: &Call, name: &str) -> (Typed, Option<Function>) {
        // What FILTER and the condition keep from being null is not null here.
        let mut narrowed;
        let scope = match &call.filter {
            Some(filter) => {
                narrowed = Scope {
                    parent: scope.parent,
                    relations: scope.relations.clone(),
                    merged: scope.merged.clone(),
                    known: scope.known.clone(),
                    has_rows: scope.has_rows,
                    grouping_sets: scope.grouping_sets,
                    framed: scope.framed.clone(),
                };
                self.narrow(&mut narrowed, filter);
                &narrowed
            }
            None => scope,
        };
        let all: Vec<&Expr> = call.args.iter().chain(&call.within).collect();
        let typed: Vec<Typed> = all.iter().map(|arg| self.expr(scope, arg)).collect();
        let Some(function) = self.overload(name, call, &typed) else { return (Typed::opaque(), None) };
        let within = function.result;
        let element = self.element_type(&function, &all, &typed, !call.within.is_empty());
        for (at, (expr, typed)) in call.args.iter().zip(&typed).enumerate() {
            let wanted = match (slot_at(&function, at), element) {
                (Slot::Base(base), _) => Ty::Base(base),
                (Slot::List(base), _) => Ty::List(base),
                (Slot::Element, Some(base)) => Ty::Base(base),
                (Slot::Elements, Some(base)) => Ty::List(base),
                _ => continue,
            };
            self.fit(expr, *typed, wanted, false);
        }
        let ty = match (within, element) {
            (Slot::Base(Base::Float8), _) if name == "percentile_cont" => interval_or_float(&typed),
            (Slot::Base(base), _) => Ty::Base(base),
            (Slot::List(base), _) => Ty::List(base),
            (Slot::Element, Some(base)) => Ty::Base(base),
            (Slot::Elements, Some(base)) => Ty::List(base),
            _ => Ty::Opaque,
        };
        let nullable = may_be_null(&function, call, scope, &typed);
        let holes = holes(&function, name, &typed);
        let sensitive = ty != Ty::Base(Base::Int8) && typed.iter().any(|typed| typed.sensitive);
        // An element of a list may be missing where the list has holes.
        let from_list = function.kind == Kind::Set && function.result == Slot::Element;
        let nullable = if from_list { typed.iter().any(|typed| typed.holes) } else { nullable };
        (Typed { holes, sensitive, ..Typed::new(ty, nullable) }, Some(function))
    }

    /// What `elem` and `list` stand for in this call.
    fn element_type(&mut self, function: &Function, exprs: &[&Expr], typed: &[Typed], within: bool) -> Option<Base> {
        if within && function.result == Slot::Element {
            return typed.last().and_then(|typed| typed.ty.base());
        }
        let slots = function.args.iter().zip(typed);
        let mut known = slots.filter_map(|(slot, typed)| match (slot, typed.ty) {
            (Slot::Element, Ty::Base(base)) | (Slot::Elements, Ty::List(base)) => Some(base),
            _ => None,
        });
        let first = known.next()?;
        let base = known.fold(first, |chosen, base| if chosen.becomes(base) { base } else { chosen });
        for (expr, other) in exprs.iter().zip(exprs.iter().skip(1)) {
            self.name_after(expr, other);
        }
        Some(base)
    }

    /// The signature that PostgreSQL would choose; none if that is not clear.
    fn overload(&self, name: &str, call: &Call, typed: &[Typed]) -> Option<Function> {
        let given = call.args.len();
        let overloads = self.catalog.functions.get(name)?;
        let fitting = overloads.iter().filter(|function| {
            let count = if function.variadic { given >= function.args.len() } else { given == function.args.len() };
            count && (0..given).all(|at| accepts(slot_at(function, at), typed[at].ty))
        });
        let fitting: Vec<&Function> = fitting.collect();
        if let [only] = fitting.as_slice() {
            return Some((*only).clone());
        }
        let score = |function: &Function| -> usize {
            (0..given).map(|at| closeness(slot_at(function, at), typed[at].ty)).sum()
        };
        let best = fitting.iter().map(|function| score(function)).max()?;
        let best: Vec<&Function> = fitting.into_iter().filter(|function| score(function) == best).collect();
        if let [only] = best.as_slice() {
            return Some((*only).clone());
        }
        open_arguments(best, typed)
    }
}

/// Where arguments are open, text comes before all else, then the type that a category leans to.
fn open_arguments(mut best: Vec<&Function>, typed: &[Typed]) -> Option<Function> {
    for (at, _) in typed.iter().enumerate().filter(|(_, typed)| typed.ty.is_open()) {
        let base = |function: &&Function| match slot_at(function, at) {
            Slot::Base(base) => Some(base),
            _ => None,
        };
        if best.iter().any(|function| base(function).is_some_and(Base::is_text)) {
            best.retain(|function| base(function).is_some_and(Base::is_text));
        } else {
            let categories: Vec<_> = best.iter().filter_map(|function| base(function).map(Base::category)).collect();
            if categories.windows(2).any(|pair| pair[0] != pair[1]) {
                return None;
            }
            if best.iter().any(|function| base(function).is_some_and(Base::is_preferred)) {
                best.retain(|function| base(function).is_some_and(Base::is_preferred));
            }
        }
    }
    match best.as_slice() {
        [only] => Some((*only).clone()),
        _ => None,
    }
}

fn slot_at(function: &Function, at: usize) -> Slot {
    function.args.get(at).or(function.args.last()).copied().unwrap_or(Slot::Any)
}

fn accepts(slot: Slot, ty: Ty) -> bool {
    match (slot, ty) {
        (Slot::Any, _) | (_, Ty::Opaque | Ty::Literal | Ty::Param(_)) => true,
        (Slot::Base(wanted), Ty::Base(base)) => base.becomes(wanted),
        (Slot::List(wanted), Ty::List(base)) => base == wanted,
        (Slot::Element, Ty::Base(_)) | (Slot::Elements, Ty::List(_)) => true,
        _ => false,
    }
}

fn closeness(slot: Slot, ty: Ty) -> usize {
    match (slot, ty) {
        (Slot::Base(wanted), Ty::Base(base)) if base == wanted => 100,
        // Other kinds of text are text without any change.
        (Slot::Base(Base::Text), Ty::Base(base)) if base.is_text() => 100,
        (Slot::Base(wanted), Ty::Base(_)) if wanted.is_preferred() => 1,
        _ => 0,
    }
}

fn may_be_null(function: &Function, call: &Call, scope: &Scope<'_>, typed: &[Typed]) -> bool {
    let any_null = typed.iter().any(|typed| typed.nullable);
    let framed = call.over.as_ref().is_some_and(|window| {
        window.has_frame || window.name.as_ref().is_some_and(|name| scope.framed.contains(&name.text))
    });
    match (function.kind, function.nulls) {
        (_, Nulls::Never) => false,
        (_, Nulls::Maybe) => true,
        (Kind::Aggregate, nulls) => {
            let sees_rows = (call.over.is_some() || scope.has_rows) && call.filter.is_none() && !framed;
            !sees_rows || any_null && nulls == Nulls::Strict
        }
        (Kind::Window, _) => any_null || framed,
        _ => any_null,
    }
}

/// Whether a list may hold nulls.
fn holes(function: &Function, name: &str, typed: &[Typed]) -> bool {
    match function.result {
        Slot::Elements if function.kind == Kind::Aggregate => typed.iter().any(|typed| typed.nullable || typed.holes),
        Slot::Elements => {
            typed.iter().any(|typed| typed.holes)
                || name != "array_remove" && typed.iter().any(|typed| typed.ty.base().is_some() && typed.nullable)
        }
        Slot::List(_) => name.starts_with("regexp_match"),
        _ => false,
    }
}

/// `percentile_cont` of spans of time is a span of time.
fn interval_or_float(typed: &[Typed]) -> Ty {
    match typed.last().map(|typed| typed.ty) {
        Some(Ty::Base(Base::Interval)) => Ty::Base(Base::Interval),
        _ => Ty::Base(Base::Float8),
    }
}
