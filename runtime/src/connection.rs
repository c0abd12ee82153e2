//! Connections: opening them, the pool that keeps them, their transactions, and the sessions that send statements.

mod cancel;
mod manager;
mod options;
mod parameter_types;
mod pool;
mod pooled;
mod row_security;
mod session;
mod settings;
mod statement_texts;
mod tls;
mod transaction;

pub(crate) use manager::Manager;
pub use options::ConnectOptions;
pub(crate) use parameter_types::ParameterTypes;
pub(crate) use pool::{Pool, Shared};
pub(crate) use pooled::PooledConnection;
pub use row_security::RowSecurity;
pub(crate) use row_security::RowSecurityCheck;
pub(crate) use session::{Answer, Prepared, Session};
pub(crate) use settings::Settings;
pub(crate) use statement_texts::StatementTexts;
pub(crate) use transaction::{OpenTransaction, Scope, WHOLE, commit_error};
