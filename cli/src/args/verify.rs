//! Options of the commands that work on the folder of migrations.

use std::path::PathBuf;

use clap::Args;

use super::Target;
use crate::settings;

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
    /// A rename: `table:new_table` or `table.column:new_column`, as they are called in PostgreSQL
    #[arg(long, value_name = "OLD:NEW")]
    pub(crate) rename: Vec<String>,
    /// Take what looks like a rename for a drop and an addition
    #[arg(long)]
    pub(crate) accept_drops: bool,
    /// Do long work in steps that let programs go on, as in `migrate dev`
    #[arg(long)]
    pub(crate) online: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}
