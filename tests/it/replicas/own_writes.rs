//! A handle reads its own writes, whatever its replicas have replayed.

use super::*;

const PAUSE: &str = "SELECT pg_wal_replay_pause()";
pub(super) const RESUME: &str = "SELECT pg_wal_replay_resume()";

/// Pauses the replay, which takes effect a little later.
pub(super) async fn pause(server: &Server) {
    server.sql(PAUSE).await;
    let end = Instant::now() + Duration::from_secs(30);
    while server.sql("SELECT pg_get_wal_replay_pause_state()").await != ["paused"] {
        assert!(Instant::now() < end, "the replay is paused");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_handle_reads_what_it_wrote_from_the_primary_if_no_replica_has_it() {
    let Some(cluster) = cluster("own", 1).await else { return };
    let replica = cluster.server(1);
    let db = builder(&cluster)
        .max_replica_lag(Duration::from_secs(600))
        .replica_wait(Duration::from_millis(50))
        .connect()
        .await
        .expect("connects");
    let _: Institution = db.institution().create(new_institution("before")).await.expect("is created");
    assert!(has(&db, "before").await);
    pause(replica).await;

    let other = db.with_own_writes();
    let _: Institution = db.institution().create(new_institution("after")).await.expect("is created");
    assert!(has(&db, "after").await, "the primary has it");
    assert!(has(&db.clone(), "after").await, "clones share what they remember");
    assert!(has(&db.counted(), "after").await, "and so do handles that were made of it");
    assert!(!has(&other, "after").await, "another handle reads the replica, and waits for nothing");
    assert!(!has(&db.replica(), "after").await, "as does a handle of replicas");

    // Each kind of write counts.
    let fresh = || db.with_own_writes();
    let one = fresh();
    one.transaction(|tx| async move { tx.institution().create(new_institution("closure")).await.map(drop) })
        .await
        .expect("is committed");
    assert!(has(&one, "closure").await);
    let two = fresh();
    let tx = two.begin().await.expect("begins");
    tx.institution().create(new_institution("begun")).await.expect("is created");
    assert!(!has(&two, "begun").await);
    tx.commit().await.expect("is committed");
    assert!(has(&two, "begun").await);
    let three = fresh();
    three.batch((three.institution().create(new_institution("batch")),)).await.expect("is created");
    assert!(has(&three, "batch").await);
    let four = fresh();
    let sql = "INSERT INTO institutions (id, name, slug, updated_at) VALUES (gen_random_uuid(), 'Raw', 'raw', now())";
    four.execute_raw(sql, relata::params![]).await.expect("is created");
    assert!(has(&four, "raw").await);
    let five = fresh();
    five.institution().copy_in([new_institution("copied")]).await.expect("is copied");
    assert!(has(&five, "copied").await);
    let six = fresh();
    six.primary().institution().create(new_institution("direct")).await.expect("is created");
    assert!(has(&six, "direct").await);
    assert!(!has(&fresh(), "direct").await);

    replica.sql(RESUME).await;
    let end = Instant::now() + Duration::from_secs(30);
    while !has(&db.replica(), "direct").await {
        assert!(Instant::now() < end, "the replica has everything");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let reads = || replica.statements().iter().filter(|text| text.contains("EXISTS")).count();
    let before = reads();
    assert!(has(&db, "direct").await);
    assert_eq!(reads(), before + 1, "the replica serves it again");
}

#[tokio::test]
async fn a_read_waits_for_a_replica_that_is_about_to_have_it() {
    let Some(cluster) = cluster("waits", 1).await else { return };
    let replica = cluster.server(1);
    let db: Client = builder(&cluster)
        .max_replica_lag(Duration::from_secs(600))
        .replica_wait(Duration::from_secs(60))
        .connect()
        .await
        .expect("connects");
    pause(replica).await;
    let _: Institution = db.institution().create(new_institution("late")).await.expect("is created");
    let reading = tokio::spawn({
        let db = db.clone();
        async move { has(&db, "late").await }
    });
    until("it asks the replica again and again", || {
        let asked = |text: &String| text.contains("pg_last_wal_replay_lsn");
        replica.statements().iter().filter(|text| asked(text)).count() > 20
    })
    .await;
    assert!(!reading.is_finished());
    replica.sql(RESUME).await;
    assert!(reading.await.expect("ends"));
    let reads = |server: &Server| server.statements().iter().filter(|text| text.contains("EXISTS")).count();
    assert_eq!((reads(cluster.primary()), reads(replica)), (0, 1));
}

/// The primary is asked once for all writes before a read, and not at each write.
#[tokio::test]
async fn a_write_sends_nothing_more() {
    let Some(cluster) = cluster("lazy", 1).await else { return };
    // One check at the beginning, and none while this runs.
    let db: Client = builder(&cluster)
        .replica_wait(Duration::from_secs(20))
        .replica_check_interval(Duration::from_secs(3600))
        .connect()
        .await
        .expect("connects");
    let asked = || {
        let texts = cluster.primary().statements();
        texts.iter().filter(|text| text.contains("pg_current_wal_insert_lsn")).count()
    };
    let before = asked();
    for number in 0..5 {
        let _: Institution = db.institution().create(new_institution(&format!("i{number}"))).await.expect("is created");
    }
    assert_eq!(asked(), before, "writes do not ask");
    for _ in 0..5 {
        assert_eq!(db.institution().count().await.expect("counts"), 5);
    }
    assert_eq!(asked(), before + 1, "the first read does");
}
