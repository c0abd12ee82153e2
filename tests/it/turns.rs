//! `pipeline=false`: nothing is sent before the server has answered, for poolers that do not follow a client that sends ahead.

use std::time::Duration;

use plain_planner::{Client, Error, Models, Parent, Role, institution, student, user};
use relata::{ClientBuilder, params};

use crate::support::wiretap::Wiretap;
use crate::support::{Fixture, Need, devdb};

fn builder(url: &str) -> ClientBuilder<Models> {
    Client::builder(url).expect("is a URL").max_connections(1).without_pipeline()
}

fn row(slug: &str) -> institution::Create {
    institution::Create { name: slug.to_owned(), slug: slug.to_owned() }
}

/// The round trips of calls that are one message otherwise.
async fn round_trips(db: &Client, tap: &Wiretap) -> [usize; 3] {
    let mut cost = [0; 3];
    for _ in 0..2 {
        tap.take();
        db.institution().count().await.expect("counts");
        cost[0] = tap.take().round_trips;
        db.batch((db.institution().count(), db.user().count())).await.expect("runs");
        cost[1] = tap.take().round_trips;
        db.with_setting("app.user", "ada").institution().count().await.expect("counts");
        cost[2] = tap.take().round_trips;
    }
    cost
}

#[tokio::test]
async fn each_message_waits_for_the_answer_to_the_one_before() {
    if devdb().skips_behind_pooler(&[Need::Pipeline]) {
        return;
    }
    let fixture = Fixture::new().await;
    let (url, tap) = Wiretap::before(fixture.database.url()).await;
    let ahead = Client::builder(&url).expect("is a URL").max_connections(1).connect().await.expect("connects");
    assert_eq!(round_trips(&ahead, &tap).await, [1, 1, 1]);
    let in_turns = builder(&url).connect().await.expect("connects");
    // BEGIN, two statements, COMMIT; and BEGIN, the setting, the statement, COMMIT.
    assert_eq!(round_trips(&in_turns, &tap).await, [1, 4, 4]);
    let by_url = Client::builder(&format!("{url}&pipeline=false")).expect("is a URL").max_connections(1);
    assert_eq!(round_trips(&by_url.connect().await.expect("connects"), &tap).await, [1, 4, 4]);
}

#[tokio::test]
async fn every_kind_of_message_has_its_turn() {
    let fixture = Fixture::new().await;
    let db = builder(fixture.database.url()).connect().await.expect("connects");
    let one = db.institution().create(row("one")).await.expect("creates").id;
    // COPY: the server ignores what was sent to end its statement.
    let copied = (0..1000).map(|number| row(&format!("copied-{number}")));
    assert_eq!(db.institution().copy_in(copied).await.expect("copies"), 1000);
    let account =
        user::Create { institution: one, email: "a@x.edu".into(), password_hash: String::new(), role: Role::Student };
    let nested = student::Create { user: Parent, institution: one, class_year: 2030 };
    db.user().create(account.clone()).with(user::student.create(nested)).await.expect("creates");
    let again = db.batch((db.user().create(account), db.user().count())).await;
    assert!(matches!(again, Err(Error::UniqueViolation(_))), "{again:?}");
    let copied = db.institution().copy_in([row("two"), row("one")]).await;
    assert!(matches!(copied, Err(Error::UniqueViolation(_))), "{copied:?}");
    assert_eq!(db.institution().count().await.expect("counts"), 1001);
    // Several queries at once on one connection, among them one that fails.
    let tx = db.begin().await.expect("begins");
    let wrong = tx.query_raw::<(i32,)>("SELECT 1 / $1::int4", params![0]);
    let (_, wrong, _) = tokio::join!(tx.user().count(), wrong, tx.institution().count());
    wrong.expect_err("divides by zero");
    assert!(matches!(tx.commit().await, Err(Error::TransactionFailed)));
    assert_eq!(db.user().count().await.expect("counts"), 1);
}

#[tokio::test]
async fn a_dropped_future_is_waited_for_and_cancelled() {
    let fixture = Fixture::new().await;
    let db = builder(fixture.database.url()).connect().await.expect("connects");
    for seconds in ["0.1", "60"] {
        let sleeping = db.with_setting("app.user", "ada");
        let sleep = format!("SELECT pg_sleep({seconds})::text");
        let sleep = sleeping.query_raw::<(Option<String>,)>(&sleep, params![]);
        tokio::time::timeout(Duration::from_millis(50), sleep).await.expect_err("takes longer");
        let next = tokio::time::timeout(Duration::from_secs(20), db.institution().count()).await;
        assert_eq!(next.expect("is soon free").expect("counts"), 0);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn sockets_in_a_folder_are_refused() {
    let refused = builder("postgresql://me@%2Ftmp/planner").connect().await;
    assert!(matches!(&refused, Err(Error::Config(reason)) if reason.contains("pipeline=false")), "{refused:?}");
}
