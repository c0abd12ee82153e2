//! Compares the compiler's verdicts with those of a corpus.
//!
//! `cargo run -p relata-codegen --example verdicts -- DIR [--list]`, where `DIR/EXPECTED.tsv` has the
//! columns path, `ok` or `error`, first message, and its line. A path is a file, or a folder that is
//! one schema. `--list` prints every path whose verdict or line differs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use relata_codegen::compile;
use relata_codegen::diagnostics::{Diagnostic, SourceFile, Sources};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(folder) = arguments.next().map(PathBuf::from) else {
        eprintln!("usage: verdicts DIR [--list]");
        return ExitCode::from(64);
    };
    let list = arguments.any(|argument| argument == "--list");
    match compare(&folder, list) {
        Ok(figures) => {
            println!("{figures}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}: {error}", folder.display());
            ExitCode::FAILURE
        }
    }
}

fn compare(folder: &Path, list: bool) -> std::io::Result<String> {
    let table = std::fs::read_to_string(folder.join("EXPECTED.tsv"))?;
    let (mut cases, mut verdicts, mut errors, mut lines) = (0, 0, 0, 0);
    for row in table.lines().skip(1) {
        let mut columns = row.split('\t');
        let (Some(path), Some(expected)) = (columns.next(), columns.next()) else { continue };
        let (message, line) = (columns.next().unwrap_or(""), columns.next().unwrap_or(""));
        let sources = read(&folder.join(path))?;
        let compiled = compile(&sources);
        let ok = if compiled.schema.is_some() { "ok" } else { "error" };
        cases += 1;
        verdicts += usize::from(ok == expected);
        let found: Vec<_> = compiled.diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).collect();
        let same_line = found.iter().any(|diagnostic| lines_of(&sources, diagnostic).any(|found| found == line));
        if ok == "error" && expected == "error" {
            errors += 1;
            lines += usize::from(same_line);
        }
        if list && (ok != expected || ok == "error" && !same_line) {
            println!("{path}: expected {expected} {line} {message}");
            for diagnostic in found {
                println!("    {} {} {}", line_of(&sources, diagnostic), diagnostic.code, diagnostic.message);
            }
        }
    }
    Ok(format!("verdicts agree: {verdicts} of {cases}; an error on the expected line: {lines} of {errors}"))
}

fn line_of(sources: &Sources, diagnostic: &Diagnostic) -> String {
    let file = sources.file(diagnostic.span);
    file.map(|file| file.location(diagnostic.span.start).line.to_string()).unwrap_or_default()
}

/// The lines of all its labels: where two places conflict, either may be called the wrong one.
fn lines_of<'d>(sources: &'d Sources, diagnostic: &'d Diagnostic) -> impl Iterator<Item = String> + 'd {
    let spans = std::iter::once(diagnostic.span).chain(diagnostic.secondary.iter().map(|label| label.span));
    spans.filter_map(|span| Some(sources.file(span)?.location(span.start).line.to_string()))
}

fn read(path: &Path) -> std::io::Result<Sources> {
    let mut sources = Sources::default();
    let mut paths = vec![path.to_owned()];
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            for entry in std::fs::read_dir(&path)? {
                paths.push(entry?.path());
            }
            continue;
        }
        if path.extension().is_some_and(|extension| extension == "sql") {
            // An introspection fixture: the schema is in the comment.
            let text = std::fs::read_to_string(&path)?;
            let schema =
                text.split_once("/*").and_then(|(_, rest)| rest.rsplit_once("*/")).map_or("", |(schema, _)| schema);
            sources.files.push(SourceFile { path: path.display().to_string(), text: schema.to_owned() });
            continue;
        }
        let is_schema = path.extension().is_some_and(|extension| extension == "prisma" || extension == "dsl");
        if is_schema {
            let text = std::fs::read_to_string(&path)?;
            sources.files.push(SourceFile { path: path.display().to_string(), text });
        }
    }
    sources.files.sort_by(|a, b| a.path.cmp(&b.path));
    // Prisma was asked with a datasource, which it does not go without; a file of its own leaves the lines as they are.
    if !sources.files.iter().any(|file| file.text.lines().any(|line| line.trim_start().starts_with("datasource "))) {
        let text = "datasource db {\n  provider = \"postgresql\"\n}\n".to_owned();
        sources.files.push(SourceFile { path: "datasource.prisma".to_owned(), text });
    }
    Ok(sources)
}
