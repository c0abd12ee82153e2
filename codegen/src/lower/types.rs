//! The types of fields.

use super::draft::{FieldType, SqlType};
use super::{Cx, Declared};
use crate::diagnostics::hints::type_hint;
use crate::diagnostics::{self as codes, Diagnostic, Edit, Span, did_you_mean};
use crate::ir::names::SCALAR_NAMES;
use crate::ir::{
    ColumnText, ColumnTextError, FieldId, ScalarType, TypeId, name_of_sql_type, sql_of_type_name, type_names,
};
use crate::syntax::Name;

/// Resolves the type of every field.
pub(super) fn resolve_types(cx: &mut Cx<'_, '_>) {
    for id in cx.field_ids() {
        let ty = resolve_type(cx, id);
        let field = cx.field_mut(id);
        field.ty = ty;
        if let Some(text) = &field.ast.ty.unsupported {
            field.sql_type = Some(SqlType { text: text.value.clone().into_owned(), named: false });
        } else if ty == FieldType::Unsupported {
            let arguments = field.ast.ty.arguments.map(|arguments| arguments.text);
            let text = sql_of_type_name(field.ast.ty.name.text, arguments);
            field.sql_type = text.map(|text| SqlType { text, named: true });
            check_arguments(cx, id);
        }
    }
}

fn resolve_type(cx: &mut Cx<'_, '_>, id: FieldId) -> FieldType {
    let field = cx.field(id).ast;
    if let Some(text) = &field.ty.unsupported {
        if let Err(error) = ColumnText::parse(&text.value) {
            report_unsupported(cx, text.span, &error);
        }
        return FieldType::Unsupported;
    }
    let name = field.ty.name.text;
    if let Some(scalar) = scalar_type(name) {
        return FieldType::Scalar(scalar);
    }
    match cx.declared.get(name) {
        Some(Declared::Model(model)) => FieldType::Model(*model),
        Some(Declared::Enum(id)) => FieldType::Enum(*id),
        Some(Declared::Type(ty)) => {
            let ty = *ty;
            json_column(cx, id, ty);
            FieldType::Scalar(ScalarType::Json)
        }
        None if sql_of_type_name(name, None).is_some() => FieldType::Unsupported,
        None => {
            if !field.broken {
                report_unknown_type(cx, field.ty.name);
            }
            FieldType::Unknown
        }
    }
}

/// Returns whether PostGIS has such a kind; `Z` and `M` after it are further dimensions.
fn is_kind_of_place(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let plain = lower.strip_suffix('m').unwrap_or(&lower);
    let plain = plain.strip_suffix('z').unwrap_or(plain);
    let kinds = [
        "geometry",
        "point",
        "linestring",
        "polygon",
        "multipoint",
        "multilinestring",
        "multipolygon",
        "geometrycollection",
        "circularstring",
        "compoundcurve",
        "curvepolygon",
        "multicurve",
        "multisurface",
        "polyhedralsurface",
        "triangle",
        "tin",
    ];
    kinds.contains(&plain)
}

/// Returns the highest number that PostgreSQL or pgvector accepts in a type.
fn most_of(name: &str) -> Option<u32> {
    Some(match name {
        "Vector" | "HalfVec" => 16_000,
        "SparseVec" => 1_000_000_000,
        "Bit" | "VarBit" => 83_886_080,
        "Interval" => 6,
        _ => return None,
    })
}

/// Checks the arguments of `Vector(3)` and `Geometry(Point, 4326)`.
fn check_arguments(cx: &mut Cx<'_, '_>, id: FieldId) {
    let ty = &cx.field(id).ast.ty;
    let Some(arguments) = ty.arguments else { return };
    let parts: Vec<&str> = arguments.text.split(',').map(str::trim).collect();
    let is_number = |text: &str, least: u32| text.parse::<u32>().is_ok_and(|number| number >= least);
    let (is_right, help) = match ty.name.text {
        "Geometry" | "Geography" => (
            parts.len() <= 2 && is_kind_of_place(parts[0]) && parts.get(1).is_none_or(|srid| is_number(srid, 0)),
            format!(
                "write the kind and the reference system, such as `{}(Point, 4326)`, or no arguments",
                ty.name.text
            ),
        ),
        name => {
            let least = u32::from(name != "Interval");
            let is_in = |most: u32| parts[0].parse::<u32>().is_ok_and(|number| number <= most);
            match most_of(name).filter(|most| parts.len() == 1 && is_number(parts[0], least) && !is_in(*most)) {
                Some(most) => (false, format!("PostgreSQL takes at most `{name}({most})`")),
                None => (
                    parts.len() == 1 && is_number(parts[0], least),
                    format!("write one number, such as `{name}(3)`, or no argument"),
                ),
            }
        }
    };
    if !is_right {
        let message = format!("`{}` does not accept these arguments", ty.name.text);
        cx.report(Diagnostic::new(codes::NATIVE_TYPE_ARGUMENTS, arguments.span, message).with("here", help));
    }
}

/// Notes the type of a field with JSON, which needs `@json`.
fn json_column(cx: &mut Cx<'_, '_>, id: FieldId, ty: TypeId) {
    cx.field_mut(id).json = Some(ty);
    let field = cx.field(id).ast;
    if field.broken || field.attributes.iter().any(|attribute| attribute.name.text == "json") {
        return;
    }
    let name = field.ty.name;
    let end = Span { start: field.ty.span.end, ..field.ty.span };
    let block = cx.types[ty.index()].ast.name;
    let message = format!("`{}` is not stored as JSON, because it has no `@json`", cx.qualified(id));
    cx.report(
        Diagnostic::new(codes::COMPOSITE_TYPE, field.ty.span, message)
            .label(format!("`{}` is a `type` block, and PostgreSQL has no such type", name.text))
            .second(block.span, "declared here")
            .help("write `@json` after the type, to store the value as JSON")
            .edits([Edit { span: end, text: " @json".to_owned() }]),
    );
}

/// Returns the scalar with that name.
pub(super) fn scalar_type(name: &str) -> Option<ScalarType> {
    Some(match name {
        "String" => ScalarType::String,
        "Boolean" => ScalarType::Boolean,
        "Int" => ScalarType::Int,
        "BigInt" => ScalarType::BigInt,
        "Float" => ScalarType::Float,
        "Decimal" => ScalarType::Decimal,
        "DateTime" => ScalarType::DateTime,
        "Json" => ScalarType::Json,
        "Bytes" => ScalarType::Bytes,
        _ => return None,
    })
}

fn report_unsupported(cx: &mut Cx<'_, '_>, span: Span, error: &ColumnTextError<'_>) {
    let (label, help) = match error {
        ColumnTextError::NoType => (
            "no type".to_owned(),
            "write the type by its name in PostgreSQL: `Unsupported(\"tsvector\")`".to_owned(),
        ),
        ColumnTextError::Unreadable => (
            "not a type of PostgreSQL".to_owned(),
            "a type may be followed by `COLLATE name`, `GENERATED ALWAYS AS (expression) STORED` or `GENERATED ALWAYS AS IDENTITY`, and nothing else"
                .to_owned(),
        ),
        ColumnTextError::Serial(word) => (
            format!("`{word}` stands for a type, a sequence and a default"),
            "write `Int @default(autoincrement())`, `BigInt @default(autoincrement())` or `Int @default(autoincrement()) @db.SmallInt`"
                .to_owned(),
        ),
        ColumnTextError::Clause(word) => (format!("`{word}` is no part of the type"), instead_of(word)),
    };
    cx.report(
        Diagnostic::new(codes::MORE_THAN_A_TYPE, span, "`Unsupported` takes the type of a column")
            .label(label)
            .help(help),
    );
}

/// Returns how the schema language expresses a clause.
fn instead_of(clause: &str) -> String {
    match clause.to_ascii_lowercase().as_str() {
        "default" => "write `@default(dbgenerated(\"..\"))` after the type".to_owned(),
        "not" | "null" => {
            "a column is nullable if its type ends with `?`: `Unsupported(\"tsvector\")?`".to_owned()
        }
        "check" => "write `@@check(\"..\")` in the model".to_owned(),
        "unique" => "write `@@unique([..])` in the model".to_owned(),
        "primary" => "write `@@id([..])` in the model".to_owned(),
        "references" => "write a relation with `@relation(fields: [..], references: [..])`".to_owned(),
        "(" => "omit the options, and set them in a migration: `ALTER TABLE .. ALTER COLUMN .. SET INCREMENT BY 5`; Relata does not change them".to_owned(),
        _ => "omit it, and add it in a migration; Relata does not change what the schema language cannot express".to_owned(),
    }
}

/// Reports a name that is not that of a type.
pub(super) fn report_unknown_type(cx: &mut Cx<'_, '_>, name: Name<'_>) {
    // A name that differs only in case comes first. A type of SQL is a better guess than a similar name.
    let same = SCALAR_NAMES.into_iter().find(|scalar| scalar.eq_ignore_ascii_case(name.text));
    let named = || name_of_sql_type(&name.text.to_ascii_lowercase());
    let mut guess = same.map(str::to_owned).or_else(|| type_hint(name.text, None)).or_else(named);
    if guess.is_none() {
        let built_in: Vec<&'static str> = SCALAR_NAMES.into_iter().chain(type_names()).collect();
        let mut known: Vec<&str> = built_in;
        if cx.may_search() {
            known.extend(cx.declared.keys().copied());
        }
        guess = did_you_mean(name.text, known).map(str::to_owned);
    }
    let help = match guess {
        Some(guess) => format!("did you mean `{guess}`?"),
        None if name.text == "Unsupported" => "write the type in PostgreSQL: `Unsupported(\"tsvector\")`".to_owned(),
        None => {
            let names = SCALAR_NAMES.join(", ");
            format!(
                "declare `model {0} {{` or `enum {0} {{`, or use one of {names}, or a type of PostgreSQL such as `Interval`",
                name.text
            )
        }
    };
    cx.report(
        Diagnostic::new(codes::UNKNOWN_TYPE, name.span, format!("there is no type `{}`", name.text))
            .label("neither a built-in type, nor a model, nor an enum")
            .help(help),
    );
}
