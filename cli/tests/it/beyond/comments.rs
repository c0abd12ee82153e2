//! Comments of the database are `///` comments of the schema.

use crate::support::{Project, database, query};

const COMMENTED: &str = r#"datasource db {
  provider = "postgresql"
}

generator client {
  provider = "relata"
  comments = true
}

/// How it is paid.
enum payment {
  CASH
  CARD
}

/// Who stays here – naïve, "quoted" and 'single', 100 %, \n, *\/ and ///.
///
///   - a list
/// ; -- the end
model guest {
  /// The number on the key.
  id   Int     @id
  /// 氏名
  name String?
  kind payment
}
"#;

/// What the database has for each of them, as JSON.
const STORED: &str = "SELECT to_json(description)::text FROM pg_description WHERE objoid >= 16384 AND classoid IN
    ('pg_class'::regclass, 'pg_type'::regclass) ORDER BY description COLLATE \"C\"";

#[test]
fn comments_come_back_as_they_were_written() {
    let (project, database) = (Project::new(), database("commented"));
    let push = ["db", "push", "--url", database.url()];
    project.write("schema.dsl", COMMENTED);
    project.run(&["fmt", "--check"]).exits(0);
    project.run(&push).exits(0);
    let stored = query(&database, STORED);
    let table =
        r#""Who stays here – naïve, \"quoted\" and 'single', 100 %, \\n, *\\/ and ///.\n\n  - a list\n; -- the end""#;
    assert_eq!(stored, [r#""How it is paid.""#, r#""The number on the key.""#, table, r#""氏名""#]);
    project.run(&push).exits(0).says("already");
    project.run(&["db", "pull", "--check", "--url", database.url()]).exits(0).hides("cannot express");
    // A new file has them, and the setting.
    project.run(&["db", "pull", "--force", "--url", database.url()]).exits(0).hides("cannot express");
    assert_eq!(project.read("schema.dsl"), COMMENTED);
    // Texts that no `///` can have exactly are no differences.
    query(&database, "COMMENT ON TABLE guest IS E' a \\r\\n\\tb\\rc  \\n\\n'; COMMENT ON COLUMN guest.name IS '  '");
    project.run(&["db", "pull", "--url", database.url()]).exits(0);
    let pulled = project.read("schema.dsl");
    assert!(pulled.contains("\n///  a\n/// \tb\n/// c\nmodel guest {\n"), "{pulled}");
    assert!(!pulled.contains("氏名"), "{pulled}");
    project.run(&push).exits(0).says("already");
    project.run(&["db", "pull", "--check", "--url", database.url()]).exits(0);
}

#[test]
fn a_schema_without_the_setting_leaves_comments_alone() {
    let (project, database) = (Project::new(), database("uncommented"));
    let push = ["db", "push", "--url", database.url()];
    let plain = COMMENTED.replace("  comments = true\n", "");
    project.write("schema.dsl", &plain);
    project.run(&push).exits(0);
    assert!(query(&database, STORED).is_empty());
    query(&database, "COMMENT ON TABLE guest IS 'by hand'");
    project.run(&push).exits(0).says("already");
    let pull = project.run(&["db", "pull", "--url", database.url()]).exits(0);
    pull.says("comment: table public.guest");
    assert_eq!(project.read("schema.dsl"), plain);
    // With the setting, what a `///` says comes, and what none says stays.
    project.write("schema.dsl", COMMENTED.replace("/// How it is paid.\n", ""));
    query(&database, "COMMENT ON TYPE payment IS 'also by hand'");
    project.run(&push).exits(0).says("~ comment on table guest").says("+ comment on column guest.id").hides("payment");
    assert_eq!(query(&database, STORED).len(), 4);
    project.run(&push).exits(0).says("already");
    // A column of another type, and an enum whose values are in another order, keep theirs.
    let next = COMMENTED.replace("/// How it is paid.\n", "").replace("CASH\n  CARD", "CARD\n  CASH");
    project
        .write("schema.dsl", next.replace("String?", "String? @db.VarChar(30)").replace("Int     @id", "BigInt @id"));
    project.run(&[&push[..], &["--allow-data-loss"]].concat()).exits(0);
    assert_eq!(query(&database, STORED).len(), 4);
    project.run(&push).exits(0).says("already");
}

#[test]
fn pull_takes_over_the_comments_of_the_database_and_keeps_those_of_the_author() {
    let (project, database) = (Project::new(), database("comments_kept"));
    project.write("schema.dsl", COMMENTED);
    query(
        &database,
        "CREATE TYPE payment AS ENUM ('CASH', 'CARD'); CREATE TABLE guest (id int PRIMARY KEY, name text, kind payment NOT NULL);
         CREATE TABLE fresh (id int PRIMARY KEY); COMMENT ON COLUMN fresh.id IS 'It''s new.'; COMMENT ON TABLE fresh IS 'New.';
         COMMENT ON COLUMN guest.id IS E'From the desk.\nTwo lines.'; COMMENT ON COLUMN guest.kind IS 'Cash or card.'",
    );
    project.run(&["db", "pull", "--url", database.url()]).exits(0).hides("cannot express");
    let expected = COMMENTED
        .replace("  /// The number on the key.\n", "  /// From the desk.\n  /// Two lines.\n")
        .replace("  kind payment\n", "  /// Cash or card.\n  kind payment\n");
    let added = "\n/// New.\nmodel fresh {\n  /// It's new.\n  id Int @id\n}\n";
    assert_eq!(project.read("schema.dsl"), expected + added);
    let push = ["db", "push", "--url", database.url()];
    project.run(&push).exits(0).says("+ comment on table guest").says("+ comment on column guest.name").hides("kind");
    project.run(&push).exits(0).says("already");
    // A comment at the end of a line, and one that is cut off by an empty line.
    let text = project.read("schema.dsl");
    let text = text.replace("  /// 氏名\n  name String?\n", "  name String? /// Their name.\n");
    project.write("schema.dsl", text.replace("/// New.\n", "/// Apart.\n\n/// Old.\n"));
    project.run(&["db", "pull", "--url", database.url()]).exits(0);
    let pulled = project.read("schema.dsl");
    assert!(pulled.contains("  /// 氏名\n  name String?\n") && !pulled.contains("Their name"), "{pulled}");
    assert!(pulled.contains("/// Apart.\n\n/// New.\nmodel fresh"), "{pulled}");
}

/// Migrations set comments and take them back, online too.
#[test]
fn comments_are_migrated_and_taken_back() {
    let (project, database) = (Project::new(), database("comments_migrated"));
    let migrate = |name: &str| {
        project.run(&["migrate", "dev", "--name", name, "--url", database.url()]).exits(0);
    };
    project.write("schema.dsl", COMMENTED);
    migrate("first");
    query(&database, "INSERT INTO guest VALUES (1, 'Ann', 'CASH')");
    let next = COMMENTED.replace("/// How it is paid.", "/// In coins.").replace("  /// 氏名\n", "");
    project.write("schema.dsl", next.replace("id   Int ", "id   BigInt "));
    let online = ["migrate", "dev", "--name", "second", "--online", "--url", database.url()];
    project.run(&online).exits(0);
    let texts = || query(&database, STORED).join(";");
    assert!(texts().contains("In coins.") && !texts().contains("氏名") && texts().contains("number on the key"));
    project.run(&["migrate", "down", "--allow-data-loss", "--url", database.url()]).exits(0);
    assert!(!texts().contains("In coins.") && texts().contains("氏名") && texts().contains("number on the key"));
    assert_eq!(query(&database, "SELECT name FROM guest"), ["Ann"]);
}
