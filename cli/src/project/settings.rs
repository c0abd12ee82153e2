//! `codegen.toml`: the paths of the schema, the client and the migrations, if they are not the defaults, and the warnings that
//! the project accepts.
//!
//! The file in this folder is used, else that of the nearest parent folder. Its paths are relative to the file. The
//! command line takes precedence.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use relata_codegen::diagnostics::allowable;
use serde::Deserialize;

use crate::failure::Failure;

const FILE: &str = "codegen.toml";

/// The settings, read once, before the command line, which uses them as defaults.
static SETTINGS: OnceLock<Settings> = OnceLock::new();

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    schema: Option<PathBuf>,
    out: Option<PathBuf>,
    migrations: Option<PathBuf>,
    seed: Option<Seed>,
    queries: Option<PathBuf>,
    #[serde(default)]
    check: CheckSettings,
}

/// What `seed` names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub(crate) enum Seed {
    /// A file of SQL.
    File(PathBuf),
    /// A command, and the folder in which it runs.
    Command { text: String, folder: PathBuf },
}

/// A text that ends with `.sql` is a file, unless it has several words: `psql -f seed.sql` is a command.
impl From<String> for Seed {
    fn from(text: String) -> Self {
        let is_file = text.ends_with(".sql") && !text.trim().contains(char::is_whitespace);
        if is_file { Seed::File(text.into()) } else { Seed::Command { text, folder: PathBuf::new() } }
    }
}

impl Seed {
    fn starting_at(self, folder: &Path) -> Self {
        match self {
            Seed::File(path) => Seed::File(folder.join(path)),
            Seed::Command { text, .. } => Seed::Command { text, folder: folder.to_owned() },
        }
    }
}

/// The table `[check]`.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckSettings {
    /// The codes of warnings that are accepted everywhere.
    #[serde(default)]
    allow: Vec<String>,
}

/// Reads the file, if there is one.
pub(crate) fn load() -> Result<(), Failure> {
    let folders = std::env::current_dir().map_or(1, |folder| folder.ancestors().count());
    let mut above = PathBuf::new();
    for _ in 0..folders {
        let path = above.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => {
                let settings = parse(&text, &path)?.starting_at(&above);
                // Called only once.
                SETTINGS.get_or_init(|| settings);
                return Ok(());
            }
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => above.push(".."),
            Err(error) => return Err(Failure::reading(&path, &error)),
        }
    }
    Ok(())
}

fn parse(text: &str, path: &Path) -> Result<Settings, Failure> {
    let settings: Settings = toml::from_str(text).map_err(|error| {
        Failure::refused(format!("cannot read {}:\n{}", path.display(), error.to_string().trim_end())).help(
            "the keys are `schema`, `out`, `migrations` and `queries`, each a path: schema = \"db/schema.dsl\"; `seed`, a \
             file of SQL or a command: seed = \"cargo run --example seed\"; and in the table [check], `allow`, a list of codes: allow = [\"R0716\"]",
        )
    })?;
    for code in &settings.check.allow {
        allowable(code).map_err(|reason| Failure::refused(format!("`allow` in {}: {reason}", path.display())))?;
    }
    Ok(settings)
}

impl Settings {
    fn starting_at(self, folder: &Path) -> Self {
        let from = |path: Option<PathBuf>| path.map(|path| folder.join(path));
        Self {
            schema: from(self.schema),
            out: from(self.out),
            migrations: from(self.migrations),
            seed: self.seed.map(|seed| seed.starting_at(folder)),
            queries: from(self.queries),
            check: self.check,
        }
    }
}

/// The schema that the file names.
pub(crate) fn schema() -> Option<PathBuf> {
    SETTINGS.get()?.schema.clone()
}

/// The folder of the client.
pub(crate) fn out() -> PathBuf {
    SETTINGS.get().and_then(|settings| settings.out.clone()).unwrap_or_else(|| "generated".into())
}

/// The folder of migrations.
pub(crate) fn migrations() -> PathBuf {
    SETTINGS.get().and_then(|settings| settings.migrations.clone()).unwrap_or_else(|| "migrations".into())
}

/// The folder of queries, if it is not next to the schema.
pub(crate) fn queries() -> Option<PathBuf> {
    SETTINGS.get()?.queries.clone()
}

/// The codes of warnings that the project accepts everywhere.
pub(crate) fn allowed() -> Vec<String> {
    SETTINGS.get().map(|settings| settings.check.allow.clone()).unwrap_or_default()
}

/// What fills a new database.
pub(crate) fn seed() -> Option<Seed> {
    SETTINGS.get()?.seed.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_start_where_the_file_is() {
        let settings = parse("schema = \"db/schema.dsl\"\nout = \"/srv/client\"\n", Path::new(FILE)).expect("valid");
        assert_eq!(
            settings.starting_at(Path::new("..")),
            Settings {
                schema: Some("../db/schema.dsl".into()),
                out: Some("/srv/client".into()),
                ..Settings::default()
            }
        );
    }

    #[test]
    fn a_seed_is_a_file_of_sql_or_a_command() {
        let seed = |text: &str| {
            let settings = parse(&format!("seed = '{text}'"), Path::new(FILE)).expect("valid");
            settings.starting_at(Path::new("..")).seed.expect("is set")
        };
        assert_eq!(seed("db/seed.sql"), Seed::File("../db/seed.sql".into()));
        for text in ["cargo run --example seed", "psql -f seed.sql", "./seed"] {
            assert_eq!(seed(text), Seed::Command { text: text.to_owned(), folder: "..".into() });
        }
    }

    #[test]
    fn what_it_cannot_have_is_said() {
        for text in ["shema = \"a\"", "schema = 1", "schema", "[schema]", "[check]\nallows = []"] {
            let failure = parse(text, Path::new(FILE)).expect_err("refused").to_string();
            assert!(failure.contains("codegen.toml") && failure.contains("`schema`"), "{failure}");
        }
    }

    #[test]
    fn only_warnings_are_allowed() {
        let allow = |code: &str| parse(&format!("[check]\nallow = [\"{code}\"]"), Path::new(FILE));
        assert_eq!(allow("R0716").expect("is a warning").check.allow, ["R0716"]);
        for (code, expected) in
            [("R0301", "is an error"), ("R9999", "there is no diagnostic R9999"), ("", "there is no")]
        {
            let failure = allow(code).expect_err("is refused").to_string();
            assert!(failure.contains(expected) && failure.contains(FILE), "{failure}");
        }
    }
}
