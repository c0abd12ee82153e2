//! Conditions on the inside of a value: Json, and full-text search in texts.

use serde_json::Value as Json;

use super::pass::Pass;
use super::writer::{Alias, Writer};
use crate::meta::{Column, Table};
use crate::query::{JsonTest, Operator, Search};
use crate::value::Param;

impl<P: Pass> Writer<'_, P> {
    pub(super) fn push_json_test(&mut self, column: &Column, path: Option<&Param>, test: &JsonTest, alias: Alias) {
        match test {
            JsonTest::Exists => {
                self.push_json(column, path, alias);
                self.push(" IS NOT NULL");
            }
            JsonTest::Compare(operator, value) => self.push_json_comparison(column, path, *operator, value, alias),
            JsonTest::Like { pattern, insensitive } => {
                self.push("(");
                self.push_json_kind(column, path, "string", alias);
                self.push(" AND ");
                self.push_json(column, path, alias);
                self.push(if *insensitive { " #>> '{}' ILIKE " } else { " #>> '{}' LIKE " });
                self.push_param(pattern.clone());
                self.push(")");
            }
            JsonTest::ArrayContains(values) => {
                self.push_json(column, path, alias);
                self.push(" @> ");
                self.push_param(values.clone());
            }
            JsonTest::ArrayStartsWith(value) => self.push_json_element(column, path, " -> 0 = ", value, alias),
            JsonTest::ArrayEndsWith(value) => self.push_json_element(column, path, " -> -1 = ", value, alias),
        }
    }

    /// The value at the path.
    fn push_json(&mut self, column: &Column, path: Option<&Param>, alias: Alias) {
        if path.is_some() {
            self.push("(");
        }
        self.push_column(alias, column);
        if column.sql_type == "json" {
            self.push("::jsonb");
        }
        if let Some(path) = path {
            self.push(" #> ");
            self.push_param(path.clone());
            self.push(")");
        }
    }

    fn push_json_kind(&mut self, column: &Column, path: Option<&Param>, kind: &str, alias: Alias) {
        self.push("jsonb_typeof(");
        self.push_json(column, path, alias);
        self.push(") = '");
        self.push(kind);
        self.push("'");
    }

    fn push_json_comparison(
        &mut self,
        column: &Column,
        path: Option<&Param>,
        operator: Operator,
        value: &Param,
        alias: Alias,
    ) {
        let of_any_kind = matches!(operator, Operator::Eq | Operator::Ne);
        if !of_any_kind {
            self.push("(");
            self.push_json_kind(column, path, kind(value), alias);
            self.push(" AND ");
        }
        self.push_json(column, path, alias);
        self.push(operator.sql());
        self.push_param(value.clone());
        self.push(if of_any_kind { "" } else { ")" });
    }

    /// Elements are accessed by number, and only arrays have numbers.
    fn push_json_element(&mut self, column: &Column, path: Option<&Param>, element: &str, value: &Param, alias: Alias) {
        self.push("(");
        self.push_json_kind(column, path, "array", alias);
        self.push(" AND ");
        self.push_json(column, path, alias);
        self.push(element);
        self.push_param(value.clone());
        self.push(")");
    }

    /// `to_tsvector(t0."text") @@ to_tsquery($1)`.
    pub(super) fn push_search(&mut self, search: &Search, table: &Table, alias: Alias) {
        self.push_document(search, table, alias);
        self.push(" @@ ");
        self.push_search_query(search);
    }

    pub(super) fn push_relevance(&mut self, search: &Search, table: &Table, alias: Alias) {
        self.push("ts_rank(");
        self.push_document(search, table, alias);
        self.push(", ");
        self.push_search_query(search);
        self.push(")");
    }

    fn push_document(&mut self, search: &Search, table: &Table, alias: Alias) {
        let column = &table.columns[usize::from(search.column)];
        if search.is_document {
            return self.push_column(alias, column);
        }
        self.push("to_tsvector(");
        self.push_language(search);
        self.push_text(alias, column);
        self.push(")");
    }

    fn push_search_query(&mut self, search: &Search) {
        self.push(if search.web { "websearch_to_tsquery(" } else { "to_tsquery(" });
        self.push_language(search);
        self.push_param(search.query.clone());
        self.push(")");
    }

    /// Writes a literal, because the planner compares it with that of an index.
    fn push_language(&mut self, search: &Search) {
        if let Some(language) = search.language {
            self.push(&relata_pgsql::literal(language));
            self.push("::regconfig, ");
        }
    }
}

/// Returns the kind as `jsonb_typeof` names it.
fn kind(value: &Param) -> &'static str {
    let Param::Json(value) = value else { return "null" };
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}
