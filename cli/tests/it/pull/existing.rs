//! `db pull` over an existing file: what did not change stays.

use relata_devdb::Feature;

use super::{db, has, pull, words};
use crate::support::{Project, database, query, server};

/// A view that the schema has needs no warning, nor has an extension that it lists.
#[test]
fn what_the_existing_schema_has_is_no_warning() {
    if server().skips_without(&[Feature::Extensions]) {
        return;
    }
    let (project, database) = (Project::new(), database("pull_views"));
    query(&database, "CREATE EXTENSION ltree; CREATE TABLE t (id int PRIMARY KEY); CREATE VIEW v AS SELECT id FROM t");
    let text = "datasource db {\n  provider   = \"postgresql\"\n  extensions = [ltree]\n}\n\nmodel t {\n  id Int @id\n}\n\nview v {\n  id Int @unique\n}\n";
    project.write("schema.dsl", text);
    db(&project, &database, &["pull"]).exits(0).says("already").hides("warning");
}

const COMMENTED: &str = "\
datasource db {
  provider = \"postgresql\"
}

/// A server.
model Server {
  id   Int    @id
  // the address
  ip   String @unique // unique ip
  port Int    @default(80)
  name String
  zone Int

  // one name
  @@unique([name]) // name
  // for look-ups by prefix
  @@index([ip(ops: raw(\"text_pattern_ops\"))], map: \"ipx\") // prefix
  // by place
  @@index([zone, port], map: \"place\") // place
  // the old name
  @@map(\"servers\") // map
  // never empty
  @@check(\"length(ip) > 0\", name: \"ipck\") // check
}
";

#[test]
fn what_did_not_change_keeps_its_line_and_its_comments() {
    let (project, database) = (Project::new(), database("pull_lines"));
    project.write("schema.dsl", COMMENTED);
    db(&project, &database, &["push"]).exits(0);
    db(&project, &database, &["pull"]).exits(0).says("already");
    query(&database, "DROP INDEX ipx");
    db(&project, &database, &["pull"]).exits(0);
    let gone = "  // for look-ups by prefix\n  @@index([ip(ops: raw(\"text_pattern_ops\"))], map: \"ipx\") // prefix\n";
    assert_eq!(project.read("schema.dsl"), COMMENTED.replace(gone, ""));

    query(&database, "ALTER INDEX place RENAME TO there; CREATE UNIQUE INDEX servers_zone_key ON servers (zone);
        DROP INDEX servers_ip_key; CREATE INDEX two ON servers (port, id); ALTER TABLE servers ALTER name DROP NOT NULL");
    db(&project, &database, &["pull"]).exits(0);
    let schema = words(&project);
    for part in [
        "// by place @@index([zone, port], map: \"there\") // place",
        "zone Int @unique",
        "ip String // unique ip",
        "name String?",
        "// one name @@unique([name]) // name",
        "@@index([port, id], map: \"two\") // the old name @@map(\"servers\") // map",
        "// never empty @@check(\"length(ip) > 0\", name: \"ipck\") // check",
    ] {
        has(&schema, part);
    }
    let compare = ["migrate-diff", "--from-url", database.url(), "--to-schema", "schema.dsl", "--exit-code"];
    project.run(&compare).exits(0);
    db(&project, &database, &["pull"]).exits(0).says("already");
}

#[test]
fn an_extension_comes_to_the_list_once() {
    if server().skips_without(&[Feature::Extensions]) {
        return;
    }
    let sql = "CREATE EXTENSION citext; CREATE EXTENSION ltree; CREATE TABLE t (id int PRIMARY KEY, a citext)";
    let (project, database, _) = pull(sql, &[]);
    has(&words(&project), "extensions = [citext]");
    query(&database, "ALTER TABLE t ADD b ltree");
    db(&project, &database, &["pull"]).exits(0);
    has(&words(&project), "extensions = [citext, ltree]");
}

/// A table that loses its key leaves the client, and so do the fields that lead to it.
#[test]
fn a_key_that_goes_takes_the_fields_with_it_that_lead_to_the_model() {
    let (project, database) = (Project::new(), database("pull_key_goes"));
    query(
        &database,
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int UNIQUE REFERENCES a)",
    );
    db(&project, &database, &["pull"]).exits(0);
    has(&words(&project), "b b?");
    query(&database, "ALTER TABLE b DROP CONSTRAINT b_a_key");
    db(&project, &database, &["pull"]).exits(0);
    has(&words(&project), "b b[]");
    query(&database, "ALTER TABLE b DROP CONSTRAINT b_pkey");
    db(&project, &database, &["pull"]).exits(0).hides("the compiler rejects");
    has(&words(&project), "b b[] @ignore");
    project.run(&["check"]).exits(0);
}

#[test]
fn names_are_made_in_a_style_and_stay_as_they_are_written() {
    let sql = "CREATE TYPE order_status AS ENUM ('new'); CREATE TABLE users (id int PRIMARY KEY, full_name text, \"createdAt\" date);
        CREATE TABLE order_items (id int PRIMARY KEY, user_id int NOT NULL REFERENCES users, status order_status,
            checked_by int REFERENCES users);
        CREATE TABLE categories (id int PRIMARY KEY, parent_id int REFERENCES categories)";
    let (project, database, _) = pull(sql, &["--naming", "prisma"]);
    let schema = words(&project);
    for part in [
        "model OrderItem {",
        "@@map(\"order_items\")",
        "enum OrderStatus {",
        "model Category {",
        "model User {",
        "fullName String? @map(\"full_name\")",
        "createdAt DateTime?",
        "userId Int @map(\"user_id\")",
        "user User @relation(",
        "parentId Int? @map(\"parent_id\")",
        "@@map(\"users\")",
        "orderItemsUserId OrderItem[]",
    ] {
        has(&schema, part);
    }
    // A name that was chosen stays, whatever the style.
    query(&database, "ALTER TABLE users ADD COLUMN last_seen date");
    db(&project, &database, &["pull", "--naming", "rust"]).exits(0);
    has(&words(&project), "last_seen DateTime?");
    has(&words(&project), "fullName String?");

    let (project, _, _) = pull(sql, &["--naming", "rust"]);
    for part in ["created_at DateTime? @map(\"createdAt\")", "full_name String?", "order_items", "model OrderItem {"] {
        has(&words(&project), part);
    }
    let (project, _, _) = pull(sql, &["--naming", "keep"]);
    has(&words(&project), "model order_items {");
}

#[test]
fn a_schema_is_not_overwritten_by_sql() {
    let (project, database, _) = pull("CREATE TABLE t (id int PRIMARY KEY)", &[]);
    let before = project.read("schema.dsl");
    db(&project, &database, &["pull", "--with-sql", "schema.dsl"])
        .exits(1)
        .says("--with-sql would overwrite the schema");
    let out = ["migrate-diff", "--from-empty", "--to-schema", "schema.dsl", "--out", "schema.dsl"];
    project.run(&out).exits(1).says("--out would overwrite the schema");
    assert_eq!(project.read("schema.dsl"), before);
}

const IN_JSON: &str = "\
datasource db {
  provider = \"postgresql\"
}

/// A postal address.
type Address {
  street String
  // five digits
  zip    String?
}

model User {
  id      Int       @id @rust(\"crate::UserId\")
  // since 2026
  home    Address   @json
  work    Address?  @json
  others  Address[] @default([]) @json
  old     Address?  @db.Json @json
  mail    String    @rust(\"mail::Address\")
  posts   Post[]
}

model Post {
  id     Int  @id
  userId Int
  user   User @relation(fields: [userId], references: [id])

  @@index([userId])
}
";

#[test]
fn types_in_json_and_of_the_program_stay() {
    let (project, database) = (Project::new(), database("pull_types"));
    project.write("schema.dsl", IN_JSON);
    db(&project, &database, &["push"]).exits(0);
    db(&project, &database, &["pull"]).exits(0).says("already");
    assert_eq!(project.read("schema.dsl"), IN_JSON);
    query(
        &database,
        r#"ALTER TABLE "User" ALTER home DROP NOT NULL, ALTER work SET NOT NULL, ALTER others SET DEFAULT '[{"street": "x"}]',
            ALTER old TYPE text, ALTER mail DROP NOT NULL, ADD new jsonb; ALTER TABLE "Post" ALTER "userId" DROP NOT NULL"#,
    );
    db(&project, &database, &["pull"]).exits(0);
    let text = words(&project);
    has(&text, "type Address { street String // five digits zip String? }");
    has(&text, "id Int @id @rust(\"crate::UserId\") // since 2026 home Address? @json work Address @json");
    has(&text, "others Address[] @default(\"[{\\\"street\\\": \\\"x\\\"}]\") @json old String?");
    has(&text, "mail String? @rust(\"mail::Address\")");
    has(&text, "new Json?");
    has(&text, "userId Int? user User?");
    project.run(&["check"]).exits(0);
}
