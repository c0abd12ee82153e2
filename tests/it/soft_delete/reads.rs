//! Reads: each call leaves deleted rows out, at every table of its statements.

use relata::count;

use super::client::{self, comment, membership, note, post, profile, session, tag, team, user};
use super::{World, ids};
use crate::support::connect;

#[tokio::test]
async fn every_kind_of_read_leaves_deleted_rows_out() {
    let World { db, .. } = &World::new().await;
    // Twice, so that the second one uses the statement that the first one prepared.
    for _ in 0..2 {
        assert_eq!(db.user().find_unique(user::id.eq(2)).await.expect("is read"), None);
        assert_eq!(ids!(db.user().find_unique(user::id.eq(2)).with_deleted().await.expect("is read")), [2]);
        assert_eq!(db.user().find_unique(user::id.eq(1)).only_deleted().await.expect("is read"), None);
        assert_eq!(ids!(db.user().find_unique(user::id.eq(1)).await.expect("is read")), [1]);
        let first = || db.user().find_first().order_by(user::id.desc());
        assert_eq!(ids!(first().await.expect("is read")), [4]);
        assert_eq!(ids!(first().with_deleted().await.expect("is read")), [5]);
        let many = || db.user().find_many().order_by(user::id.asc());
        assert_eq!(ids!(many().await.expect("are read")), [1, 3, 4]);
        assert_eq!(ids!(many().with_deleted().await.expect("are read")), [1, 2, 3, 4, 5]);
        assert_eq!(ids!(many().only_deleted().await.expect("are read")), [2, 5]);
        let either = || many().filter(user::id.eq(1) | user::id.eq(2));
        assert_eq!(ids!(either().await.expect("are read")), [1]);
        assert_eq!(ids!(either().with_deleted().await.expect("are read")), [1, 2]);
        assert_eq!(ids!(either().only_deleted().filter(user::id.gt(0)).await.expect("are read")), [2]);
        let count = || db.user().count();
        assert_eq!(count().await.expect("is counted"), 3);
        assert_eq!(count().with_deleted().await.expect("is counted"), 5);
        assert_eq!(count().filter(user::id.gt(1)).only_deleted().await.expect("is counted"), 2);
        let exists = || db.user().exists().filter(user::id.eq(2));
        assert!(!exists().await.expect("is read"));
        assert!(exists().with_deleted().await.expect("is read"));
    }
    // The last of `with_deleted` and `only_deleted` counts.
    assert_eq!(db.user().count().only_deleted().with_deleted().await.expect("is counted"), 5);
    assert_eq!(db.user().count().with_deleted().only_deleted().await.expect("is counted"), 2);
}

#[tokio::test]
async fn every_shape_of_a_read_leaves_deleted_rows_out() {
    let World { db, .. } = &World::new().await;
    let many = || db.user().find_many().order_by(user::id.asc());
    assert_eq!(ids!(many().take(2).await.expect("are read")), [1, 3]);
    assert_eq!(ids!(many().skip(1).await.expect("are read")), [3, 4]);
    assert_eq!(ids!(many().take_last(2).await.expect("are read")), [3, 4]);
    assert_eq!(ids!(many().take_last(2).with_deleted().await.expect("are read")), [4, 5]);
    assert_eq!(ids!(many().distinct(user::team_id).await.expect("are read")), [1, 3]);
    // Without Ann, Bob would be the first of his team.
    let others = || many().filter(user::id.gt(1)).distinct(user::team_id);
    assert_eq!(ids!(others().await.expect("are read")), [3, 4]);
    assert_eq!(ids!(others().with_deleted().await.expect("are read")), [2, 3]);
    // A deleted row is no cursor.
    assert_eq!(ids!(many().cursor(user::id.eq(3)).await.expect("are read")), [3, 4]);
    assert!(many().cursor(user::id.eq(2)).await.expect("are read").is_empty());
    assert_eq!(ids!(many().cursor(user::id.eq(2)).with_deleted().await.expect("are read")), [2, 3, 4, 5]);
    // A page continues after a row that was deleted in the meantime.
    let first = many().take(1).page_after(None).await.expect("is read");
    assert_eq!(ids!(first.rows), [1]);
    let second = many().take(1).page_after(first.next).await.expect("is read");
    assert_eq!(ids!(second.rows), [3]);
    db.user().delete(user::id.eq(3)).await.expect("is deleted");
    let third = many().take(1).page_after(second.next).await.expect("is read");
    assert_eq!((ids!(third.rows), third.next.is_none()), (vec![4], true));
    let back = many().take(5).page_before(None).await.expect("is read");
    assert_eq!(ids!(back.rows), [1, 4]);
    let mut stream = many().stream();
    let mut streamed = Vec::new();
    while let Some(user) = stream.next().await {
        streamed.push(user.expect("is read").id);
    }
    assert_eq!(streamed, [1, 4]);
    assert_eq!(many().select(user::email).await.expect("are read"), ["ann", "dan"]);
    let tx = db.begin().await.expect("begins");
    let locked = tx.user().find_many().order_by(user::id.asc()).for_update().await.expect("are read");
    assert_eq!(ids!(locked), [1, 4]);
    tx.commit().await.expect("commits");
}

#[tokio::test]
async fn calculations_leave_deleted_rows_out() {
    let World { db, .. } = &World::new().await;
    let sum = || db.post().aggregate((post::views.sum(), count()));
    assert_eq!(sum().await.expect("is calculated"), (50, 2));
    assert_eq!(sum().with_deleted().await.expect("is calculated"), (150, 4));
    assert_eq!(sum().only_deleted().await.expect("is calculated"), (100, 2));
    assert_eq!(sum().order_by(post::id.desc()).take(1).await.expect("is calculated"), (40, 1));
    assert_eq!(sum().order_by(post::id.desc()).take(1).with_deleted().await.expect("is calculated"), (80, 1));
    let by_author = || db.post().group_by(post::author_id).aggregate(count()).order_by(post::author_id.asc());
    assert_eq!(by_author().await.expect("are grouped"), [(1, 1), (2, 1)]);
    assert_eq!(by_author().with_deleted().await.expect("are grouped"), [(1, 2), (2, 1), (4, 1)]);
    assert_eq!(by_author().only_deleted().await.expect("are grouped"), [(1, 1), (4, 1)]);
}

#[tokio::test]
async fn included_rows_are_not_deleted() {
    let World { db, .. } = &World::new().await;
    let users = db
        .user()
        .find_many()
        .order_by(user::id.asc())
        .include(user::team)
        .include(user::manager)
        .include(user::profile)
        .include(user::reports)
        .include(
            user::posts
                .include(post::comments.include(comment::parent).order_by(comment::id.asc()))
                .include(post::tags),
        )
        .include(user::members)
        .await
        .expect("are read");
    assert_eq!(ids!(users), [1, 3, 4]);
    let [ann, cid, dan] = users.as_slice() else { panic!("three users") };
    assert_eq!((ids!(ann.team), ids!(cid.team), ids!(dan.team)), (vec![1], vec![], vec![1]));
    assert_eq!((ids!(ann.manager), ids!(cid.manager), ids!(dan.manager)), (vec![], vec![], vec![1]));
    assert_eq!((ids!(ann.profile), ids!(dan.profile)), (vec![1], vec![]));
    assert_eq!(ids!(ann.reports), [4]);
    assert_eq!((ids!(ann.posts), ids!(dan.posts)), (vec![1], vec![]));
    assert_eq!(ids!(ann.posts[0].comments), [1, 3]);
    assert!(ann.posts[0].comments.iter().all(|comment| comment.parent.is_none()), "the parent of 3 is deleted");
    assert_eq!(ids!(ann.posts[0].tags), [1]);
    assert_eq!(ann.members.len(), 1);

    // The same of one row, whose to-one relations are joined.
    let cid = db.user().find_unique(user::id.eq(3)).include(user::team).include(user::manager.include(user::team));
    let cid = cid.or_err().await.expect("is read");
    assert_eq!((ids!(cid.team), cid.manager.is_none()), (vec![], true));
    let ann = db.user().find_unique(user::id.eq(1)).include(user::profile).include(user::posts.take(5));
    let ann = ann.or_err().await.expect("is read");
    assert_eq!((ids!(ann.profile), ids!(ann.posts)), (vec![1], vec![1]));
    let both = db.user().find_many().order_by(user::id.asc()).include(user::posts.take(5)).await.expect("are read");
    assert_eq!(both.iter().map(|user| ids!(user.posts)).collect::<Vec<_>>(), [vec![1], vec![], vec![]]);
    // From a model without `@softDelete`.
    let notes = db.note().find_many().order_by(note::id.asc()).include(note::user).include(note::tags);
    let notes = notes.await.expect("are read");
    assert_eq!(notes.iter().map(|note| ids!(note.user)).collect::<Vec<_>>(), [vec![1], vec![], vec![]]);
    assert_eq!(notes.iter().map(|note| ids!(note.tags)).collect::<Vec<_>>(), [vec![1], vec![3], vec![]]);
    let selected = db.note().find_many().order_by(note::id.asc()).select(note::user.select(user::email));
    assert_eq!(selected.await.expect("are read"), [Some("ann".to_owned()), None, None]);
}

#[tokio::test]
async fn included_rows_are_deleted_on_request() {
    let World { db, .. } = &World::new().await;
    let ann = || db.user().find_unique(user::id.eq(1));
    for _ in 0..2 {
        let posts = ann().include(user::posts.with_deleted().order_by(post::id.asc())).or_err().await.expect("is read");
        assert_eq!(ids!(posts.posts), [1, 2]);
        let posts = ann().include(user::posts).or_err().await.expect("is read");
        assert_eq!(ids!(posts.posts), [1]);
        let posts = ann().include(user::posts.only_deleted()).or_err().await.expect("is read");
        assert_eq!(ids!(posts.posts), [2]);
        let cid = || db.user().find_unique(user::id.eq(3));
        assert_eq!(ids!(cid().include(user::team).or_err().await.expect("is read").team), [0; 0]);
        assert_eq!(ids!(cid().include(user::team.with_deleted()).or_err().await.expect("is read").team), [2]);
        assert_eq!(ids!(cid().include(user::team.only_deleted()).or_err().await.expect("is read").team), [2]);
        let all = db.post().find_many().include(post::tags.with_deleted().order_by(tag::id.asc())).await;
        assert_eq!(ids!(all.expect("are read")[0].tags), [1, 2]);
    }
    // What a call says about its own rows says nothing about others.
    let all = db.user().find_many().with_deleted().order_by(user::id.asc()).include(user::posts).await;
    assert_eq!(all.expect("are read").iter().map(|user| ids!(user.posts)).collect::<Vec<_>>()[0], [1]);
    let counts = db.user().find_unique(user::id.eq(1)).select((
        user::posts.count(),
        user::posts.with_deleted().count(),
        user::posts.only_deleted().count(),
        user::posts.filter(post::views.gt(15)).with_deleted().count(),
    ));
    assert_eq!(counts.or_err().await.expect("are counted"), (1, 2, 1, 1));
}

/// The type of a required relation has no place for a missing row.
#[tokio::test]
async fn a_required_relation_leads_to_its_row_even_if_that_is_deleted() {
    let World { db, .. } = &World::new().await;
    let posts = || db.post().find_many().order_by(post::id.asc());
    let found = posts().include(post::author.include(user::team)).await.expect("are read");
    assert_eq!(found.iter().map(|post| post.author.id).collect::<Vec<_>>(), [1, 2]);
    assert!(found[1].author.deleted_at.is_some());
    let three = db.post().find_unique(post::id.eq(3)).include(post::author).or_err().await.expect("is read");
    assert_eq!(three.author.id, 2);
    let emails = posts().select(post::author.select(user::email)).await.expect("are read");
    assert_eq!(emails, ["ann", "bob"]);
    let sessions = db.session().find_many().order_by(session::id.asc()).include(session::user).await.expect("are read");
    assert_eq!(sessions.iter().map(|session| session.user.id).collect::<Vec<_>>(), [1, 2, 1]);
    // Filters and sort keys see the same row.
    assert_eq!(ids!(posts().filter(post::author.is(user::email.eq("bob"))).await.expect("are read")), [3]);
    assert_eq!(ids!(posts().filter(post::author.is(user::deleted_at.is_null())).await.expect("are read")), [1]);
    let by_author = db.post().find_many().order_by(post::author.order(user::email.desc())).await.expect("are read");
    assert_eq!(ids!(by_author), [3, 1]);
}

#[tokio::test]
async fn filters_and_sort_keys_of_relations_see_no_deleted_row() {
    let World { db, .. } = &World::new().await;
    let users = || db.user().find_many().order_by(user::id.asc());
    let some =
        |filter: relata::Filter<user::User>| async move { ids!(users().filter(filter).await.expect("are read")) };
    assert_eq!(some(user::posts.some(post::views.gt(0))).await, [1]);
    assert_eq!(some(user::posts.some(post::title.eq("two"))).await, [0; 0]);
    assert_eq!(some(user::posts.none(post::title.eq("two"))).await, [1, 3, 4]);
    assert_eq!(some(user::posts.every(post::title.eq("one"))).await, [1, 3, 4]);
    assert_eq!(some(user::team.is_none()).await, [3]);
    assert_eq!(some(user::team.is_some()).await, [1, 4]);
    assert_eq!(some(user::team.is(team::name.eq("blue"))).await, [0; 0]);
    assert_eq!(some(user::team.is_not(team::name.eq("blue"))).await, [1, 3, 4]);
    assert_eq!(some(user::manager.is_some()).await, [4]);
    assert_eq!(some(user::profile.is_some()).await, [1]);
    assert_eq!(some(user::profile.is(profile::bio.eq("old"))).await, [0; 0]);
    assert_eq!(some(user::members.some(membership::role.ne("x"))).await, [1, 4]);
    assert_eq!(some(user::posts.some(post::comments.some(comment::parent.is_some()))).await, [0; 0]);
    assert_eq!(some(user::posts.some(post::tags.some(tag::name.eq("bad")))).await, [0; 0]);
    assert_eq!(some(user::posts.some(post::tags.some(tag::name.eq("good")))).await, [1]);
    // A filter inside a call with deleted rows.
    let with = users().with_deleted().filter(user::posts.none(post::id.gt(0))).await.expect("are read");
    assert_eq!(ids!(with), [3, 4, 5]);
    let by_posts = db.user().find_many().order_by(user::posts.count().desc()).order_by(user::id.asc());
    assert_eq!(ids!(by_posts.await.expect("are read")), [1, 3, 4]);
    // The manager of Cid is deleted, so Cid has none to be sorted by.
    let by_manager = db.user().find_many().order_by(user::manager.order(user::email.asc())).order_by(user::id.asc());
    assert_eq!(ids!(by_manager.await.expect("are read")), [4, 1, 3]);
}

#[tokio::test]
async fn trees_and_paths_leave_deleted_rows_out() {
    let World { db, database } = &World::new().await;
    let below = "INSERT INTO \"Comment\" (id, \"postId\", \"parentId\") VALUES (6, 1, 4), (7, 1, 3)";
    connect(database.url()).await.batch_execute(below).await.expect("is written");
    for _ in 0..2 {
        let replies = || comment::replies.descendants().order_by(comment::id.asc());
        let first = || db.comment().find_unique(comment::id.eq(1));
        let live = first().include(replies()).or_err().await.expect("is found");
        assert_eq!(ids!(live.replies), [5]);
        let all = first().include(replies().with_deleted()).or_err().await.expect("is found");
        assert_eq!(ids!(all.replies), [4, 5]);
        assert_eq!(ids!(all.replies[0].children), [6]);

        let above = || comment::parent.ancestors();
        let last = || db.comment().find_unique(comment::id.eq(7));
        assert_eq!(ids!(last().include(above()).or_err().await.expect("is found").parent), [3]);
        assert_eq!(ids!(last().include(above().with_deleted()).or_err().await.expect("is found").parent), [3, 2]);

        let matching = async |filter: relata::Filter<client::Comment>| {
            ids!(db.comment().find_many().filter(filter).order_by(comment::id.asc()).await.expect("are read"))
        };
        assert_eq!(matching(above().some(comment::id.eq(1))).await, [5]);
        assert_eq!(matching(above().with_deleted().some(comment::id.eq(1))).await, [5, 6]);
        assert_eq!(matching(above().some(comment::id.eq(2))).await, [0_i32; 0]);
        assert_eq!(matching(above().with_deleted().some(comment::id.eq(2))).await, [3, 7]);
        assert_eq!(matching(replies().some(comment::id.eq(6))).await, [0_i32; 0]);
        assert_eq!(matching(replies().with_deleted().some(comment::id.eq(6))).await, [1]);
    }
}
