//! Carries out operations: chooses the connection, the statements, and their order.

mod batch;
mod bulk;
mod call;
mod changes;
mod children;
mod copy;
mod delete;
mod executor;
mod insert;
mod keys;
mod level;
mod nested;
mod raw;
mod read;
mod returning;
mod route;
mod run;
mod single;
mod stream;
mod target;
mod upsert;

pub use batch::BatchCall;
pub(crate) use batch::BatchParts;
pub use call::Call;
pub use executor::Executor;
pub(crate) use route::begin;
pub use stream::RowStream;
pub(crate) use target::Target;
