//! Scenarios of a school, each checked with plain SQL where the client could be wrong.

use relata::Lookup;
use std::time::Duration;

use chrono::{NaiveDate, Utc};
use plain_planner::{Error, Role, exam_type, institution, session, student, student_exam, user};
use relata::uuid::Uuid;

use crate::support::Fixture;

#[tokio::test]
async fn a_student_is_read_with_user_and_institution() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await;
    let student = fixture.student(tenant.id, "a@x.edu", 2027).await;
    let found = fixture
        .db
        .student()
        .find_unique(student::user_id.eq(student.user_id))
        .include(student::user)
        .include(student::institution)
        .await
        .expect("is read")
        .expect("is there");
    assert_eq!(found.row_, student);
    assert_eq!(found.user.email, "a@x.edu");
    assert_eq!(found.institution, tenant);
}

#[tokio::test]
async fn a_student_must_reference_a_valid_institution() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await;
    let user = fixture.user(tenant.id, "a@x.edu").await;
    let row = student::Create { user: user.id, institution: Uuid::nil(), class_year: 2027 };
    match fixture.db.student().create(row).await {
        Err(Error::ForeignKeyViolation(violation)) => {
            assert_eq!(violation.constraint, student::INSTITUTION_ID_FKEY);
            assert_eq!(violation.model, "Student");
        }
        other => panic!("{other:?}"),
    }
    let row = student::Create { user: user.id, institution: institution::slug.eq("nowhere"), class_year: 2027 };
    match fixture.db.student().create(row).await {
        Err(Error::NotFound { model: "Institution", operation: Lookup::Connect, .. }) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(fixture.db.student().count().await.expect("counts"), 0);
}

#[tokio::test]
async fn a_tenant_sees_only_its_own_students() {
    let fixture = Fixture::new().await;
    let north = fixture.institution("north").await;
    let south = fixture.institution("south").await;
    for (tenant, email) in [(north.id, "a@n.edu"), (north.id, "b@n.edu"), (south.id, "a@s.edu")] {
        fixture.student(tenant, email, 2027).await;
    }
    let requester = fixture.user(north.id, "dean@n.edu").await;
    let seen = fixture
        .db
        .student()
        .find_many()
        .filter(student::user.is(user::institution_id.eq(requester.institution_id)))
        .include(student::user)
        .await
        .expect("is read");
    let mut emails: Vec<&str> = seen.iter().map(|student| student.user.email.as_str()).collect();
    emails.sort_unstable();
    assert_eq!(emails, ["a@n.edu", "b@n.edu"]);
    assert!(seen.iter().all(|student| student.institution_id == north.id));
}

#[tokio::test]
async fn registering_a_user_stores_everything() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await;
    let before = Utc::now() - Duration::from_secs(1);
    let user = fixture.user(tenant.id, "a@x.edu").await;
    assert!(user.created_at >= before && user.updated_at >= before);
    let rows = fixture
        .sql("SELECT id, email, password_hash, role::text, institution_id, created_at, updated_at FROM users")
        .await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].get::<_, Uuid>(0), user.id);
    assert_eq!(rows[0].get::<_, &str>(1), "a@x.edu");
    assert_eq!(rows[0].get::<_, &str>(2), user.password_hash);
    assert_eq!(rows[0].get::<_, &str>(3), "STUDENT");
    assert_eq!(rows[0].get::<_, Uuid>(4), tenant.id);
    assert_eq!(rows[0].get::<_, chrono::DateTime<Utc>>(5), user.created_at);
    assert_eq!(rows[0].get::<_, chrono::DateTime<Utc>>(6), user.updated_at);
}

#[tokio::test]
async fn the_cleanup_deletes_exactly_the_expired_sessions() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await;
    let user = fixture.user(tenant.id, "a@x.edu").await;
    let now = Utc::now();
    let expirations = [-3600, -1, 3600, 7200];
    let rows = expirations
        .map(|seconds| session::Create { user: user.id, expires_at: now + chrono::TimeDelta::seconds(seconds) });
    assert_eq!(fixture.db.session().create_many(rows).await.expect("are created"), 4);
    let deleted = fixture.db.session().delete_many().filter(session::expires_at.lt(now)).await.expect("deletes");
    assert_eq!(deleted, 2);
    let left = fixture.db.session().find_many().order_by(session::expires_at.asc()).await.expect("is read");
    assert_eq!(left.len(), 2);
    assert!(left.iter().all(|session| session.expires_at > now));
}

#[tokio::test]
async fn a_user_has_at_most_one_student() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await;
    let student = fixture.student(tenant.id, "a@x.edu", 2027).await;
    let row = student::Create { user: student.user_id, institution: tenant.id, class_year: 2028 };
    match fixture.db.student().create(row).await {
        Err(Error::UniqueViolation(violation)) => {
            assert_eq!(violation.constraint, student::USER_ID_KEY);
            assert_eq!(violation.columns, ["user_id"]);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn accommodations_are_a_flag_that_round_trips() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await;
    let student = fixture.student(tenant.id, "a@x.edu", 2027).await;
    assert!(!student.has_accommodations);
    let key = || student::id.eq(student.id);
    let updated =
        fixture.db.student().update(key()).set(student::has_accommodations.to(true)).await.expect("is updated");
    assert!(updated.has_accommodations);
    let read = fixture.db.student().find_unique(key()).await.expect("is read").expect("is there");
    assert_eq!(read, updated);
}

#[tokio::test]
async fn an_exam_code_is_unique_per_institution() {
    let fixture = Fixture::new().await;
    let north = fixture.institution("north").await;
    let south = fixture.institution("south").await;
    let row = |tenant: Uuid| exam_type::Create {
        institution: tenant,
        code: "STEP1".to_owned(),
        name: "USMLE Step 1".to_owned(),
        default_weight: 1.5,
    };
    let made = fixture.db.exam_type().create(row(north.id)).await.expect("is created");
    assert_eq!((made.name.as_str(), made.default_weight), ("USMLE Step 1", 1.5));
    fixture.db.exam_type().create(row(south.id)).await.expect("is another institution's");
    match fixture.db.exam_type().create(row(north.id)).await {
        Err(Error::UniqueViolation(violation)) => {
            assert_eq!(violation.constraint, "exam_types_institution_id_code_key");
            assert_eq!(violation.columns, ["institution_id", "code"]);
            assert_eq!((violation.model, violation.table.as_str()), ("ExamType", "exam_types"));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_student_exam_needs_a_student_and_an_exam_type() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await;
    let student = fixture.student(tenant.id, "a@x.edu", 2027).await;
    let exam_type = fixture.exam_type(tenant.id, "STEP1").await;
    let pairs = [
        (Uuid::nil(), exam_type.id, student_exam::STUDENT_ID_FKEY),
        (student.id, Uuid::nil(), student_exam::EXAM_TYPE_ID_FKEY),
    ];
    for (student, exam_type, constraint) in pairs {
        match fixture.db.student_exam().create(student_exam::Create { student, exam_type }).await {
            Err(Error::ForeignKeyViolation(violation)) => assert_eq!(violation.constraint, constraint),
            other => panic!("{other:?}"),
        }
    }
    let day = NaiveDate::from_ymd_opt(2027, 5, 4).expect("is a day");
    let exam = fixture
        .db
        .student_exam()
        .create(student_exam::Create { student: student.id, exam_type: exam_type.id })
        .set(student_exam::scheduled_on.to(day))
        .set(student_exam::weight.set_null())
        .await
        .expect("is created");
    assert_eq!((exam.scheduled_on, exam.weight, exam.score), (Some(day), None, None));
}

#[tokio::test]
async fn one_call_creates_a_tree_of_rows() {
    let fixture = Fixture::new().await;
    let row = user::Create {
        institution: institution::Create { name: "North".to_owned(), slug: "north".to_owned() },
        email: "a@x.edu".to_owned(),
        password_hash: "hash".to_owned(),
        role: Role::Student,
    };
    let expires_at = Utc::now();
    let user = fixture
        .db
        .user()
        .create(row)
        .with(user::sessions.create_many([
            session::Create { user: plain_planner::Parent, expires_at },
            session::Create { user: plain_planner::Parent, expires_at },
        ]))
        .await
        .expect("is created");
    let read = fixture
        .db
        .user()
        .find_unique(user::id.eq(user.id))
        .include(user::institution)
        .include(user::sessions)
        .include(user::student)
        .or_err()
        .await
        .expect("is there");
    assert_eq!((read.institution.slug.as_str(), read.sessions.len()), ("north", 2));
    assert!(read.student.is_none());
}

#[tokio::test]
async fn a_failed_tree_leaves_nothing() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await;
    let row = user::Create {
        institution: institution::Create { name: "South".to_owned(), slug: "south".to_owned() },
        email: "a@x.edu".to_owned(),
        password_hash: "hash".to_owned(),
        role: Role::Student,
    };
    let nested = student::Create { user: plain_planner::Parent, institution: Uuid::nil(), class_year: 2027 };
    let failed = fixture.db.user().create(row).with(user::student.create(nested)).await;
    assert!(matches!(failed, Err(Error::ForeignKeyViolation(_))), "{failed:?}");
    let left = fixture.db.institution().find_many().await.expect("is read");
    assert_eq!(left, [tenant]);
    assert_eq!(fixture.db.user().count().await.expect("counts"), 0);
}

#[tokio::test]
async fn relation_filters_support_some_every_and_none() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await;
    let exam_type = fixture.exam_type(tenant.id, "STEP1").await;
    let scores: [(&str, &[f64]); 3] =
        [("good@x.edu", &[95.0, 91.0]), ("mixed@x.edu", &[95.0, 50.0]), ("none@x.edu", &[])];
    for (email, scores) in scores {
        let student = fixture.student(tenant.id, email, 2027).await;
        let rows = scores.iter().map(|score| {
            student_exam::Create { student: student.id, exam_type: exam_type.id }.set(student_exam::score.to(*score))
        });
        fixture.db.student_exam().create_many(rows).await.expect("are created");
    }
    let good = || student_exam::score.gt(90.0);
    let filters = [
        (student::exams.some(good()), vec!["good@x.edu", "mixed@x.edu"]),
        (student::exams.every(good()), vec!["good@x.edu", "none@x.edu"]),
        (student::exams.none(good()), vec!["none@x.edu"]),
        (!student::exams.some(!good()) & student::exams.some(good()), vec!["good@x.edu"]),
        (student::user.is_not(user::email.starts_with("mixed")), vec!["good@x.edu", "none@x.edu"]),
        (student::user.is(user::email.contains("_")), vec![]),
        (
            student::class_year.in_([2026, 2027]) & student::user.is(user::email.ends_with("d@x.edu")),
            vec!["good@x.edu", "mixed@x.edu"],
        ),
    ];
    for (filter, expected) in filters {
        let described = format!("{filter:?}");
        let rows = fixture.db.student().find_many().filter(filter).select(student::user.select(user::email)).await;
        let mut emails = rows.expect("is read");
        emails.sort_unstable();
        assert_eq!(emails, expected, "{described}");
    }
}

#[tokio::test]
async fn pages_inside_an_include_are_cut_per_row() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await;
    let types = [fixture.exam_type(tenant.id, "A").await, fixture.exam_type(tenant.id, "B").await];
    for email in ["a@x.edu", "b@x.edu", "c@x.edu"] {
        let student = fixture.student(tenant.id, email, 2027).await;
        let rows = (0..6).map(|index| {
            student_exam::Create { student: student.id, exam_type: types[index % 2].id }
                .set(student_exam::score.to(index as f64))
        });
        fixture.db.student_exam().create_many(rows).await.expect("are created");
    }
    let students = fixture
        .db
        .student()
        .find_many()
        .include(
            student::exams
                .filter(student_exam::score.lt(5.0))
                .order_by(student_exam::score.desc())
                .skip(1)
                .take(2)
                .include(student_exam::exam_type),
        )
        .await
        .expect("is read");
    assert_eq!(students.len(), 3);
    for student in students {
        let scores: Vec<_> = student.exams.iter().map(|exam| (exam.score, exam.exam_type.code.as_str())).collect();
        assert_eq!(scores, [(Some(3.0), "B"), (Some(2.0), "A")]);
    }
}

#[tokio::test]
async fn selections_reach_into_relations() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await;
    let exam_type = fixture.exam_type(tenant.id, "STEP1").await;
    let student = fixture.student(tenant.id, "a@x.edu", 2027).await;
    for score in [60.0, 90.0] {
        let row = student_exam::Create { student: student.id, exam_type: exam_type.id };
        fixture.db.student_exam().create(row).set(student_exam::score.to(score)).await.expect("is created");
    }
    let rows = fixture
        .db
        .user()
        .find_many()
        .select((
            user::email,
            user::role,
            user::institution.select((user_institution_name(), plain_planner::institution::id)),
            user::student.select(student::exams.order_by(student_exam::score.asc()).select(student_exam::score)),
            user::sessions.count(),
        ))
        .await
        .expect("is read");
    let expected_student = Some(vec![Some(60.0), Some(90.0)]);
    let institution = ("Institution north".to_owned(), tenant.id);
    assert_eq!(rows, [("a@x.edu".to_owned(), Role::Student, institution, expected_student, 0)]);
    let failed = student::exams.filter(student_exam::score.lt(70.0)).count();
    let counts = fixture.db.student().find_many().select((student::class_year, failed)).await.expect("is read");
    assert_eq!(counts, [(2027, 1)]);
}

fn user_institution_name() -> relata::Field<plain_planner::Institution, String> {
    institution::name
}

#[tokio::test]
async fn bulk_writes_require_a_filter() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await;
    fixture.student(tenant.id, "a@x.edu", 2026).await;
    fixture.student(tenant.id, "b@x.edu", 2027).await;
    let db = &fixture.db;
    let nothing: [relata::Filter<plain_planner::Student>; 0] = [];
    let refused = db.student().delete_many().filter(relata::Filter::all(nothing)).await;
    assert!(matches!(refused, Err(Error::Misuse(ref why)) if why.contains(".all_rows()")), "{refused:?}");
    let raised = db
        .student()
        .update_many()
        .set(student::class_year.increment(1))
        .filter(student::class_year.lte(2026))
        .await
        .expect("is updated");
    assert_eq!(raised, 1);
    let years = db.student().find_many().select(student::class_year).await.expect("is read");
    assert_eq!(years, [2027, 2027]);
    assert_eq!(db.student().update_many().set(student::class_year.to(2030)).all_rows().await.expect("is updated"), 2);
    assert_eq!(db.student().count().filter(student::class_year.eq(2030)).await.expect("counts"), 2);
}

#[tokio::test]
async fn missing_rows_are_not_found() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let nobody = || user::id.eq(Uuid::nil());
    assert_eq!(db.user().find_unique(nobody()).await.expect("is read"), None);
    assert!(matches!(
        db.user().find_unique(nobody()).or_err().await,
        Err(Error::NotFound { model: "User", operation: Lookup::Find, .. })
    ));
    assert!(matches!(
        db.user().update(nobody()).set(user::role.to(Role::Admin)).await,
        Err(Error::NotFound { model: "User", operation: Lookup::Update, .. })
    ));
    assert!(matches!(
        db.user().delete(nobody()).await,
        Err(Error::NotFound { model: "User", operation: Lookup::Delete, .. })
    ));
    let first = db.user().find_first().filter(user::email.eq("x")).order_by(user::email.asc()).await.expect("is read");
    assert_eq!(first, None);
}

#[tokio::test]
async fn upsert_is_one_atomic_statement() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await;
    let upsert = |name: &str| {
        let row = exam_type::Create {
            institution: tenant.id,
            code: "STEP1".to_owned(),
            name: name.to_owned(),
            default_weight: 1.0,
        };
        fixture
            .db
            .exam_type()
            .upsert(exam_type::institution_id_code.eq(tenant.id, "STEP1"), row)
            .set(exam_type::default_weight.increment(1.0))
    };
    let all = futures(upsert("a"), upsert("b"), upsert("c"), upsert("d")).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    let read = fixture.db.exam_type().find_many().await.expect("is read");
    assert_eq!((read.len(), read[0].default_weight), (1, 4.0));
    let other = exam_type::Create {
        institution: tenant.id,
        code: "STEP2".to_owned(),
        name: "x".to_owned(),
        default_weight: 1.0,
    };
    let refused = fixture.db.exam_type().upsert(exam_type::institution_id_code.eq(tenant.id, "STEP3"), other).await;
    assert!(matches!(refused, Err(Error::Misuse(ref why)) if why.contains("code")), "{refused:?}");
}

async fn futures<T: IntoFuture>(a: T, b: T, c: T, d: T) -> [T::Output; 4] {
    let (a, b, c, d) = tokio::join!(a.into_future(), b.into_future(), c.into_future(), d.into_future());
    [a, b, c, d]
}

/// A to-one relation of a to-one relation is read from the same row, after the columns of both.
#[tokio::test]
async fn relations_of_relations_are_read_in_one_row() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await;
    let student = fixture.student(tenant.id, "a@x.edu", 2027).await;
    let exam_type = fixture.exam_type(tenant.id, "STEP1").await;
    let exam = student_exam::Create { student: student.id, exam_type: exam_type.id };
    fixture.db.student_exam().create(exam).await.expect("is created");

    let exam = fixture
        .db
        .student_exam()
        .find_first()
        .filter(student_exam::student.is(student::user.is(user::email.eq("a@x.edu"))))
        .include(student_exam::student.include(student::user.include(user::institution)).include(student::institution))
        .include(student_exam::exam_type)
        .or_err()
        .await
        .expect("is there");
    assert_eq!((exam.student.id, exam.student.user.email.as_str()), (student.id, "a@x.edu"));
    assert_eq!((&exam.student.user.institution, &exam.student.institution), (&tenant, &tenant));
    assert_eq!(exam.exam_type, exam_type);
}
