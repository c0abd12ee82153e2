//! Diagnostics: rendered by miette at a terminal, as plain text elsewhere, and as JSON.

use std::fmt;
use std::io::IsTerminal;
use std::path::Path;

use miette::{LabeledSpan, MietteHandler, MietteHandlerOpts, NamedSource, ReportHandler, SourceCode};
use relata_codegen::diagnostics::{Diagnostic, Label, Places, Severity, Sources, Span, counted, render_plain};
use relata_codegen::ir::Schema;
use relata_codegen::queries::Query;
use serde::Serialize;

use crate::failure::Failure;
use crate::terminal::output;

/// Compiles the schema of a path, and reports its errors on stderr. Warnings are only counted: `check` shows them.
pub(crate) fn compile(path: &Path, sources: &Sources) -> Result<Schema, Failure> {
    let compiled = relata_codegen::compile(sources);
    print_errors(path, &compiled.diagnostics, sources);
    compiled.schema.ok_or_else(Failure::reported)
}

/// The same, with the queries.
pub(crate) fn compile_client(path: &Path, schema: Sources, queries: Sources) -> Result<(Schema, Vec<Query>), Failure> {
    let compiled = relata_codegen::compile_client(schema, queries);
    print_errors(path, &compiled.diagnostics, &compiled.sources);
    let refused = compiled.is_refused();
    compiled.schema.filter(|_| !refused).map(|schema| (schema, compiled.queries)).ok_or_else(Failure::reported)
}

/// Prints the errors, or else the number of warnings.
fn print_errors(path: &Path, diagnostics: &[Diagnostic], sources: &Sources) {
    if diagnostics.iter().any(Diagnostic::is_error) {
        return print(diagnostics.iter().filter(|diagnostic| diagnostic.is_error()), sources);
    }
    let warnings = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Warning).count();
    if warnings > 0 {
        let (number, path) = (counted(warnings, "warning"), path.display());
        let them = if warnings == 1 { "it" } else { "them" };
        output::eprint(&format!("{number} in {path}: `codegen check {path}` shows {them}"));
    }
}

/// The same without warnings, for a schema that is no longer edited: a snapshot, or the one that a comparison starts from.
pub(crate) fn compile_old(sources: &Sources) -> Result<Schema, Failure> {
    let compiled = relata_codegen::compile(sources);
    if compiled.schema.is_none() {
        print(&compiled.diagnostics, sources);
    }
    compiled.schema.ok_or_else(Failure::reported)
}

/// The maximum number of printed diagnostics.
const MAX_SHOWN: usize = 100;

/// Prints diagnostics and how many errors there are.
pub(crate) fn print<'d>(diagnostics: impl IntoIterator<Item = &'d Diagnostic>, sources: &Sources) {
    let handler = std::io::stderr().is_terminal().then(|| MietteHandlerOpts::new().build());
    let mut errors = 0;
    for (number, diagnostic) in diagnostics.into_iter().enumerate() {
        errors += usize::from(diagnostic.is_error());
        if number == MAX_SHOWN {
            output::eprint(&format!("more than {MAX_SHOWN} findings: `codegen check --json` lists all of them"));
        }
        match &handler {
            _ if number >= MAX_SHOWN => {}
            Some(handler) if !has_long_lines(diagnostic, sources) => {
                output::eprint(&Drawing { handler, report: Report::new(diagnostic, sources) }.to_string())
            }
            _ => output::eprint(&render_plain(diagnostic, sources)),
        }
    }
    if errors > 0 {
        output::eprint(&format!("{}; `codegen explain CODE` explains a code", counted(errors, "error")));
    }
}

/// The maximum length in bytes of a line that miette draws.
const MAX_LINE: usize = 400;
/// The number of lines before and after a place that miette draws with it.
const CONTEXT_LINES: usize = 3;

/// Whether a line to draw is too long. The plain text shows only the relevant part of it.
fn has_long_lines(diagnostic: &Diagnostic, sources: &Sources) -> bool {
    let spans = std::iter::once(diagnostic.span).chain(diagnostic.secondary.iter().map(|label| label.span));
    let is_long = |span: Span| {
        let Some(file) = sources.file(span) else { return false };
        let range = span.range();
        let before = file.text.get(..range.start).unwrap_or_default().matches('\n').count();
        let within = file.text.get(range).unwrap_or_default().matches('\n').count();
        let drawn = file.text.lines().skip(before.saturating_sub(CONTEXT_LINES)).take(within + 2 * CONTEXT_LINES + 1);
        drawn.map(str::len).any(|length| length > MAX_LINE)
    };
    spans.into_iter().any(is_long)
}

struct Drawing<'a> {
    handler: &'a MietteHandler,
    report: Report<'a>,
}

impl fmt::Display for Drawing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handler.debug(&self.report, f)
    }
}

/// A diagnostic for miette. A report of miette has one file, so places in other files are related reports.
#[derive(Debug)]
struct Report<'a> {
    diagnostic: &'a Diagnostic,
    source: Option<NamedSource<String>>,
    elsewhere: Vec<OtherPlace>,
}

impl<'a> Report<'a> {
    fn new(diagnostic: &'a Diagnostic, sources: &Sources) -> Self {
        let others = diagnostic.secondary.iter().filter(|label| label.span.file != diagnostic.span.file);
        Self {
            diagnostic,
            source: named_source(sources, diagnostic.span),
            elsewhere: others.filter_map(|label| OtherPlace::new(label, sources)).collect(),
        }
    }
}

fn named_source(sources: &Sources, span: Span) -> Option<NamedSource<String>> {
    sources.file(span).map(|file| NamedSource::new(&file.path, file.text.clone()))
}

fn labeled(text: &str, span: Span) -> LabeledSpan {
    let text = (!text.is_empty()).then(|| text.to_owned());
    LabeledSpan::new(text, span.range().start, span.range().len())
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostic.message)
    }
}

impl std::error::Error for Report<'_> {}

impl miette::Diagnostic for Report<'_> {
    fn code<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        Some(Box::new(self.diagnostic.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        })
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.diagnostic.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let here = self.diagnostic.secondary.iter().filter(|label| label.span.file == self.diagnostic.span.file);
        let labels = std::iter::once(labeled(&self.diagnostic.label, self.diagnostic.span))
            .chain(here.map(|label| labeled(&label.text, label.span)));
        Some(Box::new(labels))
    }

    fn related<'b>(&'b self) -> Option<Box<dyn Iterator<Item = &'b dyn miette::Diagnostic> + 'b>> {
        let related = self.elsewhere.iter().map(|elsewhere| elsewhere as &dyn miette::Diagnostic);
        (!self.elsewhere.is_empty()).then(|| Box::new(related) as Box<dyn Iterator<Item = _>>)
    }
}

/// A place in another file.
#[derive(Debug)]
struct OtherPlace {
    label: Label,
    source: NamedSource<String>,
}

impl OtherPlace {
    fn new(label: &Label, sources: &Sources) -> Option<Self> {
        Some(Self { label: label.clone(), source: named_source(sources, label.span)? })
    }
}

impl fmt::Display for OtherPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label.text)
    }
}

impl std::error::Error for OtherPlace {}

impl miette::Diagnostic for OtherPlace {
    fn severity(&self) -> Option<miette::Severity> {
        Some(miette::Severity::Advice)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(labeled("", self.label.span))))
    }
}

/// The diagnostics as JSON: `{"ok": .., "diagnostics": [..]}`. Lines and columns count from 1, columns in characters,
/// offsets in bytes of the file.
pub(crate) fn to_json(diagnostics: &[Diagnostic], sources: &Sources) -> Result<String, Failure> {
    #[derive(Serialize)]
    struct All<'a> {
        ok: bool,
        diagnostics: Vec<JsonDiagnostic<'a>>,
    }
    let ok = !diagnostics.iter().any(Diagnostic::is_error);
    let places = Places::new(sources);
    let diagnostics = diagnostics.iter().map(|diagnostic| JsonDiagnostic::new(diagnostic, &places)).collect();
    serde_json::to_string_pretty(&All { ok, diagnostics })
        .map_err(|error| Failure::refused(format!("the diagnostics cannot be written as JSON: {error}")))
}

#[derive(Serialize)]
struct JsonDiagnostic<'a> {
    code: &'a str,
    severity: &'static str,
    message: &'a str,
    help: Option<&'a str>,
    #[serde(flatten)]
    place: JsonPlace<'a>,
    related: Vec<JsonPlace<'a>>,
}

#[derive(Serialize)]
struct JsonPlace<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    start: u32,
    end: u32,
    label: &'a str,
}

impl<'a> JsonDiagnostic<'a> {
    fn new(diagnostic: &'a Diagnostic, places: &Places<'a>) -> Self {
        Self {
            code: diagnostic.code,
            severity: diagnostic.severity.name(),
            message: &diagnostic.message,
            help: diagnostic.help.as_deref(),
            place: JsonPlace::new(diagnostic.span, &diagnostic.label, places),
            related: diagnostic.secondary.iter().map(|it| JsonPlace::new(it.span, &it.text, places)).collect(),
        }
    }
}

impl<'a> JsonPlace<'a> {
    fn new(span: Span, label: &'a str, places: &Places<'a>) -> Self {
        let (start, end) = (places.start(span), places.end(span));
        let file = start.map_or("", |(file, _)| file.path.as_str());
        let [(line, column), (end_line, end_column)] =
            [start, end].map(|place| place.map_or((0, 0), |(_, place)| (place.line, place.column)));
        Self { file, line, column, end_line, end_column, start: span.start, end: span.end, label }
    }
}
