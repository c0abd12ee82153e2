//! Options of the commands that check the history, and change what it says.

use std::path::PathBuf;

use clap::Args;

use super::{RenameOptions, Target};
use crate::project::settings;

#[derive(Debug, Args)]
#[group(id = "resolution", required = true, multiple = false)]
#[command(after_help = "Exit codes:\n  0   done\n  1   refused or failed\n  64  wrong usage")]
pub(crate) struct Resolve {
    /// The migration, as its folder is called
    pub(crate) name: String,
    /// The database has all that the file says now: write that down, run nothing
    #[arg(long, group = "resolution")]
    pub(crate) applied: bool,
    /// The database has nothing of it: the next deploy begins at its first statement
    #[arg(long, group = "resolution")]
    pub(crate) rolled_back: bool,
    /// Go on where it stopped, now; what stands before that place in the file is taken as done
    #[arg(long, group = "resolution")]
    pub(crate) retry: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes:\n  0   done\n  1   refused or failed\n  2   the database is not what the migrations \
                        lead to\n  64  wrong usage"
)]
pub(crate) struct Baseline {
    /// The last migration whose schema the database has [default: the last one of the folder]
    pub(crate) name: Option<String>,
    /// Do not compare the database with the migration's snapshot
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Args)]
#[command(after_help = "Exit codes:\n  0   done, or printed\n  1   refused or failed; data would be lost\n  \
                        3   a probable rename; see --rename\n  64  wrong usage")]
pub(crate) struct Down {
    /// Undo all migrations after this one; `0` undoes all
    #[arg(long, value_name = "NAME", conflicts_with = "steps")]
    pub(crate) to: Option<String>,
    /// How many to undo
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) steps: usize,
    /// Print the SQL, run nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// A table or column whose data may be lost: `users` or `users.name`
    #[arg(long, value_name = "TABLE[.COLUMN]")]
    pub(crate) allow: Vec<String>,
    /// All data that the statements drop may be lost
    #[arg(long)]
    pub(crate) allow_data_loss: bool,
    /// A rename that is undone: `new_table:old_table` or `table.new_column:old_column`, as in PostgreSQL
    #[arg(long, value_name = "NEW:OLD")]
    pub(crate) rename: Vec<String>,
    /// Take what looks like a rename for a drop and an addition
    #[arg(long)]
    pub(crate) accept_drops: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes:\n  0   done\n  1   refused or failed\n  3   statements beyond the snapshots would be lost; see --force\n  \
                  64  wrong usage"
)]
pub(crate) struct Squash {
    /// The last migration to put in [default: the last one]
    pub(crate) last: Option<String>,
    /// Leave out what a snapshot does not speak of: rows, views, triggers, functions
    #[arg(long)]
    pub(crate) force: bool,
    /// The folder of migrations
    #[arg(long, value_name = "DIR", default_value_os_t = crate::project::settings::migrations())]
    pub(crate) migrations: std::path::PathBuf,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes:\n  0   all agree\n  1   a migration fails, or refused\n  2   there are differences\n  \
                        64  wrong usage"
)]
pub(crate) struct Verify {
    /// The folder of migrations
    #[arg(long, value_name = "DIR", default_value_os_t = settings::migrations())]
    pub(crate) migrations: PathBuf,
    /// A schema file, or a folder of them [default: that of codegen.toml, else schema.dsl, else schema.prisma]
    #[arg(long, value_name = "PATH")]
    pub(crate) schema: Option<PathBuf>,
    /// A server to make the database on, by the URL of any database on it [default: as devdb finds one]
    #[arg(long, value_name = "URL")]
    pub(crate) dev_url: Option<String>,
    /// Only forwards, not back
    #[arg(long)]
    pub(crate) no_down: bool,
    /// What the snapshots do not speak of is a difference too
    #[arg(long)]
    pub(crate) strict: bool,
    /// Print the result as JSON on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes:\n  0   done\n  1   refused or failed; the migration is applied\n  3   statements would \
                        be lost, see --force; a probable rename, see --rename\n  64  wrong usage"
)]
pub(crate) struct Rebase {
    /// The migration that goes behind the others, as its folder is called
    pub(crate) name: String,
    /// Do not look whether the database has it already
    #[arg(long)]
    pub(crate) no_database: bool,
    /// Leave out statements of the old file that the new one does not have
    #[arg(long)]
    pub(crate) force: bool,
    /// A schema file, or a folder of them [default: that of codegen.toml, else schema.dsl, else schema.prisma]
    #[arg(long, value_name = "PATH")]
    pub(crate) schema: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) renames: RenameOptions,
    /// Do long work in steps that let programs go on, as in `migrate dev`
    #[arg(long)]
    pub(crate) online: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}
