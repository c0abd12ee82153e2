//! Embeddings: the articles that are nearest to a vector, with the extension [pgvector](https://github.com/pgvector/pgvector).
//!
//! `cargo run --example embeddings` finds or starts a PostgreSQL. It needs pgvector there, and says so if it is missing.
//! The client is generated from `examples/embeddings/schema.dsl`, and its migration has the HNSW index.

use std::path::Path;

use relata::ConnectOptions;
use relata::migrate::{self, Migrations};
use relata_devdb::DevDb;

#[path = "generated/lib.rs"]
#[allow(dead_code, missing_docs, unreachable_pub, unused_imports)]
mod db;

use db::{Client, article};

type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let server = DevDb::start()?;
    println!("database      {}", server.describe());
    let database = server.create_database("embeddings")?;
    if !has_extension(database.url(), "vector").await? {
        println!("this PostgreSQL does not have the extension pgvector: install it, and run the example again");
        return Ok(());
    }
    apply_migrations(database.url()).await?;
    let db = Client::connect(database.url()).await?;

    for (title, language, embedding) in [
        ("How the heart beats", "en", [0.9, 0.1, 0.0]),
        ("Why we sleep", "en", [0.2, 0.9, 0.1]),
        ("Wie das Herz schlägt", "de", [0.88, 0.12, 0.02]),
        ("Blood pressure", "en", [0.7, 0.3, 0.1]),
        ("Bones and joints", "en", [0.0, 0.2, 0.95]),
    ] {
        let row =
            article::Create { title: title.into(), language: language.into(), embedding: embedding.to_vec().into() };
        db.article().create(row).await?;
    }

    // A question becomes a vector as the articles did.
    let question = [0.95, 0.05, 0.0];
    let distance = article::embedding.cosine_distance(question);
    let nearest = db
        .article()
        .find_many()
        .filter(article::language.eq("en"))
        .order_by(distance.clone().asc())
        .take(3)
        .select((article::title, distance.clone()))
        .await?;
    println!("\nthe nearest in English");
    for (title, distance) in nearest {
        println!("  {distance:.4}  {title}");
    }

    let near = db.article().count().filter(distance.clone().lt(0.1)).await?;
    let (mean,) = db.article().aggregate((article::embedding.avg(),)).filter(article::language.eq("en")).await?;
    println!("\nwithin 0.1    {near} articles");
    println!("their mean    {:?}", mean.map(|mean| mean.to_vec()).unwrap_or_default());
    Ok(())
}

async fn has_extension(url: &str, name: &str) -> Result<bool> {
    let connection = url.parse::<ConnectOptions>()?.connect_direct().await?;
    let sql = "SELECT EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = $1)";
    Ok(connection.query_one(sql, &[&name]).await?.get(0))
}

async fn apply_migrations(url: &str) -> Result<()> {
    let migrations =
        Migrations::from_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/embeddings/migrations"))?;
    let mut connection = url.parse::<ConnectOptions>()?.connect_direct().await?;
    migrate::deploy(&mut connection, &migrations, &migrate::Options::default()).await?;
    Ok(())
}
