//! `migrate resolve` and `baseline`: record manual resolutions in the history of a database.

use relata::migrate::{self, Migrations, Resolution};
use relata_codegen::sql::summary;

use super::migrate::{count, read};
use crate::args;
use crate::compare::drift::missing;
use crate::compare::endpoint::read_old_schema;
use crate::database::Database;
use crate::failure::{Exit, Failure};
use crate::project::{lock_file, snapshot};
use crate::terminal::{output, progress};

pub(crate) async fn resolve(args: &args::Resolve) -> Result<Exit, Failure> {
    let migrations = read(&args.target.migrations)?;
    let database = Database::find(args.target.url.as_deref())?;
    let (resolution, done) = match (args.applied, args.rolled_back) {
        (true, _) => (Resolution::Applied, "is recorded as applied"),
        (_, true) => (Resolution::RolledBack, "is recorded as not applied"),
        _ => (Resolution::Retry, "is applied"),
    };
    let mut client = database.connect().await?;
    let spinner = progress::spinner();
    let mut options = database.migrate_options(&client, args.target.engine).await?;
    args.lock.apply_to(&mut options);
    options.on_event = Some(progress::listener(&spinner));
    let result = migrate::resolve(&mut client, &migrations, &args.name, resolution, &options).await;
    spinner.finish_and_clear();
    result?;
    // The database has what the files do now, so edited files are accepted.
    if args.applied {
        lock_file::refresh(&args.target.migrations, &migrations)?;
    }
    output::print(&format!("{database}: {} {done}", args.name))?;
    Ok(Exit::Done)
}

pub(crate) async fn baseline(args: &args::Baseline) -> Result<Exit, Failure> {
    let folder = &args.target.migrations;
    let migrations = read(folder)?;
    let last = last(&migrations, args.name.as_deref())?;
    let database = Database::find(args.target.url.as_deref())?;
    let mut client = database.connect().await?;
    if !args.force {
        let snapshot = snapshot::of(folder, &last).ok_or_else(|| {
            Failure::refused(format!("{last} has no schema.dsl to compare the database with"))
                .help("pass --force to record the migrations as applied without a comparison")
        })?;
        let missing = missing(&mut client, &read_old_schema(&snapshot)?).await?;
        if !missing.is_empty() {
            return Err(Failure::difference(format!(
                "{database} differs from the snapshot of {last}; it lacks\n{}",
                summary(&missing).trim_end()
            ))
            .help("name the last migration that the database has, change the database, or pass --force"));
        }
    }
    let mut options = database.migrate_options(&client, args.target.engine).await?;
    args.lock.apply_to(&mut options);
    let names = migrate::baseline(&mut client, &migrations, &last, &options).await?;
    output::print(&format!("{database}: {} recorded as applied, up to {last}", count(names.len())))?;
    Ok(Exit::Done)
}

/// Returns the migration that the command line names.
fn last(migrations: &Migrations, name: Option<&str>) -> Result<String, Failure> {
    match name {
        Some(name) => match migrations.get(name) {
            Some(_) => Ok(name.to_owned()),
            None => Err(Failure::refused(format!("there is no migration {name}"))
                .help("give the name of its folder, such as 20260922101500_add_users")),
        },
        None => migrations
            .iter()
            .last()
            .map(|migration| migration.name().to_owned())
            .ok_or_else(|| Failure::refused("there is no migration").help("create one with `codegen migrate dev`")),
    }
}
