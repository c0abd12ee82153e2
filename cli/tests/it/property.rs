//! Random edits of random schemas, with rows in the tables: what a migration of any kind has to hold.
//!
//! - The plan runs; if it fails, then it said so, and after that an empty database takes it, unless PostgreSQL has no
//!   statement for the change.
//! - The database is then what a new one of the second schema would be.
//! - Columns that are still there have their values, unless the plan said that they lose them.
//! - `migrate down` leads back to the start.
//!
//! `RELATA_PROPERTY_CASES=5000` runs more cases, `RELATA_PROPERTY_SEED=7` begins with another one, and is one if it
//! stands alone.

mod coverage;
mod create;
mod edit;
mod mend;
mod pairs;
mod refine;
mod routine;
mod rows;
mod sketch;
mod text;
mod types;
mod view;

use std::collections::BTreeMap;
use std::ops::Range;

use relata::migrate::{self, Error, Migrations, Options};
use relata_cli::testing::{Loaded, Renames, Scope, difference, introspect, plan, read_for, reverse_plan};
use relata_codegen::compile;
use relata_codegen::diagnostics::{SourceFile, Sources, render_plain};
use relata_codegen::sql::quote::ident;
use relata_codegen::sql::{HazardKind, Pair, Plan, State, render, summary};
use relata_devdb::DevDb;
use tokio_postgres::{Client, NoTls};

use self::coverage::Coverage;
use self::sketch::{SCHEMAS, Sketch};
use crate::random::Random;

const CASES: u64 = 200;
const EDITS: usize = 6;

#[test]
fn random_edits_lead_to_the_schema_and_back() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let (seed, cases) = (number("RELATA_PROPERTY_SEED"), number("RELATA_PROPERTY_CASES"));
    let cases = cases.unwrap_or(if seed.is_some() { 1 } else { CASES });
    let seeds = seed.unwrap_or(0)..seed.unwrap_or(0) + cases;
    let server = DevDb::start().expect("a PostgreSQL");
    let half = seeds.start + (seeds.end - seeds.start) / 2;
    let tallies = std::thread::scope(|scope| {
        let parts = [seeds.start..half, half..seeds.end].map(|part| scope.spawn(|| run_all(&server, part)));
        parts.map(|part| part.join().expect("no case panics"))
    });
    let [mut tally, other] = tallies;
    tally.add(other);
    println!(
        "{} of {cases} cases changed something, the rows of {} did not fit as was said",
        tally.changed, tally.refused
    );
    println!("PostgreSQL has no statement for a change of {}, as was said", tally.impossible);
    println!("{} columns kept their values; {} views, functions, triggers and policies", tally.columns, tally.objects);
    println!("cases with {}", tally.coverage.text());
    assert!(tally.failures.is_empty(), "{}", tally.failures.join("\n\n"));
    let cases = usize::try_from(cases).expect("few");
    assert!(cases < 100 || tally.changed * 2 > cases, "most cases have to change something: {tally:?}");
    assert!(cases < 100 || tally.refused * 3 < cases, "most cases have to run with their rows: {tally:?}");
    assert!(cases < 100 || tally.impossible * 20 < cases, "most changes have to be possible: {tally:?}");
    let missing = tally.coverage.missing();
    assert!(cases < 1000 || missing.is_empty(), "no case has or changes these: {missing:?}");
}

#[derive(Debug, Default)]
struct Tally {
    /// Cases with a difference.
    changed: usize,
    /// Those whose rows did not fit, as the plan had said.
    refused: usize,
    /// Those with a change that PostgreSQL has no statement for, as the plan had said.
    impossible: usize,
    /// Columns whose values were compared.
    columns: usize,
    /// Views, functions, triggers and policies of the next schema.
    objects: usize,
    /// Constructs of the schema language.
    coverage: Coverage,
    failures: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.changed += other.changed;
        self.refused += other.refused;
        self.impossible += other.impossible;
        self.columns += other.columns;
        self.objects += other.objects;
        self.coverage.add(other.coverage);
        self.failures.extend(other.failures);
    }
}

fn run_all(server: &DevDb, seeds: Range<u64>) -> Tally {
    let database = server.create_database("property").expect("a database");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("an async runtime");
    runtime.block_on(async {
        let (mut client, connection) = tokio_postgres::connect(database.url(), NoTls).await.expect("a connection");
        tokio::spawn(connection);
        let mut tally = Tally::default();
        for seed in seeds {
            let case = Case::random(seed);
            if let Err(error) = case.run(&mut client, &mut tally).await {
                let (case, error) = shrink(case, error, &mut client).await;
                let ends = [&case.previous, &case.next()].map(whole_text).join("\n--- becomes\n");
                tally.failures.push(format!("RELATA_PROPERTY_SEED={seed}: {error}\n{ends}"));
            }
            if tally.failures.len() > 4 {
                break;
            }
        }
        tally
    })
}

/// Leaves out edits as long as it still fails.
async fn shrink(mut case: Case, mut error: String, client: &mut Client) -> (Case, String) {
    let mut at = 0;
    while at < case.edits.len() {
        let mut smaller = case.clone();
        smaller.edits.remove(at);
        match smaller.run(client, &mut Tally::default()).await {
            Err(other) => (case, error) = (smaller, other),
            Ok(()) => at += 1,
        }
    }
    (case, error)
}

#[derive(Clone)]
struct Case {
    previous: Sketch,
    /// The seed of each edit.
    edits: Vec<u64>,
    online: bool,
}

/// A database of a case, and what is known of it.
struct Run<'a> {
    client: &'a mut Client,
    previous: (Sketch, Loaded),
    next: (Sketch, Loaded),
}

impl Case {
    fn random(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut previous = Sketch::random(&mut random);
        while load(&previous).is_err() {
            previous = Sketch::random(&mut random);
        }
        let edits = (0..1 + random.below(EDITS)).map(|_| random.next()).collect();
        Self { previous, edits, online: seed % 2 == 1 }
    }

    fn next(&self) -> Sketch {
        let mut sketch = self.previous.clone();
        for seed in &self.edits {
            let mut edited = sketch.clone();
            edit::edit(&mut edited, &mut Random::new(*seed));
            // Some edits make two of a name, or a key of what cannot be one.
            if load(&edited).is_ok() {
                sketch = edited;
            }
        }
        edit::say_renames(&self.previous, &mut sketch);
        sketch
    }

    async fn run(&self, client: &mut Client, tally: &mut Tally) -> Result<(), String> {
        let next = self.next();
        let (from, to) = (load(&self.previous)?, load(&next)?);
        let mut run = Run { client, previous: (self.previous.clone(), from), next: (next, to) };
        let result = run.check(self.online, tally).await;
        run.drop_all().await?;
        result
    }
}

/// The schema and its files.
fn whole_text(sketch: &Sketch) -> String {
    format!("{}\n{}", sketch.text(), sketch.objects())
}

fn load(sketch: &Sketch) -> Result<Loaded, String> {
    load_texts(&sketch.text(), &sketch.objects())
}

fn load_text(text: &str) -> Result<Loaded, String> {
    load_texts(text, "")
}

fn load_texts(text: &str, objects: &str) -> Result<Loaded, String> {
    let mut sources = Sources::single("schema.dsl", text);
    sources.objects.push(SourceFile { path: "sql/all.sql".to_owned(), text: objects.to_owned() });
    let compiled = compile(&sources);
    let mistakes: Vec<String> = compiled.diagnostics.iter().map(|mistake| render_plain(mistake, &sources)).collect();
    compiled.schema.map(|schema| Loaded::of_schema(&schema)).ok_or_else(|| mistakes.join("\n"))
}

impl Run<'_> {
    async fn check(&mut self, online: bool, tally: &mut Tally) -> Result<(), String> {
        let ends = Pair { previous: &self.previous.1, next: &self.next.1 };
        let changes = difference(ends, Renames::none()).map_err(|error| error.to_string())?;
        tally.changed += usize::from(!changes.is_empty());
        tally.objects += self.next.1.state.catalog.objects.len();
        tally.coverage.count([&whole_text(&self.previous.0), &whole_text(&self.next.0)]);
        let forwards = plan(changes, online);
        let sql = render(&forwards);
        let first = from_empty(&self.previous.1)?;
        let fresh = from_empty(&self.next.1)?;

        self.create_schema().await?;
        self.deploy(&[("1_fresh", &fresh)]).await.map_err(|error| format!("the next schema: {error}\n{fresh}"))?;
        let expected = self.state().await?;
        self.create_schema().await?;
        self.deploy(&[("1_first", &first)]).await.map_err(|error| format!("the first schema: {error}\n{first}"))?;
        let start = self.state().await?;
        self.sql(&rows::partitions(&self.previous.0)).await.map_err(|error| format!("the partitions: {error}"))?;
        self.sql(&rows::inserts(&self.previous.0)).await.map_err(|error| format!("the rows do not fit: {error}"))?;

        let before = self.values(&self.previous.0).await?;
        let both = [("1_first", first.as_str()), ("2_next", sql.as_str())];
        if let Err(error) = self.deploy(&both).await {
            if is_impossible(&forwards, &error) {
                tally.impossible += 1;
                return Ok(());
            }
            was_announced(&forwards, &error).map_err(|text| format!("{text}\n{sql}"))?;
            tally.refused += 1;
            self.empty().await?;
            self.deploy(&both).await.map_err(|error| format!("with empty tables: {error}\n{sql}"))?;
        } else {
            let after = self.values(&self.next.0).await?;
            let ends = [&self.previous.0, &self.next.0];
            tally.columns += compare(ends, [&before, &after], &forwards).map_err(|text| format!("{text}\n{sql}"))?;
        }
        self.ends_at(&expected, &self.next.1.clone()).await.map_err(|text| format!("{text}\n{sql}"))?;
        tally.impossible += usize::from(!self.down(&both, &start).await?);
        Ok(())
    }

    /// Back, with the rows that are there now; false if PostgreSQL cannot do that, as the plan said.
    async fn down(&mut self, both: &[(&str, &str)], start: &State) -> Result<bool, String> {
        let migrations = Migrations::from_static(both).map_err(|error| error.to_string())?;
        let ends = Pair { previous: &self.next.1, next: &self.previous.1 };
        let plan = reverse_plan(migrations.get("2_next"), ends, &Renames::none()).map_err(|error| error.to_string())?;
        let sql = render(&plan);
        let undo = Migrations::from_static(&[("2_next", &sql)]).map_err(|error| error.to_string())?;
        let before = self.values(&self.next.0).await?;
        let options = Options::default();
        if let Err(error) = migrate::down(self.client, &migrations, &undo, &options).await {
            if is_impossible(&plan, &error) {
                return Ok(false);
            }
            was_announced(&plan, &error).map_err(|text| format!("down: {text}\n{sql}"))?;
            self.empty().await?;
            let again = migrate::down(self.client, &migrations, &undo, &options).await;
            again.map_err(|error| format!("down, with empty tables: {error}\n{sql}"))?;
        } else {
            let after = self.values(&self.previous.0).await?;
            let ends = [&self.next.0, &self.previous.0];
            compare(ends, [&before, &after], &plan).map_err(|text| format!("down: {text}\n{sql}"))?;
        }
        let ended = self.ends_at(start, &self.previous.1.clone()).await;
        ended.map_err(|text| format!("down: {text}\n{sql}")).map(|()| true)
    }

    /// The schemas that both ends have.
    fn scope(&self) -> Scope {
        let named = || Scope::Named(SCHEMAS.map(str::to_owned).to_vec());
        if self.next.0.has_schemas { named() } else { Scope::Current }
    }

    async fn drop_all(&self) -> Result<(), String> {
        let schemas = SCHEMAS.map(ident).join(", ");
        self.sql(&format!("DROP SCHEMA IF EXISTS {schemas} CASCADE")).await
    }

    /// The schema of the connection, with nothing in it.
    async fn create_schema(&self) -> Result<(), String> {
        self.drop_all().await?;
        self.sql("CREATE SCHEMA migrated; SET search_path TO migrated").await
    }

    async fn ends_at(&mut self, expected: &State, schema: &Loaded) -> Result<(), String> {
        let mut schema = schema.clone();
        let loaded = read_for(self.client, &self.scope(), &mut schema).await.map_err(|error| error.to_string())?;
        let left =
            difference(Pair { previous: &loaded, next: &schema }, Renames::none()).map_err(|it| it.to_string())?;
        // A new attribute comes last, and a type that columns have is not created again.
        let left = summary(&left);
        if left.lines().any(|line| !line.starts_with("! order in composite type ")) {
            return Err(format!("left to do:\n{left}"));
        }
        let found = self.state().await?;
        let (found, expected) = (format!("{found:#?}"), format!("{expected:#?}"));
        let only =
            |a: &str, b: &str| a.lines().filter(|line| !b.lines().any(|it| it == *line)).collect::<Vec<_>>().join("\n");
        if found == expected {
            return Ok(());
        }
        Err(format!(
            "not like a new database\nextra:\n{}\nmissing:\n{}",
            only(&found, &expected),
            only(&expected, &found)
        ))
    }

    /// The database, but for the order of columns and what is the same for all schemas.
    async fn state(&mut self) -> Result<State, String> {
        let mut state = introspect(self.client, &self.scope()).await.map_err(|error| error.to_string())?;
        state.extensions.clear();
        // A migration drops no schema.
        state.schemas.clear();
        for table in &mut state.tables {
            table.columns.sort_by(|a, b| a.name.cmp(&b.name));
            table.used_by.sort();
        }
        state.others.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
        for other in &mut state.others {
            other.order = 0;
            other.uses.sort_by_key(|used| format!("{used:?}"));
        }
        Ok(state)
    }

    async fn deploy(&mut self, migrations: &[(&str, &str)]) -> Result<(), Error> {
        let migrations = Migrations::from_static(migrations)?;
        migrate::deploy(self.client, &migrations, &Options::default()).await.map(drop)
    }

    async fn empty(&self) -> Result<(), String> {
        let sql = "SELECT string_agg(format('%I.%I', schemaname, tablename), ', ') FROM pg_tables
                   WHERE schemaname <> ALL (ARRAY['pg_catalog', 'information_schema']) AND tablename <> '_relata_migrations'";
        let tables: Option<String> = self.client.query_one(sql, &[]).await.map_err(describe)?.get(0);
        match tables {
            Some(tables) => self.sql(&format!("TRUNCATE {tables}")).await,
            None => Ok(()),
        }
    }

    async fn sql(&self, sql: &str) -> Result<(), String> {
        self.client.batch_execute(sql).await.map_err(describe)
    }

    /// The values of every column, by the numbers of its model and field.
    async fn values(&self, sketch: &Sketch) -> Result<BTreeMap<(usize, usize), rows::Values>, String> {
        let mut values = BTreeMap::new();
        for model in &sketch.models {
            for field in &model.fields {
                let found = self.client.query(&rows::query(sketch, model, field), &[]).await.map_err(describe)?;
                values.insert((model.id, field.id), found.iter().map(|row| (row.get(0), row.get(1))).collect());
            }
        }
        Ok(values)
    }
}

fn describe(error: tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string)
}

fn from_empty(next: &Loaded) -> Result<String, String> {
    let changes =
        difference(Pair { previous: &Loaded::empty(), next }, Renames::none()).map_err(|it| it.to_string())?;
    Ok(render(&plan(changes, false)))
}

/// Whether PostgreSQL has no statement for a change of what columns use, and the plan said that it fails.
fn is_impossible(plan: &Plan, error: &Error) -> bool {
    let Error::Statement(statement) = error else { return false };
    let code = statement.source.code().map_or("", |code| code.code());
    ["2BP01", "0A000", "42P16"].contains(&code) && plan.hazards().any(|hazard| hazard.lint.code == "F208")
}

/// A statement may fail for the rows that are there, if the plan said so of rows of that kind.
fn was_announced(plan: &Plan, error: &Error) -> Result<(), String> {
    let Error::Statement(statement) = error else { return Err(error.to_string()) };
    let code = statement.source.code().map_or("", |code| code.code());
    let lints: &[&str] = match code {
        "23502" => &["F201", "F202", "F203"],
        "23505" => &["F203", "F209"],
        "23503" => &["F204"],
        "23514" => &["F202", "F205"],
        "23P01" => &["F211"],
        _ if code.starts_with("22") => &["D105", "D106", "D107"],
        _ => &[],
    };
    if plan.hazards().any(|hazard| lints.contains(&hazard.lint.code)) {
        return Ok(());
    }
    Err(format!("failed, and no word of it before: {error}"))
}

type ColumnValues = BTreeMap<(usize, usize), rows::Values>;

/// Every column that is on both sides has its values; gives their number.
fn compare(ends: [&Sketch; 2], values: [&ColumnValues; 2], plan: &Plan) -> Result<usize, String> {
    let mut compared = 0;
    let losses: Vec<&str> =
        plan.hazards().filter(|it| it.kind == HazardKind::DataLoss).map(|it| it.text.as_str()).collect();
    for model in &ends[0].models {
        let Some(now) = ends[1].model(model.id) else { continue };
        for field in &model.fields {
            let Some(after) = now.field(field.id) else { continue };
            let path = format!("{}.{} ", now.db, after.db);
            let key = format!("{}.{} ", now.db, now.fields[0].db);
            if losses.iter().any(|text| text.contains(&path) || text.contains(&key)) {
                continue;
            }
            let at = (model.id, field.id);
            let both = [&values[0][&at], &values[1][&at]];
            if let Some(problem) = rows::compare([(ends[0], field), (ends[1], after)], both) {
                let (table, column) = (ident(&now.db), ident(&after.db));
                return Err(format!("the values of {table}.{column} are not kept: {problem}"));
            }
            compared += 1;
        }
    }
    Ok(compared)
}
