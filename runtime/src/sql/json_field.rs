//! Values inside a Json column, at places that the schema knows: conditions, sort keys and changes as SQL.
//!
//! The keys are those of the schema, so they are part of the text: an index on the same expression can be used.

use super::pass::Pass;
use super::write::TABLE;
use super::writer::{Alias, Writer};
use crate::meta::Column;
use crate::query::{JsonChange, JsonFieldTest, JsonKind, JsonPlace};
use crate::value::Param;

impl<P: Pass> Writer<'_, P> {
    /// Writes a condition.
    pub(super) fn push_json_field_test(
        &mut self,
        place: JsonPlace,
        test: &JsonFieldTest,
        column: &Column,
        alias: Alias,
    ) {
        self.word(18 | (test.word() << 8));
        self.push_json_shape(place);
        match test {
            JsonFieldTest::Compare(operator, value) => {
                self.push_json_field(place, column, alias);
                self.push(operator.sql());
                self.push_json_operand(place.kind, value.clone(), false);
            }
            JsonFieldTest::In(values) => {
                self.push_json_field(place, column, alias);
                self.push(" = ANY(");
                self.push_json_operand(place.kind, values.clone(), true);
                self.push(")");
            }
            JsonFieldTest::IsNull => {
                self.push_json_path(place.path, true, column, alias);
                self.push(" IS NULL");
            }
            JsonFieldTest::Like { pattern, insensitive } => {
                self.push_json_path(place.path, true, column, alias);
                self.push(if *insensitive { " ILIKE " } else { " LIKE " });
                self.push_param(pattern.clone());
            }
            JsonFieldTest::HasEvery(list) => {
                self.push_json_path(place.path, false, column, alias);
                self.push(" @> ");
                self.push_json_operand(JsonKind::Json, list.clone(), false);
            }
            JsonFieldTest::HasSome(lists) => {
                self.push_json_path(place.path, false, column, alias);
                self.push(" @> ANY(");
                self.push_json_operand(JsonKind::Json, lists.clone(), true);
                self.push(")");
            }
            JsonFieldTest::IsEmpty => {
                self.push("coalesce(nullif(");
                self.push_json_path(place.path, false, column, alias);
                self.push(", 'null'), '[]') = '[]'");
            }
        }
    }

    /// Adds the place to the shape. The text of its path never changes, so its address and length identify it.
    pub(super) fn push_json_shape(&mut self, place: JsonPlace) {
        self.word(place.path.as_ptr().addr());
        self.word(place.path.len() << 8 | place.kind as usize);
        self.word(usize::from(place.column));
    }

    /// Writes a value such that it can be compared: SQL's null if it is missing or JSON's null.
    pub(super) fn push_json_field(&mut self, place: JsonPlace, column: &Column, alias: Alias) {
        if place.kind == JsonKind::Json {
            self.push("nullif(");
            self.push_json_path(place.path, false, column, alias);
            return self.push(", 'null')");
        }
        self.push_json_path(place.path, true, column, alias);
        if let Some(ty) = place.kind.cast() {
            self.push_casts([ty]);
        }
    }

    /// Writes a value as JSON.
    pub(super) fn push_json_value(&mut self, place: JsonPlace, column: &Column, alias: Alias) {
        self.push_json_path(place.path, false, column, alias);
    }

    /// Writes a parameter, or a list of them, to compare with a value.
    fn push_json_operand(&mut self, kind: JsonKind, value: Param, is_list: bool) {
        self.push_param(value);
        let first = if kind == JsonKind::Json { "jsonb" } else { "text" };
        for ty in [first].into_iter().chain(kind.cast()) {
            self.push_casts([ty]);
            self.push(if is_list { "[]" } else { "" });
        }
    }

    /// Writes `(t0."address" -> 'geo' ->> 'city')`.
    fn push_json_path(&mut self, path: &[&str], as_text: bool, column: &Column, alias: Alias) {
        self.push("(");
        self.push_comparable(alias, column);
        for (index, key) in path.iter().enumerate() {
            let is_last = index + 1 == path.len();
            self.push(if as_text && is_last { " ->> " } else { " -> " });
            self.push_literal(key);
        }
        self.push(")");
    }

    fn push_literal(&mut self, text: &str) {
        if P::IS_TEXT {
            self.push(&relata_pgsql::literal(text));
        }
    }

    /// Writes the value of a column with changes in it.
    pub(super) fn push_json_changes(&mut self, column: &Column, changes: &[JsonChange]) {
        let (set, removed): (Vec<_>, Vec<_>) = changes.iter().partition(|change| change.value.is_some());
        let casts = column.domain || column.sql_type != "jsonb";
        self.push(if casts { "(" } else { "" });
        if set.is_empty() {
            // Nothing can be removed from what is no object.
            self.push("CASE jsonb_typeof(");
            self.push_json_path(&[], false, column, TABLE);
            self.push(") WHEN 'object' THEN ");
            self.push_json_path(&[], false, column, TABLE);
        } else {
            self.push_json_set(column, &[], &set);
        }
        for change in removed {
            self.push(" #- ");
            self.push_json_keys(change.path);
        }
        if set.is_empty() {
            self.push(" ELSE ");
            self.push_json_path(&[], false, column, TABLE);
            self.push(" END");
        }
        if casts {
            self.push(")");
            self.push_casts([column.sql_type]);
        }
    }

    /// Writes `jsonb_set(jsonb_set(object, ARRAY['zip'], $1), ..)` for the object at `path`, with changes inside. An
    /// object that is missing, or something else in its place, is created.
    fn push_json_set(&mut self, column: &Column, path: &[&str], changes: &[&JsonChange]) {
        let mut keys: Vec<&str> = Vec::new();
        for key in changes.iter().filter_map(|change| change.path.get(path.len())) {
            if !keys.contains(key) {
                keys.push(key);
            }
        }
        keys.iter().for_each(|_| self.push("jsonb_set("));
        self.push_json_object(column, path);
        for key in keys {
            self.push(", ");
            self.push_json_keys(&[key]);
            self.push(", ");
            let inside = changes.iter().filter(|change| change.path.get(path.len()) == Some(&key));
            let inside: Vec<&JsonChange> = inside.copied().collect();
            match inside.as_slice() {
                [JsonChange { path: whole, value: Some(value) }] if whole.len() == path.len() + 1 => {
                    self.push_json_operand(JsonKind::Json, value.clone(), false);
                }
                _ => self.push_json_set(column, &[path, &[key]].concat(), &inside),
            }
            self.push(")");
        }
    }

    /// Writes the object at a path, or an empty one.
    fn push_json_object(&mut self, column: &Column, path: &[&str]) {
        self.push("CASE jsonb_typeof(");
        self.push_json_path(path, false, column, TABLE);
        self.push(") WHEN 'object' THEN ");
        self.push_json_path(path, false, column, TABLE);
        self.push(" ELSE '{}' END");
    }

    /// Writes `ARRAY['geo', 'lat']`.
    fn push_json_keys(&mut self, keys: &[&str]) {
        self.push("ARRAY[");
        for (index, key) in keys.iter().enumerate() {
            self.push(if index > 0 { ", " } else { "" });
            self.push_literal(key);
        }
        self.push("]");
    }
}
