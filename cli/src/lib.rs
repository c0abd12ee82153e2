//! The command `codegen` as a library: it prints, asks, reads and writes the files of a project, and connects to the database
//! that the user names.
//!
//! [`run`] is the whole command; `main.rs` calls it. [`testing`] has the functions that its tests call directly.

mod args;
mod command;
mod compare;
mod database;
mod failure;
mod introspect;
mod inventory;
mod lint;
mod project;
mod sql_tree;
mod terminal;
#[doc(hidden)]
pub mod testing;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::args::{Cli, Command, Db, Migrate};
use crate::failure::{Exit, Failure};
use crate::project::settings;
use crate::terminal::output;

/// Runs the command with the arguments and the environment of this process.
pub fn run() -> ExitCode {
    // Before the command line is parsed, because it uses them as defaults. Errors are reported after that, so that
    // --help always works.
    let settings = settings::load();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    if let Err(failure) = settings {
        output::eprint(&failure.to_string());
        return failure.exit.into();
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::eprint(&format!("error: cannot start: {error}"));
            return Exit::Refused.into();
        }
    };
    let exit = runtime.block_on(dispatch(&cli.command)).unwrap_or_else(|failure| {
        let text = failure.to_string();
        if !text.is_empty() {
            output::eprint(&text);
        }
        failure.exit
    });
    exit.into()
}

/// clap's own exit code for wrong usage is 2, which means a difference here.
fn usage(error: &clap::Error) -> ExitCode {
    // If stdout or stderr is closed, the error cannot be reported.
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Done.into(),
        _ => Exit::Usage.into(),
    }
}

async fn dispatch(command: &Command) -> Result<Exit, Failure> {
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
        Command::Db(Db::Partitions(args)) => command::partitions::partitions(args).await,
        Command::Db(Db::Execute(args)) => command::db::execute(args).await,
        Command::Db(Db::Seed(args)) => command::db::seed::seed(args).await,
        Command::Migrate(Migrate::Down(args)) => command::down::down(args).await,
    }
}
