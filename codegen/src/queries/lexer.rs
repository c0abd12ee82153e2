//! The text of a query as tokens: PostgreSQL's rules of words, quotes, operators and comments.
//!
//! Never fails: what is no token is one of kind `Bad`, at which the parser stops.

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or keyword without quotes; its text is in lower case, as PostgreSQL folds it.
    Word,
    /// A name in double quotes.
    Quoted,
    /// A number.
    Number,
    /// A string, whatever its quotes.
    Text,
    /// A string of bits, `B'..'` or `X'..'`.
    Bits,
    /// `$1`; its text is the number.
    Param,
    /// `:name`; its text is the name.
    Named,
    /// An operator.
    Operator,
    /// A bracket, comma, semicolon, dot, `:`, `::` or `:=`.
    Mark,
    /// Something that is none of these, or has no end.
    Bad,
    /// Behind the last token.
    End,
}

/// A word, sign or literal.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Bytes in the file.
    pub(super) span: Range<usize>,
    /// Names without their quotes and folded, strings without theirs, marks as they are.
    pub(super) text: String,
}

impl Token {
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Mark | Kind::Operator) && self.text == word
    }
}

const OPERATOR: &str = "+-*/<>=~!@#%^&|`?";

/// All tokens, the last of which is `End`.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { text, at: 0, brackets: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_space();
        let start = lexer.at;
        let (kind, text) = lexer.next();
        tokens.push(Token { kind, span: start..lexer.at, text });
        if kind == Kind::End {
            return tokens;
        }
    }
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    /// Open `[`, in which a colon is that of a slice.
    brackets: usize,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}' || c == '\u{feff}');
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with("--") {
                self.at += trimmed.find(['\n', '\r']).unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                self.at += block_comment(trimmed).unwrap_or(trimmed.len());
            } else {
                return;
            }
        }
    }

    fn next(&mut self) -> (Kind, String) {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return (Kind::End, String::new()) };
        match first {
            '\'' => self.string(0, false),
            '"' => self.quoted(),
            '$' => self.dollar(),
            '0'..='9' => self.number(),
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => self.number(),
            ':' => self.colon(),
            '(' | ')' | '[' | ']' | ',' | ';' | '.' => self.mark(first),
            _ if is_word_start(first) => self.word(),
            _ if OPERATOR.contains(first) => self.operator(),
            _ => self.take(Kind::Bad, first.len_utf8()),
        }
    }

    fn take(&mut self, kind: Kind, length: usize) -> (Kind, String) {
        let text = self.rest()[..length].to_owned();
        self.at += length;
        (kind, text)
    }

    fn mark(&mut self, first: char) -> (Kind, String) {
        match first {
            '[' => self.brackets += 1,
            ']' => self.brackets = self.brackets.saturating_sub(1),
            _ => {}
        }
        self.take(Kind::Mark, 1)
    }

    fn colon(&mut self) -> (Kind, String) {
        let rest = &self.rest()[1..];
        if rest.starts_with([':', '=']) {
            return self.take(Kind::Mark, 2);
        }
        let length = word_length(rest);
        if length == 0 || self.brackets > 0 {
            return self.take(Kind::Mark, 1);
        }
        self.at += 1;
        self.take(Kind::Named, length)
    }

    fn word(&mut self) -> (Kind, String) {
        let rest = self.rest();
        match rest.as_bytes() {
            [b'e' | b'E', b'\'', ..] => return self.string(1, true),
            [b'n' | b'N', b'\'', ..] => return self.string(1, false),
            [b'b' | b'B' | b'x' | b'X', b'\'', ..] => {
                let (kind, text) = self.string(1, false);
                return (if kind == Kind::Text { Kind::Bits } else { kind }, text);
            }
            [b'u' | b'U', b'&', b'\'', ..] => return self.string(2, false),
            _ => {}
        }
        let (kind, text) = self.take(Kind::Word, word_length(rest));
        // PostgreSQL folds only letters of ASCII where the server has several bytes per character.
        (kind, text.to_ascii_lowercase())
    }

    fn number(&mut self) -> (Kind, String) {
        let bytes = self.rest().as_bytes();
        let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit() || **b == b'_').count();
        let mut length = digits(0);
        if bytes.get(length) == Some(&b'.') && bytes.get(length + 1) != Some(&b'.') {
            length += 1;
            length += digits(length);
        }
        if matches!(bytes.get(length), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
            let exponent = if length + 1 + sign < bytes.len() { digits(length + 1 + sign) } else { 0 };
            length += if exponent > 0 { 1 + sign + exponent } else { 0 };
        }
        self.take(Kind::Number, length)
    }

    /// A string whose quote stands `before` bytes on.
    fn string(&mut self, before: usize, escapes: bool) -> (Kind, String) {
        self.at += before;
        let rest = &self.rest()[1..];
        let (mut text, mut chars) = (String::new(), rest.char_indices().peekable());
        while let Some((at, c)) = chars.next() {
            match c {
                '\'' if chars.peek().is_some_and(|(_, next)| *next == '\'') => {
                    chars.next();
                    text.push('\'');
                }
                '\'' => {
                    self.at += at + 2;
                    return (Kind::Text, text);
                }
                '\\' if escapes => text.extend(chars.next().map(|(_, next)| next)),
                _ => text.push(c),
            }
        }
        self.at = self.text.len();
        (Kind::Bad, text)
    }

    fn quoted(&mut self) -> (Kind, String) {
        let (mut text, mut chars) = (String::new(), self.rest()[1..].char_indices().peekable());
        while let Some((at, c)) = chars.next() {
            match c {
                '"' if chars.peek().is_some_and(|(_, next)| *next == '"') => {
                    chars.next();
                    text.push('"');
                }
                '"' => {
                    self.at += at + 2;
                    return (if text.is_empty() { Kind::Bad } else { Kind::Quoted }, text);
                }
                _ => text.push(c),
            }
        }
        self.at = self.text.len();
        (Kind::Bad, text)
    }

    /// `$1`, or a string between `$tag$` and `$tag$`.
    fn dollar(&mut self) -> (Kind, String) {
        let rest = self.rest();
        let digits = rest[1..].bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            self.at += 1;
            return self.take(Kind::Param, digits);
        }
        let tag = word_length(&rest[1..]);
        if !rest[1 + tag..].starts_with('$') {
            return self.take(Kind::Bad, 1);
        }
        let delimiter = &rest[..tag + 2];
        let body = &rest[tag + 2..];
        match body.find(delimiter) {
            Some(end) => {
                self.at += end + 2 * delimiter.len();
                (Kind::Text, body[..end].to_owned())
            }
            None => self.take(Kind::Bad, rest.len()),
        }
    }

    /// The longest run of signs, without a comment in it, and without a `+` or `-` at its end that is the sign of what
    /// follows.
    fn operator(&mut self) -> (Kind, String) {
        let rest = self.rest();
        let mut length = rest.bytes().take_while(|b| OPERATOR.as_bytes().contains(b)).count();
        for comment in ["--", "/*"] {
            if let Some(at) = rest[..length].find(comment) {
                length = at;
            }
        }
        let keeps_sign = rest[..length].contains(['~', '!', '@', '#', '%', '^', '&', '|', '`', '?']);
        while length > 1 && !keeps_sign && rest[..length].ends_with(['+', '-']) {
            length -= 1;
        }
        self.take(Kind::Operator, length.max(1))
    }
}

fn is_word_start(c: char) -> bool {
    c == '_' || c.is_ascii_alphabetic() || !c.is_ascii() && !c.is_whitespace()
}

/// The bytes of the word that a text begins with; none if it begins with none.
fn word_length(text: &str) -> usize {
    if !text.starts_with(is_word_start) {
        return 0;
    }
    let is_part = |c: char| is_word_start(c) || c.is_ascii_digit() || c == '$';
    // A `$` belongs to a word, but not to the tag of a string, which ends there.
    let end = text.find(|c: char| !is_part(c) || c == '$');
    end.unwrap_or(text.len())
}

/// The bytes of a comment, inside which others may be; none if it has no end.
fn block_comment(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    let bytes = text.as_bytes();
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

#[cfg(test)]
mod tests {
    use super::{Kind, tokens};

    fn words(text: &str) -> Vec<(Kind, String)> {
        tokens(text).into_iter().map(|token| (token.kind, token.text)).collect()
    }

    #[test]
    fn what_postgresql_takes_for_one_token_is_one() {
        let found = words("SELECT \"A\"\"b\", $1::int4 ->>'x''y' <= -1.5e3 -- end\n/* a /* b */ */ :since $t$a'b$t$");
        let text: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(
            text,
            ["select", "A\"b", ",", "1", "::", "int4", "->>", "x'y", "<=", "-", "1.5e3", "since", "a'b", ""]
        );
    }

    #[test]
    fn what_has_no_end_is_bad() {
        for text in ["'a", "\"a", "$x$a", "\"\"", "$", "\\"] {
            assert!(words(text).iter().any(|(kind, _)| *kind == Kind::Bad), "{text}");
        }
        assert_eq!(words("/* a").len(), 1);
        assert_eq!(words("1..2").len(), 4);
    }
}
