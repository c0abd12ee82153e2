//! Fills a database of the exam planner (`tests/plain`) with rows of its factories, and prints how long that takes.
//!
//! `load [INSTITUTIONS] [--url URL]`: each institution has 1,000 students with five exams. `--url` names a database that
//! has the tables and no rows; without it, a database is created and dropped.

use std::time::Instant;

use plain_planner::Client;
use relata_bench::{Result, load, own_cpu};
use relata_devdb::DevDb;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let (mut institutions, mut url) = (20, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--url" => url = Some(arguments.next().ok_or("--url needs a value")?),
            number => institutions = number.parse()?,
        }
    }
    let own = match url {
        Some(_) => None,
        None => Some(DevDb::start()?.create_database("load")?),
    };
    let url = url.as_deref().or(own.as_ref().map(|database| database.url())).ok_or("no database")?;
    if own.is_some() {
        load::migrate(url).await?;
    }
    let db = Client::connect(url).await?.counted();
    let (start, cpu) = (Instant::now(), own_cpu()?);
    load::fill(&db, institutions).await?;
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), (own_cpu()? - cpu).as_secs_f64());
    let (rows, statements) = (load::rows(institutions), db.statistics().statements);
    let created = [
        db.institution().count().await?,
        db.user().count().await?,
        db.student().count().await?,
        db.exam_type().count().await?,
        db.student_exam().count().await?,
        db.session().count().await?,
    ];
    if created.iter().sum::<u64>() != rows as u64 {
        return Err(format!("{created:?} rows were created, and not {rows}").into());
    }
    println!(
        "{rows} rows in {seconds:.2} s ({cpu:.2} s of them CPU of the client), {statements} statements: {:.0} rows/s",
        rows as f64 / seconds
    );
    Ok(())
}
