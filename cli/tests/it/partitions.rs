//! Partitioned tables: pushed, pulled, migrated, and the partitions of coming months.

use relata_devdb::TestDatabase;

use crate::support::{Output, Project, database, query};

const SCHEMA: &str = r#"datasource db {
  provider = "postgresql"
}

model Customer {
  id     Int     @id
  orders Order[]

  @@map("customers")
}

model Order {
  id         Int
  createdAt  DateTime @default(now()) @map("created_at") @db.Timestamptz(3)
  customerId Int      @map("customer_id")
  note       String?
  customer   Customer @relation(fields: [customerId], references: [id])
  lines      Line[]

  @@id([id, createdAt])
  @@index([customerId])
  @@map("orders")
  @@partitionBy(Range, [createdAt])
}

model Line {
  id      Int      @id
  orderId Int      @map("order_id")
  orderAt DateTime @map("order_at") @db.Timestamptz(3)
  order   Order    @relation(fields: [orderId, orderAt], references: [id, createdAt])

  @@index([orderId, orderAt])
  @@map("lines")
}

model Country {
  code   String @id
  Region String

  @@map("countries")
  @@partitionBy(List, [code])
}

model Session {
  User Int
  id   Int

  @@id([User, id])
  @@map("sessions")
  @@partitionBy(Hash, [id, User])
}
"#;

fn push(project: &Project, database: &TestDatabase) -> Output {
    project.run(&["db", "push", "--url", database.url()])
}

fn ahead(project: &Project, database: &TestDatabase, more: &[&str]) -> Output {
    let args = ["db", "partitions", "--every", "month", "--url", database.url()];
    project.run(&[&args[..], more].concat())
}

/// The partitions of a table.
fn parts(database: &TestDatabase, table: &str) -> Vec<String> {
    query(
        database,
        &format!(
            "SELECT inhrelid::regclass::text || ' ' || pg_get_expr(relpartbound, oid) FROM pg_inherits JOIN pg_class ON oid = inhrelid
             WHERE inhparent = '{table}'::regclass ORDER BY 1"
        ),
    )
}

/// What a database has beyond the schema is neither dropped nor drift.
#[test]
fn partitioned_tables_are_pushed_and_pulled() {
    let (project, database) = (Project::new(), database("partitions"));
    project.write("schema.dsl", SCHEMA);
    project.run(&["fmt", "--check"]).exits(0);
    push(&project, &database).exits(0);
    query(
        &database,
        "CREATE TABLE orders_2026 PARTITION OF orders FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');
         CREATE TABLE orders_rest PARTITION OF orders DEFAULT; CREATE INDEX by_hand ON orders_2026 (note)",
    );
    push(&project, &database).exits(0).says("already has the schema");
    project.run(&["db", "pull", "--check", "--url", database.url()]).exits(0);
    // A new file says the same.
    project
        .run(&["db", "pull", "--force", "--naming", "prisma", "--url", database.url()])
        .exits(0)
        .hides("partitioned table");
    let pulled = project.read("schema.dsl");
    for line in ["@@partitionBy(Range, [createdAt])", "@@partitionBy(List, [code])", "@@partitionBy(Hash, [id, user])"]
    {
        assert!(pulled.contains(line), "{line} is not in\n{pulled}");
    }
    push(&project, &database).exits(0).says("already has the schema");
    // A schema that does not say it leaves the table as it is, and is completed by a pull.
    let silent = SCHEMA.replace("  @@partitionBy(Range, [createdAt])\n", "");
    project.write("schema.dsl", &silent);
    push(&project, &database).exits(0).says("already has the schema");
    project.run(&["db", "pull", "--url", database.url()]).exits(0).says("partition: public.orders_2026 FOR VALUES");
    assert_eq!(project.read("schema.dsl"), SCHEMA);
    assert_eq!(parts(&database, "orders").len(), 2);
}

/// A key that no schema can say stays, and is told.
#[test]
fn other_partition_keys_are_left_alone() {
    let (project, database) = (Project::new(), database("partition_expressions"));
    query(
        &database,
        "CREATE TABLE a (t text) PARTITION BY RANGE (lower(t)); CREATE TABLE b (t text NOT NULL UNIQUE) PARTITION BY LIST (t text_pattern_ops);
         CREATE TABLE c (t text COLLATE \"C\" PRIMARY KEY) PARTITION BY HASH (t); CREATE UNLOGGED TABLE d (x date PRIMARY KEY) PARTITION BY RANGE (x)",
    );
    let pull = project.run(&["db", "pull", "--url", database.url()]).exits(0);
    pull.says("partitioned table: public.a (RANGE (lower(t))); public.b (LIST (t text_pattern_ops))")
        .hides("public.c")
        .hides("public.d");
    let pulled = project.read("schema.dsl");
    assert_eq!(pulled.matches("@@partitionBy").count(), 2, "{pulled}");
    project.run(&["check"]).exits(0);
    project.run(&["db", "pull", "--check", "--url", database.url()]).exits(0);
    push(&project, &database).exits(0).says("already");
}

#[test]
fn partitioned_tables_are_migrated_with_their_rows_and_back() {
    let (project, database) = (Project::new(), database("partitions_migrated"));
    let dev = |name: &str, more: &[&str]| {
        project.run(&[&["migrate", "dev", "--create-only", "--name", name][..], more].concat())
    };
    project.write("schema.dsl", SCHEMA);
    dev("first", &[]).exits(0);
    project.deploy(&database).exits(0);
    query(
        &database,
        "CREATE TABLE orders_2026 PARTITION OF orders FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
         CREATE TABLE orders_rest PARTITION OF orders DEFAULT; CREATE TABLE sessions_all PARTITION OF sessions FOR VALUES WITH (MODULUS 1, REMAINDER 0);
         INSERT INTO customers VALUES (1); INSERT INTO orders VALUES (1, '2026-05-01', 1), (2, '2030-05-01', 1);
         INSERT INTO lines VALUES (1, 1, '2026-05-01'); INSERT INTO sessions VALUES (1, 2)",
    );
    project.status(&database).exits(0).says("up to date");
    let before = query(&database, "SELECT o::text FROM orders o ORDER BY 1");
    // Names, types, keys and indexes change online, with those of partitioned tables in a transaction.
    let next = SCHEMA
        .replace("id         Int\n", "id         BigInt\n")
        .replace("orderId Int ", "orderId BigInt ")
        .replace("  note       String?\n", "  note       String   @default(\"-\")\n  total Int?\n")
        .replace("  @@index([customerId])\n", "  @@unique([createdAt, id])\n  @@index([note, customerId])\n")
        .replace("  @@map(\"countries\")", "  @@unique([Region, code])\n  @@map(\"countries\")");
    project.write("schema.dsl", &next);
    dev("second", &["--online"]).exits(0);
    let sql = project.read(&last(&project));
    assert!(!sql.contains("CONCURRENTLY \"orders"), "{sql}");
    assert!(sql.contains("L317"), "{sql}");
    project.deploy(&database).exits(0);
    project.status(&database).exits(0).says("up to date");
    assert_eq!(query(&database, "SELECT count(*)::text FROM orders WHERE note = '-'"), ["2"]);
    project.run(&["migrate", "verify"]).exits(0);
    project.run(&["migrate", "down", "--allow-data-loss", "--url", database.url()]).exits(0);
    // The note was filled.
    let after: Vec<String> = query(&database, "SELECT o::text FROM orders o ORDER BY 1");
    assert_eq!(after, before.iter().map(|row| row.replace(",)", ",-)")).collect::<Vec<_>>());
    assert_eq!(parts(&database, "orders").len(), 2);
}

/// PostgreSQL has no statement for it, so the migration has one that fails. Following what it says works.
#[test]
fn a_table_becomes_partitioned_by_hand() {
    let (project, database) = (Project::new(), database("becomes_partitioned"));
    let plain = SCHEMA.replace("  @@partitionBy(Range, [createdAt])\n", "");
    let dev = |name: &str| project.run(&["migrate", "dev", "--create-only", "--name", name]);
    project.write("schema.dsl", &plain);
    dev("first").exits(0);
    project.deploy(&database).exits(0);
    query(
        &database,
        "INSERT INTO customers VALUES (1); INSERT INTO orders VALUES (1, '2026-05-01', 1), (2, '2030-05-01', 1);
         INSERT INTO lines VALUES (1, 1, '2026-05-01')",
    );
    project.write("schema.dsl", SCHEMA);
    push(&project, &database).exits(1).says("becomes partitioned by RANGE (\"created_at\")").says("--create-only");
    dev("partitioned").exits(0).says("~ table orders becomes partitioned by RANGE (\"created_at\"), by hand");
    project.deploy(&database).exits(1).says("PostgreSQL has no statement for that").says("--create-only");
    let path = last(&project);
    let sql = project.read(&path);
    let start = sql.find("DO $relata$").expect("the statement that fails");
    let end = start + sql[start..].find("END\n$relata$;").expect("its end") + "END\n$relata$;".len();
    let by_hand = "ALTER TABLE lines DROP CONSTRAINT lines_order_id_order_at_fkey;
ALTER TABLE orders RENAME TO orders_before;
ALTER INDEX orders_pkey RENAME TO orders_before_pkey;
ALTER INDEX orders_customer_id_idx RENAME TO orders_before_customer_id_idx;
CREATE TABLE orders (LIKE orders_before INCLUDING DEFAULTS) PARTITION BY RANGE (created_at);
ALTER TABLE orders ADD CONSTRAINT orders_pkey PRIMARY KEY (id, created_at);
CREATE INDEX orders_customer_id_idx ON orders (customer_id);
ALTER TABLE orders ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE orders ATTACH PARTITION orders_before DEFAULT;
ALTER TABLE lines ADD CONSTRAINT lines_order_id_order_at_fkey FOREIGN KEY (order_id, order_at) REFERENCES orders (id, created_at) ON DELETE RESTRICT ON UPDATE CASCADE;";
    project.write(&path, format!("{}{by_hand}{}", &sql[..start], &sql[end..]));
    project.run(&["migrate", "dev", "--url", database.url()]).exits(0);
    project.status(&database).exits(0).says("up to date");
    assert_eq!(query(&database, "SELECT count(*)::text FROM orders"), ["2"]);
    // Back, the statement fails as well, and nothing is lost.
    project
        .run(&["migrate", "down", "--allow-data-loss", "--url", database.url()])
        .exits(1)
        .says("is no longer partitioned by RANGE (\"created_at\")");
    assert_eq!(query(&database, "SELECT count(*)::text FROM orders"), ["2"]);
    project.run(&["migrate", "lint"]).hides("F212");
    // A pull of the plain file says how it is.
    project
        .write("schema.dsl", plain.replace("  @@map(\"orders\")", "  @@map(\"orders\")\n  @@partitionBy(Hash, [id])"));
    project.run(&["db", "pull", "--url", database.url()]).exits(0);
    assert!(project.read("schema.dsl").contains("@@partitionBy(Range, [createdAt])"));
}

#[test]
fn partitions_are_created_ahead() {
    let (project, database) = (Project::new(), database("partitions_ahead"));
    project.write("schema.dsl", SCHEMA);
    push(&project, &database).exits(0);
    let month = |number: u32| {
        let sql = format!(
            "SELECT to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + interval '{number} months', 'YYYY_MM')"
        );
        query(&database, &sql).remove(0)
    };
    let name = |number: u32| format!("orders_{}", month(number));
    let dry = ahead(&project, &database, &["--ahead", "1", "--dry-run"]).exits(0);
    assert!(dry.stdout.contains(&format!("ATTACH PARTITION \"public\".\"{}\"", name(1))), "{}", dry.stdout);
    assert!(parts(&database, "orders").is_empty());
    ahead(&project, &database, &["--ahead", "2"]).exits(0).says(&format!("+ {}: orders from ", name(2)));
    ahead(&project, &database, &["--ahead", "2"]).exits(0).says("already has these partitions");
    ahead(&project, &database, &["--ahead", "3", "--model", "Order"]).exits(0).says(&name(3)).hides(&name(2));
    assert_eq!(parts(&database, "orders").len(), 4);
    push(&project, &database).exits(0).says("already has the schema");
    // Rows reach them, with defaults and keys.
    query(&database, "INSERT INTO customers VALUES (1); INSERT INTO orders (id, customer_id) VALUES (1, 1)");
    assert_eq!(query(&database, "SELECT tableoid::regclass::text FROM orders"), [name(0)]);
    // Another length of partitions.
    let year = project.run(&["db", "partitions", "--every", "year", "--ahead", "0", "--url", database.url()]);
    year.exits(1).says("choose the length that the partitions have");
    // The rows of a default partition, of which nothing is moved, and other partitions are not created either.
    query(&database, "CREATE TABLE rest PARTITION OF orders DEFAULT");
    query(
        &database,
        "INSERT INTO orders SELECT 2, date_trunc('month', now() AT TIME ZONE 'UTC') + interval '5 months 3 days', 1",
    );
    let refused = ahead(&project, &database, &["--ahead", "6"]).exits(1);
    refused.says("public.rest, the default partition of orders, has 1 row(s)").says("detach");
    assert_eq!(parts(&database, "orders").len(), 5);
    query(&database, "DELETE FROM orders WHERE id = 2");
    query(&database, &format!("CREATE TABLE {} (id int)", name(5)));
    ahead(&project, &database, &["--ahead", "6"]).exits(1).says(&format!("{} exists and is no partition", name(5)));
    query(&database, &format!("DROP TABLE {}", name(5)));
    ahead(&project, &database, &["--ahead", "6"]).exits(0).says(&name(6));
    query(
        &database,
        "CREATE TABLE far PARTITION OF orders FOR VALUES FROM ('2200-01-01') TO (MAXVALUE);
         ALTER TABLE orders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
    );
    ahead(&project, &database, &["--ahead", "7"]).exits(0).says(&name(7));
    let sql = format!("SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE relname = '{}'", name(7));
    assert_eq!(query(&database, &sql), ["t"]);
    // A range within a larger partition has a place.
    let all: String = parts(&database, "orders")
        .iter()
        .map(|part| part.split(' ').next().unwrap_or_default().to_owned())
        .map(|part| format!("ALTER TABLE orders DETACH PARTITION {part}; DROP TABLE {part};"))
        .collect();
    query(
        &database,
        &format!("{all} CREATE TABLE everything PARTITION OF orders FOR VALUES FROM (MINVALUE) TO (MAXVALUE)"),
    );
    ahead(&project, &database, &["--ahead", "7"]).exits(0).says("already");
}

#[test]
fn partitions_ahead_need_a_table_that_is_partitioned_by_time() {
    let (project, database) = (Project::new(), database("partitions_refused"));
    project.write("schema.dsl", SCHEMA);
    ahead(&project, &database, &["--ahead", "1"]).exits(1).says("orders is no table that is partitioned by ranges");
    let country = ahead(&project, &database, &["--ahead", "1", "--model", "Country"]);
    country.exits(1).says("no model Country is partitioned by ranges of time").says("name one of Order");
    ahead(&project, &database, &["--ahead", "many"]).exits(64);
    project
        .run(&["db", "partitions", "--every", "quarter", "--ahead", "1"])
        .exits(64)
        .says("write day, week, month or year");
    project.write("schema.dsl", SCHEMA.replace("  @@partitionBy(Range, [createdAt])\n", ""));
    ahead(&project, &database, &["--ahead", "1"]).exits(1).says("write `@@partitionBy(Range, [createdAt])`");
}

/// The file of the last migration.
fn last(project: &Project) -> String {
    let names = project.list("migrations").into_iter().filter(|name| name.starts_with("20"));
    format!("migrations/{}/migration.sql", names.max().expect("there is one"))
}
