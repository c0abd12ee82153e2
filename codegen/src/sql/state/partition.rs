//! Partition keys, as far as a schema can express them.

use std::fmt;

use relata_pgsql::{TokenKind, ident};

use super::{ObjectName, TableOptions};
use crate::ir::PartitionMethod;

/// A partition key of columns, as a schema has it. PostgreSQL also allows expressions, collations and operator classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionKey {
    /// What the partitions are for.
    pub method: PartitionMethod,
    /// The columns, in the order of the key.
    pub columns: Vec<String>,
}

impl PartitionKey {
    /// Parses `RANGE (created_at)`, as `pg_get_partkeydef` prints it. Returns `None` for a key that a schema cannot
    /// express.
    pub fn parse(sql: &str) -> Option<Self> {
        let mut tokens = relata_pgsql::tokens(sql);
        let first = tokens.next()?;
        let methods = [PartitionMethod::Range, PartitionMethod::List, PartitionMethod::Hash];
        let method = methods.into_iter().find(|method| first.is_word(sql, method.keyword()))?;
        tokens.next().filter(|token| token.is_punctuation(sql, "("))?;
        let mut columns = Vec::new();
        loop {
            let name = tokens.next()?;
            if !matches!(name.kind, TokenKind::Word | TokenKind::QuotedIdent) {
                return None;
            }
            columns.push(name.value(sql).into_owned());
            let mark = tokens.next()?;
            if mark.is_punctuation(sql, ")") {
                return tokens.next().is_none().then_some(PartitionKey { method, columns });
            }
            if !mark.is_punctuation(sql, ",") {
                return None;
            }
        }
    }
}

/// `RANGE ("created_at")`.
impl fmt::Display for PartitionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<_> = self.columns.iter().map(|column| ident(column)).collect();
        write!(f, "{} ({})", self.method.keyword(), columns.join(", "))
    }
}

impl TableOptions {
    /// Returns the partition key that a schema can express; `None` also if the table is not partitioned.
    pub fn partition_key(&self) -> Option<PartitionKey> {
        self.partition_by.as_deref().and_then(PartitionKey::parse)
    }

    /// Returns whether two tables are partitioned in the same way, however it is written.
    pub(in crate::sql) fn is_partitioned_like(&self, other: &Self) -> bool {
        match (&self.partition_by, &other.partition_by) {
            (Some(a), Some(b)) if a != b => self.partition_key().is_some_and(|key| Some(key) == other.partition_key()),
            (a, b) => a == b,
        }
    }
}

/// Returns what PostgreSQL cannot do about a difference, and how to do it by hand.
pub(in crate::sql) fn repartitioned(table: &ObjectName, previous: &TableOptions, next: &TableOptions) -> String {
    match (&previous.partition_by, &next.partition_by) {
        (None, Some(by)) => format!("table {table} becomes partitioned by {by}"),
        (Some(by), None) => format!("table {table} is no longer partitioned by {by}"),
        (previous, next) => format!(
            "table {table} is partitioned by {} instead of {}",
            next.as_deref().unwrap_or_default(),
            previous.as_deref().unwrap_or_default()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::PartitionKey;

    #[test]
    fn a_key_of_columns_is_parsed_however_it_is_quoted() {
        let parse = |sql| PartitionKey::parse(sql).map(|key| key.to_string());
        assert_eq!(parse("RANGE (created_at)").as_deref(), Some("RANGE (\"created_at\")"));
        assert_eq!(parse("HASH (a, \"B c\")").as_deref(), Some("HASH (\"a\", \"B c\")"));
        for beyond in ["RANGE (lower(a))", "RANGE (a text_pattern_ops)", "LIST (a COLLATE \"C\")", "RANGE ((a + 1))"] {
            assert_eq!(parse(beyond), None, "{beyond}");
        }
    }
}
