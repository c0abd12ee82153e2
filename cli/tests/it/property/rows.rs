//! Rows for a sketch, and what has to be left of them after an edit.

use std::collections::BTreeMap;

use relata_codegen::sql::quote::{ident, literal};

use super::sketch::{Arity, Field, Kind, Model, Sketch};

/// Rows of each table.
const ROWS: usize = 3;

/// The values of a column by the key of their row; None is NULL.
pub(super) type Values = BTreeMap<String, Option<String>>;

/// Statements that fill the tables. Foreign keys are not asked while they run, but hold afterwards.
pub(super) fn inserts(sketch: &Sketch) -> String {
    let mut sql = String::new();
    // Every seventh table stays empty; links into it would point at nothing.
    let is_filled = |id: usize| !id.is_multiple_of(7);
    for model in sketch.models.iter().filter(|model| is_filled(model.id)) {
        let columns: Vec<String> = model.fields.iter().map(|field| ident(&field.db)).collect();
        for row in 0..ROWS {
            let value = |field: &Field| match field.kind {
                Kind::KeyOf(target) if !is_filled(target) && field.arity == Arity::Optional => "NULL".to_owned(),
                _ => value(sketch, model, field, row),
            };
            let is_possible = |field: &Field| {
                !matches!(field.kind, Kind::KeyOf(target) if !is_filled(target)) || field.arity == Arity::Optional
            };
            if model.fields.iter().all(is_possible) {
                let values: Vec<String> = model.fields.iter().map(value).collect();
                sql += &format!(
                    "INSERT INTO {} ({}) VALUES ({});\n",
                    ident(&model.db),
                    columns.join(", "),
                    values.join(", ")
                );
            }
        }
    }
    format!("SET session_replication_role = replica;\n{sql}SET session_replication_role = origin;\n")
}

fn value(sketch: &Sketch, model: &Model, field: &Field, row: usize) -> String {
    if field.arity == Arity::Optional && (field.id + row).is_multiple_of(4) {
        return "NULL".to_owned();
    }
    // Rows of one value each, unless a key forbids it, so that new keys find duplicates.
    let distinct = model.is_distinct(field) || !field.id.is_multiple_of(5);
    let row = if distinct { row } else { 0 };
    let one = match field.kind {
        Kind::KeyOf(target) => match sketch.model(target) {
            Some(model) => scalar(sketch, &model.fields[0], row),
            None => scalar(sketch, field, row),
        },
        _ => scalar(sketch, field, row),
    };
    match field.arity {
        Arity::List => format!("ARRAY[{one}, {one}]::{}[]", type_of(sketch, field.kind)),
        _ => one,
    }
}

fn type_of(sketch: &Sketch, kind: Kind) -> String {
    match kind {
        Kind::SmallInt => "smallint",
        Kind::Int => "int",
        Kind::BigInt => "bigint",
        Kind::Float => "double precision",
        Kind::Decimal | Kind::Price => "numeric",
        Kind::Bool => "boolean",
        Kind::Text | Kind::KeyOf(_) => "text",
        Kind::Word => "varchar",
        Kind::Uuid => "uuid",
        Kind::Time => "timestamp",
        Kind::Zoned => "timestamptz",
        Kind::Day => "date",
        Kind::Json => "jsonb",
        Kind::Bytes => "bytea",
        Kind::Enum(id) => return sketch.enums.iter().find(|it| it.id == id).map_or(String::new(), |it| ident(&it.db)),
    }
    .to_owned()
}

fn scalar(sketch: &Sketch, field: &Field, row: usize) -> String {
    let number = field.id % 10 * 3 + row;
    match field.kind {
        Kind::SmallInt | Kind::Int | Kind::BigInt | Kind::KeyOf(_) => number.to_string(),
        Kind::Float | Kind::Price => format!("{number}.5"),
        Kind::Decimal => format!("{number}.125"),
        Kind::Bool => (row.is_multiple_of(2)).to_string(),
        // Half of the texts read as numbers.
        Kind::Text | Kind::Word if field.id.is_multiple_of(2) => format!("'{number}'"),
        Kind::Text | Kind::Word => literal(&format!("wörd's {number}")),
        Kind::Uuid => format!("'00000000-0000-4000-8000-0000000000{number:02}'"),
        Kind::Time | Kind::Zoned => format!("'2026-01-{:02} 10:00:00.5'", number % 28 + 1),
        Kind::Day => format!("'2026-01-{:02}'", number % 28 + 1),
        Kind::Json => format!("'{{\"a\": {number}}}'"),
        Kind::Bytes => format!("'\\x{number:02}'"),
        Kind::Enum(id) => {
            let labels = sketch.enums.iter().find(|it| it.id == id).map_or(&[][..], |it| &it.labels);
            labels.get(row % labels.len().max(1)).map_or("NULL".to_owned(), |label| literal(&label.2))
        }
    }
}

/// The query for a column's values by their rows.
pub(super) fn query(model: &Model, field: &Field) -> String {
    format!("SELECT {}::text, {}::text FROM {}", ident(&model.fields[0].db), ident(&field.db), ident(&model.db))
}

/// What is missing or different, if the field was to keep its values.
pub(super) fn compare(ends: [(&Sketch, &Field); 2], values: [&Values; 2]) -> Option<String> {
    let [(old, before), (new, after)] = ends;
    let (from, to) = (old.value_kind(before.kind), new.value_kind(after.kind));
    let is_retyped = from != to || (before.arity == Arity::List) != (after.arity == Arity::List);
    // Bytes have another text than what they are made of.
    if is_retyped && (from == Kind::Bytes || to == Kind::Bytes) {
        return None;
    }
    if values[0].len() != values[1].len() {
        return Some(format!("{} rows became {}", values[0].len(), values[1].len()));
    }
    for (key, value) in values[0] {
        let Some(now) = values[1].get(key) else { return Some(format!("row {key} is gone")) };
        let is_kept = match (value, now) {
            (Some(value), Some(now)) => {
                let value = translate([old, new], from, value);
                if is_retyped { plain(&value) == plain(now) } else { value == translate([new, new], to, now) }
            }
            (None, None) => true,
            (None, Some(_)) => after.arity == Arity::Required,
            (Some(_), None) => false,
        };
        if !is_kept {
            return Some(format!("row {key}: {value:?} became {now:?}"));
        }
    }
    None
}

/// Labels as the enum calls them on the other side.
fn translate([old, new]: [&Sketch; 2], kind: Kind, text: &str) -> String {
    let Kind::Enum(id) = kind else { return text.to_owned() };
    let labels =
        |sketch: &Sketch| sketch.enums.iter().find(|it| it.id == id).map_or_else(Vec::new, |it| it.labels.clone());
    let (before, after) = (labels(old), labels(new));
    let label = |part: &str| {
        let part = part.trim_matches('"').replace("\\\"", "\"");
        let found = before.iter().find(|it| it.2 == part).and_then(|it| after.iter().find(|other| other.0 == it.0));
        found.map_or(part, |it| it.2.clone())
    };
    match text.strip_prefix('{').and_then(|it| it.strip_suffix('}')) {
        Some(list) => format!("{{{}}}", list.split(',').map(label).collect::<Vec<_>>().join(",")),
        None => label(text),
    }
}

/// A value as every type that can hold it prints it.
fn plain(text: &str) -> String {
    let text = match text.strip_prefix("{\"").and_then(|it| it.strip_suffix("\"}")) {
        // The first of a list that needs quotes.
        Some(list) => list.split("\",\"").next().unwrap_or_default().replace("\\\"", "\""),
        None => text.to_owned(),
    };
    let text = text.trim_start_matches('{').trim_end_matches('}');
    let text = text.split(',').next().unwrap_or_default().trim_matches('"');
    let text = text.strip_suffix("+00").unwrap_or(text);
    let text = text.strip_suffix(" 00:00:00").unwrap_or(text);
    let text = match text {
        "true" | "t" => "1",
        "false" | "f" => "0",
        other => other,
    };
    let is_number = text.parse::<f64>().is_ok() && text.contains('.');
    if is_number { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
}
