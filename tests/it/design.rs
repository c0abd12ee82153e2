//! Code as a user writes it: it compiles, runs, and returns the expected results.

use chrono::{DateTime, Days, Utc};
use plain_planner::{Error, Isolation, Parent, Role, Student, exam_type, session, student, student_exam, user};
use relata::uuid::Uuid;

use crate::support::Fixture;

#[tokio::test]
async fn reads_filter_order_and_include() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let tenant = fixture.institution("north").await.id;
    let other = fixture.institution("south").await.id;
    let step1 = fixture.exam_type(tenant, "STEP1").await;
    let first = fixture.student(tenant, "a@x.edu", 2027).await;
    let second = fixture.student(tenant, "b@x.edu", 2025).await;
    fixture.student(tenant, "c@x.edu", 2024).await;
    fixture.student(other, "d@x.edu", 2028).await;
    for (student, score, day) in [(first.id, 70.0, 3), (first.id, 80.0, 2), (first.id, 60.0, 1), (second.id, 95.0, 1)] {
        let on = Utc::now().date_naive() + Days::new(day);
        db.student_exam()
            .create(student_exam::Create { student, exam_type: step1.id })
            .set(student_exam::score.to(score))
            .set(student_exam::scheduled_on.to(on))
            .await
            .expect("is created");
    }

    let students = db
        .student()
        .find_many()
        .filter(
            student::institution_id.eq(tenant)
                & (student::class_year.gte(2026) | student::exams.some(student_exam::score.gt(90.0))),
        )
        .order_by(student::class_year.desc())
        .take(50)
        .await
        .expect("is read");
    let ids: Vec<Uuid> = students.iter().map(|student: &Student| student.id).collect();
    assert_eq!(ids, [first.id, second.id]);

    let id = first.id;
    let s = db
        .student()
        .find_unique(student::id.eq(id))
        .include(student::user)
        .include(
            student::exams
                .filter(student_exam::score.is_not_null())
                .order_by(student_exam::scheduled_on.asc())
                .take(2)
                .include(student_exam::exam_type),
        )
        .await
        .expect("is read")
        .expect("is there");
    assert_eq!(
        (s.class_year, s.user.email.as_str(), s.exams[0].exam_type.name.as_str()),
        (2027, "a@x.edu", "Exam STEP1")
    );
    assert_eq!(s.exams.iter().map(|exam| exam.score).collect::<Vec<_>>(), [Some(60.0), Some(80.0)]);

    fn report(s: &student::WithUser) -> &str {
        &s.user.email
    }
    let with_user =
        db.student().find_unique(student::id.eq(id)).include(student::user).or_err().await.expect("is there");
    assert_eq!(report(&with_user), "a@x.edu");

    let pairs: Vec<(Uuid, String, i64)> = db
        .student()
        .find_many()
        .order_by(student::class_year.desc())
        .select((student::id, student::user.select(user::email), student::exams.count()))
        .await
        .expect("is read");
    assert_eq!(pairs.len(), 4);
    assert_eq!(pairs[1], (first.id, "a@x.edu".to_owned(), 3));
    assert_eq!(pairs[3].2, 0);
}

#[tokio::test]
async fn writes_create_update_upsert_and_delete() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let tenant = fixture.institution("north").await.id;
    let (email, password_hash) = ("u@x.edu".to_owned(), "hash".to_owned());

    let u = db
        .user()
        .create(user::Create { institution: tenant, email, password_hash, role: Role::Student })
        .await
        .expect("is created");
    let s = db
        .student()
        .create(student::Create { user: u.id, institution: tenant, class_year: 2027 })
        .set(student::has_accommodations.to(true))
        .await
        .expect("is created");
    assert!(s.has_accommodations);

    let parent = db
        .user()
        .create(user::Create {
            institution: tenant,
            email: "a@x.edu".to_owned(),
            password_hash: "hash".to_owned(),
            role: Role::Student,
        })
        .with(user::student.create(student::Create { user: Parent, institution: tenant, class_year: 2027 }))
        .await
        .expect("is created");
    let child = db.student().find_unique(student::user_id.eq(parent.id)).await.expect("is read").expect("is there");
    assert_eq!(child.class_year, 2027);

    let updated = db
        .user()
        .update(user::institution_id_email.eq(tenant, "a@x.edu"))
        .set(user::role.to(Role::Faculty))
        .await
        .expect("is updated");
    assert_eq!((updated.id, updated.role), (parent.id, Role::Faculty));
    assert!(updated.updated_at >= parent.updated_at);

    for name in ["first", "USMLE Step 1"] {
        let row = exam_type::Create {
            institution: tenant,
            code: "STEP1".to_owned(),
            name: name.to_owned(),
            default_weight: 1.0,
        };
        let upserted = db
            .exam_type()
            .upsert(exam_type::institution_id_code.eq(tenant, "STEP1"), row)
            .set(exam_type::name.to("USMLE Step 1"))
            .await
            .expect("is upserted");
        assert_eq!(upserted.name, name);
    }
    assert_eq!(db.exam_type().count().await.expect("counts"), 1);

    let yesterday: DateTime<Utc> = Utc::now() - Days::new(1);
    db.session().create(session::Create { user: u.id, expires_at: yesterday }).await.expect("is created");
    let kept = db
        .session()
        .create(session::Create {
            user: user::institution_id_email.eq(tenant, "u@x.edu"),
            expires_at: Utc::now() + Days::new(1),
        })
        .await
        .expect("is created by a key of its user");
    assert_eq!(kept.user_id, u.id);
    let deleted = db.session().delete_many().filter(session::expires_at.lt(Utc::now())).await.expect("deletes");
    assert_eq!(deleted, 1);
    assert_eq!(db.session().delete_many().all_rows().await.expect("deletes"), 1);
}

#[tokio::test]
async fn transactions_and_batches() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let tenant = fixture.institution("north").await.id;

    let tx = db.begin().await.expect("begins");
    let row = |code: &str| exam_type::Create {
        institution: tenant,
        code: code.to_owned(),
        name: "x".to_owned(),
        default_weight: 1.0,
    };
    tx.exam_type().create(row("A")).await.expect("is created");
    tx.commit().await.expect("commits");

    let made = db
        .retrying(3)
        .transaction(|tx| async move {
            tx.exam_type().create(row("B")).await?;
            tx.exam_type().count().await
        })
        .isolation(Isolation::Serializable)
        .await
        .expect("commits");
    assert_eq!(made, 2);

    let query_a = db.exam_type().find_many().order_by(exam_type::code.desc());
    let query_b = db.exam_type().count().filter(exam_type::code.eq("A"));
    let (a, b) = db.batch((query_a, query_b)).await.expect("reads");
    assert_eq!((a[0].code.as_str(), b), ("B", 1));

    let err = db.exam_type().create(row("A")).await.expect_err("is taken");
    match err {
        Error::UniqueViolation(c) if c.constraint == exam_type::INSTITUTION_ID_CODE_KEY => {
            assert_eq!(c.columns, ["institution_id", "code"]);
        }
        other => panic!("{other}"),
    }
    let missing = student::Create { user: Uuid::nil(), institution: tenant, class_year: 2027 };
    match db.student().create(missing).await.expect_err("there is no such user") {
        Error::ForeignKeyViolation(c) => assert_eq!(c.columns, ["user_id"]),
        other => panic!("{other}"),
    }
}
