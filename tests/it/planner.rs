//! The exam planner of the repository: its migrations keep existing rows, and an institution's data stays its own.

use std::path::Path;

use exam_planner::{
    Client, Error, Parent, Role, exam_type, institution, queries, session, student, student_exam, user,
};
use relata::chrono::Utc;
use relata::migrate::{self, Migrations};
use relata::uuid::Uuid;

use crate::support::{Database, connect, devdb, plain_sql};

/// Rows as the first version of the schema had them, two institutions with a student, a session and an exam each.
const ROWS: &str = "
    INSERT INTO institutions (id, name, slug, updated_at) VALUES
      ('00000000-0000-0000-0000-000000000001', 'North', 'north', now()),
      ('00000000-0000-0000-0000-000000000002', 'South', 'south', now());
    INSERT INTO users (id, institution_id, email, password_hash, role, updated_at)
      SELECT overlay(id::text placing '1' from 1)::uuid, id, 'ada@x.edu', '', 'STUDENT', now() FROM institutions;
    INSERT INTO sessions (id, user_id, expires_at) SELECT gen_random_uuid(), id, now() FROM users;
    INSERT INTO students (id, user_id, institution_id, class_year, updated_at)
      SELECT overlay(id::text placing '2' from 1)::uuid, id, institution_id, 2027, now() FROM users;
    INSERT INTO exam_types (id, institution_id, code, name, default_weight, updated_at)
      SELECT overlay(id::text placing '3' from 1)::uuid, id, 'STEP1', 'Step 1', 1, now() FROM institutions;
    INSERT INTO student_exams (id, student_id, exam_type_id, score, updated_at)
      SELECT gen_random_uuid(), s.id, t.id, 90, now()
      FROM students s JOIN exam_types t ON t.institution_id = s.institution_id;";

/// An exam of a student of the north, of a type of the south: the first version of the schema allowed it.
const MIXED: &str = "
    INSERT INTO student_exams (id, student_id, exam_type_id, updated_at)
      SELECT gen_random_uuid(), s.id, t.id, now()
      FROM students s JOIN exam_types t ON t.institution_id <> s.institution_id ORDER BY s.id LIMIT 1;";

const NORTH: Uuid = Uuid::from_u128(1);
const SOUTH: Uuid = Uuid::from_u128(2);

/// A database at the first migration, with rows.
async fn first_version(rows: &str) -> (Database, relata::tokio_postgres::Client) {
    let database = devdb().create_database("planner").expect("a database is made");
    let mut connection = connect(database.url()).await;
    let first = Migrations::from_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plain/migrations"));
    let report = migrate::deploy(&mut connection, &first.expect("are read"), &migrate::Options::default()).await;
    assert_eq!(report.expect("is applied").applied.len(), 1);
    connection.batch_execute(rows).await.expect("the rows are right");
    (database, connection)
}

async fn deploy(connection: &mut relata::tokio_postgres::Client) -> Result<usize, migrate::Error> {
    let migrations = relata::migrations!().expect("are read");
    let report = migrate::deploy(connection, &migrations, &migrate::Options::default()).await?;
    Ok(report.applied.len())
}

#[tokio::test]
async fn existing_rows_belong_to_their_institution_after_the_migration() {
    let (database, mut connection) = first_version(ROWS).await;
    assert_eq!(deploy(&mut connection).await.expect("is applied"), 1);
    let db = Client::connect(database.url()).await.expect("connects");
    for id in [NORTH, SOUTH] {
        let here = db.tenant(id);
        let exam = here.student_exam().find_first().include(student_exam::student.include(student::user));
        let exam = exam.include(student_exam::exam_type).or_err().await.expect("is there");
        assert_eq!((exam.institution_id, exam.score), (id, Some(90.0)));
        assert_eq!((exam.student.user.institution_id, exam.exam_type.institution_id), (id, id));
        let counts = here.batch((here.user().count(), here.session().count(), here.student_exam().count())).await;
        assert_eq!(counts.expect("counts"), (1, 1, 1));
    }
}

#[tokio::test]
async fn rows_that_mix_institutions_stop_the_migration_and_nothing_is_changed() {
    let (database, mut connection) = first_version(&format!("{ROWS}{MIXED}")).await;
    let failed = deploy(&mut connection).await.expect_err("a foreign key refuses the exam").to_string();
    assert!(failed.contains("student_exams_institution_id_exam_type_id_fkey"), "{failed}");
    let columns = "SELECT 1 FROM information_schema.columns WHERE column_name = 'institution_id' \
                   AND table_name IN ('sessions', 'student_exams')";
    assert_eq!(plain_sql(database.url(), columns).await.len(), 0);
    assert_eq!(plain_sql(database.url(), "SELECT 1 FROM student_exams").await.len(), 3);

    // The remedy: correct the rows, and deploy again.
    let correct = "DELETE FROM student_exams e USING students s, exam_types t \
                   WHERE s.id = e.student_id AND t.id = e.exam_type_id AND s.institution_id <> t.institution_id";
    assert_eq!(connection.execute(correct, &[]).await.expect("is right"), 1);
    assert_eq!(deploy(&mut connection).await.expect("is applied"), 1);
}

/// A database at the last migration, with the rows of two institutions.
async fn planner() -> (Database, Client) {
    let (database, mut connection) = first_version(ROWS).await;
    deploy(&mut connection).await.expect("is applied");
    let db = Client::connect(database.url()).await.expect("connects");
    (database, db)
}

#[tokio::test]
async fn an_institution_reaches_nothing_of_another() {
    let (_database, db) = planner().await;
    let (north, south) = (db.tenant(NORTH), db.tenant(SOUTH));
    let ada = south.student().find_first().or_err().await.expect("is there").id;
    let own_type = north.exam_type().find_unique(exam_type::code.eq("STEP1")).or_err().await.expect("is there").id;

    assert_eq!(north.student().find_unique(student::id.eq(ada)).await.expect("reads"), None);
    let update = north.student().update(student::id.eq(ada)).set(student::class_year.to(1)).await;
    assert!(matches!(update, Err(Error::NotFound { .. })), "{update:?}");
    assert_eq!(north.student().delete_many().filter(student::id.eq(ada)).await.expect("runs"), 0);
    let exam = north.student_exam().create(student_exam::Create { student: ada, exam_type: own_type }).await;
    assert!(matches!(exam, Err(Error::ForeignKeyViolation(_))), "{exam:?}");
    let session = session::Create { user: user::id.eq(Uuid::from_u128(2 + (1 << 124))), expires_at: Utc::now() };
    let session = north.session().create(session).await;
    assert!(matches!(session, Err(Error::NotFound { .. })), "{session:?}");

    // Both have a user with this address and an exam with this code, and neither learns of the other's.
    for here in [&north, &south] {
        let again = user::Create { email: "ada@x.edu".into(), password_hash: String::new(), role: Role::Faculty };
        let again = here.user().create(again).await;
        assert!(matches!(&again, Err(Error::UniqueViolation(c)) if c.constraint == user::INSTITUTION_ID_EMAIL_KEY));
    }
    assert_eq!(north.query(queries::standings()).await.expect("reads").len(), 1);
    assert_eq!(north.query(queries::score_trend()).await.expect("reads").len(), 1);
    assert_eq!(north.query(queries::students_of(2028)).await.expect("reads").len(), 0);
    assert_eq!(db.across_tenants().query(queries::standings()).await.expect("reads").len(), 2);
    assert_eq!(south.student().find_unique(student::id.eq(ada)).or_err().await.expect("is there").class_year, 2027);
}

#[tokio::test]
async fn query_files_that_write_are_of_one_institution() {
    let (_database, db) = planner().await;
    let (north, all) = (db.tenant(NORTH), db.across_tenants());
    let row = exam_type::Create { code: "STEP2".into(), name: "Step 2".into(), default_weight: 1.0 };
    north.exam_type().create(row).await.expect("is created");
    // The south has no such exam, and the north's is not scheduled for its students.
    let south = db.tenant(SOUTH);
    assert_eq!(south.query(queries::schedule_class(None, "STEP2", 2027)).await.expect("writes"), []);
    let scheduled = north.query(queries::schedule_class(None, "STEP2", 2027)).await.expect("writes");
    let student = north.student().find_first().or_err().await.expect("is there").id;
    assert_eq!(scheduled.iter().map(|exam| exam.student_id).collect::<Vec<_>>(), [student]);
    let exam = north.student_exam().find_unique(student_exam::id.eq(scheduled[0].id)).or_err().await.expect("is there");
    assert_eq!((exam.institution_id, exam.scheduled_on), (NORTH, None));
    assert_eq!(all.student_exam().count().await.expect("counts"), 3);
    // The file schedules no student twice. This also holds in a transaction of the plain client.
    let tx = db.begin().await.expect("begins");
    assert_eq!(tx.tenant(NORTH).query(queries::schedule_class(None, "STEP2", 2027)).await.expect("writes"), []);
    tx.commit().await.expect("commits");
    north.user().update_many().all_rows().set(user::email.to("ADA@X.EDU")).await.expect("writes");
    assert_eq!(all.query(queries::lower_emails(SOUTH)).await.expect("writes"), 0);
    assert_eq!(north.query(queries::lower_emails(SOUTH)).await.expect("writes"), 0);
    assert_eq!(all.query(queries::lower_emails(NORTH)).await.expect("writes"), 1);
}

/// An institution and everything of it go together.
#[tokio::test]
async fn an_institution_is_deleted_with_its_rows() {
    let (_database, db) = planner().await;
    let all = db.across_tenants();
    // Types of exams are kept while exams refer to them.
    let refused = all.exam_type().delete_many().filter(exam_type::institution_id.eq(NORTH)).await;
    assert!(matches!(refused, Err(Error::ForeignKeyViolation(_))), "{refused:?}");
    db.tenant(NORTH).student_exam().delete_many().all_rows().await.expect("deletes");
    all.institution().delete(institution::id.eq(NORTH)).await.expect("deletes");
    let left = all.batch((all.user().count(), all.student().count(), all.exam_type().count())).await;
    assert_eq!(left.expect("counts"), (1, 1, 1));
}

/// The tour of the README.
#[tokio::test]
async fn the_tour() -> relata::Result<()> {
    let (_database, db) = planner().await;
    let (id, email, password_hash) = (NORTH, "new@x.edu".to_owned(), "hash".to_owned());
    // A client of one institution. Everything through it is of that institution; `db.student()` does not compile.
    let north = db.tenant(id);

    // Every required field is a field of `Create`: leaving one out is rustc's "missing field".
    let user = north
        .user()
        .create(user::Create { email, password_hash, role: Role::Student })
        .with(user::student.create(student::Create { user: Parent, class_year: 2027 }))
        .await?;

    // Only a unique key is accepted here; what is included gets a type, what is not cannot be touched.
    let student = north
        .student()
        .find_unique(student::user_id.eq(user.id))
        .include(student::institution)
        .include(student::exams.order_by(student_exam::scheduled_on.asc()).include(student_exam::exam_type))
        .or_err()
        .await?;
    println!("{} in {}: {} exams", user.email, student.institution.name, student.exams.len());

    // Filters are values, reach through relations, and compose with `&`, `|` and `!`.
    let in_need = north
        .student()
        .find_many()
        .filter(student::class_year.gte(2027) & student::exams.none(student_exam::score.is_not_null()))
        .select((student::user.select(user::email), student::class_year))
        .await?;

    // Violations are named: the constraint is a constant of the model.
    let again = user::Create { email: user.email, password_hash: "…".into(), role: Role::Faculty };
    match north.user().create(again).await {
        Err(Error::UniqueViolation(c)) if c.constraint == user::INSTITUTION_ID_EMAIL_KEY => {}
        other => println!("unexpected: {other:?}"),
    }
    assert_eq!((in_need.len(), north.user().count().await?), (1, 2));
    Ok(())
}
