//! The sources of migrations: a folder, or the program itself.

use std::path::{Path, PathBuf};

use super::error::Error;
use super::script::{Script, checksum, token_checksum};

/// One migration: a name that sorts by time, and the SQL that it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    name: String,
    file: PathBuf,
    script: Script,
    checksum: String,
    token_checksum: String,
    replaces: Vec<Replaced>,
}

/// A migration that another one replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// Its name.
    pub name: String,
    /// Its [`Migration::hash`].
    pub hash: String,
    /// Whether it was already replaced by an earlier migration in the list.
    pub earlier: bool,
}

/// Formats it as a line of a `migration.sql`.
impl std::fmt::Display for Replaced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{REPLACES}{} {}{}", self.name, self.hash, if self.earlier { EARLIER } else { "" })
    }
}

const REPLACES: &str = "-- relata:replaces ";
const EARLIER: &str = " earlier";

fn replaced(sql: &str) -> Vec<Replaced> {
    let read = |line: &str| {
        let entry = line.trim_end().strip_prefix(REPLACES)?;
        let known = entry.strip_suffix(EARLIER);
        let (name, hash) = known.unwrap_or(entry).rsplit_once(' ')?;
        Some(Replaced { name: name.to_owned(), hash: hash.to_owned(), earlier: known.is_some() })
    };
    sql.lines().filter_map(read).collect()
}

impl Migration {
    /// Creates a migration from its text. `file` is its name in errors.
    pub(super) fn new(name: &str, file: PathBuf, sql: &str) -> Result<Self, Error> {
        // An editor may add a byte order mark, which is not SQL.
        let sql = sql.strip_prefix('\u{feff}').unwrap_or(sql);
        let script = Script::parse(sql).map_err(|source| Error::Script { file: file.clone(), source })?;
        Ok(Self {
            name: name.to_owned(),
            file,
            script,
            checksum: checksum(sql),
            token_checksum: token_checksum(sql),
            replaces: replaced(sql),
        })
    }

    /// Returns the name of its folder, such as `20260922101500_add_users`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the file with its SQL; for embedded migrations the name that it would have.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Returns its statements.
    #[must_use]
    pub fn script(&self) -> &Script {
        &self.script
    }

    /// Returns SHA-256 of its statements, on which comments and white space have no effect.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.token_checksum
    }

    /// Returns the migrations that it replaces.
    #[must_use]
    pub fn replaces(&self) -> &[Replaced] {
        &self.replaces
    }

    pub(super) fn checksum(&self) -> &str {
        &self.checksum
    }

    pub(super) fn token_checksum(&self) -> &str {
        &self.token_checksum
    }

    /// Returns whether these are the hashes of its first statements.
    pub(super) fn begins_with(&self, prefix: &[String]) -> bool {
        let hashes = self.step_hashes();
        hashes.len() >= prefix.len() && hashes.iter().zip(prefix).all(|(hash, expected)| hash == expected)
    }

    /// Returns the hashes of its statements, in order.
    pub(super) fn step_hashes(&self) -> Vec<&str> {
        self.script.statements().map(|statement| statement.hash.as_str()).collect()
    }
}

/// All migrations of a project, in the order of their names, in which they run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Migrations {
    list: Vec<Migration>,
}

impl Migrations {
    /// Reads a folder: each subfolder with a `migration.sql` is a migration with the folder's name. Files and hidden
    /// folders are ignored.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read, a subfolder has no `migration.sql`, or one is not UTF-8 or not well-formed.
    pub fn from_dir(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let unreadable = |source| Error::Unreadable { path: path.to_owned(), source };
        let mut list = Vec::new();
        for entry in std::fs::read_dir(path).map_err(unreadable)? {
            let folder = entry.map_err(unreadable)?.path();
            let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if folder.is_dir() && !name.is_empty() && !name.starts_with('.') {
                list.push(read_migration(name, &folder)?);
            }
        }
        Ok(Self::sorted(list))
    }

    /// Creates the migrations that the program embeds, from pairs of name and SQL.
    ///
    /// ```
    /// use relata::migrate::Migrations;
    ///
    /// let migrations = Migrations::from_static(&[("20260101000000_init", "CREATE TABLE t (id int PRIMARY KEY)")])?;
    /// assert_eq!(migrations.iter().count(), 1);
    /// # Ok::<(), relata::migrate::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If two have the same name, or the SQL is not well-formed.
    pub fn from_static(migrations: &[(&str, &str)]) -> Result<Self, Error> {
        let list = migrations
            .iter()
            .map(|(name, sql)| Migration::new(name, Path::new(name).join("migration.sql"), sql))
            .collect::<Result<Vec<_>, _>>()?;
        let this = Self::sorted(list);
        match this.list.windows(2).find(|pair| pair[0].name == pair[1].name) {
            Some(pair) => Err(Error::DuplicateName { name: pair[0].name.clone() }),
            None => Ok(this),
        }
    }

    fn sorted(mut list: Vec<Migration>) -> Self {
        list.sort_by(|a, b| a.name.cmp(&b.name));
        Self { list }
    }

    /// Returns the migrations in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Migration> {
        self.list.iter()
    }

    /// Returns the migrations up to this name, including it.
    #[must_use]
    pub fn up_to(&self, name: &str) -> Self {
        Self { list: self.list.iter().take_while(|migration| migration.name.as_str() <= name).cloned().collect() }
    }

    /// Returns the migration with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Migration> {
        self.list.iter().find(|migration| migration.name == name)
    }
}

impl<'a> IntoIterator for &'a Migrations {
    type Item = &'a Migration;
    type IntoIter = std::slice::Iter<'a, Migration>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

fn read_migration(name: &str, folder: &Path) -> Result<Migration, Error> {
    let file = folder.join("migration.sql");
    let bytes = match std::fs::read(&file) {
        Ok(bytes) => bytes,
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::NoScript { folder: folder.to_owned() });
        }
        Err(source) => return Err(Error::Unreadable { path: file, source }),
    };
    match String::from_utf8(bytes) {
        Ok(sql) => Migration::new(name, file, &sql),
        Err(error) => Err(Error::NotUtf8 { file, offset: error.utf8_error().valid_up_to() }),
    }
}
