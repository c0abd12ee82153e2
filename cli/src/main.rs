//! The command `codegen`: the only place where a person, the disk and a database meet.

mod args;
mod ask;
mod command;
mod database;
mod difference;
mod drift;
mod endpoint;
mod failure;
mod introspect;
mod inventory;
mod ir_json;
mod lint;
mod lock_file;
mod progress;
#[cfg(test)]
mod property;
#[cfg(test)]
mod random;
#[cfg(test)]
mod random_queries;
mod renamed;
mod report;
mod say;
mod schema_files;
mod settings;
mod snapshot;
mod write;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::args::{Cli, Command, Db, Migrate};
use crate::failure::{Exit, Failure};

fn main() -> ExitCode {
    // Before the command line, whose defaults they are; but whoever asks for help gets it, whatever the file says.
    let settings = settings::load();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    if let Err(failure) = settings {
        say::err(&failure.to_string());
        return failure.exit.into();
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            say::err(&format!("error: cannot start: {error}"));
            return Exit::Refused.into();
        }
    };
    let exit = runtime.block_on(run(&cli.command)).unwrap_or_else(|failure| {
        let text = failure.to_string();
        if !text.is_empty() {
            say::err(&text);
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
        Command::Init => command::init::init(),
        Command::Check(args) => command::check::check(args).await,
        Command::Fmt(args) => command::fmt::fmt(args),
        Command::Generate(args) => command::generate::generate(args),
        Command::Ir(args) => command::ir::ir(args),
        Command::Explain { code } => command::explain::explain(code),
        Command::MigrateDiff(args) => command::migrate_diff::migrate_diff(args).await,
        Command::Migrate(Migrate::Dev(args)) => command::dev::dev(args).await,
        Command::Migrate(Migrate::Deploy(args)) => command::migrate::deploy(args).await,
        Command::Migrate(Migrate::Status(args)) => command::status::status(args).await,
        Command::Migrate(Migrate::Lint(args)) => command::lint::lint(args).await,
        Command::Migrate(Migrate::Reset(args)) => command::migrate::reset(args).await,
        Command::Migrate(Migrate::Resolve(args)) => command::resolve::resolve(args).await,
        Command::Migrate(Migrate::Baseline(args)) => command::resolve::baseline(args).await,
        Command::Migrate(Migrate::Verify(args)) => command::verify::verify(args).await,
        Command::Migrate(Migrate::Rebase(args)) => command::rebase::rebase(args).await,
        Command::Migrate(Migrate::Adopt(args)) => command::adopt::adopt(args).await,
        Command::Migrate(Migrate::Squash(args)) => command::squash::squash(args),
        Command::Db(Db::Push(args)) => command::db::push(args).await,
        Command::Db(Db::Pull(args)) => command::db::pull::pull(args).await,
        Command::Db(Db::Execute(args)) => command::db::execute(args).await,
        Command::Db(Db::Seed(args)) => command::db::seed(args).await,
        Command::Migrate(Migrate::Down(args)) => command::down::down(args).await,
    }
}
