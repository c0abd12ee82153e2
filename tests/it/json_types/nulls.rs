//! Optional columns with `@json`: JSON's null, and rows that are created without a value.

use relata::Error;
use relata::serde_json::json;

use super::db::user;
use super::{Address, Fixture, address, at, new};

#[tokio::test]
async fn the_null_of_json_is_null_in_an_optional_column() {
    let it = &Fixture::new("json_nulls").await;
    for name in ["json", "sql", "value"] {
        it.db.user().create(new(name, address(name))).await.expect("is created");
    }
    it.sql
        .batch_execute(
            "UPDATE \"User\" SET second = 'null', old_geo = ' null ' WHERE name = 'json';
             UPDATE \"User\" SET second = address, old_geo = '{\"lat\": 1, \"lng\": 2}' WHERE name = 'value'",
        )
        .await
        .expect("is updated");
    let row = it.db.user().find_unique(user::name.eq("json")).or_err().await.expect("is read");
    assert_eq!((row.second, row.old), (None, None));
    let selected = it.db.user().find_unique(user::name.eq("json")).select((user::second, user::old, user::second.zip));
    assert_eq!(selected.await.expect("is read"), Some((None, None, None)));

    assert_eq!(it.names(user::second.is_null()).await, ["json", "sql"]);
    assert_eq!(it.names(user::second.is_not_null()).await, ["value"]);
    assert_eq!(it.names(user::old.is_null()).await, ["json", "sql"]);
    // Null matches no comparison, and no negated one.
    let other = || address("other");
    for filter in [user::second.ne(other()), !user::second.eq(other()), user::second.not_in([other()])] {
        assert_eq!(it.names(filter).await, ["value"]);
    }
    assert_eq!(it.names(user::second.eq(address("value"))).await, ["value"]);
    assert_eq!(it.names(user::second.in_([address("value"), other()])).await, ["value"]);
    assert_eq!(it.names(!(user::second.eq(other()) & user::name.eq("json"))).await, ["sql", "value"]);
    assert_eq!(it.names(user::second.eq_field(user::address)).await, ["value"]);
    assert_eq!(it.names(user::second.ne_field(user::address)).await, Vec::<String>::new());

    // An object takes its place.
    let set = it.db.user().update(user::name.eq("json")).set(user::second.street.to("new"));
    assert_eq!(set.await.expect("is updated").second, Some(address("new")));
    // A required column is never null.
    it.sql.batch_execute("UPDATE \"User\" SET address = 'null' WHERE name = 'sql'").await.expect("is updated");
    let refused = it.db.user().find_unique(user::name.eq("sql")).await.expect_err("does not fit").to_string();
    assert!(refused.contains("address") && refused.contains("null"), "{refused}");
}

#[tokio::test]
async fn parts_of_a_value_are_set_in_a_new_row() {
    let it = &Fixture::new("json_new_parts").await;
    let parts = |row: relata::CreateWith<user::Create>| row.set(user::second.zip.to("77".to_owned()));
    let named = |name| new(name, address("x")).set(user::second.street.to("y"));
    let expected = || Some(Address { zip: Some("77".to_owned()), ..address("y") });
    let made = it.db.user().create(parts(named("one"))).await.expect("is created");
    assert_eq!(made.second, expected());
    // Keys that the type has a default for are not stored.
    let stored = it.stored("second").await;
    assert_eq!(stored, Some(json!({ "street": "y", "zip": "77" })));
    it.db.user().create_many([parts(named("two")), named("three")]).await.expect("are created");
    let upserted = it.db.user().upsert(user::name.eq("four"), parts(named("four"))).await.expect("is created");
    assert_eq!(upserted.second, expected());
    assert_eq!(it.names(user::second.zip.eq("77")).await, ["four", "one", "two"]);

    // Objects on the way are created, and nothing is removed from null.
    let deep =
        new("deep", address("x")).set(user::all.set_null()).set(user::old.lat.to(1.0)).set(user::old.lng.to(2.5));
    let deep = deep.set(user::second.zip.set_null()).set(user::second.geo.set_null());
    let made = it.db.user().create(deep).await.expect("is created");
    assert_eq!((made.second, made.old.map(|geo| (geo.lat, geo.lng))), (None, Some((1.0, 2.5))));
    let inner = named("inner").set(user::second.geo.lat.to(1.0)).set(user::second.geo.lng.to(2.0));
    let made = it.db.user().create(inner.set(user::second.geo.grid.zone.to(3))).await.expect("is created");
    assert_eq!(made.second.and_then(|place| place.geo?.grid).map(|grid| grid.zone), Some(3));

    // The default of a column is known only to PostgreSQL.
    let inside = || user::home.zip.to("1".to_owned());
    let refused = it.db.user().create(named("default").set(inside())).await;
    assert!(matches!(&refused, Err(Error::Misuse(reason)) if reason.contains("default")), "{refused:?}");
    let whole = named("whole").set(user::home.to(at("0", 1.0, 2.0))).set(inside());
    let made = it.db.user().create(whole).await.expect("is created");
    assert_eq!(made.home, Address { zip: Some("1".to_owned()), ..at("0", 1.0, 2.0) });
    let set = it.db.user().update(user::name.eq("whole")).set(user::second.set_null()).set(user::second.zip.set_null());
    assert_eq!(set.await.expect("is updated").second, None);
}
