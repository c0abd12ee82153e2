//! From tokens to the syntax tree: PostgreSQL's SELECT, INSERT, UPDATE and DELETE, as far as types can be inferred from
//! them.
//!
//! Written by hand rather than with pest: a parenthesis in SQL may begin an expression, a row, a query or a join. A
//! grammar would try each of them, again at every level; here, one token of lookahead decides, and places and depth are
//! available. Parsing ends at the first unknown syntax.

mod call;
mod expression;
mod object;
mod select;
mod write;

pub(super) use object::parse_object;

use super::lexer::{Kind, Token};
use super::tree::{Cte, Name, Statement, With};
use crate::diagnostics::Span;

/// The maximum depth of brackets, queries and prefixes: more than people write, and little enough for a small stack.
const MAX_DEPTH: usize = 24;

/// The place and the reason of a parse error.
#[derive(Debug)]
pub(super) struct ParseError {
    pub(super) span: Span,
    pub(super) expected: String,
    /// Whether the text is wrong in any PostgreSQL, rather than only unknown here.
    pub(super) is_wrong: bool,
}

pub(super) type Parsed<T> = Result<T, ParseError>;

pub(super) struct Parser<'t> {
    file: u32,
    tokens: &'t [Token],
    at: usize,
    depth: usize,
}

/// Parses one statement that consists of all tokens.
pub(super) fn parse_statement(file: u32, tokens: &[Token]) -> Parsed<Statement> {
    let mut parser = Parser { file, tokens, at: 0, depth: 0 };
    let statement = parser.statement()?;
    match parser.peek().kind {
        Kind::End => Ok(statement),
        _ => Err(parser.stop("the end of the statement")),
    }
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> &Token {
        &self.tokens[(self.at + ahead).min(self.tokens.len() - 1)]
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn span_of(&self, token: &Token) -> Span {
        Span { file: self.file, start: token.span.start as u32, end: token.span.end as u32 }
    }

    /// Returns the place of the next token.
    fn here(&self) -> Span {
        self.span_of(self.peek())
    }

    /// Returns the place of the last token that was read.
    fn last(&self) -> Span {
        self.span_of(&self.tokens[self.at.saturating_sub(1)])
    }

    /// Returns the span from a place to the end of the last token that was read.
    fn since(&self, start: Span) -> Span {
        Span { end: self.last().end.max(start.end), ..start }
    }

    fn stop(&self, expected: impl Into<String>) -> ParseError {
        let is_wrong = matches!(self.peek().kind, Kind::Bad | Kind::End);
        ParseError { span: self.here(), expected: expected.into(), is_wrong }
    }

    fn is(&self, word: &str) -> bool {
        self.peek().is(word)
    }

    fn is_all(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(ahead, word)| self.peek_at(ahead).is(word))
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.is(word);
        if found {
            self.next();
        }
        found
    }

    /// Consumes all of the words, or none.
    fn eat_all(&mut self, words: &[&str]) -> bool {
        let found = self.is_all(words);
        if found {
            words.iter().for_each(|_| drop(self.next()));
        }
        found
    }

    fn eat_any(&mut self, words: &[&str]) -> bool {
        words.iter().any(|word| self.eat(word))
    }

    fn expect(&mut self, word: &str) -> Parsed<()> {
        if self.eat(word) { Ok(()) } else { Err(self.stop(format!("`{}`", word.to_uppercase()))) }
    }

    /// Parses something one level deeper.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == MAX_DEPTH {
            return Err(ParseError {
                span: self.here(),
                expected: format!("at most {MAX_DEPTH} levels of brackets"),
                is_wrong: false,
            });
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// Parses one or more items, separated by commas.
    fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut list = vec![read(self)?];
        while self.eat(",") {
            list.push(read(self)?);
        }
        Ok(list)
    }

    fn in_brackets<T>(&mut self, read: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        self.expect("(")?;
        let list = self.list(read)?;
        self.expect(")")?;
        Ok(list)
    }

    /// Returns whether the next token can be a name.
    fn is_name(&self) -> bool {
        let token = self.peek();
        token.kind == Kind::Quoted || token.kind == Kind::Word && !RESERVED.contains(&token.text.as_str())
    }

    fn name(&mut self) -> Parsed<Name> {
        if !self.is_name() {
            return Err(self.stop("a name"));
        }
        Ok(self.any_name())
    }

    /// Parses a name, where keywords are allowed too.
    fn label(&mut self) -> Parsed<Name> {
        match self.peek().kind {
            Kind::Word | Kind::Quoted => Ok(self.any_name()),
            _ => Err(self.stop("a name")),
        }
    }

    fn any_name(&mut self) -> Name {
        let span = self.here();
        Name { text: self.next().text, span }
    }

    /// `name`, or `schema.name`.
    fn path(&mut self) -> Parsed<Vec<Name>> {
        let mut path = vec![self.name()?];
        while self.is(".") && matches!(self.peek_at(1).kind, Kind::Word | Kind::Quoted) {
            self.next();
            path.push(self.any_name());
        }
        Ok(path)
    }

    fn statement(&mut self) -> Parsed<Statement> {
        let start = self.here();
        let with = self.with()?;
        match self.peek().text.as_str() {
            "insert" => self.insert(with).map(Statement::Insert),
            "update" => self.update(with).map(Statement::Update),
            "delete" => self.delete(with).map(Statement::Delete),
            _ => self.query_after(with, start).map(Statement::Query),
        }
    }

    fn with(&mut self) -> Parsed<With> {
        if !self.eat("with") {
            return Ok(With::default());
        }
        let recursive = self.eat("recursive");
        let ctes = self.list(|this| {
            let name = this.name()?;
            let columns = if this.is("(") { this.in_brackets(Self::name)? } else { Vec::new() };
            this.expect("as")?;
            this.eat("not");
            this.eat("materialized");
            this.expect("(")?;
            let statement = this.deeper(Self::statement)?;
            this.expect(")")?;
            Ok(Cte { name, columns, statement })
        })?;
        Ok(With { recursive, ctes })
    }
}

/// Keywords that are never a name without quotes, nor an alias without AS.
const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "constraint",
    "create",
    "cross",
    "current_date",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "notnull",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "placing",
    "primary",
    "references",
    "returning",
    "right",
    "select",
    "session_user",
    "similar",
    "some",
    "symmetric",
    "table",
    "tablesample",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
];
