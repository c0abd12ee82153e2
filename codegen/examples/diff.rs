//! Writes the migration between two schemas: what `codegen migrate-diff` does, without a database.
//!
//! `cargo run -p relata-codegen --example diff -- (OLD | empty) (NEW | empty) [--rename a.b:c]... [--accept-drops] [--online] [--summary]`
//!
//! Exit status: 0 done, 1 a schema is refused, 3 a probable rename that nobody said, 64 wrong usage.

use std::process::ExitCode;

use relata_codegen::compile;
use relata_codegen::diagnostics::{SourceFile, Sources, render_plain};
use relata_codegen::ir::Schema;
use relata_codegen::sql::{
    Change, DiffError, DiffOptions, Intent, Pair, Plan, Rename, Side, diff, lower, plan, plan_online, render, summary,
};

fn main() -> ExitCode {
    let mut options = DiffOptions::default();
    let mut paths = Vec::new();
    let mut in_words = false;
    let mut plan_by: fn(Vec<Change>) -> Plan = plan;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--accept-drops" => options.accept_drops = true,
            "--online" => plan_by = plan_online,
            "--summary" => in_words = true,
            "--rename" => match arguments.next().as_deref().and_then(Rename::parse) {
                Some(rename) => options.renames.push(rename),
                None => return usage(),
            },
            _ => paths.push(argument),
        }
    }
    let [old, new] = paths.as_slice() else { return usage() };
    match migrate(old, new, &options, in_words, plan_by) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err((code, message)) => {
            eprintln!("{message}");
            ExitCode::from(code)
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: diff (OLD | empty) (NEW | empty) [--rename a.b:c]... [--accept-drops] [--online] [--summary]");
    ExitCode::from(64)
}

fn migrate(
    old: &str,
    new: &str,
    options: &DiffOptions,
    in_words: bool,
    plan_by: fn(Vec<Change>) -> Plan,
) -> Result<String, (u8, String)> {
    let (old, new) = (read(old)?, read(new)?);
    let states = (lower(&old), lower(&new));
    let intents = (Intent::of(&old), Intent::of(&new));
    let pair = Pair {
        previous: Side { state: &states.0, intent: Some(&intents.0) },
        next: Side { state: &states.1, intent: Some(&intents.1) },
    };
    let changes = diff(pair, options).map_err(|error| match error {
        DiffError::ProbableRenames(_) => (3, error.to_string()),
        DiffError::UnknownRename(_) | DiffError::UnappliedRenames(_) => (1, error.to_string()),
    })?;
    Ok(if in_words { summary(&changes) } else { render(&plan_by(changes)) })
}

fn read(path: &str) -> Result<Schema, (u8, String)> {
    if path == "empty" {
        return Ok(Schema::default());
    }
    let mut sources = Sources::default();
    let mut paths = vec![std::path::PathBuf::from(path)];
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).map_err(|error| (1, format!("{}: {error}", path.display())))?;
            paths.extend(entries.filter_map(Result::ok).map(|entry| entry.path()));
        } else if path.extension().is_some_and(|extension| extension == "prisma" || extension == "dsl") {
            let text = std::fs::read_to_string(&path).map_err(|error| (1, format!("{}: {error}", path.display())))?;
            sources.files.push(SourceFile { path: path.display().to_string(), text });
        }
    }
    sources.files.sort_by(|a, b| a.path.cmp(&b.path));
    let compiled = compile(&sources);
    compiled.schema.ok_or_else(|| {
        let texts: Vec<_> = compiled.diagnostics.iter().map(|mistake| render_plain(mistake, &sources)).collect();
        (1, texts.join("\n"))
    })
}
