//! Finds PostgreSQL's programs on this machine.
//!
//! Order: `PG_BIN`, PATH, the output of `pg_config --bindir`, and the usual folders of packages. Debian, for example,
//! puts only wrappers on PATH, so the last step is the common one there. This runs no program except `pg_config`.

use crate::error::Error;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

const NEEDED: [&str; 3] = ["postgres", "initdb", "pg_ctl"];

/// Folders that contain one folder per version, and the path below the version.
const USUAL: [(&str, &str, &str); 9] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr/lib64", "pgsql", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/usr/local", "pgsql", "bin"),
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
    ("/opt/local/lib", "postgresql", "bin"),
];

/// Where to look.
#[derive(Debug, Clone, Default)]
pub(crate) struct Search {
    /// `PG_BIN`: if it is set, no other place is searched.
    pub(crate) pg_bin: Option<PathBuf>,
    /// `PATH`.
    pub(crate) path: OsString,
    /// Searched instead of PATH and the usual folders.
    pub(crate) only: Option<Vec<PathBuf>>,
}

/// A folder that contains the programs that a cluster needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Installation {
    pub(crate) folder: PathBuf,
}

impl Installation {
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

pub(super) fn find(search: &Search) -> Result<Installation, Error> {
    if let Some(folder) = &search.pg_bin {
        return installation(folder).ok_or_else(|| Error::Setting {
            name: "PG_BIN",
            problem: format!("{} does not hold postgres, initdb and pg_ctl", folder.display()),
            help: "Set it to the folder that `pg_config --bindir` prints, or unset it.".to_owned(),
        });
    }
    let candidates = match &search.only {
        Some(folders) => folders.clone(),
        None => {
            let path = std::env::split_paths(&search.path).collect::<Vec<_>>();
            let configured = path.iter().find_map(|folder| bindir(&folder.join("pg_config")));
            path.into_iter().chain(configured).chain(usual()).collect()
        }
    };
    candidates.iter().find_map(|folder| installation(folder)).ok_or_else(|| Error::Program {
        program: "looking for PostgreSQL".to_owned(),
        output: "postgres, initdb and pg_ctl are neither on PATH nor in the folders where packages put them".to_owned(),
    })
}

/// Resolves links to find the installation of `folder`: PATH may contain a link to `postgres` without the other
/// programs.
fn installation(folder: &Path) -> Option<Installation> {
    let real = folder.join("postgres").canonicalize().ok()?.parent()?.to_owned();
    [real, folder.to_owned()]
        .into_iter()
        .find(|folder| NEEDED.iter().all(|name| folder.join(name).is_file()))
        .map(|folder| Installation { folder })
}

fn bindir(pg_config: &Path) -> Option<PathBuf> {
    let output = Command::new(pg_config).arg("--bindir").output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(folder.trim()))
}

/// Returns the usual folders that exist, with the newest version first in each.
fn usual() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (parent, prefix, suffix) in USUAL {
        let Ok(entries) = std::fs::read_dir(parent) else { continue };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut versions: Vec<String> = names.filter(|name| name.starts_with(prefix)).collect();
        versions.sort_by_key(|name| std::cmp::Reverse(version_number(name)));
        found.extend(versions.iter().map(|name| Path::new(parent).join(name).join(suffix)));
    }
    found
}

fn version_number(name: &str) -> u32 {
    let digits: String = name.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_is_newer_than_nine() {
        assert!(version_number("postgresql@10") > version_number("postgresql@9"));
        assert_eq!(version_number("latest"), 0);
    }

    #[test]
    fn nothing_found_is_an_error() {
        let search = Search { only: Some(vec![PathBuf::from("/nonexistent")]), ..Search::default() };
        assert!(find(&search).is_err());
    }
}
