//! Indexes as SQL, and what their text shares with that of tables.

use super::quote::{ident, ident_list, qualified};
use super::state::{Index, IndexPart, IndexTarget, ObjectName};
use crate::ir::{IndexMethod, SortOrder};

/// Returns the statement that creates an index. `how` follows `INDEX`.
pub(super) fn create_index(table: &ObjectName, index: &Index, how: &str) -> String {
    let unique = if index.unique { "UNIQUE " } else { "" };
    let method = match index.method {
        IndexMethod::BTree => String::new(),
        other => format!(" USING {}", method(other)),
    };
    let parts: Vec<_> = index.parts.iter().map(index_part).collect();
    let only = if index.only { "ONLY " } else { "" };
    let mut sql = format!(
        "CREATE {unique}INDEX{how} {} ON {only}{}{method} ({})",
        ident(&index.name),
        qualified(table),
        parts.join(", ")
    );
    if !index.include.is_empty() {
        sql += &format!(" INCLUDE ({})", ident_list(&index.include));
    }
    if index.nulls_not_distinct {
        sql += " NULLS NOT DISTINCT";
    }
    sql += &storage(&index.storage);
    if let Some(predicate) = &index.predicate {
        sql += &format!(" WHERE {}", embed(predicate));
    }
    sql
}

/// Returns the name of an access method.
pub(super) fn method(method: IndexMethod) -> &'static str {
    match method {
        IndexMethod::BTree => "BTREE",
        IndexMethod::Hash => "HASH",
        IndexMethod::Gin => "GIN",
        IndexMethod::Gist => "GIST",
        IndexMethod::SpGist => "SPGIST",
        IndexMethod::Brin => "BRIN",
        IndexMethod::Hnsw => "hnsw",
        IndexMethod::IvfFlat => "ivfflat",
    }
}

/// Returns a part of an index.
pub(super) fn index_part(part: &IndexPart) -> String {
    let mut sql = match &part.target {
        IndexTarget::Column(name) => ident(name),
        IndexTarget::Expression(expression) => format!("({})", embed(expression)),
    };
    if let Some(collation) = &part.collation {
        sql += &format!(" COLLATE {collation}");
    }
    // The default operator class has to be named if it has parameters.
    let class = part.operator_class.as_ref().or(part.default_class.as_ref().filter(|_| !part.class_options.is_empty()));
    if let Some(class) = class {
        sql += &format!(" {class}");
    }
    if !part.class_options.is_empty() {
        sql += &format!(" ({})", part.class_options.join(", "));
    }
    let is_descending = part.sort == SortOrder::Desc;
    if is_descending {
        sql += " DESC";
    }
    if part.nulls_first != is_descending {
        sql += if part.nulls_first { " NULLS FIRST" } else { " NULLS LAST" };
    }
    sql
}

/// Returns an expression from the user such that a comment at its end cannot hide the following text.
pub(super) fn embed(sql: &str) -> String {
    let sql = sql.trim();
    if sql.contains("--") { format!("{sql}\n") } else { sql.to_owned() }
}

/// Returns the clause of storage parameters.
pub(super) fn storage(parameters: &[String]) -> String {
    if parameters.is_empty() { String::new() } else { format!(" WITH ({})", parameters.join(", ")) }
}
