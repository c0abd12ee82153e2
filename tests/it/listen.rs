//! LISTEN and NOTIFY: a stream that survives its connection, and says when something may be missing.

use std::time::Duration;

use plain_planner::{Client, Error, Models, institution};
use relata::{ListenEvent, Listener, Result};
use relata_devdb::Feature;

use crate::support::{Fixture, devdb, direct};

/// A client of the server itself: notifications do not pass every pooler.
async fn client(fixture: &Fixture) -> Client {
    Client::builder(&direct(fixture.database.url()))
        .expect("is a URL")
        .max_connections(2)
        .connect()
        .await
        .expect("connects")
}

async fn next(events: &mut Listener) -> Option<ListenEvent> {
    tokio::time::timeout(Duration::from_secs(20), events.next()).await.expect("arrives")
}

/// The next notification.
async fn heard(events: &mut Listener) -> (String, String) {
    match next(events).await {
        Some(ListenEvent::Notification(one)) => (one.channel().to_owned(), one.payload().to_owned()),
        other => panic!("{other:?} is no notification"),
    }
}

/// The sessions of listeners in the database of a fixture.
const LISTENERS: &str = "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'";

async fn listeners(fixture: &Fixture) -> i64 {
    fixture.sql(&format!("SELECT count(*) {LISTENERS}")).await[0].get(0)
}

#[tokio::test]
async fn notifications_arrive_as_they_were_sent() {
    let fixture = Fixture::new().await;
    let db = client(&fixture).await;
    let odd = "My \"Jobs\"; LISTEN x -- Größe";
    let mut events = db.listen(["orders", odd]).await.expect("listens");
    for payload in ["", "1", "it's \"quoted\" $1 \\ %", "Größe 漢字 🦀", &"x".repeat(7999)] {
        for channel in ["orders", odd] {
            db.notify(channel, payload).await.expect("is sent");
            assert_eq!(heard(&mut events).await, (channel.to_owned(), payload.to_owned()));
        }
    }
    db.notify("Orders", "of another channel").await.expect("is sent");
    fixture.sql("SELECT pg_notify('orders', 'by SQL')").await;
    assert_eq!(heard(&mut events).await.1, "by SQL");
}

#[tokio::test]
async fn a_transaction_notifies_when_it_commits() -> Result<()> {
    async fn create(models: &Models, slug: &str) -> Result<()> {
        models.institution().create(institution::Create { name: "a".to_owned(), slug: slug.to_owned() }).await?;
        models.notify("institutions", slug).await
    }
    let fixture = Fixture::new().await;
    let db = client(&fixture).await;
    let mut events = db.listen(["institutions"]).await?;
    let tx = db.begin().await?;
    create(&tx, "rolled-back").await?;
    tx.rollback().await?;
    let tx = db.begin().await?;
    create(&tx, "committed").await?;
    let undone: Result<()> = tx
        .savepoint(async |inner| {
            create(&inner, "undone").await?;
            Err(Error::custom("undo it"))
        })
        .await;
    undone.expect_err("is undone");
    db.notify("institutions", "in between").await?;
    assert_eq!(heard(&mut events).await.1, "in between");
    tx.commit().await?;
    assert_eq!(heard(&mut events).await.1, "committed");
    create(&db, "alone").await?;
    assert_eq!(heard(&mut events).await.1, "alone");
    Ok(())
}

#[tokio::test]
async fn a_lost_connection_is_opened_again() {
    if devdb().skips_without(&[Feature::SessionProcesses]) {
        return;
    }
    let fixture = Fixture::new().await;
    let db = client(&fixture).await;
    let mut events = db.listen(["orders", "jobs"]).await.expect("listens");
    assert!(events.is_connected());
    for round in ["first", "second"] {
        fixture.sql(&format!("SELECT pg_terminate_backend(pid) {LISTENERS}")).await;
        assert_eq!(next(&mut events).await, Some(ListenEvent::Disconnected));
        assert_eq!(next(&mut events).await, Some(ListenEvent::Reconnected));
        // It listens before it says so.
        db.notify("jobs", round).await.expect("is sent");
        assert_eq!(heard(&mut events).await, ("jobs".to_owned(), round.to_owned()));
        assert!(events.is_connected());
    }
}

#[tokio::test]
async fn it_goes_on_after_a_server_that_refuses_it() {
    if devdb().skips_without(&[Feature::SessionProcesses]) {
        return;
    }
    let fixture = Fixture::new().await;
    let db = client(&fixture).await;
    let mut events = db.listen(["orders"]).await.expect("listens");
    let name = fixture.database.name();
    let admin = crate::support::connect(&devdb().url("postgres")).await;
    admin.batch_execute(&format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS false")).await.expect("is refused now");
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND query LIKE 'LISTEN%'";
    admin.query(end, &[&name]).await.expect("is ended");
    assert_eq!(next(&mut events).await, Some(ListenEvent::Disconnected));
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(!events.is_connected());
    admin.batch_execute(&format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS true")).await.expect("is allowed again");
    assert_eq!(next(&mut events).await, Some(ListenEvent::Reconnected));
    db.notify("orders", "again").await.expect("is sent");
    assert_eq!(heard(&mut events).await.1, "again");
}

#[tokio::test]
async fn unread_notifications_are_dropped_and_counted() {
    let fixture = Fixture::new().await;
    let db = client(&fixture).await;
    let mut slow = db.listen(["orders"]).buffer(2).await.expect("listens");
    for number in 1..=5 {
        db.notify("orders", number.to_string()).await.expect("is sent");
    }
    // Not read in the meantime: the buffer has what came before the last one once that is there.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(next(&mut slow).await, Some(ListenEvent::Lagged(3)));
    assert_eq!(heard(&mut slow).await.1, "4");
    assert_eq!(heard(&mut slow).await.1, "5");
    db.notify("orders", "6").await.expect("is sent");
    assert_eq!(heard(&mut slow).await.1, "6");
}

#[tokio::test]
async fn its_connection_is_its_own() {
    let fixture = Fixture::new().await;
    let url = direct(fixture.database.url());
    let db: Client = Client::builder(&url).expect("is a URL").max_connections(1).connect().await.expect("connects");
    let first = db.listen(["orders"]).await.expect("listens");
    let mut second = db.listen(["orders"]).await.expect("listens");
    db.notify("orders", "1").await.expect("is sent");
    assert_eq!(heard(&mut second).await.1, "1");
    assert_eq!(db.statistics().servers[0].connections, 1);
    if devdb().skips_without(&[Feature::SessionProcesses]) {
        return;
    }
    assert_eq!(listeners(&fixture).await, 2);
    drop(first);
    let mut left = 2;
    for _ in 0..200 {
        left = listeners(&fixture).await;
        if left == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(left, 1, "a dropped stream closes its connection");
}

#[tokio::test]
async fn a_closed_client_ends_its_streams() {
    let fixture = Fixture::new().await;
    let db = client(&fixture).await;
    let mut events = db.listen(["orders"]).await.expect("listens");
    db.clone().close();
    assert_eq!(next(&mut events).await, None);
    assert_eq!(next(&mut events).await, None);
    assert!(!events.is_connected());
    let refused = db.listen(["orders"]).await.expect_err("is closed").to_string();
    assert!(refused.contains("closed"), "{refused}");
}

#[tokio::test]
async fn a_stream_outlives_the_client() {
    let fixture = Fixture::new().await;
    let db = client(&fixture).await;
    let mut events = client(&fixture).await.listen(["orders"]).await.expect("listens");
    db.notify("orders", "1").await.expect("is sent");
    assert_eq!(heard(&mut events).await.1, "1");
}

#[tokio::test]
async fn limits_are_checked_before_anything_is_sent() {
    let fixture = Fixture::new().await;
    let db = fixture.db.counted();
    let long = "secret".repeat(2000);
    for payload in [long.as_str(), "secret\0"] {
        let refused = db.notify("orders", payload).await.expect_err("is refused");
        assert!(matches!(refused, Error::InvalidValue(_)), "{refused:?}");
        assert!(!format!("{refused} {refused:?}").contains("secret"), "{refused}");
    }
    for channel in ["", "a\0", &"x".repeat(64)] {
        let refused = db.notify(channel, "").await.expect_err("is refused");
        assert!(matches!(refused, Error::Misuse(_)), "{refused:?}");
        let refused = db.listen(["orders", channel]).await.expect_err("is refused");
        assert!(matches!(refused, Error::Misuse(_)), "{refused:?}");
    }
    assert!(matches!(db.listen([""; 0]).await, Err(Error::Misuse(_))));
    assert!(matches!(db.replica().notify("orders", "").await, Err(Error::Misuse(_))));
    assert!(matches!(db.replica().listen(["orders"]).await, Err(Error::Misuse(_))));
    assert_eq!(db.statistics().statements, 0);
}

#[derive(Debug, PartialEq, serde::Deserialize)]
struct Moved {
    id: i32,
    to: String,
}

#[tokio::test]
async fn payloads_are_read_as_json() {
    let fixture = Fixture::new().await;
    let db = client(&fixture).await;
    let mut events = db.listen(["moved"]).await.expect("listens");
    for payload in [r#"{"id": 7, "to": "north"}"#, r#"{"id": "secret", "to": "a"}"#, "secret", ""] {
        db.notify("moved", payload).await.expect("is sent");
    }
    let mut read = Vec::new();
    for _ in 0..4 {
        match next(&mut events).await {
            Some(ListenEvent::Notification(one)) => {
                assert!(!format!("{one:?}").contains("secret"));
                read.push(one.json::<Moved>());
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(read.remove(0).expect("fits"), Moved { id: 7, to: "north".to_owned() });
    for refused in read {
        let refused = refused.expect_err("does not fit");
        assert!(matches!(refused, Error::RowMismatch(_)), "{refused:?}");
        assert!(refused.to_string().contains("channel moved") && !refused.to_string().contains("secret"), "{refused}");
    }
}

#[tokio::test]
async fn a_pooler_in_transaction_mode_is_refused() {
    let fixture = Fixture::new().await;
    let url = direct(fixture.database.url());
    let told: Client = Client::builder(&url).expect("is a URL").through_pooler().connect().await.expect("connects");
    told.notify("orders", "1").await.expect("is sent");
    let Some(bouncer) = crate::pooler::PgBouncer::before(&url).await else { return };
    let through: Client = Client::builder(&bouncer.url).expect("is a URL").connect_lazily().expect("is right");
    for db in [told, bouncer.client().await, through] {
        let refused = db.listen(["orders"]).await.expect_err("is refused");
        assert!(
            matches!(refused, Error::Connect { .. }) && refused.to_string().contains("LISTEN belongs"),
            "{refused}"
        );
    }
}
