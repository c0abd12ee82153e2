//! A cluster of our own from the PostgreSQL that is installed.
//!
//! Takes the folder that this crate keeps, finds PostgreSQL's programs ([`binaries`]), a user to run them as
//! ([`account`]), and attaches to the cluster of that version or starts it ([`cluster`]). A [`watcher`] stops it when
//! nobody used it for a while.

mod account;
mod binaries;
mod cluster;
mod pidfile;
mod watcher;

pub(crate) use binaries::Search;
pub(crate) use cluster::Cluster;

use crate::error::Error;
use crate::files;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The cluster for the first usable PostgreSQL of `search`; nothing is started yet.
pub(crate) fn find(search: &Search, home: &Path, idle: Duration) -> Result<Cluster, Error> {
    let installation = binaries::find(search)?;
    let account = account::choose(&installation)?;
    let home = files::create_home(home)?;
    let cluster = Cluster::new(installation, account, &home, idle);
    cluster.check_paths()?;
    Ok(cluster)
}

/// Where the clusters of this user are by default: below the temporary folder, which `nobody` may enter as well.
pub(crate) fn default_home() -> PathBuf {
    let user = rustix::process::geteuid();
    let temporary = std::env::temp_dir();
    let folder =
        if user.is_root() && !account::everybody_may_enter(&temporary) { Path::new("/tmp") } else { &temporary };
    folder.join(format!("relata-devdb-{}", user.as_raw()))
}
