//! INSERT, UPDATE and DELETE.

use super::super::tree::{
    Conflict, Delete, Expr, ExprKind, Filter, Insert, InsertSource, Item, Name, Set, Source, Update, With,
};
use super::{Parsed, Parser};
use crate::diagnostics::Span;

impl Parser<'_> {
    pub(super) fn insert(&mut self, with: With) -> Parsed<Insert> {
        self.expect("insert")?;
        self.expect("into")?;
        let table = self.path()?;
        let alias = if self.eat("as") { Some(self.name()?) } else { None };
        let columns = if self.is("(") && !self.starts_query(0) { self.in_brackets(Self::name)? } else { Vec::new() };
        let columns_end = self.last().start;
        if self.eat("overriding") {
            let _ = self.eat("system") || self.eat("user");
            self.expect("value")?;
        }
        let start = self.here();
        let source = match self.eat_all(&["default", "values"]) {
            true => InsertSource::Defaults(self.since(start)),
            false => InsertSource::Query(Box::new(self.query()?)),
        };
        let conflict = if self.eat_all(&["on", "conflict"]) { Some(self.conflict()?) } else { None };
        let returning = self.returning()?;
        Ok(Insert { with, table, alias, columns, columns_end, source, conflict, returning })
    }

    fn conflict(&mut self) -> Parsed<Conflict> {
        let filter = Filter { condition: None, span: self.last() };
        let mut conflict = Conflict { target: Vec::new(), target_filter: None, sets: Vec::new(), filter };
        if self.eat_all(&["on", "constraint"]) {
            self.name()?;
        } else if self.is("(") {
            conflict.target = self.in_brackets(Self::expr)?;
            if self.eat("where") {
                conflict.target_filter = Some(self.expr()?);
            }
        }
        self.expect("do")?;
        if self.eat("nothing") {
            return Ok(conflict);
        }
        self.expect("update")?;
        self.expect("set")?;
        conflict.sets = self.sets()?;
        conflict.filter = self.filter()?;
        Ok(conflict)
    }

    pub(super) fn update(&mut self, with: With) -> Parsed<Update> {
        self.expect("update")?;
        let (table, alias) = self.target("set")?;
        self.expect("set")?;
        let sets = self.sets()?;
        let from = self.sources("from")?;
        let filter = self.filter()?;
        let returning = self.returning()?;
        Ok(Update { with, table, alias, sets, from, filter, returning })
    }

    pub(super) fn delete(&mut self, with: With) -> Parsed<Delete> {
        self.expect("delete")?;
        self.expect("from")?;
        let (table, alias) = self.target("using")?;
        let using = self.sources("using")?;
        let filter = self.filter()?;
        let returning = self.returning()?;
        Ok(Delete { with, table, alias, using, filter, returning })
    }

    /// Parses the target table and its alias, which must not be the word `follows`.
    fn target(&mut self, follows: &str) -> Parsed<(Vec<Name>, Option<Name>)> {
        self.eat("only");
        let table = self.path()?;
        self.eat("*");
        let alias = if self.eat("as") || self.is_name() && !self.is(follows) { Some(self.name()?) } else { None };
        Ok((table, alias))
    }

    fn sources(&mut self, word: &str) -> Parsed<Vec<Source>> {
        if self.eat(word) { self.list(Self::source) } else { Ok(Vec::new()) }
    }

    fn filter(&mut self) -> Parsed<Filter> {
        if !self.eat("where") {
            let last = self.last();
            return Ok(Filter { condition: None, span: Span { start: last.end, ..last } });
        }
        if self.is_all(&["current", "of"]) {
            return Err(self.stop("a condition"));
        }
        let start = self.here();
        let condition = Some(self.expr()?);
        Ok(Filter { condition, span: self.since(start) })
    }

    fn returning(&mut self) -> Parsed<Option<Vec<Item>>> {
        if self.eat("returning") { self.items().map(Some) } else { Ok(None) }
    }

    fn sets(&mut self) -> Parsed<Vec<Set>> {
        self.list(|this| {
            let is_list = this.is("(");
            let columns = if is_list { this.in_brackets(Self::name)? } else { vec![this.name()?] };
            let mut subscripts = Vec::new();
            while !is_list && this.is("[") {
                subscripts.push(this.subscript()?);
            }
            this.expect("=")?;
            Ok(Set { columns, is_list, subscripts, value: this.value()? })
        })
    }

    /// Parses an expression, or DEFAULT.
    pub(super) fn value(&mut self) -> Parsed<Expr> {
        let span = self.here();
        if self.eat("default") { Ok(Expr { kind: ExprKind::Default, span }) } else { self.expr() }
    }
}
