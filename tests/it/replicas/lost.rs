//! Replicas that are behind, gone, or in conflict with what they replay.

use super::own_writes::{RESUME, pause};
use super::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

#[tokio::test]
async fn a_replica_that_lags_is_left_out_and_taken_back() {
    let Some(cluster) = cluster("lag", 1).await else { return };
    let replica = cluster.server(1);
    let builder = builder(&cluster).max_replica_lag(Duration::from_millis(300));
    let db: Client = builder.connect().await.expect("connects");
    until("it is used", || known(&db, replica).left_out.is_none()).await;
    pause(replica).await;
    // Nothing is written, so it does not lag.
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(known(&db, replica).left_out, None);
    let other = db.with_own_writes();
    let _: Institution = db.institution().create(new_institution("a")).await.expect("is created");
    until("it is left out", || known(&db, replica).left_out.is_some()).await;
    let state = known(&db, replica);
    assert!(state.left_out.is_some_and(|reason| reason.contains("behind the primary, and 300ms are allowed")));
    assert!(has(&other, "a").await, "the primary serves everybody");
    let refused = db.replica().institution().count().await.expect_err("no replica can be used");
    let text = refused.to_string();
    assert!(matches!(refused, Error::Connect { .. }) && text.contains("300ms are allowed"), "{text}");
    replica.sql(RESUME).await;
    until("it is taken back", || known(&db, replica).left_out.is_none()).await;
    assert!(has(&db.replica(), "a").await);
    let state = known(&db, replica);
    assert_eq!((state.lag, state.lag_bytes), (Some(Duration::ZERO), Some(0)));
}

#[tokio::test]
async fn a_replica_with_too_many_bytes_to_replay_is_left_out() {
    let Some(cluster) = cluster("bytes", 1).await else { return };
    let replica = cluster.server(1);
    let builder = builder(&cluster).max_replica_lag(Duration::from_secs(600)).max_replica_lag_bytes(1 << 20);
    let db: Client = builder.connect().await.expect("connects");
    pause(replica).await;
    db.execute_raw("CREATE TABLE filler AS SELECT repeat('x', 1000) FROM generate_series(1, 2000)", relata::params![])
        .await
        .expect("is written");
    until("it is left out", || known(&db, replica).left_out.is_some()).await;
    let reason = known(&db, replica).left_out.unwrap_or_default();
    assert!(reason.contains("bytes behind the primary, and 1048576 are allowed"), "{reason}");
    replica.sql(RESUME).await;
    until("it is taken back", || known(&db, replica).left_out.is_none()).await;
}

/// 32 tasks read while a replica crashes and comes back. No read fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_read_fails_while_a_replica_crashes_and_comes_back() {
    let Some(cluster) = cluster("crash", 2).await else { return };
    let (dies, stays) = (cluster.server(1), cluster.server(2));
    let db = client(&cluster).await;
    let _: Institution = db.institution().create(new_institution("a")).await.expect("is created");
    let ends = Arc::new(AtomicBool::new(false));
    let reads = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..32)
        .map(|number| {
            let (db, ends, reads) = (db.clone(), Arc::clone(&ends), Arc::clone(&reads));
            tokio::spawn(async move {
                while !ends.load(Ordering::Relaxed) {
                    let rows = match number % 4 {
                        0 => db.institution().find_many().include(institution::users).await?.len() as u64,
                        1 => db.batch((db.institution().count(),)).await?.0,
                        2 => {
                            let mut stream = db.institution().find_many().stream();
                            let mut rows = 0;
                            while let Some(row) = stream.next().await {
                                row?;
                                rows += 1;
                            }
                            rows
                        }
                        _ => db.institution().count().await?,
                    };
                    assert_eq!(rows, 1);
                    reads.fetch_add(1, Ordering::Relaxed);
                }
                Ok::<_, Error>(())
            })
        })
        .collect();
    let more = |by: usize| {
        let (reads, from) = (Arc::clone(&reads), reads.load(Ordering::Relaxed));
        move || reads.load(Ordering::Relaxed) >= from + by
    };
    until("all read", more(500)).await;
    dies.stop();
    until("it is left out", || known(&db, dies).left_out.is_some()).await;
    assert_eq!(known(&db, stays).left_out, None);
    until("all read on", more(500)).await;
    dies.start();
    until("it is taken back", || known(&db, dies).left_out.is_none()).await;
    until("all read on", more(500)).await;
    ends.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.expect("does not panic").expect("no read fails");
    }
    assert!(known(&db, dies).connections > 0, "it serves reads again");
}

/// Without any replica, and with none at the start, the primary serves all.
#[tokio::test]
async fn the_primary_serves_if_there_is_no_replica_left() {
    let Some(cluster) = cluster("none", 1).await else { return };
    let replica = cluster.server(1);
    replica.stop();
    let db: Client = builder(&cluster).connect().await.expect("connects without it");
    let reason = known(&db, replica).left_out.expect("is left out");
    assert!(reason.contains("refused"), "{reason}");
    assert_eq!(db.institution().count().await.expect("counts"), 0);
    replica.start();
    until("it is used", || known(&db, replica).left_out.is_none()).await;
    assert_eq!(db.replica().institution().count().await.expect("counts"), 0);
}

/// The checks have connections of their own, which end with the last clone of the client.
#[tokio::test]
async fn the_checks_end_with_the_client() {
    let Some(cluster) = cluster("ends", 1).await else { return };
    let db = client(&cluster).await;
    let clone = db.clone();
    db.institution().count().await.expect("counts");
    let count = format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{APPLICATION}'");
    for server in [cluster.primary(), cluster.server(1)] {
        assert_eq!(server.sql(&count).await, ["2"], "one of the pool, and that of the check");
    }
    drop(db);
    assert_eq!(cluster.primary().sql(&count).await, ["2"]);
    drop(clone);
    for server in [cluster.primary(), cluster.server(1)] {
        let end = Instant::now() + Duration::from_secs(30);
        while server.sql(&count).await != ["0"] {
            assert!(Instant::now() < end, "the connections are closed");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// PostgreSQL cancels a read whose rows it has to remove (SQLSTATE 40001). Nothing has come from it, so the primary is
/// asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_the_replica_cancels_is_sent_elsewhere() {
    let Some(cluster) = cluster("conflict", 1).await else { return };
    let replica = cluster.server(1);
    replica.set("max_standby_streaming_delay = 0");
    replica.reload();
    let db: Client = builder(&cluster).replica_wait(Duration::from_secs(20)).connect().await.expect("connects");
    let _: Institution = db.institution().create(new_institution("a")).await.expect("is created");
    // A view that takes its time, on the replica only: its own setting decides.
    let slow = "CREATE FUNCTION pause() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN \
                IF pg_is_in_recovery() THEN PERFORM pg_sleep(30); END IF; RETURN true; END $$; \
                ALTER TABLE institutions RENAME TO all_institutions; \
                CREATE VIEW institutions AS SELECT * FROM all_institutions WHERE pause()";
    cluster.primary().sql(slow).await;
    // It counts as a write, so the read waits until the replica has the view.
    db.execute_raw("SELECT 1", relata::params![]).await.expect("answers");
    let reading = tokio::spawn({
        let db = db.clone();
        async move { db.institution().count().await }
    });
    until("it reads", || replica.statements().iter().any(|text| text.contains("count"))).await;
    // The lock on the table conflicts with the read.
    cluster.primary().sql("ALTER TABLE all_institutions ADD COLUMN conflicting integer").await;
    let count = reading.await.expect("ends").expect("the primary answers");
    assert_eq!(count, 1);
    assert_eq!(known(&db, replica).left_out, None, "a conflict is no reason to leave it out");
}
