//! Custom structs: values of a model through `select_as`, and rows of raw SQL.

use plain_planner::{Role, Student, StudentExam, User, exam_type, session, student, student_exam, user};
use relata::{As, List, params};

use crate::support::Fixture;
use crate::wide;
use crate::wide::client::{Color, Person, Sample, person, sample};

#[derive(Debug, Clone, PartialEq, relata::Selectable)]
#[relata(from = Student)]
struct Card {
    class_year: i32,
    #[relata(select = student::user.select((user::email, user::role)))]
    user: (String, Role),
    #[relata(select = student::exams.filter(student_exam::score.gt(75.0)).count())]
    passed: i64,
    #[relata(nested)]
    institution: School,
    #[relata(select = student::exams.order_by(student_exam::score.desc()).take(2).select_as::<Exam>())]
    best: Vec<Exam>,
    #[relata(nested)]
    exams: Vec<Exam>,
}

#[derive(Debug, Clone, PartialEq, relata::Selectable)]
#[relata(from = plain_planner::Institution)]
struct School {
    slug: String,
}

#[derive(Debug, Clone, PartialEq, relata::Selectable)]
#[relata(from = StudentExam, module = plain_planner::student_exam)]
struct Exam {
    score: Option<f64>,
    #[relata(select = student_exam::exam_type.select(exam_type::code))]
    code: String,
}

#[derive(Debug, PartialEq, relata::Selectable)]
#[relata(from = User)]
struct Account {
    #[relata(nested)]
    student: Option<Years>,
    email: String,
    #[relata(select = user::sessions.select(session::expires_at))]
    sessions: Vec<chrono::DateTime<chrono::Utc>>,
}

#[derive(Debug, PartialEq, relata::Selectable)]
#[relata(from = Student)]
struct Years {
    class_year: i32,
}

async fn exams(fixture: &Fixture) -> relata::uuid::Uuid {
    let tenant = fixture.institution("north").await.id;
    let types = [fixture.exam_type(tenant, "A").await.id, fixture.exam_type(tenant, "B").await.id];
    for (number, email) in ["a@x.edu", "b@x.edu"].into_iter().enumerate() {
        let student = fixture.student(tenant, email, 2027 + number as i32).await.id;
        for (exam_type, score) in types.into_iter().zip([70.0, 80.0]) {
            let row = student_exam::Create { student, exam_type };
            let score = student_exam::score.to(score + number as f64);
            fixture.db.student_exam().create(row).set(score).await.expect("is created");
        }
    }
    tenant
}

#[tokio::test]
async fn values_of_a_model_become_a_struct() {
    let fixture = Fixture::new().await;
    let tenant = exams(&fixture).await;
    let db = &fixture.db;
    let query = || db.student().find_many().order_by(student::class_year.asc());
    let cards = query().select_as::<Card>().await.expect("is read");
    let tuples = query()
        .select((
            student::class_year,
            student::user.select((user::email, user::role)),
            student::exams.filter(student_exam::score.gt(75.0)).count(),
            student::institution.select(plain_planner::institution::slug),
            student::exams
                .order_by(student_exam::score.desc())
                .take(2)
                .select((student_exam::score, student_exam::exam_type.select(exam_type::code))),
        ))
        .await
        .expect("is read");
    assert_eq!(cards.len(), 2);
    for (card, (class_year, user, passed, slug, best)) in cards.iter().zip(tuples) {
        assert_eq!((card.class_year, &card.user, card.passed), (class_year, &user, passed));
        assert_eq!(card.institution, School { slug });
        let expected: Vec<_> = best.into_iter().map(|(score, code)| Exam { score, code }).collect();
        assert_eq!(card.best, expected);
        assert_eq!(card.exams.len(), 2);
    }
    assert_eq!(cards[0].best[0], Exam { score: Some(80.0), code: "B".to_owned() });

    let page = query().take(1).select_as::<Card>().page_after(None).await.expect("is read");
    assert_eq!((page.rows, page.next.is_some()), (cards[..1].to_vec(), true));
    let one = db.student().find_first().order_by(student::class_year.desc()).select_as::<Card>().await;
    assert_eq!(one.expect("is read").as_ref(), cards.last());
    let mut stream = query().select_as::<Card>().stream().rows_at_once(1);
    assert_eq!(stream.next().await.expect("there is one").expect("is read"), cards[0]);
    // An open stream is an open transaction; meanwhile, the embedded engine runs nothing else.
    drop(stream);
    let mixed = query().select((student::class_year, As::<Years>::new())).await.expect("is read");
    assert!(mixed.iter().all(|(year, years)| years.class_year == *year));

    let id = db.student().find_first().or_err().await.expect("is there").id;
    let changed = db.student().update(student::id.eq(id)).set(student::class_year.to(2040)).select_as::<Years>().await;
    assert_eq!(changed.expect("is changed"), Years { class_year: 2040 });
    let row =
        user::Create { institution: tenant, email: "c@x.edu".into(), password_hash: "".into(), role: Role::Admin };
    let account = db.user().create(row).select_as::<Account>().await.expect("is created");
    assert_eq!(account, Account { student: None, email: "c@x.edu".to_owned(), sessions: Vec::new() });
    let found = db.user().find_first().filter(user::email.eq("b@x.edu")).select_as::<Account>().await;
    assert!(found.expect("is read").is_some_and(|account| account.student.is_some()));
}

#[derive(Debug, PartialEq, relata::Selectable)]
#[relata(from = Sample)]
struct Odd {
    r#type: Option<String>,
    self_: i32,
    colors: Vec<Color>,
    maybe: Option<Color>,
    bytes: Option<Vec<u8>>,
}

#[derive(Debug, PartialEq, relata::Selectable)]
#[relata(from = Person)]
struct Worker {
    name: String,
    #[relata(nested)]
    manager: Option<Manager>,
    #[relata(select = person::reports.order_by(person::name.asc()).select_as::<Manager>())]
    reports: Vec<Manager>,
}

#[derive(Debug, PartialEq, relata::Selectable)]
#[relata(from = Person)]
struct Manager {
    name: String,
}

#[tokio::test]
async fn fields_of_every_kind_and_self_relations_are_read() {
    let fixture = wide::Fixture::new().await;
    let db = &fixture.db;
    let row = sample::Create { text: "a".to_owned() }
        .set(sample::r#type.to("t"))
        .set(sample::colors.to([Color::Red]))
        .set(sample::bytes.to(vec![1, 2]));
    let odd = db.sample().create(row).select_as::<Odd>().await.expect("is created");
    let expected =
        Odd { r#type: Some("t".to_owned()), self_: 1, colors: vec![Color::Red], maybe: None, bytes: Some(vec![1, 2]) };
    assert_eq!(odd, expected);
    let boss = db.person().create(person::Create { name: "boss".into() }).await.expect("is created").id;
    for name in ["y", "x"] {
        let row = person::Create { name: name.to_owned() }.set(person::manager_id.to(boss.as_str()));
        db.person().create(row).await.expect("is created");
    }
    let workers = db.person().find_many().order_by(person::name.asc()).select_as::<Worker>().await.expect("is read");
    let named = |name: &str| Manager { name: name.to_owned() };
    assert_eq!(workers[0], Worker { name: "boss".into(), manager: None, reports: vec![named("x"), named("y")] });
    assert_eq!(workers[1], Worker { name: "x".into(), manager: Some(named("boss")), reports: Vec::new() });
}

#[derive(Debug, PartialEq, relata::FromRawRow)]
struct Year {
    class_year: i32,
    #[relata(column = "count")]
    students: i64,
    emails: Vec<String>,
    least: Option<f64>,
    r#type: String,
}

#[tokio::test]
async fn rows_of_sql_become_a_struct() {
    let fixture = Fixture::new().await;
    exams(&fixture).await;
    let db = &fixture.db;
    let columns = [
        "s.class_year, count(*), array_agg(u.email) AS emails, NULL::float8 AS least, 'x' AS type",
        "'x' AS type, array_agg(u.email) AS emails, 7 AS more, NULL::float8 AS least, count(*), s.class_year",
    ];
    for columns in columns {
        let sql = format!(
            "SELECT {columns} FROM students s JOIN users u ON u.id = s.user_id WHERE s.class_year = ANY($1) \
             GROUP BY s.class_year ORDER BY s.class_year"
        );
        let years: Vec<Year> = db.query_raw(&sql, params![List(vec![2027])]).await.expect("is read");
        let expected = Year {
            class_year: 2027,
            students: 1,
            emails: vec!["a@x.edu".to_owned()],
            least: None,
            r#type: "x".to_owned(),
        };
        assert_eq!(years, [expected], "{columns}");
    }
    let wrong = db.query_raw::<Year>("SELECT 1 AS class_year", params![]).await.expect_err("lacks columns");
    assert!(wrong.to_string().contains("no column count"), "{wrong}");
    let wrong = db.query_raw::<Year>("SELECT 'x' AS class_year", params![]).await.expect_err("is a text");
    assert!(wrong.to_string().contains("column class_year is text"), "{wrong}");
}
