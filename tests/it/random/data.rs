//! Random rows: few rows with few distinct values, so that conditions often match. Plain SQL inserts them.

use std::collections::BTreeMap;
use std::fmt::Write;

use relata::tokio_postgres::Client;
use relata::uuid::Uuid;

use super::value::{TEXTS, Value};
use super::world::{Link, Row, World};

/// Where the values of a column come from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Pool(Vec<Value>),
    /// 1, 2, 3 and so on.
    Serial,
    /// A new UUID for each row.
    Uuid,
    /// A prefix and a number that no other row has.
    Named(&'static str),
    /// The key of the row that the relation with this name references.
    Foreign(&'static str),
}

/// The texts of all pools. Their bytes differ.
const TEXTS_OF_POOLS: &[&str] =
    &["", "a", "A", "ab", "Ab", "aB", "b", "ba", "B", "%", "_", "a%", "a_b", "\\", "a\\b", "'q'", "\"", "\u{e9}", "zz"];

/// Texts of four characters.
pub(crate) const FIXED: &[&str] = &["abcd", "bcde", "ABCD"];

/// Texts for columns that are compared only for equality, if at all.
pub(crate) const NOT_ORDERED: &[&str] = &["10.0.0.1/32", "10.0.0.0/8", "101", "000", "<a/>"];

/// The last digit keeps names in the same order everywhere.
const NAMES: usize = 10;

pub(crate) fn texts() -> Vec<Value> {
    TEXTS_OF_POOLS.iter().map(|text| Value::Text((*text).to_owned())).collect()
}

pub(crate) fn short_texts() -> Vec<Value> {
    texts().into_iter().filter(|text| matches!(text, Value::Text(text) if text.chars().count() <= 3)).collect()
}

fn name(prefix: &str, number: usize) -> String {
    format!("{prefix}{number}")
}

/// Asks the database how it sorts the texts.
pub(crate) async fn learn_order_of_texts(connection: &Client) {
    let mut all: Vec<String> = TEXTS_OF_POOLS.iter().map(|text| (*text).to_owned()).collect();
    all.extend((0..NAMES).map(|number| name("p", number)));
    all.extend(FIXED.iter().chain(NOT_ORDERED).map(|text| (*text).to_owned()));
    let sql = "SELECT text FROM unnest($1::text[]) AS text ORDER BY text";
    let rows = connection.query(sql, &[&all]).await.expect("orders texts");
    let ranks: BTreeMap<String, usize> = rows.iter().enumerate().map(|(rank, row)| (row.get(0), rank)).collect();
    // All databases of a server are created with the same collation.
    TEXTS.get_or_init(|| ranks);
}

/// Fills a world with rows.
pub(crate) fn fill(world: &mut World, sources: &[Vec<Source>], rng: &mut fastrand::Rng) {
    for (model, sources) in sources.iter().enumerate() {
        for number in 0..rng.usize(0..=NAMES) {
            // The value of a unique key may already be taken. There is then one row less.
            let row = new_row(world, sources, model, number, rng);
            if !breaks_a_key(world, model, &row) {
                world.rows[model].push(row);
            }
        }
    }
    fill_tables_between(world, rng);
    fill_pools(world, sources, rng);
}

fn new_row(world: &World, sources: &[Source], model: usize, number: usize, rng: &mut fastrand::Rng) -> Row {
    let fields = &world.models[model].fields;
    let mut pointed_at: BTreeMap<&str, Option<&Row>> = BTreeMap::new();
    let mut row = Row::new();
    for (field, source) in fields.iter().zip(sources) {
        row.push(match source {
            _ if field.nullable && !matches!(source, Source::Foreign(_)) && rng.u8(..) < 70 => Value::Null,
            Source::Pool(pool) => rng.choice(pool).expect("has values").clone(),
            Source::Serial => Value::Int(i64::try_from(number).expect("is small") + 1),
            Source::Uuid => Value::Uuid(new_uuid(rng)),
            Source::Named(prefix) => Value::Text(name(prefix, number)),
            Source::Foreign(relation) => {
                let info = &world.models[model].relations[world.models[model].relation(relation)];
                let other = *pointed_at.entry(relation).or_insert_with(|| rng.choice(&world.rows[info.child]));
                let Link::Fields(ours, theirs) = &info.link else { panic!("{relation} has no key") };
                let place = ours.iter().position(|our| *our == row.len()).expect("is in the key");
                match other {
                    Some(other) if !(field.nullable && rng.u8(..) < 90) => other[theirs[place]].clone(),
                    _ => Value::Null,
                }
            }
        });
    }
    row
}

fn new_uuid(rng: &mut fastrand::Rng) -> Uuid {
    uuid_of(rng.u128(..))
}

fn uuid_of(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn breaks_a_key(world: &World, model: usize, row: &Row) -> bool {
    let info = &world.models[model];
    let missing = info.fields.iter().zip(row).any(|(field, value)| !field.nullable && value.is_null());
    let taken = |key: &Vec<usize>| {
        let same = |other: &Row| key.iter().all(|field| !row[*field].is_null() && other[*field] == row[*field]);
        world.rows[model].iter().any(same)
    };
    missing || info.keys.iter().any(taken)
}

fn fill_tables_between(world: &mut World, rng: &mut fastrand::Rng) {
    world.between.clear();
    for model in 0..world.models.len() {
        for relation in world.models[model].relations.clone() {
            let Link::Between(table, true) = relation.link else { continue };
            let keys = |model: usize| {
                let key = world.models[model].keys[0][0];
                world.rows[model].iter().map(move |row| row[key].clone()).collect::<Vec<_>>()
            };
            let (ours, theirs) = (keys(model), keys(relation.child));
            let pairs = ours.iter().flat_map(|our| theirs.iter().map(move |their| (our.clone(), their.clone())));
            let pairs = pairs.filter(|_| rng.u8(..) < 70).collect();
            world.between.push((table, pairs));
        }
    }
}

/// Collects the values that conditions compare a column with: those that it holds or may hold, and others.
fn fill_pools(world: &mut World, sources: &[Vec<Source>], rng: &mut fastrand::Rng) {
    for model in 0..world.models.len() {
        for (field, source) in sources[model].iter().enumerate() {
            let held = world.rows[model].iter().map(|row| row[field].clone()).filter(|value| !value.is_null());
            let mut pool: Vec<Value> = held.collect();
            match source {
                Source::Pool(known) => pool = known.clone(),
                Source::Serial => pool.push(Value::Int(77)),
                Source::Uuid => pool.push(Value::Uuid(new_uuid(rng))),
                Source::Named(prefix) => pool.push(Value::Text(name(prefix, NAMES - 1))),
                Source::Foreign(relation) => {
                    let info = &world.models[model];
                    let child = info.relations[info.relation(relation)].child;
                    let Link::Fields(ours, theirs) = &info.relations[info.relation(relation)].link else { continue };
                    let place = ours.iter().position(|our| *our == field).expect("is in the key");
                    pool.extend(world.rows[child].iter().map(|row| row[theirs[place]].clone()));
                    pool.push(match &sources[child][theirs[place]] {
                        Source::Uuid => Value::Uuid(uuid_of(7)),
                        Source::Named(prefix) => Value::Text(name(prefix, NAMES - 1)),
                        _ => Value::Int(77),
                    });
                }
            }
            world.models[model].fields[field].pool = pool;
        }
    }
}

/// Returns the SQL that makes a database contain exactly the world's rows. `tables` gives the names of the tables in
/// PostgreSQL.
pub(crate) fn insert(world: &World, tables: &[&'static relata::rt::Table]) -> String {
    let names: Vec<_> = tables.iter().map(|table| table.sql.to_owned()).collect();
    let mut sql = format!("TRUNCATE {} CASCADE;\n", names.join(", "));
    for (rows, table) in world.rows.iter().zip(tables) {
        for row in rows {
            let columns: Vec<_> = table.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
            let values: Vec<_> =
                row.iter().zip(table.columns).map(|(value, column)| value.literal(column.sql_type)).collect();
            writeln!(sql, "INSERT INTO {} ({}) VALUES ({});", table.sql, columns.join(", "), values.join(", "))
                .expect("a String takes everything");
        }
    }
    for (table, pairs) in &world.between {
        for (a, b) in pairs {
            let key = |value: &Value| match value {
                Value::Int(value) => value.to_string(),
                other => other.literal("text"),
            };
            writeln!(sql, "INSERT INTO {table} (\"A\", \"B\") VALUES ({}, {});", key(a), key(b))
                .expect("a String takes everything");
        }
    }
    sql
}
