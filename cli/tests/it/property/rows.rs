//! Rows for a sketch, and what has to be left of them after an edit.

use std::collections::{BTreeMap, BTreeSet};

use relata_codegen::sql::quote::{ident, literal};

use super::sketch::{Arity, Field, Kind, Model, Sketch};

/// Rows of each table.
const ROWS: usize = 3;

/// The values of a column by the key of their row; None is NULL.
pub(super) type Values = BTreeMap<String, Option<String>>;

/// Statements that fill the tables. Foreign keys are not asked while they run, but hold afterwards.
pub(super) fn inserts(sketch: &Sketch) -> String {
    let mut sql = String::new();
    let filled = filled(sketch);
    let is_filled = |id: usize| filled.contains(&id);
    for model in sketch.models.iter().filter(|model| is_filled(model.id)) {
        let written = || model.fields.iter().filter(|field| field.generated.is_none());
        let columns: Vec<String> = written().map(|field| ident(&field.db)).collect();
        for row in 0..ROWS {
            let is_empty = |field: &Field| field.kind.target().is_some_and(|target| !is_filled(target));
            let value = |field: &Field| match is_empty(field) && field.arity == Arity::Optional {
                true => "NULL".to_owned(),
                false => value(sketch, model, field, row),
            };
            let is_possible = |field: &Field| !is_empty(field) || field.arity == Arity::Optional;
            if model.fields.iter().all(is_possible) {
                let values: Vec<String> = written().map(value).collect();
                sql += &format!(
                    "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({});\n",
                    sketch.table(model),
                    columns.join(", "),
                    values.join(", ")
                );
            }
        }
    }
    format!("SET session_replication_role = replica;\n{sql}SET session_replication_role = origin;\n")
}

/// The models whose tables have rows. Every seventh table stays empty, and what has to point at one of them.
fn filled(sketch: &Sketch) -> BTreeSet<usize> {
    let mut filled: BTreeSet<usize> = sketch.models.iter().map(|it| it.id).filter(|id| !id.is_multiple_of(7)).collect();
    loop {
        let is_missing = |field: &Field| field.kind.target().is_some_and(|target| !filled.contains(&target));
        let is_empty = |model: &&Model| {
            filled.contains(&model.id) && model.fields.iter().any(|it| is_missing(it) && it.arity != Arity::Optional)
        };
        let Some(empty) = sketch.models.iter().find(is_empty).map(|model| model.id) else { return filled };
        filled.remove(&empty);
    }
}

fn value(sketch: &Sketch, model: &Model, field: &Field, row: usize) -> String {
    // Both fields of a link point at the same row, or at none.
    let link = model.links.iter().find(|link| link.second == Some(field.id));
    let first = link.and_then(|link| model.field(link.field)).unwrap_or(field);
    let is_null = (first.id + row).is_multiple_of(4) && (first.arity == Arity::Optional || first.id != field.id);
    if field.arity == Arity::Optional && is_null {
        return "NULL".to_owned();
    }
    // Rows of one value each, unless a key forbids it, so that new keys find duplicates.
    let distinct = model.is_distinct(first) || model.is_distinct(field) || !first.id.is_multiple_of(5);
    let row = if distinct { row } else { 0 };
    let target = field.kind.target().and_then(|target| sketch.model(target));
    let one = match (field.kind, target) {
        (Kind::SecondOf(_), Some(target)) => match target.second_key.and_then(|id| target.field(id)) {
            Some(second) => value(sketch, target, second, row),
            None => scalar(sketch, field, row),
        },
        (_, Some(target)) => scalar(sketch, &target.fields[0], row),
        (_, None) => scalar(sketch, field, row),
    };
    match field.arity {
        Arity::List => format!("ARRAY[{one}, {one}]::{}[]", sketch.sql_type(field.kind)),
        _ => one,
    }
}

/// Statements that create the partitions of a schema's tables.
pub(super) fn partitions(sketch: &Sketch) -> String {
    let mut sql = String::new();
    for model in &sketch.models {
        let (Some(partition), Some(field)) = (model.partition, model.partition_field()) else { continue };
        let one = value(sketch, model, field, 1);
        let bounds = match partition.method {
            "Range" => [format!("FOR VALUES FROM (MINVALUE) TO ({one})"), "DEFAULT".to_owned()],
            "List" => [format!("FOR VALUES IN ({one})"), "DEFAULT".to_owned()],
            _ => [0, 1].map(|rest| format!("FOR VALUES WITH (MODULUS 2, REMAINDER {rest})")),
        };
        for (at, bound) in bounds.iter().enumerate() {
            let part = sketch.path(model.schema, &format!("part{}_{at}", model.id));
            sql += &format!("CREATE TABLE {part} PARTITION OF {} {bound};\n", sketch.table(model));
        }
    }
    sql
}

fn scalar(sketch: &Sketch, field: &Field, row: usize) -> String {
    let number = field.id % 10 * 3 + row;
    match field.kind {
        Kind::SmallInt | Kind::Int | Kind::BigInt => number.to_string(),
        Kind::KeyOf(_) | Kind::OtherWidthOf(_) | Kind::SecondOf(_) => number.to_string(),
        Kind::Composite(id) => {
            let attributes = sketch.composite(id).map_or(&[][..], |it| &it.attributes);
            let values = attributes
                .iter()
                .map(|(id, kind)| scalar(sketch, &Field { id: *id, kind: *kind, ..field.clone() }, row));
            format!("ROW({})::{}", values.collect::<Vec<_>>().join(", "), sketch.composite_path(id))
        }
        Kind::Float | Kind::Price => format!("{number}.5"),
        Kind::Decimal => format!("{number}.125"),
        Kind::Bool => (row.is_multiple_of(2)).to_string(),
        // Half of the texts read as numbers.
        Kind::Text | Kind::Word | Kind::Citext if field.id.is_multiple_of(2) => format!("'{number}'"),
        Kind::Text | Kind::Word | Kind::Citext => literal(&format!("wörd's {number}")),
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
pub(super) fn query(sketch: &Sketch, model: &Model, field: &Field) -> String {
    format!("SELECT {}::text, {}::text FROM {}", ident(&model.fields[0].db), ident(&field.db), sketch.table(model))
}

/// What is missing or different, if the field was to keep its values.
pub(super) fn compare(ends: [(&Sketch, &Field); 2], values: [&Values; 2]) -> Option<String> {
    let [(old, before), (new, after)] = ends;
    let (from, to) = (old.value_kind(before.kind), new.value_kind(after.kind));
    let is_retyped = from != to || (before.arity == Arity::List) != (after.arity == Arity::List);
    // Bytes and rows have another text than what they are made of.
    let is_odd = |kind: Kind| matches!(kind, Kind::Bytes | Kind::Composite(_));
    if is_retyped && (is_odd(from) || is_odd(to)) {
        return None;
    }
    // Attributes come and go, and what is computed follows its expression.
    let attributes = |sketch: &Sketch, kind: Kind| match kind {
        Kind::Composite(id) => sketch.composite(id).map(|it| it.attributes.clone()),
        _ => None,
    };
    let has_labels = attributes(new, to).iter().flatten().any(|(_, kind)| matches!(kind, Kind::Enum(_)));
    if after.generated.is_some() || has_labels || attributes(old, from) != attributes(new, to) {
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
