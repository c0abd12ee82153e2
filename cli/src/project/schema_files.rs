//! From a path to the texts of a schema: one file, or all `.dsl` and `.prisma` files of a folder.

use std::path::{Path, PathBuf};

use relata_codegen::diagnostics::{SourceFile, Sources};
use relata_codegen::{build, with_views};

use crate::failure::Failure;
use crate::project::settings;
use crate::project::snapshot::Snapshot;

/// The default schema files, if neither the command line nor codegen.toml names one.
const DEFAULTS: [&str; 2] = ["schema.dsl", "schema.prisma"];

/// The place of a schema in a Prisma project. Not a default, because that folder belongs to Prisma's client.
const PRISMA: &str = "prisma/schema.prisma";

/// The path of the schema.
pub(crate) fn locate(path: Option<&Path>) -> Result<PathBuf, Failure> {
    match path {
        Some(path) => Ok(path.to_owned()),
        None => settings::schema().map_or_else(locate_default, Ok),
    }
}

fn locate_default() -> Result<PathBuf, Failure> {
    DEFAULTS.iter().map(PathBuf::from).find(|path| path.exists()).ok_or_else(|| {
        let help = match Path::new(PRISMA).exists() {
            true => format!("pass {PRISMA}, or write `schema = \"{PRISMA}\"` in codegen.toml"),
            false => {
                "create one with `codegen init`, or give the schema file or folder on the command line or in codegen.toml".into()
            }
        };
        Failure::refused("there is neither schema.dsl nor schema.prisma in this folder").help(help)
    })
}

/// Reads the schema at `path`, by the same rules as a build script, with the warnings that the project accepts.
pub(crate) fn read(path: &Path) -> Result<Sources, Failure> {
    let sources = build::read_schema(path).map_err(|error| Failure::refused(error.to_string()))?;
    Ok(Sources { allowed: settings::allowed(), ..sources })
}

/// Reads the queries that belong to the schema at `path`: those of the folder that codegen.toml names, else of
/// `queries` next to the schema, if it exists.
pub(crate) fn read_queries(path: &Path) -> Result<Sources, Failure> {
    let folder = match settings::queries() {
        Some(folder) => folder,
        None => build::queries_beside(path),
    };
    if settings::queries().is_none() && !folder.is_dir() {
        return Ok(Sources::default());
    }
    build::read_queries(&folder).map_err(|error| Failure::refused(error.to_string()))
}

/// The schema as one text, with the queries of `views/*.sql`, for the snapshot of a migration. A single file without them
/// is not changed.
pub(crate) fn join(sources: &Sources) -> String {
    match with_views(sources).files.as_slice() {
        [file] => file.text.clone(),
        files => files
            .iter()
            .map(|file| format!("// {}\n{}\n", file.path, file.text.trim_end()))
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

/// The schema as the snapshot of a migration.
pub(crate) fn snapshot(sources: &Sources) -> Snapshot {
    let file = |file: &SourceFile| format!("-- {}\n{}\n", file.path, terminated(file.text.trim()));
    let objects: Vec<String> = sources.objects.iter().map(file).collect();
    Snapshot { schema: join(sources), objects: (!objects.is_empty()).then(|| objects.join("\n")) }
}

/// Ends the last statement of a file, because another file follows. A comment at the end must not hide the semicolon.
fn terminated(sql: &str) -> String {
    let last = relata_pgsql::tokens(sql).last();
    let is_comment = last.is_some_and(|token| token.is_comment());
    match last.is_none_or(|token| token.is_punctuation(sql, ";")) {
        true => sql.to_owned(),
        false if is_comment => format!("{sql}\n;"),
        false => format!("{sql};"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_stays_as_it_is_and_several_are_told_apart() {
        assert_eq!(join(&Sources::single("schema.dsl", "a\r\n")), "a\r\n");
        let mut several = Sources::single("a.dsl", "a\n\n");
        several.files.extend(Sources::single("b/c.dsl", "c").files);
        assert_eq!(join(&several), "// a.dsl\na\n\n// b/c.dsl\nc\n");
    }
}
