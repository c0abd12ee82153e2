//! From a path to the texts of a schema: one file, or all `.dsl` and `.prisma` files of a folder.

use std::path::{Path, PathBuf};

use relata_codegen::build;
use relata_codegen::diagnostics::Sources;

use crate::failure::Failure;

/// Files tried when none is named.
const DEFAULTS: [&str; 2] = ["schema.dsl", "schema.prisma"];

/// The path that is meant.
pub(crate) fn locate(path: Option<&Path>) -> Result<PathBuf, Failure> {
    match path {
        Some(path) => Ok(path.to_owned()),
        None => DEFAULTS.iter().map(PathBuf::from).find(|path| path.exists()).ok_or_else(|| {
            Failure::refused("there is neither schema.dsl nor schema.prisma in this folder")
                .help("make one with `codegen init`, or name the schema's file or folder")
        }),
    }
}

/// Reads the schema at `path`, by the same rules as a build script.
pub(crate) fn read(path: &Path) -> Result<Sources, Failure> {
    build::read_schema(path).map_err(|error| Failure::refused(error.to_string()))
}

/// The schema as one text, for the snapshot of a migration. One file stays as it is.
pub(crate) fn join(sources: &Sources) -> String {
    match sources.files.as_slice() {
        [file] => file.text.clone(),
        files => files
            .iter()
            .map(|file| format!("// {}\n{}\n", file.path, file.text.trim_end()))
            .collect::<Vec<_>>()
            .join("\n"),
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
