//! Every line of the compiler's `functions.txt` and `catalog.txt` beside PostgreSQL's catalog, and called.

use std::collections::BTreeSet;

use relata_devdb::{DevDb, Feature};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use super::world::{Signature, catalog, operators, signatures, values};

/// Functions, and the version of PostgreSQL that has them first.
const SINCE: &[(&str, u32)] = &[
    ("date_bin", 14),
    ("ltrim", 14),
    ("rtrim", 14),
    ("extract", 14),
    ("string_to_table", 14),
    ("trim_array", 14),
    ("bit_count", 14),
    ("bit_xor", 14),
    ("range_agg", 14),
    ("range_intersect_agg", 14),
    ("unnest", 14),
    ("multirange", 14),
    ("isempty", 14),
    ("lower", 14),
    ("upper", 14),
    ("lower_inc", 14),
    ("upper_inc", 14),
    ("lower_inf", 14),
    ("upper_inf", 14),
    ("range_merge", 14),
    ("datemultirange", 14),
    ("int4multirange", 14),
    ("int8multirange", 14),
    ("nummultirange", 14),
    ("tsmultirange", 14),
    ("tstzmultirange", 14),
    ("any_value", 16),
    ("regexp_count", 15),
    ("regexp_like", 15),
    ("regexp_substr", 15),
    ("regexp_replace", 15),
];

/// The version whose signatures are all known.
const COMPLETE: u32 = 15;

/// One row for each function of a name: its arguments as `functions.txt` writes them, and the rest of its signature.
const CATALOG: &str = "
    SELECT p.proname, p.prokind, p.proretset, p.pronargdefaults, coalesce(r.word, p.prorettype::regtype::text), coalesce(a.words, '')
    FROM pg_proc p
    CROSS JOIN LATERAL (SELECT CASE
        WHEN t.typname ~ '^any(compatible)?(element|nonarray|)$' AND t.typname <> 'any' THEN 'elem'
        WHEN t.typname = 'anyenum' THEN 'enum' WHEN t.typname ~ '^any(compatible)?array$' THEN 'list'
        WHEN t.typname ~ '^any(compatible)?range$' THEN 'range'
        WHEN t.typname ~ '^any(compatible)?multirange$' THEN 'multirange'
        WHEN t.typcategory = 'A' THEN (SELECT e.typname || '[]' FROM pg_type e WHERE e.oid = t.typelem)
        ELSE t.typname END AS word FROM pg_type t WHERE t.oid = p.prorettype) r
    LEFT JOIN LATERAL (SELECT string_agg(CASE
        WHEN t.typname ~ '^any(compatible)?(element|nonarray|)$' AND t.typname <> 'any' THEN 'elem'
        WHEN t.typname = 'anyenum' THEN 'enum' WHEN t.typname ~ '^any(compatible)?array$' THEN 'list'
        WHEN t.typname ~ '^any(compatible)?range$' THEN 'range'
        WHEN t.typname ~ '^any(compatible)?multirange$' THEN 'multirange'
        WHEN t.typcategory = 'A' THEN (SELECT e.typname || '[]' FROM pg_type e WHERE e.oid = t.typelem)
        ELSE t.typname END, ', ' ORDER BY u.at) AS words
        FROM unnest(p.proargtypes) WITH ORDINALITY u (ty, at) JOIN pg_type t ON t.oid = u.ty) a ON true
    WHERE p.pronamespace IN ('pg_catalog'::regnamespace, 'public'::regnamespace)";

/// Whether a call is null: `null`, `value`, or `error`.
const ATTEMPT: &str = "
    CREATE FUNCTION attempt(call text) RETURNS text LANGUAGE plpgsql AS $$
    DECLARE is_null boolean;
    BEGIN EXECUTE call INTO is_null; RETURN CASE WHEN is_null THEN 'null' WHEN is_null IS NULL THEN 'none' ELSE 'value' END;
    EXCEPTION WHEN OTHERS THEN RETURN 'error'; END $$";

/// A function of PostgreSQL.
struct Known {
    name: String,
    kind: String,
    is_set: bool,
    defaults: usize,
    result: String,
    args: Vec<String>,
}

async fn rows(client: &Client, sql: &str) -> Vec<Vec<String>> {
    let messages = client.simple_query(sql).await.expect(sql);
    let rows = messages.into_iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).map(|at| row.get(at).unwrap_or_default().to_owned()).collect())
        }
        _ => None,
    });
    rows.collect()
}

async fn known(client: &Client) -> Vec<Known> {
    let read = |row: Vec<String>| {
        let [name, kind, is_set, defaults, result, args] = <[String; 6]>::try_from(row).expect("six columns");
        let args = args.split(", ").filter(|arg| !arg.is_empty()).map(str::to_owned).collect();
        Known { name, kind, is_set: is_set == "t", defaults: defaults.parse().expect("a number"), result, args }
    };
    rows(client, CATALOG).await.into_iter().map(read).collect()
}

impl Known {
    fn is(&self, line: &Signature) -> bool {
        let few = self.args.len().saturating_sub(self.defaults);
        let given = line.args.len();
        // A json or a row is what `other` means beside `elem`.
        let same = |(known, wanted): (&String, &&str)| known == wanted || *wanted == "list" && known == "elem";
        self.name == line.name
            && (few..=self.args.len()).contains(&given)
            && self.args.iter().zip(&line.args).all(|(known, wanted)| match line.variadic {
                true => known == wanted || known.trim_end_matches("[]") == *wanted,
                false => same((known, wanted)),
            })
    }
}

/// The result as the catalog has it, for a line of columns or of `other`.
fn gives(line: &Signature, known: &Known) -> bool {
    match line.result {
        _ if line.columns.len() > 1 => known.result == "record",
        "elem" => known.result == "elem" || line.args == ["enum"] && known.result == "enum",
        result => known.result == result,
    }
}

fn is_of_kind(line: &Signature, known: &Known) -> bool {
    let kind = match line.kind {
        "aggregate" => "a",
        "window" => "w",
        _ => "f",
    };
    known.kind == kind && known.is_set == (line.kind == "set")
}

fn shown(line: &Signature) -> String {
    format!("{}({}) {}", line.name, line.args.join(", "), line.result)
}

#[test]
fn functions_are_those_of_postgresql() {
    let server = DevDb::start().expect("a PostgreSQL");
    if server.skips_without(&[Feature::Extensions]) {
        return;
    }
    let database = server.create_database("functions").expect("a database");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("an async runtime");
    let wrong = runtime.block_on(compare(database.url()));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the lines say and PostgreSQL does not.
async fn compare(url: &str) -> Vec<String> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client.batch_execute("CREATE EXTENSION IF NOT EXISTS citext; CREATE TYPE mood AS ENUM ('HAPPY', 'so sad'); CREATE SEQUENCE node_id_seq; SELECT nextval('node_id_seq'); SET timezone = 'UTC'").await.expect("is set up");
    client.batch_execute(ATTEMPT).await.expect("the function is made");
    let version = rows(&client, "SELECT current_setting('server_version_num')::int / 10000").await;
    let version: u32 = version[0][0].parse().expect("a number");
    let known = known(&client).await;
    let lines: Vec<Signature> = signatures().into_iter().chain(catalog()).collect();
    let mut wrong = Vec::new();
    for line in lines.iter().filter(|line| !line.args.contains(&"other")) {
        let Some(found) = known.iter().find(|known| known.is(line) && is_of_kind(line, known)) else {
            match SINCE.iter().find(|(name, since)| *name == line.name && *since > version) {
                Some((name, since)) => eprintln!("SKIPPED: {name} needs PostgreSQL {since}, and this is {version}"),
                None => wrong.push(format!("PostgreSQL has no {} {}", line.kind, shown(line))),
            }
            continue;
        };
        if !gives(line, found) {
            wrong.push(format!("{} gives {}", shown(line), found.result));
        }
        wrong.extend(nulls(&client, line).await);
    }
    wrong.extend(missing(&known, &lines, version));
    wrong
}

/// Signatures with types that are known, of a name that is known: PostgreSQL chooses among all of them.
fn missing(known: &[Known], lines: &[Signature], version: u32) -> Vec<String> {
    let types: BTreeSet<&str> = lines.iter().flat_map(|line| &line.args).copied().collect();
    let is_missing = |known: &&Known| {
        lines.iter().any(|line| line.name == known.name)
            && known.args.iter().all(|arg| types.contains(arg.as_str()))
            && !lines.iter().any(|line| known.is(line))
            && !matches!(known.kind.as_str(), "p")
            // Hypothetical ranks, which are not windows.
            && !(known.kind == "a" && lines.iter().any(|line| line.name == known.name && line.kind == "window"))
    };
    let missing = known.iter().filter(is_missing);
    let missing: Vec<String> =
        missing.map(|known| format!("{}({}) is not known", known.name, known.args.join(", "))).collect();
    if version > COMPLETE {
        missing.iter().for_each(|missing| eprintln!("SKIPPED: {missing}, of PostgreSQL {version}"));
        return Vec::new();
    }
    missing
}

/// Calls that are null though the line says that they are not.
async fn nulls(client: &Client, line: &Signature) -> Option<String> {
    // What gives nothing is not null, and may wait for ever.
    if line.kind == "window" || line.mark == "?" || line.result == "void" {
        return None;
    }
    let mut calls: Vec<Vec<String>> = vec![Vec::new()];
    for (at, slot) in line.args.iter().enumerate() {
        let ty = type_of(slot);
        let is_format = line.mark == "2" && at == 1;
        let values = values(ty).iter().filter(|value| !(is_format && value.is_empty()));
        let mut values: Vec<String> = values.take(4).map(|value| format!("'{value}'::{ty}")).collect();
        if line.mark == "!" && line.kind == "plain" && *slot != "bool" {
            values.push(format!("NULL::{ty}"));
        }
        calls = calls
            .into_iter()
            .flat_map(|call| values.iter().map(move |value| [call.clone(), vec![value.clone()]].concat()))
            .take(200)
            .collect();
    }
    for mut call in calls {
        let within = match line.within {
            true => format!(" WITHIN GROUP (ORDER BY {})", call.pop().unwrap_or_default()),
            false => String::new(),
        };
        let args = match (line.name, call.as_slice()) {
            ("extract", [_, of]) => format!("day FROM {of}"),
            ("position", [b, a]) => format!("{a} IN {b}"),
            ("count", []) => "*".to_owned(),
            _ => call.join(", "),
        };
        let text = format!("{}({args}){within}", line.name);
        let sql = match line.kind {
            "set" => format!("SELECT bool_or(f IS NULL) FROM {text} AS f"),
            _ => format!("SELECT {text} IS NULL"),
        };
        let outcome = rows(client, &format!("SELECT attempt($call${sql}$call$)")).await;
        if outcome[0][0] == "null" {
            return Some(format!("{text} is null, and {} says never", shown(line)));
        }
    }
    None
}

/// Returns the type of the values for an argument.
fn type_of(slot: &str) -> &'static str {
    match slot {
        "elem" | "any" => "text",
        "list" => "text[]",
        "enum" => "mood",
        "range" => "int4range",
        "multirange" => "int4multirange",
        other => TYPES.iter().find(|known| **known == other).copied().unwrap_or("text"),
    }
}

/// No operator is null for values that are not, unless its line says so.
#[test]
fn operators_are_null_only_where_the_list_says_so() {
    let server = DevDb::start().expect("a PostgreSQL");
    let database = server.create_database("operators").expect("a database");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("an async runtime");
    let (wrong, called) = runtime.block_on(called_operators(database.url()));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(called > 500, "only {called} calls had a result");
}

/// The calls of operators that are null without a mark, and the number of those that are not.
async fn called_operators(url: &str) -> (Vec<String>, usize) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client.batch_execute(ATTEMPT).await.expect("the function is made");
    let (mut wrong, mut called) = (Vec::new(), 0);
    for line in operators().iter().filter(|line| line.mark != "?") {
        let operator = line.name.trim_start_matches("operator ");
        let of = |slot: &&str| {
            let ty = type_of(slot);
            values(ty).iter().take(4).map(|value| format!("'{value}'::{ty}")).collect::<Vec<_>>()
        };
        let all: Vec<Vec<String>> = line.args.iter().map(of).collect();
        let calls: Vec<String> = match all.as_slice() {
            [only] => only.iter().map(|value| format!("{operator} {value}")).collect(),
            [left, right] => {
                left.iter().flat_map(|a| right.iter().map(move |b| format!("{a} {operator} {b}"))).collect()
            }
            _ => Vec::new(),
        };
        let attempts: Vec<String> =
            calls.iter().map(|call| format!("attempt($call$SELECT ({call}) IS NULL$call$)")).collect();
        let outcomes = rows(&client, &format!("SELECT {}", attempts.join(", "))).await;
        called += outcomes[0].iter().filter(|outcome| *outcome == "value").count();
        let null = calls.iter().zip(&outcomes[0]).find(|(_, outcome)| *outcome == "null");
        wrong.extend(null.map(|(call, _)| format!("{call} is null, and {} says never", shown(line))));
    }
    (wrong, called)
}

/// The types that there are values of.
const TYPES: &[&str] = &[
    "bool",
    "int2",
    "int4",
    "int8",
    "oid",
    "float4",
    "float8",
    "numeric",
    "money",
    "text",
    "bpchar",
    "name",
    "inet",
    "bit",
    "uuid",
    "bytea",
    "timestamp",
    "timestamptz",
    "time",
    "timetz",
    "date",
    "interval",
    "json",
    "jsonb",
    "tsvector",
    "tsquery",
    "jsonpath",
    "regclass",
    "regconfig",
    "text[]",
    "int4[]",
    "float4[]",
    "float8[]",
    "citext",
    "varbit",
    "cidr",
    "macaddr",
    "macaddr8",
    "point",
    "line",
    "lseg",
    "box",
    "path",
    "polygon",
    "circle",
    "int4range",
    "numrange",
    "daterange",
    "int4multirange",
];
