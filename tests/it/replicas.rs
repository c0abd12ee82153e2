//! A primary and its replicas, with real streaming replication: each test makes its own servers.

mod book;
mod cluster;
mod hosts;
mod life;
mod lost;
mod own_writes;
mod promotion;
mod routing;
mod secured;

/// The client of these tests.
mod client {
    pub(super) use plain_planner::{Client, Institution, institution};
}

use client::{Client, Institution, institution};
use cluster::{Cluster, Server};
use relata::{ClientBuilder, Error, ServerStatistics};
use std::path::Path;
use std::time::{Duration, Instant};

type Models = <Client as Own>::Models;

/// Names the models of a client.
trait Own {
    type Models;
}

impl<M> Own for relata::Client<M> {
    type Models = M;
}

/// The name of the clients in the logs of the servers.
const APPLICATION: &str = "tested";

/// The primary with all migrations applied, and replicas of it. `None` if PostgreSQL's programs are not there.
async fn cluster(name: &str, replicas: usize) -> Option<Cluster> {
    let mut cluster = Cluster::start(name)?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plain/migrations");
    let migrations = relata::migrate::Migrations::from_dir(folder).expect("are read");
    let options: relata::ConnectOptions = cluster.primary().url().parse().expect("is a URL");
    let mut connection = options.connect_direct().await.expect("connects");
    let options = relata::migrate::Options::default();
    relata::migrate::deploy(&mut connection, &migrations, &options).await.expect("are applied");
    for _ in 0..replicas {
        cluster.add_replica();
    }
    Some(cluster)
}

/// A client of all of them, which checks often.
fn builder(cluster: &Cluster) -> ClientBuilder<Models> {
    let builder = Client::builder(&cluster.primary().url()).expect("is a URL");
    let builder = builder.replica_check_interval(Duration::from_millis(100)).application_name(APPLICATION);
    cluster.replicas().fold(builder, |builder, replica| builder.replica(&replica.url()))
}

async fn client(cluster: &Cluster) -> Client {
    let db = builder(cluster).connect().await.expect("connects");
    until("all replicas are used", || db.statistics().servers.iter().all(|server| server.left_out.is_none())).await;
    db
}

fn new_institution(slug: &str) -> institution::Create {
    institution::Create { name: format!("Institution {slug}"), slug: slug.to_owned() }
}

async fn has(db: &Client, slug: &str) -> bool {
    db.institution().exists().filter(institution::slug.eq(slug)).await.expect("answers")
}

/// Waits until something holds, and fails if it never does.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// What a client knows about a replica.
fn known(db: &Client, replica: &Server) -> ServerStatistics {
    let address = format!("127.0.0.1:{}", replica.port());
    db.statistics().servers.into_iter().find(|server| server.server == address).expect("is a server of the client")
}
