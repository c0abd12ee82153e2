//! The words of an SQL expression: tokens with their meanings, without comments.

use std::fmt;

use crate::{TokenKind, ident_if_needed, literal, tokens};

/// A token of an expression, by its meaning. `Display` writes it as SQL again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lexeme {
    /// A word without quotes, in lower case.
    Word(String),
    /// The content of a quoted name.
    Quoted(String),
    /// The content of a string, whatever its quotes.
    Text(String),
    /// A bit string as it is written, including prefix and quotes.
    Bits(String),
    /// A number as it is written, in lower case.
    Number(String),
    /// An operator or punctuation mark.
    Sign(String),
}

impl fmt::Display for Lexeme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lexeme::Word(text) | Lexeme::Number(text) | Lexeme::Sign(text) | Lexeme::Bits(text) => f.write_str(text),
            Lexeme::Quoted(name) => f.write_str(&ident_if_needed(name)),
            Lexeme::Text(text) => f.write_str(&literal(text)),
        }
    }
}

/// Returns the lexemes of `sql`; none if a string, name or comment is never closed.
///
/// ```
/// use relata_pgsql::{Lexeme, lexemes};
///
/// let found = lexemes("\"a\" = 'b'").unwrap();
/// assert_eq!(found, [Lexeme::Quoted("a".into()), Lexeme::Sign("=".into()), Lexeme::Text("b".into())]);
/// assert_eq!(lexemes("'a"), None);
/// ```
pub fn lexemes(sql: &str) -> Option<Vec<Lexeme>> {
    let found = tokens(sql).filter(|token| !token.is_comment());
    found
        .map(|token| {
            let value = || token.value(sql).into_owned();
            Some(match token.kind {
                TokenKind::Word => Lexeme::Word(value()),
                // Not a name, but still a primary of an expression.
                TokenKind::Param => Lexeme::Word(token.text(sql).to_owned()),
                TokenKind::QuotedIdent | TokenKind::UnicodeIdent => Lexeme::Quoted(value()),
                TokenKind::BitString => Lexeme::Bits(token.text(sql).to_owned()),
                TokenKind::Number => Lexeme::Number(token.text(sql).to_ascii_lowercase()),
                TokenKind::Operator | TokenKind::Punctuation | TokenKind::Unknown => {
                    Lexeme::Sign(token.text(sql).to_owned())
                }
                TokenKind::Unterminated(_) => return None,
                _ => Lexeme::Text(value()),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::lexemes;

    #[test]
    fn what_is_written_again_means_the_same() {
        for sql in ["a + \"B\" || 'it''s' = B'101'", "E'\\n' <> U&'\\0061'", "f(x, 1.5E3)::text[1]", "$$it's$$"] {
            let found = lexemes(sql).expect("is closed");
            let written = found.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            assert_eq!(lexemes(&written), Some(found), "{sql}");
        }
    }
}
