//! Combines inferred and annotated types. If neither is enough, reports the annotation to write.

use std::collections::BTreeSet;

use super::header::{AnnotatedType, ColumnAnnotation, Header, ParamAnnotation};
use super::infer::{Output, ParamState};
use super::lexer::Token;
use super::params::Numbered;
use super::parser::ParseError;
use super::query::{Confinement, Param, Query, ResultColumn, ValueType};
use super::types::{Base, Ty};
use crate::diagnostics::{self as codes, Diagnostic, Span, did_you_mean};
use crate::ir::{Arity, ColumnType, ModelId, ScalarType, Schema, names};

/// The results of inference.
pub(super) struct Inferred {
    pub(super) params: Vec<ParamState>,
    pub(super) outputs: Option<Vec<Output>>,
    pub(super) writes: Option<ModelId>,
}

/// Returns the query of a statement that was parsed.
pub(super) fn assemble(
    schema: &Schema,
    span: Span,
    header: Header,
    numbered: Numbered,
    inferred: Inferred,
    found: &mut Vec<Diagnostic>,
) -> Query {
    let mut assembly = Assembly { schema, found };
    assembly.check_notes(&header, &numbered, inferred.outputs.as_deref());
    let params = assembly.params(&header.params, &numbered, &inferred.params);
    // Unknown columns can only be listed by annotations.
    let is_unknown = |output: &Output| output.name.is_none() && output.typed.ty == Ty::Opaque;
    let (columns, model) = match &inferred.outputs {
        None => (None, None),
        Some(outputs) if outputs.iter().any(is_unknown) && !header.columns.is_empty() => {
            (Some(assembly.noted_columns(&header.columns)), None)
        }
        Some(outputs) => {
            let columns = assembly.columns(&header.columns, outputs);
            let model = header.columns.is_empty().then(|| model_of(schema, &columns)).flatten();
            (Some(columns), model)
        }
    };
    Query {
        name: String::new(),
        row_name: String::new(),
        docs: header.docs,
        sql: numbered.sql,
        pieces: numbered.pieces,
        params,
        columns,
        model,
        writes: inferred.writes,
        confinement: Confinement::None,
        span,
    }
}

/// Returns the query of a statement that cannot be parsed, if its annotations are complete.
pub(super) fn annotated(
    file: u32,
    span: Span,
    header: Header,
    numbered: Numbered,
    tokens: &[Token],
    stop: &ParseError,
    found: &mut Vec<Diagnostic>,
) -> Option<Query> {
    let before = found.len();
    let notes: Vec<Option<&ParamAnnotation>> = (0..numbered.params.len())
        .map(|at| header.params.iter().find(|note| numbered.place(&note.param) == Some(at)))
        .collect();
    let gives_rows = ["select", "with", "values", "table"].iter().any(|word| tokens[0].is(word))
        || tokens.iter().any(|token| token.is("returning"));
    let missing: Vec<String> = (1..).zip(&notes).filter(|(_, note)| note.is_none()).map(param_line).collect();
    let says_nothing = header.params.is_empty() && header.columns.is_empty();
    let is_other = OTHER_COMMANDS.iter().any(|word| tokens[0].is(word));
    if stop.is_wrong || says_nothing && !is_other || !missing.is_empty() || gives_rows && header.columns.is_empty() {
        let columns = gives_rows.then(|| "-- @column {Type?} name    for each column".to_owned());
        let lines: Vec<String> = missing.into_iter().chain(columns).collect();
        let help = match stop.is_wrong || lines.is_empty() {
            true => "fix the statement".to_owned(),
            false => {
                format!(
                    "fix it, or, if PostgreSQL accepts it, annotate the types above the statement:\n{}",
                    lines.join("\n")
                )
            }
        };
        let message = format!("the statement cannot be parsed from here: expected {}", stop.expected);
        found.push(Diagnostic::new(codes::QUERY_SYNTAX, stop.span, message).help(help));
        return None;
    }
    let schema = Schema::default();
    let mut assembly = Assembly { schema: &schema, found };
    assembly.check_notes(&header, &numbered, None);
    let states = vec![ParamState::default(); numbered.params.len()];
    let params = assembly.params(&header.params, &numbered, &states);
    let columns = (!header.columns.is_empty()).then(|| assembly.noted_columns(&header.columns));
    debug_assert_eq!(file, span.file);
    if found[before..].iter().any(Diagnostic::is_error) {
        return None;
    }
    Some(Query {
        name: String::new(),
        row_name: String::new(),
        docs: header.docs,
        sql: numbered.sql,
        pieces: numbered.pieces,
        params,
        columns,
        model: None,
        writes: None,
        confinement: Confinement::None,
        span,
    })
}

/// Statements that are not analysed, and that need no annotation if they have no parameters.
const OTHER_COMMANDS: [&str; 14] = [
    "alter", "analyze", "call", "comment", "create", "drop", "lock", "merge", "notify", "refresh", "reindex", "set",
    "truncate", "vacuum",
];

fn param_line<T>((number, _): (usize, T)) -> String {
    format!("-- @param {{Type}} ${number}:name")
}

struct Assembly<'a> {
    schema: &'a Schema,
    found: &'a mut Vec<Diagnostic>,
}

impl Assembly<'_> {
    /// Each annotation must match a parameter or a column.
    fn check_notes(&mut self, header: &Header, numbered: &Numbered, outputs: Option<&[Output]>) {
        for note in header.params.iter().filter(|note| numbered.place(&note.param).is_none()) {
            let help = match numbered.params.len() {
                0 => "the statement has no parameters: remove the line".to_owned(),
                count => format!("the statement has {count} parameters, from `$1` to `${count}`"),
            };
            let message = "the annotation names a parameter that the statement does not have";
            self.found.push(Diagnostic::new(codes::QUERY_ANNOTATION, note.span, message).help(help));
        }
        let Some(outputs) = outputs else { return };
        if outputs.iter().any(|output| output.name.is_none()) {
            return;
        }
        let known: Vec<&str> = outputs.iter().filter_map(|output| output.name.as_deref()).collect();
        for note in header.columns.iter().filter(|note| !known.contains(&note.name.as_str())) {
            let guess = did_you_mean(&note.name, known.iter().copied());
            let help = codes::suggest(guess, || format!("it returns {}", known.join(", ")));
            let message = format!("the statement returns no column `{}`", note.name);
            self.found.push(Diagnostic::new(codes::QUERY_ANNOTATION, note.span, message).help(help));
        }
    }

    fn params(&mut self, notes: &[ParamAnnotation], numbered: &Numbered, states: &[ParamState]) -> Vec<Param> {
        let mut taken = BTreeSet::new();
        let mut params = Vec::new();
        for (at, (span, name)) in numbered.params.iter().enumerate() {
            let note = notes.iter().find(|note| numbered.place(&note.param) == Some(at));
            let state = states.get(at).cloned().unwrap_or_default();
            let noted = note.and_then(|note| note.alias.as_deref()).or(name.as_deref());
            let ident = self.param_name(at, noted, state.hint.as_deref(), *span, &mut taken);
            let Some((value, derived)) = self.param_type(at, note, &state, &ident, *span) else { continue };
            let docs = note.and_then(|note| note.docs.clone());
            params.push(Param { name: ident, value, docs, derived, span: *span });
        }
        params
    }

    fn param_name(
        &mut self,
        at: usize,
        noted: Option<&str>,
        hint: Option<&str>,
        span: Span,
        taken: &mut BTreeSet<String>,
    ) -> String {
        let fallback = || format!("p{}", at + 1);
        let wanted = noted.or(hint).map_or_else(fallback, names::snake_ident);
        let wanted = if is_ident(&wanted) { wanted } else { fallback() };
        if taken.insert(wanted.clone()) {
            return wanted;
        }
        if noted.is_some() {
            let message = format!("two parameters are named `{wanted}` in Rust");
            let help = "rename one of them";
            self.found.push(Diagnostic::new(codes::QUERY_ANNOTATION, span, message).help(help));
        }
        let plain = wanted.trim_start_matches("r#").to_owned();
        let free = (2..).map(|number| format!("{plain}_{number}")).find(|name| !taken.contains(name));
        let free = free.unwrap_or_else(fallback);
        taken.insert(free.clone());
        free
    }

    fn param_type(
        &mut self,
        at: usize,
        note: Option<&ParamAnnotation>,
        state: &ParamState,
        name: &str,
        span: Span,
    ) -> Option<(ValueType, bool)> {
        let (base, list) = match state.ty {
            Some(Ty::Base(base)) => (base, false),
            Some(Ty::List(base)) => (base, true),
            _ => {
                if let Some(note) = note {
                    return Some((note.value.value.clone(), false));
                }
                let number = at + 1;
                self.found.push(
                    Diagnostic::new(codes::QUERY_NOT_DERIVED, span, format!("the type of `${number}` cannot be inferred from the statement"))
                        .help(format!("annotate it above the statement:\n-- @param {{Type}} ${number}:{name}\nor add a cast, such as `${number}::int`")),
                );
                return None;
            }
        };
        let Some(ty) = base.column_type() else {
            let sql = base.name(self.schema);
            let message = format!("`${}` is {sql}, which the client does not support", at + 1);
            let help = format!("pass it as text: write `${}::text::{sql}`", at + 1);
            self.found.push(Diagnostic::new(codes::QUERY_NO_RUST_TYPE, span, message).help(help));
            return None;
        };
        if let Some(note) = note {
            self.agree(&note.value, base, list, note.span, span)?;
        }
        let nullable = note.map_or_else(|| state.takes_null(), |note| note.value.value.nullable);
        Some((ValueType { ty, list, holes: false, nullable }, true))
    }

    /// An annotation must agree with the inferred type.
    fn agree(&mut self, noted: &AnnotatedType, base: Base, list: bool, at: Span, place: Span) -> Option<()> {
        if noted.fits(base, list) {
            return Some(());
        }
        let (sql, word) = (base.name(self.schema), self.word(base, list));
        let sql = if list { format!("{sql}[]") } else { sql };
        let message = format!("the annotation contradicts the statement, in which this is {sql}");
        self.found.push(
            Diagnostic::new(codes::QUERY_CONTRADICTION, noted.span, message)
                .second(if place == at { noted.span } else { place }, format!("is {sql}"))
                .help(format!("write `{{{word}}}`, or add a cast to the statement")),
        );
        None
    }

    /// Returns the type as an annotation writes it.
    fn word(&self, base: Base, list: bool) -> String {
        let word = match base.column_type() {
            Some(ColumnType::Enum(id)) => self.schema.walk_enum(id).name().to_owned(),
            Some(ColumnType::Scalar(scalar, _)) => scalar_word(scalar).to_owned(),
            _ => "String".to_owned(),
        };
        if list { format!("{word}[]") } else { word }
    }

    fn columns(&mut self, notes: &[ColumnAnnotation], outputs: &[Output]) -> Vec<ResultColumn> {
        let mut columns: Vec<ResultColumn> = Vec::new();
        for (at, output) in outputs.iter().enumerate() {
            let Some(name) = output.name.as_deref() else {
                self.nameless(at, output);
                continue;
            };
            let Some(ident) = self.column_name(name, output.span, &columns) else { continue };
            let note = notes.iter().find(|note| note.name == name);
            let Some((value, derived)) = self.column_type(name, note, output) else { continue };
            columns.push(ResultColumn {
                db_name: name.to_owned(),
                name: ident,
                value,
                docs: note.and_then(|note| note.docs.clone()),
                sensitive: output.typed.sensitive,
                field: output.typed.field,
                derived,
                may_be_null: output.typed.nullable,
                span: output.span,
            });
        }
        columns
    }

    fn nameless(&mut self, at: usize, output: &Output) {
        let diagnostic = if output.typed.ty == Ty::Opaque {
            Diagnostic::new(codes::QUERY_NOT_DERIVED, output.span, "these columns cannot be inferred from the schema")
                .help("list them by name, or annotate all of them above the statement, in order:\n-- @column {Type?} name")
        } else {
            Diagnostic::new(codes::QUERY_COLUMN_NAME, output.span, format!("column {} has no name", at + 1))
                .help("name it: write `AS total` after it")
        };
        self.found.push(diagnostic);
    }

    /// Returns the field of a column; `None` if it cannot have one.
    fn column_name(&mut self, name: &str, span: Span, before: &[ResultColumn]) -> Option<String> {
        let ident = names::snake_ident(name);
        if !is_ident(&ident) || name == super::infer::NAMELESS {
            let message = format!("`{name}` cannot be a field in Rust");
            let help = "rename the column: write `AS total` after it";
            self.found.push(Diagnostic::new(codes::QUERY_COLUMN_NAME, span, message).help(help));
            return None;
        }
        if let Some(first) = before.iter().find(|column| column.name == ident) {
            let message = format!("two columns are named `{ident}`");
            let mut diagnostic = Diagnostic::new(codes::QUERY_COLUMN_NAME, span, message)
                .help(format!("rename one of them: write `AS other_{}` after it", ident.trim_start_matches("r#")));
            if first.span != span {
                diagnostic = diagnostic.second(first.span, "the first one");
            }
            self.found.push(diagnostic);
            return None;
        }
        Some(ident)
    }

    fn column_type(
        &mut self,
        name: &str,
        note: Option<&ColumnAnnotation>,
        output: &Output,
    ) -> Option<(ValueType, bool)> {
        let typed = &output.typed;
        let (base, list) = match typed.ty {
            Ty::Base(base) => (base, false),
            Ty::List(base) => (base, true),
            _ => {
                if let Some(note) = note {
                    return Some((note.value.value.clone(), false));
                }
                let message = format!("the type of `{name}` cannot be inferred from the schema");
                let help = format!(
                    "annotate it above the statement:\n-- @column {{Type?}} {name}\nor add a cast, such as `::int`"
                );
                self.found.push(Diagnostic::new(codes::QUERY_NOT_DERIVED, output.span, message).help(help));
                return None;
            }
        };
        let Some(ty) = base.column_type() else {
            let message = format!("`{name}` is {}, which the client does not support", base.name(self.schema));
            let help = match base {
                Base::Interval => "write `extract(epoch FROM ..)` for seconds, or a cast: `::text`",
                Base::Money => "write a cast: `::numeric`",
                Base::Oid => "write a cast: `::bigint`",
                _ => "write a cast: `::text`",
            };
            self.found.push(Diagnostic::new(codes::QUERY_NO_RUST_TYPE, output.span, message).help(help));
            return None;
        };
        if let Some(note) = note {
            self.agree(&note.value, base, list, note.span, output.span)?;
        }
        let nullable = note.map_or(typed.nullable, |note| note.value.value.nullable);
        Some((ValueType { ty, list, holes: list && typed.holes, nullable: nullable && !list }, true))
    }

    /// Returns the columns as the annotations alone declare them.
    fn noted_columns(&mut self, notes: &[ColumnAnnotation]) -> Vec<ResultColumn> {
        let mut columns: Vec<ResultColumn> = Vec::new();
        for note in notes {
            let Some(ident) = self.column_name(&note.name, note.span, &columns) else { continue };
            columns.push(ResultColumn {
                db_name: note.name.clone(),
                name: ident,
                value: note.value.value.clone(),
                docs: note.docs.clone(),
                sensitive: false,
                field: None,
                derived: false,
                may_be_null: true,
                span: note.span,
            });
        }
        columns
    }
}

fn is_ident(name: &str) -> bool {
    let plain = name.strip_prefix("r#").unwrap_or(name);
    plain.chars().any(char::is_alphanumeric) && syn::parse_str::<syn::Ident>(name).is_ok()
}

fn scalar_word(scalar: ScalarType) -> &'static str {
    match scalar {
        ScalarType::String => "String",
        ScalarType::Boolean => "Boolean",
        ScalarType::Int => "Int",
        ScalarType::BigInt => "BigInt",
        ScalarType::Float => "Float",
        ScalarType::Decimal => "Decimal",
        ScalarType::DateTime => "DateTime",
        ScalarType::Json => "Json",
        ScalarType::Bytes => "Bytes",
    }
}

/// Returns the model, if these are all of its columns, unchanged and in its order.
fn model_of(schema: &Schema, columns: &[ResultColumn]) -> Option<ModelId> {
    let first = columns.first()?.field?;
    let model = schema.walk_field(first).model();
    let own: Vec<_> = model.columns().filter(|column| column.in_client()).collect();
    let same = own.len() == columns.len()
        && own.iter().zip(columns).all(|(own, column)| {
            column.field == Some(own.id)
                && column.db_name == own.db_name()
                && column.value.nullable == (own.arity() == Arity::Optional)
        });
    (same && !model.model().ignored).then_some(model.id)
}
