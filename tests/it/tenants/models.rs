//! What a function that takes the models of one tenant can call: query files and batches too, on a client, in a
//! transaction and in a savepoint.

use futures_util::TryStreamExt;
use relata::{Error, Keyed};

use super::*;

/// The users of a school, by each way to ask for them.
async fn users(school: &TenantModels) -> relata::Result<(usize, usize, (u64, usize, u64))> {
    let emails = school.query(queries::emails()).await?.len();
    let streamed: Vec<_> = school.query_stream(queries::emails()).try_collect().await?;
    let rename = queries::rename("x@x.edu", Uuid::nil());
    let batch = school.batch((school.user().count(), queries::emails(), rename)).await?;
    Ok((emails, streamed.len(), (batch.0, batch.1.len(), batch.2)))
}

const OWN: (usize, usize, (u64, usize, u64)) = (3, 3, (3, 3, 0));

#[tokio::test]
async fn query_files_and_batches_are_of_one_tenant() {
    let schools = Schools::new().await;
    let (north, id) = (schools.north(), schools.north.school.id);
    assert_eq!(users(&north).await.expect("runs"), OWN);
    let tx = north.begin().await.expect("begins");
    assert_eq!(users(&tx).await.expect("runs"), OWN);
    assert_eq!(tx.savepoint(|inner| async move { users(&inner).await }).await.expect("runs"), OWN);
    tx.commit().await.expect("commits");
    // In a transaction of the plain client, between calls across tenants.
    let tx = schools.db.begin().await.expect("begins");
    let all = tx.across_tenants();
    assert_eq!(all.query(queries::emails()).await.expect("reads").len(), 6);
    assert_eq!(users(&tx.tenant(id)).await.expect("runs"), OWN);
    let (count, emails) = all.batch((all.user().count(), queries::emails())).await.expect("reads");
    assert_eq!((count, emails.len()), (6, 6));
    assert_eq!(all.execute_raw("UPDATE \"Room\" SET name = 'Hall'", relata::params![]).await.expect("writes"), 2);
    assert_eq!(users(&tx.tenant(id)).await.expect("runs"), OWN);
    let clubs = tx.tenant(id).query(queries::add_clubs("Rowing", "Fencing")).await.expect("writes");
    assert_eq!(clubs.len(), 2);
    tx.commit().await.expect("commits");
}

#[tokio::test]
async fn a_batch_in_a_transaction_is_all_or_nothing() {
    let schools = Schools::new().await;
    let (north, other) = (schools.north(), &schools.south);
    let before = schools.all_of(other).await;
    let attic = || room::Create { name: "Attic".to_owned() };
    let tx = north.begin().await.expect("begins");
    // A row that is missing, which the client notices, and a statement that PostgreSQL refuses.
    let missing = tx.batch((tx.room().create(attic()), tx.user().delete(user::id.eq(other.users[0].id)))).await;
    assert!(matches!(missing, Err(Error::NotFound { .. })), "{missing:?}");
    let taken = user::Create { email: "u1@x.edu".to_owned() };
    let refused = tx.batch((tx.room().create(attic()), tx.user().create(taken), tx.room().count())).await;
    assert!(matches!(refused, Err(Error::UniqueViolation(_))), "{refused:?}");
    assert_eq!(tx.room().count().await.expect("the transaction continues"), 1);
    // Of several statements, one after another.
    let row = user::Create { email: "new@x.edu".to_owned() }
        .with(user::sessions.create(session::Create { user: relata::Parent }));
    let (made, rooms) = tx.batch((tx.user().create(row), tx.room().create(attic()))).await.expect("runs");
    assert_eq!((made.school_id, rooms.school_id), (schools.north.school.id, schools.north.school.id));
    tx.commit().await.expect("commits");
    assert_eq!(north.room().count().await.expect("counts"), 2);
    assert_eq!(schools.all_of(other).await, before);
}

#[tokio::test]
async fn a_batch_in_a_transaction_holds_queries_of_one_tenant() {
    let schools = Schools::new().await;
    let (own, other) = (&schools.north, &schools.south);
    let before = schools.all_of(other).await;
    let tx = schools.db.begin().await.expect("begins");
    let (north, south) = (tx.tenant(own.school.id), tx.tenant(other.school.id));
    let all = tx.across_tenants();
    for outcome in [
        north.batch((south.user().delete_many().all_rows(),)).await,
        north.batch((all.user().delete_many().all_rows(),)).await,
        tx.batch((south.user().delete_many().all_rows(),)).await,
        tx.batch((all.user().delete_many().all_rows(),)).await,
        all.batch((south.user().delete_many().all_rows(),)).await,
    ] {
        assert!(matches!(outcome, Err(Error::Misuse(_))), "{outcome:?}");
    }
    assert_eq!(north.batch((north.user().count(),)).await.expect("counts"), (3,));
    tx.commit().await.expect("commits");
    assert_eq!(schools.all_of(other).await, before);
}

/// The row with a key, of a model that is a type parameter.
async fn get<M: Keyed>(school: &TenantModels, key: M::Key) -> relata::Result<Option<M>> {
    school.of::<M>().find_unique(M::by_key(key)).await
}

#[tokio::test]
async fn any_model_is_of_one_tenant() {
    let schools = Schools::new().await;
    let (north, own, other) = (schools.north(), &schools.north, &schools.south);
    let found: Option<User> = get(&north, own.users[0].key()).await.expect("is read");
    assert_eq!(found.as_ref(), Some(&own.users[0]));
    assert_eq!(get::<User>(&north, other.users[0].key()).await.expect("is read"), None);
    let before = schools.all_of(other).await;
    let renamed: relata::Result<u64> = north
        .transaction(async |tx| {
            let count = tx.of::<Room>().update_many().all_rows().set(room::name.to("Hall")).await?;
            assert_eq!(get::<User>(&tx, other.users[0].key()).await?, None);
            Ok(count)
        })
        .await;
    assert_eq!(renamed.expect("commits"), 1);
    assert_eq!(schools.all_of(other).await, before);
}
