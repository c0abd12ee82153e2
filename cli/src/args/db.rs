//! Options of the commands that work on a database without migrations.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use relata::migrate::Every;

use super::{LockOptions, RenameOptions};

#[derive(Debug, Subcommand)]
pub(crate) enum Db {
    /// Change a database to match the schema, without a migration, for prototypes
    ///
    /// Compares the database with the schema and applies the difference. Refuses to lose data that is not allowed.
    Push(Push),
    /// Write the schema of an existing database
    ///
    /// Keeps the names, comments and order of an existing schema file.
    Pull(Pull),
    /// Create the partitions of coming days, weeks, months or years
    ///
    /// For tables that are partitioned by ranges of one date or time. Creates those that are missing, of the current
    /// period and of the next ones, and changes nothing else. Run it every day or week, or call
    /// relata::migrate::create_partitions in a program.
    Partitions(Partitions),
    /// Run SQL from a file or stdin, in one transaction or in the segments that it marks
    Execute(Execute),
    /// Run the seed, which fills a new database: `seed` of codegen.toml, else seed.sql
    ///
    /// The seed is a file of SQL, or a command such as `cargo run --example seed`. A command runs in the folder of
    /// codegen.toml, and finds the URL of the database in DATABASE_URL.
    Seed(Seed),
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes:\n  0   done\n  1   refused or failed\n  3   a probable rename; see --rename\n  64  wrong usage"
)]
pub(crate) struct Push {
    /// A schema file, or a folder of schema files [default: `schema` of codegen.toml, else schema.dsl, else
    /// schema.prisma]
    #[arg(long, value_name = "PATH")]
    pub(crate) schema: Option<PathBuf>,
    /// The URL of the database [default: DATABASE_URL from the environment or .env]
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Allow the loss of the data of a table or column: `users` or `users.name`
    #[arg(long, value_name = "NAME")]
    pub(crate) allow: Vec<String>,
    /// Allow any loss of data
    #[arg(long, visible_alias = "accept-data-loss")]
    pub(crate) allow_data_loss: bool,
    #[command(flatten)]
    pub(crate) renames: RenameOptions,
    /// Print the SQL without running it
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes:\n  0   written (with --check: up to date)\n  1   refused or failed (with --check: out of date)\n  64  wrong usage"
)]
pub(crate) struct Pull {
    /// The schema file to write; its names and comments are kept [default: `schema` of codegen.toml, else schema.dsl,
    /// else schema.prisma]
    #[arg(long, value_name = "PATH")]
    pub(crate) schema: Option<PathBuf>,
    /// The URL of the database [default: DATABASE_URL from the environment or .env]
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Print the schema instead of writing it
    #[arg(long)]
    pub(crate) stdout: bool,
    /// Write nothing; exit with 1 if the file would change
    #[arg(long, conflicts_with = "stdout")]
    pub(crate) check: bool,
    /// Ignore the existing file
    #[arg(long)]
    pub(crate) force: bool,
    /// The PostgreSQL schemas to pull, such as public,shop [default: `schemas` of the datasource, else that of the URL]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) schemas: Vec<String>,
    /// Also write SQL for what the schema language cannot express: functions, domains, views, triggers
    ///
    /// Run FILE before the tables are created, and FILE.after.sql afterwards.
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    pub(crate) with_sql: Option<PathBuf>,
    /// Also writes the views that the schema does not have yet, with their queries, so that migrations manage them
    #[arg(long)]
    pub(crate) views: bool,
    /// Also writes the functions, procedures, triggers, policies, domains, composite types and sequences that no file of `sql`
    /// has yet, one file for each, so that migrations manage them
    #[arg(long, conflicts_with = "stdout")]
    pub(crate) objects: bool,
    /// How new models and fields are named; the names in an existing file are kept
    #[arg(long, value_enum, default_value_t, value_name = "STYLE")]
    pub(crate) naming: Naming,
}

/// How new models and fields are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Naming {
    /// As in the database
    #[default]
    Keep,
    /// As in Prisma's examples: `User` for users, `createdAt` for created_at
    Prisma,
    /// As in Rust: `User` for users, `created_at` for createdAt
    Rust,
}

#[derive(Debug, Args)]
#[command(after_help = "Exit codes:\n  0   done\n  1   refused or failed; no partition was created\n  64  wrong usage")]
pub(crate) struct Partitions {
    /// How long each partition is: day, week, month or year
    #[arg(long, value_name = "PERIOD")]
    pub(crate) every: Every,
    /// How many partitions to create after the current one
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(..=10_000))]
    pub(crate) ahead: u32,
    /// Only for this model, with its name in the schema [default: all that are partitioned by time]
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Vec<String>,
    /// A schema file, or a folder of schema files [default: `schema` of codegen.toml, else schema.dsl, else
    /// schema.prisma]
    #[arg(long, value_name = "PATH")]
    pub(crate) schema: Option<PathBuf>,
    /// The URL of the database [default: DATABASE_URL from the environment or .env]
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Print the SQL without running it
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes:\n  0   done\n  1   refused or failed; a failed transaction is rolled back\n  64  wrong usage"
)]
pub(crate) struct Execute {
    /// A file of SQL, or - for stdin
    pub(crate) file: PathBuf,
    /// The URL of the database [default: DATABASE_URL from the environment or .env]
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    #[command(flatten)]
    pub(crate) lock: LockOptions,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes:\n  0   done\n  1   refused or failed; a failed transaction is rolled back\n  64  wrong usage\nIf the seed is a command, its exit code."
)]
pub(crate) struct Seed {
    /// A file of SQL [default: `seed` of codegen.toml, else seed.sql]
    pub(crate) file: Option<PathBuf>,
    /// The URL of the database [default: DATABASE_URL from the environment or .env]
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    #[command(flatten)]
    pub(crate) lock: LockOptions,
    /// Arguments for the command that is the seed
    #[arg(last = true, conflicts_with = "file")]
    pub(crate) arguments: Vec<String>,
}
