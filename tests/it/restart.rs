//! A server that restarts while a program is running.

use std::path::{Path, PathBuf};
use std::process::Command;

use plain_planner::{Client, Error};
use relata::params;

/// A cluster that no other test uses, so that it can be stopped abruptly.
struct OwnCluster {
    folder: PathBuf,
    url: String,
}

impl OwnCluster {
    #[cfg(unix)]
    fn start() -> Option<Self> {
        let folder = std::env::temp_dir().join(format!("relata-restart-{}", std::process::id()));
        let devdb = relata_devdb::DevDb::builder().only(relata_devdb::Source::System).directory(&folder).start();
        match devdb {
            Ok(devdb) => Some(Self { url: devdb.url("postgres"), folder }),
            Err(error) => {
                relata_devdb::skip(&format!("there is no PostgreSQL to start and stop: {error}"));
                None
            }
        }
    }

    fn data(&self) -> PathBuf {
        let versions =
            self.folder.read_dir().expect("is read").filter_map(|entry| Some(entry.ok()?.path().join("data")));
        versions.into_iter().find(|path| path.join("postmaster.pid").exists()).expect("it runs")
    }

    /// Runs `pg_ctl MODE` for the running server, as its user.
    #[cfg(unix)]
    fn control(&self, arguments: &[&str]) {
        use std::os::unix::fs::MetadataExt;
        use std::os::unix::process::CommandExt;
        let data = self.data();
        let pid = std::fs::read_to_string(data.join("postmaster.pid")).expect("is read");
        let pid = pid.lines().next().expect("has a line").to_owned();
        let program = std::fs::read_link(format!("/proc/{pid}/exe")).expect("runs");
        let owner = std::fs::metadata(&data).expect("is there");
        let mut command = Command::new(program.parent().unwrap_or(Path::new("")).join("pg_ctl"));
        command.arg("-D").arg(&data).args(["-w", "-s", "-l", "/dev/null"]).args(arguments).current_dir("/");
        if is_root() {
            command.uid(owner.uid()).gid(owner.gid());
        }
        assert!(command.status().expect("pg_ctl runs").success(), "pg_ctl {arguments:?}");
    }
}

#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

impl Drop for OwnCluster {
    fn drop(&mut self) {
        self.control(&["stop", "-m", "immediate"]);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Each query after the restart gets a new connection or a clear error, and soon all of them work.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_restarted_server_is_found_again() {
    let Some(cluster) = OwnCluster::start() else { return };
    let db: Client =
        Client::builder(&cluster.url).expect("is a URL").max_connections(3).connect().await.expect("connects");
    let ask = || db.query_raw::<(i32,)>("SELECT 1", params![]);
    // All three connections are open, and one is in the middle of a query.
    let (one, two) = (db.begin().await.expect("begins"), db.begin().await.expect("begins"));
    ask().await.expect("answers");
    two.rollback().await.expect("rolls back");
    cluster.control(&["restart", "-m", "immediate"]);
    let lost = one.query_raw::<(i32,)>("SELECT 1", params![]).await.expect_err("its transaction is gone");
    assert!(is_clear(&lost), "{lost:?}");
    drop(one);
    let mut failures = 0;
    for _ in 0..6 {
        if let Err(error) = ask().await {
            assert!(is_clear(&error), "{error:?}");
            failures += 1;
        }
    }
    assert!(failures <= 3, "no more than there were connections: {failures}");
    assert_eq!(ask().await.expect("answers again"), [(1,)]);
    assert_eq!(db.statistics().in_use, 0);
}

fn is_clear(error: &Error) -> bool {
    matches!(error, Error::ConnectionLost(_) | Error::Connect { .. })
        || matches!(error.sqlstate(), Some("57P01" | "57P02" | "57P03"))
}
