//! The folder of this crate in the temporary folder, and its locks.
//!
//! Nothing in it is worth keeping. It may be deleted at any time; a running server then stops by itself.

use crate::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Converts an I/O error.
pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    move |source| Error::Io { action, path: path.to_owned(), source }
}

/// Takes the lock file at `path`, and waits for its holder. Dropping the file, or the end of the process, releases the
/// lock.
pub(crate) fn lock(path: &Path) -> Result<File, Error> {
    let file = File::options().create(true).append(true).open(path).map_err(io("open", path))?;
    file.lock().map_err(io("lock", path))?;
    Ok(file)
}

/// Makes sure that `folder` exists and belongs to the current user.
///
/// Everyone can write to the temporary folder. If another user created a folder of this name first, it could contain
/// that user's server, so it is refused.
pub(crate) fn create_home(folder: &Path) -> Result<PathBuf, Error> {
    fs::create_dir_all(folder).map_err(io("create", folder))?;
    let folder = folder.canonicalize().map_err(io("open", folder))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let user = rustix::process::geteuid();
        let metadata = fs::metadata(&folder).map_err(io("open", &folder))?;
        if metadata.uid() != user.as_raw() {
            return Err(Error::Setting {
                name: "RELATA_DEVDB_DIR",
                problem: format!("{} belongs to another user (id {})", folder.display(), metadata.uid()),
                help: "Set it to a folder that you own.".to_owned(),
            });
        }
        // Root's server runs as another user, who needs access to the folder.
        let mode = if user.is_root() { 0o711 } else { 0o700 };
        if metadata.permissions().mode() & 0o777 != mode {
            fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).map_err(io("set the mode of", &folder))?;
        }
    }
    Ok(folder)
}
