//! Words, names, values and signs of SQL.

use std::fmt;

/// One word or sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sql) enum Token {
    /// An unquoted word, in lower case.
    Word(String),
    /// A quoted name, unquoted.
    Quoted(String),
    /// A string's contents.
    Text(String),
    /// A number as it is written.
    Number(String),
    /// An operator or a sign.
    Sign(String),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Word(text) | Token::Number(text) | Token::Sign(text) => f.write_str(text),
            Token::Quoted(name) => f.write_str(&name_text(name)),
            Token::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
        }
    }
}

/// A name with quotes only where it needs them, so that `"a"` and `a` are the same.
pub(super) fn name_text(name: &str) -> String {
    let plain = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// The words of an SQL text without its comments; none if a string or a name is not closed.
pub(in crate::sql) fn tokens(sql: &str) -> Option<Vec<Token>> {
    let mut lexer = Lexer { rest: sql };
    let mut tokens = Vec::new();
    while lexer.skip_space()? {
        tokens.push(lexer.next()?);
    }
    Some(tokens)
}

/// `5` is `0101`, as PostgreSQL prints it.
fn bits(digits: &str) -> Option<String> {
    digits.chars().map(|digit| Some(format!("{:04b}", digit.to_digit(16)?))).collect()
}

struct Lexer<'a> {
    rest: &'a str,
}

const OPERATOR: &str = "+-*/<>=~!@#%^&|`?";

impl Lexer<'_> {
    /// Skips spaces and comments; false at the end.
    fn skip_space(&mut self) -> Option<bool> {
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.starts_with("--") {
                self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
            } else if self.rest.starts_with("/*") {
                self.skip_block_comment()?;
            } else {
                return Some(!self.rest.is_empty());
            }
        }
    }

    /// PostgreSQL's block comments nest.
    fn skip_block_comment(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            if let Some(rest) = self.rest.strip_prefix("/*") {
                (depth, self.rest) = (depth + 1, rest);
            } else if let Some(rest) = self.rest.strip_prefix("*/") {
                (depth, self.rest) = (depth - 1, rest);
                if depth == 0 {
                    return Some(());
                }
            } else {
                let mut letters = self.rest.chars();
                letters.next()?;
                self.rest = letters.as_str();
            }
        }
    }

    fn next(&mut self) -> Option<Token> {
        let first = self.rest.chars().next()?;
        let second = self.rest[first.len_utf8()..].chars().next();
        match first {
            '\'' => self.string(0, false),
            'e' | 'E' if second == Some('\'') => self.string(1, true),
            'x' | 'X' if second == Some('\'') => match self.string(1, false)? {
                Token::Text(digits) => Some(Token::Text(bits(&digits)?)),
                other => Some(other),
            },
            'b' | 'B' | 'n' | 'N' if second == Some('\'') => self.string(1, false),
            '"' => self.quoted_name(),
            '$' => self.dollar_string(),
            '.' if second.is_some_and(|digit| digit.is_ascii_digit()) => Some(self.number()),
            _ if first.is_ascii_digit() => Some(self.number()),
            _ if first.is_alphabetic() || first == '_' => {
                let word =
                    self.take(|letter| letter.is_alphanumeric() || letter == '_' || letter == '$').to_lowercase();
                Some(Token::Word(word))
            }
            ':' if second == Some(':') => Some(Token::Sign(self.cut(2))),
            _ if OPERATOR.contains(first) => Some(Token::Sign(self.operator())),
            _ => Some(Token::Sign(self.cut(first.len_utf8()))),
        }
    }

    fn cut(&mut self, length: usize) -> String {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken.to_owned()
    }

    fn take(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let length = self.rest.find(|letter| !wanted(letter)).unwrap_or(self.rest.len());
        self.cut(length)
    }

    /// A string that starts after `prefix` letters; with `escapes`, a backslash takes the next letter along.
    fn string(&mut self, prefix: usize, escapes: bool) -> Option<Token> {
        let body = self.rest.get(prefix + 1..)?;
        let mut text = String::new();
        let mut letters = body.char_indices();
        while let Some((index, letter)) = letters.next() {
            match letter {
                '\'' if body[index + 1..].starts_with('\'') => {
                    letters.next();
                    text.push('\'');
                }
                '\'' => {
                    self.rest = &body[index + 1..];
                    return Some(Token::Text(text));
                }
                '\\' if escapes => {
                    let (_, escaped) = letters.next()?;
                    text.push(match escaped {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        other => other,
                    });
                }
                other => text.push(other),
            }
        }
        None
    }

    fn quoted_name(&mut self) -> Option<Token> {
        let body = self.rest.get(1..)?;
        let mut name = String::new();
        let mut letters = body.char_indices();
        while let Some((index, letter)) = letters.next() {
            if letter != '"' {
                name.push(letter);
            } else if body[index + 1..].starts_with('"') {
                letters.next();
                name.push('"');
            } else {
                self.rest = &body[index + 1..];
                return Some(Token::Quoted(name));
            }
        }
        None
    }

    /// `$tag$ .. $tag$`, or a lone `$`.
    fn dollar_string(&mut self) -> Option<Token> {
        let tag_end = self.rest[1..].find(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
        let Some(tag_length) = tag_end.filter(|end| self.rest[1 + end..].starts_with('$')).map(|end| end + 2) else {
            return Some(Token::Sign(self.cut(1)));
        };
        let (tag, body) = self.rest.split_at(tag_length);
        let end = body.find(tag)?;
        let text = body[..end].to_owned();
        self.rest = &body[end + tag.len()..];
        Some(Token::Text(text))
    }

    fn number(&mut self) -> Token {
        let mut text = self.take(|letter| letter.is_ascii_digit() || letter == '.');
        let exponent = self.rest.strip_prefix(['e', 'E']).map(|rest| rest.strip_prefix(['+', '-']).unwrap_or(rest));
        if exponent.is_some_and(|rest| rest.starts_with(|digit: char| digit.is_ascii_digit())) {
            let sign = if self.rest[1..].starts_with(['+', '-']) { 2 } else { 1 };
            text += &self.cut(sign).to_lowercase();
            text += &self.take(|letter| letter.is_ascii_digit());
        }
        Token::Number(text)
    }

    /// The longest run of operator signs that starts no comment. Only one with an unusual sign may
    /// end in `+` or `-`, so that `a=-1` is a comparison with a negative number.
    fn operator(&mut self) -> String {
        let run = self.rest.find(|letter| !OPERATOR.contains(letter)).unwrap_or(self.rest.len());
        let mut run = &self.rest[..run];
        for comment in ["--", "/*"] {
            run = run.find(comment).map_or(run, |index| &run[..index]);
        }
        if !run.contains(['~', '!', '@', '#', '%', '^', '&', '|', '`', '?']) {
            while run.len() > 1 && run.ends_with(['+', '-']) {
                run = &run[..run.len() - 1];
            }
        }
        let length = run.len().max(1);
        self.cut(length)
    }
}
