//! The examples of `docs/operations.md` about replicas and connections.

use super::*;
use relata::{Isolation, Result};

async fn token_for(_: &str, _: u16, _: &str) -> std::result::Result<String, std::io::Error> {
    Ok("token".to_owned())
}

#[tokio::test]
async fn replicas_and_connections() -> Result<()> {
    let Some(cluster) = cluster("book", 2).await else { return Ok(()) };
    let (primary, first, second) = (cluster.primary().url(), cluster.server(1).url(), cluster.server(2).url());
    let db: Client = Client::builder(&primary)?
        .replica(&first)
        .replica(&second)
        .max_replica_lag(Duration::from_secs(3))
        .connect()
        .await?;
    let row = new_institution("north");
    let created = db.institution().create(row).await?;
    let found = db.institution().find_unique(institution::id.eq(created.id)).or_err().await?;
    let newest = db.primary().institution().count().await?;
    let report = db.replica().begin().isolation(Isolation::RepeatableRead).read_only().await?;
    let students = report.student().count().await?;
    report.commit().await?;
    assert_eq!((found.id, newest, students), (created.id, 1, 0));
    for server in db.statistics().servers {
        println!("{} {:?}: {} of {} in use", server.server, server.role, server.in_use, server.max_connections);
        println!("lag {:?}, {:?} bytes, left out: {:?}", server.lag, server.lag_bytes, server.left_out);
    }
    let db = db.with_own_writes();
    assert_eq!(db.primary().institution().count().await?, 1);
    let url = primary;
    let db: Client = Client::builder(&url)?
        .password(|login| async move { token_for(login.host(), login.port(), login.user()).await })
        .connect()
        .await?;
    db.institution().count().await?;
    let db: Client = Client::builder(&url)?
        .max_connection_lifetime(Duration::from_secs(30 * 60))
        .max_connection_idle_time(Duration::from_secs(5 * 60))
        .connect()
        .await?;
    db.institution().count().await?;
    Ok(())
}
