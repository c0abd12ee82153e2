//! The trait of the generated list of models.

use crate::execute::Executor;

/// The generated list of models: `db.user()`, `db.session()` and so on.
pub trait Models: Sized + Send + Sync + 'static {
    /// The models behind a pool or a transaction.
    fn new(executor: Executor) -> Self;
}
