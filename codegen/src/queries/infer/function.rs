//! Calls: which signature of a function applies, and its result.

use super::super::catalog::{Function, Kind, Nulls, Slot};

use super::super::tree::{Call, Expr, ExprKind, Window};
use super::super::types::{Base, Category, Span, Ty, common};
use super::operator::compared_as;
use super::scope::Scope;
use super::{Cx, Typed};
use crate::diagnostics as codes;

/// Functions about whole tables and sequences, which hold the rows and numbers of all tenants. Some write.
const REACH_ALL_ROWS: [&str; 6] =
    ["nextval", "currval", "setval", "pg_relation_size", "pg_total_relation_size", "pg_database_size"];

impl Cx<'_> {
    pub(super) fn call(&mut self, scope: &Scope<'_>, call: &Call) -> Typed {
        let name = call.name.last().map_or("", |name| name.text.as_str());
        call.order_by.iter().for_each(|expr| self.sorted(scope, expr));
        if let Some(filter) = &call.filter {
            self.condition(scope, filter);
        }
        match (is_builtin(call), name) {
            (true, "coalesce") => self.coalesce(scope, &call.args),
            (true, "nullif") => self.null_if(scope, &call.args),
            (true, "greatest" | "least") => self.first_of(scope, &call.args),
            (true, "grouping") => {
                for arg in &call.args {
                    self.expr(scope, arg);
                }
                Typed::base(Base::Int4, false)
            }
            (true, "current_date") => Typed::base(Base::Date, false),
            (true, "current_time") => Typed::base(Base::Timetz, false),
            (true, "localtime") => Typed::base(Base::Time, false),
            (true, "current_timestamp") => Typed::base(Base::Timestamptz, false),
            (true, "localtimestamp") => Typed::base(Base::Timestamp, false),
            (true, "current_user" | "session_user" | "user" | "current_catalog" | "current_role") => {
                Typed::base(Base::Name, false)
            }
            (true, "current_schema") => Typed::base(Base::Name, true),
            (true, "make_interval") if !call.names.is_empty() => self.make_interval(scope, call),
            _ if self.functions_of(call, name).next().is_none() => self.unknown_call(scope, call),
            _ => {
                let args: Vec<&Expr> = call.args.iter().collect();
                let (typed, function) = self.known_call(scope, call, &args, name);
                // Several columns are one value of a row type.
                match function {
                    Some(function) if function.columns.len() > 1 => Typed::opaque(),
                    _ => typed,
                }
            }
        }
    }

    /// Returns the functions that a call may mean. Syntax such as `AT TIME ZONE` is a call without a path.
    fn functions_of(&self, call: &Call, name: &str) -> impl Iterator<Item = &Function> + Clone {
        let namespace = call.name.len().checked_sub(2).map(|at| call.name[at].text.as_str());
        self.catalog.functions(namespace, name)
    }

    /// A value that is sorted or partitioned by has a type: text, if nothing else is known.
    fn sorted(&mut self, scope: &Scope<'_>, expr: &Expr) {
        let typed = self.expr(scope, expr);
        self.settle(typed.ty, Ty::Base(Base::Text));
    }

    pub(super) fn window(&mut self, scope: &Scope<'_>, window: &Window) {
        window.exprs.iter().for_each(|expr| self.sorted(scope, expr));
        for bound in &window.bounds {
            let typed = self.expr(scope, bound);
            if !window.is_range {
                self.fit(bound, typed, Ty::Base(Base::Int8), true);
            }
        }
    }

    /// Counts the calls of set-returning functions in an expression. An unknown function may be one.
    pub(super) fn count_sets(&self, expr: &Expr) -> usize {
        let mut count = 0;
        expr.has(&mut |expr| {
            let ExprKind::Call(call) = &expr.kind else { return false };
            let name = call.name.last().map_or("", |name| name.text.as_str());
            let mut functions = self.functions_of(call, name);
            let gives_rows = match functions.clone().next() {
                Some(_) => functions.any(|function| function.kind == Kind::Set),
                None => !(is_builtin(call) && SYNTAX.contains(&name)),
            };
            count += usize::from(gives_rows);
            false
        });
        count
    }

    /// Returns whether a call aggregates the rows of a group. Of `st_union(a)` and `st_union(a, b)`, only the first one
    /// does.
    pub(super) fn is_aggregate(&self, call: &Call) -> bool {
        let name = call.name.last().map_or("", |name| name.text.as_str());
        let given = call.args.len() + call.within.len();
        let takes = |known: &&Function| known.variadic || known.args.len() == given;
        let fitting = || self.functions_of(call, name).filter(takes);
        let is_aggregate = |known: &Function| known.kind == Kind::Aggregate;
        call.over.is_none() && fitting().any(is_aggregate) && fitting().all(|known| known.kind != Kind::Plain)
    }

    /// Infers a function in FROM: its result, and its columns if they have names of their own.
    pub(super) fn set_call(&mut self, scope: &Scope<'_>, call: &Call) -> (Typed, Vec<(String, Typed)>) {
        let args: Vec<&Expr> = call.args.iter().collect();
        self.set_call_of(scope, call, &args)
    }

    /// The same, for arguments in another place.
    pub(super) fn set_call_of(
        &mut self,
        scope: &Scope<'_>,
        call: &Call,
        args: &[&Expr],
    ) -> (Typed, Vec<(String, Typed)>) {
        let name = call.name.last().map_or("", |name| name.text.as_str());
        if is_builtin(call) && SYNTAX.contains(&name) {
            return (self.call(scope, call), Vec::new());
        }
        if self.functions_of(call, name).next().is_none() {
            return (self.unknown_call(scope, call), Vec::new());
        }
        let (typed, function) = self.known_call(scope, call, args, name);
        let columns = function.map_or_else(Vec::new, |function| function.columns);
        let column = |(name, slot, nullable): (String, Slot, bool)| match slot.ty(None) {
            Some(ty) => (name, Typed { sensitive: typed.sensitive, ..Typed::new(ty, nullable) }),
            None => (name, Typed::opaque()),
        };
        (typed, columns.into_iter().map(column).collect())
    }

    fn unknown_call(&mut self, scope: &Scope<'_>, call: &Call) -> Typed {
        self.goes_outside = true;
        for arg in call.args.iter().chain(&call.within) {
            self.expr(scope, arg);
        }
        Typed::opaque()
    }

    /// Infers `make_interval(days => 1)`: all arguments except the seconds are integers.
    fn make_interval(&mut self, scope: &Scope<'_>, call: &Call) -> Typed {
        let mut nullable = false;
        for (at, arg) in call.args.iter().enumerate() {
            let name = call.names.iter().find(|(place, _)| *place == at);
            let is_seconds = name.map_or(at == 6, |(_, name)| name.text == "secs");
            nullable |= self.want(scope, arg, if is_seconds { Base::Float8 } else { Base::Int4 }).nullable;
            name.iter().for_each(|(_, name)| self.name_param(arg, &name.text));
        }
        Typed::base(Base::Interval, nullable)
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

    /// Infers a function that returns one of its arguments, the first that is not null.
    fn first_of(&mut self, scope: &Scope<'_>, args: &[Expr]) -> Typed {
        let exprs: Vec<&Expr> = args.iter().collect();
        let (typed, all_nullable) = self.one_of(scope, &exprs);
        Typed { nullable: all_nullable, ..typed }
    }

    fn null_if(&mut self, scope: &Scope<'_>, args: &[Expr]) -> Typed {
        let [left, right] = args else { return Typed::opaque() };
        let (a, b) = (self.expr(scope, left), self.expr(scope, right));
        self.operator("=", (left, a), (right, b));
        // The result has the type in which the arguments are compared.
        let ty = match (a.ty, b.ty) {
            (Ty::Base(x), Ty::Base(y)) => Ty::Base(compared_as(x, y)),
            (open, Ty::Base(y)) if open.is_open() => self.settle(open, Ty::Base(compared_as(y, y))),
            (open, known) if open.is_open() && !known.is_open() => self.settle(open, known),
            (Ty::Base(x), open) if open.is_open() => Ty::Base(compared_as(x, x)),
            (open, _) if open.is_open() => self.settle(open, Ty::Base(Base::Text)),
            (known, _) => known,
        };
        Typed { ty, nullable: true, ..a.derived() }
    }

    pub(super) fn known_call(
        &mut self,
        scope: &Scope<'_>,
        call: &Call,
        args: &[&Expr],
        name: &str,
    ) -> (Typed, Option<Function>) {
        self.goes_outside |= REACH_ALL_ROWS.contains(&name);
        let has_rows = scope.of_aggregate(call).has_rows;
        // An aggregate sees the rows before they are grouped, without those that FILTER excludes.
        let mut seen;
        let scope = match (&call.filter, self.is_aggregate(call) && !scope.grouping_sets.is_empty()) {
            (None, false) => scope,
            (filter, _) => {
                seen = scope.clone();
                if self.is_aggregate(call) {
                    seen.grouping_sets.clear();
                }
                filter.iter().for_each(|filter| self.narrow(&mut seen, filter));
                &seen
            }
        };
        let all: Vec<&Expr> = args.iter().copied().chain(&call.within).collect();
        let typed: Vec<Typed> = all.iter().map(|arg| self.expr(scope, arg)).collect();
        let Some(function) = self.overload(name, call, &all, &typed) else {
            self.goes_outside = true;
            return (Typed::opaque(), None);
        };
        self.goes_outside |= function.goes_outside;
        for (expr, name) in all.iter().zip(&function.names) {
            name.iter().for_each(|name| self.name_param(expr, name));
        }
        let spread = call.variadic.then(|| all.len() - 1);
        let ty = self.give_types(&function, &all, &typed, spread);
        self.bounds_may_be_null(&function, &all);
        let rows = AggregatedRows { has_rows, filtered: call.filter.is_some(), framed: is_framed(call, scope) };
        let nullable = may_be_null(&function, call, rows, &typed);
        let holes = holes(&function, name, &typed);
        let sensitive = ty != Ty::Base(Base::Int8) && typed.iter().any(|typed| typed.sensitive);
        // An element may be null if the list may contain nulls.
        let from_list = function.kind == Kind::Set && function.result == Slot::Element;
        let nullable = if from_list { typed.iter().any(|typed| typed.holes) } else { nullable };
        let nullable = nullable || function.kind == Kind::Set && scope.padded;
        (Typed { holes, sensitive, ..Typed::new(ty, nullable) }, Some(function))
    }

    /// Gives the arguments the types of a signature, except one that is a list of variadic ones. Returns the result.
    pub(super) fn give_types(
        &mut self,
        function: &Function,
        exprs: &[&Expr],
        typed: &[Typed],
        spread: Option<usize>,
    ) -> Ty {
        let (element, all) = (self.element_type(function, exprs, typed), typed);
        for (at, (expr, typed)) in exprs.iter().zip(typed).enumerate().filter(|(at, _)| Some(*at) != spread) {
            if let Some(wanted) = slot_at(function, at).ty(element) {
                self.fit(expr, *typed, wanted, false);
            }
            if let ExprKind::Param(number) = expr.kind {
                let fields = all.iter().filter_map(|typed| typed.field);
                self.param(number).beside.extend(fields);
            }
        }
        function.result.ty(element).unwrap_or(Ty::Opaque)
    }

    /// Without a bound, a range has no end: null is a useful argument of `tstzrange($1, $2)`.
    fn bounds_may_be_null(&mut self, function: &Function, exprs: &[&Expr]) {
        let Slot::Base(result) = function.result else { return };
        let Some(Span::Range(bound)) = result.span().filter(|_| function.nulls == Nulls::Never) else { return };
        for (expr, slot) in exprs.iter().zip(&function.args) {
            let ExprKind::Param(number) = expr.kind else { continue };
            if *slot == Slot::Base(bound) {
                self.param(number).tested = true;
            }
        }
    }

    /// Returns the meaning of `elem` and `list` in this call.
    fn element_type(&mut self, function: &Function, exprs: &[&Expr], typed: &[Typed]) -> Option<Base> {
        let element = |(at, typed): (usize, &Typed)| slot_at(function, at).element_in(typed.ty).map(Ty::Base);
        let known = typed.iter().enumerate().filter_map(element);
        let base = match common(known).ok()? {
            // Several open arguments are text.
            Ty::Literal if exprs.len() > 1 && function.args.iter().filter(|slot| is_any(**slot)).count() > 1 => {
                Base::Text
            }
            known => known.base()?,
        };
        for (expr, other) in exprs.iter().zip(exprs.iter().skip(1)) {
            self.name_after(expr, other);
        }
        Some(base)
    }

    /// Returns the signature that PostgreSQL would choose; `None` if that is not clear.
    fn overload(&mut self, name: &str, call: &Call, all: &[&Expr], typed: &[Typed]) -> Option<Function> {
        let given = typed.len();
        let types: Vec<Ty> = typed.iter().map(|typed| typed.ty).collect();
        let arranged: Vec<Function> =
            self.functions_of(call, name).filter_map(|function| arranged(function, call, given)).collect();
        let fitting = arranged.iter().filter(|function| {
            let count = if function.variadic { given >= function.args.len() } else { given == function.args.len() };
            // A variadic parameter is a list.
            let is_spread = |at: usize| call.variadic && at + 1 == given;
            count
                && (!call.variadic || function.variadic)
                && function.within != call.within.is_empty()
                && (0..given).all(|at| is_spread(at) || accepts(slot_at(function, at), types[at]))
                && is_consistent(function, &types)
        });
        let best = choose(fitting.collect(), &types);
        let chosen = sure(&best, &types);
        if chosen.is_none() {
            self.several_fit(name, &best, all, &types);
        }
        chosen
    }

    /// Returns the names of types for messages: "`box`, `circle` or `path`".
    pub(super) fn one_of_types(&self, types: &[Ty]) -> String {
        let all: Vec<String> = types.iter().map(|ty| format!("`{}`", ty.describe(self.schema))).collect();
        match all.split_last() {
            Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
            _ => all.concat(),
        }
    }

    /// Reports a parameter that PostgreSQL refuses because several signatures fit.
    pub(super) fn several_fit(&mut self, name: &str, best: &[&Function], exprs: &[&Expr], types: &[Ty]) {
        if best.len() < 2 || types.contains(&Ty::Opaque) {
            return;
        }
        let is_param = |at: &usize| matches!((types[*at], &exprs[*at].kind), (Ty::Param(_), ExprKind::Param(_)));
        for at in (0..types.len()).filter(is_param) {
            let wanted = best.iter().map(|function| slot_at(function, at).ty(element_of(function, types)));
            let Some(mut fitting) = wanted.collect::<Option<Vec<Ty>>>() else { continue };
            fitting.sort_unstable();
            fitting.dedup();
            if let (Ty::Param(number), [first, _, ..]) = (types[at], fitting.as_slice()) {
                let all = self.one_of_types(&fitting);
                let message = format!("PostgreSQL cannot choose the type of `${number}`: `{name}` takes {all}");
                let help = format!("add a cast, such as `${number}::{}`", first.describe(self.schema));
                self.wrong(codes::QUERY_TYPES, exprs[at].span, message, "", help);
            }
        }
    }
}

/// Returns the signature, if only one is left, or if an argument of an unknown type makes no difference.
pub(super) fn sure(best: &[&Function], types: &[Ty]) -> Option<Function> {
    match best {
        [only] => Some((*only).clone()),
        // An argument of an unknown type could match any signature.
        [first, others @ ..] if types.contains(&Ty::Opaque) => {
            let alike = others.iter().all(|other| {
                let mut open = (0..types.len()).filter(|at| types[*at].is_open());
                other.result == first.result && open.all(|at| slot_at(other, at) == slot_at(first, at))
            });
            alike.then(|| (*first).clone())
        }
        _ => None,
    }
}

/// Returns what `elem` is, for arguments of which some have a type.
pub(super) fn element_of(function: &Function, types: &[Ty]) -> Option<Base> {
    types.iter().enumerate().find_map(|(at, ty)| slot_at(function, at).element_in(*ty))
}

/// Returns whether ranges and their elements have one type. A range of numbers holds no integer.
fn is_consistent(function: &Function, types: &[Ty]) -> bool {
    let has_ranges = function.args.iter().any(|slot| matches!(slot, Slot::Range | Slot::Multirange));
    let mut elements = types.iter().enumerate().filter_map(|(at, ty)| slot_at(function, at).element_in(*ty));
    let first = elements.next();
    !has_ranges || elements.all(|element| Some(element) == first)
}

/// Returns a function with the arguments of a call, in its order: without those that have a default and are left out.
/// `None` if the call cannot mean it.
fn arranged(function: &Function, call: &Call, given: usize) -> Option<Function> {
    let count = function.args.len();
    let required = count - function.defaults;
    if call.names.is_empty() {
        if function.defaults == 0 || function.variadic || given >= count {
            return Some(function.clone());
        }
        let kept = |function: &Function| Function {
            args: function.args[..given].to_vec(),
            names: function.names.iter().take(given).cloned().collect(),
            ..function.clone()
        };
        return (given >= required).then(|| kept(function));
    }
    let (first, _) = call.names.first()?;
    let named = call.names.iter().map(|(_, name)| {
        function.names.iter().position(|known| known.as_ref() == Some(&name.text)).filter(|at| at >= first)
    });
    let order: Vec<usize> = (0..*first).map(Some).chain(named).collect::<Option<_>>()?;
    let is_given = (0..required).all(|at| order.contains(&at));
    let is_once = order.iter().enumerate().all(|(at, place)| !order[..at].contains(place));
    if !is_given || !is_once || order.len() != given || order.iter().any(|at| *at >= count) {
        return None;
    }
    let args = order.iter().map(|at| function.args[*at]).collect();
    let names = order.iter().map(|at| function.names[*at].clone()).collect();
    Some(Function { args, names, ..function.clone() })
}

/// Returns the signatures that PostgreSQL prefers; if there is only one, PostgreSQL uses it. See "Function Type
/// Resolution" in its documentation.
pub(super) fn choose<'f>(mut best: Vec<&'f Function>, types: &[Ty]) -> Vec<&'f Function> {
    let known = |at: &usize| !types[*at].is_open() && types[*at] != Ty::Opaque;
    let places: Vec<usize> = (0..types.len()).collect();
    let is_exact = |function: &Function, at: usize| slot_at(function, at).ty(None) == Some(types[at]);
    if let Some(exact) = best.iter().find(|function| places.iter().all(|at| is_exact(function, *at))) {
        return vec![*exact];
    }
    keep_best(&mut best, |function| places.iter().filter(|at| known(at) && is_exact(function, **at)).count());
    keep_best(&mut best, |function| {
        let is_good = |at: usize| is_exact(function, at) || is_preferred_for(slot_at(function, at), types[at]);
        places.iter().filter(|at| known(at) && is_good(**at)).count()
    });
    let open: Vec<usize> = places.iter().copied().filter(|at| types[*at].is_open()).collect();
    if best.len() < 2 || open.is_empty() {
        return best;
    }
    if let Some(liked) = of_categories(&best, &open) {
        best = liked;
    }
    // An open argument may have the type that all others have.
    let mut others = types.iter().copied().filter(|ty| !ty.is_open());
    if let (true, Some(same)) = (best.len() > 1, others.next())
        && others.all(|other| other == same)
    {
        let same_types = vec![same; types.len()];
        let takes = |function: &&Function| is_accepted(function, &same_types);
        let taking: Vec<&Function> = best.iter().copied().filter(takes).collect();
        if taking.len() == 1 {
            return taking;
        }
    }
    best
}

fn keep_best<'f>(functions: &mut Vec<&'f Function>, score: impl Fn(&'f Function) -> usize) {
    let best = functions.iter().map(|function| score(function)).max();
    functions.retain(|function| Some(score(function)) == best);
}

/// For open arguments, text is preferred, then the preferred type of a category. Returns `None` if an argument could
/// belong to several categories.
fn of_categories<'f>(functions: &[&'f Function], open: &[usize]) -> Option<Vec<&'f Function>> {
    let mut liked = functions.to_vec();
    for at in open {
        let category = |function: &Function| base_of(slot_at(function, *at)).map(Base::category);
        let categories: Vec<Option<Category>> = functions.iter().map(|function| category(function)).collect();
        let wanted = match categories.contains(&Some(Category::Text)) {
            true => Some(Category::Text),
            false if categories.windows(2).all(|pair| pair[0] == pair[1]) => categories[0],
            false => return None,
        };
        let is_preferred = |function: &Function| base_of(slot_at(function, *at)).is_some_and(Base::is_preferred);
        let of_it = functions.iter().filter(|function| category(function) == wanted);
        let prefers = of_it.into_iter().any(|function| is_preferred(function));
        liked.retain(|function| category(function) == wanted && (!prefers || is_preferred(function)));
    }
    (!liked.is_empty()).then_some(liked)
}

fn base_of(slot: Slot) -> Option<Base> {
    if let Slot::Base(base) = slot { Some(base) } else { None }
}

pub(super) fn slot_at(function: &Function, at: usize) -> Slot {
    function.args.get(at).or(function.args.last()).copied().unwrap_or(Slot::Any)
}

fn is_any(slot: Slot) -> bool {
    matches!(slot, Slot::Element | Slot::Elements | Slot::Range | Slot::Multirange)
}

fn is_preferred_for(slot: Slot, ty: Ty) -> bool {
    match (slot, ty) {
        (Slot::Base(wanted), Ty::Base(base)) => wanted.is_preferred() && wanted.category() == base.category(),
        _ => false,
    }
}

/// Returns whether arguments of these types fit a signature with as many.
pub(super) fn is_accepted(function: &Function, types: &[Ty]) -> bool {
    let fits = |(at, ty): (usize, &Ty)| accepts(slot_at(function, at), *ty);
    types.iter().enumerate().all(fits) && is_consistent(function, types)
}

fn accepts(slot: Slot, ty: Ty) -> bool {
    match (slot, ty) {
        (Slot::Other, ty) => matches!(ty, Ty::Opaque | Ty::Literal),
        (Slot::Any, _) | (_, Ty::Opaque | Ty::Literal | Ty::Param(_)) => true,
        (Slot::Element, Ty::Base(_)) | (Slot::Elements, Ty::List(_)) | (Slot::Enum, Ty::Base(Base::Enum(_))) => true,
        (Slot::Range, Ty::Base(base)) => matches!(base.span(), Some(Span::Range(_))),
        (Slot::Multirange, Ty::Base(base)) => matches!(base.span(), Some(Span::Multirange(_))),
        (slot, ty) => slot.ty(None).is_some_and(|wanted| ty.becomes(wanted)),
    }
}

/// Names that are calls only by syntax.
const SYNTAX: [&str; 16] = [
    "coalesce",
    "nullif",
    "greatest",
    "least",
    "current_date",
    "current_time",
    "localtime",
    "current_timestamp",
    "localtimestamp",
    "current_user",
    "session_user",
    "user",
    "current_catalog",
    "current_role",
    "current_schema",
    "grouping",
];

fn is_builtin(call: &Call) -> bool {
    call.name.len() < 2 || call.name[0].text == "pg_catalog"
}

/// The rows that an aggregate or a window function processes.
#[derive(Clone, Copy)]
struct AggregatedRows {
    /// Whether there is at least one, before FILTER.
    has_rows: bool,
    filtered: bool,
    /// Whether they are only those of a frame, which may be empty.
    framed: bool,
}

fn is_framed(call: &Call, scope: &Scope<'_>) -> bool {
    call.over.as_ref().is_some_and(|window| {
        window.has_frame || window.name.as_ref().is_some_and(|name| scope.framed.contains(&name.text))
    })
}

fn may_be_null(function: &Function, call: &Call, rows: AggregatedRows, typed: &[Typed]) -> bool {
    let any_null = typed.iter().any(|typed| typed.nullable);
    match (function.kind, function.nulls) {
        // Null instead of the list of variadic arguments makes the result null.
        (_, Nulls::Never) if call.variadic => any_null,
        (_, Nulls::Never) => false,
        (_, Nulls::Maybe) => true,
        (_, Nulls::First) => typed.first().is_some_and(|typed| typed.nullable),
        (_, Nulls::EmptyFormat) if !call.args.get(1).is_some_and(is_written_text) => true,
        (Kind::Aggregate, nulls) => {
            let sees_rows = (call.over.is_some() || rows.has_rows) && !rows.filtered && !rows.framed;
            !sees_rows || any_null && nulls == Nulls::Strict
        }
        (Kind::Window, _) => any_null || rows.framed,
        // For a null argument, no rows are returned.
        (Kind::Set, _) => false,
        _ => any_null,
    }
}

/// Whether it is a literal of at least one letter.
fn is_written_text(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Text(text) => !text.is_empty(),
        ExprKind::Cast(inner, _) => is_written_text(inner),
        _ => false,
    }
}

/// Returns whether a list may contain nulls.
fn holes(function: &Function, name: &str, typed: &[Typed]) -> bool {
    if function.holes {
        return true;
    }
    match function.result {
        Slot::Elements if function.kind == Kind::Aggregate => typed.iter().any(|typed| typed.nullable || typed.holes),
        Slot::Elements => {
            let is_element = |at: usize| matches!(slot_at(function, at), Slot::Element);
            let element = typed.iter().enumerate().any(|(at, typed)| typed.nullable && is_element(at));
            typed.iter().any(|typed| typed.holes) || name != "array_remove" && element
        }
        Slot::List(_) => {
            name.starts_with("regexp_match")
                // The third argument replaces null.
                || name == "string_to_array" && typed.len() == 3
                || function.kind == Kind::Aggregate && typed.first().is_some_and(|typed| typed.holes)
        }
        _ => false,
    }
}
