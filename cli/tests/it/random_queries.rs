//! Random queries over a schema with nulls everywhere, and PostgreSQL as the judge.
//!
//! - What the compiler accepts is prepared: the types of all parameters and columns are those that PostgreSQL says.
//! - It is run over rows with nulls, and over empty tables: nothing is null that is typed never to be.
//! - What the compiler refuses and PostgreSQL accepts is counted by code and printed.
//! - What the compiler confines to a tenant reads nothing of another one, and changes nothing of it.
//!
//! `RELATA_QUERIES_CASES=10000` runs more cases, `RELATA_QUERIES_SEED=7` begins with another one, and is one if it
//! stands alone.

mod confined;
mod expression;
mod functions;
mod judge;
mod statement;
mod world;
mod written;

use std::collections::BTreeMap;

use self::judge::{Judge, Tally};
use self::statement::Cte;
use self::world::{Signature, signatures};
use crate::random::Random;

const CASES: u64 = 400;

/// What a statement is made with.
struct Generator {
    random: Random,
    signatures: Vec<Signature>,
    /// The types of the parameters, `$1` first.
    params: Vec<String>,
    ctes: Vec<Cte>,
    /// How many names were given.
    names: usize,
    /// How many more queries may stand inside.
    queries: usize,
    /// How deep expressions are.
    depth: usize,
    /// Whether some queries are grouped by a primary key, and have columns that it determines.
    by_keys: bool,
}

impl Generator {
    /// The statement of a seed.
    fn text(seed: u64) -> String {
        Self::statement_of(seed, false)
    }

    /// The statement of a seed, for tables whose rows belong to tenants.
    fn of_tenants(seed: u64) -> String {
        Self::statement_of(seed, true)
    }

    /// A statement of a seed that writes, for tables whose rows belong to tenants.
    fn writing(seed: u64) -> String {
        let mut generator = Self::new(seed, true);
        renumbered(&generator.writing_statement())
    }

    fn statement_of(seed: u64, by_keys: bool) -> String {
        let mut generator = Self::new(seed, by_keys);
        renumbered(&generator.statement())
    }

    fn new(seed: u64, by_keys: bool) -> Self {
        let mut random = Random::new(seed);
        let (queries, depth) = (random.below(4), 1 + random.below(3));
        let (params, ctes) = (Vec::new(), Vec::new());
        Self { random, signatures: signatures(), params, ctes, names: 0, queries, depth, by_keys }
    }
}

/// The same with parameters from `$1` on without a gap, in the order in which they first stand.
fn renumbered(sql: &str) -> String {
    let mut pieces = sql.split('$');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    for piece in pieces {
        let (number, rest) = piece.split_at(piece.find(|c: char| !c.is_ascii_digit()).unwrap_or(piece.len()));
        text.push('$');
        if !number.is_empty() {
            let next = numbers.len() + 1;
            text.push_str(&numbers.entry(number).or_insert(next).to_string());
        }
        text.push_str(rest);
    }
    text
}

/// Judges the statements of these seeds, on an empty database; none on a server before PostgreSQL 14.
async fn run(url: &str, seeds: std::ops::Range<u64>) -> Option<Tally> {
    let judge = Judge::new(url).await;
    if judge.version().await < 14 {
        return None;
    }
    let mut tally = Tally::default();
    for seed in seeds {
        judge.judge(seed, &Generator::text(seed), &mut tally).await;
    }
    Some(tally)
}

/// The seeds to try.
fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let (seed, cases) = (number("RELATA_QUERIES_SEED"), number("RELATA_QUERIES_CASES"));
    let cases = cases.unwrap_or(if seed.is_some() { 1 } else { CASES });
    let seed = seed.unwrap_or(0);
    seed..seed + cases
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("an async runtime").block_on(future)
}

#[test]
fn random_queries_are_what_postgresql_says() {
    let server = relata_devdb::DevDb::start().expect("a PostgreSQL");
    let database = server.create_database("queries").expect("a database");
    let cases = seeds().end - seeds().start;
    let Some(tally) = block_on(run(database.url(), seeds())) else {
        eprintln!("SKIPPED: random queries need PostgreSQL 14, since `extract` is a float8 before");
        return;
    };
    println!("{}", tally.report());
    assert!(tally.failures.is_empty(), "{}", tally.failures.join("\n\n"));
    assert!(cases < 100 || tally.agreed * 4 > tally.cases, "too few statements were compared: {}", tally.report());
    assert!(cases < 100 || tally.rows > tally.agreed, "too few rows came: {}", tally.report());
}

#[test]
fn random_queries_of_a_tenant_read_no_rows_of_another() {
    let server = relata_devdb::DevDb::start().expect("a PostgreSQL");
    let database = server.create_database("confined").expect("a database");
    let cases = seeds().end - seeds().start;
    let tally = block_on(confined::run(database.url(), seeds()));
    println!("{}", tally.report());
    assert!(tally.failures.is_empty(), "{}", tally.failures.join("\n\n"));
    let is_enough = tally.confined * 5 > cases as usize && tally.same > tally.ordered && tally.rows > tally.confined;
    assert!(cases < 100 || is_enough, "too little was compared: {}", tally.report());
}

#[test]
fn random_statements_of_a_tenant_change_no_rows_of_another() {
    let server = relata_devdb::DevDb::start().expect("a PostgreSQL");
    let database = server.create_database("written").expect("a database");
    let cases = seeds().end - seeds().start;
    let tally = block_on(written::run(database.url(), seeds()));
    println!("{}", tally.report());
    assert!(tally.failures.is_empty(), "{}", tally.failures.join("\n\n"));
    let is_enough =
        tally.confined * 5 > cases as usize * 2 && tally.same > 4 * tally.ordered && tally.changed * 4 > tally.same;
    assert!(cases < 100 || is_enough, "too little was compared: {}", tally.report());
}

#[test]
fn statements_written_by_hand_change_no_rows_of_another_tenant() {
    let server = relata_devdb::DevDb::start().expect("a PostgreSQL");
    let database = server.create_database("by_hand").expect("a database");
    let tally = block_on(written::run_by_hand(database.url()));
    println!("{}", tally.report());
    assert!(tally.failures.is_empty(), "{}", tally.failures.join("\n\n"));
}
