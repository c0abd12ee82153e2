//! How many statements and round trips each shape of a query takes, counted on the wire.

/// Runs each query twice, and counts the second run, when its statements are prepared.
macro_rules! costs {
    ($tap:expr, $db:expr; $($what:literal = $statements:literal in $round_trips:tt: |$client:ident| $query:expr;)+) => {
        let (tap, mut wrong): (&crate::support::wiretap::Wiretap, Vec<String>) = (&$tap, Vec::new());
        $(
            let cost: crate::support::wiretap::Traffic = {
                let $client = &$db;
                $query.await.expect($what);
                tap.take();
                $query.await.expect($what);
                tap.take()
            };
            if cost != super::traffic($statements, $round_trips) {
                wrong.push(format!("{}: {} in {}", $what, cost.statements, cost.round_trips));
            }
        )+
        assert!(wrong.is_empty(), "otherwise than in the table:\n{}", wrong.join("\n"));
    };
}

mod bulk;
mod shapes;

use chrono::Utc;
use plain_planner::{Client, Role, exam_type, institution, session, student, student_exam, user};
use relata::uuid::Uuid;

use crate::support::Fixture;
use crate::support::wiretap::{Traffic, Wiretap};

/// A client whose traffic is counted, with a few rows; none if the server accepts only one connection.
struct Counted {
    fixture: Fixture,
    tap: Wiretap,
    db: Client,
    tenant: Uuid,
    student: Uuid,
}

async fn counted() -> Counted {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await.id;
    let types = [fixture.exam_type(tenant, "A").await.id, fixture.exam_type(tenant, "B").await.id];
    let mut student = Uuid::nil();
    for email in ["a@x.edu", "b@x.edu", "c@x.edu"] {
        student = fixture.student(tenant, email, 2027).await.id;
        for exam_type in types {
            fixture.db.student_exam().create(student_exam::Create { student, exam_type }).await.expect("is created");
        }
    }
    let (tap, url) = tapped(fixture.database.url()).await;
    let db = Client::builder(&url).expect("is a URL").max_connections(1).connect().await.expect("connects");
    Counted { fixture, tap, db, tenant, student }
}

/// A proxy in front of the server, and a URL that leads through it.
async fn tapped(url: &str) -> (Wiretap, String) {
    let (url, tap) = Wiretap::before(url).await;
    (tap, url)
}

impl Counted {
    /// Returns the traffic of a call whose statements are already prepared.
    async fn count<Q: IntoFuture<Output = relata::Result<T>>, T>(&self, query: impl Fn(&Client) -> Q) -> Traffic {
        query(&self.db).await.expect("prepares and runs");
        self.tap.take();
        query(&self.db).await.expect("runs");
        self.tap.take()
    }
}

fn traffic(statements: usize, round_trips: usize) -> Traffic {
    Traffic { statements, round_trips }
}

#[tokio::test]
async fn reads_take_one_statement_per_separate_relation_and_level() {
    if crate::support::devdb().skips_behind_pooler(&[crate::support::Need::Pipeline]) {
        return;
    }
    let counted = counted().await;
    let id = counted.student;
    let by_key = counted.count(|db| db.student().find_unique(student::id.eq(id))).await;
    assert_eq!(by_key, traffic(1, 1), "by key");

    let to_one = counted
        .count(|db| db.student().find_unique(student::id.eq(id)).include(student::user).include(student::institution))
        .await;
    assert_eq!(to_one, traffic(1, 1), "to-one relations of one row are joined");

    let to_many = counted
        .count(|db| db.student().find_unique(student::id.eq(id)).include(student::user).include(student::exams.take(1)))
        .await;
    assert_eq!(to_many, traffic(2, 1), "the children go out with the parent, whose key is known");

    let nested = counted
        .count(|db| {
            db.student().find_unique(student::id.eq(id)).include(student::exams.include(student_exam::exam_type))
        })
        .await;
    assert_eq!(nested, traffic(3, 2), "the exam types follow the exams");

    let first =
        counted.count(|db| db.student().find_first().order_by(student::class_year.asc()).include(student::exams)).await;
    assert_eq!(first, traffic(2, 2), "the key is known only after the first statement");

    let many = counted
        .count(|db| {
            db.student()
                .find_many()
                .include(student::user)
                .include(student::institution)
                .include(student::exams.include(student_exam::exam_type))
        })
        .await;
    assert_eq!(many, traffic(5, 3), "siblings are pipelined");

    let paged = counted
        .count(|db| db.student().find_many().include(student::exams.order_by(student_exam::id.asc()).take(1)))
        .await;
    assert_eq!(paged, traffic(2, 2), "a page per row is one statement for all rows");

    let aggregated =
        counted.count(|db| db.student_exam().aggregate((student_exam::score.avg(), relata::count())).take(3)).await;
    assert_eq!(aggregated, traffic(1, 1), "aggregate");
    let grouped = counted
        .count(|db| {
            let groups = db.student().group_by(student::class_year).aggregate(relata::count());
            groups.having(relata::count().gt(1)).order_by(relata::count().desc()).take(1)
        })
        .await;
    assert_eq!(grouped, traffic(1, 1), "group_by");
    let exists = counted.count(|db| db.student().exists().filter(student::class_year.eq(2027))).await;
    assert_eq!(exists, traffic(1, 1), "exists");
    let last = counted
        .count(|db| db.student().find_many().order_by(student::user.order(user::email.asc())).take_last(2))
        .await;
    assert_eq!(last, traffic(1, 1), "the last rows, in the order of a relation");
    let cursor = counted
        .count(|db| db.student().find_many().order_by(student::exams.count().desc()).cursor(student::id.eq(id)).skip(1))
        .await;
    assert_eq!(cursor, traffic(1, 1), "the cursor's row is looked up in the same statement");
    let page = counted.count(|db| db.student().find_many().take(2).page_after(None)).await;
    assert_eq!(page, traffic(1, 1), "a page knows whether another follows");
    let distinct = counted.count(|db| db.student().find_many().distinct(student::class_year)).await;
    assert_eq!(distinct, traffic(1, 1), "distinct");
    let distinct_children = counted
        .count(|db| db.student().find_many().include(student::exams.distinct(student_exam::score).take_last(1)))
        .await;
    assert_eq!(distinct_children, traffic(2, 2), "distinct and last rows per row are one statement for all rows");

    let selected = counted
        .count(|db| {
            db.student().find_many().select((student::id, student::user.select(user::email), student::exams.count()))
        })
        .await;
    assert_eq!(selected, traffic(1, 1), "selected to-one values and counts come along");

    let filtered = counted
        .count(|db| db.student().find_many().filter(student::user.is(user::role.in_([Role::Student, Role::Admin]))))
        .await;
    assert_eq!(filtered, traffic(1, 1), "relation filters and enums take no look-up");
    let none =
        counted.count(|db| db.student().find_many().filter(student::class_year.eq(1)).include(student::exams)).await;
    assert_eq!(none, traffic(1, 1), "no parents, no question for children");
}

#[tokio::test]
async fn writes_take_one_statement_each() {
    let counted = counted().await;
    let tenant = counted.tenant;
    let created = counted
        .count(|db| {
            let slug = Uuid::new_v4().to_string();
            db.institution().create(institution::Create { name: slug.clone(), slug })
        })
        .await;
    assert_eq!(created, traffic(1, 1), "create");
    let updated = counted
        .count(|db| {
            db.user().update(user::institution_id_email.eq(tenant, "a@x.edu")).set(user::role.to(Role::Faculty))
        })
        .await;
    assert_eq!(updated, traffic(1, 1), "update");
    let upserted = counted
        .count(|db| {
            let row = exam_type::Create {
                institution: tenant,
                code: "A".to_owned(),
                name: "A".to_owned(),
                default_weight: 1.0,
            };
            db.exam_type().upsert(exam_type::institution_id_code.eq(tenant, "A"), row).set(exam_type::name.to("B"))
        })
        .await;
    assert_eq!(upserted, traffic(1, 1), "upsert");
    let looked_up = counted
        .count(|db| {
            let user = user::institution_id_email.eq(tenant, "a@x.edu");
            db.session().create(session::Create { user, expires_at: Utc::now() })
        })
        .await;
    assert_eq!(looked_up, traffic(1, 1), "a key of the parent is looked up in the same statement");
    let deleted = counted.count(|db| db.session().delete_many().filter(session::expires_at.lt(Utc::now()))).await;
    assert_eq!(deleted, traffic(1, 1), "delete_many");
    let user = counted.fixture.user(tenant, "many@x.edu").await.id;
    let many = counted
        .count(|db| db.session().create_many((0..500).map(|_| session::Create { user, expires_at: Utc::now() })))
        .await;
    assert_eq!(many, traffic(1, 1), "500 rows are one statement");
}

#[tokio::test]
async fn returning_relations_from_a_write_takes_few_statements() {
    let counted = counted().await;
    let (tenant, id) = (counted.tenant, counted.student);
    let key = move || student::id.eq(id);
    let change = move |db: &Client| db.student().update(key()).set(student::class_year.increment(1));
    let to_one = counted.count(|db| change(db).include(student::user.include(user::institution))).await;
    assert_eq!(to_one, traffic(1, 1), "rows that are pointed at are joined to the writing statement");
    let values = counted.count(|db| change(db).select((student::class_year, student::user.select(user::email)))).await;
    assert_eq!(values, traffic(1, 1), "so are their values");
    let to_many = counted.count(|db| change(db).include(student::user).include(student::exams)).await;
    assert_eq!(to_many, traffic(4, 4), "BEGIN, the change, the exams, COMMIT");
    let number = std::sync::atomic::AtomicU32::new(0);
    let code = || format!("C{}", number.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    let row = || exam_type::Create { institution: tenant, code: code(), name: String::new(), default_weight: 1.0 };
    let created = counted.count(|db| db.exam_type().create(row()).include(exam_type::institution)).await;
    assert_eq!(created, traffic(1, 1));
    let upserted = counted
        .count(|db| {
            let row = row();
            let key = exam_type::institution_id_code.eq(tenant, row.code.as_str());
            db.exam_type().upsert(key, row).include(exam_type::institution)
        })
        .await;
    assert_eq!(upserted, traffic(1, 1));
    let row = || session::Create { user: user::institution_id_email.eq(tenant, "a@x.edu"), expires_at: Utc::now() };
    let made = counted.count(|db| db.session().create(row()).include(session::user)).await;
    assert_eq!(made, traffic(1, 1), "looked up, inserted and joined");
    let mut sessions = counted.fixture.db.session().find_many().await.expect("is read").into_iter();
    let mut next = || session::id.eq(sessions.next().expect("there are two").id);
    counted.db.session().delete(next()).include(session::user).await.expect("prepares and runs");
    counted.tap.take();
    counted.db.session().delete(next()).include(session::user).await.expect("runs");
    assert_eq!(counted.tap.take(), traffic(1, 1), "deleted and joined");
}

#[tokio::test]
async fn related_statements_are_one_transaction() {
    if crate::support::devdb().skips_behind_pooler(&[crate::support::Need::Pipeline]) {
        return;
    }
    let counted = counted().await;
    let tenant = counted.tenant;
    let tree = counted
        .count(|db| {
            let email = format!("{}@x.edu", Uuid::new_v4());
            let row = user::Create { institution: tenant, email, password_hash: String::new(), role: Role::Student };
            let sessions = (0..3).map(|_| session::Create { user: plain_planner::Parent, expires_at: Utc::now() });
            db.user().create(row).with(user::sessions.create_many(sessions))
        })
        .await;
    assert_eq!(tree, traffic(4, 4), "BEGIN, the user, all sessions, COMMIT");
    let batch =
        counted.count(|db| db.batch((db.user().count(), db.exam_type().find_many(), db.session().count()))).await;
    assert_eq!(batch, traffic(5, 1), "BEGIN, three queries and COMMIT go out together");
    let transaction = counted.count(|db| db.transaction(|tx| async move { tx.user().count().await })).await;
    assert_eq!(transaction, traffic(3, 3), "BEGIN, the query, COMMIT");
}
