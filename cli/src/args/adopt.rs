//! Options of `migrate adopt`.

use std::path::PathBuf;

use clap::Args;

use super::Target;

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes:\n  0   done\n  1   refused or failed\n  2   the database differs from the schema\n  \
                        3   failed or missing migrations, or one older than an applied one\n  64  wrong usage"
)]
pub(crate) struct Adopt {
    /// The migrations folder of Prisma
    #[arg(long, value_name = "DIR", default_value = "prisma/migrations")]
    pub(crate) prisma: PathBuf,
    /// The schema after the last migration [default: `schema` of codegen.toml, else schema.dsl, schema.prisma or
    /// prisma/schema.prisma]
    #[arg(long, value_name = "PATH")]
    pub(crate) schema: Option<PathBuf>,
    /// Do not compare the database with the schema
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}
