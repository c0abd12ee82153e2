//! The examples of `docs/audit.md`.

use relata::audit::Change;
use relata::chrono::{DateTime, Utc};

use super::client::{Client, Student, student};
use super::{client, row};

async fn acts(db: &Client, user: i32, id: i32) -> relata::Result<()> {
    let db = db.acting_as(format_args!("user:{user}"));
    db.student().update(student::id.eq(id)).set([student::year.to_nullable(2031)]).await?;

    let tx = db.begin().await?;
    tx.student().update(student::id.eq(id)).set([student::name.to("Ada")]).await?;
    tx.acting_as("job:cleanup").student().delete_many().filter(student::year.lt(2020)).await?;
    tx.commit().await?;
    Ok(())
}

async fn reads(db: &Client, id: i32, midnight: DateTime<Utc>) -> relata::Result<Vec<String>> {
    let history: Vec<Change> = db.audit().of(student::id.eq(id)).await?;
    let mut lines = Vec::new();
    for change in &history {
        if change.changed(student::year) {
            let (before, after) = (change.before(student::year)?, change.after(student::year)?);
            lines.push(format!("{:?}: {before:?} -> {after:?}", change.actor));
        }
    }

    let page = db.audit().of_model::<Student>().by("user:42").since(midnight).take(50).await?;
    if let Some(last) = page.last() {
        let next = db.audit().of_model::<Student>().by("user:42").since(midnight).take(50).after(last.id).await?;
        assert!(next.len() <= 50);
    }
    Ok(lines)
}

#[tokio::test]
async fn the_examples_run() {
    let (db, _database) = client().await;
    let midnight = Utc::now();
    db.student().create(row(1).set([student::year.to_nullable(2030)])).await.expect("is created");
    acts(&db, 42, 1).await.expect("runs");
    let lines = reads(&db, 1, midnight).await.expect("runs");
    assert_eq!(lines, ["Some(\"user:42\"): Some(Some(2030)) -> Some(Some(2031))", "None: None -> Some(Some(2030))"]);
}
