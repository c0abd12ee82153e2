//! What customers ask for, with its answers, its tags and the work on it.

mod restore;
mod tags;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use relata::chrono::{DateTime, NaiveDate, Utc};
use relata::rust_decimal::Decimal;
use relata::uuid::Uuid;
use relata::{Assignment, Filter, Order, Page, Parent, WithAll, now};
use serde::{Deserialize, Serialize};

use crate::Name;
use crate::auth::Caller;
use crate::customers;
use crate::db::{Client, Models, Priority, Status, Tag, Ticket, agent, comment, customer, tag, ticket, work_entry};
use crate::listing::Listing;
use crate::problem::Problem;

pub(crate) use restore::restore_all;

pub(crate) fn routes() -> Router<Client> {
    Router::new()
        .route("/", get(list).post(create))
        .route("/{id}", get(show).patch(change).delete(remove))
        .route("/{id}/restore", post(restore::restore))
        .route("/{id}/comments", post(answer))
        .route("/{id}/work", post(book))
        .route("/{id}/tags/{name}", put(tags::add).delete(tags::remove))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewTicket {
    customer_id: Uuid,
    subject: Name,
    text: String,
    priority: Option<Priority>,
    due_on: Option<NaiveDate>,
}

/// What a PATCH request changes: a missing field stays as it is, and null removes what may be missing.
#[derive(Deserialize, relata::Patch)]
#[relata(from = Ticket)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Changes {
    #[serde(default, deserialize_with = "relata::not_null")]
    subject: Option<Name>,
    #[serde(default, deserialize_with = "relata::not_null")]
    text: Option<String>,
    #[serde(default, deserialize_with = "relata::not_null")]
    status: Option<Status>,
    #[serde(default, deserialize_with = "relata::not_null")]
    priority: Option<Priority>,
    #[serde(default, deserialize_with = "relata::double_option")]
    assignee_id: Option<Option<Uuid>>,
    #[serde(default, deserialize_with = "relata::double_option")]
    due_on: Option<Option<NaiveDate>>,
}

#[derive(Deserialize)]
struct Wanted {
    q: Option<String>,
    status: Option<Status>,
    priority: Option<Priority>,
    assignee: Option<Uuid>,
    customer: Option<Uuid>,
    tag: Option<String>,
}

impl Wanted {
    /// What is not asked for matches every ticket.
    fn into_filter(self) -> Filter<Ticket> {
        let mentions = |text: &str| {
            ticket::subject.contains_insensitive(text)
                | ticket::text.contains_insensitive(text)
                | ticket::customer.is(customers::mentions(text))
        };
        ticket::status.eq_opt(self.status)
            & ticket::priority.eq_opt(self.priority)
            & ticket::assignee_id.eq_opt(self.assignee)
            & ticket::customer_id.eq_opt(self.customer)
            & self.tag.map(|name| ticket::tags.some(tag::name.eq_insensitive(name)))
            & self.q.as_deref().map(mentions)
    }
}

fn sort_key(name: &str) -> Option<Order<Ticket>> {
    Some(match name {
        "number" => ticket::id.asc(),
        "status" => ticket::status.asc(),
        "priority" => ticket::priority.asc(),
        "due" => ticket::due_on.asc(),
        "created" => ticket::created_at.asc(),
        "customer" => ticket::customer.order(customer::name.asc()),
        "comments" => ticket::comments.count().asc(),
        _ => return None,
    })
}

/// A ticket in a list.
#[derive(Serialize, relata::Selectable)]
#[relata(from = Ticket)]
#[serde(rename_all = "camelCase")]
struct Line {
    id: i32,
    subject: Name,
    status: Status,
    priority: Priority,
    due_on: Option<NaiveDate>,
    created_at: DateTime<Utc>,
    deleted_at: Option<DateTime<Utc>>,
    #[relata(select = ticket::customer.select(customer::name))]
    customer: Name,
    #[relata(select = ticket::assignee.select(agent::name))]
    assignee: Option<Name>,
    #[relata(select = ticket::comments.count())]
    comments: i64,
    #[relata(nested)]
    tags: Vec<Label>,
}

#[derive(Serialize, relata::Selectable)]
#[relata(from = Tag)]
#[serde(transparent)]
struct Label {
    name: Name,
}

/// A ticket with all that belongs to it.
type Detail = WithAll<(
    ticket::WithCustomer,
    ticket::WithAssignee,
    ticket::WithComments<comment::WithAuthor>,
    ticket::WithWork,
    ticket::WithTags,
)>;

async fn list(
    State(db): State<Client>,
    _: Caller,
    Query(listing): Query<Listing>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<Line>>, Problem> {
    let mut tickets = db
        .ticket()
        .find_many()
        .filter(wanted.into_filter())
        .order_by_all(Order::parse_list(&listing.sort, sort_key)?)
        .take(listing.size());
    if listing.deleted {
        tickets = tickets.only_deleted();
    }
    Ok(Json(tickets.select_as::<Line>().page_after(listing.after).await?))
}

async fn create(
    State(db): State<Client>,
    _: Caller,
    Json(new): Json<NewTicket>,
) -> Result<(StatusCode, Json<Ticket>), Problem> {
    // A filter finds no customer who is deleted. A key would.
    let customer = customer::id.eq(new.customer_id);
    let row = ticket::Create { customer, subject: new.subject, text: new.text };
    let optional = [ticket::priority.to_opt(new.priority), ticket::due_on.to_opt(new.due_on)];
    Ok((StatusCode::CREATED, Json(db.ticket().create(row).set(optional).await?)))
}

async fn detail(db: &Models, id: i32) -> relata::Result<Detail> {
    db.ticket()
        .find_unique(ticket::id.eq(id))
        .include(ticket::customer)
        .include(ticket::assignee)
        .include(ticket::comments.order_by(comment::id.asc()).include(comment::author))
        .include(ticket::work.order_by(work_entry::id.asc()))
        .include(ticket::tags.order_by(tag::name.asc()))
        .or_err()
        .await
}

async fn show(State(db): State<Client>, _: Caller, Path(id): Path<i32>) -> Result<Json<Detail>, Problem> {
    Ok(Json(detail(&db, id).await?))
}

/// When a ticket is solved, if its status changes. The first time counts.
fn solved(status: Option<Status>) -> Option<Assignment<Ticket>> {
    status.map(|status| match status {
        Status::Solved => ticket::solved_at.to(ticket::solved_at.coalesce(now())),
        Status::Open | Status::Waiting => ticket::solved_at.set_null(),
    })
}

async fn change(
    State(db): State<Client>,
    _: Caller,
    Path(id): Path<i32>,
    Json(changes): Json<Changes>,
) -> Result<Json<Ticket>, Problem> {
    let solved = solved(changes.status);
    Ok(Json(db.ticket().update(ticket::id.eq(id)).set(changes).set(solved).await?))
}

/// Deletes a ticket with its comments. What was booked stays, because it is billed.
async fn remove(State(db): State<Client>, _: Caller, Path(id): Path<i32>) -> Result<StatusCode, Problem> {
    db.ticket().delete(ticket::id.eq(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    text: String,
}

/// Adds an answer. From now on, the ticket waits for the customer.
async fn answer(
    State(db): State<Client>,
    Caller(author): Caller,
    Path(id): Path<i32>,
    Json(new): Json<Answer>,
) -> Result<(StatusCode, Json<Ticket>), Problem> {
    let comment = comment::Create { ticket: Parent, author: author.id, text: new.text };
    let ticket = db
        .ticket()
        .update(ticket::id.eq(id))
        .set(ticket::status.to(Status::Waiting))
        .set(solved(Some(Status::Waiting)))
        .with(ticket::comments.create(comment))
        .await?;
    Ok((StatusCode::CREATED, Json(ticket)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Booking {
    worked_on: NaiveDate,
    minutes: i32,
    cost: Decimal,
}

/// Books time on a ticket.
async fn book(
    State(db): State<Client>,
    Caller(agent): Caller,
    Path(id): Path<i32>,
    Json(new): Json<Booking>,
) -> Result<(StatusCode, Json<ticket::WithWork>), Problem> {
    let Booking { worked_on, minutes, cost } = new;
    let entry = work_entry::Create { ticket: Parent, agent: agent.id, worked_on, minutes, cost };
    let ticket = db.ticket().update(ticket::id.eq(id)).with(ticket::work.create(entry)).include(ticket::work).await?;
    Ok((StatusCode::CREATED, Json(ticket)))
}
