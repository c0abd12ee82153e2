//! Type changes under a unique key: where PostgreSQL finds rows that became equal, the plan said so.

use std::fmt::Write as _;

use relata_codegen::sql::{DiffOptions, Pair, Plan, diff, plan, plan_online};
use relata_devdb::{DevDb, Feature};

use crate::migrate::{End, from_empty};
use crate::postgres::Database;

/// Types, and values that differ as little as they can, as SQL.
const TYPES: &[(&str, &[&str])] = &[
    ("Int @db.SmallInt", &["0", "1", "2"]),
    ("Int", &["1", "16777216", "16777217"]),
    ("BigInt", &["1", "9007199254740992", "9007199254740993"]),
    ("Int @db.Oid", &["1", "2"]),
    ("Decimal", &["0.3", "0.30000000000000000000000001", "0.4"]),
    ("Decimal @db.Decimal(10, 3)", &["1.234", "1.235", "1.23"]),
    ("Decimal @db.Money", &["1.01", "1.02", "2"]),
    ("Float @db.Real", &["0.1", "0.10000001", "16777216", "16777218"]),
    ("Float", &["0.3", "0.30000000000000004", "0.1", "0.100000001"]),
    ("String", &["'a'", "'A'", "'a '", "'1'", "'01'", "'1.1'", "'t'", "'true'"]),
    ("String @db.VarChar(9)", &["'a'", "'A'", "'a '", "'1'", "'01'", "'1.1'", "'1.2'"]),
    ("String @db.VarChar(1)", &["'a'", "'A'", "'1'", "' '"]),
    ("String @db.Char(9)", &["'a'", "'A'", "'b'", "'1'", "'01'"]),
    ("String @db.Citext", &["'a'", "'a '", "'1'", "'01'"]),
    ("String @db.Inet", &["'10.0.0.1'", "'10.0.0.1/8'"]),
    ("String @db.Uuid", &["'00000000-0000-0000-0000-00000000000a'", "'00000000-0000-0000-0000-00000000000b'"]),
    ("String @db.Bit(3)", &["B'001'", "B'011'"]),
    ("String @db.Bit(2)", &["B'01'", "B'11'"]),
    ("String @db.VarBit(5)", &["B'1'", "B'10'", "B'011'", "B'01'"]),
    ("Bytes", &["'a'", "'A'", "'a '"]),
    (
        "DateTime @db.Timestamp(6)",
        &["'2026-01-01 10:00:00.0001'", "'2026-01-01 10:00:00.0002'", "'2026-01-02 10:00:00'"],
    ),
    ("DateTime @db.Timestamp(0)", &["'2026-01-01 10:00:00'", "'2026-01-01 10:00:01'"]),
    (
        "DateTime @db.Timestamptz(6)",
        &["'2026-01-01 10:00:00.0001Z'", "'2026-01-01 10:00:00.0002Z'", "'2026-01-02 10:00:00Z'"],
    ),
    ("DateTime @db.Time(6)", &["'10:00:00.0001'", "'10:00:00.0002'"]),
    ("DateTime @db.Timetz(6)", &["'10:00:00.0001Z'", "'10:00:00.0002Z'", "'11:00:00.0001+01'"]),
    ("DateTime @db.Date", &["'2026-01-01'", "'2026-01-02'"]),
    ("Boolean", &["true", "false"]),
    ("Json", &["'\"a\"'", "'\"A\"'", "'1'", "'\"1\"'"]),
    ("Kind", &["'a'", "'A'", "'a '"]),
    ("String[]", &["ARRAY['a', 'b']", "ARRAY['a']", "ARRAY['1', '2']", "ARRAY['1', '02']"]),
    ("Int[]", &["ARRAY[1]", "ARRAY[1, 2]"]),
    ("Float[]", &["ARRAY[1.1]", "ARRAY[1.2]"]),
    ("String[] @db.VarChar(2)", &["ARRAY['a']", "ARRAY['ab']"]),
];

fn schema(ty: &str) -> End {
    let attributes = if ty.contains("[]") { "" } else { "?" };
    let (name, native) = ty.split_once(' ').unwrap_or((ty, ""));
    End::of(&format!(
        "datasource db {{\n  provider = \"postgresql\"\n  extensions = [citext]\n}}\n\
         enum Kind {{\n  A @map(\"a\")\n  B @map(\"A\")\n  C @map(\"a \")\n}}\n\
         model T {{\n  id Int @id\n  v {name}{attributes} @unique {native}\n}}\n"
    ))
}

fn changed(previous: &End, next: &End, plan: fn(Vec<relata_codegen::sql::Change>) -> Plan) -> Plan {
    let changes = diff(Pair { previous: previous.side(), next: next.side() }, &DiffOptions::default());
    plan(changes.unwrap_or_else(|error| panic!("{error}")))
}

fn says(plan: &Plan) -> bool {
    plan.hazards().any(|hazard| hazard.lint.code == "F209")
}

/// Runs the statements for each pair of values, and says at which PostgreSQL found a duplicate.
fn pairs(values: &[&str], alter: &str) -> String {
    let mut sql = "DO $test$\nDECLARE found text := '';\nBEGIN\n".to_owned();
    for (at, one) in values.iter().enumerate() {
        for other in &values[at + 1..] {
            let _ = write!(
                sql,
                "BEGIN\n  INSERT INTO \"T\" VALUES (1, {one}), (2, {other});\n  {alter};\n  RAISE SQLSTATE 'ZZ001';\n\
                 EXCEPTION WHEN unique_violation THEN found := found || {};\n  WHEN OTHERS THEN NULL;\nEND;\n",
                relata_codegen::sql::quote::literal(&format!(" {one}, {other};"))
            );
        }
    }
    sql + "PERFORM set_config('test.found', found, false);\nEND\n$test$;\nSELECT current_setting('test.found')"
}

#[test]
fn a_plan_says_where_values_may_become_equal() {
    let server = DevDb::start().expect("there is a PostgreSQL");
    // Citext.
    if server.skips_without(&[Feature::Extensions]) {
        return;
    }
    let database = Database::create(&server);
    let ends: Vec<(&str, End, &[&str])> = TYPES.iter().map(|(ty, values)| (*ty, schema(ty), *values)).collect();
    let (mut checked, mut told, mut found_by_server) = (0, 0, 0);
    for (from, previous, values) in &ends {
        database.run("DROP TABLE IF EXISTS \"T\"; DROP TYPE IF EXISTS \"Kind\"").expect("is empty");
        database.migrate(&from_empty(previous)).expect("the previous schema can be made");
        for (to, next, _) in ends.iter().filter(|(to, ..)| to != from) {
            let (usual, online) = (changed(previous, next, plan), changed(previous, next, plan_online));
            assert_eq!(says(&usual), says(&online), "{from} to {to}");
            let alter: Vec<String> = usual.steps.iter().map(relata_codegen::sql::Step::sql).collect();
            let found = database.run(&pairs(values, &alter.join(";\n  "))).expect("the block runs");
            let found = found.trim();
            assert!(found.is_empty() || says(&usual), "{from} to {to} makes equal, and no word of it:{found}");
            checked += 1;
            told += usize::from(says(&usual));
            found_by_server += usize::from(!found.is_empty());
        }
    }
    println!("{checked} type changes, {told} of them told, {found_by_server} of them with duplicates");
    assert!(found_by_server > 60, "so few duplicates prove nothing: {found_by_server}");
    assert!(checked - told > 200, "a word for everything is none: {told} of {checked}");
}

#[test]
fn a_change_that_keeps_values_apart_says_nothing() {
    let quiet = [
        ("Int", "BigInt"),
        ("Int @db.SmallInt", "Int"),
        ("Int", "Decimal"),
        ("Int", "String"),
        ("String @db.Uuid", "String"),
        ("String", "String @db.VarChar"),
        ("String @db.VarChar(3)", "String @db.VarChar(9)"),
        ("Float @db.Real", "Float"),
        ("Kind", "String"),
        ("String", "Kind"),
        ("DateTime @db.Timestamp(3)", "DateTime @db.Timestamptz(3)"),
        ("DateTime @db.Date", "DateTime @db.Timestamp(3)"),
        ("Decimal @db.Decimal(10, 2)", "Decimal @db.Decimal(12, 2)"),
        ("Boolean", "Int"),
    ];
    for (from, to) in quiet {
        assert!(!says(&changed(&schema(from), &schema(to), plan)), "{from} to {to}");
    }
}
