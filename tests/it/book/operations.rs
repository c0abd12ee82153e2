//! The examples of `docs/operations.md`.

use super::*;
use relata::{Hooks, IntentKind};

#[tokio::test]
async fn transactions_with_limits() -> Result<()> {
    let book = Book::open().await;
    let db = &book.fixture.db;
    let tx =
        db.begin().isolation(Isolation::RepeatableRead).read_only().statement_timeout(Duration::from_secs(5)).await?;
    let students = tx.student().count().await?;
    let exams = tx.student_exam().count().await?;
    tx.commit().await?;
    assert_eq!((students, exams), (1, 0));
    let moved: u64 = db
        .retrying(5)
        .transaction(async |tx| {
            let cap = tx.student().count().filter(student::class_year.eq(2028)).await?;
            if cap > 100 {
                return Err(Error::custom("2028 is full"));
            }
            tx.student().update_many().filter(student::class_year.eq(2027)).set(student::class_year.to(2028)).await
        })
        .isolation(Isolation::Serializable)
        .timeout(Duration::from_secs(10))
        .await?;
    assert_eq!(moved, 1);
    Ok(())
}

#[tokio::test]
async fn settings_of_a_client() -> Result<()> {
    let book = Book::open().await;
    let url = format!("{}{}connection_limit=1", book.fixture.database.url(), glue(book.fixture.database.url()));
    drop(book.fixture.db);
    {
        let db: Client = Client::builder(&url)?.through_pooler().connect().await?;
        assert_eq!(db.student().count().await?, 1);
        db.close();
    }
    let db: Client = Client::builder(&url)?.slow_threshold(Duration::from_millis(200)).connect().await?;
    assert_eq!(db.student().count().await?, 1);
    Ok(())
}

fn glue(url: &str) -> char {
    if url.contains('?') { '&' } else { '?' }
}

#[tokio::test]
async fn counters_and_hooks() -> Result<()> {
    let book = Book::open().await;
    let db = &book.fixture.db;
    let counted = db.counted();
    let students = counted.student().find_many().include(student::user).await?;
    assert_eq!(counted.statistics().statements, 2);
    assert_eq!(students.len(), 1);

    let (audit, heard) = std::sync::mpsc::channel();
    let who = "registrar";
    let guard = Hooks::new()
        .before_model::<Session>(|intent| match intent.kind {
            IntentKind::Delete | IntentKind::DeleteMany => Err(Error::custom("sessions are kept")),
            _ => Ok(()),
        })
        .after(move |intent, report| {
            if intent.kind.writes() {
                let _ = audit.send(format!("{who}: {:?} {:?} {:?}", intent.kind, intent.model, report.took));
            }
        });
    let db = db.with_hooks(guard);
    assert!(db.session().delete_many().all_rows().await.is_err());
    db.student().update_many().all_rows().set(student::class_year.to(2030)).await?;
    let heard: String = heard.try_iter().collect();
    assert!(heard.starts_with("registrar: UpdateMany Some(\"Student\")"), "{heard}");
    Ok(())
}
