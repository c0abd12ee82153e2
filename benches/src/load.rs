//! Rows of the exam planner for measurements, created by its factories: the same ones for the same numbers.

use std::path::Path;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use plain_planner::{Client, Role, exam_type, institution, session, student, student_exam, user};
use relata::migrate::{self, Migrations};
use uuid::Uuid;

/// The numbers of rows for each institution.
const STUDENTS: usize = 1_000;
const EXAM_TYPES: usize = 10;
const EXAMS: usize = 5 * STUDENTS;
const SESSIONS: usize = 2 * STUDENTS;

/// The number of rows in memory at a time.
const PORTION: usize = 20_000;

/// The number of rows that [`fill`] creates for so many institutions, users and students included.
pub fn rows(institutions: usize) -> usize {
    institutions * (1 + 2 * STUDENTS + EXAM_TYPES + EXAMS + SESSIONS)
}

/// Returns the migrations of the tables.
///
/// # Errors
/// If they cannot be read.
pub fn migrations() -> Result<Migrations, migrate::Error> {
    Migrations::from_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/plain/migrations"))
}

/// Creates the tables.
///
/// # Errors
/// Those of the database.
pub async fn migrate(url: &str) -> crate::Result<()> {
    let mut connection = url.parse::<relata::ConnectOptions>()?.connect_direct().await?;
    migrate::deploy(&mut connection, &migrations()?, &migrate::Options::default()).await?;
    Ok(())
}

/// Returns the key of the row with this number: the same one every time, and spread as random keys are.
fn key(kind: u64, number: usize) -> Uuid {
    // SplitMix64 (Steele, Lea and Flood, 2014).
    let mixed = |seed: u64| {
        let state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^ (state >> 31)
    };
    let seed = (number as u64) << 8 | kind << 1;
    uuid::Builder::from_random_bytes((u128::from(mixed(seed + 1)) << 64 | u128::from(mixed(seed + 2))).to_be_bytes())
        .into_uuid()
}

fn institution_id(number: usize) -> Uuid {
    key(1, number)
}

fn user_id(number: usize) -> Uuid {
    key(2, number)
}

fn student_id(number: usize) -> Uuid {
    key(3, number)
}

fn exam_type_id(number: usize) -> Uuid {
    key(4, number)
}

/// The first numbers of portions, and how many rows each has.
fn portions(rows: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).step_by(PORTION).map(move |first| (first, PORTION.min(rows - first)))
}

/// Creates the rows of so many institutions: 1,000 users, each a student with five exams and two sessions, and ten
/// types of exams.
///
/// # Errors
/// Those of the database, which must have the tables and no rows.
pub async fn fill(db: &Client, institutions: usize) -> relata::Result<()> {
    let named = institution::Factory::new(1).with_each(|number| {
        let (name, slug) = (format!("School of medicine {number}"), format!("school-{number}"));
        [institution::id.to(institution_id(number)), institution::name.to(name), institution::slug.to(slug)]
    });
    named.create_many(db, institutions).await?;
    users(db, institutions).await?;
    students(db, institutions).await?;
    exam_types(db, institutions).await?;
    exams(db, institutions).await?;
    sessions(db, institutions).await
}

/// One fifth administers, one fifth teaches. Addresses begin with each letter.
async fn users(db: &Client, institutions: usize) -> relata::Result<()> {
    const ROLES: [Role; 5] = [Role::Admin, Role::Faculty, Role::Student, Role::Student, Role::Student];
    for (first, rows) in portions(institutions * STUDENTS) {
        let users = user::Factory::new(first as u64).with_each(move |number| {
            let number = first + number;
            let letter = char::from(b'a' + (number / institutions % 26) as u8);
            // As long as a hash of argon2 is.
            let hash = format!("$argon2id$v=19$m=19456,t=2,p=1${:032x}${:032x}", number * 7919, number * 104_729);
            [
                user::id.to(user_id(number)),
                user::institution_id.to(institution_id(number % institutions)),
                user::email.to(format!("{letter}.person.{number}@school.example")),
                user::password_hash.to(hash),
                user::role.to(ROLES[number / institutions % ROLES.len()]),
            ]
        });
        users.create_many(db, rows).await?;
    }
    Ok(())
}

async fn students(db: &Client, institutions: usize) -> relata::Result<()> {
    for (first, rows) in portions(institutions * STUDENTS) {
        let students = student::Factory::new(first as u64).with_each(move |number| {
            let number = first + number;
            [
                student::id.to(student_id(number)),
                student::user_id.to(user_id(number)),
                student::institution_id.to(institution_id(number % institutions)),
                student::class_year.to(2020 + (number * 37 % 11) as i32),
                student::has_accommodations.to(number % 13 == 0),
            ]
        });
        students.create_many(db, rows).await?;
    }
    Ok(())
}

async fn exam_types(db: &Client, institutions: usize) -> relata::Result<()> {
    let types = exam_type::Factory::new(1).with_each(move |number| {
        let step = number / institutions;
        [
            exam_type::id.to(exam_type_id(number)),
            exam_type::institution_id.to(institution_id(number % institutions)),
            exam_type::code.to(format!("STEP{step}")),
            exam_type::name.to(format!("Licensing exam, step {step}")),
            exam_type::default_weight.to(0.1 * (1 + number % 5) as f64),
        ]
    });
    types.create_many(db, institutions * EXAM_TYPES).await?;
    Ok(())
}

/// Of types that the student's institution offers. Some have no date, no weight or no score.
async fn exams(db: &Client, institutions: usize) -> relata::Result<()> {
    let (students, first_day) = (institutions * STUDENTS, NaiveDate::from_ymd_opt(2025, 1, 1).unwrap_or_default());
    for (first, rows) in portions(institutions * EXAMS) {
        let exams = student_exam::Factory::new(first as u64).with_each(move |number| {
            let number = first + number;
            let of_institution = (number / students + number / institutions) % EXAM_TYPES;
            let date = (number % 7 > 0).then(|| first_day + Days::new(number as u64 % 365));
            let weight = (number % 3 > 0).then_some(0.1 * (1 + number % 9) as f64);
            let score = (number % 6 > 0).then_some((number * 7907 % 1000) as f64 / 10.0);
            [
                student_exam::id.to(key(5, number)),
                student_exam::student_id.to(student_id(number % students)),
                student_exam::exam_type_id.to(exam_type_id(number % institutions + institutions * of_institution)),
                student_exam::scheduled_on.to_nullable(date),
                student_exam::weight.to_nullable(weight),
                student_exam::score.to_nullable(score),
            ]
        });
        exams.create_many(db, rows).await?;
    }
    Ok(())
}

async fn sessions(db: &Client, institutions: usize) -> relata::Result<()> {
    let (users, begin) =
        (institutions * STUDENTS, DateTime::<Utc>::from_timestamp(3_786_912_000, 0).unwrap_or_default());
    for (first, rows) in portions(institutions * SESSIONS) {
        let sessions = session::Factory::new(first as u64).with_each(move |number| {
            let number = first + number;
            [
                session::id.to(key(6, number)),
                session::user_id.to(user_id(number % users)),
                session::expires_at.to(begin + TimeDelta::minutes(number as i64)),
            ]
        });
        sessions.create_many(db, rows).await?;
    }
    Ok(())
}
