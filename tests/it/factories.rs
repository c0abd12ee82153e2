//! Factories: rows of every model of the test schemas, which PostgreSQL accepts.

use std::collections::BTreeSet;

use plain_planner::{Error, Role, Transaction, exam_type, institution, session, student, student_exam, user};
use relata::Result;
use relata::chrono::{DateTime, TimeDelta, Utc};
use relata::migrate::{self, Migrations};
use relata::testing::Failure;
use relata::uuid::Uuid;

use crate::constructs::client as constructs;
use crate::support::{Fixture, connect, devdb, plain_sql};
use crate::wide::client as wide;

/// Creates one row of each model, and then three in one call.
macro_rules! one_and_three {
    ($db:expr; $($of:ident)::+) => {{
        let one = $($of)::+::Factory::new(1).create($db).await;
        one.unwrap_or_else(|error| panic!("{}: {error}", stringify!($($of)::+)));
        let rows = $($of)::+::Factory::new(2).create_many($db, 3).await;
        let rows = rows.unwrap_or_else(|error| panic!("{}: {error}", stringify!($($of)::+)));
        assert_eq!(rows.len(), 3, "{}", stringify!($($of)::+));
    }};
}

#[tokio::test]
async fn every_model_of_the_planner_has_rows() {
    let f = Fixture::new().await;
    one_and_three!(&f.db; institution);
    one_and_three!(&f.db; user);
    one_and_three!(&f.db; session);
    one_and_three!(&f.db; student);
    one_and_three!(&f.db; exam_type);
    one_and_three!(&f.db; student_exam);
}

#[tokio::test]
async fn every_model_of_the_wide_schema_has_rows() {
    let f = crate::wide::Fixture::new().await;
    one_and_three!(&f.db; wide::sample);
    one_and_three!(&f.db; wide::person);
    one_and_three!(&f.db; wide::group);
    one_and_three!(&f.db; wide::note);
    one_and_three!(&f.db; wide::comment);
    one_and_three!(&f.db; wide::empty);
    one_and_three!(&f.db; wide::made);
    one_and_three!(&f.db; wide::document);
    one_and_three!(&f.db; wide::native);
    one_and_three!(&f.db; wide::branch);
    one_and_three!(&f.db; wide::filled);
}

#[tokio::test]
async fn every_model_with_odd_constructs_has_rows() {
    let (db, database) = crate::constructs::client().await;
    let partition = "CREATE TABLE shop.all_measurements PARTITION OF shop.measurements DEFAULT";
    connect(database.url()).await.batch_execute(partition).await.expect("is right");
    one_and_three!(&db; constructs::customer);
    one_and_three!(&db; constructs::order);
    one_and_three!(&db; constructs::line);
    one_and_three!(&db; constructs::membership);
    one_and_three!(&db; constructs::club);
    one_and_three!(&db; constructs::tag);
    one_and_three!(&db; constructs::product);
    one_and_three!(&db; constructs::depot);
    one_and_three!(&db; constructs::rack);
    one_and_three!(&db; constructs::parcel);
    one_and_three!(&db; constructs::contact);
    one_and_three!(&db; constructs::shift);
    one_and_three!(&db; constructs::measurement);
    one_and_three!(&db; constructs::note);
    // Its key is an enum with two labels: there are two rows at most.
    let levels = constructs::level::Factory::new(1).create_many(&db, 2).await.expect("both are created");
    assert_ne!(levels[0].name, levels[1].name);
    let third = constructs::level::Factory::new(1).create(&db).await;
    assert!(matches!(third, Err(Error::UniqueViolation(_))), "{third:?}");
}

#[tokio::test]
async fn thousand_rows_have_the_types_and_unique_values_of_their_columns() {
    let f = crate::wide::Fixture::new().await;
    let filled = wide::filled::Factory::new(7).create_many(&f.db, 1000).await.expect("are created");
    let codes: BTreeSet<&str> = filled.iter().map(|row| row.code.as_str()).collect();
    assert!(codes.len() == 1000 && codes.iter().all(|code| code.len() == 2), "{codes:?}");
    assert!(filled.iter().all(|row| row.email.len() <= 30 && row.email.ends_with("@example.com")));
    let colors: BTreeSet<&str> = filled.iter().map(|row| row.color.as_str()).collect();
    assert_eq!(colors.len(), 3, "every label is chosen");
    assert!(filled.iter().any(|row| row.boolean) && filled.iter().any(|row| !row.boolean));
    let days = |time: DateTime<Utc>| (time - Utc::now()).num_days();
    assert!(filled.iter().all(|row| (-1..=3).contains(&days(row.timestamptz))), "times are near now");
}

#[tokio::test]
async fn what_is_required_is_created_and_shared_unless_a_key_forbids_it() {
    let f = Fixture::new().await;
    let students = student::Factory::new(3).create_many(&f.db, 1000).await.expect("are created");
    // `students.user_id` is unique, so each has a user. All belong to one institution, also those users.
    let counts = f.sql("SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM institutions)").await;
    assert_eq!((counts[0].get::<_, i64>(0), counts[0].get::<_, i64>(1)), (1000, 1));
    let users = f.db.user().find_many().await.expect("are read");
    assert!(users.iter().all(|user| user.institution_id == students[0].institution_id));

    // Rows that are given are not created.
    let exam = student_exam::Factory::new(4).with(student_exam::student_id.to(students[5].id));
    let exam = exam.create(&f.db).await.expect("is created");
    assert_eq!((exam.student_id, exam.score), (students[5].id, None), "optional columns are null");
    assert_eq!(f.db.student().count().await.expect("is read"), 1000);

    // Half of a key is unique with another half: each membership has another customer, and all have one club.
    let (db, _database) = crate::constructs::client().await;
    let members = constructs::membership::Factory::new(1).create_many(&db, 20).await.expect("are created");
    let clubs: BTreeSet<Uuid> = members.iter().map(|row| row.club_id).collect();
    let customers: BTreeSet<i32> = members.iter().map(|row| row.customer_id).collect();
    assert_eq!((clubs.len(), customers.len()), (1, 20));
}

/// Creates sessions of users, and undoes that.
async fn sessions(
    db: &plain_planner::Client,
    seed: u64,
    at: DateTime<Utc>,
) -> Result<(Vec<plain_planner::User>, Vec<DateTime<Utc>>)> {
    let tx = db.begin().await?;
    let sessions = session::Factory::new(seed).at(at).create_many(&tx, 5).await?;
    let users = tx.user().find_many().await?;
    tx.rollback().await?;
    Ok((users, sessions.iter().map(|session| session.expires_at).collect()))
}

#[tokio::test]
async fn a_seed_decides_about_the_values() -> Result<()> {
    let f = Fixture::new().await;
    let at = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
    let of = |(users, times): (Vec<plain_planner::User>, Vec<DateTime<Utc>>)| {
        let users: Vec<_> = users.into_iter().map(|user| (user.email, user.password_hash, user.role)).collect();
        (users, times)
    };
    let first = of(sessions(&f.db, 7, at).await?);
    assert_eq!(first, of(sessions(&f.db, 7, at).await?));
    let other = of(sessions(&f.db, 8, at).await?);
    assert!(first.0 != other.0 && first.1 != other.1);
    let later = of(sessions(&f.db, 7, at + TimeDelta::days(1)).await?);
    assert_eq!((&later.0, later.1[0]), (&first.0, first.1[0] + TimeDelta::days(1)));
    assert_eq!(first.1[4] - first.1[0], TimeDelta::minutes(4), "rows follow each other");
    Ok(())
}

#[tokio::test]
async fn every_column_can_be_set() -> Result<()> {
    let f = Fixture::new().await;
    let north = f.institution("north").await;
    let admin = user::Factory::new(1)
        .with([user::institution_id.to(north.id), user::role.to(Role::Student)])
        .with(user::role.to(Role::Admin))
        .with(user::email.to("ada@north.edu"));
    let admin = admin.create(&f.db).await?;
    assert_eq!((admin.institution_id, admin.role, admin.email.as_str()), (north.id, Role::Admin, "ada@north.edu"));

    let each = user::Factory::new(2)
        .with(user::institution_id.to(north.id))
        .with_each(|number| [user::email.to(format!("user{number}@north.edu"))]);
    let users = each.create_many(&f.db, 3).await?;
    assert_eq!(
        users.iter().map(|user| user.email.as_str()).collect::<Vec<_>>(),
        ["user0@north.edu", "user1@north.edu", "user2@north.edu"]
    );
    assert_eq!(f.db.institution().count().await?, 1);

    // What is optional, and what has a default.
    let id = Uuid::from_u128(1);
    let exam = student_exam::Factory::new(3).with([student_exam::id.to(id), student_exam::score.to(90.0)]);
    let exam = exam.create(&f.db).await?;
    assert_eq!((exam.id, exam.score), (id, Some(90.0)));
    assert!(each.create_many(&f.db, 0).await?.is_empty());
    let calculated = student::Factory::new(9).with(student::class_year.increment(1)).create(&f.db).await;
    assert!(matches!(calculated, Err(Error::Misuse(_))), "{calculated:?}");
    Ok(())
}

#[tokio::test]
async fn all_rows_of_a_call_are_created_or_none() -> Result<()> {
    let f = Fixture::new().await;
    let twice = student::Factory::new(1).with(student::id.to(Uuid::from_u128(1)));
    let failed = twice.create_many(&f.db, 2).await;
    assert!(matches!(failed, Err(Error::UniqueViolation(_))), "{failed:?}");
    assert_eq!((f.db.user().count().await?, f.db.institution().count().await?), (0, 0));

    // In a transaction, a savepoint, and the models of a function.
    let tx = f.db.begin().await?;
    tx.savepoint(|inner| async move { student::Factory::new(2).create(&inner).await }).await?;
    let models: &plain_planner::Models = &tx;
    user::Factory::new(3).create(models).await?;
    assert_eq!(tx.user().count().await?, 2);
    tx.rollback().await?;
    assert_eq!(f.db.user().count().await?, 0);
    Ok(())
}

#[tokio::test]
async fn rows_that_require_each_other_are_refused() -> Result<()> {
    let f = crate::wide::Fixture::new().await;
    let refused = |error: Error| match error {
        Error::Misuse(reason) => reason.into_owned(),
        other => panic!("{other}"),
    };
    let hen = refused(wide::hen::Factory::new(1).create(&f.db).await.expect_err("is refused"));
    assert!(
        hen.contains("a Hen requires a Egg (`egg`), and a Egg requires a Hen (`hen`)") && hen.contains(".with("),
        "{hen}"
    );
    let ring = wide::ring::Factory::new(1);
    let own = refused(ring.create(&f.db).await.expect_err("is refused"));
    assert!(own.contains("a Ring requires a Ring (`next`)"), "{own}");
    // A row that is there ends the cycle.
    let first = ring.with([wide::ring::id.to(1), wide::ring::next_id.to(1)]).create(&f.db).await?;
    let second = wide::ring::Factory::new(2).with(wide::ring::next_id.to(first.id)).create(&f.db).await?;
    assert_eq!(second.next_id, 1);
    Ok(())
}

#[tokio::test]
async fn the_handle_of_a_tenant_sets_the_tenant() -> Result<(), Failure> {
    use exam_planner::{Client, exam_type, institution, student, student_exam};

    let database = devdb().create_database("factories").expect("a database is made");
    let migrations = Migrations::from_dir(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations"))?;
    migrate::deploy(&mut connect(database.url()).await, &migrations, &migrate::Options::default()).await?;
    let db = Client::connect(database.url()).await?;
    let institutions = institution::Factory::new(1).create_many(&db.across_tenants(), 2).await?;
    let north = db.tenant(institutions[0].id);
    let exams = student_exam::Factory::new(2).create_many(&north, 10).await?;
    assert_eq!(exams.len(), 10);
    let tx = north.begin().await?;
    student::Factory::new(3).create(&tx).await?;
    tx.commit().await?;
    // The same values are taken at one tenant only.
    exam_type::Factory::new(4).create(&north).await?;
    exam_type::Factory::new(4).create(&db.tenant(institutions[1].id)).await?;
    let again = exam_type::Factory::new(4).create(&north).await;
    assert!(matches!(again, Err(Error::UniqueViolation(_))), "{again:?}");

    let users = plain_sql(database.url(), "SELECT count(*) FROM users").await;
    assert_eq!(users[0].get::<_, i64>(0), 2, "one user for the exams, one for the student");
    let institutions = plain_sql(database.url(), "SELECT count(*) FROM institutions").await;
    assert_eq!(institutions[0].get::<_, i64>(0), 2, "no institution was created for the rows");
    let refused = [
        student::Factory::new(5).create(&db).await.expect_err("no tenant was chosen"),
        student::Factory::new(5).create(&db.across_tenants()).await.expect_err("no tenant was chosen"),
    ];
    for error in refused {
        assert!(matches!(&error, Error::Misuse(reason) if reason.contains("db.tenant(id)")), "{error}");
    }
    Ok(())
}

/// A transaction of the planner, for tests that need nothing else.
#[relata::test(migrations = "tests/plain/migrations", rollback)]
async fn a_test_in_a_transaction_has_rows(tx: &Transaction) -> Result<()> {
    student::Factory::new(1).create_many(tx, 3).await?;
    assert_eq!(tx.user().count().await?, 3);
    Ok(())
}
