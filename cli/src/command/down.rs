//! `migrate down`: undoes the last migrations with reverse migrations, computed from the snapshots.

use std::path::Path;

use relata::migrate::{self, Migration, Migrations, Problem, Script, Status};
use relata_codegen::sql::quote::qualified;
use relata_codegen::sql::{
    ACROSS_TENANTS_POLICY, Action, CatalogObject, CatalogPart, HazardKind, Managed, ObjectName, Pair, Plan,
    SYNC_TRIGGER, Step, TENANT_POLICY, plan, render,
};

use super::migrate::{count, read};
use crate::args;
use crate::compare::difference::{Renames, difference};
use crate::compare::endpoint::{Loaded, read_old_schema};
use crate::compare::renamed;
use crate::database::Database;
use crate::failure::{Exit, Failure};
use crate::project::snapshot;
use crate::sql_tree::{DataLoss, data_loss, excerpt, is_untracked};
use crate::terminal::{output, progress};

/// A hand-written reverse migration.
const DOWN_FILE: &str = "down.sql";

/// The names of sync triggers in migrations: the current one, and the one in migrations that earlier versions wrote.
const SYNC_TRIGGERS: [&str; 2] = [SYNC_TRIGGER, "~follow"];

/// The reverse migration of one migration.
pub(super) struct Undo {
    pub(super) name: String,
    pub(super) sql: String,
    losses: Vec<Loss>,
}

/// A loss of data.
#[derive(Debug, Clone)]
pub(super) struct Loss {
    /// The argument of `--allow`: a table, or a column as `table.column`.
    subject: String,
    /// The table of a column: allowing it allows all its columns.
    table: Option<String>,
    text: String,
}

pub(crate) async fn down(args: &args::Down) -> Result<Exit, Failure> {
    let folder = &args.target.migrations;
    let renames = Renames::parse(&args.rename, args.accept_drops)?;
    let migrations = read(folder)?;
    let database = Database::find(args.target.url.as_deref())?;
    let mut client = database.connect().await?;
    let applied = applied(&migrate::status(&client, &migrations).await?)?;
    let first = first_to_undo(&applied, args)?;
    if first == applied.len() {
        output::print(&format!("{database}: nothing to undo"))?;
        return Ok(Exit::Done);
    }
    let mut undo = Vec::new();
    for at in (first..applied.len()).rev() {
        let previous = at.checked_sub(1).and_then(|at| applied.get(at)).map(String::as_str);
        undo.push(backwards(folder, &migrations, &applied[at], previous, &renames)?);
    }
    if args.dry_run {
        for step in &undo {
            output::print(&format!("-- undoes {}\n\n{}", step.name, step.sql))?;
        }
        return Ok(Exit::Done);
    }
    if !args.allow_data_loss {
        let lost: Vec<Loss> = undo.iter().flat_map(|step| step.losses.iter().cloned()).collect();
        let names: Vec<&str> = undo.iter().filter(|step| !step.losses.is_empty()).map(|it| it.name.as_str()).collect();
        let place = match names.as_slice() {
            [name] => folder.join(name).join(DOWN_FILE),
            _ => folder.join("NAME").join(DOWN_FILE),
        };
        let instead = format!(
            "; to keep the data, pass --rename OLD:NEW if something has another name, or write other statements into {}",
            place.display()
        );
        refuse_losses(&lost, &args.allow, "nothing was undone", &instead)?;
    }
    for step in &mut undo {
        step.sql = replaced(&migrations, &step.name) + &step.sql;
    }
    let texts: Vec<(&str, &str)> = undo.iter().map(|step| (step.name.as_str(), step.sql.as_str())).collect();
    let spinner = progress::spinner();
    let mut options = database.migrate_options(&client, args.target.engine).await?;
    args.lock.apply_to(&mut options);
    options.on_event = Some(progress::listener(&spinner));
    let result = migrate::down(&mut client, &migrations, &Migrations::from_static(&texts)?, &options).await;
    spinner.finish_and_clear();
    let undone = count(result?.len());
    let left = first.checked_sub(1).map_or("none is applied".to_owned(), |at| format!("the last is {}", applied[at]));
    output::print(&format!("{database}: undid {undone}, {left}"))?;
    Ok(Exit::Done)
}

/// The header lines that also close the history rows of the migrations that a squashed one replaced.
fn replaced(migrations: &Migrations, name: &str) -> String {
    let replaces = migrations.get(name).map_or(&[][..], Migration::replaces);
    replaces.iter().map(|it| format!("{it}\n")).collect()
}

/// The applied migrations in order, including one whose undo was interrupted. Any other problem is an error.
fn applied(status: &Status) -> Result<Vec<String>, Failure> {
    let is_in_the_way = |problem: &&Problem| !matches!(problem, Problem::Undoing { .. } | Problem::OutOfOrder { .. });
    let problems: String =
        status.problems.iter().filter(is_in_the_way).map(|problem| format!("\n  - {problem}")).collect();
    if !problems.is_empty() {
        return Err(Failure::refused(format!("the migrations do not match the history of this database:{problems}"))
            .help("resolve that first; nothing was undone"));
    }
    let stopped = status.problems.iter().filter_map(|problem| match problem {
        Problem::Undoing { name, .. } => Some(name),
        _ => None,
    });
    let mut names: Vec<String> = status.applied.iter().map(|applied| &applied.name).chain(stopped).cloned().collect();
    names.sort();
    Ok(names)
}

/// The index of the first applied migration to undo.
fn first_to_undo(applied: &[String], args: &args::Down) -> Result<usize, Failure> {
    match args.to.as_deref() {
        None => Ok(applied.len().saturating_sub(args.steps)),
        Some("0") => Ok(0),
        Some(name) => match applied.iter().position(|applied| applied == name) {
            Some(at) => Ok(at + 1),
            None => Err(Failure::refused(format!("{name} is not applied in this database"))
                .help("`codegen migrate status` lists the applied migrations; `--to 0` undoes all")),
        },
    }
}

/// The statements that undo `name`.
pub(super) fn backwards(
    folder: &Path,
    migrations: &Migrations,
    name: &str,
    previous: Option<&str>,
    renames: &Renames,
) -> Result<Undo, Failure> {
    let file = folder.join(name).join(DOWN_FILE);
    if file.is_file() {
        let sql = std::fs::read_to_string(&file).map_err(|error| Failure::reading(&file, &error))?;
        let losses = losses_of(name, &sql)?;
        return Ok(Undo { name: name.to_owned(), sql, losses });
    }
    let migration = migrations.get(name);
    let load = |name: &str| match snapshot::of(folder, name) {
        Some(path) => Ok(Loaded::of_schema(&read_old_schema(&path)?)),
        None => Err(Failure::refused(format!("{name} has no schema.dsl, so its reverse migration is unknown"))
            .help(format!("write the statements that undo it into {}", file.display()))),
    };
    let (from, to) = (load(name), previous.map_or_else(|| Ok(Loaded::empty()), load));
    let managed: Vec<CatalogObject> = [&from, &to].into_iter().flatten().flat_map(managed_by).collect();
    if let Some(more) = migration.and_then(|migration| beyond_snapshots(migration, &managed)) {
        output::eprint(&format!("warning: {name} has `{more}`, which is not undone; {} would", file.display()));
    }
    let renames = renames.clone().of_reverse(&file);
    let plan = reverse_plan(migration, Pair { previous: &from?, next: &to? }, &renames)?;
    Ok(Undo { name: name.to_owned(), sql: render(&plan), losses: losses(&plan) })
}

/// The plan of the reverse migration. It also reverses the renames of the migration.
pub fn reverse_plan(migration: Option<&Migration>, pair: Pair<&Loaded>, renames: &Renames) -> Result<Plan, Failure> {
    let mut renames = renames.clone().with_hints(migration.map(renamed::reverse_renames).unwrap_or_default());
    // The author of the migration has answered what is a rename. A migration that writes rows may have copied a column by
    // hand, so it is still asked about.
    if migration.is_some_and(|migration| !migration.script().statements().any(|it| writes_rows(&it.sql))) {
        renames = renames.with_drops();
    }
    // The renames in the earlier schema describe how it came about, not the reverse migration.
    let next = pair.next.clone().without_renames();
    Ok(plan(difference(Pair { previous: pair.previous, next: &next }, renames)?))
}

/// Whether a hand-written statement may copy values from one column or table to another.
fn writes_rows(sql: &str) -> bool {
    const DEFINITIONS: [&str; 8] = ["alter", "analyze", "comment", "create", "drop", "grant", "revoke", "set"];
    let mut words = relata_pgsql::tokens(sql).filter(|token| !token.is_comment());
    let is_definition = words.next().is_none_or(|first| DEFINITIONS.iter().any(|word| first.is_word(sql, word)));
    let copies = || relata_pgsql::tokens(sql).any(|token| token.is_word(sql, "select"));
    !sql.contains("$relata$") && (!is_definition || copies())
}

/// The objects that a snapshot has.
pub(super) fn managed_by(snapshot: &Loaded) -> Vec<CatalogObject> {
    snapshot.state.catalog.objects.iter().filter(|object| object.managed.is_some()).cloned().collect()
}

/// The first statement whose effect no snapshot shows. `managed` are the objects that a snapshot has.
pub(super) fn beyond_snapshots(migration: &Migration, managed: &[CatalogObject]) -> Option<String> {
    // The PL/pgSQL of an online plan leaves nothing behind that a snapshot does not contain, and the policies of tenants are
    // in the snapshots.
    let is_sync_trigger = |sql: &str| SYNC_TRIGGERS.iter().any(|name| sql.contains(&format!("\"{name}\"")));
    let is_own_policy = |sql: &str| {
        [TENANT_POLICY, ACROSS_TENANTS_POLICY].iter().any(|name| sql.contains(&format!(" POLICY \"{name}\" ON ")))
    };
    let is_managed = |sql: &str| managed.iter().any(|object| is_about(sql, object));
    let is_planned =
        |sql: &str| sql.contains("$relata$") || is_sync_trigger(sql) || is_own_policy(sql) || is_managed(sql);
    let is_beyond = |sql: &str| !is_planned(sql) && is_untracked(sql);
    let statement = migration.script().statements().find(|statement| is_beyond(&statement.sql))?;
    Some(excerpt(&statement.sql, 4))
}

/// Whether a statement is one of those that create, replace and drop an object.
fn is_about(sql: &str, object: &CatalogObject) -> bool {
    match &object.managed {
        Some(Managed::View(view)) => sql.contains(&format!(" VIEW {}", qualified(&view.name))),
        _ => {
            let is_part =
                |part: &CatalogPart| part.add == sql || part.drop == sql || part.change.as_deref() == Some(sql);
            object.create.as_deref() == Some(sql)
                || object.replace.as_deref() == Some(sql)
                || object.drop == sql
                || object.parts.iter().any(is_part)
        }
    }
}

/// The data loss of a plan, by table or column.
pub(super) fn losses(plan: &Plan) -> Vec<Loss> {
    let of_step = |step: &Step| {
        let texts = step.hazards.iter().filter(|hazard| hazard.kind == HazardKind::DataLoss);
        let column = |table: &ObjectName, name: &str| (format!("{table}.{name}"), Some(table.to_string()));
        let subjects: Vec<(String, Option<String>)> = match &step.action {
            Action::DropTable(table) => vec![(table.name.to_string(), None)],
            Action::DropColumns { table, columns } => columns.iter().map(|it| column(table, &it.name)).collect(),
            Action::AlterColumns { table, alterations } => {
                alterations.iter().map(|it| column(table, &it.next.name)).collect()
            }
            _ => Vec::new(),
        };
        let subject = |text: &str| {
            let is_meant = |(subject, _): &&(String, Option<String>)| text.split(' ').any(|word| word == subject);
            subjects.iter().find(is_meant).or(subjects.first()).cloned().unwrap_or_default()
        };
        let loss = |text: &str| {
            let (subject, table) = subject(text);
            Loss { subject, table, text: text.to_owned() }
        };
        texts.map(|hazard| loss(&hazard.text)).collect::<Vec<_>>()
    };
    plan.steps.iter().flat_map(of_step).collect()
}

/// The data loss of hand-written statements.
fn losses_of(name: &str, sql: &str) -> Result<Vec<Loss>, Failure> {
    let script = Script::parse(sql).map_err(|error| Failure::refused(format!("{name}/{DOWN_FILE}: {error}")))?;
    let loss =
        |loss: DataLoss| Loss { subject: name.to_owned(), table: None, text: format!("{DOWN_FILE} of {name} {loss}") };
    Ok(script.statements().filter_map(|statement| data_loss(&statement.sql)).map(loss).collect())
}

/// Fails if data would be lost that is not allowed to be. `instead` is more help, after a semicolon.
pub(super) fn refuse_losses(losses: &[Loss], allowed: &[String], so: &str, instead: &str) -> Result<(), Failure> {
    let is_allowed =
        |loss: &Loss| allowed.iter().any(|it| *it == loss.subject || loss.table.as_deref() == Some(it.as_str()));
    let lost: Vec<&Loss> = losses.iter().filter(|loss| !is_allowed(loss)).collect();
    if lost.is_empty() {
        return Ok(());
    }
    let lines: String = lost.iter().map(|loss| format!("\n  - {}", loss.text)).collect();
    let mut flags: Vec<String> = lost.iter().map(|loss| format!("--allow {}", loss.subject)).collect();
    flags.dedup();
    Err(Failure::refused(format!("this would lose data; {so}:{lines}"))
        .help(format!("pass {}, or --allow-data-loss for all; --dry-run prints the SQL{instead}", flags.join(" "))))
}
