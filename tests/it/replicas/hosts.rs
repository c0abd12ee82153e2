//! Several hosts in one connection string, and servers that change what they are.

use super::*;
use relata::params;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use tokio::net::{TcpListener, TcpStream};

/// The port of the server that a connection goes to.
async fn port_of(url: &str) -> Result<u16, Error> {
    let connection = url.parse::<relata::ConnectOptions>()?.connect_direct().await?;
    let row = connection.query_one("SELECT inet_server_port()", &[]).await.expect("answers");
    Ok(row.get::<_, i32>(0) as u16)
}

#[tokio::test]
async fn each_target_session_attrs_finds_its_server() {
    let Some(cluster) = cluster("attrs", 1).await else { return };
    let (primary, replica) = (cluster.primary().port(), cluster.server(1).port());
    for (attrs, first_primary, first_replica) in [
        ("", Some(primary), Some(primary)),
        ("target_session_attrs=any", Some(primary), Some(replica)),
        ("target_session_attrs=read-write", Some(primary), Some(primary)),
        ("target_session_attrs=primary", Some(primary), Some(primary)),
        ("target_session_attrs=read-only", Some(replica), Some(replica)),
        ("target_session_attrs=standby", Some(replica), Some(replica)),
        ("target_session_attrs=prefer-standby", Some(replica), Some(replica)),
    ] {
        assert_eq!(port_of(&cluster.url_of(&[0, 1], attrs)).await.ok(), first_primary, "{attrs}");
        assert_eq!(port_of(&cluster.url_of(&[1, 0], attrs)).await.ok(), first_replica, "{attrs}");
    }
    let balanced = cluster.url_of(&[0, 1], "target_session_attrs=any&load_balance_hosts=random");
    let mut found = BTreeSet::new();
    for _ in 0..50 {
        found.insert(port_of(&balanced).await.expect("connects"));
    }
    assert_eq!(found, BTreeSet::from([primary, replica]));

    let alone = port_of(&cluster.url_of(&[1], "target_session_attrs=read-write")).await.expect_err("is a standby");
    assert!(alone.to_string().contains("it is a standby, which does not write"), "{alone}");
    let pool = Client::connect(&cluster.url_of(&[1, 1], "")).await.expect_err("are standbys");
    let each = format!("127.0.0.1:{replica}: it is a standby, which does not write; 127.0.0.1:{replica}: it is");
    assert!(pool.to_string().contains(&each), "{pool}");
    cluster.server(1).stop();
    assert_eq!(port_of(&cluster.url_of(&[1, 0], "target_session_attrs=prefer-standby")).await.ok(), Some(primary));
    assert_eq!(port_of(&cluster.url_of(&[1, 0], "")).await.ok(), Some(primary));
    let gone = port_of(&cluster.url_of(&[1, 0], "target_session_attrs=standby")).await.expect_err("is gone");
    let text = gone.to_string();
    assert!(text.contains("refused") && text.contains(&format!("127.0.0.1:{primary}: it is not a standby")), "{text}");
}

/// The commands and `migrate::deploy` connect like this.
#[tokio::test]
async fn migrations_run_on_the_primary_or_say_that_it_is_none() {
    let Some(cluster) = cluster("commands", 1).await else { return };
    let migrations = relata::migrate::Migrations::from_dir("tests/plain/migrations").expect("are read");
    let options = relata::migrate::Options::default();
    let deploy = async |url: String| {
        let mut connection =
            url.parse::<relata::ConnectOptions>().expect("is a URL").connect_direct().await.expect("connects");
        relata::migrate::deploy(&mut connection, &migrations, &options).await
    };
    let report = deploy(cluster.url_of(&[1, 0], "")).await.expect("finds the primary");
    assert!(report.applied.is_empty() && report.already_applied > 0);
    let refused = deploy(cluster.server(1).url()).await.expect_err("is a standby");
    assert!(matches!(refused, relata::migrate::Error::ReadOnly), "{refused:?}");
    assert!(refused.to_string().contains("connect to the primary"), "{refused}");
}

/// A name that leads to one server, and then to another one.
async fn name_of(server: &Server) -> (u16, Arc<AtomicU16>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a port");
    let port = listener.local_addr().expect("has an address").port();
    let target = Arc::new(AtomicU16::new(server.port()));
    let leads_to = Arc::clone(&target);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let port = leads_to.load(Ordering::Acquire);
            tokio::spawn(async move {
                let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
                tokio::io::copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
    (port, target)
}

/// Connections that stay open to a server that is no primary any more are replaced: a name leads to another one now.
#[tokio::test]
async fn connections_to_a_server_that_does_not_write_any_more_are_replaced() {
    let Some(cluster) = cluster("demoted", 1).await else { return };
    let (old, new) = (cluster.primary(), cluster.server(1));
    let (port, name) = name_of(old).await;
    let url = format!("postgresql://relata@127.0.0.1:{port}/postgres");
    let db: Client = Client::builder(&url).expect("is a URL").max_connections(4).connect().await.expect("connects");
    let (one, two, three) = (db.begin().await, db.begin().await, db.begin().await);
    drop((one.expect("begins"), two.expect("begins")));
    let busy = three.expect("begins");
    until("two are free again", || db.statistics().in_use == 1).await;
    // The program's own read-only transactions say nothing about the server.
    let tx = db.begin().read_only().await.expect("begins");
    let refused = tx.institution().create(new_institution("a")).await.expect_err("only reads");
    assert_eq!(refused.sqlstate(), Some("25006"));
    tx.rollback().await.expect("rolls back");
    until("all are open", || db.statistics().connections == 3).await;

    new.promote();
    old.sql("ALTER SYSTEM SET default_transaction_read_only = on").await;
    old.reload();
    let connection =
        old.url().parse::<relata::ConnectOptions>().expect("is a URL").connect_direct().await.expect("connects");
    let end = Instant::now() + Duration::from_secs(30);
    while connection.query_one("SHOW transaction_read_only", &[]).await.expect("answers").get::<_, String>(0) != "on" {
        assert!(Instant::now() < end, "it has loaded the setting");
    }
    name.store(new.port(), Ordering::Release);
    let mut failures = 0;
    let end = Instant::now() + Duration::from_secs(30);
    while let Err(error) = db.institution().create(new_institution("b")).await {
        assert!(Instant::now() < end, "{error:?}");
        assert_eq!(error.sqlstate(), Some("25006"));
        failures += 1;
    }
    assert_eq!(failures, 1, "the other free connections are closed at once");
    let refused = busy.institution().create(new_institution("c")).await;
    assert!(refused.is_ok(), "a transaction that had begun before goes on where it is");
    drop(busy);
    let at = db.query_raw::<(i32,)>("SELECT inet_server_port()", params![]).await.expect("answers");
    assert_eq!(at, [(i32::from(new.port()),)]);
}
