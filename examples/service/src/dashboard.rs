//! Figures by month.

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use relata::chrono::{Months, NaiveDate};
use relata::count;
use serde::{Deserialize, Serialize};

use crate::auth::Caller;
use crate::db::{Client, Status, queries, ticket};
use crate::problem::Problem;

pub(crate) fn routes() -> Router<Client> {
    Router::new().route("/", get(show))
}

#[derive(Deserialize)]
struct Span {
    since: NaiveDate,
    until: NaiveDate,
}

#[derive(Serialize)]
struct Dashboard {
    /// The number of tickets in each status.
    tickets: Vec<InStatus>,
    /// All months of the span, also those in which nothing happened.
    months: Vec<queries::Months>,
}

#[derive(Serialize)]
struct InStatus {
    status: Status,
    tickets: i64,
}

async fn show(State(db): State<Client>, _: Caller, Query(span): Query<Span>) -> Result<Json<Dashboard>, Problem> {
    let last = span.since.checked_add_months(Months::new(120));
    if span.until < span.since || last.is_none_or(|last| span.until > last) {
        return Err(Problem::invalid("`until` must be at or after `since`, and at most ten years later"));
    }
    let by_status = db.ticket().group_by(ticket::status).aggregate(count()).order_by(ticket::status.asc());
    let (tickets, months) = db.batch((by_status, queries::months(span.since, span.until))).await?;
    let tickets = tickets.into_iter().map(|(status, tickets)| InStatus { status, tickets }).collect();
    Ok(Json(Dashboard { tickets, months }))
}
