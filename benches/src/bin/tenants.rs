//! Measures what a handle of a tenant costs: the same calls of the clients of `tests/tenants`, at `db.across_tenants()`, at
//! `db.tenant(id)`, at `db.tenant(id)` with row security, in a database of its own with the same rows, and at
//! `db.in_schema("public").across_tenants()`.
//!
//! Blocks of the four alternate, in one process, each with one pooled connection, in a current-thread runtime. There is
//! one tenant, so that all read the same rows.
//!
//! `tenants [--rounds N]` prints a table. `tenants --side across|tenant|secured|schema --only NAME --iterations N` runs one side
//! and prints nothing, for callgrind.

use std::path::Path;
use std::time::Instant;

use relata_bench::{Result, median, print_table};
use relata_codegen::sql::{DiffOptions, Pair, Side, State, diff, lower, plan, render};
use relata_devdb::{DevDb, TestDatabase};
use uuid::Uuid;

#[path = "../../../tests/tenants/generated/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports, unreachable_pub, rustdoc::broken_intra_doc_links)]
mod client;

#[path = "../../../tests/tenants/secured/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports, unreachable_pub, rustdoc::broken_intra_doc_links)]
mod secured;

use client::{Client, exam, result, school, student, user};

const STUDENTS: i32 = 100;

const WORKLOADS: [(&str, usize); 3] = [("find_by_key", 400), ("nested_100_students", 10), ("relation_filter", 60)];

/// One call of a workload, by the models of one client.
macro_rules! calls {
    ($name:ident, $module:ident, $models:ident) => {
        async fn $name(db: &$module::$models, workload: &str, ids: &[Uuid], round: usize) -> Result<usize> {
            use $module::{result, student, user};
            Ok(match workload {
                "find_by_key" => {
                    let id = ids[round % ids.len()];
                    db.user().find_unique(user::id.eq(id)).await?.map_or(0, |user| user.email.len())
                }
                "nested_100_students" => {
                    db.student().find_many().include(student::user).include(student::results).await?.len()
                }
                "relation_filter" => {
                    let filter =
                        student::user.is(user::email.contains("7")) & student::results.some(result::score.gt(1.0));
                    usize::try_from(db.student().count().filter(filter).await?)?
                }
                other => return Err(format!("unknown workload {other}").into()),
            })
        }
    };
}

calls!(at_tenant, client, TenantModels);
calls!(at_all, client, AcrossTenants);
calls!(at_secured, secured, TenantModels);

/// The models of one side, borrowed from its client.
enum Models<'c> {
    Across(&'c client::AcrossTenants),
    Tenant(&'c client::TenantModels),
    Secured(&'c secured::TenantModels),
}

async fn run(models: &Models<'_>, workload: &str, ids: &[Uuid], round: usize) -> Result<usize> {
    match models {
        Models::Across(db) => at_all(db, workload, ids, round).await,
        Models::Tenant(db) => at_tenant(db, workload, ids, round).await,
        Models::Secured(db) => at_secured(db, workload, ids, round).await,
    }
}

/// A database of a schema with rows of one tenant, and the ids of its users.
async fn seeded(server: &DevDb, schema: &str) -> Result<(TestDatabase, Uuid, Vec<Uuid>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/tenants").join(schema);
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

/// The URL for a role that row security holds for.
async fn as_another_role(url: &str) -> Result<String> {
    let options: relata::ConnectOptions = url.parse()?;
    let sql = "DO $$ BEGIN CREATE ROLE relata_bench LOGIN PASSWORD 'relata';
               EXCEPTION WHEN duplicate_object THEN NULL; END $$;
               GRANT ALL ON ALL TABLES IN SCHEMA public TO relata_bench";
    options.connect_direct().await?.batch_execute(sql).await?;
    let (_, rest) = url.split_once('@').ok_or("the URL names no user")?;
    Ok(format!("postgres://relata_bench:relata@{rest}"))
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
    let (database, id, ids) = seeded(&server, "schema.dsl").await?;
    let (other_database, other_id, other_ids) = seeded(&server, "secured.dsl").await?;
    let one = || async { Client::builder(database.url())?.max_connections(1).connect().await };
    let url = as_another_role(other_database.url()).await?;
    let (first, second) = (one().await?.across_tenants(), one().await?.tenant(id));
    let fourth = one().await?.in_schema("public").across_tenants();
    let third = secured::Client::builder(&url)?.max_connections(1).connect().await?.tenant(other_id);
    let sides = [
        (Models::Across(&first), ids.as_slice()),
        (Models::Tenant(&second), ids.as_slice()),
        (Models::Secured(&third), other_ids.as_slice()),
        (Models::Across(&fourth), ids.as_slice()),
    ];
    if let Some(side) = side {
        let names = ["across", "tenant", "secured", "schema"];
        let at = names.iter().position(|name| *name == side).ok_or("there is no such side")?;
        let ((models, ids), workload) = (&sides[at], only.ok_or("--only is missing")?);
        for round in 0..iterations {
            run(models, &workload, ids, round).await?;
        }
        return Ok(());
    }
    let mut rows = Vec::new();
    for (workload, calls) in WORKLOADS {
        let (mut ratios, mut times) = ([const { Vec::new() }; 3], [const { Vec::new() }; 4]);
        for _ in 0..=rounds {
            let mut seconds = [0.0; 4];
            let mut sums = [0; 4];
            for (at, (models, ids)) in sides.iter().enumerate() {
                let begin = Instant::now();
                for call in 0..calls {
                    sums[at] += run(models, workload, ids, call).await?;
                }
                seconds[at] = begin.elapsed().as_secs_f64() / calls as f64;
            }
            if sums.iter().any(|sum| *sum != sums[0]) {
                return Err(format!("{workload}: the sides read other rows").into());
            }
            (0..3).for_each(|at| ratios[at].push(seconds[at + 1] / seconds[0]));
            (0..4).for_each(|at| times[at].push(seconds[at] * 1e6));
        }
        let micros = times.iter_mut().map(|samples| format!("{:.0}", median(samples)));
        let ratios = ratios.iter_mut().map(|samples| format!("{:.2}", median(samples)));
        rows.push(std::iter::once(workload.to_owned()).chain(micros).chain(ratios).collect());
    }
    let head = [
        "workload",
        "across, us",
        "tenant, us",
        "row security, us",
        "in a schema, us",
        "tenant",
        "row security",
        "in a schema",
    ];
    print_table(&head, &rows);
    Ok(())
}
