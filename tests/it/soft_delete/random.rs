//! Random rows, some of them deleted: every answer is that of a database in which the deleted rows are gone.
//!
//! The two databases get the same rows. In one, the client deletes some of them. In the other, `hard_delete` removes
//! them, after references to them were set to null. What only one of them could answer is a row that came back.

use fastrand::Rng;
use relata::count;

use super::client::{Client, comment, note, post, profile, tag, team, user};
use super::{client_of, database};
use crate::support::connect;

const CASES: u64 = 12;
const ROWS: i32 = 12;

/// Rows in which whatever is referenced has a smaller id.
fn rows(rng: &mut Rng) -> String {
    let mut sql = String::new();
    let optional = |rng: &mut Rng, id: i32| match rng.bool() && id > 1 {
        true => rng.i32(1..id).to_string(),
        false => "NULL".to_owned(),
    };
    for id in 1..=ROWS {
        sql += &format!("INSERT INTO \"Team\" (id, name) VALUES ({id}, 'team {id}');");
        sql += &format!("INSERT INTO \"Tag\" (id, name) VALUES ({id}, 'tag {id}');");
    }
    for id in 1..=ROWS {
        let (team, manager) = (rng.i32(1..=ROWS), optional(rng, id));
        let name = rng.i32(0..3);
        sql += &format!(
            "INSERT INTO \"User\" (id, email, handle, first, last, \"teamId\", \"managerId\", \"updatedAt\") \
             VALUES ({id}, 'e{id}', 'h{id}', 'f{name}', 'l{id}', {team}, {manager}, now());"
        );
    }
    for id in 1..=ROWS * 2 {
        let (author, views) = (rng.i32(1..=ROWS), rng.i32(0..50));
        sql += &format!(
            "INSERT INTO \"Post\" (id, title, views, \"authorId\") VALUES ({id}, 't{id}', {views}, {author});"
        );
        sql += &format!("INSERT INTO \"_PostToTag\" (\"A\", \"B\") VALUES ({id}, {});", rng.i32(1..=ROWS));
        let user = optional(rng, ROWS);
        sql += &format!("INSERT INTO \"Note\" (id, text, \"userId\") VALUES ({id}, 'n{id}', {user});");
        sql += &format!("INSERT INTO \"_NoteToTag\" (\"A\", \"B\") VALUES ({id}, {});", rng.i32(1..=ROWS));
    }
    for id in 1..=ROWS * 3 {
        let (post, parent) = (rng.i32(1..=ROWS * 2), optional(rng, id));
        sql += &format!(
            "INSERT INTO \"Comment\" (id, text, \"postId\", \"parentId\") VALUES ({id}, 'c', {post}, {parent});"
        );
    }
    for id in 1..=ROWS {
        if rng.bool() {
            sql += &format!("INSERT INTO \"Profile\" (id, bio, \"userId\") VALUES ({id}, 'b{id}', {id});");
        }
    }
    sql
}

/// Rows that are deleted, by the call in the first database and in the second one.
async fn delete(rng: &mut Rng, soft: &Client, hard: &Client) -> relata::Result<()> {
    for _ in 0..rng.usize(1..12) {
        let id = rng.i32(1..=ROWS);
        match rng.usize(0..6) {
            0 => {
                soft.team().delete_many().filter(team::id.eq(id)).await?;
                let users = hard.user().update_many().filter(user::team_id.eq(id));
                users.set(user::team_id.set_null()).await?;
                hard.team().hard_delete_many().filter(team::id.eq(id)).await?;
            }
            1 => {
                // Profiles do not cascade, so they go first.
                soft.profile().delete_many().filter(profile::user_id.eq(id)).await?;
                soft.user().delete_many().filter(user::id.eq(id)).await?;
                hard.profile().hard_delete_many().filter(profile::user_id.eq(id)).await?;
                hard.user().update_many().filter(user::manager_id.eq(id)).set(user::manager_id.set_null()).await?;
                hard.note().update_many().filter(note::user_id.eq(id)).set(note::user_id.set_null()).await?;
                hard.user().hard_delete_many().filter(user::id.eq(id)).await?;
            }
            2 => {
                soft.post().delete_many().filter(post::id.gt(id) & post::views.lt(15)).await?;
                hard.post().hard_delete_many().filter(post::id.gt(id) & post::views.lt(15)).await?;
            }
            3 => {
                soft.comment().delete_many().filter(comment::id.eq(id)).await?;
                hard.comment().hard_delete_many().filter(comment::id.eq(id)).await?;
            }
            4 => {
                soft.tag().delete_many().filter(tag::id.eq(id)).await?;
                hard.tag().hard_delete_many().filter(tag::id.eq(id)).await?;
            }
            _ => {
                soft.profile().delete_many().filter(profile::id.eq(id)).await?;
                hard.profile().hard_delete_many().filter(profile::id.eq(id)).await?;
            }
        }
    }
    Ok(())
}

/// The answers to many questions, without foreign keys, which only one of the databases keeps.
async fn answers(db: &Client, number: i32) -> relata::Result<Vec<String>> {
    let mut all = Vec::new();
    macro_rules! ask {
        ($($question:expr),+ $(,)?) => { $(all.push(format!("{:?}", $question.await?));)+ };
    }
    let id = || user::id.asc();
    ask! {
        db.user().count(),
        db.user().exists().filter(user::id.eq(number)),
        db.user().find_many().order_by(id()).select((user::id, user::email)),
        db.user().find_many().order_by(id()).select((user::id, user::team.select(team::name))),
        db.user().find_many().order_by(id()).select((user::id, user::manager.select((user::email, user::team.select(team::id))))),
        db.user().find_many().order_by(id()).select((user::id, user::profile.select(profile::bio))),
        db.user().find_many().order_by(id()).select((user::id, user::posts.count(), user::reports.count(), user::notes.count())),
        db.user().find_many().order_by(id()).select(
            user::posts.order_by(post::id.asc()).select((post::id, post::comments.order_by(comment::id.asc()).select((comment::id, comment::parent.select(comment::id))))),
        ),
        db.user().find_many().order_by(id()).select(user::posts.order_by(post::id.asc()).take(2).select(post::id)),
        db.user().find_many().order_by(id()).select(user::posts.order_by(post::id.asc()).take_last(1).select(post::id)),
        db.user().find_many().order_by(user::posts.count().desc()).order_by(id()).select(user::id),
        db.user().find_many().order_by(user::team.order(team::name.asc())).order_by(id()).select(user::id),
        db.user().find_many().order_by(user::manager.order(user::email.desc())).order_by(id()).select(user::id),
        db.user().find_many().order_by(id()).filter(user::posts.some(post::views.gt(number))).select(user::id),
        db.user().find_many().order_by(id()).filter(user::posts.none(post::views.gt(number))).select(user::id),
        db.user().find_many().order_by(id()).filter(user::posts.every(post::views.gt(number))).select(user::id),
        db.user().find_many().order_by(id()).filter(user::team.is_none()).select(user::id),
        db.user().find_many().order_by(id()).filter(user::manager.is_not(user::id.gt(number))).select(user::id),
        db.user().find_many().order_by(id()).filter(user::profile.is_some() | user::reports.some(user::id.gt(number))).select(user::id),
        db.user().find_many().order_by(id()).filter(user::posts.some(post::tags.some(tag::id.gt(number)))).select(user::id),
        db.user().find_many().order_by(id()).take_last(3).select(user::id),
        db.user().find_many().order_by(id()).skip(2).take(3).select(user::id),
        db.user().find_many().order_by(id()).cursor(user::id.eq(number)).take(4).select(user::id),
        db.user().find_many().distinct(user::first).order_by(id()).select(user::id),
        db.user().find_unique(user::email.eq(format!("e{number}"))).select(user::id),
        db.user().find_unique(user::id.eq(number)).select((user::id, user::team.select(team::id), user::posts.order_by(post::id.asc()).select(post::id))),
        db.post().aggregate((post::views.sum(), post::views.max(), count())),
        db.post().aggregate((post::views.sum(), count())).order_by(post::id.asc()).skip(1).take(4),
        db.post().group_by(post::author_id).aggregate((post::views.sum(), count())).order_by(post::author_id.asc()),
        db.post().find_many().order_by(post::author.order(user::email.asc())).order_by(post::id.asc()).select((post::id, post::author.select(user::id))),
        db.post().find_many().order_by(post::id.asc()).select((post::id, post::tags.order_by(tag::id.asc()).select(tag::id), post::tags.count())),
        db.note().find_many().order_by(note::id.asc()).select((note::id, note::user.select(user::email), note::tags.order_by(tag::id.asc()).select(tag::id))),
        db.note().find_many().order_by(note::id.asc()).filter(note::user.is_none() & note::tags.some(tag::id.gt(number))).select(note::id),
        db.comment().find_many().order_by(comment::id.asc()).filter(comment::replies.none(comment::id.gt(0))).select(comment::id),
    }
    let mut pages = Vec::new();
    let mut next = None;
    loop {
        let page = db.comment().find_many().order_by(comment::post_id.asc()).take(3).page_after(next).await?;
        pages.extend(page.rows.iter().map(|row| row.id));
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    all.push(format!("{pages:?}"));
    Ok(all)
}

#[tokio::test]
async fn answers_are_those_of_a_database_without_the_deleted_rows() {
    let (one, other) = (database("schema.dsl").await, database("schema.dsl").await);
    let (soft, hard) = (client_of(&one).await, client_of(&other).await);
    let tables = "\"Team\", \"Tag\", \"User\", \"Post\", \"Note\", \"Comment\", \"Profile\"";
    for seed in 0..CASES {
        let mut rng = Rng::with_seed(seed);
        let sql = format!("TRUNCATE {tables} CASCADE; {}", rows(&mut rng));
        for database in [&one, &other] {
            connect(database.url()).await.batch_execute(&sql).await.expect("the rows are made");
        }
        delete(&mut rng, &soft, &hard).await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        for number in [2, 5, 9] {
            let (ours, theirs) = (answers(&soft, number).await, answers(&hard, number).await);
            let (ours, theirs) = (ours.expect("are read"), theirs.expect("are read"));
            for (place, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
                assert_eq!(ours, theirs, "seed {seed}, number {number}, question {place}");
            }
        }
    }
}
