//! Row security: what migrations do to policies and to the rows that policies hide, and what they leave alone.

use relata_devdb::{Feature, TestDatabase};

use crate::support::{Project, database, query, server};

const MODELS: &str = "
model School {
  id    Int    @id @default(autoincrement())
  name  String
  rooms Room[]

  @@tenant
}

model Room {
  id       Int    @id @default(autoincrement())
  schoolId Int
  school   School @relation(fields: [schoolId], references: [id])
  name     String
  beds     Bed[]

  @@index([schoolId])
  @@tenant(school)
}

model Bed {
  id     Int  @id
  roomId Int
  room   Room @relation(fields: [roomId], references: [id])

  @@index([roomId])
  @@tenant(room.school)
}
";

fn schema(row_security: bool) -> String {
    format!("datasource db {{\n  provider    = \"postgresql\"\n  rowSecurity = {row_security}\n}}\n{MODELS}")
}

const SWITCHES: &str = "SELECT relname || ' ' || relrowsecurity || ' ' || relforcerowsecurity FROM pg_class
    WHERE relname IN ('Bed', 'Room', 'School') ORDER BY 1";
const POLICIES: &str = "SELECT tablename || ' ' || policyname FROM pg_policies ORDER BY 1";
const ALL_POLICIES: [&str; 6] = [
    "Bed relata_across_tenants",
    "Bed relata_tenant",
    "Room relata_across_tenants",
    "Room relata_tenant",
    "School relata_across_tenants",
    "School relata_tenant",
];

/// Pushes, and shows what is left to do then.
fn push(project: &Project, database: &TestDatabase) -> String {
    project.run(&["db", "push", "--allow-data-loss", "--url", database.url()]).exits(0);
    let left = ["migrate-diff", "--from-url", database.url(), "--to-schema", "schema.dsl", "--summary", "--exit-code"];
    project.run(&left).exits(0).stdout
}

#[test]
fn policies_reach_a_database_and_follow_it() {
    let database = database("policies");
    let project = Project::new();
    project.write("schema.dsl", schema(true));
    push(&project, &database);
    assert_eq!(query(&database, SWITCHES), ["Bed true true", "Room true true", "School true true"]);
    assert_eq!(query(&database, POLICIES), ALL_POLICIES);
    // Changes by hand are reported and corrected. Other policies stay.
    query(&database, "CREATE POLICY mine ON \"Room\" AS RESTRICTIVE USING (name <> 'x')");
    query(&database, "ALTER POLICY relata_tenant ON \"Bed\" USING (true)");
    query(&database, "ALTER TABLE \"Bed\" NO FORCE ROW LEVEL SECURITY");
    query(&database, "DROP POLICY relata_across_tenants ON \"School\"");
    let told = ["migrate-diff", "--from-url", database.url(), "--to-schema", "schema.dsl", "--summary"];
    project
        .run(&told)
        .exits(0)
        .says("~ policy relata_tenant on Bed")
        .says("~ row security of Bed from enabled to forced")
        .says("+ policy relata_across_tenants on School")
        .hides("mine");
    push(&project, &database);
    assert_eq!(query(&database, SWITCHES), ["Bed true true", "Room true true", "School true true"]);
    assert_eq!(query(&database, "SELECT qual FROM pg_policies WHERE policyname = 'mine'").len(), 1);
    assert_eq!(query(&database, "SELECT 1 FROM pg_policies WHERE qual = 'true'").len(), 0);
    // Columns under policies change their type.
    project.write(
        "schema.dsl",
        schema(true).replace("  id    Int   ", "  id    BigInt").replace("schoolId Int", "schoolId BigInt"),
    );
    push(&project, &database);
    assert_eq!(query(&database, "SELECT policyname FROM pg_policies WHERE qual LIKE '%bigint%'").len(), 3);
    // A schema without tenants says nothing about it.
    let plain = MODELS.lines().filter(|line| !line.contains("@@tenant")).collect::<Vec<_>>().join("\n");
    let plain = plain.replace("  id    Int   ", "  id    BigInt").replace("schoolId Int", "schoolId BigInt");
    project.write("schema.dsl", plain);
    push(&project, &database);
    assert_eq!(query(&database, "SELECT count(*) FROM pg_policies"), ["7"]);
    // A schema with tenants and without row security ends it, except on tables with other policies.
    let off = schema(false).replace("  id    Int   ", "  id    BigInt").replace("schoolId Int", "schoolId BigInt");
    project.write("schema.dsl", off);
    push(&project, &database);
    assert_eq!(query(&database, POLICIES), ["Room mine"]);
    assert_eq!(query(&database, SWITCHES), ["Bed false false", "Room true true", "School false false"]);
}

#[test]
fn two_databases_agree_on_policies() {
    let (old, new) = (database("policies_old"), database("policies_new"));
    let project = Project::new();
    project.write("schema.dsl", schema(false));
    push(&project, &old);
    project.write("schema.dsl", schema(true));
    push(&project, &new);
    for (from, to) in [(&old, &new), (&new, &old)] {
        let sql = project.run(&["migrate-diff", "--from-url", from.url(), "--to-url", to.url()]).exits(0).stdout;
        let copy = database("policies_copy");
        let schema = schema(from.url() == new.url());
        project.write("schema.dsl", schema);
        push(&project, &copy);
        query(&copy, &sql);
        project
            .run(&["migrate-diff", "--from-url", copy.url(), "--to-url", to.url(), "--exit-code"])
            .exits(0)
            .says("no difference");
    }
}

/// The URL for a role that owns the database and is nothing more, so that FORCE holds for it.
fn as_owner(database: &TestDatabase) -> String {
    query(
        database,
        "DO $$ BEGIN CREATE ROLE relata_owner_test LOGIN PASSWORD 'relata';
         EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$",
    );
    query(database, "GRANT ALL ON SCHEMA public TO relata_owner_test");
    query(
        database,
        "DO $$ BEGIN EXECUTE format('GRANT ALL ON DATABASE %I TO relata_owner_test', current_database()); END $$",
    );
    let (_, rest) = database.url().split_once('@').expect("has a host");
    format!("postgres://relata_owner_test:relata@{rest}")
}

const ROWS: &str = "SELECT set_config('relata.across_tenants', 'on', false);
    INSERT INTO \"School\" (name) VALUES ('north'), ('south');
    INSERT INTO \"Room\" (\"schoolId\", name) SELECT id, 'hall' FROM \"School\"";

/// Migrations of an owner, on which row security is forced, would change no rows without a word.
#[test]
fn migrations_of_an_owner_see_all_rows() {
    if server().skips_without(&[Feature::Roles]) {
        return;
    }
    for online in [false, true] {
        let database = database("owner");
        let url = as_owner(&database);
        let project = Project::new();
        let dev = |name: &str| {
            let mut args = vec!["migrate", "dev", "--name", name, "--url", &url];
            args.extend(online.then_some("--online"));
            project.run(&args).exits(0);
        };
        project.write("schema.dsl", schema(true));
        dev("init");
        assert_eq!(
            query(&database, "SELECT tableowner FROM pg_tables WHERE tablename = 'Room'"),
            ["relata_owner_test"]
        );
        query(&database, ROWS);
        // A fill, a type that is converted, and a column that begins to count after what is there.
        let next = schema(true)
            .replace(
                "  name     String\n",
                "  name     String\n  floor    String @default(dbgenerated(\"'f' || 1\"))\n",
            )
            .replace("schoolId Int\n", "schoolId BigInt\n")
            .replace("  id    Int    @id", "  id    BigInt @id");
        project.write("schema.dsl", &next);
        dev("grow");
        assert_eq!(query(&database, "SELECT DISTINCT floor FROM \"Room\""), ["f1"]);
        assert_eq!(query(&database, "SELECT \"schoolId\" FROM \"Room\" ORDER BY 1"), ["1", "2"]);
        assert_eq!(query(&database, "SELECT count(*) FROM pg_policies"), ["6"]);
        // A migration that was written by hand.
        project.migration("99990101000000_data", "UPDATE \"Room\" SET name = 'room ' || id;\n");
        project.write("migrations/99990101000000_data/schema.dsl", &next);
        project.run(&["migrate", "dev", "--url", &url]).exits(0);
        assert_eq!(query(&database, "SELECT name FROM \"Room\" ORDER BY 1"), ["room 1", "room 2"]);
        // A session without the setting sees nothing.
        assert_eq!(query(&database, "SET ROLE relata_owner_test; SELECT count(*) FROM \"Room\""), ["0"]);
        project.run(&["migrate", "status", "--url", &url]).exits(0);
    }
}

#[test]
fn switching_it_on_and_off_is_told() {
    let database = database("told");
    let project = Project::new();
    project.write("schema.dsl", schema(false));
    project.run(&["migrate", "dev", "--name", "init", "--url", database.url()]).exits(0);
    project.write("schema.dsl", schema(true));
    project.run(&["migrate", "dev", "--name", "secure", "--url", database.url(), "--create-only"]).exits(0);
    project.run(&["migrate", "lint"]).says("warning[C405]");
    project.run(&["migrate", "deploy", "--url", database.url()]).exits(0);
    project.migration("99990101000000_open", "ALTER TABLE \"Room\" NO FORCE ROW LEVEL SECURITY;\nALTER TABLE \"Bed\" DISABLE ROW LEVEL SECURITY;\nDROP POLICY relata_tenant ON \"Bed\";\n");
    let text = project.run(&["migrate", "lint"]).stdout;
    assert_eq!(text.matches("C406").count(), 3, "{text}");
}

/// `db pull` keeps what the schema says of tenants.
#[test]
fn pull_keeps_what_a_schema_says() {
    let database = database("pulled_policies");
    let project = Project::new();
    project.write("schema.dsl", schema(true));
    push(&project, &database);
    let before = project.read("schema.dsl");
    project.run(&["db", "pull", "--url", database.url()]).exits(0);
    assert_eq!(project.read("schema.dsl"), before);
    // Nothing is warned about: the schema declares row security and both policies.
    let pulled = project.run(&["db", "pull", "--check", "--url", database.url()]).exits(0);
    assert_eq!(pulled.stderr, "");
    // A policy that was written by hand and a changed policy are reported.
    query(&database, "CREATE POLICY mine ON \"Room\" USING (true)");
    query(&database, "ALTER POLICY relata_tenant ON \"Bed\" USING (true)");
    let pulled = project.run(&["db", "pull", "--check", "--url", database.url()]).says("policy: mine on").says("Bed");
    assert!(!pulled.stderr.contains("relata_across_tenants on"), "{}", pulled.stderr);
    query(&database, "DROP POLICY mine ON \"Room\"");
    project.run(&["db", "push", "--url", database.url()]).exits(0);
    let fresh = Project::new();
    fresh.run(&["db", "pull", "--url", database.url()]).exits(0).says("row-level security");
    fresh.run(&["db", "push", "--url", database.url()]).exits(0);
    assert_eq!(query(&database, POLICIES), ALL_POLICIES);
}

/// An owner who sees no rows must not be told that there are none.
#[test]
fn what_an_owner_would_lose_is_counted() {
    if server().skips_without(&[Feature::Roles]) {
        return;
    }
    let database = database("owner_loses");
    let url = as_owner(&database);
    let project = Project::new();
    project.write("schema.dsl", schema(true));
    project.run(&["migrate", "dev", "--name", "init", "--url", &url]).exits(0);
    query(&database, ROWS);
    project.write("schema.dsl", schema(true).replace("  name     String\n", ""));
    let refused = project.run(&["db", "push", "--url", &url]);
    assert_ne!(refused.code, 0);
    refused.says("column Room.name is dropped");
    assert_eq!(query(&database, "SELECT name FROM \"Room\""), ["hall", "hall"]);
    project.migration("99990101000000_drop", "ALTER TABLE \"Room\" DROP COLUMN name;\n");
    project.run(&["migrate", "lint", "--url", &url]).exits(1).says("D103");
    // Seeds see all rows, and may write them.
    project.write("seed.sql", "UPDATE \"Room\" SET name = 'seeded';\nINSERT INTO \"School\" (name) VALUES ('west');\n");
    project.run(&["db", "seed", "--url", &url]).exits(0);
    assert_eq!(query(&database, "SELECT DISTINCT name FROM \"Room\""), ["seeded"]);
    assert_eq!(query(&database, "SELECT count(*) FROM \"School\""), ["3"]);
}

#[test]
fn status_tells_of_a_policy_that_was_changed() {
    let database = database("status_policies");
    let project = Project::new();
    project.write("schema.dsl", schema(true));
    project.run(&["migrate", "dev", "--name", "init", "--url", database.url()]).exits(0);
    project.status(&database).exits(0).says("is up to date");
    query(&database, "ALTER POLICY relata_tenant ON \"Bed\" USING (true)");
    query(&database, "CREATE POLICY mine ON \"Room\" USING (true)");
    let told = project.status(&database);
    assert_ne!(told.code, 0);
    told.says("drift    ~ policy relata_tenant on Bed").hides("mine");
}

/// The policies of migrations are in the snapshots, so undoing a migration undoes them.
#[test]
fn undoing_a_migration_undoes_its_policies() {
    let database = database("undone_policies");
    let project = Project::new();
    project.write("schema.dsl", schema(false));
    project.run(&["migrate", "dev", "--name", "init", "--url", database.url()]).exits(0);
    project.write("schema.dsl", schema(true));
    project.run(&["migrate", "dev", "--name", "secure", "--url", database.url()]).exits(0);
    assert_eq!(query(&database, POLICIES), ALL_POLICIES);
    project.run(&["migrate", "verify"]).exits(0).hides("which is not undone");
    project.run(&["migrate", "down", "--url", database.url()]).exits(0).hides("which is not undone");
    assert_eq!(query(&database, POLICIES), Vec::<String>::new());
}
