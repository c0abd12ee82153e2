//! `migrate squash`: replaces the first migrations by one that creates their last snapshot.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use relata::migrate::{Migration, Migrations, Replaced};
use relata_codegen::sql::{Pair, render};

use super::down::{beyond_snapshots, managed_by};
use super::migrate::{count, read};
use crate::args;
use crate::compare::difference::{Renames, difference, plan};
use crate::compare::endpoint::{Loaded, read_old_schema};
use crate::failure::{Exit, Failure};
use crate::project::snapshot::Snapshot;
use crate::project::write::write_folder;
use crate::project::{lock_file, snapshot};
use crate::terminal::output;

pub(crate) fn squash(args: &args::Squash) -> Result<Exit, Failure> {
    let folder = &args.migrations;
    let migrations = read(folder)?;
    let squashed = chosen(&migrations, args.last.as_deref())?;
    let Some(last) = squashed.last() else { return Err(Failure::refused("there is no migration")) };
    let path = snapshot::of(folder, last.name()).ok_or_else(|| {
        Failure::refused(format!("{} has no schema.dsl, so the result of the migrations is unknown", last.name()))
            .help("add the schema after this migration")
    })?;
    if !args.force {
        refuse_losing(folder, &squashed)?;
    }
    let next = Loaded::of_schema(&read_old_schema(&path)?);
    let changes = difference(Pair { previous: &Loaded::empty(), next: &next }, Renames::none())?;
    let sql = format!("{}\n{}", header(&squashed), render(&plan(changes, false)));
    let schema = Snapshot::read(&path)?;

    // The new folder is complete before an old one is removed; readers skip hidden folders.
    let (place, temporary) = (folder.join(last.name()), folder.join(format!(".{}.squashed", last.name())));
    write_folder(&temporary, &[vec![("migration.sql", sql.as_str())], schema.files()].concat())?;
    for migration in &squashed {
        let old = folder.join(migration.name());
        fs::remove_dir_all(&old).map_err(|error| Failure::writing(&old, &error))?;
    }
    fs::rename(&temporary, &place).map_err(|error| Failure::writing(&place, &error))?;
    lock_file::write(folder, &Migrations::from_dir(folder)?)?;
    output::print(&format!("{} are now {}", count(squashed.len()), place.display()))?;
    Ok(Exit::Done)
}

/// Returns the migrations up to the named one.
fn chosen<'m>(migrations: &'m Migrations, last: Option<&str>) -> Result<Vec<&'m Migration>, Failure> {
    if let Some(name) = last.filter(|name| migrations.get(name).is_none()) {
        return Err(Failure::refused(format!("there is no migration {name}"))
            .help("give the name of its folder, such as 20260922101500_add_users"));
    }
    let chosen: Vec<_> = migrations.iter().take_while(|it| last.is_none_or(|last| it.name() <= last)).collect();
    if chosen.len() < 2 {
        return Err(Failure::refused("at least two migrations are needed; nothing was changed"));
    }
    Ok(chosen)
}

/// The header lines by which the runner recognizes a database that has the replaced migrations.
fn header(squashed: &[&Migration]) -> String {
    let mut text = "-- Replaces these migrations. A database that has all of them also has this one.\n".to_owned();
    for migration in squashed {
        let (name, hash) = (migration.name().to_owned(), migration.hash().to_owned());
        let earlier = migration.replaces().iter().map(|it| Replaced { earlier: true, ..it.clone() });
        for replaced in earlier.chain([Replaced { name, hash, earlier: false }]) {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{replaced}");
        }
    }
    text
}

fn refuse_losing(folder: &Path, squashed: &[&Migration]) -> Result<(), Failure> {
    let mut managed = Vec::new();
    for path in squashed.iter().filter_map(|migration| snapshot::of(folder, migration.name())) {
        managed.extend(managed_by(&Loaded::of_schema(&read_old_schema(&path)?)));
    }
    let lost: String = squashed
        .iter()
        .filter_map(|migration| {
            Some(format!("\n  - {} has `{}`", migration.name(), beyond_snapshots(migration, &managed)?))
        })
        .collect();
    if lost.is_empty() {
        return Ok(());
    }
    Err(Failure::question(format!(
        "no snapshot contains the effects of these statements, so they would be lost; nothing was changed:{lost}"
    ))
    .help("keep a copy, pass --force, and add what is still needed to the new migration.sql before it runs"))
}
