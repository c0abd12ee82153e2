//! Stops a cluster that nobody uses.
//!
//! It is a shell loop, because the caller is some test, and a library has no program that it could leave running. The
//! loop runs as the server's user in its own process group, and wakes up regularly. It stops the server if, for some
//! time, no process has updated the heartbeat file and nothing has been written to the write-ahead log. A server that
//! is used only through its URL, without this library, therefore counts as used too. The watcher ends when the server
//! ends. A process that attaches to a cluster whose watcher is gone starts a new one, so killing the watcher does not
//! leave a server running forever.

use super::account::Account;
use crate::error::Error;
use crate::files::io;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

/// Arguments: the server's process, the pause and the limit in seconds. Runs in the cluster's folder. `seen` is updated
/// before the check, so that nothing between two checks is missed.
const LOOP: &str = r#"
trap '' HUP INT
quiet=0
touch seen
while sleep "$2"; do
  [ "$(head -n 1 data/postmaster.pid 2>/dev/null)" = "$1" ] || exit 0
  kill -0 "$1" 2>/dev/null || exit 0
  touch seen.next
  if [ -n "$(find used data/pg_wal -newer seen 2>/dev/null)" ]; then quiet=0; else quiet=$((quiet + $2)); fi
  mv seen.next seen
  if [ "$quiet" -ge "$3" ]; then kill -INT "$1"; exit 0; fi
done
"#;

fn pause(idle: Duration) -> Duration {
    Duration::from_secs((idle.as_secs() / 10).clamp(1, 60))
}

/// The file whose modification time is that of the watcher's last check.
pub(super) const SEEN: &str = "seen";
/// The heartbeat file: its modification time is that of the last use.
const USED: &str = "used";

pub(super) fn touch(folder: &Path) -> Result<(), Error> {
    let path = folder.join(USED);
    let file = File::options().create(true).append(true).open(&path).map_err(io("open", &path))?;
    file.set_modified(SystemTime::now()).map_err(io("touch", &path))
}

/// Whether a watcher has checked recently.
pub(super) fn is_running(folder: &Path, idle: Duration) -> bool {
    let seen = fs::metadata(folder.join(SEEN)).and_then(|metadata| metadata.modified());
    seen.is_ok_and(|seen| seen.elapsed().is_ok_and(|age| age < pause(idle) * 3))
}

pub(super) fn start(account: &Account, folder: &Path, pid: u32, idle: Duration) -> Result<(), Error> {
    use std::os::unix::process::CommandExt;
    let shell = Path::new("/bin/sh");
    let numbers = [u64::from(pid), pause(idle).as_secs(), idle.as_secs().max(1)];
    let mut command = account.command(shell);
    command.args(["-c", LOOP, "relata-devdb-watcher"]).args(numbers.map(|number| number.to_string()));
    command.current_dir(folder).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map(drop).map_err(io("start a watcher with", shell))
}

/// Updates the heartbeat file regularly, as long as this value exists.
pub(crate) struct Heartbeat {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Heartbeat {
    pub(super) fn start(folder: PathBuf, idle: Duration) -> Self {
        let (stop, stopped) = channel();
        let beat = move || {
            while stopped.recv_timeout(pause(idle)) == Err(RecvTimeoutError::Timeout) {
                // If the folder was deleted, the server ends, and there is no reason to disturb its user.
                let _ = touch(&folder);
            }
        };
        Heartbeat { stop: Some(stop), thread: std::thread::Builder::new().name("devdb".to_owned()).spawn(beat).ok() }
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
