//! The shape of results: select, include, omit.

use plain_planner::{Role, User, student, student_exam, user};
use relata::WithAll;
use relata::uuid::Uuid;

use super::Given;

#[tokio::test]
async fn select_fields() {
    let db = Given::new().await;
    let query = db.student().find_many().order_by(student::class_year.asc());
    let rows: Vec<(Uuid, i32)> = query.select((student::id, student::class_year)).await.expect("is read");
    assert_eq!(rows, [(db.ada.id, 2026), (db.bob.id, 2027)]);
}

#[tokio::test]
async fn select_of_relations() {
    let db = Given::new().await;
    let selection = (student::user.select(user::email), student::exams.select(student_exam::weight));
    let rows: Vec<(String, Vec<Option<f64>>)> =
        db.student().find_many().order_by(student::class_year.asc()).select(selection).await.expect("is read");
    assert_eq!(rows[0], ("ada@x.edu".to_owned(), vec![None, None]));
}

#[tokio::test]
async fn select_count() {
    let db = Given::new().await;
    let scored = student::exams.filter(student_exam::score.is_not_null()).count();
    let query = db.student().find_unique(student::id.eq(db.ada.id)).select((student::exams.count(), scored));
    assert_eq!(query.await.expect("is read"), Some((2, 1)));
}

#[tokio::test]
async fn include() {
    let db = Given::new().await;
    let ada = db
        .student()
        .find_unique(student::id.eq(db.ada.id))
        .include(student::user)
        .include(student::exams.include(student_exam::exam_type))
        .or_err()
        .await
        .expect("is there");
    assert_eq!((ada.user.email.as_str(), ada.exams[0].exam_type.code.as_str()), ("ada@x.edu", "STEP1"));
}

#[tokio::test]
async fn include_with_arguments() {
    let db = Given::new().await;
    let exams = student::exams
        .filter(student_exam::exam_type_id.eq(db.exam_type.id))
        .order_by(student_exam::score.desc().nulls_last())
        .distinct(student_exam::score)
        .skip(1)
        .take(1);
    let ada = db.student().find_unique(student::id.eq(db.ada.id)).include(exams).or_err().await.expect("is there");
    assert_eq!(ada.exams.iter().map(|exam| exam.score).collect::<Vec<_>>(), [None]);
}

#[tokio::test]
async fn omit() {
    let db = Given::new().await;
    let rows = db.user().find_many().order_by(user::email.asc()).select_as::<PublicUser>().await.expect("is read");
    assert_eq!((rows[0].email.as_str(), rows[0].role), ("ada@x.edu", Role::Student));
    let row = user::Create { institution: db.tenant, email: "c".into(), password_hash: "h".into(), role: Role::Admin };
    let made: PublicUser = db.user().create(row).select_as().await.expect("is created");
    assert_eq!((made.id, made.email.as_str()), (made.id, "c"));
    let made = db.user().update_many().filter(user::email.eq("c")).set(user::role.to(Role::Faculty)).and_return();
    let made: Vec<PublicUser> = made.select_as().await.expect("is updated");
    assert_eq!(made[0].role, Role::Faculty);
}

/// All columns of a user except the password hash.
#[derive(relata::Selectable)]
#[relata(from = User, module = user)]
struct PublicUser {
    id: Uuid,
    email: String,
    role: Role,
}

#[tokio::test]
async fn omit_everywhere() {
    use crate::constructs::client::account;

    let (db, _database) = crate::constructs::client().await;
    let row = account::Create { name: "ada".to_owned(), secret: "hidden".to_owned() };
    let account = db.account().create(row).await.expect("is created");
    assert_eq!(format!("{account:?}"), r#"Account { id: 1, name: "ada", parent_id: None }"#);
    let full: account::Full =
        db.account().find_unique(account::id.eq(1)).with_omitted().or_err().await.expect("is read");
    assert_eq!((full.name.as_str(), full.secret.as_str()), ("ada", "hidden"));
}

#[tokio::test]
async fn relation_load_strategy() {
    let db = Given::new().await;
    let counted = db.counted();
    counted.student().find_unique(student::id.eq(db.ada.id)).include(student::user).await.expect("is read");
    assert_eq!(counted.statistics().statements, 1, "one row of one: a join");
    counted.student().find_many().include(student::user).include(student::exams).await.expect("is read");
    assert_eq!(counted.statistics().statements, 1 + 3, "many: one for all of each relation");
}

#[tokio::test]
async fn get_payload_types() {
    let db = Given::new().await;
    type Full = WithAll<(student::WithUser, student::WithInstitution, student::WithExams<student_exam::WithExamType>)>;
    fn describe(student: &Full) -> String {
        format!("{} of {}: {}", student.user.email, student.institution.slug, student.exams.len())
    }
    let query = db.student().find_unique(student::id.eq(db.bob.id)).include(student::user);
    let query = query.include(student::institution).include(student::exams.include(student_exam::exam_type));
    assert_eq!(describe(&query.or_err().await.expect("is there")), "bob@x.edu of north: 1");
}

#[tokio::test]
async fn select_of_a_write() {
    let db = Given::new().await;
    let (year, email): (i32, String) = db
        .student()
        .update(student::id.eq(db.ada.id))
        .set(student::class_year.increment(1))
        .select((student::class_year, student::user.select(user::email)))
        .await
        .expect("is updated");
    assert_eq!((year, email.as_str()), (2027, "ada@x.edu"));
}

#[tokio::test]
async fn include_of_a_write() {
    let db = Given::new().await;
    let deleted = db.user().delete(user::id.eq(db.bob.user_id)).include(user::institution).await.expect("is deleted");
    assert_eq!((deleted.email.as_str(), deleted.institution.slug.as_str()), ("bob@x.edu", "north"));
}
