//! What stands on the right in the pages for users of other libraries: `docs/from-diesel.md`, `docs/from-sea-orm.md`,
//! `docs/from-sqlx.md`.

use plain_planner::{
    Client, Error, ExamType, Isolation, Parent, Role, Student, exam_type, student, student_exam, user,
};
use relata::uuid::Uuid;
use relata::{Result, count, params};

use super::Book;

async fn reads(db: &Client, tenant: Uuid, id: Uuid, year: Option<i32>) -> Result<()> {
    let student: Option<Student> = db.student().find_unique(student::id.eq(id)).await?;
    assert!(student.is_some());

    let students = db
        .student()
        .find_many()
        .filter(student::institution_id.eq(tenant))
        .filter(student::class_year.eq_opt(year))
        .order_by(student::class_year.desc())
        .take(20)
        .await?;
    assert_eq!(students.len(), 1);

    let students = db
        .student()
        .find_many()
        .include(student::user)
        .include(student::exams.include(student_exam::exam_type))
        .await?;
    for student in &students {
        println!("{}: {} exams", student.user.email, student.exams.len());
    }

    let students = db
        .student()
        .find_many()
        .filter(student::user.is(user::email.starts_with("a")))
        .filter(student::exams.some(student_exam::score.gt(90.0)))
        .await?;
    assert_eq!(students.len(), 0);

    let emails: Vec<(String, i32)> =
        db.student().find_many().select((student::user.select(user::email), student::class_year)).await?;
    assert_eq!(emails, [("a@x.edu".to_owned(), 2027)]);

    let per_year: Vec<(i32, i64)> = db.student().group_by(student::class_year).aggregate(count()).await?;
    assert_eq!(per_year, [(2027, 1)]);

    let per_year: Vec<(i32, i64)> = db
        .query_raw("SELECT class_year, count(*) FROM students WHERE institution_id = $1 GROUP BY 1", params![tenant])
        .await?;
    assert_eq!(per_year, [(2027, 1)]);
    Ok(())
}

async fn writes(db: &Client, tenant: Uuid, id: Uuid) -> Result<()> {
    let exam_type: ExamType = db
        .exam_type()
        .create(exam_type::Create {
            institution: tenant,
            code: "STEP1".to_owned(),
            name: "USMLE Step 1".to_owned(),
            default_weight: 1.0,
        })
        .await?;

    let row = exam_type::Create {
        institution: tenant,
        code: "STEP1".to_owned(),
        name: "USMLE Step 1".to_owned(),
        default_weight: 1.0,
    };
    let same = db
        .exam_type()
        .upsert(exam_type::institution_id_code.eq(tenant, "STEP1"), row)
        .set(exam_type::name.to("Step 1"))
        .await?;
    assert_eq!((same.id, same.name.as_str()), (exam_type.id, "Step 1"));

    let student: Student = db.student().update(student::id.eq(id)).set(student::class_year.to(2028)).await?;
    let changed: u64 = db
        .student()
        .update_many()
        .filter(student::class_year.lt(2030))
        .set(student::has_accommodations.to(true))
        .await?;
    assert_eq!((student.class_year, changed), (2028, 1));

    let user = db
        .user()
        .create(user::Create {
            institution: tenant,
            email: "ada@x.edu".to_owned(),
            password_hash: String::new(),
            role: Role::Student,
        })
        .with(user::student.create(student::Create { user: Parent, institution: tenant, class_year: 2027 }))
        .await?;

    let again =
        user::Create { institution: tenant, email: user.email, password_hash: String::new(), role: Role::Admin };
    match db.user().create(again).await {
        Err(Error::UniqueViolation(violation)) => println!("taken: {:?}", violation.columns),
        other => println!("unexpected: {other:?}"),
    }
    Ok(())
}

async fn transactions(db: &Client, tenant: Uuid) -> Result<()> {
    let tx = db.begin().await?;
    tx.student().update_many().filter(student::institution_id.eq(tenant)).set(student::class_year.increment(1)).await?;
    tx.commit().await?;

    let count = db.retrying(3).transaction(async |tx| tx.student().count().await);
    let students = count.isolation(Isolation::Serializable).await?;
    assert_eq!(students, 2);
    Ok(())
}

#[tokio::test]
async fn what_stands_on_the_right() -> Result<()> {
    let Book { fixture, tenant, student: Student { id, .. }, .. } = Book::open().await;
    reads(&fixture.db, tenant, id, None).await?;
    writes(&fixture.db, tenant, id).await?;
    transactions(&fixture.db, tenant).await
}

/// The text of the files in `tests/it`.
fn sources_of(folder: &std::path::Path) -> String {
    let mut text = String::new();
    for entry in folder.read_dir().expect("is read") {
        let path = entry.expect("is read").path();
        if path.is_dir() {
            text += &sources_of(&path);
        } else {
            text += &std::fs::read_to_string(&path).expect("is text");
        }
    }
    text
}

/// Each row of "Further calls" names a test.
#[test]
fn further_calls_have_tests() {
    let sources = sources_of(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it"));
    for page in [
        include_str!("../../../docs/from-diesel.md"),
        include_str!("../../../docs/from-sea-orm.md"),
        include_str!("../../../docs/from-sqlx.md"),
    ] {
        let rows = page.split("## Further calls").nth(1).expect("has the section");
        let rows = rows.split("\n## ").next().unwrap_or_default().lines().filter(|line| line.starts_with("| "));
        let names: Vec<&str> = rows.skip(1).filter_map(|row| row.trim_end_matches(" |").rsplit("| ").next()).collect();
        assert!(names.len() > 10, "{names:?}");
        for name in names {
            let name = name.trim_matches('`');
            let is_test =
                sources.contains(&format!("]\nasync fn {name}(")) || sources.contains(&format!("]\nfn {name}("));
            assert!(is_test, "there is no test `{name}`");
        }
    }
}
