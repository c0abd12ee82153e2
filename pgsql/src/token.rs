//! The kinds of tokens, and what each token means.

use std::borrow::Cow;
use std::ops::Range;

use crate::lexer::continuation;

/// The kinds of tokens, following PostgreSQL's `scan.l`. Whitespace is not a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// A keyword or a name without quotes.
    Word,
    /// A name in double quotes: `"a"`.
    QuotedIdent,
    /// A name in double quotes with Unicode escapes: `U&"\0061"`.
    UnicodeIdent,
    /// A number, with its digits, point and exponent, but without a sign.
    Number,
    /// A string in single quotes: `'a'`, and `N'a'`.
    String,
    /// A string with backslash escapes: `E'\n'`.
    EscapeString,
    /// A string with Unicode escapes: `U&'\0061'`.
    UnicodeString,
    /// A string between dollar signs: `$$a$$`, `$tag$a$tag$`.
    DollarString,
    /// A string of bits, `B'01'`, or of hexadecimal digits, `X'1f'`.
    BitString,
    /// A numbered parameter: `$1`.
    Param,
    /// A run of operator characters.
    Operator,
    /// One of `( ) [ ] , ; . :`, or `::`, `:=`, `..`.
    Punctuation,
    /// `-- ..`, up to the end of the line.
    LineComment,
    /// `/* .. */`. Comments nest.
    BlockComment,
    /// A string, name or comment that is never closed. It extends to the end of the text.
    Unterminated(Unterminated),
    /// A character that PostgreSQL does not accept here.
    Unknown,
}

/// What an unclosed token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unterminated {
    /// A string in single quotes.
    String,
    /// A string between dollar signs.
    DollarString,
    /// A name in double quotes.
    Ident,
    /// A block comment.
    Comment,
}

/// A token: its kind, and its place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// The kind.
    pub kind: TokenKind,
    /// The byte offset of its first character.
    pub start: usize,
    /// The byte offset after its last character.
    pub end: usize,
}

impl Token {
    /// Returns its byte range.
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }

    /// Returns its text, as it is written.
    pub fn text<'t>(&self, sql: &'t str) -> &'t str {
        &sql[self.range()]
    }

    /// Whether it is a comment.
    pub fn is_comment(&self) -> bool {
        matches!(self.kind, TokenKind::LineComment | TokenKind::BlockComment)
    }

    /// Whether it is a string of any form, bit strings excluded.
    pub fn is_string(&self) -> bool {
        use TokenKind::{DollarString, EscapeString, String, UnicodeString};
        matches!(self.kind, String | EscapeString | UnicodeString | DollarString)
    }

    /// Whether it is this keyword; case does not matter.
    pub fn is_word(&self, sql: &str, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text(sql).eq_ignore_ascii_case(word)
    }

    /// Whether it is this punctuation mark.
    pub fn is_punctuation(&self, sql: &str, mark: &str) -> bool {
        self.kind == TokenKind::Punctuation && self.text(sql) == mark
    }

    /// Returns its meaning: a word in lower case, the content of a quoted name or string with its escapes resolved, the
    /// number of a parameter, the digits of a bit string. All other tokens mean what is written.
    ///
    /// A Unicode escape has its default escape character, the backslash: `UESCAPE` is a separate keyword and belongs to
    /// the grammar. An escape that PostgreSQL refuses stays as it is written.
    ///
    /// ```
    /// let sql = r#"E'a\n' "B" Users"#;
    /// let meanings: Vec<_> = relata_pgsql::tokens(sql).map(|token| token.value(sql).into_owned()).collect();
    /// assert_eq!(meanings, ["a\n", "B", "users"]);
    /// ```
    pub fn value<'t>(&self, sql: &'t str) -> Cow<'t, str> {
        let text = self.text(sql);
        match self.kind {
            TokenKind::Word => fold(text),
            TokenKind::Param => Cow::Borrowed(&text[1..]),
            TokenKind::QuotedIdent => unescape(text, '"', Escapes::None),
            TokenKind::UnicodeIdent => unescape(&text[2..], '"', Escapes::Unicode),
            TokenKind::String => unescape(text.trim_start_matches(['n', 'N']), '\'', Escapes::None),
            TokenKind::BitString => unescape(&text[1..], '\'', Escapes::None),
            TokenKind::EscapeString => unescape(&text[1..], '\'', Escapes::Backslash),
            TokenKind::UnicodeString => unescape(&text[2..], '\'', Escapes::Unicode),
            TokenKind::DollarString => {
                let tag = text[1..].find('$').map_or(0, |end| end + 2);
                Cow::Borrowed(&text[tag..text.len() - tag])
            }
            _ => Cow::Borrowed(text),
        }
    }
}

/// Folds a name without quotes: only ASCII letters, as PostgreSQL does in a database whose encoding is UTF-8.
fn fold(word: &str) -> Cow<'_, str> {
    if word.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(word.to_ascii_lowercase())
    } else {
        Cow::Borrowed(word)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Escapes {
    None,
    Backslash,
    Unicode,
}

/// Returns the content of a quoted text, including its continuations on further lines.
fn unescape(text: &str, quote: char, escapes: Escapes) -> Cow<'_, str> {
    let inner = &text[1..text.len() - 1];
    if !inner.contains([quote, '\\']) {
        return Cow::Borrowed(inner);
    }
    let mut content = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find([quote, '\\']) {
        content.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix(quote) {
            rest = match after.strip_prefix(quote) {
                Some(after) => {
                    content.push(quote);
                    after
                }
                // A string that continues in quotes on a later line.
                None => continuation(after.as_bytes()).map_or("", |next| &after[next..]),
            };
        } else {
            rest = unescape_one(rest, escapes, &mut content);
        }
    }
    content.push_str(rest);
    Cow::Owned(content)
}

/// Resolves the escape at the start of `text`, and returns what follows it.
fn unescape_one<'t>(text: &'t str, escapes: Escapes, content: &mut String) -> &'t str {
    let after = &text[1..];
    let resolved = match escapes {
        Escapes::None => None,
        Escapes::Backslash => backslash(after),
        Escapes::Unicode => match after.strip_prefix('\\') {
            Some(_) => Some(('\\', 1)),
            None => match after.strip_prefix('+') {
                Some(digits) => code_point(digits, 16, 6).map(|(letter, length)| (letter, length + 1)),
                None => code_point(after, 16, 4),
            },
        },
    };
    match resolved {
        Some((letter, length)) => {
            content.push(letter);
            &after[length..]
        }
        None => {
            content.push('\\');
            after
        }
    }
}

/// Resolves an escape of `E'..'`, given without its backslash: returns the character and the number of bytes.
fn backslash(text: &str) -> Option<(char, usize)> {
    let first = text.chars().next()?;
    let simple = match first {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'x' => {
            return short_code(&text[1..], 16, 2).map_or(Some(('x', 1)), |(letter, length)| Some((letter, length + 1)));
        }
        '0'..='7' => return short_code(text, 8, 3),
        'u' => return code_point(&text[1..], 16, 4).map(|(letter, length)| (letter, length + 1)),
        'U' => return code_point(&text[1..], 16, 8).map(|(letter, length)| (letter, length + 1)),
        other => other,
    };
    Some((simple, first.len_utf8()))
}

/// Returns the character with the code of exactly `length` digits.
fn code_point(text: &str, radix: u32, length: usize) -> Option<(char, usize)> {
    let digits = text.get(..length)?;
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let code = u32::from_str_radix(digits, radix).ok()?;
    Some((char::from_u32(code)?, length))
}

/// Returns the byte with the code of one to `most` digits, if it is ASCII: others are parts of characters.
fn short_code(text: &str, radix: u32, most: usize) -> Option<(char, usize)> {
    let length = text.chars().take(most).take_while(|digit| digit.is_digit(radix)).count();
    let code = u32::from_str_radix(text.get(..length)?, radix).ok()?;
    (code < 0x80).then(|| char::from_u32(code)).flatten().map(|letter| (letter, length))
}

#[cfg(test)]
mod tests {
    use crate::tokens;

    fn values(sql: &str) -> Vec<String> {
        tokens(sql).map(|token| token.value(sql).into_owned()).collect()
    }

    #[test]
    fn only_ascii_letters_are_folded() {
        assert_eq!(values("Users ÄPFEL"), ["users", "Äpfel"]);
    }

    #[test]
    fn escapes_are_resolved_where_postgresql_resolves_them() {
        assert_eq!(values(r"'a\n'"), [r"a\n"]);
        assert_eq!(values(r"E'\n\t\\\'\101\x41\u0041\U00000041\q'"), ["\n\t\\'AAAAq"]);
        assert_eq!(values(r"U&'\0041\+000042\\'"), ["AB\\"]);
        assert_eq!(values(r#"U&"d\0061t""#), ["dat"]);
        assert_eq!(values("N'a' B'01' X'1f' $1 $$a'b$$ $t$a$$b$t$"), ["a", "01", "1f", "1", "a'b", "a$$b"]);
        assert_eq!(values(r"E'\xzz' U&'\zz'"), ["xzz", r"\zz"]);
    }

    #[test]
    fn a_string_goes_on_in_quotes_on_a_later_line() {
        assert_eq!(values("'a'\n'b'"), ["ab"]);
        assert_eq!(values("'a' -- it's\n  'b'"), ["ab"]);
        assert_eq!(values("'a' 'b'"), ["a", "b"]);
        assert_eq!(values("E'\\n'\n'\\t'"), ["\n\t"]);
    }
}
