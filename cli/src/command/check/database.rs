//! `check --database`: prepares every query in PostgreSQL, and compares the result with the inferred types.

use relata::migrate::{self, Options};
use relata_codegen::CompiledClient;
use relata_codegen::diagnostics::{Diagnostic, Span, counted};
use relata_codegen::ir::{Arity, Schema};
use relata_codegen::queries::{Confinement, Query, ResultColumn};
use relata_codegen::sql::{Pair, State, lower, plan, render};
use tokio_postgres::error::ErrorPosition;
use tokio_postgres::{Client, Column, Statement};

use super::super::verify::start;
use super::compare::compare_types;
use super::plans;
use crate::compare::difference::{Renames, difference};
use crate::compare::domains;
use crate::compare::endpoint::Loaded;
use crate::database::Database;
use crate::failure::Failure;
use crate::terminal::output;

/// The differences that PostgreSQL reports.
pub(super) async fn check(compiled: &CompiledClient, url: Option<&str>) -> Result<Vec<Diagnostic>, Failure> {
    let Some(schema) = &compiled.schema else { return Ok(Vec::new()) };
    if let Some(url) = url {
        let client = Database::parse(url, "--url")?.connect().await?;
        refuse_misfits(&client, schema).await?;
    }
    if compiled.queries.is_empty() {
        output::eprint("there are no queries to prepare");
        return Ok(Vec::new());
    }
    let mut scans = Vec::new();
    let mut found = match url {
        Some(url) => {
            let database = Database::parse(url, "--url")?;
            output::eprint(&format!("preparing on {database}"));
            let client = database.connect().await?;
            scans = plans::scans(&client, &compiled.queries).await?;
            all(&client, schema, &compiled.queries).await?
        }
        None => {
            let server = start(None)?;
            output::eprint(&format!("preparing on {}", server.describe()));
            let home = server.create_database("check").map_err(|error| Failure::refused(error.to_string()))?;
            let mut client = Database::parse(home.url(), "the development database")?.connect().await?;
            make_tables(&mut client, schema).await?;
            all(&client, schema, &compiled.queries).await?
        }
    };
    if found.is_empty() {
        output::eprint(&format!("PostgreSQL agrees with {}", counted(compiled.queries.len(), "query")));
    }
    found.extend(scans);
    Ok(found)
}

/// Fails if the database lacks a domain of the schema, or if the domain has another type.
async fn refuse_misfits(client: &Client, schema: &Schema) -> Result<(), Failure> {
    let problems = domains::problems(client, &lower(schema)).await?;
    if problems.is_empty() {
        return Ok(());
    }
    let lines: String = problems.iter().map(|problem| format!("\n  - {problem}")).collect();
    Err(Failure::refused(format!("the database does not have the domains of the schema:{lines}"))
        .help("create the domain, or make the field's type what it is based on: `codegen db pull` writes that"))
}

/// Creates the tables of the schema in an empty database. A view whose query the schema does not contain is created as a
/// table.
async fn make_tables(client: &mut Client, schema: &Schema) -> Result<(), Failure> {
    let mut schema = schema.clone();
    schema.models.iter_mut().for_each(|model| model.is_view &= model.query.is_some());
    schema.foreign_keys = false;
    let pair = Pair { previous: &Loaded::empty(), next: &Loaded::of_schema(&schema) };
    let state = &pair.next.state;
    let extensions = State { extensions: state.extensions.clone(), ..State::default() };
    let extensions = Loaded { state: extensions, ..Loaded::empty() };
    let first = difference(Pair { next: &extensions, ..pair }, Renames::none())?;
    let domains = domains::stand_ins(state);
    let sql = render(&plan(first)) + &domains + &render(&plan(difference(pair, Renames::none())?));
    migrate::execute(client, "schema.sql", &sql, &Options::default()).await?;
    Ok(())
}

async fn all(client: &Client, schema: &Schema, queries: &[Query]) -> Result<Vec<Diagnostic>, Failure> {
    let mut found = Vec::new();
    for query in queries {
        match client.prepare(&query.sql).await {
            Ok(statement) => compare(client, schema, query, &statement, &mut found).await?,
            Err(error) => match error.as_db_error() {
                Some(refused) => found.push(refusal(query, refused)),
                None => return Err(Failure::database("preparing a query", &error)),
            },
        }
        found.extend(check_confined(client, query).await?);
    }
    Ok(found)
}

/// Prepares the statement that the client of one tenant sends.
async fn check_confined(client: &Client, query: &Query) -> Result<Option<Diagnostic>, Failure> {
    let Confinement::Confined(sql) = &query.confinement else { return Ok(None) };
    let Err(error) = client.prepare(sql).await else { return Ok(None) };
    let Some(refused) = error.as_db_error() else { return Err(Failure::database("preparing a query", &error)) };
    let message = format!(
        "PostgreSQL refuses the statement as the client of one tenant sends it: {} (SQLSTATE {})",
        refused.message(),
        refused.code().code()
    );
    let help = "write it in another way, or send it with `db.across_tenants()`, and report the statement";
    Ok(Some(Diagnostic::of_database(true, query.span, message).with("", help)))
}

/// The error of PostgreSQL, at its position, which counts characters.
fn refusal(query: &Query, error: &tokio_postgres::error::DbError) -> Diagnostic {
    let span = match error.position() {
        Some(ErrorPosition::Original(position)) => {
            let skipped = (*position as usize).saturating_sub(1);
            let at = query.sql.char_indices().nth(skipped).map_or(query.sql.len(), |(at, _)| at);
            let length = query.sql[at..].find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(0).max(1);
            let start = query.place(at);
            Span { start, end: query.place(at + length).max(start), ..query.span }
        }
        _ => query.span,
    };
    let message = format!("PostgreSQL refuses the statement: {} (SQLSTATE {})", error.message(), error.code().code());
    let help = error
        .hint()
        .map_or_else(|| "fix the statement, or the objects that it uses in the database".to_owned(), str::to_owned);
    Diagnostic::of_database(true, span, message).with("", help)
}

async fn compare(
    client: &Client,
    schema: &Schema,
    query: &Query,
    statement: &Statement,
    found: &mut Vec<Diagnostic>,
) -> Result<(), Failure> {
    found.extend(compare_types(schema, query, statement));
    for (column, real) in query.columns.iter().flatten().zip(statement.columns()) {
        if claims_too_much(schema, column) && may_be_null(client, real).await? {
            let message = format!("`{}` is nullable in the database, but its type here is not", column.db_name);
            let help = "write `?` after the type, or exclude null with COALESCE or a condition `IS NOT NULL`";
            found.push(Diagnostic::of_database(false, column.span, message).with("a nullable column", help));
        }
    }
    Ok(())
}

/// Whether the column is never null because an annotation or the schema says so, rather than the statement.
fn claims_too_much(schema: &Schema, column: &ResultColumn) -> bool {
    let by_schema = column.field.is_some_and(|field| schema.walk_field(field).field().arity == Arity::Required);
    !column.value.nullable && !column.value.list && (column.may_be_null || by_schema)
}

/// Whether it is a nullable column of a table.
async fn may_be_null(client: &Client, column: &Column) -> Result<bool, Failure> {
    let (Some(table), Some(number)) = (column.table_oid(), column.column_id()) else { return Ok(false) };
    // PostgreSQL never marks the columns of views as required.
    let sql = "SELECT NOT a.attnotnull FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
               WHERE a.attrelid = $1 AND a.attnum = $2 AND c.relkind IN ('r', 'p')";
    let row = client.query_opt(sql, &[&table, &number]).await;
    let row = row.map_err(|error| Failure::database("reading the catalog", &error))?;
    row.map_or(Ok(false), |row| row.try_get(0)).map_err(|error| Failure::database("reading the catalog", &error))
}
