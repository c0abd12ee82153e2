//! Cuts SQL text into tokens, so that statements can be split and edits told from new comments.
//!
//! Takes the text of a migration, gives tokens with byte ranges; knows quotes, `E''` strings, dollar quotes and
//! nested comments as PostgreSQL's own scanner does (with `standard_conforming_strings` on, which the runner sets).
//! It does not know the grammar: that is the server's work.

use std::ops::Range;

/// What a token is. Whitespace is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A keyword, an identifier without quotes, or a number.
    Word,
    /// An identifier in double quotes.
    QuotedIdentifier,
    /// Any string constant, dollar-quoted ones included.
    String,
    /// A run of operator characters.
    Operator,
    /// One of `( ) [ ] , ; .` or any other single character.
    Punctuation,
    /// `-- ..` up to the end of the line.
    LineComment,
    /// `/* .. */`, nested ones included.
    BlockComment,
}

/// A token: its kind and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) range: Range<usize>,
}

impl Token {
    pub(crate) fn text<'a>(&self, sql: &'a str) -> &'a str {
        &sql[self.range.clone()]
    }

    pub(crate) fn is_comment(&self) -> bool {
        matches!(self.kind, TokenKind::LineComment | TokenKind::BlockComment)
    }

    pub(crate) fn is_word(&self, sql: &str, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text(sql).eq_ignore_ascii_case(word)
    }

    pub(crate) fn is_punctuation(&self, sql: &str, character: char) -> bool {
        self.kind == TokenKind::Punctuation && self.text(sql).chars().eq([character])
    }
}

/// Something that is opened and never closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unterminated {
    pub(crate) what: &'static str,
    pub(crate) start: usize,
}

const OPERATORS: &[u8] = b"+-*/<>=~!@#%^&|`?:";

/// Cuts `sql` into tokens, comments included.
pub(crate) fn tokenize(sql: &str) -> Result<Vec<Token>, Unterminated> {
    let mut lexer = Lexer { sql, bytes: sql.as_bytes(), at: 0 };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next_token()? {
        tokens.push(token);
    }
    Ok(tokens)
}

struct Lexer<'a> {
    sql: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl Lexer<'_> {
    fn next_token(&mut self) -> Result<Option<Token>, Unterminated> {
        while self.peek(0).is_some_and(|byte| byte.is_ascii_whitespace() || byte == 0x0b) {
            self.at += 1;
        }
        let start = self.at;
        let Some(first) = self.peek(0) else { return Ok(None) };
        let kind = match first {
            b'-' if self.peek(1) == Some(b'-') => self.line_comment(),
            b'/' if self.peek(1) == Some(b'*') => self.block_comment()?,
            b'\'' => self.string(start, false)?,
            b'"' => self.quoted_identifier()?,
            b'$' => self.dollar()?,
            b'0'..=b'9' => self.word(),
            byte if is_identifier_start(byte) => self.word_or_prefixed_string()?,
            byte if OPERATORS.contains(&byte) => self.operator(),
            _ => {
                self.at += 1;
                TokenKind::Punctuation
            }
        };
        Ok(Some(Token { kind, range: start..self.at }))
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn line_comment(&mut self) -> TokenKind {
        while self.peek(0).is_some_and(|byte| byte != b'\n') {
            self.at += 1;
        }
        TokenKind::LineComment
    }

    fn block_comment(&mut self) -> Result<TokenKind, Unterminated> {
        let start = self.at;
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(b'/'), Some(b'*')) => {
                    depth += 1;
                    self.at += 2;
                }
                (Some(b'*'), Some(b'/')) => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return Ok(TokenKind::BlockComment);
                    }
                }
                (Some(_), _) => self.at += 1,
                (None, _) => return Err(Unterminated { what: "comment `/*`", start }),
            }
        }
    }

    /// A string constant whose opening quote is at `self.at`.
    fn string(&mut self, start: usize, escapes: bool) -> Result<TokenKind, Unterminated> {
        self.at += 1;
        loop {
            match self.peek(0) {
                None => return Err(Unterminated { what: "string", start }),
                Some(b'\\') if escapes => self.at += 2,
                Some(b'\'') if self.peek(1) == Some(b'\'') => self.at += 2,
                Some(b'\'') => {
                    self.at += 1;
                    match self.continuation().filter(|_| escapes) {
                        Some(next) => self.at = next + 1,
                        None => return Ok(TokenKind::String),
                    }
                }
                Some(_) => self.at += 1,
            }
        }
    }

    /// `E'a'` and `'b'` on the next line are one constant, and the second part has escapes too.
    fn continuation(&self) -> Option<usize> {
        let rest = &self.bytes[self.at..];
        let blank = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        (rest[..blank].contains(&b'\n') && rest.get(blank) == Some(&b'\'')).then_some(self.at + blank)
    }

    fn quoted_identifier(&mut self) -> Result<TokenKind, Unterminated> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek(0) {
                None => return Err(Unterminated { what: "quoted identifier", start }),
                Some(b'"') if self.peek(1) == Some(b'"') => self.at += 2,
                Some(b'"') => {
                    self.at += 1;
                    return Ok(TokenKind::QuotedIdentifier);
                }
                Some(_) => self.at += 1,
            }
        }
    }

    /// `$tag$ .. $tag$`, or a parameter such as `$1`, which the server refuses with its own words.
    fn dollar(&mut self) -> Result<TokenKind, Unterminated> {
        let start = self.at;
        let tag = self.bytes[start + 1..]
            .iter()
            .enumerate()
            .take_while(|(at, byte)| is_identifier_start(**byte) || (*at > 0 && byte.is_ascii_digit()))
            .count();
        if self.bytes.get(start + 1 + tag) != Some(&b'$') {
            self.at += 1;
            return Ok(TokenKind::Punctuation);
        }
        let delimiter = &self.sql[start..start + tag + 2];
        let body = start + delimiter.len();
        match self.sql[body..].find(delimiter) {
            Some(length) => {
                self.at = body + length + delimiter.len();
                Ok(TokenKind::String)
            }
            None => Err(Unterminated { what: "dollar-quoted string", start }),
        }
    }

    fn word(&mut self) -> TokenKind {
        while self.peek(0).is_some_and(|byte| is_identifier_start(byte) || byte.is_ascii_digit() || byte == b'$') {
            self.at += 1;
        }
        TokenKind::Word
    }

    fn word_or_prefixed_string(&mut self) -> Result<TokenKind, Unterminated> {
        let start = self.at;
        let kind = self.word();
        match (&self.bytes[start..self.at], self.peek(0)) {
            ([b'e' | b'E'], Some(b'\'')) => self.string(start, true),
            ([b'b' | b'B' | b'x' | b'X' | b'n' | b'N'], Some(b'\'')) => self.string(start, false),
            _ => Ok(kind),
        }
    }

    fn operator(&mut self) -> TokenKind {
        while self.peek(0).is_some_and(|byte| OPERATORS.contains(&byte))
            && !matches!((self.peek(0), self.peek(1)), (Some(b'-'), Some(b'-')) | (Some(b'/'), Some(b'*')))
        {
            self.at += 1;
        }
        TokenKind::Operator
    }
}

fn is_identifier_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

/// The 1-based line of a byte offset.
pub(crate) fn line_of(sql: &str, offset: usize) -> u32 {
    let newlines = sql.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count();
    u32::try_from(newlines + 1).unwrap_or(u32::MAX)
}
