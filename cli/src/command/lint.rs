//! `migrate lint`: findings about migrations, with counts from a live database if one is given.

use std::path::{Path, PathBuf};

use relata::migrate::{self, Migration, Migrations};
use relata_codegen::diagnostics::counted;
use relata_codegen::sql::{Finding, LintSeverity, find_lint};
use serde::Serialize;
use tokio_postgres::Client;

use super::migrate::read;
use crate::args;
use crate::database::Database;
use crate::failure::{Exit, Failure};
use crate::lint::{self, Allowance, Located, Planned};
use crate::project::snapshot::SNAPSHOT;
use crate::terminal::output;

pub(crate) async fn lint(args: &args::Lint) -> Result<Exit, Failure> {
    let folder = &args.migrations;
    let migrations = read(folder)?;
    let client = match &args.url {
        Some(url) => Some(Database::parse(url, "--url")?.connect().await?),
        None => None,
    };
    let (names, mut findings) = choose(&migrations, &args.names, client.as_ref()).await?;
    for migration in migrations.iter().filter(|migration| names.iter().any(|name| name == migration.name())) {
        findings.extend(lint_one(folder, &migrations, migration)?);
    }
    let mut silenced = 0;
    if let Some(client) = &client {
        (findings, silenced) = lint::count(client, findings).await?;
    }
    let report = Report::new(folder, names, findings, silenced);
    if args.json {
        report.print_json()?
    } else {
        report.print()?
    }
    Ok(if report.errors() > 0 { Exit::Refused } else { Exit::Done })
}

/// The migrations to check: the named ones, else those that are pending in the database, else all.
/// With a database, also the problems of its history.
async fn choose(
    migrations: &Migrations,
    named: &[String],
    client: Option<&Client>,
) -> Result<(Vec<String>, Vec<Located>), Failure> {
    if let Some(name) = named.iter().find(|name| migrations.get(name).is_none()) {
        return Err(Failure::refused(format!("there is no migration {name}")).help("name a folder of --migrations"));
    }
    let all = || migrations.iter().map(|migration| migration.name().to_owned()).collect();
    let Some(client) = client else {
        return Ok((if named.is_empty() { all() } else { named.to_vec() }, Vec::new()));
    };
    let status = migrate::status(client, migrations).await?;
    let problems =
        status.problems.iter().filter_map(|problem| Some(of_history(&problem.to_string(), find_lint("H601")?)));
    Ok((if named.is_empty() { status.pending } else { named.to_vec() }, problems.collect()))
}

fn of_history(problem: &str, lint: &'static relata_codegen::sql::Lint) -> Located {
    Located {
        migration: String::new(),
        line: None,
        statement: String::new(),
        severity: lint.severity,
        finding: Finding::new(lint, problem),
        count: None,
        note: None,
        allowance: Allowance::None,
    }
}

fn lint_one(folder: &Path, migrations: &Migrations, migration: &Migration) -> Result<Vec<Located>, Failure> {
    let sql = std::fs::read_to_string(migration.file()).map_err(|error| Failure::reading(migration.file(), &error))?;
    let before = migrations.iter().take_while(|other| other.name() != migration.name()).last();
    let snapshot = |name: &str| folder.join(name).join(SNAPSHOT);
    let previous = before.map(|before| snapshot(before.name()));
    let planned = Planned::between(previous.as_deref(), &snapshot(migration.name()), migration.script());
    Ok(lint::lint(migration, &sql, &planned))
}

struct Report {
    folder: PathBuf,
    names: Vec<String>,
    findings: Vec<Located>,
    silenced: usize,
}

/// A finding as JSON.
#[derive(Serialize)]
struct Entry<'a> {
    code: &'static str,
    severity: &'static str,
    migration: &'a str,
    line: Option<u32>,
    statement: &'a str,
    message: &'a str,
    alternative: &'static str,
    /// The number of affected rows in the database.
    count: Option<i64>,
    note: Option<&'a str>,
    /// Why it is allowed.
    allowed: Option<&'a str>,
}

impl<'a> Entry<'a> {
    fn of(located: &'a Located) -> Self {
        Self {
            code: located.finding.lint.code,
            severity: word(located.severity),
            migration: &located.migration,
            line: located.line,
            statement: &located.statement,
            message: &located.finding.text,
            alternative: located.finding.lint.alternative,
            count: located.count,
            note: located.note.as_deref(),
            allowed: match &located.allowance {
                Allowance::Reason(reason) => Some(reason),
                Allowance::None | Allowance::NoReason => None,
            },
        }
    }
}

#[derive(Serialize)]
struct Json<'a> {
    migrations: &'a [String],
    findings: Vec<Entry<'a>>,
    silenced: usize,
}

impl Report {
    fn new(folder: &Path, names: Vec<String>, findings: Vec<Located>, silenced: usize) -> Self {
        Self { folder: folder.to_owned(), names, findings, silenced }
    }

    fn with(&self, severity: LintSeverity) -> usize {
        let is_open = |it: &&Located| it.severity == severity && !matches!(it.allowance, Allowance::Reason(_));
        self.findings.iter().filter(is_open).count()
    }

    fn errors(&self) -> usize {
        self.with(LintSeverity::Error)
    }

    fn print(&self) -> Result<(), Failure> {
        for located in self.findings.iter().filter(|it| !matches!(it.allowance, Allowance::Reason(_))) {
            output::print(&self.describe(located))?;
        }
        let allowed = self.findings.iter().filter(|it| matches!(it.allowance, Allowance::Reason(_))).count();
        let mut parts = vec![counted(self.names.len(), "migration"), counted(self.errors(), "error")];
        parts.push(counted(self.with(LintSeverity::Warning), "warning"));
        parts.push(format!("{} info", self.with(LintSeverity::Info)));
        parts.extend((allowed > 0).then(|| format!("{allowed} allowed")));
        parts.extend((self.silenced > 0).then(|| format!("{} that affect no row", self.silenced)));
        output::eprint(&parts.join(", "));
        if !self.findings.is_empty() {
            output::eprint(
                "`codegen explain CODE` explains a finding; `-- lint:allow CODE reason` above a statement allows it",
            );
        }
        Ok(())
    }

    fn describe(&self, located: &Located) -> String {
        let Located { finding, severity, .. } = located;
        let place = match located.line {
            Some(line) => {
                format!("{}:{line}: ", self.folder.join(&located.migration).join("migration.sql").display())
            }
            None => String::new(),
        };
        let mut text = format!("{place}{}[{}]: {}", word(*severity), finding.lint.code, finding.text);
        if let Some(note) = &located.note {
            text += &format!("\n  {note}");
        }
        if !located.statement.is_empty() {
            text += &format!("\n  in: {}", located.statement);
        }
        if located.allowance == Allowance::NoReason {
            let code = finding.lint.code;
            text += &format!("\n  `lint:allow {code}` has no reason and is ignored: give the reason after the code");
        }
        text + &format!("\n  instead: {}", finding.lint.alternative)
    }

    fn print_json(&self) -> Result<(), Failure> {
        let json = Json {
            migrations: &self.names,
            findings: self.findings.iter().map(Entry::of).collect(),
            silenced: self.silenced,
        };
        let text = serde_json::to_string_pretty(&json)
            .map_err(|error| Failure::refused(format!("the findings cannot be written as JSON: {error}")))?;
        output::print(&text)
    }
}

fn word(severity: LintSeverity) -> &'static str {
    match severity {
        LintSeverity::Error => "error",
        LintSeverity::Warning => "warning",
        LintSeverity::Info => "info",
    }
}
