//! `migrate-diff`: the SQL that migrates between any two states.

use std::path::Path;

use relata_codegen::sql::{Change, Finding, LintSeverity, Pair, Step, Transaction, Work, lint_step, render, summary};
use serde::Serialize;

use crate::args;
use crate::compare::difference::{Renames, difference, plan};
use crate::compare::endpoint::{Endpoint, Loaded, load};
use crate::failure::{Exit, Failure};
use crate::project::write::{overwrites_schema, write_file};
use crate::terminal::output;

pub(crate) async fn migrate_diff(args: &args::MigrateDiff) -> Result<Exit, Failure> {
    let renames = Renames::parse(&args.renames.rename, args.renames.accept_drops)?;
    let (previous, next) = (Endpoint::from(&args.from)?, Endpoint::to(&args.to)?);
    let loaded = load(Pair { previous: &previous, next: &next }).await?;
    let changes = difference(Pair { previous: &loaded.previous, next: &loaded.next }, renames)?;
    let is_empty = changes.is_empty();
    let text = if args.summary {
        summary(&changes)
    } else if args.json {
        json(&changes, args.online)?
    } else {
        render(&plan(changes, args.online))
    };
    match &args.out {
        Some(path) => {
            refuse_overwriting(path, args)?;
            write_file(path, &text)?;
        }
        None if is_empty && !args.json => output::eprint(&nothing(&loaded)),
        None => output::print(text.trim_end())?,
    }
    if !is_empty && between_databases(&loaded) {
        output::eprint(NOT_COMPARED);
    }
    Ok(if args.exit_code && !is_empty { Exit::Difference } else { Exit::Done })
}

/// What a comparison of two databases leaves out.
const NOT_COMPARED: &str = "not compared: roles and owners, tablespaces, settings of roles and databases";

/// A schema that is compared is never overwritten.
fn refuse_overwriting(out: &Path, args: &args::MigrateDiff) -> Result<(), Failure> {
    let schemas = [&args.from.from_schema, &args.to.to_schema];
    match schemas.into_iter().flatten().find(|schema| overwrites_schema(out, schema)) {
        Some(_) => Err(Failure::refused(format!("--out would overwrite the schema {}", out.display()))
            .help("name another file, such as --out migration.sql")),
        None => Ok(()),
    }
}

/// Whether both ends are databases.
fn between_databases(loaded: &Pair<Loaded>) -> bool {
    loaded.previous.current_schema.is_some() && loaded.next.current_schema.is_some()
}

/// The message for no difference; between two databases, it lists what was not compared.
fn nothing(loaded: &Pair<Loaded>) -> String {
    match (&loaded.previous.current_schema, &loaded.next.current_schema) {
        (Some(previous), Some(next)) => {
            let place = if previous == next { String::new() } else { format!(" in the schemas {previous} and {next}") };
            format!("no difference{place}; {NOT_COMPARED}")
        }
        _ => "no difference".to_owned(),
    }
}

#[derive(Serialize)]
struct Difference {
    changes: Vec<String>,
    steps: Vec<StepReport>,
}

#[derive(Serialize)]
struct StepReport {
    sql: String,
    /// `transactional`, `outside`, or `boundary`: it is committed before the next one.
    transaction: &'static str,
    /// The strongest lock on a table that was there before.
    lock: String,
    /// `none`, `scan` or `rewrite`.
    work: &'static str,
    findings: Vec<FindingReport>,
}

#[derive(Serialize)]
struct FindingReport {
    code: &'static str,
    severity: &'static str,
    text: String,
}

fn json(changes: &[Change], online: bool) -> Result<String, Failure> {
    let finding = |it: Finding| FindingReport {
        code: it.lint.code,
        severity: match it.lint.severity {
            LintSeverity::Info => "info",
            LintSeverity::Warning => "warning",
            LintSeverity::Error => "error",
        },
        text: it.text,
    };
    let step = |step: &Step| StepReport {
        sql: step.sql(),
        transaction: match step.transaction {
            Transaction::Transactional => "transactional",
            Transaction::Outside => "outside",
            Transaction::BoundaryAfter => "boundary",
        },
        lock: step.lock.to_string(),
        work: match step.work {
            Work::None => "none",
            Work::Scan => "scan",
            Work::Rewrite => "rewrite",
        },
        findings: lint_step(step).into_iter().map(finding).collect(),
    };
    let report = Difference {
        changes: summary(changes).lines().map(str::to_owned).collect(),
        steps: plan(changes.to_vec(), online).steps.iter().map(step).collect(),
    };
    serde_json::to_string_pretty(&report)
        .map_err(|error| Failure::refused(format!("the difference cannot be written as JSON: {error}")))
}
