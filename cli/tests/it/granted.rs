//! The privileges that `docs/tenants.md` gives to the role of the client: run as the page prints them, with roles of their
//! own in place of `app` and `owner`.

use relata_devdb::{Feature, TestDatabase};

use crate::support::{Project, Session, database, query, server};

const PAGE: &str = include_str!("../../../docs/tenants.md");

const SCHEMA: &str = "datasource db {
  provider    = \"postgresql\"
  rowSecurity = true
}

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

  @@index([schoolId])
  @@tenant(school)
}
";

const LATER: &str = "
model Desk {
  id       Int    @id @default(autoincrement())
  schoolId Int
  school   School @relation(fields: [schoolId], references: [id])

  @@index([schoolId])
  @@tenant(school)
}
";

/// The statements of the first SQL block of the page that contains `word`.
fn statements(word: &str) -> Vec<String> {
    let blocks = PAGE.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next());
    let block = blocks.into_iter().find(|block| block.contains(word)).expect("the page has the block");
    block.lines().map(str::to_owned).collect()
}

/// A statement of the page for the roles of this test.
fn ours(statement: &str) -> String {
    statement
        .replace(" app", " relata_granted_app")
        .replace("ROLE owner", "ROLE relata_granted_owner")
        .replace("'..'", "'relata'")
}

fn url_of(database: &TestDatabase, role: &str) -> String {
    let (_, rest) = database.url().split_once('@').expect("has a host");
    format!("postgres://{role}:relata@{rest}")
}

/// What a role sees of a statement: its rows, or the server's error.
fn outcome(url: &str, sql: &str) -> Result<Vec<String>, String> {
    Session::open(url).try_sql(sql)
}

fn is_refused(outcome: &Result<Vec<String>, String>, why: &str) -> bool {
    outcome.as_ref().is_err_and(|error| error.contains(why))
}

/// Creates the two roles, and gives the owner the schema.
fn create_roles(database: &TestDatabase, create: &str) {
    for create in ["CREATE ROLE relata_granted_owner LOGIN PASSWORD 'relata';", &ours(create)] {
        let exists = "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL";
        query(database, &format!("DO $$ BEGIN {create} {exists}; END $$"));
    }
    query(database, "GRANT ALL ON SCHEMA public TO relata_granted_owner");
}

/// What the role of the client may do with the rows of its tenant, and with those of another one.
fn check_table(database: &TestDatabase, app: &str, table: &str, (columns, values): (&str, &str)) {
    let of =
        |school: i32, sql: &str| outcome(app, &format!("BEGIN; SET LOCAL relata.tenant = '{school}'; {sql}; COMMIT"));
    let insert = |school: i32| format!("INSERT INTO \"{table}\" (\"schoolId\"{columns}) VALUES ({school}{values})");
    let one = || Ok(vec!["1".to_owned()]);
    for school in [1, 2] {
        of(school, &insert(school)).expect("is granted");
    }
    assert_eq!(of(1, &format!("SELECT count(*) FROM \"{table}\"")), one());
    assert_eq!(outcome(app, &format!("SELECT count(*) FROM \"{table}\"")), Ok(vec!["0".to_owned()]));
    assert_eq!(of(1, &format!("WITH c AS (UPDATE \"{table}\" SET id = id RETURNING 1) SELECT count(*) FROM c")), one());
    let foreign = of(1, &insert(2));
    assert!(is_refused(&foreign, "row-level security"), "{foreign:?}");
    let truncated = of(1, &format!("TRUNCATE \"{table}\""));
    assert!(is_refused(&truncated, "permission denied"), "{truncated:?}");
    let switched_off = of(1, &format!("ALTER TABLE \"{table}\" DISABLE ROW LEVEL SECURITY"));
    assert!(is_refused(&switched_off, "must be owner"), "{switched_off:?}");
    assert_eq!(of(1, &format!("WITH d AS (DELETE FROM \"{table}\" RETURNING 1) SELECT count(*) FROM d")), one());
    assert_eq!(query(database, &format!("SELECT \"schoolId\" FROM \"{table}\"")), ["2"]);
}

#[test]
fn the_privileges_of_the_page_are_enough_and_no_more() {
    if server().skips_without(&[Feature::Roles]) {
        return;
    }
    let database = database("granted");
    let (owner, app) = (url_of(&database, "relata_granted_owner"), url_of(&database, "relata_granted_app"));
    let [create, grants @ ..] = &statements("CREATE ROLE app")[..] else { panic!("the page creates a role") };
    create_roles(&database, create);
    let project = Project::new();
    project.write("schema.dsl", SCHEMA);
    project.run(&["migrate", "dev", "--name", "init", "--url", &owner]).exits(0);
    for grant in grants {
        outcome(&owner, &ours(grant)).unwrap_or_else(|error| panic!("{grant}: {error}"));
    }
    let (_, revoke) = PAGE.split_once("`REVOKE ALL ON _relata_migrations").expect("the page revokes");
    let revoke = format!("REVOKE ALL ON _relata_migrations{}", revoke.split('`').next().unwrap_or_default());
    outcome(&owner, &ours(&revoke)).expect("is revoked");

    // A later migration, whose table and sequence the client may use as well.
    project.write("schema.dsl", SCHEMA.replace("  rooms Room[]\n", "  rooms Room[]\n  desks Desk[]\n") + LATER);
    project.run(&["migrate", "dev", "--name", "desks", "--url", &owner]).exits(0);
    query(&database, "INSERT INTO \"School\" (name) VALUES ('north'), ('south')");
    check_table(&database, &app, "Room", (", name", ", 'hall'"));
    check_table(&database, &app, "Desk", ("", ""));
    let history = outcome(&app, "SELECT count(*) FROM _relata_migrations");
    assert!(is_refused(&history, "permission denied"), "{history:?}");

    // A person corrects rows as the owner: with the setting, as on the page, and without it.
    query(&database, "INSERT INTO \"Room\" (\"schoolId\", name) VALUES (1, 'hall')");
    outcome(&owner, &statements("UPDATE \"Room\"").join(" ")).expect("runs");
    assert_eq!(query(&database, "SELECT DISTINCT name FROM \"Room\""), ["Hall"]);
    let without = "UPDATE \"Room\" SET name = 'x'; SELECT count(*) FROM \"Room\"";
    assert_eq!(outcome(&owner, without), Ok(vec!["0".to_owned()]));
    assert_eq!(query(&database, "SELECT DISTINCT name FROM \"Room\""), ["Hall"]);
}
