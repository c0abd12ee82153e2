//! `migrate dev`: creates a migration from the changes of the schema, and applies pending migrations.

use std::collections::BTreeMap;
use std::path::Path;

use relata::migrate::{self, Aftermath, Migrations, Problem, Status};
use relata_codegen::sql::{Change, Finding, Pair, Plan, Probe, lint_step, render, summary};
use tokio_postgres::Client;

use super::attempts;
use super::migrate::{report_outcome, run};
use crate::args;
use crate::compare::difference::{Renames, difference, plan};
use crate::compare::endpoint::{Loaded, read_snapshot};
use crate::database::Database;
use crate::failure::{Exit, Failure};
use crate::project::snapshot::Snapshot;
use crate::project::{lock_file, schema_files, snapshot};
use crate::terminal::{output, prompt, report};

pub(crate) async fn dev(args: &args::Dev) -> Result<Exit, Failure> {
    let renames = Renames::parse(&args.renames.rename, args.renames.accept_drops)?;
    let name = args.name.as_deref().map(snapshot::snake_name).transpose()?;
    let folder = &args.target.migrations;
    let path = schema_files::locate(args.schema.as_deref())?;
    let sources = schema_files::read(&path)?;
    let next = Loaded::of_schema(&report::compile(&path, &sources)?);
    let previous = read_snapshot(folder)?.map_or_else(Loaded::empty, |schema| Loaded::of_schema(&schema));
    let changes = difference(Pair { previous: &previous, next: &next }, renames)?;

    if changes.is_empty() {
        output::eprint(&format!("{} equals the snapshot of the last migration", path.display()));
    }
    let draft = Draft::of(changes, args.online);
    if args.create_only {
        if let Some(draft) = draft {
            write(folder, name, &draft, &schema_files::snapshot(&sources))?;
        }
        if folder.exists() {
            lock_file::write(folder, &Migrations::from_dir(folder)?)?;
        }
        return Ok(Exit::Done);
    }
    // Checked before the migration is written, because it could not be applied.
    let database = Database::find(args.target.url.as_deref())?;
    let mut client = database.connect().await?;
    let mut has_pending = false;
    if folder.exists() {
        let status = migrate::status(&client, &Migrations::from_dir(folder)?).await?;
        refuse_problems(&status.problems)?;
        if draft.is_some() {
            refuse_failed(folder, &status, &attempts::failed(&client, &status.pending).await?)?;
        }
        // A pending migration may create domains.
        has_pending = !status.pending.is_empty();
    }
    if let Some(draft) = &draft {
        let name = name.map_or_else(ask_name, Ok)?;
        if !has_pending {
            refuse_misfits(&draft.misfits_in(&client).await?)?;
        }
        if !args.accept_data_loss {
            confirm_losses(&draft.losses_in(&client).await?)?;
        }
        write(folder, Some(name), draft, &schema_files::snapshot(&sources))?;
    }
    if !folder.exists() {
        return Ok(Exit::Done);
    }
    let migrations = Migrations::from_dir(folder)?;
    lock_file::write(folder, &migrations)?;
    let options = database.migrate_options(&client, args.target.engine).await?;
    match run(&mut client, &migrations, options).await {
        Ok(report) => report_outcome(&report, &database),
        Err(error) => Err(with_remedy(error, folder)),
    }
}

/// A migration before it is written.
struct Draft {
    words: String,
    plan: Plan,
}

impl Draft {
    /// Returns `None` if nothing changed.
    fn of(changes: Vec<Change>, online: bool) -> Option<Self> {
        (!changes.is_empty()).then(|| Self { words: summary(&changes), plan: plan(changes, online) })
    }

    fn losses(&self) -> impl Iterator<Item = Finding> {
        // These two fail if a value does not fit, and lose no data.
        let loses = |code: &str| code.starts_with('D') && !["D106", "D107"].contains(&code);
        self.plan.steps.iter().flat_map(lint_step).filter(move |finding| loses(finding.lint.code))
    }

    /// Returns the domains that the database lacks, or that do not fit.
    async fn misfits_in(&self, client: &Client) -> Result<Vec<String>, Failure> {
        let mut misfits = Vec::new();
        for finding in self.plan.steps.iter().flat_map(lint_step).filter(|finding| finding.lint.code == "F210") {
            let Some(probe) = &finding.probe else { continue };
            let row = client.query_one(&probe.sql(), &[]).await;
            let row = row.map_err(|error| Failure::database("looking for the domains", &error))?;
            let problem: Option<String> =
                row.try_get(1).map_err(|error| Failure::database("looking for the domains", &error))?;
            let what = finding.text.split(',').next().unwrap_or_default();
            misfits.extend(problem.map(|problem| format!("{what}: {problem}")));
        }
        Ok(misfits)
    }

    /// Returns the losses that affect rows of the database. A loss that cannot be counted is included.
    async fn losses_in(&self, client: &Client) -> Result<Vec<Finding>, Failure> {
        let mut losses = Vec::new();
        for finding in self.losses() {
            let is_empty = match &finding.probe {
                Some(probe) => is_none(client, probe).await,
                None => false,
            };
            losses.extend((!is_empty).then_some(finding));
        }
        Ok(losses)
    }
}

/// Returns whether the database has no affected rows. Returns false if they cannot be counted.
async fn is_none(client: &Client, probe: &Probe) -> bool {
    let rows = client.query_typed(&probe.sql(), &[]).await.unwrap_or_default();
    rows.first().is_some_and(|row| row.try_get::<_, i64>(0).is_ok_and(|count| count == 0))
}

/// Refuses a migration that needs a domain which the database does not have.
fn refuse_misfits(misfits: &[String]) -> Result<(), Failure> {
    if misfits.is_empty() {
        return Ok(());
    }
    let lines: String = misfits.iter().map(|misfit| format!("\n  - {misfit}")).collect();
    Err(Failure::refused(format!("the database does not have the domains of the schema; no migration was written:{lines}"))
        .help(
            "write CREATE DOMAIN into a file of the folder `sql`, such as sql/domains.sql, and run `codegen migrate dev` again; \
             or write the migration with --create-only, and add CREATE DOMAIN before its first statement",
        ))
}

/// Asks for confirmation in a terminal. Elsewhere, data is lost only with `--accept-data-loss`.
fn confirm_losses(losses: &[Finding]) -> Result<(), Failure> {
    if losses.is_empty() {
        return Ok(());
    }
    let lines: String = losses.iter().map(|it| format!("\n  - {} ({})", it.text, it.lint.code)).collect();
    if !prompt::is_interactive() {
        return Err(Failure::question(format!("this would lose data, and no migration was written:{lines}")).help(
            "pass --accept-data-loss if that is what you want, or --create-only to write the migration and change it",
        ));
    }
    if prompt::confirm(&format!("This loses data:{lines}\nWrite the migration and apply it?"))? {
        return Ok(());
    }
    Err(Failure::refused("no migration was written, and nothing was changed")
        .help("--create-only writes the migration without applying it"))
}

/// Refuses to write a migration after one that fails, because it would never be applied.
fn refuse_failed(folder: &Path, status: &Status, failed: &BTreeMap<String, String>) -> Result<(), Failure> {
    let stopped = status.problems.iter().find_map(|problem| match problem {
        Problem::Failed { name, .. } | Problem::Interrupted { name, .. } => Some((name, problem.to_string())),
        _ => None,
    });
    if let Some((name, problem)) = stopped {
        return Err(Failure::refused(format!("{problem}; no migration was written")).help(format!(
            "correct {} and run `codegen migrate deploy`; or undo by hand what it has done, run `codegen migrate resolve \
             {name} --rolled-back`, and delete its folder: then `migrate dev` makes one migration of both changes",
            folder.join(name).join("migration.sql").display()
        )));
    }
    let Some((name, error)) = failed.first_key_value() else { return Ok(()) };
    Err(Failure::refused(format!("{name} is pending because it failed: {error}; no migration was written")).help(format!(
        "to make one migration of both changes, delete the folder {} and run `codegen migrate dev` again; to keep it, \
         correct its migration.sql or the rows, and run `codegen migrate deploy` first",
        folder.join(name).display()
    )))
}

/// Adds how to continue after a failed migration. It was rolled back, so it can also be replaced by another migration.
fn with_remedy(error: migrate::Error, folder: &Path) -> Failure {
    let place = match &error {
        migrate::Error::Statement(it) if it.aftermath == Aftermath::RolledBack => Some(folder.join(&it.migration)),
        _ => None,
    };
    let failure = Failure::from(error);
    match place {
        Some(place) => failure.help(format!(
            "correct migration.sql or the rows and run `codegen migrate dev` again; to correct the schema instead, \
             delete the folder {} first",
            place.display()
        )),
        None => failure,
    }
}

fn refuse_problems(problems: &[Problem]) -> Result<(), Failure> {
    let blocking: Vec<String> =
        problems.iter().filter(|problem| problem.blocks_deploy()).map(|problem| format!("\n  - {problem}")).collect();
    if blocking.is_empty() {
        return Ok(());
    }
    Err(Failure::refused(format!("the migrations do not match the history of this database:{}", blocking.concat()))
        .help("resolve that first; no migration was written"))
}

fn write(folder: &Path, name: Option<String>, draft: &Draft, schema: &Snapshot) -> Result<(), Failure> {
    let name = name.map_or_else(ask_name, Ok)?;
    let path = snapshot::write(folder, &name, &render(&draft.plan), schema)?;
    output::eprint(draft.words.trim_end());
    for finding in draft.losses() {
        output::eprint(&format!("loses data: {} ({})", finding.text, finding.lint.code));
    }
    output::print(&format!("wrote {}", path.join("migration.sql").display()))
}

fn ask_name() -> Result<String, Failure> {
    if !prompt::is_interactive() {
        return Err(
            Failure::question("the migration needs a name").help("pass --name, such as --name add-student-exams")
        );
    }
    snapshot::snake_name(&prompt::line("Name of the migration, such as: add student exams")?)
}
