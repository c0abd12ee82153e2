//! The command `codegen`: the only place where a person, the disk and a database meet.

mod args;
mod command;
mod connect;
mod database;
mod failure;
mod progress;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::args::{Cli, Command, Migrate};
use crate::failure::{Exit, Failure};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            return Exit::Refused.into();
        }
    };
    let exit = runtime.block_on(run(&cli.command)).unwrap_or_else(|failure| {
        let text = failure.to_string();
        if !text.is_empty() {
            eprintln!("{text}");
        }
        failure.exit
    });
    exit.into()
}

/// clap's own exit code for wrong usage is 2, which means a difference here.
fn usage(error: &clap::Error) -> ExitCode {
    // Nobody is left to tell if stdout or stderr is closed.
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Done.into(),
        _ => Exit::Usage.into(),
    }
}

async fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Migrate(Migrate::Deploy(args)) => command::migrate::deploy(args).await,
        Command::Migrate(Migrate::Status(args)) => command::migrate::status(args).await,
        Command::Migrate(Migrate::Reset(args)) => command::migrate::reset(args).await,
    }
}
