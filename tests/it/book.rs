//! The examples of the documentation and the README. Each Rust block is part of one of the files below, compiles, and
//! runs.

mod helpers;
mod libraries;
mod messages;
mod operations;
mod reads;
mod testing;
mod writes;

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{Days, Utc};
use plain_planner::{
    Client, Error, Isolation, Parent, Role, Session, Student, User, exam_type, session, student, student_exam, user,
};
use relata::migrate;
use relata::uuid::Uuid;
use relata::{ConnectOptions, Result, WithAll};
use relata_devdb::{DevDb, Feature};

use crate::support::Fixture;

/// The files that contain the examples.
const SOURCES: [&str; 25] = [
    include_str!("book.rs"),
    include_str!("audit/book.rs"),
    include_str!("book/helpers.rs"),
    include_str!("book/libraries.rs"),
    include_str!("book/messages.rs"),
    include_str!("book/operations.rs"),
    include_str!("book/reads.rs"),
    include_str!("book/testing.rs"),
    include_str!("book/writes.rs"),
    include_str!("citus.rs"),
    include_str!("constructs.rs"),
    include_str!("expressions.rs"),
    include_str!("generic.rs"),
    include_str!("json_types.rs"),
    include_str!("kinds.rs"),
    include_str!("patch.rs"),
    include_str!("planner.rs"),
    include_str!("replicas/book.rs"),
    include_str!("schemas.rs"),
    include_str!("soft_delete/book.rs"),
    include_str!("tenants/book.rs"),
    include_str!("tenants/people.rs"),
    include_str!("tenants/wall.rs"),
    include_str!("../../scripts/e2e-consumer.crate/build.rs"),
    include_str!("../../scripts/e2e-consumer.crate/src/main.rs"),
];

/// Returns the text without indentation and rustfmt's line breaks. On the pages, the folder of
/// migrations is that of a user's project, which is not below `tests`, and the default of `#[relata::test]`.
fn words(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ").replace("tests/plain/migrations", "migrations");
    let words = words.replace("#[relata::test(migrations = \"migrations\")]", "#[relata::test]");
    let words = words.replace("#[relata::test(migrations = \"migrations\", ", "#[relata::test(");
    words.replace("( ", "(").replace(" .", ".").replace(", )", ")")
}

fn rust_blocks(page: &str) -> impl Iterator<Item = &str> {
    page.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next())
}

#[test]
fn every_example_is_compiled() {
    let sources = SOURCES.map(words);
    for (page, text) in [
        ("README.md", include_str!("../../README.md")),
        ("docs/audit.md", include_str!("../../docs/audit.md")),
        ("docs/client.md", include_str!("../../docs/client.md")),
        ("docs/devdb.md", include_str!("../../docs/devdb.md")),
        ("docs/from-diesel.md", include_str!("../../docs/from-diesel.md")),
        ("docs/from-sea-orm.md", include_str!("../../docs/from-sea-orm.md")),
        ("docs/from-sqlx.md", include_str!("../../docs/from-sqlx.md")),
        ("docs/helpers.md", include_str!("../../docs/helpers.md")),
        ("docs/messages-and-locks.md", include_str!("../../docs/messages-and-locks.md")),
        ("docs/operations.md", include_str!("../../docs/operations.md")),
        ("docs/migrations.md", include_str!("../../docs/migrations.md")),
        ("docs/tenants.md", include_str!("../../docs/tenants.md")),
        ("docs/testing.md", include_str!("../../docs/testing.md")),
    ] {
        assert!(rust_blocks(text).count() > 0, "{page} has no example");
        for block in rust_blocks(text) {
            assert!(sources.iter().any(|source| source.contains(&words(block))), "{page} has its own idea of\n{block}");
        }
    }
}

#[test]
fn a_test_that_the_server_may_lack_something_for() {
    let server = crate::support::devdb();
    if server.skips_without(&[Feature::Cancel]) {
        return;
    }
    assert!(server.has(Feature::Cancel));
}

/// Every relative link of a page leads to a file.
#[test]
fn links_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<PathBuf> =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|name| root.join(name)).into();
    for folder in ["docs", "docs/decisions"] {
        let entries = root.join(folder).read_dir().expect("is read").map(|entry| entry.expect("is read").path());
        pages.extend(entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    for page in pages {
        let text = std::fs::read_to_string(&page).expect("is read");
        assert!(!text.contains("\n<<<<<<< "), "{} has an unfinished merge", page.display());
        let links = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        for link in links.filter(|link| !link.is_empty() && !link.contains("://")) {
            let target = page.parent().expect("is in a folder").join(link);
            assert!(target.exists(), "{} leads to {link}", page.display());
        }
    }
}

/// Every page of `docs` has a place in the book: in `SUMMARY.md`, or in the list of its folder.
#[test]
fn every_page_is_in_the_book() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    for (folder, list) in [("", "SUMMARY.md"), ("codes", "README.md"), ("decisions", "README.md")] {
        let folder = docs.join(folder);
        let listed = std::fs::read_to_string(folder.join(list)).expect("is read");
        for entry in folder.read_dir().expect("is read") {
            let name = entry.expect("is read").file_name().to_string_lossy().into_owned();
            let is_page = name.ends_with(".md") && name != list;
            assert!(!is_page || listed.contains(&format!("({name})")), "{list} does not list {name}");
        }
    }
}

/// The list of decisions has their titles.
#[test]
fn decisions_are_listed_by_their_titles() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/decisions");
    let list = std::fs::read_to_string(folder.join("README.md")).expect("is read");
    for line in list.lines().filter(|line| line.starts_with("- [")) {
        let (number, rest) = line[3..].split_once("](").expect("is a link");
        let (file, title) = rest.split_once("): ").expect("a title follows");
        let page = std::fs::read_to_string(folder.join(file)).expect("is read");
        assert_eq!(page.lines().next(), Some(format!("# {number}: {title}").as_str()), "{file}");
    }
}

/// The README quotes the schema.
#[test]
fn the_tour_starts_with_the_schema() {
    let block = include_str!("../../README.md").split("```prisma\n").nth(1).and_then(|rest| rest.split("```").next());
    assert!(include_str!("../../schema.dsl").contains(block.expect("the README quotes the schema")));
}

/// The program of `docs/devdb.md`, and how a program applies its migrations in `docs/migrations.md`.
#[tokio::test]
async fn a_database_for_a_program() -> Result<(), Box<dyn std::error::Error>> {
    let server = DevDb::start()?;
    println!("{}", server.describe());
    let database = server.create_database("notes")?;
    let url = database.url();
    let migrations = relata::migrations!()?;
    let options: ConnectOptions = url.parse()?;
    let mut connection = options.connect_direct().await?;
    let report = migrate::deploy(&mut connection, &migrations, &migrate::Options::default()).await?;
    println!("applied {}, {} before", report.applied.len(), report.already_applied);
    use relata::migrate::{Ahead, Every, create_partitions};

    let wanted = Ahead::new(Every::Month, 3);
    for partition in create_partitions(&mut connection, &wanted, &migrate::Options::default()).await? {
        println!("created {}, for {} to {}", partition.name, partition.from, partition.to);
    }
    drop(connection);
    assert_eq!((report.applied.len(), report.already_applied), (2, 0));

    let db = Client::connect(database.url()).await?;
    assert_eq!(db.user().count().await?, 0);
    Ok(())
}

pub(crate) struct Book {
    fixture: Fixture,
    tenant: Uuid,
    student: Student,
    email: String,
    password_hash: String,
}

impl Book {
    async fn open() -> Self {
        let fixture = Fixture::new().await;
        let tenant = fixture.institution("north").await.id;
        let student = fixture.student(tenant, "a@x.edu", 2027).await;
        Self { fixture, tenant, student, email: "new@x.edu".to_owned(), password_hash: "hash".to_owned() }
    }
}

#[tokio::test]
async fn connecting() -> Result<()> {
    if crate::support::devdb().skips_behind_pooler(&[crate::support::Need::Settings]) {
        return Ok(());
    }
    let Book { fixture, .. } = Book::open().await;
    let url = fixture.database.url().to_owned();
    drop(fixture.db);
    {
        let db = Client::connect(&url).await?;
        assert_eq!(db.user().count().await?, 1);
        db.close();
    }
    let db = Client::builder(&url)?
        .max_connections(5)
        .acquire_timeout(Duration::from_secs(5))
        .connect_timeout(Duration::from_secs(3))
        .statement_timeout(Duration::from_secs(30))
        .application_name("planner")
        .connect()
        .await?;
    assert_eq!(db.user().count().await?, 1);
    Ok(())
}

#[tokio::test]
async fn reading() -> Result<()> {
    let Book { fixture, tenant, student: Student { id: student_id, user_id: id, .. }, .. } = Book::open().await;
    let db = &fixture.db;
    let found: Option<User> = db.user().find_unique(user::institution_id_email.eq(tenant, "a@x.edu")).await?;
    let user: User = db.user().find_unique(user::id.eq(id)).or_err().await?;
    assert_eq!(found, Some(user));

    let latest: Option<Student> = db.student().find_first().order_by(student::created_at.desc()).await?;
    let page: Vec<Student> = db
        .student()
        .find_many()
        .filter(student::institution_id.eq(tenant))
        .order_by(student::class_year.desc())
        .order_by(student::id.asc())
        .skip(20)
        .take(10)
        .await?;
    let how_many: u64 = db.student().count().filter(student::class_year.gte(2027)).await?;
    assert_eq!((latest.map(|student| student.id), page.len(), how_many), (Some(student_id), 0, 1));

    let search = Some("A@X");
    let mut filter = student::institution_id.eq(tenant)
        & (student::class_year.between(2026, 2028) | !student::has_accommodations.eq(true));
    if let Some(part) = search {
        filter = filter & student::user.is(user::email.contains_insensitive(part));
    }
    let students = db.student().find_many().filter(filter).await?;
    assert_eq!(students.len(), 1);

    let rows: Vec<(Uuid, String, i64)> = db
        .student()
        .find_many()
        .select((student::id, student::user.select(user::email), student::exams.count()))
        .await?;
    assert_eq!(rows, [(student_id, "a@x.edu".to_owned(), 0)]);
    Ok(())
}

#[tokio::test]
async fn including() -> Result<()> {
    fn greet(student: &student::WithUser) -> String {
        format!("Dear {}", student.user.email)
    }

    type Report =
        WithAll<(student::WithUser, student::WithInstitution, student::WithExams<student_exam::WithExamType>)>;

    let Book { fixture, tenant, student: Student { id, .. }, .. } = Book::open().await;
    let db = &fixture.db;
    let exam_type = fixture.exam_type(tenant, "STEP1").await.id;
    db.student_exam().create(student_exam::Create { student: id, exam_type }).set(student_exam::score.to(90.0)).await?;
    let student = db
        .student()
        .find_unique(student::id.eq(id))
        .include(student::user)
        .include(
            student::exams
                .filter(student_exam::score.is_not_null())
                .order_by(student_exam::scheduled_on.asc())
                .take(5)
                .include(student_exam::exam_type),
        )
        .or_err()
        .await?;
    for exam in &student.exams {
        println!("{}: {:?}", exam.exam_type.name, exam.score);
    }
    assert_eq!((student.exams.len(), student.user.email.as_str()), (1, "a@x.edu"));

    let with_user = db.student().find_unique(student::id.eq(id)).include(student::user).or_err().await?;
    assert_eq!(greet(&with_user), "Dear a@x.edu");
    let report: Report = db
        .student()
        .find_unique(student::id.eq(id))
        .include(student::user)
        .include(student::institution)
        .include(student::exams.include(student_exam::exam_type))
        .or_err()
        .await?;
    assert_eq!(report.exams[0].exam_type.code, "STEP1");
    Ok(())
}

#[tokio::test]
async fn creating() -> Result<()> {
    let Book { fixture, tenant, email, password_hash, .. } = Book::open().await;
    let db = &fixture.db;
    let tomorrow = Utc::now() + Days::new(1);
    let user_id = fixture.user(tenant, "b@x.edu").await.id;
    let student = db
        .student()
        .create(student::Create { user: user_id, institution: tenant, class_year: 2027 })
        .set(student::has_accommodations.to(true))
        .await?;
    assert!(student.has_accommodations);

    let session = db
        .session()
        .create(session::Create { user: user::institution_id_email.eq(tenant, "a@x.edu"), expires_at: tomorrow })
        .await?;
    let user = db
        .user()
        .create(user::Create { institution: tenant, email, password_hash, role: Role::Student })
        .with(user::student.create(student::Create { user: Parent, institution: tenant, class_year: 2027 }))
        .with(user::sessions.create_many([session::Create { user: Parent, expires_at: tomorrow }]))
        .await?;
    assert_ne!(session.user_id, user.id);
    assert_eq!((db.student().count().await?, db.session().count().await?), (3, 2));

    let rows = ["STEP1", "STEP2", "STEP3"].map(|code| exam_type::Create {
        institution: tenant,
        code: code.to_owned(),
        name: format!("USMLE {code}"),
        default_weight: 1.0,
    });
    let created: u64 = db.exam_type().create_many(rows).await?;
    assert_eq!(created, 3);

    let row = exam_type::Create {
        institution: tenant,
        code: "STEP1".into(),
        name: "USMLE Step 1".into(),
        default_weight: 0.6,
    };
    let exam_type = db
        .exam_type()
        .upsert(exam_type::institution_id_code.eq(tenant, "STEP1"), row)
        .set(exam_type::name.to("USMLE Step 1"))
        .await?;
    assert_eq!((exam_type.name.as_str(), exam_type.default_weight), ("USMLE Step 1", 1.0));
    Ok(())
}

#[tokio::test]
async fn changing() -> Result<()> {
    let Book { fixture, tenant, student, .. } = Book::open().await;
    let db = &fixture.db;
    let exam_type = fixture.exam_type(tenant, "STEP1").await.id;
    db.student_exam()
        .create(student_exam::Create { student: student.id, exam_type })
        .set(student_exam::weight.to(0.5))
        .await?;
    let id = student.user_id;
    let user = db.user().update(user::id.eq(id)).set(user::role.to(Role::Faculty)).await?;
    let changed: u64 = db
        .student_exam()
        .update_many()
        .filter(student_exam::student.is(student::institution_id.eq(tenant)))
        .set(student_exam::weight.multiply(2.0))
        .await?;
    assert_eq!((user.role, changed), (Role::Faculty, 1));
    assert_eq!(db.student_exam().find_many().select(student_exam::weight).await?, [Some(1.0)]);

    let expires_at = Utc::now() - Days::new(1);
    let id = db.session().create(session::Create { user: user.id, expires_at }).await?.id;
    db.session().create(session::Create { user: user.id, expires_at }).await?;
    let gone: Session = db.session().delete(session::id.eq(id)).await?;
    let deleted: u64 = db.session().delete_many().filter(session::expires_at.lt(Utc::now())).await?;
    assert_eq!((gone.id, deleted), (id, 1));
    Ok(())
}

#[tokio::test]
async fn several_calls_at_once() -> Result<()> {
    let Book { fixture, tenant, email, password_hash, .. } = Book::open().await;
    let db = &fixture.db;
    let tomorrow = Utc::now() + Days::new(1);
    let tx = db.begin().await?;
    let user = tx.user().create(user::Create { institution: tenant, email, password_hash, role: Role::Admin }).await?;
    tx.session().create(session::Create { user: user.id, expires_at: tomorrow }).await?;
    tx.commit().await?;

    let students: u64 = db
        .transaction(async |tx| {
            tx.exam_type().update_many().all_rows().set(exam_type::default_weight.to(1.0)).await?;
            tx.student().count().await
        })
        .isolation(Isolation::Serializable)
        .await?;
    assert_eq!(students, 1);

    let (users, students) = db.batch((db.user().count(), db.student().find_many().take(10))).await?;
    assert_eq!((users, students.len()), (2, 1));
    Ok(())
}

#[tokio::test]
async fn errors() -> Result<()> {
    let Book { fixture, tenant, .. } = Book::open().await;
    let db = &fixture.db;
    for (institution, email) in [(tenant, "a@x.edu"), (Uuid::nil(), "b@x.edu"), (tenant, "c@x.edu")] {
        let row = user::Create { institution, email: email.into(), password_hash: "…".into(), role: Role::Student };
        match db.user().create(row).await {
            Ok(user) => println!("welcome, {}", user.email),
            Err(Error::UniqueViolation(c)) if c.constraint == user::INSTITUTION_ID_EMAIL_KEY => println!("taken"),
            Err(Error::ForeignKeyViolation(c)) => println!("no such row: {:?}", c.columns),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
