//! Splits SQL text into tokens, as PostgreSQL's scanner does (`src/backend/parser/scan.l`).
//!
//! It never fails: unclosed strings and comments, and characters that PostgreSQL does not accept, are tokens too.

use crate::token::{Token, TokenKind, Unterminated};

/// Returns the tokens of `sql`, comments included.
///
/// ```
/// use relata_pgsql::{TokenKind, tokens};
///
/// let kinds: Vec<TokenKind> = tokens("SELECT 'a' -- b").map(|token| token.kind).collect();
/// assert_eq!(kinds, [TokenKind::Word, TokenKind::String, TokenKind::LineComment]);
/// ```
pub fn tokens(sql: &str) -> Tokens<'_> {
    // A byte order mark at the start of a file is not part of the text.
    Tokens { sql, at: if sql.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 } }
}

/// The tokens of a text, one after the other.
#[derive(Debug, Clone)]
pub struct Tokens<'t> {
    sql: &'t str,
    at: usize,
}

/// The characters of operators. A colon is not among them: `::` and `:=` are punctuation.
const OPERATOR: &[u8] = b"+-*/<>=~!@#%^&|`?";
/// An operator may end in `+` or `-` only if it contains one of these, so that `a=-1` compares with a negative number.
const KEEPS_SIGN: &[u8] = b"~!@#%^&|`?";

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.at += self.rest().bytes().take_while(|byte| is_space(*byte)).count();
        let start = self.at;
        let kind = self.scan(*self.rest().as_bytes().first()?);
        Some(Token { kind, start, end: self.at })
    }
}

impl<'t> Tokens<'t> {
    fn rest(&self) -> &'t str {
        &self.sql[self.at..]
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.sql.as_bytes().get(self.at + ahead).copied()
    }

    /// Takes `length` bytes.
    fn take(&mut self, length: usize, kind: TokenKind) -> TokenKind {
        self.at += length;
        kind
    }

    /// Takes everything that is left.
    fn unterminated(&mut self, what: Unterminated) -> TokenKind {
        self.at = self.sql.len();
        TokenKind::Unterminated(what)
    }

    fn scan(&mut self, first: u8) -> TokenKind {
        match (first, self.peek(1)) {
            (b'-', Some(b'-')) => self.take(line_comment(self.rest()), TokenKind::LineComment),
            (b'/', Some(b'*')) => match block_comment(self.rest().as_bytes()) {
                Some(length) => self.take(length, TokenKind::BlockComment),
                None => self.unterminated(Unterminated::Comment),
            },
            (b'\'', _) => self.string(0, TokenKind::String),
            (b'"', _) => self.quoted_ident(0, TokenKind::QuotedIdent),
            (b'$', _) => self.dollar(),
            (b'0'..=b'9', _) | (b'.', Some(b'0'..=b'9')) => self.number(),
            (b':', Some(b':' | b'=')) | (b'.', Some(b'.')) => self.take(2, TokenKind::Punctuation),
            (b'(' | b')' | b'[' | b']' | b',' | b';' | b'.' | b':', _) => self.take(1, TokenKind::Punctuation),
            _ if is_ident_start(first) => self.word(),
            _ if OPERATOR.contains(&first) => self.operator(),
            _ => self.take(1, TokenKind::Unknown),
        }
    }

    /// Reads a word, or a string or name with a prefix.
    fn word(&mut self) -> TokenKind {
        match (self.peek(0), self.peek(1), self.peek(2)) {
            (Some(b'e' | b'E'), Some(b'\''), _) => self.string(1, TokenKind::EscapeString),
            (Some(b'n' | b'N'), Some(b'\''), _) => self.string(1, TokenKind::String),
            (Some(b'b' | b'B' | b'x' | b'X'), Some(b'\''), _) => self.string(1, TokenKind::BitString),
            (Some(b'u' | b'U'), Some(b'&'), Some(b'\'')) => self.string(2, TokenKind::UnicodeString),
            (Some(b'u' | b'U'), Some(b'&'), Some(b'"')) => self.quoted_ident(2, TokenKind::UnicodeIdent),
            _ => {
                let is_part = |byte: &u8| is_ident_start(*byte) || byte.is_ascii_digit() || *byte == b'$';
                let length = self.rest().bytes().take_while(|byte| is_part(byte)).count();
                self.take(length, TokenKind::Word)
            }
        }
    }

    /// Reads a string whose quote follows after `prefix` bytes.
    fn string(&mut self, prefix: usize, kind: TokenKind) -> TokenKind {
        let bytes = self.rest().as_bytes();
        let mut at = prefix + 1;
        loop {
            match bytes.get(at) {
                None => return self.unterminated(Unterminated::String),
                Some(b'\\') if kind == TokenKind::EscapeString => at += 2,
                Some(b'\'') if bytes.get(at + 1) == Some(&b'\'') => at += 2,
                Some(b'\'') => match continuation(&bytes[at + 1..]) {
                    Some(next) => at += 1 + next,
                    None => return self.take(at + 1, kind),
                },
                Some(_) => at += 1,
            }
        }
    }

    /// Reads a name whose quote follows after `prefix` bytes.
    fn quoted_ident(&mut self, prefix: usize, kind: TokenKind) -> TokenKind {
        let bytes = self.rest().as_bytes();
        let mut at = prefix + 1;
        loop {
            match bytes.get(at) {
                None => return self.unterminated(Unterminated::Ident),
                Some(b'"') if bytes.get(at + 1) == Some(&b'"') => at += 2,
                Some(b'"') => return self.take(at + 1, kind),
                Some(_) => at += 1,
            }
        }
    }

    /// Reads `$1`, or a string between `$tag$` and `$tag$`.
    fn dollar(&mut self) -> TokenKind {
        let rest = self.rest();
        let digits = rest[1..].bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            return self.take(1 + digits, TokenKind::Param);
        }
        let tag = rest[1..].bytes().take_while(|byte| is_ident_start(*byte) || byte.is_ascii_digit()).count();
        if rest.as_bytes().get(1 + tag) != Some(&b'$') {
            return self.take(1, TokenKind::Unknown);
        }
        let (delimiter, body) = rest.split_at(tag + 2);
        match body.find(delimiter) {
            Some(length) => self.take(length + 2 * delimiter.len(), TokenKind::DollarString),
            None => self.unterminated(Unterminated::DollarString),
        }
    }

    fn number(&mut self) -> TokenKind {
        let bytes = self.rest().as_bytes();
        let digits = |from: usize| bytes.iter().skip(from).take_while(|b| b.is_ascii_digit() || **b == b'_').count();
        if let (Some(b'0'), Some(b'x' | b'X' | b'o' | b'O' | b'b' | b'B')) = (bytes.first(), bytes.get(1)) {
            let length = bytes[2..].iter().take_while(|b| b.is_ascii_hexdigit() || **b == b'_').count();
            if length > 0 {
                return self.take(2 + length, TokenKind::Number);
            }
        }
        let mut length = digits(0);
        // `1..2` is a range of two numbers.
        if bytes.get(length) == Some(&b'.') && bytes.get(length + 1) != Some(&b'.') {
            length += 1;
            length += digits(length);
        }
        if let Some(b'e' | b'E') = bytes.get(length) {
            let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
            let exponent = digits(length + 1 + sign);
            length += if exponent > 0 { 1 + sign + exponent } else { 0 };
        }
        self.take(length, TokenKind::Number)
    }

    /// Reads the longest run of operator characters that does not contain the start of a comment.
    fn operator(&mut self) -> TokenKind {
        let rest = self.rest();
        let mut length = rest.bytes().take_while(|byte| OPERATOR.contains(byte)).count();
        for comment in ["--", "/*"] {
            length = rest[..length].find(comment).unwrap_or(length);
        }
        let keeps_sign = rest[..length].bytes().any(|byte| KEEPS_SIGN.contains(&byte));
        while length > 1 && !keeps_sign && rest[..length].ends_with(['+', '-']) {
            length -= 1;
        }
        self.take(length, TokenKind::Operator)
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// A byte of a character outside ASCII counts as a letter.
fn is_ident_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

/// Returns the length of a comment that extends to the end of its line.
fn line_comment(text: &str) -> usize {
    text.find(['\n', '\r']).unwrap_or(text.len())
}

/// Returns the length of a comment, which may contain others; none if it is never closed.
fn block_comment(bytes: &[u8]) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Whether the string that ends before `bytes` continues: another quote follows after whitespace with a line break,
/// possibly with comments in between. Returns the length up to and including that quote.
pub(crate) fn continuation(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut new_line) = (0, false);
    loop {
        match (bytes.get(at)?, bytes.get(at + 1)) {
            (b'\n' | b'\r', _) => new_line = true,
            (byte, _) if is_space(*byte) => {}
            (b'-', Some(b'-')) => {
                at += bytes[at..].iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
                continue;
            }
            (b'\'', _) if new_line => return Some(at + 1),
            _ => return None,
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::tokens;
    use crate::{TokenKind, Unterminated};

    fn texts(sql: &str) -> Vec<&str> {
        tokens(sql).map(|token| token.text(sql)).collect()
    }

    #[test]
    fn what_postgresql_takes_for_one_token_is_one() {
        assert_eq!(
            texts("SELECT \"A\"\"b\", $1::int4 ->>'x''y' <= -1.5e3 -- end\n/* a /* b */ */ $t$a'b$t$"),
            [
                "SELECT",
                "\"A\"\"b\"",
                ",",
                "$1",
                "::",
                "int4",
                "->>",
                "'x''y'",
                "<=",
                "-",
                "1.5e3",
                "-- end",
                "/* a /* b */ */",
                "$t$a'b$t$"
            ]
        );
        assert_eq!(texts("a$b$c"), ["a$b$c"]);
        assert_eq!(
            texts("1..2 1.5 .5 1. 1e5 1e 0xFF 1_000"),
            ["1", "..", "2", "1.5", ".5", "1.", "1e5", "1", "e", "0xFF", "1_000"]
        );
        assert_eq!(
            texts("a=-1 a<>-1 a@-1 a*--c"),
            ["a", "=", "-", "1", "a", "<>", "-", "1", "a", "@-", "1", "a", "*", "--c"]
        );
        assert_eq!(texts("f(a := 1, b => 2)"), ["f", "(", "a", ":=", "1", ",", "b", "=>", "2", ")"]);
        assert_eq!(texts("\u{feff}SELECT"), ["SELECT"]);
        assert_eq!(texts("-- a\rb"), ["-- a", "b"]);
    }

    #[test]
    fn what_is_never_closed_is_a_token() {
        use Unterminated::{Comment, DollarString, Ident, String};
        for (sql, what) in
            [("'a", String), ("E'a\\'", String), ("\"a", Ident), ("$x$a", DollarString), ("/* /* */", Comment)]
        {
            let found: Vec<TokenKind> = tokens(sql).map(|token| token.kind).collect();
            assert_eq!(found, [TokenKind::Unterminated(what)], "{sql}");
        }
    }

    #[test]
    fn any_text_is_cut_into_tokens_that_cover_it() {
        let pieces =
            ["'", "\"", "$", "$$", "e'", "u&'", "\\", "--", "/*", "*/", "\n", " ", "ä", "1", ".", ":", "\0", "a"];
        for first in pieces {
            for second in pieces {
                for third in pieces {
                    let sql = format!("{first}{second}{third}");
                    let mut end = 0;
                    for token in tokens(&sql) {
                        assert!(token.start >= end && token.end > token.start, "{sql:?}");
                        assert!(sql[end..token.start].trim_matches([' ', '\n']).is_empty(), "{sql:?}");
                        let _ = token.value(&sql);
                        end = token.end;
                    }
                    assert!(sql[end..].trim_matches([' ', '\n']).is_empty(), "{sql:?}");
                }
            }
        }
    }
}
