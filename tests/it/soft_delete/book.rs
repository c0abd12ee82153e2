//! The examples of `docs/client.md` about soft deletes, scopes and trees.

use relata::chrono::{DateTime, TimeDelta, Utc};

use relata::Tree;

use super::World;
use super::client::comment::Comment;
use super::client::user::User;
use super::client::{Client, article, comment, post, user};
use crate::support::connect;

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

async fn scopes(db: &Client) -> relata::Result<(usize, usize, usize)> {
    let shown = db.article().find_many().await?;
    let all = db.article().find_many().unscoped(article::scope::published).await?;
    let users = db.user().find_many().include(user::articles.unscoped(article::scope::published)).await?;
    Ok((shown.len(), all.len(), users.iter().map(|user| user.articles.len()).sum()))
}

async fn trees(db: &Client, post: i32, id: i32) -> relata::Result<(usize, Vec<String>, u64)> {
    let threads = db.comment().find_many().filter(comment::post_id.eq(post) & comment::parent.is_none());
    let threads = threads.include(comment::replies.descendants().order_by(comment::id.asc())).await?;
    for thread in &threads {
        println!("{}: {} replies", thread.text, thread.replies.iter().map(Tree::count).sum::<usize>());
    }

    let here = db.comment().find_unique(comment::id.eq(id)).include(comment::parent.ancestors()).or_err().await?;
    let above: Vec<_> = here.parent.iter().map(|comment| comment.text.as_str()).collect();

    let in_questions = comment::parent.ancestors().some(comment::text.ends_with("?"));
    let answers = db.comment().count().filter(in_questions).await?;
    let first: &comment::WithReplies<Tree<Comment>> = &threads[0];
    Ok((first.replies.len(), above.into_iter().map(str::to_owned).collect(), answers))
}

#[tokio::test]
async fn the_examples_of_scopes_and_trees_run() {
    let world = World::new().await;
    let rows = "INSERT INTO \"Article\" (id, slug, is_public, words, \"userId\") VALUES (1, 'a', true, 1, 1), (2, 'b', false, 1, 1);
        INSERT INTO \"Comment\" (id, text, \"postId\", \"parentId\") VALUES (10, 'why?', 3, NULL), (11, 'so', 3, 10), (12, 'ah', 3, 11)";
    connect(world.database.url()).await.batch_execute(rows).await.expect("the rows are made");
    assert_eq!(scopes(&world.db).await.expect("runs"), (1, 2, 2));
    assert_eq!(trees(&world.db, 3, 12).await.expect("runs"), (1, vec!["so".to_owned(), "why?".to_owned()], 2));
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
