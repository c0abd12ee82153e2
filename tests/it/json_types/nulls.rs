//! Optional columns with `@json`: JSON's null, and rows that are created without a value.

use super::db::user;
use super::{Fixture, address, new};

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
