//! Options of the commands that check or change the history.

use std::path::PathBuf;

use clap::Args;

use super::{LockOptions, RenameOptions, Target};
use crate::project::settings;

#[derive(Debug, Args)]
#[group(id = "resolution", required = true, multiple = false)]
#[command(after_help = "Exit codes:\n  0   done\n  1   refused or failed\n  64  wrong usage")]
pub(crate) struct Resolve {
    /// The name of the migration: its folder
    pub(crate) name: String,
    /// Record that the database already has all changes of the file; runs nothing
    #[arg(long, group = "resolution")]
    pub(crate) applied: bool,
    /// Record that the database has none of its changes; the next deploy starts at its first statement
    #[arg(long, group = "resolution")]
    pub(crate) rolled_back: bool,
    /// Resume it now at the statement where it stopped; all earlier statements in the file count as done
    #[arg(long, group = "resolution")]
    pub(crate) retry: bool,
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) lock: LockOptions,
}

#[derive(Debug, Args)]
#[command(after_help = "Exit codes:\n  0   done\n  1   refused or failed\n  2   the database differs from \
                        the snapshot\n  64  wrong usage")]
pub(crate) struct Baseline {
    /// The last migration that the database has [default: the last one in the folder]
    pub(crate) name: Option<String>,
    /// Do not compare the database with the snapshot of that migration
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) lock: LockOptions,
}

#[derive(Debug, Args)]
#[command(after_help = "Exit codes:\n  0   done, or printed\n  1   refused or failed; data would be lost\n  \
                        3   a probable rename; see --rename\n  64  wrong usage")]
pub(crate) struct Down {
    /// Undo all migrations after this one; 0 undoes all
    #[arg(long, value_name = "NAME", conflicts_with = "steps")]
    pub(crate) to: Option<String>,
    /// The number of migrations to undo
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) steps: usize,
    /// Print the SQL without running it
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Allow the loss of the data of a table or column: `users` or `users.name`
    #[arg(long, value_name = "TABLE[.COLUMN]")]
    pub(crate) allow: Vec<String>,
    /// Allow any loss of data
    #[arg(long)]
    pub(crate) allow_data_loss: bool,
    /// A rename to reverse, with the names in PostgreSQL: `new_table:old_table` or `table.new_column:old_column`
    #[arg(long, value_name = "NEW:OLD")]
    pub(crate) rename: Vec<String>,
    /// Treat all other probable renames as drops and additions
    #[arg(long)]
    pub(crate) accept_drops: bool,
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) lock: LockOptions,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes:\n  0   done\n  1   refused or failed\n  3   statements that no snapshot contains would be lost; see --force\n  \
                  64  wrong usage"
)]
pub(crate) struct Squash {
    /// The last migration to include [default: the last one]
    pub(crate) last: Option<String>,
    /// Drop statements that no snapshot contains: rows, views, triggers, functions
    #[arg(long)]
    pub(crate) force: bool,
    /// The migrations folder
    #[arg(long, value_name = "DIR", default_value_os_t = crate::project::settings::migrations())]
    pub(crate) migrations: std::path::PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "Exit codes:\n  0   all equal their snapshots\n  1   refused or failed\n  2   differences\n  \
                        64  wrong usage")]
pub(crate) struct Verify {
    /// The migrations folder
    #[arg(long, value_name = "DIR", default_value_os_t = settings::migrations())]
    pub(crate) migrations: PathBuf,
    /// A schema file, or a folder of schema files [default: `schema` of codegen.toml, else schema.dsl, else
    /// schema.prisma]
    #[arg(long, value_name = "PATH")]
    pub(crate) schema: Option<PathBuf>,
    /// The server for the temporary database: the URL of any database on it [default: a local server]
    #[arg(long, value_name = "URL")]
    pub(crate) dev_url: Option<String>,
    /// Apply only, do not undo
    #[arg(long)]
    pub(crate) no_down: bool,
    /// Also report what no snapshot contains as a difference
    #[arg(long)]
    pub(crate) strict: bool,
    /// Print the result as JSON on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes:\n  0   done\n  1   refused or failed; the migration is applied\n  3   statements would \
                        be lost, see --force; or a probable rename, see --rename\n  64  wrong usage"
)]
pub(crate) struct Rebase {
    /// The name of the migration to move: its folder
    pub(crate) name: String,
    /// Do not check whether the database already has it
    #[arg(long)]
    pub(crate) no_database: bool,
    /// Drop statements of the old file that are not in the new one
    #[arg(long)]
    pub(crate) force: bool,
    /// A schema file, or a folder of schema files [default: `schema` of codegen.toml, else schema.dsl, else
    /// schema.prisma]
    #[arg(long, value_name = "PATH")]
    pub(crate) schema: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) renames: RenameOptions,
    /// Split long work into steps that do not block reads and writes, as in `migrate dev`
    #[arg(long)]
    pub(crate) online: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}
