//! Whether a text can stand in parentheses without changing what is around it.

use crate::{TokenKind, tokens};

/// Returns whether SQL in parentheses stays in them: it closes every parenthesis, string and name that it opens, and no
/// other, has no semicolon, and does not end in a line comment.
///
/// ```
/// use relata_pgsql::is_enclosed;
///
/// assert!(is_enclosed("a = ')' OR (b[1] > 2)"));
/// assert!(!is_enclosed("true) OR (true"));
/// assert!(!is_enclosed("true -- "));
/// ```
pub fn is_enclosed(sql: &str) -> bool {
    let mut open = Vec::new();
    let mut last = None;
    for token in tokens(sql) {
        last = Some(token.kind);
        match (token.kind, token.text(sql)) {
            (TokenKind::Unterminated(_), _) | (TokenKind::Punctuation, ";") => return false,
            (TokenKind::Punctuation, "(") => open.push(")"),
            (TokenKind::Punctuation, "[") => open.push("]"),
            (TokenKind::Punctuation, mark @ (")" | "]")) if open.pop() != Some(mark) => return false,
            _ => {}
        }
    }
    open.is_empty() && last != Some(TokenKind::LineComment)
}

#[cfg(test)]
mod tests {
    use super::is_enclosed;

    #[test]
    fn what_leaves_its_parentheses_is_known() {
        for sql in ["", "a", "f(x)[1]", "'(' || \"(\"", "a /* ( */ > 1", "a -- (\n > 1", "$$;($$ = a"] {
            assert!(is_enclosed(sql), "{sql}");
        }
        for sql in [")", "(", "a) OR (b", "a[1)]", "a; b", "'a", "\"a", "/* a", "a --", "$$a"] {
            assert!(!is_enclosed(sql), "{sql}");
        }
    }
}
