//! A large import with a progress bar: lines are read one by one and sent in batches, all or none.
//!
//! `cargo run --example bulk_import` needs no database: it finds or starts one, and drops what it created. A number
//! after `--` sets the number of lines: `cargo run --example bulk_import -- 100000`.

#[path = "support/database.rs"]
mod database;

use std::io::{BufRead, BufReader, Read};
use std::str::FromStr;

use exam_planner::{Role, TenantClient, TenantTransaction, student, user};
use indicatif::{ProgressBar, ProgressStyle};

use database::Result;

/// The number of rows in memory at a time. Each batch takes two statements with one parameter per column.
const PORTION: usize = 2_000;

/// A line of the file: `email,class year`.
struct Line {
    email: String,
    class_year: i32,
}

impl FromStr for Line {
    type Err = Box<dyn std::error::Error + Send + Sync>;

    fn from_str(line: &str) -> Result<Self> {
        let (email, class_year) = line.split_once(',').ok_or_else(|| format!("{line:?} has no comma"))?;
        Ok(Self { email: email.to_owned(), class_year: class_year.trim().parse()? })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let lines = match std::env::args().nth(1) {
        Some(number) => number.parse()?,
        None => 10_000,
    };
    let (db, _database) = database::open("bulk_import").await?;
    let north = database::institution(&db, "North Medical School", "north").await?;
    let file = file_of(lines);

    let imported = import(&north, &mut BufReader::new(file.as_bytes()), lines).await?;
    println!("first import      {imported} of {lines} lines are new students");
    let again = import(&north, &mut BufReader::new(file.as_bytes()), lines).await?;
    println!("the same again    {again} of {lines} lines are new students");
    let broken = format!("{file}no comma\n");
    let refused = import(&north, &mut BufReader::new(broken.as_bytes()), lines + 1).await;
    let Err(reason) = refused else { return Err("a broken line was imported".into()) };
    println!("a broken file     {reason}: nothing is imported");

    let years =
        north.student().group_by(student::class_year).aggregate(relata::count()).order_by(student::class_year.asc());
    for (class_year, students) in years.await? {
        println!("class of {class_year}     {students} students");
    }
    if north.student().count().await? != imported {
        return Err("some students are missing".into());
    }
    Ok(())
}

/// Generates what a file would contain.
fn file_of(lines: u64) -> String {
    (0..lines).map(|number| format!("student{number}@north.edu,{}\n", 2026 + number % 4)).collect()
}

/// Imports all lines or none, and returns how many students are new.
async fn import<R: Read>(north: &TenantClient, file: &mut BufReader<R>, lines: u64) -> Result<u64> {
    // The progress bar appears only on a terminal.
    let progress = ProgressBar::new(lines);
    progress.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} lines, {per_sec}, {eta} left")?);
    let tx = north.begin().await?;
    let (mut portion, mut imported) = (Vec::with_capacity(PORTION), 0);
    for line in file.lines() {
        portion.push(line?.parse::<Line>()?);
        if portion.len() == PORTION {
            progress.inc(PORTION as u64);
            imported += import_portion(&tx, std::mem::take(&mut portion)).await?;
        }
    }
    imported += import_portion(&tx, portion).await?;
    tx.commit().await?;
    progress.finish_and_clear();
    Ok(imported)
}

/// Creates the users that are new, and a student for each. `skip_duplicates` returns only new rows.
async fn import_portion(tx: &TenantTransaction, portion: Vec<Line>) -> Result<u64> {
    let years: std::collections::HashMap<_, _> =
        portion.iter().map(|line| (line.email.clone(), line.class_year)).collect();
    let users = portion.into_iter().map(|line| user::Create {
        email: line.email,
        password_hash: String::new(),
        role: Role::Student,
    });
    let created = tx.user().create_many_and_return(users).skip_duplicates().await?;
    let students = created.into_iter().map(|user| student::Create { class_year: years[&user.email], user: user.id });
    Ok(tx.student().create_many(students).await?)
}
