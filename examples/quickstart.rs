//! A short tour of Relata: a database, its migrations, tenants, rows, queries, and an error to match on.
//!
//! `cargo run --example quickstart` needs no database: it finds or starts one, and drops what it created.

use chrono::{DateTime, Days, NaiveDate, Utc};
use exam_planner::{
    Client, Error, ExamType, Parent, Role, TenantClient, exam_type, institution, session, student, student_exam, user,
};
use relata::migrate;
use relata::uuid::Uuid;
use relata::{ConnectOptions, WithAll};
use relata_devdb::DevDb;

type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let server = DevDb::start()?;
    println!("database          {}", server.describe());
    let database = server.create_database("quickstart")?;
    apply_migrations(database.url()).await?;
    let db = Client::connect(database.url()).await?;

    let north = create_institution(&db, "North Medical School", "north").await?;
    let south = create_institution(&db, "South Medical School", "south").await?;
    let exam_types = create_exam_types(&north).await?;
    let ada = create_student_step_by_step(&north, &exam_types).await?;
    create_student_in_one_go(&north, &exam_types).await?;
    create_student_elsewhere(&south).await?;

    show_student(&north, ada).await?;
    show_students_of_one_institution(&db, &north).await?;
    look_from_elsewhere(&south, ada, &exam_types).await?;
    clean_up_sessions(&db, &north).await?;
    register_twice(&north).await?;
    Ok(())
}

/// A program can migrate its database itself when it starts.
async fn apply_migrations(url: &str) -> Result<()> {
    let migrations = relata::migrations!()?;
    let options: ConnectOptions = url.parse()?;
    let mut connection = options.connect_direct().await?;
    let report = migrate::deploy(&mut connection, &migrations, &migrate::Options::default()).await?;
    println!("migrations        {} applied", report.applied.len());
    Ok(())
}

/// Returns a client of the new institution. It sees the rows of that institution alone, and creates rows for it.
async fn create_institution(db: &Client, name: &str, slug: &str) -> Result<TenantClient> {
    let row = institution::Create { name: name.to_owned(), slug: slug.to_owned() };
    let institution = db.across_tenants().institution().create(row).await?;
    Ok(db.tenant(institution.id))
}

async fn create_exam_types(north: &TenantClient) -> Result<Vec<ExamType>> {
    let row = |code: &str, name: &str, default_weight| exam_type::Create {
        code: code.to_owned(),
        name: name.to_owned(),
        default_weight,
    };
    let rows = [row("STEP1", "USMLE Step 1", 0.6), row("STEP2", "USMLE Step 2 CK", 0.4)];
    let created = north.exam_type().create_many(rows).await?;
    println!("exam types        {created} of {}", name_of(north).await?);
    Ok(north.exam_type().find_many().order_by(exam_type::code.asc()).await?)
}

/// An institution sees itself, too, and no other.
async fn name_of(institution: &TenantClient) -> Result<String> {
    Ok(institution.institution().find_first().or_err().await?.name)
}

/// Every required field is a field of `Create`, without the institution. Optional fields, and those with a default, are
/// added with `set`.
async fn create_student_step_by_step(north: &TenantClient, types: &[ExamType]) -> Result<Uuid> {
    let user = north.user().create(new_user("ada@north.edu")).await?;
    let student = north
        .student()
        .create(student::Create { user: user.id, class_year: 2027 })
        .set(student::has_accommodations.to(true))
        .await?;
    for (exam_type, on, score) in [(&types[0], date(2026, 3, 2), Some(92.5)), (&types[1], date(2026, 9, 14), None)] {
        north
            .student_exam()
            .create(student_exam::Create { student: student.id, exam_type: exam_type.id })
            .set(student_exam::scheduled_on.to_nullable(on))
            .set(student_exam::weight.to(exam_type.default_weight))
            .set(student_exam::score.to_nullable(score))
            .await?;
    }
    println!("student           {}, created step by step", user.email);
    Ok(student.id)
}

/// Creates a user with a student with an exam, in one transaction. `Parent` is the surrounding row.
async fn create_student_in_one_go(north: &TenantClient, types: &[ExamType]) -> Result<()> {
    let exam = student_exam::Create { student: Parent, exam_type: types[0].id };
    let student = student::Create { user: Parent, class_year: 2028 }
        .set(student::has_accommodations.to(true))
        .with(student::exams.create(exam.set(student_exam::scheduled_on.to_nullable(date(2026, 3, 2)))));
    let user = north.user().create(new_user("bob@north.edu")).with(user::student.create(student)).await?;
    println!("student           {}, created in one nested call", user.email);
    Ok(())
}

async fn create_student_elsewhere(south: &TenantClient) -> Result<()> {
    let student = student::Create { user: Parent, class_year: 2027 };
    let user = south.user().create(new_user("eve@south.edu")).with(user::student.create(student)).await?;
    println!("student           {}, of {}", user.email, name_of(south).await?);
    Ok(())
}

/// A row with relations has its own type, so it can be passed between functions. A relation that was not included has
/// no fields: code that accesses them does not compile.
type FullStudent =
    WithAll<(student::WithInstitution, student::WithUser, student::WithExams<student_exam::WithExamType>)>;

async fn show_student(north: &TenantClient, id: Uuid) -> Result<()> {
    let found: Option<FullStudent> = north
        .student()
        .find_unique(student::id.eq(id))
        .include(student::user)
        .include(student::institution)
        .include(student::exams.order_by(student_exam::scheduled_on.asc()).include(student_exam::exam_type))
        .await?;
    let Some(student) = found else { return Err("the student is gone".into()) };
    println!("\na student with user, institution and exams");
    println!("  user            {} ({})", student.user.email, student.user.role);
    println!("  institution     {}", student.institution.name);
    println!("  class year      {}, accommodations: {}", student.class_year, student.has_accommodations);
    for exam in &student.exams {
        let on = exam.scheduled_on.map_or_else(|| "no date".to_owned(), |on| on.to_string());
        let score = exam.score.map_or_else(|| "no score yet".to_owned(), |score| format!("score {score}"));
        println!("  exam            {on}  {:<6} {:<16} {score}", exam.exam_type.code, exam.exam_type.name);
    }
    Ok(())
}

/// Filters are values: they compose with `&`, `|` and `!`, and reach through relations.
async fn show_students_of_one_institution(db: &Client, north: &TenantClient) -> Result<()> {
    let rows: Vec<(String, i32, i64)> = north
        .student()
        .find_many()
        .filter(student::class_year.gte(2027) & student::user.is(user::role.eq(Role::Student)))
        .order_by(student::class_year.asc())
        .select((student::user.select(user::email), student::class_year, student::exams.count()))
        .await?;
    let in_all = db.across_tenants().student().count().await?;
    println!("\nstudents of {} alone, of {in_all} in all", name_of(north).await?);
    for (email, class_year, exams) in rows {
        println!("  {email:<15} class of {class_year}, exams: {exams}");
    }
    Ok(())
}

/// Another institution neither finds the student nor can refer to it: the foreign key holds the institution, too.
async fn look_from_elsewhere(south: &TenantClient, ada: Uuid, types: &[ExamType]) -> Result<()> {
    let found = south.student().find_unique(student::id.eq(ada)).await?;
    let exam = student_exam::Create { student: ada, exam_type: types[0].id };
    match south.student_exam().create(exam).await {
        Err(Error::ForeignKeyViolation(_)) if found.is_none() => {
            println!(
                "\nfrom elsewhere    {} does not find ada@north.edu, nor can it refer to her",
                name_of(south).await?
            );
            Ok(())
        }
        Err(other) => Err(other.into()),
        Ok(_) => Err("an exam of one institution has a student of another".into()),
    }
}

async fn clean_up_sessions(db: &Client, north: &TenantClient) -> Result<()> {
    let now = Utc::now();
    let session = |expires_at: DateTime<Utc>| session::Create { user: user::email.eq("ada@north.edu"), expires_at };
    for expires_at in [now - Days::new(30), now - Days::new(1), now + Days::new(1)] {
        north.session().create(session(expires_at)).await?;
    }
    // A task of the operator's covers all institutions, and says so.
    let all = db.across_tenants();
    let deleted = all.session().delete_many().filter(session::expires_at.lt(now)).await?;
    println!("\nexpired sessions  {deleted} deleted, {} left", all.session().count().await?);
    Ok(())
}

async fn register_twice(north: &TenantClient) -> Result<()> {
    match north.user().create(new_user("ada@north.edu")).await {
        Err(Error::UniqueViolation(violation)) if violation.constraint == user::INSTITUTION_ID_EMAIL_KEY => {
            println!("duplicate e-mail  refused by {} ({})", violation.constraint, violation.columns.join(", "));
            Ok(())
        }
        Err(other) => Err(other.into()),
        Ok(user) => Err(format!("{} was registered twice", user.email).into()),
    }
}

fn new_user(email: &str) -> user::Create {
    user::Create {
        email: email.to_owned(),
        password_hash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".to_owned(),
        role: Role::Student,
    }
}

fn date(year: i32, month: u32, day: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month, day)
}
