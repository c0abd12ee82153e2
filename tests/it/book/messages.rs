//! The examples of `docs/messages-and-locks.md`, and those of plans in `docs/client.md`.

use super::*;
use plain_planner::{institution, queries};
use relata::ListenEvent;

fn handle(channel: &str, payload: &str) {
    println!("{channel}: {payload}");
}

async fn read_everything_again(db: &Client) -> Result<()> {
    db.institution().count().await.map(drop)
}

async fn listening(db: Client) -> Result<()> {
    let mut events = db.listen(["orders", "jobs"]).await?;
    while let Some(event) = events.next().await {
        match event {
            ListenEvent::Notification(one) => handle(one.channel(), one.payload()),
            ListenEvent::Reconnected | ListenEvent::Lagged(_) => read_everything_again(&db).await?,
            _ => {}
        }
    }
    Ok(())
}

async fn notifying(db: &Client, name: String, slug: String) -> Result<()> {
    let tx = db.begin().await?;
    let order = tx.institution().create(institution::Create { name, slug }).await?;
    tx.notify("orders", order.id.to_string()).await?;
    tx.commit().await?;
    Ok(())
}

#[tokio::test]
async fn notifications() -> Result<()> {
    let book = Book::open().await;
    let url = crate::support::direct(book.fixture.database.url());
    let db: Client = Client::connect(&url).await?;
    let listens = tokio::spawn({
        let db = db.clone();
        async move { listening(db.clone()).await }
    });
    notifying(&db, "A".to_owned(), "a".to_owned()).await?;
    db.close();
    // It may have been closed before it listened.
    drop(listens.await.expect("ends"));
    Ok(())
}

async fn locking(db: &Client) -> Result<bool> {
    let tx = db.begin().await?;
    tx.advisory_lock(("invoices", 2026)).await?;
    // Of all transactions with this lock, one at a time comes here.
    let others = tx.try_advisory_lock("report").await?;
    tx.commit().await?;
    Ok(others)
}

#[tokio::test]
async fn locks() -> Result<()> {
    let book = Book::open().await;
    let url = crate::support::direct(book.fixture.database.url());
    let db: Client = Client::connect(&url).await?;
    let now = Utc::now();
    assert!(locking(&db).await?);
    let deleted = db
        .advisory_lock("nightly cleaning")
        .run(async || db.session().delete_many().filter(session::expires_at.lt(now)).await)
        .await?;
    let elsewhere = db.advisory_lock("report").try_run(async || db.student().count().await).await?.is_none();
    assert_eq!((deleted, elsewhere), (0, false));
    Ok(())
}

#[tokio::test]
async fn plans() -> Result<()> {
    let book = Book::open().await;
    let (db, tenant) = (&book.fixture.db, book.tenant);
    let explanation = db.student().find_many().filter(student::class_year.gte(2027)).explain().await?;
    println!("{explanation}");
    let read = db.student().find_many().include(student::exams).explain().analyze().buffers().await?;
    for statement in &read.statements {
        println!("{}\n{}", statement.sql, statement.plan);
    }
    let plan = db.explain(queries::standings(tenant)).json().await?;
    println!("{}", plan.statements[0].plan[0]["Plan"]["Total Cost"]);
    assert_eq!((explanation.statements.len(), read.statements.len(), plan.statements.len()), (1, 2, 1));
    Ok(())
}
