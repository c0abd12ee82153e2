//! `relata-devdb-embedded`: PostgreSQL as WebAssembly on its own port, for as long as its parent lives.
//!
//! Prints its URL as the first line of stdout (or `error: ...`, and exits with 1), and serves until stdin ends, which
//! happens when the parent closes it or dies. Without an argument, the data is in a temporary folder. `--root DIR`
//! keeps it in DIR; `--copy-of DIR` starts from a copy of a kept folder.
//!
//! The engine is started before the URL is printed. It has one session, which any number of clients share. Each client
//! gets it for one transaction at a time ([`pool`]), and finds it as it left it ([`session`], [`engine`]).

mod client;
mod engine;
mod pool;
mod session;
mod sql;
mod startup;
mod wire;

use pool::{Patience, Pool};
use std::error::Error;
use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

const USAGE: &str = "usage: relata-devdb-embedded [--root DIR | --copy-of DIR]";

/// The database that the engine's folder contains from the start.
const DATABASE: &str = "postgres";
const PATIENCE: &str = "RELATA_DEVDB_PATIENCE";

const REMOVALS: u32 = 50;
const REMOVAL_PAUSE: Duration = Duration::from_millis(20);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args_os().skip(1).map(|a| a.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        [] => serve_temporary(None),
        ["--root", folder] => serve(Path::new(folder), End::Whole),
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
    let done = done.map_err(Into::into).and_then(|()| serve(&folder, End::Removed));
    remove(&folder);
    done
}

/// What happens to the data at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// It is kept, so the engine has to write all of it.
    Whole,
    /// Nobody will read it.
    Removed,
}

/// Serves from `root` until stdin ends.
fn serve(root: &Path, end: End) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (close, closing) = tokio::sync::watch::channel(false);
    let pool = Pool::new(root.to_owned(), patience()?, closing);
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        // Clients limit how long they wait for a connection, and on a busy machine, starting the engine takes longer.
        pool.start(DATABASE).await?;
        let mut stdout = std::io::stdout();
        writeln!(stdout, "postgres://postgres@127.0.0.1:{port}/{DATABASE}?sslmode=disable")?;
        stdout.flush()?;
        tokio::select! {
            error = accept(&pool, &listener) => return Err(error.into()),
            () = end_of_stdin()? => {}
        }
        if end == End::Whole {
            // Tells the client with an open transaction to end, and then the next one in the queue.
            let _ = close.send(true);
            pool.stop().await;
        }
        Ok(())
    })
}

/// Accepts connections, each served by its own task, until there can be no more.
async fn accept(pool: &Arc<Pool>, listener: &TcpListener) -> std::io::Error {
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => return error,
        };
        let pool = Arc::clone(pool);
        tokio::spawn(async move {
            // A client that disappears is no reason to stop serving.
            if let Err(error) = client::serve(pool, stream).await {
                eprintln!("relata-devdb-embedded: {error}");
            }
        });
    }
}

/// Completes when the parent closes our stdin, or dies.
fn end_of_stdin() -> std::io::Result<impl Future<Output = ()>> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::Builder::new().name("stdin".to_owned()).spawn(move || {
        let _ = std::io::stdin().lock().read_to_end(&mut Vec::new());
        let _ = sender.send(());
    })?;
    Ok(async move {
        let _ = receiver.await;
    })
}

/// Returns how long clients wait for their turns: `RELATA_DEVDB_PATIENCE`, in seconds.
fn patience() -> Result<Patience, Box<dyn Error>> {
    let mut patience = Patience::default();
    if let Some(text) = std::env::var_os(PATIENCE) {
        let seconds = text.to_str().and_then(|text| text.parse().ok());
        let seconds = seconds.ok_or_else(|| format!("{PATIENCE}: {text:?} is not a number of seconds"))?;
        patience.idle = Duration::from_secs(seconds);
    }
    Ok(patience)
}

fn temporary_folder() -> std::io::Result<PathBuf> {
    let parent = std::env::temp_dir();
    let process = std::process::id();
    let mut number = 0;
    loop {
        let folder = parent.join(format!("relata-devdb-embedded-{process}-{number}"));
        match std::fs::create_dir(&folder) {
            // Left behind by a killed process with the same number.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            done => return done.map(|()| folder),
        }
    }
}

/// Removes `folder`, in several attempts if necessary: a backend that still has a client may be writing into it.
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
