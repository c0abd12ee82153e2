//! The one place where names and values become SQL.

use super::state::ObjectName;

/// `"name"`, with quotes inside doubled.
pub fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `"schema"."name"`, or `"name"` in the default schema.
pub fn qualified(name: &ObjectName) -> String {
    match &name.schema {
        Some(schema) => format!("{}.{}", ident(schema), ident(&name.name)),
        None => ident(&name.name),
    }
}

/// `"a", "b"`.
pub fn ident_list<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    names.into_iter().map(|name| ident(name)).collect::<Vec<_>>().join(", ")
}

/// `'text'`, with quotes inside doubled. A backslash is an ordinary character there, as
/// `standard_conforming_strings` has been on since PostgreSQL 9.1.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::{ident, literal, qualified};
    use crate::sql::ObjectName;

    #[test]
    fn quotes_inside_are_doubled() {
        assert_eq!(ident("a\"b"), "\"a\"\"b\"");
        assert_eq!(qualified(&ObjectName::new(Some("s"), "t")), "\"s\".\"t\"");
        assert_eq!(literal("it's \\"), "'it''s \\'");
    }
}
