//! Random queries of one tenant: the compiler confines them, and PostgreSQL runs them over the rows of two tenants. They
//! return what the same query returns where only the first tenant has rows, and nothing of the second.

use std::collections::BTreeMap;
use std::fmt::Write;

use relata_codegen::compile;
use relata_codegen::diagnostics::Sources;
use relata_codegen::ir::Schema;
use relata_codegen::queries::{Confinement, Query, check};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use super::Generator;
use super::judge::{ROWS, SCHEMA, tables};
use super::world::{TABLES, values};

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Tally {
    cases: usize,
    /// Statements of tables of tenants that are confined.
    pub(super) confined: usize,
    /// Accepted, and not confined.
    open: usize,
    /// How often a confined statement ran, and returned the same rows as over the first tenant's rows alone.
    pub(super) same: usize,
    /// How often its rows depend on their order, and so could not be compared. None was of the second tenant.
    pub(super) ordered: usize,
    /// Rows that came.
    pub(super) rows: usize,
    /// Ran over one tenant's rows and failed over those of both, by SQLSTATE: a value of the second was computed with.
    failed: BTreeMap<String, usize>,
    pub(super) failures: Vec<String>,
}

impl Tally {
    pub(super) fn report(&self) -> String {
        let Self { cases, confined, open, same, ordered, rows, failed, .. } = self;
        format!(
            "{cases} statements: {confined} confined, {open} not; {same} results are the same, {ordered} depend on order, \
             {rows} rows; failed over the rows of both tenants alone: {failed:?}"
        )
    }
}

/// A database with the rows of two tenants in `public`, and of the first in `own`.
pub(super) struct Judge {
    pub(super) schema: Schema,
    pub(super) client: Client,
}

/// Texts that occur in values of the second tenant's rows only, and numbers.
const MARKS: [&str; 3] = ["LEAK", "leak", "2077-"];
const NUMBERS: [&str; 2] = ["7770", "77777777"];

/// What gives numbers that no row contains, and that may look like marks.
const CLOCKS: [&str; 9] =
    ["now(", "_timestamp", "timeofday", "current_", "localtime", "random", "txid", "pg_", "version("];

/// Returns whether a value that a statement returned is that of a row of the second tenant.
pub(super) fn is_leaked(sql: &str, text: &str) -> bool {
    let lower = sql.to_lowercase();
    let has_clock = CLOCKS.iter().any(|word| lower.contains(word));
    MARKS.iter().any(|mark| text.contains(mark)) || !has_clock && NUMBERS.iter().any(|mark| text.contains(mark))
}

/// What may give different results for the same rows in another order, or at another time.
pub(super) const ORDERED: [&str; 27] = [
    "limit",
    "offset",
    "fetch",
    "over",
    "_agg",
    "xmlagg",
    "random",
    "mode(",
    "first_value",
    "distinct on",
    "now(",
    "clock_timestamp",
    "statement_timestamp",
    "transaction_timestamp",
    "timeofday",
    "uuid",
    "nextval",
    "currval",
    "lastval",
    "current_",
    "localtime",
    "txid",
    "pg_",
    "version(",
    "window",
    "string_agg",
    "skip locked",
];

impl Judge {
    pub(super) async fn new(url: &str) -> Self {
        let text = with_tenants(SCHEMA);
        let compiled = compile(&Sources::single("schema.dsl", &text));
        let schema = compiled.schema.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
        tokio::spawn(connection);
        let mut sql = format!("{};\nINSERT INTO school VALUES (1), (2);\n", tables(&schema));
        for (table, _) in TABLES.into_iter().filter(|(table, _)| *table != BY_PATH) {
            let _ = writeln!(sql, "ALTER TABLE {table} ALTER school_id SET DEFAULT 1;");
        }
        sql.push_str(ROWS);
        // The copies have no foreign keys, so a statement must not fail because of one.
        let _ = writeln!(sql, "ALTER TABLE {BY_PATH} DROP CONSTRAINT {BY_PATH}_a_fkey;");
        sql.push_str("CREATE SCHEMA own; CREATE TABLE own.school AS SELECT 1 AS id;\n");
        for (table, columns) in TABLES {
            let _ = writeln!(
                sql,
                "CREATE TABLE own.{table} (LIKE {table} INCLUDING ALL); INSERT INTO own.{table} SELECT * FROM {table};"
            );
            let other: Vec<String> = columns.iter().map(|(name, ty)| other_value(table, name, ty)).collect();
            let school = if table == BY_PATH { "" } else { ", 2" };
            let _ = writeln!(sql, "INSERT INTO {table} SELECT {}{school} FROM {table};", other.join(", "));
        }
        sql.push_str("SET statement_timeout = '2s'; SET timezone = 'UTC'; SET jit = off;");
        client.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
        Self { schema, client }
    }

    pub(super) async fn judge(&self, seed: u64, sql: &str, tally: &mut Tally) {
        tally.cases += 1;
        let checked = check(&self.schema, &Sources::single("q.sql", sql));
        let Some(query) = checked.queries.first() else { return };
        let Confinement::Confined(confined) = &query.confinement else {
            tally.open += usize::from(query.confinement == Confinement::None);
            return;
        };
        let Ok(prepared) = self.client.prepare(&query.sql).await else { return };
        tally.confined += 1;
        let types: Vec<String> = prepared.params().iter().map(|ty| ty.name().to_owned()).collect();
        if let Err(what) = self.compare(query, confined, &types, tally).await {
            tally.failures.push(format!("RELATA_QUERIES_SEED={seed}: {what}\n{sql}\n{confined}"));
        }
    }

    async fn compare(&self, query: &Query, confined: &str, types: &[String], tally: &mut Tally) -> Result<(), String> {
        let prepare = format!("PREPARE own AS {}; PREPARE confined AS {confined}", query.sql);
        let refused = |error: tokio_postgres::Error| format!("is refused: {:?}", error.as_db_error());
        let prepared = self.client.batch_execute(&prepare).await.map_err(refused);
        let mut outcome = prepared;
        for round in 0..2 {
            if outcome.is_ok() {
                outcome = self.round(query, types, round, tally).await;
            }
        }
        self.client.batch_execute("DEALLOCATE ALL").await.map_err(refused)?;
        outcome
    }

    async fn round(&self, query: &Query, types: &[String], round: usize, tally: &mut Tally) -> Result<(), String> {
        let mut args: Vec<String> = types
            .iter()
            .enumerate()
            .map(|(at, ty)| {
                let values = values(ty.strip_prefix('_').map(|ty| format!("{ty}[]")).as_deref().unwrap_or(ty));
                format!("'{}'", values[(round + at) % values.len()])
            })
            .collect();
        let own = self.run("own, public", &format!("EXECUTE own{}", in_brackets(&args))).await;
        args.push("1".to_owned());
        let both = self.run("public", &format!("EXECUTE confined{}", in_brackets(&args))).await;
        let (own, both) = match (own, both) {
            (Ok(own), Ok(both)) => (own, both),
            (Ok(_), Err(code)) => {
                *tally.failed.entry(code).or_default() += 1;
                return Ok(());
            }
            // A division by zero and the like.
            (Err(_), _) => return Ok(()),
        };
        tally.rows += both.len();
        let leaked = both.iter().filter(|row| own.binary_search(row).is_err()).flatten().flatten();
        if let Some(leak) = leaked.into_iter().find(|text| is_leaked(&query.sql, text)) {
            return Err(format!("a row of another tenant is read: {leak}, with {args:?}"));
        }
        let lower = query.sql.to_lowercase();
        if own == both {
            tally.same += 1;
        } else if ORDERED.iter().any(|word| lower.contains(word)) {
            tally.ordered += 1;
        } else {
            return Err(format!("the rows differ, with {args:?}:\n{own:?}\n{both:?}"));
        }
        Ok(())
    }

    /// Returns the sorted rows, or the SQLSTATE.
    async fn run(&self, path: &str, sql: &str) -> Result<Vec<Vec<Option<String>>>, String> {
        let ran = self.client.simple_query(&format!("BEGIN; SET LOCAL search_path = {path}; {sql}; ROLLBACK")).await;
        let messages = match ran {
            Ok(messages) => messages,
            Err(error) => {
                self.client.batch_execute("ROLLBACK").await.expect("is rolled back");
                return Err(error.code().map_or_else(|| error.to_string(), |code| code.code().to_owned()));
            }
        };
        let mut rows: Vec<Vec<Option<String>>> = messages
            .iter()
            .filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect()),
                _ => None,
            })
            .collect();
        rows.sort();
        Ok(rows)
    }
}

pub(super) fn in_brackets(args: &[String]) -> String {
    if args.is_empty() { String::new() } else { format!("({})", args.join(", ")) }
}

/// The table whose rows belong to the school of another row.
const BY_PATH: &str = "link";

/// The schema, each of whose rows belongs to a school.
fn with_tenants(schema: &str) -> String {
    let mut text = schema.to_owned();
    for (table, _) in TABLES {
        let map = format!("  @@map(\"{table}\")");
        let school = match table {
            BY_PATH => "  node Node @relation(fields: [a], references: [id])\n  @@tenant(node.school)\n",
            _ => {
                "  schoolId Int @map(\"school_id\")\n  school School @relation(fields: [schoolId], references: [id])\n  \
                 @@index([schoolId])\n  @@tenant(school)\n"
            }
        };
        let links = if table == "node" { "  links Link[]\n" } else { "" };
        text = text.replace(&map, &format!("{links}{school}{map}"));
    }
    text.push_str(
        "\nmodel School {\n  id Int @id\n  wides Wide[]\n  nodes Node[]\n  @@tenant\n  @@map(\"school\")\n}\n",
    );
    text
}

/// The value of a column in a row of the second tenant: marked where its type has room for it.
fn other_value(table: &str, name: &str, ty: &str) -> String {
    match (table, name, ty) {
        ("wide" | "node", "id", _) | ("link", "a" | "b", _) => format!("{name} + 7770"),
        (_, _, "int2" | "int4" | "int8" | "float4" | "float8" | "numeric") => "7770".to_owned(),
        (_, _, "text" | "varchar") => "'LEAK'".to_owned(),
        (_, _, "bpchar") => "'LEK'".to_owned(),
        (_, _, "uuid") => "'77777777-0000-0000-0000-000000000000'".to_owned(),
        (_, _, "timestamp" | "timestamptz" | "date") => "'2077-07-07'".to_owned(),
        (_, _, "json" | "jsonb") => "'{\"leak\": 7770}'".to_owned(),
        (_, _, "bytea") => "'\\x77777777'".to_owned(),
        (_, _, "int4[]" | "int8[]" | "float8[]") => "'{7770}'".to_owned(),
        (_, _, "text[]") => "'{LEAK}'".to_owned(),
        _ => name.to_owned(),
    }
}

/// Judges the statements of these seeds, on an empty database.
pub(super) async fn run(url: &str, seeds: std::ops::Range<u64>) -> Tally {
    let judge = Judge::new(url).await;
    let mut tally = Tally::default();
    for seed in seeds {
        judge.judge(seed, &Generator::of_tenants(seed), &mut tally).await;
    }
    tally
}
