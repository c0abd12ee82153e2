//! A schema of the database for each tenant: `db.in_schema("north")`.

use std::path::Path;

use futures_util::TryStreamExt;
use plain_planner::{Client, Error, Parent, Role, exam_type, institution, queries, student, user};
use relata::migrate::{self, Migrations};
use relata::params;
use relata::uuid::Uuid;

use crate::pooler::PgBouncer;
use crate::support::wiretap::Wiretap;
use crate::support::{Database, Need, connect, devdb, plain_sql};

const SCHEMAS: [&str; 3] = ["north", "South", "we st*/"];

/// A database in which each schema has all tables. There are none in `public`.
async fn database() -> Database {
    let database = devdb().create_database("schemas").expect("a database is made");
    let mut connection = connect(database.url()).await;
    let migrations = Migrations::from_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plain/migrations"));
    let migrations = migrations.expect("are read");
    for schema in SCHEMAS {
        let create = format!("CREATE SCHEMA \"{schema}\"; SET search_path TO \"{schema}\"");
        connection.batch_execute(&create).await.expect("is created");
        migrate::deploy(&mut connection, &migrations, &migrate::Options::default()).await.expect("is applied");
    }
    database
}

/// Every kind of call in one schema, which has no rows before.
async fn use_all(db: &Client) {
    let row = institution::Create { name: "One".into(), slug: "one".into() };
    let id = db.institution().create(row).await.expect("creates").id;
    let account = |email: &str| user::Create {
        institution: id,
        email: email.into(),
        password_hash: String::new(),
        role: Role::Faculty,
    };
    // `role` is an enum, which each schema has for itself.
    let student = student::Create { user: Parent, institution: id, class_year: 2027 };
    db.user().create(account("a@x.edu")).with(user::student.create(student)).await.expect("creates");
    db.user().create_many([account("b@x.edu"), account("c@x.edu")]).await.expect("creates");
    db.user().copy_in([account("d@x.edu")]).await.expect("copies");
    assert_eq!(db.user().count().filter(user::role.eq(Role::Faculty)).await.expect("counts"), 4);
    let changed = db.user().update_many().filter(user::email.eq("b@x.edu")).set(user::role.to(Role::Admin));
    assert_eq!(changed.await.expect("updates"), 1);
    let found = db.student().find_many().include(student::user).include(student::institution).await.expect("reads");
    assert_eq!((found.len(), found[0].user.role, found[0].institution.slug.as_str()), (1, Role::Faculty, "one"));
    let streamed: Vec<_> = db.user().find_many().stream().try_collect().await.expect("streams");
    assert_eq!(streamed.len(), 4);
    let grouped = db.user().group_by(user::role).aggregate(relata::count()).order_by(user::role.asc());
    assert_eq!(grouped.await.expect("groups"), [(Role::Admin, 1), (Role::Faculty, 3)]);
    let exam = exam_type::Create { institution: id, code: "A".into(), name: "A".into(), default_weight: 1.0 };
    let (exam, users) = db.batch((db.exam_type().create(exam), db.user().count())).await.expect("runs");
    assert_eq!((exam.code.as_str(), users), ("A", 4));
    assert_eq!(db.query(queries::standings(id)).await.expect("reads").len(), 1);
    let raw: Vec<(String,)> =
        db.query_raw("SELECT email FROM users WHERE role = $1", params![Role::Admin]).await.expect("reads");
    assert_eq!(raw, [("b@x.edu".to_owned(),)]);
    let tx = db.begin().await.expect("begins");
    tx.user().delete_many().filter(user::email.eq("d@x.edu")).await.expect("deletes");
    tx.savepoint(|inner| async move { inner.user().create(account_again(id)).await })
        .await
        .expect_err("is a duplicate");
    assert_eq!(tx.user().count().await.expect("counts"), 3);
    tx.commit().await.expect("commits");
}

fn account_again(institution: Uuid) -> user::Create {
    user::Create { institution, email: "a@x.edu".into(), password_hash: String::new(), role: Role::Student }
}

async fn emails(url: &str, schema: &str) -> i64 {
    plain_sql(url, &format!("SELECT count(*) FROM \"{schema}\".users")).await[0].get(0)
}

#[tokio::test]
async fn clients_of_several_schemas_share_connections() {
    let database = database().await;
    let db = Client::builder(database.url()).expect("is a URL").max_connections(1).connect().await.expect("connects");
    let path = async || -> Vec<(String,)> { db.query_raw("SHOW search_path", params![]).await.expect("reads") };
    let before = path().await;
    for schema in SCHEMAS {
        use_all(&db.in_schema(schema)).await;
    }
    // The statements that the connection has prepared are those of each schema.
    for (number, schema) in SCHEMAS.iter().enumerate() {
        let here = db.in_schema(schema);
        for _ in 0..number {
            here.user()
                .delete(user::id.eq(here.user().find_first().or_err().await.expect("reads").id))
                .await
                .expect("deletes");
        }
        assert_eq!(here.user().count().await.expect("counts"), 3 - number as u64);
        assert_eq!(emails(database.url(), schema).await, 3 - number as i64);
    }
    // Nothing is left on the connection.
    assert_eq!(path().await, before);
    let missing = db.user().count().await;
    assert!(matches!(&missing, Err(Error::Database(error)) if error.sqlstate == "42P01"), "{missing:?}");
    let missing = db.in_schema("nowhere").user().count().await;
    assert!(matches!(&missing, Err(Error::Database(error)) if error.sqlstate == "42P01"), "{missing:?}");
    let wrong = db.in_schema("").user().count().await;
    assert!(matches!(wrong, Err(Error::Misuse(_))), "{wrong:?}");
    // The first schema that has the table counts.
    assert_eq!(db.in_schemas(["nowhere", "north", "South"]).user().count().await.expect("counts"), 3);
    let shown: Vec<(String,)> =
        db.in_schema("north").in_schema("South").query_raw("SHOW search_path", params![]).await.expect("reads");
    assert_eq!(shown, [("\"South\"".to_owned(),)]);
}

/// The schema is set in the message of the statement.
#[tokio::test]
async fn a_schema_costs_no_round_trip() {
    if devdb().skips_behind_pooler(&[Need::Pipeline, Need::Settings]) {
        return;
    }
    let database = database().await;
    let (url, tap) = Wiretap::before(database.url()).await;
    let client = async |url: &str| Client::builder(url).expect("is a URL").max_connections(1).connect().await;
    let plain = client(&format!("{url}&schema=north")).await.expect("connects");
    let here = client(&url).await.expect("connects").in_schema("north");
    use_all(&plain).await;
    let cost = async |db: &Client| {
        let mut cost = Vec::new();
        for _ in 0..2 {
            cost.clear();
            tap.take();
            db.user().find_many().include(user::student).await.expect("reads");
            cost.push(tap.take().round_trips);
            db.user().update_many().all_rows().set(user::role.to(Role::Admin)).await.expect("updates");
            cost.push(tap.take().round_trips);
            db.batch((db.user().count(), db.student().count())).await.expect("reads");
            cost.push(tap.take().round_trips);
            let tx = db.begin().await.expect("begins");
            tx.user().count().await.expect("reads");
            tx.commit().await.expect("commits");
            cost.push(tap.take().round_trips);
        }
        cost
    };
    let (without, with) = (cost(&plain).await, cost(&here).await);
    assert_eq!(without, with);
    assert_eq!(with, [2, 1, 1, 3]);
}

#[tokio::test]
async fn tasks_in_several_schemas_do_not_meet() {
    let database = database().await;
    let db = Client::builder(database.url()).expect("is a URL").max_connections(3).connect().await.expect("connects");
    let tasks = (0..12).map(|task| {
        let here = db.in_schema(SCHEMAS[task % 3]);
        tokio::spawn(async move {
            for round in 0..10 {
                let row = institution::Create { name: SCHEMAS[task % 3].into(), slug: format!("{task}-{round}") };
                here.institution().create(row).await?;
                let others = here.institution().count().filter(institution::name.ne(SCHEMAS[task % 3])).await?;
                assert_eq!(others, 0);
            }
            Ok::<_, Error>(())
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("no panic").expect("works");
    }
    for schema in SCHEMAS {
        assert_eq!(db.in_schema(schema).institution().count().await.expect("counts"), 40);
    }
}

#[tokio::test]
async fn schemas_hold_behind_a_pooler() {
    let database = database().await;
    let Some(bouncer) = PgBouncer::before(database.url()).await else { return };
    let db = bouncer.client().await;
    for schema in SCHEMAS {
        use_all(&db.in_schema(schema)).await;
    }
    for schema in SCHEMAS {
        assert_eq!(emails(database.url(), schema).await, 3);
        assert_eq!(db.in_schema(schema).user().count().filter(user::role.eq(Role::Admin)).await.expect("counts"), 1);
    }
}

/// The example of `docs/tenants.md`.
#[tokio::test]
async fn a_schema_per_tenant() -> relata::Result<()> {
    let database = database().await;
    let db = Client::connect(database.url()).await?;
    let north = db.in_schema("north");
    let students = north.student().count().await?;
    assert_eq!(students, 0);
    Ok(())
}
