//! Writes that return their rows with relations, or as selected values: each compared with a separate read.

use chrono::{DateTime, Utc};
use plain_planner::{Error, Parent, Role, exam_type, session, student, student_exam, user};
use relata::Lookup;
use relata::uuid::Uuid;
use relata_devdb::Feature;

use crate::support::{Fixture, devdb};
use crate::wide;
use crate::wide::client::{group, note, person};

fn soon() -> DateTime<Utc> {
    DateTime::from_timestamp(Utc::now().timestamp() + 86_400, 0).expect("is a time")
}

fn row(tenant: Uuid, email: &str) -> user::Create {
    user::Create { institution: tenant, email: email.to_owned(), password_hash: String::new(), role: Role::Student }
}

#[tokio::test]
async fn a_new_row_is_returned_with_its_relations() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let tenant = fixture.institution("north").await.id;
    let plain = db.user().create(row(tenant, "a@x.edu")).include(user::institution).await.expect("is created");
    assert_eq!(plain.institution.slug, "north");
    let read = db.user().find_unique(user::id.eq(plain.id)).include(user::institution).or_err().await;
    assert_eq!(read.expect("is read"), plain);

    let lookup = plain_planner::institution::slug.eq("north");
    let by_slug =
        user::Create { institution: lookup, email: "b@x.edu".into(), password_hash: "".into(), role: Role::Admin };
    let looked_up = db.user().create(by_slug).include(user::institution).include(user::sessions).await;
    let looked_up = looked_up.expect("is created");
    assert_eq!((looked_up.institution.id, looked_up.sessions.len()), (tenant, 0));
    let lookup = plain_planner::institution::slug.eq("nowhere");
    let by_slug =
        user::Create { institution: lookup, email: "c@x.edu".into(), password_hash: "".into(), role: Role::Admin };
    let missing = db.user().create(by_slug).include(user::institution).await;
    assert!(
        matches!(missing, Err(Error::NotFound { model: "Institution", operation: Lookup::Connect, .. })),
        "{missing:?}"
    );

    let tree = db
        .user()
        .create(row(tenant, "d@x.edu"))
        .with(user::student.create(student::Create { user: Parent, institution: tenant, class_year: 2027 }))
        .with(user::sessions.create_many([session::Create { user: Parent, expires_at: soon() }]))
        .include(user::institution)
        .include(user::student)
        .include(user::sessions.include(session::user))
        .await
        .expect("is created");
    let student = tree.student.as_ref().expect("was created with it");
    assert_eq!((student.user_id, student.class_year, tree.institution.id), (tree.id, 2027, tenant));
    assert_eq!(tree.sessions.iter().map(|session| session.user.id).collect::<Vec<_>>(), [tree.id]);

    let values = db
        .user()
        .create(row(tenant, "e@x.edu"))
        .with(user::sessions.create_many([session::Create { user: Parent, expires_at: soon() }]))
        .select((user::email, user::institution.select(plain_planner::institution::slug), user::sessions.count()))
        .await;
    assert_eq!(values.expect("is created"), ("e@x.edu".to_owned(), "north".to_owned(), 1));
    let email = db.user().create(row(tenant, "f@x.edu")).select(user::email).await.expect("is created");
    assert_eq!(email, "f@x.edu");
    let taken = db.user().create(row(tenant, "f@x.edu")).select((user::id, user::sessions.count())).await;
    assert!(matches!(taken, Err(Error::UniqueViolation(_))), "{taken:?}");
    assert_eq!(db.user().count().await.expect("counts"), 5);
}

#[tokio::test]
async fn a_changed_row_is_returned_in_its_new_state() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let (north, south) = (fixture.institution("north").await.id, fixture.institution("south").await.id);
    let student = fixture.student(north, "a@x.edu", 2027).await;
    let key = || student::id.eq(student.id);
    let moved = db
        .student()
        .update(key())
        .set(student::institution_id.to(south))
        .include(student::institution)
        .include(student::user.include(user::institution))
        .await
        .expect("is changed");
    assert_eq!((moved.institution.slug.as_str(), moved.user.institution.slug.as_str()), ("south", "north"));

    let exam_type = fixture.exam_type(south, "A").await.id;
    let exam = db.student_exam().create(student_exam::Create { student: student.id, exam_type }).await.expect("is");
    let changed = db
        .student()
        .update(key())
        .set(student::class_year.increment(1))
        .include(student::exams.include(student_exam::exam_type))
        .include(student::user)
        .await
        .expect("is changed");
    assert_eq!((changed.class_year, changed.exams[0].id, changed.user.id), (2028, exam.id, student.user_id));
    assert_eq!(changed.exams[0].exam_type.code, "A");

    // The key that other rows reference changes, and they change with it.
    let id = Uuid::from_u128(7);
    let cascaded = db.user().update(user::id.eq(student.user_id)).set(user::id.to(id)).include(user::student).await;
    assert_eq!(cascaded.expect("is changed").student.map(|row| row.user_id), Some(id));

    let nested = db
        .user()
        .update(user::id.eq(id))
        .with(user::sessions.create(session::Create { user: Parent, expires_at: soon() }))
        .with(user::student.update([student::class_year.to(2030)]))
        .include(user::sessions)
        .include(user::student)
        .await
        .expect("is changed");
    assert_eq!((nested.sessions.len(), nested.student.as_ref().map(|row| row.class_year)), (1, Some(2030)));
    let counted = db.user().update(user::id.eq(id)).select((user::sessions.count(), user::email)).await;
    assert_eq!(counted.expect("is read"), (1, "a@x.edu".to_owned()));
    let missing = db.user().update(user::id.eq(Uuid::nil())).set(user::email.to("x")).include(user::sessions).await;
    assert!(matches!(missing, Err(Error::NotFound { model: "User", operation: Lookup::Update, .. })), "{missing:?}");
    let missing = db.user().update(user::id.eq(Uuid::nil())).set(user::email.to("x")).select(user::id).await;
    assert!(matches!(missing, Err(Error::NotFound { model: "User", operation: Lookup::Update, .. })), "{missing:?}");
    let changed = db
        .student()
        .update_many()
        .all_rows()
        .set(student::has_accommodations.to(true))
        .and_return()
        .include(student::institution)
        .await
        .expect("are changed");
    assert_eq!(changed.iter().map(|row| row.institution.slug.as_str()).collect::<Vec<_>>(), ["south"]);
}

#[tokio::test]
async fn upserts_and_deletes_return_relations_too() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let tenant = fixture.institution("north").await.id;
    let upsert = || {
        let row = exam_type::Create { institution: tenant, code: "A".into(), name: "made".into(), default_weight: 1.0 };
        let key = exam_type::institution_id_code.eq(tenant, "A");
        db.exam_type().upsert(key, row).set(exam_type::name.to("changed"))
    };
    let made = upsert().include(exam_type::institution).include(exam_type::exams).await.expect("is made");
    assert_eq!((made.name.as_str(), made.institution.slug.as_str(), made.exams.len()), ("made", "north", 0));
    let student = fixture.student(tenant, "a@x.edu", 2027).await.id;
    db.student_exam().create(student_exam::Create { student, exam_type: made.id }).await.expect("is created");
    let changed = upsert().include(exam_type::exams).await.expect("is changed");
    assert_eq!((changed.id, changed.name.as_str(), changed.exams.len()), (made.id, "changed", 1));
    let values = upsert().select((exam_type::name, exam_type::exams.select(student_exam::student_id))).await;
    assert_eq!(values.expect("is changed"), ("changed".to_owned(), vec![student]));

    let gone = db
        .student()
        .delete(student::id.eq(student))
        .include(student::exams.include(student_exam::exam_type))
        .include(student::user)
        .await
        .expect("is deleted");
    assert_eq!((gone.exams[0].exam_type.name.as_str(), gone.user.email.as_str()), ("changed", "a@x.edu"));
    assert_eq!(db.student_exam().count().await.expect("counts"), 0, "the exams went with the student");
    let again = db.student().delete(student::id.eq(student)).include(student::exams).await;
    assert!(matches!(again, Err(Error::NotFound { model: "Student", operation: Lookup::Delete, .. })), "{again:?}");
    let of = db
        .exam_type()
        .delete(exam_type::id.eq(made.id))
        .select(exam_type::institution.select(plain_planner::institution::slug));
    assert_eq!(of.await.expect("is deleted"), "north");
}

#[tokio::test]
async fn rows_of_the_same_table_are_returned_in_their_new_state() {
    let fixture = wide::Fixture::new().await;
    let db = &fixture.db;
    let boss = db.person().create(person::Create { name: "boss".into() }).await.expect("is created");
    let clerk = db
        .person()
        .create(person::Create { name: "clerk".into() })
        .set(person::manager_id.to(boss.id.as_str()))
        .with(person::groups.create(group::Create { title: "chess".into() }))
        .include(person::manager.include(person::reports))
        .include(person::groups.include(group::members))
        .await
        .expect("is created");
    let manager = clerk.manager.as_ref().expect("has one");
    assert_eq!(manager.reports.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["clerk"]);
    assert_eq!(clerk.groups[0].members[0].id, clerk.id);
    // She becomes her own manager: the statement that sets this does not see it yet.
    let own = db
        .person()
        .update(person::id.eq(boss.id.as_str()))
        .set(person::manager_id.to(boss.id.as_str()))
        .set(person::name.to("chief"))
        .include(person::manager)
        .include(person::reports.order_by(person::name.asc()))
        .await
        .expect("is changed");
    assert_eq!(own.manager.as_ref().map(|row| row.name.as_str()), Some("chief"));
    assert_eq!(own.reports.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["chief", "clerk"]);

    let notes = [1, 2].map(|number| note::Create { tenant: 1, number, author: boss.id.as_str() });
    let notes = db.note().create_many_and_return(notes).include(note::author).include(note::reviewer).await;
    let notes = notes.expect("are created");
    assert!(notes.iter().all(|note| note.author.name == "chief" && note.reviewer.is_none()), "{notes:?}");
    assert_eq!(notes.iter().map(|note| note.number).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn a_row_that_was_created_meanwhile_is_found() {
    if devdb().skips_without(&[Feature::ConcurrentTransactions]) {
        return;
    }
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let north = fixture.institution("north").await.id;
    let user = fixture.user(north, "a@x.edu").await;
    let tx = db.begin().await.expect("begins");
    let south = plain_planner::institution::Create { name: "South".into(), slug: "south".into() };
    let south = tx.institution().create(south).await.expect("is created").id;
    tx.user().update(user::id.eq(user.id)).set(user::institution_id.to(south)).await.expect("is changed");
    let waiting = tokio::spawn({
        let db = db.clone();
        let id = user.id;
        async move { db.user().update(user::id.eq(id)).set(user::email.to("b@x.edu")).include(user::institution).await }
    });
    loop {
        let waits = fixture
            .sql(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
            )
            .await;
        if waits[0].get::<_, i64>(0) > 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    tx.commit().await.expect("commits");
    let changed = waiting.await.expect("does not panic").expect("is changed");
    assert_eq!((changed.institution.slug.as_str(), changed.email.as_str()), ("south", "b@x.edu"));
}

/// The selected values of many written rows equal those that a read returns, in the order of the rows.
#[tokio::test]
async fn selected_values_of_many_written_rows_are_returned() {
    let fixture = wide::Fixture::new().await;
    let db = &fixture.db;
    let named = |name: &str| person::Create { name: name.to_owned() };
    let made = db.person().create_many_and_return(["c", "a", "b"].map(named));
    let made = made.select((person::name, person::id)).await.expect("are created");
    assert_eq!(made.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["c", "a", "b"]);

    let groups = |title: &str| person::groups.create(group::Create { title: title.to_owned() });
    let rows = [
        named("f").with(groups("x")).with(groups("y")),
        named("d").with(groups("z")),
        named("e").set(person::secret.to("s")),
    ];
    let values =
        (person::name, person::groups.order_by(group::title.asc()).select(group::title), person::groups.count());
    let nested = db.person().create_many_and_return(rows).select(values).await.expect("are created");
    let text = |titles: &[&str]| titles.iter().map(|title| (*title).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        nested,
        [("f".to_owned(), text(&["x", "y"]), 2), ("d".to_owned(), text(&["z"]), 1), ("e".to_owned(), text(&[]), 0)]
    );

    let boss = |name: &str| person::manager.connect(person::name.eq(name));
    db.person().update(person::name.eq("a")).with(boss("c")).await.expect("is connected");
    let changed =
        db.person().update_many().filter(person::name.in_(["a", "b"])).set(person::secret.to("t")).and_return();
    let mut changed = changed.select((person::name, person::manager.select(person::name))).await.expect("are changed");
    changed.sort();
    assert_eq!(changed, [("a".to_owned(), Some("c".to_owned())), ("b".to_owned(), None)]);
    let note = |number| note::Create { tenant: 1, number, author: made[0].1.clone() };
    let keys = (note::number, note::author.select(person::name), note::comments.count());
    let notes = db.note().create_many_and_return([3, 1, 2].map(note)).select(keys).await.expect("are created");
    assert_eq!(notes, [3, 1, 2].map(|number| (number, "c".to_owned(), 0)), "by compound keys, too");
    let none = db.note().create_many_and_return(Vec::<note::Create>::new()).select(note::number).await;
    assert_eq!(none.expect("are none"), [0; 0]);
}

/// Rows that find what they point at by other keys, all in one statement.
#[tokio::test]
async fn rows_in_bulk_are_looked_up_together() {
    let fixture = wide::Fixture::new().await;
    let db = &fixture.db;
    let named = |name: &str| person::Create { name: name.to_owned() };
    db.person().create_many(["ada", "bob"].map(named)).await.expect("are created");
    let note = |number, author: &str| note::Create { tenant: 1, number, author: person::name.eq(author) };
    let rows = [note(1, "bob"), note(2, "ada"), note(3, "bob")];
    let made = db.note().create_many_and_return(rows).select((note::number, note::author.select(person::name)));
    let made = made.await.expect("are created");
    assert_eq!(made, [(1, "bob".to_owned()), (2, "ada".to_owned()), (3, "bob".to_owned())]);
    let reviewed = |number, reviewer: &str| note(number, "ada").with(note::reviewer.connect(person::name.eq(reviewer)));
    assert_eq!(db.note().create_many([reviewed(4, "bob"), reviewed(5, "ada")]).await.expect("are created"), 2);
    let missing = db.note().create_many([note(6, "bob"), note(7, "nobody")]).await;
    assert!(matches!(missing, Err(Error::NotFound { model: "Person", operation: Lookup::Connect, .. })), "{missing:?}");
    let missing = db.note().create_many([reviewed(6, "bob"), reviewed(7, "nobody")]).await;
    assert!(matches!(missing, Err(Error::NotFound { model: "Person", operation: Lookup::Connect, .. })), "{missing:?}");
    let rows = fixture
        .sql(
            "SELECT string_agg(n.number || a.name || coalesce(r.name, ''), ' ' ORDER BY n.number) \
        FROM \"Note\" n JOIN \"Person\" a ON a.id = n.\"authorId\" LEFT JOIN \"Person\" r ON r.id = n.\"reviewerId\"",
        )
        .await;
    assert_eq!(rows[0].get::<_, String>(0), "1bob 2ada 3bob 4adabob 5adaada");
}
