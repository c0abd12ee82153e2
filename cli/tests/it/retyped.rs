//! A type change through a shadow column while clients keep working, whatever happens meanwhile.

use relata_devdb::TestDatabase;

use crate::proxy::{Cut, Proxy};
use crate::support::{Output, Project, Session, database, eventually, output, query};

const BEFORE: &str = "\
model Author {
  id    Int    @id @default(autoincrement())
  name  String @unique
  books Book[]
}

model Book {
  id       Int      @id @default(autoincrement())
  authorId Int
  author   Author   @relation(fields: [authorId], references: [id], onDelete: Cascade)
  shelf    String   @default(\"7\")
  printed  DateTime @default(now())

  @@index([authorId, printed])
  @@unique([shelf, authorId], where: raw(\"shelf <> '0'\"), map: \"book_shelf\")
}
";

fn after() -> String {
    BEFORE
        .replace("id    Int ", "id    BigInt ")
        .replace("id       Int ", "id       BigInt ")
        .replace("authorId Int\n", "authorId BigInt\n")
        .replace("shelf    String   @default(\"7\")", "shelf    Int      @default(8)")
        .replace("raw(\"shelf <> '0'\")", "raw(\"shelf <> 0\")")
        .replace("@default(now())\n", "@default(now()) @db.Timestamptz(3)\n")
}

const ROWS: &str = "INSERT INTO \"Author\" (name) SELECT 'author ' || i FROM generate_series(1, 5) i;
    INSERT INTO \"Book\" (\"authorId\", shelf, printed)
    SELECT i % 5 + 1, i, '2026-01-01' FROM generate_series(1, 40) i";

fn diff(project: &Project, args: &[&str]) -> Output {
    project.run(&[&["migrate-diff", "--accept-drops"], args].concat())
}

/// A project whose second migration, not run yet, changes types step by step.
fn project(prefix: &str, before: &str, after: &str) -> (Project, TestDatabase) {
    let (project, database) = (Project::new(), database(prefix));
    project.write("schema.dsl", before);
    project.run(&["migrate", "dev", "--name", "init", "--url", database.url()]).exits(0);
    project.write("schema.dsl", after);
    let dev = ["migrate", "dev", "--create-only", "--online", "--name", "types", "--url", database.url()];
    project.run(&dev).exits(0);
    (project, database)
}

/// The SQL of the second migration.
fn second(project: &Project) -> String {
    let folders = project.list("migrations");
    project.read(&format!("migrations/{}/migration.sql", folders.last().expect("there is one")))
}

/// From PostgreSQL 18 on, NOT NULL is a constraint with a name, which says nothing and is not compared.
fn is_at_the_schema(project: &Project, database: &TestDatabase) {
    diff(project, &["--from-url", database.url(), "--to-schema", "schema.dsl", "--exit-code"]).exits(0);
    let left = "SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            WHERE relkind = 'r' AND NOT attisdropped AND attname LIKE '%\\_\\_new%'
        UNION ALL SELECT count(*) FROM pg_constraint
            WHERE contype <> 'n' AND (conname LIKE '%\\_\\_%' OR NOT convalidated)
        UNION ALL SELECT count(*) FROM pg_index WHERE NOT indisvalid
        UNION ALL SELECT count(*) FROM pg_proc WHERE proname LIKE '%\\_\\_sync'";
    assert_eq!(query(database, left), ["0", "0", "0", "0"]);
}

#[test]
fn nothing_long_is_left_under_a_lock_that_blocks() {
    let (project, database) = project("retyped", BEFORE, &after());
    let sql = second(&project);
    assert!(!sql.contains("SET DATA TYPE") && !sql.contains("L305"), "{sql}");
    query(&database, ROWS);
    let before = query(&database, "SELECT concat_ws(' ', id, \"authorId\", shelf, printed) FROM \"Book\" ORDER BY id");
    project.run(&["migrate", "lint", "--url", database.url()]).exits(0).hides("L305");
    project.deploy(&database).exits(0);
    is_at_the_schema(&project, &database);
    let books = "SELECT concat_ws(' ', id, \"authorId\", shelf, printed AT TIME ZONE 'UTC') FROM \"Book\" ORDER BY id";
    assert_eq!(query(&database, books), before);
    // The sequence goes on, and belongs to the new column.
    let insert = "INSERT INTO \"Book\" (\"authorId\") VALUES (1) RETURNING concat_ws(' ', id, shelf)";
    assert_eq!(query(&database, insert), ["41 8"]);
    let owned = "SELECT pg_get_serial_sequence('\"Book\"', 'id')";
    assert_eq!(query(&database, owned), ["public.\"Book_id_seq\""]);
    query(&database, "DELETE FROM \"Author\" WHERE id = 1");
    assert_eq!(query(&database, "SELECT count(*) FROM \"Book\" WHERE \"authorId\" = 1"), ["0"]);

    // And back, in one transaction.
    let down = ["migrate", "down", "--allow-data-loss", "--url", database.url()];
    project.run(&down).exits(0).hides("which is not undone");
    project.write("schema.dsl", BEFORE);
    diff(&project, &["--from-url", database.url(), "--to-schema", "schema.dsl", "--exit-code"]).exits(0);
    assert_eq!(query(&database, "SELECT count(*) FROM \"Book\""), ["32"]);
}

/// Statement by statement, each on its own, as a person's psql sends a file.
#[test]
fn the_file_can_be_run_by_hand() {
    let (project, database) = project("retyped_hand", BEFORE, &after());
    query(&database, ROWS);
    let script = relata::migrate::Script::parse(&second(&project)).expect("it is well-formed");
    let (hand, program) = (Session::open(database.url()), Session::open(database.url()));
    for (at, statement) in script.statements().enumerate() {
        hand.sql(&statement.sql);
        // Each of them may be the last for a while, and programs go on.
        program.sql(&format!(
            "INSERT INTO \"Author\" (name) VALUES ('new {at}');
             INSERT INTO \"Book\" (\"authorId\", shelf) SELECT max(id), '1{at}' FROM \"Author\";
             UPDATE \"Book\" SET shelf = '2{at}' WHERE id = {at} + 1"
        ));
    }
    is_at_the_schema(&project, &database);
    let wrong = "SELECT count(*) FROM \"Book\" b LEFT JOIN \"Author\" a ON a.id = b.\"authorId\"
        WHERE a.id IS NULL OR b.shelf IS NULL OR (a.name LIKE 'new %' AND '1' || substr(a.name, 5) <> b.shelf::text
            AND b.shelf::text NOT LIKE '2%')";
    assert_eq!(query(&database, wrong), ["0"]);
    let count = script.statements().count();
    assert_eq!(query(&database, "SELECT count(*) FROM \"Book\""), [(40 + count).to_string()]);
    let changed = format!("SELECT count(*) FROM \"Book\" WHERE id <= {count} AND shelf::text = '2' || (id - 1)");
    assert_eq!(query(&database, &changed), [count.to_string()]);
}

/// The runner is killed at every message; another session writes rows before it is started again.
#[test]
fn killed_anywhere_it_goes_on_and_no_row_is_lost() {
    let schema = |key: &str| {
        format!(
            "model Owner {{\n  id {key} @id\n  things Thing[]\n  @@map(\"Owner@\")\n}}\n\
             model Thing {{\n  id Int @id @default(autoincrement())\n  ownerId {key}\n  \
             owner Owner @relation(fields: [ownerId], references: [id])\n  @@index([ownerId])\n  @@map(\"Thing@\")\n}}\n"
        )
    };
    let (project, database) = (Project::new(), database("retyped_kill"));
    project.write("before.dsl", schema("String")).write("after.dsl", schema("Int"));
    let first = diff(&project, &["--from-empty", "--to-schema", "before.dsl"]).exits(0).stdout;
    let next = diff(&project, &["--from-schema", "before.dsl", "--to-schema", "after.dsl", "--online"]).exits(0).stdout;
    assert!(!next.contains("SET DATA TYPE"), "{next}");
    let (proxy, watch) = (Proxy::start(database.url()), Session::open(database.url()));
    let mut kills = 0;
    for message in 1.. {
        let number = (1000 + message).to_string();
        watch.sql(&first.replace('@', &number));
        watch.sql(&format!(
            "INSERT INTO \"Owner{number}\" SELECT i FROM generate_series(1, 9) i;
             INSERT INTO \"Thing{number}\" (\"ownerId\") SELECT i FROM generate_series(1, 9) i"
        ));
        project.migration(&format!("{number}_types"), &next.replace('@', &number));
        let through = proxy.arm(Cut::Before, message);
        let mut child = project.spawn(&["migrate", "deploy", "--url", &through]);
        if !proxy.has_cut(&mut child) {
            output(child).exits(0);
            break;
        }
        kills += 1;
        child.kill().expect("killed");
        child.wait().expect("ended");
        proxy.let_go();
        let sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'relata migrate' \
                        AND datname = current_database()";
        eventually("the server notices", || watch.sql(sessions) == ["0"]);
        watch.sql(&format!(
            "INSERT INTO \"Owner{number}\" VALUES ('10');
             INSERT INTO \"Thing{number}\" (\"ownerId\") VALUES ('10');
             UPDATE \"Thing{number}\" SET \"ownerId\" = '10' WHERE \"ownerId\" = '3'"
        ));
        project.deploy(&database).exits(0);
        let things =
            format!("SELECT string_agg(\"ownerId\"::text, ' ' ORDER BY \"ownerId\", id) FROM \"Thing{number}\"");
        assert_eq!(watch.sql(&things), ["1 2 4 5 6 7 8 9 10 10"], "message {message}");
        let types = format!(
            "SELECT DISTINCT format_type(atttypid, NULL) FROM pg_attribute WHERE NOT attisdropped AND attnum > 0
             AND attrelid IN ('\"Owner{number}\"'::regclass, '\"Thing{number}\"'::regclass)"
        );
        assert_eq!(watch.sql(&types), ["integer"], "message {message}");
        project.status(&database).exits(0);
        // A history of a hundred long files would have to be read each time.
        watch.sql("DROP TABLE _relata_migrations");
        std::fs::remove_dir_all(project.path("migrations")).expect("removed");
    }
    assert!(kills > 30, "so few messages are no migration in parts: {kills}");
    let left = "SELECT count(*) FROM pg_index WHERE NOT indisvalid
        UNION ALL SELECT count(*) FROM pg_constraint
            WHERE contype <> 'n' AND (NOT convalidated OR conname LIKE '%\\_\\_%')
        UNION ALL SELECT count(*) FROM pg_proc WHERE proname LIKE '%\\_\\_sync'
        UNION ALL SELECT count(*) FROM pg_trigger WHERE tgname = '~sync'";
    assert_eq!(watch.sql(left), ["0", "0", "0", "0"]);
}

#[test]
fn the_sync_trigger_of_an_earlier_version_is_undone_without_a_warning() {
    let (project, database) = project("earlier_version", BEFORE, &after());
    let file = format!("migrations/{}/migration.sql", project.list("migrations").last().expect("there is one"));
    let sql = project.read(&file);
    assert!(sql.contains("\"~sync\"") && sql.contains("__sync"), "{sql}");
    project.write(&file, sql.replace("~sync", "~follow").replace("__sync", "__follow"));
    query(&database, ROWS);
    project.run(&["migrate", "dev", "--url", database.url()]).exits(0);
    is_at_the_schema(&project, &database);
    let down = ["migrate", "down", "--allow-data-loss", "--url", database.url()];
    project.run(&down).exits(0).hides("which is not undone");
}

#[test]
fn what_a_new_column_would_leave_behind_is_named_before_anything_is_done() {
    let (project, database) = project("retyped_view", BEFORE, &after());
    query(&database, ROWS);
    let objects = [
        ("CREATE VIEW shelves AS SELECT shelf FROM \"Book\"", "DROP VIEW shelves", "view shelves"),
        ("CREATE INDEX by_hand ON \"Book\" (printed)", "DROP INDEX by_hand", "index by_hand"),
        (
            "ALTER TABLE \"Book\" ADD COLUMN twice text GENERATED ALWAYS AS (shelf || shelf) STORED",
            "ALTER TABLE \"Book\" DROP COLUMN twice",
            "column twice",
        ),
        (
            "CREATE TABLE other (book int REFERENCES \"Book\")",
            "DROP TABLE other",
            "constraint other_book_fkey on table other",
        ),
        (
            "DROP ROLE IF EXISTS shelf_reader; CREATE ROLE shelf_reader; GRANT SELECT (shelf) ON \"Book\" TO shelf_reader",
            "DROP OWNED BY shelf_reader; DROP ROLE shelf_reader",
            "privilege",
        ),
        (
            "ALTER TABLE \"Book\" CLUSTER ON \"Book_authorId_printed_idx\"",
            "ALTER TABLE \"Book\" SET WITHOUT CLUSTER",
            "printed_idx",
        ),
    ];
    for (make, drop, name) in objects {
        query(&database, make);
        project.deploy(&database).exits(1).says("would leave behind").says(name).says("--online");
        let left = "SELECT count(*) FROM pg_attribute WHERE attname LIKE '%\\_\\_new%'";
        assert_eq!(query(&database, left), ["0"], "{name}");
        query(&database, drop);
    }
    project.deploy(&database).exits(0);
    is_at_the_schema(&project, &database);
}

/// What a database has and no schema says: an identity, and a comment.
#[test]
fn an_identity_goes_on_counting() {
    let (project, database) = (Project::new(), database("retyped_identity"));
    query(
        &database,
        "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v int);
         COMMENT ON COLUMN t.id IS 'the 100% ''id'''; INSERT INTO t (v) VALUES (1), (2);
         SELECT setval('t_id_seq', 2147483647); DELETE FROM t WHERE v = 2",
    );
    project.write("schema.dsl", "model t {\n  id BigInt @id @default(autoincrement())\n  v Int?\n}\n");
    let args = ["--from-url", database.url(), "--to-schema", "schema.dsl", "--online"];
    let sql = diff(&project, &args).exits(0).stdout;
    project.migration("1_big", &sql).deploy(&database).exits(0);
    is_at_the_schema(&project, &database);
    assert_eq!(query(&database, "INSERT INTO t (v) VALUES (3) RETURNING id"), ["2147483648"]);
    let facts = "SELECT concat_ws(' ', attidentity, format_type(atttypid, NULL), col_description(attrelid, attnum),
        pg_get_serial_sequence('t', 'id')) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'id'";
    assert_eq!(query(&database, facts), ["a bigint the 100% 'id' public.t_id_seq"]);
}

/// Renames, and a drop that is no transaction, come before the columns of new types: the guard is in front of them.
#[test]
fn nothing_is_renamed_if_something_stands_on_a_column_that_changes() {
    let before = "model Book {\n  id Int @id\n  title String\n  shelf Int @unique\n  printed Int\n\n  @@index([printed])\n  @@index([title])\n}\n";
    let after = "model Volume {\n  id Int @id\n  name String @renamedFrom(\"title\")\n  place BigInt @unique @renamedFrom(\"shelf\")\n  printed BigInt\n\n  @@index([name])\n  @@renamedFrom(\"Book\")\n}\n";
    let (project, database) = project("retyped_renamed", before, after);
    query(&database, "INSERT INTO \"Book\" VALUES (1, 'a', 1, 1); CREATE VIEW shelves AS SELECT shelf FROM \"Book\"");
    let name = project.list("migrations").pop().expect("a migration");
    let sql = project.read(&format!("migrations/{name}/migration.sql"));
    assert!(sql.find("DROP INDEX CONCURRENTLY") < sql.find("ADD COLUMN \"place__new\""), "{sql}");
    project.deploy(&database).exits(1).says("would leave behind").says("view shelves");
    assert_eq!(query(&database, "SELECT title FROM \"Book\""), ["a"]);
    assert_eq!(query(&database, "SELECT count(*) FROM pg_indexes WHERE tablename = 'Book'"), ["4"]);
    query(&database, "DROP VIEW shelves");
    project.deploy(&database).exits(0);
    is_at_the_schema(&project, &database);
    assert_eq!(query(&database, "SELECT name FROM \"Volume\""), ["a"]);
}

/// Programs of afterwards run before the last part, and do not write a column that goes.
#[test]
fn a_required_column_that_goes_takes_null_from_the_first_part_on() {
    let before = "model Book {\n  id Int @id\n  title String\n  shelf Int\n}\n";
    let after = "model Book {\n  id Int @id\n  title String @unique\n}\n";
    let (project, database) = project("dropped_online", before, after);
    query(&database, "INSERT INTO \"Book\" VALUES (1, 'a', 1), (2, 'a', 1)");
    project.deploy(&database).exits(1).says("SQLSTATE 23505");
    query(&database, "INSERT INTO \"Book\" (id, title) VALUES (3, 'c'); DELETE FROM \"Book\" WHERE id = 2");
    project.deploy(&database).exits(0);
    is_at_the_schema(&project, &database);
}

/// The guard at the beginning runs before the column stops being generated, and before a generated column is dropped.
#[test]
fn columns_that_are_generated_no_more_do_not_stand_in_the_way() {
    let before = "model Item {
  id     Int     @id
  code   String
  shown  String? @generated(\"code\")
  length Int?    @generated(\"length(code)\")

  @@index([shown])
}
";
    let after = "model Item {
  id     Int     @id
  code   Int
  shown  String?
}
";
    let (project, database) = project("retyped-generated", before, after);
    let sql = second(&project);
    let guard = sql.find("would leave behind").expect("has a guard");
    assert!(guard < sql.find("DROP EXPRESSION").expect("drops the expression"), "{sql}");
    query(&database, "INSERT INTO \"Item\" (id, code) VALUES (1, '7')");
    project.deploy(&database).exits(0);
    is_at_the_schema(&project, &database);
    assert_eq!(query(&database, "SELECT concat_ws(' ', id, code, shown) FROM \"Item\""), ["1 7 7"]);
}
