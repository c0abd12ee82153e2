//! SQL next to the typed calls: query files as typed functions, and raw SQL with bound parameters, tuples, structs and
//! lists, also in a transaction.
//!
//! `cargo run --example raw_sql` needs no database: it finds or starts one, and drops what it created.

#[path = "support/database.rs"]
mod database;

use exam_planner::{Client, Role, TenantClient, exam_type, queries, student, student_exam, user};
use relata::uuid::Uuid;
use relata::{FromRawRow, List, RawRow, params};

use database::Result;

/// A row of a report. Columns are read by name, so that their order in the SQL does not matter.
struct Standing {
    email: String,
    place: i64,
    average: Option<f64>,
    scores: Vec<f64>,
}

impl FromRawRow for Standing {
    fn from_raw(row: &RawRow<'_>) -> relata::Result<Self> {
        Ok(Self {
            email: row.get_named("email")?,
            place: row.get_named("place")?,
            average: row.get_named("average")?,
            scores: row.get_named::<List<f64>>("scores")?.0,
        })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let (db, _database) = database::open("raw_sql").await?;
    let north = database::institution(&db, "North Medical School", "north").await?;
    fill(&north).await?;
    let id = north.institution().find_first().or_err().await?.id;
    rank(&db, id).await?;
    from_files(&north).await?;
    count_by_year(&db, id).await?;
    change_in_a_transaction(&db, id).await?;
    refuse(&db).await
}

async fn fill(north: &TenantClient) -> Result<()> {
    let exam_type = exam_type::Create { code: "STEP1".into(), name: "USMLE Step 1".into(), default_weight: 1.0 };
    let exam_type = north.exam_type().create(exam_type).await?.id;
    for (email, class_year, scores) in
        [("Ada@north.edu", 2027, &[92.5, 88.0][..]), ("bob@north.edu", 2027, &[71.0]), ("cy@north.edu", 2028, &[])]
    {
        let password_hash = "$argon2id$v=19$".to_owned();
        let user = user::Create { email: email.into(), password_hash, role: Role::Student };
        let student = north.student().create(student::Create { user, class_year }).await?.id;
        for score in scores {
            let row = student_exam::Create { student, exam_type };
            north.student_exam().create(row).set(student_exam::score.to(*score)).await?;
        }
    }
    Ok(())
}

/// A window function and an aggregate of arrays need SQL. Raw SQL covers the rows of all institutions, so it names the one
/// that is meant.
async fn rank(db: &Client, institution: Uuid) -> Result<()> {
    let standings: Vec<Standing> = db
        .across_tenants()
        .query_raw(
            "SELECT u.email, rank() OVER (ORDER BY avg(e.score) DESC NULLS LAST) AS place, avg(e.score) AS average,
                    array_agg(e.score ORDER BY e.score) FILTER (WHERE e.score IS NOT NULL) AS scores
             FROM students s
             JOIN users u ON u.institution_id = s.institution_id AND u.id = s.user_id
             LEFT JOIN student_exams e ON e.institution_id = s.institution_id AND e.student_id = s.id
             WHERE s.institution_id = $1
             GROUP BY s.institution_id, s.id, u.email ORDER BY place",
            params![institution],
        )
        .await?;
    println!("\nstandings");
    for Standing { email, place, average, scores } in standings {
        println!("  {place}. {email:<14} average {average:?} of {scores:?}");
    }
    Ok(())
}

/// The same query from `queries/standings.sql`: the function and the struct are generated from the file and the schema. At
/// the client of an institution, the compiler adds the condition.
async fn from_files(north: &TenantClient) -> Result<()> {
    let standings = north.query(queries::standings()).await?;
    let best: Vec<&str> = standings.iter().filter(|row| row.place == 1).map(|row| row.email.as_str()).collect();
    let of_2028 = north.query(queries::students_of(2028)).await?;
    println!(
        "from a file       the best is {best:?}, and {} of {} students are of 2028",
        of_2028.len(),
        standings.len()
    );
    Ok(())
}

/// A few columns are read into a tuple, whose types are checked against those of the statement.
async fn count_by_year(db: &Client, institution: Uuid) -> Result<()> {
    let years: Vec<(i32, i64)> = db
        .across_tenants()
        .query_raw(
            "SELECT class_year, count(*) FROM students WHERE institution_id = $1 GROUP BY 1 ORDER BY 1",
            params![institution],
        )
        .await?;
    println!("\nstudents per year {years:?}");
    Ok(())
}

/// Typed calls and SQL share a transaction.
async fn change_in_a_transaction(db: &Client, institution: Uuid) -> Result<()> {
    let (lowered, left) = db
        .across_tenants()
        .transaction(async |tx| {
            let of_institution = student::institution_id.eq(institution) & student::class_year.eq(2027);
            let students = tx.student().find_many().filter(of_institution).select(student::user_id).await?;
            let lowered = tx
                .execute_raw(
                    "UPDATE users SET email = lower(email) WHERE institution_id = $1 AND id = ANY($2)",
                    params![institution, List(students)],
                )
                .await?;
            let upper = user::institution_id.eq(institution) & user::email.starts_with("A");
            let upper = tx.user().count().filter(upper).await?;
            Ok::<_, relata::Error>((lowered, upper))
        })
        .await?;
    println!("lower-case        {lowered} addresses changed, {left} still begin with a capital A");
    Ok(())
}

/// A value is never part of the SQL text, and a type that does not match is an error, not a guess.
async fn refuse(db: &Client) -> Result<()> {
    let all = db.across_tenants();
    let harmless: Vec<(i64,)> =
        all.query_raw("SELECT count(*) FROM users WHERE email = $1", params!["'; DROP TABLE users; --"]).await?;
    println!("\na hostile text    is only a value: {} users have it as address", harmless[0].0);
    match all.query_raw::<(String,)>("SELECT class_year FROM students", params![]).await {
        Err(error) => println!("a wrong type      {error}"),
        Ok(_) => return Err("a number was read as a text".into()),
    }
    Ok(())
}
