//! Which server each kind of call goes to: what the servers have logged decides.

use super::*;
use plain_planner::queries;
use relata::uuid::Uuid;
use relata::{Hooks, params};
use std::sync::{Arc, Mutex};

/// The statements of a client on each server, without the checks and the borders of transactions.
fn sent(cluster: &Cluster) -> Vec<usize> {
    let is_of_program = |text: &String| {
        !text.contains("pg_catalog.pg_") && !["BEGIN", "COMMIT", "ROLLBACK"].iter().any(|word| text.starts_with(word))
    };
    let count = |server: &Server| server.statements().iter().filter(|text| is_of_program(text)).count();
    std::iter::once(cluster.primary()).chain(cluster.replicas()).map(count).collect()
}

/// Awaits a call, and returns which servers it went to.
async fn went<T>(cluster: &Cluster, call: impl Future<Output = relata::Result<T>>) -> Vec<usize> {
    let before = sent(cluster);
    call.await.expect("answers");
    let after = sent(cluster);
    (0..after.len()).filter(|at| after[*at] > before[*at]).collect()
}

async fn drained<T>(mut stream: relata::RowStream<T>) -> relata::Result<usize> {
    let mut rows = 0;
    while let Some(row) = stream.next().await {
        row?;
        rows += 1;
    }
    Ok(rows)
}

macro_rules! went {
    ($cluster:expr, $place:expr, $($call:expr),+ $(,)?) => {
        $(
            let at = went(&$cluster, async { $call.await }).await;
            let is_right = match $place {
                "primary" => at == [0],
                _ => at == [1] || at == [2],
            };
            assert!(is_right, "{} went to {at:?}, and not to a {}", stringify!($call), $place);
        )+
    };
}

#[tokio::test]
async fn reads_go_to_replicas_and_the_rest_to_the_primary() {
    let Some(cluster) = cluster("routing", 2).await else { return };
    let builder = builder(&cluster).replica_wait(Duration::from_secs(20));
    let db: Client = builder.connect().await.expect("connects");
    let north: Institution = db.institution().create(new_institution("north")).await.expect("is created");
    let (id, nowhere) = (north.id, Uuid::nil());
    went!(
        cluster,
        "replica",
        db.institution().find_many(),
        db.institution().find_many().include(institution::users),
        db.institution().find_first(),
        db.institution().find_unique(institution::id.eq(id)).or_err(),
        db.institution().find_many().page_after(None),
        db.institution().count(),
        db.institution().exists(),
        db.institution().aggregate(institution::slug.max()),
        db.institution().group_by(institution::name),
        drained(db.institution().find_many().stream()),
        drained(db.institution().find_many().include(institution::users).stream()),
        db.query(queries::standings(id)),
        drained(db.query_stream(queries::standings(id))),
        db.batch((db.institution().count(), db.institution().find_many().include(institution::users))),
        db.batch((db.institution().count(), queries::standings(id))),
        db.replica().institution().count(),
        db.replica().query_raw::<(i64,)>("SELECT count(*) FROM institutions", params![]),
        drained(db.replica().query_raw_stream::<(i64,)>("SELECT count(*) FROM institutions", params![])),
        async {
            let tx = db.replica().begin().read_only().await?;
            tx.institution().count().await?;
            tx.commit().await
        },
        db.replica().transaction(|tx| async move { tx.institution().count().await }).read_only(),
    );
    went!(
        cluster,
        "primary",
        db.institution().create(new_institution("south")),
        db.institution().create_many([new_institution("east"), new_institution("west")]),
        db.institution().update(institution::id.eq(id)).set(institution::name.to("North")),
        db.institution().update_many().all_rows().set(institution::name.to("All")),
        db.institution().upsert(institution::slug.eq("x"), new_institution("x")).set(institution::name.to("X")),
        db.institution().upsert_many([new_institution("x")]).on(institution::slug),
        db.institution().update_each([(institution::id.eq(id), institution::name.to("Each"))]),
        db.institution().delete_many().filter(institution::slug.eq("x")),
        db.institution().copy_in([new_institution("copied")]),
        db.query(queries::lower_emails(nowhere)),
        db.batch((db.institution().count(), db.institution().create(new_institution("batched")))),
        db.query_raw::<(i64,)>("SELECT count(*) FROM institutions", params![]),
        db.execute_raw("UPDATE institutions SET name = name", params![]),
        drained(db.query_raw_stream::<(i64,)>("SELECT count(*) FROM institutions", params![])),
        db.transaction(|tx| async move { tx.institution().count().await }),
        db.begin().read_only().into_count(),
        db.primary().institution().count(),
        db.primary().institution().find_many(),
        drained(db.primary().institution().find_many().stream()),
        db.primary().batch((db.institution().count(),)),
    );
}

/// Counts in a transaction.
trait IntoCount {
    async fn into_count(self) -> relata::Result<u64>;
}

impl IntoCount for relata::Begin<Models> {
    async fn into_count(self) -> relata::Result<u64> {
        let tx = self.await?;
        let count = tx.institution().count().await?;
        tx.commit().await?;
        Ok(count)
    }
}

#[tokio::test]
async fn a_handle_of_replicas_writes_nothing_and_says_so() {
    let Some(cluster) = cluster("refused", 1).await else { return };
    let with = client(&cluster).await;
    let without = Client::connect(&cluster.primary().url()).await.expect("connects");
    for db in [with.replica(), without.replica()] {
        assert_eq!(db.institution().count().await.expect("reads"), 0);
        let refused = [
            db.institution().create(new_institution("a")).await.err(),
            db.institution().create_many([new_institution("a")]).await.err(),
            db.institution().delete_many().all_rows().await.err(),
            db.institution().copy_in([new_institution("a")]).await.err(),
            db.batch((db.institution().count(), db.institution().create(new_institution("a")))).await.err(),
            db.query(queries::lower_emails(Uuid::nil())).await.err(),
            db.execute_raw("DELETE FROM institutions", params![]).await.err(),
            db.query_raw::<(i64,)>("INSERT INTO institutions DEFAULT VALUES RETURNING 1", params![]).await.err(),
            db.begin().await.err(),
            db.transaction(|tx| async move { tx.institution().count().await }).await.err(),
        ];
        for (call, error) in refused.into_iter().enumerate() {
            let Some(Error::Misuse(reason)) = error else { panic!("call {call} gave {error:?}") };
            assert!(reason.contains("`db.replica()` only reads"), "{reason}");
        }
    }
    assert_eq!(with.primary().institution().count().await.expect("reads"), 0);
    // Which functions write, only the server knows. A query file reads at the primary then.
    cluster.primary().sql("CREATE SEQUENCE numbers").await;
    assert_eq!(with.query_raw::<(i64,)>("SELECT nextval('numbers')", params![]).await.expect("answers"), [(1,)]);
    let refused = with.replica().query_raw::<(i64,)>("SELECT nextval('numbers')", params![]).await;
    let code = refused.expect_err("it is a standby").sqlstate().map(str::to_owned);
    assert!(matches!(code.as_deref(), Some("25006" | "42P01")), "{code:?}");
}

#[tokio::test]
async fn hooks_and_statistics_name_the_server() {
    let Some(cluster) = cluster("reports", 1).await else { return };
    let servers: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = Arc::clone(&servers);
    let hooks = Hooks::new().after(move |_, report| noted.lock().expect("is free").push(report.server.to_owned()));
    let db = builder(&cluster).hooks(hooks).replica_wait(Duration::from_secs(20)).connect().await.expect("connects");
    let db: Client = db;
    let _: Institution = db.institution().create(new_institution("a")).await.expect("is created");
    db.institution().count().await.expect("counts");
    drained(db.institution().find_many().stream()).await.expect("reads");
    db.batch((db.institution().count(),)).await.expect("counts");
    db.query_raw::<(i32,)>("SELECT 1", params![]).await.expect("answers");
    let address = |server: &Server| format!("127.0.0.1:{}", server.port());
    let (primary, replica) = (address(cluster.primary()), address(cluster.server(1)));
    let order = [&primary, &replica, &replica, &replica, &primary].map(Clone::clone);
    assert_eq!(*servers.lock().expect("is free"), order);

    let statistics = db.statistics();
    let roles: Vec<_> = statistics.servers.iter().map(|server| (server.server.clone(), server.role)).collect();
    assert_eq!(roles, [(primary, relata::ServerRole::Primary), (replica, relata::ServerRole::Replica)]);
    let [primary, replica] = statistics.servers.as_slice() else { panic!("{statistics:?}") };
    assert_eq!((replica.left_out.as_deref(), replica.in_use, replica.max_connections), (None, 0, 10));
    assert_eq!((primary.lag, primary.lag_bytes), (None, None));
    assert!(replica.lag.is_some() && replica.lag_bytes.is_some(), "{replica:?}");
    assert_eq!(statistics.connections, primary.connections + replica.connections);
    assert_eq!(statistics.max_connections, 20);
}

#[tokio::test]
async fn spans_name_the_server() {
    let Some(cluster) = cluster("spans", 1).await else { return };
    let db = builder(&cluster).replica_wait(Duration::from_secs(20)).connect().await.expect("connects");
    let db: Client = db;
    let recorder = crate::traces::Recorder::default();
    let recording = tracing::subscriber::set_default(recorder.clone());
    let (primary, replica) = (cluster.primary().port(), cluster.server(1).port());
    let port = |text: &str| {
        let ports = text.split("server.port=").skip(1).filter_map(|rest| rest.split_whitespace().next());
        ports.map(|port| port.parse::<u16>().expect("is a port")).collect::<Vec<_>>()
    };
    db.institution().count().await.expect("counts");
    assert_eq!(port(&recorder.take()), [replica]);
    drained(db.institution().find_many().stream()).await.expect("reads");
    assert_eq!(port(&recorder.take()), [replica]);
    db.batch((db.institution().count(),)).await.expect("counts");
    assert_eq!(port(&recorder.take()), [replica]);
    let _: Institution = db.institution().create(new_institution("a")).await.expect("is created");
    assert_eq!(port(&recorder.take()), [primary]);
    db.query_raw::<(i32,)>("SELECT 1", params![]).await.expect("answers");
    assert_eq!(port(&recorder.take()), [primary]);
    drop(recording);
}

/// A client without replicas has one server, and its handles send everything there.
#[tokio::test]
async fn without_replicas_nothing_changes() {
    let fixture = crate::support::Fixture::new().await;
    fixture.institution("a").await;
    for db in [fixture.db.primary(), fixture.db.replica(), fixture.db.with_own_writes()] {
        assert_eq!(db.institution().count().await.expect("counts"), 1);
    }
    assert_eq!(fixture.db.statistics().servers.len(), 1);
}
