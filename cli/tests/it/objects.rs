//! Functions, procedures, triggers and policies of `sql/**/*.sql`: created, replaced, dropped, and created again around
//! changes of what they need, with what belongs to them.

mod order;

use relata_devdb::TestDatabase;

use crate::support::{Project, database, query};

const SCHEMA: &str = r#"datasource db {
  provider = "postgresql"
}

enum Level {
  LOW
  HIGH
}

model Player {
  id     Int    @id
  name   String
  points Int
  code   String @default(dbgenerated("next_code()"))
  level  Level  @default(LOW)
  rank   Int    @generated("rank_of(points)")

  @@index([raw("rank_of(points)")], map: "players_by_rank")
  @@map("players")
  @@check("rank_of(points) >= 0", map: "players_rank")
}

model Entry {
  id   Int    @id @default(autoincrement())
  text String

  @@map("log")
}

view Standing {
  id     Int @unique
  points Int

  @@map("standings")
  @@sql("SELECT id, points FROM players WHERE is_high(level)")
}
"#;

/// The files: a path and a text.
const FILES: &[(&str, &str)] = &[
    (
        "functions/next_code.sql",
        "-- The next code.\nCREATE FUNCTION next_code() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT 'c' || count(*) FROM players $$;\n",
    ),
    (
        "functions/rank_of.sql",
        "create or replace function rank_of(points int4) returns INT language sql immutable return points / 10",
    ),
    (
        "functions/is_high.sql",
        "CREATE FUNCTION is_high(level \"Level\") RETURNS bool LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT level = 'HIGH'; END;",
    ),
    (
        "functions/top.sql",
        "CREATE FUNCTION top(how_many integer DEFAULT 3, OUT id int, OUT points int) RETURNS SETOF record\nLANGUAGE sql STABLE BEGIN ATOMIC\n  SELECT p.id, p.points FROM players AS p ORDER BY p.points DESC LIMIT how_many;\nEND",
    ),
    ("reset.sql", "CREATE PROCEDURE reset(of int) LANGUAGE sql AS 'UPDATE players SET points = 0 WHERE id = of';"),
    (
        "log.sql",
        "CREATE FUNCTION log_points() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n  INSERT INTO log (text) VALUES (NEW.name || ' has ' || NEW.points);\n  RETURN NEW;\nEND $$;\n\nCREATE TRIGGER log_points AFTER INSERT OR UPDATE OF points ON players\n  FOR EACH ROW WHEN (NEW.points > 0) EXECUTE FUNCTION log_points();\n",
    ),
    (
        "policies/own.sql",
        "CREATE POLICY own ON players USING (name = current_user AND EXISTS (SELECT FROM log WHERE log.id = players.id));",
    ),
    (
        "standings.sql",
        "CREATE FUNCTION add_standing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO players (id, name, points, level) VALUES (NEW.id, ''new'', NEW.points, ''HIGH''); RETURN NEW; END';\nCREATE TRIGGER add_standing INSTEAD OF INSERT ON standings FOR EACH ROW EXECUTE FUNCTION add_standing();",
    ),
];

/// What no schema says of them.
const BELONGINGS: &str = "
    REVOKE ALL ON FUNCTION rank_of(int) FROM PUBLIC; COMMENT ON FUNCTION rank_of(int) IS 'it''s a rank';
    COMMENT ON TRIGGER log_points ON players IS 'logs'; COMMENT ON POLICY own ON players IS 'own rows';
    ALTER TABLE players ENABLE ALWAYS TRIGGER log_points;
    INSERT INTO players (id, name, points, level) VALUES (1, 'ada', 30, 'HIGH'), (2, 'bob', 0, 'LOW')";

const STATE: &str = "
    SELECT string_agg(line, E'\n' ORDER BY line) FROM (
      SELECT 'function ' || oid::regprocedure || ' ' || coalesce(proacl::text, 'public') || coalesce(obj_description(oid, 'pg_proc'), '') AS line FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      UNION ALL SELECT 'trigger ' || tgname || ' ' || tgenabled::text || coalesce(obj_description(oid, 'pg_trigger'), '') FROM pg_trigger WHERE NOT tgisinternal
      UNION ALL SELECT 'policy ' || polname || coalesce(obj_description(oid, 'pg_policy'), '') FROM pg_policy
      UNION ALL SELECT 'secured ' || relname || ' ' || relforcerowsecurity::text FROM pg_class WHERE relrowsecurity
      UNION ALL SELECT 'player ' || p::text FROM players AS p
      UNION ALL SELECT 'standing ' || s::text FROM standings AS s
      UNION ALL SELECT 'entry ' || text FROM log) AS lines";

fn state(database: &TestDatabase) -> String {
    query(database, STATE).join("\n")
}

fn write(project: &Project, schema: &str) {
    project.write("schema.dsl", schema);
    write_files(project);
}

fn write_files(project: &Project) {
    for (path, text) in FILES {
        project.write(&format!("sql/{path}"), text);
    }
}

/// A database with the migrations of a project.
fn database_with(project: &Project) -> TestDatabase {
    let database = database("drifted_object");
    project.deploy(&database).exits(0);
    database
}

/// The SQL of the last migration.
fn migration(project: &Project) -> String {
    let names = project.list("migrations").into_iter().filter(|name| name.starts_with("20"));
    project.read(&format!("migrations/{}/migration.sql", names.max().expect("there is one")))
}

fn dev(project: &Project, name: &str) -> String {
    project.run(&["migrate", "dev", "--create-only", "--name", name]).exits(0);
    migration(project)
}

#[test]
fn migrations_manage_functions_triggers_and_policies() {
    let (project, database) = (Project::new(), database("sql_objects"));
    write(&project, SCHEMA);
    dev(&project, "first");
    project.deploy(&database).exits(0);
    project.status(&database).exits(0).says("up to date");
    query(&database, BELONGINGS);
    project.status(&database).exits(0).says("up to date");
    let before = state(&database);
    for line in ["it's a rank", "log_points Alogs", "policy ownown rows", "secured players false", "entry ada has 30"] {
        assert!(before.contains(line), "{line} is not in\n{before}");
    }

    // Replaced where PostgreSQL can, with everything that belongs to them.
    let file = |path: &str| FILES.iter().find(|(known, _)| *known == path).expect("is there").1;
    let edit = |path: &str, from: &str, to: &str| {
        assert!(file(path).contains(from), "{path} has no {from}");
        project.write(&format!("sql/{path}"), file(path).replace(from, to));
    };
    edit("functions/next_code.sql", "'c'", "'d'");
    edit("log.sql", "NEW.points > 0", "NEW.points > 1");
    edit("policies/own.sql", "USING (", "FOR SELECT USING (true OR ");
    let sql = dev(&project, "replaced");
    for line in [
        "CREATE OR REPLACE FUNCTION next_code",
        "DROP TRIGGER \"log_points\" ON \"players\"",
        "DROP POLICY \"own\" ON \"players\"",
    ] {
        assert!(sql.contains(line), "{line} is not in\n{sql}");
    }
    assert!(!sql.contains("is_high") && !sql.contains("FUNCTION log_points() RETURNS"), "{sql}");
    project.deploy(&database).exits(0);
    project.status(&database).exits(0).says("up to date");
    assert_eq!(before, state(&database));

    // Another type of a column, and another signature: what needs it makes way.
    project.write("schema.dsl", SCHEMA.replace("name   String", "name   String @db.VarChar(50)"));
    edit("functions/next_code.sql", "RETURNS text", "RETURNS varchar");
    edit("functions/is_high.sql", "level \"Level\"", "it \"Level\"");
    project.write(
        "sql/functions/is_high.sql",
        "CREATE FUNCTION is_high(it \"Level\") RETURNS bool LANGUAGE sql IMMUTABLE RETURN it <> 'LOW';",
    );
    let sql = dev(&project, "anew");
    assert!(
        sql.contains("DROP POLICY") && sql.contains("DROP VIEW \"standings\"") && sql.contains("DROP DEFAULT"),
        "{sql}"
    );
    project.deploy(&database).exits(0);
    project.status(&database).exits(0).says("up to date");
    assert_eq!(before, state(&database));

    // What no file has any more is dropped by a migration.
    std::fs::remove_file(project.path("sql/reset.sql")).expect("removed");
    std::fs::remove_file(project.path("sql/policies/own.sql")).expect("removed");
    let sql = dev(&project, "fewer");
    assert!(sql.contains("DROP PROCEDURE \"reset\"(integer)") && sql.contains("DISABLE ROW LEVEL SECURITY"), "{sql}");
    project.deploy(&database).exits(0);
    project.status(&database).exits(0).says("up to date");

    // And back, with everything that belonged to it then.
    project.run(&["migrate", "verify"]).exits(0).hides("not undone");
    for _ in 0..3 {
        project.run(&["migrate", "down", "--allow-data-loss", "--url", database.url()]).exits(0).hides("not undone");
    }
    assert_eq!(before.replace("own rows", ""), state(&database));
}

#[test]
fn objects_are_pushed_around_what_a_hand_made() {
    let (project, database) = (Project::new(), database("pushed_objects"));
    let push = || project.run(&["db", "push", "--url", database.url()]);
    write(&project, SCHEMA);
    push()
        .exits(0)
        .says("+ function rank_of(integer)")
        .says("+ policy own on players")
        .says("+ trigger add_standing on standings");
    push().exits(0).says("already has the schema");
    query(&database, BELONGINGS);
    query(
        &database,
        "CREATE TRIGGER by_hand AFTER DELETE ON players FOR EACH ROW EXECUTE FUNCTION log_points();
         CREATE VIEW levels AS SELECT id FROM players WHERE is_high(level); GRANT SELECT ON levels TO PUBLIC;
         CREATE FUNCTION other() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    );
    push().exits(0).says("already has the schema");
    let before = state(&database);
    // The view that a hand made needs the function, too.
    project.write(
        "sql/functions/is_high.sql",
        "CREATE FUNCTION is_high(it \"Level\") RETURNS bool LANGUAGE sql IMMUTABLE RETURN it <> 'LOW';",
    );
    push().exits(0).says("function is_high(\"Level\") is created again").says("view levels is created again");
    push().exits(0).says("already has the schema");
    assert_eq!(before, state(&database));
    assert_eq!(
        query(&database, "SELECT concat(has_table_privilege('pg_monitor', 'levels', 'SELECT'), count(*)) FROM levels"),
        ["t1"]
    );
    // Other words of the same meaning.
    let same = "create or replace function public.rank_of(points integer)\n returns int4 language 'sql' immutable\n return (points) / 10";
    project.write("sql/functions/rank_of.sql", same.replace("public.", ""));
    push().exits(0).says("already has the schema");
    // What no file has any more stays in the database.
    std::fs::remove_file(project.path("sql/reset.sql")).expect("removed");
    std::fs::remove_file(project.path("sql/policies/own.sql")).expect("removed");
    push().exits(0).says("already has the schema");
    assert_eq!(before, state(&database));
    // A type under a policy and a trigger, online.
    project.write("schema.dsl", SCHEMA.replace("name   String", "name   String @db.VarChar(50)"));
    write_files(&project);
    push().exits(0);
    push().exits(0).says("already has the schema");
}

#[test]
fn drift_of_objects_is_found() {
    let (project, database) = (Project::new(), database("drifted_objects"));
    write(&project, SCHEMA);
    dev(&project, "first");
    project.deploy(&database).exits(0);
    for (statement, says) in [
        (
            "CREATE OR REPLACE FUNCTION next_code() RETURNS text LANGUAGE sql VOLATILE AS 'SELECT 1::text'",
            "function next_code()",
        ),
        ("ALTER FUNCTION next_code() STABLE", "function next_code()"),
        ("ALTER FUNCTION next_code() SECURITY DEFINER SET search_path = ''", "function next_code()"),
        ("DROP PROCEDURE reset(int)", "procedure reset(integer)"),
        (
            "CREATE OR REPLACE TRIGGER log_points AFTER INSERT ON players FOR EACH ROW WHEN (NEW.points > 0) EXECUTE FUNCTION log_points()",
            "trigger log_points on players",
        ),
        (
            "CREATE OR REPLACE TRIGGER log_points AFTER INSERT OR UPDATE OF points ON players FOR EACH ROW WHEN (NEW.points > 5) EXECUTE FUNCTION log_points()",
            "trigger log_points on players",
        ),
        ("DROP TRIGGER log_points ON players", "trigger log_points on players"),
        ("ALTER POLICY own ON players USING (true)", "policy own on players"),
        ("ALTER POLICY own ON players TO pg_monitor", "policy own on players"),
        ("DROP POLICY own ON players", "policy own on players"),
        ("ALTER TABLE players DISABLE ROW LEVEL SECURITY", "players"),
    ] {
        let mended = database_with(&project);
        query(&mended, statement);
        project.status(&mended).exits(3).says(says);
    }
    // Neither what PostgreSQL prints in the same way nor what no file speaks of is a difference.
    query(
        &database,
        "CREATE OR REPLACE FUNCTION rank_of(points integer) RETURNS integer IMMUTABLE LANGUAGE sql RETURN (points/10);
         ALTER TABLE players DISABLE TRIGGER log_points; COMMENT ON FUNCTION next_code() IS 'x';
         CREATE FUNCTION other() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE POLICY more ON players USING (true);
         CREATE OR REPLACE TRIGGER log_points AFTER UPDATE OF points OR INSERT ON public.players FOR EACH ROW WHEN (((NEW.points > 0))) EXECUTE PROCEDURE public.log_points()",
    );
    project.status(&database).exits(0).says("up to date");
}

/// Functions, triggers and policies are pulled into files, and pushed into another database from there.
#[test]
fn objects_are_pulled_into_files() {
    let (project, database, fresh) = (Project::new(), database("pulled_objects"), database("pulled_objects_fresh"));
    write(&project, SCHEMA);
    project.run(&["db", "push", "--url", database.url()]).exits(0);
    query(
        &database,
        "CREATE FUNCTION \"Odd name\"(\"a b\" text, VARIADIC \"Level\"[]) RETURNS text[] LANGUAGE plpgsql AS $a$ BEGIN RETURN ARRAY['$$', E'\\\\']; END $a$;
         CREATE FUNCTION rank_of(points bigint) RETURNS bigint LANGUAGE sql AS 'SELECT points';
         CREATE CONSTRAINT TRIGGER \"Later\" AFTER DELETE ON players DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION log_points();
         ALTER TABLE players DISABLE TRIGGER \"Later\";
         CREATE POLICY \"Log\" ON log AS RESTRICTIVE FOR SELECT TO pg_monitor USING (id > 0); ALTER TABLE log ENABLE ROW LEVEL SECURITY",
    );
    std::fs::remove_file(project.path("sql/reset.sql")).expect("removed");
    let pull = |more: &[&str]| project.run(&[&["db", "pull", "--url", database.url()], more].concat());
    pull(&[]).exits(0).says("Odd name").says("reset").hides("is_high").hides("add_standing").hides("own on");
    pull(&["--objects", "--check"]).exits(1);
    let mut pulled = pull(&["--objects"]).exits(0);
    for file in
        ["functions/Odd_name", "functions/rank_of_2", "procedures/reset", "triggers/players_Later", "policies/log_Log"]
    {
        pulled = pulled.says(&format!("sql/{file}.sql"));
        assert!(project.read(&format!("sql/{file}.sql")).starts_with("CREATE "), "{file}");
    }
    pulled.hides("Odd name").hides("is_high");
    pull(&["--objects", "--check"]).exits(0);
    project.run(&["db", "push", "--url", database.url()]).exits(0).says("already has the schema");
    project.run(&["db", "push", "--url", fresh.url()]).exits(0);
    let everything = "SELECT string_agg(text, E'\\n' ORDER BY text) FROM (
          SELECT pg_get_functiondef(oid) AS text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
          UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
          UNION ALL SELECT concat(polname, polcmd, polpermissive, polroles, pg_get_expr(polqual, polrelid)) FROM pg_policy
          UNION ALL SELECT relname FROM pg_class WHERE relrowsecurity) AS texts";
    assert_eq!(query(&database, everything), query(&fresh, everything));
    // Into nothing.
    let new = Project::new();
    new.run(&["db", "pull", "--url", database.url(), "--views", "--objects"]).exits(0).hides("cannot express");
    new.run(&["db", "push", "--url", database.url()]).exits(0).says("already has the schema");
    let sql = new.run(&["migrate", "dev", "--create-only", "--name", "first"]).exits(0);
    sql.says("+ policy \"Log\" on log");
    new.run(&["migrate", "verify"]).exits(0);
}

/// Objects of several schemas name their schemas.
#[test]
fn objects_have_schemas() {
    let (project, database) = (Project::new(), database("objects_in_schemas"));
    let schema = "datasource db {\n  provider = \"postgresql\"\n  schemas  = [\"shop\", \"audit\"]\n}\n
model Order {\n  id    Int @id\n  total Int @default(dbgenerated(\"shop.usual()\"))\n\n  @@schema(\"shop\")\n}\n
model Entry {\n  id Int @id\n\n  @@schema(\"audit\")\n}\n";
    project.write("schema.dsl", schema);
    project.write("sql/usual.sql", "CREATE FUNCTION shop.usual() RETURNS int LANGUAGE sql AS 'SELECT 7';");
    project.write(
        "sql/log.sql",
        "CREATE FUNCTION audit.log(o shop.\"Order\") RETURNS int LANGUAGE sql AS 'INSERT INTO audit.\"Entry\" VALUES (o.id) RETURNING id';
         CREATE FUNCTION audit.log() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM audit.log(NEW); RETURN NEW; END';
         CREATE TRIGGER log AFTER INSERT ON shop.\"Order\" FOR EACH ROW EXECUTE FUNCTION audit.log();
         CREATE POLICY positive ON shop.\"Order\" USING (total > 0);",
    );
    dev(&project, "first");
    project.deploy(&database).exits(0);
    project.status(&database).exits(0).says("up to date");
    query(&database, "INSERT INTO shop.\"Order\" (id) VALUES (1)");
    assert_eq!(query(&database, "SELECT total FROM shop.\"Order\", audit.\"Entry\" AS e WHERE e.id = 1"), ["7"]);
    project.write("schema.dsl", schema.replace("total Int", "total BigInt"));
    dev(&project, "wider");
    project.deploy(&database).exits(0);
    project.status(&database).exits(0).says("up to date");
    project.run(&["migrate", "verify"]).exits(0);
    project.run(&["db", "pull", "--objects", "--check", "--url", database.url()]).exits(0);
    // Online, the function and the trigger are not missed.
    project.write("schema.dsl", schema);
    project.run(&["migrate", "dev", "--create-only", "--name", "back", "--online"]).exits(0);
    project.deploy(&database).exits(0);
    project.status(&database).exits(0).says("up to date");
    project.write("sql/usual.sql", "CREATE FUNCTION usual() RETURNS int LANGUAGE sql AS 'SELECT 7';");
    project.run(&["check"]).exits(0).says("R1304").says("names no schema").says("sql/usual.sql:1:1");
}

const TYPES: &str = r#"datasource db {
  provider = "postgresql"
}

model Member {
  id      Int                      @id
  email   String                   @domain("email")
  backup  String?                  @domain("email")
  home    Unsupported("address")?
  number  Int                      @default(dbgenerated("nextval('member_numbers')"))

  @@map("members")
}
"#;

/// Domains, composite types and sequences come before the tables that use them, and change in place.
#[test]
fn types_and_sequences_are_managed() {
    let (project, database) = (Project::new(), database("managed_types"));
    project.write("schema.dsl", TYPES);
    project.write("sql/email.sql", "CREATE DOMAIN email AS varchar(100) DEFAULT 'none' || '@x' CHECK (VALUE LIKE '%@%') CONSTRAINT small CHECK (lower(VALUE) = VALUE);");
    project.write("sql/address.sql", "CREATE TYPE address AS (street text, zip character varying(5) COLLATE \"C\");\nCREATE FUNCTION zip_of(a address) RETURNS text LANGUAGE sql IMMUTABLE RETURN (a).zip;\nCREATE TYPE span AS (a int, b int);\nCREATE FUNCTION wide(s span) RETURNS bigint LANGUAGE sql RETURN (s).b - (s).a;");
    project.write("sql/numbers.sql", "CREATE SEQUENCE IF NOT EXISTS member_numbers AS integer START WITH 100;");
    let sql = dev(&project, "first");
    assert!(!sql.contains("F210"), "{sql}");
    project.deploy(&database).exits(0);
    project.status(&database).exits(0).says("up to date");
    query(&database, "INSERT INTO members (id, email, home) VALUES (1, 'a@x', ROW('Way 1', '04109'))");
    project.run(&["db", "push", "--url", database.url()]).exits(0).says("already has the schema");
    // Other words of the same meaning.
    project.write("sql/email.sql", "create domain email varchar (100) constraint small check (VALUE = lower(VALUE::text)) constraint email_check check ((value like '%@%')) default ('none' || '@x')");
    project.run(&["db", "push", "--url", database.url()]).exits(0).says("~ domain email").says("~");
    project.write(
        "sql/email.sql",
        "CREATE DOMAIN email AS varchar(100) NOT NULL DEFAULT 'n@x' CHECK (VALUE LIKE '%@%') CHECK (VALUE <> '');",
    );
    project.write("sql/address.sql", "CREATE TYPE address AS (street text, zip varchar(5) COLLATE \"C\", country char(2));\nCREATE FUNCTION zip_of(a address) RETURNS text LANGUAGE sql IMMUTABLE RETURN (a).zip;\nCREATE TYPE span AS (a int, b bigint);\nCREATE FUNCTION wide(s span) RETURNS bigint LANGUAGE sql RETURN (s).b - (s).a;");
    project
        .write("sql/numbers.sql", "CREATE SEQUENCE member_numbers AS integer START WITH 100 INCREMENT BY 10 CACHE 5;");
    project.write("schema.dsl", TYPES.replace("backup  String?                  @domain(\"email\")\n", ""));
    let sql = dev(&project, "second");
    for line in [
        "ALTER DOMAIN \"email\" DROP CONSTRAINT small",
        "ALTER DOMAIN \"email\" ADD CONSTRAINT email_check1 CHECK (VALUE <> '')",
        "ALTER DOMAIN \"email\" SET NOT NULL",
        "ALTER TYPE \"address\" ADD ATTRIBUTE country character(2) CASCADE",
        "ALTER TYPE \"span\" ALTER ATTRIBUTE b TYPE bigint CASCADE",
        "ALTER SEQUENCE \"member_numbers\" AS integer INCREMENT BY 10 MINVALUE 1 MAXVALUE 2147483647 START WITH 100 CACHE 5 NO CYCLE",
    ] {
        assert!(sql.contains(line), "{line} is not in\n{sql}");
    }
    query(
        &database,
        "ALTER DOMAIN email DROP CONSTRAINT small; ALTER DOMAIN email ADD CONSTRAINT small CHECK (lower(VALUE) = VALUE)",
    );
    project.deploy(&database).exits(0);
    project.status(&database).exits(0).says("up to date");
    assert_eq!(query(&database, "SELECT concat(email, home, number) FROM members"), ["a@x(\"Way 1\",04109,)100"]);
    // Drift.
    query(&database, "ALTER DOMAIN email DROP NOT NULL");
    project.status(&database).exits(3).says("~ domain email");
    query(&database, "ALTER DOMAIN email SET NOT NULL; ALTER SEQUENCE member_numbers CACHE 1");
    project.status(&database).exits(3).says("~ sequence member_numbers");
    query(&database, "ALTER SEQUENCE member_numbers CACHE 5");
    project.status(&database).exits(0).says("up to date");
    // Pulled into nothing.
    let new = Project::new();
    new.run(&["db", "pull", "--url", database.url(), "--objects"])
        .exits(0)
        .hides("cannot express")
        .says("sql/domains/email.sql")
        .says("sql/types/address.sql")
        .says("sql/sequences/member_numbers.sql");
    new.run(&["db", "push", "--url", database.url()]).exits(0).says("already has the schema");
    dev(&new, "first");
    new.run(&["migrate", "verify"]).exits(0);
    project.run(&["migrate", "verify"]).exits(0);
    project.run(&["migrate", "down", "--allow-data-loss", "--url", database.url()]).exits(0);
    project.run(&["migrate", "down", "--allow-data-loss", "--url", database.url()]).exits(0);
    assert_eq!(
        query(
            &database,
            "SELECT count(*) FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype IN ('c', 'd') AND typname NOT LIKE '_relata%'"
        ),
        ["0"]
    );
}

/// What PostgreSQL accepts, and what a hand has done besides, is not lost, exposed or reported forever.
#[test]
fn odd_objects_are_kept() {
    let project = Project::new();
    let database = database("odd_objects");
    query(&database, "DO $$ BEGIN CREATE ROLE odd_reader; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
    let schema = "datasource db {\n  provider = \"postgresql\"\n}\n
model Player {\n  id     Int    @id\n  name   String\n  points Int\n\n  @@map(\"players\")\n}\n
model Time {\n  id Int @id\n\n  @@map(\"time\")\n}\n
view Standing {\n  name   String @unique\n  points Int\n\n  @@map(\"standings\")\n  @@sql(\"SELECT name, points FROM players\")\n}\n";
    project.write("schema.dsl", schema);
    // A byte order mark, calls in defaults, functions that name each other's names, names of types in quotes.
    project
        .write("sql/a.sql", "\u{feff}CREATE FUNCTION aaa(x int DEFAULT zzz()) RETURNS int LANGUAGE sql AS 'SELECT x';");
    project.write(
        "sql/b.sql",
        "CREATE FUNCTION zzz() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE FUNCTION a1() RETURNS int RETURN (SELECT 1 AS b1);
         CREATE FUNCTION b1() RETURNS int RETURN (SELECT 1 AS a1); CREATE FUNCTION tt(\"time\") RETURNS int RETURN 1;
         CREATE FUNCTION o(\"char\") RETURNS int RETURN 1; CREATE FUNCTION o(char) RETURNS int RETURN 2;
         CREATE FUNCTION h(VARIADIC \"any\") RETURNS int LANGUAGE internal IMMUTABLE AS 'pg_num_nulls';
         CREATE FUNCTION points() RETURNS int RETURN 1; CREATE FUNCTION all_of(n int) RETURNS SETOF players BEGIN ATOMIC SELECT * FROM players WHERE points = n; END;",
    );
    project.write(
        "sql/c.sql",
        "CREATE FUNCTION a_execute() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE CONSTRAINT TRIGGER tr AFTER INSERT ON players FOR EACH ROW EXECUTE FUNCTION a_execute();
         CREATE FUNCTION can(p players) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT p.points > 0';
         CREATE POLICY whole ON players USING (can(players)); CREATE POLICY named ON players USING (public.players.points > 0 AND EXISTS (SELECT * FROM \"time\"));
         CREATE POLICY few ON players AS RESTRICTIVE USING (points > 5);
         CREATE FUNCTION dbl(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n * 2';
         CREATE FUNCTION sec(a int) RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT a';",
    );
    dev(&project, "first");
    project.run(&["migrate", "dev", "--create-only", "--name", "none"]).exits(0).says("equals the snapshot");
    project.deploy(&database).exits(0);
    project.status(&database).exits(0).says("up to date");
    project.run(&["migrate", "verify"]).exits(0);
    query(
        &database,
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO odd_reader; ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO odd_reader;
         REVOKE ALL ON FUNCTION sec(int) FROM PUBLIC; COMMENT ON FUNCTION sec(int) IS 'secret'; COMMENT ON TRIGGER tr ON players IS 'tr';
         COMMENT ON COLUMN standings.name IS 'name'; ALTER VIEW standings ALTER COLUMN name SET DEFAULT 'x'; COMMENT ON POLICY few ON players IS 'few';
         CREATE POLICY own ON players AS RESTRICTIVE USING (id > 0); ALTER TABLE players ADD CONSTRAINT own CHECK (dbl(id) > 0); INSERT INTO players VALUES (1, 'ada', 9)",
    );
    let belongings = "SELECT concat_ws(' ', (SELECT proacl FROM pg_proc WHERE proname = 'sec'), (SELECT obj_description(oid) FROM pg_proc WHERE proname = 'sec'),
        has_table_privilege('odd_reader', 'standings', 'SELECT'), (SELECT string_agg(description, ' ' ORDER BY description) FROM pg_description WHERE classoid IN ('pg_trigger'::regclass, 'pg_policy'::regclass)),
        (SELECT col_description('standings'::regclass, 1)), (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'standings'::regclass))";
    let before = query(&database, belongings);
    assert!(!before[0].contains("odd_reader"), "{before:?}");
    // Another argument, another type under the view, a new column under `*`, a renamed table.
    let wider = schema
        .replace(
            "  points Int\n\n  @@map(\"players\")",
            "  points BigInt\n  born   Int?\n\n  @@map(\"gamers\")\n  @@renamedFrom(\"players\")",
        )
        .replace("FROM players", "FROM gamers");
    project.write("schema.dsl", &wider);
    let edit = |file: &str, pairs: &[(&str, &str)]| {
        let text = project.read(file);
        project.write(file, pairs.iter().fold(text, |text, (from, to)| text.replace(from, to)));
    };
    edit("sql/c.sql", &[("players", "gamers"), ("sec(a int)", "sec(a int, b int DEFAULT 1)")]);
    edit("sql/b.sql", &[("players", "gamers")]);
    dev(&project, "second");
    project.deploy(&database).exits(0);
    project.status(&database).exits(0).says("up to date");
    assert_eq!(before, query(&database, belongings));
    assert_eq!(query(&database, "SELECT concat(id, name, points, born) FROM all_of(9)"), ["1ada9"]);
    // A constraint trigger becomes a plain one. A check that was added by hand is not dropped.
    edit(
        "sql/c.sql",
        &[("CREATE CONSTRAINT TRIGGER", "CREATE OR REPLACE TRIGGER"), ("dbl(n int)", "dbl(m int)"), ("n * 2", "m * 2")],
    );
    project.run(&["db", "push", "--url", database.url()]).exits(1).says("constraint own");
    edit("sql/c.sql", &[("dbl(m int)", "dbl(n int)"), ("m * 2", "n * 2")]);
    project.run(&["db", "push", "--url", database.url()]).exits(0);
    project.run(&["db", "push", "--url", database.url()]).exits(0).says("already has the schema");
    // The policies of the files go; that of the hand keeps its row security.
    let text = project.read("sql/c.sql");
    let without: Vec<&str> =
        text.split_inclusive(';').filter(|statement| !statement.contains("CREATE POLICY")).collect();
    project.write("sql/c.sql", without.concat());
    dev(&project, "third");
    project.deploy(&database).exits(0);
    assert_eq!(query(&database, "SELECT relrowsecurity::text FROM pg_class WHERE relname = 'gamers'"), ["true"]);
    // What cannot be read is an error that names the file.
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere.sql", project.path("sql/link.sql")).expect("a link");
        project.run(&["check"]).exits(1).says("sql/link.sql");
        std::fs::remove_file(project.path("sql/link.sql")).expect("removed");
    }
    project.write("sql/d.sql", "CREATE FUNCTION f(a gamers.id%TYPE) RETURNS int RETURN 1;");
    project.run(&["check"]).exits(1).says("%TYPE").says("sql/d.sql:1:1");
}

/// Without a restrictive policy, clients would see the rows that it hides, between the transactions of an online migration.
#[test]
fn restrictive_policies_hide_while_a_migration_runs_online() {
    let (project, database) = (Project::new(), database("restrictive"));
    let schema = "datasource db {\n  provider = \"postgresql\"\n}\n\nmodel Player {\n  id     Int @id\n  points Int\n\n  @@map(\"players\")\n}\n";
    project.write("schema.dsl", schema);
    project.write(
        "sql/policies.sql",
        "CREATE POLICY any_row ON players USING (true); CREATE POLICY few ON players AS RESTRICTIVE FOR SELECT USING (points > 5);",
    );
    dev(&project, "first");
    project.deploy(&database).exits(0);
    query(&database, "COMMENT ON POLICY few ON players IS 'few'; INSERT INTO players VALUES (1, 1), (2, 9)");
    project.write("schema.dsl", schema.replace("points Int", "points BigInt"));
    project.run(&["migrate", "dev", "--create-only", "--name", "wider", "--online"]).exits(0);
    let sql = migration(&project);
    assert!(sql.contains("ALTER POLICY \"few\" ON \"players\" USING (false);"), "{sql}");
    assert!(sql.contains("C408 policy few on players hides all rows until the migration ends"), "{sql}");
    project.deploy(&database).exits(0);
    project.status(&database).exits(0).says("up to date");
    assert_eq!(query(&database, "SELECT obj_description(oid) FROM pg_policy WHERE polname = 'few'"), ["few"]);
    project.run(&["migrate", "verify"]).exits(0);
}
