//! A database for an example: found or started, migrated, and dropped at the end.

use std::path::Path;

use exam_planner::{Client, TenantClient, institution};
use relata::ConnectOptions;
use relata::migrate::{self, Migrations};
use relata_devdb::{DevDb, TestDatabase};

pub(crate) type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

/// A client and its database, which is dropped together with this value.
pub(crate) async fn open(name: &str) -> Result<(Client, TestDatabase)> {
    let server = DevDb::start()?;
    println!("database          {}", server.describe());
    let database = server.create_database(name)?;
    let migrations = Migrations::from_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations"))?;
    let mut connection = database.url().parse::<ConnectOptions>()?.connect_direct().await?;
    migrate::deploy(&mut connection, &migrations, &migrate::Options::default()).await?;
    let db = Client::connect(database.url()).await?;
    Ok((db, database))
}

/// Creates an institution and returns its client.
pub(crate) async fn institution(db: &Client, name: &str, slug: &str) -> Result<TenantClient> {
    let row = institution::Create { name: name.to_owned(), slug: slug.to_owned() };
    let institution = db.across_tenants().institution().create(row).await?;
    Ok(db.tenant(institution.id))
}
