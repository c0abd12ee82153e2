//! Skipped tests and kept databases: prints a line for each of them, past the test runner's capture, and a count of the
//! skipped ones at the end.
//!
//! A library cannot run code when its process ends, and a test runner captures what a test prints with `eprintln!`. The
//! lines therefore go directly to the standard error of the process. A small shell that reads from a pipe counts them,
//! because the pipe closes when the process ends. Without a shell, there is no count.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// Counts its lines, adds the counts of other processes with the same parent, and prints both.
const COUNT: &str = r#"
here=$(grep -c .)
echo "$here" >> "$1"
all=$(awk '{ sum += $1 } END { print sum }' "$1")
tests=tests; [ "$here" = 1 ] && tests=test
printf '\nSKIPPED: %s %s of this program, %s in this run\n\n' "$here" "$tests" "$all" >&2
"#;

/// Reports on stderr that the calling test is skipped and why, and counts it.
///
/// The line is `SKIPPED: <test>: <reason>`, and is visible without `--nocapture`. When the process ends, the number of
/// its skipped tests is printed, together with that of all processes with the same parent, that is, of one `cargo
/// test`.
pub fn skip(reason: &str) {
    let test = test();
    say(&format!("SKIPPED: {test}: {}\n", reason.lines().collect::<Vec<_>>().join(" ")));
    static COUNTER: Mutex<Option<Counter>> = Mutex::new(None);
    let mut counter = COUNTER.lock().unwrap_or_else(PoisonError::into_inner);
    if counter.is_none() {
        *counter = Counter::start();
    }
    if let Some(pipe) = counter.as_mut().and_then(|counter| counter.child.stdin.as_mut()) {
        // If there is no counter, nothing is counted. That is no reason to fail.
        let _ = writeln!(pipe, "{test}");
    }
}

/// Reports that the database of the calling test is kept.
pub(crate) fn kept(url: &str) {
    say(&format!("KEPT: {}: {url}\n", test()));
}

/// The name of the calling test, which is that of its thread.
fn test() -> String {
    let thread = std::thread::current();
    thread.name().filter(|name| *name != "main").unwrap_or("a test").to_owned()
}

/// Writes `text` to the standard error of the process at once, past a test runner that captures `eprintln!`.
pub(crate) fn say(text: &str) {
    // A single write, so that lines of several threads and processes do not mix. An error here is ignored.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// The shell that counts. It is never dropped: it ends with this process.
struct Counter {
    child: Child,
}

impl Counter {
    #[cfg(unix)]
    fn start() -> Option<Self> {
        let run = std::env::temp_dir().join(format!("relata-skipped-{}", std::os::unix::process::parent_id()));
        // Left by an earlier process with the same number.
        let age = run.metadata().and_then(|file| file.modified()).ok().and_then(|time| time.elapsed().ok());
        if age.is_some_and(|age| age > std::time::Duration::from_secs(6 * 3600)) {
            let _ = std::fs::remove_file(&run);
        }
        let mut command = Command::new("sh");
        command.args(["-c", COUNT, "sh"]).arg(run).stdin(Stdio::piped()).stdout(Stdio::null());
        command.spawn().ok().map(|child| Counter { child })
    }

    #[cfg(not(unix))]
    fn start() -> Option<Self> {
        None
    }
}
