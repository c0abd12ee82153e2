//! Names of objects, and the default names that PostgreSQL and Prisma give to them.

use std::fmt;

/// The name of a table, type or sequence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    /// The schema; none is the connection's default one.
    pub schema: Option<String>,
    /// The name in it.
    pub name: String,
}

impl ObjectName {
    /// A name in a schema; none is the connection's default one.
    pub fn new(schema: Option<&str>, name: &str) -> Self {
        Self { schema: schema.map(str::to_owned), name: name.to_owned() }
    }

    /// Another name in the same schema.
    pub fn sibling(&self, name: &str) -> Self {
        Self::new(self.schema.as_deref(), name)
    }
}

/// As a person reads it: `users` or `shop.users`. SQL is written by `quote`.
impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}.")?;
        }
        f.write_str(&self.name)
    }
}

/// The length of a name in bytes; PostgreSQL cuts what is longer.
pub const MAX_NAME: usize = 63;

/// The longest start of a name that fits into so many bytes.
pub(super) fn clip(name: &str, length: usize) -> &str {
    let mut end = length.min(name.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

/// A name with its suffix, cut before the suffix if it is too long.
pub fn clipped(name: &str, suffix: &str) -> String {
    format!("{}{suffix}", clip(name, MAX_NAME - suffix.len()))
}

/// The sequence that PostgreSQL makes for a serial column: `{table}_{column}_seq`, where the longer
/// of the two is cut until all fits.
pub fn sequence_name(table: &ObjectName, column: &str) -> ObjectName {
    labelled(table, column, "seq")
}

/// The same while the name is taken: PostgreSQL tries `{table}_{column}_seq1` and so on.
pub(super) fn free_sequence_name(
    table: &ObjectName,
    column: &str,
    is_taken: impl Fn(&ObjectName) -> bool,
) -> ObjectName {
    let mut name = sequence_name(table, column);
    let mut number = 0_usize;
    while is_taken(&name) {
        number += 1;
        name = labelled(table, column, &format!("seq{number}"));
    }
    name
}

fn labelled(table: &ObjectName, column: &str, label: &str) -> ObjectName {
    let room = MAX_NAME - "__".len() - label.len();
    let (mut left, mut right) = (table.name.len(), column.len());
    while left + right > room {
        if left > right {
            left -= 1;
        } else {
            right -= 1;
        }
    }
    table.sibling(&format!("{}_{}_{label}", clip(&table.name, left), clip(column, right)))
}

#[cfg(test)]
mod tests {
    use super::{ObjectName, sequence_name};

    #[test]
    fn sequences_are_called_as_postgresql_calls_them() {
        let table = ObjectName::new(Some("shop"), "User");
        assert_eq!(sequence_name(&table, "id"), ObjectName::new(Some("shop"), "User_id_seq"));
        let long = ObjectName::new(None, &"t".repeat(63));
        assert_eq!(sequence_name(&long, "id").name, format!("{}_id_seq", "t".repeat(56)));
        let wide = ObjectName::new(None, &"é".repeat(31));
        assert_eq!(sequence_name(&wide, &"c".repeat(63)).name.len(), 62);
    }
}
