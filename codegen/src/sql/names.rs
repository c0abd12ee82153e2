//! Names of objects, and their default names in PostgreSQL and Prisma.

use std::borrow::Cow;
use std::fmt;

/// The extension of Citus, which migrations create and never drop: without it, Citus would forget its servers.
pub(super) const CITUS: &str = "citus";

/// The name of a table, type or sequence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    /// The schema; `None` for the connection's default schema.
    pub schema: Option<String>,
    /// The name in the schema.
    pub name: String,
}

impl ObjectName {
    /// Creates a name. Without a schema, it belongs to the connection's default schema.
    pub fn new(schema: Option<&str>, name: &str) -> Self {
        Self { schema: schema.map(str::to_owned), name: name.to_owned() }
    }

    /// Returns the name as PostgreSQL prints it.
    pub fn printed(&self) -> String {
        let printed = relata_pgsql::ident_if_needed;
        match &self.schema {
            Some(schema) => format!("{}.{}", printed(schema), printed(&self.name)),
            None => printed(&self.name),
        }
    }

    /// Returns another name in the same schema.
    pub fn sibling(&self, name: &str) -> Self {
        Self::new(self.schema.as_deref(), name)
    }
}

/// Formats the name for people: `users` or `shop.users`. `quote` writes SQL.
impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}.")?;
        }
        f.write_str(&self.name)
    }
}

/// The maximum length of a name in bytes; PostgreSQL truncates longer ones.
pub const MAX_NAME: usize = 63;

/// Returns the longest prefix of a name with at most this many bytes.
pub(super) fn clip(name: &str, length: usize) -> &str {
    let mut end = length.min(name.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

/// The bytes of a name in the name of a helper object, which has a suffix such as `__required`.
const MAX_STEM: usize = 50;

/// Returns a name that is short enough for the suffix of a helper object. The end of a long name is replaced by a hash, so
/// that names with the same beginning stay different.
pub(super) fn stem(name: &str) -> Cow<'_, str> {
    if name.len() <= MAX_STEM {
        return Cow::Borrowed(name);
    }
    // FNV-1a: the same in every version of this compiler, because an interrupted migration knows the name.
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    Cow::Owned(format!("{}_{hash:08x}", clip(name, MAX_STEM - 9)))
}

/// Returns a name with its suffix, truncated before the suffix if it is too long.
pub fn clipped(name: &str, suffix: &str) -> String {
    format!("{}{suffix}", clip(name, MAX_NAME - suffix.len()))
}

/// Returns how `Column::used_by` names a generated column whose expression contains the column.
pub fn generated_column(table: &ObjectName, column: &str) -> String {
    format!("generated column {table}.{column}")
}

/// Returns the sequence that PostgreSQL creates for a serial column: `{table}_{column}_seq`, in which the longer of the
/// two names is truncated.
pub fn sequence_name(table: &ObjectName, column: &str) -> ObjectName {
    labelled(table, column, "seq")
}

/// Like [`sequence_name`], but avoids taken names: PostgreSQL tries `{table}_{column}_seq1` and so on.
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
