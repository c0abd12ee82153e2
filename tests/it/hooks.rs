//! Hooks before and after queries: what they see, and that they can refuse a query.

use std::sync::{Arc, Mutex};

use plain_planner::{Error, Parent, Role, Session, User, institution, session, student, user};
use relata::chrono::Utc;
use relata::{Hooks, Intent, IntentKind, params};

use crate::support::Fixture;

type Log = Arc<Mutex<Vec<String>>>;

fn line(intent: &Intent) -> String {
    let nested = if intent.nested { " nested" } else { "" };
    let inside = if intent.in_transaction { " inside" } else { "" };
    let model = intent.model.unwrap_or("-");
    format!("{:?} {model} [{}]{nested}{inside}", intent.kind, intent.columns.join(","))
}

/// Hooks that record what they see.
fn logging(log: &Log) -> Hooks {
    let (before, after) = (Arc::clone(log), Arc::clone(log));
    Hooks::new()
        .before(move |intent| {
            before.lock().expect("nobody panicked").push(format!("before {}", line(intent)));
            Ok(())
        })
        .after(move |intent, report| {
            let outcome = match report.outcome {
                Ok(rows) => format!("{rows} rows"),
                Err(error) => format!("failed {}", error.sqlstate().unwrap_or_default()),
            };
            after.lock().expect("nobody panicked").push(format!("after {}: {outcome}", line(intent)));
        })
}

fn take(log: &Log) -> Vec<String> {
    std::mem::take(&mut *log.lock().expect("nobody panicked"))
}

#[tokio::test]
async fn hooks_see_what_a_query_is_about() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await.id;
    let log = Log::default();
    let db = fixture.db.with_hooks(logging(&log));
    let row = user::Create { institution: tenant, email: "a".into(), password_hash: "b".into(), role: Role::Student };
    let sessions = (0..2).map(|_| session::Create { user: Parent, expires_at: Utc::now() });
    db.user().create(row).with(user::sessions.create_many(sessions)).await.expect("is created");
    assert_eq!(
        take(&log),
        [
            "before Create User [institution_id,email,password_hash,role]",
            "before CreateMany Session [expires_at] nested",
            "after Create User [institution_id,email,password_hash,role]: 1 rows",
            "after CreateMany Session [expires_at] nested: 1 rows",
        ]
    );
    db.student().find_many().include(student::user.include(user::sessions)).await.expect("is read");
    let seen = take(&log);
    assert_eq!(
        seen[..3],
        ["before FindMany Student []", "before FindMany User [] nested", "before FindMany Session [] nested"]
    );
    let tx = db.begin().await.expect("begins");
    tx.institution()
        .create(institution::Create { name: "n".into(), slug: "north".into() })
        .await
        .expect_err("is taken");
    drop(tx);
    assert_eq!(take(&log)[1], "after Create Institution [name,slug] inside: failed 23505");
    db.execute_raw("UPDATE users SET email = lower(email)", params![]).await.expect("is updated");
    assert_eq!(take(&log), ["before ExecuteRaw - []", "after ExecuteRaw - []: 1 rows"]);
    let _ = db.batch((db.user().count(), db.session().exists())).await.expect("counts");
    assert_eq!(take(&log)[..2], ["before Count User []", "before Exists Session []"]);
    fixture.db.user().count().await.expect("counts");
    assert_eq!(take(&log), Vec::<String>::new(), "the client that has no hooks calls none");
}

/// A hook that guards one model: nothing is sent, even if its rows would be deleted through another model.
#[tokio::test]
async fn a_hook_refuses() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await.id;
    let user = fixture.user(tenant, "a@x.edu").await;
    let guard = Hooks::new().before_model::<Session>(|intent| match intent.kind {
        IntentKind::Delete | IntentKind::DeleteMany => Err(Error::custom("sessions end, they are not deleted")),
        _ => Ok(()),
    });
    let db = fixture.db.with_hooks(guard).counted();
    let refused = |outcome: Result<(), Error>| {
        assert!(
            matches!(outcome, Err(Error::Custom(ref why)) if why.to_string().contains("sessions end")),
            "{outcome:?}"
        );
        assert_eq!(db.statistics().statements, 0, "nothing was sent");
    };
    refused(db.session().delete_many().all_rows().await.map(drop));
    let nested = db.user().update(user::id.eq(user.id)).with(user::sessions.delete_many(session::id.eq(user.id)));
    refused(nested.await.map(drop));
    refused(db.batch((db.user().count(), db.session().delete(session::id.eq(user.id)))).await.map(drop));
    let inside = db.transaction(|tx| async move { tx.session().delete_many().all_rows().await });
    refused(inside.await.map(drop));
    db.user().delete_many().filter(user::email.eq("nobody")).await.expect("another model may");
    db.session().count().await.expect("may be counted");
}

/// A stream is one query: hooks see its beginning, and its end with the rows of all parts, whatever ends it.
#[tokio::test]
async fn hooks_see_streams() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await.id;
    for email in ["a", "b", "c"] {
        fixture.user(tenant, email).await;
    }
    let log = Log::default();
    let db = fixture.db.with_hooks(logging(&log));
    let mut users = db.user().find_many().stream().rows_at_once(2);
    users.next().await.expect("is there").expect("is read");
    assert_eq!(take(&log), ["before FindMany User []"]);
    while users.next().await.is_some() {}
    assert_eq!(take(&log), ["after FindMany User []: 3 rows"]);

    let mut broken = db.query_raw_stream::<(i32,)>("SELECT one FROM nowhere", params![]);
    broken.next().await.expect("is an error").expect_err("is an error");
    assert_eq!(take(&log), ["before QueryRaw - []", "after QueryRaw - []: failed 42P01"]);
    assert!(broken.next().await.is_none());
    assert_eq!(take(&log), Vec::<String>::new());

    let guard = Hooks::new().before(|_| Err(Error::custom("no streams")));
    let refusing = fixture.db.with_hooks(guard).counted();
    let mut refused = refusing.user().find_many().stream();
    let error = refused.next().await.expect("is an error").expect_err("is refused");
    assert!(error.to_string().contains("no streams"), "{error}");
    assert!(refused.next().await.is_none());
    assert_eq!(refusing.statistics().statements, 0, "nothing was sent");
}

#[tokio::test]
async fn hooks_are_called_in_their_order() {
    let fixture = Fixture::new().await;
    let calls = Arc::new(Mutex::new(String::new()));
    let push = |letter: char| {
        let calls = Arc::clone(&calls);
        move |_: &Intent| {
            calls.lock().expect("nobody panicked").push(letter);
            Ok(())
        }
    };
    let first = fixture.db.with_hooks(Hooks::new().before(push('a')).before_model::<User>(push('b')));
    let second = first.with_hooks(Hooks::new().before(push('c')));
    second.user().count().await.expect("counts");
    second.session().count().await.expect("counts");
    first.user().count().await.expect("counts");
    assert_eq!(*calls.lock().expect("nobody panicked"), "abcacab");
}
