//! `queries/*.sql`: files of SQL, each a function of the client, with types inferred from the schema.
//!
//! Takes the IR and the texts of the files. Returns queries with typed parameters and columns, and a diagnostic for
//! every mistake. Uses no database: types that cannot be inferred from the schema are annotated, and `codegen check
//! --database` compares the annotations with PostgreSQL. Does not depend on the client.

mod assemble;
mod catalog;
mod confine;
mod header;
mod infer;
mod lexer;
mod objects;
mod params;
mod parser;
mod query;
mod tree;
mod types;

use std::collections::BTreeSet;

pub use query::{Confinement, ModelPart, Param, Query, ResultColumn, ValueType};

use catalog::Catalog;
use confine::{Tables, confine};
use header::{is_name, read_header};
use infer::{LeftOut, ParamState, infer};
use lexer::{Kind, Token, tokens};
use objects::add_objects;
use params::number_params;
use parser::parse_statement;

use crate::diagnostics::{self as codes, Diagnostic, SourceFile, Sources, Span};
use crate::ir::Schema;
use crate::ir::names::{self, Wanted, distinct};

/// The result of checking a folder of queries.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// The queries of all files without a mistake, in the order of their names.
    pub queries: Vec<Query>,
    /// All diagnostics, in the order of the files.
    pub diagnostics: Vec<Diagnostic>,
}

/// The maximum number of tokens, which limits the time for one file.
const MAX_TOKENS: usize = 20_000;

/// Finds out what the queries of a folder take and give. Reports all mistakes of all files at once.
///
/// ```
/// use relata_codegen::{compile, diagnostics::Sources, queries};
///
/// let schema = compile(&Sources::single("schema.dsl", "model User {\n  id Int @id\n  email String?\n}\n"));
/// let files = Sources::single("queries/by_id.sql", "SELECT email FROM \"User\" WHERE id = $1;");
/// let checked = queries::check(&schema.schema.unwrap(), &files);
/// let query = &checked.queries[0];
/// assert_eq!((query.name.as_str(), query.params[0].name.as_str()), ("by_id", "id"));
/// assert!(query.columns.as_ref().unwrap()[0].value.nullable);
/// ```
pub fn check(schema: &Schema, files: &Sources) -> Checked {
    check_with(schema, files, &[])
}

/// The same, for queries that also name the functions, views and sequences of `objects`, which are files of SQL.
pub fn check_with(schema: &Schema, files: &Sources, objects: &[SourceFile]) -> Checked {
    let mut catalog = Catalog::new(schema);
    add_objects(schema, &mut catalog, objects);
    let mut checked = Checked::default();
    let names = function_names(files, &mut checked.diagnostics);
    for ((at, file), names) in files.files.iter().enumerate().zip(names) {
        let mut found = Vec::new();
        let mut query = check_file(schema, &catalog, at as u32, &file.text, &mut found);
        match names {
            Some((name, row_name)) => query = query.map(|query| Query { name, row_name, ..query }),
            None => found.push(bad_name(at as u32, &file.path)),
        }
        found.sort_by_key(|diagnostic| (diagnostic.span, diagnostic.code));
        if !found.iter().any(Diagnostic::is_error) {
            checked.queries.extend(query);
        }
        checked.diagnostics.extend(found);
    }
    checked.queries.sort_by(|a, b| a.name.cmp(&b.name));
    checked
}

/// Returns the names of the function and of its row type for each file; `None` if the file name cannot be a function
/// name. Of several files that would have one name, all but one get a second name, and a warning.
fn function_names(files: &Sources, found: &mut Vec<Diagnostic>) -> Vec<Option<(String, String)>> {
    let stem = |file: &SourceFile| {
        let name = file.path.rsplit(['/', '\\']).next().unwrap_or(&file.path);
        name.strip_suffix(".sql").unwrap_or(name).to_owned()
    };
    let stems: Vec<_> = files.files.iter().map(stem).enumerate().filter(|(_, stem)| is_name(stem)).collect();
    let functions: Vec<_> =
        stems.iter().map(|(_, stem)| Wanted { name: stem, ident: names::snake_ident(stem) }).collect();
    let of_functions = distinct(&functions, &mut BTreeSet::new());
    let rows = stems.iter().zip(&of_functions);
    let rows: Vec<_> = rows.map(|((_, stem), name)| Wanted { name, ident: names::camel_ident(stem) }).collect();
    let of_rows = distinct(&rows, &mut BTreeSet::new());
    let mut named = vec![None; files.files.len()];
    for (index, (at, _)) in stems.iter().enumerate() {
        let (function, row) = (&of_functions[index], &of_rows[index]);
        for (wanted, chosen, all) in [(&functions, function, &of_functions), (&rows, row, &of_rows)] {
            let wanted = &wanted[index].ident;
            if let Some(other) = all.iter().position(|it| it == wanted).filter(|_| wanted != chosen) {
                found.push(same_name(*at as u32, (wanted, chosen), &files.files[stems[other].0].path));
                break;
            }
        }
        named[*at] = Some((function.clone(), row.clone()));
    }
    named
}

fn start_of(file: u32) -> Span {
    Span { file, start: 0, end: 0 }
}

fn bad_name(file: u32, path: &str) -> Diagnostic {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    Diagnostic::new(codes::QUERY_FILE_NAME, start_of(file), format!("`{name}` is not a valid function name"))
        .label("of this file")
        .help("rename the file with ASCII letters, digits and `_`, such as `students_by_score.sql`")
}

fn same_name(file: u32, (wanted, chosen): (&str, &str), other: &str) -> Diagnostic {
    let message = format!("this file and `{other}` would both be `{wanted}` in Rust: this one is `{chosen}`");
    Diagnostic::new(codes::QUERY_NAME_CLASH, start_of(file), message).label("of this file").help("rename one of them")
}

fn check_file(schema: &Schema, catalog: &Catalog, file: u32, text: &str, found: &mut Vec<Diagnostic>) -> Option<Query> {
    let header = read_header(schema, file, text, found);
    let mut tokens = tokens(text);
    let span = one_statement(file, &mut tokens, found)?;
    let numbered = number_params(file, text, span, &mut tokens, found)?;
    let parsed = if tokens.len() > MAX_TOKENS {
        Err(parser::ParseError { span, expected: format!("at most {MAX_TOKENS} tokens"), is_wrong: false })
    } else {
        parse_statement(file, &tokens)
    };
    let statement = match parsed {
        Ok(statement) => statement,
        Err(stop) => return assemble::annotated(file, span, header, numbered, &tokens, &stop, found),
    };
    let mut params = vec![ParamState::default(); usize::from(numbered.count())];
    for note in &header.params {
        if let Some(param) = numbered.place(&note.param).and_then(|at| params.get_mut(at)) {
            param.noted_nullable = note.value.value.nullable;
        }
    }
    let (cx, outputs) = infer(schema, catalog, params, &statement);
    found.extend(cx.found);
    let tables = Tables {
        reads: cx.tables,
        writes: cx.written,
        groupings: cx.groupings,
        goes_outside: cx.goes_outside,
        tokens: &tokens,
    };
    let inferred = assemble::Inferred { params: cx.params, outputs, writes: cx.writes };
    let mut query = assemble::assemble(schema, span, header, numbered, inferred, found);
    (query.confinement, query.only_for_tenants) = confine(schema, &query, tables);
    let is_confined = matches!(query.confinement, Confinement::Confined(_));
    let left_out = |left: LeftOut| if is_confined { left.confined } else { Some(left.other) };
    found.extend(cx.left_out.into_iter().filter_map(left_out));
    // Errors that only follow from another error are not reported.
    let is_underived = |known: &Diagnostic| known.code == codes::QUERY_NOT_DERIVED.code;
    if found.iter().any(|known| known.is_error() && !is_underived(known)) {
        found.retain(|known| !is_underived(known));
    }
    Some(query)
}

/// Returns the place of the only statement. Removes semicolons at its end.
fn one_statement(file: u32, tokens: &mut Vec<Token>, found: &mut Vec<Diagnostic>) -> Option<Span> {
    let end = tokens.pop()?;
    while tokens.last().is_some_and(|token| token.is(";")) {
        tokens.pop();
    }
    let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
        let message = "there is no statement in this file".to_owned();
        let help = "write one SELECT, INSERT, UPDATE or DELETE";
        found.push(Diagnostic::new(codes::QUERY_STATEMENTS, start_of(file), message).help(help));
        return None;
    };
    let span = Span { file, start: first.span.start as u32, end: last.span.end as u32 };
    if let Some(at) = tokens.iter().position(|token| token.is(";")) {
        let second = &tokens[(at + 1).min(tokens.len() - 1)];
        let second = Span { file, start: second.span.start as u32, end: second.span.end as u32 };
        let message = "there are several statements in this file".to_owned();
        found.push(
            Diagnostic::new(codes::QUERY_STATEMENTS, second, message)
                .label("the second one")
                .help("each file is one function with one statement: put the others into their own files"),
        );
        return None;
    }
    tokens.push(Token { kind: Kind::End, span: last.span.end..last.span.end, text: end.text });
    Some(span)
}
