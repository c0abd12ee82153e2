//! Names and strings as SQL text.

/// Quotes a name, doubling the quotes inside it.
///
/// ```
/// assert_eq!(relata_pgsql::ident("a\"b"), "\"a\"\"b\"");
/// ```
pub fn ident(name: &str) -> String {
    let mut sql = String::with_capacity(name.len() + 2);
    push_ident(&mut sql, name);
    sql
}

/// Appends a quoted name to `sql`.
pub fn push_ident(sql: &mut String, name: &str) {
    push_quoted(sql, name, '"');
}

/// Quotes a name only if PostgreSQL would read it as a different name without quotes.
///
/// Keywords are not quoted: the result is for comparing and displaying names, not for executing them.
///
/// ```
/// assert_eq!(relata_pgsql::ident_if_needed("users"), "users");
/// assert_eq!(relata_pgsql::ident_if_needed("Users"), "\"Users\"");
/// ```
pub fn ident_if_needed(name: &str) -> String {
    let is_plain = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if is_plain { name.to_owned() } else { ident(name) }
}

/// Quotes a string, doubling the quotes inside it. A backslash has no special meaning.
///
/// ```
/// assert_eq!(relata_pgsql::literal("it's \\"), "'it''s \\'");
/// ```
pub fn literal(text: &str) -> String {
    let mut sql = String::with_capacity(text.len() + 2);
    push_literal(&mut sql, text);
    sql
}

/// Appends a quoted string to `sql`.
pub fn push_literal(sql: &mut String, text: &str) {
    push_quoted(sql, text, '\'');
}

fn push_quoted(sql: &mut String, text: &str, quote: char) {
    sql.push(quote);
    for (index, piece) in text.split(quote).enumerate() {
        if index > 0 {
            sql.push(quote);
            sql.push(quote);
        }
        sql.push_str(piece);
    }
    sql.push(quote);
}

#[cfg(test)]
mod tests {
    use super::{ident, ident_if_needed, literal};
    use crate::{TokenKind, tokens};

    #[test]
    fn what_is_quoted_is_read_back_as_one_token() {
        for text in ["a", "", "a\"b", "\"", "it's", "''", "\\", "\\'", "ä", "$$", "--", "/*", "a\nb", "E'"] {
            let quoted = literal(text);
            let found: Vec<_> = tokens(&quoted).collect();
            assert_eq!(found.len(), 1, "{quoted}");
            assert_eq!((found[0].kind, &*found[0].value(&quoted)), (TokenKind::String, text));
            let quoted = ident(text);
            let found: Vec<_> = tokens(&quoted).collect();
            assert_eq!(found.len(), 1, "{quoted}");
            assert_eq!((found[0].kind, &*found[0].value(&quoted)), (TokenKind::QuotedIdent, text));
        }
    }

    #[test]
    fn plain_names_need_no_quotes() {
        for name in ["users", "_a1"] {
            assert_eq!(ident_if_needed(name), name);
        }
        for name in ["Users", "1a", "", "a-b", "ä", "a$"] {
            assert_eq!(ident_if_needed(name), ident(name));
        }
    }
}
