//! Measuring and printing for the benchmarks: clocks, quantiles, JSON lines and tables.
//!
//! Nothing here asserts a figure: budgets that do not depend on the machine are tests of the crates.

pub mod load;

use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use nix::time::{ClockId, clock_gettime};

/// An error ends the program with its reason.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Returns the CPU time that all threads of this process have used so far.
///
/// # Errors
/// Fails if the system has no such clock.
pub fn own_cpu() -> Result<Duration> {
    Ok(Duration::from(clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?))
}

/// CPU time and peak memory of a process.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// User and system, in seconds.
    pub cpu_s: f64,
    /// The largest resident set, in megabytes.
    pub peak_mb: f64,
}

impl Usage {
    /// Measures this process, or its children that have ended: their total CPU time, and the largest peak.
    ///
    /// # Errors
    /// Fails if the system does not report it.
    pub fn of(who: UsageWho) -> Result<Self> {
        let usage = getrusage(who)?;
        let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
        // Linux reports the resident set in kilobytes.
        Ok(Self { cpu_s: micros as f64 / 1e6, peak_mb: usage.max_rss() as f64 / 1024.0 })
    }
}

/// Returns the value below which this share of the samples lies.
pub fn quantile(samples: &mut [f64], share: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let at = (samples.len().saturating_sub(1) as f64 * share).round() as usize;
    samples.get(at).copied().unwrap_or(f64::NAN)
}

/// Returns the median.
pub fn median(samples: &mut [f64]) -> f64 {
    quantile(samples, 0.5)
}

/// A Markdown table, printed at once.
pub fn print_table(head: &[&str], rows: &[Vec<String>]) {
    println!("\n| {} |", head.join(" | "));
    println!("|---|{}", "---:|".repeat(head.len().saturating_sub(1)));
    for row in rows {
        println!("| {} |", row.join(" | "));
    }
}
