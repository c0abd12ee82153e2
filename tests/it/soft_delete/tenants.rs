//! Handles of tenants: a row needs both conditions, and keys are unique within a tenant among live rows.

use relata::Error;

#[path = "../../soft_delete/tenants/lib.rs"]
#[deny(warnings)]
#[allow(dead_code, missing_docs, unused_imports, unreachable_pub, rustdoc::broken_intra_doc_links)]
mod client;

use client::{Client, desk, room, school};

use super::{database, ids};

#[tokio::test]
async fn tenants_see_their_own_rows_that_are_not_deleted() {
    let database = database("tenants.dsl").await;
    let db = Client::builder(database.url()).expect("is a URL").max_connections(1).connect().await.expect("connects");
    for id in [1, 2] {
        db.across_tenants().school().create(school::Create { id }).await.expect("is created");
        let school = db.tenant(id);
        for number in [1, 2] {
            let id = id * 10 + number;
            school.room().create(room::Create { id, number }).await.expect("is created");
            school.desk().create(desk::Create { id, room: id }).await.expect("is created");
        }
    }
    let (north, south) = (db.tenant(1), db.tenant(2));
    let gone = north.room().delete(room::number.eq(1)).await.expect("is deleted");
    assert_eq!((gone.id, gone.deleted_at.is_some()), (11, true));
    assert_eq!((room_ids(&north).await, room_ids(&south).await), (vec![12], vec![21, 22]));
    assert_eq!(north.desk().count().await.expect("is counted"), 1, "the desk in the room is deleted, too");
    assert_eq!(south.desk().count().await.expect("is counted"), 2);
    assert_eq!(ids!(north.room().find_many().only_deleted().await.expect("are read")), [11]);
    assert!(south.room().find_many().only_deleted().await.expect("are read").is_empty());
    assert_eq!(south.room().restore_many().all_rows().await.expect("are restored"), 0);
    assert!(matches!(south.room().restore(room::id.eq(11)).await, Err(Error::NotFound { .. })));
    assert!(matches!(south.room().hard_delete(room::id.eq(11)).with_deleted().await, Err(Error::NotFound { .. })));
    let with_desks = north.room().find_many().with_deleted().order_by(room::id.asc()).include(room::desks);
    let with_desks = with_desks.await.expect("are read");
    assert_eq!(with_desks.iter().map(|room| ids!(room.desks)).collect::<Vec<_>>(), [vec![], vec![12]]);
    // The key is unique within a tenant, among rows that are not deleted.
    let again =
        || north.room().upsert(room::number.eq(1), room::Create { id: 15, number: 1 }).set(room::floor.increment(1));
    assert_eq!(again().await.expect("is created").floor, 0);
    assert_eq!(again().await.expect("is updated").floor, 1);
    assert_eq!(ids!(north.room().find_unique(room::number.eq(1)).await.expect("is read")), [15]);
    assert_eq!(ids!(south.room().find_unique(room::number.eq(1)).await.expect("is read")), [21]);
    let refused = north.room().find_unique(room::number.eq(1)).with_deleted().await;
    assert!(matches!(refused, Err(Error::Misuse(_))), "{refused:?}");
    // Across tenants.
    let all = db.across_tenants();
    assert_eq!(all.room().count().await.expect("is counted"), 4);
    assert_eq!(all.room().count().with_deleted().await.expect("is counted"), 5);
    assert!(matches!(all.room().restore(room::id.eq(11)).await, Err(Error::UniqueViolation(_))), "15 has its number");
    all.room().hard_delete(room::id.eq(11)).only_deleted().await.expect("is removed, with its desk");
    assert_eq!(all.desk().count().with_deleted().await.expect("is counted"), 3);
    assert_eq!(all.room().delete_many().all_rows().await.expect("are deleted"), 4);
    assert_eq!(all.desk().count().await.expect("is counted"), 0);
    assert_eq!(all.room().hard_delete_many().with_deleted().all_rows().await.expect("are removed"), 4);
}

async fn room_ids(school: &client::TenantClient) -> Vec<i32> {
    ids!(school.room().find_many().order_by(room::id.asc()).await.expect("are read"))
}
