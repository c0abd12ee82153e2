//! `migrate deploy` and `reset`; `dev` and `status` have their own modules.

use std::path::Path;
use std::time::Duration;

use relata::migrate::{self, Migrations, Options, Report};
use tokio_postgres::Client;

use relata_codegen::diagnostics::counted;

use super::db::seed;
use crate::args;
use crate::compare::endpoint::read_old_schema;
use crate::database::Database;
use crate::failure::{Exit, Failure};
use crate::project::{lock_file, snapshot};
use crate::terminal::{output, progress, prompt};

/// Reads a migrations folder, which must exist.
pub(super) fn read(folder: &Path) -> Result<Migrations, Failure> {
    if !folder.exists() {
        return Err(Failure::refused(format!("there is no folder {}", folder.display())).help(
            "create the first migration with `codegen migrate dev --name init`, or pass the folder with --migrations",
        ));
    }
    if !folder.is_dir() {
        return Err(Failure::refused(format!("{} is a file, not a migrations folder", folder.display())));
    }
    Ok(Migrations::from_dir(folder)?)
}

pub(crate) async fn deploy(args: &args::Deploy) -> Result<Exit, Failure> {
    let migrations = read(&args.target.migrations)?;
    lock_file::check(&args.target.migrations, &migrations)?;
    let database = Database::find(args.target.url.as_deref())?;
    let mut client = database.connect().await?;
    let mut options = database.migrate_options(&client, args.target.engine).await?;
    args.lock.apply_to(&mut options);
    options.lock_timeout = Duration::from_millis(args.lock_timeout);
    options.retries = args.retries;
    options.allow_out_of_order = args.allow_out_of_order;
    if !args.schemas.schemas.is_empty() {
        return super::schemas::deploy(&args.schemas, &database, migrations, &options).await;
    }
    apply(&mut client, &migrations, options, &database).await
}

/// Applies pending migrations, and reports the result.
pub(super) async fn apply(
    client: &mut Client,
    migrations: &Migrations,
    options: Options,
    database: &Database,
) -> Result<Exit, Failure> {
    let report = run(client, migrations, options).await?;
    report_outcome(&report, database)
}

/// Applies what is pending.
pub(super) async fn run(
    client: &mut Client,
    migrations: &Migrations,
    mut options: Options,
) -> Result<Report, migrate::Error> {
    let spinner = progress::spinner();
    options.on_event = Some(progress::listener(&spinner));
    let result = migrate::deploy(client, migrations, &options).await;
    spinner.finish_and_clear();
    result
}

pub(super) fn report_outcome(report: &Report, database: &Database) -> Result<Exit, Failure> {
    match report.applied.len() {
        0 => output::print(&format!("{database} is up to date: {} applied", count(report.already_applied)))?,
        new => output::print(&format!("{database}: applied {}", count(new)))?,
    }
    Ok(Exit::Done)
}

pub(super) fn count(number: usize) -> String {
    counted(number, "migration")
}

pub(crate) async fn reset(args: &args::Reset) -> Result<Exit, Failure> {
    let migrations = read(&args.target.migrations)?;
    let database = Database::find(args.target.url.as_deref())?;
    let mut client = database.connect().await?;
    let mut schemas = vec![migrate::current_schema(&client).await?];
    let mut options = database.migrate_options(&client, args.target.engine).await?;
    if let Some(snapshot) = snapshot::last_if_any(&args.target.migrations)? {
        options.schemas = read_old_schema(&snapshot)?.namespaces;
    }
    schemas.extend(options.schemas.iter().filter(|schema| **schema != schemas[0]).cloned().collect::<Vec<_>>());
    if !args.force {
        confirm(&database, &schemas)?;
    }
    let spinner = progress::spinner();
    options.on_event = Some(progress::listener(&spinner));
    let result = migrate::reset(&mut client, &migrations, &options).await;
    spinner.finish_and_clear();
    let report = result?;
    let (schemas, applied) = (report.schemas.join(", "), count(report.applied.len()));
    let objects = counted(report.dropped, "object");
    output::print(&format!("{database}: dropped {objects} from {schemas}, applied {applied}"))?;
    if args.skip_seed {
        return Ok(Exit::Done);
    }
    drop((client, options));
    seed::after_reset(database).await
}

/// Asks for confirmation at a terminal; fails without one.
fn confirm(database: &Database, schemas: &[String]) -> Result<(), Failure> {
    if !prompt::is_interactive() {
        return Err(Failure::refused(format!(
            "reset deletes all data in {database} and has to be confirmed, but this is not a terminal"
        ))
        .help("pass --force to confirm it"));
    }
    let question = format!(
        "This drops all tables, views, sequences, types and functions in the schema {} of\n  {database}\n\
         with all their data. Type the name of the database to continue:",
        schemas.join(", ")
    );
    if prompt::line(&question)? == database.name() {
        return Ok(());
    }
    Err(Failure::refused("the name is different; nothing was changed"))
}
