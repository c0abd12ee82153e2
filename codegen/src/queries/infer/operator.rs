//! Operators: their operand types, their results, and the type of a parameter next to them.

use super::super::tree::{Call, Expr, ExprKind};
use super::super::types::{Base, Category, Ty, common};
use super::scope::Scope;
use super::{Cx, Typed};
use crate::diagnostics::{self as codes, Span};

/// An operand: the expression, and its inferred type.
pub(super) type Operand<'e> = (&'e Expr, Typed);

impl Cx<'_> {
    /// Operators of one precedence, from left to right.
    pub(super) fn chain(&mut self, scope: &Scope<'_>, first: &Expr, rest: &[(String, Expr)]) -> Typed {
        if let (ExprKind::Row(left), [(operator, Expr { kind: ExprKind::Row(right), span })]) = (&first.kind, rest) {
            if operator == "overlaps" {
                let times: Vec<&Expr> = left.iter().chain(right).collect();
                return self.known_call(scope, &Call::default(), &times, operator).0;
            }
            let typed: Vec<Typed> = left.iter().map(|expr| self.expr(scope, expr)).collect();
            self.rows(scope, (left, &typed), right, *span);
            return Typed::base(Base::Bool, true);
        }
        let mut left = self.expr(scope, first);
        for (operator, expr) in rest {
            let right = self.expr(scope, expr);
            left = self.operator(operator, (first, left), (expr, right));
        }
        left.derived()
    }

    pub(super) fn prefix(&mut self, scope: &Scope<'_>, operator: &str, inner: &Expr) -> Typed {
        let typed = self.expr(scope, inner).derived();
        let sensitive = typed.sensitive;
        // Open operands have the preferred type of numbers.
        let ty = match operator {
            "@" | "|/" | "||/" => self.settle(typed.ty, Ty::Base(Base::Float8)),
            _ => typed.ty,
        };
        let typed = match (operator, ty) {
            ("~", Ty::Base(base)) if base.is_integer() => typed,
            ("@", Ty::Base(base)) if base.category() == Category::Number => Typed { ty, ..typed },
            ("|/" | "||/", _) => Typed::base(Base::Float8, typed.nullable),
            _ => self.listed(operator, &[(inner, typed)]).unwrap_or(Typed::opaque()),
        };
        Typed { sensitive, ..typed }
    }

    /// One operator between two operands.
    pub(super) fn operator(&mut self, operator: &str, left: Operand<'_>, right: Operand<'_>) -> Typed {
        self.name_after(left.0, right.0);
        self.name_after(right.0, left.0);
        let typed = match operator {
            _ if self.is_listed(operator, left.1.ty, right.1.ty) => {
                if is_comparison(operator) {
                    self.value_of(left.0, right.1.field);
                    self.value_of(right.0, left.1.field);
                }
                self.listed(operator, &[left, right]).unwrap_or_else(Typed::opaque)
            }
            _ if is_comparison(operator) => {
                self.value_of(left.0, right.1.field);
                self.value_of(right.0, left.1.field);
                self.compare(operator, left, right)
            }
            "~" | "~*" | "!~" | "!~*" | "~~" | "~~*" | "!~~" | "!~~*" | "^@" => self.match_text(left, right),
            "+" | "-" | "*" | "/" | "%" | "^" => self.arithmetic(operator, left, right),
            "||" => self.concatenate(left, right),
            "->" | "->>" | "#>" | "#>>" => self.json_step(operator, left, right),
            "@>" | "<@" | "&&" | "?" | "?|" | "?&" | "@?" | "@@" => self.contains(operator, left, right),
            "#-" => self.json_remove(operator, left, right),
            "&" | "|" | "#" | "<<" | ">>" => self.bits(operator, left, right),
            _ => self.listed(operator, &[left, right]).unwrap_or_else(Typed::opaque),
        };
        Typed { sensitive: typed.ty != Ty::Base(Base::Bool) && (left.1.sensitive || right.1.sensitive), ..typed }
    }

    /// Infers both operands; an open one takes the type of the other. Two open ones stay open.
    fn level(&mut self, left: Operand<'_>, right: Operand<'_>) -> (Ty, Ty, bool) {
        let nullable = left.1.nullable || right.1.nullable;
        let (mut a, mut b) = (left.1.ty, right.1.ty);
        let meant = |ty: Ty| if ty == Ty::Base(Base::Varchar) { Ty::Base(Base::Text) } else { ty };
        if a.is_open() && !b.is_open() {
            a = self.settle(a, meant(b));
        } else if b.is_open() && !a.is_open() {
            b = self.settle(b, meant(a));
        }
        self.check_label(left.0, b);
        self.check_label(right.0, a);
        (a, b, nullable)
    }

    fn no_operator(&mut self, operator: &str, a: Ty, b: Ty, span: Span) -> Typed {
        let help = format!("add a cast to one side, such as `::{}`", a.describe(self.schema));
        self.no_operator_but(operator, (a, b), span, help)
    }

    /// The same, with what to write in its place.
    pub(super) fn no_operator_but(&mut self, operator: &str, (a, b): (Ty, Ty), span: Span, help: String) -> Typed {
        let (left, right) = (a.describe(self.schema), b.describe(self.schema));
        let message = format!("PostgreSQL has no `{left} {operator} {right}`");
        self.wrong(codes::QUERY_TYPES, span, message, &format!("is {right}"), help);
        Typed::opaque()
    }

    fn compare(&mut self, operator: &str, left: Operand<'_>, right: Operand<'_>) -> Typed {
        let (a, b, nullable) = self.level(left, right);
        if a.is_open() && b.is_open() {
            self.settle(a, Ty::Base(Base::Text));
            self.settle(b, Ty::Base(Base::Text));
            return Typed::base(Base::Bool, nullable);
        }
        let fits = match (a, b) {
            (Ty::Opaque, _) | (_, Ty::Opaque) => true,
            (Ty::Base(a), Ty::Base(b)) => comparable(a, b),
            (Ty::List(a), Ty::List(b)) => comparable(a, b),
            _ => false,
        };
        if !fits {
            self.no_operator(operator, a, b, right.0.span);
        }
        Typed::base(Base::Bool, nullable)
    }

    fn match_text(&mut self, left: Operand<'_>, right: Operand<'_>) -> Typed {
        for (expr, typed) in [left, right] {
            self.fit(expr, typed, Ty::Base(Base::Text), false);
        }
        Typed::base(Base::Bool, left.1.nullable || right.1.nullable)
    }

    fn arithmetic(&mut self, operator: &str, left: Operand<'_>, right: Operand<'_>) -> Typed {
        if let Some(typed) = self.with_time(operator, left, right) {
            return typed;
        }
        // An interval can only be multiplied by a number.
        let interval = Ty::Base(Base::Interval);
        let (mut left, mut right) = (left, right);
        if left.1.ty == interval && right.1.ty.is_open() && matches!(operator, "*" | "/") {
            right.1.ty = self.settle(right.1.ty, Ty::Base(Base::Float8));
        } else if right.1.ty == interval && left.1.ty.is_open() && operator == "*" {
            left.1.ty = self.settle(left.1.ty, Ty::Base(Base::Float8));
        }
        // Powers are floats, unless an operand is numeric.
        if operator == "^" {
            let is_integer = |ty: Ty| ty.base().is_some_and(Base::is_integer);
            if left.1.ty.is_open() && (is_integer(right.1.ty) || right.1.ty.is_open()) {
                left.1.ty = self.settle(left.1.ty, Ty::Base(Base::Float8));
            }
            if right.1.ty.is_open() && (is_integer(left.1.ty) || left.1.ty == Ty::Base(Base::Float8)) {
                right.1.ty = self.settle(right.1.ty, Ty::Base(Base::Float8));
            }
        }
        // A text can only be subtracted from jsonb.
        if operator == "-" && left.1.ty.is_open() && right.1.ty.base().is_some_and(Base::is_text) {
            left.1.ty = self.settle(left.1.ty, Ty::Base(Base::Jsonb));
        }
        if operator == "-" && left.1.ty == Ty::Base(Base::Jsonb) {
            return self.json_remove(operator, left, right);
        }
        let (a, b, nullable) = self.level(left, right);
        let (Ty::Base(x), Ty::Base(y)) = (a, b) else {
            let unclear = a == Ty::Opaque || b == Ty::Opaque || a.is_open();
            return if unclear { Typed::opaque() } else { self.no_operator(operator, a, b, right.0.span) };
        };
        let base = match (operator, x, y) {
            ("*" | "/", Base::Money, other) if other != Base::Money => Base::Money,
            ("*", other, Base::Money) if other != Base::Money => Base::Money,
            ("/", Base::Money, Base::Money) => Base::Float8,
            ("+" | "-", Base::Money, Base::Money) => Base::Money,
            ("*" | "/", Base::Interval, other) if other.category() == Category::Number => Base::Interval,
            ("*", other, Base::Interval) if other.category() == Category::Number => Base::Interval,
            _ => match number(operator, x, y) {
                Some(base) => base,
                None => return self.no_operator(operator, a, b, right.0.span),
            },
        };
        Typed::base(base, nullable)
    }

    /// Infers operators on dates, times and intervals; `None` if neither operand is one.
    fn with_time(&mut self, operator: &str, left: Operand<'_>, right: Operand<'_>) -> Option<Typed> {
        use Base::{Date, Interval, Time, Timestamp, Timestamptz, Timetz};
        let is_time = |ty: Ty| ty.base().is_some_and(|base| matches!(base.category(), Category::Time | Category::Span));
        if !is_time(left.1.ty) && !is_time(right.1.ty) || matches!(operator, "*" | "/") {
            return None;
        }
        // An open operand has the same type if there is such an operator, otherwise it is an interval.
        let guess = |known: Base| match (operator, known) {
            ("-", Date | Timestamp | Timestamptz | Time | Interval) | ("+", Interval) => Some(known),
            ("+", Timestamp | Timestamptz | Time | Timetz) | ("-", Timetz) => Some(Interval),
            _ => None,
        };
        let (mut a, mut b) = (left.1.ty, right.1.ty);
        if let (true, Some(known)) = (a.is_open(), b.base().and_then(guess)) {
            a = self.settle(a, Ty::Base(known));
        } else if let (true, Some(known)) = (b.is_open(), a.base().and_then(guess)) {
            b = self.settle(b, Ty::Base(known));
        }
        let (Ty::Base(x), Ty::Base(y)) = (a, b) else { return Some(Typed::opaque()) };
        let base = match (operator, x, y) {
            ("+" | "-", Date, other) if other.is_integer() => Date,
            ("+", other, Date) if other.is_integer() => Date,
            ("-", Date, Date) => Base::Int4,
            ("+" | "-", Date, Interval) | ("+", Interval, Date) | ("+", Date, Time) | ("+", Time, Date) => Timestamp,
            ("+", Date, Timetz) | ("+", Timetz, Date) => Timestamptz,
            ("+" | "-", known @ (Timestamp | Timestamptz | Time | Timetz | Interval), Interval) => known,
            ("+", Interval, known @ (Timestamp | Timestamptz | Time | Timetz)) => known,
            ("-", Timestamp | Timestamptz | Date, Timestamp | Timestamptz | Date) | ("-", Time | Interval, Time) => {
                Interval
            }
            _ => return Some(self.no_operator(operator, a, b, right.0.span)),
        };
        Some(Typed::base(base, left.1.nullable || right.1.nullable))
    }

    fn concatenate(&mut self, left: Operand<'_>, right: Operand<'_>) -> Typed {
        let nullable = left.1.nullable || right.1.nullable;
        let (a, b) = (left.1.ty, right.1.ty);
        // A nullable element makes a list that may contain nulls.
        let hole = |typed: Typed| typed.holes || typed.nullable && typed.ty.base().is_some();
        let holes = hole(left.1) || hole(right.1);
        let list = |base: Base| Typed { holes, ..Typed::new(Ty::List(base), nullable) };
        match (a, b) {
            (Ty::Opaque, _) | (_, Ty::Opaque) => Typed::opaque(),
            (Ty::List(base), open) | (open, Ty::List(base)) if open.is_open() => {
                self.settle(open, Ty::List(base));
                list(base)
            }
            (Ty::List(x), Ty::List(y)) | (Ty::List(x), Ty::Base(y)) | (Ty::Base(y), Ty::List(x)) => {
                match common([Ty::Base(x), Ty::Base(y)]) {
                    Ok(Ty::Base(base)) => list(base),
                    _ => self.no_operator("||", a, b, right.0.span),
                }
            }
            (Ty::Base(base @ (Base::Jsonb | Base::Bytea | Base::Varbit | Base::Tsvector | Base::Tsquery)), other)
            | (other, Ty::Base(base @ (Base::Jsonb | Base::Bytea | Base::Varbit | Base::Tsvector | Base::Tsquery)))
                if other.is_open() || other == Ty::Base(base) =>
            {
                self.settle(other, Ty::Base(base));
                Typed::base(base, nullable)
            }
            _ => {
                let is_text = |ty: Ty| ty.is_open() || ty.base().is_some_and(Base::is_text);
                if !is_text(a) && !is_text(b) {
                    return self.no_operator("||", a, b, right.0.span);
                }
                self.settle(a, Ty::Base(Base::Text));
                self.settle(b, Ty::Base(Base::Text));
                Typed::base(Base::Text, nullable)
            }
        }
    }

    fn json_step(&mut self, operator: &str, left: Operand<'_>, right: Operand<'_>) -> Typed {
        let base = match left.1.ty {
            Ty::Base(base @ (Base::Json | Base::Jsonb)) => base,
            Ty::Opaque => return Typed::opaque(),
            ty if ty.is_open() => return Typed::opaque(),
            ty => return self.no_operator(operator, ty, right.1.ty, right.0.span),
        };
        let key = if operator.starts_with('#') { Ty::List(Base::Text) } else { Ty::Base(Base::Text) };
        let is_index = right.1.ty.base().is_some_and(Base::is_integer);
        if !is_index || operator.starts_with('#') {
            self.fit(right.0, right.1, key, false);
        }
        Typed::base(if operator.ends_with(">>") { Base::Text } else { base }, true)
    }

    fn json_remove(&mut self, operator: &str, left: Operand<'_>, right: Operand<'_>) -> Typed {
        let is_path = operator == "#-";
        self.settle(right.1.ty, if is_path { Ty::List(Base::Text) } else { Ty::Base(Base::Text) });
        let left_ty = if is_path { self.settle(left.1.ty, Ty::Base(Base::Jsonb)) } else { left.1.ty };
        match left_ty {
            Ty::Base(Base::Jsonb) => Typed::base(Base::Jsonb, left.1.nullable || right.1.nullable),
            _ => Typed::opaque(),
        }
    }

    fn contains(&mut self, operator: &str, left: Operand<'_>, right: Operand<'_>) -> Typed {
        let nullable = left.1.nullable || right.1.nullable;
        let key = match operator {
            "?" => Some(Ty::Base(Base::Text)),
            "?|" | "?&" => Some(Ty::List(Base::Text)),
            "@?" => Some(Ty::Base(Base::Jsonpath)),
            "@@" if left.1.ty == Ty::Base(Base::Jsonb) => Some(Ty::Base(Base::Jsonpath)),
            "@@" => Some(Ty::Base(Base::Tsquery)),
            _ => None,
        };
        match key {
            Some(Ty::Base(Base::Tsquery)) if left.1.ty != Ty::Base(Base::Tsvector) => {
                // `text @@ text` and similar: both sides are converted to the types of a search.
                self.settle(right.1.ty, Ty::Base(Base::Text));
            }
            Some(key) => {
                self.settle(left.1.ty, Ty::Base(Base::Jsonb));
                self.fit(right.0, right.1, key, false);
            }
            None => {
                let (a, b, _) = self.level(left, right);
                let fits = match (a, b) {
                    (Ty::List(a), Ty::List(b)) => a == b || a.is_text() && b.is_text(),
                    (Ty::Base(a), Ty::Base(b)) => a == b,
                    _ => a == Ty::Opaque || b == Ty::Opaque || a.is_open() && b.is_open(),
                };
                if !fits {
                    self.no_operator(operator, a, b, right.0.span);
                }
            }
        }
        Typed::base(Base::Bool, nullable || matches!(operator, "@?" | "@@"))
    }

    fn bits(&mut self, operator: &str, left: Operand<'_>, right: Operand<'_>) -> Typed {
        if matches!(operator, "<<" | ">>") {
            let is_int = right.1.ty == Ty::Base(Base::Int4);
            let ty = if is_int { self.settle(left.1.ty, right.1.ty) } else { left.1.ty };
            let Some(base) = ty.base().filter(|base| base.is_integer()) else {
                return self.listed(operator, &[left, right]).unwrap_or_else(Typed::opaque);
            };
            self.fit(right.0, right.1, Ty::Base(Base::Int4), false);
            return Typed::base(base, left.1.nullable || right.1.nullable);
        }
        let (a, b, nullable) = self.level(left, right);
        match (a, b) {
            (Ty::Base(x), Ty::Base(y)) if x.is_integer() && y.is_integer() => Typed::base(x.max(y), nullable),
            _ => self.listed(operator, &[left, right]).unwrap_or_else(Typed::opaque),
        }
    }
}

pub(super) fn is_comparison(operator: &str) -> bool {
    matches!(operator, "=" | "<" | ">" | "<=" | ">=" | "<>" | "!=")
}

/// Returns the type of arithmetic on two numbers; `None` if there is no such operator.
fn number(operator: &str, x: Base, y: Base) -> Option<Base> {
    let is_number =
        |base| matches!(base, Base::Int2 | Base::Int4 | Base::Int8 | Base::Numeric | Base::Float4 | Base::Float8);
    if !is_number(x) || !is_number(y) {
        return None;
    }
    let is_float = |base| matches!(base, Base::Float4 | Base::Float8);
    match operator {
        "%" if is_float(x) || is_float(y) => None,
        "^" if x == Base::Numeric && !is_float(y) || y == Base::Numeric && !is_float(x) => Some(Base::Numeric),
        "^" => Some(Base::Float8),
        _ if x == y => Some(x),
        _ if is_float(x) || is_float(y) => Some(Base::Float8),
        // Declared from narrow to wide.
        _ if x == Base::Numeric || y == Base::Numeric => Some(Base::Numeric),
        _ => Some(x.max(y)),
    }
}

/// Returns the type in which the left side of `=` is compared, if the right side has another type.
pub(super) fn compared_as(left: Base, right: Base) -> Base {
    use Base::{Float4, Float8, Name, Numeric, Oid, Text, Varchar};
    let is_float = |base| matches!(base, Float4 | Float8);
    match (left, right) {
        // These types have operators with each other.
        (a, b) if a.is_integer() && b.is_integer() || is_float(a) && is_float(b) => a,
        (a, b) if a.rank().is_some() && b.rank().is_some() => match (a, b) {
            (Numeric, Numeric) => Numeric,
            (Float4, _) => Float4,
            (a, b) if is_float(a) || is_float(b) => Float8,
            _ => Numeric,
        },
        (a, Oid) if a.is_integer() => Oid,
        (Name, b) if b.is_text() => Name,
        (a, b) if a != b && a.is_text() && b.is_text() => {
            if b == Base::Citext {
                Base::Citext
            } else {
                Text
            }
        }
        (Varchar, _) => Text,
        (Base::Time, Base::Timetz) => Base::Timetz,
        (Base::Time, Base::Interval) => Base::Interval,
        _ => left,
    }
}

fn comparable(a: Base, b: Base) -> bool {
    use Base::{Date, Time, Timestamp, Timestamptz, Timetz};
    if a == b {
        return !matches!(a, Base::Json | Base::Xml | Base::Jsonpath);
    }
    let is_number =
        |base| matches!(base, Base::Int2 | Base::Int4 | Base::Int8 | Base::Numeric | Base::Float4 | Base::Float8);
    let is_moment = |base| matches!(base, Date | Timestamp | Timestamptz);
    is_number(a) && is_number(b)
        || is_moment(a) && is_moment(b)
        || matches!((a, b), (Time, Timetz) | (Timetz, Time) | (Base::Xid, Base::Int4))
        || a.is_text() && b.is_text()
        || a.becomes(b)
        || b.becomes(a)
}
