//! The command line: what can be asked for, and what its help says.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

const EXIT_CODES: &str = "\
Exit codes:
  0   done
  1   refused or failed
  2   a difference, or pending migrations
  3   a question without an answer: a probable rename, a history that needs a person
  64  wrong usage";

/// Checks a Relata schema, generates its client, and migrates its database.
#[derive(Debug, Parser)]
#[command(name = "codegen", version, about, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make, apply and list migrations
    #[command(subcommand)]
    Migrate(Migrate),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Migrate {
    /// Apply pending migrations
    Deploy(Deploy),
    /// Compare the migrations with the history of the database
    #[command(after_help = "Exit codes:\n  0   up to date\n  1   refused or failed\n  2   migrations are pending\n  \
                            3   edited, missing, failed or interrupted migrations\n  64  wrong usage")]
    Status(Status),
    /// Drop everything in the schema with all data, and apply all migrations again
    ///
    /// Drops the tables, views, materialized views, foreign tables, sequences, types and functions of the current
    /// schema and of the schemas that the datasource names. Keeps the schemas themselves and their privileges,
    /// extensions and what belongs to them, roles, and everything in other schemas.
    Reset(Reset),
}

/// The migrations and the database they are for.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// The folder of migrations
    #[arg(long, value_name = "DIR", default_value = "migrations")]
    pub(crate) migrations: PathBuf,
    /// The database [default: DATABASE_URL of the environment or of .env]
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Deploy {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Seconds to wait for another deploy to end
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub(crate) lock_wait: u64,
    /// Apply migrations that are older than the last applied one
    #[arg(long)]
    pub(crate) allow_out_of_order: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Print it as JSON on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Reset {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Do not ask
    #[arg(long)]
    pub(crate) force: bool,
}
