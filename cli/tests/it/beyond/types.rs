//! Domains, composite types and sequences in files of `sql`, in one schema and in several.

use crate::support::{Project, database, query};

const SEVERAL: &str = r#"datasource db {
  provider   = "postgresql"
  schemas    = ["public", "only types", "only views"]
  extensions = [citext]
}

model Guest {
  id    Int       @id
  code  String    @db.Citext @domain("code", schema: "public")
  mail  String    @domain("mail", schema: "only types")
  nick  String    @db.Citext
  since DateTime
  until DateTime  @generated("since + interval '1 day 90 minutes'")

  @@check("nick LIKE 'x%' AND nick <> 'xx'", map: "nick_begins")
  @@schema("public")
}

view Nick {
  nick String @unique

  @@schema("only views")
  @@sql("SELECT nick FROM public.\"Guest\"")
}
"#;

/// A schema that has only views or types is created, and what PostgreSQL prints with a schema is no difference.
#[test]
fn types_and_views_have_schemas_of_their_own() {
    let (project, database) = (Project::new(), database("several_types"));
    project.write("schema.dsl", SEVERAL);
    project.write(
        "sql/types.sql",
        "CREATE DOMAIN public.code AS citext CHECK (VALUE LIKE 'a%');
         CREATE DOMAIN \"only types\".mail AS text CHECK (VALUE LIKE '%@%');
         CREATE TYPE public.span AS (a int, b public.code);",
    );
    let push = ["db", "push", "--url", database.url()];
    project.run(&push).exits(0).says("+ schema only types").says("+ schema only views");
    project.run(&push).exits(0).says("already has the schema");
    // The check is in another schema than the operators of its type.
    project.write(
        "schema.dsl",
        SEVERAL
            .replace("@@schema(\"public\")", "@@schema(\"only types\")")
            .replace("public.\\\"", "\\\"only types\\\".\\\""),
    );
    project.run(&push).exits(3).says("--rename 'public.Guest:only types.Guest'");
    project.run(&[&push[..], &["--rename", "public.Guest:only types.Guest"]].concat()).exits(0);
    project.run(&push).exits(0).says("already has the schema");
}

/// PostgreSQL keeps what ALTER SEQUENCE does not mention, and its defaults depend on the type and the direction.
#[test]
fn a_sequence_gets_the_options_that_a_new_one_has() {
    let (project, database) = (Project::new(), database("sequence_options"));
    project.write("schema.dsl", "model Guest {\n  id Int @id\n}\n");
    let push = ["db", "push", "--url", database.url()];
    for options in [
        " AS integer START WITH 10 MAXVALUE 90",
        "",
        " AS smallint MINVALUE -5 CACHE 3",
        " AS bigint INCREMENT -2 MAXVALUE 10 START 10",
        " AS pg_catalog.int4 CYCLE",
    ] {
        project.write("sql/numbers.sql", format!("CREATE SEQUENCE numbers{options};"));
        project.run(&push).exits(0);
        project.run(&push).exits(0).says("already has the schema");
    }
}

/// A domain that is created again, because a function of its check is, keeps what belongs to it.
#[test]
fn belongings_of_types_are_restored() {
    let (project, database) = (Project::new(), database("belongings_of_types"));
    project.write("schema.dsl", "model Guest {\n  id Int @id\n}\n");
    let file = |argument: &str| {
        format!(
            "CREATE FUNCTION fits({argument} text) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN length($1) < 9;
             CREATE DOMAIN mail AS text CONSTRAINT fits CHECK (fits(VALUE));
             CREATE TYPE pair AS (a mail, b int);"
        )
    };
    project.write("sql/types.sql", file("a"));
    let push = ["db", "push", "--url", database.url()];
    project.run(&push).exits(0);
    query(
        &database,
        "COMMENT ON DOMAIN mail IS 'it''s'; COMMENT ON CONSTRAINT fits ON DOMAIN mail IS 'short'; COMMENT ON TYPE pair IS 'two';
         COMMENT ON COLUMN pair.b IS 'second'; REVOKE ALL ON TYPE mail FROM PUBLIC; GRANT USAGE ON TYPE mail TO pg_monitor",
    );
    let facts = "SELECT concat_ws(' ', obj_description('mail'::regtype), obj_description('pair'::regtype), col_description('pair'::regclass, 2),
        (SELECT obj_description(oid) FROM pg_constraint WHERE conname = 'fits'), has_type_privilege('pg_monitor', 'mail', 'USAGE'),
        has_type_privilege('pg_read_all_data', 'mail', 'USAGE'))";
    let before = query(&database, facts);
    assert_eq!(before, ["it's two second short t f"]);
    project.write("sql/types.sql", file("other"));
    project.run(&push).exits(0).says("created again");
    assert_eq!(query(&database, facts), before);
}

/// PostgreSQL checks no values in lists of a domain, so it refuses to change the constraints of the domain under them.
#[test]
fn stricter_domains_say_what_can_fail() {
    let (project, database) = (Project::new(), database("stricter_domains"));
    let schema = "model Guest {\n  id Int @id\n  mail String? @domain(\"mail\")\n}\n";
    project.write("schema.dsl", schema);
    project.write("sql/mail.sql", "CREATE DOMAIN mail AS text;");
    let dev = |name: &str| {
        project.run(&["migrate", "dev", "--name", name, "--create-only"]).exits(0);
        let name = project.list("migrations").pop().expect("a migration");
        project.read(&format!("migrations/{name}/migration.sql"))
    };
    dev("first");
    project.deploy(&database).exits(0);
    query(&database, "INSERT INTO \"Guest\" VALUES (1, NULL)");
    // The column that has NULL loses the domain first.
    project.write("sql/mail.sql", "CREATE DOMAIN mail AS text NOT NULL CHECK (VALUE <> '');");
    project.write("schema.dsl", schema.replace(" @domain(\"mail\")", ""));
    dev("second");
    project.deploy(&database).exits(0);
    project.write("schema.dsl", schema.replace("mail String? ", "mail String[] "));
    dev("third");
    project.deploy(&database).exits(0);
    project.write("sql/mail.sql", "CREATE DOMAIN mail AS text CHECK (VALUE <> '') CHECK (VALUE LIKE '%@%');");
    let sql = dev("fourth");
    for line in [
        "F205 domain mail gets a check",
        "F208 domain mail gets another constraint: fails because table Guest (column mail) uses it",
    ] {
        assert!(sql.contains(line), "{line} is not in\n{sql}");
    }
}

/// The reverse migration of a table that was renamed and moved, while another one took its name.
#[test]
fn a_move_to_another_schema_is_undone_with_its_rename() {
    let (project, database) = (Project::new(), database("moved_and_renamed"));
    let schema = |first: &str, second: &str| {
        format!(
            "datasource db {{\n  provider = \"postgresql\"\n  schemas = [\"a\", \"b\", \"c\"]\n}}\n\n\
             model One {{\n  id Int @id\n  x Int\n  {first}\n}}\n\nmodel Two {{\n  id Int @id\n  y Int\n  {second}\n}}\n"
        )
    };
    let dev = |name: &str| project.run(&["migrate", "dev", "--name", name, "--create-only"]).exits(0);
    project.write("schema.dsl", schema("@@map(\"one\")\n  @@schema(\"a\")", "@@map(\"two\")\n  @@schema(\"b\")"));
    dev("first");
    project.deploy(&database).exits(0);
    query(&database, "INSERT INTO a.one VALUES (1, 5); INSERT INTO b.two VALUES (1, 6)");
    let swapped = schema(
        "@@map(\"one\")\n  @@schema(\"b\")\n  @@renamedFrom(\"two\")",
        "@@map(\"two\")\n  @@schema(\"c\")\n  @@renamedFrom(\"one\")",
    );
    project.write(
        "schema.dsl",
        swapped.replace("  x Int", "  z Int").replace("  y Int", "  x Int").replace("  z Int", "  y Int"),
    );
    dev("second");
    project.deploy(&database).exits(0);
    assert_eq!(query(&database, "SELECT x FROM c.two UNION ALL SELECT y FROM b.one"), ["5", "6"]);
    project.run(&["migrate", "down", "--url", database.url()]).exits(0);
    assert_eq!(query(&database, "SELECT x FROM a.one UNION ALL SELECT y FROM b.two"), ["5", "6"]);
}

/// An index with storage parameters and a deferrable key follow a column that is replaced online.
#[test]
fn tuned_indexes_follow_a_column_that_changes_its_type_online() {
    let (project, database) = (Project::new(), database("tuned_online"));
    let schema = "model Guest {\n  id Int @id\n  code Int\n  place Int\n\n  @@index([code, place], with: \"fillfactor=70\")\n  \
                  @@unique([place, code], deferrable: InitiallyDeferred)\n}\n";
    project.write("schema.dsl", schema);
    project.run(&["migrate", "dev", "--name", "first", "--create-only"]).exits(0);
    project.deploy(&database).exits(0);
    query(&database, "INSERT INTO \"Guest\" SELECT n, n, n FROM generate_series(1, 9) AS n");
    project.write("schema.dsl", schema.replace("code Int", "code BigInt"));
    project.run(&["migrate", "dev", "--name", "second", "--create-only", "--online"]).exits(0);
    project.deploy(&database).exits(0);
    project.status(&database).exits(0).says("up to date");
    assert_eq!(query(&database, "SELECT sum(code) FROM \"Guest\""), ["45"]);
}
