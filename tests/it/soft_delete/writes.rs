//! Writes: no call changes a deleted row, a deletion is an update, and `restore` and `hard_delete` are what they say.

use relata::chrono::{TimeDelta, Utc};
use relata::{Error, Lookup};

use super::client::{Client, Models, comment, membership, note, post, profile, session, tag, team, user};
use super::{World, ids};

/// Whether a call found no row.
fn is_missing<T: std::fmt::Debug>(result: relata::Result<T>) -> bool {
    match result {
        Err(Error::NotFound { .. }) => true,
        other => panic!("is not missing: {other:?}"),
    }
}

#[tokio::test]
async fn a_deletion_marks_the_row_with_the_servers_time() {
    let world = World::new().await;
    let db = &world.db;
    let before = Utc::now() - TimeDelta::minutes(5);
    let gone = db.tag().delete(tag::id.eq(1)).await.expect("is deleted");
    assert!(gone.deleted_at.is_some_and(|time| time > before && time < Utc::now() + TimeDelta::minutes(5)));
    assert_eq!(world.deleted("Tag").await, [1, 2]);
    assert!(is_missing(db.tag().delete(tag::id.eq(1)).await), "it is deleted once");
    assert!(is_missing(db.tag().delete(tag::id.eq(2)).await));
    assert_eq!(db.tag().delete_many().all_rows().await.expect("are deleted"), 1);
    assert_eq!(world.deleted("Tag").await, [1, 2, 3]);
    assert_eq!(db.tag().delete_many().all_rows().await.expect("are deleted"), 0);
    let earlier = db.user().find_unique(user::id.eq(2)).with_deleted().or_err().await.expect("is read").deleted_at;
    assert!(earlier.is_some_and(|time| time < before), "the time of an earlier deletion stays");
    assert_eq!(world.numbers("SELECT count(*)::int FROM \"Tag\"").await, [3]);
}

#[tokio::test]
async fn a_deletion_is_an_update_of_the_row() {
    let world = World::new().await;
    let db = &world.db;
    let before = db.user().find_unique(user::id.eq(3)).or_err().await.expect("is read");
    let gone = db.user().delete(user::id.eq(3)).filter(user::email.eq("cid")).include(user::team).await;
    let gone = gone.expect("is deleted");
    assert!(gone.deleted_at.is_some() && gone.updated_at > before.updated_at, "`@updatedAt` changes, too");
    assert!(gone.team.is_none());
    assert_eq!(db.tag().delete(tag::id.eq(3)).select(tag::name).await.expect("is deleted"), "fine");
    let gone = db.tag().delete(tag::id.eq(1)).include(tag::posts.order_by(post::id.asc())).await.expect("is deleted");
    assert_eq!((ids!(gone.posts), gone.deleted_at.is_some()), (vec![1, 3], true));
    assert_eq!(db.membership().delete_many().filter(membership::role.ne("")).limit(1).await.expect("are deleted"), 1);
    assert_eq!(db.membership().count().await.expect("is counted"), 1);
    // Of a table without `@softDelete`, nothing stays.
    db.session().delete(session::id.eq(2)).await.expect("is deleted");
    assert_eq!(world.numbers("SELECT id FROM \"Session\" ORDER BY id").await, [1, 3]);
}

#[tokio::test]
async fn deleted_rows_are_not_changed() {
    let world = World::new().await;
    let db = &world.db;
    let set = || user::first.to("changed");
    assert!(is_missing(db.user().update(user::id.eq(2)).set(set()).await));
    assert!(is_missing(db.user().update(user::id.eq(2)).await), "an update that sets nothing");
    assert!(is_missing(db.user().update(user::id.eq(2)).set(set()).include(user::posts).await));
    assert_eq!(db.user().update_many().all_rows().set(set()).await.expect("are updated"), 3);
    assert_eq!(db.user().update_many().filter(user::id.gt(0)).set(set()).limit(2).await.expect("are updated"), 2);
    let changed = db.user().update_many().all_rows().set(set()).and_return().await.expect("are updated");
    assert_eq!(changed.len(), 3);
    assert_eq!(db.user().update_many().all_rows().await.expect("are counted"), 3);
    assert_eq!(world.numbers("SELECT id FROM \"User\" WHERE first = 'changed' ORDER BY id").await, [1, 3, 4]);
    let bob =
        db.user().update(user::id.eq(2)).with_deleted().set(set()).include(user::posts).await.expect("is updated");
    assert_eq!((bob.first.as_str(), ids!(bob.posts)), ("changed", vec![3]));
    let one = db.user().update_many().only_deleted().all_rows().set(user::first.to("x")).limit(1).await;
    assert_eq!(one.expect("is updated"), 1);
    assert_eq!(world.numbers("SELECT id FROM \"User\" WHERE first = 'x'").await, [2]);
    // A filter is needed all the same.
    let all = db.user().update_many().with_deleted().filter(relata::Filter::all([])).set(set()).await;
    assert!(matches!(all, Err(Error::Misuse(_))), "{all:?}");
    // With a nested write, the row is locked first.
    let changed = db
        .user()
        .update(user::id.eq(2))
        .only_deleted()
        .set(user::first.to("y"))
        .with(user::team.update(team::name.to("crimson")))
        .await;
    assert_eq!(changed.expect("is updated").first, "y");
    let crimson = db.team().find_unique(team::name.eq("crimson")).await.expect("is read");
    assert_eq!(ids!(crimson), [1]);
}

#[tokio::test]
async fn nested_writes_find_no_deleted_row() {
    let world = World::new().await;
    let db = &world.db;
    let ann = || db.user().update(user::id.eq(1));
    let text = || post::title.to("changed");
    assert!(is_missing(ann().with(user::posts.update(post::id.eq(2), text())).await));
    assert!(is_missing(ann().with(user::posts.delete(post::id.eq(2))).await));
    assert!(is_missing(ann().with(user::posts.connect(post::id.eq(2))).await));
    assert!(is_missing(ann().with(user::posts.connect(post::id.eq(4))).await));
    assert!(is_missing(ann().with(user::manager.connect(user::id.eq(2))).await));
    assert!(is_missing(ann().with(user::reports.connect(user::id.eq(5))).await));
    assert!(is_missing(ann().with(user::reports.disconnect(user::id.eq(5))).await));
    assert!(is_missing(db.user().update(user::id.eq(3)).with(user::manager.update(user::first.to("x"))).await));
    assert!(is_missing(db.user().update(user::id.eq(3)).with(user::team.update(team::name.to("x"))).await));
    let post_of_bob = db.post().update(post::id.eq(3)).with(post::author.update(user::first.to("x")));
    assert!(is_missing(post_of_bob.await), "a required relation is read, and not written");
    ann().with(user::posts.update_many(post::id.gt(0), text())).await.expect("is updated");
    assert_eq!(world.numbers("SELECT id FROM \"Post\" WHERE title = 'changed'").await, [1]);
    ann().with(user::posts.delete_many(post::id.gt(0))).await.expect("are deleted");
    assert_eq!(world.deleted("Post").await, [1, 2, 4]);
    let row = || post::Create { id: 2, title: "again".to_owned(), author: relata::Parent };
    assert!(is_missing(ann().with(user::posts.upsert(post::id.eq(2), row(), text())).await));
    assert!(is_missing(ann().with(user::posts.connect_or_create(post::id.eq(2), row())).await));
    let note = || db.note().create(note::Create { id: 9 });
    assert!(is_missing(note().with(note::user.connect(user::id.eq(2))).await));
    assert!(is_missing(note().with(note::tags.connect(tag::id.eq(2))).await));
    assert!(is_missing(note().with(note::user.connect(user::handle.eq("@bob"))).await));
    assert!(is_missing(db.note().update(note::id.eq(3)).with(note::user.connect(user::id.eq(2))).await));
    assert_eq!(world.numbers("SELECT id FROM \"Note\" ORDER BY id").await, [1, 2, 3]);
}

#[tokio::test]
async fn connections_to_deleted_rows_stay_as_they_are() {
    let world = World::new().await;
    let db = &world.db;
    let tags_of = |post: i32| format!("SELECT \"B\" FROM \"_PostToTag\" WHERE \"A\" = {post} ORDER BY \"B\"");
    db.post().update(post::id.eq(1)).with(post::tags.set([tag::id.eq(3)])).await.expect("is set");
    assert_eq!(world.numbers(&tags_of(1)).await, [2, 3], "2 is deleted, and stays connected");
    db.post()
        .update(post::id.eq(1))
        .with(post::tags.set(std::iter::empty::<relata::Unique<super::client::Tag>>()))
        .await
        .expect("is set");
    assert_eq!(world.numbers(&tags_of(1)).await, [2]);
    db.post().update(post::id.eq(1)).with(post::tags.disconnect(tag::id.eq(2))).await.expect("changes nothing");
    assert_eq!(world.numbers(&tags_of(1)).await, [2]);
    db.tag().restore(tag::id.eq(2)).await.expect("is restored");
    let one = db.post().find_unique(post::id.eq(1)).include(post::tags).or_err().await.expect("is read");
    assert_eq!(ids!(one.tags), [2]);
    // The deleted profile of a user is not in the way of a new one, and keeps its user.
    let profile = profile::Create { id: 9, user: relata::Parent };
    let dan = db.user().update(user::id.eq(4)).with(user::profile.create(profile)).include(user::profile).await;
    assert_eq!(ids!(dan.expect("is created").profile), [9]);
    let ann = db.user().update(user::id.eq(1)).with(user::profile.delete()).include(user::profile).await;
    assert!(ann.expect("is deleted").profile.is_none());
    assert_eq!(world.deleted("Profile").await, [1, 2, 4]);
    // A deleted parent is disconnected, and marked.
    let dan = db.user().update(user::id.eq(4)).with(user::manager.delete()).await.expect("is deleted");
    assert_eq!(dan.manager_id, None);
    assert_eq!(world.deleted("User").await, [1, 2, 5]);
}

#[tokio::test]
async fn restored_rows_are_rows_again() {
    let world = World::new().await;
    let db = &world.db;
    let bob = db
        .user()
        .restore(user::id.eq(2))
        .set(user::first.to("back"))
        .with(user::notes.create(note::Create { id: 9 }))
        .include(user::notes.order_by(note::id.asc()))
        .await
        .expect("is restored");
    assert_eq!((bob.deleted_at, bob.first.as_str(), ids!(bob.notes)), (None, "back", vec![2, 9]));
    assert!(is_missing(db.user().restore(user::id.eq(2)).await), "it is not deleted any more");
    assert!(is_missing(db.user().restore(user::id.eq(7)).await));
    assert!(is_missing(db.user().restore(user::id.eq(5)).filter(user::first.eq("x")).await));
    let taken = db.user().restore(user::id.eq(5)).await;
    assert!(matches!(&taken, Err(Error::UniqueViolation(it)) if it.constraint == user::EMAIL_KEY), "{taken:?}");
    let eve = db.user().restore(user::id.eq(5)).set(user::email.to("eve")).await.expect("is restored");
    assert_eq!(eve.email, "eve");
    assert_eq!(db.post().restore_many().filter(post::author_id.eq(1)).await.expect("are restored"), 1);
    assert_eq!(db.comment().restore_many().all_rows().limit(1).await.expect("are restored"), 1);
    let back = db.comment().restore_many().all_rows().and_return().await.expect("are restored");
    assert_eq!(ids!(back), [4]);
    assert_eq!(db.comment().restore_many().all_rows().await.expect("are restored"), 0);
    assert_eq!(db.comment().count().await.expect("is counted"), 5);
}

#[tokio::test]
async fn a_hard_deletion_removes_the_row() {
    let world = World::new().await;
    let db = &world.db;
    assert!(is_missing(db.tag().hard_delete(tag::id.eq(2)).await), "like every call, it finds no deleted row");
    assert_eq!(db.tag().hard_delete(tag::id.eq(2)).only_deleted().await.expect("is removed").name, "bad");
    let gone = db.tag().hard_delete(tag::id.eq(1)).include(tag::posts.order_by(post::id.asc())).await;
    assert_eq!(ids!(gone.expect("is removed").posts), [1, 3]);
    assert_eq!(world.numbers("SELECT id FROM \"Tag\"").await, [3]);
    let old = Utc::now() - TimeDelta::days(900);
    let purged = db.user().hard_delete_many().only_deleted().filter(user::deleted_at.lt(old)).await;
    assert_eq!(purged.expect("are removed"), 2);
    assert_eq!(world.numbers("SELECT id FROM \"User\" ORDER BY id").await, [1, 3, 4]);
    assert_eq!(db.comment().hard_delete_many().all_rows().limit(1).await.expect("are removed"), 1);
    assert_eq!(db.comment().hard_delete_many().with_deleted().all_rows().await.expect("are removed"), 2);
    assert_eq!(world.numbers("SELECT count(*)::int FROM \"Comment\"").await, [0]);
}

/// The error says which row was not found, for which call.
#[tokio::test]
async fn errors_name_the_call() {
    let World { db, .. } = &World::new().await;
    let lookup = |error: Error| match error {
        Error::NotFound { model, operation, .. } => (model, operation),
        other => panic!("{other:?}"),
    };
    let deleted = db.user().delete(user::id.eq(2)).await.expect_err("is deleted already");
    assert_eq!(lookup(deleted), ("User", Lookup::Delete));
    let restored = db.user().restore(user::id.eq(1)).await.expect_err("is not deleted");
    assert_eq!(lookup(restored), ("User", Lookup::Update));
}

#[tokio::test]
async fn transactions_batches_and_functions_over_models_are_no_way_around() {
    let world = World::new().await;
    let db = &world.db;
    let tx = db.begin().await.expect("begins");
    tx.tag().delete(tag::id.eq(1)).await.expect("is deleted");
    assert_eq!(tx.tag().count().await.expect("is counted"), 1);
    assert_eq!(tx.tag().count().with_deleted().await.expect("is counted"), 3);
    tx.rollback().await.expect("is rolled back");
    let batch = (
        db.tag().delete(tag::id.eq(1)),
        db.tag().count(),
        db.tag().count().with_deleted(),
        db.tag().restore(tag::id.eq(2)),
        db.tag().find_many().order_by(tag::id.asc()),
        db.tag().hard_delete_many().only_deleted().all_rows(),
    );
    let (gone, live, all, back, rows, removed) = db.batch(batch).await.expect("is sent");
    assert!(gone.deleted_at.is_some() && back.deleted_at.is_none());
    assert_eq!((live, all, ids!(rows), removed), (1, 3, vec![2, 3], 1));

    async fn count_of(db: &Models) -> relata::Result<u64> {
        db.of::<post::Post>().count().await
    }
    assert_eq!(count_of(db).await.expect("is counted"), 2);
    // A deletion with more than one statement in a batch.
    let (ann, left) = db.batch((db.user().delete(user::id.eq(1)), db.post().count())).await.expect("is sent");
    assert_eq!((ann.id, left), (1, 1));
    assert_eq!(comments(db).await, 0);
}

async fn comments(db: &Client) -> u64 {
    db.comment().count().filter(comment::id.gt(0)).await.expect("is counted")
}

#[tokio::test]
async fn calls_of_many_rows_leave_deleted_ones_alone() {
    let world = World::new().await;
    let db = &world.db;
    let changes = || [1, 2].map(|id| (post::id.eq(id), post::views.to(7)));
    let changed = db.post().update_each(changes()).await.expect("writes");
    assert_eq!((changed.updated, changed.missing), (1, 1), "2 is deleted");
    let rows = db.post().update_each(changes()).and_return().await.expect("writes");
    assert_eq!(rows.iter().map(|row| row.as_ref().map(|row| row.id)).collect::<Vec<_>>(), [Some(1), None]);
    let new = |id: i32| post::Create { id, title: "again".to_owned(), author: 1 };
    assert!(is_missing(db.post().upsert_many([new(1), new(2)]).on(post::id).await));
    assert_eq!(world.numbers("SELECT count(*)::int FROM \"Post\" WHERE title = 'again'").await, [0]);
    let rows = db.post().upsert_many([new(1), new(9)]).on(post::id).and_return().await.expect("writes");
    assert_eq!(rows.iter().map(|row| row.is_inserted()).collect::<Vec<_>>(), [false, true]);
    assert_eq!(world.numbers("SELECT views FROM \"Post\" WHERE id = 2").await, [20]);
    let plan = db.post().find_many().explain().await.expect("is explained").to_string();
    assert!(plan.contains("deleted_at IS NULL"), "{plan}");
}
