//! Defaults of every type: what is pushed is what the database has, and what is pulled is what it had.

use std::fmt::Write as _;

use relata_devdb::Feature;

use crate::support::{Project, database, query, server};

/// A type, values as the language writes them, and expressions of `dbgenerated`.
const DEFAULTS: &[(&str, &[&str], &[&str])] = &[
    ("Int", &["0", "5", "-5", "2147483647"], &["1 + 1", "'7'", "7::smallint", "'7'::text::int", "length('ab')"]),
    ("Int @db.SmallInt", &["0", "-5"], &["'7'", "1 + 1"]),
    ("Int @db.Oid", &["0", "5"], &["'7'", "'pg_class'::regclass"]),
    ("BigInt", &["0", "-5", "9223372036854775807"], &["'7'", "5", "1 + 1"]),
    ("Float", &["0", "1.10", "-0.5", "100000000000000000000"], &["'1e3'", "1e3", "'NaN'", "'-Infinity'", "pi()"]),
    ("Float @db.Real", &["1.10", "-0.5"], &["'1e3'", "'NaN'"]),
    ("Decimal", &["0", "0.10", "12345678901234567890.123456789"], &["'1.50'", "'NaN'", "1.5 + 1"]),
    ("Decimal @db.Decimal(5, 2)", &["0.10", "1.005", "-7"], &["'1.5'", "1.005::numeric(5,2)"]),
    (
        "Decimal @db.Money",
        &["3.5", "3", "-3.25", "1234567.5"],
        &["'3.50'", "3.5", "'1234.5'", "'3'::money", "3.5::money", "-3.5", "'-3.5'"],
    ),
    (
        "String",
        &["\"x\"", "\"it's\"", "\"\"", "\"NULL\"", "\"a\\\\b\"", "\"a\\nb\"", "\"ä\"", "\"5\""],
        &["'x'", "'a' || 'b'", "lower('X')", "current_user", "'x'::varchar(1)"],
    ),
    ("String @db.VarChar(5)", &["\"x\"", "\"abc\""], &["'x'", "'abcdefgh'::varchar(5)", "upper('x')"]),
    ("String @db.Char(5)", &["\"A\"", "\"abcde\""], &["'A'", "'A  '"]),
    ("String @db.Char", &["\"A\""], &["'A'"]),
    (
        "String @db.Uuid",
        &["\"0F0E0D0C-0000-0000-0000-000000000000\""],
        &["gen_random_uuid()", "'0f0e0d0c-0000-0000-0000-000000000000'"],
    ),
    (
        "String @db.Inet",
        &["\"::1\"", "\"10.0.0.0/8\"", "\"10.0.0.1/32\""],
        &["'::1'", "'10.0.0.0/8'::cidr", "inet_client_addr()"],
    ),
    ("String @db.Bit(3)", &["\"101\""], &["B'101'", "'101'", "1::bit(3)", "X'5'::bit(3)"]),
    ("String @db.Bit", &["\"1\""], &["B'1'"]),
    ("String @db.VarBit(3)", &["\"1\"", "\"101\""], &["B'101'"]),
    ("String @db.VarBit", &["\"10101\""], &["B'101'"]),
    ("String @db.Xml", &["\"<a/>\""], &["'<a/>'", "xmlcomment('x')"]),
    ("Boolean", &["true", "false"], &["'t'", "'yes'", "1 > 0", "NOT true"]),
    (
        "Json",
        &["\"{\\\"b\\\":1,\\\"a\\\":2}\"", "\"[1.50, 1e2]\"", "\"null\"", "\"\\\"x\\\"\""],
        &["'{}'", "'[]'::jsonb", "jsonb_build_object('a', 1)", "'{\"a\": 1}'"],
    ),
    ("Json @db.Json", &["\"[1.50, 1e2]\"", "\"{\\\"a\\\": 1}\""], &["'{}'", "'{ }'::json"]),
    ("Bytes", &["\"AQID\"", "\"\""], &["'\\\\x0102'", "decode('AQ==', 'base64')", "'\\\\xAB'"]),
    (
        "DateTime",
        &["\"2020-01-02T03:04:05Z\"", "\"2020-01-02T03:04:05.678Z\""],
        &[
            "now()",
            "CURRENT_TIMESTAMP",
            "now() + interval '1 day'",
            "'2020-01-02'",
            "'infinity'",
            "timezone('utc', now())",
        ],
    ),
    (
        "DateTime @db.Timestamptz(3)",
        &["\"2020-01-02T03:04:05Z\"", "\"2020-01-01T00:30:00+02:00\""],
        &["now()", "'2020-01-02 00:00:00+02'", "'-infinity'", "clock_timestamp()"],
    ),
    ("DateTime @db.Timestamptz(6)", &["\"2020-01-01T00:00:00.123456Z\""], &["'2020-01-01 00:00:00.123456+00'"]),
    ("DateTime @db.Date", &["\"2020-01-02T00:00:00Z\""], &["CURRENT_DATE", "now()", "'2020-01-02'", "'infinity'"]),
    ("DateTime @db.Time(0)", &["\"1970-01-01T03:04:05Z\""], &["CURRENT_TIME", "'03:04:05'", "LOCALTIME"]),
    ("DateTime @db.Timetz(3)", &["\"1970-01-01T03:04:05Z\""], &["'03:04:05+02'"]),
    ("Mood", &["good", "bad"], &["'good'", "'so so'::mood", "'good'::text::mood"]),
];

/// Fields with each value, each value in a list, and each expression.
fn fields() -> Vec<String> {
    let mut fields = Vec::new();
    for (ty, values, expressions) in DEFAULTS {
        let (scalar, native) = ty.split_once(' ').unwrap_or((ty, ""));
        let mut field = |mark: &str, default: &str| {
            let name = format!("f{}", fields.len());
            fields.push(format!("{name} {scalar}{mark} @default({default}) {native}"));
        };
        values.iter().for_each(|value| field("", value));
        field("[]", "[]");
        field("[]", &format!("[{}]", values.join(", ")));
        for sql in *expressions {
            let sql = sql.replace('"', "\\\"");
            field("?", &format!("dbgenerated(\"{sql}\")"));
        }
        field("?", "dbgenerated(\"NULL\")");
        field("[]", "dbgenerated(\"'{}'\")");
    }
    fields
}

/// Each field alone says by itself what is wrong with it.
fn differing(project: &Project, url: &str) -> Vec<String> {
    let compare = ["migrate-diff", "--from-url", url, "--to-schema", "schema.dsl", "--summary", "--exit-code"];
    let output = project.run(&compare);
    assert!(output.code == 0 || output.code == 2, "{}", output.stderr);
    output.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn what_is_pushed_is_there_and_what_is_pulled_is_the_same() {
    if server().skips_without(&[Feature::Xml]) {
        return;
    }
    let (project, database) = (Project::new(), database("defaults"));
    // One that PostgreSQL refuses for a type is none to compare.
    let mood = "enum Mood {\n  good\n  bad\n  soSo @map(\"so so\")\n\n  @@map(\"mood\")\n}\n";
    let mut schema = format!("datasource db {{\n  provider = \"postgresql\"\n}}\n{mood}model T {{\n  id Int @id\n");
    for field in fields() {
        let _ = writeln!(schema, "  {field}");
    }
    schema += "}\n";
    project.write("schema.dsl", &schema);
    project.run(&["db", "push", "--url", database.url()]).exits(0);
    let none: Vec<String> = Vec::new();
    assert_eq!(differing(&project, database.url()), none);

    let pulled = Project::new();
    pulled.run(&["db", "pull", "--url", database.url()]).exits(0).hides("cannot express this");
    pulled.run(&["check"]).exits(0);
    assert_eq!(differing(&pulled, database.url()), none);
    let again = crate::support::database("defaults_again");
    pulled.run(&["db", "push", "--url", again.url()]).exits(0);
    let values = |database: &relata_devdb::TestDatabase| {
        query(database, "INSERT INTO \"T\" (id) VALUES (1)");
        let sql = "SELECT concat(e.key, ' ', e.value) FROM \"T\" AS t, jsonb_each_text(to_jsonb(t)) AS e ORDER BY 1";
        // What is another value each time is left out.
        let is_stable = |line: &String| !line.contains(&query(database, "SELECT CURRENT_DATE::text")[0]);
        query(database, sql).into_iter().filter(|line| is_stable(line)).collect::<Vec<_>>()
    };
    assert_eq!(values(&database).len(), values(&again).len());
}

/// Columns with defaults that somebody wrote by hand, of types that the language has and of others.
const BY_HAND: &[&str] = &[
    "oid DEFAULT 'pg_class'::regclass",
    "oid DEFAULT 'int4'::regtype",
    "varchar(5) DEFAULT 'abcdefgh'::varchar(5)",
    "varchar(5) DEFAULT 'abc'::char(5)",
    "char(5) DEFAULT 'abc'::varchar",
    "text DEFAULT 'abc'::char(5)",
    "text DEFAULT 'abcdefgh'::varchar(3)",
    "text DEFAULT '1'::integer",
    "text DEFAULT '2020-01-02'::date",
    "text DEFAULT 'pg_class'::regclass",
    "text DEFAULT E'a\\n\\t\\\\''b'",
    "text DEFAULT true",
    "numeric(5,2) DEFAULT '1.239'::numeric(5,1)",
    "numeric DEFAULT 5::numeric(9,4)",
    "numeric DEFAULT 'NaN'",
    "numeric DEFAULT -0.0",
    "float8 DEFAULT 1.1::real",
    "float8 DEFAULT 'Infinity'",
    "int DEFAULT '5'::text::int",
    "int DEFAULT 5.7",
    "int DEFAULT '7'::smallint",
    "bigint DEFAULT '-9223372036854775808'",
    "smallint DEFAULT '-5'::integer",
    "boolean DEFAULT 'off'",
    "boolean DEFAULT (1 = 1)",
    "money DEFAULT 3.5::numeric::money",
    "money DEFAULT '-1234.5'",
    "bit(3) DEFAULT 1::bit(3)",
    "bit(3) DEFAULT '101'::varbit",
    "varbit DEFAULT '101'::bit(3)",
    "date DEFAULT 'now'::text::date",
    "date DEFAULT '2020-01-02 03:04:05'::timestamp",
    "date DEFAULT '-infinity'",
    "date DEFAULT '0044-03-15 BC'",
    "timestamp DEFAULT '2020-01-02'::date",
    "timestamp DEFAULT 'infinity'",
    "timestamp(3) DEFAULT '2020-01-02 03:04:05.6789'::timestamp(1)",
    "timestamptz DEFAULT '2020-01-02 03:04:05+02'",
    "time DEFAULT '24:00'",
    "timetz DEFAULT '03:04:05+02'",
    "json DEFAULT '{\"a\":  1}'::jsonb",
    "jsonb DEFAULT '{\"b\":  1, \"a\": 2}'::json",
    "jsonb DEFAULT 'null'",
    "bytea DEFAULT 'abc'",
    "bytea DEFAULT '\\x'",
    "uuid DEFAULT '{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}'",
    "inet DEFAULT '10.0.0.0/8'::cidr::inet",
    "xml DEFAULT '<a>x</a>'",
    "mood DEFAULT 'bad'::text::mood",
    "int[] DEFAULT '{{1,2},{3,4}}'",
    "int[] DEFAULT '[2:3]={1,2}'",
    "text[] DEFAULT '{NULL,a,\"NULL\"}'",
    "text[] DEFAULT ARRAY['a', NULL]",
    "varchar(3)[] DEFAULT ARRAY['abcdef'::varchar(3)]",
    "money[] DEFAULT '{1.5,2}'",
    "timestamptz[] DEFAULT '{2020-01-02 03:04:05+02}'",
    "mood[] DEFAULT '{good,\"so so\"}'",
    "numeric(5,2)[] DEFAULT ARRAY[1.239]",
    "interval DEFAULT '1 day'",
    "\"char\" DEFAULT 'x'",
    "name DEFAULT 'x'",
    "int4range DEFAULT '[1,2)'",
    "point DEFAULT '(1,2)'",
    "regclass DEFAULT 'pg_class'",
];

#[test]
fn defaults_by_hand_are_pulled_with_what_they_are() {
    if server().skips_without(&[Feature::Xml]) {
        return;
    }
    let (project, database) = (Project::new(), database("by_hand"));
    let columns = BY_HAND.iter().enumerate().map(|(number, column)| format!(", f{number} {column}"));
    let sql = format!("CREATE TABLE t (id int PRIMARY KEY{})", columns.collect::<String>());
    query(&database, "CREATE TYPE mood AS ENUM ('good', 'bad', 'so so')");
    query(&database, &sql);
    project.run(&["db", "pull", "--url", database.url()]).exits(0);
    project.run(&["check"]).exits(0);
    let none: Vec<String> = Vec::new();
    assert_eq!(differing(&project, database.url()), none);
    // A database that is made of the schema gives the same values.
    let again = crate::support::database("by_hand_again");
    project.run(&["db", "push", "--url", again.url()]).exits(0);
    assert_eq!(differing(&project, again.url()), none);
    for side in [&database, &again] {
        query(side, "INSERT INTO t (id) VALUES (1)");
    }
    for (number, column) in BY_HAND.iter().enumerate() {
        let sql = format!("SELECT f{number}::text FROM t");
        assert_eq!(query(&database, &sql), query(&again, &sql), "{column}\n{}", project.read("schema.dsl"));
    }
}
