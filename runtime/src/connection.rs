//! Connections: opening them, the pool that keeps them, their transactions, and the sessions that send statements.

mod cancel;
mod credentials;
mod failure;
mod manager;
mod notices;
mod open;
mod options;
mod parameter_types;
mod pool;
mod pooled;
mod pooler;
mod replicas;
mod row_security;
mod session;
mod session_attrs;
mod settings;
mod statement_texts;
mod tls;
mod transaction;
mod turns;

pub use credentials::Login;
pub(crate) use credentials::PasswordSource;
pub(crate) use manager::{Life, Manager};
pub(crate) use open::Opener;
pub use options::ConnectOptions;
pub(crate) use parameter_types::ParameterTypes;
pub(crate) use pool::{Pool, Shared};
pub(crate) use pooled::PooledConnection;
pub(crate) use replicas::{ReplicaSettings, Route, Routing};
pub use row_security::RowSecurity;
pub(crate) use row_security::RowSecurityCheck;
pub(crate) use session::{Answer, Prepared, Session};
pub(crate) use settings::Settings;
pub(crate) use statement_texts::StatementTexts;
pub(crate) use transaction::{OpenTransaction, READ_ONLY, Scope, WHOLE, commit_error};
