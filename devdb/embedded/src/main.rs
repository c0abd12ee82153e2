//! `relata-devdb-embedded`: PostgreSQL as WebAssembly on a port of its own, for as long as its parent lives.
//!
//! Prints its URL as the first line of stdout (or `error: ...`, then exits with 1) and serves until stdin ends, which it
//! does when the parent closes it or dies. Without an argument the data is in a temporary folder; `--root DIR` keeps it
//! in DIR; `--copy-of DIR` starts from a copy of a folder that was kept. It takes one connection at a time: a second
//! one waits until the first is closed.

use pglite_oxide::PgliteProxy;
use std::error::Error;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "usage: relata-devdb-embedded [--root DIR | --copy-of DIR]";

const REMOVALS: u32 = 50;
const REMOVAL_PAUSE: Duration = Duration::from_millis(20);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args_os().skip(1).map(|a| a.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        [] => serve_temporary(None),
        ["--root", folder] => serve(Path::new(folder)),
        ["--copy-of", folder] => serve_temporary(Some(Path::new(folder))),
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves from a folder that is removed at the end.
fn serve_temporary(original: Option<&Path>) -> Result<(), Box<dyn Error>> {
    let folder = temporary_folder()?;
    let done = match original {
        Some(original) => copy(original, &folder).map_err(|error| format!("copying {}: {error}", original.display())),
        None => Ok(()),
    };
    let done = done.map_err(Into::into).and_then(|()| serve(&folder));
    remove(&folder);
    done
}

/// Serves from `root` until stdin ends.
fn serve(root: &Path) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    let proxy = PgliteProxy::new(root);
    // Not joined: a client that stays connected would hold it for ever.
    std::thread::Builder::new().name("connections".to_owned()).spawn(move || {
        loop {
            // A client that vanishes is its own problem, and no reason to stop serving.
            if let Err(error) = proxy.accept_tcp_once(&listener) {
                eprintln!("relata-devdb-embedded: {error:#}");
            }
        }
    })?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable")?;
    stdout.flush()?;
    std::io::stdin().lock().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn temporary_folder() -> std::io::Result<PathBuf> {
    let parent = std::env::temp_dir();
    let process = std::process::id();
    let mut number = 0;
    loop {
        let folder = parent.join(format!("relata-devdb-embedded-{process}-{number}"));
        match std::fs::create_dir(&folder) {
            // What a killed process of the same number left behind.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            done => return done.map(|()| folder),
        }
    }
}

/// Removes `folder`, more than once if need be: a backend that still has a client may be writing into it.
fn remove(folder: &Path) {
    for _ in 0..REMOVALS {
        match std::fs::remove_dir_all(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => std::thread::sleep(REMOVAL_PAUSE),
            _ => return,
        }
    }
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            std::fs::create_dir(&target)?;
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
