//! Passwords from a function of the program, which is called for each new connection: tokens that are valid for some
//! minutes, and secrets that rotate.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Whom a connection is opened as, and where: what a function for passwords gets.
///
/// ```
/// # use plain_planner::*;
/// # async fn token(host: &str, port: u16, user: &str) -> Result<String, std::io::Error> { Ok(String::new()) }
/// # async fn example() -> relata::Result<()> {
/// let db = Client::builder("postgres://planner@db.example/exams")?
///     .password(|login: relata::Login| async move { token(login.host(), login.port(), login.user()).await })
///     .connect()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) database: String,
}

impl Login {
    /// Returns the host, or the folder of its Unix socket.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the user; empty if the connection string names none.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Returns the database.
    pub fn database(&self) -> &str {
        &self.database
    }
}

/// A function for passwords.
#[derive(Clone)]
pub(crate) struct PasswordSource(Arc<dyn Fn(Login) -> BoxFuture<'static, Result<String, BoxError>> + Send + Sync>);

/// Shows nothing.
impl fmt::Debug for PasswordSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordSource")
    }
}

impl PasswordSource {
    pub(crate) fn new<F, Fut, E>(source: F) -> Self
    where
        F: Fn(Login) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<String, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        Self(Arc::new(move |login| {
            let password = source(login);
            async move { password.await.map_err(Into::into) }.boxed()
        }))
    }

    /// Calls the function. An error is its text.
    pub(super) async fn password(&self, login: Login) -> Result<String, String> {
        (self.0)(login).await.map_err(|error| format!("the function for passwords failed: {error}"))
    }
}
