//! What an orchestrator asks: `live` restarts the service if it does not answer, `ready` sends no requests to it.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use relata::params;

use crate::db::Client;
use crate::problem::Problem;

pub(crate) fn routes() -> Router<Client> {
    Router::new().route("/live", get(async || "ok")).route("/ready", get(ready))
}

/// Whether the database answers.
async fn ready(State(db): State<Client>) -> Result<&'static str, Problem> {
    db.query_raw::<(i32,)>("SELECT 1", params![]).await?;
    Ok("ok")
}
