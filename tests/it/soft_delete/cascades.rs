//! `onDelete: Cascade` between models with `@softDelete`: the client marks the rows that reference a deleted one, in the
//! same transaction. PostgreSQL carries the action out for a hard deletion only.

use super::client::{comment, membership, post, team, user};
use super::{World, ids};

#[tokio::test]
async fn rows_that_cascade_are_marked_with_the_row() {
    let world = World::new().await;
    let db = &world.db;
    let ann = db.user().delete(user::id.eq(1)).await.expect("is deleted");
    // Her posts, their comments, the replies to these, and replies to those.
    assert_eq!(world.deleted("Post").await, [1, 2, 4]);
    assert_eq!(world.deleted("Comment").await, [1, 2, 3, 4, 5]);
    assert_eq!(world.deleted("Duty").await, [1, 2], "through her membership");
    // What does not cascade, or has no `@softDelete`, stays.
    assert_eq!(world.deleted("Profile").await, [2, 4]);
    assert_eq!(world.numbers("SELECT id FROM \"Session\" ORDER BY id").await, [1, 2, 3]);
    let dan = db.user().find_unique(user::id.eq(4)).include(user::manager).or_err().await.expect("is read");
    assert_eq!((dan.manager_id, dan.manager.is_none()), (Some(1), true));
    // All have the same time, so that they can be restored together.
    let time = ann.deleted_at.expect("has a time");
    let same = db.comment().count().only_deleted().filter(comment::deleted_at.eq(time));
    assert_eq!(same.await.expect("is counted"), 3);
    let tx = db.begin().await.expect("begins");
    tx.user().restore(user::id.eq(1)).await.expect("is restored");
    let posts = tx.post().restore_many().filter(post::author_id.eq(1)).filter(post::deleted_at.eq(time));
    assert_eq!(posts.await.expect("are restored"), 1);
    tx.commit().await.expect("commits");
    assert_eq!(world.deleted("Post").await, [2, 4], "2 was deleted before");
    assert_eq!(world.deleted("Comment").await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn every_kind_of_deletion_cascades() {
    let world = World::new().await;
    let db = &world.db;
    assert_eq!(db.post().delete_many().filter(post::id.eq(1)).await.expect("are deleted"), 1);
    assert_eq!(world.deleted("Comment").await, [1, 2, 3, 4, 5]);
    assert_eq!(db.team().delete_many().all_rows().limit(1).await.expect("are deleted"), 1);
    assert_eq!(db.membership().count().await.expect("is counted"), 0);
    assert_eq!(world.deleted("Duty").await, [1, 2]);

    let world = World::new().await;
    let db = &world.db;
    db.user().update(user::id.eq(1)).with(user::posts.delete(post::id.eq(1))).await.expect("is deleted");
    assert_eq!(world.deleted("Comment").await, [1, 2, 3, 4, 5]);

    let world = World::new().await;
    let db = &world.db;
    let gone =
        db.post().delete(post::id.eq(1)).include(post::comments).include(post::author).await.expect("is deleted");
    assert_eq!((gone.comments.len(), gone.author.id, gone.deleted_at.is_some()), (0, 1, true));
    assert_eq!(world.deleted("Comment").await, [1, 2, 3, 4, 5]);
    assert_eq!(db.post().delete(post::id.eq(3)).select(post::title).await.expect("is deleted"), "three");
    let gone = db.membership().delete(membership::team_id_user_id.eq(1, 1)).include(membership::team).await;
    assert_eq!(gone.expect("is deleted").team.id, 1);
    assert_eq!(world.deleted("Duty").await, [1, 2]);
}

#[tokio::test]
async fn a_circle_of_rows_ends() {
    let world = World::new().await;
    let db = &world.db;
    db.comment().update(comment::id.eq(1)).with(comment::parent.connect(comment::id.eq(5))).await.expect("is updated");
    db.comment().delete(comment::id.eq(1)).await.expect("is deleted");
    assert_eq!(world.deleted("Comment").await, [1, 2, 4, 5]);
}

#[tokio::test]
async fn an_error_undoes_the_whole_deletion() {
    let world = World::new().await;
    let db = &world.db;
    let refuse = r#"ALTER TABLE "Duty" ADD CHECK (id <> 1 OR deleted_at IS NULL)"#;
    crate::support::connect(world.database.url()).await.batch_execute(refuse).await.expect("is added");
    assert!(db.team().delete(team::id.eq(1)).await.is_err());
    assert_eq!(ids!(db.team().find_many().await.expect("are read")), [1]);
    assert_eq!(db.membership().count().await.expect("is counted"), 2);
}

#[tokio::test]
async fn postgresql_cascades_a_hard_deletion() {
    let world = World::new().await;
    let db = &world.db;
    db.post().hard_delete(post::id.eq(1)).await.expect("is removed");
    assert_eq!(world.numbers("SELECT id FROM \"Comment\" ORDER BY id").await, [0; 0]);
    db.post().hard_delete(post::id.eq(3)).await.expect("is removed");
    assert_eq!(world.numbers("SELECT id FROM \"Post\" ORDER BY id").await, [2, 4]);
}
