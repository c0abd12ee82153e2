//! The only module that writes files. Writes are atomic: a file is written under a temporary name and renamed.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Whether writing `file` would overwrite the schema at `schema`, a file or a folder of them.
pub(crate) fn overwrites_schema(file: &Path, schema: &Path) -> bool {
    let (Ok(file), Ok(schema)) = (fs::canonicalize(file), fs::canonicalize(schema)) else { return false };
    let is_schema = || file.extension().is_some_and(|extension| extension == "dsl" || extension == "prisma");
    file == schema || (file.starts_with(schema) && is_schema())
}

/// The target of a symbolic link, so that the link is kept.
pub(crate) fn behind_links(path: &str) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| PathBuf::from(path))
}

/// Writes a file, and creates its parent folders.
pub(crate) fn write_file(path: &Path, text: &str) -> Result<(), Failure> {
    if path.is_dir() {
        return Err(Failure::refused(format!("{} is a folder, not a file", path.display()))
            .help("name a file in it, or move the folder away"));
    }
    let result = create_parent(path).and_then(|()| {
        let temporary = temporary_path(path);
        write_synced(&temporary, text).and_then(|()| fs::rename(&temporary, path)).inspect_err(|_| {
            // The first error is the one to report.
            let _ = fs::remove_file(&temporary);
        })
    });
    result.map_err(|error| Failure::writing(path, &error))
}

/// Creates a folder with these files, all of them or none.
pub(crate) fn write_folder(folder: &Path, files: &[(&str, &str)]) -> Result<(), Failure> {
    if folder.exists() {
        return Err(Failure::refused(format!("{} exists already", folder.display())).help("try again in a second"));
    }
    let temporary = temporary_path(folder);
    let result = create_parent(folder)
        .and_then(|()| fs::create_dir(&temporary))
        .and_then(|()| files.iter().try_for_each(|(name, text)| write_synced(&temporary.join(name), text)))
        .and_then(|()| fs::rename(&temporary, folder));
    result.map_err(|error| {
        let _ = fs::remove_dir_all(&temporary);
        Failure::writing(folder, &error)
    })
}

fn create_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => fs::create_dir_all(parent),
        _ => Ok(()),
    }
}

/// A hidden name in the same folder, so that renaming is atomic. Readers of folders skip hidden names.
fn temporary_path(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}

fn write_synced(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
