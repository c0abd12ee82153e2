//! A replica that becomes the primary while a program runs.

use super::*;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// What 32 tasks have written, and how it went.
#[derive(Default)]
struct Writers {
    ends: AtomicBool,
    /// What was acknowledged.
    written: Mutex<BTreeSet<String>>,
    /// What failed: it may be there or not.
    failed: Mutex<Vec<(String, Error)>>,
}

impl Writers {
    /// Writes rows one after another, alone and in transactions, and reads each again.
    async fn write(self: Arc<Self>, db: Client, task: usize) {
        for number in 0.. {
            if self.ends.load(Ordering::Relaxed) {
                return;
            }
            let slug = format!("{task}-{number}");
            let row = new_institution(&slug);
            let outcome = match task % 2 {
                0 => db.institution().create(row).await.map(drop),
                _ => {
                    db.transaction(|tx| {
                        let row = row.clone();
                        async move { tx.institution().create(row).await.map(drop) }
                    })
                    .await
                }
            };
            match outcome {
                Ok(()) => {
                    self.written.lock().expect("is free").insert(slug);
                }
                Err(error) => {
                    self.failed.lock().expect("is free").push((slug, error));
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        }
    }

    fn written(&self) -> usize {
        self.written.lock().expect("is free").len()
    }
}

/// The primary crashes under load, and a synchronous standby takes its place: the program goes on without a restart, and
/// the new primary has everything that was acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_acknowledged_is_lost() {
    let Some(cluster) = cluster("promotion", 2).await else { return };
    let (old, new, other) = (cluster.primary(), cluster.server(1), cluster.server(2));
    old.set("synchronous_standby_names = 'server1'");
    old.reload();
    // Of two replicas of the old primary, one may have more than the new primary, and could not follow it.
    cluster.follow(2, 1);
    other.reload();
    let builder = Client::builder(&cluster.url_of(&[0, 1, 2], "")).expect("is a URL");
    let builder = builder.replica(&new.url()).replica(&other.url()).application_name(APPLICATION);
    let db = builder.replica_check_interval(Duration::from_millis(100)).max_connections(16).connect().await;
    let db: Client = db.expect("connects");
    let writers = Arc::new(Writers::default());
    let tasks: Vec<_> = (0..32).map(|task| tokio::spawn(Arc::clone(&writers).write(db.clone(), task))).collect();
    until("rows are written", || writers.written() >= 500).await;

    let crash = Instant::now();
    old.stop();
    new.promote();
    let before = writers.written();
    until("rows are written again", || writers.written() > before).await;
    let first = crash.elapsed();
    until("all write again", || writers.written() >= before + 500).await;
    writers.ends.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.expect("does not panic");
    }

    let there: BTreeSet<String> = new.sql("SELECT slug FROM institutions").await.into_iter().collect();
    let written = writers.written.lock().expect("is free").clone();
    let lost: Vec<_> = written.difference(&there).collect();
    assert!(lost.is_empty(), "{lost:?}");
    let failed = std::mem::take(&mut *writers.failed.lock().expect("is free"));
    for (slug, error) in &failed {
        let is_clear = matches!(error, Error::ConnectionLost(_) | Error::CommitUnknown | Error::Connect { .. })
            || matches!(error.sqlstate(), Some("57P01" | "57P02" | "57P03" | "25006"));
        assert!(is_clear, "{slug}: {error:?}");
    }
    eprintln!(
        "{} rows written, none lost; {} calls failed; the first write {} ms after the crash",
        written.len(),
        failed.len(),
        first.as_millis()
    );

    // The promoted server is no replica any more, and the other one follows it.
    until("the promoted one is left out", || {
        known(&db, new).left_out.is_some_and(|reason| reason.contains("was promoted"))
    })
    .await;
    let _: Institution = db.institution().create(new_institution("last")).await.expect("is created");
    until("the other one is used", || known(&db, other).left_out.is_none()).await;
    assert!(has(&db, "last").await);
}

/// A standby of the old primary that does not follow the new one shows rows that no longer exist.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_does_not_follow_the_new_primary_is_left_out() {
    let Some(cluster) = cluster("fork", 2).await else { return };
    let (old, new, stray) = (cluster.primary(), cluster.server(1), cluster.server(2));
    let builder = Client::builder(&cluster.url_of(&[0, 1], "target_session_attrs=primary")).expect("is a URL");
    let builder = builder.replica(&stray.url()).replica_check_interval(Duration::from_millis(100));
    let db: Client = builder.application_name(APPLICATION).connect().await.expect("connects");
    until("it is used", || known(&db, stray).left_out.is_none()).await;
    old.stop();
    new.promote();
    let end = Instant::now() + Duration::from_secs(30);
    while let Err(error) = db.institution().create(new_institution("a")).await {
        assert!(Instant::now() < end, "{error:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(has(&db, "a").await, "the primary has it");
    until("it is left out", || known(&db, stray).left_out.is_some_and(|reason| reason.contains("seen to follow")))
        .await;
    let checks = || stray.statements().iter().filter(|text| text.contains("pg_last_wal_replay_lsn")).count();
    let before = checks();
    until("it is checked again", || checks() >= before + 5).await;
    assert!(known(&db, stray).left_out.is_some_and(|reason| reason.contains("seen to follow")));
    assert!(has(&db.with_own_writes(), "a").await, "nobody reads from it");
    cluster.follow(2, 1);
    stray.reload();
    until("it is taken back", || known(&db, stray).left_out.is_none()).await;
    assert!(has(&db.replica(), "a").await);
}
