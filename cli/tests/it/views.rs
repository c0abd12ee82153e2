//! Views that a schema manages: created, replaced, and created again around changes of what they read, with what belongs
//! to them.

use relata_devdb::TestDatabase;

use crate::support::{Project, database, query};

const SCHEMA: &str = r#"datasource db {
  provider = "postgresql"
}

model Player {
  id     Int    @id
  name   String
  points Int

  @@map("players")
}

view Standing {
  id     Int    @unique
  name   String
  points Int

  @@map("standings")
  @@sql("""
    SELECT id, name, points
    FROM players -- all of them
    WHERE points > 0
  """)
}

view Best {
  name   String @unique
  points Int

  @@map("best")
  @@with("security_barrier=true")
  @@sql("SELECT name, max(points) AS points FROM standings GROUP BY name")
}

view Total {
  points Int    @unique
  names  String

  @@index([names(sort: Desc)], map: "totals_by_names")
  @@map("totals")
  @@materialized
  @@sql("SELECT points, string_agg(name, ',' ORDER BY name) AS names FROM players GROUP BY points")
}
"#;

/// What no schema says of the views.
const BELONGINGS: &str = "
    GRANT SELECT ON standings TO PUBLIC; GRANT SELECT (name) ON best TO PUBLIC; GRANT SELECT ON totals TO PUBLIC;
    COMMENT ON VIEW standings IS 'it''s the list'; COMMENT ON MATERIALIZED VIEW totals IS 'sums';
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER noted INSTEAD OF INSERT ON standings FOR EACH ROW EXECUTE FUNCTION note();
    CREATE RULE ignored AS ON DELETE TO standings DO INSTEAD NOTHING;
    CREATE INDEX by_hand ON totals (lower(names));
    INSERT INTO players VALUES (1, 'ada', 3), (2, 'bob', 0), (3, 'eve', 3); REFRESH MATERIALIZED VIEW totals";

/// What belongs to the views, and their rows.
const STATE: &str = "
    SELECT string_agg(line, E'\n' ORDER BY line) FROM (
      SELECT c.relname || ' may be read by ' || (SELECT string_agg(grantee::text || privilege_type, ',') FROM aclexplode(c.relacl) WHERE grantee = 0)
        AS line FROM pg_class AS c WHERE relkind IN ('v', 'm') AND relacl IS NOT NULL AND relnamespace = 'public'::regnamespace
      UNION ALL SELECT relname || '.' || attname || a.attacl::text FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = attrelid WHERE attacl IS NOT NULL AND relkind = 'v' AND relnamespace = 'public'::regnamespace
      UNION ALL SELECT obj_description(oid, 'pg_class') FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace
      UNION ALL SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal
      UNION ALL SELECT rulename::text FROM pg_rewrite WHERE rulename <> '_RETURN' AND ev_class = 'standings'::regclass
      UNION ALL SELECT 'index ' || indexname FROM pg_indexes WHERE tablename = 'totals'
      UNION ALL SELECT 'standing ' || s::text FROM standings AS s
      UNION ALL SELECT 'total ' || t::text FROM totals AS t) AS lines";

fn state(database: &TestDatabase) -> String {
    query(database, STATE).join("\n")
}

fn wider(schema: &str) -> String {
    schema.replace("  points Int\n\n  @@map(\"players\")", "  points BigInt\n\n  @@map(\"players\")")
}

#[test]
fn migrations_create_views_again_with_what_belongs_to_them() {
    let (project, database) = (Project::new(), database("views"));
    project.write("schema.dsl", SCHEMA);
    project.run(&["fmt", "--check"]).exits(0);
    project.run(&["migrate", "dev", "--create-only", "--name", "first"]).exits(0);
    project.deploy(&database).exits(0);
    project.status(&database).exits(0).says("up to date");
    query(&database, BELONGINGS);
    project.status(&database).exits(0).says("up to date");
    let before = state(&database);
    for line in ["it's the list", "noted", "ignored", "index by_hand", "standing (3,eve,3)", "total (3,\"ada,eve\")"] {
        assert!(before.contains(line), "{line} is not in\n{before}");
    }
    project.write("schema.dsl", wider(SCHEMA));
    project.run(&["migrate", "dev", "--create-only", "--name", "wider"]).exits(0).says("view best is created again");
    project.deploy(&database).exits(0);
    project.status(&database).exits(0).says("up to date");
    assert_eq!(before, state(&database));
    assert_eq!(query(&database, "SELECT pg_typeof(points)::text FROM standings LIMIT 1"), ["bigint"]);
    // Another text of the same meaning is no difference for the database, and a replaced view keeps everything.
    project.write("schema.dsl", wider(SCHEMA).replace("WHERE points > 0", "WHERE 0 < points AND name <> ''"));
    project
        .run(&["migrate", "dev", "--create-only", "--name", "filtered"])
        .exits(0)
        .says("~ view standings")
        .hides("again");
    assert!(migration(&project).contains("CREATE OR REPLACE VIEW"));
    project.deploy(&database).exits(0);
    assert_eq!(before, state(&database));
    project.run(&["migrate", "verify"]).exits(0).hides("not undone");
    // Down to the first one.
    for _ in 0..2 {
        project.run(&["migrate", "down", "--allow-data-loss", "--url", database.url()]).exits(0);
    }
    assert_eq!(query(&database, "SELECT pg_typeof(points)::text FROM standings LIMIT 1"), ["integer"]);
    assert_eq!(before, state(&database));
}

/// The SQL of the last migration.
fn migration(project: &Project) -> String {
    let names = project.list("migrations").into_iter().filter(|name| name.starts_with("20"));
    project.read(&format!("migrations/{}/migration.sql", names.max().expect("there is one")))
}

#[test]
fn views_are_pushed_around_what_a_hand_made() {
    let (project, database) = (Project::new(), database("pushed_views"));
    let push = |schema: &str| {
        project.write("schema.dsl", schema);
        project.run(&["db", "push", "--url", database.url()])
    };
    push(SCHEMA).exits(0).says("+ view standings").says("+ materialized view totals");
    push(SCHEMA).exits(0).says("already has the schema");
    query(&database, BELONGINGS);
    query(&database, "CREATE VIEW by_hand_too AS SELECT name FROM best WHERE points > 1");
    push(SCHEMA).exits(0).says("already has the schema");
    let before = state(&database);
    push(&wider(SCHEMA)).exits(0).says("view by_hand_too is created again");
    assert_eq!(before, state(&database));
    assert_eq!(query(&database, "SELECT count(*) FROM by_hand_too"), ["2"]);
    // Another column: the view cannot be replaced.
    let without = SCHEMA.replace("    SELECT id, name, points\n", "    SELECT id, points, name\n");
    push(&wider(&without)).exits(0).says("view standings is created again");
    assert_eq!(before.replace("(1,ada,3)", "(1,3,ada)").replace("(3,eve,3)", "(3,3,eve)"), state(&database));
    push(&wider(&without)).exits(0).says("already has the schema");
    // What the schema no longer speaks of stays.
    let start = without.find("view Best").expect("is there");
    push(&wider(&without[..start])).exits(0).says("already has the schema");
    assert_eq!(query(&database, "SELECT count(*) FROM best"), ["2"]);
    // A view of every column gets a new one at once.
    let all = format!("{}\nview All {{\n  id Int @unique\n\n  @@sql(\"SELECT * FROM players\")\n}}\n", wider(&without));
    push(&all).exits(0).says("+ view \"All\"");
    push(&all).exits(0).says("already has the schema");
    let all = all.replace("  name   String\n  points BigInt", "  name   String\n  born   Int?\n  points BigInt");
    push(&all).exits(0).says("view \"All\" is created again");
    push(&all).exits(0).says("already has the schema");
    assert_eq!(query(&database, "SELECT count(born) FROM \"All\""), ["0"]);
}

#[test]
fn drift_of_views_is_found() {
    let (project, database) = (Project::new(), database("drifted_views"));
    project.write("schema.dsl", SCHEMA);
    project.run(&["migrate", "dev", "--create-only", "--name", "first"]).exits(0);
    project.deploy(&database).exits(0);
    query(&database, "CREATE OR REPLACE VIEW standings AS SELECT id, name, points FROM players");
    project.status(&database).says("view standings");
    query(
        &database,
        "CREATE OR REPLACE VIEW standings AS SELECT p.id, p.name, p.points FROM players AS p WHERE (p.points > 0)",
    );
    // PostgreSQL prints aliases, so this is another query.
    project.status(&database).says("view standings");
    query(
        &database,
        "CREATE OR REPLACE VIEW standings AS SELECT id, name, points FROM public.players WHERE ((points > 0))",
    );
    project.status(&database).exits(0).hides("view standings");
    query(&database, "DROP INDEX totals_by_names");
    project.status(&database).says("index totals_by_names");
    query(&database, "CREATE INDEX totals_by_names ON totals (names)");
    project.status(&database).says("index totals_by_names");
    query(&database, "DROP INDEX totals_by_names; CREATE INDEX totals_by_names ON totals USING btree (names DESC)");
    project.status(&database).exits(0).hides("totals");
    query(&database, "ALTER VIEW best RESET (security_barrier)");
    project.status(&database).says("view best");
    query(&database, "ALTER VIEW best SET (security_barrier = true)");
    project.status(&database).exits(0).says("up to date");
    query(&database, "DROP VIEW best");
    project.status(&database).says("view best");
}

#[test]
fn a_dropped_view_is_a_finding() {
    let (project, database) = (Project::new(), database("dropped_views"));
    project.write("schema.dsl", SCHEMA);
    project.run(&["migrate", "dev", "--create-only", "--name", "first"]).exits(0);
    let start = SCHEMA.find("view Best").expect("is there");
    project.write("schema.dsl", &SCHEMA[..start]);
    project.run(&["migrate", "dev", "--create-only", "--name", "fewer"]).exits(0).says("- view best");
    assert!(migration(&project).contains("C407 view best is dropped"));
    project.deploy(&database).exits(0);
    assert_eq!(
        query(
            &database,
            "SELECT string_agg(relname, ',') FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace"
        ),
        ["standings"]
    );
    project.write("schema.dsl", wider(&SCHEMA[..start]));
    project.run(&["migrate", "squash"]).exits(0);
    assert!(!migration(&project).contains("best"));
    project.deploy(&database).exits(0);
    project.run(&["migrate", "dev", "--create-only", "--name", "online", "--online"]).exits(0);
    assert!(migration(&project).contains("C408"));
    project.deploy(&database).exits(0);
    project.status(&database).exits(0).says("up to date");
}

/// Views are pulled with their queries, into a new file and into one that has some of them.
#[test]
fn views_are_pulled_with_their_queries() {
    let (project, database, fresh) = (Project::new(), database("pulled_views"), database("pulled_views_fresh"));
    query(
        &database,
        "CREATE TYPE level AS ENUM ('LOW', 'HIGH');
         CREATE TABLE players (id int PRIMARY KEY, name text NOT NULL, level level, points int[] NOT NULL, born date);
         CREATE VIEW \"Odd name\" AS SELECT id, '\"\"\"' AS \"a b\", level, points, count(*) OVER () FROM players;
         CREATE VIEW adults AS WITH old AS (SELECT * FROM players WHERE born < '2000-01-01') SELECT id, name FROM old;
         CREATE MATERIALIZED VIEW totals AS SELECT level, cardinality(points) AS n FROM players;
         CREATE UNIQUE INDEX totals_key ON totals (n); CREATE INDEX totals_level ON totals (level DESC);
         CREATE VIEW by_hand AS SELECT name FROM adults",
    );
    project.run(&["db", "pull", "--url", database.url()]).exits(0).says("public.adults").says("public.totals");
    assert!(!project.read("schema.dsl").contains("@@sql"));
    project.run(&["db", "pull", "--views", "--url", database.url()]).exits(0).hides("public.adults").hides("totals");
    let schema = project.read("schema.dsl");
    insta::assert_snapshot!(&schema[schema.find("view ").expect("has views")..]);
    project.run(&["db", "pull", "--views", "--check", "--url", database.url()]).exits(0);
    project.run(&["db", "push", "--url", database.url()]).exits(0).says("already has the schema");
    project.run(&["db", "push", "--url", fresh.url()]).exits(0);
    let definitions = "SELECT string_agg(c.relname || pg_get_viewdef(c.oid), E'\\n' ORDER BY c.relname) || (SELECT string_agg(indexdef, E'\\n' ORDER BY 1)
        FROM pg_indexes WHERE tablename = 'totals') FROM pg_class AS c WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace";
    assert_eq!(query(&database, definitions), query(&fresh, definitions));
    project.run(&["db", "pull", "--check", "--url", fresh.url()]).exits(0);
    // Another query in the database is told; the block stays.
    query(&database, "CREATE OR REPLACE VIEW adults AS SELECT id, name FROM players");
    project
        .run(&["db", "pull", "--url", database.url()])
        .exits(0)
        .says("view adults")
        .says("pull it again with --views");
    assert_eq!(project.read("schema.dsl"), schema);
    project.run(&["db", "pull", "--views", "--force", "--url", database.url()]).exits(0);
    project.run(&["db", "push", "--url", database.url()]).exits(0).says("already has the schema");
    let sql = project.run(&["db", "pull", "--with-sql", "extra.sql", "--url", database.url()]).exits(0);
    sql.hides("adults");
    assert!(!project.read("extra.sql").contains("VIEW"));
}

/// The snapshot has the text of a file as it is, whatever its lines end with.
#[test]
fn files_of_views_are_in_the_snapshot() {
    let project = Project::new();
    let start = SCHEMA.find("view Standing").expect("is there");
    let view = "view Standing {\n  id   Int    @unique\n  name String\n\n  @@map(\"standings\")\n}\n";
    project.write("schema.dsl", format!("{}{view}", &SCHEMA[..start]));
    let dev = |name: &str| project.run(&["migrate", "dev", "--create-only", "--name", name]).exits(0);
    for (name, query) in [
        ("blanks", "SELECT id,  \n    'a  \n   b' AS name\t\nFROM players;\n"),
        ("lines", "SELECT id,\r\n  name\r\nFROM players;\r\n"),
        ("quotes", "SELECT id, '\"\"\"\n  a' AS name\nFROM players"),
        ("control", "SELECT id, '\u{1}' AS name\nFROM players"),
    ] {
        project.write("views/standings.sql", query);
        dev(name).says("view standings");
        dev("again").says("equals the snapshot");
        let migration = migration(&project);
        let query = query.replace("\r\n", "\n");
        assert!(migration.contains(query.trim_end().trim_end_matches(';')), "{migration}");
    }
}
