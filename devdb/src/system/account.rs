//! The user that the server runs as.
//!
//! PostgreSQL refuses to run as root. If the caller is root (usually in a container), the programs run as `postgres` or
//! `nobody`. Changing the user fails in a user namespace that maps only root (EINVAL) and without CAP_SETUID (EPERM).
//! Running `postgres --version` as that user detects this before anything is written, and also returns the version.

use super::binaries::Installation;
use crate::error::Error;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const CANDIDATES: [&str; 3] = ["postgres", "_postgres", "nobody"];

/// A user, and the version of PostgreSQL that runs as this user.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    /// The ids to change to; none if the user stays the same.
    ids: Option<(u32, u32)>,
    /// The name of the user to change to.
    name: &'static str,
    /// For example `15.14`.
    pub(crate) version: String,
}

impl Account {
    /// Returns a command that runs as this user, in English, without the PG* variables of the caller.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C");
        if let Some((user, group)) = self.ids {
            command.uid(user).gid(group);
        }
        command
    }

    /// Returns the name of the user if the user is another one and may not enter `folder`.
    pub(super) fn shut_out_of(&self, installation: &Installation, folder: &Path) -> Option<&'static str> {
        self.ids?;
        let mut command = self.command(&installation.program("postgres"));
        let started = command.arg("--version").current_dir(folder).output();
        started.is_err_and(|error| error.kind() == ErrorKind::PermissionDenied).then_some(self.name)
    }

    /// Makes this user the owner of `path`.
    pub(crate) fn own(&self, path: &Path) -> std::io::Result<()> {
        match self.ids {
            Some((user, group)) => std::os::unix::fs::chown(path, Some(user), Some(group)),
            None => Ok(()),
        }
    }
}

pub(super) fn choose(installation: &Installation) -> Result<Account, Error> {
    if !rustix::process::geteuid().is_root() {
        return probe(installation, None, "");
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let mut refusal = None;
    for (name, ids) in CANDIDATES.iter().filter_map(|name| Some((name, ids_of(&users, name)?))) {
        match probe(installation, Some(ids), name) {
            Ok(account) => return Ok(account),
            Err(error) => refusal = Some(format!("as user {name}: {error}; run this as another user than root")),
        }
    }
    Err(Error::Program {
        program: "dropping root's rights".to_owned(),
        output: refusal
            .unwrap_or_else(|| "PostgreSQL refuses root, and there is no user postgres or nobody".to_owned()),
    })
}

fn probe(installation: &Installation, ids: Option<(u32, u32)>, name: &'static str) -> Result<Account, Error> {
    let program = installation.program("postgres");
    let mut account = Account { ids, name, version: String::new() };
    let failed = |output: String| Error::Program { program: program.display().to_string(), output };
    let output = account.command(&program).arg("--version").current_dir("/").output();
    let output = output.map_err(|error| failed(error.to_string()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match version(&text) {
        Some(version) if output.status.success() => account.version = version.to_owned(),
        _ => return Err(failed(format!("--version printed {text:?}"))),
    }
    Ok(account)
}

/// Extracts `15.14` from `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`.
fn version(text: &str) -> Option<&str> {
    let version = text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    version.chars().all(|c| c.is_ascii_alphanumeric() || c == '.').then_some(version)
}

fn ids_of(users: &str, name: &str) -> Option<(u32, u32)> {
    let fields: Vec<&str> = users.lines().map(|line| line.split(':').collect()).find(|f: &Vec<&str>| f[0] == name)?;
    // macOS writes nobody as -2.
    let id = |at: usize| fields.get(at)?.parse::<i64>().ok().map(|id| id as u32);
    Some((id(2)?, id(3)?))
}

/// Whether a user without privileges can access the contents of `folder`.
pub(super) fn everybody_may_enter(folder: &Path) -> bool {
    folder.exists() && closed_folder(folder).is_none()
}

/// Returns the outermost folder on the way to `folder` that others may not enter.
pub(super) fn closed_folder(folder: &Path) -> Option<PathBuf> {
    let open = |folder: &Path| fs::metadata(folder).is_ok_and(|m| m.permissions().mode() & 0o001 != 0);
    let folder = folder.canonicalize().ok()?;
    folder.ancestors().filter(|folder| !open(folder)).last().map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_every_packagers_text() {
        assert_eq!(version("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"), Some("15.14"));
        assert_eq!(version("postgres (PostgreSQL) 18beta1\n"), Some("18beta1"));
        assert_eq!(version("postgres\n"), None);
    }

    #[test]
    fn ids_come_from_the_right_line() {
        let users = "root:x:0:0::/:/bin/sh\n#\nnobody:*:-2:-2:U:/:/f\npostgres:x:101:104:,,,:/v:/bin/bash\n";
        assert_eq!(ids_of(users, "postgres"), Some((101, 104)));
        assert_eq!(ids_of(users, "nobody"), Some((u32::MAX - 1, u32::MAX - 1)));
        assert_eq!(ids_of(users, "ann"), None);
    }
}
