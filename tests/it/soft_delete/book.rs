//! The examples of `docs/client.md` about soft deletes.

use relata::chrono::{DateTime, TimeDelta, Utc};

use super::World;
use super::client::user::User;
use super::client::{Client, post, user};

async fn deletes(db: &Client, id: i32) -> relata::Result<()> {
    let gone: User = db.user().delete(user::id.eq(id)).await?;
    assert!(gone.deleted_at.is_some());
    assert_eq!(db.user().find_unique(user::id.eq(id)).await?, None);
    Ok(())
}

async fn reads(db: &Client, old: DateTime<Utc>) -> relata::Result<(usize, u64, usize)> {
    let all = db.user().find_many().with_deleted().await?;
    let trash: u64 = db.user().count().only_deleted().filter(user::deleted_at.lt(old)).await?;
    let users = db.user().find_many().include(user::posts.with_deleted()).await?;
    Ok((all.len(), trash, users.iter().map(|user| user.posts.len()).sum()))
}

async fn restores(db: &Client, id: i32, old: DateTime<Utc>) -> relata::Result<(User, u64, u64)> {
    let user: User = db.user().restore(user::id.eq(id)).set(user::first.to("Ann")).await?;
    let restored: u64 = db.post().restore_many().filter(post::author_id.eq(id)).await?;
    let purged: u64 = db.user().hard_delete_many().only_deleted().filter(user::deleted_at.lt(old)).await?;
    Ok((user, restored, purged))
}

async fn restores_together(db: &Client, id: i32) -> relata::Result<()> {
    let gone = db.user().find_unique(user::id.eq(id)).only_deleted().or_err().await?;
    let tx = db.begin().await?;
    tx.user().restore(user::id.eq(id)).await?;
    let together = post::author_id.eq(id) & gone.deleted_at.map(|time| post::deleted_at.eq(time));
    tx.post().restore_many().filter(together).await?;
    tx.commit().await?;
    Ok(())
}

#[tokio::test]
async fn the_examples_run() {
    let world = World::new().await;
    let (db, old) = (&world.db, Utc::now() - TimeDelta::days(365));
    deletes(db, 1).await.expect("runs");
    restores_together(db, 1).await.expect("runs");
    assert_eq!(world.deleted("Post").await, [2, 4]);
    assert_eq!(reads(db, old).await.expect("runs"), (5, 2, 3));
    deletes(db, 1).await.expect("runs");
    let (user, restored, purged) = restores(db, 1, old).await.expect("runs");
    assert_eq!((user.first.as_str(), restored, purged), ("Ann", 2, 2));
}
