//! The folder of migrations at build time: its texts for the program, and whether the schema is ahead of them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use super::{Error, read_schema};
use crate::compile;
use crate::ir::Schema;
use crate::sql::{DiffOptions, Intent, Pair, Side, diff, lower, summary};

/// Writes the list that `relata::migrations!()` includes.
pub(super) fn embed(folder: &Path) -> Result<(), Error> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut text = "&[\n".to_owned();
    for name in names(folder)? {
        let file = folder.join(&name).join("migration.sql");
        let file = file.canonicalize().map_err(|error| Error::Read { path: file, reason: error.to_string() })?;
        // Writing into a String cannot fail.
        let _ = writeln!(text, "    ({name:?}, include_str!({:?})),", file.display().to_string());
    }
    text += "]\n";
    let out = env::var_os("OUT_DIR").ok_or_else(|| Error::Write {
        path: "OUT_DIR".into(),
        reason: "it is not set: call this from a build script".to_owned(),
    })?;
    let path = Path::new(&out).join("relata_migrations.rs");
    if fs::read_to_string(&path).ok().as_deref() == Some(&text) {
        return Ok(());
    }
    fs::write(&path, text).map_err(|error| Error::Write { path, reason: error.to_string() })
}

/// Returns the warning to print if the schema differs from the state after the last migration.
pub(super) fn ahead(folder: &Path, schema: &Schema) -> Option<String> {
    // The runner reports a snapshot that cannot be read.
    let previous = match names(folder).ok()?.pop() {
        Some(last) => snapshot(&folder.join(last).join("schema.dsl"))?,
        None => Schema::default(),
    };
    let (old, new) = ((lower(&previous), Intent::of(&previous)), (lower(schema), Intent::of(schema)));
    let side = |(state, intent)| Side { state, intent: Some(intent) };
    let pair = Pair { previous: side((&old.0, &old.1)), next: side((&new.0, &new.1)) };
    let changes = diff(pair, &DiffOptions { accept_drops: true, ..DiffOptions::default() }).ok()?;
    let words = summary(&changes);
    let first = words.lines().next()?;
    let more = match words.lines().count() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!("the schema is ahead of {} ({first}{more}): run `codegen migrate dev`", folder.display()))
}

fn snapshot(path: &Path) -> Option<Schema> {
    compile(&read_schema(path).ok()?).schema
}

/// Returns the names of the migrations in order. Ignores files and hidden folders.
fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let failed = |error: io::Error| Error::Read { path: folder.to_owned(), reason: error.to_string() };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let paths: Result<Vec<PathBuf>, Error> = entries.map(|entry| Ok(entry.map_err(failed)?.path())).collect();
    let name = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let mut names: Vec<String> = paths?.iter().filter(|path| path.is_dir()).filter_map(name).collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::Sources;

    #[test]
    fn a_schema_ahead_of_its_migrations_is_told_by_its_first_change() {
        let folder = env::temp_dir().join(format!("relata-ahead-{}", std::process::id()));
        let schema = |fields: &str| {
            let text = format!("model T {{\n  id Int @id\n{fields}}}\n");
            (compile(&Sources::single("schema.dsl", text.clone())).schema.expect("valid"), text)
        };
        let (first, text) = schema("");
        let (second, _) = schema("  a Int?\n  b Int?\n");
        let without = ahead(&folder, &first).expect("nothing is there yet");
        assert!(without.contains("(+ table T)") && without.contains("codegen migrate dev"), "{without}");
        let migration = folder.join("1_first");
        fs::create_dir_all(&migration).expect("a temporary folder");
        fs::write(migration.join("schema.dsl"), text).expect("written");
        assert_eq!(ahead(&folder, &first), None);
        let line = ahead(&folder, &second).expect("a change");
        assert!(line.contains("(+ column T.a INTEGER and 1 more)"), "{line}");
        fs::remove_dir_all(&folder).expect("removed");
    }
}
