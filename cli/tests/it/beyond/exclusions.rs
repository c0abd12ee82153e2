//! Rows that exclude each other.

use crate::support::{Project, database, query};

const SAID: &str = r#"datasource db {
  provider   = "postgresql"
  extensions = [btree_gist]
}

model booking {
  id        Int                      @id @default(autoincrement())
  room_id   Int
  email     String
  starts    Int
  ends      Int
  during    Int4Range
  cancelled Boolean                  @default(false)
  near      Point
  net       String                   @db.Inet

  @@exclude([email(with: "="), starts(with: "<>")], include: [ends], with: "fillfactor=80", map: "One Place")
  @@exclude([email(with: "=")], type: Hash)
  @@exclude([raw("int4range(starts, ends)", with: "&&"), net(ops: raw("inet_ops"), with: "&&")], deferrable: InitiallyDeferred, map: "booking_int4range_starts_ends_net_excl")
  @@exclude([near(with: "~=")], type: SpGist)
  @@exclude([room_id(with: "="), during(with: "&&")], where: raw("(NOT cancelled)"))
  @@exclude([starts(with: "=")], type: BTree, deferrable: InitiallyImmediate, map: "each_start")
  @@exclude([email(ops: raw("same_ops"), with: "OPERATOR(public.===)")], type: Hash, map: "own_operator")
}
"#;

/// An operator that is not what its name stands for at the place where a constraint is read.
const OPERATOR: &str = "CREATE FUNCTION same(text, text) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT $1 = $2';
    CREATE OPERATOR === (LEFTARG = text, RIGHTARG = text, FUNCTION = same, COMMUTATOR = ===);
    CREATE OPERATOR CLASS same_ops FOR TYPE text USING hash AS OPERATOR 1 ===, FUNCTION 1 hashtext(text);";

#[test]
fn exclusions_come_back_as_they_were_written() {
    let (project, database) = (Project::new(), database("exclusions"));
    query(&database, OPERATOR);
    project.write("schema.dsl", SAID);
    project.run(&["fmt"]).exits(0);
    let said = project.read("schema.dsl");
    let push = ["db", "push", "--url", database.url()];
    project.run(&push).exits(0).hides("L316").hides("F211");
    project.run(&push).exits(0).says("already");
    // As PostgreSQL finds it, which is what `pull` writes.
    let said = said.replace("OPERATOR(public.===)", "===");
    project.write("schema.dsl", &said);
    project.run(&push).exits(0).says("already");
    project.run(&["db", "pull", "--check", "--url", database.url()]).exits(0);
    project.run(&["db", "pull", "--force", "--url", database.url()]).exits(0).hides("exclusion");
    assert_eq!(project.read("schema.dsl"), said);
    project.run(&["migrate-diff", "--from-url", database.url(), "--to-schema", "schema.dsl", "--exit-code"]).exits(0);
}

/// Earlier versions left them to the database, and a schema still can.
#[test]
fn a_schema_that_does_not_mention_them_leaves_them_to_the_database() {
    let (project, database) = (Project::new(), database("exclusions_unsaid"));
    query(
        &database,
        "CREATE TABLE shift (id int PRIMARY KEY, person int NOT NULL, during int4range NOT NULL,
           CONSTRAINT apart EXCLUDE USING gist (during WITH &&) WHERE (person > 0) DEFERRABLE,
           CONSTRAINT \"Each id\" EXCLUDE (id WITH =));
         INSERT INTO shift VALUES (1, 1, '[1, 2)'), (2, 2, '[2, 3)')",
    );
    let plain =
        "model shift {\n  id     Int                      @id\n  person Int\n  during Unsupported(\"int4range\")\n}\n";
    project.write("schema.dsl", plain);
    let push = ["db", "push", "--url", database.url()];
    project.run(&push).exits(0).says("already");
    // When it is checked is left to the database as well.
    project.write(
        "schema.dsl",
        plain.replace("\n}", "\n\n  @@exclude([during(with: \"&&\")], where: raw(\"person > 0\"), map: \"apart\")\n}"),
    );
    project.run(&push).exits(0).says("already");
    project.run(&["db", "pull", "--url", database.url()]).exits(0);
    let pulled = project.read("schema.dsl");
    for line in [
        "  @@exclude([during(with: \"&&\")], where: raw(\"(person > 0)\"), deferrable: InitiallyImmediate, map: \"apart\")\n",
        "  @@exclude([id(with: \"=\")], type: BTree, map: \"Each id\")\n",
    ] {
        assert!(pulled.contains(line), "{line} is not in\n{pulled}");
    }
    project.run(&push).exits(0).says("already");
    // A column of one changes its name and its type, and another one takes the place of the other.
    project.write(
        "schema.dsl",
        pulled
            .replace("  person Int\n", "  who BigInt @renamedFrom(\"person\")\n")
            .replace("person > 0", "who > 0")
            .replace("id(with: \"=\")]", "raw(\"id % 10\", with: \"=\")]"),
    );
    project.run(&push).exits(0).says("gets the exclusion constraint Each id: fails for rows that exclude each other");
    project.run(&push).exits(0).says("already");
    // What the schema does not mention any more.
    project.write("schema.dsl", plain.replace("person Int", "who BigInt"));
    project.run(&push).exits(0).says("already");
    let facts = "SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'x' ORDER BY 1";
    assert_eq!(
        query(&database, facts),
        [
            "Each id EXCLUDE USING btree (((id % 10)) WITH =)",
            "apart EXCLUDE USING gist (during WITH &&) WHERE ((who > 0)) DEFERRABLE"
        ]
    );
}

/// A migration adds and changes them on a table with rows, says what it costs, and goes back.
#[test]
fn exclusions_are_migrated_and_taken_back() {
    for more in [&[][..], &["--online"]] {
        let (project, database) = (Project::new(), database("exclusions_migrated"));
        let plain = "model Shift {\n  id     Int                      @id\n  place  Int\n  during Unsupported(\"int4range\")\n}\n";
        let with = |text: &str| {
            project.write("schema.dsl", plain.replace("\n}", &format!("\n\n  @@exclude({text})\n}}")));
        };
        let dev =
            |name: &str| project.run(&[&["migrate", "dev", "--name", name, "--url", database.url()], more].concat());
        let lint = |more: &[&str]| project.run(&[&["migrate", "lint", "--url", database.url()], more].concat());
        project.write("schema.dsl", plain);
        dev("first").exits(0);
        query(&database, "INSERT INTO \"Shift\" VALUES (1, 1, '[1, 3)'), (2, 2, '[2, 4)'), (3, 3, '[9, 10)')");
        // These rows exclude each other.
        with("[during(with: \"&&\")]");
        let create_only =
            [&["migrate", "dev", "--name", "second", "--create-only", "--url", database.url()], more].concat();
        project.run(&create_only).exits(0);
        lint(&[])
            .says("error[F211]: Shift gets the exclusion constraint Shift_during_excl")
            .says("1 pair of rows")
            .says("L316");
        project.deploy(&database).exits(1).says("SQLSTATE 23P01").says("Shift_during_excl");
        query(&database, "UPDATE \"Shift\" SET during = '[3, 4)' WHERE id = 2");
        let name = project.list("migrations").pop().expect("a migration");
        project.run(&["migrate", "resolve", &name, "--rolled-back", "--url", database.url()]);
        lint(&[]).hides("F211").says("L316");
        project.deploy(&database).exits(0);
        project.run(&["migrate", "verify"]).exits(0);

        let facts = "SELECT string_agg(pg_get_constraintdef(oid), ', ' ORDER BY conname) FROM pg_constraint WHERE contype = 'x'";
        assert_eq!(query(&database, facts), ["EXCLUDE USING gist (during WITH &&)"]);
        with("[during(with: \"&&\")], where: raw(\"place > 1\"), deferrable: InitiallyDeferred");
        dev("third").exits(0).says("Shift_during_excl");
        let changed = "EXCLUDE USING gist (during WITH &&) WHERE ((place > 1)) DEFERRABLE INITIALLY DEFERRED";
        assert_eq!(query(&database, facts), [changed]);
        // Only the name changes.
        with("[during(with: \"&&\")], where: raw(\"place > 1\"), deferrable: InitiallyDeferred, map: \"apart\"");
        dev("fourth").exits(0).hides("L316").hides("F211");
        project.run(&["migrate", "down", "--url", database.url()]).exits(0);
        project.run(&["migrate", "down", "--url", database.url()]).exits(0);
        assert_eq!(query(&database, facts), ["EXCLUDE USING gist (during WITH &&)"]);
        project.run(&["migrate", "down", "--url", database.url()]).exits(0);
        assert_eq!(query(&database, facts), ["NULL"]);
        assert_eq!(query(&database, "SELECT count(*) FROM \"Shift\""), ["3"]);
    }
}

/// Parts with an order or a collation: `pull` names them, with the statement, and they stay.
#[test]
fn what_the_language_cannot_say_of_them_is_named() {
    let (project, database) = (Project::new(), database("exclusions_odd"));
    query(
        &database,
        "CREATE TABLE t (id int PRIMARY KEY, a int, b text, CONSTRAINT falling EXCLUDE (a DESC NULLS LAST WITH =),
           CONSTRAINT plain EXCLUDE (b COLLATE \"C\" WITH =), EXCLUDE (id WITH =))",
    );
    project
        .run(&["db", "pull", "--url", database.url(), "--with-sql", "extra.sql"])
        .exits(0)
        .says("exclusion constraint falling of t: a part of an exclusion constraint has no collation, order")
        .says("exclusion constraint plain of t")
        .hides("index with a collation");
    assert!(project.read("schema.dsl").contains("  @@exclude([id(with: \"=\")], type: BTree)\n"));
    let sql = project.read("extra.after.sql");
    assert!(sql.contains("ADD CONSTRAINT falling EXCLUDE USING btree (a DESC NULLS LAST WITH =);"), "{sql}");
    assert!(sql.contains("ADD CONSTRAINT plain EXCLUDE USING btree (b COLLATE \"C\" WITH =);"), "{sql}");
    assert!(!sql.contains("t_id_excl") && !sql.contains("Not created"), "{sql}");
    project.run(&["db", "push", "--url", database.url()]).exits(0).says("already");
}
