//! Queries: SELECT, VALUES, TABLE, set operations, and the FROM clause.

use super::super::lexer::Kind;
use super::super::tree::{
    ExprKind, FunctionCall, Item, Join, JoinKind, Name, On, Query, Relation, RelationKind, Select, Source, Term, With,
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

    /// Returns whether a query begins `ahead` tokens later, possibly in parentheses: `(SELECT ..) UNION ..`, but not
    /// `(SELECT ..) + 1`.
    pub(super) fn starts_query(&self, ahead: usize) -> bool {
        let brackets = (0..=super::MAX_DEPTH).take_while(|more| self.peek_at(ahead + more).is("(")).count();
        let is_query = |word: &&str| self.peek_at(ahead + brackets).is(word);
        if !["select", "with", "values", "table"].iter().any(is_query) {
            return false;
        }
        let goes_on =
            [")", "union", "except", "intersect", "order", "limit", "offset", "fetch", "for", "on", "returning"];
        // Each of the parentheses contains a query, not a value that begins with one.
        (0..brackets).all(|more| {
            let behind = &self.tokens[self.behind_bracket(self.at + ahead + more)];
            behind.kind == Kind::End || goes_on.iter().any(|word| behind.is(word))
        })
    }

    /// Returns the token after the closing parenthesis.
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
            let mut ends = Vec::new();
            let rows = self.list(|this| {
                let row = this.in_brackets(Self::value)?;
                ends.push(this.last().start);
                Ok(row)
            })?;
            return Ok(Term::Values { rows, ends, span: self.since(start) });
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
        self.expect("select").map_err(|stop| super::ParseError { expected: "a statement".to_owned(), ..stop })?;
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
        let is_end = self.peek().kind == Kind::End;
        let is_empty = is_end || ["from", "where", ")"].iter().any(|word| self.is(word));
        if is_end && self.depth == 0 {
            return Err(self.stop("columns"));
        }
        if !is_empty {
            select.items = self.items()?;
            select.items_end = Some(self.last().end);
        }
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
        select.grouped = true;
        loop {
            if self.eat_grouping_sets() {
                self.grouping_set(select)?;
            } else if !self.eat_all(&["(", ")"]) {
                let expr = self.expr()?;
                match expr.kind {
                    ExprKind::Row(exprs) => select.group_by.extend(exprs),
                    _ => select.group_by.push(expr),
                }
            }
            if !self.eat(",") {
                return Ok(());
            }
        }
    }

    fn eat_grouping_sets(&mut self) -> bool {
        let is_call = |this: &Self| this.peek_at(1).is("(");
        (is_call(self) && self.eat_any(&["rollup", "cube"])) || self.eat_all(&["grouping", "sets"])
    }

    /// Parses `((a, b), a, ())`, including nested ones.
    fn grouping_set(&mut self, select: &mut Select) -> Parsed<()> {
        self.expect("(")?;
        while !self.eat(")") {
            if self.eat_grouping_sets() {
                self.deeper(|this| this.grouping_set(select))?;
            } else if !self.eat_all(&["(", ")"]) {
                let expr = self.expr()?;
                match expr.kind {
                    ExprKind::Row(exprs) => select.grouping_sets.extend(exprs),
                    _ => select.grouping_sets.push(expr),
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
        while self.starts_join() {
            joins.push(self.join()?);
        }
        Ok(Source { first, joins })
    }

    fn starts_join(&self) -> bool {
        const WORDS: [&str; 7] = ["natural", "cross", "left", "right", "full", "inner", "join"];
        WORDS.iter().any(|word| self.is(word))
    }

    /// Parses a join after its left side.
    fn join(&mut self) -> Parsed<Join> {
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
        self.expect("join")?;
        let start = self.here();
        let mut relation = self.relation()?;
        // `a JOIN b JOIN c ON .. ON ..`: the second join is inside the first.
        let mut joins = Vec::new();
        while !natural && !cross && self.starts_join() {
            joins.push(self.deeper(Self::join)?);
        }
        if !joins.is_empty() {
            let kind = RelationKind::Joined(Box::new(Source { first: relation, joins }));
            let span = self.since(start);
            relation = Relation { kind, alias: None, columns: Vec::new(), types: Vec::new(), span };
        }
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
        Ok(Join { kind, relation, on })
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
        if self.is_all(&["rows", "from", "("]) {
            self.eat_all(&["rows", "from"]);
            let calls = self.in_brackets(Self::function_call)?;
            let ordinality = self.eat_all(&["with", "ordinality"]);
            return Ok(RelationKind::Functions { calls, ordinality });
        }
        if VALUES_IN_FROM.iter().any(|word| self.is(word)) {
            let call = self.word()?;
            let ordinality = self.eat_all(&["with", "ordinality"]);
            return Ok(RelationKind::Functions { calls: vec![FunctionCall { call, columns: Vec::new() }], ordinality });
        }
        let path = self.path()?;
        if !self.is("(") {
            self.eat("*");
            return Ok(RelationKind::Table(path));
        }
        let call = self.call(path, start)?;
        let ordinality = self.eat_all(&["with", "ordinality"]);
        Ok(RelationKind::Functions { calls: vec![FunctionCall { call, columns: Vec::new() }], ordinality })
    }

    /// Parses a function inside `ROWS FROM`, with the columns of `AS (..)`.
    fn function_call(&mut self) -> Parsed<FunctionCall> {
        let start = self.here();
        let path = self.path()?;
        let call = self.call(path, start)?;
        let columns = match self.eat("as") {
            true => self.in_brackets(|this| Ok((this.name()?, this.type_name()?)))?,
            false => Vec::new(),
        };
        Ok(FunctionCall { call, columns })
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

/// Keywords that are calls without parentheses, and that FROM accepts like functions.
const VALUES_IN_FROM: [&str; 8] = [
    "current_date",
    "current_time",
    "current_timestamp",
    "localtime",
    "localtimestamp",
    "current_user",
    "session_user",
    "user",
];

/// Keywords that continue an expression, so they cannot be an alias without AS.
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
