//! 64 tasks share a pool of 8 connections: measures how many rows are found by key per second, and how long each call
//! takes.
//!
//! Runs in a multi-threaded runtime that is not pinned to a CPU: this measures waiting for connections, and the server
//! has to run at the same time.

use std::sync::Arc;
use std::time::Instant;

use relata_bench::{Result, median, own_cpu, print_table, quantile};

use crate::data::{Admin, Inputs};
use crate::hand::Hand;
use crate::planner::Planner;
use crate::{Arguments, Side, Workload};

/// The name of the workload, for `--only`.
pub(crate) const NAME: &str = "throughput_64_on_8";

const TASKS: usize = 64;
const CONNECTIONS: usize = 8;
const CALLS_PER_TASK: usize = 40;

/// The samples of one side.
#[derive(Default)]
struct Samples {
    /// Calls per second, for each round.
    rates: Vec<f64>,
    /// The median and the 95th percentile of a call in each round, and the CPU time of this process per call, in
    /// microseconds.
    medians: Vec<f64>,
    p95s: Vec<f64>,
    cpus: Vec<f64>,
    checksum: u64,
}

impl Samples {
    async fn round<S: Side + Send + Sync + 'static>(&mut self, side: &Arc<S>, inputs: &Inputs) -> Result<()> {
        let (began, cpu_before) = (Instant::now(), own_cpu()?);
        let tasks: Vec<_> =
            (0..TASKS).map(|task| tokio::spawn(calls(Arc::clone(side), inputs.of_task(task)))).collect();
        let mut walls = Vec::with_capacity(TASKS * CALLS_PER_TASK);
        for task in tasks {
            let (sum, of_task) = task.await??;
            self.checksum = self.checksum.wrapping_add(sum);
            walls.extend(of_task);
        }
        let calls = walls.len() as f64;
        self.rates.push(calls / began.elapsed().as_secs_f64());
        self.cpus.push((own_cpu()? - cpu_before).as_secs_f64() * 1e6 / calls);
        self.medians.push(median(&mut walls));
        self.p95s.push(quantile(&mut walls, 0.95));
        Ok(())
    }

    fn figures(&mut self) -> [f64; 4] {
        [&mut self.rates, &mut self.medians, &mut self.p95s, &mut self.cpus].map(|samples| median(samples))
    }
}

/// Runs one task: calls one after another. Returns how long each took.
async fn calls<S: Side>(side: Arc<S>, mut inputs: Inputs) -> Result<(u64, Vec<f64>)> {
    let (mut sum, mut walls) = (0_u64, Vec::with_capacity(CALLS_PER_TASK));
    for _ in 0..CALLS_PER_TASK {
        let start = Instant::now();
        sum = sum.wrapping_add(side.run(Workload::FindByKey, &mut inputs).await?);
        walls.push(start.elapsed().as_secs_f64() * 1e6);
    }
    Ok((sum, walls))
}

/// Runs rounds of the two sides alternately.
pub(crate) fn measure(arguments: &Arguments, url: &str) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(async {
        let inputs = Admin::connect(url).await?.inputs().await?;
        let planner = Arc::new(Planner::connect(url, CONNECTIONS).await?);
        let hand = Arc::new(Hand::connect(url, CONNECTIONS).await?);
        let mut warm = Samples::default();
        warm.round(&planner, &inputs).await?;
        warm.round(&hand, &inputs).await?;
        let [mut ours, mut theirs] = [Samples::default(), Samples::default()];
        for round in 0..arguments.rounds {
            if round % 2 == 0 {
                ours.round(&planner, &inputs).await?;
                theirs.round(&hand, &inputs).await?;
            } else {
                theirs.round(&hand, &inputs).await?;
                ours.round(&planner, &inputs).await?;
            }
        }
        if ours.checksum != theirs.checksum {
            return Err(format!("{NAME}: the two sides did not do the same").into());
        }
        report([ours.figures(), theirs.figures()]);
        Ok(())
    })
}

fn report(figures: [[f64; 4]; 2]) {
    for (side, [per_s, median_us, p95_us, cpu_us]) in ["relata", "hand"].iter().zip(figures) {
        let line = serde_json::json!({
            "workload": NAME, "side": side, "per_s": per_s, "median_us": median_us, "p95_us": p95_us, "cpu_us": cpu_us,
        });
        println!("{line}");
    }
    let head = ["64 tasks, 8 connections", "calls/s", "median µs", "p95 µs", "CPU µs"];
    let row = |name: &str, [per_s, median_us, p95_us, cpu_us]: [f64; 4]| {
        let figures =
            [format!("{per_s:.0}"), format!("{median_us:.1}"), format!("{p95_us:.1}"), format!("{cpu_us:.1}")];
        std::iter::once(name.to_owned()).chain(figures).collect()
    };
    let ratio: Vec<String> = std::iter::once("ratio".to_owned())
        .chain(figures[0].iter().zip(&figures[1]).map(|(ours, theirs)| format!("{:.3}", ours / theirs)))
        .collect();
    print_table(&head, &[row("Relata", figures[0]), row("by hand", figures[1]), ratio]);
}
