//! Options of `migrate adopt`.

use std::path::PathBuf;

use clap::Args;

use super::Target;

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes:\n  0   done\n  1   refused or failed\n  2   the database is not what the schema says\n  \
                        3   failed or missing migrations, or one older than an applied one\n  64  wrong usage"
)]
pub(crate) struct Adopt {
    /// The folder of Prisma's migrations
    #[arg(long, value_name = "DIR", default_value = "prisma/migrations")]
    pub(crate) prisma: PathBuf,
    /// The schema that the migrations lead to [default: that of codegen.toml, schema.dsl, schema.prisma, else prisma/schema.prisma]
    #[arg(long, value_name = "PATH")]
    pub(crate) schema: Option<PathBuf>,
    /// Do not compare the database with the schema
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}
