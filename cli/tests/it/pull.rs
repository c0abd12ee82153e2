//! `db pull` of databases that hold what the schema language cannot say.

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
    let output = db(&project, &database, &[&["pull"], args].concat()).exits(0).hides("the compiler refuses");
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
    has(&schema, "p Unsupported(\"bpchar\") @id @@ignore");
    has(
        &schema,
        "ok ok? @relation(fields: [ok_id], references: [id], onDelete: NoAction, onUpdate: NoAction) @@ignore",
    );
    output
        .says("dom, lists, log, loose, padded")
        .says("primary key lists_pkey of lists")
        .says("CREATE DOMAIN public.phone");
}

#[test]
fn a_foreign_key_that_is_no_relation_is_a_warning() {
    let (project, _, output) = pull(
        "CREATE TABLE parent (id bigint PRIMARY KEY, a int, b int, UNIQUE (a, b));
         CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent, a int, b int,
            FOREIGN KEY (b, a) REFERENCES parent (b, a))",
        &[],
    );
    output
        .says("foreign key child_parent_id_fkey of child: `parent_id` is INTEGER and `parent.id` is BIGINT")
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
    has(&schema, "d Unsupported(\"filled\")[] @default(dbgenerated(\"ARRAY[]::filled[]\"))");
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
    output.says("partitioned table: public.snap (RANGE (d))").says("partition: public.snap_1 DEFAULT");
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
        .says("the schema shop has 2 tables that are not pulled; --schemas public,shop also pulls it")
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

/// What columns, defaults and indexes use comes with the schema or in a file, so that another database can be made.
#[test]
fn a_fresh_database_can_be_made_of_what_was_pulled() {
    let (project, database, output) = pull(
        "CREATE EXTENSION citext; CREATE EXTENSION pg_trgm; CREATE EXTENSION \"uuid-ossp\"; CREATE EXTENSION btree_gin;
         CREATE EXTENSION ltree; CREATE DOMAIN amount AS numeric(10, 2) CHECK (VALUE >= 0);
         CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
         CREATE SEQUENCE numbers; CREATE TYPE pair AS (a int, b amount); CREATE COLLATION plain (LOCALE = 'C');
         CREATE TABLE t (id uuid PRIMARY KEY DEFAULT uuid_generate_v4(), name citext UNIQUE, words text, n int DEFAULT twice(2),
            price amount DEFAULT 1, code text DEFAULT 'T' || nextval('numbers'), p pair, sorted text COLLATE plain, many citext[]);
         CREATE INDEX ON t USING gin (words gin_trgm_ops); CREATE INDEX ON t USING gin (n);
         CREATE VIEW named AS SELECT name FROM t; CREATE VIEW of_named AS SELECT * FROM named;
         CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER stamp BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION stamp();
         COMMENT ON TABLE t IS 'It''s t.'; CREATE POLICY p ON t USING (n > 0)",
        &["--with-sql", "sql/extra.sql"],
    );
    output.says("extension that nothing in the schema uses: ltree").says("view: public.named; public.of_named");
    let schema = words(&project);
    has(&schema, "uuid_ossp(map: \"uuid-ossp\")");
    for name in ["citext", "pg_trgm", "btree_gin"] {
        has(schema.split("extensions = [").nth(1).and_then(|rest| rest.split(']').next()).expect("a list"), name);
    }
    let before = project.read("sql/extra.sql");
    for statement in
        ["CREATE DOMAIN public.amount", "CREATE TYPE public.pair", "FUNCTION public.twice", "public.numbers"]
    {
        has(&before, statement);
    }
    assert!(
        !before.contains("CREATE VIEW") && before.find("DOMAIN public.amount") < before.find("TYPE public.pair"),
        "{before}"
    );

    let fresh = crate::support::database("pull_fresh");
    db(&project, &fresh, &["push"]).exits(1);
    db(&project, &fresh, &["execute", "sql/extra.sql"]).exits(0);
    db(&project, &fresh, &["push"]).exits(0);
    db(&project, &fresh, &["execute", "sql/extra.after.sql"]).exits(0);
    let compare = ["migrate-diff", "--from-url", fresh.url(), "--to-schema", "schema.dsl", "--exit-code"];
    project.run(&compare).exits(0);
    let between = ["migrate-diff", "--from-url", database.url(), "--to-url", fresh.url()];
    project.run(&between).exits(0).hides("VIEW").hides("COMMENT ON TABLE");
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

/// A view that the schema has needs no warning, nor has an extension that it lists.
#[test]
fn what_the_existing_schema_has_is_no_warning() {
    let (project, database) = (Project::new(), database("pull_views"));
    query(&database, "CREATE EXTENSION ltree; CREATE TABLE t (id int PRIMARY KEY); CREATE VIEW v AS SELECT id FROM t");
    let text = "datasource db {\n  provider   = \"postgresql\"\n  extensions = [ltree]\n}\n\nmodel t {\n  id Int @id\n}\n\nview v {\n  id Int @unique\n}\n";
    project.write("schema.dsl", text);
    db(&project, &database, &["pull"]).exits(0).says("already").hides("warning");
}

/// Nothing in it is no mistake.
#[test]
fn an_empty_database_is_pulled() {
    let (project, database) = (Project::new(), database("pull_empty"));
    db(&project, &database, &["pull"]).exits(0).hides("warning");
    has(&words(&project), "datasource db { provider = \"postgresql\" }");
}

const COMMENTED: &str = "\
datasource db {
  provider = \"postgresql\"
}

/// A server.
model Server {
  id   Int    @id
  // the address
  ip   String @unique // unique ip
  port Int    @default(80)
  name String
  zone Int

  // one name
  @@unique([name]) // name
  // for look-ups by prefix
  @@index([ip(ops: raw(\"text_pattern_ops\"))], map: \"ipx\") // prefix
  // by place
  @@index([zone, port], map: \"place\") // place
  // the old name
  @@map(\"servers\") // map
  // never empty
  @@check(\"length(ip) > 0\", name: \"ipck\") // check
}
";

#[test]
fn what_did_not_change_keeps_its_line_and_its_comments() {
    let (project, database) = (Project::new(), database("pull_lines"));
    project.write("schema.dsl", COMMENTED);
    db(&project, &database, &["push"]).exits(0);
    db(&project, &database, &["pull"]).exits(0).says("already");
    query(&database, "DROP INDEX ipx");
    db(&project, &database, &["pull"]).exits(0);
    let gone = "  // for look-ups by prefix\n  @@index([ip(ops: raw(\"text_pattern_ops\"))], map: \"ipx\") // prefix\n";
    assert_eq!(project.read("schema.dsl"), COMMENTED.replace(gone, ""));

    query(&database, "ALTER INDEX place RENAME TO there; CREATE UNIQUE INDEX servers_zone_key ON servers (zone);
        DROP INDEX servers_ip_key; CREATE INDEX two ON servers (port, id); ALTER TABLE servers ALTER name DROP NOT NULL");
    db(&project, &database, &["pull"]).exits(0);
    let schema = words(&project);
    for part in [
        "// by place @@index([zone, port], map: \"there\") // place",
        "zone Int @unique",
        "ip String // unique ip",
        "name String?",
        "// one name @@unique([name]) // name",
        "@@index([port, id], map: \"two\") // the old name @@map(\"servers\") // map",
        "// never empty @@check(\"length(ip) > 0\", name: \"ipck\") // check",
    ] {
        has(&schema, part);
    }
    let compare = ["migrate-diff", "--from-url", database.url(), "--to-schema", "schema.dsl", "--exit-code"];
    project.run(&compare).exits(0);
    db(&project, &database, &["pull"]).exits(0).says("already");
}

#[test]
fn an_extension_comes_to_the_list_once() {
    let sql = "CREATE EXTENSION citext; CREATE EXTENSION ltree; CREATE TABLE t (id int PRIMARY KEY, a citext)";
    let (project, database, _) = pull(sql, &[]);
    has(&words(&project), "extensions = [citext]");
    query(&database, "ALTER TABLE t ADD b ltree");
    db(&project, &database, &["pull"]).exits(0);
    has(&words(&project), "extensions = [citext, ltree]");
}

/// A table that loses its key leaves the client, and so do the fields that lead to it.
#[test]
fn a_key_that_goes_takes_the_fields_with_it_that_lead_to_the_model() {
    let (project, database) = (Project::new(), database("pull_key_goes"));
    query(
        &database,
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int UNIQUE REFERENCES a)",
    );
    db(&project, &database, &["pull"]).exits(0);
    has(&words(&project), "b b?");
    query(&database, "ALTER TABLE b DROP CONSTRAINT b_a_key");
    db(&project, &database, &["pull"]).exits(0);
    has(&words(&project), "b b[]");
    query(&database, "ALTER TABLE b DROP CONSTRAINT b_pkey");
    db(&project, &database, &["pull"]).exits(0).hides("the compiler refuses");
    has(&words(&project), "b b[] @ignore");
    project.run(&["check"]).exits(0);
}

#[test]
fn names_are_made_in_a_style_and_stay_as_they_are_written() {
    let sql = "CREATE TYPE order_status AS ENUM ('new'); CREATE TABLE users (id int PRIMARY KEY, full_name text, \"createdAt\" date);
        CREATE TABLE order_items (id int PRIMARY KEY, user_id int NOT NULL REFERENCES users, status order_status,
            checked_by int REFERENCES users);
        CREATE TABLE categories (id int PRIMARY KEY, parent_id int REFERENCES categories)";
    let (project, database, _) = pull(sql, &["--naming", "prisma"]);
    let schema = words(&project);
    for part in [
        "model OrderItem {",
        "@@map(\"order_items\")",
        "enum OrderStatus {",
        "model Category {",
        "model User {",
        "fullName String? @map(\"full_name\")",
        "createdAt DateTime?",
        "userId Int @map(\"user_id\")",
        "user User @relation(",
        "parentId Int? @map(\"parent_id\")",
        "@@map(\"users\")",
        "orderItemsUserId OrderItem[]",
    ] {
        has(&schema, part);
    }
    // A name that was chosen stays, whatever the style.
    query(&database, "ALTER TABLE users ADD COLUMN last_seen date");
    db(&project, &database, &["pull", "--naming", "rust"]).exits(0);
    has(&words(&project), "last_seen DateTime?");
    has(&words(&project), "fullName String?");

    let (project, _, _) = pull(sql, &["--naming", "rust"]);
    for part in ["created_at DateTime? @map(\"createdAt\")", "full_name String?", "order_items", "model OrderItem {"] {
        has(&words(&project), part);
    }
    let (project, _, _) = pull(sql, &["--naming", "keep"]);
    has(&words(&project), "model order_items {");
}

/// Pulls with a file of SQL and makes another database of that; gives what the second and the first answer to a query.
#[track_caller]
fn made_again(sql: &str, args: &[&str], question: &str) -> (Output, [String; 2]) {
    let (project, database, output) = pull(sql, &[args, &["--with-sql", "extra.sql"]].concat());
    db(&project, &database, &["pull", "--check"]).exits(0);
    let fresh = crate::support::database("pull_again");
    db(&project, &fresh, &["execute", "extra.sql"]).exits(0);
    db(&project, &fresh, &["push"]).exits(0);
    if project.path("extra.after.sql").exists() {
        db(&project, &fresh, &["execute", "extra.after.sql"]).exits(0);
    }
    let compare = ["migrate-diff", "--from-url", fresh.url(), "--to-schema", "schema.dsl", "--exit-code"];
    project.run(&compare).exits(0);
    (output, [&database, &fresh].map(|database| format!("{:?}", query(database, question))))
}

const DEFAULTS: &str = "SELECT coalesce(string_agg(pg_get_expr(adbin, adrelid), ' ' ORDER BY adrelid::regclass::text), '')
    || ' ' || (SELECT string_agg(concat_ws(' ', s.*), ',' ORDER BY s.sequencename) FROM pg_sequences AS s) FROM pg_attrdef";

#[test]
fn a_default_counts_with_the_same_sequence_in_a_fresh_database() {
    let (output, [here, there]) = made_again(
        "CREATE SEQUENCE a_seq; CREATE TABLE a (id bigint PRIMARY KEY DEFAULT nextval('a_seq'));
         CREATE TABLE b (id int PRIMARY KEY DEFAULT nextval('a_seq'));
         CREATE SEQUENCE lots; CREATE TABLE c (id text PRIMARY KEY DEFAULT nextval('lots'));
         CREATE DOMAIN positive AS bigint CHECK (VALUE > 0);
         CREATE TABLE d (id serial PRIMARY KEY, k int UNIQUE NOT NULL); ALTER TABLE d ALTER id TYPE positive;
         CREATE TABLE e (id serial PRIMARY KEY, f text DEFAULT 'x' || nextval('lots'));
         CREATE SEQUENCE g_id_seq CACHE 3; CREATE TABLE g (id int PRIMARY KEY DEFAULT nextval('g_id_seq'));
         CREATE TABLE h (id serial PRIMARY KEY); ALTER TABLE h ALTER id SET DEFAULT nextval('a_seq');
         CREATE SEQUENCE late; CREATE TABLE i (id int PRIMARY KEY DEFAULT nextval('late'::text));
         CREATE SEQUENCE j_id_seq INCREMENT -1; CREATE TABLE j (id bigint PRIMARY KEY DEFAULT nextval('j_id_seq'));
         CREATE SEQUENCE k_id_seq MINVALUE 100; CREATE TABLE k (id bigint PRIMARY KEY DEFAULT nextval('k_id_seq'))",
        &[],
        DEFAULTS,
    );
    assert_eq!(here, there);
    output
        .says("public.a.id (nextval('public.a_seq'::regclass))")
        .says("public.c.id (nextval('public.lots'::regclass))")
        .says("public.d.id (nextval('public.d_id_seq'::regclass))")
        .says("public.i.id (nextval(('late'::text)::regclass))")
        .hides("public.e.");
}

/// Prisma made them so before its version 6.
#[test]
fn a_join_table_with_a_unique_index_in_place_of_its_key_stays_as_it_is() {
    let join = |name: &str, index: &str| {
        format!(
            "CREATE TABLE \"{name}\" (\"A\" int NOT NULL REFERENCES \"Left\" ON UPDATE CASCADE ON DELETE CASCADE,
                \"B\" int NOT NULL REFERENCES \"Right\" ON UPDATE CASCADE ON DELETE CASCADE); {index}
             CREATE INDEX \"{name}_B_index\" ON \"{name}\" (\"B\");"
        )
    };
    let unique = "CREATE UNIQUE INDEX \"_LeftToRight_AB_unique\" ON \"_LeftToRight\" (\"A\", \"B\");";
    let (output, [here, there]) = made_again(
        &format!(
            "CREATE TABLE \"Left\" (id int PRIMARY KEY); CREATE TABLE \"Right\" (id int PRIMARY KEY); {} {}",
            join("_LeftToRight", unique),
            // Without any key it is a table like others.
            join("_Keyless", "")
        ),
        &[],
        "SELECT string_agg(indexdef, ';' ORDER BY indexname) FROM pg_indexes WHERE schemaname = 'public'",
    );
    assert_eq!(here, there);
    output
        .says("join table without a primary key: public.\"_LeftToRight\"")
        .hides("cannot express this: + primary key");
}

/// The model says the unique index itself.
#[test]
fn a_join_table_that_is_a_model_lacks_nothing() {
    let (output, [here, there]) = made_again(
        "CREATE TABLE \"Left\" (id int PRIMARY KEY); CREATE TABLE \"Right\" (id int, n int, PRIMARY KEY (id, n), UNIQUE (id));
         CREATE TABLE \"_LeftToRight\" (\"A\" int NOT NULL REFERENCES \"Left\" ON UPDATE CASCADE ON DELETE CASCADE,
            \"B\" int NOT NULL REFERENCES \"Right\" (id) ON UPDATE CASCADE ON DELETE CASCADE);
         CREATE UNIQUE INDEX \"_LeftToRight_AB_unique\" ON \"_LeftToRight\" (\"A\", \"B\");
         CREATE INDEX \"_LeftToRight_B_index\" ON \"_LeftToRight\" (\"B\")",
        &[],
        "SELECT string_agg(indexdef, ';' ORDER BY indexname) FROM pg_indexes WHERE schemaname = 'public'",
    );
    assert_eq!(here, there);
    output.hides("join table");
}

#[test]
fn a_sequence_that_counts_less_or_otherwise_is_told_and_made_again() {
    let (output, [here, there]) = made_again(
        "CREATE TABLE narrow (id serial PRIMARY KEY); ALTER TABLE narrow ALTER id TYPE bigint;
         CREATE TABLE most (id bigserial PRIMARY KEY); ALTER SEQUENCE most_id_seq MAXVALUE 9007199254740991 CACHE 7;
         ALTER SEQUENCE most_id_seq RENAME TO \"it's most\";
         CREATE TABLE back (id bigserial PRIMARY KEY); ALTER SEQUENCE back_id_seq INCREMENT -1 MINVALUE -9 MAXVALUE -1 START -1 RESTART; CREATE TABLE plain (id serial PRIMARY KEY)",
        &[],
        "SELECT string_agg(concat_ws(' ', data_type, max_value, cache_size), ',' ORDER BY max_value, cache_size) FROM pg_sequences",
    );
    assert_eq!(here, there);
    output.says("public.narrow_id_seq (AS integer").says("MAXVALUE 9007199254740991").hides("plain");
}

#[test]
fn how_columns_are_stored_is_told_and_made_again() {
    // PostgreSQL 13 compresses all columns alike.
    let compresses = "SELECT current_setting('server_version_num')::int >= 140000";
    let compresses = query(&crate::support::database("pull_version"), compresses) == ["t"];
    let compression = if compresses { "ALTER TABLE t ALTER b SET COMPRESSION pglz;" } else { "" };
    let tables = format!(
        "CREATE TABLE t (id int PRIMARY KEY, a text, b text, c int, d int); {compression}
         ALTER TABLE t ALTER a SET STORAGE EXTERNAL, ALTER c SET STATISTICS 7,
            ALTER d SET (n_distinct = 5); CREATE INDEX exp ON t ((c + 1)); ALTER INDEX exp ALTER COLUMN 1 SET STATISTICS 9;
         ALTER TABLE t FORCE ROW LEVEL SECURITY; CREATE STATISTICS s ON a, b FROM t; ALTER STATISTICS s SET STATISTICS 3"
    );
    let (output, [here, there]) = made_again(
        &tables,
        &[],
        "SELECT concat(string_agg(concat_ws(' ', attname, attstorage, to_jsonb(a) ->> 'attcompression', attstattarget, attoptions), ',' ORDER BY attnum),
            (SELECT relforcerowsecurity FROM pg_class WHERE oid = 't'::regclass), (SELECT stxstattarget FROM pg_statistic_ext))
         FROM pg_attribute AS a WHERE attrelid = 't'::regclass AND attnum > 0",
    );
    assert_eq!(here, there);
    let output = if compresses { output.says("column with a compression: public.t.b (pglz)") } else { output };
    output
        .says("column with a storage of its own: public.t.a (EXTERNAL)")
        .says("column with a statistics target: public.t.c (7)")
        .says("column with options: public.t.d (n_distinct=5)")
        .says("index with a statistics target: exp on public.t")
        .says("row-level security: public.t (FORCE)");
}

/// Objects of the database as a whole are told, unless an extension brings them.
#[test]
fn what_belongs_to_no_schema_is_told() {
    let (_, _, output) = pull(
        "CREATE EXTENSION citext; CREATE EXTENSION postgres_fdw; CREATE TABLE t (id int PRIMARY KEY, a citext);
         CREATE LANGUAGE own HANDLER plpgsql_call_handler; CREATE FOREIGN DATA WRAPPER wrap;
         CREATE SERVER srv FOREIGN DATA WRAPPER wrap; CREATE USER MAPPING FOR PUBLIC SERVER srv;
         CREATE FUNCTION ev() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
         CREATE EVENT TRIGGER evt ON ddl_command_end EXECUTE FUNCTION ev(); CREATE PUBLICATION pub FOR TABLE t;
         CREATE ACCESS METHOD am TYPE TABLE HANDLER heap_tableam_handler",
        &[],
    );
    output
        .says("language: own")
        .says("foreign-data wrapper: wrap")
        .says("foreign server: srv")
        .says("user mapping: public on srv")
        .says("event trigger: evt")
        .says("publication: pub")
        .says("access method: am")
        .says("extension that nothing in the schema uses: postgres_fdw")
        .hides("citext_eq")
        .hides("plpgsql");
}

#[test]
fn schemas_without_tables_are_told_and_functions_of_other_schemas_come_along() {
    let (output, [here, there]) = made_again(
        "CREATE SCHEMA info; CREATE VIEW info.v AS SELECT 1 AS a; CREATE SCHEMA m;
         CREATE FUNCTION info.inner(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)';
         CREATE FUNCTION info.another(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)';
         CREATE FUNCTION m.outer(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT info.inner ($1)';
         CREATE TABLE m.t (id int PRIMARY KEY, a text); CREATE INDEX ON m.t (m.outer(a));
         SET search_path = m; CREATE FUNCTION m.of_row(m.t) RETURNS void LANGUAGE plpgsql AS 'DECLARE x t; BEGIN END'",
        &["--schemas", "m"],
        "SELECT string_agg(proname, ',' ORDER BY proname) FROM pg_proc WHERE oid >= 16384 AND proname <> 'another'",
    );
    assert_eq!(here, there);
    output
        .says("the schema info, which has no tables, is not pulled; --schemas m,info also pulls it")
        .says("function: info.\"inner\"(pg_catalog.text); m.\"outer\"(pg_catalog.text); m.of_row(m.t)")
        .hides("another")
        .hides("the schema public");
}

#[test]
fn a_moment_without_a_time_zone_stays_one() {
    let sql = "CREATE TABLE t (id int PRIMARY KEY, at timestamptz NOT NULL DEFAULT '1970-01-01 00:00:00'::timestamp)";
    let (_, [here, there]) = made_again(sql, &[], "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef");
    assert_eq!(here, there);
}

#[test]
fn unlogged_tables_become_so_in_an_order_that_works() {
    let (output, [_, there]) = made_again(
        "CREATE UNLOGGED TABLE a (id int PRIMARY KEY, a int REFERENCES a); CREATE UNLOGGED TABLE b (id int PRIMARY KEY REFERENCES a);
         CREATE UNLOGGED TABLE c (id int PRIMARY KEY REFERENCES b); CREATE UNLOGGED TABLE below (id int PRIMARY KEY);
         CREATE UNLOGGED TABLE x (id int PRIMARY KEY REFERENCES below); CREATE UNLOGGED TABLE y (id int PRIMARY KEY REFERENCES x);
         ALTER TABLE x ADD FOREIGN KEY (id) REFERENCES y",
        &[],
        "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relkind = 'r' AND relpersistence = 'u'",
    );
    assert_eq!(there, "[\"a b c\"]");
    output.says("unlogged table: public.");
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
fn a_schema_is_not_overwritten_by_sql() {
    let (project, database, _) = pull("CREATE TABLE t (id int PRIMARY KEY)", &[]);
    let before = project.read("schema.dsl");
    db(&project, &database, &["pull", "--with-sql", "schema.dsl"])
        .exits(1)
        .says("--with-sql would overwrite the schema");
    let out = ["migrate-diff", "--from-empty", "--to-schema", "schema.dsl", "--out", "schema.dsl"];
    project.run(&out).exits(1).says("--out would overwrite the schema");
    assert_eq!(project.read("schema.dsl"), before);
}

#[test]
fn domains_and_ranges_are_made_again_with_all_that_they_have() {
    let (project, _, _) = pull(
        "CREATE DOMAIN d AS int; ALTER DOMAIN d ADD CONSTRAINT positive CHECK (VALUE > 0) NOT VALID;
         CREATE TYPE r AS RANGE (subtype = float8); CREATE TABLE t (id int PRIMARY KEY, d d, r r)",
        &["--with-sql", "extra.sql"],
    );
    let fresh = database("pull_fresh");
    db(&project, &fresh, &["execute", "extra.sql"]).exits(0);
    db(&project, &fresh, &["push"]).exits(0);
    let checked = query(&fresh, "SELECT convalidated::text FROM pg_constraint WHERE conname = 'positive'");
    assert_eq!(checked, ["false"]);
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
