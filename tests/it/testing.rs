//! `#[relata::test]` and `relata::testing`: which database a test has, and what becomes of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use plain_planner::{Client, Error, Institution, Models, Transaction, institution};
use relata::testing::harness::Test;
use relata::testing::{self, DevDb, Failure, Feature, InTransaction, MigratedDatabases, TestArgument, TestDatabase};
use relata::tokio_postgres::{self, NoTls, SimpleQueryMessage};
use relata::{ClientBuilder, Result, params};
use tokio::runtime::{Handle, RuntimeFlavor};

/// What the attribute writes without options.
const TEST: Test = Test {
    package: env!("CARGO_MANIFEST_DIR"),
    migrations: Some("tests/plain/migrations"),
    fixtures: &[],
    role: None,
    threads: None,
};

async fn north(db: &Models) -> Result<Institution> {
    db.institution().create(institution::Create { name: "North".to_owned(), slug: "north".to_owned() }).await
}

/// A test whose first row exists.
struct North {
    db: Client,
    institution: Institution,
}

impl TestArgument<'_> for North {
    async fn from_database(database: &TestDatabase) -> Result<Self, Failure> {
        let db = Client::connect(database.url()).await?;
        let institution = north(&db).await?;
        Ok(Self { db, institution })
    }
}

mod with_a_database {
    use super::*;

    #[relata::test(migrations = "tests/plain/migrations")]
    async fn is_migrated_and_empty(db: Client) -> Result<()> {
        assert_eq!(db.institution().count().await?, 0);
        north(&db).await?;
        Ok(())
    }

    /// Commits the same row as the test above.
    #[relata::test(migrations = "tests/plain/migrations")]
    async fn belongs_to_one_test(db: Client) -> Result<(), Failure> {
        north(&db).await?;
        let again = north(&db).await;
        assert!(matches!(again, Err(Error::UniqueViolation(c)) if c.constraint == institution::SLUG_KEY));
        Ok(())
    }

    #[relata::test(migrations = "tests/plain/migrations")]
    async fn has_several_arguments(mut db: Client, database: &TestDatabase, builder: ClientBuilder<Models>) {
        db = db.counted();
        north(&db).await.expect("is created");
        let other = Client::connect(database.url()).await.expect("connects");
        let third = builder.max_connections(1).connect().await.expect("connects");
        assert_eq!(other.institution().count().await.expect("reads"), 1);
        assert_eq!(third.institution().count().await.expect("reads"), 1);
        assert_eq!(db.statistics().statements, 1);
    }

    #[relata::test(migrations = "tests/plain/migrations")]
    async fn has_an_argument_of_its_own(North { db, institution }: North) -> Result<()> {
        assert_eq!(db.institution().find_many().await?, [institution]);
        Ok(())
    }

    #[relata::test(migrations = false)]
    async fn has_no_tables(db: Client) -> Result<()> {
        let rows: Vec<(i64,)> = db.query_raw(TABLES, params![]).await?;
        assert_eq!(rows, [(0,)]);
        Ok(())
    }

    const TABLES: &str = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '\\_%'";

    #[relata::test(migrations = "tests/plain/migrations", fixtures("tests/it/testing/north.sql"))]
    async fn has_the_rows_of_fixtures(db: Client) -> Result<()> {
        assert_eq!(db.institution().find_first().or_err().await?.slug, "north");
        Ok(())
    }
}

mod attributes {
    use super::*;

    #[relata::test(migrations = false)]
    #[should_panic(expected = "on purpose")]
    async fn a_panic_is_expected(_: Client) {
        panic!("on purpose");
    }

    #[relata::test(migrations = "tests/plain/migrations", rollback)]
    #[should_panic(expected = "on purpose")]
    async fn a_panic_in_a_transaction_is_expected(_: &Transaction) {
        panic!("on purpose");
    }

    #[relata::test(migrations = "no/such/folder")]
    #[ignore = "would fail"]
    async fn is_ignored(_: Client) {
        unreachable!("it is not run");
    }

    #[relata::test(migrations = false)]
    async fn the_runtime_is_one_thread(_: Client) {
        assert_eq!(Handle::current().runtime_flavor(), RuntimeFlavor::CurrentThread);
    }

    #[relata::test(migrations = false, flavor = "multi_thread", worker_threads = 3)]
    async fn the_runtime_has_threads(_: Client) {
        assert_eq!(Handle::current().runtime_flavor(), RuntimeFlavor::MultiThread);
        assert_eq!(Handle::current().metrics().num_workers(), 3);
    }
}

mod rolled_back {
    use super::*;

    #[relata::test(migrations = "tests/plain/migrations", rollback)]
    async fn of_a_transaction(tx: &Transaction) -> Result<()> {
        north(tx).await?;
        assert_eq!(tx.institution().count().await?, 1);
        Ok(())
    }

    #[relata::test(migrations = "tests/plain/migrations", rollback)]
    async fn of_the_models(db: &Models) -> Result<()> {
        north(db).await?;
        assert_eq!(db.institution().count().await?, 1);
        Ok(())
    }

    #[relata::test(migrations = "tests/plain/migrations", fixtures("tests/it/testing/north.sql"), rollback)]
    async fn with_fixtures(db: &Models) -> Result<()> {
        assert_eq!(db.institution().count().await?, 1);
        Ok(())
    }
}

/// A question that has one answer.
async fn ask(url: &str, sql: &str) -> Result<String, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    let messages = client.simple_query(sql).await?;
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    Ok(rows.collect())
}

#[test]
fn what_a_transaction_wrote_is_gone_also_after_a_panic() {
    let count = || {
        TEST.run_and_roll_back(async |tx: &Transaction| {
            let found = tx.institution().count().await?;
            north(tx).await?;
            Ok::<_, Error>(found)
        })
    };
    assert_eq!(count().expect("writes"), 0);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        TEST.run_and_roll_back(async |tx: &Transaction| {
            north(tx).await.expect("is created");
            panic!("on purpose")
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(count().expect("writes"), 0);
}

#[test]
fn a_database_is_dropped_also_after_a_panic() {
    let url = TEST.run(async |database| Ok(database.url().to_owned()));
    let mut panicking = None;
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        TEST.run(async |database| -> Result<(), Failure> {
            panicking = Some(database.url().to_owned());
            panic!("on purpose")
        })
    }));
    assert!(panicked.is_err());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for url in [url, panicking.expect("the test has begun")] {
        assert!(runtime.block_on(ask(&url, "SELECT 1")).is_err(), "the database is still there");
    }
}

/// Otherwise, a test that expects a panic would pass without a server.
#[test]
fn a_test_without_a_database_does_not_panic_if_it_should() {
    let broken = Test { migrations: Some("no/such/folder"), ..TEST };
    broken.run_to_panic(async |_| unreachable!("it is not run"));
    broken.roll_back_to_panic::<Transaction>(async |_| unreachable!("it is not run"));
    let panicked = catch_unwind(|| broken.run(async |_| Ok(())));
    let message = panicked.expect_err("a test without a database fails");
    let message = message.downcast_ref::<String>().expect("has a message");
    assert!(message.contains("no/such/folder") && message.contains("codegen migrate dev --name init"), "{message}");
}

#[test]
fn what_cannot_be_prepared_is_named() {
    let fixtures = |files| catch_unwind(move || Test { fixtures: files, ..TEST }.run(async |_| Ok(())));
    for (files, expected) in [
        (&["tests/it/no_such.sql"] as &[_], "cannot read the fixtures of "),
        (&["tests/it/testing.rs"], "cannot prepare the database of the tests: "),
    ] {
        let panic = fixtures(files).expect_err("is refused");
        let message = panic.downcast_ref::<String>().expect("has a message");
        assert!(message.starts_with(expected) && message.contains(files[0]), "{message}");
    }
}

#[test]
fn migrations_run_once_and_again_when_they_change() {
    let folder = std::env::temp_dir().join(format!("relata-migrated-{}", std::process::id()));
    let migration = folder.join("20260101000000_init");
    std::fs::create_dir_all(&migration).expect("is created");
    let write = |sql: &str| std::fs::write(migration.join("migration.sql"), sql).expect("is written");
    let server = DevDb::start().expect("a server");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let random = relata::uuid::Uuid::new_v4();
    // The time at which the migration ran is the same in each copy.
    let time = |database: &TestDatabase| runtime.block_on(ask(database.url(), "SELECT at::text FROM ran"));

    write(&format!("CREATE TABLE ran AS SELECT clock_timestamp() AS at; -- {random}\nSELECT '{random}';"));
    let (first, second) = (server.migrated(&folder).expect("is made"), server.migrated(&folder).expect("is made"));
    assert_ne!(first.url(), second.url());
    assert_eq!(time(&first).expect("is read"), time(&second).expect("is read"));

    write(&format!("CREATE TABLE ran AS SELECT clock_timestamp() AS at; SELECT '{random}', 2;"));
    let third = server.migrated(&folder).expect("is made");
    assert_ne!(time(&first).expect("is read"), time(&third).expect("is read"));

    write("CREATE TABLE ran AS SELECT 1 / 0 AS at");
    let error = server.migrated(&folder).expect_err("is refused");
    assert!(matches!(error, testing::Error::Prepare(_)), "{error}");
    assert!(error.to_string().contains("20260101000000_init"), "{error}");

    std::fs::remove_dir_all(&folder).expect("is removed");
    assert!(matches!(server.migrated(&folder), Err(testing::Error::Migrations { .. })));
}

/// Each has its own copy at the same time.
#[test]
fn tests_run_in_parallel() {
    let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                TEST.run(async |database| {
                    let db = Client::from_database(database).await?;
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    north(&db).await?;
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    running.fetch_sub(1, Ordering::SeqCst);
                    Ok(())
                });
            });
        }
    });
    assert!(most.into_inner() > 1);
}

#[test]
fn a_role_reads_and_writes_and_owns_nothing() {
    if crate::support::devdb().skips_without(&[Feature::Roles]) {
        return;
    }
    let confined = Test { role: Some("relata test's role"), ..TEST };
    confined.run(async |database| {
        let db = Client::from_database(database).await?;
        let role: Vec<(String,)> = db.query_raw("SELECT current_user::text", params![]).await?;
        assert_eq!(role, [("relata test's role".to_owned(),)]);
        north(&db).await?;
        assert_eq!(db.institution().delete_many().all_rows().await?, 1);
        let refused = db.execute_raw("DROP TABLE institutions", params![]).await;
        assert!(matches!(&refused, Err(Error::Database(error)) if error.sqlstate == "42501"), "{refused:?}");
        Ok(())
    });
    let found = confined.run_and_roll_back(async |tx: &Transaction| tx.institution().count().await);
    assert_eq!(found.expect("reads"), 0);
}

#[test]
fn a_client_with_row_security_needs_a_role() {
    if crate::support::devdb().skips_without(&[Feature::Roles]) {
        return;
    }
    type Secured = crate::tenants::secured::client::Client;
    TEST.run(async |database| {
        let error = Secured::from_database(database).await.expect_err("is a superuser's database");
        assert!(error.to_string().ends_with("give the test a role: #[relata::test(role = \"app\")]"), "{error}");
        Ok(())
    });
}

/// The models are those of the transaction, not of another connection.
#[test]
fn an_argument_in_a_transaction_is_the_transaction() {
    TEST.run_and_roll_back(async |tx: &Transaction| {
        assert!(std::ptr::eq(<Models as InTransaction>::of(tx), &**tx));
    });
}
