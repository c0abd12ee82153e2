//! Random queries against an independent oracle. They cover filters, orders, includes, pages, selections and aggregates
//! over the exam planner's six models and those of `tests/wide`. The oracle evaluates the same query over all rows in
//! memory.
//!
//! `writes` does the same for random writes, and compares the resulting tables.
//!
//! `RELATA_RANDOM_CASES` sets how many queries each of the tests runs, and `RELATA_RANDOM_SEED` which ones. A failure
//! prints both for the failing case. Its query is generated again and reduced.

mod check;
mod data;
mod describe;
mod fields;
mod generate;
mod oracle;
mod planner;
mod query;
mod shrink;
mod subject;
mod value;
mod wide;
mod world;
mod writes;

use std::fmt::Write;

use relata::rt::Table;

use self::data::Source;
use self::generate::Generator;
use self::query::{OrderKey, Query};
use self::subject::{Run, Subject, Tree};
use self::world::{Model, World};

/// The number of queries over the same rows, before new rows are generated.
const QUERIES_PER_WORLD: u64 = 25;

/// A model, without its type.
struct Entry<Db> {
    model: Model,
    sources: Vec<Source>,
    table: &'static Table,
    run: fn(Db, Query) -> Run<Vec<Tree>>,
}

fn entry<M: Subject>() -> Entry<M::Db> {
    let run =
        |db: M::Db, query: Query| -> Run<Vec<Tree>> { Box::pin(async move { subject::run::<M>(&db, &query).await }) };
    Entry { model: M::describe(), sources: M::sources(), table: M::table(), run }
}

#[tokio::test]
async fn random_queries_of_the_planner_agree_with_the_oracle() {
    use plain_planner::{ExamType, Institution, Session, Student, StudentExam, User};
    let fixture = crate::support::Fixture::new().await;
    let entries = vec![
        entry::<Institution>(),
        entry::<User>(),
        entry::<Session>(),
        entry::<Student>(),
        entry::<ExamType>(),
        entry::<StudentExam>(),
    ];
    compare_all("plain_planner", &fixture.db, fixture.database.url(), &entries).await;
}

#[tokio::test]
async fn random_queries_of_the_wide_schema_agree_with_the_oracle() {
    use crate::wide::client::{Comment, Group, Note, Person, Sample};
    let fixture = crate::wide::Fixture::new().await;
    let entries = vec![entry::<Person>(), entry::<Group>(), entry::<Note>(), entry::<Comment>(), entry::<Sample>()];
    compare_all("wide_schema", &fixture.db, fixture.url(), &entries).await;
}

fn number_from_env(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is a number")),
        Err(_) => default,
    }
}

async fn compare_all<Db: Clone>(name: &str, db: &Db, url: &str, entries: &[Entry<Db>]) {
    let seed = number_from_env("RELATA_RANDOM_SEED", 2026);
    let cases = number_from_env("RELATA_RANDOM_CASES", 150);
    let connection = crate::support::connect(url).await;
    data::learn_order_of_texts(&connection).await;
    let mut compared = 0;
    for round in 0.. {
        if compared >= cases {
            break;
        }
        // The first world comes from the seed itself, so that a single printed seed generates it again.
        let seed = seed.wrapping_add(round);
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut world = World::new(entries.iter().map(|entry| entry.model.clone()).collect());
        let sources: Vec<Vec<Source>> = entries.iter().map(|entry| entry.sources.clone()).collect();
        data::fill(&mut world, &sources, &mut rng);
        let tables: Vec<&'static Table> = entries.iter().map(|entry| entry.table).collect();
        let sql = data::insert(&world, &tables);
        connection.batch_execute(&sql).await.unwrap_or_else(|error| panic!("seed {seed}: {error}\n{sql}"));
        let mut generator = Generator { world: &world, rng };
        for case in 0..QUERIES_PER_WORLD.min(cases - compared) {
            let model = generator.rng.usize(..entries.len());
            let query = generator.query(model);
            if let Err(reason) = compare(db, entries, &world, model, &query).await {
                let again = format!("RELATA_RANDOM_SEED={seed} RELATA_RANDOM_CASES={} cargo test {name}", case + 1);
                panic!("{}", report(db, entries, &world, model, query, reason, &again).await);
            }
        }
        compared += QUERIES_PER_WORLD.min(cases - compared);
    }
    eprintln!("{name}: {compared} random queries from seed {seed} on agree with the oracle");
}

async fn compare<Db: Clone>(
    db: &Db,
    entries: &[Entry<Db>],
    world: &World,
    model: usize,
    query: &Query,
) -> Result<(), String> {
    let got = (entries[model].run)(db.clone(), query.clone()).await;
    if pages_show_a_sensitive_column(entries, world, model, query) {
        return match got {
            Err(relata::Error::Misuse(_)) => Ok(()),
            other => Err(format!("a token that shows a sensitive value is not refused: {other:?}")),
        };
    }
    check::check(world, model, query, &got.map_err(|error| format!("failed: {error}"))?)
}

/// Whether a page token of the query would contain the value of a `@sensitive` column; the client refuses such a query.
fn pages_show_a_sensitive_column<Db>(entries: &[Entry<Db>], world: &World, model: usize, query: &Query) -> bool {
    let (Query::Pages(_, rows) | Query::PagesBack(_, rows)) = query else { return false };
    rows.order.iter().any(|term| {
        let (mut model, mut key) = (model, &term.key);
        while let OrderKey::Related(relation, inner) = key {
            (model, key) = (world.models[model].relations[*relation].child, inner);
        }
        let OrderKey::Field(field) = key else { return false };
        let name = world.models[model].fields[*field].name;
        entries[model].table.columns.iter().any(|column| column.sensitive && column.name == name)
    })
}

/// Returns the query, reduced as far as it still fails, and both results.
async fn report<Db: Clone>(
    db: &Db,
    entries: &[Entry<Db>],
    world: &World,
    model: usize,
    mut query: Query,
    mut reason: String,
    again: &str,
) -> String {
    'smaller: loop {
        for smaller in shrink::smaller(&query) {
            if let Err(still) = compare(db, entries, world, model, &smaller).await {
                (query, reason) = (smaller, still);
                continue 'smaller;
            }
        }
        break;
    }
    let mut text = format!("again: {again}\nmodel: {}\nquery, made smaller: {query:#?}\n", world.models[model].name);
    for info in &world.models {
        let names =
            |names: Vec<&str>| names.into_iter().enumerate().map(|(i, name)| format!("{i} {name}")).collect::<Vec<_>>();
        let fields = names(info.fields.iter().map(|field| field.name).collect());
        let relations = names(info.relations.iter().map(|relation| relation.name).collect());
        writeln!(text, "{}: {}; {}", info.name, fields.join(", "), relations.join(", ")).expect("a String takes all");
    }
    for (info, rows) in world.models.iter().zip(&world.rows) {
        let rows: Vec<_> = rows.iter().map(|row| format!("  {row:?}")).collect();
        writeln!(text, "rows of {}:\n{}", info.name, rows.join("\n")).expect("a String takes all");
    }
    write!(text, "{reason}").expect("a String takes all");
    text
}
