//! `migrate lint`, `--online`, and the codes of both.

use crate::support::{Output, Project, database, query};

const NOTES: &str = "CREATE TABLE notes (id int PRIMARY KEY, title text, body text, kind text, owner int);\n\
                     CREATE TABLE owners (id int PRIMARY KEY);";

fn lint(project: &Project, args: &[&str]) -> Output {
    project.run(&[&["migrate", "lint"], args].concat())
}

/// The codes found in a hand-written migration that follows `NOTES`.
fn codes(sql: &str) -> Vec<String> {
    let project = Project::new();
    project.migration("1_notes", NOTES).migration("2_change", sql);
    let output = lint(&project, &["2_change", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let findings = json["findings"].as_array().expect("a list");
    let mut codes: Vec<String> =
        findings.iter().map(|finding| finding["code"].as_str().unwrap_or_default().to_owned()).collect();
    codes.sort();
    codes
}

#[test]
fn hand_written_sql_is_read() {
    let cases: &[(&str, &[&str])] = &[
        ("DROP SCHEMA shop CASCADE;", &["D101", "D108"]),
        ("DROP TABLE notes;", &["D102"]),
        ("ALTER TABLE notes DROP COLUMN body, DROP COLUMN kind;", &["D103", "D103"]),
        ("TRUNCATE notes CASCADE;", &["D108"]),
        ("DROP SEQUENCE numbers;", &["D109"]),
        ("ALTER TABLE notes ADD COLUMN page bigint NOT NULL;", &["F201"]),
        ("ALTER TABLE notes ALTER COLUMN title SET NOT NULL;", &["F202", "L307"]),
        ("CREATE UNIQUE INDEX u ON notes (title);", &["F203", "L301"]),
        ("ALTER TABLE notes ADD CONSTRAINT u UNIQUE (title);", &["F203", "L304"]),
        ("ALTER TABLE notes ADD PRIMARY KEY (title, id);", &["F202", "F202", "F203", "L304"]),
        ("ALTER TABLE notes ADD CONSTRAINT f FOREIGN KEY (owner) REFERENCES owners (id);", &["F204", "L309", "Q503"]),
        ("ALTER TABLE notes ADD CONSTRAINT c CHECK (owner > 0);", &["F205", "L308"]),
        ("ALTER TABLE notes ADD CONSTRAINT e EXCLUDE USING gist (owner WITH =, span WITH &&);", &["F211", "L316"]),
        ("ALTER TABLE notes ADD CONSTRAINT e EXCLUDE (lower(title) WITH =) WHERE (owner > 0);", &["F211", "L316"]),
        ("ALTER TYPE kind ADD VALUE 'late' AFTER 'x';\nUPDATE notes SET kind = 'late';", &["C402", "F207", "L313"]),
        (
            "ALTER TYPE kind ADD VALUE 'late' AFTER 'x';\n-- relata:segment outside\nUPDATE notes SET kind = 'late';",
            &["C402"],
        ),
        ("ALTER TABLE notes ALTER COLUMN body TYPE text[];", &["F206", "L305"]),
        ("ALTER TABLE notes ALTER COLUMN body TYPE text[] USING ARRAY[body];", &["L305"]),
        ("ALTER TABLE notes DROP COLUMN body, ADD COLUMN content text;", &["D103", "D104"]),
        ("ALTER TABLE notes DROP COLUMN title;\nALTER TABLE notes ADD COLUMN titles text;", &["D103", "D104"]),
        ("ALTER TABLE notes DROP COLUMN title;\nALTER TABLE notes ADD COLUMN size bigint;", &["D103"]),
        (
            "ALTER TABLE notes ADD COLUMN titles text;\n-- relata:segment outside\nUPDATE notes SET titles = title;\n\
             -- relata:segment transactional\nALTER TABLE notes DROP COLUMN title;",
            &["D103"],
        ),
        ("DROP TABLE notes;\nCREATE TABLE note (id bigint);", &["D102", "D104"]),
        ("ALTER TABLE notes DROP COLUMN kind;\nALTER TABLE owners DROP COLUMN id;", &["D103", "D103", "L312"]),
        (
            "ALTER TABLE notes DROP COLUMN kind;\n-- relata:segment transactional\nALTER TABLE owners DROP COLUMN id;",
            &["D103", "D103"],
        ),
        ("CREATE TABLE t (id bigint PRIMARY KEY, owner bigint REFERENCES owners (id));", &["Q503"]),
        ("CREATE TABLE t (owner bigint REFERENCES owners (id));\nCREATE INDEX i ON t (owner, (1));", &[]),
        ("CREATE TABLE t (a bigint, b bigint, PRIMARY KEY (b, a), FOREIGN KEY (a, b) REFERENCES pairs (a, b));", &[]),
        ("CREATE INDEX i ON notes (title);", &["L301"]),
        ("DROP INDEX i;", &["L302"]),
        ("CREATE INDEX CONCURRENTLY i ON notes (title);", &["L303"]),
        ("-- relata:segment outside\nCREATE INDEX CONCURRENTLY i ON notes (title);", &[]),
        ("ALTER TABLE notes ALTER COLUMN id TYPE bigint;", &["L305"]),
        ("ALTER TABLE notes ADD COLUMN token uuid DEFAULT gen_random_uuid();", &["L306"]),
        (
            "ALTER TABLE notes ADD CONSTRAINT c CHECK (owner > 0) NOT VALID;\nALTER TABLE notes VALIDATE CONSTRAINT c;",
            &["L310"],
        ),
        (
            "ALTER TABLE notes ADD CONSTRAINT c CHECK (owner > 0) NOT VALID;\n-- relata:segment outside\n\
             ALTER TABLE notes VALIDATE CONSTRAINT c;",
            &[],
        ),
        ("SET lock_timeout = 0;", &["L311"]),
        ("SET lock_timeout = '5s';", &[]),
        ("DELETE FROM notes;", &["L313"]),
        ("-- relata:segment outside\nDELETE FROM notes;", &[]),
        ("ALTER TABLE notes RENAME COLUMN title TO name;", &["C401"]),
        ("ALTER TABLE notes RENAME TO pages;", &["C401"]),
        ("ALTER TABLE notes ALTER COLUMN id DROP NOT NULL;", &["C402"]),
        ("ALTER TABLE notes DROP CONSTRAINT notes_pkey;", &["C403"]),
        ("CREATE TABLE t (id int, at timestamp, code char(3));", &["Q501"]),
        ("-- relata:segment outside\nCREATE TABLE t (id bigint);", &["Q505"]),
        ("SELEKT 1;", &["Q506"]),
        (
            "CREATE TABLE t (id bigint);\nCREATE UNIQUE INDEX i ON t (id);\nALTER TABLE t ALTER COLUMN id SET NOT NULL;",
            &[],
        ),
    ];
    let wrong: Vec<_> = cases
        .iter()
        .map(|(sql, expected)| (sql, expected, codes(sql)))
        .filter(|(_, expected, found)| *expected != found)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let long = "n".repeat(70);
    assert_eq!(codes(&format!("ALTER TABLE notes ADD COLUMN {long} text;")), ["Q502"]);
}

#[test]
fn a_finding_names_its_place_and_an_error_fails() {
    let project = Project::new();
    project.migration("1_notes", NOTES).migration("2_drop", "SELECT 1;\n\n-- gone\nDROP TABLE\n  notes;");
    lint(&project, &[])
        .exits(1)
        .says("migrations/2_drop/migration.sql:4: error[D102]: table notes is dropped with all its rows")
        .says("in: DROP TABLE")
        .says("2 migrations, 1 error");
    lint(&project, &["1_notes"]).exits(0).says("1 migration, 0 errors, 0 warnings, 2 info");
    lint(&project, &["3_none"]).exits(1).says("there is no migration 3_none");
    project.run(&["explain", "d102"]).exits(0).says("D102 (error): Drops a table").says("Instead:");
    project.run(&["explain", "D999"]).exits(1).says("D102, D103");
}

#[test]
fn an_allowance_counts_only_with_a_reason() {
    let project = Project::new();
    let drop = |comment: &str| format!("{comment}\nALTER TABLE notes DROP COLUMN body;");
    project.migration("1_notes", NOTES).migration("2_drop", &drop("-- lint:allow D103"));
    lint(&project, &["2_drop"]).exits(1).says("`lint:allow D103` has no reason");
    project.migration("2_drop", &drop("-- lint:allow D103 copied to pages in 2025"));
    lint(&project, &["2_drop"]).exits(0).says("0 errors").says("1 allowed").hides("error[D103]");
    lint(&project, &["2_drop", "--json"]).exits(0).says("\"allowed\": \"copied to pages in 2025\"");
    project.migration("2_drop", &drop("-- lint:allow D102 copied to pages in 2025"));
    lint(&project, &["2_drop"]).exits(1).says("error[D103]");
}

#[test]
fn counts_of_a_live_database_silence_or_sharpen() {
    let (project, database) = (Project::new(), database("counts"));
    project.migration("1_notes", NOTES);
    project.deploy(&database).exits(0);
    let changes = [
        "DROP TABLE owners;",
        "ALTER TABLE notes DROP COLUMN body;",
        "ALTER TABLE notes ADD COLUMN page bigint NOT NULL;",
        "ALTER TABLE notes ALTER COLUMN title SET NOT NULL;",
        "CREATE UNIQUE INDEX u ON notes (kind);",
        "ALTER TABLE notes ADD CONSTRAINT f FOREIGN KEY (owner) REFERENCES owners (id);",
        "ALTER TABLE notes ADD CONSTRAINT c CHECK (owner < 9);",
        "ALTER TABLE missing DROP COLUMN x;",
    ];
    project.migration("2_changes", &changes.join("\n"));
    let args = ["--url", database.url()];
    let quiet = lint(&project, &args).exits(1);
    let quiet = quiet.says("7 that affect no row").hides("migrations/1_notes");
    assert_eq!(quiet.stdout.matches("error[").count(), 1, "{}", quiet.stdout);
    let quiet =
        quiet.says("column missing.x is dropped").says("not counted: the database does not have these objects yet");
    assert!(quiet.stdout.contains("warning[L301]"), "a count says nothing about locks");

    query(
        &database,
        "INSERT INTO owners VALUES (1); INSERT INTO notes VALUES (1, NULL, 'a', 'k', 9), (2, 't', NULL, 'k', 1)",
    );
    lint(&project, &args)
        .exits(1)
        .says("error[D102]: table owners is dropped with all its rows\n  1 row is there")
        .says("error[D103]: column notes.body is dropped\n  1 value is there")
        .says("error[F201]: notes.page is required and has no default: fails if the table has rows\n  2 rows are there")
        .says("error[F202]: notes.title becomes required: fails if it holds NULL\n  1 NULL is there")
        .says("error[F203]: notes (kind) becomes unique: fails for duplicates\n  1 value occurs more than once")
        .says("fails for orphans\n  1 row references nothing")
        .says("error[F205]: notes must pass a check: fails for rows that violate it\n  1 row violates the check");
    assert_eq!(query(&database, "SELECT count(*) FROM notes"), ["2"]);
    project.migration("1_notes", "SELECT 1;");
    lint(&project, &args).exits(1).says("error[H601]: 1_notes was edited");
}

#[test]
fn the_catalog_silences_what_it_knows_better() {
    let (project, database) = (Project::new(), database("catalog"));
    project.migration("1_notes", NOTES);
    project.deploy(&database).exits(0);
    query(
        &database,
        "CREATE INDEX o ON notes (owner, id); ALTER TABLE notes ADD COLUMN tags varchar[], ADD COLUMN other int;
         INSERT INTO notes (id, title) VALUES (1, 'kept')",
    );
    let changes = [
        "ALTER TABLE notes ADD CONSTRAINT f FOREIGN KEY (owner) REFERENCES owners (id);",
        "ALTER TABLE notes ADD CONSTRAINT g FOREIGN KEY (other) REFERENCES owners (id);",
        "ALTER TABLE notes ALTER COLUMN tags TYPE text[];",
        "ALTER TABLE notes ALTER COLUMN kind TYPE text[];",
        "ALTER TABLE notes DROP COLUMN title, DROP COLUMN body, ADD COLUMN titles text, ADD COLUMN bodys text;",
    ];
    project.migration("2_changes", &changes.join("\n"));
    lint(&project, &["--url", database.url()])
        .exits(1)
        .says("info[Q503]: no index of this migration starts with notes (other)\n  1 foreign key has no index there")
        .hides("starts with notes (owner)")
        .says("error[F206]: notes.kind becomes a list without USING")
        .hides("notes.tags becomes a list")
        .says("error[D104]: column notes.title is dropped and titles is added")
        .hides("column notes.body is dropped");
}

#[test]
fn generated_columns_are_counted_with_what_uses_a_column() {
    let (project, database) = (Project::new(), database("generated"));
    let dev = |schema: &str, name: &str, more: &[&str]| {
        project.write("schema.dsl", schema);
        self::dev(&project, database.url(), name, more)
    };
    dev("model T {\n  id Int @id\n  a Int @default(1)\n  b Int\n}\n", "one", &[]).exits(0);
    dev("model T {\n  id Int @id\n  a BigInt @default(1)\n  b Int\n}\n", "two", &["--create-only"]).exits(0);
    let args = ["--url", database.url()];
    lint(&project, &args).exits(0).hides("F208");
    query(&database, "ALTER TABLE \"T\" ADD COLUMN c int GENERATED ALWAYS AS (a + 1) STORED");
    lint(&project, &args).exits(1).says("generated column uses it: column c of table \"T\"");
    project.deploy(&database).exits(1).says("used by a generated column");
}

#[test]
fn a_planned_foreign_key_without_an_index_is_told() {
    let (project, database) = (Project::new(), database("bare_key"));
    let schema = |index: &str| {
        format!(
            "model A {{\n  id Int @id\n  bs B[]\n}}\n\nmodel B {{\n  id Int @id\n  aId Int\n  \
             a A @relation(fields: [aId], references: [id])\n{index}}}\n"
        )
    };
    project.write("schema.dsl", schema(""));
    dev(&project, database.url(), "one", &["--create-only"]).exits(0);
    lint(&project, &[]).exits(0).says("info[Q503]: no index starts with B (aId)");
    let project = Project::new();
    project.write("schema.dsl", schema("\n  @@index([aId, id])\n"));
    dev(&project, database.url(), "two", &["--create-only"]).exits(0);
    lint(&project, &[]).exits(0).says("0 info");
}

const BEFORE: &str =
    "enum Kind {\n  A\n  B\n}\n\nmodel Note {\n  id Int @id\n  title String?\n  size Int\n  kind Kind\n}\n";
const AFTER: &str = "enum Kind {\n  A\n}\n\nmodel Note {\n  id Int @id\n  title String\n  size SmallInt\n  kind Kind\n\n  @@index([size])\n}\n";

fn dev(project: &Project, url: &str, name: &str, more: &[&str]) -> Output {
    project.run(&[&["migrate", "dev", "--name", name, "--url", url], more].concat())
}

#[test]
fn our_own_statements_are_judged_by_the_plan() {
    let (project, database) = (Project::new(), database("planned"));
    project.write("schema.dsl", BEFORE);
    dev(&project, database.url(), "init", &[]).exits(0);
    lint(&project, &[]).exits(0).says("0 errors, 0 warnings, 0 info");
    project.write("schema.dsl", AFTER.replace("SmallInt", "Int @db.SmallInt"));
    dev(&project, database.url(), "change", &["--create-only"]).exits(0);
    lint(&project, &[])
        .exits(1)
        .says("error[D107]: Note.kind no longer allows B")
        .says("warning[D106]: Note.size becomes SMALLINT from INTEGER")
        .says("warning[F202]: Note.title becomes required")
        .says("warning[L305]: Rewrites the whole table")
        .says("warning[L301]: Reads the whole table");
    let args = ["--url", database.url()];
    lint(&project, &args).exits(0).hides("D107").hides("F202").says("warning[L301]");
    query(&database, "INSERT INTO \"Note\" VALUES (1, 't', 1, 'B')");
    lint(&project, &args).exits(1).says("error[D107]").says("1 row has a removed value").hides("F202");
}

#[test]
fn an_online_migration_is_made_applied_and_has_less_to_say() {
    let (project, database) = (Project::new(), database("online"));
    project.write("schema.dsl", BEFORE);
    dev(&project, database.url(), "init", &[]).exits(0);
    query(&database, "INSERT INTO \"Note\" VALUES (1, 't', 1, 'A')");
    project
        .write("schema.dsl", BEFORE.replace("title String?", "title String @unique").replace("size Int", "size Int?"));
    dev(&project, database.url(), "online", &["--online"]).exits(0).says("applied");
    let name = project.list("migrations").pop().expect("a migration");
    let sql = project.read(&format!("migrations/{name}/migration.sql"));
    for part in ["-- relata:segment outside", "NOT VALID", "VALIDATE CONSTRAINT", "CREATE UNIQUE INDEX CONCURRENTLY"] {
        assert!(sql.contains(part), "{part}\n{sql}");
    }
    let found = lint(&project, &[&name]).exits(0);
    found.says("F203").hides("L301").hides("L307");
    let args = ["migrate-diff", "--from-url", database.url(), "--to-schema", "schema.dsl", "--exit-code"];
    project.run(&args).exits(0).says("no difference");
    let args = ["migrate-diff", "--from-empty", "--to-schema", "schema.dsl", "--online"];
    project.run(&args).exits(0).hides("CONCURRENTLY");
}

#[test]
fn an_online_migration_that_stops_goes_on_once_the_rows_fit() {
    let (project, database) = (Project::new(), database("online_stops"));
    project.write("schema.dsl", BEFORE);
    dev(&project, database.url(), "init", &[]).exits(0);
    query(&database, "INSERT INTO \"Note\" VALUES (1, 't', 1, 'A'), (2, NULL, 1, 'A')");
    project.write(
        "schema.dsl",
        BEFORE.replace("title String?", "title String").replace("  size Int\n", "  size Int @unique\n"),
    );
    dev(&project, database.url(), "online", &["--online"]).exits(1).says("SQLSTATE 23514");
    project.status(&database).exits(3);
    query(&database, "UPDATE \"Note\" SET title = 'u' WHERE title IS NULL");
    project.deploy(&database).exits(1).says("SQLSTATE 23505");
    query(&database, "UPDATE \"Note\" SET size = id");
    project.deploy(&database).exits(0);
    project.status(&database).exits(0).says("up to date");
    assert_eq!(query(&database, "SELECT count(*) FROM pg_constraint WHERE conname LIKE '%required%'"), ["0"]);
}

/// The book has a row for every code, and none that is not there.
#[test]
fn the_book_lists_the_codes() {
    use relata_codegen::sql::{LINTS, LintSeverity};
    let book = include_str!("../../../docs/migrations.md");
    let rows: Vec<&str> = book
        .lines()
        .filter(|line| line.starts_with("| ") && line.get(3..6).is_some_and(|it| it.parse::<u32>().is_ok()))
        .collect();
    let row = |lint: &relata_codegen::sql::Lint| {
        let severity = match lint.severity {
            LintSeverity::Error => "error",
            LintSeverity::Warning => "warning",
            LintSeverity::Info => "info",
        };
        format!("| {} | {severity} | {} |", lint.code, lint.title)
    };
    assert_eq!(rows, LINTS.iter().map(|lint| row(lint)).collect::<Vec<_>>());
}

/// The same statement ends an online plan, where it costs nothing.
#[test]
fn a_planned_statement_is_judged_by_the_plan_that_it_comes_from() {
    let project = Project::new();
    project.write("schema.dsl", "model T {\n  id Int @id\n  a String?\n}\n");
    project.run(&["migrate", "dev", "--create-only", "--name", "init"]).exits(0);
    project.write("schema.dsl", "model T {\n  id Int @id\n  a String\n}\n");
    project.run(&["migrate", "dev", "--create-only", "--name", "require"]).exits(0);
    lint(&project, &[]).exits(0).says("F202").says("L307").says("2 warnings");
}

#[test]
fn a_migration_that_loses_data_says_so_when_it_is_made() {
    let project = Project::new();
    project.write("schema.dsl", "model T {\n  id Int @id\n  a String?\n}\n");
    project.run(&["migrate", "dev", "--create-only", "--name", "init"]).exits(0).hides("loses data");
    project.write("schema.dsl", "model T {\n  id Int @id\n}\n");
    let made = project.run(&["migrate", "dev", "--create-only", "--name", "drop"]).exits(0);
    made.says("loses data: ").says("(D103)");
}

#[test]
fn a_renamed_table_is_locked_once() {
    let project = Project::new();
    project.migration(
        "1_rename",
        "ALTER TABLE a RENAME TO b; ALTER TABLE b ADD COLUMN c int; ALTER TABLE b SET SCHEMA s; ALTER TABLE s.b DROP COLUMN d;",
    );
    lint(&project, &[]).hides("L312");
    project.migration("2_two", "ALTER TABLE a RENAME TO b; ALTER TABLE a ADD COLUMN c int;");
    lint(&project, &[]).says("L312");
}

/// The compiler accepts it too (R0716): a partial index is made for the rows that queries look for.
#[test]
fn a_partial_index_helps_a_foreign_key() {
    let (project, database) = (Project::new(), database("partial_index"));
    let sql = "ALTER TABLE notes ADD CONSTRAINT f FOREIGN KEY (owner) REFERENCES notes (id);";
    let index = "CREATE INDEX i ON notes (owner) WHERE owner IS NOT NULL;";
    let table = "CREATE TABLE notes (id int PRIMARY KEY, owner int);";
    project.migration("1_table", table).migration("2_key", sql);
    lint(&project, &["2_key"]).says("Q503");
    query(&database, &format!("{table} {index}"));
    lint(&project, &["2_key", "--url", database.url()]).hides("Q503");
    project.migration("2_key", &format!("{sql} {index}"));
    lint(&project, &["2_key"]).hides("Q503");
    let schema = "model A {\n  id Int @id\n  bs B[]\n}\nmodel B {\n  id Int @id\n  aId Int?\n  a A? @relation(fields: [aId], references: [id])\n  @@index([aId], where: raw(\"\\\"aId\\\" IS NOT NULL\"))\n}\n";
    let project = Project::new();
    project.write("schema.dsl", schema);
    project.run(&["migrate", "dev", "--create-only", "--name", "init"]).exits(0).hides("R0716");
    lint(&project, &[]).hides("Q503");
}
