//! `migrate verify`: applies and undoes all migrations in a temporary database, and compares each result with its
//! snapshot.

use std::path::Path;

use relata::migrate::{self, Migrations, Options};
use relata_codegen::diagnostics::counted;
use relata_codegen::sql::{Change, Pair, summary};
use relata_devdb::{DevDb, Source};
use serde::Serialize;
use tokio_postgres::Client;

use super::down::backwards;
use super::migrate::{count, read};
use crate::args;
use crate::compare::difference::{Renames, difference};
use crate::compare::drift::is_addition_of_others;
use crate::compare::endpoint::{Loaded, read_for, read_old_schema, read_schema, read_snapshot};
use crate::database::Database;
use crate::failure::{Exit, Failure};
use crate::introspect::Scope;
use crate::project::{schema_files, snapshot};
use crate::terminal::{output, progress};

/// What was found.
#[derive(Debug, Default, Serialize)]
struct Findings {
    migrations: usize,
    differences: Vec<Finding>,
    /// What no snapshot contains, and what could not be compared.
    notes: Vec<Finding>,
}

#[derive(Debug, Serialize)]
struct Finding {
    /// The migration, or `schema`.
    at: String,
    /// `up`, `down` or `schema`.
    direction: &'static str,
    text: String,
}

impl Findings {
    fn add(&mut self, is_note: bool, at: &str, direction: &'static str, text: impl Into<String>) {
        let list = if is_note { &mut self.notes } else { &mut self.differences };
        list.push(Finding { at: at.to_owned(), direction, text: text.into() });
    }
}

/// The folder, and a database that is empty at first.
struct Replay<'a> {
    folder: &'a Path,
    migrations: &'a Migrations,
    names: Vec<String>,
    client: Client,
    strict: bool,
    findings: Findings,
    /// What differs from the snapshot after each migration; none without snapshot.
    levels: Vec<Option<Vec<String>>>,
    /// What differed after a reverse migration, so that it is reported once.
    left_behind: Vec<String>,
}

pub(crate) async fn verify(args: &args::Verify) -> Result<Exit, Failure> {
    let migrations = read(&args.migrations)?;
    let server = start(args.dev_url.as_deref())?;
    output::eprint(&format!("verifying on {}", server.describe()));
    let home = server.create_database("verify").map_err(|error| Failure::refused(error.to_string()))?;
    let client = Database::parse(home.url(), "the development database")?.connect().await?;
    let names: Vec<String> = migrations.iter().map(|migration| migration.name().to_owned()).collect();
    let findings = Findings { migrations: names.len(), ..Findings::default() };
    let mut replay = Replay {
        folder: &args.migrations,
        migrations: &migrations,
        names,
        client,
        strict: args.strict,
        findings,
        levels: Vec::new(),
        left_behind: Vec::new(),
    };
    let spinner = progress::spinner();
    let result = replay.run(&spinner, args).await;
    spinner.finish_and_clear();
    result?;
    report(&replay.findings, args.json)
}

/// Starts a server for a temporary database. Uses the server of `DATABASE_URL`, which may be in production, only if
/// `--dev-url` or `RELATA_DEVDB` asks for it.
pub(super) fn start(url: Option<&str>) -> Result<DevDb, Failure> {
    let is_chosen = std::env::var_os("RELATA_DEVDB").is_some();
    let server = match url {
        Some(url) => DevDb::builder().only(Source::Url).database_url(url).start(),
        None if is_chosen => DevDb::start(),
        None => {
            let system = DevDb::builder().only(Source::System).start();
            system.or_else(|error| DevDb::builder().only(Source::Embedded).start().map_err(|_| error))
        }
    };
    server.map_err(|error| {
        Failure::refused(error.to_string()).help(
            "a PostgreSQL is needed for a temporary database; pass one with --dev-url of verify or --url of check",
        )
    })
}

impl Replay<'_> {
    async fn run(&mut self, spinner: &indicatif::ProgressBar, args: &args::Verify) -> Result<(), Failure> {
        for at in 0..self.names.len() {
            spinner.set_message(format!("up: {}", self.names[at]));
            self.up(at).await?;
        }
        self.compare_with_schema(args.schema.as_deref())?;
        if args.no_down {
            return Ok(());
        }
        for at in (0..self.names.len()).rev() {
            spinner.set_message(format!("down: {}", self.names[at]));
            if !self.down(at).await? {
                break;
            }
        }
        Ok(())
    }

    async fn up(&mut self, at: usize) -> Result<(), Failure> {
        let name = self.names[at].clone();
        migrate::deploy(&mut self.client, &self.migrations.up_to(&name), &Options::default()).await?;
        let Some(changes) = self.differs(Some(&name)).await? else {
            self.findings.add(true, &name, "up", "has no schema.dsl to compare with");
            self.levels.push(None);
            return Ok(());
        };
        for change in &changes {
            let is_note = is_addition_of_others(change) && !self.strict;
            // The text of a change says what to do. Here, it describes the difference.
            let words = summary(std::slice::from_ref(change));
            let what = if is_addition_of_others(change) { "beyond the snapshot" } else { "to reach the snapshot" };
            self.findings.add(is_note, &name, "up", format!("{what}: {}", words.trim()));
        }
        self.levels.push(Some(lines(&changes)));
        Ok(())
    }

    /// The changes from the database to the snapshot of `name`, or to an empty database. None without a snapshot.
    async fn differs(&mut self, name: Option<&str>) -> Result<Option<Vec<Change>>, Failure> {
        let path = name.map(|name| snapshot::of(self.folder, name));
        let (scope, mut next) = match path {
            Some(None) => return Ok(None),
            Some(Some(path)) => {
                let schema = read_old_schema(&path)?;
                (Scope::of(&schema), Loaded::of_schema(&schema))
            }
            None => (self.first_scope()?, Loaded::empty()),
        };
        let previous = read_for(&mut self.client, &scope, &mut next).await?;
        difference(Pair { previous: &previous, next: &next }, Renames::none()).map(Some)
    }

    fn first_scope(&self) -> Result<Scope, Failure> {
        let first = self.names.first().and_then(|name| snapshot::of(self.folder, name));
        Ok(first.map(|path| read_old_schema(&path)).transpose()?.map_or(Scope::Current, |schema| Scope::of(&schema)))
    }

    fn compare_with_schema(&mut self, path: Option<&Path>) -> Result<(), Failure> {
        let path = match (path, schema_files::locate(None)) {
            (Some(path), _) => path.to_owned(),
            (None, Ok(path)) => path,
            (None, Err(_)) => return Ok(()),
        };
        let previous = read_snapshot(self.folder)?.map_or_else(Loaded::empty, |schema| Loaded::of_schema(&schema));
        let next = Loaded::of_schema(&read_schema(&path)?);
        let changes = difference(Pair { previous: &previous, next: &next }, Renames::none())?;
        for line in lines(&changes) {
            let text = format!("{} is ahead of the migrations: {line}", path.display());
            self.findings.add(false, "schema", "schema", text);
        }
        Ok(())
    }

    /// Undoes one migration. False if there is no reverse migration from here.
    async fn down(&mut self, at: usize) -> Result<bool, Failure> {
        let name = self.names[at].clone();
        let previous = at.checked_sub(1).map(|at| self.names[at].clone());
        let undo = match backwards(self.folder, self.migrations, &name, previous.as_deref(), &Renames::none()) {
            Ok(undo) => undo,
            Err(failure) => {
                self.findings.add(true, &name, "down", failure.to_string());
                return Ok(false);
            }
        };
        let steps = Migrations::from_static(&[(undo.name.as_str(), undo.sql.as_str())])?;
        let up = self.migrations.up_to(&name);
        if let Err(error) = migrate::down(&mut self.client, &up, &steps, &Options::default()).await {
            self.findings.add(false, &name, "down", error.to_string());
            return Ok(false);
        }
        let before = match at.checked_sub(1) {
            Some(at) => self.levels[at].clone(),
            None => Some(Vec::new()),
        };
        if let (Some(before), Some(now)) = (before, self.differs(previous.as_deref()).await?) {
            let is_new = |line: &String| !before.contains(line) && !self.left_behind.contains(line);
            let left: Vec<String> = lines(&now).into_iter().filter(is_new).collect();
            for line in &left {
                self.findings.add(false, &name, "down", format!("not as before: {line}"));
            }
            self.left_behind.extend(left);
        }
        Ok(true)
    }
}

fn lines(changes: &[Change]) -> Vec<String> {
    summary(changes).lines().map(str::to_owned).collect()
}

fn report(findings: &Findings, json: bool) -> Result<Exit, Failure> {
    if json {
        let text = serde_json::to_string_pretty(findings)
            .map_err(|error| Failure::refused(format!("the result cannot be written as JSON: {error}")))?;
        output::print(&text)?;
    } else {
        let groups = [("differs", &findings.differences), ("note   ", &findings.notes)];
        for (word, Finding { at, direction, text }) in
            groups.iter().flat_map(|(word, list)| list.iter().map(move |it| (word, it)))
        {
            output::print(&format!("{word}  {at} ({direction}): {text}"))?;
        }
        let verdict = match findings.differences.len() {
            0 => "no difference".to_owned(),
            number => counted(number, "difference"),
        };
        output::print(&format!("{}: {verdict}", count(findings.migrations)))?;
    }
    Ok(if findings.differences.is_empty() { Exit::Done } else { Exit::Difference })
}
