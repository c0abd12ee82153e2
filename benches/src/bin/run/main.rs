//! Measures what queries cost: the generated client of `tests/plain`, compared with tokio-postgres used by hand.
//!
//! Both sides run in this process, on the same data, each with one pooled connection, in a current-thread runtime
//! (except `throughput`). Blocks of the two alternate, so that other load on the machine affects both. Both must
//! produce the same checksums. The output is a JSON line per figure, then a table.
//!
//! `run [--rounds N] [--only NAME,..] [--side relata|hand --iterations N] [--pin CPU | --no-pin] [--url URL]`
//!
//! `--side` runs only one side and prints nothing, for callgrind. `--url` names a database that this program has seeded
//! before; without it, a database is created and dropped.

mod data;
mod hand;
mod planner;
mod throughput;

use std::pin::Pin;
use std::time::Instant;

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use relata_bench::{Result, median, own_cpu, print_table, quantile};

use data::{Admin, Inputs};
use hand::Hand;
use planner::Planner;

/// One side: a way to run the workloads. Each returns a checksum of what it read or wrote.
trait Side {
    fn run(&self, workload: Workload, inputs: &mut Inputs) -> impl Future<Output = Result<u64>> + Send;
}

/// A workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Workload {
    FindByKey,
    KeyWithTwo,
    Rows1000,
    Rows10000,
    Nested,
    InsertOne,
    Insert1000,
    UpdateOne,
    DeleteExpired,
    RelationFilter,
}

impl Workload {
    /// Each with the iterations of a block.
    const ALL: [(Workload, usize); 10] = [
        (Workload::FindByKey, 400),
        (Workload::KeyWithTwo, 300),
        (Workload::Rows1000, 15),
        (Workload::Rows10000, 2),
        (Workload::Nested, 6),
        (Workload::InsertOne, 100),
        (Workload::Insert1000, 2),
        (Workload::UpdateOne, 150),
        (Workload::DeleteExpired, 10),
        (Workload::RelationFilter, 5),
    ];

    fn name(self) -> &'static str {
        match self {
            Workload::FindByKey => "find_by_key",
            Workload::KeyWithTwo => "key_user_institution",
            Workload::Rows1000 => "rows_1000",
            Workload::Rows10000 => "rows_10000",
            Workload::Nested => "nested_100_students",
            Workload::InsertOne => "insert_one",
            Workload::Insert1000 => "insert_1000",
            Workload::UpdateOne => "update_one",
            Workload::DeleteExpired => "delete_expired",
            Workload::RelationFilter => "relation_filter",
        }
    }
}

/// The command line.
#[derive(Debug)]
struct Arguments {
    rounds: usize,
    only: Option<Vec<String>>,
    side: Option<String>,
    iterations: usize,
    pin: Option<usize>,
    url: Option<String>,
}

impl Arguments {
    fn read() -> Result<Self> {
        let mut read = Self { rounds: 15, only: None, side: None, iterations: 100, pin: Some(0), url: None };
        let mut arguments = std::env::args().skip(1);
        while let Some(flag) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{flag} needs a value"));
            match flag.as_str() {
                "--rounds" => read.rounds = value()?.parse()?,
                "--only" => read.only = Some(value()?.split(',').map(str::to_owned).collect()),
                "--side" => read.side = Some(value()?),
                "--iterations" => read.iterations = value()?.parse()?,
                "--pin" => read.pin = Some(value()?.parse()?),
                "--no-pin" => read.pin = None,
                "--url" => read.url = Some(value()?),
                _ => return Err(format!("unknown argument {flag}; see the top of benches/src/bin/run/main.rs").into()),
            }
        }
        Ok(read)
    }

    fn workloads(&self) -> Vec<(Workload, usize)> {
        Workload::ALL.into_iter().filter(|(workload, _)| self.wants(workload.name())).collect()
    }

    fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.iter().any(|known| known == name))
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::read()?;
    let seeded = match &arguments.url {
        Some(_) => None,
        None => Some(data::seeded_database()?),
    };
    let url = match (&arguments.url, &seeded) {
        (Some(url), _) => url.clone(),
        (None, Some(database)) => database.url().to_owned(),
        (None, None) => return Err("there is no database".into()),
    };
    // Before this process is pinned to one CPU.
    if arguments.side.is_none() && arguments.wants(throughput::NAME) {
        throughput::measure(&arguments, &url)?;
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure(&arguments, &url))
}

async fn measure(arguments: &Arguments, url: &str) -> Result<()> {
    let admin = Admin::connect(url).await?;
    let mut inputs = admin.inputs().await?;
    let planner = Planner::connect(url, 1).await?;
    let hand = Hand::connect(url, 1).await?;
    match arguments.side.as_deref() {
        Some("relata") => return repeat(&planner, arguments, &admin, &mut inputs).await,
        Some("hand") => return repeat(&hand, arguments, &admin, &mut inputs).await,
        Some(other) => return Err(format!("--side is relata or hand, not {other}").into()),
        None => {}
    }
    let mut rows = Vec::new();
    for (workload, iterations) in arguments.workloads() {
        let [ours, theirs] = compare(&planner, &hand, workload, iterations, arguments, &admin, &mut inputs).await?;
        if ours.checksum != theirs.checksum {
            return Err(format!("{}: the two sides did not do the same", workload.name()).into());
        }
        rows.push(report(workload, ours, theirs));
    }
    let head = [
        "workload",
        "Relata µs",
        "by hand µs",
        "ratio",
        "p95 Relata",
        "p95 by hand",
        "CPU Relata",
        "CPU by hand",
        "CPU ratio",
    ];
    if !rows.is_empty() {
        print_table(&head, &rows);
    }
    Ok(())
}

/// Runs one side, and only what `--only` says: for tools that count instructions.
async fn repeat(side: &impl Side, arguments: &Arguments, admin: &Admin, inputs: &mut Inputs) -> Result<()> {
    for (workload, _) in arguments.workloads() {
        for _ in 0..arguments.iterations {
            admin.before(workload).await?;
            side.run(workload, inputs).await?;
        }
        admin.after(workload).await?;
    }
    Ok(())
}

/// The samples of one side.
#[derive(Debug, Default)]
struct Samples {
    /// The median and the 95th percentile of each block, in microseconds.
    medians: Vec<f64>,
    p95s: Vec<f64>,
    /// CPU time of this process for one call, in microseconds, of each block.
    cpus: Vec<f64>,
    checksum: u64,
}

impl Samples {
    async fn block(
        &mut self,
        side: &impl Side,
        workload: Workload,
        iterations: usize,
        admin: &Admin,
        inputs: &mut Inputs,
    ) -> Result<()> {
        let mut walls = Vec::with_capacity(iterations);
        let mut cpu = 0.0;
        for _ in 0..iterations {
            admin.before(workload).await?;
            let cpu_before = own_cpu()?;
            let start = Instant::now();
            let sum = side.run(workload, inputs).await?;
            walls.push(start.elapsed().as_secs_f64() * 1e6);
            cpu += (own_cpu()? - cpu_before).as_secs_f64() * 1e6;
            self.checksum = self.checksum.wrapping_add(sum);
        }
        self.medians.push(median(&mut walls));
        self.p95s.push(quantile(&mut walls, 0.95));
        self.cpus.push(cpu / iterations as f64);
        admin.after(workload).await
    }
}

async fn compare(
    planner: &Planner,
    hand: &Hand,
    workload: Workload,
    iterations: usize,
    arguments: &Arguments,
    admin: &Admin,
    inputs: &mut Inputs,
) -> Result<[Samples; 2]> {
    // Statements are prepared and plans are settled before anything counts.
    for _ in 0..iterations.clamp(8, 50) {
        admin.before(workload).await?;
        planner.run(workload, inputs).await?;
        admin.before(workload).await?;
        hand.run(workload, inputs).await?;
    }
    admin.after(workload).await?;
    if let Some(cpu) = arguments.pin {
        pin(cpu, admin).await?;
    }
    let [mut ours, mut theirs] = [Samples::default(), Samples::default()];
    for round in 0..arguments.rounds {
        // Both sides get the same inputs.
        let mut again = inputs.clone();
        if round % 2 == 0 {
            ours.block(planner, workload, iterations, admin, inputs).await?;
            theirs.block(hand, workload, iterations, admin, &mut again).await?;
        } else {
            theirs.block(hand, workload, iterations, admin, &mut again).await?;
            ours.block(planner, workload, iterations, admin, inputs).await?;
        }
    }
    Ok([ours, theirs])
}

/// Pins this process and the server's processes that it uses to one CPU. Waking another CPU takes longer than a small
/// query: on virtual machines, between three and twenty times as long.
async fn pin(cpu: usize, admin: &Admin) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu)?;
    sched_setaffinity(Pid::from_raw(0), &set)?;
    for backend in admin.backends().await? {
        let pinned = sched_setaffinity(Pid::from_raw(backend), &set);
        pinned.map_err(|error| format!("cannot move the server's process {backend}, use --no-pin: {error}"))?;
    }
    Ok(())
}

fn report(workload: Workload, mut ours: Samples, mut theirs: Samples) -> Vec<String> {
    let mut figures = [&mut ours, &mut theirs]
        .map(|samples| [median(&mut samples.medians), median(&mut samples.p95s), median(&mut samples.cpus)]);
    for (side, [median_us, p95_us, cpu_us]) in ["relata", "hand"].iter().zip(&figures) {
        let line = serde_json::json!({
            "workload": workload.name(), "side": side, "median_us": median_us, "p95_us": p95_us, "cpu_us": cpu_us,
        });
        println!("{line}");
    }
    let [[median, p95, cpu], [hand_median, hand_p95, hand_cpu]] = &mut figures;
    vec![
        workload.name().to_owned(),
        format!("{median:.1}"),
        format!("{hand_median:.1}"),
        format!("{:.3}", *median / *hand_median),
        format!("{p95:.1}"),
        format!("{hand_p95:.1}"),
        format!("{cpu:.1}"),
        format!("{hand_cpu:.1}"),
        format!("{:.3}", *cpu / *hand_cpu),
    ]
}

/// The future of any workload: one type for all, so that the two sides pay the same for it.
type Work<'a> = Pin<Box<dyn Future<Output = Result<u64>> + Send + 'a>>;
