//! `migrate dev`: what changed in the schema becomes a migration, and pending migrations are applied.

use std::path::Path;

use relata::migrate::{self, Migrations, Options, Problem};
use relata_codegen::sql::{Change, Pair, lint_step, render, summary};

use super::migrate::apply;
use crate::args;
use crate::compare::difference::{Renames, difference, plan};
use crate::compare::endpoint::{Loaded, read_snapshot};
use crate::database::Database;
use crate::failure::{Exit, Failure};
use crate::project::{lock_file, schema_files, snapshot};
use crate::terminal::{output, prompt, report};

pub(crate) async fn dev(args: &args::Dev) -> Result<Exit, Failure> {
    let renames = Renames::parse(&args.renames.rename, args.renames.accept_drops)?;
    let name = args.name.as_deref().map(snapshot::snake_name).transpose()?;
    let folder = &args.target.migrations;
    let path = schema_files::locate(args.schema.as_deref())?;
    let sources = schema_files::read(&path)?;
    let next = Loaded::of_schema(&report::compile(&sources)?);
    let previous = read_snapshot(folder)?.map_or_else(Loaded::empty, |schema| Loaded::of_schema(&schema));
    let changes = difference(Pair { previous: &previous, next: &next }, renames)?;

    if changes.is_empty() {
        output::eprint(&format!("{} and the last migration do not differ", path.display()));
    }
    if args.create_only {
        if !changes.is_empty() {
            write(folder, name, changes, args.online, &schema_files::join(&sources))?;
        }
        if folder.exists() {
            lock_file::write(folder, &Migrations::from_dir(folder)?)?;
        }
        return Ok(Exit::Done);
    }
    // A database that cannot take the migration is better known before there is one.
    let database = Database::find(args.target.url.as_deref())?;
    let mut client = database.connect().await?;
    if folder.exists() {
        refuse_problems(&migrate::status(&client, &Migrations::from_dir(folder)?).await?.problems)?;
    }
    if !changes.is_empty() {
        write(folder, name, changes, args.online, &schema_files::join(&sources))?;
    }
    if !folder.exists() {
        return Ok(Exit::Done);
    }
    let migrations = Migrations::from_dir(folder)?;
    lock_file::write(folder, &migrations)?;
    apply(&mut client, &migrations, Options::default(), &database).await
}

fn refuse_problems(problems: &[Problem]) -> Result<(), Failure> {
    let blocking: Vec<String> =
        problems.iter().filter(|problem| problem.blocks_deploy()).map(|problem| format!("\n  - {problem}")).collect();
    if blocking.is_empty() {
        return Ok(());
    }
    Err(Failure::refused(format!("the migrations do not fit the history of this database:{}", blocking.concat()))
        .help("mend that first; no migration was written"))
}

fn write(folder: &Path, name: Option<String>, changes: Vec<Change>, online: bool, schema: &str) -> Result<(), Failure> {
    let name = name.map_or_else(ask_name, Ok)?;
    let words = summary(&changes);
    let plan = plan(changes, online);
    let path = snapshot::write(folder, &name, &render(&plan), schema)?;
    output::eprint(words.trim_end());
    for finding in plan.steps.iter().flat_map(lint_step).filter(|finding| finding.lint.code.starts_with('D')) {
        output::eprint(&format!("loses data: {} ({})", finding.text, finding.lint.code));
    }
    output::print(&format!("wrote {}", path.join("migration.sql").display()))
}

fn ask_name() -> Result<String, Failure> {
    if !prompt::is_interactive() {
        return Err(
            Failure::question("the migration has no name").help("pass --name, such as --name add-student-exams")
        );
    }
    snapshot::snake_name(&prompt::line("What does the migration do? A few words, such as: add student exams")?)
}
