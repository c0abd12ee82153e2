//! `migrate-diff` between all kinds of ends.

use relata_devdb::Feature;

use crate::support::{Output, Project, database, query, server};

const BEFORE: &str = "model User {\n  id Int @id @default(autoincrement())\n  name String\n  @@map(\"users\")\n}\n";
const AFTER: &str = "model User {\n  id Int @id @default(autoincrement())\n  name String\n  role Role @default(A)\n  @@index([role])\n  @@map(\"users\")\n}\nenum Role {\n  A\n  B\n}\n";

fn project() -> Project {
    let project = Project::new();
    project.write("before.dsl", BEFORE).write("after.dsl", AFTER);
    project
}

fn diff(project: &Project, args: &[&str]) -> Output {
    project.run(&[&["migrate-diff"], args].concat())
}

#[test]
fn every_end_can_be_compared_with_every_other() {
    let (project, database) = (project(), database("ends"));
    project.run(&["migrate", "dev", "--schema", "before.dsl", "--name", "init", "--url", database.url()]).exits(0);
    let url = database.url();
    let same = [("schema", "before.dsl"), ("migrations", "migrations"), ("url", url)];
    for (from, from_value) in same {
        for (to, to_value) in same {
            let (from, to) = (format!("--from-{from}"), format!("--to-{to}"));
            diff(&project, &[&from, from_value, &to, to_value, "--exit-code"]).exits(0).says("no difference");
        }
        let (from, to) = (format!("--from-{from}"), format!("--to-{from}"));
        diff(&project, &[&from, from_value, "--to-schema", "after.dsl", "--exit-code"])
            .exits(2)
            .says("ALTER TABLE \"users\"")
            .says("CREATE TYPE \"Role\"");
        diff(&project, &[&from, from_value, "--to-empty", "--exit-code"]).exits(2).says("DROP TABLE \"users\"");
        diff(&project, &["--from-empty", &to, from_value, "--exit-code"]).exits(2).says("CREATE TABLE \"users\"");
        diff(&project, &["--from-schema", "after.dsl", &to, from_value, "--exit-code"]).exits(2).says("DROP TYPE");
    }
    diff(&project, &["--from-empty", "--to-empty", "--exit-code"]).exits(0).says("no difference");
    diff(&project, &["--from-empty", "--to-migrations", "nowhere", "--exit-code"]).exits(0).says("no difference");
}

#[test]
fn the_sql_leads_from_one_database_to_the_other() {
    let (project, database) = (project(), database("leads"));
    query(&database, &diff(&project, &["--from-empty", "--to-schema", "before.dsl"]).exits(0).stdout);
    query(&database, &diff(&project, &["--from-url", database.url(), "--to-schema", "after.dsl"]).exits(0).stdout);
    diff(&project, &["--from-url", database.url(), "--to-schema", "after.dsl", "--exit-code"]).exits(0);
    query(&database, &diff(&project, &["--from-url", database.url(), "--to-empty"]).exits(0).stdout);
    diff(&project, &["--from-url", database.url(), "--to-empty", "--exit-code"]).exits(0);
}

#[test]
fn the_output_may_go_to_a_file_or_be_words() {
    let project = project();
    let args = ["--from-schema", "before.dsl", "--to-schema", "after.dsl"];
    let sql = diff(&project, &args).exits(0).stdout;
    diff(&project, &[&args[..], &["--out", "new/next.sql"]].concat()).exits(0);
    assert_eq!(project.read("new/next.sql"), sql);
    let words = diff(&project, &[&args[..], &["--summary", "--exit-code"]].concat()).exits(2).stdout;
    assert_eq!(words.lines().next(), Some("+ enum Role (A, B)"));
    assert!(!words.contains("CREATE"), "{words}");
}

#[test]
fn a_probable_rename_is_a_question_with_three_answers() {
    let (project, database) = (project(), database("rename"));
    project.write("renamed.dsl", BEFORE.replace("name String", "fullName String @map(\"full_name\")"));
    let args = ["--from-schema", "before.dsl", "--to-schema", "renamed.dsl"];
    diff(&project, &args)
        .exits(3)
        .says("users.name -> users.full_name")
        .says("@renamedFrom(\"name\")")
        .says("--rename users.name:full_name")
        .says("--accept-drops");
    diff(&project, &[&args[..], &["--rename", "users.name:full_name"]].concat()).exits(0).says("RENAME COLUMN");
    diff(&project, &[&args[..], &["--rename", "users.nonsense:full_name"]].concat())
        .exits(1)
        .says("does not name a possible rename");
    diff(&project, &[&args[..], &["--accept-drops"]].concat()).exits(0).says("DROP COLUMN");

    let dev = ["migrate", "dev", "--name", "x", "--url", database.url(), "--schema"];
    project.run(&[&dev[..], &["before.dsl"]].concat()).exits(0);
    query(&database, "INSERT INTO users (name) VALUES ('kept')");
    project.run(&[&dev[..], &["renamed.dsl"]].concat()).exits(3);
    assert_eq!(project.list("migrations").len(), 1);
    project.run(&[&dev[..], &["renamed.dsl", "--rename", "users.name:full_name"]].concat()).exits(0);
    assert_eq!(query(&database, "SELECT full_name FROM users"), ["kept"]);
}

#[test]
fn a_database_with_several_schemas_is_read_as_the_schema_says() {
    let (project, database) = (Project::new(), database("namespaces"));
    project.write(
        "schema.dsl",
        "datasource db {\n  provider = \"postgresql\"\n  schemas = [\"shop\", \"staff\"]\n}\n\
         enum Role {\n  A\n  B\n  @@schema(\"staff\")\n}\n\
         model Person {\n  id Int @id @default(autoincrement())\n  role Role @default(A)\n  orders Order[]\n  @@schema(\"staff\")\n}\n\
         model Order {\n  id Int @id @default(autoincrement())\n  by Int\n  person Person @relation(fields: [by], references: [id])\n  @@schema(\"shop\")\n}\n",
    );
    project.run(&["migrate", "dev", "--name", "init", "--url", database.url()]).exits(0);
    let diff_to_schema = ["--from-url", database.url(), "--to-schema", "schema.dsl", "--exit-code"];
    diff(&project, &diff_to_schema).exits(0).says("no difference");
    query(&database, "CREATE TABLE public.not_ours (id int); DROP TABLE shop.\"Order\"");
    diff(&project, &diff_to_schema).exits(2).says("CREATE TABLE \"shop\".\"Order\"").hides("not_ours");
    project.run(&["migrate", "reset", "--force", "--url", database.url()]).exits(0).says("public, shop, staff");
    diff(&project, &diff_to_schema).exits(0);
}

#[test]
fn what_every_scalar_and_default_becomes_reads_back_the_same() {
    let (project, database) = (Project::new(), database("round_trip"));
    project.write("schema.dsl", include_str!("everything.dsl"));
    project.run(&["migrate", "dev", "--name", "init", "--url", database.url()]).exits(0);
    for (from, to) in [("--from-url", "--to-schema"), ("--from-schema", "--to-url")] {
        let value =
            |flag: &str| if flag.ends_with("url") { database.url().to_owned() } else { "schema.dsl".to_owned() };
        diff(&project, &[from, &value(from), to, &value(to), "--exit-code"]).exits(0).says("no difference");
    }
}

#[test]
fn a_type_of_an_extension_is_the_same_in_every_schema() {
    if server().skips_without(&[Feature::Extensions]) {
        return;
    }
    let (project, database) = (Project::new(), database("extension"));
    if query(&database, "SELECT 1 FROM pg_available_extensions WHERE name = 'citext'").is_empty() {
        return relata_devdb::skip("this PostgreSQL does not have the extension citext");
    }
    project.write(
        "schema.dsl",
        "datasource db {\n  provider = \"postgresql\"\n  schemas = [\"shop\"]\n  extensions = [citext]\n}\n\
         model A {\n  id Int @id\n  one String @db.Citext\n  many String[] @db.Citext\n  @@schema(\"shop\")\n}\n",
    );
    project.run(&["migrate", "dev", "--name", "init", "--url", database.url()]).exits(0);
    let args = ["--from-url", database.url(), "--to-schema", "schema.dsl", "--exit-code"];
    diff(&project, &args).exits(0).says("no difference");
    project.run(&["migrate", "reset", "--force", "--url", database.url()]).exits(0);
    assert_eq!(query(&database, "SELECT count(*) FROM pg_extension WHERE extname = 'citext'"), ["1"]);
}

#[test]
fn json_has_the_changes_and_the_steps_with_what_they_cost() {
    let project = Project::new();
    project.write("a.dsl", "model T {\n  id Int @id\n  a String?\n  n String\n}\n");
    project.write("b.dsl", "model T {\n  id Int @id\n  n String\n\n  @@index([n])\n}\n");
    let args = ["migrate-diff", "--from-schema", "a.dsl", "--to-schema", "b.dsl", "--json"];
    let json: serde_json::Value = serde_json::from_str(&project.run(&args).exits(0).stdout).expect("valid JSON");
    assert_eq!(json["changes"], serde_json::json!(["- column T.a", "+ index T_n_idx on T"]));
    let (drop, index) = (&json["steps"][0], &json["steps"][1]);
    assert_eq!((&drop["lock"], &drop["findings"][0]["code"]), (&"ACCESS EXCLUSIVE".into(), &"D103".into()));
    assert_eq!((&index["transaction"], &index["work"]), (&"transactional".into(), &"scan".into()));
    let online: Vec<&str> = args.iter().copied().chain(["--online"]).collect();
    let json: serde_json::Value = serde_json::from_str(&project.run(&online).exits(0).stdout).expect("valid JSON");
    let sql = json["steps"][1]["sql"].as_str().expect("a text");
    assert!(sql.starts_with("CREATE INDEX CONCURRENTLY"), "{json}");
    assert_eq!(json["steps"][1]["transaction"], "outside");
}

#[test]
fn a_default_that_is_not_the_schemas_business_stays_in_both_directions() {
    let (project, database) = (Project::new(), database("unmanaged"));
    query(&database, "CREATE TABLE \"T\" (id int, a text DEFAULT 'x', CONSTRAINT \"T_pkey\" PRIMARY KEY (id))");
    project.write("schema.dsl", "model T {\n  id Int @id\n  a String? @default(dbgenerated())\n}\n");
    for ends in [
        ["--from-schema", "schema.dsl", "--to-url", database.url()],
        ["--from-url", database.url(), "--to-schema", "schema.dsl"],
    ] {
        project.run(&[&["migrate-diff", "--exit-code"], &ends[..]].concat()).exits(0).says("no difference");
    }
}

/// What no schema speaks of is compared where both ends have it.
#[test]
fn two_databases_are_compared_in_all_that_they_have() {
    let (project, old, new) = (Project::new(), database("others_old"), database("others_new"));
    let base = "CREATE TABLE t (id int PRIMARY KEY, a text, b text, during int4range);
        CREATE TABLE gone (id int); CREATE TYPE mood AS ENUM ('good');";
    query(
        &old,
        &format!(
            "{base} CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT count(*) FROM v;
            CREATE VIEW of_gone AS SELECT id FROM gone; COMMENT ON VIEW w IS 'counts';
            CREATE SEQUENCE numbers; CREATE SEQUENCE old_numbers; COMMENT ON COLUMN t.a IS 'one'; COMMENT ON TABLE t IS 'x';
            ALTER TABLE t ADD CONSTRAINT apart EXCLUDE USING gist (during WITH &&)"
        ),
    );
    query(
        &new,
        &format!(
            "{base} DROP TABLE gone; ALTER TABLE t ALTER a TYPE varchar(5), ALTER b TYPE text COLLATE \"C\";
            CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT count(*) FROM v; COMMENT ON VIEW w IS 'counts';
            CREATE MATERIALIZED VIEW \"M\" AS SELECT b FROM t; CREATE SEQUENCE numbers INCREMENT BY 5 CYCLE;
            COMMENT ON COLUMN t.a IS 'it''s two'; COMMENT ON TYPE mood IS 'good or bad'; COMMENT ON CONSTRAINT t_pkey ON t IS 'k';
            ALTER TABLE t ADD CONSTRAINT apart EXCLUDE USING gist (during WITH &&) WHERE (id > 0)"
        ),
    );
    let ends = ["--from-url", old.url(), "--to-url", new.url()];
    let words = diff(&project, &[&ends[..], &["--summary", "--accept-drops"]].concat()).exits(0).stdout;
    for line in [
        "~ column t.b from TEXT to TEXT COLLATE \"C\"",
        "- view of_gone",
        "~ view v is created again",
        "~ view w is created again",
        "+ materialized view \"M\"",
        "~ sequence numbers",
        "- sequence old_numbers",
        "~ comment on column t.a",
        "- comment on table t",
        "+ comment on type mood",
        "+ comment on constraint t_pkey on t",
        "~ exclusion constraint apart on t",
        "- table gone",
    ] {
        assert!(words.lines().any(|other| other == line), "{line} is not in\n{words}");
    }
    let sql = diff(&project, &[&ends[..], &["--accept-drops"]].concat()).exits(0).hides("F208").stdout;
    assert_eq!(diff(&project, &[&ends[..], &["--accept-drops"]].concat()).stdout, sql, "the same bytes each time");
    project.migration("1_same", &sql).deploy(&old).exits(0);
    diff(&project, &[&ends[..], &["--exit-code"]].concat()).exits(0);
    let back = ["--from-url", new.url(), "--to-url", old.url(), "--exit-code"];
    diff(&project, &back).exits(0);

    // A schema says nothing about them, so they stay; a collation as well, where the type changes.
    project.write("schema.dsl", "model t {\n  id Int @id\n  a String? @db.VarChar(9)\n  b String? @db.VarChar(5)\n  during Unsupported(\"int4range\")?\n}\nenum mood {\n  good\n}\n");
    let to_schema = ["--from-url", old.url(), "--to-schema", "schema.dsl"];
    let sql = diff(&project, &to_schema)
        .exits(0)
        .says("F208 t.b changes its type: fails because materialized view M uses it")
        .stdout;
    assert!(sql.contains("VARCHAR(5) COLLATE \"C\"") && !sql.contains("DROP"), "{sql}");
}

#[test]
fn what_a_view_reads_is_not_pushed_away() {
    let (project, database) = (Project::new(), database("push_view"));
    query(
        &database,
        "CREATE TABLE t (id int PRIMARY KEY, a int); CREATE TABLE u (id int PRIMARY KEY);
         CREATE VIEW \"V\" AS SELECT a FROM t; CREATE VIEW counts AS SELECT count(*) FROM u",
    );
    project.write("schema.dsl", "model t {\n  id Int @id\n}\n");
    let push = ["db", "push", "--url", database.url(), "--allow-data-loss"];
    project
        .run(&push)
        .exits(1)
        .says("t.a is dropped: fails because view V uses it")
        .says("table u is dropped: fails because view counts uses it");
    assert_eq!(query(&database, "SELECT count(*) FROM u, \"V\""), ["0"]);
    query(&database, "DROP VIEW \"V\", counts");
    project.run(&push).exits(0);
}

#[test]
fn renames_that_contradict_each_other_are_refused() {
    let project = Project::new();
    project.write("a.dsl", "model t {\n  id Int @id\n  a String?\n  b String?\n}\n");
    project.write("b.dsl", "model t {\n  id Int @id\n  c String?\n  d String?\n}\n");
    let diff = |renames: &[&str]| {
        let flags = renames.iter().flat_map(|it| ["--rename", it]);
        let args = ["migrate-diff", "--from-schema", "a.dsl", "--to-schema", "b.dsl", "--accept-drops", "--summary"];
        project.run(&args.into_iter().chain(flags).collect::<Vec<_>>())
    };
    diff(&["t.a:c", "t.a:d"]).exits(64).says("--rename t.a:c and --rename t.a:d contradict each other");
    diff(&["t.a:c", "t.b:c"]).exits(64).says("contradict each other");
    diff(&["t.a:c", "t.b:d", "t.a:c"]).exits(0);
}

/// Its temporary name is not part of the summary.
#[test]
fn what_makes_way_for_a_rename_is_told_by_its_name() {
    let project = Project::new();
    project.write("a.dsl", "model t {\n  id Int @id\n  a String?\n  b String?\n}\nmodel u {\n  id Int @id\n}\n");
    project.write("b.dsl", "model u {\n  id Int @id\n  b String?\n}\n");
    let args = ["migrate-diff", "--from-schema", "a.dsl", "--to-schema", "b.dsl", "--summary"];
    let said = project.run(&[&args[..], &["--rename", "t:u", "--rename", "t.a:b"]].concat()).exits(0).hides("__old");
    said.says("- table u").says("~ table t is renamed to u").says("- column u.b").says("~ column u.a is renamed to b");
}

/// What a deletion deletes is no detail.
#[test]
fn the_summary_says_which_action_of_a_foreign_key_changes() {
    let project = Project::new();
    let schema = |actions: &str| {
        format!(
            "model User {{\n  id Int @id\n  posts Post[]\n}}\nmodel Post {{\n  id Int @id\n  userId Int?\n  user User? \
             @relation(fields: [userId], references: [id]{actions})\n  @@index([userId])\n}}\n"
        )
    };
    project.write("a.dsl", schema("")).write("b.dsl", schema(", onDelete: Cascade"));
    project.write("c.dsl", schema(", onDelete: Cascade, onUpdate: NoAction"));
    let words = |from: &str, to: &str| {
        diff(&project, &["--summary", "--from-schema", from, "--to-schema", to]).exits(0).stdout.trim().to_owned()
    };
    let key = "~ foreign key Post_userId_fkey on Post from";
    assert_eq!(words("a.dsl", "b.dsl"), format!("{key} ON DELETE SET NULL to ON DELETE CASCADE"));
    assert_eq!(words("b.dsl", "c.dsl"), format!("{key} ON UPDATE CASCADE to ON UPDATE NO ACTION"));
    let both = "ON DELETE CASCADE ON UPDATE NO ACTION to ON DELETE SET NULL ON UPDATE CASCADE";
    assert_eq!(words("c.dsl", "a.dsl"), format!("{key} {both}"));
}
