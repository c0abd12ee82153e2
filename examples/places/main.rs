//! Places on a map: what is near a point, and what an area contains, with the extension [PostGIS](https://postgis.net).
//!
//! `cargo run --example places` finds or starts a PostgreSQL. It needs PostGIS there, and says so if it is missing.
//! The client is generated from `examples/places/schema.dsl`, and its migration has the indexes.

use std::path::Path;

use relata::ConnectOptions;
use relata::geo_types::{Point, point, polygon};
use relata::migrate::{self, Migrations};
use relata_devdb::DevDb;

#[path = "generated/lib.rs"]
#[allow(dead_code, missing_docs, unreachable_pub, unused_imports)]
mod db;

use db::{Client, cafe, district};

type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let server = DevDb::start()?;
    println!("database      {}", server.describe());
    let database = server.create_database("places")?;
    if !has_extension(database.url(), "postgis").await? {
        println!("this PostgreSQL does not have the extension PostGIS: install it, and run the example again");
        return Ok(());
    }
    apply_migrations(database.url()).await?;
    let db = Client::connect(database.url()).await?;

    for (name, longitude, latitude) in [
        ("Grundmann", 12.3639, 51.3206),
        ("Kandler", 12.3731, 51.3396),
        ("Riquet", 12.3789, 51.3415),
        ("Telegraph", 12.3687, 51.3418),
    ] {
        let location = point!(x: longitude, y: latitude);
        db.cafe().create(cafe::Create { name: name.into(), location }).await?;
    }
    let center = polygon![
        (x: 12.370, y: 51.336), (x: 12.383, y: 51.336), (x: 12.383, y: 51.345), (x: 12.370, y: 51.345),
        (x: 12.370, y: 51.336),
    ];
    db.district().create(district::Create { name: "Zentrum".into(), area: center }).await?;

    let station = point!(x: 12.3816, y: 51.3455);
    show_near(&db, station, 1500.0).await?;

    let district = db.district().find_unique(district::name.eq("Zentrum")).or_err().await?;
    let inside = db.cafe().find_many().filter(cafe::location.contained_in(district.area)).order_by(cafe::name.asc());
    let names = inside.select(cafe::name).await?;
    println!("\nin {:<10} {}", district.name, names.join(", "));
    let around = db.district().find_many().filter(district::area.contains(point!(x: 12.375, y: 51.340))).await?;
    println!("around        {}", around.iter().map(|district| district.name.as_str()).collect::<Vec<_>>().join(", "));
    Ok(())
}

/// Prints the places within a distance in meters, the nearest first. Both use the index.
async fn show_near(db: &Client, place: Point<f64>, meters: f64) -> Result<()> {
    let distance = cafe::location.distance(place);
    let near = db
        .cafe()
        .find_many()
        .filter(cafe::location.within_distance(place, meters))
        .order_by(distance.clone().asc())
        .select((cafe::name, distance))
        .await?;
    println!("\nwithin {meters} m of the station");
    for (name, distance) in near {
        println!("  {distance:>5.0} m  {name}");
    }
    Ok(())
}

async fn has_extension(url: &str, name: &str) -> Result<bool> {
    let connection = url.parse::<ConnectOptions>()?.connect_direct().await?;
    let sql = "SELECT EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = $1)";
    Ok(connection.query_one(sql, &[&name]).await?.get(0))
}

async fn apply_migrations(url: &str) -> Result<()> {
    let migrations = Migrations::from_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/places/migrations"))?;
    let mut connection = url.parse::<ConnectOptions>()?.connect_direct().await?;
    migrate::deploy(&mut connection, &migrations, &migrate::Options::default()).await?;
    Ok(())
}
