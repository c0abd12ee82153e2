//! No way to change a row bypasses the record.

use relata::audit::ChangeKind::{self, Delete, Insert, Truncate, Update};
use relata::chrono::{DateTime, Utc};
use relata::params;

use super::client::{Booking, Parent, note};
use super::{Client, booking, client, kinds, plain_sql, recorded, row, student};

fn day(number: u32) -> DateTime<Utc> {
    format!("2030-05-{number:02}T10:00:00Z").parse().expect("is a time")
}

fn names(columns: &[&str]) -> Vec<String> {
    columns.iter().map(|column| (*column).to_owned()).collect()
}

async fn forget(db: &Client) {
    db.execute_raw("DELETE FROM \"_relata_audit\"", params![]).await.expect("the owner may");
}

#[tokio::test]
async fn single_rows_are_recorded_with_the_columns_that_changed() {
    let (db, _database) = client().await;
    db.student().create(row(1)).await.expect("is created");
    db.student().update(student::id.eq(1)).set([student::year.to_nullable(2031)]).await.expect("is updated");
    db.student()
        .update(student::id.eq(1))
        .set([student::views.to(7), student::year.set_null()])
        .await
        .expect("is updated");
    db.student().delete(student::id.eq(1)).await.expect("is deleted");
    let all = [
        "born",
        "data",
        "email",
        "full_name",
        "id",
        "isActive",
        "photo",
        "rate",
        "role",
        "score",
        "seenAt",
        "tags",
        "token",
        "updatedAt",
        "year",
    ];
    let expected: Vec<(ChangeKind, Option<i32>, Vec<String>)> = vec![
        (Insert, Some(1), names(&all)),
        (Update, Some(1), names(&["updatedAt", "year"])),
        (Update, Some(1), names(&["updatedAt", "year"])),
        (Delete, Some(1), names(&all)),
    ];
    assert_eq!(recorded(&db).await, expected);
}

#[tokio::test]
async fn an_update_that_changes_nothing_is_not_recorded() {
    let (db, _database) = client().await;
    db.student().create(row(1)).await.expect("is created");
    let updates = ["UPDATE students SET full_name = full_name", "UPDATE students SET views = views + 1"];
    for sql in updates {
        assert_eq!(db.execute_raw(sql, params![]).await.expect("is right"), 1);
    }
    // A model without `@@audited`.
    db.note().create(note::Create { id: 1, text: "x".to_owned() }).await.expect("is created");
    assert_eq!(kinds(&db).await, [(Insert, Some(1))]);
}

#[tokio::test]
async fn many_rows_are_recorded_one_by_one() {
    let (db, _database) = client().await;
    db.student().create_many([row(1), row(2)]).await.expect("are created");
    db.student().copy_in([row(3), row(4)]).await.expect("are copied");
    assert_eq!(kinds(&db).await, [(Insert, Some(1)), (Insert, Some(2)), (Insert, Some(3)), (Insert, Some(4))]);
    forget(&db).await;
    let upserted = db.student().upsert_many([row(4), row(5)]).on(student::id).update(student::name);
    upserted.await.expect("are upserted");
    db.student().upsert(student::id.eq(6), row(6)).set([student::year.to_nullable(1)]).await.expect("is upserted");
    assert_eq!(kinds(&db).await, [(Update, Some(4)), (Insert, Some(5)), (Insert, Some(6))]);
    forget(&db).await;
    db.student().update_many().filter(student::id.lte(2)).set([student::name.to("x")]).await.expect("are updated");
    db.student().delete_many().filter(student::id.gte(5)).await.expect("are deleted");
    assert_eq!(kinds(&db).await, [(Update, Some(1)), (Update, Some(2)), (Delete, Some(5)), (Delete, Some(6))]);
}

#[tokio::test]
async fn nested_writes_cascades_and_soft_deletes_are_recorded() {
    let (db, _database) = client().await;
    let nested = student::bookings.create(booking::Create { student: Parent, day: day(1) });
    db.student().create(row(1)).with(nested).await.expect("are created");
    db.booking().create(booking::Create { student: 1, day: day(2) }).await.expect("is created");
    db.booking().delete(booking::student_id_day.eq(1, day(2))).await.expect("is marked");
    assert_eq!(kinds(&db).await.len(), 4);
    let history = db.audit().of(booking::student_id_day.eq(1, day(2))).await.expect("is read");
    assert_eq!(history.iter().map(|change| change.kind).collect::<Vec<_>>(), [Update, Insert]);
    assert!(history[0].changed(booking::deleted_at) && history[0].is_of::<Booking>());
    forget(&db).await;
    db.student().delete(student::id.eq(1)).await.expect("is deleted");
    assert_eq!(kinds(&db).await, [(Delete, Some(1)); 3], "the student and both bookings");
}

#[tokio::test]
async fn raw_sql_and_other_programs_are_recorded() {
    let (db, database) = client().await;
    db.execute_raw(
        "INSERT INTO students (id, full_name, email, token, \"updatedAt\") VALUES ($1, 'a', 'a', gen_random_uuid(), now())",
        params![1],
    )
    .await
    .expect("is right");
    plain_sql(database.url(), "UPDATE students SET id = 2").await;
    plain_sql(database.url(), "TRUNCATE students CASCADE").await;
    assert_eq!(kinds(&db).await[..2], [(Insert, Some(1)), (Update, Some(2))]);
    let emptied: Vec<_> = db.audit().kind(Truncate).await.expect("are read").into_iter().map(|it| it.table).collect();
    assert_eq!(emptied.len(), 2, "{emptied:?}");
    assert!(emptied.contains(&"students".to_owned()) && emptied.contains(&"Booking".to_owned()));
}

#[tokio::test]
async fn what_is_rolled_back_was_never_recorded() {
    let (db, _database) = client().await;
    let tx = db.begin().await.expect("begins");
    tx.student().create(row(1)).await.expect("is created");
    let undone: relata::Result<()> = tx
        .savepoint(|inner| async move {
            inner.student().create(row(2)).await?;
            Err(relata::Error::custom("undo"))
        })
        .await;
    undone.expect_err("is undone");
    assert_eq!(tx.audit().await.expect("are read").len(), 1);
    tx.rollback().await.expect("is rolled back");
    assert_eq!(kinds(&db).await, []);
    db.batch((db.student().create(row(3)), db.student().create(row(4)))).await.expect("both");
    let changes = db.audit().await.expect("are read");
    assert_eq!(changes[0].transaction, changes[1].transaction);
    let of_it = db.audit().of_transaction(changes[0].transaction).await.expect("are read");
    assert_eq!(of_it, changes);
}
