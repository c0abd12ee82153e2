//! Limits how many engines run at the same time, in all processes together: as many as fit into half of the free
//! memory.
//!
//! A slot is a locked file, so a process that dies returns its slots. A process that has waited too long continues
//! without one: a test may hold one database while it requests another, and such tests may hold all slots.

use crate::error::Error;
use crate::files::io;
use std::fs::File;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The memory of an engine that has a connection, in KiB.
const ENGINE: u64 = 150 * 1024;
const MIN_SLOTS: u64 = 4;
const MAX_SLOTS: u64 = 64;
const WAIT: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

/// Takes a slot, or none after a while.
pub(super) fn take(home: &Path) -> Result<Option<File>, Error> {
    static SLOTS: OnceLock<u64> = OnceLock::new();
    let slots = *SLOTS.get_or_init(|| slots(free_memory()));
    let started = Instant::now();
    loop {
        for number in 0..slots {
            let path = home.join(format!("engine-{number}.lock"));
            let file = File::options().create(true).append(true).open(&path).map_err(io("open", &path))?;
            if file.try_lock().is_ok() {
                return Ok(Some(file));
            }
        }
        if started.elapsed() > WAIT {
            return Ok(None);
        }
        std::thread::sleep(PAUSE);
    }
}

/// Returns how many engines fit into half of the free memory, in KiB. If it is unknown, assumes 4 GiB.
fn slots(free: Option<u64>) -> u64 {
    (free.unwrap_or(4 * 1024 * 1024) / 2 / ENGINE).clamp(MIN_SLOTS, MAX_SLOTS)
}

/// Returns the memory that programs may still use, in KiB; known only on Linux.
fn free_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_machines_run_few_engines() {
        assert_eq!(slots(Some(512 * 1024)), MIN_SLOTS);
        assert_eq!(slots(Some(6 * 1024 * 1024)), 20);
        assert_eq!(slots(Some(u64::MAX)), MAX_SLOTS);
        assert!((MIN_SLOTS..=MAX_SLOTS).contains(&slots(None)));
    }
}
