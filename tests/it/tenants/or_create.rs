//! `or_create` in the fields of new rows: only rows of the tenant are referenced, and only for the tenant are rows created.

use relata::Error;

use super::*;

fn either(email: &str) -> relata::OrCreate<user::Create> {
    user::email.eq(email).or_create(user::Create { email: email.to_owned() })
}

fn with_user(user: relata::OrCreate<user::Create>, number: i32) -> student::Create<relata::OrCreate<user::Create>> {
    student::Create { user, year: 2040, number }
}

#[tokio::test]
async fn a_composite_key_gets_the_row_of_the_tenant() {
    let schools = Schools::new().await;
    let (north, own) = (schools.north(), &schools.north);
    let before = schools.all_of(&schools.south).await;
    // Both schools have a user with this address.
    let of_both = own.users[2].email.clone();
    assert!(schools.south.users.iter().any(|user| user.email == of_both));
    north.student().delete_many().filter(student::user_id.eq(own.users[2].id)).await.expect("deletes");
    let users = north.user().count().await.expect("counts");
    let student = north.student().create(with_user(either(&of_both), 1)).await.expect("is created");
    assert_eq!((student.school_id, student.user_id), (own.school.id, own.users[2].id));
    assert_eq!(north.user().count().await.expect("counts"), users);
    let rows = (2..5).map(|number| with_user(either(&format!("new{number}@x.edu")), number));
    let made = north.student().create_many_and_return(rows).include(student::user).await.expect("are created");
    assert!(made.iter().all(|made| made.school_id == own.school.id && made.user.school_id == own.school.id));
    // The whole key, and a key by a longer path.
    let row = user::Create { email: "whole@x.edu".to_owned() };
    let whole = user::school_id_email.eq(own.school.id, "whole@x.edu").or_create(row);
    let session = north.session().create(session::Create { user: whole }).include(session::user).await.expect("is");
    assert_eq!(session.user.school_id, own.school.id);
    assert_eq!(schools.all_of(&schools.south).await, before);
    assert_eq!(schools.crossings().await, 0);
}

#[tokio::test]
async fn a_row_of_another_tenant_is_neither_referenced_nor_changed() {
    let schools = Schools::new().await;
    let (north, other) = (schools.north(), &schools.south);
    let before = schools.all_of(other).await;
    let row = || user::Create { email: "new@x.edu".to_owned() };
    // By an id, by a key that is unique across tenants, and by a key with the other tenant in it.
    let by_id = user::id.eq(other.users[0].id).or_create(row());
    let failed = north.student().create(with_user(by_id, 1)).await;
    assert!(matches!(failed, Err(Error::NotFound { .. })), "{failed:?}");
    let exam = exam::Create { code: other.exam.code.clone() };
    let exam = exam::code.eq(other.exam.code.clone()).or_create(exam);
    let student = schools.north.students[0].id;
    let failed = north.result().create(result::Create { student, exam }).await;
    assert!(matches!(failed, Err(Error::NotFound { .. })), "{failed:?}");
    let key = user::school_id_email.eq(other.school.id, "new@x.edu").or_create(row());
    let failed = north.session().create(session::Create { user: key }).await;
    assert!(matches!(failed, Err(Error::Misuse(_))), "{failed:?}");
    // In rows of a nested write, and in a row that is only created if it is missing.
    let by_id = user::id.eq(other.users[0].id).or_create(row());
    let nested = student::year_number.eq(2040, 7).or_create(with_user(by_id, 7));
    let failed = north.result().create(result::Create { student: nested, exam: schools.north.exam.id }).await;
    assert!(matches!(failed, Err(Error::NotFound { .. })), "{failed:?}");
    // The new row references a room of another tenant, which is looked up.
    let exam = exam::Create { code: "new".to_owned() }.set(exam::room_id.to(other.room.id));
    let exam = exam::code.eq("new").or_create(exam);
    let failed = north.result().create(result::Create { student, exam }).await;
    assert!(matches!(failed, Err(Error::Misuse(_) | Error::NotFound { .. })), "{failed:?}");
    assert_eq!(north.user().count().filter(user::email.eq("new@x.edu")).await.expect("counts"), 0);
    assert_eq!(schools.all_of(other).await, before);
    assert_eq!(schools.crossings().await, 0);
}

#[tokio::test]
async fn a_short_key_needs_a_tenant() {
    let schools = Schools::new().await;
    let across = schools.db.across_tenants();
    let failed = across.session().create(session::Create { user: user::email.eq("u1@x.edu") }).await;
    assert!(matches!(failed, Err(Error::Misuse(_))), "{failed:?}");
    let failed = across.session().create(session::Create { user: either("u1@x.edu") }).await;
    assert!(matches!(failed, Err(Error::Misuse(_))), "{failed:?}");
}
