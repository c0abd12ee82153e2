//! Who sends a request: an agent, with a token.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use relata::uuid::Uuid;
use sha2::{Digest, Sha256};

use crate::db::{Agent, Client, Role, agent};
use crate::problem::Problem;

/// The agent who sends the request. A handler with this argument answers only requests with a valid token.
pub(crate) struct Caller(pub(crate) Agent);

/// An agent who may change other agents.
pub(crate) struct Admin;

/// Returns a token with 244 random bits, which cannot be guessed.
pub(crate) fn new_token() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

/// What is kept of a token. Tokens are long and random, so this needs no salt and no slow function.
pub(crate) fn hash(token: &str) -> String {
    Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl FromRequestParts<Client> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, db: &Client) -> Result<Self, Problem> {
        let unknown = || Problem::new(StatusCode::UNAUTHORIZED, "send the header `Authorization: Bearer TOKEN`");
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.strip_prefix("Bearer ")).ok_or_else(unknown)?;
        let agent = db.agent().find_unique(agent::token_hash.eq(hash(token))).await?;
        agent.map(Self).ok_or_else(unknown)
    }
}

impl FromRequestParts<Client> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, db: &Client) -> Result<Self, Problem> {
        match Caller::from_request_parts(parts, db).await?.0.role {
            Role::Admin => Ok(Self),
            Role::Agent => Err(Problem::new(StatusCode::FORBIDDEN, "only an admin may do this")),
        }
    }
}
