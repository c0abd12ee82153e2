//! Every shape of a query in a table: its name, its statements, its round trips.
//!
//! The cost of a shape does not depend on the number of rows. BEGIN and COMMIT are counted too.

use plain_planner::{Parent, Role, exam_type, session, student, student_exam, user};
use relata::chrono::{DateTime, Utc};
use relata::{Isolation, List, count, params};

use super::{counted, tapped};
use crate::support::devdb;
use crate::wide::Fixture as Wide;
use crate::wide::client::{Client as WideClient, comment, group, note, person, sample};

fn later() -> DateTime<Utc> {
    Utc::now() + relata::chrono::TimeDelta::days(1)
}

#[tokio::test]
async fn each_shape_of_a_read_has_its_cost() {
    if crate::support::devdb().skips_behind_pooler(&[crate::support::Need::Pipeline]) {
        return;
    }
    let counted = counted().await;
    let (id, tenant) = (counted.student, counted.tenant);
    costs! { counted.tap, counted.db;
        "find_many" = 1 in 1: |db| db.student().find_many();
        "find_unique by another key" = 1 in 1: |db| db.user().find_unique(user::institution_id_email.eq(tenant, "a@x.edu"));
        "find_unique, another key, to-many" = 2 in 2: |db| {
            db.user().find_unique(user::institution_id_email.eq(tenant, "a@x.edu")).include(user::sessions)
        };
        "find_unique, two to-many" = 3 in 1: |db| {
            db.institution()
                .find_unique(plain_planner::institution::id.eq(tenant))
                .include(plain_planner::institution::users)
                .include(plain_planner::institution::students)
        };
        "find_first, to-one of to-one" = 1 in 1: |db| {
            db.student_exam().find_first().include(student_exam::student.include(student::user))
        };
        "find_many, to-one" = 2 in 2: |db| db.student().find_many().include(student::user);
        "find_many, to-one of to-one" = 3 in 3: |db| {
            db.student_exam().find_many().include(student_exam::student.include(student::user))
        };
        "find_many, three levels" = 4 in 4: |db| {
            db.institution().find_many().include(plain_planner::institution::users.include(
                user::student.include(student::exams)
            ))
        };
        "find_many, an include with every argument" = 2 in 2: |db| {
            let exams = student::exams.filter(student_exam::score.is_null()).order_by(student_exam::id.asc());
            db.student().find_many().include(exams.distinct(student_exam::exam_type_id).skip(0).take(2))
        };
        "count through a relation" = 1 in 1: |db| {
            db.student().count().filter(student::exams.every(student_exam::exam_type.is(exam_type::code.eq("A"))))
        };
        "conditions four relations deep" = 1 in 1: |db| {
            db.institution().exists().filter(plain_planner::institution::users.some(user::student.is(
                student::exams.some(student_exam::exam_type.is(exam_type::code.in_(["A", "B"])))
            )))
        };
        "orders by a relation and a count" = 1 in 1: |db| {
            let query = db.student().find_many().order_by(student::user.order(user::email.asc()));
            query.order_by(student::exams.filter(student_exam::score.is_null()).count().desc())
        };
        "take_last behind a cursor" = 1 in 1: |db| db.student().find_many().cursor(student::id.eq(id)).take_last(1);
        "page_before" = 1 in 1: |db| db.student().find_many().take(1).page_before(None);
        "a page with includes" = 2 in 2: |db| db.student().find_many().include(student::exams).take(1).page_after(None);
        "a page of values" = 1 in 1: |db| db.student().find_many().take(1).select(student::id).page_after(None);
        "select of to-one and to-one of to-one" = 1 in 1: |db| {
            db.student_exam().find_many().select(student_exam::student.select((student::id, student::user.select(user::email))))
        };
        "select of to-many" = 2 in 2: |db| db.student().find_many().select((student::id, student::exams.select(student_exam::score)));
        "select of a filtered count" = 1 in 1: |db| {
            db.student().find_many().select(student::exams.filter(student_exam::score.gt(1.0)).count())
        };
        "aggregate of chosen rows" = 1 in 1: |db| {
            db.student_exam().aggregate(count()).distinct(student_exam::student_id).cursor(student_exam::id.eq(id)).take(2)
        };
        "group_by of several" = 1 in 1: |db| {
            db.student_exam().group_by((student_exam::student_id, student_exam::exam_type_id)).aggregate(student_exam::score.max())
        };
        "query_raw" = 1 in 1: |db| {
            db.query_raw::<(i64,)>("SELECT count(*) FROM students WHERE id = ANY($1)", params![List(vec![id])])
        };
        "a batch of reads, one of them with relations" = 6 in 6: |db| {
            db.batch((db.student().count(), db.student().find_many().include(student::user), db.user().exists()))
        };
    }
}

#[tokio::test]
async fn each_shape_of_a_write_has_its_cost() {
    if crate::support::devdb().skips_behind_pooler(&[crate::support::Need::Copy, crate::support::Need::Pipeline]) {
        return;
    }
    let counted = counted().await;
    // A statement with a name is for one use if none are kept.
    let in_copy = 4 + usize::from(devdb().sends_texts());
    let (id, tenant) = (counted.student, counted.tenant);
    let user = counted.fixture.user(tenant, "writer@x.edu").await.id;
    let login = || session::Create { user, expires_at: later() };
    let exam = |code: &str| exam_type::Create {
        institution: tenant,
        code: code.to_owned(),
        name: String::new(),
        default_weight: 1.0,
    };
    costs! { counted.tap, counted.db;
        "create_many_and_return" = 1 in 1: |db| db.session().create_many_and_return((0..9).map(|_| login()));
        "create_many, skip_duplicates" = 1 in 1: |db| db.exam_type().create_many(["A", "N"].map(exam)).skip_duplicates();
        "create_many, or_none" = 1 in 1: |db| db.exam_type().create_many_and_return(["A", "O"].map(exam)).or_none();
        "upsert_many" = 1 in 1: |db| {
            db.exam_type().upsert_many(["A", "P"].map(exam)).on(exam_type::institution_id_code)
        };
        "upsert_many, and_return" = 1 in 1: |db| {
            db.exam_type().upsert_many(["A", "Q"].map(exam)).on(exam_type::institution_id_code).and_return()
        };
        "upsert_many of rows with two shapes" = 4 in 4: |db| {
            let rows = [exam("A").set([]), exam("R").set(exam_type::created_at.to(Utc::now()))];
            db.exam_type().upsert_many(rows).on(exam_type::institution_id_code)
        };
        "update_each" = 1 in 1: |db| {
            db.student().update_each([id, user].map(|id| (student::id.eq(id), student::class_year.increment(1))))
        };
        "update_each, and_return" = 1 in 1: |db| {
            let changes = [id, user].map(|id| (student::id.eq(id), student::class_year.increment(1)));
            db.student().update_each(changes).and_return()
        };
        "update_each of different columns" = 4 in 3: |db| {
            db.student().update_each([
                (student::id.eq(id), student::class_year.increment(1)),
                (student::id.eq(user), student::has_accommodations.to(true)),
            ])
        };
        "a batch of upsert_many and update_each" = 4 in 1: |db| {
            let upsert = db.exam_type().upsert_many(["A", "S"].map(exam)).on(exam_type::institution_id_code);
            db.batch((upsert, db.student().update_each([(student::id.eq(id), student::class_year.increment(1))])))
        };
        "create_many of rows with two shapes" = 4 in 4: |db| {
            let rows = [login().set(session::created_at.to(Utc::now())), login().set(session::expires_at.to(later()))];
            db.session().create_many(rows)
        };
        "copy_in" = 3 in in_copy: |db| db.session().copy_in((0..9).map(move |_| session::Create { user, expires_at: later() }));
        "update with a condition" = 1 in 1: |db| {
            let query = db.student().update(student::id.eq(id)).filter(student::user.is(user::email.contains("@")));
            query.set(student::class_year.increment(1))
        };
        "update_many" = 1 in 1: |db| db.student_exam().update_many().all_rows().set(student_exam::weight.to(1.0));
        "update_many, and_return" = 1 in 1: |db| {
            let query = db.student_exam().update_many().filter(student_exam::student_id.eq(id));
            query.set(student_exam::weight.to_default()).and_return()
        };
        "delete_many through a relation" = 1 in 1: |db| {
            db.session().delete_many().filter(session::user.is(user::email.eq("nobody")))
        };
        "execute_raw" = 1 in 1: |db| db.execute_raw("UPDATE users SET email = email WHERE id = $1", params![user]);
        "update_many, limit" = 1 in 1: |db| db.student_exam().update_many().all_rows().set(student_exam::weight.to(1.0)).limit(2);
        "delete_many, limit" = 1 in 1: |db| {
            db.session().delete_many().filter(session::user.is(user::email.eq("nobody"))).limit(1)
        };
        "create_many_and_return, select" = 1 in 1: |db| {
            db.session().create_many_and_return((0..9).map(|_| login())).select((session::id, session::expires_at))
        };
        "update_many, and_return, select of a relation" = 4 in 4: |db| {
            let query = db.student_exam().update_many().filter(student_exam::student_id.eq(id));
            query.set(student_exam::weight.to(1.0)).and_return().select(student_exam::exam_type.select(exam_type::code))
        };
        "create_many of rows that are looked up" = 3 in 3: |db| {
            let row = |_| session::Create { user: user::institution_id_email.eq(tenant, "a@x.edu"), expires_at: later() };
            db.session().create_many((0..9).map(row))
        };
        "a batch of writes that come back" = 5 in 1: |db| {
            let made = db.session().create(login()).include(session::user);
            let many = db.session().create_many_and_return((0..9).map(|_| login())).select(session::id);
            db.batch((made, many, db.session().create_many((0..9).map(|_| login()))))
        };
        "a batch in which a row may be missing" = 4 in 2: |db| {
            let change = db.student().update(student::id.eq(id)).set(student::class_year.increment(1));
            db.batch((change.select(student::class_year), db.session().create(login()).select(session::id)))
        };
        "a batch of writes" = 4 in 2: |db| {
            let change = db.student().update(student::id.eq(id)).set(student::class_year.increment(1));
            db.batch((change, db.session().delete_many().filter(session::expires_at.lt(Utc::now()))))
        };
        // BEGIN, the row that is found or created, the row, COMMIT.
        "create, or_create" = 4 in 4: |db| {
            let new = user::Create {
                institution: tenant,
                email: "either@x.edu".to_owned(),
                password_hash: String::new(),
                role: Role::Student,
            };
            let user = user::institution_id_email.eq(tenant, "either@x.edu").or_create(new);
            db.session().create(session::Create { user, expires_at: later() })
        };
        // BEGIN, SAVEPOINT, two statements together, RELEASE, COMMIT.
        "a batch in a transaction" = 6 in 5: |db| {
            db.transaction(|tx| async move { tx.batch((tx.student().count(), tx.session().count())).await })
        };
        "a transaction with options" = 3 in 3: |db| {
            let call = db.transaction(|tx| async move { tx.student().count().await });
            call.isolation(Isolation::RepeatableRead).statement_timeout(std::time::Duration::from_secs(9))
        };
        "a savepoint" = 5 in 5: |db| {
            db.transaction(|tx| async move { tx.savepoint(|inner| async move { inner.student().count().await }).await })
        };
        "a lock" = 3 in 3: |db| {
            db.transaction(|tx| async move { tx.student().find_first().for_update().skip_locked().await })
        };
    }
}

/// BEGIN, the row with its `@updatedAt`, a statement per kind of write to a relation, COMMIT.
#[tokio::test]
async fn each_nested_write_has_its_cost() {
    let counted = counted().await;
    let tenant = counted.tenant;
    let user = counted.fixture.student(tenant, "nested@x.edu", 2027).await.user_id;
    let login = || session::Create { user: Parent, expires_at: later() };
    let change = |db: &plain_planner::Client| db.user().update(user::id.eq(user));
    let far = DateTime::from_timestamp(9_000_000_000, 0).expect("is in range");
    costs! { counted.tap, counted.db;
        "create" = 4 in 4: |db| change(db).with(user::sessions.create(login()));
        "create_many" = 4 in 4: |db| change(db).with(user::sessions.create_many((0..9).map(|_| login())));
        "update of one" = 4 in 4: |db| change(db).with(user::student.update([student::class_year.increment(1)]));
        "upsert of one" = 4 in 4: |db| {
            let row = student::Create { user: Parent, institution: tenant, class_year: 2027 };
            change(db).with(user::student.upsert(row, [student::class_year.increment(1)]))
        };
        "update_many" = 4 in 4: |db| {
            change(db).with(user::sessions.update_many(session::expires_at.lt(far), [session::expires_at.to(later())]))
        };
        "delete_many" = 4 in 4: |db| change(db).with(user::sessions.delete_many(session::expires_at.gt(far)));
        "three at once" = 6 in 6: |db| {
            let query = change(db).with(user::sessions.create(login())).with(user::sessions.delete_many(session::expires_at.gt(far)));
            query.with(user::student.update([student::class_year.increment(1)]))
        };
    }
}

/// Relations through a join table, self-relations, compound keys. To connect rows, they are looked up first.
#[tokio::test]
async fn each_shape_of_the_wide_schema_has_its_cost() {
    if crate::support::devdb().skips_behind_pooler(&[crate::support::Need::Pipeline]) {
        return;
    }
    let wide = Wide::new().await;
    let (tap, url) = tapped(wide.url()).await;
    let db: WideClient =
        WideClient::builder(&url).expect("is a URL").max_connections(1).connect().await.expect("connects");
    let boss = wide.db.person().create(person::Create { name: "boss".to_owned() }).await.expect("is created").id;
    let chess = wide.db.group().create(group::Create { title: "chess".to_owned() }).await.expect("is created").id;
    let row = person::Create { name: "ada".to_owned() };
    let row = row.set(person::manager_id.to(boss.clone())).with(person::groups.connect(group::id.eq(chess)));
    let ada = wide.db.person().create(row).await.expect("is created").id;
    let row = note::Create { tenant: 1, number: 1, author: ada.clone() };
    let comments = note::comments.create_many([comment::Create { note: Parent, text: "a".to_owned() }]);
    wide.db.note().create(row).with(comments).await.expect("is created");
    let change = |db: &WideClient| db.person().update(person::id.eq(&ada));
    costs! { tap, db;
        "many-to-many of many rows" = 2 in 2: |db| db.person().find_many().include(person::groups);
        "many-to-many of one row" = 2 in 1: |db| db.person().find_unique(person::id.eq(&ada)).include(person::groups);
        "many-to-many and back" = 3 in 3: |db| db.person().find_many().include(person::groups.include(group::members));
        "many-to-many in pages" = 2 in 2: |db| db.person().find_many().include(person::groups.order_by(group::id.asc()).take(1));
        "self relations, four of them" = 5 in 2: |db| {
            let query = db.person().find_many().include(person::manager).include(person::reports);
            query.include(person::friends).include(person::friend_of)
        };
        "a compound key" = 1 in 1: |db| db.note().find_unique(note::tenant_number.eq(1, 1));
        "a compound key, to-many" = 2 in 1: |db| db.note().find_unique(note::tenant_number.eq(1, 1)).include(note::comments);
        "to-many by compound keys" = 2 in 2: |db| db.note().find_many().include(note::comments.take(1));
        "lists, Json, full text" = 1 in 1: |db| {
            let cat = relata::SearchQuery::terms("cat").language("simple");
            let filter = sample::texts.has("a") | sample::json.path(["a"]).eq(1) | sample::text.search(cat);
            db.sample().find_many().filter(filter).order_by(sample::text.relevance("cat").desc())
        };
        "connect" = 4 in 4: |db| change(db).with(person::groups.connect(group::id.eq(chess)));
        "connect_or_create" = 5 in 5: |db| {
            change(db).with(person::groups.connect_or_create(group::id.eq(chess), group::Create { title: "go".to_owned() }))
        };
        "disconnect" = 4 in 4: |db| change(db).with(person::groups.disconnect(group::id.eq(chess)));
        "set" = 4 in 4: |db| change(db).with(person::groups.set([group::id.eq(chess)]));
        "update of one of many" = 4 in 4: |db| change(db).with(person::groups.update(group::id.eq(chess), [group::title.to("x")]));
        "disconnect of one" = 1 in 1: |db| change(db).with(person::manager.disconnect());
        "connect of one" = 1 in 1: |db| change(db).with(person::manager.connect(person::id.eq(&boss)));
    }
}
