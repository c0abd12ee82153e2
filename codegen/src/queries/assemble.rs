//! Combines inferred and annotated types. If neither is enough, reports the annotation to write.

mod cast;

use std::collections::{BTreeMap, BTreeSet};

use super::header::{AnnotatedType, ColumnAnnotation, Header, ParamAnnotation};
use super::infer::{Output, ParamState, Typed, Whole};
use super::lexer::Token;
use super::params::Numbered;
use super::parser::ParseError;
use super::query::{Confinement, ModelPart, Param, Query, ResultColumn, ValueType};
use super::types::{Base, Ty};
use crate::diagnostics::{self as codes, Diagnostic, Span, did_you_mean};
use crate::ir::{
    Arity, ClientType, ColumnType, ColumnWalker, FieldId, ModelId, ScalarType, Schema, name_of_sql_type, names,
};

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
    mut numbered: Numbered,
    inferred: Inferred,
    found: &mut Vec<Diagnostic>,
) -> Query {
    let mut assembly = Assembly { schema, numbered: &numbered, casts: BTreeMap::new(), found };
    assembly.check_notes(&header, &numbered, inferred.outputs.as_deref());
    let params = assembly.params(&header.params, &numbered, &inferred.params);
    // Unknown columns can only be listed by annotations.
    // A row without a value says no more than the number of rows.
    let is_void = |output: &Output| output.typed.ty == Ty::Base(Base::Void);
    let (columns, model, parts) = match &inferred.outputs {
        None => (None, None, Vec::new()),
        Some(outputs) if outputs.iter().all(is_void) => (None, None, Vec::new()),
        Some(outputs) if outputs.iter().any(is_star) && !header.columns.is_empty() => {
            (Some(assembly.noted_columns(&header.columns)), None, Vec::new())
        }
        Some(outputs) => {
            let parts = whole_models(schema, &header.columns, outputs);
            let (columns, parts) = assembly.columns(&header.columns, outputs, parts);
            let model = header.columns.is_empty().then(|| model_of(schema, &columns)).flatten();
            (Some(columns), model, parts)
        }
    };
    let casts = assembly.casts;
    numbered.cast(&casts);
    Query {
        name: String::new(),
        row_name: String::new(),
        docs: header.docs,
        sql: numbered.sql,
        pieces: numbered.pieces,
        params,
        columns,
        model,
        parts,
        writes: inferred.writes,
        confinement: Confinement::None,
        only_for_tenants: false,
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
    let mut assembly = Assembly { schema: &schema, numbered: &numbered, casts: BTreeMap::new(), found };
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
        parts: Vec::new(),
        writes: None,
        confinement: Confinement::None,
        only_for_tenants: false,
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
    numbered: &'a Numbered,
    /// The casts of parameters.
    casts: BTreeMap<u16, String>,
    found: &'a mut Vec<Diagnostic>,
}

impl Assembly<'_> {
    /// Each annotation must match a parameter or a column.
    fn check_notes(&mut self, header: &Header, numbered: &Numbered, outputs: Option<&[Output]>) {
        for note in header.params.iter().filter(|note| numbered.place(&note.param).is_none()) {
            let help = match numbered.params.len() {
                0 => "the statement has no parameters: remove the line".to_owned(),
                1 => "the statement has one parameter, `$1`".to_owned(),
                count => format!("the statement has {count} parameters, from `$1` to `${count}`"),
            };
            let message = "the annotation names a parameter that the statement does not have";
            self.found.push(Diagnostic::new(codes::QUERY_ANNOTATION, note.span, message).help(help));
        }
        let Some(outputs) = outputs else { return };
        if outputs.iter().any(is_star) {
            return;
        }
        let known: Vec<&str> = outputs.iter().filter_map(|output| output.name.as_deref()).collect();
        let mut taken = Taken::of(known.iter().copied());
        let fields = outputs.iter().enumerate();
        let fields: Vec<String> = fields.map(|(at, output)| taken.field(output.name.as_deref(), at).0).collect();
        let is_known = |note: &&ColumnAnnotation| known.contains(&note.name.as_str()) || fields.contains(&note.name);
        for note in header.columns.iter().filter(|note| !is_known(note)) {
            let guess = did_you_mean(&note.name, known.iter().copied());
            let help = codes::suggest(guess, || format!("it returns {}", known.join(", ")));
            let message = format!("the statement returns no column `{}`", note.name);
            self.found.push(Diagnostic::new(codes::QUERY_ANNOTATION, note.span, message).help(help));
        }
    }

    fn params(&mut self, notes: &[ParamAnnotation], numbered: &Numbered, states: &[ParamState]) -> Vec<Param> {
        let mut taken = BTreeSet::new();
        let mut params = Vec::new();
        let given = notes.iter().filter_map(|note| note.alias.as_deref());
        let given = given.chain(numbered.params.iter().filter_map(|(_, name)| name.as_deref()));
        let given: BTreeSet<String> = given.map(names::snake_ident).collect();
        for (at, (span, name)) in numbered.params.iter().enumerate() {
            let note = notes.iter().find(|note| numbered.place(&note.param) == Some(at));
            let state = states.get(at).cloned().unwrap_or_default();
            let noted = note.and_then(|note| note.alias.as_deref()).or(name.as_deref());
            // A name that the file gives takes precedence over one that is inferred.
            let hint =
                state.hint.as_deref().filter(|hint| noted.is_some() || !given.contains(&names::snake_ident(hint)));
            let ident = self.param_name(at, noted, hint, *span, &mut taken);
            let Some((value, derived)) = self.param_type(at, note, &state, &ident, *span) else { continue };
            let docs = note.and_then(|note| note.docs.clone());
            let field = state.field(self.schema).filter(|_| derived);
            params.push(Param { name: ident, value, field, docs, derived, span: *span });
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
        self.give_reference_system(at, state);
        let own = || state.field(self.schema).filter(|_| note.is_none()).and_then(|field| self.own_type(field));
        // `= ANY ($1)` takes a list of the field's type.
        let list = state.ty.map(|ty| matches!(ty, Ty::List(_)));
        let own = own().map(|value| {
            let list = list.unwrap_or(value.list);
            (ValueType { list, nullable: state.takes_null(), ..value }, true)
        });
        let (base, list) = match state.ty {
            // A field says more than the name of its type: which shapes a geometry has, or the type of `@rust`.
            Some(Ty::Base(base) | Ty::List(base)) if base.is_named() && own.is_some() => return own,
            Some(Ty::Base(base)) => (base, false),
            Some(Ty::List(base)) => (base, true),
            _ => {
                if let Some(note) = note {
                    return Some((note.value.value.clone(), false));
                }
                if own.is_some() {
                    return own;
                }
                if let Some((sql, list)) = state.field(self.schema).and_then(|field| self.text_type(field)) {
                    return Some(self.sent_as_text(at, &sql, list, state.takes_null()));
                }
                let number = at + 1;
                self.found.push(
                    Diagnostic::new(codes::QUERY_NOT_DERIVED, span, format!("the type of `${number}` cannot be inferred from the statement"))
                        .help(format!("annotate it above the statement:\n-- @param {{Type}} ${number}:{name}\nor add a cast, such as `${number}::int`")),
                );
                return None;
            }
        };
        let name = base.name(self.schema);
        if base.is_as_text() {
            let sent = self.sent_as_text(at, &name, list, state.takes_null());
            let is_text = |note: &&ParamAnnotation| {
                matches!(note.value.value.ty, ColumnType::Scalar(ScalarType::String, _))
                    && note.value.value.list == list
            };
            return match note {
                None => Some(sent),
                Some(note) if is_text(&note) => Some((note.value.value.clone(), true)),
                Some(note) => {
                    self.agree(&note.value, base, list, note.span, span)?;
                    Some(sent)
                }
            };
        }
        // A document can be read, but only PostgreSQL writes one.
        let Some(ty) = base.column_type().filter(|_| base != Base::Tsvector) else {
            let sql = base.name(self.schema);
            let message = format!("`${}` is {sql}, which the client does not support", at + 1);
            let help = format!("pass it as text: write `${}::text::{sql}`", at + 1);
            self.found.push(Diagnostic::new(codes::QUERY_NO_RUST_TYPE, span, message).help(help));
            return None;
        };
        if let Some(note) = note {
            self.agree(&note.value, base, list, note.span, span)?;
        }
        let ty = note.filter(|_| base.is_named()).map_or(ty, |note| note.value.value.ty.clone());
        let nullable = note.map_or_else(|| state.takes_null(), |note| note.value.value.nullable);
        Some((ValueType { ty, list, holes: false, nullable }, true))
    }

    /// Returns the type of a field that inference does not know, but the client does: by `@rust`, or because the runtime
    /// has a type for it.
    fn own_type(&self, field: FieldId) -> Option<ValueType> {
        let is_known = |column: &ColumnWalker<'_>| match &column.column().ty {
            _ if column.column().rust.is_some() => true,
            ColumnType::Unsupported(text) => ClientType::of(text) != ClientType::Text,
            _ => false,
        };
        let column = self.schema.walk_field(field).as_column().filter(is_known)?;
        let list = column.arity() == Arity::List;
        Some(ValueType { ty: column.column().ty.clone(), list, holes: false, nullable: false })
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
            Some(ColumnType::Unsupported(sql)) => name_of_sql_type(&sql).unwrap_or(sql),
            _ => "String".to_owned(),
        };
        if list { format!("{word}[]") } else { word }
    }

    /// Returns the columns, and the parts that have an own struct, with the names of their fields.
    fn columns(
        &mut self,
        notes: &[ColumnAnnotation],
        outputs: &[Output],
        wholes: Vec<ModelPart>,
    ) -> (Vec<ResultColumn>, Vec<ModelPart>) {
        let (mut columns, mut parts): (Vec<ResultColumn>, Vec<ModelPart>) = (Vec::new(), Vec::new());
        let mut taken = Taken::of(outputs.iter().filter_map(|output| output.name.as_deref()));
        for (at, output) in outputs.iter().enumerate() {
            if is_star(output) {
                self.unknown_columns(output.span);
                continue;
            }
            let part = wholes.iter().find(|part| part.columns.contains(&at));
            if let Some(part) = part.filter(|part| part.columns.start == at) {
                let name = self.field(&mut taken, Some(&part.name), at, output.span);
                parts.push(ModelPart { name, ..part.clone() });
            }
            let name = output.name.as_deref().filter(|name| *name != super::infer::NAMELESS);
            let ident = match part {
                Some(_) => names::snake_ident(name.unwrap_or_default()),
                None => self.field(&mut taken, name, at, output.span),
            };
            let note = notes.iter().find(|note| Some(note.name.as_str()) == name || note.name == ident);
            let Some((value, derived)) = self.column_type(name.unwrap_or(&ident), note, output) else { continue };
            columns.push(ResultColumn {
                db_name: name.unwrap_or(super::infer::NAMELESS).to_owned(),
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
        (columns, parts)
    }

    fn unknown_columns(&mut self, span: Span) {
        let message = "these columns cannot be inferred from the schema";
        let help = "list them by name, or annotate all of them above the statement, in order:\n-- @column {Type?} name";
        self.found.push(Diagnostic::new(codes::QUERY_NOT_DERIVED, span, message).help(help));
    }

    /// Returns the field of a column, and says so if it has another name than the column.
    fn field(&mut self, taken: &mut Taken, name: Option<&str>, at: usize, span: Span) -> String {
        let (field, is_own) = taken.field(name, at);
        if !is_own {
            let plain = field.trim_start_matches("r#");
            let message = match name {
                None => format!("column {} has no name: its field is `{plain}`", at + 1),
                Some(name) if is_ident(&names::snake_ident(name)) => {
                    format!("two columns are named `{}`: the field of this one is `{plain}`", names::snake_ident(name))
                }
                Some(name) => format!("`{name}` cannot be a field in Rust: its field is `{plain}`"),
            };
            let help = "to choose the name, write `AS` and the name after the column";
            self.found.push(Diagnostic::new(codes::QUERY_COLUMN_NAME, span, message).help(help));
        }
        field
    }

    fn column_type(
        &mut self,
        name: &str,
        note: Option<&ColumnAnnotation>,
        output: &Output,
    ) -> Option<(ValueType, bool)> {
        let typed = &output.typed;
        let own = typed.field.filter(|_| note.is_none()).and_then(|field| self.own_type(field)).map(|value| {
            let nullable = typed.nullable && !value.list;
            (ValueType { holes: value.list && typed.holes, nullable, ..value }, true)
        });
        let (base, list) = match typed.ty {
            Ty::Base(base) | Ty::List(base) if base.is_named() && own.is_some() => return own,
            Ty::Base(base) => (base, false),
            Ty::List(base) => (base, true),
            _ => {
                if let Some(note) = note {
                    return Some((note.value.value.clone(), false));
                }
                if own.is_some() {
                    return own;
                }
                if let Some((sql, list)) = typed.field.and_then(|field| self.text_type(field)) {
                    self.only_text(name, &sql, output, list);
                    return None;
                }
                let message = format!("the type of `{name}` cannot be inferred from the schema");
                let help = format!(
                    "annotate it above the statement:\n-- @column {{Type?}} {name}\nor add a cast, such as `::int`"
                );
                let is_field = typed.field.is_some();
                let help = if is_field { format!("{help}, or name its type in the schema with `@rust`") } else { help };
                self.found.push(Diagnostic::new(codes::QUERY_NOT_DERIVED, output.span, message).help(help));
                return None;
            }
        };
        let Some(ty) = base.column_type() else {
            if base.is_as_text() {
                self.only_text(name, &base.name(self.schema), output, list);
                return None;
            }
            let message = format!("`{name}` is {}, which the client does not support", base.name(self.schema));
            let help = match base {
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
        let ty = note.filter(|_| base.is_named()).map_or(ty, |note| note.value.value.ty.clone());
        let nullable = note.map_or(typed.nullable, |note| note.value.value.nullable);
        Some((ValueType { ty, list, holes: list && typed.holes, nullable: nullable && !list }, true))
    }

    /// Returns the columns as the annotations alone declare them.
    fn noted_columns(&mut self, notes: &[ColumnAnnotation]) -> Vec<ResultColumn> {
        let mut columns: Vec<ResultColumn> = Vec::new();
        let mut taken = Taken::of(notes.iter().map(|note| note.name.as_str()));
        for (at, note) in notes.iter().enumerate() {
            let ident = self.field(&mut taken, Some(&note.name), at, note.span);
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

/// The fields of a row.
struct Taken {
    /// The names that columns have, of which the first one with a name keeps it.
    wanted: BTreeSet<String>,
    fields: BTreeSet<String>,
}

impl Taken {
    fn of<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let wanted = names.filter(|name| *name != super::infer::NAMELESS).map(names::snake_ident);
        Self { wanted: wanted.collect(), fields: BTreeSet::new() }
    }

    /// Returns the field of the column at a position, and whether it has the name of the column.
    fn field(&mut self, name: Option<&str>, at: usize) -> (String, bool) {
        let wanted = name.map(names::snake_ident).filter(|ident| is_ident(ident));
        if let Some(wanted) = wanted.as_ref().filter(|wanted| !self.fields.contains(*wanted)) {
            self.fields.insert(wanted.clone());
            return (wanted.clone(), true);
        }
        let is_free = |name: &String| !self.fields.contains(name) && !self.wanted.contains(name);
        let numbered = |stem: &str, first: usize| (first..).map(|number| format!("{stem}_{number}")).find(is_free);
        let found = match &wanted {
            Some(wanted) => numbered(wanted.trim_start_matches("r#"), 2),
            None => {
                let plain = format!("column_{}", at + 1);
                Some(plain.clone()).filter(is_free).or_else(|| numbered(&plain, 2))
            }
        };
        let found = found.unwrap_or_default();
        self.fields.insert(found.clone());
        (found, false)
    }
}

/// Whether it stands for columns that are not known.
fn is_star(output: &Output) -> bool {
    output.name.is_none() && output.is_star
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

/// Returns the tables that are read whole, each with all columns of its model, if there are several.
fn whole_models(schema: &Schema, notes: &[ColumnAnnotation], outputs: &[Output]) -> Vec<ModelPart> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(output) = outputs.get(at) {
        let width = outputs[at..].iter().take_while(|other| other.whole == output.whole).count();
        let columns = &outputs[at..at + width];
        if let Some(whole) = output.whole.as_ref().filter(|whole| is_whole(schema, whole, columns))
            && !columns.iter().any(|column| notes.iter().any(|note| Some(&note.name) == column.name.as_ref()))
        {
            let (name, model) = (whole.name.clone(), whole.model);
            parts.push(ModelPart { name, model, columns: at..at + width, optional: whole.missing });
        }
        at += width;
    }
    if parts.len() < 2 { Vec::new() } else { parts }
}

/// Returns whether columns are all those of the model, in its order, so that its struct can hold them.
fn is_whole(schema: &Schema, whole: &Whole, columns: &[Output]) -> bool {
    let model = schema.walk_model(whole.model);
    let own: Vec<_> = model.columns().filter(|column| !column.column().omitted).collect();
    let is_held = |typed: &Typed, arity: Arity| !typed.holes && (!typed.nullable || arity != Arity::Required);
    !model.model().ignored
        && own.len() == columns.len()
        && own.iter().zip(columns).all(|(own, column)| {
            own.in_client()
                && column.typed.field == Some(own.id)
                && (is_held(&column.typed, own.arity()) || whole.missing && !column.typed.holes)
        })
}

/// Returns the model, if these are all of its columns, unchanged and in its order.
fn model_of(schema: &Schema, columns: &[ResultColumn]) -> Option<ModelId> {
    let first = columns.first()?.field?;
    let model = schema.walk_field(first).model();
    let own: Vec<_> = model.columns().filter(|column| column.in_client() && !column.column().omitted).collect();
    let same = own.len() == columns.len()
        && own.iter().zip(columns).all(|(own, column)| {
            column.field == Some(own.id)
                && column.db_name == own.db_name()
                && column.value.nullable == (own.arity() == Arity::Optional)
        });
    (same && !model.model().ignored).then_some(model.id)
}
