//! The order in which objects and tables change.

use super::{database, dev, query};
use crate::support::Project;

const TABLES: &str = r#"datasource db {
  provider = "postgresql"
}

model Player {
  id   Int     @id
  name String
  rank Int?

  @@map("players")
}
"#;

/// A function without quotes has read its columns. It is created after one of them is dropped, even if its text still has
/// the name.
#[test]
fn functions_follow_columns_that_are_dropped() {
    let (project, database) = (Project::new(), database("functions_follow"));
    project.write("schema.dsl", TABLES);
    project.write(
        "sql/first.sql",
        "CREATE FUNCTION first() RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT f::text FROM (SELECT * FROM players) AS f; END;
         CREATE FUNCTION ranked(rank int) RETURNS int LANGUAGE sql RETURN (SELECT count(*) FROM players) + rank;",
    );
    dev(&project, "first");
    project.deploy(&database).exits(0);
    query(&database, "INSERT INTO players VALUES (1, 'ada', 3)");
    project.write("schema.dsl", TABLES.replace("  rank Int?\n", "  score String @default(\"7\")\n"));
    dev(&project, "dropped");
    project.deploy(&database).exits(0);
    assert_eq!(query(&database, "SELECT first() || ranked(2)"), ["(1,ada,7)3"]);
    project.status(&database).exits(0).says("up to date");
    project.run(&["migrate", "verify"]).exits(0).hides("not undone");
    project.run(&["migrate", "down", "--allow-data-loss", "--url", database.url()]).exits(0);
    project.write("schema.dsl", TABLES.replace("  rank Int?\n", ""));
    project.run(&["db", "push", "--accept-data-loss", "--url", database.url()]).exits(0);
    assert_eq!(query(&database, "SELECT first() || ranked(2)"), ["(1,ada)3"]);
    project.run(&["db", "push", "--url", database.url()]).exits(0).says("already has the schema");
}

/// A body that a hand made on Windows is the same in a file with other line ends.
#[test]
fn line_ends_of_bodies_do_not_count() {
    let (project, database, fresh) = (Project::new(), database("line_ends"), database("line_ends_fresh"));
    query(
        &database,
        "DO $do$ BEGIN EXECUTE replace($f$CREATE FUNCTION \"Lines\"() RETURNS int LANGUAGE plpgsql AS $$
          BEGIN
            RETURN 1;
          END $$$f$, E'\\n', E'\\r\\n'); END $do$",
    );
    project.run(&["db", "pull", "--objects", "--url", database.url()]).exits(0);
    project.run(&["db", "pull", "--objects", "--check", "--url", database.url()]).exits(0);
    project.run(&["db", "push", "--url", database.url()]).exits(0).says("already has the schema");
    project.run(&["db", "push", "--url", fresh.url()]).exits(0);
    project.run(&["db", "push", "--url", fresh.url()]).exits(0).says("already has the schema");
    dev(&project, "first");
    project.run(&["migrate", "dev", "--create-only", "--name", "again"]).exits(0).says("equals the snapshot");
}

/// The extensions that only functions and views need are pulled with them.
#[test]
fn extensions_of_objects_are_pulled() {
    let (project, database, fresh) = (Project::new(), database("needs_extension"), database("needs_extension_fresh"));
    query(
        &database,
        "CREATE EXTENSION pgcrypto; CREATE TABLE players (id int PRIMARY KEY, name text NOT NULL);
         CREATE FUNCTION token() RETURNS text LANGUAGE sql AS 'SELECT encode(gen_random_bytes(8), ''hex'')'",
    );
    project.run(&["db", "pull", "--url", database.url()]).exits(0);
    assert!(!project.read("schema.dsl").contains("pgcrypto"));
    project.run(&["db", "pull", "--force", "--objects", "--url", database.url()]).exits(0);
    assert!(project.read("schema.dsl").contains("pgcrypto"));
    project.run(&["db", "push", "--url", fresh.url()]).exits(0);
    assert_eq!(query(&fresh, "SELECT length(token())"), ["16"]);
}

/// A sequence that is missing is noticed and created.
#[test]
fn missing_sequences_are_created() {
    let (project, database) = (Project::new(), database("missing_sequence"));
    let number = "  number BigInt @default(dbgenerated(\"nextval('numbers')\"))\n";
    project.write("schema.dsl", TABLES.replace("  rank Int?\n", number));
    project.write("sql/numbers.sql", "CREATE SEQUENCE numbers START 7; CREATE SEQUENCE others;");
    let push = || project.run(&["db", "push", "--url", database.url()]).exits(0);
    push().says("+ sequence numbers").says("+ sequence others");
    push().says("already has the schema");
    query(&database, "DROP SEQUENCE others");
    push().says("+ sequence others");
    assert_eq!(query(&database, "SELECT nextval('numbers') + nextval('others')"), ["8"]);
    dev(&project, "first");
    project.run(&["migrate", "baseline", "--url", database.url()]).exits(0);
    query(&database, "DROP SEQUENCE others");
    project.status(&database).exits(3).says("sequence others");
}

/// Bodies are not checked when a function is created, since they may name what comes later, but at the end.
#[test]
fn bodies_that_fail_are_told() {
    let (project, database) = (Project::new(), database("failing_bodies"));
    project.write("schema.dsl", TABLES);
    project.write(
        "sql/bodies.sql",
        "CREATE FUNCTION late() RETURNS bigint LANGUAGE sql AS 'SELECT other() + count(*) FROM players';
         CREATE FUNCTION other() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
         CREATE FUNCTION misspelled() RETURNS int LANGUAGE sql AS 'SELEKT 1';
         CREATE FUNCTION \"No column\"(a int) RETURNS int LANGUAGE sql AS 'SELECT note FROM players';
         CREATE FUNCTION block() RETURNS int LANGUAGE plpgsql AS 'BEGN RETURN 1; END';",
    );
    dev(&project, "first");
    let deployed = project.deploy(&database).exits(0).hides("late()").hides("other()");
    deployed
        .says("warning: PostgreSQL says: the body of misspelled() fails: syntax error at or near \"SELEKT\"")
        .says("the body of \"No column\"(integer) fails: column \"note\" does not exist")
        .says("the body of block() fails");
    project.status(&database).exits(0).says("up to date");
    project.write("sql/bodies.sql", "CREATE FUNCTION misspelled() RETURNS int LANGUAGE sql AS 'SELEKT 2';");
    let push = project.run(&["db", "push", "--url", database.url()]).exits(0);
    push.says("~ function misspelled()").says("the body of misspelled() fails").hides("block()");
}

/// What a migration does to the parts of a type is undone with the type.
#[test]
fn parts_of_types_are_undone() {
    let (project, database) = (Project::new(), database("parts_of_types"));
    let price = "  rank Decimal @db.Decimal(10, 2) @domain(\"price\")\n";
    project.write("schema.dsl", TABLES.replace("  rank Int?\n", price));
    project.write("sql/price.sql", "CREATE DOMAIN price AS numeric(10, 2) CONSTRAINT small CHECK (VALUE < 100);");
    dev(&project, "first");
    project.write("sql/price.sql", "CREATE DOMAIN price AS numeric(10, 2) CONSTRAINT small CHECK (VALUE < 50);");
    dev(&project, "second");
    project.deploy(&database).exits(0);
    project.run(&["migrate", "verify"]).exits(0).hides("not undone");
    project.run(&["migrate", "down", "--url", database.url()]).exits(0).hides("not undone");
    query(&database, "INSERT INTO players VALUES (1, 'ada', 70)");
}

/// What is lost with an object is told.
#[test]
fn losses_of_objects_are_told() {
    let (project, database) = (Project::new(), database("losses_of_objects"));
    project.write("schema.dsl", TABLES.replace("  rank Int?\n", "  rank Unsupported(\"pair\")?\n"));
    project.write("sql/a.sql", "CREATE TYPE pair AS (a int, b int); CREATE SEQUENCE numbers;");
    dev(&project, "first");
    project.deploy(&database).exits(0);
    query(&database, "INSERT INTO players VALUES (1, 'ada', '(1,2)')");
    project.write("sql/a.sql", "CREATE TYPE pair AS (a int);");
    let asked = project.run(&["migrate", "dev", "--name", "second", "--url", database.url()]);
    asked.exits(3).says("an attribute of composite type pair is dropped, with its values in players (D103)");
    let sql = dev(&project, "second");
    assert!(sql.contains("D103 an attribute of composite type pair is dropped, with its values in players"), "{sql}");
    project.run(&["migrate", "lint"]).says("D109").says("sequence numbers is dropped");
}

/// A value of an enum is removed by a new type of its name. Composite types and functions that use the old one are created
/// again before it is dropped.
#[test]
fn types_and_functions_follow_an_enum_that_is_replaced() {
    let schema = |values: &str| format!("{TABLES}\nenum Mood {{\n{values}}}\n");
    let (project, database) = (Project::new(), database("enum_in_a_type"));
    project.write("schema.dsl", schema("  calm\n  glad\n  wild\n"));
    project.write("sql/state.sql", r#"CREATE TYPE state AS (mood "Mood", since date);"#);
    project.write(
        "sql/glad.sql",
        r#"CREATE FUNCTION glad(mood "Mood") RETURNS boolean LANGUAGE sql AS $$ SELECT mood = 'glad' $$;"#,
    );
    dev(&project, "first");
    project.deploy(&database).exits(0);
    project.write("schema.dsl", schema("  calm\n  glad\n"));
    dev(&project, "tame");
    project.deploy(&database).exits(0);
    let values = r#"SELECT string_agg(v::text, ' '), (ROW('glad', NULL)::state).mood::text, glad('glad')::text FROM unnest(enum_range(NULL::"Mood")) AS v"#;
    assert_eq!(query(&database, values).len(), 1);
    project.status(&database).exits(0).says("up to date");
    project.run(&["migrate", "down", "--allow-data-loss", "--url", database.url()]).exits(0);
    assert_eq!(query(&database, "SELECT glad('wild')::text"), ["false"]);
    project.status(&database).exits(2).says("tame");
}
