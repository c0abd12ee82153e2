//! Carries out operations: chooses the connection, the statements, and their order.

mod batch;
mod bulk;
mod call;
mod changes;
mod children;
mod copy;
mod delete;
mod each;
mod executor;
mod explain;
mod functions;
mod insert;
mod keys;
mod level;
mod nested;
mod raw;
mod read;
mod recursive;
mod returning;
mod route;
mod run;
mod single;
mod stream;
mod target;
mod upsert;
mod upserts;

pub use batch::BatchCall;
pub(crate) use batch::BatchParts;
pub use call::Call;
pub use executor::Executor;
pub use explain::{Explain, ExplainedStatement, Explanation, Plan};
pub(crate) use route::begin;
pub use stream::RowStream;
pub(crate) use target::Target;
