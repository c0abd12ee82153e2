//! Names of objects as SQL.

pub use relata_pgsql::{ident, literal};

use super::names::ObjectName;

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

#[cfg(test)]
mod tests {
    use super::qualified;
    use crate::sql::ObjectName;

    #[test]
    fn a_schema_stands_before_its_name() {
        assert_eq!(qualified(&ObjectName::new(Some("s"), "t")), "\"s\".\"t\"");
        assert_eq!(qualified(&ObjectName::new(None, "t")), "\"t\"");
    }
}
