//! `db seed`: runs the seed, which fills a new database. It is a file of SQL, or a command of the project. `migrate reset`
//! runs it, too.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use super::{read, run_file};
use crate::args;
use crate::database::Database;
use crate::failure::{Exit, Failure};
use crate::project::settings::{self, Seed};
use crate::terminal::output;

pub(crate) async fn seed(args: &args::Seed) -> Result<Exit, Failure> {
    let seed = args.file.clone().map(Seed::File).or_else(settings::seed);
    let database = Database::find(args.url.as_deref());
    run(seed, database, &args.arguments, Some(&args.lock)).await
}

/// Runs the seed that codegen.toml names, after the database was emptied.
pub(in crate::command) async fn after_reset(database: Database) -> Result<Exit, Failure> {
    match settings::seed() {
        Some(seed) => run(Some(seed), Ok(database), &[], None).await,
        None => Ok(Exit::Done),
    }
}

async fn run(
    seed: Option<Seed>,
    database: Result<Database, Failure>,
    arguments: &[String],
    lock: Option<&args::LockOptions>,
) -> Result<Exit, Failure> {
    match seed.unwrap_or_else(|| Seed::File(PathBuf::from("seed.sql"))) {
        Seed::File(_) if !arguments.is_empty() => Err(Failure::usage("only a seed that is a command takes arguments")
            .help("name the command in codegen.toml: seed = \"cargo run --example seed --\"")),
        Seed::File(file) if !file.exists() => {
            Err(Failure::refused(format!("there is no seed file {}", file.display())).help(
                "create it with the statements that fill a new database, name another file: `codegen db seed FILE`, or name a \
                 command in codegen.toml: seed = \"cargo run --example seed\"",
            ))
        }
        Seed::File(file) => run_file(&file, &read(&file)?, &database?, lock).await,
        Seed::Command { text, folder } => run_command(&text, &folder, &database?, arguments),
    }
}

/// Runs a command with the terminal of this one, so that its output is shown, and it can ask.
fn run_command(text: &str, folder: &Path, database: &Database, arguments: &[String]) -> Result<Exit, Failure> {
    output::eprint(&format!("seeding {database}: {text}"));
    let mut command = in_shell(text, arguments);
    if folder != Path::new("") {
        command.current_dir(folder);
    }
    let status = command.env("DATABASE_URL", database.url()).status();
    let status = status.map_err(|error| Failure::refused(format!("cannot run the seed `{text}`: {error}")))?;
    match code(status) {
        0 => Ok(Exit::Done),
        code => Err(Failure::program(code, format!("the seed `{text}` has failed: {status}"))
            .help("what it did before is still in the database, unless the seed itself has undone it")),
    }
}

/// Ends that have no code, such as those by a signal, are 1.
fn code(status: ExitStatus) -> u8 {
    if status.success() {
        return 0;
    }
    status.code().and_then(|code| u8::try_from(code).ok()).filter(|code| *code != 0).unwrap_or(1)
}

#[cfg(unix)]
fn in_shell(text: &str, arguments: &[String]) -> Command {
    let mut command = Command::new("sh");
    // The name of the shell in its messages comes before the arguments.
    command.arg("-c").arg(format!("{text} \"$@\"")).arg("sh").args(arguments);
    command
}

#[cfg(not(unix))]
fn in_shell(text: &str, arguments: &[String]) -> Command {
    let mut command = Command::new("cmd");
    command.arg("/C").arg(text).args(arguments);
    command
}
