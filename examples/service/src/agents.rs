//! Those who answer tickets.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use crate::auth::{self, Admin, Caller};
use crate::db::{Agent, Client, Models, Role, agent};
use crate::problem::Problem;
use crate::{Email, Name};

pub(crate) fn routes() -> Router<Client> {
    Router::new().route("/", get(list).post(create))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewAgent {
    email: Email,
    name: Name,
    role: Option<Role>,
}

/// A new agent, and the token, which is shown this once.
#[derive(Serialize)]
struct Created {
    agent: Agent,
    token: String,
}

async fn list(State(db): State<Client>, _: Caller) -> Result<Json<Vec<Agent>>, Problem> {
    Ok(Json(db.agent().find_many().order_by(agent::name.asc()).await?))
}

async fn create(
    State(db): State<Client>,
    _: Admin,
    Json(new): Json<NewAgent>,
) -> Result<(StatusCode, Json<Created>), Problem> {
    let token = auth::new_token();
    let row = agent::Create { email: new.email, name: new.name, token_hash: auth::hash(&token) };
    let agent = db.agent().create(row).set(agent::role.to_opt(new.role)).await?;
    Ok((StatusCode::CREATED, Json(Created { agent, token })))
}

/// Creates the admin, or gives the agent with this address the role and the token.
///
/// # Errors
///
/// Those of the database.
pub async fn ensure_admin(db: &Models, email: Email, token: &str) -> relata::Result<Agent> {
    let name = Name::try_from("Admin".to_owned()).map_err(relata::Error::custom)?;
    let (token_hash, role) = (auth::hash(token), agent::role.to(Role::Admin));
    let row = agent::Create { email: email.clone(), name, token_hash: token_hash.clone() }.set(role.clone());
    db.agent().upsert(agent::email.eq(email), row).set([role, agent::token_hash.to(token_hash)]).await
}
