//! Options of the commands that work on the folder of migrations.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes:\n  0   all agree\n  1   a migration fails, or refused\n  2   there are differences\n  \
                        64  wrong usage"
)]
pub(crate) struct Verify {
    /// The folder of migrations
    #[arg(long, value_name = "DIR", default_value = "migrations")]
    pub(crate) migrations: PathBuf,
    /// A schema file, or a folder of them [default: schema.dsl, else schema.prisma]
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
