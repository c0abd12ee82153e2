//! Connections: how they are made, the pool that keeps them, the transactions in them, and the sessions through which
//! statements are sent.

mod lease;
mod manager;
mod open;
mod options;
mod pool;
mod session;
mod texts;
mod tls;
mod types;

pub(crate) use lease::Lease;
pub(crate) use manager::Manager;
pub(crate) use open::{OpenTransaction, Scope, WHOLE, commit_error};
pub use options::ConnectOptions;
pub(crate) use pool::{Pool, Shared};
pub(crate) use session::{Answer, Prepared, Session};
pub(crate) use texts::Texts;
pub(crate) use types::KnownTypes;
