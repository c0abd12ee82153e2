//! Options of the commands that work on a database without migrations.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::RenameOptions;

#[derive(Debug, Subcommand)]
pub(crate) enum Db {
    /// Bring a database to the schema, without a migration: for trying things out
    ///
    /// Compares the live database with the schema and runs the difference. What would lose data has to be named.
    Push(Push),
    /// Write the schema of a database
    ///
    /// What an existing schema file says beyond the database stays: its names, comments and order.
    Pull(Pull),
    /// Run a file of SQL, or what comes on stdin, in one transaction or in parts as its markers say
    Execute(Execute),
    /// Run the seed: the file of codegen.toml, else seed.sql
    Seed(Seed),
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes:\n  0   done\n  1   refused, or failed\n  3   a probable rename; see --rename\n  64  wrong usage"
)]
pub(crate) struct Push {
    /// A schema file, or a folder of them [default: that of codegen.toml, else schema.dsl, else schema.prisma]
    #[arg(long, value_name = "PATH")]
    pub(crate) schema: Option<PathBuf>,
    /// The database [default: DATABASE_URL of the environment or of .env]
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// A table, or a column as table.column, whose data may be lost
    #[arg(long, value_name = "NAME")]
    pub(crate) allow: Vec<String>,
    /// Lose whatever data the difference loses
    #[arg(long, visible_alias = "accept-data-loss")]
    pub(crate) allow_data_loss: bool,
    #[command(flatten)]
    pub(crate) renames: RenameOptions,
    /// Print the SQL, change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes:\n  0   written (with --check: nothing would change)\n  1   refused, or failed; with --check: the file is not what would be written\n  64  wrong usage"
)]
pub(crate) struct Pull {
    /// The schema file to write, and to keep names and comments of [default: that of codegen.toml, else schema.dsl, else schema.prisma]
    #[arg(long, value_name = "PATH")]
    pub(crate) schema: Option<PathBuf>,
    /// The database [default: DATABASE_URL of the environment or of .env]
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Print the schema instead of writing it
    #[arg(long)]
    pub(crate) stdout: bool,
    /// Write nothing; exit with 1 if the file would change
    #[arg(long, conflicts_with = "stdout")]
    pub(crate) check: bool,
    /// Take nothing over from the file that is there
    #[arg(long)]
    pub(crate) force: bool,
    /// The schemas of the database to pull, as public,shop [default: `schemas` of the datasource, else that of the URL]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) schemas: Vec<String>,
    /// Also write the SQL that makes what the schema cannot say: functions, domains, views, triggers
    ///
    /// FILE is to be run before the tables are made, FILE.after.sql when they are there.
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    pub(crate) with_sql: Option<PathBuf>,
    /// How new models and fields are called; names in the file that is there stay
    #[arg(long, value_enum, default_value_t, value_name = "STYLE")]
    pub(crate) naming: Naming,
}

/// How new names are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Naming {
    /// Those of the database
    #[default]
    Keep,
    /// As in Prisma's examples: `User` for users, `createdAt` for created_at
    Prisma,
    /// As in Rust: `User` for users, `created_at` for createdAt
    Rust,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes:\n  0   done\n  1   refused, or failed: a transaction that failed left nothing\n  64  wrong usage"
)]
pub(crate) struct Execute {
    /// A file of SQL; - is stdin
    pub(crate) file: PathBuf,
    /// The database [default: DATABASE_URL of the environment or of .env]
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes:\n  0   done\n  1   refused, or failed: a transaction that failed left nothing\n  64  wrong usage"
)]
pub(crate) struct Seed {
    /// A file of SQL [default: `seed` of codegen.toml, else seed.sql]
    pub(crate) file: Option<PathBuf>,
    /// The database [default: DATABASE_URL of the environment or of .env]
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
}
