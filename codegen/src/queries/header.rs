//! The comments above a statement: `-- @param {Int} $1:year what it is`, `-- @column {Float?} average`, and text that
//! becomes the documentation of the function.

use super::query::ValueType;
use super::types::Base;
use crate::diagnostics::{self as codes, Diagnostic, Span, did_you_mean};
use crate::ir::{ClientType, ColumnType, NativeType, ScalarType, Schema, sql_of_type_name};

/// The annotations of a statement.
#[derive(Debug, Default)]
pub(super) struct Header {
    pub(super) docs: Option<String>,
    pub(super) params: Vec<ParamAnnotation>,
    pub(super) columns: Vec<ColumnAnnotation>,
}

/// The parameter of an annotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ParamRef {
    Number(u16),
    Name(String),
}

#[derive(Debug)]
pub(super) struct ParamAnnotation {
    pub(super) param: ParamRef,
    /// The name of the argument.
    pub(super) alias: Option<String>,
    pub(super) value: AnnotatedType,
    pub(super) docs: Option<String>,
    pub(super) span: Span,
}

#[derive(Debug)]
pub(super) struct ColumnAnnotation {
    pub(super) name: String,
    pub(super) value: AnnotatedType,
    pub(super) docs: Option<String>,
    pub(super) span: Span,
}

/// A type in an annotation.
#[derive(Debug, Clone)]
pub(super) struct AnnotatedType {
    pub(super) value: ValueType,
    /// Whether `@db.` selects the native type.
    pub(super) is_native: bool,
    pub(super) span: Span,
}

/// Reads the comments at the beginning of a file.
pub(super) fn read_header(schema: &Schema, file: u32, text: &str, found: &mut Vec<Diagnostic>) -> Header {
    let (mut header, mut docs) = (Header::default(), Vec::new());
    let mut at = text.len() - text.trim_start_matches('\u{feff}').len();
    for line in text[at..].split_inclusive('\n') {
        let trimmed = line.trim();
        let Some(comment) = trimmed.strip_prefix("--") else {
            if trimmed.is_empty() {
                at += line.len();
                continue;
            }
            break;
        };
        let start = at + line.find("--").unwrap_or(0) + 2;
        let body = comment.trim_start();
        let start = start + (comment.len() - body.len());
        let note = Annotation { schema, file, text: body, start };
        match body.strip_prefix('@').map(|rest| rest.split([' ', '\t', '{']).next().unwrap_or_default()) {
            Some("param") => note.param(&mut header, found),
            Some("column") => note.column(&mut header, found),
            // An annotation of Prisma, which is documentation.
            Some("description") => docs.push(body["@description".len()..].trim()),
            Some(word) => found.push(note.unknown(word)),
            None => docs.push(body),
        }
        at += line.len();
    }
    while docs.last().is_some_and(|line| line.is_empty()) {
        docs.pop();
    }
    header.docs = (!docs.is_empty()).then(|| docs.join("\n"));
    header
}

/// One annotation.
struct Annotation<'a> {
    schema: &'a Schema,
    file: u32,
    text: &'a str,
    /// The byte of the file where `text` begins.
    start: usize,
}

impl<'a> Annotation<'a> {
    fn span(&self, part: &str) -> Span {
        let from = self.start + (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        Span { file: self.file, start: from as u32, end: (from + part.len()) as u32 }
    }

    fn wrong(&self, part: &str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(codes::QUERY_ANNOTATION, self.span(part), message)
    }

    fn unknown(&self, word: &str) -> Diagnostic {
        let help = match did_you_mean(word, ["param", "column"]) {
            Some(guess) => format!("did you mean `@{guess}`?"),
            None => "write `@param {Int} $1:name` or `@column {Int} name`; other comments must not start with `@`"
                .to_owned(),
        };
        self.wrong(&self.text[..1 + word.len()], format!("there is no annotation `@{word}`")).help(help)
    }

    /// Returns the text between the braces, and the text after them.
    fn braces(&self, form: &str, found: &mut Vec<Diagnostic>) -> Option<(&'a str, &'a str)> {
        let rest = self.text.split_once('{').filter(|(before, _)| before.split_whitespace().count() == 1);
        let parts = rest.and_then(|(_, rest)| rest.split_once('}'));
        if parts.is_none() {
            found.push(self.wrong(self.text, "the annotation has no type in braces").help(format!("write `{form}`")));
        }
        parts
    }

    fn param(&self, header: &mut Header, found: &mut Vec<Diagnostic>) {
        const FORM: &str = "@param {Int} $1:name what it is";
        let Some((ty, rest)) = self.braces(FORM, found) else { return };
        let rest = rest.trim_start();
        let target = rest.split(char::is_whitespace).next().unwrap_or_default();
        let docs = rest[target.len()..].trim();
        let (name, optional) = target.strip_suffix('?').map_or((target, false), |name| (name, true));
        let (param, alias) = match name.strip_prefix('$') {
            Some(rest) => {
                let (number, alias) = rest.split_once(':').map_or((rest, None), |(n, alias)| (n, Some(alias)));
                (number.parse().ok().filter(|number| *number > 0).map(ParamRef::Number), alias)
            }
            None => {
                let name = name.strip_prefix(':').unwrap_or(name);
                (is_name(name).then(|| ParamRef::Name(name.to_owned())), None)
            }
        };
        let (Some(param), true) = (param, alias.is_none_or(is_name)) else {
            let part = if target.is_empty() { self.text } else { target };
            found.push(self.wrong(part, "the annotation names no parameter").help(format!("write `{FORM}`")));
            return;
        };
        if let Some(first) = header.params.iter().find(|known| known.param == param) {
            found.push(self.wrong(target, "the parameter is annotated twice").second(first.span, "the first time"));
            return;
        }
        let Some(mut value) = self.ty(ty, found) else { return };
        value.value.nullable |= optional;
        header.params.push(ParamAnnotation {
            param,
            alias: alias.map(str::to_owned),
            value,
            docs: (!docs.is_empty()).then(|| docs.to_owned()),
            span: self.span(target),
        });
    }

    fn column(&self, header: &mut Header, found: &mut Vec<Diagnostic>) {
        const FORM: &str = "@column {Float?} average what it is";
        let Some((ty, rest)) = self.braces(FORM, found) else { return };
        let rest = rest.trim_start();
        let quoted = rest.strip_prefix('"').and_then(|rest| rest.split_once('"'));
        let (name, docs) = quoted.unwrap_or_else(|| rest.split_once(char::is_whitespace).unwrap_or((rest, "")));
        if name.is_empty() {
            found.push(self.wrong(self.text, "the annotation names no column").help(format!("write `{FORM}`")));
            return;
        }
        if let Some(first) = header.columns.iter().find(|known| known.name == name) {
            found.push(self.wrong(name, "the column is annotated twice").second(first.span, "the first time"));
            return;
        }
        let Some(value) = self.ty(ty, found) else { return };
        let docs = docs.trim();
        header.columns.push(ColumnAnnotation {
            name: name.to_owned(),
            value,
            docs: (!docs.is_empty()).then(|| docs.to_owned()),
            span: self.span(name),
        });
    }

    /// `Int`, `Float?`, `String[]`, `String @db.Uuid`, `Role`.
    fn ty(&self, text: &'a str, found: &mut Vec<Diagnostic>) -> Option<AnnotatedType> {
        let text = text.trim();
        let (name, native) = text.split_once("@db.").map_or((text, None), |(name, native)| (name.trim(), Some(native)));
        let (name, nullable) = name.strip_suffix('?').map_or((name, false), |name| (name, true));
        let (name, list) = name.strip_suffix("[]").map_or((name, false), |name| (name, true));
        let name = name.trim();
        let ty = match SCALARS.iter().find(|(known, _)| *known == name) {
            Some((_, scalar)) => match native {
                None => Some(ColumnType::Scalar(*scalar, annotated_native(*scalar))),
                Some(native) => self.native(*scalar, native, found).map(|native| ColumnType::Scalar(*scalar, native)),
            },
            None => match (self.schema.walk_enums().find(|known| known.name() == name), named_type(name)) {
                (Some(known), _) => Some(ColumnType::Enum(known.id)),
                (None, Some(sql)) => Some(ColumnType::Unsupported(sql)),
                (None, None) => {
                    found.push(self.unknown_type(name, text));
                    None
                }
            },
        }?;
        let value = ValueType { ty, list, holes: false, nullable };
        Some(AnnotatedType { value, is_native: native.is_some(), span: self.span(text) })
    }

    fn unknown_type(&self, name: &str, text: &str) -> Diagnostic {
        let enums: Vec<&str> = self.schema.walk_enums().map(|known| known.name()).collect();
        let known = SCALARS.iter().map(|(name, _)| *name).chain(enums);
        let guess = did_you_mean(name, known).map(|guess| format!("did you mean `{guess}`?"));
        let guess = guess.or_else(|| codes::hints::type_hint(name, None).map(|hint| format!("write `{{{hint}}}`")));
        let help = guess.unwrap_or_else(|| {
            "a type of the schema: String, Boolean, Int, BigInt, Float, Decimal, DateTime, Json, Bytes, an enum; with `?` \
             for null and `[]` for a list"
                .to_owned()
        });
        let part = if text.is_empty() { self.text } else { text };
        self.wrong(part, format!("there is no type `{name}`")).help(help)
    }

    fn native(&self, scalar: ScalarType, name: &'a str, found: &mut Vec<Diagnostic>) -> Option<NativeType> {
        let word = name.split('(').next().unwrap_or_default().trim();
        let known = NATIVE.iter().find(|(known, owner, _)| *known == word && *owner == scalar);
        if known.is_none() {
            let fitting: Vec<&str> =
                NATIVE.iter().filter(|(_, owner, _)| *owner == scalar).map(|(name, ..)| *name).collect();
            let message = format!("`@db.{word}` is not a native type of this type");
            found.push(self.wrong(name, message).help(format!("it can be {}", fitting.join(", "))));
        }
        known.map(|(_, _, native)| *native)
    }
}

/// Returns the type of `Interval`, `Vector(3)`.
fn named_type(text: &str) -> Option<String> {
    match text.split_once('(') {
        Some((name, rest)) => sql_of_type_name(name.trim(), Some(rest.trim_end().strip_suffix(')')?)),
        None => sql_of_type_name(text, None),
    }
}

/// Returns the native type for an annotation without `@db.`. For a DateTime, that is a timestamp with time zone.
fn annotated_native(scalar: ScalarType) -> NativeType {
    match scalar {
        ScalarType::DateTime => NativeType::Timestamptz(None),
        ScalarType::Decimal => NativeType::Decimal(None),
        other => other.default_native_type(),
    }
}

const SCALARS: [(&str, ScalarType); 9] = [
    ("String", ScalarType::String),
    ("Boolean", ScalarType::Boolean),
    ("Int", ScalarType::Int),
    ("BigInt", ScalarType::BigInt),
    ("Float", ScalarType::Float),
    ("Decimal", ScalarType::Decimal),
    ("DateTime", ScalarType::DateTime),
    ("Json", ScalarType::Json),
    ("Bytes", ScalarType::Bytes),
];

const NATIVE: [(&str, ScalarType, NativeType); 20] = [
    ("Uuid", ScalarType::String, NativeType::Uuid),
    ("Text", ScalarType::String, NativeType::Text),
    ("VarChar", ScalarType::String, NativeType::VarChar(None)),
    ("Char", ScalarType::String, NativeType::Char(None)),
    ("Citext", ScalarType::String, NativeType::Citext),
    ("Boolean", ScalarType::Boolean, NativeType::Boolean),
    ("Integer", ScalarType::Int, NativeType::Integer),
    ("SmallInt", ScalarType::Int, NativeType::SmallInt),
    ("BigInt", ScalarType::BigInt, NativeType::BigInt),
    ("DoublePrecision", ScalarType::Float, NativeType::DoublePrecision),
    ("Real", ScalarType::Float, NativeType::Real),
    ("Decimal", ScalarType::Decimal, NativeType::Decimal(None)),
    ("Timestamp", ScalarType::DateTime, NativeType::Timestamp(None)),
    ("Timestamptz", ScalarType::DateTime, NativeType::Timestamptz(None)),
    ("Date", ScalarType::DateTime, NativeType::Date),
    ("Time", ScalarType::DateTime, NativeType::Time(None)),
    ("Timetz", ScalarType::DateTime, NativeType::Timetz(None)),
    ("Json", ScalarType::Json, NativeType::Json),
    ("JsonB", ScalarType::Json, NativeType::JsonB),
    ("ByteA", ScalarType::Bytes, NativeType::ByteA),
];

/// Returns whether a word can be the name of an argument or a function.
pub(super) fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && word.chars().any(|c| c != '_')
}

impl AnnotatedType {
    /// Returns whether it agrees with the inferred type: `String` agrees with any text, `DateTime` with any date or
    /// time.
    pub(super) fn fits(&self, derived: Base, list: bool) -> bool {
        if self.value.list != list {
            return false;
        }
        match (&self.value.ty, derived.column_type()) {
            (ColumnType::Unsupported(noted), Some(ColumnType::Unsupported(known))) => {
                match (ClientType::of(noted), ClientType::of(&known)) {
                    // An annotation may say which shapes there are.
                    (ClientType::Place(noted), ClientType::Place(known)) => noted.is_geography == known.is_geography,
                    (noted, known) => noted == known,
                }
            }
            (ColumnType::Enum(noted), Some(ColumnType::Enum(known))) => *noted == known,
            (ColumnType::Scalar(scalar, native), Some(ColumnType::Scalar(known, known_native))) => {
                let narrower = *scalar == ScalarType::Int && known == ScalarType::BigInt;
                (*scalar == known || narrower)
                    && (!self.is_native || Base::of_native(*native) == Base::of_native(known_native))
            }
            _ => false,
        }
    }
}
