//! The compiler of Relata: from the text of a schema to Rust files and SQL.
//!
//! Pure: no database, no clock, no environment. `build` is the only module that touches the disk.

pub mod build;
pub mod diagnostics;
pub mod emit;
mod fix;
mod format;
pub mod ir;
mod lower;
pub mod queries;
pub mod sql;
mod syntax;

pub use fix::{Fixed, fix};
pub use format::{added_by_format, format, format_all};
pub use syntax::{string_literal, text_literal};

use diagnostics::{Diagnostic, Sources, Span};

/// The result of compiling a schema.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// The schema; `None` if the diagnostics contain an error.
    pub schema: Option<ir::Schema>,
    /// All diagnostics, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Compiles a schema of one file or several. Reports all mistakes of all files at once.
///
/// ```
/// use relata_codegen::{compile, diagnostics::{Sources, render_plain}};
///
/// let sources = Sources::single("schema.dsl", "model User {\n  id Strin @id\n}\n");
/// let compiled = compile(&sources);
/// assert!(compiled.schema.is_none());
/// let text = render_plain(&compiled.diagnostics[0], &sources);
/// assert!(text.contains("schema.dsl:2:6") && text.contains("did you mean `String`?"));
/// ```
pub fn compile(sources: &Sources) -> Compiled {
    let mut diagnostics = Vec::new();
    let texts = syntax::prepare(sources, &mut diagnostics);
    let ast = syntax::parse(&texts, &mut diagnostics);
    let schema = lower::lower(&ast, sources, &mut diagnostics);
    if diagnostics.is_empty() && ast.is_empty() {
        diagnostics.push(empty_schema());
    }
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span, diagnostic.code));
    diagnostics::without_allowed(&mut diagnostics, sources);
    let refused = diagnostics.iter().any(Diagnostic::is_error);
    Compiled { schema: (!refused).then_some(schema), diagnostics }
}

/// Writes the queries of `views/*.sql` into the schema, as `@@sql`: for one text that says everything. Without change if
/// the schema has errors.
pub fn with_views(sources: &Sources) -> Sources {
    let mut sources = sources.clone();
    let views = std::mem::take(&mut sources.views);
    if views.is_empty() {
        return sources;
    }
    let mut diagnostics = Vec::new();
    let texts = syntax::prepare(&sources, &mut diagnostics);
    let ast = syntax::parse(&texts, &mut diagnostics);
    let edits = lower::view_attributes(&ast, &views);
    drop(ast);
    drop(texts);
    fix::apply(&mut sources, edits);
    sources
}

/// The result of compiling a schema and a folder of queries.
#[derive(Debug, Clone)]
pub struct CompiledClient {
    /// The schema; `None` if it has an error.
    pub schema: Option<ir::Schema>,
    /// The queries; not valid if the diagnostics contain an error.
    pub queries: Vec<queries::Query>,
    /// All files: first those of the schema with its views and objects, then those of the queries.
    pub sources: Sources,
    /// All diagnostics, in the order of the files. Queries are not checked if the schema has errors.
    pub diagnostics: Vec<Diagnostic>,
}

impl CompiledClient {
    /// Returns whether no client can be generated.
    pub fn is_refused(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// Adds what a database says of the queries, except for warnings that a comment or the project allows.
    pub fn add(&mut self, mut found: Vec<Diagnostic>) {
        diagnostics::without_allowed(&mut found, &self.sources);
        self.diagnostics.append(&mut found);
    }
}

/// Compiles a schema and its queries.
pub fn compile_client(mut sources: Sources, files: Sources) -> CompiledClient {
    let Compiled { schema, mut diagnostics } = compile(&sources);
    let before = sources.all().count() as u32;
    let check = |schema| queries::check_with(schema, &files, &sources.objects);
    let checked = schema.as_ref().map(check).unwrap_or_default();
    let mut of_queries = checked.diagnostics;
    diagnostics::without_allowed(&mut of_queries, &Sources { allowed: sources.allowed.clone(), ..files.clone() });
    diagnostics.extend(of_queries.into_iter().map(|found| found.behind_files(before)));
    let queries = checked.queries.into_iter().map(|query| query.behind_files(before)).collect();
    let (views, objects) = (std::mem::take(&mut sources.views), std::mem::take(&mut sources.objects));
    sources.files.extend([views, objects, files.files].into_iter().flatten());
    CompiledClient { schema, queries, sources, diagnostics }
}

fn empty_schema() -> Diagnostic {
    Diagnostic::new(diagnostics::EMPTY_SCHEMA, Span::default(), "the schema declares nothing")
        .label("expected a model")
        .help("write a model, such as\nmodel User {\n  id    String @id @default(uuid()) @db.Uuid\n  email String @unique\n}")
}
