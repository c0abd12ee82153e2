//! The engine's program: finds it, or builds it once in a checkout.
//!
//! The program has about 400 dependencies, so it is built only when it is needed. It is searched for next to this
//! executable and on PATH. In a checkout, it is built when it is first needed, and again when its source is newer. That
//! takes minutes, so the terminal shows what is being built, the progress, and the time it has taken.

use crate::error::Error;
use crate::files::io;
use crate::skip::say;
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::{File, TryLockError};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

const PROGRAM: &str = "relata-devdb-embedded";
/// How often progress is reported.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(100);
/// The number of lines of cargo's output that become part of the error if it fails.
const LAST_LINES: usize = 30;

/// Finds the program, or builds it.
pub(super) fn find_or_build(path: &OsStr, home: &Path) -> Result<PathBuf, Error> {
    let name = format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX);
    let executable = std::env::current_exe().ok();
    // Next to this executable, or next to the folder of test executables.
    let beside = executable.iter().flat_map(|file| file.ancestors().skip(1).take(2)).map(|folder| folder.join(&name));
    if let Some(program) = beside.into_iter().find(|file| file.is_file()) {
        return Ok(program);
    }
    if let Some(checkout) = Checkout::find(&name) {
        return if checkout.is_current() { Ok(checkout.program) } else { build_once(&checkout, home) };
    }
    let on_path = std::env::split_paths(path).map(|folder| folder.join(&name)).find(|file| file.is_file());
    on_path.ok_or_else(|| Error::Program { program: PROGRAM.to_owned(), output: "it is not on PATH".to_owned() })
}

/// The program's source, if this crate was built in a checkout that still exists, and the path of the built program.
struct Checkout {
    manifest: PathBuf,
    target: PathBuf,
    program: PathBuf,
}

impl Checkout {
    fn find(name: &str) -> Option<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("embedded/Cargo.toml");
        let checkout = manifest.is_file().then(|| manifest.ancestors().nth(3))??;
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| checkout.join("target"), PathBuf::from);
        let target = target.join("embedded");
        let program = target.join("debug").join(name);
        Some(Checkout { manifest, target, program })
    }

    /// Whether the program exists and is not older than its source.
    fn is_current(&self) -> bool {
        let modified = |path: &Path| path.metadata().and_then(|file| file.modified()).ok();
        let Some(built) = modified(&self.program) else { return false };
        let folder = self.manifest.parent().unwrap_or(Path::new("."));
        let sources = std::fs::read_dir(folder.join("src")).into_iter().flatten().flatten().map(|entry| entry.path());
        let newest =
            sources.chain([self.manifest.clone(), folder.join("Cargo.lock")]).filter_map(|file| modified(&file));
        newest.max().unwrap_or(SystemTime::UNIX_EPOCH) <= built
    }
}

/// Builds the program, one process at a time. A build that failed in this process is not tried again.
fn build_once(checkout: &Checkout, home: &Path) -> Result<PathBuf, Error> {
    static FAILED: Mutex<Option<String>> = Mutex::new(None);
    let mut failed = FAILED.lock().unwrap_or_else(PoisonError::into_inner);
    let error = |output: String| Error::Program { program: "building the embedded PostgreSQL".to_owned(), output };
    if let Some(output) = failed.as_ref() {
        return Err(error(output.clone()));
    }
    let _lock = wait_for_others(&home.join("embedded-build.lock"))?;
    if checkout.is_current() {
        return Ok(checkout.program.clone());
    }
    match build(checkout) {
        Ok(()) => Ok(checkout.program.clone()),
        Err(output) => {
            *failed = Some(output.clone());
            Err(error(output))
        }
    }
}

/// Takes the build lock. Reports that it waits, because that may take as long as the build.
fn wait_for_others(path: &Path) -> Result<File, Error> {
    let file = File::options().create(true).append(true).open(path).map_err(io("open", path))?;
    let started = Instant::now();
    let mut last_report = None::<Instant>;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(io("lock", path)(error)),
        }
        if started.elapsed() > Duration::from_secs(1)
            && last_report.is_none_or(|last_report| last_report.elapsed() > REPORT_INTERVAL)
        {
            say(&format!(
                "devdb: waiting for another process that builds the embedded PostgreSQL ({})\n",
                minutes(started.elapsed())
            ));
            last_report = Some(Instant::now());
        }
        std::thread::sleep(LOOK);
    }
}

fn build(checkout: &Checkout) -> Result<(), String> {
    let again =
        if checkout.program.is_file() { "again, because its source has changed; this takes seconds" } else { "once" };
    say(&format!(
        "devdb: no other PostgreSQL is used, so the embedded one is built {again}\n\
         devdb: the first build compiles about 360 packages in 5 minutes of CPU time; the result is kept in {}\n\
         devdb: to avoid this, install PostgreSQL or set DATABASE_URL\n",
        checkout.target.display()
    ));
    let started = Instant::now();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(&cargo);
    command.args(["build", "--locked", "--manifest-path"]).arg(&checkout.manifest);
    command.arg("--target-dir").arg(&checkout.target).env("CARGO_TERM_COLOR", "never");
    // Flags for the main workspace, such as those for coverage, would cause a complete rebuild each time they change.
    command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let advice = |why: String| {
        format!(
            "{why}\nTo see the full output, run: cargo build --locked --manifest-path {} --target-dir {}\n\
             The first build needs the network and about 2 GB of disk space.",
            checkout.manifest.display(),
            checkout.target.display()
        )
    };
    let child = command.spawn().map_err(|error| advice(format!("cannot run {}: {error}", cargo.display())))?;
    let last = follow(child, started).map_err(|error| advice(error.to_string()))?;
    match last {
        Ok(()) => {
            say(&format!("devdb: the embedded PostgreSQL is built ({})\n", minutes(started.elapsed())));
            Ok(())
        }
        Err(lines) => Err(advice(lines)),
    }
}

/// Waits for cargo and reports its progress. The inner error is the end of its output.
fn follow(mut child: Child, started: Instant) -> std::io::Result<Result<(), String>> {
    let lines = lines_of(&mut child);
    let mut last = VecDeque::new();
    let (mut compiled, mut last_report) = (0, Instant::now());
    loop {
        match lines.recv_timeout(LOOK) {
            Ok(line) => {
                compiled += usize::from(line.trim_start().starts_with("Compiling "));
                last.push_back(line);
                while last.len() > LAST_LINES {
                    last.pop_front();
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if last_report.elapsed() > REPORT_INTERVAL {
            let elapsed = minutes(started.elapsed());
            say(&format!("devdb: building the embedded PostgreSQL: {compiled} packages so far ({elapsed})\n"));
            last_report = Instant::now();
        }
    }
    let done = child.wait()?.success();
    Ok(if done { Ok(()) } else { Err(Vec::from(last).join("\n")) })
}

fn lines_of(child: &mut Child) -> Receiver<String> {
    let (sender, receiver) = channel();
    if let Some(stderr) = child.stderr.take() {
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
    }
    receiver
}

fn minutes(time: Duration) -> String {
    format!("{}:{:02} min", time.as_secs() / 60, time.as_secs() % 60)
}
