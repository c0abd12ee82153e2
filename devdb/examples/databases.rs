//! Measures how long creating and dropping databases takes: `cargo run -p relata-devdb --example databases -- 100`.
//!
//! Prepares a template of twenty tables once, creates that many copies of it, and drops them, each as a test would.

use std::time::{Duration, Instant};

use relata_devdb::DevDb;

const TABLES: usize = 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let copies: u32 = std::env::args().nth(1).map_or(Ok(100), |count| count.parse())?;
    let server = DevDb::start()?;
    println!("{}", server.describe());
    drop(copy(&server)?);
    let (mut made, mut dropped) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..copies {
        let before = Instant::now();
        let database = copy(&server)?;
        made += before.elapsed();
        let before = Instant::now();
        drop(database);
        dropped += before.elapsed();
    }
    let each = |total: Duration| total.as_secs_f64() * 1000.0 / f64::from(copies.max(1));
    println!(
        "{copies} databases of {TABLES} tables: {:.1} ms to make one, {:.1} ms to drop it",
        each(made),
        each(dropped)
    );
    Ok(())
}

fn copy(server: &DevDb) -> Result<relata_devdb::TestDatabase, relata_devdb::Error> {
    server.database_from_template("example-databases-1", |url| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
            let driver = tokio::spawn(connection);
            for table in 0..TABLES {
                let sql = format!("CREATE TABLE t{table} (id int PRIMARY KEY, name text UNIQUE, at timestamptz)");
                client.batch_execute(&sql).await?;
            }
            drop(client);
            driver.await??;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        })
    })
}
