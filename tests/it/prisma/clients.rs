//! The client itself: connections, transactions, raw SQL, logs, extensions.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use plain_planner::{Client, Error, Isolation, Student, Transaction, queries, student, user};
use relata::uuid::Uuid;
use relata::{DatePart, Delegate, FromRawRow, Hooks, IntentKind, List, RawRow, params};

use super::Given;

#[tokio::test]
async fn connect() {
    let db = Given::new().await;
    let second = Client::connect(db.fixture.database.url()).await;
    assert_eq!(second.expect("connects").student().count().await.expect("counts"), 2);
}

#[tokio::test]
async fn disconnect() {
    let db = Given::new().await;
    db.close();
    assert!(db.student().count().await.is_err(), "a closed client gives no connection");
}

#[tokio::test]
async fn client_options() {
    let db = Given::new().await;
    let url = db.fixture.database.url();
    let client: Client = Client::builder(url)
        .expect("is a URL")
        .max_connections(1)
        .acquire_timeout(Duration::from_millis(50))
        .connect_timeout(Duration::from_secs(5))
        .connect()
        .await
        .expect("connects");
    let held = client.begin().await.expect("begins");
    assert!(matches!(client.student().count().await, Err(Error::PoolTimeout { max_size: 1, .. })));
    held.rollback().await.expect("rolls back");
}

#[tokio::test]
async fn transaction_of_a_list() {
    let db = Given::new().await;
    let move_on = db.student().update_many().all_rows().set(student::class_year.increment(1));
    let (changed, years) =
        db.batch((move_on, db.student().find_many().select(student::class_year))).await.expect("runs");
    assert_eq!((changed, years.iter().sum::<i32>()), (2, 2027 + 2028));
}

#[tokio::test]
async fn interactive_transaction() {
    let db = Given::new().await;
    let refused: Result<(), Error> = db
        .transaction(|tx| async move {
            tx.student().delete_many().all_rows().await?;
            Err(Error::custom("changed my mind"))
        })
        .await;
    assert!(refused.is_err());
    assert_eq!(db.student().count().await.expect("counts"), 2, "an error rolls back");
    let tx = db.begin().await.expect("begins");
    tx.student().delete(student::id.eq(db.bob.id)).await.expect("is deleted");
    tx.commit().await.expect("commits");
    assert_eq!(db.student().count().await.expect("counts"), 1);
}

#[tokio::test]
async fn transaction_options() {
    let db = Given::new().await;
    let level = |tx: Transaction| async move {
        tx.query_raw::<(String,)>("SELECT current_setting('transaction_isolation')", params![]).await
    };
    let level =
        db.retrying(3).transaction(level).isolation(Isolation::Serializable).timeout(Duration::from_secs(5)).await;
    assert_eq!(level.expect("runs"), [("serializable".to_owned(),)]);
}

#[tokio::test]
async fn query_raw() {
    let db = Given::new().await;
    let sql = "SELECT class_year, id FROM students WHERE class_year > $1";
    let rows: Vec<(i32, Uuid)> = db.query_raw(sql, params![2026]).await.expect("is read");
    assert_eq!(rows, [(2027, db.bob.id)]);
}

struct Year {
    class_year: i32,
    students: i64,
}

impl FromRawRow for Year {
    fn from_raw(row: &RawRow<'_>) -> relata::Result<Self> {
        Ok(Self { class_year: row.get_named("class_year")?, students: row.get_named("students")? })
    }
}

#[tokio::test]
async fn query_raw_into_a_type() {
    let db = Given::new().await;
    let sql = "SELECT count(*) AS students, class_year FROM students GROUP BY class_year ORDER BY class_year";
    let years: Vec<Year> = db.query_raw(sql, params![]).await.expect("is read");
    assert_eq!(years.iter().map(|year| (year.class_year, year.students)).collect::<Vec<_>>(), [(2026, 1), (2027, 1)]);
}

#[tokio::test]
async fn query_raw_typed() {
    let db = Given::new().await;
    let tenant = db.institution().find_first().or_err().await.expect("is read").id;
    let students: Vec<Student> = db.query(queries::students_of(tenant, 2026)).await.expect("is read");
    assert_eq!(students.iter().map(|student| student.class_year).collect::<Vec<_>>(), [2026]);
    let standings: Vec<queries::Standings> = db.query(queries::standings(tenant)).await.expect("is read");
    assert_eq!(standings.len(), 2);
}

#[tokio::test]
async fn query_raw_unsafe() {
    let db = Given::new().await;
    // The SQL text belongs to the program; a visitor's input is always a parameter, also here.
    let column = ["class_year", "created_at"][0];
    let sql = format!("SELECT count(*) FROM students WHERE {column} = $1");
    assert_eq!(db.query_raw::<(i64,)>(&sql, params![2026]).await.expect("is read"), [(1,)]);
}

#[tokio::test]
async fn execute_raw() {
    let db = Given::new().await;
    let changed = db.execute_raw("UPDATE students SET class_year = class_year + $1", params![1]).await;
    assert_eq!(changed.expect("is updated"), 2);
}

#[tokio::test]
async fn raw_helpers() {
    let db = Given::new().await;
    let ids = List(vec![db.ada.id, Uuid::nil()]);
    let sql = "SELECT class_year FROM students WHERE id = ANY($1) AND ($2::text IS NULL OR id::text = $2)";
    let years = db.query_raw::<(i32,)>(sql, params![ids, None::<String>]).await;
    assert_eq!(years.expect("is read"), [(2026,)]);
}

#[tokio::test]
async fn on_query() {
    let db = Given::new().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let logged = db.with_hooks(Hooks::new().after(move |intent, report| {
        let line = format!("{:?} {:?} {}", intent.kind, intent.model, report.outcome.is_ok());
        log.lock().expect("nobody panicked").push(line);
    }));
    logged.student().find_many().await.expect("is read");
    assert_eq!(*seen.lock().expect("nobody panicked"), ["FindMany Some(\"Student\") true"]);
}

#[tokio::test]
async fn metrics() {
    let db = Given::new().await;
    let counted = db.counted();
    counted.student().find_many().await.expect("is read");
    let statistics = counted.statistics();
    assert_eq!((statistics.statements, statistics.rows, statistics.failures), (1, 2, 0));
    assert!(statistics.connections <= statistics.max_connections);
}

/// The counterpart of an extension's `model` and `result`: a trait for the queries of a model, and one for its rows.
trait OfAYear {
    fn of_year(self, year: i32) -> relata::FindMany<Student>;
}

impl OfAYear for Delegate<Student> {
    fn of_year(self, year: i32) -> relata::FindMany<Student> {
        self.find_many().filter(student::class_year.eq(year))
    }
}

trait Label {
    fn label(&self) -> String;
}

impl Label for Student {
    fn label(&self) -> String {
        format!("class of {}", self.class_year)
    }
}

#[tokio::test]
async fn extends_model() {
    let db = Given::new().await;
    assert_eq!(db.student().of_year(2026).await.expect("is read"), vec![db.ada.clone()]);
}

#[tokio::test]
async fn extends_result() {
    let db = Given::new().await;
    assert_eq!(db.ada.label(), "class of 2026");
    let with_user = db.student().find_unique(student::id.eq(db.bob.id)).include(student::user).or_err().await;
    assert_eq!(with_user.expect("is there").label(), "class of 2027", "with relations, too");
}

#[tokio::test]
async fn extends_query() {
    let db = Given::new().await;
    let guarded = db.with_hooks(Hooks::new().before_model::<Student>(|intent| match intent.kind {
        IntentKind::DeleteMany => Err(Error::custom("students are kept")),
        _ => Ok(()),
    }));
    let refused = guarded.student().delete_many().all_rows().await.expect_err("is refused");
    assert_eq!(refused.to_string(), "students are kept");
    assert_eq!(guarded.student().count().await.expect("counts"), 2);
}

#[tokio::test]
async fn extends_client() {
    async fn of_email(db: &Client, email: &str) -> relata::Result<Vec<Student>> {
        db.student().find_many().filter(student::user.is(user::email.eq(email))).await
    }
    let db = Given::new().await;
    assert_eq!(of_email(&db, "bob@x.edu").await.expect("is read"), vec![db.bob.clone()]);
}

/// The tests of replicas, `tests/it/replicas`, have real ones. Here both servers are the same, which is no standby, so the
/// primary serves all.
#[tokio::test]
async fn read_replicas() {
    let db = Given::new().await;
    let url = db.fixture.database.url();
    let two: Client = Client::builder(url).expect("is a URL").replica(url).connect().await.expect("connects");
    let reason = two.statistics().servers[1].left_out.clone();
    assert!(reason.is_some_and(|reason| reason.contains("it is not a standby")));
    for db in [two.clone(), two.primary(), db.fixture.db.replica()] {
        let years = db.student().find_many().order_by(student::class_year.asc()).select(student::class_year);
        assert_eq!(years.await.expect("is read"), [2026, 2027]);
    }
    let refused = two.replica().student().delete_many().all_rows().await;
    assert!(matches!(refused, Err(Error::Misuse(_))), "{refused:?}");
}

#[tokio::test]
async fn soft_delete_by_an_extension() {
    use crate::soft_delete::client::post;

    let world = crate::soft_delete::World::new().await;
    let db = &world.db;
    let post = db.post().delete(post::id.eq(1)).await.expect("is deleted");
    assert!(post.deleted_at.is_some());
    assert_eq!(db.post().find_unique(post::id.eq(1)).await.expect("is read"), None);
    let found = db.post().find_unique(post::id.eq(1)).with_deleted().await.expect("is read");
    assert_eq!(found, Some(post));
    let back = db.post().restore(post::id.eq(1)).await.expect("is restored");
    assert_eq!(back.deleted_at, None);
    db.post().hard_delete(post::id.eq(1)).await.expect("is removed");
    assert_eq!(db.post().find_unique(post::id.eq(1)).with_deleted().await.expect("is read"), None);
}

#[tokio::test]
async fn scope_by_an_extension() {
    use crate::soft_delete::client::article;

    let world = crate::soft_delete::World::new().await;
    let db = &world.db;
    let row = article::Create { id: 1, slug: "draft".to_owned() };
    db.article().create(row.set([article::public.to(false), article::words.to(1)])).await.expect("is created");
    assert_eq!(db.article().count().await.expect("is counted"), 0);
    assert_eq!(db.article().count().unscoped(article::scope::published).await.expect("is counted"), 1);
}

#[tokio::test]
async fn include_of_every_level() {
    use crate::soft_delete::client::comment;

    let world = crate::soft_delete::World::new().await;
    let db = &world.db;
    let reply = |id: i32, parent: i32| comment::Create { id, post: 1 }.set(comment::parent_id.to(parent));
    db.comment().create_many([reply(10, 1), reply(11, 10), reply(12, 11)]).await.expect("are created");
    let replies = comment::replies.descendants().order_by(comment::id.desc());
    let thread = db.comment().find_unique(comment::id.eq(1)).include(replies).or_err().await.expect("is found");
    assert_eq!(thread.replies[0].rows().map(|comment| comment.id).collect::<Vec<_>>(), [10, 11, 12]);
    let last = db.comment().find_unique(comment::id.eq(12)).include(comment::parent.ancestors());
    let above: Vec<_> = last.or_err().await.expect("is found").parent.iter().map(|comment| comment.id).collect();
    assert_eq!(above, [11, 10, 1]);
}

#[tokio::test]
async fn audit_by_an_extension() {
    use crate::audit::client::student;

    let (db, _database) = crate::audit::client().await;
    db.acting_as("user:1").student().create(crate::audit::row(1)).await.expect("is created");
    db.student().update(student::id.eq(1)).set([student::name.to("Ada")]).await.expect("is updated");
    let history = db.audit().of(student::id.eq(1)).await.expect("is read");
    assert_eq!(history.iter().map(|change| change.actor.as_deref()).collect::<Vec<_>>(), [None, Some("user:1")]);
    assert_eq!(history[0].after(student::name).expect("is text"), Some("Ada".to_owned()));
}

#[tokio::test]
async fn conditions_of_the_server() {
    let db = Given::new().await;
    let here = student::created_at.lte(relata::now()) & student::created_at.date_part(DatePart::Year).gte(2026);
    assert_eq!(db.student().count().filter(here).await.expect("counts"), 2);
    let even = relata::Filter::<Student>::sql("{} % {} = 0", (student::class_year, 2));
    let years = db.student().find_many().filter(even).select(student::class_year).await.expect("are read");
    assert_eq!(years, [2026]);
    let found = db.user().find_many().filter(user::email.upper().eq("ADA@X.EDU")).await.expect("are read");
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn explain_of_a_call() {
    let db = Given::new().await;
    let plan = db.student().find_many().filter(student::class_year.gte(2027)).explain().await.expect("is explained");
    assert!(plan.to_string().contains("students"), "{plan}");
}
