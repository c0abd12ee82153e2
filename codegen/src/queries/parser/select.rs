//! Queries: SELECT, VALUES, TABLE, what unites them, and what stands in FROM.

use super::super::lexer::Kind;
use super::super::tree::{
    ExprKind, Item, Join, JoinKind, Name, On, Query, Relation, RelationKind, Select, Source, Term, With,
};
use super::{Parsed, Parser};
use crate::diagnostics::Span;

impl Parser<'_> {
    /// A query with its own WITH.
    pub(super) fn query(&mut self) -> Parsed<Query> {
        self.deeper(|this| {
            let start = this.here();
            let with = this.with()?;
            this.query_after(with, start)
        })
    }

    /// Whether a query begins so many tokens ahead, perhaps in brackets of its own: `(SELECT ..) UNION ..`, but not
    /// `(SELECT ..) + 1`.
    pub(super) fn starts_query(&self, ahead: usize) -> bool {
        let brackets = (0..=super::MAX_DEPTH).take_while(|more| self.peek_at(ahead + more).is("(")).count();
        let is_query = |word: &&str| self.peek_at(ahead + brackets).is(word);
        if !["select", "with", "values", "table"].iter().any(is_query) {
            return false;
        }
        if brackets == 0 {
            return true;
        }
        let goes_on =
            [")", "union", "except", "intersect", "order", "limit", "offset", "fetch", "for", "on", "returning"];
        let behind = &self.tokens[self.behind_bracket(self.at + ahead)];
        behind.kind == Kind::End || goes_on.iter().any(|word| behind.is(word))
    }

    /// The token behind the one that closes a bracket.
    fn behind_bracket(&self, open: usize) -> usize {
        let mut depth = 0_usize;
        for (at, token) in self.tokens.iter().enumerate().skip(open) {
            if token.is("(") {
                depth += 1;
            } else if token.is(")") {
                depth -= 1;
                if depth == 0 {
                    return (at + 1).min(self.tokens.len() - 1);
                }
            }
        }
        self.tokens.len() - 1
    }

    pub(super) fn query_after(&mut self, with: With, start: Span) -> Parsed<Query> {
        let mut terms = vec![self.term()?];
        while self.eat_any(&["union", "except", "intersect"]) {
            self.eat_any(&["all", "distinct"]);
            terms.push(self.term()?);
        }
        let mut query =
            Query { with, terms, order_by: Vec::new(), limit: None, offset: None, locks: Vec::new(), span: start };
        if self.eat_all(&["order", "by"]) {
            query.order_by = self.order_list()?;
        }
        self.limits(&mut query)?;
        while self.is("for") && !self.peek_at(1).is("(") {
            self.lock(&mut query)?;
        }
        self.limits(&mut query)?;
        query.span = self.since(start);
        Ok(query)
    }

    fn limits(&mut self, query: &mut Query) -> Parsed<()> {
        loop {
            if self.eat("limit") {
                if !self.eat("all") {
                    query.limit = Some(self.expr()?);
                }
            } else if self.eat("offset") {
                query.offset = Some(self.expr()?);
                self.eat_any(&["row", "rows"]);
            } else if self.eat("fetch") {
                self.eat_any(&["first", "next"]);
                if !self.is("row") && !self.is("rows") {
                    query.limit = Some(self.operand()?);
                }
                self.eat_any(&["row", "rows"]);
                if !self.eat("only") {
                    self.expect("with")?;
                    self.expect("ties")?;
                }
            } else {
                return Ok(());
            }
        }
    }

    fn lock(&mut self, query: &mut Query) -> Parsed<()> {
        self.expect("for")?;
        let known = [&["no", "key", "update"][..], &["key", "share"], &["update"], &["share"]];
        if !known.iter().any(|words| self.eat_all(words)) {
            return Err(self.stop("`UPDATE`, `SHARE`, `NO KEY UPDATE` or `KEY SHARE`"));
        }
        if self.eat("of") {
            query.locks.extend(self.list(Self::name)?);
        }
        let _ = self.eat("nowait") || self.eat_all(&["skip", "locked"]);
        Ok(())
    }

    pub(super) fn order_list(&mut self) -> Parsed<Vec<super::super::tree::Expr>> {
        self.list(|this| {
            let expr = this.expr()?;
            if this.eat("using") {
                this.next();
            }
            this.eat_any(&["asc", "desc"]);
            if this.eat("nulls") && !this.eat_any(&["first", "last"]) {
                return Err(this.stop("`FIRST` or `LAST`"));
            }
            Ok(expr)
        })
    }

    fn term(&mut self) -> Parsed<Term> {
        let start = self.here();
        if self.is("(") {
            self.next();
            let query = self.query()?;
            self.expect(")")?;
            return Ok(Term::Query(Box::new(query)));
        }
        if self.eat("values") {
            let rows = self.list(|this| this.in_brackets(Self::value))?;
            return Ok(Term::Values(rows, self.since(start)));
        }
        if self.eat("table") {
            let path = self.path()?;
            let span = self.since(start);
            let first =
                Relation { kind: RelationKind::Table(path), alias: None, columns: Vec::new(), types: Vec::new(), span };
            let from = vec![Source { first, joins: Vec::new() }];
            let items = vec![Item::Star(Vec::new(), span)];
            return Ok(Term::Select(Box::new(Select { items, from, span, ..Select::default() })));
        }
        self.expect("select").map_err(|stop| super::Stop { expected: "a statement".to_owned(), ..stop })?;
        self.select(start).map(|select| Term::Select(Box::new(select)))
    }

    fn select(&mut self, start: Span) -> Parsed<Select> {
        let mut select = Select::default();
        if self.eat("distinct") {
            select.distinct = true;
            if self.eat("on") {
                select.distinct_on = self.in_brackets(Self::expr)?;
            }
        } else {
            self.eat("all");
        }
        let is_empty = ["from", "where", ")"].iter().any(|word| self.is(word)) || self.peek().kind == Kind::End;
        if is_empty {
            return Err(self.stop("columns"));
        }
        select.items = self.items()?;
        if self.eat("from") {
            select.from = self.list(Self::source)?;
        }
        if self.eat("where") {
            select.filter = Some(self.expr()?);
        }
        if self.eat_all(&["group", "by"]) {
            self.eat_any(&["all", "distinct"]);
            self.grouping(&mut select)?;
        }
        if self.eat("having") {
            select.having = Some(self.expr()?);
        }
        if self.eat("window") {
            select.windows = self.list(|this| {
                let name = this.name()?;
                this.expect("as")?;
                Ok((name, this.window()?))
            })?;
        }
        select.span = self.since(start);
        Ok(select)
    }

    fn grouping(&mut self, select: &mut Select) -> Parsed<()> {
        loop {
            if self.eat_any(&["rollup", "cube"]) || self.eat_all(&["grouping", "sets"]) {
                select.grouping_sets = true;
                self.grouping_set(select)?;
            } else {
                select.group_by.push(self.expr()?);
            }
            if !self.eat(",") {
                return Ok(());
            }
        }
    }

    /// `((a, b), a, ())`, and others inside it.
    fn grouping_set(&mut self, select: &mut Select) -> Parsed<()> {
        self.expect("(")?;
        while !self.eat(")") {
            if self.eat_any(&["rollup", "cube"]) || self.eat_all(&["grouping", "sets"]) {
                self.deeper(|this| this.grouping_set(select))?;
            } else if self.is_all(&["(", ")"]) {
                self.eat_all(&["(", ")"]);
            } else {
                let expr = self.expr()?;
                match expr.kind {
                    ExprKind::Row(exprs) => select.group_by.extend(exprs),
                    _ => select.group_by.push(expr),
                }
            }
            if !self.eat(",") && !self.is(")") {
                return Err(self.stop("`,` or `)`"));
            }
        }
        Ok(())
    }

    pub(super) fn items(&mut self) -> Parsed<Vec<Item>> {
        self.list(|this| {
            let start = this.here();
            if this.eat("*") {
                return Ok(Item::Star(Vec::new(), start));
            }
            let expr = this.expr()?;
            if let ExprKind::WholeRow(path) = expr.kind {
                return Ok(Item::Star(path, expr.span));
            }
            let named = this.eat("as");
            let is_name = this.is_name() && !BARE_LABEL_REFUSED.contains(&this.peek().text.as_str());
            let alias = if named { Some(this.label()?) } else { is_name.then(|| this.any_name()) };
            Ok(Item::Expr(expr, alias))
        })
    }

    pub(super) fn source(&mut self) -> Parsed<Source> {
        let first = self.relation()?;
        let mut joins = Vec::new();
        loop {
            let natural = self.eat("natural");
            let cross = self.eat("cross");
            let kind = match self.peek().text.as_str() {
                "left" => JoinKind::Left,
                "right" => JoinKind::Right,
                "full" => JoinKind::Full,
                _ => JoinKind::Inner,
            };
            if kind != JoinKind::Inner {
                self.next();
                self.eat("outer");
            } else {
                self.eat("inner");
            }
            if !self.is("join") {
                let begun = natural || cross || kind != JoinKind::Inner;
                return if begun { Err(self.stop("`JOIN`")) } else { Ok(Source { first, joins }) };
            }
            self.next();
            let relation = self.relation()?;
            let on = match () {
                () if natural => On::Natural,
                () if cross => On::Nothing,
                () if self.eat("using") => {
                    let columns = self.in_brackets(Self::name)?;
                    if self.is("as") {
                        return Err(self.stop("no alias of USING"));
                    }
                    On::Using(columns)
                }
                () => {
                    self.expect("on")?;
                    On::Condition(self.expr()?)
                }
            };
            joins.push(Join { kind, relation, on });
        }
    }

    fn relation(&mut self) -> Parsed<Relation> {
        let start = self.here();
        let lateral = self.eat("lateral");
        let kind = if self.is("(") && self.starts_query(1) {
            self.next();
            let query = self.query()?;
            self.expect(")")?;
            RelationKind::Query { query: Box::new(query), lateral }
        } else if self.eat("(") {
            let source = self.deeper(Self::source)?;
            self.expect(")")?;
            RelationKind::Joined(Box::new(source))
        } else {
            self.named_relation(start)?
        };
        self.aliased(kind, start)
    }

    fn named_relation(&mut self, start: Span) -> Parsed<RelationKind> {
        self.eat("only");
        if self.is_all(&["rows", "from"]) {
            return Err(self.stop("a table or a function"));
        }
        let path = self.path()?;
        if !self.is("(") {
            self.eat("*");
            return Ok(RelationKind::Table(path));
        }
        let call = self.call(path, start)?;
        let ordinality = self.eat_all(&["with", "ordinality"]);
        Ok(RelationKind::Function { call: Box::new(call), ordinality })
    }

    fn aliased(&mut self, kind: RelationKind, start: Span) -> Parsed<Relation> {
        let named = self.eat("as");
        let alias = if named && self.is("(") || !named && !self.is_name() { None } else { Some(self.name()?) };
        let (mut columns, mut types): (Vec<Name>, _) = (Vec::new(), Vec::new());
        if (alias.is_some() || named) && self.eat("(") {
            loop {
                columns.push(self.name()?);
                if !self.is(",") && !self.is(")") {
                    types.push(self.type_name()?);
                }
                if !self.eat(",") {
                    break;
                }
            }
            self.expect(")")?;
        }
        Ok(Relation { kind, alias, columns, types, span: self.since(start) })
    }
}

/// Words that go on with an expression, so that they are no alias without AS.
const BARE_LABEL_REFUSED: &[&str] = &[
    "over",
    "filter",
    "within",
    "within_group",
    "day",
    "hour",
    "minute",
    "month",
    "second",
    "year",
    "precision",
    "character",
    "varying",
    "without",
];
