//! Deleted tickets come back, with what was deleted together with them.

use axum::Json;
use axum::extract::{Path, State};
use relata::Filter;
use relata::chrono::{DateTime, Utc};

use crate::auth::Caller;
use crate::db::{Client, Models, Ticket, comment, ticket};
use crate::problem::Problem;

pub(crate) async fn restore(State(db): State<Client>, _: Caller, Path(id): Path<i32>) -> Result<Json<Ticket>, Problem> {
    Ok(Json(db.transaction(async |tx| restore_one(&tx, id).await).await?))
}

async fn restore_one(db: &Models, id: i32) -> relata::Result<Ticket> {
    let gone = db.ticket().find_unique(ticket::id.eq(id)).only_deleted().or_err().await?;
    restore_all(db, ticket::id.eq(id).into(), gone.deleted_at).await?;
    db.ticket().find_unique(ticket::id.eq(id)).or_err().await
}

/// Restores those of the tickets that were deleted at this time, and the comments that were deleted together with them.
pub(crate) async fn restore_all(db: &Models, of: Filter<Ticket>, at: Option<DateTime<Utc>>) -> relata::Result<()> {
    let tickets = of & ticket::deleted_at.eq_opt(at);
    let comments = comment::ticket.is(tickets.clone()) & comment::deleted_at.eq_opt(at);
    db.comment().restore_many().filter(comments).await?;
    db.ticket().restore_many().filter(tickets).await?;
    Ok(())
}
