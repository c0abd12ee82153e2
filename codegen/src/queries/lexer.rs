//! The tokens of a query, including named parameters, which PostgreSQL does not have.
//!
//! Never fails: anything that is not a token has the kind `Bad`, at which the parser stops.

use std::ops::Range;

use relata_pgsql::TokenKind;

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or keyword without quotes; its text is in lower case, as PostgreSQL folds it.
    Word,
    /// A name in double quotes.
    Quoted,
    /// A number.
    Number,
    /// A string, with any kind of quotes.
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
    /// Anything else, or something that is never closed.
    Bad,
    /// The end of the text.
    End,
}

/// A word, sign or literal.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Its bytes in the file.
    pub(super) span: Range<usize>,
    /// The text: names without quotes and folded, strings without quotes, marks unchanged.
    pub(super) text: String,
}

impl Token {
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Mark | Kind::Operator) && self.text == word
    }
}

/// Returns all tokens. The last one is `End`.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut found = relata_pgsql::tokens(text).filter(|token| !token.is_comment()).peekable();
    let mut tokens = Vec::new();
    // The number of open `[`, in which a colon belongs to a slice.
    let mut brackets = 0_usize;
    while let Some(token) = found.next() {
        let is = |mark| token.is_punctuation(text, mark);
        brackets = if is("[") { brackets + 1 } else { brackets.saturating_sub(usize::from(is("]"))) };
        let names_parameter = |next: &relata_pgsql::Token| next.kind == TokenKind::Word && next.start == token.end;
        if is(":")
            && brackets == 0
            && let Some(name) = found.next_if(names_parameter)
        {
            let named = Token { kind: Kind::Named, span: token.start..name.end, text: name.text(text).to_owned() };
            tokens.push(named);
            continue;
        }
        let value = token.value(text).into_owned();
        tokens.push(Token { kind: kind(token, &value), span: token.range(), text: value });
    }
    tokens.push(Token { kind: Kind::End, span: text.len()..text.len(), text: String::new() });
    tokens
}

fn kind(token: relata_pgsql::Token, value: &str) -> Kind {
    match token.kind {
        TokenKind::Word => Kind::Word,
        // PostgreSQL refuses an empty name.
        TokenKind::QuotedIdent | TokenKind::UnicodeIdent if value.is_empty() => Kind::Bad,
        TokenKind::QuotedIdent | TokenKind::UnicodeIdent => Kind::Quoted,
        TokenKind::Number => Kind::Number,
        TokenKind::BitString => Kind::Bits,
        TokenKind::Param => Kind::Param,
        TokenKind::Operator => Kind::Operator,
        TokenKind::Punctuation => Kind::Mark,
        _ if token.is_string() => Kind::Text,
        _ => Kind::Bad,
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, tokens};

    fn words(text: &str) -> Vec<(Kind, String)> {
        tokens(text).into_iter().map(|token| (token.kind, token.text)).collect()
    }

    #[test]
    fn a_colon_before_a_word_names_a_parameter() {
        let found = words("SELECT \"A\", $1::int4, :since::date, a[1:b] /* c */");
        let text: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
        let expected =
            ["select", "A", ",", "1", "::", "int4", ",", "since", "::", "date", ",", "a", "[", "1", ":", "b", "]", ""];
        assert_eq!(text, expected);
        assert_eq!(found[7].0, Kind::Named);
    }

    #[test]
    fn what_is_never_closed_is_bad() {
        for text in ["'a", "\"a", "$x$a", "\"\"", "$", "\\", "/* a"] {
            assert!(words(text).iter().any(|(kind, _)| *kind == Kind::Bad), "{text}");
        }
    }
}
