//! Runs a command with `DATABASE_URL` set to a new database on Citus: a coordinator and two workers from the installed
//! PostgreSQL. Prints SKIPPED and exits with 77 where Citus is not installed.

#[cfg(unix)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let Some(program) = arguments.next() else { return Err("usage: citus COMMAND [ARGUMENTS]".into()) };
    let Some(citus) = relata_devdb::Citus::start()? else {
        eprintln!("SKIPPED: the installed PostgreSQL has no extension citus");
        std::process::exit(77);
    };
    let database = citus.create_database("run")?;
    let status = std::process::Command::new(program).args(arguments).env("DATABASE_URL", database.url()).status()?;
    // `exit` runs no destructors.
    drop(database);
    std::process::exit(status.code().unwrap_or(1));
}

#[cfg(not(unix))]
fn main() {
    eprintln!("SKIPPED: Citus runs on Unix only");
    std::process::exit(77);
}
