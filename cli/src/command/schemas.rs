//! `migrate deploy --schemas`: the same migrations in several schemas of a database, each with its own history.

use std::collections::BTreeSet;
use std::sync::Arc;

use relata::migrate::{self, Migrations, Options, Report};
use relata_pgsql::ident;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_postgres::Client;

use relata_codegen::diagnostics::counted;

use super::migrate::count;
use crate::args;
use crate::database::Database;
use crate::failure::{Exit, Failure};
use crate::terminal::{output, progress};

/// What happened in one schema. `None`: it was not begun, because another one had failed.
type Outcome = Option<Result<Report, Failure>>;

/// Applies pending migrations in each schema, several at a time. After a failure, no further schema begins.
pub(super) async fn deploy(
    args: &args::Schemas,
    database: &Database,
    migrations: Migrations,
    options: &Options,
) -> Result<Exit, Failure> {
    let schemas = find(args, &database.connect().await?).await?;
    let mut running = begin(args, database, migrations, options, &schemas);
    let (mut applied, mut failed, mut left) = (0, Vec::new(), Vec::new());
    let mut first = None;
    while let Some(done) = running.join_next().await {
        let (schema, outcome) = done.map_err(|error| Failure::refused(format!("a deploy ended: {error}")))?;
        match outcome {
            None => left.push(schema),
            Some(Ok(report)) => {
                applied += usize::from(!report.applied.is_empty());
                let text = match report.applied.len() {
                    0 => format!("up to date: {} applied", count(report.already_applied)),
                    new => format!("applied {}", count(new)),
                };
                output::print(&format!("{schema}: {text}"))?;
            }
            Some(Err(failure)) => {
                output::eprint(&format!("{schema}: {failure}"));
                first = first.or(Some(failure.exit));
                failed.push(schema);
            }
        }
    }
    let current = schemas.len() - applied - failed.len() - left.len();
    let all = counted(schemas.len(), "schema");
    output::print(&format!("{database}: {applied} of {all} changed, up to date: {current}"))?;
    let Some(exit) = first else { return Ok(Exit::Done) };
    left.sort();
    let rest = if left.is_empty() { String::new() } else { format!("; not begun: {}", left.join(", ")) };
    let help = "correct the cause and deploy again: schemas that are done are skipped";
    let mut failure = Failure::refused(format!("failed in {}{rest}", failed.join(", "))).help(help);
    failure.exit = exit;
    Err(failure)
}

fn begin(
    args: &args::Schemas,
    database: &Database,
    migrations: Migrations,
    options: &Options,
    schemas: &BTreeSet<String>,
) -> JoinSet<(String, Outcome)> {
    let at_once = Arc::new(Semaphore::new(usize::from(args.parallel).max(1)));
    let migrations = Arc::new(migrations);
    let mut running = JoinSet::new();
    for schema in schemas {
        let (schema, database, migrations) = (schema.clone(), database.clone(), Arc::clone(&migrations));
        let (at_once, options) = (Arc::clone(&at_once), options.clone());
        let (shared, create) = (args.shared_schemas.clone(), args.create_schemas);
        running.spawn(async move {
            let Ok(_turn) = at_once.acquire().await else { return (schema, None) };
            let outcome = one(&database, &schema, &shared, create, &migrations, options).await;
            if outcome.is_err() {
                at_once.close();
            }
            (schema, Some(outcome))
        });
    }
    running
}

/// Applies what is pending in one schema.
async fn one(
    database: &Database,
    schema: &str,
    shared: &[String],
    create: bool,
    migrations: &Migrations,
    mut options: Options,
) -> Result<Report, Failure> {
    let mut client = database.connect().await?;
    // Each run has its own lock, in its schema.
    options.renews = database.migrate_options(&client, options.engine).await?.renews;
    let path: Vec<String> = std::iter::once(schema).chain(shared.iter().map(String::as_str)).map(ident).collect();
    let create = if create { format!("CREATE SCHEMA IF NOT EXISTS {}; ", path[0]) } else { String::new() };
    let prepared = client.batch_execute(&format!("{create}SET search_path TO {}", path.join(", "))).await;
    prepared.map_err(|error| Failure::database("preparing the schema", &error))?;
    let spinner = progress::spinner();
    options.on_event = Some(progress::listener_of(&spinner, schema));
    let report = migrate::deploy(&mut client, migrations, &options).await;
    spinner.finish_and_clear();
    Ok(report?)
}

/// The schemas that are meant: those that are named, and those that match a pattern.
async fn find(args: &args::Schemas, client: &Client) -> Result<BTreeSet<String>, Failure> {
    let sql = "SELECT nspname::text FROM pg_catalog.pg_namespace \
               WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'";
    let rows = client.query(sql, &[]).await;
    let rows = rows.map_err(|error| Failure::database("listing the schemas", &error))?;
    let existing: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    let mut found = BTreeSet::new();
    for wanted in args.schemas.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
        if wanted.contains('*') {
            let before = found.len();
            found.extend(existing.iter().filter(|name| matches(wanted, name)).cloned());
            if found.len() == before && !existing.iter().any(|name| matches(wanted, name)) {
                return Err(Failure::refused(format!("no schema matches {wanted}")));
            }
        } else if existing.contains(wanted) || args.create_schemas {
            found.insert(wanted.to_owned());
        } else {
            return Err(Failure::refused(format!("there is no schema {wanted}; nothing was changed"))
                .help("pass --create-schemas to create it"));
        }
    }
    if let Some(missing) = args.shared_schemas.iter().find(|name| !existing.contains(*name)) {
        return Err(Failure::refused(format!("there is no schema {missing}; nothing was changed")));
    }
    if found.is_empty() {
        return Err(Failure::usage("--schemas names no schema"));
    }
    Ok(found)
}

/// Whether a name matches a pattern, in which `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, yes, no) in [
            ("tenant_*", "tenant_1", "other_tenant_1"),
            ("*_eu", "north_eu", "north_eu_old"),
            ("a*b*c", "axxbxxc", "axxcxxb"),
            ("*", "anything", ""),
            ("a*a", "aa", "a"),
        ] {
            assert!(matches(pattern, yes), "{pattern} {yes}");
            assert!(pattern == "*" || !matches(pattern, no), "{pattern} {no}");
        }
    }
}
