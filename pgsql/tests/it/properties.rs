//! The properties of the lexer, of quoting and of expressions.

use relata_pgsql::{Token, TokenKind, ident, lexemes, literal, parse_expression, tokens};

/// All that holds for one text.
pub(crate) fn everything(text: &str) {
    let found: Vec<Token> = tokens(text).collect();
    covers_the_text(text, &found);
    means_the_same_apart(text, &found);
    is_quoted_as_one_token(text);
    let is_whole = !found.iter().any(|token| matches!(token.kind, TokenKind::Unterminated(_)));
    assert_eq!(lexemes(text).is_some(), is_whole, "{text:?}");
    // It must not panic; what it returns is compared by the tests of the compiler.
    let _ = parse_expression(text);
}

/// Tokens follow each other, and only white space is left out.
fn covers_the_text(text: &str, found: &[Token]) {
    let mut end = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    for token in found {
        assert!(token.start < token.end, "an empty token in {text:?}");
        let gap = text.get(end..token.start).expect("tokens follow each other");
        assert!(gap.bytes().all(|byte| b" \t\n\r\x0b\x0c".contains(&byte)), "{gap:?} is left out of {text:?}");
        let _ = token.value(text);
        end = token.end;
    }
    let rest = text.get(end..).expect("tokens are in the text");
    assert!(rest.bytes().all(|byte| b" \t\n\r\x0b\x0c".contains(&byte)), "{rest:?} is left out of {text:?}");
}

/// A text that consists of the same tokens with a space after each has the same tokens: no token depends on the white
/// space around it, so a statement can be put together again from its tokens.
fn means_the_same_apart(text: &str, found: &[Token]) {
    if found.iter().any(|token| matches!(token.kind, TokenKind::Unterminated(_) | TokenKind::Unknown)) {
        return;
    }
    // A byte order mark is one at the start only.
    let mut apart = String::from(" ");
    for token in found {
        apart.push_str(token.text(text));
        apart.push(if token.kind == TokenKind::LineComment { '\n' } else { ' ' });
    }
    let meanings = |text: &str| -> Vec<(TokenKind, String)> {
        tokens(text).map(|token| (token.kind, token.value(text).into_owned())).collect()
    };
    assert_eq!(meanings(&apart), meanings(text), "{text:?} and {apart:?}");
}

/// A name or string that is quoted is one token with the same content, whatever stands around it.
fn is_quoted_as_one_token(text: &str) {
    for (quoted, kind) in [(literal(text), TokenKind::String), (ident(text), TokenKind::QuotedIdent)] {
        let sql = format!("({quoted})");
        let found: Vec<Token> = tokens(&sql).collect();
        assert_eq!(found.len(), 3, "{sql}");
        assert_eq!((found[1].kind, &*found[1].value(&sql)), (kind, text));
    }
}
