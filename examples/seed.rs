//! The seed of the exam planner: rows that every database for development has. It can run again and again, because
//! `upsert` creates only what is missing.
//!
//! With `seed = "cargo run --example seed --"` in codegen.toml, `codegen db seed` and `codegen migrate reset` run it. It
//! seeds the database of DATABASE_URL, which has all migrations: `cargo run --example seed [URL] [STUDENTS]`.

use std::env;

use exam_planner::{Client, Role, TenantClient, exam_type, institution, student, user};

type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

/// The number of students of each institution, if the command line has none.
const STUDENTS: usize = 20;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let is_number = |argument: &String| argument.parse::<usize>().is_ok();
    let (numbers, urls): (Vec<String>, Vec<String>) = env::args().skip(1).partition(is_number);
    let url = urls.into_iter().next().or_else(|| env::var("DATABASE_URL").ok());
    let url = url.ok_or("set DATABASE_URL to the URL of the database to seed")?;
    let students = numbers.first().map_or(Ok(STUDENTS), |number| number.parse())?;
    let db = Client::connect(&url).await?;
    println!("seeding");
    for (seed, name, slug) in [(1, "North Medical School", "north"), (2, "South Medical School", "south")] {
        let school = institution(&db, name, slug).await?;
        exam_types(&school).await?;
        admin(&school, &format!("admin@{slug}.edu")).await?;
        let created = more_students(&school, seed, students).await?;
        let (users, types) = (school.user().count().await?, school.exam_type().count().await?);
        println!("{name}: {types} exam types, {users} users; {created} students are new");
    }
    Ok(())
}

/// The row with this slug. If it exists, its name is corrected.
async fn institution(db: &Client, name: &str, slug: &str) -> Result<TenantClient> {
    let row = institution::Create { name: name.to_owned(), slug: slug.to_owned() };
    let institutions = db.across_tenants().institution();
    let school = institutions.upsert(institution::slug.eq(slug), row).set(institution::name.to(name)).await?;
    Ok(db.tenant(school.id))
}

async fn exam_types(school: &TenantClient) -> Result<()> {
    for (code, name, default_weight) in [("STEP1", "USMLE Step 1", 0.6), ("STEP2", "USMLE Step 2 CK", 0.4)] {
        let row = exam_type::Create { code: code.to_owned(), name: name.to_owned(), default_weight };
        school.exam_type().upsert(exam_type::code.eq(code), row).set(exam_type::name.to(name)).await?;
    }
    Ok(())
}

async fn admin(school: &TenantClient, email: &str) -> Result<()> {
    // No password has this hash, so these users cannot log in.
    let row = user::Create { email: email.to_owned(), password_hash: "!".to_owned(), role: Role::Admin };
    school.user().upsert(user::email.eq(email), row).set(user::role.to(Role::Admin)).await?;
    Ok(())
}

/// Adds students, each with its user, until there are enough. They are for demonstrations, so a factory chooses what they
/// are called. Another number of rows needs another seed: the same one gives the same addresses.
async fn more_students(school: &TenantClient, seed: u64, wanted: usize) -> Result<usize> {
    let existing = school.student().count().await?;
    let missing = wanted.saturating_sub(usize::try_from(existing)?);
    let students = student::Factory::new(seed + 100 * existing)
        .with_each(|number| student::class_year.to(2027 + i32::from(number % 2 == 1)));
    Ok(students.create_many(school, missing).await?.len())
}
