//! Recorded changes: pushed, compared, pulled, migrated and undone, and left alone by everything that is no migration.

use relata_devdb::TestDatabase;

use crate::support::{Project, database, query};

const SCHEMA: &str = r#"datasource db {
  provider = "postgresql"
}

model Student {
  id    Int    @id
  name  String
  email String @sensitive
  views Int    @default(0)

  @@audited(except: [views])
}

model Seat {
  room String
  row  Int

  @@id([room, row])
  @@audited
}

model Note {
  id Int @id
}
"#;

const TRIGGERS: &str = "SELECT tgrelid::regclass || ' ' || tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1";
const ALL_TRIGGERS: [&str; 5] = [
    "\"Seat\" _relata_audit",
    "\"Seat\" _relata_audit_truncate",
    "\"Student\" _relata_audit",
    "\"Student\" _relata_audit_truncate",
    "_relata_audit _relata_audit",
];
const RECORDED: &str =
    "SELECT operation || ' ' || key || ' ' || COALESCE(new::text, '') FROM \"_relata_audit\" ORDER BY id";

fn push(project: &Project, database: &TestDatabase) {
    project.run(&["db", "push", "--allow-data-loss", "--url", database.url()]).exits(0);
    difference(project, database).exits(0);
}

/// What a push would do.
fn difference(project: &Project, database: &TestDatabase) -> crate::support::Output {
    let left = ["migrate-diff", "--from-url", database.url(), "--to-schema", "schema.dsl", "--summary", "--exit-code"];
    project.run(&left)
}

#[test]
fn triggers_reach_a_database_and_follow_it() {
    let database = database("audit_push");
    let project = Project::new();
    project.write("schema.dsl", SCHEMA);
    push(&project, &database);
    assert_eq!(query(&database, TRIGGERS), ALL_TRIGGERS);
    query(&database, "INSERT INTO \"Student\" VALUES (1, 'Ada', 'ada@x.edu')");
    let ada = r#"insert {"id": 1} {"id": 1, "name": "Ada", "email": "***"}"#;
    assert_eq!(query(&database, RECORDED), [ada]);
    // Changes by hand are reported and corrected.
    for (sql, said) in [
        ("DROP TRIGGER _relata_audit ON \"Student\"", "~ other changes of Student are recorded"),
        ("ALTER TABLE \"Seat\" DISABLE TRIGGER _relata_audit_truncate", "~ other changes of Seat are recorded"),
        ("DROP POLICY relata_read ON \"_relata_audit\"", "~ the table of recorded changes"),
        ("ALTER POLICY relata_read ON \"_relata_audit\" TO pg_monitor", "~ the table of recorded changes"),
        ("ALTER TABLE \"_relata_audit\" DISABLE ROW LEVEL SECURITY", "~ the table of recorded changes"),
        ("ALTER FUNCTION \"_relata_audit\"() SECURITY INVOKER", "~ the table of recorded changes"),
        ("ALTER FUNCTION \"_relata_audit\"() SET search_path TO public", "~ the table of recorded changes"),
        ("DROP TRIGGER _relata_audit ON \"_relata_audit\"", "~ the table of recorded changes"),
        (
            "CREATE OR REPLACE FUNCTION \"_relata_audit\"() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            "~ the table of recorded changes",
        ),
    ] {
        query(&database, sql);
        difference(&project, &database).exits(2).says(said);
        push(&project, &database);
        assert_eq!(query(&database, TRIGGERS), ALL_TRIGGERS, "{sql}");
    }
    // Another key, a hidden column, and a column that is recorded again.
    let next = SCHEMA.replace("  name  String", "  name  String @sensitive").replace("(except: [views])", "");
    project.write("schema.dsl", next.replace("@@id([room, row])", "@@id([row, room])"));
    push(&project, &database);
    query(&database, "UPDATE \"Student\" SET name = 'A', views = 7");
    query(&database, "INSERT INTO \"Seat\" VALUES ('a', 1)");
    let later = [
        r#"update {"id": 1} {"name": "***", "views": 7}"#,
        r#"insert {"row": 1, "room": "a"} {"row": 1, "room": "a"}"#,
    ];
    // What was recorded before no longer shows the hidden column, either.
    let hidden = ada.replace("Ada", "***");
    assert_eq!(query(&database, RECORDED), [hidden.as_str(), later[0], later[1]]);
    // Without the attribute, the triggers go, and the recorded changes stay. They are no table of the schema.
    let none = SCHEMA.replace("  @@audited(except: [views])\n", "").replace("  @@audited\n", "");
    project.write("schema.dsl", &none);
    push(&project, &database);
    assert_eq!(query(&database, TRIGGERS), ["_relata_audit _relata_audit"]);
    query(&database, "DELETE FROM \"Student\"");
    assert_eq!(query(&database, RECORDED).len(), 3);
    // And come back to the same table.
    project.write("schema.dsl", SCHEMA);
    push(&project, &database);
    query(&database, "DELETE FROM \"Seat\"");
    assert_eq!(query(&database, RECORDED).len(), 4);
}

#[test]
fn a_pulled_schema_has_the_attribute_and_nothing_else() {
    let database = database("audit_pull");
    let project = Project::new();
    project.write("schema.dsl", SCHEMA);
    push(&project, &database);
    // The existing file keeps its text.
    project.run(&["db", "pull", "--url", database.url()]).exits(0).hides("_relata_audit");
    assert_eq!(project.read("schema.dsl"), SCHEMA);
    // A new one says the same, and names no trigger, function or table of changes.
    let new = Project::new();
    let pulled = new.run(&["db", "pull", "--url", database.url()]).exits(0).hides("_relata_audit");
    pulled.hides("trigger").hides("function").hides("polic");
    let text = new.read("schema.dsl");
    assert!(text.contains("@@audited(except: [views])") && text.contains("@sensitive"), "{text}");
    assert_eq!((text.matches("@@audited").count(), text.contains("relata_audit")), (2, false), "{text}");
    difference(&new, &database).exits(0);
    assert!(!new.path("sql").exists(), "no file of SQL");
    // Changes in the database reach the file.
    query(&database, "DROP TRIGGER _relata_audit ON \"Seat\"; DROP TRIGGER _relata_audit_truncate ON \"Seat\"");
    project.run(&["db", "pull", "--url", database.url()]).exits(0);
    assert_eq!(project.read("schema.dsl"), SCHEMA.replace("\n  @@audited\n", "\n"));
    query(&database, "DROP TRIGGER _relata_audit ON \"Student\"; DROP TRIGGER _relata_audit_truncate ON \"Student\"");
    let hide = r#"'{"id"}', '{"email","name"}', '{}', ''"#;
    for (name, when, each) in [("", "INSERT OR UPDATE OR DELETE", "ROW"), ("_truncate", "TRUNCATE", "STATEMENT")] {
        let on = format!("_relata_audit{name} AFTER {when} ON \"Student\" FOR EACH {each}");
        query(&database, &format!("CREATE TRIGGER {on} EXECUTE FUNCTION \"_relata_audit\"({hide})"));
    }
    project.run(&["db", "pull", "--url", database.url()]).exits(0);
    let text = project.read("schema.dsl");
    assert_eq!((text.matches("@sensitive").count(), text.contains("\n  @@audited\n")), (2, true), "{text}");
}

#[test]
fn migrations_record_changes_and_can_be_taken_back() {
    let database = database("audit_migrate");
    let project = Project::new();
    let plain = SCHEMA.replace("  @@audited(except: [views])\n", "").replace("  @@audited\n", "");
    let renamed = SCHEMA.replace("  name  String", "  name  String @map(\"full_name\")");
    for (name, schema) in [("plain", plain.as_str()), ("audited", SCHEMA), ("renamed", &renamed)] {
        project.write("schema.dsl", schema);
        project.run(&["migrate", "dev", "--create-only", "--name", name]).exits(0);
    }
    project.run(&["migrate", "verify", "--strict"]).exits(0).says("3 migrations: no difference");
    project.run(&["migrate", "deploy", "--url", database.url()]).exits(0);
    project.run(&["migrate", "status", "--url", database.url()]).exits(0);
    query(&database, "INSERT INTO \"Student\" VALUES (1, 'Ada', 'ada@x.edu')");
    let with = |name: &str| format!(r#"insert {{"id": 1}} {{"id": 1, "email": "***", "{name}": "Ada"}}"#);
    assert_eq!(query(&database, RECORDED), [with("full_name")]);
    let down = ["migrate", "down", "--url", database.url()];
    project.run(&down).exits(0);
    let back = r#"insert {"id": 1} {"id": 1, "name": "Ada", "email": "***"}"#;
    assert_eq!(query(&database, RECORDED), [back], "the recorded changes have the old name");
    project.run(&down).exits(0);
    assert_eq!(query(&database, TRIGGERS), ["_relata_audit _relata_audit"]);
    assert_eq!(query(&database, RECORDED), [back], "the recorded changes stay");
    project.run(&["migrate", "deploy", "--url", database.url()]).exits(0);
    assert_eq!(query(&database, RECORDED), [with("full_name")]);
    assert_eq!(query(&database, TRIGGERS), ALL_TRIGGERS);
}
