//! `migrate-diff` between two databases migrates every kind of object that `pg_dump` writes.

use std::process::Command;

use relata_devdb::{Feature, TestDatabase};

use crate::support::{Output, Project, database, query, server};

pub(crate) fn diff(project: &Project, from: &TestDatabase, to: &TestDatabase, more: &[&str]) -> Output {
    let ends = ["migrate-diff", "--from-url", from.url(), "--to-url", to.url(), "--accept-drops"];
    project.run(&[&ends, more].concat())
}

/// The dump of a database as PostgreSQL writes it, without owners; `None` if `pg_dump` is not installed. The migration
/// history is not part of it.
fn dump(database: &TestDatabase) -> Option<Vec<String>> {
    let dumped = Command::new("pg_dump").args(["-s", "-O", "-T", "_relata*", "-d", database.url()]).output().ok()?;
    if !dumped.status.success() {
        return None;
    }
    let text = String::from_utf8_lossy(&dumped.stdout).into_owned();
    let mut lines: Vec<String> = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("--") && !line.starts_with('\\'))
        .map(|line| line.trim_end_matches(',').to_owned())
        .collect();
    // Columns and statements may come in another order.
    lines.sort();
    Some(lines)
}

/// Migrates the first database to the second one, and lets PostgreSQL compare them.
fn migrate(project: &Project, name: &str, from: &TestDatabase, to: &TestDatabase, more: &[&str]) -> String {
    let sql = diff(project, from, to, more).exits(0).hides("does not migrate").hides("F208").stdout;
    project.migration(name, &sql).deploy(from).exits(0);
    let left = diff(project, from, to, &["--exit-code", "--summary"]);
    assert_eq!(left.exits(0).stdout, "", "after\n{sql}");
    if let (Some(is), Some(shall_be)) = (dump(from), dump(to)) {
        let missing: Vec<_> = shall_be.iter().filter(|line| !is.contains(line)).collect();
        let more: Vec<_> = is.iter().filter(|line| !shall_be.contains(line)).collect();
        assert!(is == shall_be, "{missing:#?} are missing, {more:#?} are too much after\n{sql}");
    }
    sql
}

/// Both ways, from copies of the two.
pub(crate) fn migrates_both_ways(name: &str, before: &str, after: &str, more: &[&str]) {
    let project = Project::new();
    let made = |side: &str, sql: &str| {
        let made = database(&format!("{name}_{side}"));
        query(&made, sql);
        made
    };
    let (old, new) = (made("old", before), made("new", after));
    migrate(&project, "1_there", &old, &new, more);
    let (old, new) = (made("back_old", before), made("back_new", after));
    migrate(&Project::new(), "1_back", &new, &old, more);
}

/// A kind of object: what both databases have, what only the first one has, and what only the second one has.
const KINDS: &[(&str, &str, &str)] = &[
    (
        "",
        "CREATE FUNCTION twice(a int) RETURNS int LANGUAGE sql AS 'SELECT a * 2'",
        "CREATE FUNCTION twice(a int) RETURNS int LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 7 AS 'SELECT a + a'",
    ),
    // Its result, and so its signature.
    (
        "",
        "CREATE FUNCTION size() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE FUNCTION size() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'",
    ),
    ("", "", "CREATE PROCEDURE tidy(INOUT n int) LANGUAGE plpgsql AS 'BEGIN n := 1; END'"),
    ("", "", "CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0')"),
    // Functions of which one calls the other.
    (
        "",
        "",
        "CREATE FUNCTION inner_part() RETURNS int LANGUAGE sql AS 'SELECT 1';
         CREATE FUNCTION above_it() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT inner_part(); END",
    ),
    (
        "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TABLE acted (a int, b int)",
        "CREATE TRIGGER first BEFORE INSERT ON acted FOR EACH ROW EXECUTE FUNCTION act(); CREATE TRIGGER off AFTER UPDATE ON acted EXECUTE FUNCTION act()",
        "CREATE TRIGGER first BEFORE INSERT OR UPDATE OF b ON acted FOR EACH ROW WHEN (NEW.a > 0) EXECUTE FUNCTION act('x');
         CREATE TRIGGER off AFTER UPDATE ON acted EXECUTE FUNCTION act(); ALTER TABLE acted DISABLE TRIGGER off;
         CREATE CONSTRAINT TRIGGER late AFTER INSERT ON acted DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION act();
         COMMENT ON TRIGGER late ON acted IS 'at the end'",
    ),
    (
        "CREATE TABLE ruled (a int)",
        "CREATE RULE r AS ON DELETE TO ruled DO INSTEAD NOTHING",
        "CREATE RULE r AS ON DELETE TO ruled WHERE old.a > 0 DO INSTEAD NOTHING; CREATE RULE s AS ON UPDATE TO ruled DO ALSO NOTHING",
    ),
    (
        "CREATE TABLE guarded (a int, b int)",
        "CREATE POLICY p ON guarded USING (a > 0); CREATE POLICY q ON guarded FOR UPDATE USING (a > 0); ALTER TABLE guarded FORCE ROW LEVEL SECURITY",
        "CREATE POLICY p ON guarded USING (a > 1); CREATE POLICY q ON guarded AS RESTRICTIVE FOR INSERT WITH CHECK (b > 0);
         ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; COMMENT ON POLICY p ON guarded IS 'more'",
    ),
    (
        "",
        "CREATE DOMAIN short AS text DEFAULT 'a' CHECK (length(VALUE) < 9)",
        "CREATE DOMAIN short AS text NOT NULL CHECK (length(VALUE) < 7); ALTER DOMAIN short ADD CONSTRAINT low CHECK (VALUE = lower(VALUE)) NOT VALID;
         COMMENT ON DOMAIN short IS 'a word'; COMMENT ON CONSTRAINT low ON DOMAIN short IS 'no capitals'",
    ),
    ("", "CREATE TYPE place AS (x int, y int)", "CREATE TYPE place AS (y bigint, z text); COMMENT ON COLUMN place.z IS 'height'"),
    ("", "CREATE TYPE spans AS RANGE (SUBTYPE = float4)", "CREATE TYPE spans AS RANGE (SUBTYPE = float8)"),
    ("", "", "CREATE TYPE nothing AS ENUM ()"),
    ("", "CREATE COLLATION plain (LOCALE = 'C')", "CREATE COLLATION plain (LOCALE = 'POSIX')"),
    (
        "",
        "CREATE TEXT SEARCH CONFIGURATION words (COPY = simple)",
        "CREATE TEXT SEARCH DICTIONARY english_words (TEMPLATE = snowball, LANGUAGE = 'english');
         CREATE TEXT SEARCH CONFIGURATION words (COPY = simple); ALTER TEXT SEARCH CONFIGURATION words DROP MAPPING FOR url;
         ALTER TEXT SEARCH CONFIGURATION words ALTER MAPPING FOR word WITH english_words, simple",
    ),
    (
        "CREATE FUNCTION same_point(point, point) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true'",
        "",
        "CREATE OPERATOR === (FUNCTION = same_point, LEFTARG = point, RIGHTARG = point, COMMUTATOR = ===)",
    ),
    (
        "CREATE FUNCTION to_count(point) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'",
        "",
        "CREATE CAST (point AS int) WITH FUNCTION to_count(point) AS ASSIGNMENT",
    ),
    (
        "CREATE FOREIGN DATA WRAPPER elsewhere",
        "CREATE SERVER far FOREIGN DATA WRAPPER elsewhere OPTIONS (host 'a', port '1')",
        "CREATE SERVER far FOREIGN DATA WRAPPER elsewhere OPTIONS (host 'b', name 'c');
         CREATE FOREIGN TABLE remote (a int NOT NULL, b text OPTIONS (name 'x') DEFAULT 'y') SERVER far OPTIONS (t 'u')",
    ),
    (
        "CREATE TABLE base (a int, b text)",
        "CREATE VIEW seen AS SELECT a FROM base; CREATE VIEW above AS SELECT a FROM seen",
        "CREATE VIEW seen WITH (security_barrier) AS SELECT a, b FROM base; CREATE VIEW above AS SELECT a FROM seen;
         ALTER VIEW seen ALTER a SET DEFAULT 5; COMMENT ON COLUMN seen.b IS 'b'",
    ),
    (
        "",
        "CREATE MATERIALIZED VIEW kept AS SELECT 1 AS a",
        "CREATE MATERIALIZED VIEW kept AS SELECT 2 AS a, 3 AS b; CREATE UNIQUE INDEX kept_a ON kept (a); CREATE STATISTICS kept_s ON a, b FROM kept",
    ),
    (
        "CREATE TABLE stored (a int PRIMARY KEY, b int NOT NULL UNIQUE)",
        "ALTER TABLE stored REPLICA IDENTITY FULL; ALTER TABLE stored CLUSTER ON stored_pkey",
        "ALTER TABLE stored REPLICA IDENTITY USING INDEX stored_b_key",
    ),
    ("CREATE TABLE elder (a int); CREATE TABLE heir (a int, b int)", "", "ALTER TABLE heir INHERIT elder"),
    // Schemas are made first, and dropped last.
    (
        "",
        "CREATE SCHEMA went; CREATE TABLE went.t (a int)",
        "CREATE SCHEMA \"Came\"; CREATE TYPE \"Came\".mood AS ENUM ('a'); CREATE TABLE \"Came\".t (a int PRIMARY KEY, m \"Came\".mood);
         CREATE FUNCTION \"Came\".f() RETURNS int LANGUAGE sql AS 'SELECT 1'; COMMENT ON SCHEMA \"Came\" IS 'new'",
    ),
    ("CREATE FUNCTION noted() RETURNS int LANGUAGE sql AS 'SELECT 1'", "COMMENT ON FUNCTION noted() IS 'a'", "COMMENT ON FUNCTION noted() IS 'it''s b'"),
];

#[test]
fn every_kind_of_object_is_migrated() {
    let joined = |side: fn(&(&'static str, &'static str, &'static str)) -> &'static str| {
        KINDS.iter().flat_map(|kind| [kind.0, side(kind)]).filter(|sql| !sql.is_empty()).collect::<Vec<_>>().join(";\n")
    };
    migrates_both_ways("kinds", &joined(|kind| kind.1), &joined(|kind| kind.2), &[]);
}

/// What needs an object that can only be dropped and created makes way, whatever part of the database it is.
#[test]
fn what_needs_a_function_makes_way_for_its_new_signature() {
    let sides = |result: &str, value: &str| {
        format!(
            "CREATE FUNCTION f(a int) RETURNS {result} LANGUAGE sql IMMUTABLE AS 'SELECT {value}';
             CREATE TABLE t (id int PRIMARY KEY, a int DEFAULT f(1)::int, b int, CONSTRAINT c CHECK (f(a)::int > 0));
             CREATE INDEX i ON t (f(b)); CREATE VIEW v AS SELECT id, f(a)::int AS x FROM t; CREATE VIEW w AS SELECT x FROM v;
             CREATE MATERIALIZED VIEW m AS SELECT f(1)::int AS x; CREATE INDEX m_x ON m (x); COMMENT ON VIEW w IS 'w';
             CREATE POLICY p ON t USING (f(a)::int > 0); CREATE FUNCTION g() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT f(1)::int; END"
        )
    };
    let (before, after) = (sides("int", "1"), sides("bigint", "1::bigint"));
    migrates_both_ways("signature", &before, &after, &[]);
}

/// Functions, policies and triggers over a column that changes, and functions over an enum that is replaced.
#[test]
fn what_needs_a_column_or_an_enum_makes_way() {
    let sides = |ty: &str, labels: &str| {
        format!(
            "CREATE TYPE mood AS ENUM ({labels}); CREATE TABLE t (id int PRIMARY KEY, a {ty}, m mood DEFAULT 'a');
             CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
             CREATE TRIGGER tr BEFORE UPDATE OF a ON t FOR EACH ROW EXECUTE FUNCTION act();
             CREATE POLICY p ON t USING (a IS NOT NULL); CREATE RULE r AS ON UPDATE TO t WHERE old.a IS NULL DO INSTEAD NOTHING;
             CREATE FUNCTION feel(mood) RETURNS mood LANGUAGE sql AS 'SELECT $1'; CREATE VIEW v AS SELECT a, feel(m) AS m FROM t"
        )
    };
    migrates_both_ways("column", &sides("text", "'a', 'b'"), &sides("varchar(9)", "'a', 'c'"), &[]);
}

#[test]
fn privileges_are_migrated() {
    if server().skips_without(&[Feature::Roles]) {
        return;
    }
    let roles = "DO $$ BEGIN CREATE ROLE reader; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$;
        DO $$ BEGIN CREATE ROLE keeper; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$;";
    let base = "CREATE TABLE t (a int, b int); CREATE VIEW v AS SELECT a FROM t; CREATE SEQUENCE s; CREATE SCHEMA other;
        CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE PROCEDURE p() LANGUAGE sql AS ''; CREATE DOMAIN d AS int;";
    let before = format!(
        "{roles} {base} GRANT SELECT ON t, v TO reader; GRANT UPDATE (a) ON t TO keeper; REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC;
         ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader"
    );
    let after = format!(
        "{roles} {base} GRANT SELECT, INSERT ON t TO reader; GRANT SELECT ON t TO keeper WITH GRANT OPTION; GRANT SELECT (a, b) ON t TO keeper;
         GRANT USAGE ON SEQUENCE s TO PUBLIC; GRANT USAGE ON SCHEMA other TO reader; GRANT EXECUTE ON FUNCTION f() TO reader;
         REVOKE ALL ON PROCEDURE p() FROM PUBLIC; REVOKE USAGE ON TYPE d FROM PUBLIC;
         ALTER DEFAULT PRIVILEGES IN SCHEMA other GRANT EXECUTE ON FUNCTIONS TO keeper; ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC"
    );
    migrates_both_ways("privileges", &before, &after, &[]);
}

#[test]
fn partitions_are_migrated() {
    let base = "CREATE TABLE whole (a int NOT NULL, b int, c text) PARTITION BY LIST (a);
        CREATE TABLE o (a int PRIMARY KEY);";
    let before = format!(
        "{base} CREATE TABLE one PARTITION OF whole FOR VALUES IN (1); CREATE TABLE two PARTITION OF whole FOR VALUES IN (2);
         CREATE TABLE apart (a int NOT NULL, b int, c text); CREATE INDEX one_local ON one (c)"
    );
    let after = format!(
        "{base} ALTER TABLE whole ADD d int DEFAULT 4; ALTER TABLE whole ALTER b SET NOT NULL;
         CREATE TABLE one PARTITION OF whole FOR VALUES IN (1, 11); CREATE TABLE three PARTITION OF whole FOR VALUES IN (3) PARTITION BY HASH (b);
         CREATE TABLE three_0 PARTITION OF three FOR VALUES WITH (MODULUS 1, REMAINDER 0);
         CREATE TABLE apart (a int NOT NULL, b int, c text);
         ALTER TABLE whole ADD PRIMARY KEY (a, b); CREATE INDEX whole_c ON whole (c); ALTER TABLE whole ADD FOREIGN KEY (a) REFERENCES o;
         CREATE INDEX three_local ON three (d); CREATE TABLE refers (a int, b int, FOREIGN KEY (a, b) REFERENCES whole)"
    );
    migrates_both_ways("partitions", &before, &after, &[]);
}

/// A table cannot become partitioned, so it is created again, with its sequence and what refers to it.
#[test]
fn a_table_that_becomes_partitioned_is_created_again() {
    let sides = |partition: &str, parts: &str| {
        format!(
            "CREATE TABLE t (id serial, a int, PRIMARY KEY (id)){partition}; {parts}
             CREATE TABLE f (id int REFERENCES t); CREATE VIEW v AS SELECT a FROM t; COMMENT ON TABLE t IS 't'"
        )
    };
    let after = sides(" PARTITION BY RANGE (id)", "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (9);");
    migrates_both_ways("partitioned", &sides("", ""), &after, &[]);
}

/// Extensions are created before what is in them, updated, and dropped.
#[test]
fn extensions_are_migrated() {
    let project = Project::new();
    let (old, new) = (database("extension_old"), database("extension_new"));
    if query(&new, "SELECT 1 FROM pg_available_extensions WHERE name = 'citext'").is_empty() {
        return relata_devdb::skip("there is no extension citext");
    }
    query(
        &new,
        "CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; CREATE FUNCTION f(ext.citext) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    );
    let empty = database("extension_empty");
    let sql = migrate(&project, "1_created", &old, &new, &[]);
    assert!(sql.contains("CREATE EXTENSION"), "{sql}");
    let sql = migrate(&Project::new(), "1_dropped", &new, &empty, &[]);
    assert!(sql.contains("DROP EXTENSION") && sql.contains("DROP SCHEMA"), "{sql}");
}

/// What has no statement is named, and counted by `--exit-code`.
#[test]
fn what_cannot_be_migrated_is_told() {
    let project = Project::new();
    let (old, new) = (database("told_old"), database("told_new"));
    query(
        &old,
        "CREATE TYPE place AS (a int, b int); CREATE TABLE t (p place); CREATE TABLE o (a int PRIMARY KEY); CREATE TABLE r (a int REFERENCES o)",
    );
    query(
        &new,
        "CREATE TYPE place AS (b int, a int); CREATE TABLE t (p place); CREATE TABLE o (a int PRIMARY KEY); CREATE TABLE r (a int REFERENCES o); ALTER TABLE r DISABLE TRIGGER ALL",
    );
    let words = diff(&project, &old, &new, &["--summary", "--exit-code"]).exits(2).stdout;
    assert!(words.contains("! order in composite type place differs, and is not migrated"), "{words}");
    assert!(words.contains("! triggers of constraint r_a_fkey on r is missing, and is not migrated"), "{words}");
    let sql = diff(&project, &old, &new, &[]).exits(0).says("not compared: roles and owners").stdout;
    assert!(sql.starts_with("-- Differences that this does not migrate:\n"), "{sql}");
    diff(&project, &old, &old, &["--exit-code"]).exits(0).says("no difference").says("not compared: roles and owners");
}

/// Also with rows, and without long locks.
#[test]
fn rows_stay_while_objects_are_migrated_online() {
    let project = Project::new();
    let (old, new) = (database("online_old"), database("online_new"));
    let sides = |ty: &str, body: &str| {
        format!(
            "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql IMMUTABLE AS '{body}';
             CREATE TABLE t (id int PRIMARY KEY, a {ty}, b int, CONSTRAINT c CHECK (f(b) > 0)); CREATE VIEW v AS SELECT a FROM t;
             CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
             CREATE TRIGGER tr BEFORE UPDATE OF a ON t FOR EACH ROW EXECUTE FUNCTION act();"
        )
    };
    query(
        &old,
        &format!("{} INSERT INTO t SELECT n, n::text, n FROM generate_series(1, 50) AS n", sides("text", "SELECT a")),
    );
    query(&new, &format!("{} CREATE INDEX i ON t (b)", sides("varchar(5)", "SELECT a + 1")));
    let sql = migrate(&project, "1_online", &old, &new, &["--online"]);
    assert!(sql.contains("CONCURRENTLY"), "{sql}");
    assert_eq!(query(&old, "SELECT concat(count(*), ' ', sum(b)) FROM t JOIN v ON v.a = t.a"), ["50 1275"]);
}
