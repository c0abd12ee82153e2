//! `migrate adopt`: continues from a database that Prisma Migrate manages. Runs no migration.

use std::fs;
use std::path::{Path, PathBuf};

use relata::migrate::{self, Migrations, Options};
use relata_codegen::sql::summary;
use sha2::{Digest, Sha256};
use tokio_postgres::Client;

use super::migrate::count;
use crate::args;
use crate::compare::drift::missing;
use crate::database::Database;
use crate::failure::{Exit, Failure};
use crate::project::snapshot::Snapshot;
use crate::project::write::write_folder;
use crate::project::{lock_file, schema_files, snapshot};
use crate::terminal::{output, report};

/// A migration in Prisma's format.
struct Folder {
    name: String,
    sql: String,
}

/// What Prisma's history says about one migration.
struct Row {
    name: String,
    checksum: String,
    applied: bool,
    failed: bool,
    logs: Option<String>,
}

pub(crate) async fn adopt(args: &args::Adopt) -> Result<Exit, Failure> {
    let target = &args.target.migrations;
    if snapshot::has_migrations(target)? {
        return Err(Failure::refused(format!("{} already has migrations", target.display()))
            .help("use `codegen migrate baseline` for another database with the same schema"));
    }
    let folders = read_folders(&args.prisma)?;
    let schema_path = locate(args.schema.as_deref())?;
    let sources = schema_files::read(&schema_path)?;
    let schema = report::compile(&schema_path, &sources)?;
    let database = Database::find(args.target.url.as_deref())?;
    let mut client = database.connect().await?;
    let ours = migrate::status(&client, &Migrations::default()).await?;
    if !ours.problems.is_empty() {
        return Err(Failure::refused(format!("{database} already has a migration history of Relata"))
            .help("compare it with the migrations folder: `codegen migrate status`"));
    }
    let rows = read_rows(&client).await?;
    refuse_unfinished(&rows, &folders, &args.prisma)?;
    let applied = applied_in_order(&rows, &folders)?;
    warn_of_edits(&rows, &folders);
    let pending = &folders[applied..];
    if pending.is_empty() && !args.force {
        let missing = missing(&mut client, &schema).await?;
        if !missing.is_empty() {
            return Err(Failure::difference(format!(
                "{database} differs from {}; it lacks\n{}",
                schema_path.display(),
                summary(&missing).trim_end()
            ))
            .help("pass the schema after the last migration with --schema, or pass --force"));
        }
    }
    let texts: Vec<(&str, &str)> = folders.iter().map(|it| (it.name.as_str(), it.sql.as_str())).collect();
    let migrations = Migrations::from_static(&texts).map_err(|error| {
        Failure::from(error).help(format!(
            "correct the file in {}; it does not run again in any database that has it",
            args.prisma.display()
        ))
    })?;
    write(target, &folders, &schema_files::snapshot(&sources))?;
    if let Some(last) = applied.checked_sub(1).map(|at| &folders[at].name) {
        migrate::baseline(&mut client, &migrations, last, &Options::default()).await?;
    }
    lock_file::write(target, &Migrations::from_dir(target)?)?;
    output::print(&format!(
        "{database}: {} adopted into {}, {} pending",
        count(applied),
        target.display(),
        pending.len()
    ))?;
    Ok(Exit::Done)
}

fn locate(path: Option<&Path>) -> Result<PathBuf, Failure> {
    let prisma = Path::new("prisma/schema.prisma");
    match (path, schema_files::locate(None)) {
        (Some(path), _) => Ok(path.to_owned()),
        (None, Ok(path)) => Ok(path),
        (None, Err(_)) if prisma.exists() => Ok(prisma.to_owned()),
        (None, Err(failure)) => Err(failure),
    }
}

/// The folders with a `migration.sql`, in the order of their names.
fn read_folders(path: &Path) -> Result<Vec<Folder>, Failure> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(path).map_err(|error| Failure::reading(path, &error))? {
        let folder = entry.map_err(|error| Failure::reading(path, &error))?.path();
        if folder.is_dir() {
            let file = folder.join("migration.sql");
            let sql = fs::read_to_string(&file).map_err(|error| Failure::reading(&file, &error))?;
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            folders.push(Folder { name, sql: with_segment(sql) });
        }
    }
    if folders.is_empty() {
        return Err(Failure::refused(format!("there is no migration in {}", path.display()))
            .help("pass Prisma's migrations folder with --prisma"));
    }
    folders.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(folders)
}

const OUTSIDE: &str = "-- relata:segment outside\n";

/// Marks a file with CREATE INDEX CONCURRENTLY, which Prisma runs outside a transaction.
fn with_segment(sql: String) -> String {
    let is_concurrent = sql.lines().any(|line| {
        let line = line.split("--").next().unwrap_or_default().to_uppercase();
        line.contains(" INDEX CONCURRENTLY")
    });
    if is_concurrent { format!("{OUTSIDE}{sql}") } else { sql }
}

async fn read_rows(client: &Client) -> Result<Vec<Row>, Failure> {
    let failed = |error: tokio_postgres::Error| Failure::database("reading _prisma_migrations", &error);
    let found = client.query_one("SELECT to_regclass('_prisma_migrations') IS NOT NULL", &[]).await.map_err(failed)?;
    if !found.try_get::<_, bool>(0).map_err(failed)? {
        return Err(Failure::refused("this database has no table _prisma_migrations in its current schema").help(
            "`codegen migrate baseline` adopts a database that was created by other means; `schema=` in the URL \
             names another schema",
        ));
    }
    // The last attempt that was not rolled back counts.
    let sql = "SELECT DISTINCT ON (migration_name) migration_name::text, checksum::text, finished_at IS NOT NULL, logs
               FROM _prisma_migrations WHERE rolled_back_at IS NULL
               ORDER BY migration_name, finished_at IS NULL, started_at DESC";
    let rows = client.query(sql, &[]).await.map_err(failed)?;
    let read = |row: &tokio_postgres::Row| {
        let applied = row.try_get(2)?;
        Ok(Row { name: row.try_get(0)?, checksum: row.try_get(1)?, applied, failed: !applied, logs: row.try_get(3)? })
    };
    rows.iter().map(read).collect::<Result<_, _>>().map_err(failed)
}

/// The problems that must be resolved manually first.
fn refuse_unfinished(rows: &[Row], folders: &[Folder], path: &Path) -> Result<(), Failure> {
    let mut problems = String::new();
    for row in rows {
        if row.failed {
            let logs = row.logs.as_deref().unwrap_or_default();
            let reason = logs.lines().find(|line| line.contains("ERROR") || line.contains("error"));
            problems += &format!("\n  - {} failed or was interrupted", row.name);
            problems += &reason.map_or_else(String::new, |reason| format!(": {}", reason.trim()));
        } else if !folders.iter().any(|folder| folder.name == row.name) {
            problems += &format!("\n  - {} is applied but has no folder in {}", row.name, path.display());
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(Failure::question(format!("Prisma's history has to be resolved first; nothing was written:{problems}")).help(
        "end a failed one with `prisma migrate resolve --applied NAME` or `--rolled-back NAME`; restore a missing \
         folder from version control",
    ))
}

/// Returns the number of applied folders, which must be the first ones.
fn applied_in_order(rows: &[Row], folders: &[Folder]) -> Result<usize, Failure> {
    let is_applied = |folder: &Folder| rows.iter().any(|row| row.applied && row.name == folder.name);
    let applied = folders.iter().take_while(|folder| is_applied(folder)).count();
    match (folders.get(applied), folders[applied..].iter().find(|folder| is_applied(folder))) {
        (Some(pending), Some(later)) => Err(Failure::question(format!(
            "{} is not applied, but the later {} is; nothing was written",
            pending.name, later.name
        ))
        .help("apply it with Prisma first, or give its folder a later timestamp")),
        _ => Ok(applied),
    }
}

/// Warns about files that were edited after Prisma applied them. Like Prisma, compares the checksum of the bytes, but
/// also accepts the other line endings.
fn warn_of_edits(rows: &[Row], folders: &[Folder]) {
    for row in rows {
        let Some(folder) = folders.iter().find(|folder| folder.name == row.name) else { continue };
        let sql = folder.sql.strip_prefix(OUTSIDE).unwrap_or(&folder.sql);
        let unix = sql.replace("\r\n", "\n");
        let texts = [sql.to_owned(), unix.replace('\n', "\r\n"), unix, folder.sql.clone()];
        if !texts.iter().any(|text| sha256(text) == row.checksum) {
            output::eprint(&format!(
                "warning: {} was edited after Prisma applied it; the edited file is used",
                row.name
            ));
        }
    }
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes the folders; the last one gets the snapshot.
fn write(target: &Path, folders: &[Folder], schema: &Snapshot) -> Result<(), Failure> {
    for (at, folder) in folders.iter().enumerate() {
        let mut files = vec![("migration.sql", folder.sql.as_str())];
        if at + 1 == folders.len() {
            files.extend(schema.files());
        }
        write_folder(&target.join(&folder.name), &files)?;
    }
    Ok(())
}
