//! `migrate status`: compares the migrations with the history of the database, and looks for drift.

use std::collections::BTreeMap;

use relata::migrate::{self, Engine, Problem, Status};
use relata_codegen::sql::{Change, summary};
use serde::Serialize;

use super::attempts;
use super::migrate::{count, read};
use crate::args;
use crate::compare::drift::drift;
use crate::database::Database;
use crate::failure::{Exit, Failure};
use crate::project::lock_file;
use crate::terminal::output;

pub(crate) async fn status(args: &args::Status) -> Result<Exit, Failure> {
    let folder = &args.target.migrations;
    let migrations = read(folder)?;
    let database = Database::find(args.target.url.as_deref())?;
    let mut client = database.connect().await?;
    let status = migrate::status(&client, &migrations).await?;
    let engine = match args.target.engine {
        Some(engine) => engine,
        None => Engine::detect(&client).await?,
    };
    // Only PostgreSQL has the catalogs. A migration that stopped in the middle is between two snapshots.
    let has_catalogs = engine == Engine::PostgreSql;
    let drift = if has_catalogs && status.problems.is_empty() {
        drift(&mut client, &status, folder).await?
    } else {
        Vec::new()
    };
    let lock = lock_file::problems(folder, &migrations)?;
    let failed = if has_catalogs { attempts::failed(&client, &status.pending).await? } else { BTreeMap::new() };
    if !has_catalogs && !args.json {
        output::print(&format!("engine   {engine}: its schema is not compared with the snapshots"))?;
    }
    if args.json {
        print_json(&status, &failed, &drift, &lock)?;
    } else {
        print(&status, &failed, &drift, &lock, &database)?;
    }
    let is_sound = status.problems.is_empty() && drift.is_empty() && lock.is_empty();
    Ok(match (is_sound, status.pending.is_empty()) {
        (false, _) => Exit::Question,
        (true, false) => Exit::Difference,
        (true, true) => Exit::Done,
    })
}

fn print(
    status: &Status,
    failed: &BTreeMap<String, String>,
    drift: &[Change],
    lock: &[String],
    database: &Database,
) -> Result<(), Failure> {
    for applied in &status.applied {
        output::print(&format!("applied  {}  {}", applied.name, applied.finished_at.as_deref().unwrap_or_default()))?;
    }
    for name in &status.pending {
        let tried = failed.get(name).map(|error| format!("  failed and was rolled back: {error}")).unwrap_or_default();
        output::print(&format!("pending  {name}{tried}"))?;
    }
    for problem in &status.problems {
        output::print(&format!("problem  {problem}"))?;
    }
    for problem in lock {
        output::print(&format!("lock     {problem}"))?;
    }
    for line in summary(drift).lines() {
        output::print(&format!("drift    {line}"))?;
    }
    let (applied, pending) = (status.applied.len(), status.pending.len());
    output::print(&if !status.problems.is_empty() || !lock.is_empty() {
        format!("{database} needs attention")
    } else if !drift.is_empty() {
        format!(
            "{database} has drifted: these changes would restore the state after its last migration; `codegen \
             migrate-diff --from-url URL --to-migrations DIR` gives the SQL, which also drops what is not in the schema"
        )
    } else if !failed.is_empty() {
        format!("{database}: {} pending; correct what failed and run `codegen migrate deploy`", count(pending))
    } else if pending > 0 {
        format!("{database}: {} pending; run `codegen migrate deploy`", count(pending))
    } else {
        format!("{database} is up to date: {} applied", count(applied))
    })
}

#[derive(Serialize)]
struct Report<'a> {
    applied: Vec<AppliedReport<'a>>,
    pending: &'a [String],
    /// Why the last attempt at a pending migration was rolled back, by its name.
    failed: &'a BTreeMap<String, String>,
    problems: Vec<ProblemReport<'a>>,
    drift: Vec<String>,
    lock: &'a [String],
}

#[derive(Serialize)]
struct AppliedReport<'a> {
    name: &'a str,
    finished_at: Option<&'a str>,
    runner: &'a str,
}

#[derive(Serialize)]
struct ProblemReport<'a> {
    name: &'a str,
    kind: &'static str,
    message: String,
}

fn print_json(
    status: &Status,
    failed: &BTreeMap<String, String>,
    drift: &[Change],
    lock: &[String],
) -> Result<(), Failure> {
    let applied = status.applied.iter().map(|applied| AppliedReport {
        name: &applied.name,
        finished_at: applied.finished_at.as_deref(),
        runner: &applied.runner,
    });
    let problems = status.problems.iter().map(|problem| ProblemReport {
        name: problem.name(),
        kind: kind(problem),
        message: problem.to_string(),
    });
    let report = Report {
        applied: applied.collect(),
        pending: &status.pending,
        failed,
        problems: problems.collect(),
        drift: summary(drift).lines().map(str::to_owned).collect(),
        lock,
    };
    let text = serde_json::to_string_pretty(&report)
        .map_err(|error| Failure::refused(format!("the status cannot be written as JSON: {error}")))?;
    output::print(&text)
}

fn kind(problem: &Problem) -> &'static str {
    match problem {
        Problem::Edited { .. } | Problem::EditedBehind { .. } => "edited",
        Problem::Missing { .. } | Problem::MissingUnfinished { .. } => "missing",
        Problem::OutOfOrder { .. } => "out_of_order",
        Problem::Failed { .. } => "failed",
        Problem::Interrupted { .. } => "interrupted",
        Problem::Undoing { .. } => "undoing",
        Problem::Running { .. } => "running",
        Problem::PartlyReplaced { .. } => "partly_squashed",
        _ => "other",
    }
}
