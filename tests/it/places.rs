//! A client of `tests/postgres/places/schema.dsl`, where the server has PostGIS.
//!
//! `cargo codegen generate --schema tests/postgres/places/schema.dsl --out tests/postgres/places/generated` generates its files.

use relata::geo_types::{
    Geometry, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon, line_string,
    point, polygon,
};
use relata::{AsText, Error};

use crate::support::{Database, connect, with_extensions};

#[path = "../postgres/places/generated/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports, unreachable_pub, rustdoc::broken_intra_doc_links)]
mod db;

use db::{queries, spot};

async fn fixture(name: &str) -> Option<(db::Client, Database)> {
    let database = with_extensions(name, &["postgis"], "tests/postgres/places/schema.dsl").await?;
    Some((db::Client::connect(database.url()).await.expect("connects"), database))
}

fn line() -> LineString<f64> {
    line_string![(x: 12.0, y: 51.0), (x: 12.5, y: 51.0)]
}

fn square() -> Polygon<f64> {
    polygon![(x: 12.0, y: 51.0), (x: 13.0, y: 51.0), (x: 13.0, y: 52.0), (x: 12.0, y: 52.0), (x: 12.0, y: 51.0)]
}

fn everything(at: Point<f64>) -> relata::CreateWith<spot::Create> {
    let all = GeometryCollection(vec![at.into(), line().into()]);
    spot::Create { at }
        .set(spot::flat.to(point!(x: 316_000.0, y: 5_690_000.0)))
        .set(spot::line.to(line()))
        .set(spot::area.to(square()))
        .set(spot::points.to(MultiPoint(vec![at, at])))
        .set(spot::lines.to(MultiLineString(vec![line()])))
        .set(spot::areas.to(MultiPolygon(vec![square()])))
        .set(spot::all.to(all))
        .set(spot::anything.to(Geometry::from(square())))
        .set(spot::tall.to("POINT Z (1 2 3)"))
        .set(spot::several.to([at, at]))
}

#[tokio::test]
async fn query_files_find_places() {
    let Some((db, _database)) = &fixture("query_files_of_places").await else { return };
    let at = point!(x: 12.37, y: 51.34);
    let made = db.spot().create(everything(at)).await.expect("is created");
    // Values have no reference system of their own: they get that of the columns beside them.
    let near = |within: f64| queries::near(at, point!(x: 12.2, y: 52.0), 1.0, 2.0, within, square(), [line()]);
    let rows = db.query(near(10.0)).await.expect("is read");
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((row.id, row.at, row.distance, row.apart), (made.id, at, Some(0.0), Some(1.0)));
    assert_eq!(row.middle, Some(point!(x: 12.5, y: 51.5).into()));
    assert_eq!(row.made, point!(x: 1.0, y: 2.0).into());
    let mixed = "SELECT ST_Distance(line, $1::bytea::geometry) IS NULL FROM \"Spot\"";
    let error = db.query_raw::<(bool,)>(mixed, relata::params![at]).await.expect_err("has no reference system");
    assert!(error.to_string().contains("Operation on mixed SRID geometries"), "{error}");
    let far = queries::near(point!(x: 0.0, y: 0.0), at, 1.0, 2.0, 10.0, square(), [line()]);
    assert!(db.query(far).await.expect("is read").is_empty());
}

#[tokio::test]
async fn places_are_written_and_read() {
    let Some((db, database)) = &fixture("places").await else { return };
    let at = point!(x: 12.37, y: 51.34);
    let made = db.spot().create(everything(at)).await.expect("is created");
    assert_eq!((made.at, made.flat), (at, Some(point!(x: 316_000.0, y: 5_690_000.0))));
    assert_eq!((made.line.clone(), made.area.clone()), (Some(line()), Some(square())));
    assert_eq!(made.points, Some(MultiPoint(vec![at, at])));
    assert_eq!(
        (made.lines.clone(), made.areas.clone()),
        (Some(MultiLineString(vec![line()])), Some(MultiPolygon(vec![square()])))
    );
    assert_eq!(made.all, Some(GeometryCollection(vec![at.into(), line().into()])));
    assert_eq!(made.anything, Some(square().into()));
    // A third dimension has no type: the text is that of PostGIS.
    assert!(
        made.tall.as_ref().map(AsText::as_str).is_some_and(|text| text.starts_with("0101000080")),
        "{:?}",
        made.tall
    );
    assert_eq!(made.several, [at, at]);
    let sql = connect(database.url()).await;
    let row = sql
        .query_one("SELECT ST_AsText(at), ST_SRID(at::geometry), ST_SRID(flat), ST_SRID(anything) FROM \"Spot\"", &[]);
    let row = row.await.expect("is read");
    assert_eq!(row.get::<_, &str>(0), "POINT(12.37 51.34)");
    assert_eq!([1, 2, 3].map(|place| row.get::<_, i32>(place)), [4326, 25833, 0]);
    let json = relata::serde_json::to_value(&made).expect("is JSON");
    assert_eq!(relata::serde_json::from_value::<db::Spot>(json).expect("is one"), made);
    assert_eq!(db.spot().copy_in([everything(at), everything(at)]).await.expect("are copied"), 2);
    assert_eq!(db.spot().create_many([everything(at)]).await.expect("is created"), 1);
    let none = db.spot().create(spot::Create { at }).await.expect("is created");
    assert_eq!((none.flat, none.anything.clone(), none.several.len()), (None, None, 0));
    let changed =
        db.spot().update(spot::id.eq(none.id)).set(spot::flat.to(point!(x: 1.0, y: 2.0))).await.expect("is updated");
    assert_eq!(changed.flat, Some(point!(x: 1.0, y: 2.0)));

    // What geo-types does not have.
    let broken = format!("UPDATE \"Spot\" SET anything = 'POINT EMPTY' WHERE id = {}", none.id);
    sql.batch_execute(&broken).await.expect("is right");
    let error = db.spot().find_unique(spot::id.eq(none.id)).await.expect_err("cannot be read");
    assert!(matches!(&error, Error::Decode { column, .. } if column == "anything"), "{error:?}");
    let error = db.spot().create(spot::Create { at }.set(spot::tall.to("nowhere"))).await.expect_err("is no geometry");
    assert!(!format!("{error} {error:?}").contains("nowhere"), "{error:?}");
}

#[tokio::test]
async fn places_have_their_operators() {
    let Some((db, _database)) = &fixture("place_operators").await else { return };
    let (here, there) = (point!(x: 12.37, y: 51.34), point!(x: 13.40, y: 52.52));
    let leipzig = db.spot().create(everything(here)).await.expect("is created").id;
    let berlin = db.spot().create(spot::Create { at: there }).await.expect("is created").id;
    let of = |filter| async {
        let rows = db.spot().find_many().filter(filter).order_by(spot::id.asc()).select(spot::id);
        rows.await.expect("is read")
    };
    assert_eq!(of(spot::at.within_distance(here, 1_000.0)).await, [leipzig]);
    assert_eq!(of(spot::at.within_distance(here, 200_000.0)).await, [leipzig, berlin]);
    assert_eq!(of(spot::at.contained_in(square())).await, [leipzig]);
    assert_eq!(of(spot::area.contains(here)).await, [leipzig]);
    assert_eq!(of(spot::line.intersects(line_string![(x: 12.2, y: 50.0), (x: 12.2, y: 52.0)])).await, [leipzig]);
    assert_eq!(of(spot::areas.contains(here) & spot::anything.intersects(square())).await, [leipzig]);
    assert_eq!(of(spot::flat.within_distance(point!(x: 316_003.0, y: 5_690_004.0), 5.0)).await, [leipzig]);
    assert_eq!(of(spot::at.eq(there)).await, [berlin]);
    let distance = || spot::at.distance(there);
    let sorted =
        db.spot().find_many().order_by(distance().asc()).select((spot::id, distance())).await.expect("is read");
    assert_eq!(sorted.iter().map(|row| row.0).collect::<Vec<_>>(), [berlin, leipzig]);
    assert!((140_000.0..160_000.0).contains(&sorted[1].1), "{sorted:?}");
    assert_eq!(of(distance().gt(1.0)).await, [leipzig]);
    let first = db.spot().find_many().order_by(distance().asc()).take(1).page_after(None).await.expect("is read");
    let second =
        db.spot().find_many().order_by(distance().asc()).take(1).page_after(first.next).await.expect("is read");
    assert_eq!((first.rows[0].id, second.rows[0].id), (berlin, leipzig));
}
