//! Measures what a handle of a tenant costs: the same calls of the client of `tests/tenants/schema.dsl`, at
//! `db.tenant(id)` and at `db.across_tenants()`.
//!
//! Blocks of the two alternate, in one process, each with one pooled connection, in a current-thread runtime. There is one
//! tenant, so that both read the same rows.
//!
//! `tenants [--rounds N]` prints a table. `tenants --side tenant|across --only NAME --iterations N` runs one side and
//! prints nothing, for callgrind.

use std::path::Path;
use std::time::Instant;

use relata_bench::{Result, median, print_table};
use relata_codegen::sql::{DiffOptions, Pair, Side, State, diff, lower, plan, render};
use relata_devdb::{DevDb, TestDatabase};
use uuid::Uuid;

#[path = "../../../tests/tenants/generated/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports, unreachable_pub, rustdoc::broken_intra_doc_links)]
mod client;

use client::{AcrossTenants, Client, TenantModels, exam, result, school, student, user};

const STUDENTS: i32 = 100;

const WORKLOADS: [(&str, usize); 3] = [("find_by_key", 400), ("nested_100_students", 10), ("relation_filter", 60)];

/// The models of one side, borrowed from its client.
enum Models<'c> {
    Tenant(&'c TenantModels),
    Across(&'c AcrossTenants),
}

macro_rules! at {
    ($models:expr, $db:ident => $call:expr) => {
        match $models {
            Models::Tenant($db) => $call,
            Models::Across($db) => $call,
        }
    };
}

async fn run(models: &Models<'_>, workload: &str, ids: &[Uuid], round: usize) -> Result<usize> {
    Ok(match workload {
        "find_by_key" => {
            let id = ids[round % ids.len()];
            at!(models, db => db.user().find_unique(user::id.eq(id)).await)?.map_or(0, |user| user.email.len())
        }
        "nested_100_students" => {
            at!(models, db => db.student().find_many().include(student::user).include(student::results).await)?.len()
        }
        "relation_filter" => {
            let filter = student::user.is(user::email.contains("7")) & student::results.some(result::score.gt(1.0));
            usize::try_from(at!(models, db => db.student().count().filter(filter).await)?)?
        }
        other => return Err(format!("unknown workload {other}").into()),
    })
}

async fn seeded(server: &DevDb) -> Result<(TestDatabase, Uuid, Vec<Uuid>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/tenants/schema.dsl");
    let schema = relata_codegen::compile(&relata_codegen::build::read_schema(&path)?).schema.ok_or("is refused")?;
    let (empty, next) = (State::default(), lower(&schema));
    let pair = Pair { previous: Side { state: &empty, intent: None }, next: Side { state: &next, intent: None } };
    let sql = render(&plan(diff(pair, &DiffOptions::default()).map_err(|_| "something is renamed")?));
    let database = server.create_database("tenants")?;
    let options: relata::ConnectOptions = database.url().parse()?;
    options.connect_direct().await?.batch_execute(&sql).await?;
    let db = Client::connect(database.url()).await?;
    let row = school::Create { name: "North".to_owned(), slug: "north".to_owned() };
    let north = db.across_tenants().school().create(row).await?;
    let here = db.tenant(north.id);
    let exam = here.exam().create(exam::Create { code: "E1".to_owned() }).await?;
    let mut ids = Vec::new();
    for number in 0..STUDENTS {
        let user = here.user().create(user::Create { email: format!("u{number}@x.edu") }).await?;
        let student = here.student().create(student::Create { user: user.id, year: 2030, number }).await?;
        let row = result::Create { student: student.id, exam: exam.id }.set(result::score.to(f64::from(number % 5)));
        here.result().create(row).await?;
        ids.push(user.id);
    }
    options.connect_direct().await?.batch_execute("VACUUM ANALYZE").await?;
    Ok((database, north.id, ids))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let (mut rounds, mut side, mut only, mut iterations) = (15, None, None, 0);
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{flag} needs a value"))?;
        match flag.as_str() {
            "--rounds" => rounds = value.parse()?,
            "--side" => side = Some(value),
            "--only" => only = Some(value),
            "--iterations" => iterations = value.parse()?,
            _ => return Err(format!("unknown argument {flag}; see the top of benches/src/bin/tenants.rs").into()),
        }
    }
    let server = DevDb::start()?;
    let (database, id, ids) = seeded(&server).await?;
    let one = || async { Client::builder(database.url())?.max_connections(1).connect().await };
    let (first, second) = (one().await?.tenant(id), one().await?.across_tenants());
    let (tenant, across) = (Models::Tenant(&first), Models::Across(&second));
    if let Some(side) = side {
        let (models, workload) = (if side == "tenant" { &tenant } else { &across }, only.ok_or("--only is missing")?);
        for round in 0..iterations {
            run(models, &workload, &ids, round).await?;
        }
        return Ok(());
    }
    let mut rows = Vec::new();
    for (workload, calls) in WORKLOADS {
        let (mut ratios, mut times) = (Vec::new(), [Vec::new(), Vec::new()]);
        for _ in 0..=rounds {
            let mut seconds = [0.0; 2];
            let mut sums = [0; 2];
            for (at, models) in [&tenant, &across].into_iter().enumerate() {
                let begin = Instant::now();
                for call in 0..calls {
                    sums[at] += run(models, workload, &ids, call).await?;
                }
                seconds[at] = begin.elapsed().as_secs_f64() / calls as f64;
            }
            if sums[0] != sums[1] {
                return Err(format!("{workload}: the sides read other rows").into());
            }
            ratios.push(seconds[0] / seconds[1]);
            (0..2).for_each(|at| times[at].push(seconds[at] * 1e6));
        }
        let [mut own, mut all] = times;
        let micros = |samples: &mut [f64]| format!("{:.0}", median(samples));
        rows.push(vec![workload.to_owned(), micros(&mut own), micros(&mut all), format!("{:.2}", median(&mut ratios))]);
    }
    print_table(&["workload", "tenant, us", "across, us", "ratio"], &rows);
    Ok(())
}
