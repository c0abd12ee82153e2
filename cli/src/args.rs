//! The command line: what can be asked for, and what its help says.

mod adopt;
mod db;
mod history;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use adopt::Adopt;
pub(crate) use db::{Db, Execute, Naming, Pull, Push, Seed};
pub(crate) use history::{Baseline, Down, Rebase, Resolve, Squash, Verify};

use crate::project::settings;

const EXIT_CODES: &str = "\
Exit codes:
  0   done
  1   refused or failed
  2   a difference, or pending migrations
  3   a question without an answer: a probable rename, a history that needs a person
  64  wrong usage";

/// Checks a Relata schema, generates its client, and migrates its database.
#[derive(Debug, Parser)]
#[command(name = "codegen", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a first schema.dsl, and show what the project needs around it
    Init,
    /// Report every mistake of a schema and of the queries beside it
    Check(Check),
    /// Write a schema in the one way to write it
    Fmt(Fmt),
    /// Write the client of a schema
    Generate(Generate),
    /// Print the validated schema as JSON, for other tools
    Ir(Ir),
    /// Tell more about a code, such as R0301 or D103
    Explain {
        /// The code of a diagnostic, or of a finding about a migration
        code: String,
    },
    /// Print the SQL that leads from one state of a database to another
    MigrateDiff(MigrateDiff),
    /// Make, apply and list migrations
    #[command(subcommand)]
    Migrate(Migrate),
    /// Work on a database without migrations: push a schema, pull one, run SQL, seed
    #[command(subcommand)]
    Db(Db),
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// A schema file, or a folder of them [default: that of codegen.toml, else schema.dsl, else schema.prisma]
    pub(crate) path: Option<PathBuf>,
    /// Print the diagnostics as JSON on stdout
    #[arg(long)]
    pub(crate) json: bool,
    /// Prepare the queries of the folder `queries` on a PostgreSQL, and compare its types with ours
    ///
    /// On a database of its own, made on a PostgreSQL of this machine and given the schema, or on that of --url.
    #[arg(long)]
    pub(crate) database: bool,
    /// A database that has the schema: nothing is written there
    #[arg(long, value_name = "URL", requires = "database")]
    pub(crate) url: Option<String>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes:\n  0   formatted (with --check: was so already)\n  1   refused, or with --check: not formatted\n  \
                        64  wrong usage"
)]
pub(crate) struct Fmt {
    /// A schema file, a folder of them, or - for stdin [default: that of codegen.toml, else schema.dsl, else schema.prisma]
    pub(crate) path: Option<PathBuf>,
    /// Write nothing; name the files that are not formatted, and exit with 1 if there are any
    #[arg(long, conflicts_with = "stdout")]
    pub(crate) check: bool,
    /// Print the formatted file instead of writing it
    #[arg(long)]
    pub(crate) stdout: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Ir {
    /// A schema file, or a folder of them [default: that of codegen.toml, else schema.dsl, else schema.prisma]
    pub(crate) path: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// A schema file, or a folder of them [default: that of codegen.toml, else schema.dsl, else schema.prisma]
    #[arg(long, value_name = "PATH")]
    pub(crate) schema: Option<PathBuf>,
    /// The folder to write
    #[arg(long, value_name = "DIR", default_value_os_t = settings::out())]
    pub(crate) out: PathBuf,
    /// Write nothing; exit with 1 if the folder is not what would be written
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Exit codes:\n  0   printed (with --exit-code: no difference)\n  1   refused or failed\n  \
                        2   with --exit-code: there is a difference\n  3   a probable rename; see --rename\n  64  wrong usage")]
pub(crate) struct MigrateDiff {
    #[command(flatten)]
    pub(crate) from: From,
    #[command(flatten)]
    pub(crate) to: To,
    /// Write to a file instead of stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Say in words what differs, instead of SQL
    #[arg(long)]
    pub(crate) summary: bool,
    /// Print the changes and the steps with their locks, work and hazards as JSON
    #[arg(long, conflicts_with = "summary")]
    pub(crate) json: bool,
    /// Exit with 2 if there is a difference
    #[arg(long)]
    pub(crate) exit_code: bool,
    #[command(flatten)]
    pub(crate) renames: RenameOptions,
    /// Do long work in steps that let programs go on: CONCURRENTLY, NOT VALID and VALIDATE, batches
    #[arg(long)]
    pub(crate) online: bool,
}

/// Where the difference begins.
#[derive(Debug, Args)]
#[group(id = "from", required = true, multiple = false)]
pub(crate) struct From {
    /// From an empty database
    #[arg(long)]
    pub(crate) from_empty: bool,
    /// From a schema file, or a folder of them
    #[arg(long, value_name = "PATH")]
    pub(crate) from_schema: Option<PathBuf>,
    /// From the last snapshot in a folder of migrations
    #[arg(long, value_name = "DIR")]
    pub(crate) from_migrations: Option<PathBuf>,
    /// From a live database
    #[arg(long, value_name = "URL")]
    pub(crate) from_url: Option<String>,
}

/// Where the difference leads to.
#[derive(Debug, Args)]
#[group(id = "to", required = true, multiple = false)]
pub(crate) struct To {
    /// To an empty database
    #[arg(long)]
    pub(crate) to_empty: bool,
    /// To a schema file, or a folder of them
    #[arg(long, value_name = "PATH")]
    pub(crate) to_schema: Option<PathBuf>,
    /// To the last snapshot in a folder of migrations
    #[arg(long, value_name = "DIR")]
    pub(crate) to_migrations: Option<PathBuf>,
    /// To a live database
    #[arg(long, value_name = "URL")]
    pub(crate) to_url: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Migrate {
    /// Make a migration of what changed in the schema, and apply it
    Dev(Dev),
    /// Apply pending migrations
    Deploy(Deploy),
    /// Compare the migrations with the history of the database, and with the database itself
    #[command(after_help = "Exit codes:\n  0   up to date\n  1   refused or failed\n  2   migrations are pending\n  \
                            3   edited, missing, failed or interrupted migrations, or drift\n  64  wrong usage")]
    Status(Status),
    /// Tell what is dangerous in migrations: lost data, long locks, broken programs
    ///
    /// Reads statements that it did not write itself, too. With --url, only pending migrations, and with counts of rows:
    /// a finding that concerns none is not told.
    #[command(after_help = "Exit codes:\n  0   no error\n  1   errors, refused or failed\n  64  wrong usage")]
    Lint(Lint),
    /// Drop everything in the schema with all data, and apply all migrations again
    ///
    /// Drops the tables, views, materialized views, foreign tables, sequences, types and functions of the current
    /// schema and of the schemas that the datasource names. Keeps the schemas themselves and their privileges,
    /// extensions and what belongs to them, roles, and everything in other schemas.
    Reset(Reset),
    /// Say what a database has of a migration that stopped, was edited, or was applied by hand
    Resolve(Resolve),
    /// Take the migrations as applied in a database that has their schema already
    Baseline(Baseline),
    /// Put the first migrations together into one
    ///
    /// Writes one migration that makes what the last snapshot says from nothing, under the name of the last one that it
    /// takes the place of, with a file `replaces` that lists them. A new database runs it; one that has all of them
    /// takes it as applied, and one that has only some is refused.
    Squash(Squash),
    /// Undo the last migrations
    ///
    /// The statements are the difference between the snapshots of the migrations, backwards. What a migration did
    /// beyond its snapshot (rows it wrote, views, triggers) is undone by a file `down.sql` beside it, if there is one;
    /// that is then all that runs.
    Down(Down),
    /// Run all migrations in a database of their own, forwards and back, and compare each with its snapshot
    ///
    /// The database is made on a PostgreSQL of this machine, or on the server of --dev-url; never on that of
    /// DATABASE_URL by itself. It is dropped at the end.
    Verify(Verify),
    /// Put a migration of one's own behind those of another branch
    ///
    /// Its statements are made anew, from the last snapshot of the others to the schema as it is now, under a new time;
    /// the old folder is removed. Resolve conflicts in schema.dsl first.
    Rebase(Rebase),
    /// Go on from a database under Prisma Migrate
    ///
    /// Reads its history and the folder prisma/migrations, copies the migrations into ours with the schema as the
    /// snapshot of the last one, and writes our history. Nothing is run again; Prisma's table and folder stay.
    Adopt(Adopt),
}

/// The migrations and the database they are for.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// The folder of migrations
    #[arg(long, value_name = "DIR", default_value_os_t = settings::migrations())]
    pub(crate) migrations: PathBuf,
    /// The database [default: DATABASE_URL of the environment or of .env]
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
}

/// What is a rename and what is not, where a difference leaves it open.
#[derive(Debug, Args)]
pub(crate) struct RenameOptions {
    /// A rename: `table:new_table` or `table.column:new_column`, as they are called in PostgreSQL
    #[arg(long, value_name = "OLD:NEW")]
    pub(crate) rename: Vec<String>,
    /// Take what looks like a rename for a drop and an addition
    #[arg(long)]
    pub(crate) accept_drops: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Exit codes:\n  0   done\n  1   refused or failed\n  3   a question without an answer: a \
                        probable rename, a missing name, data that would be lost\n  64  wrong usage")]
pub(crate) struct Dev {
    /// What the migration does, in a few words: add-student-exams
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Write the migration, do not apply it
    #[arg(long)]
    pub(crate) create_only: bool,
    /// A schema file, or a folder of them [default: that of codegen.toml, else schema.dsl, else schema.prisma]
    #[arg(long, value_name = "PATH")]
    pub(crate) schema: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) renames: RenameOptions,
    /// Do long work in steps that let programs go on: CONCURRENTLY, NOT VALID and VALIDATE, batches
    #[arg(long)]
    pub(crate) online: bool,
    /// Lose whatever data the migration loses
    #[arg(long, visible_alias = "allow-data-loss")]
    pub(crate) accept_data_loss: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Args)]
pub(crate) struct Deploy {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Seconds to wait for another deploy to end
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub(crate) lock_wait: u64,
    /// Milliseconds that a statement waits for its locks, and keeps others waiting behind it
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 3000)]
    pub(crate) lock_timeout: u64,
    /// How often a part is tried again that did not get its locks
    #[arg(long, value_name = "TIMES", default_value_t = 5)]
    pub(crate) retries: u32,
    /// Apply migrations that are older than the last applied one
    #[arg(long)]
    pub(crate) allow_out_of_order: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Lint {
    /// Names of migrations [default: all; with --url those that are pending]
    pub(crate) names: Vec<String>,
    /// The folder of migrations
    #[arg(long, visible_alias = "dir", value_name = "DIR", default_value_os_t = settings::migrations())]
    pub(crate) migrations: PathBuf,
    /// A database that counts the rows which findings concern
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Print the findings as JSON on stdout
    #[arg(long)]
    pub(crate) json: bool,
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
