//! A database for an example: found or started, with the migrations applied, dropped at the end.

use std::path::Path;

use exam_planner::Client;
use relata::ConnectOptions;
use relata::migrate::{self, Migrations};
use relata_devdb::{DevDb, TestDatabase};

pub(crate) type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

/// A client, and the database that lives as long as it is held.
pub(crate) async fn open(name: &str) -> Result<(Client, TestDatabase)> {
    let server = DevDb::start()?;
    println!("database          {}", server.describe());
    let database = server.create_database(name)?;
    let migrations = Migrations::from_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations"))?;
    let mut connection = database.url().parse::<ConnectOptions>()?.connect_direct().await?;
    migrate::deploy(&mut connection, &migrations, &migrate::Options::default()).await?;
    // The embedded PostgreSQL takes one connection at a time.
    let pool_size = server.max_connections_hint().min(10);
    let db = Client::builder(database.url())?.max_connections(pool_size).connect().await?;
    Ok((db, database))
}
