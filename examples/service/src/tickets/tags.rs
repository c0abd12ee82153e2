//! The tags of a ticket.

use axum::extract::{Path, State};
use axum::http::StatusCode;

use crate::Name;
use crate::auth::Caller;
use crate::db::{Client, tag, ticket};
use crate::problem::Problem;

/// Adds a tag, which is created if there is none with this name. A ticket that has it already keeps it.
pub(crate) async fn add(
    State(db): State<Client>,
    _: Caller,
    Path((id, name)): Path<(i32, Name)>,
) -> Result<StatusCode, Problem> {
    let tag = ticket::tags.connect_or_create(tag::name.eq(name.clone()), tag::Create { name });
    db.ticket().update(ticket::id.eq(id)).with(tag).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn remove(
    State(db): State<Client>,
    _: Caller,
    Path((id, name)): Path<(i32, Name)>,
) -> Result<StatusCode, Problem> {
    db.ticket().update(ticket::id.eq(id)).with(ticket::tags.disconnect(tag::name.eq(name))).await?;
    Ok(StatusCode::NO_CONTENT)
}
