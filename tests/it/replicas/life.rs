//! How long connections live, and where their passwords come from.

use super::*;
use relata::{Login, params};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

async fn pid(db: &Client) -> i32 {
    db.query_raw::<(i32,)>("SELECT pg_backend_pid()", params![]).await.expect("answers")[0].0
}

#[tokio::test]
async fn a_connection_ends_with_its_life_but_never_while_it_is_used() {
    let Some(cluster) = Cluster::start("life") else { return };
    let life = Duration::from_millis(200);
    let builder = || Client::builder(&cluster.primary().url()).expect("is a URL").max_connections(1);
    let db: Client = builder().max_connection_lifetime(life).connect().await.expect("connects");
    let first = pid(&db).await;
    let tx = db.begin().await.expect("begins");
    tokio::time::sleep(life * 2).await;
    let own = tx.query_raw::<(i32,)>("SELECT pg_backend_pid()", params![]).await.expect("answers");
    assert_eq!(own, [(first,)], "it is used");
    tx.commit().await.expect("is committed");
    let second = pid(&db).await;
    assert_ne!(second, first, "its life is over");
    assert_eq!(db.statistics().connections, 1);

    let idle: Client = builder().max_connection_idle_time(life).connect().await.expect("connects");
    let first = pid(&idle).await;
    for _ in 0..10 {
        tokio::time::sleep(life / 10).await;
        if pid(&idle).await != first {
            // The machine was busy for longer than that.
            break;
        }
    }
    let last = pid(&idle).await;
    tokio::time::sleep(life * 2).await;
    assert_ne!(pid(&idle).await, last, "it was not used");

    let forever: Client = builder().connect().await.expect("connects");
    let first = pid(&forever).await;
    tokio::time::sleep(life * 2).await;
    assert_eq!(pid(&forever).await, first);
}

const SECRETS: [&str; 2] = ["first-hunter2", "second-hunter2"];

/// A password that changes while a program runs: new connections have the new one.
#[tokio::test]
async fn each_new_connection_asks_for_its_password() {
    let Some(mut cluster) = Cluster::start("passwords") else { return };
    cluster.add_replica();
    let (primary, replica) = (cluster.primary(), cluster.server(1));
    primary.sql(&format!("CREATE ROLE app LOGIN PASSWORD '{}'", SECRETS[0])).await;
    for server in [primary, replica] {
        server.set_hba("host all app 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust");
        server.reload();
    }
    let secret = Arc::new(Mutex::new(Ok(SECRETS[0].to_owned())));
    let logins: Arc<Mutex<Vec<Login>>> = Arc::default();
    let calls = Arc::new(AtomicUsize::new(0));
    let (source, noted, counted) = (Arc::clone(&secret), Arc::clone(&logins), Arc::clone(&calls));
    let password = move |login: Login| {
        let (source, noted, counted) = (Arc::clone(&source), Arc::clone(&noted), Arc::clone(&counted));
        async move {
            tokio::task::yield_now().await;
            counted.fetch_add(1, Ordering::Relaxed);
            noted.lock().expect("is free").push(login);
            source.lock().expect("is free").clone()
        }
    };
    let as_app = |server: &Server| server.url().replace("relata@", "app@");
    let db = Client::builder(&as_app(primary)).expect("is a URL").replica(&as_app(replica)).max_connections(2);
    let db: Client = db.password(password).connect().await.expect("connects");
    until("it is used", || db.statistics().servers[1].left_out.is_none()).await;
    pid(&db).await;
    pid(&db.replica()).await;
    let ports: Vec<u16> = logins.lock().expect("is free").iter().map(Login::port).collect();
    assert!(ports.contains(&primary.port()) && ports.contains(&replica.port()), "{ports:?}");
    let login = logins.lock().expect("is free")[0].clone();
    assert_eq!((login.host(), login.user(), login.database()), ("127.0.0.1", "app", "postgres"));

    // It rotates. What is open stays open.
    let before = calls.load(Ordering::Relaxed);
    let open = pid(&db).await;
    primary.sql(&format!("ALTER ROLE app PASSWORD '{}'", SECRETS[1])).await;
    assert_eq!(pid(&db).await, open);
    assert_eq!(calls.load(Ordering::Relaxed), before);
    let held = db.begin().await.expect("begins");
    let refused = db.begin().await.expect_err("the password is the old one");
    let Error::Connect { reason, .. } = &refused else { panic!("{refused:?}") };
    assert!(reason.contains("28P01") && !format!("{refused:?}{refused}").contains("hunter2"), "{refused:?}");
    *secret.lock().expect("is free") = Ok(SECRETS[1].to_owned());
    let second = db.begin().await.expect("begins with the new one");
    second.rollback().await.expect("rolls back");
    held.rollback().await.expect("rolls back");

    *secret.lock().expect("is free") = Err(std::io::Error::other("the vault is sealed").to_string());
    primary.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'").await;
    let end = Instant::now() + Duration::from_secs(30);
    let failed = loop {
        match db.begin().await {
            Err(error @ Error::Connect { .. }) => break error,
            _ => assert!(Instant::now() < end, "the connections are gone"),
        }
    };
    assert!(failed.to_string().contains("the function for passwords failed: the vault is sealed"), "{failed}");
}
