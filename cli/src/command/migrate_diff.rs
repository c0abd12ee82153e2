//! `migrate-diff`: the SQL between any two states.

use relata_codegen::sql::{Pair, render, summary};

use crate::difference::{Renames, difference, plan};
use crate::endpoint::{Endpoint, load};
use crate::failure::{Exit, Failure};
use crate::write::write_file;
use crate::{args, say};

pub(crate) async fn migrate_diff(args: &args::MigrateDiff) -> Result<Exit, Failure> {
    let renames = Renames::parse(&args.rename, args.accept_drops)?;
    let (previous, next) = (Endpoint::from(&args.from)?, Endpoint::to(&args.to)?);
    let loaded = load(Pair { previous: &previous, next: &next }).await?;
    let changes = difference(Pair { previous: &loaded.previous, next: &loaded.next }, renames)?;
    let is_empty = changes.is_empty();
    let text = if args.summary { summary(&changes) } else { render(&plan(changes, args.online)) };
    match &args.out {
        Some(path) => write_file(path, &text)?,
        None if is_empty => say::err("no difference"),
        None => say::out(text.trim_end())?,
    }
    Ok(if args.exit_code && !is_empty { Exit::Difference } else { Exit::Done })
}
