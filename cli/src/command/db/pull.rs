//! `db pull`: the schema of a live database, with what an existing file says beyond it.
//!
//! What is written is compiled and compared with the database first; what the language cannot say of it is told.

mod blocks;
mod column;
mod relations;
mod render;

use std::path::{Path, PathBuf};

use relata_codegen::compile;
use relata_codegen::diagnostics::{SourceFile, Sources};
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

/// The schema that is there.
struct Existing {
    schema: Schema,
    /// Its files.
    sources: Sources,
}

pub(crate) async fn pull(args: &args::Pull) -> Result<Exit, Failure> {
    let path = path(args)?;
    let existing = if args.force { None } else { read_existing(&path)? };
    let database = Database::find(args.url.as_deref())?;
    let mut client = database.connect().await?;
    let scope = existing.as_ref().map_or(Scope::Current, |existing| Scope::of(&existing.schema));
    let mut live = read_client(&mut client, &scope).await?;
    // What a failed CREATE INDEX CONCURRENTLY left is no part of a schema.
    live.state.tables.iter_mut().for_each(|table| table.indexes.retain(|index| index.valid));
    let pulled = texts(&path, &live, existing.as_ref())?;
    for line in beyond(&live, &pulled)?.lines() {
        say::err(&format!("warning: the schema cannot say this of {database}: {line}"));
    }
    if args.stdout {
        say::out_as_is(&schema_files::join(&pulled))?;
        return Ok(Exit::Done);
    }
    let is_new = |file: &&SourceFile| {
        let old = existing.iter().flat_map(|existing| &existing.sources.files).find(|old| old.path == file.path);
        old.is_none_or(|old| old.text != file.text)
    };
    let changed: Vec<&SourceFile> = pulled.files.iter().filter(is_new).collect();
    if changed.is_empty() {
        say::out(&format!("{} is the schema of {database} already", path.display()))?;
        return Ok(Exit::Done);
    }
    if args.check {
        say::out(&format!("{} is not the schema of {database}", path.display()))?;
        return Ok(Exit::Refused);
    }
    for file in changed {
        write_file(Path::new(&file.path), &file.text)?;
        say::out(&format!("wrote {}", file.path))?;
    }
    Ok(Exit::Done)
}

/// A file, or a folder with files in it.
fn path(args: &args::Pull) -> Result<PathBuf, Failure> {
    let path = args.schema.clone().or_else(|| schema_files::locate(None).ok());
    let path = path.unwrap_or_else(|| PathBuf::from("schema.dsl"));
    if !path.is_dir() {
        return Ok(path);
    }
    if schema_files::read(&path).is_err() && path.read_dir().is_ok_and(|mut entries| entries.next().is_none()) {
        return Ok(path.join("schema.dsl"));
    }
    if args.force {
        return Err(Failure::refused(format!("{} is a folder, and --force writes one file", path.display()))
            .help("name a file with --schema, or leave out --force to keep each model in its file"));
    }
    Ok(path)
}

fn read_existing(path: &Path) -> Result<Option<Existing>, Failure> {
    if !path.exists() {
        return Ok(None);
    }
    let sources = schema_files::read(path)?;
    if sources.files.iter().all(|file| file.text.trim().is_empty()) {
        return Ok(None);
    }
    let schema = report::compile_old(&sources).map_err(|failure| {
        if failure.exit == Exit::Refused {
            failure.help("--force writes the file anew, from the database alone")
        } else {
            failure
        }
    })?;
    Ok(Some(Existing { schema, sources }))
}

/// The schema: what is there if it says all that the database has. A file in which nothing changes stays as it is.
fn texts(path: &Path, live: &Loaded, existing: Option<&Existing>) -> Result<Sources, Failure> {
    let Some(existing) = existing else {
        let mut files = render::schema(&live.state, None, &[], &path.display().to_string());
        files.iter_mut().for_each(|file| file.text = format(&file.text));
        return Ok(Sources { files });
    };
    let mut changes = difference(Pair { previous: live, next: &Loaded::of_schema(&existing.schema) }, Renames::none())?;
    changes.extend(more(&live.state, &lower(&existing.schema)));
    if changes.is_empty() {
        return Ok(existing.sources.clone());
    }
    let new = if path.is_dir() { path.join(PULLED) } else { path.to_owned() };
    let mut files = render::schema(&live.state, Some(existing), &changes, &new.display().to_string());
    for file in &mut files {
        let old = existing.sources.files.iter().find(|old| old.path == file.path);
        if old.is_none_or(|old| old.text.trim_end() != file.text.trim_end()) {
            file.text = format(&file.text);
        } else if let Some(old) = old {
            file.text.clone_from(&old.text);
        }
    }
    Ok(Sources { files })
}

/// Where a folder gets the tables and enums that none of its files has.
const PULLED: &str = "pulled.dsl";

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

/// What the texts do not say of the database, in words.
fn beyond(live: &Loaded, pulled: &Sources) -> Result<String, Failure> {
    let compiled = compile(pulled);
    let Some(schema) = compiled.schema else {
        report::print(&compiled.diagnostics, pulled);
        return Err(Failure::refused("the database cannot be said as it is; nothing was written")
            .help("the diagnostics above name the tables and columns; --stdout does not write either"));
    };
    let changes = difference(Pair { previous: live, next: &Loaded::of_schema(&schema) }, Renames::none())?;
    Ok(summary(&changes))
}
