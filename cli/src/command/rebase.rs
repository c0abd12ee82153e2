//! `migrate rebase`: moves a migration after those of another branch.
//!
//! Its statements are generated again, from the last snapshot of the others to the merged schema.

use std::fs;
use std::path::Path;

use relata::migrate::{self, Migration, Migrations, Script};
use relata_codegen::sql::{Pair, render, summary};

use super::migrate::read;
use crate::args;
use crate::compare::difference::{Renames, difference, plan};
use crate::compare::endpoint::{Loaded, read_old_schema};
use crate::compare::renamed;
use crate::database::Database;
use crate::failure::{Exit, Failure};
use crate::project::{lock_file, schema_files, snapshot};
use crate::terminal::{output, report};

pub(crate) async fn rebase(args: &args::Rebase) -> Result<Exit, Failure> {
    let folder = &args.target.migrations;
    let renames = Renames::parse(&args.renames.rename, args.renames.accept_drops)?;
    let migrations = read(folder)?;
    let migration = migrations.get(&args.name).ok_or_else(|| {
        Failure::refused(format!("there is no migration {} in {}", args.name, folder.display()))
            .help("give the name of its folder, such as 20260922101500_add_users")
    })?;
    let path = schema_files::locate(args.schema.as_deref())?;
    let sources = schema_files::read(&path)?;
    let next = Loaded::of_schema(&report::compile(&path, &sources)?);
    let previous = base(folder, &migrations, &args.name)?;
    if !args.no_database {
        refuse_applied(&migrations, args).await?;
    }
    let renames = renames.with_hints(renamed::renames(migration));
    let changes = difference(Pair { previous: &previous, next: &next }, renames)?;
    let words = summary(&changes);
    let sql = render(&plan(changes, args.online));
    if !args.force {
        refuse_losing(migration, &sql)?;
    }
    let old = folder.join(&args.name);
    if sql.is_empty() {
        remove(&old)?;
        output::print(&format!("removed {}: the other migrations already lead to {}", args.name, path.display()))?;
    } else {
        let new = snapshot::write(folder, words_of(&args.name), &sql, &schema_files::snapshot(&sources))?;
        remove(&old)?;
        output::eprint(words.trim_end());
        output::print(&format!("{} is now {}", args.name, new.display()))?;
    }
    lock_file::write(folder, &Migrations::from_dir(folder)?)?;
    Ok(Exit::Done)
}

/// Returns the snapshot of the last of the other migrations.
fn base(folder: &Path, migrations: &Migrations, name: &str) -> Result<Loaded, Failure> {
    let Some(last) = migrations.iter().rfind(|other| other.name() != name) else { return Ok(Loaded::empty()) };
    let path = snapshot::of(folder, last.name()).ok_or_else(|| {
        Failure::refused(format!("{} has no schema.dsl, so the next migration cannot be computed", last.name()))
            .help("add the schema after this migration")
    })?;
    Ok(Loaded::of_schema(&read_old_schema(&path)?))
}

async fn refuse_applied(migrations: &Migrations, args: &args::Rebase) -> Result<(), Failure> {
    let database = Database::find(args.target.url.as_deref())?;
    let status = migrate::status(&database.connect().await?, migrations).await?;
    let is_pending = status.pending.contains(&args.name);
    let has_begun = status
        .problems
        .iter()
        .any(|problem| problem.name() == args.name && !matches!(problem, migrate::Problem::OutOfOrder { .. }));
    if is_pending && !has_begun {
        return Ok(());
    }
    Err(Failure::refused(format!("{} is applied in {database}, at least in part; nothing was changed", args.name))
        .help("undo it there with `codegen migrate down`, or skip this check with --no-database"))
}

/// Refuses if statements of the old file are not in the new one. They may have been written by hand.
fn refuse_losing(migration: &Migration, sql: &str) -> Result<(), Failure> {
    let new = Script::parse(sql).map_err(|error| Failure::refused(error.to_string()))?;
    let is_lost = |statement: &&migrate::Statement| !new.statements().any(|other| other.hash == statement.hash);
    let lost: String = migration
        .script()
        .statements()
        .filter(is_lost)
        .map(|statement| format!("\n  - line {}: {}", statement.line, statement.sql.lines().next().unwrap_or_default()))
        .collect();
    if lost.is_empty() {
        return Ok(());
    }
    Err(Failure::question(format!(
        "these statements of {} would be lost; nothing was changed:{lost}",
        migration.name()
    ))
    .help("keep a copy of the statements that you need, and pass --force"))
}

/// Returns the name without its timestamp.
fn words_of(name: &str) -> &str {
    match name.split_once('_') {
        Some((time, words)) if time.bytes().all(|byte| byte.is_ascii_digit()) => words,
        _ => name,
    }
}

fn remove(folder: &Path) -> Result<(), Failure> {
    fs::remove_dir_all(folder).map_err(|error| Failure::writing(folder, &error))
}
