//! From a path to the texts of a schema: one file, or all `.dsl` and `.prisma` files of a folder.

use std::fs;
use std::path::{Path, PathBuf};

use relata_codegen::diagnostics::{SourceFile, Sources};

use crate::failure::Failure;

/// Files tried when none is named.
const DEFAULTS: [&str; 2] = ["schema.dsl", "schema.prisma"];
const EXTENSIONS: [&str; 2] = ["dsl", "prisma"];
/// Positions in a schema are 32-bit, and nobody writes this much.
const LARGEST: u64 = 256 << 20;

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

/// Reads the schema at `path`.
pub(crate) fn read(path: &Path) -> Result<Sources, Failure> {
    let metadata = fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::refused(format!("{} does not exist", path.display()))
            .help("make a schema with `codegen init`, or correct the path"),
        _ => Failure::reading(path, &error),
    })?;
    let paths = if metadata.is_dir() { schema_files(path)? } else { vec![path.to_owned()] };
    if paths.is_empty() {
        return Err(Failure::refused(format!("the folder {} holds no .dsl or .prisma file", path.display()))
            .help("name the schema's file, or the folder that holds its files"));
    }
    let files = paths.iter().map(|path| read_file(path)).collect::<Result<Vec<_>, _>>()?;
    Ok(Sources { files })
}

/// The schema files below a folder, in the order of their paths. Hidden folders are left out.
fn schema_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error| Failure::reading(folder, &error);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        // A link to a folder above would never end.
        let is_folder = entry.file_type().map_err(unreadable)?.is_dir();
        if is_folder && !hidden {
            paths.extend(schema_files(&path)?);
        } else if !is_folder && path.extension().is_some_and(|it| EXTENSIONS.iter().any(|known| it == *known)) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn read_file(path: &Path) -> Result<SourceFile, Failure> {
    let reading = |error| Failure::reading(path, &error);
    let metadata = fs::metadata(path).map_err(reading)?;
    if !metadata.is_file() {
        return Err(Failure::refused(format!("{} is not a file", path.display())));
    }
    if metadata.len() > LARGEST {
        return Err(Failure::refused(format!("{} is larger than 256 MB, which no schema is", path.display())));
    }
    let text = String::from_utf8(fs::read(path).map_err(reading)?).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
        Failure::refused(format!("{} is not UTF-8: line {line}, byte {valid}", path.display())).help("save it as UTF-8")
    })?;
    Ok(SourceFile { path: path.display().to_string(), text })
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
    fn a_folder_is_read_in_the_order_of_its_paths() {
        let folder = tempfile::tempdir().expect("temporary folder");
        for (name, text) in [("b.prisma", "b"), ("a/z.dsl", "z"), ("notes.txt", "no"), (".git/x.dsl", "no")] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("created");
            fs::write(path, text).expect("written");
        }
        let sources = read(folder.path()).expect("readable");
        let texts: Vec<_> = sources.files.iter().map(|file| file.text.as_str()).collect();
        assert_eq!(texts, ["z", "b"]);
        assert!(join(&sources).starts_with("// "));
    }
}
