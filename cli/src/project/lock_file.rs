//! `migrations.lock` next to the migrations folder: a line for each migration, and one for the total.
//!
//! Two branches that both add a migration change the line of the total, so git reports a conflict. The folders alone
//! would be merged silently. Without the file, nothing is checked.

use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use relata::migrate::Migrations;
use sha2::{Digest, Sha256};

use crate::failure::Failure;
use crate::project::write::write_file;

const HEADER: &str = "# Written by `codegen migrate dev`. After a merge conflict: `codegen migrate rebase`.";

/// Returns the path of `migrations.lock`, which is next to the folder `migrations`.
fn path(folder: &Path) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    folder.with_file_name(name)
}

fn text(migrations: &Migrations) -> String {
    let mut lines = String::new();
    for migration in migrations {
        // Writing to a String cannot fail.
        let _ = writeln!(lines, "{} {}", migration.name(), migration.hash());
    }
    let total: String = Sha256::digest(&lines).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{HEADER}\ntotal {total}\n{lines}")
}

/// Updates the file.
pub(crate) fn write(folder: &Path, migrations: &Migrations) -> Result<(), Failure> {
    let (path, text) = (path(folder), text(migrations));
    match fs::read_to_string(&path) {
        Ok(old) if old == text => Ok(()),
        _ => write_file(&path, &text),
    }
}

/// Updates the file, if it exists.
pub(crate) fn refresh(folder: &Path, migrations: &Migrations) -> Result<(), Failure> {
    if path(folder).exists() { write(folder, migrations) } else { Ok(()) }
}

/// The differences between the file and the folder.
pub(crate) fn problems(folder: &Path, migrations: &Migrations) -> Result<Vec<String>, Failure> {
    let path = path(folder);
    let locked = match fs::read_to_string(&path) {
        Ok(locked) => locked.replace("\r\n", "\n"),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Failure::reading(&path, &error)),
    };
    let expected = text(migrations);
    if locked == expected {
        return Ok(Vec::new());
    }
    let file = path.display();
    if locked.lines().any(|line| line.starts_with("<<<<<<<") || line.starts_with(">>>>>>>")) {
        return Ok(vec![format!("{file} has a merge conflict: two branches added migrations")]);
    }
    let entries = |text: &str| -> Vec<(String, String)> {
        let pairs = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' '));
        pairs.filter(|(name, _)| *name != "total").map(|(name, hash)| (name.to_owned(), hash.to_owned())).collect()
    };
    let (locked, expected) = (entries(&locked), entries(&expected));
    let find = |list: &[(String, String)], name: &str| list.iter().find(|it| it.0 == name).map(|it| it.1.clone());
    let mut problems = Vec::new();
    for (name, hash) in &expected {
        match find(&locked, name) {
            None => problems.push(format!("{name} is not in {file}")),
            Some(other) if other != *hash => problems.push(format!("{name} has other statements than {file} records")),
            Some(_) => {}
        }
    }
    let removed = locked.iter().filter(|(name, _)| find(&expected, name).is_none());
    problems.extend(removed.map(|(name, _)| {
        format!("{name} is in {file}, but has no folder: restore it, or `codegen migrate dev` updates the file")
    }));
    if problems.is_empty() {
        problems.push(format!("{file} was edited by hand"));
    }
    Ok(problems)
}

/// Fails if the file and the folder do not match.
pub(crate) fn check(folder: &Path, migrations: &Migrations) -> Result<(), Failure> {
    let problems = problems(folder, migrations)?;
    if problems.is_empty() {
        return Ok(());
    }
    let lines: String = problems.iter().map(|problem| format!("\n  - {problem}")).collect();
    Err(Failure::refused(format!("the migrations do not match the lock file:{lines}"))
        .help("once the migrations are correct, `codegen migrate dev` updates the file"))
}
