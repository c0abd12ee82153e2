//! The command `devdb`: the server of this crate, for people and scripts.
//!
//! Results go to stdout, everything else to stderr. Exit codes: 0 success, 1 failure (or `status`: not running), 64
//! wrong usage. `run` returns the exit code of its command.

use relata_devdb::{DevDb, Error, Source};
use std::process::{Command, ExitCode};

const USAGE: &str = "\
devdb: a PostgreSQL for development and tests, found or started on demand

  devdb start                   start it, and print which one it is
  devdb url [DATABASE]          start it, create DATABASE (default: dev) if it does not exist, print its URL
  devdb psql-url [DATABASE]     the same for psql: through the socket, without a password
  devdb run COMMAND [ARG]...    run COMMAND with DATABASE_URL set to a new database, drop it afterwards
  devdb status                  print whether the cluster of this machine is running
  devdb stop                    stop it

DATABASE_URL: the server to use instead.  PG_BIN: the folder of PostgreSQL's programs.
RELATA_DEVDB: url, system or embedded, to use only that.  RELATA_DEVDB_DIR: the folder of the cluster.
RELATA_DEVDB_IDLE: seconds without use after which the cluster stops (1800).
";
const DEFAULT_DATABASE: &str = "dev";
const WRONG_USAGE: u8 = 64;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args_os().skip(1).map(|a| a.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["start"] => start(),
        ["url"] => print_url(DEFAULT_DATABASE, DevDb::url),
        ["url", database] => print_url(database, DevDb::url),
        ["psql-url"] => print_url(DEFAULT_DATABASE, DevDb::psql_url),
        ["psql-url", database] => print_url(database, DevDb::psql_url),
        ["run", program, rest @ ..] => run(program, rest),
        ["status"] => status(),
        ["stop"] => stop(),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprint!("{USAGE}");
            Ok(ExitCode::from(WRONG_USAGE))
        }
    };
    done.unwrap_or_else(|error| {
        eprintln!("devdb: {error}");
        ExitCode::FAILURE
    })
}

/// Refuses a server that ends with this process.
fn lasting() -> Result<DevDb, Error> {
    let db = DevDb::start()?;
    eprintln!("devdb: {}", db.describe());
    if db.source() == Source::Embedded {
        return Err(Error::Unsupported(
            "the embedded server ends with the process that started it: use `devdb run COMMAND`".to_owned(),
        ));
    }
    Ok(db)
}

fn start() -> Result<ExitCode, Error> {
    lasting().map(|_| ExitCode::SUCCESS)
}

fn print_url(database: &str, url: fn(&DevDb, &str) -> String) -> Result<ExitCode, Error> {
    let db = lasting()?;
    db.ensure_database(database)?;
    println!("{}", url(&db, database));
    Ok(ExitCode::SUCCESS)
}

fn run(program: &str, arguments: &[&str]) -> Result<ExitCode, Error> {
    let db = DevDb::start()?;
    eprintln!("devdb: {}", db.describe());
    let database = db.create_database("run")?;
    let status = Command::new(program).args(arguments).env("DATABASE_URL", database.url()).status();
    let status = status.map_err(|error| Error::Program { program: program.to_owned(), output: error.to_string() })?;
    // A command that was ended by a signal has no exit code.
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(code))
}

fn status() -> Result<ExitCode, Error> {
    match DevDb::builder().status()? {
        Some(line) => println!("{line}"),
        None => {
            println!("not running");
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn stop() -> Result<ExitCode, Error> {
    let stopped = DevDb::builder().stop()?;
    eprintln!("devdb: {}", if stopped { "stopped" } else { "not running" });
    Ok(ExitCode::SUCCESS)
}
