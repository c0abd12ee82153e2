//! Writes to the other side of relations, together with a row.

use plain_planner::{Error, Parent, Role, User, institution, session, student, student_exam, user};
use relata::NestedChange;
use relata::chrono::{DateTime, Utc};

use super::Given;
use crate::wide::Fixture as Wide;
use crate::wide::client::{Person, group, person};

fn day(number: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + number * 86_400, 0).expect("is in range")
}

fn login(number: i64) -> session::Create<Parent> {
    session::Create { user: Parent, expires_at: day(number) }
}

/// Returns the days on which Ada's sessions expire, after a change of them.
async fn sessions_after(db: &Given, change: impl Into<NestedChange<User>>) -> relata::Result<Vec<DateTime<Utc>>> {
    db.user().update(user::id.eq(db.ada.user_id)).with(change).await?;
    let query = db.session().find_many().filter(session::user_id.eq(db.ada.user_id));
    query.order_by(session::expires_at.asc()).select(session::expires_at).await
}

/// Returns the titles of a person's groups, after a change of them.
async fn groups_after(wide: &Wide, id: &str, change: impl Into<NestedChange<Person>>) -> Vec<String> {
    wide.db.person().update(person::id.eq(id)).with(change).await.expect("is updated");
    let titles = person::groups.order_by(group::title.asc()).select(group::title);
    wide.db.person().find_unique(person::id.eq(id)).or_err().select(titles).await.expect("is there")
}

/// A person in the group chess, and the groups chess and go.
async fn player() -> (Wide, String, [i32; 2]) {
    let wide = Wide::new().await;
    let chess = wide.db.group().create(group::Create { title: "chess".to_owned() }).await.expect("is created").id;
    let go = wide.db.group().create(group::Create { title: "go".to_owned() }).await.expect("is created").id;
    let row = person::Create { name: "ada".to_owned() };
    let row = wide.db.person().create(row).with(person::groups.connect(group::id.eq(chess))).await.expect("is created");
    (wide, row.id, [chess, go])
}

#[tokio::test]
async fn nested_create() {
    let db = Given::new().await;
    let student = student::Create { user: Parent, institution: db.tenant, class_year: 2029 };
    let exam = student_exam::Create { student: Parent, exam_type: db.exam_type.id };
    let row =
        user::Create { institution: db.tenant, email: "c@x.edu".into(), password_hash: "".into(), role: Role::Student };
    let row = db.user().create(row).with(user::student.create(student.with(student::exams.create(exam))));
    let row = row.include(user::student.include(student::exams)).await.expect("is created");
    assert_eq!(row.student.map(|student| student.exams.len()), Some(1));
}

#[tokio::test]
async fn nested_create_of_the_parent() {
    let db = Given::new().await;
    let school = institution::Create { name: "South".to_owned(), slug: "south".to_owned() };
    let row = user::Create { institution: school, email: "a@s".into(), password_hash: "".into(), role: Role::Admin };
    let row = db.user().create(row).include(user::institution).await.expect("is created");
    assert_eq!(row.institution.slug, "south");
}

#[tokio::test]
async fn nested_create_many() {
    let db = Given::new().await;
    let days = sessions_after(&db, user::sessions.create_many([1, 2].map(login))).await.expect("are created");
    assert_eq!(days, [day(1), day(2)]);
}

#[tokio::test]
async fn nested_create_many_skip_duplicates() {
    let db = Given::new().await;
    let tx = db.begin().await.expect("begins");
    let school = institution::Create { name: "South".to_owned(), slug: "south".to_owned() };
    let school = tx.institution().create(school).await.expect("is created").id;
    let row = |email: &str| user::Create {
        institution: school,
        email: email.into(),
        password_hash: "".into(),
        role: Role::Student,
    };
    let made = tx.user().create_many(["a", "b", "a"].map(row)).skip_duplicates().await.expect("are created");
    tx.commit().await.expect("commits");
    assert_eq!(made, 2);
}

#[tokio::test]
async fn nested_connect() {
    let (wide, id, [_, go]) = player().await;
    assert_eq!(groups_after(&wide, &id, person::groups.connect(group::id.eq(go))).await, ["chess", "go"]);
}

#[tokio::test]
async fn nested_connect_or_create() {
    let (wide, id, [_, go]) = player().await;
    let darts = group::Create { title: "darts".to_owned() };
    let change = person::groups.connect_or_create(group::id.eq(go), darts.clone());
    assert_eq!(groups_after(&wide, &id, change).await, ["chess", "go"]);
    let change = person::groups.connect_or_create(group::id.eq(77), darts);
    assert_eq!(groups_after(&wide, &id, change).await, ["chess", "darts", "go"]);
}

#[tokio::test]
async fn connect_or_create_of_the_parent() {
    let db = Given::new().await;
    for (email, users) in [("ada@x.edu", 2), ("new@x.edu", 3)] {
        let new = user::Create {
            institution: db.tenant,
            email: email.to_owned(),
            password_hash: String::new(),
            role: Role::Student,
        };
        let user = user::institution_id_email.eq(db.tenant, email).or_create(new);
        let made = db.session().create(session::Create { user, expires_at: day(1) }).include(session::user);
        assert_eq!(made.await.expect("is created").user.email, email);
        assert_eq!(db.user().count().await.expect("counts"), users);
    }
}

#[tokio::test]
async fn nested_disconnect() {
    let (wide, id, [chess, _]) = player().await;
    assert_eq!(groups_after(&wide, &id, person::groups.disconnect(group::id.eq(chess))).await, [""; 0]);
}

#[tokio::test]
async fn nested_disconnect_of_one() {
    let (wide, id, _) = player().await;
    let boss = person::manager.create(person::Create { name: "boss".to_owned() });
    wide.db.person().update(person::id.eq(&id)).with(boss).await.expect("is updated");
    let row = wide.db.person().update(person::id.eq(&id)).with(person::manager.disconnect()).await;
    assert_eq!(row.expect("is updated").manager_id, None);
    assert_eq!(wide.db.person().count().await.expect("counts"), 2, "the manager is still there");
}

#[tokio::test]
async fn nested_set() {
    let (wide, id, [_, go]) = player().await;
    assert_eq!(groups_after(&wide, &id, person::groups.set([group::id.eq(go)])).await, ["go"]);
}

#[tokio::test]
async fn nested_update() {
    let (wide, id, [chess, _]) = player().await;
    let change = person::groups.update(group::id.eq(chess), [group::title.to("blitz")]);
    assert_eq!(groups_after(&wide, &id, change).await, ["blitz"]);
}

#[tokio::test]
async fn nested_update_to_any_depth() {
    let (wide, id, [chess, go]) = player().await;
    let boss = person::Create { name: "boss".to_owned() };
    let boss = boss.with(person::reports.connect(person::id.eq(&id)));
    wide.db.person().create(boss).await.expect("is created");
    let renamed = person::groups.update(group::id.eq(chess), [group::title.to("blitz")]);
    let deep =
        person::reports.update(person::id.eq(&id), []).with(renamed).with(person::groups.connect(group::id.eq(go)));
    wide.db.person().update(person::name.eq("boss")).with(deep).await.expect("is updated");
    let titles = person::groups.order_by(group::title.asc()).select(group::title);
    let titles = wide.db.person().find_unique(person::id.eq(&id)).or_err().select(titles).await.expect("is there");
    assert_eq!(titles, ["blitz", "go"]);
}

#[tokio::test]
async fn nested_update_of_one() {
    let db = Given::new().await;
    let change = user::student.update([student::class_year.increment(1)]);
    db.user().update(user::id.eq(db.ada.user_id)).with(change).await.expect("is updated");
    let year = db.student().find_unique(student::id.eq(db.ada.id)).select(student::class_year).await;
    assert_eq!(year.expect("is read"), Some(2027));
}

#[tokio::test]
async fn nested_update_of_one_with_where() {
    let db = Given::new().await;
    let year = |year: i32| {
        let change = user::student.update([student::class_year.to(1)]);
        let only_if = user::student.is(student::class_year.eq(year));
        db.user().update(user::id.eq(db.ada.user_id)).filter(only_if).with(change)
    };
    assert!(matches!(year(1999).await, Err(Error::NotFound { .. })));
    year(2026).await.expect("is updated");
}

#[tokio::test]
async fn nested_update_many() {
    let db = Given::new().await;
    sessions_after(&db, user::sessions.create_many([1, 2, 3].map(login))).await.expect("are created");
    let change = user::sessions.update_many(session::expires_at.gt(day(1)), [session::expires_at.to(day(9))]);
    assert_eq!(sessions_after(&db, change).await.expect("are updated"), [day(1), day(9), day(9)]);
}

#[tokio::test]
async fn nested_upsert() {
    let (wide, id, [chess, _]) = player().await;
    let darts = group::Create { title: "darts".to_owned() };
    let change = person::groups.upsert(group::id.eq(chess), darts.clone(), [group::title.to("blitz")]);
    assert_eq!(groups_after(&wide, &id, change).await, ["blitz"]);
    let change = person::groups.upsert(group::id.eq(77), darts, [group::title.to("x")]);
    assert_eq!(groups_after(&wide, &id, change).await, ["blitz", "darts"]);
}

#[tokio::test]
async fn nested_upsert_of_one() {
    let db = Given::new().await;
    let staff = db.fixture.user(db.tenant, "staff@x.edu").await.id;
    let year = || async {
        let row = student::Create { user: Parent, institution: db.tenant, class_year: 2030 };
        let change = user::student.upsert(row, [student::class_year.increment(1)]);
        let row = db.user().update(user::id.eq(staff)).with(change).include(user::student).await;
        row.expect("is updated").student.map(|student| student.class_year)
    };
    assert_eq!(year().await, Some(2030));
    assert_eq!(year().await, Some(2031));
}

#[tokio::test]
async fn nested_delete() {
    let db = Given::new().await;
    sessions_after(&db, user::sessions.create_many([1, 2].map(login))).await.expect("are created");
    let first = db.session().find_first().order_by(session::expires_at.asc()).or_err().await.expect("is there").id;
    let left = sessions_after(&db, user::sessions.delete(session::id.eq(first))).await.expect("is deleted");
    assert_eq!(left, [day(2)]);
}

#[tokio::test]
async fn nested_delete_of_one() {
    let db = Given::new().await;
    db.user().update(user::id.eq(db.bob.user_id)).with(user::student.delete()).await.expect("is updated");
    assert_eq!(db.student().find_many().await.expect("is read"), vec![db.ada.clone()]);
}

#[tokio::test]
async fn nested_delete_many() {
    let db = Given::new().await;
    sessions_after(&db, user::sessions.create_many([1, 2, 3].map(login))).await.expect("are created");
    let left = sessions_after(&db, user::sessions.delete_many(session::expires_at.lt(day(3)))).await;
    assert_eq!(left.expect("are deleted"), [day(3)]);
}
