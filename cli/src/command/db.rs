//! `db push` and `execute`: work on a database without migrations. `db pull` and `seed` have their own modules.

pub(crate) mod pull;
pub(crate) mod seed;

use std::io::Read;
use std::path::Path;

use relata::migrate::{self, Options};
use relata_codegen::diagnostics::counted;
use relata_codegen::sql::{Hazard, HazardKind, Pair, Plan, plan, render, summary};
use tokio_postgres::Client;

use super::down::{losses, refuse_losses};
use crate::args;
use crate::compare::difference::{Renames, difference};
use crate::compare::domains::refuse_misfits;
use crate::compare::endpoint::{Loaded, read_for, read_schema};
use crate::database::Database;
use crate::failure::{Exit, Failure};
use crate::introspect::Scope;
use crate::project::schema_files;
use crate::terminal::{output, progress};

pub(crate) async fn push(args: &args::Push) -> Result<Exit, Failure> {
    let renames = Renames::parse(&args.renames.rename, args.renames.accept_drops)?;
    let schema = read_schema(&schema_files::locate(args.schema.as_deref())?)?;
    let database = Database::find(args.url.as_deref())?;
    let mut client = database.connect().await?;
    let mut next = Loaded::of_schema(&schema);
    let previous = read_for(&mut client, &Scope::of(&schema), &mut next).await?;
    if !args.dry_run {
        refuse_misfits(&client, &next.state).await?;
    }
    let changes = difference(Pair { previous: &previous, next: &next }, renames)?;
    if changes.is_empty() {
        output::print(&format!("{database} already has the schema"))?;
        return Ok(Exit::Done);
    }
    let words = summary(&changes);
    let plan = plan(changes);
    let sql = render(&plan);
    if args.dry_run {
        output::print(sql.trim_end())?;
        return Ok(Exit::Done);
    }
    refuse_what_is_used(&plan)?;
    if !args.allow_data_loss {
        refuse_losses(&losses(&plan), &args.allow, "nothing was changed", "")?;
    }
    // The domains were looked up.
    let may_fail = |hazard: &&Hazard| hazard.kind == HazardKind::MayFail && hazard.lint.code != "F210";
    for hazard in plan.hazards().filter(may_fail) {
        output::eprint(&format!("warning: {}", hazard.text));
    }
    warn_of_history(&client, &database).await?;
    let options = database.migrate_options(&client, None).await?;
    run(&mut client, "push.sql", &sql, options).await?;
    output::eprint(words.trim_end());
    output::print(&format!("{database} has the schema now"))?;
    Ok(Exit::Done)
}

/// Refuses changes that other objects prevent. Checked first, because PostgreSQL would fail halfway.
fn refuse_what_is_used(plan: &Plan) -> Result<(), Failure> {
    let used = plan.hazards().filter(|hazard| hazard.lint.code == "F208");
    let lines: String = used.map(|hazard| format!("\n  - {}", hazard.text)).collect();
    if lines.is_empty() {
        return Ok(());
    }
    Err(Failure::refused(format!("objects that no schema contains prevent this; nothing was changed:{lines}"))
        .help("drop them, push, and create them again: `codegen db execute` runs SQL"))
}

/// Warns that a pushed change is in no migration and that the next `status` reports it as drift.
async fn warn_of_history(client: &Client, database: &Database) -> Result<(), Failure> {
    let sql = format!("SELECT to_regclass('{}') IS NOT NULL", migrate::HISTORY_TABLE);
    let failed = |error: tokio_postgres::Error| Failure::database("looking for the migration history", &error);
    let row = client.query_one(&sql, &[]).await.map_err(failed)?;
    if row.try_get(0).map_err(failed)? {
        output::eprint(&format!(
            "warning: {database} has a migration history, and this change is in no migration; `codegen migrate dev` creates one"
        ));
    }
    Ok(())
}

pub(crate) async fn execute(args: &args::Execute) -> Result<Exit, Failure> {
    let sql = if args.file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| Failure::refused(format!("cannot read stdin: {error}")))?;
        text
    } else {
        read(&args.file)?
    };
    run_file(&args.file, &sql, &Database::find(args.url.as_deref())?, Some(&args.lock)).await
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| Failure::reading(file, &error))
}

async fn run_file(
    file: &Path,
    sql: &str,
    database: &Database,
    lock: Option<&args::LockOptions>,
) -> Result<Exit, Failure> {
    let mut client = database.connect().await?;
    let name = if file == Path::new("-") { "stdin".to_owned() } else { file.display().to_string() };
    let mut options = database.migrate_options(&client, None).await?;
    if let Some(lock) = lock {
        lock.apply_to(&mut options);
    }
    let done = run(&mut client, &name, sql, options).await?;
    output::print(&format!("{database}: ran {}", counted(done, "statement")))?;
    Ok(Exit::Done)
}

async fn run(client: &mut Client, name: &str, sql: &str, mut options: Options) -> Result<usize, Failure> {
    let spinner = progress::spinner();
    spinner.set_message(name.to_owned());
    options.on_event = Some(progress::listener(&spinner));
    let result = migrate::execute(client, name, sql, &options).await;
    spinner.finish_and_clear();
    Ok(result?)
}
