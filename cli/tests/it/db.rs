//! `db push`, `pull`, `execute` and `seed`.

use relata_devdb::TestDatabase;

use crate::support::{Output, Project, database, query};

fn db(project: &Project, database: &TestDatabase, args: &[&str]) -> Output {
    project.run(&[&["db"], args, &["--url", database.url()]].concat())
}

#[test]
fn push_brings_a_database_to_the_schema_and_loses_nothing_unnamed() {
    let (project, database) = (Project::new(), database("push"));
    project.write("schema.dsl", "model T {\n  id Int @id\n  note String?\n}\n");
    db(&project, &database, &["push", "--dry-run"]).exits(0).says("CREATE TABLE");
    db(&project, &database, &["push"]).exits(0).says("+ table T");
    db(&project, &database, &["push"]).exits(0).says("already has the schema");
    query(&database, "INSERT INTO \"T\" VALUES (1, 'a')");
    project.write("schema.dsl", "model T {\n  id Int @id\n  more Int @default(3)\n}\n");
    db(&project, &database, &["push"]).exits(1).says("column T.note is dropped").says("--allow T.note");
    db(&project, &database, &["push", "--allow", "note"]).exits(1);
    db(&project, &database, &["push", "--allow", "T.note"]).exits(0);
    assert_eq!(query(&database, "SELECT more FROM \"T\""), ["3"]);
    // A rename is a question here as well.
    project.write("schema.dsl", "model T {\n  id Int @id\n  most Int @default(3)\n}\n");
    db(&project, &database, &["push"]).exits(3).says("--rename T.more:most");
    db(&project, &database, &["push", "--rename", "T.more:most"]).exits(0);
    assert_eq!(query(&database, "SELECT most FROM \"T\""), ["3"]);
    query(&database, "CREATE TABLE _relata_migrations (id int)");
    project.write("schema.dsl", "model T {\n  id Int @id\n  most Int @default(4)\n}\n");
    db(&project, &database, &["push"]).exits(0).says("warning").says("is in no migration");
}

#[test]
fn execute_and_seed_run_files_as_their_markers_say() {
    let (project, database) = (Project::new(), database("execute"));
    project.write("a.sql", "CREATE TABLE t (a int);\nINSERT INTO t VALUES (1);\nINSERT INTO t VALUES ('x');");
    db(&project, &database, &["execute", "a.sql"]).exits(1).says("a.sql:3").says("nothing was changed");
    assert_eq!(query(&database, "SELECT to_regclass('t') IS NULL"), ["t"]);
    project
        .write("a.sql", "CREATE TABLE t (a int);\n-- relata:segment outside\nCREATE INDEX CONCURRENTLY t_a ON t (a);");
    db(&project, &database, &["execute", "a.sql"]).exits(0).says("ran 2 statements");
    db(&project, &database, &["seed"]).exits(1).says("there is no seed file seed.sql");
    project.write("seed.sql", "INSERT INTO t VALUES (1), (2)");
    db(&project, &database, &["seed"]).exits(0).says("ran 1 statement");
    project.write("codegen.toml", "seed = \"db/seed.sql\"\n").write("db/seed.sql", "INSERT INTO t VALUES (3)");
    db(&project, &database, &["seed"]).exits(0);
    assert_eq!(query(&database, "SELECT count(*) FROM t"), ["3"]);
    assert_eq!(query(&database, "SELECT to_regclass('_relata_migrations') IS NULL"), ["t"]);
}

#[test]
#[cfg(unix)]
fn a_seed_can_be_a_command() {
    let (project, database) = (Project::new(), database("seed_command"));
    // The command runs in the folder of the file, and has the URL, the arguments and the terminal.
    project
        .write("codegen.toml", "seed = \"sh db/seed.sh\"\n")
        .write("below/x", "")
        .write("db/seed.sh", "echo \"url $DATABASE_URL\"; echo \"arguments $# $1\" >&2; exit \"${SEED_CODE:-0}\"");
    let url = format!("url {}", database.url());
    db(&project, &database, &["seed"]).exits(0).says(&url).says("arguments 0");
    project.run_in("below", &["db", "seed", "--url", database.url()]).exits(0).says(&url);
    project
        .run_with(&["db", "seed", "--", "a b", "c"], "DATABASE_URL", database.url())
        .exits(0)
        .says("arguments 2 a b");
    // Its exit code is that of `db seed`.
    project
        .run_with(&["db", "seed", "--url", database.url()], "SEED_CODE", "7")
        .exits(7)
        .says("the seed `sh db/seed.sh` has failed");
    project.write("codegen.toml", "seed = \"exec no-such-program\"\n");
    db(&project, &database, &["seed"]).exits(127).says("no-such-program");
    project.write("codegen.toml", "seed = \"kill -9 $$\"\n");
    db(&project, &database, &["seed"]).exits(1).says("has failed");
    // A file that is named comes first, and takes no arguments.
    project.write("a.sql", "SELECT 1");
    db(&project, &database, &["seed", "a.sql"]).exits(0).says("ran 1 statement");
    project.write("codegen.toml", "seed = \"a.sql\"\n");
    project
        .run_with(&["db", "seed", "--", "x"], "DATABASE_URL", database.url())
        .exits(64)
        .says("only a seed that is a command");
}

const DATABASE: &str = "
    CREATE TYPE mood AS ENUM ('good', 'so so');
    CREATE TABLE team (id serial PRIMARY KEY, name varchar(20) NOT NULL DEFAULT 'x', lead uuid);
    CREATE TABLE member (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(), \"full name\" text NOT NULL, team_id int NOT NULL REFERENCES team
        ON UPDATE CASCADE ON DELETE CASCADE, mood mood DEFAULT 'so so', at timestamptz(3) NOT NULL DEFAULT now(),
        price numeric(10, 2) DEFAULT 1.5, tags text[] DEFAULT '{a}', day date DEFAULT '2020-02-02', raw tsvector,
        UNIQUE (\"full name\", team_id), CHECK (price > 0)
    );
    ALTER TABLE team ADD FOREIGN KEY (lead) REFERENCES member ON UPDATE CASCADE ON DELETE SET NULL;
";

#[test]
fn pull_writes_what_leads_to_the_database() {
    let (project, database) = (Project::new(), database("pull"));
    query(&database, "CREATE TABLE no_key (a int)");
    query(&database, &DATABASE.replace("lead int", "lead uuid"));
    query(
        &database,
        "CREATE INDEX lower_name ON member (lower(\"full name\") DESC); CREATE INDEX ON member (at DESC) WHERE price > 1",
    );
    db(&project, &database, &["pull"]).exits(0).says("wrote schema.dsl").hides("cannot express this");
    insta::assert_snapshot!(project.read("schema.dsl"));
    let compare = ["migrate-diff", "--from-url", database.url(), "--to-schema", "schema.dsl", "--exit-code"];
    project.run(&compare).exits(0);
    db(&project, &database, &["pull"]).exits(0).says("already");
    db(&project, &database, &["pull", "--check"]).exits(0);
}

const WRITTEN: &str = "\
// Ours.
datasource db {
  provider = \"postgresql\"
}

/// Who writes.
model Author {
  id       String @id @default(uuid()) @db.Uuid // made here
  fullName String @map(\"full_name\")

  // What they wrote.
  books    Book[]

  @@map(\"authors\")
}

model Book {
  id       Int    @id @default(autoincrement())
  title    String // on the cover
  authorId String @map(\"author_id\") @db.Uuid
  author   Author @relation(fields: [authorId], references: [id])

  @@index([authorId])
  @@map(\"books\")
}

// The end.
";

#[test]
fn pull_keeps_names_comments_and_order() {
    let (project, database) = (Project::new(), database("pull_keeps"));
    project.write("schema.dsl", WRITTEN);
    db(&project, &database, &["push"]).exits(0);
    db(&project, &database, &["pull"]).exits(0).says("already");
    assert_eq!(project.read("schema.dsl"), WRITTEN);

    query(
        &database,
        "ALTER TABLE books ALTER COLUMN title DROP NOT NULL, ADD COLUMN pages int NOT NULL DEFAULT 1;
        CREATE TABLE shelves (id int PRIMARY KEY, book_id int NOT NULL REFERENCES books ON UPDATE CASCADE);
        DROP INDEX books_author_id_idx; CREATE TYPE kind AS ENUM ('a'); ALTER TABLE authors ADD COLUMN kind kind",
    );
    db(&project, &database, &["pull", "--check"]).exits(1);
    db(&project, &database, &["pull"]).exits(0).hides("cannot express this");
    insta::assert_snapshot!(project.read("schema.dsl"));
    let compare = ["migrate-diff", "--from-url", database.url(), "--to-schema", "schema.dsl", "--exit-code"];
    project.run(&compare).exits(0);
}

const MIXINS: &str = "\
mixin Id {
  id Int @id @default(autoincrement())
}

mixin Dated {
  ...Id
  /// When it was made.
  created DateTime @default(now())
}
";

/// Each model stays in its file, with its mixins; what is new goes into a file of its own.
#[test]
fn pull_keeps_the_files_of_a_folder_and_their_mixins() {
    let (project, database) = (Project::new(), database("pull_folder"));
    let notes = "// Notes.\nmodel Note {\n  ...Dated\n  text  String // as it was said\n  owner Owner  @relation(fields: [ownerId], references: [id])\n  ownerId Int\n}\n";
    let owners = "model Owner {\n  ...Id // of all\n  name  String\n  notes Note[]\n\n  @@index([name])\n}\n";
    project
        .write("schema/base.dsl", format!("datasource db {{\n  provider = \"postgresql\"\n}}\n\n{MIXINS}"))
        .write("schema/notes.dsl", notes)
        .write("schema/people/owners.dsl", owners);
    let folder = ["--schema", "schema"];
    db(&project, &database, &[&["push"], &folder[..]].concat()).exits(0);
    db(&project, &database, &[&["pull"], &folder[..]].concat()).exits(0).says("already");

    query(&database, "ALTER TABLE \"Owner\" ALTER name DROP NOT NULL; CREATE TABLE tag (id int PRIMARY KEY)");
    db(&project, &database, &[&["pull", "--check"], &folder[..]].concat()).exits(1);
    db(&project, &database, &[&["pull"], &folder[..]].concat())
        .exits(0)
        .says("wrote schema/people/owners.dsl")
        .says("wrote schema/pulled.dsl")
        .hides("notes.dsl")
        .hides("base.dsl");
    let read = project.read("schema/people/owners.dsl");
    assert!(read.contains("...Id // of all") && read.contains("String?") && !read.contains("id "), "{read}");
    assert_eq!(project.read("schema/pulled.dsl").trim(), "model tag {\n  id Int @id\n}");
    assert_eq!(project.read("schema/notes.dsl"), notes);

    // A mixin whose field is another one in this table is written out there.
    query(&database, "ALTER TABLE \"Note\" ALTER created DROP DEFAULT, ADD COLUMN more int; DROP TABLE tag");
    db(&project, &database, &[&["pull"], &folder[..]].concat()).exits(0).says("wrote schema/notes.dsl");
    let read = project.read("schema/notes.dsl");
    assert!(!read.contains("...Dated") && read.contains("created DateTime\n") && read.contains("// Notes."), "{read}");
    assert!(read.contains("// as it was said") && read.contains("more"), "{read}");
    let compare = ["migrate-diff", "--from-url", database.url(), "--to-schema", "schema", "--exit-code"];
    project.run(&compare).exits(0);
    db(&project, &database, &[&["pull"], &folder[..]].concat()).exits(0).says("already");
    db(&project, &database, &[&["pull", "--force"], &folder[..]].concat()).exits(1).says("--force writes one file");
}

/// What an interrupted index leaves is not the index.
#[test]
fn an_invalid_index_is_made_anew() {
    let (project, database) = (Project::new(), database("invalid_index"));
    project.write("schema.dsl", "model t {\n  id Int @id\n  a Int\n\n  @@unique([a])\n}\n");
    query(&database, "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL); INSERT INTO t VALUES (1, 1), (2, 1)");
    let build = Project::new();
    build.write("i.sql", "-- relata:segment outside\nCREATE UNIQUE INDEX CONCURRENTLY t_a_key ON t (a);");
    db(&build, &database, &["execute", "i.sql"]).exits(1);
    assert_eq!(query(&database, "SELECT count(*) FROM pg_index WHERE NOT indisvalid"), ["1"]);
    let compare = ["migrate-diff", "--from-url", database.url(), "--to-schema", "schema.dsl", "--exit-code"];
    project.run(&compare).exits(2).says("DROP INDEX \"t_a_key\"").says("CREATE UNIQUE INDEX \"t_a_key\"");
    query(&database, "DELETE FROM t WHERE id = 2");
    db(&project, &database, &["push"]).exits(0);
    project.run(&compare).exits(0);
}

/// What PostgreSQL prints of names as long as it takes, and of moments in every type, is what the schema says.
#[test]
fn long_names_and_moments_leave_no_difference() {
    let (project, database) = (Project::new(), database("names_moments"));
    let long = |stem: &str| format!("{stem}{}", "ü".repeat((63 - stem.len()) / 2));
    let moment = "@default(\"0000-01-01T00:30:00.9996+02:00\")";
    project.write(
        "schema.dsl",
        format!(
            "enum Kind {{\n  A @map(\"{label}\")\n  B\n  @@map(\"{enumeration}\")\n}}\n\n\
             model Long {{\n  id Int @id @default(autoincrement()) @map(\"{column}\")\n  \
             number Int @unique @default(autoincrement()) @map(\"{other}\")\n  kind Kind @default(A)\n  \
             others Other[] @relation(\"{join}\")\n  @@map(\"{table}\")\n  @@index([number, id])\n}}\n\n\
             model Other {{\n  id Int @id\n  longs Long[] @relation(\"{join}\")\n  \
             a DateTime {moment} @db.Time(0)\n  b DateTime {moment} @db.Timetz(3)\n  c DateTime {moment}\n  \
             d DateTime {moment} @db.Date\n  e DateTime {moment} @db.Timestamptz(0)\n  \
             f DateTime[] @default([\"2020-01-01T00:30:00.9996+02:00\"]) @db.Timetz(0)\n  \
             g DateTime[] @default([\"0000-01-01T00:30:00.9996+02:00\"]) @db.Timestamptz(6)\n}}\n",
            label = long("la"),
            enumeration = long("enu"),
            column = long("colu"),
            other = long("col"),
            join = &long("join")[..62],
            table = long("t"),
        ),
    );
    db(&project, &database, &["push"]).exits(0);
    query(
        &database,
        "ALTER DATABASE current SET timezone TO 'Asia/Kolkata'".replace("current", database.name()).as_str(),
    );
    let compare = ["migrate-diff", "--from-url", database.url(), "--to-schema", "schema.dsl", "--exit-code"];
    project.run(&compare).exits(0);
    let values = "INSERT INTO \"Other\" (id) VALUES (1) RETURNING concat_ws(' ', a, b, d, c = 'x')";
    let values = values.replace(", c = 'x'", "");
    assert_eq!(query(&database, &values), ["22:30:01 22:30:01+00 0002-12-31 BC"]);
}
