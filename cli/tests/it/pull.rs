//! `db pull` of databases that contain what the schema language cannot express.

mod existing;
mod fresh;

use relata_devdb::TestDatabase;

use crate::support::{Output, Project, database, query};

fn db(project: &Project, database: &TestDatabase, args: &[&str]) -> Output {
    project.run(&[&["db"], args, &["--url", database.url()]].concat())
}

/// Pulls, and checks that the schema is one from which the database does not differ, nor does another pull.
#[track_caller]
fn pull(sql: &str, args: &[&str]) -> (Project, TestDatabase, Output) {
    let (project, database) = (Project::new(), database("pull_kinds"));
    query(&database, sql);
    let output = db(&project, &database, &[&["pull"], args].concat()).exits(0).hides("the compiler rejects");
    project.run(&["check"]).exits(0);
    project.run(&["generate"]).exits(0);
    let compare = ["migrate-diff", "--from-url", database.url(), "--to-schema", "schema.dsl", "--exit-code"];
    project.run(&compare).exits(0);
    db(&project, &database, &["pull"]).exits(0).says("already");
    (project, database, output)
}

/// What stands in the schema, without its blanks.
fn words(project: &Project) -> String {
    project.read("schema.dsl").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn has(text: &str, part: &str) {
    assert!(text.contains(part), "{part:?} is not in\n{text}");
}

#[test]
fn tables_without_a_key_that_a_client_can_use_are_ignored_and_the_rest_is_pulled() {
    let (project, _, output) = pull(
        "CREATE TABLE ok (id int PRIMARY KEY); CREATE TABLE loose (a int UNIQUE, b text); CREATE DOMAIN phone AS text;
         CREATE TABLE dom (p phone PRIMARY KEY); CREATE TABLE padded (p bpchar PRIMARY KEY);
         CREATE TABLE lists (p int[] PRIMARY KEY); CREATE TABLE log (ok_id int REFERENCES ok, line text)",
        &[],
    );
    let schema = words(&project);
    has(&schema, "model ok { id Int @id logs log[] @ignore }");
    has(&schema, "model loose { a Int? @unique b String? @@ignore }");
    has(&schema, "model dom { p String @id @domain(\"phone\") }");
    has(&schema, "p Unsupported(\"bpchar\") @id @@ignore");
    has(
        &schema,
        "ok ok? @relation(fields: [ok_id], references: [id], onDelete: NoAction, onUpdate: NoAction) @@ignore",
    );
    output
        .says(": lists, log, loose, padded")
        .says("primary key lists_pkey of lists")
        .says("CREATE DOMAIN public.phone");
}

#[test]
fn a_foreign_key_that_is_no_relation_is_a_warning() {
    let (project, _, output) = pull(
        "CREATE TABLE parent (id numeric PRIMARY KEY, a int, b int, UNIQUE (a, b));
         CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent, a int, b int,
            FOREIGN KEY (b, a) REFERENCES parent (b, a))",
        &[],
    );
    output
        .says("foreign key child_parent_id_fkey of child: `parent_id` is INTEGER and `parent.id` is DECIMAL")
        .hides("child_b_a_fkey");
    has(&words(&project), "@relation(fields: [b, a], references: [b, a]");
}

/// A step that does not concern what pull only warned about leaves it alone.
#[test]
fn a_next_step_leaves_alone_what_was_only_a_warning() {
    let (project, database, _) = pull(
        "CREATE TABLE parent (id bigint PRIMARY KEY); CREATE TYPE nolabels AS ENUM ();
         CREATE TABLE child (id int GENERATED ALWAYS AS IDENTITY (START 7) PRIMARY KEY, parent_id int REFERENCES parent, n nolabels,
            g int GENERATED ALWAYS AS (parent_id * 2) STORED, u int UNIQUE DEFERRABLE, CHECK (u > 0) NO INHERIT);
         CREATE UNIQUE INDEX odd ON child ((u::text) text_pattern_ops); CREATE TABLE heir () INHERITS (child);
         CREATE TABLE part (id int PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE part_1 PARTITION OF part DEFAULT",
        &[],
    );
    let schema = project.read("schema.dsl");
    project.write("schema.dsl", schema.replacen("model child {", "model child {\n  more Int?", 1));
    db(&project, &database, &["push", "--dry-run"])
        .exits(0)
        .says("ALTER TABLE \"child\" ADD COLUMN \"more\" INTEGER")
        .hides("DROP");
    db(&project, &database, &["push"]).exits(0);
    let left = "SELECT conname FROM pg_constraint WHERE conrelid = 'child'::regclass AND contype <> 'n' ORDER BY 1";
    assert_eq!(query(&database, left), ["child_parent_id_fkey", "child_pkey", "child_u_check", "child_u_key"]);
}

#[test]
fn names_that_become_one_are_told_apart() {
    let (project, _, _) = pull(
        "CREATE TYPE size AS ENUM ('1', '2', 'a b', 'a-b', 'y', 'Y');
         CREATE TABLE class (id int PRIMARY KEY, \"1_a\" text, \"2_a\" text, s size DEFAULT 'a-b', \"größe\" int,
            a int NOT NULL, b int NOT NULL, a_b int CONSTRAINT \"²\" UNIQUE, UNIQUE (a, b));
         CREATE TABLE \"Json\" (id int PRIMARY KEY REFERENCES class, class int REFERENCES class)",
        &[],
    );
    let schema = words(&project);
    has(&schema, "x1 @map(\"1\") x2 @map(\"2\") a_b @map(\"a b\") a_b_2 @map(\"a-b\") y Y_2 @map(\"Y\")");
    has(&schema, "x1_a String? @map(\"1_a\") x2_a String? @map(\"2_a\")");
    has(&schema, "@default(a_b_2)");
    has(&schema, "größe Int?");
    has(&schema, "@@unique([a, b], name: \"a_b_key\")");
    has(&schema, "@@map(\"class\")");
    has(&schema, "model JsonModel {");
}

#[test]
fn types_that_the_language_does_not_know_are_unsupported() {
    let (project, _, output) = pull(
        "CREATE SCHEMA other; CREATE TYPE other.en AS ENUM ('a'); CREATE TYPE e AS ENUM ('', 'x'); CREATE TYPE nolabels AS ENUM ();
         CREATE DOMAIN filled AS text CHECK (length(VALUE) > 0); CREATE DOMAIN list AS int[];
         CREATE TABLE t (id int PRIMARY KEY, a other.en, b e, c nolabels, d filled[] NOT NULL DEFAULT '{}', f numeric(1000, 0), g list)",
        &[],
    );
    let schema = words(&project);
    for part in ["\"other.en\"", "\"e\"", "\"nolabels\"", "\"list\""] {
        has(&schema, &format!("Unsupported({part})?"));
    }
    has(&schema, "d String[] @default([]) @domain(\"filled\")");
    output.says("public.e").says("other.en").says("t.a (other.en)");
}

#[test]
fn the_constraints_of_partitions_are_not_keys_of_their_own() {
    let (project, _, output) = pull(
        "CREATE TABLE snap (id int NOT NULL, d date, PRIMARY KEY (id, d)) PARTITION BY RANGE (d);
         CREATE TABLE snap_1 PARTITION OF snap DEFAULT;
         CREATE TABLE refs (id int PRIMARY KEY, sid int, d date, FOREIGN KEY (sid, d) REFERENCES snap)",
        &[],
    );
    assert_eq!(project.read("schema.dsl").matches("@relation").count(), 1);
    output.hides("partitioned table: public.snap").says("partition: public.snap_1 DEFAULT");
}

#[test]
fn relations_are_told_apart_whatever_connects_two_tables() {
    let (project, _, _) = pull(
        "CREATE TABLE \"A\" (id int PRIMARY KEY, b int, next int UNIQUE REFERENCES \"A\", \"bs\" int);
         CREATE TABLE \"B\" (id int PRIMARY KEY, a int REFERENCES \"A\", a_id int REFERENCES \"A\" ON DELETE CASCADE);
         ALTER TABLE \"B\" ADD CONSTRAINT again FOREIGN KEY (a) REFERENCES \"A\" ON DELETE SET NULL;
         ALTER TABLE \"A\" ADD FOREIGN KEY (b) REFERENCES \"B\";
         CREATE TABLE \"_AToB\" (\"A\" int NOT NULL REFERENCES \"A\" ON DELETE CASCADE ON UPDATE CASCADE,
            \"B\" int NOT NULL REFERENCES \"B\" ON DELETE CASCADE ON UPDATE CASCADE, CONSTRAINT \"_AToB_AB_pkey\" PRIMARY KEY (\"A\", \"B\"));
         CREATE INDEX \"_AToB_B_index\" ON \"_AToB\" (\"B\");
         CREATE TABLE \"_odd\" (\"A\" int REFERENCES \"B\", \"B\" int NOT NULL REFERENCES \"A\");
         CREATE TABLE one (id int PRIMARY KEY REFERENCES \"A\", part int REFERENCES \"A\");
         CREATE UNIQUE INDEX ON one (part) WHERE part > 1",
        &[],
    );
    let schema = words(&project);
    assert!(!schema.contains("model AToB"), "{schema}");
    has(&schema, "model odd {");
    has(&schema, "one_id one? @relation(\"one_idToA\")");
    has(&schema, "ones_part one[] @relation(\"one_partToA\")");
}

#[test]
fn schemas_are_pulled_by_name_and_told_if_they_are_not() {
    let sql =
        "CREATE SCHEMA shop; CREATE TABLE shop.item (id int PRIMARY KEY); CREATE TABLE shop.user (id int PRIMARY KEY);
        CREATE TABLE \"user\" (id int PRIMARY KEY, item int REFERENCES shop.item)";
    let (project, database, output) = pull(sql, &[]);
    output
        .says("the schema shop (2 tables) is not pulled; --schemas public,shop also pulls it")
        .says("foreign key user_item_fkey of user: it references shop.item, which is not in the schema");
    db(&project, &database, &["pull", "--schemas", "public,,shop"])
        .exits(64)
        .says("one of the names in --schemas is empty");
    for system in ["pg_catalog", "information_schema", "public,pg_toast", "pg_temp_3"] {
        db(&project, &database, &["pull", "--schemas", system]).exits(1).says("a schema of PostgreSQL itself");
    }
    db(&project, &database, &["pull", "--schemas", "shop"]).exits(0).hides("not pulled");
    has(&words(&project), "model user { id Int @id item Int? item_2 item? @relation(");
    has(&words(&project), "@@schema(\"public\")");
    db(&project, &database, &["pull"]).exits(0).says("already");
    db(&project, &database, &["pull", "--schemas", "public, shop", "--force"]).exits(0).hides("not pulled");
    let schema = words(&project);
    has(&schema, "schemas = [\"public\", \"shop\"]");
    has(&schema, "model public_user {");
    has(&schema, "model shop_user {");
    has(&schema, "@@schema(\"shop\")");
    let compare = ["migrate-diff", "--from-url", database.url(), "--to-schema", "schema.dsl", "--exit-code"];
    project.run(&compare).exits(0);
    // One more comes to those that are there.
    query(&database, "CREATE SCHEMA more; CREATE TABLE more.t (id int PRIMARY KEY)");
    db(&project, &database, &["pull"]).exits(0).says("--schemas public,shop,more");
    db(&project, &database, &["pull", "--schemas", "more"]).exits(0);
    has(&words(&project), "schemas = [\"public\", \"shop\", \"more\"]");
    db(&project, &database, &["pull", "--schemas", "nowhere"]).exits(1).says("has no schema nowhere");
}

#[test]
fn pull_says_what_it_needs_where_no_file_was_asked_for() {
    let (_, _, output) = pull("CREATE DOMAIN phone AS text; CREATE TABLE t (id int PRIMARY KEY, p phone)", &[]);
    output.says("--with-sql FILE writes them").says("CREATE DOMAIN public.phone AS text;");
}

/// Who may not see everything pulls what there is to see.
#[test]
fn a_role_without_rights_pulls_the_tables() {
    let (project, database) = (Project::new(), database("pull_role"));
    query(
        &database,
        "CREATE TABLE t (id int PRIMARY KEY, a int CHECK (a > 0)); CREATE VIEW v AS SELECT 1 AS one;
        DROP ROLE IF EXISTS pull_reader; CREATE ROLE pull_reader",
    );
    query(&database, &format!("ALTER DATABASE \"{}\" SET role = pull_reader", name(database.url())));
    db(&project, &database, &["pull"]).exits(0).says("view: public.v").hides("cannot be read");
    has(&words(&project), "model t { id Int @id a Int?");
    query(&database, "SET ROLE NONE; DROP ROLE pull_reader");
}

fn name(url: &str) -> &str {
    let end = url.rsplit('/').next().unwrap_or_default();
    end.split('?').next().unwrap_or_default()
}

/// Nothing in it is no mistake.
#[test]
fn an_empty_database_is_pulled() {
    let (project, database) = (Project::new(), database("pull_empty"));
    db(&project, &database, &["pull"]).exits(0).hides("warning");
    has(&words(&project), "datasource db { provider = \"postgresql\" }");
}

/// PostgreSQL prints constants by settings that a database, a role or a server may have.
#[test]
fn constants_are_read_the_same_whatever_the_database_is_set_to() {
    let (project, database, _) =
        pull("CREATE TABLE t (id int PRIMARY KEY, d date DEFAULT '2020-01-02', b bytea DEFAULT '\\x00ff')", &[]);
    let before = project.read("schema.dsl");
    query(
        &database,
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET datestyle TO ''SQL, DMY''', current_database());
         EXECUTE format('ALTER DATABASE %I SET bytea_output TO ''escape''', current_database());
         EXECUTE format('ALTER DATABASE %I SET quote_all_identifiers TO on', current_database()); END $$",
    );
    db(&project, &database, &["pull", "--force"]).exits(0);
    assert_eq!(project.read("schema.dsl"), before);
}

#[test]
fn a_table_that_refers_to_itself_has_names_that_a_person_would_choose() {
    let (project, ..) = pull(
        "CREATE TABLE customers (id int PRIMARY KEY, parent int REFERENCES customers, referrer_id int REFERENCES customers);
         CREATE TABLE pages (id int PRIMARY KEY, parent_id int REFERENCES pages, next_id int UNIQUE REFERENCES pages)",
        &[],
    );
    let schema = words(&project);
    for part in [
        "parent_customer customers? @relation(",
        "children customers[] @relation(",
        "referrer customers? @relation(",
        "referrer_of customers[] @relation(",
        "parent pages? @relation(",
        "children pages[] @relation(",
        "next pages? @relation(",
        "next_of pages? @relation(",
    ] {
        has(&schema, part);
    }
}

/// The client's names and types are not in the database, so they are those of the file.
#[test]
fn what_a_column_is_in_rust_stays_when_it_changes() {
    let (project, database, _) = pull("CREATE TABLE client (id int PRIMARY KEY, email varchar(40), \"Id\" int)", &[]);
    let schema = project.read("schema.dsl");
    let rust = "@db.VarChar(40) @rust(\"crate::Email\", name: \"mail\")";
    assert!(schema.contains("@db.VarChar(40)"), "{schema}");
    project.write("schema.dsl", schema.replace("@db.VarChar(40)", rust));
    query(&database, "ALTER TABLE client ALTER email TYPE text; ALTER TABLE client ADD mail text");
    db(&project, &database, &["pull"]).exits(0);
    let schema = words(&project);
    has(&schema, "email String? @rust(\"crate::Email\", name: \"mail\")");
    has(&schema, "mail_2 String? @map(\"mail\")");
    project.run(&["check"]).exits(0).hides("`email` and `mail`");
}
