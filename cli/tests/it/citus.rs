//! Databases with Citus: what the commands do to the distribution of tables, and what they leave alone.

use relata_devdb::{Citus, TestDatabase};

use crate::support::{Project, query};

const POSTGRESQL: &str = "datasource db {\n  provider = \"postgresql\"\n}\n";
const CITUS: &str = "datasource db {\n  provider = \"postgresql\"\n  engine   = \"citus\"\n}\n";

const MODELS: &str = "
enum Role {
  ADMIN
  STUDENT
}

model School {
  id    Int    @id
  name  String
  users User[]

  @@tenant
}

model User {
  id       Int     @default(autoincrement())
  schoolId Int
  school   School  @relation(fields: [schoolId], references: [id], onDelete: Cascade, onUpdate: NoAction)
  role     Role    @default(STUDENT)
  email    String
  country  Country? @relation(fields: [code], references: [code])
  code     String?

  @@id([schoolId, id])
  @@unique([schoolId, email])
  @@index([code])
  @@tenant(school)
}

model Country {
  code  String @id
  users User[]

  @@shared
}

model Note {
  id   Int    @id
  text String
}
";

/// Where the rows of each table are.
const PLACES: &str = "SELECT logicalrelid || ' ' || coalesce(column_to_column_name(logicalrelid, partkey), 'all')
    FROM pg_dist_partition WHERE partmethod = 'h' OR repmodel = 't' ORDER BY 1";
const PLACED: [&str; 3] = ["\"Country\" all", "\"School\" id", "\"User\" schoolId"];

fn database(prefix: &str) -> Option<TestDatabase> {
    let citus = Citus::start_or_skip().expect("Citus starts")?;
    Some(citus.create_database(prefix).expect("a database can be created"))
}

fn difference(project: &Project, database: &TestDatabase, schema: &str) -> String {
    let told = ["migrate-diff", "--from-url", database.url(), "--to-schema", schema, "--summary"];
    project.run(&told).exits(0).stdout
}

#[test]
fn tables_go_where_the_schema_says() {
    let Some(database) = database("places") else { return };
    let project = Project::new();
    project.write("schema.dsl", format!("{CITUS}{MODELS}"));
    project.run(&["db", "push", "--url", database.url()]).exits(0);
    assert_eq!(query(&database, PLACES), PLACED);
    assert_eq!(difference(&project, &database, "schema.dsl"), "");
    // A schema for PostgreSQL does not say where rows are.
    project.write("plain.dsl", format!("{POSTGRESQL}{MODELS}"));
    assert_eq!(difference(&project, &database, "plain.dsl"), "");
    // Changes by hand are reported and corrected.
    query(&database, "SELECT undistribute_table('\"User\"', cascade_via_foreign_keys => true)");
    let told = difference(&project, &database, "schema.dsl");
    assert!(told.contains("~ table User is distributed by schoolId\n"), "{told}");
    assert!(told.contains("~ table Country is on every server\n"), "{told}");
    project.run(&["db", "push", "--url", database.url()]).exits(0);
    assert_eq!(query(&database, PLACES), PLACED);
    assert_eq!(difference(&project, &database, "schema.dsl"), "");
    // And the other way.
    project.write("moved.dsl", format!("{CITUS}{MODELS}").replace("@@shared", "@@shared\n  @@reference"));
    assert_eq!(difference(&project, &database, "moved.dsl"), "");
    let moved = format!("{CITUS}{MODELS}").replace("  text String\n", "  text String\n\n  @@distributed(by: id)\n");
    project.write("schema.dsl", moved);
    project.run(&["db", "push", "--url", database.url()]).exits(0);
    assert_eq!(query(&database, PLACES).len(), 4);
}

#[test]
fn pulled_schemas_say_where_rows_are() {
    let Some(database) = database("pulled") else { return };
    let project = Project::new();
    project.write("schema.dsl", format!("{CITUS}{MODELS}"));
    project.run(&["db", "push", "--url", database.url()]).exits(0);
    project.run(&["db", "pull", "--url", database.url(), "--schema", "new.dsl"]).exits(0).hides("extension");
    let pulled = project.read("new.dsl");
    assert!(pulled.contains("engine   = \"citus\"") && !pulled.contains("extensions"), "{pulled}");
    for line in ["  @@distributed(by: schoolId)\n", "  @@distributed(by: id)\n", "  @@reference\n"] {
        assert_eq!(pulled.matches(line).count(), 1, "{line}{pulled}");
    }
    assert_eq!(difference(&project, &database, "new.dsl"), "");
    project.run(&["check", "new.dsl"]).exits(0);
    // An existing schema that says it in other words stays, and one that says something else is corrected.
    let before = project.read("schema.dsl");
    project.run(&["db", "pull", "--url", database.url(), "--schema", "schema.dsl"]).exits(0);
    assert_eq!(project.read("schema.dsl"), before);
    let wrong = before.replace("  text String\n", "  text String\n\n  @@reference\n");
    project.write("schema.dsl", wrong);
    project.run(&["db", "pull", "--url", database.url(), "--schema", "schema.dsl"]).exits(0);
    let corrected = project.read("schema.dsl");
    assert_eq!((corrected.matches("@@local").count(), corrected.matches("@@reference").count()), (1, 0), "{corrected}");
    assert_eq!(difference(&project, &database, "schema.dsl"), "");
    // A file for PostgreSQL is told.
    project.write("plain.dsl", format!("{POSTGRESQL}{MODELS}").replace("  text String\n", ""));
    let told = project.run(&["db", "pull", "--url", database.url(), "--schema", "plain.dsl"]).exits(0);
    told.says("engine = \"citus\"");
}

#[test]
fn migrations_distribute_rows_and_bring_them_back() {
    let Some(database) = database("deployed") else { return };
    let project = Project::new();
    project.write("schema.dsl", format!("{POSTGRESQL}{MODELS}"));
    project.run(&["migrate", "dev", "--create-only", "--name", "first"]).exits(0);
    project.deploy(&database).exits(0);
    query(&database, "INSERT INTO \"School\" SELECT n, 'School ' || n FROM generate_series(1, 20) n");
    query(&database, "INSERT INTO \"User\" (\"schoolId\", email) SELECT id, 'a@x.edu' FROM \"School\"");
    project.write("schema.dsl", format!("{CITUS}{MODELS}"));
    project.run(&["migrate", "dev", "--create-only", "--name", "second"]).exits(0);
    project.deploy(&database).exits(0);
    project.status(&database).exits(0);
    assert_eq!(query(&database, PLACES), PLACED);
    let rows = "SELECT count(*)::text FROM \"User\" u JOIN \"School\" s ON s.id = u.\"schoolId\"";
    assert_eq!(query(&database, rows), ["20"]);
    assert_eq!(query(&database, "SELECT pg_relation_size('\"User\"')::text"), ["0"]);
    // Moved by hand: the database no longer is what its migrations made.
    query(&database, "SELECT undistribute_table('\"User\"', cascade_via_foreign_keys => true)");
    project.status(&database).says("User is distributed by schoolId");
    project.run(&["db", "push", "--url", database.url()]).exits(0);
    project.status(&database).exits(0);
    project.run(&["migrate", "down", "--url", database.url()]).exits(0);
    assert_eq!(query(&database, PLACES), [""; 0]);
    assert_eq!(query(&database, rows), ["20"]);
}
