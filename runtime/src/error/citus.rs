//! Violations that a server of Citus reports. Citus passes on only the message, in which the names of tables and
//! constraints end with the number of a shard: `users_email_key_102026`.

use crate::meta::Table;

/// Returns the constraint that the message names, and its table: one of this table, or of a table that references it.
pub(super) fn constraint(message: &str, table: &'static Table) -> Option<(&'static Table, &'static str)> {
    if !table.is_on_citus {
        return None;
    }
    let tables = std::iter::once(table).chain(table.relations.iter().map(|relation| relation.child));
    let known = tables.flat_map(|table| table.constraints.iter().map(move |known| (table, known.name)));
    // A name can begin with another one.
    known.filter(|(_, name)| names_shard_of(message, name)).max_by_key(|(_, name)| name.len())
}

/// Returns the column without a value that the message names.
pub(super) fn column(message: &str, table: &'static Table) -> Option<&'static str> {
    let is_named = |name: &&'static str| message.contains(&format!("\"{name}\""));
    table.columns.iter().map(|column| column.name).find(is_named).filter(|_| table.is_on_citus)
}

/// Returns whether the message contains the name with the number of a shard, as a whole.
fn names_shard_of(message: &str, name: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    message.match_indices(name).any(|(at, _)| {
        let rest = message[at + name.len()..].strip_prefix('_').unwrap_or_default();
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        digits > 0 && !rest[digits..].starts_with(is_part) && !message[..at].ends_with(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_with_the_number_of_a_shard() {
        let message = "duplicate key value violates unique constraint \"users_email_key_102026\"";
        assert!(names_shard_of(message, "users_email_key"));
        assert!(!names_shard_of(message, "users_email"));
        assert!(!names_shard_of(message, "email_key"));
        assert!(!names_shard_of("violates \"users_email_key\"", "users_email_key"));
    }
}
