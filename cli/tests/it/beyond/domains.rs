//! Columns whose type is a domain: the field has the type below it.

use crate::support::{Project, database, query};

const DOMAINS: &str = "CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%'); CREATE DOMAIN counted AS int; CREATE DOMAIN counts AS counted CHECK (VALUE > 0);
    CREATE DOMAIN \"Odd.Name\" AS varchar(20); CREATE SCHEMA kinds; CREATE DOMAIN kinds.amount AS numeric(10, 2) DEFAULT 1;";

const SAID: &str = r#"datasource db {
  provider = "postgresql"
}

model guest {
  id       Int      @id @default(autoincrement()) @domain("counts")
  mail     String   @unique @default("a@b") @domain("email")
  others   String[] @default(["a@b", "it's@c"]) @domain("email")
  nick     String?  @db.VarChar(20) @domain("Odd.Name", schema: "public") @collate("C")
  paid     Decimal? @default(2.5) @db.Decimal(10, 2) @domain("kinds.amount")
  twice    Int?     @generated("((id)::integer * 2)") @domain("counts")
  host_id  Int?     @domain("counts")
  plain_id Int?
  host     guest?   @relation("guest_host_idToguest", fields: [host_id], references: [id], onDelete: NoAction, onUpdate: NoAction)
  host_of  guest[]  @relation("guest_host_idToguest")

  @@index([nick(sort: Desc)])
}
"#;

#[test]
fn domains_come_back_as_they_were_written() {
    let (project, database) = (Project::new(), database("domains"));
    let push = ["db", "push", "--url", database.url()];
    project.write("schema.dsl", SAID);
    project.run(&["fmt"]).exits(0);
    let said = project.read("schema.dsl");
    project
        .run(&push)
        .exits(1)
        .says("guest.mail has the domain email: it does not exist")
        .says("CREATE DOMAIN \"counts\" AS INTEGER");
    query(&database, DOMAINS);
    project.run(&push).exits(0).hides("F210").hides("no migration creates");
    project.run(&push).exits(0).says("already");
    query(
        &database,
        "INSERT INTO guest (nick, host_id) VALUES ('n', NULL); INSERT INTO guest (mail, host_id) VALUES ('x@y', 1)",
    );
    project.run(&["db", "pull", "--check", "--url", database.url()]).exits(0);
    let pull = ["db", "pull", "--force", "--url", database.url()];
    // The definition of a domain is not part of a schema.
    project
        .run(&pull)
        .exits(0)
        .says("domain: public.counted; public.email")
        .hides("sequence")
        .hides("collation")
        .hides("no such type");
    assert_eq!(project.read("schema.dsl"), said);
    project.run(&["migrate-diff", "--from-url", database.url(), "--to-schema", "schema.dsl", "--exit-code"]).exits(0);
}

/// What an earlier version wrote, and a schema that does not mention the domain.
#[test]
fn a_schema_that_does_not_say_domain_leaves_it_to_the_database() {
    let (project, database) = (Project::new(), database("domains_unsaid"));
    query(&database, DOMAINS);
    query(
        &database,
        "CREATE TABLE guest (id counts PRIMARY KEY, mail email DEFAULT 'a@b', others email[] DEFAULT ARRAY['x@y'], nick \"Odd.Name\")",
    );
    let push = ["db", "push", "--url", database.url()];
    let old = "model guest {\n  id     Int                         @id\n  mail   Unsupported(\"email\")?      @default(dbgenerated(\"'a@b'::text\"))\n  \
               others Unsupported(\"email\")[] @default(dbgenerated(\"(ARRAY['x@y'::text])::email[]\"))\n  nick   Unsupported(\"public.\\\"Odd.Name\\\"\")?\n}\n";
    let plain = "model guest {\n  id     Int      @id\n  mail   String?  @default(\"a@b\")\n  others String[] @default([\"x@y\"])\n  nick   String?  @db.VarChar(20)\n}\n";
    for schema in [old, plain] {
        project.write("schema.dsl", schema);
        project.run(&push).exits(0).says("already");
    }
    // Another type is meant.
    project.write("schema.dsl", plain.replace("id     Int  ", "id     BigInt"));
    project.run(&[&push[..], &["--dry-run"]].concat()).exits(0).says("\"id\" SET DATA TYPE BIGINT").hides("mail");
    // Pull completes the file.
    project.write("schema.dsl", plain);
    project.run(&["db", "pull", "--url", database.url()]).exits(0);
    let pulled = project.read("schema.dsl");
    for line in
        ["@domain(\"email\")", "@db.VarChar(20) @domain(\"Odd.Name\", schema: \"public\")", "@domain(\"counts\")"]
    {
        assert!(pulled.contains(line), "{line} is not in\n{pulled}");
    }
    project.run(&push).exits(0).says("already");
    // What lies below it is corrected.
    project.write("schema.dsl", pulled.replace("id     Int  ", "id     BigInt"));
    project.run(&push).exits(1).says("guest.id has the domain counts: it is based on integer, and the field is bigint");
    project.run(&["check", "--database", "--url", database.url()]).exits(1).says("it is based on integer");
    project.run(&["db", "pull", "--url", database.url()]).exits(0);
    assert_eq!(project.read("schema.dsl"), pulled);
    query(&database, "ALTER DOMAIN \"Odd.Name\" SET NOT NULL");
    project
        .run(&["check", "--database", "--url", database.url()])
        .exits(1)
        .says("guest.nick has the domain public.Odd.Name: it does not allow NULL, and the field is optional");
}

/// A migration says that it needs a domain, works once the domain is created in it, and goes back.
#[test]
fn domains_are_migrated_and_taken_back() {
    let (project, database) = (Project::new(), database("domains_migrated"));
    let plain = "model Guest {\n  id   Int    @id\n  mail String\n}\n";
    let dev = |name: &str, more: &[&str]| {
        project.run(&[&["migrate", "dev", "--name", name, "--url", database.url()], more].concat())
    };
    project.write("schema.dsl", plain);
    dev("first", &[]).exits(0);
    query(&database, "INSERT INTO \"Guest\" VALUES (1, 'a@b')");
    project.write("schema.dsl", plain.replace("mail String", "mail String @domain(\"email\")"));
    dev("second", &[]).exits(1).says("Guest.mail has the domain email: it does not exist").says("--create-only");
    dev("second", &["--create-only", "--online"]).exits(0);
    let name = project.list("migrations").pop().expect("a migration");
    let file = format!("migrations/{name}/migration.sql");
    let sql = project.read(&file);
    assert!(sql.contains("F210 Guest.mail has the domain email"), "{sql}");
    project.run(&["migrate", "lint", "--url", database.url()]).says("F210").says("it does not exist");
    project.deploy(&database).exits(1).says("create the type in a statement before this one");
    project.run(&["migrate", "resolve", &name, "--rolled-back", "--url", database.url()]);
    project.write(&file, format!("CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');\n{sql}"));
    dev("third", &[]).exits(0);
    let facts = "SELECT concat_ws(' ', format_type(atttypid, NULL), (SELECT mail FROM \"Guest\")) FROM pg_attribute
        WHERE attrelid = '\"Guest\"'::regclass AND attname = 'mail'";
    assert_eq!(query(&database, facts), ["email a@b"]);
    project.run(&["migrate", "verify"]).exits(0);
    project.run(&["migrate", "down", "--url", database.url()]).exits(0);
    assert_eq!(query(&database, facts), ["text a@b"]);
}

/// Queries of files are prepared where the domains have no constraints.
#[test]
fn query_files_read_columns_with_domains() {
    let (project, database) = (Project::new(), database("domains_queries"));
    project.write(
        "schema.dsl",
        "datasource db {\n  provider   = \"postgresql\"\n  extensions = [citext]\n}\n\nmodel Guest {\n  id     Int      @id @domain(\"counts\")\n  \
         mail   String   @domain(\"kinds.email\") @db.Citext\n  others String[] @domain(\"kinds.email\") @db.Citext\n}\n",
    );
    project.write("queries/of_mail.sql", "SELECT id, mail, others FROM \"Guest\" WHERE mail = $1 AND id > $2");
    project.write("queries/add.sql", "INSERT INTO \"Guest\" (id, mail, others) VALUES ($1, $2, $3) RETURNING mail");
    project.write(
        "queries/cast.sql",
        "SELECT $1::kinds.email AS mail, mail::text AS plain FROM \"Guest\" WHERE id = ANY($2)",
    );
    project.run(&["check", "--database"]).exits(0).says("PostgreSQL agrees with 3 queries");
    query(
        &database,
        "CREATE EXTENSION citext; CREATE SCHEMA kinds; CREATE DOMAIN kinds.email AS citext; CREATE DOMAIN counts AS int",
    );
    project.run(&["db", "push", "--url", database.url()]).exits(0);
    project.run(&["check", "--database", "--url", database.url()]).exits(0).says("PostgreSQL agrees with 3 queries");
}
