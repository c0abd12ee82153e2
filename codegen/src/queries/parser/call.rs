//! Function calls, and the windows of window functions.

use super::super::lexer::Kind;
use super::super::tree::{Call, Expr, ExprKind, Name, TypeName, Window};
use super::expression::level;
use super::{ParseError, Parsed, Parser};
use crate::diagnostics::Span;

impl Parser<'_> {
    /// Parses functions whose arguments are separated by words.
    pub(super) fn worded_call(&mut self) -> Parsed<ExprKind> {
        let mut name = self.any_name();
        self.expect("(")?;
        let mut args = Vec::new();
        if name.text == "extract" {
            let span = self.here();
            let field = self.next();
            if !matches!(field.kind, Kind::Word | Kind::Text) {
                return Err(ParseError { span, expected: "a field such as `year`".to_owned(), is_wrong: false });
            }
            args.push(Expr { kind: ExprKind::Text(field.text), span });
        }
        if name.text == "trim" {
            // PostgreSQL names the column after the function that it uses.
            let sides = [("leading", "ltrim"), ("trailing", "rtrim"), ("both", "btrim")];
            let side = sides.iter().find(|(word, _)| self.eat(word));
            side.map_or("btrim", |(_, function)| function).clone_into(&mut name.text);
        }
        let is_substring = name.text == "substring";
        let (mut word, mut length_first) = (String::new(), false);
        while !self.eat(")") {
            if ["from", "for", "in", "placing", "similar", "escape", ","].iter().any(|word| self.is(word)) {
                let needed = [("position", "in"), ("extract", "from")].iter().find(|(call, _)| *call == name.text);
                if let Some((_, needed)) = needed.filter(|(_, needed)| !self.is(needed)) {
                    return Err(self.stop(format!("`{}`", needed.to_uppercase())));
                }
                word = self.next().text;
                continue;
            }
            let span = self.here();
            let arg = self.deeper(|this| this.binary(level::OTHER))?;
            length_first |= is_substring && args.len() == 1 && word == "for";
            args.push(if length_first && args.len() == 1 { as_int(arg, span) } else { arg });
        }
        // `substring(x FOR n)` begins at the first letter, `substring(x FOR n FROM m)` at the given one.
        if length_first && args.len() == 2 {
            let span = args[1].span;
            args.insert(1, Expr { kind: ExprKind::Number("1".to_owned()), span });
        } else if length_first && args.len() == 3 {
            args.swap(1, 2);
        }
        // `position(a IN b)` and `trim(a FROM b)` are functions of `b` and `a`.
        if let [_, _] = args.as_slice()
            && (name.text == "position" || name.text.ends_with("trim") && word == "from")
        {
            args.swap(0, 1);
        }
        Ok(ExprKind::Call(Box::new(plain_call(name, args))))
    }

    pub(super) fn column_or_call(&mut self) -> Parsed<Expr> {
        let start = self.here();
        // `left(..)` and `right(..)` are functions, although the words are reserved.
        let is_call = self.peek_at(1).is("(") && ["left", "right"].contains(&self.peek().text.as_str());
        let mut path =
            vec![if is_call { self.any_name() } else { self.name().map_err(|_| self.stop("an expression"))? }];
        while self.eat(".") {
            if self.eat("*") {
                return Ok(Expr { kind: ExprKind::WholeRow(path), span: self.since(start) });
            }
            path.push(self.label()?);
        }
        if self.is("(") {
            return self.call(path, start);
        }
        Ok(Expr { kind: ExprKind::Column(path), span: self.since(start) })
    }

    /// Parses a function call after the name.
    pub(super) fn call(&mut self, name: Vec<Name>, start: Span) -> Parsed<Expr> {
        let mut call = Call { name, ..Call::default() };
        self.expect("(")?;
        if self.eat("*") {
            call.star = true;
        } else if !self.is(")") {
            self.eat_any(&["distinct", "all"]);
            let (mut variadic, mut names, mut at) = (false, Vec::new(), 0);
            let args = self.list(|this| {
                variadic |= this.eat("variadic");
                // `name => value`
                if this.peek().kind == Kind::Word && (this.peek_at(1).is("=>") || this.peek_at(1).is(":=")) {
                    names.push((at, this.any_name()));
                    this.next();
                }
                at += 1;
                this.expr()
            })?;
            (call.args, call.names, call.variadic) = (args, names, variadic);
            if self.eat_all(&["order", "by"]) {
                call.order_by = self.order_list()?;
            }
        }
        self.expect(")")?;
        if self.eat_all(&["within", "group"]) {
            self.expect("(")?;
            self.expect("order")?;
            self.expect("by")?;
            call.within = self.order_list()?;
            self.expect(")")?;
        }
        if self.is("filter") && self.peek_at(1).is("(") {
            self.next();
            self.expect("(")?;
            self.expect("where")?;
            call.filter = Some(self.expr()?);
            self.expect(")")?;
        }
        if self.eat("over") {
            call.over = Some(self.window()?);
        }
        Ok(Expr { kind: ExprKind::Call(Box::new(call)), span: self.since(start) })
    }

    /// `(PARTITION BY .. ORDER BY .. ROWS ..)`, or the name of a window.
    pub(super) fn window(&mut self) -> Parsed<Window> {
        let mut window = Window::default();
        if !self.eat("(") {
            window.name = Some(self.name()?);
            return Ok(window);
        }
        if self.is_name() && !["partition", "range", "rows", "groups"].iter().any(|word| self.is(word)) {
            window.name = Some(self.name()?);
        }
        let parts = if self.eat_all(&["partition", "by"]) { self.list(Self::expr)? } else { Vec::new() };
        if self.eat_all(&["order", "by"]) {
            window.exprs = self.order_list()?;
        }
        window.exprs.extend(parts);
        window.is_range = self.is("range");
        if self.eat_any(&["range", "rows", "groups"]) {
            window.has_frame = true;
            let between = self.eat("between");
            self.frame_bound(&mut window)?;
            if between {
                self.expect("and")?;
                self.frame_bound(&mut window)?;
            }
            if self.eat("exclude") {
                let _ = self.eat_all(&["current", "row"])
                    || self.eat_all(&["no", "others"])
                    || self.eat_any(&["group", "ties"]);
            }
        }
        self.expect(")")?;
        Ok(window)
    }

    fn frame_bound(&mut self, window: &mut Window) -> Parsed<()> {
        if self.eat_all(&["current", "row"]) {
            return Ok(());
        }
        if !self.eat("unbounded") {
            let bound = self.deeper(|this| this.binary(level::OTHER))?;
            window.bounds.push(bound);
        }
        if self.eat_any(&["preceding", "following"]) { Ok(()) } else { Err(self.stop("`PRECEDING` or `FOLLOWING`")) }
    }
}

fn as_int(expr: Expr, span: Span) -> Expr {
    let ty = TypeName { parts: vec!["int4".to_owned()], list: false };
    Expr { kind: ExprKind::Cast(Box::new(expr), ty), span }
}

pub(super) fn plain_call(name: Name, args: Vec<Expr>) -> Call {
    Call { name: vec![name], args, ..Call::default() }
}
