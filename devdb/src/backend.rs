//! The operations that every kind of server supports, so that the public types are the same for all of them.

use crate::Source;
use crate::database::TestDatabase;
use crate::error::Error;
use std::sync::Arc;

pub(crate) type PrepareError = Box<dyn std::error::Error + Send + Sync>;
/// Fills a template: receives the URL of an empty database.
pub(crate) type Prepare<'a> = Box<dyn FnOnce(&str) -> Result<(), PrepareError> + Send + 'a>;

pub(crate) trait Backend: Send + Sync {
    fn source(&self) -> Source;
    fn description(&self) -> &str;
    fn max_connections(&self) -> usize;
    fn url(&self, database: &str) -> String;
    fn psql_url(&self, database: &str) -> String;
    fn ensure_database(&self, name: &str) -> Result<(), Error>;
    fn create_database(self: Arc<Self>, prefix: &str) -> Result<TestDatabase, Error>;
    fn database_from_template(self: Arc<Self>, key: &str, prepare: Prepare<'_>) -> Result<TestDatabase, Error>;
    fn shared_database(self: Arc<Self>, key: &str, prepare: Prepare<'_>) -> Result<TestDatabase, Error>;
}

/// Runs `prepare` on a separate thread, so that it may start a runtime even if the caller is in one.
pub(crate) fn run_prepare(key: &str, prepare: Prepare<'_>, url: &str) -> Result<(), Error> {
    let prepared = std::thread::scope(|scope| match scope.spawn(|| prepare(url)).join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    });
    prepared.map_err(|source| Error::Prepare { key: key.to_owned(), source })
}
