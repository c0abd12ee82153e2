//! The examples of `docs/testing.md`.

use std::time::Duration;

use plain_planner::{Client, Error, Institution, Models, Transaction, institution, student, user};
use relata::testing::{DevDb, Failure, MigratedDatabases, TestArgument, TestDatabase};
use relata::{Hooks, Result};

async fn an_institution(db: &Models, slug: &str) -> Result<Institution> {
    db.institution().create(institution::Create { name: slug.to_uppercase(), slug: slug.to_owned() }).await
}

#[relata::test(migrations = "tests/plain/migrations")]
async fn a_slug_is_taken_once(db: Client) -> Result<()> {
    an_institution(&db, "north").await?;
    let again = an_institution(&db, "north").await;

    assert!(matches!(again, Err(Error::UniqueViolation(c)) if c.constraint == institution::SLUG_KEY));
    Ok(())
}

/// Two institutions, and a client that refuses slow statements.
struct World {
    db: Client,
    north: Institution,
    south: Institution,
}

impl TestArgument<'_> for World {
    async fn from_database(database: &TestDatabase) -> Result<Self, Failure> {
        let db = Client::builder(database.url())?.statement_timeout(Duration::from_secs(5)).connect().await?;
        let (north, south) = (an_institution(&db, "north").await?, an_institution(&db, "south").await?);
        Ok(World { db, north, south })
    }
}

#[relata::test(migrations = "tests/plain/migrations")]
async fn institutions_are_found_by_slug(World { db, north, south }: World) -> Result<()> {
    for institution in [north, south] {
        let found = db.institution().find_unique(institution::slug.eq(&institution.slug)).or_err().await?;
        assert_eq!(found, institution);
    }
    Ok(())
}

#[relata::test(migrations = "tests/plain/migrations", rollback)]
async fn an_institution_is_counted(tx: &Transaction) -> Result<()> {
    an_institution(tx, "north").await?;
    assert_eq!(tx.institution().count().await?, 1);
    Ok(())
}

#[relata::test(migrations = "tests/plain/migrations")]
async fn factories_create_what_a_test_needs(db: Client) -> Result<()> {
    // A user, and the institution that it requires.
    let ada = user::Factory::new(1).with(user::email.to("ada@x.edu")).create(&db).await?;

    // 100 students of this institution, each with its own user.
    let students = student::Factory::new(2).with(student::institution_id.to(ada.institution_id));
    let students = students.create_many(&db, 100).await?;

    assert_eq!((students.len(), db.user().count().await?, db.institution().count().await?), (100, 101, 1));
    Ok(())
}

async fn seed(db: &Client) -> Result<()> {
    let row = institution::Create { name: "North Medical School".to_owned(), slug: "north".to_owned() };
    db.institution()
        .upsert(institution::slug.eq("north"), row)
        .set(institution::name.to("North Medical School"))
        .await?;
    Ok(())
}

#[relata::test(migrations = "tests/plain/migrations")]
async fn a_seed_can_run_again(db: Client) -> Result<()> {
    seed(&db).await?;
    seed(&db).await?;
    assert_eq!(db.institution().count().await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_database_without_the_attribute() -> Result<(), Failure> {
    let server = DevDb::start()?;
    let database = server.migrated("tests/plain/migrations")?;
    let db = Client::connect(database.url()).await?;

    assert_eq!(db.institution().count().await?, 0);
    Ok(())
}

async fn prepare(url: &str) -> Result<(), Failure> {
    let connection = url.parse::<relata::ConnectOptions>()?.connect_direct().await?;
    connection.batch_execute("CREATE TABLE notes (id int)").await?;
    Ok(())
}

#[test]
fn a_database_that_is_prepared_in_another_way() -> Result<(), Failure> {
    let server = DevDb::start()?;
    let database = server.database_from_template("exams-v1", |url| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(prepare(url))
    })?;

    assert!(!database.name().is_empty());
    Ok(())
}

#[relata::test(migrations = "tests/plain/migrations")]
async fn the_list_takes_two_statements(db: Client) -> Result<()> {
    let counted = db.counted();
    counted.student().find_many().include(student::user).include(student::institution).await?;
    counted.user().count().filter(user::email.ends_with("@x.edu")).await?;

    assert_eq!(counted.statistics().statements, 2);
    Ok(())
}

#[relata::test(migrations = "tests/plain/migrations")]
async fn nothing_is_written(db: Client) -> Result<()> {
    let reads_only = db.with_hooks(Hooks::new().before(|intent| match intent.kind.writes() {
        true => Err(Error::custom("this test must not write")),
        false => Ok(()),
    }));

    assert!(an_institution(&reads_only, "north").await.is_err());
    assert_eq!(reads_only.institution().count().await?, 0);
    Ok(())
}
