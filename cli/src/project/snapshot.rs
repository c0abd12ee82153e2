//! The migrations folder: the last snapshot, and the next migration.
//!
//! Each migration is a folder `<YYYYMMDDHHMMSS>_<snake_name>` with `migration.sql`, `schema.dsl`, and `objects.sql` if the
//! schema has functions, procedures, triggers or policies.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::Utc;
use relata_codegen::build::OBJECTS_OF_SNAPSHOT;

use crate::failure::Failure;
use crate::project::write::write_folder;

/// The file with the schema after a migration.
pub(crate) const SNAPSHOT: &str = "schema.dsl";

/// The schema after a migration.
pub(crate) struct Snapshot {
    /// The text of `schema.dsl`.
    pub(crate) schema: String,
    /// The text of `objects.sql`.
    pub(crate) objects: Option<String>,
}

impl Snapshot {
    /// Reads the snapshot of a migration, given the path of its `schema.dsl`.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let read = |path: &Path| fs::read_to_string(path).map_err(|error| Failure::reading(path, &error));
        let objects = path.with_file_name(OBJECTS_OF_SNAPSHOT);
        Ok(Self { schema: read(path)?, objects: objects.is_file().then(|| read(&objects)).transpose()? })
    }

    /// Returns the files with their names.
    pub(crate) fn files(&self) -> Vec<(&str, &str)> {
        let objects = self.objects.as_deref().map(|objects| (OBJECTS_OF_SNAPSHOT, objects));
        [(SNAPSHOT, self.schema.as_str())].into_iter().chain(objects).collect()
    }
}

/// Names of the migrations in a folder, in order. A folder that does not exist has none.
fn names(folder: &Path) -> Result<Vec<String>, Failure> {
    let unreadable = |error| Failure::reading(folder, &error);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() && !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Whether there is a migration in the folder.
pub(crate) fn has_migrations(folder: &Path) -> Result<bool, Failure> {
    Ok(!names(folder)?.is_empty())
}

/// The snapshot of one migration, if it has one.
pub(crate) fn of(folder: &Path, name: &str) -> Option<PathBuf> {
    Some(folder.join(name).join(SNAPSHOT)).filter(|path| path.is_file())
}

/// The snapshot of the last migration; none if there is no migration. A migration without one is an error.
pub(crate) fn last(folder: &Path) -> Result<Option<PathBuf>, Failure> {
    let Some(name) = names(folder)?.pop() else { return Ok(None) };
    if let Some(path) = last_if_any(folder)? {
        return Ok(Some(path));
    }
    Err(Failure::refused(format!("the last migration, {name}, has no {SNAPSHOT}"))
        .help("add the schema after this migration: the next migration is what differs from it"))
}

/// The snapshot of the last migration, if it has one.
pub(crate) fn last_if_any(folder: &Path) -> Result<Option<PathBuf>, Failure> {
    let path = names(folder)?.pop().map(|name| folder.join(name).join(SNAPSHOT));
    Ok(path.filter(|path| path.is_file()))
}

/// Writes a migration and returns its folder.
pub(crate) fn write(folder: &Path, name: &str, sql: &str, schema: &Snapshot) -> Result<PathBuf, Failure> {
    let mut timestamp = Utc::now().format("%Y%m%d%H%M%S").to_string();
    // The new migration has to be the last one, even if another was created in the same second or the clock was set
    // back.
    if let Some(last) = names(folder)?.pop()
        && let Some(last) = last.get(..14).filter(|last| *last >= timestamp.as_str())
        && let Ok(number) = last.parse::<u64>()
    {
        timestamp = (number + 1).to_string();
    }
    let path = folder.join(format!("{timestamp}_{name}"));
    write_folder(&path, &[vec![("migration.sql", sql)], schema.files()].concat())?;
    Ok(path)
}

/// `add student-exams` becomes `add_student_exams`.
pub(crate) fn snake_name(name: &str) -> Result<String, Failure> {
    let mut snake = String::new();
    let mut previous_is_lower = false;
    for character in name.chars() {
        if character.is_alphanumeric() {
            if character.is_uppercase() && previous_is_lower {
                snake.push('_');
            }
            snake.extend(character.to_lowercase());
        } else if !snake.is_empty() && !snake.ends_with('_') {
            snake.push('_');
        }
        previous_is_lower = character.is_lowercase() || character.is_numeric();
    }
    let snake = snake.trim_end_matches('_');
    match snake.len() {
        0 => Err(Failure::usage(format!("--name {name:?} contains no letter or digit"))
            .help("describe the migration: --name add-student-exams")),
        1..=200 => Ok(snake.to_owned()),
        _ => Err(Failure::usage("--name is longer than 200 bytes").help("use a few words: --name add-student-exams")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_snake_case() {
        for (name, snake) in [
            ("add-student-exams", "add_student_exams"),
            ("Add student  exams!", "add_student_exams"),
            ("addStudentExams", "add_student_exams"),
            ("../../etc", "etc"),
            ("Prüfung 2", "prüfung_2"),
        ] {
            assert_eq!(snake_name(name).expect("valid"), snake);
        }
        assert!(snake_name("--/..").is_err());
        assert!(snake_name(&"x".repeat(300)).is_err());
    }

    #[test]
    fn a_migration_is_always_the_last_one() {
        let folder = tempfile::tempdir().expect("temporary folder");
        assert_eq!(last(folder.path()).expect("readable"), None);
        let far = folder.path().join("29990101000000_far");
        fs::create_dir(&far).expect("created");
        assert!(last(folder.path()).is_err());
        let schema = Snapshot { schema: "// schema".to_owned(), objects: None };
        let new = write(folder.path(), "near", "SELECT 1;", &schema).expect("written");
        assert!(new > far);
        assert_eq!(last(folder.path()).expect("readable"), Some(new.join("schema.dsl")));
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 2);
    }
}
