//! `check --database`: PostgreSQL prepares every query, and what it says is compared with what was derived.

use relata::migrate::{self, Options};
use relata_codegen::CompiledClient;
use relata_codegen::diagnostics::{Diagnostic, Span};
use relata_codegen::ir::{Arity, Schema};
use relata_codegen::queries::{Query, ResultColumn, ValueType};
use relata_codegen::sql::{Pair, plan, render};
use tokio_postgres::error::ErrorPosition;
use tokio_postgres::types::{Kind, Type};
use tokio_postgres::{Client, Column, Statement};

use super::super::verify::start;
use crate::database::Database;
use crate::difference::{Renames, difference};
use crate::endpoint::Loaded;
use crate::failure::Failure;
use crate::say;

/// What PostgreSQL sees otherwise.
pub(super) async fn check(compiled: &CompiledClient, url: Option<&str>) -> Result<Vec<Diagnostic>, Failure> {
    let Some(schema) = &compiled.schema else { return Ok(Vec::new()) };
    if compiled.queries.is_empty() {
        say::err("there are no queries to prepare");
        return Ok(Vec::new());
    }
    let found = match url {
        Some(url) => {
            let database = Database::parse(url, "--url")?;
            say::err(&format!("preparing on {database}"));
            all(&database.connect().await?, schema, &compiled.queries).await?
        }
        None => {
            let server = start(None)?;
            say::err(&format!("preparing on {}", server.describe()));
            let home = server.create_database("check").map_err(|error| Failure::refused(error.to_string()))?;
            let mut client = Database::parse(home.url(), "the development database")?.connect().await?;
            make_tables(&mut client, schema).await?;
            all(&client, schema, &compiled.queries).await?
        }
    };
    if found.is_empty() {
        let count = compiled.queries.len();
        say::err(&format!("PostgreSQL agrees with {count} {}", if count == 1 { "query" } else { "queries" }));
    }
    Ok(found)
}

/// Gives an empty database the tables of the schema. A view has no definition there, so that a table takes its place.
async fn make_tables(client: &mut Client, schema: &Schema) -> Result<(), Failure> {
    let mut schema = schema.clone();
    schema.models.iter_mut().for_each(|model| model.is_view = false);
    schema.foreign_keys = false;
    let pair = Pair { previous: &Loaded::empty(), next: &Loaded::of_schema(&schema) };
    let sql = render(&plan(difference(pair, Renames::none())?));
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
    }
    Ok(found)
}

/// PostgreSQL's own words, at the place that it counts to in characters.
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
    let help =
        error.hint().map_or_else(|| "mend the statement, or what it needs in the database".to_owned(), str::to_owned);
    Diagnostic::of_database(true, span, message).with("", help)
}

async fn compare(
    client: &Client,
    schema: &Schema,
    query: &Query,
    statement: &Statement,
    found: &mut Vec<Diagnostic>,
) -> Result<(), Failure> {
    for (at, (param, ty)) in query.params.iter().zip(statement.params()).enumerate() {
        if !is_one_of(&param.value, ty, schema, param.derived) {
            let (says, is) = (words(&param.value, schema, param.derived), ty.name());
            found.push(
                Diagnostic::of_database(
                    false,
                    param.span,
                    format!("`${}` is {is} to PostgreSQL, and {says} here", at + 1),
                )
                .with(format!("is {is}"), format!("write a cast: `${}::{says}`", at + 1)),
            );
        }
    }
    if query.params.len() != statement.params().len() {
        let message = format!(
            "PostgreSQL sees {} parameters, and {} are known here",
            statement.params().len(),
            query.params.len()
        );
        found.push(Diagnostic::of_database(false, query.span, message).with("", "number them from `$1`"));
    }
    let known = query.columns.as_deref().unwrap_or_default();
    if known.len() != statement.columns().len() {
        let message =
            format!("PostgreSQL gives {} columns, and {} are known here", statement.columns().len(), known.len());
        let names: Vec<&str> = statement.columns().iter().map(Column::name).collect();
        let help = format!("annotate each, in this order: {}", names.join(", "));
        found.push(Diagnostic::of_database(false, query.span, message).with("", help));
        return Ok(());
    }
    for (column, real) in known.iter().zip(statement.columns()) {
        found.extend(compare_column(schema, column, real));
        if claims_too_much(schema, column) && may_be_null(client, real).await? {
            let message = format!("`{}` may be null in the database, and is said never to be", column.db_name);
            let help = "write `?` behind the type, or keep null away: by COALESCE, or a condition `IS NOT NULL`";
            found.push(Diagnostic::of_database(false, column.span, message).with("a column that may be null", help));
        }
    }
    Ok(())
}

fn compare_column(schema: &Schema, column: &ResultColumn, real: &Column) -> Option<Diagnostic> {
    let name = &column.db_name;
    if real.name() != name {
        let message = format!("PostgreSQL calls this column `{}`, and it is `{name}` here", real.name());
        return Some(
            Diagnostic::of_database(false, column.span, message).with("", format!("write `AS {name}` behind it")),
        );
    }
    if is_one_of(&column.value, real.type_(), schema, column.derived) {
        return None;
    }
    let (says, is) = (words(&column.value, schema, column.derived), real.type_().name());
    let message = format!("`{name}` is {is} to PostgreSQL, and {says} here");
    let help = format!("annotate what it is, or write a cast: `::{says}`");
    Some(Diagnostic::of_database(false, column.span, message).with(format!("is {is}"), help))
}

/// Whether the type of the database is one that the value can be.
fn is_one_of(value: &ValueType, ty: &Type, schema: &Schema, derived: bool) -> bool {
    let ty = match (value.list, ty.kind()) {
        (true, Kind::Array(element)) => element,
        (false, Kind::Domain(inner)) => inner,
        (false, Kind::Array(_)) | (true, _) => return false,
        (false, _) => ty,
    };
    value.database_types(schema, derived).iter().any(|known| known == ty.name())
}

fn words(value: &ValueType, schema: &Schema, derived: bool) -> String {
    let name = value.database_types(schema, derived).into_iter().next().unwrap_or_default();
    if value.list { format!("{name}[]") } else { name }
}

/// Whether the column is never null because an annotation or the schema says so, rather than the statement.
fn claims_too_much(schema: &Schema, column: &ResultColumn) -> bool {
    let by_schema = column.field.is_some_and(|field| schema.walk_field(field).field().arity == Arity::Required);
    !column.value.nullable && !column.value.list && (column.may_be_null || by_schema)
}

/// Whether it is a column of a table that may be null.
async fn may_be_null(client: &Client, column: &Column) -> Result<bool, Failure> {
    let (Some(table), Some(number)) = (column.table_oid(), column.column_id()) else { return Ok(false) };
    // Columns of views are never marked, whatever they show.
    let sql = "SELECT NOT a.attnotnull FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
               WHERE a.attrelid = $1 AND a.attnum = $2 AND c.relkind IN ('r', 'p')";
    let row = client.query_opt(sql, &[&table, &number]).await;
    let row = row.map_err(|error| Failure::database("looking at a column", &error))?;
    row.map_or(Ok(false), |row| row.try_get(0)).map_err(|error| Failure::database("looking at a column", &error))
}
