//! Type changes and fills under a unique key: what is told beforehand, and that an online plan stops before it changes
//! anything.

use relata_devdb::TestDatabase;

use crate::support::{Output, Project, database, query};

const BEFORE: &str = "\
model Price {
  id     Int    @id @default(autoincrement())
  shop   String
  amount Float
  note   String?

  @@unique([shop, amount])
  @@index([note])
}
";

fn after() -> String {
    BEFORE.replace("amount Float", "amount Int")
}

/// A project whose second migration is not run yet.
fn project(prefix: &str, before: &str, after: &str, more: &[&str]) -> (Project, TestDatabase) {
    let (project, database) = (Project::new(), database(prefix));
    project.write("schema.dsl", before);
    project.run(&["migrate", "dev", "--name", "init", "--url", database.url()]).exits(0);
    project.write("schema.dsl", after);
    let args = ["migrate", "dev", "--create-only", "--name", "types", "--accept-drops", "--url", database.url()];
    project.run(&[&args[..], more].concat()).exits(0);
    (project, database)
}

fn lint(project: &Project, args: &[&str]) -> Output {
    project.run(&[&["migrate", "lint"], args].concat())
}

#[test]
fn a_type_change_under_a_key_is_told_and_counted() {
    let (project, database) = project("merged", BEFORE, &after(), &[]);
    let name = project.list("migrations").pop().expect("a migration");
    let told = "Price (shop, amount) stays unique while its values change: fails if values that differ become equal";
    let sql = project.read(&format!("migrations/{name}/migration.sql"));
    assert!(sql.contains(&format!("--   F209 {told}")), "{sql}");
    lint(&project, &[]).says("warning[F209]").says(told);
    query(&database, "INSERT INTO \"Price\" (shop, amount) VALUES ('a', 1.2), ('a', 2.2), ('b', 1.4)");
    lint(&project, &["--url", database.url()]).hides("F209");
    query(&database, "INSERT INTO \"Price\" (shop, amount) VALUES ('a', 1.4)");
    lint(&project, &["--url", database.url()]).exits(1).says("error[F209]").says("1 value occurs more than once");
    project.deploy(&database).exits(1).says("SQLSTATE 23505");
    query(&database, "DELETE FROM \"Price\" WHERE amount = 1.4 AND shop = 'a'");
    project.deploy(&database).exits(0);
    assert_eq!(query(&database, "SELECT count(*) FROM \"Price\""), ["3"]);
}

#[test]
fn push_warns_of_it() {
    let (project, database) = (Project::new(), database("merged_push"));
    let push = |schema: &str| {
        project.write("schema.dsl", schema);
        project.run(&["db", "push", "--allow-data-loss", "--url", database.url()])
    };
    push(BEFORE).exits(0).hides("warning");
    push(&after()).exits(0).says("warning: Price (shop, amount) stays unique while its values change");
}

#[test]
fn an_online_plan_looks_before_it_changes_anything() {
    let (project, database) = project("merged_online", BEFORE, &after(), &["--online"]);
    query(&database, "INSERT INTO \"Price\" (shop, amount) VALUES ('a', 1.2), ('a', 1.4), ('b', 1.3)");
    // The query of the hint runs as it is.
    let hint = "SELECT \"shop\", (\"amount\"::INTEGER), count(*) FROM \"Price\" WHERE \"shop\" IS NOT NULL \
                AND (\"amount\"::INTEGER) IS NOT NULL GROUP BY \"shop\", (\"amount\"::INTEGER) HAVING count(*) > 1";
    let failed = project.deploy(&database).exits(1).says("Price (shop, amount) would not be unique");
    failed.says("SQLSTATE 23505").says(&format!("{hint} shows them"));
    let left = "SELECT count(*) FROM pg_attribute WHERE attname LIKE '%\\_\\_new%'";
    assert_eq!(query(&database, left), ["0"]);
    assert_eq!(query(&database, hint).len(), 1);
    project.status(&database).exits(3);
    query(&database, "DELETE FROM \"Price\" WHERE amount = 1.4");
    project.deploy(&database).exits(0);
    project.status(&database).exits(0);
    let compare = ["migrate-diff", "--from-url", database.url(), "--to-schema", "schema.dsl", "--exit-code"];
    project.run(&compare).exits(0);
}

/// An index is dropped outside of a transaction before the new columns come, and all that the key names is renamed.
#[test]
fn the_first_statement_of_an_online_plan_knows_the_names_of_before() {
    let after = "\
model Offer {
  id    Int    @id @default(autoincrement())
  store String @renamedFrom(\"shop\")
  cents Int    @renamedFrom(\"amount\") @using(\"round(cents * 10)::int\")
  note  String?

  @@unique([store, cents])
  @@renamedFrom(\"Price\")
}
";
    let (project, database) = project("merged_renamed", BEFORE, after, &["--online"]);
    query(&database, "INSERT INTO \"Price\" (shop, amount, note) VALUES ('a', 1.21, 'n'), ('a', 1.22, 'n')");
    project.deploy(&database).exits(1).says("Offer (store, cents) would not be unique");
    let indexes = "SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes WHERE tablename = 'Price'";
    assert_eq!(query(&database, indexes), ["Price_note_idx Price_pkey Price_shop_amount_key"]);
    query(&database, "UPDATE \"Price\" SET amount = 2.2 WHERE amount = 1.22");
    project.deploy(&database).exits(0);
    assert_eq!(query(&database, "SELECT string_agg(cents::text, ' ' ORDER BY id) FROM \"Offer\""), ["12 22"]);
}

/// Partial indexes, expressions and NULLs that count as equal.
#[test]
fn keys_of_all_kinds_are_counted_as_they_are() {
    let (project, database) = (Project::new(), database("merged_kinds"));
    query(
        &database,
        "CREATE TABLE t (id int PRIMARY KEY, a float8, b float8, c int, d int[]);
         CREATE UNIQUE INDEX part ON t (a) WHERE c > 0;
         CREATE UNIQUE INDEX pair ON t (b, c);
         INSERT INTO t VALUES (1, 1.1, 1.1, 1, '{1}'), (2, 1.2, 1.2, -1, '{1,2}'), (3, 2, 2.2, 1, NULL)",
    );
    let schema = |ty: &str| {
        format!(
            "model t {{\n  id Int @id\n  a {ty}?\n  b {ty}?\n  c Int?\n  d Int[]\n  @@unique([a], map: \"part\", where: raw(\"c > 0\"))\n  \
             @@unique([b, c], map: \"pair\")\n}}\n"
        )
    };
    project.write("schema.dsl", schema("Int"));
    let args = ["migrate-diff", "--from-url", database.url(), "--to-schema", "schema.dsl", "--online"];
    let sql = project.run(&args).exits(0).says("F209 t (a) stays").says("F209 t (b, c) stays").stdout;
    project.migration("1_types", &sql).deploy(&database).exits(0);
    query(&database, "INSERT INTO t (id, a, b, c) VALUES (4, 1, 5, -1)");
}

#[test]
fn a_default_that_fills_a_unique_column_is_told() {
    let before = "model T {\n  id Int @id\n  code String? @unique\n}\n";
    let after = before.replace("code String?", "code String @default(\"x\")");
    for more in [&[][..], &["--online"]] {
        let (project, database) = project("merged_fill", before, &after, more);
        let told = "T (code) stays unique while its values change";
        lint(&project, &[]).says(told);
        query(&database, "INSERT INTO \"T\" VALUES (1, 'a'), (2, NULL)");
        lint(&project, &["--url", database.url()]).hides("F209");
        query(&database, "INSERT INTO \"T\" VALUES (3, NULL)");
        lint(&project, &["--url", database.url()]).says(told).says("1 value occurs more than once");
        project.deploy(&database).exits(1).says("SQLSTATE 23505");
        assert_eq!(query(&database, "SELECT count(*) FROM \"T\" WHERE code IS NULL"), ["2"]);
        query(&database, "UPDATE \"T\" SET code = 'c' WHERE id = 3");
        project.deploy(&database).exits(0);
    }
}

#[test]
fn an_empty_list_that_becomes_a_required_value_is_told() {
    let (project, database) = (Project::new(), database("merged_list"));
    query(&database, "CREATE TABLE \"T\" (id int PRIMARY KEY, codes text[] NOT NULL)");
    project.write("schema.dsl", "model T {\n  id Int @id\n  codes String\n}\n");
    let diff = |more: &[&str]| {
        let args = ["migrate-diff", "--from-url", database.url(), "--to-schema", "schema.dsl"];
        project.run(&[&args[..], more].concat()).exits(0).says("F202 T.codes stays required: fails for an empty list")
    };
    diff(&["--online"]);
    let sql = diff(&[]).stdout;
    query(&database, "INSERT INTO \"T\" VALUES (1, '{a}'), (2, '{}')");
    project.migration("1_types", &sql).deploy(&database).exits(1).says("SQLSTATE 23502");
}

#[test]
fn a_new_unique_key_is_counted_over_the_new_values() {
    let before = "model T {\n  id Int @id\n  size Float\n}\n";
    let after = before.replace("size Float", "size Int @unique");
    let (project, database) = project("merged_new", before, &after, &[]);
    query(&database, "INSERT INTO \"T\" VALUES (1, 1.1), (2, 1.2)");
    lint(&project, &["--url", database.url()]).exits(1).says("error[F203]").says("1 value occurs more than once");
}

/// One side loses what the other keeps; a check is proved again.
#[test]
fn references_and_checks_over_values_that_change_are_told() {
    let before = "\
model Unit {
  code  Decimal @id @db.Decimal(6, 2)
  items Item[]
}

model Item {
  id   Int     @id
  code Decimal @db.Decimal(6, 2)
  unit Unit    @relation(fields: [code], references: [code])

  @@check(\"code < 100\", name: \"small\")
}
";
    let one = before.replace(
        "id   Int     @id\n  code Decimal @db.Decimal(6, 2)",
        "id   Int     @id\n  code Decimal @db.Decimal(6, 0)",
    );
    let both = one.replace("@id @db.Decimal(6, 2)", "@id @db.Decimal(6, 0)");
    let diff = |next: &str, more: &[&str]| {
        let project = Project::new();
        project.write("before.dsl", before).write("after.dsl", next);
        let args = ["migrate-diff", "--from-schema", "before.dsl", "--to-schema", "after.dsl"];
        project.run(&[&args[..], more].concat()).exits(0)
    };
    for more in [&[][..], &["--online"]] {
        diff(&one, more).says("F204 Item (code) must reference").says("F205 Item must pass the check small");
        diff(&both, more).hides("F204").says("F205").says("F209 Unit (code) stays unique");
    }
    let (project, database) = project("merged_reference", before, &one, &[]);
    query(&database, "INSERT INTO \"Unit\" VALUES (1.25); INSERT INTO \"Item\" VALUES (1, 1.25)");
    lint(&project, &["--url", database.url()]).says("warning[F204]");
    project.deploy(&database).exits(1).says("SQLSTATE 23503");
}

#[test]
fn an_exclusion_constraint_over_values_that_change_is_told() {
    let (project, database) = (Project::new(), database("merged_exclusion"));
    query(
        &database,
        "CREATE TABLE t (id int PRIMARY KEY, a float8, EXCLUDE USING btree (a WITH =));
         INSERT INTO t VALUES (1, 1.1), (2, 1.2)",
    );
    project.write("schema.dsl", "model t {\n  id Int @id\n  a Int?\n}\n");
    let args = ["migrate-diff", "--from-url", database.url(), "--to-schema", "schema.dsl"];
    let sql = project.run(&args).exits(0).says("F209 exclusion constraint t_a_excl on t stays").stdout;
    project.migration("1_types", &sql).deploy(&database).exits(1).says("SQLSTATE 23P01");
}

const OPTIONAL: &str = "\
model Country {
  id     Int     @id
  people Person[]
}

model Person {
  id        Int      @id
  countryId Int?     @default(7)
  country   Country? @relation(fields: [countryId], references: [id], onDelete: Restrict)
  age       Int?     @default(200)

  @@check(\"age < 150\", map: \"age_is_human\")
}
";

/// A default that takes the place of NULL has to satisfy what stays on the column.
#[test]
fn a_default_in_place_of_null_is_told_of_foreign_keys_and_checks() {
    let required = OPTIONAL.replace("Int?     @default(7)", "Int @default(7)").replace("Country? @rel", "Country @rel");
    for more in [&[][..], &["--online"]] {
        let (project, database) = project("filled", OPTIONAL, &required, more);
        let told = "Person.countryId gets its default in place of NULL: fails if Country has no row that it references";
        let name = project.list("migrations").pop().expect("a migration");
        let sql = project.read(&format!("migrations/{name}/migration.sql"));
        assert!(sql.contains(&format!("--   F204 {told}")), "{sql}");
        query(&database, "INSERT INTO \"Person\" (id, \"countryId\", age) VALUES (1, NULL, 3)");
        project.deploy(&database).exits(1).says("SQLSTATE 23503");
        query(&database, "INSERT INTO \"Country\" VALUES (7)");
        project.deploy(&database).exits(0);
        assert_eq!(query(&database, "SELECT \"countryId\" FROM \"Person\""), ["7"]);
    }
    let (project, database) =
        project("filled_check", OPTIONAL, &OPTIONAL.replace("Int?     @default(200)", "Int @default(200)"), &[]);
    let name = project.list("migrations").pop().expect("a migration");
    let sql = project.read(&format!("migrations/{name}/migration.sql"));
    let told = "Person.age gets its default in place of NULL: fails for rows that then violate the check age_is_human";
    assert!(sql.contains(&format!("--   F205 {told}")), "{sql}");
    query(&database, "INSERT INTO \"Person\" (id, \"countryId\", age) VALUES (1, NULL, NULL)");
    project.deploy(&database).exits(1).says("SQLSTATE 23514");
}
