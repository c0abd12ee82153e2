//! Queries in files: `check`, `check --database`, `generate`.

use std::fs;
use std::path::Path;

use crate::support::{Project, database, query};

const SCHEMA: &str = "model User {\n  id Int @id @default(autoincrement())\n  name String?\n  @@map(\"users\")\n}\n";

/// Whether the server is of this version or a later one; otherwise says what is skipped.
fn is_since(version: u32, what: &str, reason: &str) -> bool {
    let sql = format!("SELECT 1 WHERE current_setting('server_version_num')::int >= {version}0000");
    let is_since = query(&database("version"), &sql) == ["1"];
    if !is_since {
        relata_devdb::skip(&format!("{what}: needs PostgreSQL {version}, for {reason}"));
    }
    is_since
}

/// PostgreSQL confirms every type, name and count of every fixture of the compiler.
#[test]
fn postgresql_agrees_with_what_was_derived() {
    if !is_since(14, "types of queries", "subscripts of jsonb, and extract, which was a float8 before") {
        return;
    }
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../codegen/tests/fixtures/queries");
    let project = Project::new();
    project.write("schema.dsl", fs::read(fixtures.join("schema.dsl")).expect("is read"));
    let (mut count, mut left_out) = (0, 0);
    let has_merge = is_since(15, "a statement that only annotations describe", "MERGE");
    for entry in fs::read_dir(fixtures.join("ok")).expect("is read") {
        let path = entry.expect("is read").path();
        if !has_merge && path.ends_with("a_statement_that_only_annotations_describe.sql") {
            left_out += 1;
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        project.write(&format!("queries/{name}"), fs::read(&path).expect("is read"));
        count += 1;
    }
    assert!(count + left_out >= 50, "{count} fixtures");
    let agrees = format!("PostgreSQL agrees with {count} queries");
    project.run(&["check", "--database"]).exits(0).says(&agrees).says(&format!("{count} queries"));
    project.run(&["generate"]).exits(0);
    project.run(&["generate", "--check"]).exits(0);
    assert!(project.read("generated/queries.rs").contains("pub fn windows("));
}

/// The same for types of PostgreSQL and of extensions. Each folder has its own schema, and needs its extension.
#[test]
fn postgresql_agrees_about_types_beyond_the_scalars() {
    if !is_since(14, "types of queries", "multiranges") {
        return;
    }
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).join("../codegen/tests/fixtures/queries/typed");
    let database = database("extensions");
    for folder in fs::read_dir(folders).expect("is read") {
        let folder = folder.expect("is read").path();
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let available = format!("SELECT 1 FROM pg_available_extensions WHERE name = '{name}'");
        if name != "postgresql" && query(&database, &available) != ["1"] {
            relata_devdb::skip(&format!("types of queries: needs the extension {name}"));
            continue;
        }
        let (project, mut count) = (Project::new(), 0);
        for entry in fs::read_dir(&folder).expect("is read") {
            let path = entry.expect("is read").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let is_query = name.ends_with(".sql");
            project.write(&if is_query { format!("queries/{name}") } else { name }, fs::read(&path).expect("is read"));
            count += usize::from(is_query);
        }
        let queries = if count == 1 { "query" } else { "queries" };
        let agrees = format!("PostgreSQL agrees with {count} {queries}");
        project.run(&["check", "--database"]).exits(0).says(&agrees).hides("R1015");
    }
}

#[test]
fn mistakes_are_those_of_the_project() {
    let project = Project::new();
    project.write("schema.dsl", SCHEMA).write("queries/by_name.sql", "SELECT id FROM users WHERE nam = $1\n");
    project.run(&["check"]).exits(1).says("R1004").says("by_name.sql:1:28").says("did you mean `name`?");
    let json = project.run(&["check", "--json"]).exits(1).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("valid JSON");
    let found = &json["diagnostics"][0];
    assert_eq!(
        (found["code"].as_str(), found["line"].as_u64(), found["column"].as_u64()),
        (Some("R1004"), Some(1), Some(28))
    );
    assert!(found["file"].as_str().is_some_and(|file| file.ends_with("by_name.sql")));
    project.run(&["generate"]).exits(1).says("R1004");
    assert!(!project.path("generated").exists());

    project.write("prisma/sql/byName.sql", "SELECT id FROM users WHERE name = $1\n");
    project.write("codegen.toml", "queries = \"prisma/sql\"\n");
    project.run(&["check"]).exits(0).says("1 model, 1 query");
    project.run(&["generate"]).exits(0);
    assert!(project.read("generated/queries.rs").contains("pub fn by_name(name: impl rt::IntoValue<rt::String>)"));
    project.write("codegen.toml", "queries = \"nowhere\"\n");
    project.run(&["check"]).exits(1).says("cannot read nowhere");
}

#[test]
fn what_postgresql_refuses_is_shown_at_its_place() {
    let project = Project::new();
    let sql = "-- @column {Int} level\nSELECT name,\n  our_level(:first) AS level FROM users WHERE name = :first\n";
    project.write("schema.dsl", SCHEMA).write("queries/levels.sql", sql);
    project.run(&["check"]).exits(0);
    let refused = project.run(&["check", "--database"]).exits(1);
    refused.says("R1016").says("levels.sql:3:3").says("function our_level").says("SQLSTATE 42883");
}

#[test]
fn what_postgresql_sees_otherwise_is_told() {
    if !is_since(15, "a column that is not there", "MERGE") {
        return;
    }
    let project = Project::new();
    project.write("schema.dsl", SCHEMA);
    project.write("queries/a.sql", "-- @column {Int} level\nSELECT hashtextextended(name, 0) AS level FROM users\n");
    project.write("queries/b.sql", "-- @column {String} name\nSELECT name FROM users\n");
    project.write(
        "queries/c.sql",
        "-- @column {Int} n\nMERGE INTO users u USING users v ON false WHEN MATCHED THEN DELETE\n",
    );
    project
        .run(&["check", "--database"])
        .exits(1)
        .says("PostgreSQL says that `level` is int8, but int4 was inferred")
        .says("a.sql:2:8")
        .says("`name` is nullable in the database")
        .says("PostgreSQL returns 0 columns, and the compiler inferred 1")
        .says("3 errors");
}

#[test]
fn scans_of_large_tables_are_told() {
    let project = Project::new();
    project.write("schema.dsl", SCHEMA);
    project.write("queries/by_name.sql", "SELECT id FROM users WHERE name = $1\n");
    project.write("queries/by_key.sql", "SELECT name FROM users WHERE id = $1\n");
    project.write("queries/by_length.sql", "SELECT id FROM users WHERE length(name) <> $1\n");
    project.write("queries/all_names.sql", "SELECT name FROM users\n");
    project.write("queries/rename.sql", "UPDATE users SET name = $1 WHERE name = $2\n");
    let database = database("scans");
    query(&database, "CREATE TABLE users (id int PRIMARY KEY, name text)");
    let url = ["check", "--database", "--url", database.url()];
    let small = project.run(&url).exits(0).says("PostgreSQL agrees with 5 queries");
    small.hides("R1019");
    query(&database, "INSERT INTO users SELECT n, 'name ' || n FROM generate_series(1, 120000) n");
    query(&database, "ANALYZE users");
    let large = project.run(&url).exits(0).says("PostgreSQL agrees with 5 queries").says("by_name.sql:1:1");
    let large = large.says("rename.sql:1:1").says("reads all rows of `users`, about 120000").says("(users.name = $1)");
    large.hides("by_key.sql").hides("all_names.sql").hides("by_length.sql");
    project.write("codegen.toml", "[check]\nallow = [\"R1019\"]\n");
    project.run(&url).exits(0).hides("R1019");
    project.write("codegen.toml", "");
    let allowed = "-- lint:allow R1019 runs once a night\nSELECT id FROM users WHERE name = $1\n";
    project.write("queries/by_name.sql", allowed);
    project.run(&url).exits(0).says("rename.sql:1:1").hides("by_name.sql:");
    query(&database, "CREATE INDEX ON users (name)");
    project.run(&url).exits(0).hides("R1019");
    assert_eq!(query(&database, "SELECT count(*) FROM users WHERE name IS NULL"), ["0"]);
}

#[test]
fn a_database_of_ones_own_is_only_read() {
    let project = Project::new();
    project.write("schema.dsl", SCHEMA).write("queries/add.sql", "INSERT INTO users (name) VALUES ($1) RETURNING id\n");
    let database = database("queries");
    query(&database, "CREATE TABLE users (id bigint PRIMARY KEY, name text)");
    let url = ["check", "--database", "--url", database.url()];
    project.run(&url).exits(1).says("PostgreSQL says that `id` is int8, but int4 was inferred").hides("postgres://");
    query(&database, "ALTER TABLE users ALTER id TYPE int");
    project.run(&url).exits(0).says("PostgreSQL agrees with 1 query");
    assert_eq!(query(&database, "SELECT count(*) FROM users"), ["0"]);
    project.run(&["check", "--url", database.url()]).exits(64);
    project.run(&["check", "--database", "--url", "postgres://me:hunter2@127.0.0.1:1/x"]).exits(1).hides("hunter2");
}

/// PostgreSQL accepts what the client of one tenant sends for a file that writes.
#[test]
fn postgresql_accepts_what_a_tenant_sends() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../codegen/tests/fixtures/queries");
    let project = Project::new();
    project.write("schema.dsl", fs::read(fixtures.join("tenants.dsl")).expect("is read"));
    let mut count = 0;
    for entry in fs::read_dir(fixtures.join("tenants")).expect("is read") {
        let path = entry.expect("is read").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        project.write(&format!("queries/{name}"), fs::read(&path).expect("is read"));
        count += 1;
    }
    assert!(count >= 40, "{count} fixtures");
    project.run(&["check", "--database"]).exits(0).says(&format!("PostgreSQL agrees with {count} queries"));
}

/// The id of the tenant has the type of the column wherever a statement uses it.
#[test]
fn a_tenants_id_has_the_type_of_its_column() {
    let statements = [
        "INSERT INTO room (name) SELECT DISTINCT name FROM room",
        "INSERT INTO room (name) VALUES ('a'), ('b') ON CONFLICT (name) DO UPDATE SET name = 'c' RETURNING id",
        "INSERT INTO room (name) VALUES ('a'), ('b') ORDER BY 1",
        "INSERT INTO room (name) SELECT 'a' FROM note WHERE text = $1 GROUP BY 1",
        "INSERT INTO note DEFAULT VALUES",
        "WITH n AS (UPDATE note SET text = $1 RETURNING text) INSERT INTO room (name) SELECT text FROM n",
        "WITH n AS (INSERT INTO note (text) VALUES ($1) RETURNING text) DELETE FROM room USING n WHERE name = text",
    ];
    for (key, reference) in [
        ("Int", "Int"),
        ("BigInt", "BigInt"),
        ("BigInt", "Int"),
        ("Int @db.SmallInt", "Int @db.SmallInt"),
        ("String", "String"),
        ("String @db.VarChar(10)", "String @db.VarChar(10)"),
        ("String @db.Char(3)", "String @db.Char(3)"),
        ("String @db.Uuid", "String @db.Uuid"),
    ] {
        let relation = format!("tenant {reference}\n  school School @relation(fields: [tenant], references: [id])");
        let schema = format!(
            "model School {{\n  id {key} @id\n  rooms Room[]\n  notes Note[]\n  @@tenant\n  @@map(\"school\")\n}}\n\
             model Room {{\n  id Int @default(autoincrement())\n  {relation}\n  name String @unique(global: true)\n  \
             @@id([tenant, id])\n  @@tenant(school)\n  @@map(\"room\")\n}}\n\
             model Note {{\n  id Int @default(autoincrement())\n  {}\n  text String @default(\"\")\n  \
             @@id([tenant, id])\n  @@tenant(school)\n  @@map(\"note\")\n}}\n",
            relation.replace(reference, key)
        );
        let project = Project::new();
        project.write("schema.dsl", schema);
        for (at, sql) in statements.iter().enumerate() {
            project.write(&format!("queries/q{at}.sql"), sql);
        }
        let agrees = format!("PostgreSQL agrees with {} queries", statements.len());
        project.run(&["check", "--database"]).exits(0).says(&agrees).hides("R1015");
    }
}

/// The functions, views and sequences of `sql` have the types that PostgreSQL gives them.
#[test]
fn postgresql_agrees_with_the_objects_of_the_project() {
    if !is_since(14, "types of queries", "subscripts of jsonb, and extract, which was a float8 before") {
        return;
    }
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../codegen/tests/fixtures/queries");
    let objects = fs::read_to_string(fixtures.join("objects.sql")).expect("is read");
    let (project, database) = (Project::new(), database("objects"));
    let has_trgm = query(&database, "SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'") == ["1"];
    if !has_trgm {
        relata_devdb::skip("objects of a project: needs the extension pg_trgm");
        return;
    }
    project.write("schema.dsl", fs::read(fixtures.join("schema.dsl")).expect("is read"));
    project.run(&["db", "push", "--url", database.url()]).exits(0);
    query(&database, &objects);
    project.write("sql/objects.sql", objects);
    let mut count = 0;
    for entry in fs::read_dir(fixtures.join("objects")).expect("is read") {
        let path = entry.expect("is read").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        project.write(&format!("queries/{name}"), fs::read(&path).expect("is read"));
        count += 1;
    }
    let agrees = format!("PostgreSQL agrees with {count} queries");
    project.run(&["check", "--database", "--url", database.url()]).exits(0).says(&agrees);

    // What `db pull` writes about these objects is the same to the compiler.
    let pulled = ["db", "pull", "--url", database.url(), "--schemas", "public,audit,tools"];
    project.run(&[&pulled[..], &["--force", "--with-sql", "sql/objects.sql"]].concat()).exits(0);
    project.write("sql/extensions.sql", "CREATE EXTENSION pg_trgm;\n");
    assert!(project.read("sql/objects.sql").contains("CREATE OR REPLACE FUNCTION public.bonus"));
    project.run(&["check", "--database", "--url", database.url()]).exits(0).says(&agrees);
}
