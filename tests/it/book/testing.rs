//! The examples of `docs/testing.md`.

use std::path::Path;
use std::sync::LazyLock;

use plain_planner::{Client, Error, Institution, Models, institution, student, user};
use relata::migrate::{self, Migrations};
use relata::{Hooks, Result};
use relata_devdb::{DevDb, TestDatabase};

type Failure = Box<dyn std::error::Error + Send + Sync>;

static SERVER: LazyLock<DevDb> = LazyLock::new(|| DevDb::start().expect("a PostgreSQL is found or started"));

/// A database with all migrations applied, for one test.
fn database() -> TestDatabase {
    SERVER.database_from_template("exams-v1", migrated).expect("the database is created")
}

fn migrated(url: &str) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut connection = url.parse::<relata::ConnectOptions>()?.connect_direct().await?;
        let migrations = Migrations::from_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plain/migrations"))?;
        migrate::deploy(&mut connection, &migrations, &migrate::Options::default()).await?;
        Ok(())
    })
}

async fn an_institution(db: &Models, slug: &str) -> Result<Institution> {
    db.institution().create(institution::Create { name: slug.to_uppercase(), slug: slug.to_owned() }).await
}

#[tokio::test]
async fn a_slug_is_taken_once() -> Result<(), Failure> {
    let database = database();
    let db = Client::connect(database.url()).await?;

    an_institution(&db, "north").await?;
    let again = an_institution(&db, "north").await;

    assert!(matches!(again, Err(Error::UniqueViolation(c)) if c.constraint == institution::SLUG_KEY));
    Ok(())
}

#[tokio::test]
async fn the_list_takes_two_statements() -> Result<(), Failure> {
    let database = database();
    let db = Client::connect(database.url()).await?;

    let counted = db.counted();
    counted.student().find_many().include(student::user).include(student::institution).await?;
    counted.user().count().filter(user::email.ends_with("@x.edu")).await?;

    assert_eq!(counted.statistics().statements, 2);
    Ok(())
}

#[tokio::test]
async fn nothing_is_written() -> Result<(), Failure> {
    let database = database();
    let db = Client::connect(database.url()).await?;

    let reads_only = db.with_hooks(Hooks::new().before(|intent| match intent.kind.writes() {
        true => Err(Error::custom("this test must not write")),
        false => Ok(()),
    }));

    assert!(an_institution(&reads_only, "north").await.is_err());
    assert_eq!(reads_only.institution().count().await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_test_leaves_nothing_behind() -> Result<(), Failure> {
    let database = database();
    let db = Client::connect(database.url()).await?;

    let tx = db.begin().await?;
    an_institution(&tx, "north").await?;
    assert_eq!(tx.institution().count().await?, 1);
    drop(tx);

    assert_eq!(db.institution().count().await?, 0);
    Ok(())
}
