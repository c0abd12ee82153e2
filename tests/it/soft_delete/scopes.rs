//! `@@scope`: conditions that every call has on the rows of a model, unless it lifts them by name.

use relata::{Error, count};

use super::client::{article, remark, user};
use super::{World, ids};
use crate::support::connect;

/// 1 and 2 are in both scopes, 3 is not published, 4 is not readable, 5 is neither, 6 is deleted.
const ARTICLES: &str = r#"
    INSERT INTO "Article" (id, slug, is_public, words, language, "userId", "parentId", deleted_at) VALUES
        (1, 'one', true, 10, 'en', 1, NULL, NULL), (2, 'two', true, 0, 'words', 1, 1, NULL),
        (3, 'three', false, 10, 'en', 1, 1, NULL), (4, 'four', true, 0, 'en', 1, 3, NULL),
        (5, 'five', false, 5, 'XX', 4, 3, NULL), (6, 'six', true, 10, 'en', 1, 1, now()),
        (7, 'seven', true, 10, 'en', 4, 3, NULL);
    INSERT INTO "Remark" (id, "articleId") VALUES (1, 1), (2, 3), (3, 5);
"#;

async fn world() -> World {
    let world = World::new().await;
    connect(world.database.url()).await.batch_execute(ARTICLES).await.expect("the rows are made");
    world
}

#[tokio::test]
async fn every_call_stays_in_its_scopes() {
    let World { db, .. } = &world().await;
    for _ in 0..2 {
        let all = || db.article().find_many().order_by(article::id.asc());
        assert_eq!(ids!(all().await.expect("are read")), [1, 2, 7]);
        assert_eq!(ids!(all().unscoped(article::scope::published).await.expect("are read")), [1, 2, 3, 7]);
        assert_eq!(ids!(all().unscoped(article::scope::readable).await.expect("are read")), [1, 2, 4, 7]);
        let both = || all().unscoped(article::scope::published).unscoped(article::scope::readable);
        assert_eq!(ids!(both().await.expect("are read")), [1, 2, 3, 4, 5, 7]);
        assert_eq!(ids!(both().with_deleted().await.expect("are read")), [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(ids!(all().only_deleted().await.expect("are read")), [6]);
        let or = article::id.eq(3) | article::id.eq(1);
        assert_eq!(ids!(all().filter(or).await.expect("are read")), [1]);

        assert!(db.article().find_unique(article::id.eq(3)).await.expect("is read").is_none());
        let third = db.article().find_unique(article::slug.eq("three")).unscoped(article::scope::published);
        assert_eq!(third.await.expect("is read").map(|row| row.id), Some(3));
        assert_eq!(db.article().count().await.expect("is counted"), 3);
        assert_eq!(db.article().count().unscoped(article::scope::published).await.expect("is counted"), 4);
        assert!(!db.article().exists().filter(article::id.eq(3)).await.expect("is read"));
        let words = db.article().aggregate(article::words.sum()).await.expect("is calculated");
        assert_eq!(words, 20);
        let groups = db.article().group_by(article::user_id).aggregate(count()).order_by(article::user_id.asc());
        assert_eq!(groups.await.expect("are read"), [(Some(1), 2), (Some(4), 1)]);
    }
}

#[tokio::test]
async fn relations_stay_in_the_scopes_of_their_model() {
    let World { db, .. } = &world().await;
    for _ in 0..2 {
        let ann = || db.user().find_unique(user::id.eq(1));
        let rows = ann().include(user::articles.order_by(article::id.asc())).or_err().await.expect("is found");
        assert_eq!(ids!(rows.articles), [1, 2]);
        let hidden = user::articles.unscoped(article::scope::published).order_by(article::id.asc());
        assert_eq!(ids!(ann().include(hidden).or_err().await.expect("is found").articles), [1, 2, 3]);
        let counts = ann().select((user::articles.count(), user::articles.unscoped(article::scope::published).count()));
        assert_eq!(counts.or_err().await.expect("are counted"), (2, 3));
        let hidden = db.user().count().filter(user::articles.some(article::id.eq(3)));
        assert_eq!(hidden.await.expect("is counted"), 0);

        // A required relation leads to its row.
        let remarks = db.remark().find_many().order_by(remark::id.asc()).include(remark::article).await;
        assert_eq!(remarks.expect("are read").iter().map(|row| row.article.id).collect::<Vec<_>>(), [1, 3, 5]);
        let of_hidden = db.remark().count().filter(remark::article.is(article::public.eq(false)));
        assert_eq!(of_hidden.await.expect("is counted"), 2);

        // 3 is the parent of 7, and outside a scope: the path is interrupted.
        let seventh = || db.article().find_unique(article::id.eq(7));
        let path = seventh().include(article::parent.ancestors()).or_err().await.expect("is found");
        assert_eq!(ids!(path.parent), [0_i32; 0]);
        let path = seventh().include(article::parent.ancestors().unscoped(article::scope::published));
        assert_eq!(ids!(path.or_err().await.expect("is found").parent), [3, 1]);
    }
}

#[tokio::test]
async fn writes_change_no_row_outside_the_scopes() {
    let world = world().await;
    let db = &world.db;
    let untouched = "SELECT id FROM \"Article\" WHERE words = 99 ORDER BY id";
    let set = || article::words.to(99);
    assert!(matches!(db.article().update(article::id.eq(3)).set(set()).await, Err(Error::NotFound { .. })));
    assert!(matches!(db.article().delete(article::id.eq(3)).await, Err(Error::NotFound { .. })));
    assert_eq!(db.article().update_many().all_rows().set(set()).await.expect("are updated"), 3);
    assert_eq!(world.numbers(untouched).await, [1, 2, 7]);
    let hidden = db.article().update(article::id.eq(3)).unscoped(article::scope::published).set(set()).await;
    assert_eq!(hidden.expect("is updated").id, 3);
    let row = article::Create { id: 3, slug: "three".to_owned() };
    let upsert = db.article().upsert(article::id.eq(3), row).set(article::words.to(1));
    assert!(matches!(upsert.await, Err(Error::NotFound { .. })));
    let rows =
        [article::Create { id: 3, slug: "three".to_owned() }, article::Create { id: 8, slug: "eight".to_owned() }];
    let upserts = db.article().upsert_many(rows).on(article::id).update(article::slug);
    assert!(matches!(upserts.await, Err(Error::NotFound { .. })));

    // A new row may be outside its scopes. A write returns the row that it wrote.
    let row = article::Create { id: 9, slug: "nine".to_owned() }.set(article::public.to(false));
    assert!(!db.article().create(row).await.expect("is created").public);
    let leaves = db.article().update(article::id.eq(1)).set(article::public.to(false)).await.expect("is updated");
    assert!(!leaves.public);
    assert!(db.article().find_unique(article::id.eq(1)).await.expect("is read").is_none());

    let gone = db.article().delete_many().unscoped(article::scope::published).all_rows().await.expect("are deleted");
    assert_eq!(gone, 4, "1, 2, 3 and 7, not the unreadable ones");
    assert_eq!(world.deleted("Article").await, [1, 2, 3, 6, 7]);
}
