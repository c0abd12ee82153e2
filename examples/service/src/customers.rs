//! Those who write tickets.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use relata::uuid::Uuid;
use relata::{CreateWith, Filter, Order, Page};
use serde::Deserialize;

use crate::auth::Caller;
use crate::db::{Client, Customer, Models, customer, ticket};
use crate::listing::Listing;
use crate::problem::Problem;
use crate::{Email, Name, import, tickets};

pub(crate) fn routes() -> Router<Client> {
    Router::new()
        .route("/", get(list).post(create))
        .route("/import", post(import::import))
        .route("/{id}", get(show).patch(change).delete(remove))
        .route("/{id}/restore", post(restore))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewCustomer {
    pub(crate) email: Email,
    pub(crate) name: Name,
    pub(crate) company: Option<String>,
}

impl NewCustomer {
    pub(crate) fn into_row(self) -> CreateWith<customer::Create> {
        let row = customer::Create { email: self.email, name: self.name };
        row.set(customer::company.to_nullable(self.company))
    }
}

/// What a PATCH request changes: a missing field stays as it is, and null removes what may be missing.
#[derive(Deserialize, relata::Patch)]
#[relata(from = Customer)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Changes {
    #[serde(default, deserialize_with = "relata::not_null")]
    email: Option<Email>,
    #[serde(default, deserialize_with = "relata::not_null")]
    name: Option<Name>,
    #[serde(default, deserialize_with = "relata::double_option")]
    company: Option<Option<String>>,
}

#[derive(Deserialize)]
struct Wanted {
    q: Option<String>,
    company: Option<String>,
}

/// Customers whose name or address contains the text.
pub(crate) fn mentions(text: &str) -> Filter<Customer> {
    customer::name.contains_insensitive(text) | customer::email.contains_insensitive(text)
}

fn sort_key(name: &str) -> Option<Order<Customer>> {
    Some(match name {
        "name" => customer::name.asc(),
        "email" => customer::email.asc(),
        "company" => customer::company.asc(),
        "created" => customer::created_at.asc(),
        "tickets" => customer::tickets.count().asc(),
        _ => return None,
    })
}

async fn list(
    State(db): State<Client>,
    _: Caller,
    Query(listing): Query<Listing>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<Customer>>, Problem> {
    let mut customers = db
        .customer()
        .find_many()
        .filter(wanted.q.as_deref().map(mentions))
        .filter(customer::company.eq_opt(wanted.company))
        .order_by_all(Order::parse_list(&listing.sort, sort_key)?)
        .take(listing.size());
    if listing.deleted {
        customers = customers.only_deleted();
    }
    Ok(Json(customers.page_after(listing.after).await?))
}

async fn create(
    State(db): State<Client>,
    _: Caller,
    Json(new): Json<NewCustomer>,
) -> Result<(StatusCode, Json<Customer>), Problem> {
    Ok((StatusCode::CREATED, Json(db.customer().create(new.into_row()).await?)))
}

/// A customer with the latest tickets.
async fn show(
    State(db): State<Client>,
    _: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<customer::WithTickets>, Problem> {
    let latest = customer::tickets.order_by(ticket::id.desc()).take(10);
    Ok(Json(db.customer().find_unique(customer::id.eq(id)).include(latest).or_err().await?))
}

async fn change(
    State(db): State<Client>,
    _: Caller,
    Path(id): Path<Uuid>,
    Json(changes): Json<Changes>,
) -> Result<Json<Customer>, Problem> {
    Ok(Json(db.customer().update(customer::id.eq(id)).set(changes).await?))
}

/// Deletes a customer, with the tickets and their comments.
async fn remove(State(db): State<Client>, _: Caller, Path(id): Path<Uuid>) -> Result<StatusCode, Problem> {
    db.customer().delete(customer::id.eq(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Restores a customer, and the tickets that were deleted together with them.
async fn restore(State(db): State<Client>, _: Caller, Path(id): Path<Uuid>) -> Result<Json<Customer>, Problem> {
    Ok(Json(db.transaction(async |tx| restore_with_tickets(&tx, id).await).await?))
}

async fn restore_with_tickets(db: &Models, id: Uuid) -> relata::Result<Customer> {
    let gone = db.customer().find_unique(customer::id.eq(id)).only_deleted().or_err().await?;
    tickets::restore_all(db, ticket::customer_id.eq(id), gone.deleted_at).await?;
    db.customer().restore(customer::id.eq(id)).await
}
