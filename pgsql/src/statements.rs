//! Where the statements of a text end.

use crate::token::Token;

/// What the tokens of a statement have opened so far: parentheses, and the body of a function in SQL. A semicolon inside
/// them does not end the statement.
///
/// ```
/// use relata_pgsql::{Nesting, tokens};
///
/// let sql = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END; SELECT 2;";
/// let mut nesting = Nesting::default();
/// let ends: Vec<_> = tokens(sql).filter(|token| nesting.ends_statement(sql, *token)).map(|token| token.start).collect();
/// assert_eq!(ends, [58, 68]);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Nesting {
    parentheses: usize,
    /// The depth of `BEGIN ATOMIC .. END`, including the `CASE .. END` inside it.
    atomic: usize,
    /// How many tokens the statement has, up to two.
    seen: usize,
    follows_begin: bool,
}

impl Nesting {
    /// Takes the next token of the text, and returns whether it is the semicolon that ends a statement. Comments are no
    /// part of a statement.
    pub fn ends_statement(&mut self, sql: &str, token: Token) -> bool {
        if token.is_comment() {
            return false;
        }
        let is = |mark| token.is_punctuation(sql, mark);
        if is(";") && self.parentheses == 0 && self.atomic == 0 {
            *self = Self::default();
            return true;
        }
        if is("(") {
            self.parentheses += 1;
        } else if is(")") {
            self.parentheses = self.parentheses.saturating_sub(1);
        } else if self.parentheses == 0 {
            self.track_body(sql, token);
        }
        self.seen = (self.seen + 1).min(2);
        self.follows_begin = token.is_word(sql, "begin");
        false
    }

    fn track_body(&mut self, sql: &str, token: Token) {
        let nested = self.atomic > 0 && token.is_word(sql, "case");
        // A statement that begins with BEGIN begins a transaction.
        if nested || (self.follows_begin && token.is_word(sql, "atomic") && self.seen > 1) {
            self.atomic += 1;
        } else if token.is_word(sql, "end") {
            self.atomic = self.atomic.saturating_sub(1);
        }
    }
}
