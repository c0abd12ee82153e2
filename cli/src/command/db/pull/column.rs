//! A column of the database as a field of the schema.

use std::fmt::Write as _;

use relata_codegen::ir::names::{plain as plain_ident, snake_ident};
use relata_codegen::ir::{
    ClientType, ColumnText, ColumnType, ColumnWalker, DefaultValue, NativeType, ScalarType, name_of_sql_type,
};
use relata_codegen::sql::quote::literal;
use relata_codegen::sql::{Column, ColumnDefault, DataType, Identity, ObjectName, SequenceOptions};
use relata_pgsql::{Lexeme, lexemes};

use super::names::Names;
use super::render::quoted;

fn unsupported(text: &str) -> String {
    format!("Unsupported({})", quoted(text))
}

/// The place of a column.
pub(super) struct Place {
    /// The model is not in the client, so its fields do not need `@ignore`.
    pub(super) is_ignored: bool,
    /// A foreign key of the table contains it. The language has no such generated columns, so their expression is left
    /// to the database.
    pub(super) in_foreign_key: bool,
    /// Rows are identified or connected by it, so it cannot be omitted.
    pub(super) is_bound: bool,
    /// Recorded changes do not show its values.
    pub(super) is_masked: bool,
}

/// Returns type, arity and default, without `@id`, `@unique` and `@map`.
pub(super) fn describe(names: &Names<'_>, column: &Column, old: Option<ColumnWalker<'_>>, place: &Place) -> String {
    let kept = old.and_then(|old| kept_type(old, &column.ty)).map(|kept| (kept, String::new()));
    let (ty, native) = kept.unwrap_or_else(|| written_type(names, &column.ty));
    let shape = old.and_then(|old| shape(column, old));
    let mark = match (column.array, column.nullable) {
        (true, _) => "[]",
        (false, true) => "?",
        (false, false) => "",
    };
    let mut text = shape.clone().unwrap_or_else(|| format!("{ty}{mark}"));
    if let (Some(sql), false) = (&column.generated, place.in_foreign_key) {
        let is_virtual = if column.options.is_virtual { ", virtual: true" } else { "" };
        let _ = write!(text, " @generated({}{is_virtual})", quoted(sql));
    } else if let (Some(identity), true) = (column.identity, counts(column)) {
        text += &identity_attribute(identity, &column.options.counts);
    } else if let Some(default) = default(names, column).or_else(|| client_default(column, old)) {
        let _ = write!(text, " @default({default})");
    }
    if !native.is_empty() {
        let _ = write!(text, " {native}");
    }
    if let Some(domain) = &column.options.domain {
        text += &domain_attribute(domain);
    }
    if is_collated(&column.ty) {
        text += &column.collation.as_deref().map(collate).unwrap_or_default();
    }
    text += if shape.is_some() { " @json" } else { "" };
    if let Some(old) = old {
        text += &rust_attribute(column, old, place).unwrap_or_default();
        // Attributes that the type no longer supports are dropped.
        for (is_present, attribute) in [
            (old.column().updated_at && has_scalar(column, ScalarType::DateTime), " @updatedAt"),
            (old.column().soft_delete && has_scalar(column, ScalarType::DateTime), " @softDelete"),
            (old.column().sensitive && !place.is_masked, " @sensitive"),
            (old.column().omitted && !place.is_bound, " @omit"),
            (old.field().ignored && !place.is_ignored, " @ignore"),
        ] {
            text += if is_present { attribute } else { "" };
        }
    }
    text += if place.is_masked { " @sensitive" } else { "" };
    text
}

/// Returns a type and its `@db.`.
fn written_type(names: &Names<'_>, ty: &DataType) -> (String, String) {
    match ty {
        DataType::Native(native) => scalar(*native),
        DataType::Enum(name) => match names.enum_name(name) {
            Some(name) => (name.to_owned(), String::new()),
            None => (unsupported(&ty.to_string()), String::new()),
        },
        DataType::Other(text) => (other_type(names, text), String::new()),
    }
}

/// Returns how the author wrote a type that is no scalar, if the column still has it.
fn kept_type(old: ColumnWalker<'_>, ty: &DataType) -> Option<String> {
    let ColumnType::Unsupported(text) = &old.column().ty else { return None };
    let now = ty.to_string().to_ascii_lowercase().replace("varbit", "bit varying");
    if old.column().has_type_name && ClientType::of(&now) == ClientType::of(text) {
        return name_of_sql_type(&now).or_else(|| name_of_sql_type(text));
    }
    let is_same = DataType::parse(ColumnText::type_of(text)).0 == *ty;
    let written =
        if old.column().has_type_name { name_of_sql_type(text)? } else { unsupported(ColumnText::type_of(text)) };
    is_same.then_some(written)
}

/// Returns a type that is no scalar by its name in the language, if no model or enum has that.
fn other_type(names: &Names<'_>, text: &str) -> String {
    let is_free = |name: &String| !names.declares(name.split('(').next().unwrap_or_default());
    name_of_sql_type(text).filter(is_free).unwrap_or_else(|| unsupported(text))
}

/// Returns the `type` block that is the type of a column of JSON, with its mark.
fn shape(column: &Column, old: ColumnWalker<'_>) -> Option<String> {
    let shape = old.column().json.filter(|_| has_scalar(column, ScalarType::Json))?;
    let name = &old.schema.json_type(shape.ty).name;
    match (shape.list, column.nullable) {
        // A list in JSON is never null.
        (true, true) => None,
        (true, false) => Some(format!("{name}[]")),
        (false, true) => Some(format!("{name}?")),
        (false, false) => Some(name.clone()),
    }
}

/// Returns whether the client reads values of both types in the same way, so that a type of the program still fits.
fn holds_the_same(one: NativeType, other: NativeType) -> bool {
    let kind = |native: NativeType| match native {
        NativeType::Uuid => 1,
        NativeType::Date => 2,
        NativeType::Time(_) | NativeType::Timetz(_) => 3,
        _ => 0,
    };
    one.scalar() == other.scalar() && kind(one) == kind(other)
}

/// Returns `@rust`, with the type as long as the column has the type that it is for. A foreign key has it from what it
/// references.
fn rust_attribute(column: &Column, old: ColumnWalker<'_>, place: &Place) -> Option<String> {
    let fits = match (&column.ty, &old.column().ty) {
        (DataType::Native(native), ColumnType::Scalar(_, known)) => holds_the_same(*native, *known),
        (_, ColumnType::Unsupported(_)) => kept_type(old, &column.ty).is_some(),
        _ => false,
    };
    let path = old.column().rust.as_deref().filter(|_| fits && !place.in_foreign_key);
    let path = path.map(|path| quoted(path.strip_prefix("::").unwrap_or(path)));
    let ident = &old.field().rust_ident;
    let name = (*ident != snake_ident(old.name())).then(|| format!("name: {}", quoted(plain_ident(ident))));
    let arguments: Vec<_> = path.into_iter().chain(name).collect();
    (!arguments.is_empty()).then(|| format!(" @rust({})", arguments.join(", ")))
}

/// Returns a description that is true of any column: the type, an arity that fits every value, and the default as SQL.
pub(super) fn plain(column: &Column) -> String {
    let ty = unsupported(&column.named_type().to_string());
    let mark = match (column.array, column.nullable) {
        (true, _) => "[]",
        (false, true) => "?",
        (false, false) => "",
    };
    let has_default = column.default.is_some() || column.identity.is_some() || column.generated.is_some();
    format!("{ty}{mark}{}", if has_default { " @default(dbgenerated())" } else { "" })
}

fn has_scalar(column: &Column, scalar: ScalarType) -> bool {
    !column.array && matches!(column.ty, DataType::Native(native) if native.scalar() == scalar)
}

/// Returns a default that only the client applies.
fn client_default(column: &Column, old: Option<ColumnWalker<'_>>) -> Option<String> {
    if !has_scalar(column, ScalarType::String) {
        return None;
    }
    Some(match old?.column().default.as_ref()? {
        DefaultValue::Uuid(4) => "uuid()".to_owned(),
        DefaultValue::Uuid(version) => format!("uuid({version})"),
        DefaultValue::Cuid(1) => "cuid()".to_owned(),
        DefaultValue::Cuid(version) => format!("cuid({version})"),
        DefaultValue::Ulid => "ulid()".to_owned(),
        DefaultValue::Nanoid(None) => "nanoid()".to_owned(),
        DefaultValue::Nanoid(Some(length)) => format!("nanoid({length})"),
        _ => return None,
    })
}

/// Returns whether the column has a type that a sequence counts.
fn counts(column: &Column) -> bool {
    let is_whole =
        matches!(column.ty, DataType::Native(NativeType::SmallInt | NativeType::Integer | NativeType::BigInt));
    is_whole && !column.array
}

fn identity_attribute(identity: Identity, options: &SequenceOptions) -> String {
    let SequenceOptions { increment, min, max, start, cache, cycle } = options;
    let number = |name: &str, value: Option<i64>| value.map(|value| format!("{name}: {value}"));
    let arguments = [
        (identity == Identity::Always).then(|| "always: true".to_owned()),
        number("start", *start),
        number("increment", Some(*increment).filter(|it| *it != 1)),
        number("min", *min),
        number("max", *max),
        number("cache", Some(*cache).filter(|it| *it != 1)),
        cycle.then(|| "cycle: true".to_owned()),
    ];
    let arguments: Vec<String> = arguments.into_iter().flatten().collect();
    if arguments.is_empty() { " @identity".to_owned() } else { format!(" @identity({})", arguments.join(", ")) }
}

/// Returns whether `@collate` fits the type.
fn is_collated(ty: &DataType) -> bool {
    use NativeType as N;
    matches!(ty, DataType::Native(N::Text | N::VarChar(_) | N::Char(_) | N::Citext))
}

/// Returns `@domain("public.email")`.
fn domain_attribute(domain: &ObjectName) -> String {
    match &domain.schema {
        Some(schema) if schema.contains('.') || domain.name.contains('.') => {
            format!(" @domain({}, schema: {})", quoted(&domain.name), quoted(schema))
        }
        Some(schema) => format!(" @domain({})", quoted(&format!("{schema}.{}", domain.name))),
        None => format!(" @domain({})", quoted(&domain.name)),
    }
}

/// Returns `@collate` for a collation as SQL: `"de-x-icu"`, `public.german`.
fn collate(sql: &str) -> String {
    let names: Vec<String> = lexemes(sql)
        .into_iter()
        .flatten()
        .filter_map(|lexeme| match lexeme {
            Lexeme::Word(name) | Lexeme::Quoted(name) => Some(name),
            _ => None,
        })
        .collect();
    match names.as_slice() {
        [schema, name] => format!(" @collate({}, schema: {})", quoted(name), quoted(schema)),
        [name] => format!(" @collate({})", quoted(name)),
        _ => String::new(),
    }
}

fn default(names: &Names<'_>, column: &Column) -> Option<String> {
    if column.generated.is_some() {
        return Some("dbgenerated()".to_owned());
    }
    let generated = |sql: &str| format!("dbgenerated({})", quoted(sql));
    Some(match column.default.as_ref()? {
        ColumnDefault::Sequence(_) if counts(column) => "autoincrement()".to_owned(),
        ColumnDefault::Sequence(_) | ColumnDefault::Unmanaged => "dbgenerated()".to_owned(),
        ColumnDefault::Expression(sql) => {
            let is_now = ["CURRENT_TIMESTAMP", "now()"].contains(&sql.as_str()) && is_moment(&column.ty);
            if is_now { "now()".to_owned() } else { generated(sql) }
        }
        ColumnDefault::Literal(value) => match value_of(names, &column.ty, value) {
            Some(value) => value,
            // As a number, a value that the type cannot hold exactly would be rounded, or become money. As a text it
            // would be refused, or printed in another way.
            None if is_counted(&column.ty) && is_number(value) => generated(value),
            None => generated(&literal(value)),
        },
        ColumnDefault::List(values) => {
            // For a type that the language does not know there are no list literals, not even the empty one.
            let is_known = !matches!(column.ty, DataType::Other(_));
            let values_of = || values.iter().map(|value| value_of(names, &column.ty, value)).collect();
            let all: Option<Vec<String>> = if is_known { values_of() } else { None };
            match all {
                Some(values) => format!("[{}]", values.join(", ")),
                None => {
                    let values: Vec<String> = values.iter().map(|value| literal(value)).collect();
                    generated(&format!("ARRAY[{}]::{}[]", values.join(", "), column.ty))
                }
            }
        }
    })
}

fn is_moment(ty: &DataType) -> bool {
    matches!(
        ty,
        DataType::Native(
            NativeType::Timestamp(_)
                | NativeType::Timestamptz(_)
                | NativeType::Date
                | NativeType::Time(_)
                | NativeType::Timetz(_)
        )
    )
}

/// Returns a value in the syntax of the schema language; `None` if it has to be written as SQL.
fn value_of(names: &Names<'_>, ty: &DataType, value: &str) -> Option<String> {
    use NativeType as N;
    match ty {
        DataType::Enum(name) => names.label_name(name, value),
        DataType::Native(N::Boolean) => match value {
            "t" | "true" => Some("true".to_owned()),
            "f" | "false" => Some("false".to_owned()),
            _ => None,
        },
        DataType::Native(N::SmallInt | N::Integer | N::BigInt | N::Oid) => {
            value.parse::<i64>().is_ok_and(|number| number.to_string() == value).then(|| value.to_owned())
        }
        DataType::Native(N::Decimal(_) | N::Real | N::DoublePrecision) => is_number(value).then(|| value.to_owned()),
        DataType::Native(N::Text | N::VarChar(_) | N::Char(_) | N::Citext | N::Uuid | N::Json | N::JsonB) => {
            Some(quoted(value))
        }
        DataType::Native(_) | DataType::Other(_) => None,
    }
}

fn is_counted(ty: &DataType) -> bool {
    let scalar = |native: NativeType| {
        matches!(native.scalar(), ScalarType::Int | ScalarType::BigInt | ScalarType::Decimal | ScalarType::Float)
    };
    matches!(ty, DataType::Native(native) if scalar(*native))
}

/// Returns whether the language reads the text as a number: digits, with an optional sign and fractional digits.
fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once('.') {
        Some((whole, fraction)) => is_digits(whole) && is_digits(fraction),
        None => is_digits(text),
    }
}

/// Returns the scalar of a type, and `@db.` if it is not the scalar's default type.
fn scalar(native: NativeType) -> (String, String) {
    use NativeType as N;
    let with = |name: &str, argument: Option<u32>| match argument {
        Some(argument) => format!("{name}({argument})"),
        None => name.to_owned(),
    };
    let name = match native {
        N::SmallInt => "SmallInt".to_owned(),
        N::Integer => "Integer".to_owned(),
        N::Oid => "Oid".to_owned(),
        N::BigInt => "BigInt".to_owned(),
        N::Decimal(Some((precision, scale))) => format!("Decimal({precision}, {scale})"),
        N::Decimal(None) => "Decimal".to_owned(),
        N::Money => "Money".to_owned(),
        N::Real => "Real".to_owned(),
        N::DoublePrecision => "DoublePrecision".to_owned(),
        N::VarChar(length) => with("VarChar", length),
        N::Char(length) => with("Char", length),
        N::Text => "Text".to_owned(),
        N::Citext => "Citext".to_owned(),
        N::Inet => "Inet".to_owned(),
        N::Uuid => "Uuid".to_owned(),
        N::Xml => "Xml".to_owned(),
        N::Bit(length) => with("Bit", length),
        N::VarBit(length) => with("VarBit", length),
        N::ByteA => "ByteA".to_owned(),
        N::Timestamp(precision) => with("Timestamp", precision),
        N::Timestamptz(precision) => with("Timestamptz", precision),
        N::Time(precision) => with("Time", precision),
        N::Timetz(precision) => with("Timetz", precision),
        N::Date => "Date".to_owned(),
        N::Boolean => "Boolean".to_owned(),
        N::Json => "Json".to_owned(),
        N::JsonB => "JsonB".to_owned(),
    };
    let scalar = native.scalar();
    let native = if scalar.default_native_type() == native { String::new() } else { format!("@db.{name}") };
    (format!("{scalar:?}"), native)
}
