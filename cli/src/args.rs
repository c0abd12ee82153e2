//! The command line and its help.

mod adopt;
mod db;
mod history;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

pub(crate) use adopt::Adopt;
pub(crate) use db::{Db, Execute, Naming, Partitions, Pull, Push, Seed};
pub(crate) use history::{Baseline, Down, Rebase, Resolve, Squash, Verify};

use crate::project::settings;

const EXIT_CODES: &str = "\
Exit codes:
  0   done
  1   refused or failed
  2   differences, or pending migrations
  3   a decision is needed: a probable rename, or a history that must be resolved manually
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
    /// Create a schema.dsl, and print the next steps
    Init,
    /// Check a schema and its queries, and report all errors
    Check(Check),
    /// Format a schema
    Fmt(Fmt),
    /// Generate the Rust client of a schema
    Generate(Generate),
    /// Print the validated schema as JSON for other tools
    Ir(Ir),
    /// Explain the code of a diagnostic or finding, such as R0301 or D103
    Explain {
        /// The code of a diagnostic, or of a finding of `migrate lint`
        code: String,
    },
    /// Print the SQL that migrates a database from one state to another
    MigrateDiff(MigrateDiff),
    /// Create, apply, check and undo migrations
    #[command(subcommand)]
    Migrate(Migrate),
    /// Work on a database without migrations: push or pull a schema, create partitions, run SQL, seed data
    #[command(subcommand)]
    Db(Db),
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// A schema file, or a folder of schema files [default: `schema` of codegen.toml, else schema.dsl, else
    /// schema.prisma]
    pub(crate) path: Option<PathBuf>,
    /// Print the diagnostics as JSON on stdout
    #[arg(long)]
    pub(crate) json: bool,
    /// Make the changes that diagnostics propose, if there is only one possible correction, and format the changed
    /// files
    #[arg(long)]
    pub(crate) fix: bool,
    /// Prepare all queries in PostgreSQL, and compare the types that it reports with the inferred ones
    ///
    /// Uses a temporary database with the schema on a local PostgreSQL, or the database of --url. There, it also warns about
    /// queries that read all rows of a table with 100,000 rows or more to find some of them.
    #[arg(long)]
    pub(crate) database: bool,
    /// An existing database that has the schema; nothing is written to it
    #[arg(long, value_name = "URL", requires = "database")]
    pub(crate) url: Option<String>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes:\n  0   formatted (with --check: already formatted)\n  1   refused or failed (with --check: not formatted)\n  \
                        64  wrong usage"
)]
pub(crate) struct Fmt {
    /// A schema file, a folder of schema files, or - for stdin [default: `schema` of codegen.toml, else schema.dsl,
    /// else schema.prisma]
    pub(crate) path: Option<PathBuf>,
    /// Write nothing; list the files that are not formatted, and exit with 1 if there are any
    #[arg(long, conflicts_with = "stdout")]
    pub(crate) check: bool,
    /// Print the formatted file instead of writing it
    #[arg(long)]
    pub(crate) stdout: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Ir {
    /// A schema file, or a folder of schema files [default: `schema` of codegen.toml, else schema.dsl, else
    /// schema.prisma]
    pub(crate) path: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// A schema file, or a folder of schema files [default: `schema` of codegen.toml, else schema.dsl, else
    /// schema.prisma]
    #[arg(long, value_name = "PATH")]
    pub(crate) schema: Option<PathBuf>,
    /// The output folder
    #[arg(long, value_name = "DIR", default_value_os_t = settings::out())]
    pub(crate) out: PathBuf,
    /// Write nothing; exit with 1 if the generated files are out of date
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
    /// Print a summary of the differences instead of SQL
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
    /// Split long work into steps that do not block reads and writes: CONCURRENTLY, NOT VALID and VALIDATE, batches
    #[arg(long)]
    pub(crate) online: bool,
}

/// The state to start from.
#[derive(Debug, Args)]
#[group(id = "from", required = true, multiple = false)]
pub(crate) struct From {
    /// From an empty database
    #[arg(long)]
    pub(crate) from_empty: bool,
    /// From a schema file, or a folder of schema files
    #[arg(long, value_name = "PATH")]
    pub(crate) from_schema: Option<PathBuf>,
    /// From the last snapshot in a migrations folder
    #[arg(long, value_name = "DIR")]
    pub(crate) from_migrations: Option<PathBuf>,
    /// From a live database
    #[arg(long, value_name = "URL")]
    pub(crate) from_url: Option<String>,
}

/// The state to end with.
#[derive(Debug, Args)]
#[group(id = "to", required = true, multiple = false)]
pub(crate) struct To {
    /// To an empty database
    #[arg(long)]
    pub(crate) to_empty: bool,
    /// To a schema file, or a folder of schema files
    #[arg(long, value_name = "PATH")]
    pub(crate) to_schema: Option<PathBuf>,
    /// To the last snapshot in a migrations folder
    #[arg(long, value_name = "DIR")]
    pub(crate) to_migrations: Option<PathBuf>,
    /// To a live database
    #[arg(long, value_name = "URL")]
    pub(crate) to_url: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Migrate {
    /// Create a migration from the changes of the schema, and apply it
    Dev(Dev),
    /// Apply pending migrations
    Deploy(Deploy),
    /// Compare the migrations with the history of the database, and look for drift
    #[command(after_help = "Exit codes:\n  0   up to date\n  1   refused or failed\n  2   migrations are pending\n  \
                            3   edited, missing, failed or interrupted migrations, or drift\n  64  wrong usage")]
    Status(Status),
    /// Find hazards in migrations: data loss, long locks, changes that break clients
    ///
    /// Also checks statements that were written by hand. With --url, checks only pending migrations and counts the
    /// affected rows in the database; a finding that affects no row is not reported.
    #[command(after_help = "Exit codes:\n  0   no error\n  1   errors, refused or failed\n  64  wrong usage")]
    Lint(Lint),
    /// Drop all objects and data, and apply all migrations again
    ///
    /// Drops the tables, views, materialized views, foreign tables, sequences, types and functions of the current
    /// schema and of the schemas of the datasource. Keeps the schemas themselves and their privileges, extensions and
    /// their objects, roles, and everything in other schemas.
    Reset(Reset),
    /// Record a manual resolution of a failed, edited or manually applied migration
    Resolve(Resolve),
    /// Record migrations as applied in a database that already has their schema
    Baseline(Baseline),
    /// Combine the first migrations into one
    ///
    /// Replaces them with one migration that creates the last of their snapshots in an empty database. It has the name
    /// of the last replaced migration, and its header lists all of them. A new database runs it. A database that has
    /// all of them records it as applied, and a database that has only some of them is refused.
    Squash(Squash),
    /// Undo the last migrations
    ///
    /// Runs the reverse migration, computed from the snapshots. It does not undo what no snapshot contains: rows,
    /// views, triggers. If the folder of a migration has a file `down.sql`, that file runs instead.
    Down(Down),
    /// Apply and undo all migrations in a temporary database, and compare each result with its snapshot
    ///
    /// Creates the database on a local PostgreSQL, or on the server of --dev-url, and drops it at the end. Uses the
    /// server of DATABASE_URL only if --dev-url names it, or with RELATA_DEVDB=url.
    Verify(Verify),
    /// Move a migration after those of another branch
    ///
    /// Writes it again with a new timestamp, from the last snapshot of the other migrations to the current schema, and
    /// removes the old folder. Resolve conflicts in schema.dsl first.
    Rebase(Rebase),
    /// Continue from a database that Prisma Migrate manages
    ///
    /// Copies the folder prisma/migrations, stores the schema as the snapshot of the last migration, and records the
    /// migrations of Prisma's history as applied. Runs no migration, and does not change Prisma's table and folder.
    Adopt(Adopt),
}

/// The migrations and their database.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// The migrations folder
    #[arg(long, value_name = "DIR", default_value_os_t = settings::migrations())]
    pub(crate) migrations: PathBuf,
    /// The URL of the database [default: DATABASE_URL from the environment or .env]
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// What the server is: postgresql, cockroachdb, yugabytedb, aurora-dsql or spanner [default: what it says]
    #[arg(long, value_name = "ENGINE")]
    pub(crate) engine: Option<relata::migrate::Engine>,
}

/// The lock that lets one run at a time change a database.
#[derive(Debug, Args)]
pub(crate) struct LockOptions {
    /// Seconds to wait for another run to finish
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub(crate) lock_wait: u64,
    /// Seconds that the lock of a run lasts if it is not renewed; only for engines without advisory locks
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) lease: u64,
}

impl LockOptions {
    /// Sets them in the options of a run.
    pub(crate) fn apply_to(&self, options: &mut relata::migrate::Options) {
        options.lock_wait = Duration::from_secs(self.lock_wait);
        options.lease = Duration::from_secs(self.lease);
    }
}

/// Which probable renames are renames.
#[derive(Debug, Args)]
pub(crate) struct RenameOptions {
    /// A rename, with the names in PostgreSQL: `table:new_table` or `table.column:new_column`
    #[arg(long, value_name = "OLD:NEW")]
    pub(crate) rename: Vec<String>,
    /// Treat all other probable renames as drops and additions
    #[arg(long)]
    pub(crate) accept_drops: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Exit codes:\n  0   done\n  1   refused or failed\n  3   a question without an answer: a \
                        probable rename, a missing name, data that would be lost\n  64  wrong usage")]
pub(crate) struct Dev {
    /// The name of the migration, such as add-student-exams
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Create the migration without applying it
    #[arg(long)]
    pub(crate) create_only: bool,
    /// A schema file, or a folder of schema files [default: `schema` of codegen.toml, else schema.dsl, else
    /// schema.prisma]
    #[arg(long, value_name = "PATH")]
    pub(crate) schema: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) renames: RenameOptions,
    /// Split long work into steps that do not block reads and writes: CONCURRENTLY, NOT VALID and VALIDATE, batches
    #[arg(long)]
    pub(crate) online: bool,
    /// Accept all data losses of the migration
    #[arg(long, visible_alias = "allow-data-loss")]
    pub(crate) accept_data_loss: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Args)]
pub(crate) struct Deploy {
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) lock: LockOptions,
    /// Milliseconds that a statement waits for a lock; meanwhile, other sessions wait behind it
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 3000)]
    pub(crate) lock_timeout: u64,
    /// How often a segment is retried after a lock timeout
    #[arg(long, value_name = "TIMES", default_value_t = 5)]
    pub(crate) retries: u32,
    /// Also apply pending migrations that are older than the last applied one
    #[arg(long)]
    pub(crate) allow_out_of_order: bool,
    #[command(flatten)]
    pub(crate) schemas: Schemas,
}

/// The same migrations in several schemas.
#[derive(Debug, Args)]
pub(crate) struct Schemas {
    /// Apply the migrations in each of these schemas, which have their own histories; `*` stands for any text
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) schemas: Vec<String>,
    /// Schemas behind each of them on the search path, such as that of extensions
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "schemas")]
    pub(crate) shared_schemas: Vec<String>,
    /// Create schemas that do not exist
    #[arg(long, requires = "schemas")]
    pub(crate) create_schemas: bool,
    /// How many schemas are migrated at the same time
    #[arg(long, value_name = "NUMBER", default_value_t = 4, requires = "schemas")]
    pub(crate) parallel: u8,
}

#[derive(Debug, Args)]
pub(crate) struct Lint {
    /// Names of migrations [default: all; with --url, the pending ones]
    pub(crate) names: Vec<String>,
    /// The migrations folder
    #[arg(long, visible_alias = "dir", value_name = "DIR", default_value_os_t = settings::migrations())]
    pub(crate) migrations: PathBuf,
    /// A database in which to count the affected rows
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
    /// Print the status as JSON on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Reset {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Do not ask for confirmation
    #[arg(long)]
    pub(crate) force: bool,
    /// Do not run the seed of codegen.toml
    #[arg(long, visible_alias = "no-seed")]
    pub(crate) skip_seed: bool,
}
