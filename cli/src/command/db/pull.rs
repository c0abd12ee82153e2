//! `db pull`: the schema of a live database, with what an existing file says beyond it.
//!
//! What is written is compiled and compared with the database first; what the language cannot say of it is told.

mod blocks;
mod column;
mod relations;
mod render;

use std::path::PathBuf;

use relata_codegen::compile;
use relata_codegen::diagnostics::Sources;
use relata_codegen::format;
use relata_codegen::ir::Schema;
use relata_codegen::sql::{Change, Pair, State, lower, summary};

use crate::database::Database;
use crate::difference::{Renames, difference};
use crate::endpoint::{Loaded, read_client};
use crate::failure::{Exit, Failure};
use crate::introspect::Scope;
use crate::write::write_file;
use crate::{args, report, say, schema_files};

/// The schema file that is there.
struct Existing {
    schema: Schema,
    text: String,
}

pub(crate) async fn pull(args: &args::Pull) -> Result<Exit, Failure> {
    let path = path(args)?;
    let existing = if args.force { None } else { read_existing(&path)? };
    let database = Database::find(args.url.as_deref())?;
    let mut client = database.connect().await?;
    let scope = existing.as_ref().map_or(Scope::Current, |existing| Scope::of(&existing.schema));
    let live = read_client(&mut client, &scope).await?;
    let text = text(&live, existing.as_ref())?;
    for line in beyond(&live, &text)?.lines() {
        say::err(&format!("warning: the schema cannot say this of {database}: {line}"));
    }
    if args.stdout {
        say::out_as_is(&text)?;
        return Ok(Exit::Done);
    }
    if existing.is_some_and(|existing| existing.text == text) {
        say::out(&format!("{} is the schema of {database} already", path.display()))?;
        return Ok(Exit::Done);
    }
    if args.check {
        say::out(&format!("{} is not the schema of {database}", path.display()))?;
        return Ok(Exit::Refused);
    }
    write_file(&path, &text)?;
    say::out(&format!("wrote {}", path.display()))?;
    Ok(Exit::Done)
}

fn path(args: &args::Pull) -> Result<PathBuf, Failure> {
    let path = args.schema.clone().or_else(|| schema_files::locate(None).ok());
    let path = path.unwrap_or_else(|| PathBuf::from("schema.dsl"));
    if path.is_dir() {
        return Err(Failure::refused(format!("{} is a folder, and a pull writes one file", path.display()))
            .help("name a file with --schema, or print the schema with --stdout --schema FILE"));
    }
    Ok(path)
}

fn read_existing(path: &std::path::Path) -> Result<Option<Existing>, Failure> {
    if !path.exists() {
        return Ok(None);
    }
    let sources = schema_files::read(path)?;
    let text = schema_files::join(&sources);
    if text.trim().is_empty() {
        return Ok(None);
    }
    let schema = report::compile_old(&sources).map_err(|failure| {
        if failure.exit == Exit::Refused {
            failure.help("--force writes the file anew, from the database alone")
        } else {
            failure
        }
    })?;
    Ok(Some(Existing { schema, text }))
}

/// The text of the schema: the existing one if it says all that the database has.
fn text(live: &Loaded, existing: Option<&Existing>) -> Result<String, Failure> {
    let Some(existing) = existing else {
        return Ok(format(&render::schema(&live.state, None, &[])));
    };
    let mut changes = difference(Pair { previous: live, next: &Loaded::of_schema(&existing.schema) }, Renames::none())?;
    changes.extend(more(&live.state, &lower(&existing.schema)));
    if changes.is_empty() {
        return Ok(existing.text.clone());
    }
    Ok(format(&render::schema(&live.state, Some(existing), &changes)))
}

/// What a migration would leave alone in the database, and the schema does not have.
fn more(live: &State, known: &State) -> Vec<Change> {
    use relata_codegen::sql::TableObject;
    let mut changes = Vec::new();
    for table in &live.tables {
        let Some(other) = known.tables.iter().find(|it| it.name.name == table.name.name) else { continue };
        let checks = table.checks.iter().filter(|it| other.checks.iter().all(|known| known.name != it.name));
        let indexes = table.indexes.iter().filter(|it| other.indexes.iter().all(|known| known.name != it.name));
        let objects = checks.cloned().map(TableObject::Check).chain(indexes.cloned().map(TableObject::Index));
        changes.extend(objects.map(|object| Change::DropObject { table: table.name.clone(), object }));
    }
    changes
}

/// What the text does not say of the database, in words.
fn beyond(live: &Loaded, text: &str) -> Result<String, Failure> {
    let sources = Sources::single("pulled.dsl", text);
    let compiled = compile(&sources);
    let Some(schema) = compiled.schema else {
        report::print(&compiled.diagnostics, &sources);
        return Err(Failure::refused("the database cannot be said as it is; nothing was written")
            .help("the diagnostics above name the tables and columns; --stdout does not write either"));
    };
    let changes = difference(Pair { previous: live, next: &Loaded::of_schema(&schema) }, Renames::none())?;
    Ok(summary(&changes))
}
