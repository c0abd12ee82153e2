//! `check`: the errors of a schema and its queries.

pub(crate) mod compare;
mod database;
mod plans;

use relata_codegen::diagnostics::{Sources, counted};
use relata_codegen::ir::Schema;
use relata_codegen::{CompiledClient, Fixed, compile_client, format_all};

use crate::args;
use crate::failure::{Exit, Failure};
use crate::project::schema_files;
use crate::project::write::{behind_links, write_file};
use crate::terminal::{output, report};

pub(crate) async fn check(args: &args::Check) -> Result<Exit, Failure> {
    let path = schema_files::locate(args.path.as_deref())?;
    if args.fix {
        fix(&schema_files::read(&path)?)?;
    }
    let (schema, queries) = (schema_files::read(&path)?, schema_files::read_queries(&path)?);
    let mut compiled = compile_client(schema, queries);
    if args.database && !compiled.is_refused() {
        let found = database::check(&compiled, args.url.as_deref()).await?;
        compiled.add(found);
    }
    if args.json {
        output::print(&report::to_json(&compiled.diagnostics, &compiled.sources)?)?;
    } else {
        report::print(&compiled.diagnostics, &compiled.sources);
    }
    let refused = compiled.is_refused();
    let CompiledClient { schema, queries, .. } = compiled;
    match schema.filter(|_| !refused) {
        None => return Ok(Exit::Refused),
        Some(_) if args.json => {}
        Some(schema) => output::print(&format!("{} is valid: {}", path.display(), summary(&schema, queries.len())))?,
    }
    Ok(Exit::Done)
}

/// Makes the changes that diagnostics propose, and prints which.
fn fix(sources: &Sources) -> Result<(), Failure> {
    let Fixed { sources: fixed, resolved, changes } = relata_codegen::fix(sources);
    let texts = format_all(&fixed);
    let files = sources.files.iter().zip(&fixed.files).zip(&texts);
    for ((_, after), text) in files.filter(|((before, after), _)| before.text != after.text) {
        write_file(&behind_links(&after.path), text)?;
    }
    for (diagnostic, changes) in resolved.iter().zip(changes) {
        output::eprint(&format!("fixed {}: {}", diagnostic.code, diagnostic.message));
        for change in changes {
            output::eprint(&format!("  {change}"));
        }
    }
    Ok(())
}

fn summary(schema: &Schema, queries: usize) -> String {
    let views = schema.models.iter().filter(|model| model.is_view).count();
    let models = counted(schema.models.len() - views, "model");
    let rest = [(views, "view"), (schema.enums.len(), "enum"), (queries, "query")];
    let rest = rest.iter().filter(|(number, _)| *number > 0);
    models + &rest.map(|(number, noun)| format!(", {}", counted(*number, noun))).collect::<String>()
}
