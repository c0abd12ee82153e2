//! A helpdesk as a web service: customers write tickets, agents answer them.
//!
//! [`router`] has all routes. Each resource is a module with its requests, its answers and its handlers. What a handler
//! does with the database is a few calls of the generated client, or a function that takes [`db::Models`], so that it
//! also works in a transaction.

#![allow(clippy::result_large_err, reason = "a problem is what a visitor reads, and is made once for a request")]

mod agents;
mod auth;
mod config;
mod customers;
mod dashboard;
mod health;
mod import;
mod listing;
mod problem;
mod text;
mod tickets;

use std::future::Future;
use std::io;

use axum::Router;
use axum::middleware::{from_fn, map_response};
use relata::ConnectOptions;
use relata::migrate::{self, Migrations};
use tokio::net::TcpListener;

pub use agents::ensure_admin;
pub use config::Config;
pub use text::{Email, Name};

use db::Client;

/// The client that `build.rs` generates from `schema.dsl`.
#[allow(missing_docs, reason = "the schema says what it means")]
pub mod db {
    relata::include_client!();
}

/// All routes of the service.
pub fn router(db: Client) -> Router {
    Router::new()
        .nest("/agents", agents::routes())
        .nest("/customers", customers::routes())
        .nest("/tickets", tickets::routes())
        .nest("/dashboard", dashboard::routes())
        .nest("/health", health::routes())
        .layer(map_response(problem::unify))
        .layer(from_fn(problem::log))
        .with_state(db)
}

/// Applies the pending migrations. Of several services that start at the same time, one does it, and the others wait.
///
/// # Errors
///
/// If the database cannot be reached, or refuses a migration.
pub async fn migrate(url: &str) -> Result<migrate::Report, Box<dyn std::error::Error + Send + Sync>> {
    let migrations: Migrations = relata::migrations!()?;
    let mut connection = url.parse::<ConnectOptions>()?.connect_direct().await?;
    Ok(migrate::deploy(&mut connection, &migrations, &migrate::Options::default()).await?)
}

/// Answers requests until `stopped` resolves. Then no connection is accepted anymore, and requests that have begun are
/// answered.
///
/// # Errors
///
/// Those of the listener.
pub async fn serve(
    listener: TcpListener,
    db: Client,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, router(db.clone())).with_graceful_shutdown(stopped).await?;
    db.close();
    Ok(())
}
