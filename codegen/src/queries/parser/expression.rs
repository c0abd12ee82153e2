//! Expressions, with PostgreSQL's precedence.

use super::super::lexer::Kind;
use super::super::tree::{Expr, ExprKind, Quantified, Subscript, TypeName};
use super::call::plain_call;
use super::{ParseError, Parsed, Parser};
use crate::diagnostics::Span;

/// The precedence of operators.
pub(super) mod level {
    pub(in crate::queries::parser) const IS: u8 = 4;
    pub(in crate::queries::parser) const COMPARE: u8 = 5;
    pub(in crate::queries::parser) const LIKE: u8 = 6;
    pub(in crate::queries::parser) const OTHER: u8 = 7;
    pub(in crate::queries::parser) const ADD: u8 = 8;
    pub(in crate::queries::parser) const MULTIPLY: u8 = 9;
    pub(in crate::queries::parser) const POWER: u8 = 10;
    pub(in crate::queries::parser) const ZONE: u8 = 11;
    pub(in crate::queries::parser) const COLLATE: u8 = 12;
    pub(in crate::queries::parser) const SIGN: u8 = 13;
}

/// The maximum number of postfix operators on one operand, `IS NULL IS NULL ..` or `::text::text ..`, because each adds
/// a level to the tree.
const MAX_WRAPS: usize = 32;

fn negative(number: &str) -> String {
    number.strip_prefix('-').map_or_else(|| format!("-{number}"), str::to_owned)
}

fn boxed(expr: Expr) -> Box<Expr> {
    Box::new(expr)
}

impl Parser<'_> {
    pub(super) fn expr(&mut self) -> Parsed<Expr> {
        self.deeper(Self::any)
    }

    fn any(&mut self) -> Parsed<Expr> {
        let start = self.here();
        let first = self.all()?;
        if !self.is("or") {
            return Ok(first);
        }
        let mut exprs = vec![first];
        while self.eat("or") {
            exprs.push(self.all()?);
        }
        Ok(Expr { kind: ExprKind::Any(exprs), span: self.since(start) })
    }

    fn all(&mut self) -> Parsed<Expr> {
        let start = self.here();
        let first = self.not()?;
        if !self.is("and") {
            return Ok(first);
        }
        let mut exprs = vec![first];
        while self.eat("and") {
            exprs.push(self.not()?);
        }
        Ok(Expr { kind: ExprKind::All(exprs), span: self.since(start) })
    }

    fn not(&mut self) -> Parsed<Expr> {
        let start = self.here();
        if self.eat("not") {
            let expr = self.deeper(Self::not)?;
            return Ok(Expr { kind: ExprKind::Not(boxed(expr)), span: self.since(start) });
        }
        self.binary(level::IS)
    }

    /// Parses an expression with operators of at least the precedence `least`.
    pub(super) fn binary(&mut self, least: u8) -> Parsed<Expr> {
        let start = self.here();
        let mut left = self.prefixed()?;
        let (mut wraps, mut chained) = (0, 0);
        loop {
            let Some(level) = self.operator_level().filter(|level| *level >= least) else { return Ok(left) };
            wraps += 1;
            let is_chain = matches!(level, level::COMPARE | level::OTHER..=level::POWER);
            if is_chain && !self.is_quantified() {
                let operator = self.operator_text();
                let right = self.deeper(|this| this.binary(level + 1))?;
                let span = self.since(start);
                left = match left.kind {
                    ExprKind::Chain(first, mut rest) if chained == level => {
                        rest.push((operator, right));
                        wraps -= 1;
                        Expr { kind: ExprKind::Chain(first, rest), span }
                    }
                    kind => {
                        let first = boxed(Expr { kind, span: left.span });
                        Expr { kind: ExprKind::Chain(first, vec![(operator, right)]), span }
                    }
                };
                chained = level;
            } else {
                left = self.suffixed(left, level, start)?;
                chained = 0;
            }
            if wraps > MAX_WRAPS {
                return Err(self.too_many());
            }
        }
    }

    fn too_many(&self) -> ParseError {
        let expected = format!("at most {MAX_WRAPS} nested operators");
        ParseError { span: self.here(), expected, is_wrong: true }
    }

    /// Returns the precedence of the next operator, if there is one.
    fn operator_level(&self) -> Option<u8> {
        let token = self.peek();
        let text = token.text.as_str();
        match token.kind {
            Kind::Operator => Some(match text {
                "=" | "<" | ">" | "<=" | ">=" | "<>" | "!=" => level::COMPARE,
                "+" | "-" => level::ADD,
                "*" | "/" | "%" => level::MULTIPLY,
                "^" => level::POWER,
                _ => level::OTHER,
            }),
            Kind::Word => match text {
                "is" | "isnull" | "notnull" => Some(level::IS),
                "between" | "in" | "like" | "ilike" | "similar" => Some(level::LIKE),
                "not" => {
                    let follows = self.peek_at(1);
                    let known = ["between", "in", "like", "ilike", "similar"];
                    known.iter().any(|word| follows.is(word)).then_some(level::LIKE)
                }
                "at" if self.peek_at(1).is("time") => Some(level::ZONE),
                "collate" => Some(level::COLLATE),
                "overlaps" if self.peek_at(1).is("(") => Some(level::OTHER),
                "operator" if self.peek_at(1).is("(") => Some(level::OTHER),
                _ => None,
            },
            _ => None,
        }
    }

    /// `OPERATOR(pg_catalog.+)` has the meaning of `+`, but the precedence of other operators.
    fn operator_text(&mut self) -> String {
        let token = self.next();
        if token.kind != Kind::Word || token.text == "overlaps" {
            return token.text;
        }
        let mut text = String::new();
        while self.peek().kind != Kind::End && !self.eat(")") {
            text = self.next().text;
        }
        text
    }

    /// Returns whether the operator is followed by ANY, SOME or ALL.
    fn is_quantified(&self) -> bool {
        self.peek().kind == Kind::Operator
            && ["any", "some", "all"].iter().any(|word| self.peek_at(1).is(word))
            && self.peek_at(2).is("(")
    }

    /// Parses an operator after an operand, other than those of a chain.
    fn suffixed(&mut self, left: Expr, at: u8, start: Span) -> Parsed<Expr> {
        let kind = match at {
            level::IS => self.is_test(left)?,
            level::LIKE => self.like(left)?,
            level::ZONE => {
                self.next();
                self.expect("time")?;
                self.expect("zone")?;
                let zone = self.binary(level::COLLATE)?;
                ExprKind::AtTimeZone(boxed(left), boxed(zone))
            }
            level::COLLATE => {
                self.next();
                self.path()?;
                ExprKind::Collate(boxed(left))
            }
            _ => self.quantified(left)?,
        };
        Ok(Expr { kind, span: self.since(start) })
    }

    fn quantified(&mut self, left: Expr) -> Parsed<ExprKind> {
        let operator = self.next().text;
        let all = self.next().is("all");
        self.expect("(")?;
        if self.starts_query(0) {
            let query = Box::new(self.query()?);
            self.expect(")")?;
            return Ok(ExprKind::AnyOfQuery(boxed(left), operator, query));
        }
        let list = self.expr()?;
        self.expect(")")?;
        Ok(ExprKind::AnyOf(boxed(left), Quantified { operator, all }, boxed(list)))
    }

    fn is_test(&mut self, left: Expr) -> Parsed<ExprKind> {
        let left = boxed(left);
        match self.next().text.as_str() {
            "isnull" => return Ok(ExprKind::IsNull(left, true)),
            "notnull" => return Ok(ExprKind::IsNull(left, false)),
            _ => {}
        }
        let not = self.eat("not");
        if self.eat("null") {
            return Ok(ExprKind::IsNull(left, !not));
        }
        if self.eat_any(&["true", "false", "unknown"]) {
            return Ok(ExprKind::IsBool(left));
        }
        if self.eat_all(&["distinct", "from"]) {
            let right = self.deeper(|this| this.binary(level::COMPARE))?;
            return Ok(ExprKind::Distinct(left, boxed(right)));
        }
        if self.eat_any(&["document", "normalized"]) {
            return Ok(ExprKind::IsKind(left));
        }
        Err(self.stop("`NULL`, `TRUE`, `FALSE`, `UNKNOWN` or `DISTINCT FROM`"))
    }

    fn like(&mut self, left: Expr) -> Parsed<ExprKind> {
        self.eat("not");
        let left = boxed(left);
        let word = self.next().text;
        match word.as_str() {
            "between" => {
                self.eat_any(&["symmetric", "asymmetric"]);
                let low = self.deeper(|this| this.binary(level::OTHER))?;
                self.expect("and")?;
                let high = self.deeper(|this| this.binary(level::OTHER))?;
                Ok(ExprKind::Between(left, boxed(low), boxed(high)))
            }
            "in" => {
                self.expect("(")?;
                if self.starts_query(0) {
                    let query = Box::new(self.query()?);
                    self.expect(")")?;
                    return Ok(ExprKind::InQuery(left, query));
                }
                let list = self.list(Self::expr)?;
                self.expect(")")?;
                Ok(ExprKind::In(left, list))
            }
            _ => {
                if word == "similar" {
                    self.expect("to")?;
                }
                if self.is("any") || self.is("all") || self.is("some") {
                    let all = self.next().is("all");
                    self.expect("(")?;
                    let list = self.expr()?;
                    self.expect(")")?;
                    let quantified = Quantified { operator: "~~".to_owned(), all };
                    return Ok(ExprKind::AnyOf(left, quantified, boxed(list)));
                }
                let pattern = self.deeper(|this| this.binary(level::OTHER))?;
                let escape = match self.eat("escape") {
                    true => Some(boxed(self.deeper(|this| this.binary(level::OTHER))?)),
                    false => None,
                };
                Ok(ExprKind::Like(left, boxed(pattern), escape))
            }
        }
    }

    /// Parses signs and other prefix operators.
    fn prefixed(&mut self) -> Parsed<Expr> {
        let start = self.here();
        if self.peek().kind != Kind::Operator {
            return self.operand();
        }
        let operator = self.next().text;
        let is_sign = matches!(operator.as_str(), "-" | "+");
        let least = if is_sign { level::SIGN } else { level::ADD };
        let expr = self.deeper(|this| this.binary(least))?;
        let kind = match expr.kind {
            // PostgreSQL includes the sign in the number before it chooses the type.
            ExprKind::Number(text) if operator == "-" => ExprKind::Number(negative(&text)),
            _ if is_sign => ExprKind::Sign(boxed(expr)),
            _ => ExprKind::Prefix(operator, boxed(expr)),
        };
        Ok(Expr { kind, span: self.since(start) })
    }

    /// Parses an operand with its casts and subscripts.
    pub(super) fn operand(&mut self) -> Parsed<Expr> {
        let start = self.here();
        let mut expr = self.primary()?;
        let mut wraps = 0;
        loop {
            let kind = if self.eat("::") {
                ExprKind::Cast(boxed(expr), self.type_name()?)
            } else if self.is("[") {
                self.subscripted(expr)?
            } else if self.is(".") && !matches!(expr.kind, ExprKind::Column(_)) {
                self.next();
                if !self.eat("*") {
                    self.label()?;
                }
                ExprKind::Field(boxed(expr))
            } else {
                return Ok(expr);
            };
            expr = Expr { kind, span: self.since(start) };
            wraps += 1;
            if wraps > MAX_WRAPS {
                return Err(self.too_many());
            }
        }
    }

    fn subscripted(&mut self, expr: Expr) -> Parsed<ExprKind> {
        let Subscript { mut bounds, is_slice } = self.subscript()?;
        match (is_slice, bounds.pop()) {
            (false, Some(index)) => Ok(ExprKind::Element(boxed(expr), boxed(index))),
            (_, last) => {
                bounds.extend(last);
                Ok(ExprKind::Slice(boxed(expr), bounds))
            }
        }
    }

    /// Parses `[1]`, `[1:2]`, `[:]`.
    pub(super) fn subscript(&mut self) -> Parsed<Subscript> {
        self.expect("[")?;
        let (mut bounds, mut is_slice) = (Vec::new(), false);
        while !self.eat("]") {
            if self.eat(":") {
                is_slice = true;
            } else {
                bounds.push(self.expr()?);
            }
            if bounds.len() > 2 {
                return Err(self.stop("`]`"));
            }
        }
        match bounds.is_empty() && !is_slice {
            true => Err(self.stop("a subscript")),
            false => Ok(Subscript { bounds, is_slice }),
        }
    }

    fn primary(&mut self) -> Parsed<Expr> {
        let start = self.here();
        let token = self.peek().clone();
        let kind = match token.kind {
            Kind::Number => {
                self.next();
                ExprKind::Number(token.text)
            }
            Kind::Text => {
                self.next();
                // Adjacent strings on several lines are one string.
                while self.peek().kind == Kind::Text {
                    self.next();
                }
                ExprKind::Text(token.text)
            }
            Kind::Bits => {
                self.next();
                ExprKind::Bits
            }
            Kind::Param => {
                self.next();
                match token.text.parse() {
                    Ok(number @ 1..) => ExprKind::Param(number),
                    _ => {
                        let expected = "a parameter from `$1` to `$65535`".to_owned();
                        return Err(ParseError { span: start, expected, is_wrong: true });
                    }
                }
            }
            Kind::Quoted => return self.column_or_call(),
            Kind::Word => return self.word(),
            Kind::Mark if token.text == "(" => return self.bracket(),
            _ => return Err(self.stop("an expression")),
        };
        Ok(Expr { kind, span: self.since(start) })
    }

    /// Parses `(expr)`, `(a, b)`, `(SELECT ..)`.
    fn bracket(&mut self) -> Parsed<Expr> {
        let start = self.here();
        if self.starts_query(1) {
            self.next();
            let query = self.query()?;
            self.expect(")")?;
            return Ok(Expr { kind: ExprKind::Query(Box::new(query)), span: self.since(start) });
        }
        self.next();
        let mut exprs = self.list(Self::expr)?;
        self.expect(")")?;
        let span = self.since(start);
        match (exprs.len(), exprs.pop()) {
            // The parentheses end a chain: an operator of the same precedence after them does not continue it.
            (1, Some(expr)) => Ok(Expr { span, ..expr }),
            (_, last) => {
                exprs.extend(last);
                Ok(Expr { kind: ExprKind::Row(exprs), span })
            }
        }
    }

    pub(super) fn word(&mut self) -> Parsed<Expr> {
        let start = self.here();
        let text = self.peek().text.clone();
        let followed = self.peek_at(1).is("(");
        let kind = match text.as_str() {
            "null" => self.single(ExprKind::Null),
            "true" => self.single(ExprKind::Bool),
            "false" => self.single(ExprKind::Bool),
            "case" => self.case()?,
            "cast" if followed => self.cast()?,
            "exists" if followed => {
                self.next();
                self.next();
                let query = self.query()?;
                self.expect(")")?;
                ExprKind::Exists(Box::new(query))
            }
            "array" => self.array()?,
            "row" if followed => {
                self.next();
                ExprKind::Row(self.in_brackets(Self::expr)?)
            }
            "current_date" | "current_time" | "current_timestamp" | "localtime" | "localtimestamp" | "current_user"
            | "session_user" | "user" | "current_catalog" | "current_role" | "current_schema" => {
                let name = self.any_name();
                if self.is("(") {
                    self.next();
                    if !self.is(")") {
                        self.next();
                    }
                    self.expect(")")?;
                }
                ExprKind::Call(Box::new(plain_call(name, Vec::new())))
            }
            "extract" | "substring" | "position" | "trim" | "overlay" if followed => self.worded_call()?,
            "interval" | "timestamp" | "timestamptz" | "date" | "time" | "timetz" | "double" | "uuid" | "jsonb"
            | "json" | "numeric" | "text" | "bytea" | "inet" | "money"
                if self.is_typed_literal() =>
            {
                return self.typed_literal();
            }
            _ => return self.column_or_call(),
        };
        Ok(Expr { kind, span: self.since(start) })
    }

    fn single(&mut self, kind: ExprKind) -> ExprKind {
        self.next();
        kind
    }

    /// Returns whether this is a typed literal: `date '2026-01-01'`, `timestamp with time zone '..'`.
    fn is_typed_literal(&self) -> bool {
        let words = (1..5).take_while(|ahead| self.peek_at(*ahead).kind == Kind::Word).count();
        let is_type = (1..=words)
            .all(|ahead| ["with", "without", "time", "zone", "precision"].contains(&self.peek_at(ahead).text.as_str()));
        is_type && self.peek_at(words + 1).kind == Kind::Text
    }

    fn typed_literal(&mut self) -> Parsed<Expr> {
        let start = self.here();
        let ty = self.type_name()?;
        let span = self.here();
        let text = self.next().text;
        if ty.parts == ["interval"] {
            while self.peek().kind == Kind::Word
                && ["year", "month", "day", "hour", "minute", "second", "to"].contains(&self.peek().text.as_str())
            {
                self.next();
            }
        }
        let literal = boxed(Expr { kind: ExprKind::Text(text), span });
        Ok(Expr { kind: ExprKind::Cast(literal, ty), span: self.since(start) })
    }

    fn cast(&mut self) -> Parsed<ExprKind> {
        self.next();
        self.expect("(")?;
        let expr = self.expr()?;
        self.expect("as")?;
        let ty = self.type_name()?;
        self.expect(")")?;
        Ok(ExprKind::Cast(boxed(expr), ty))
    }

    fn case(&mut self) -> Parsed<ExprKind> {
        self.next();
        let operand = if self.is("when") { None } else { Some(boxed(self.expr()?)) };
        let mut whens = Vec::new();
        while self.eat("when") {
            let when = self.expr()?;
            self.expect("then")?;
            whens.push((when, self.expr()?));
        }
        if whens.is_empty() {
            return Err(self.stop("`WHEN`"));
        }
        let otherwise = if self.eat("else") { Some(boxed(self.expr()?)) } else { None };
        self.expect("end")?;
        Ok(ExprKind::Case(operand, whens, otherwise))
    }

    fn array(&mut self) -> Parsed<ExprKind> {
        self.next();
        if self.eat("(") {
            let query = self.query()?;
            self.expect(")")?;
            return Ok(ExprKind::ListQuery(Box::new(query)));
        }
        self.expect("[")?;
        if self.eat("]") {
            return Ok(ExprKind::List(Vec::new()));
        }
        let exprs = self.list(Self::expr)?;
        self.expect("]")?;
        Ok(ExprKind::List(exprs))
    }

    /// Parses the name of a type, with its arguments and brackets.
    pub(super) fn type_name(&mut self) -> Parsed<TypeName> {
        let mut parts = vec![self.label()?.text];
        while self.eat(".") {
            parts.push(self.label()?.text);
        }
        if let [first] = parts.as_mut_slice() {
            match first.as_str() {
                "double" if self.eat("precision") => *first = "float8".to_owned(),
                "character" | "char" if self.eat("varying") => *first = "varchar".to_owned(),
                "bit" if self.eat("varying") => *first = "varbit".to_owned(),
                _ => {}
            }
        }
        if self.is("(") {
            self.in_brackets(Self::expr)?;
        }
        if matches!(parts.as_slice(), [only] if only == "time" || only == "timestamp") {
            if self.eat_all(&["with", "time", "zone"]) {
                parts[0].push_str("tz");
            } else {
                self.eat_all(&["without", "time", "zone"]);
            }
        }
        let mut list = self.eat("array");
        while self.eat("[") {
            list = true;
            if self.peek().kind == Kind::Number {
                self.next();
            }
            self.expect("]")?;
        }
        Ok(TypeName { parts, list })
    }
}
