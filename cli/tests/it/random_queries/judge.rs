//! PostgreSQL as the judge of a statement.

use std::collections::BTreeMap;
use std::fmt::Write;

use relata_codegen::compile;
use relata_codegen::diagnostics::Sources;
use relata_codegen::ir::Schema;
use relata_codegen::queries::{Query, check};
use relata_codegen::sql::{DiffOptions, Intent, Pair, Side, State, diff, lower, plan, render};
use tokio_postgres::types::{Kind, Type};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage, Statement};

use super::world::values;
use relata_cli::testing::compare_types;

pub(super) const SCHEMA: &str = include_str!("schema.dsl");
pub(super) const ROWS: &str = include_str!("rows.sql");

/// The tables without rows, for those who have them in their search path.
const EMPTY: &str = "CREATE SCHEMA empty; CREATE TABLE empty.wide (LIKE wide INCLUDING ALL); CREATE TABLE empty.node \
                     (LIKE node INCLUDING ALL); CREATE TABLE empty.link (LIKE link INCLUDING ALL)";

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) cases: usize,
    /// Accepted by both, with the same types.
    pub(super) agreed: usize,
    /// How often one of those ran.
    pub(super) ran: usize,
    /// Rows that came, of which nothing was null that is typed never to be.
    pub(super) rows: usize,
    /// Refused by both.
    refused: usize,
    /// Accepted by the compiler and refused by PostgreSQL, by SQLSTATE; and the reverse, by code. With an example.
    only_compiler: BTreeMap<String, (usize, String)>,
    only_database: BTreeMap<String, (usize, String)>,
    pub(super) failures: Vec<String>,
}

impl Tally {
    pub(super) fn report(&self) -> String {
        let Self { cases, agreed, ran, rows, refused, .. } = self;
        let mut text =
            format!("{cases} statements: {agreed} agreed, run {ran} times, {rows} rows; {refused} refused by both");
        for (what, found) in [("PostgreSQL alone", &self.only_compiler), ("the compiler alone", &self.only_database)] {
            let count: usize = found.values().map(|(count, _)| count).sum();
            let _ = write!(text, "\n{count} refused by {what}");
            let mut kinds: Vec<_> = found.iter().collect();
            kinds.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
            for (kind, (count, example)) in kinds.into_iter().take(60) {
                let _ = write!(text, "\n  {count} {kind}: {example}");
            }
        }
        text
    }
}

/// A database with the rows, and the schema of its tables.
pub(super) struct Judge {
    schema: Schema,
    client: Client,
}

impl Judge {
    pub(super) async fn new(url: &str) -> Self {
        let schema = compile(&Sources::single("schema.dsl", SCHEMA)).schema.expect("the schema is valid");
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
        tokio::spawn(connection);
        client.batch_execute(&tables(&schema)).await.expect("the tables are made");
        client.batch_execute(EMPTY).await.expect("the empty tables are made");
        client.batch_execute(ROWS).await.expect("the rows are inserted");
        client
            .batch_execute("SET statement_timeout = '2s'; SET timezone = 'UTC'; SET jit = off")
            .await
            .expect("is set");
        Self { schema, client }
    }

    pub(super) async fn version(&self) -> i32 {
        let sql = "SELECT current_setting('server_version_num')::int / 10000";
        self.client.query_one(sql, &[]).await.expect("the server says its version").get(0)
    }

    pub(super) async fn judge(&self, seed: u64, sql: &str, tally: &mut Tally) {
        tally.cases += 1;
        let checked = check(&self.schema, &Sources::single("q.sql", sql));
        // What is sent may have more casts.
        let prepared = self.client.prepare(checked.queries.first().map_or(sql, |query| &query.sql)).await;
        match (checked.queries.first(), prepared) {
            (Some(query), Ok(statement)) => match self.compare(query, &statement, tally).await {
                Ok(()) => tally.agreed += 1,
                Err(what) => tally.failures.push(format!("RELATA_QUERIES_SEED={seed}: {what}\n{sql}")),
            },
            (None, Err(_)) => tally.refused += 1,
            (Some(_), Err(error)) => {
                let error = error.as_db_error().expect("PostgreSQL says why");
                let kind = format!("{} {}", error.code().code(), without_details(error.message()));
                let (message, sql) = (error.message(), shown(sql));
                tally.only_compiler.entry(kind).or_insert((0, format!("seed {seed}, {message}: {sql}"))).0 += 1;
            }
            (None, Ok(_)) => {
                let known = checked.diagnostics.iter().find(|known| known.is_error()).expect("a reason");
                let kind = format!("{} {}", known.code, without_details(&known.message));
                let (message, sql) = (&known.message, shown(sql));
                tally.only_database.entry(kind).or_insert((0, format!("seed {seed}, {message}: {sql}"))).0 += 1;
            }
        }
    }

    async fn compare(&self, query: &Query, statement: &Statement, tally: &mut Tally) -> Result<(), String> {
        if let Some(first) = compare_types(&self.schema, query, statement).first() {
            return Err(first.message.clone());
        }
        let types: Vec<String> = statement.params().iter().map(type_name).collect();
        self.client.batch_execute(&format!("PREPARE q AS {}", query.sql)).await.map_err(|error| error.to_string())?;
        let mut outcome = Ok(());
        for (empty, round) in [(false, 0), (false, 1), (false, 2), (true, 0)] {
            let args: Vec<String> = query
                .params
                .iter()
                .zip(&types)
                .enumerate()
                .map(|(at, (param, ty))| {
                    let values = values(ty);
                    match param.value.nullable && (round + at) % 2 == 1 {
                        true => "NULL".to_owned(),
                        false => format!("'{}'", values[(round + at) % values.len()]),
                    }
                })
                .collect();
            let args = if args.is_empty() { String::new() } else { format!("({})", args.join(", ")) };
            let path = if empty { "empty, public" } else { "public" };
            let ran = format!("BEGIN; SET LOCAL search_path = {path}; EXECUTE q{args}; ROLLBACK");
            let ran = self.client.simple_query(&ran).await;
            // A division by zero and the like.
            let Ok(messages) = ran else {
                self.client.batch_execute("ROLLBACK").await.map_err(|error| error.to_string())?;
                continue;
            };
            tally.ran += 1;
            outcome = nulls(query, &messages, tally).map_err(|what| format!("{what}, with {args}"));
            if outcome.is_err() {
                break;
            }
        }
        self.client.batch_execute("DEALLOCATE q").await.map_err(|error| error.to_string())?;
        outcome
    }
}

pub(super) fn tables(schema: &Schema) -> String {
    let ends = [(State::default(), Intent::default()), (lower(schema), Intent::of(schema))];
    let [previous, next] = ends.each_ref().map(|(state, intent)| Side { state, intent: Some(intent) });
    let changes = diff(Pair { previous, next }, &DiffOptions::default()).expect("the tables are new");
    render(&plan(changes))
}

/// Says which column is null and must not be.
fn nulls(query: &Query, messages: &[SimpleQueryMessage], tally: &mut Tally) -> Result<(), String> {
    for message in messages {
        let SimpleQueryMessage::Row(row) = message else { continue };
        tally.rows += 1;
        for (at, column) in query.columns.iter().flatten().enumerate() {
            match row.get(at) {
                // A list that is null is read as an empty one.
                None if !column.value.nullable && !column.value.list => {
                    return Err(format!("`{}` is null, and typed never to be", column.db_name));
                }
                Some(text) if column.value.list && !column.value.holes && has_null(text) => {
                    return Err(format!("`{}` has nulls in it, and is typed never to: {text}", column.db_name));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Whether a list as text has an element that is null.
fn has_null(list: &str) -> bool {
    list.split(['{', '}', ',']).any(|element| element == "NULL")
}

fn type_name(ty: &Type) -> String {
    match ty.kind() {
        Kind::Array(element) => format!("{}[]", element.name()),
        _ => ty.name().to_owned(),
    }
}

/// A message without what it says of this statement alone.
fn without_details(message: &str) -> String {
    let mut text = String::new();
    for (at, piece) in message.split(['"', '`']).enumerate() {
        text.push_str(if at % 2 == 1 { "_" } else { piece });
    }
    text
}

fn shown(sql: &str) -> String {
    sql.chars().take(700).collect()
}
