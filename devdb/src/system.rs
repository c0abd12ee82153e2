//! A throw-away cluster from the installed PostgreSQL.
//!
//! Uses the folder of this crate, finds PostgreSQL's programs ([`binaries`]) and a user to run them as ([`account`]),
//! and attaches to the cluster of that version or starts it ([`cluster`]). A [`watcher`] stops it after some time
//! without use.

mod account;
mod binaries;
mod citus;
mod cluster;
mod pidfile;
mod watcher;

pub(crate) use binaries::Search;
pub use citus::Citus;
pub(crate) use cluster::Cluster;

use crate::error::Error;
use crate::files;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Returns the cluster for the first usable PostgreSQL of `search`. Starts nothing yet.
pub(crate) fn find(search: &Search, home: &Path, idle: Duration) -> Result<Cluster, Error> {
    let installation = binaries::find(search)?;
    let account = account::choose(&installation)?;
    let home = files::create_home(home)?;
    let cluster = Cluster::new(installation, account, &home, idle);
    cluster.check_paths()?;
    Ok(cluster)
}

/// Whether PostgreSQL's programs are on this machine, usable or not.
pub(crate) fn is_installed(search: &Search) -> bool {
    binaries::find(search).is_ok()
}

/// Returns the default folder for the clusters of this user: in the temporary folder, which `nobody` can access as
/// well.
pub(crate) fn default_home() -> PathBuf {
    let user = rustix::process::geteuid();
    let temporary = std::env::temp_dir();
    let folder =
        if user.is_root() && !account::everybody_may_enter(&temporary) { Path::new("/tmp") } else { &temporary };
    folder.join(format!("relata-devdb-{}", user.as_raw()))
}
