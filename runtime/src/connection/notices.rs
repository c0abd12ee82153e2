//! What a server says besides its answers: notices and warnings.

use std::fmt;
use std::sync::Arc;

use tokio_postgres::error::DbError;

/// Called with each notice of a connection.
#[derive(Clone)]
pub(crate) struct NoticeHook(pub(crate) Arc<dyn Fn(&DbError) + Send + Sync>);

impl fmt::Debug for NoticeHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NoticeHook")
    }
}
