//! Hooks, spans, counters and the slow-query log. They describe queries, and never contain a value.

mod counters;
mod envelope;
mod hooks;
mod intent;
mod span;
mod statement;

pub(crate) use counters::{Connections, Counters};
pub use counters::{ServerRole, ServerStatistics, Statistics};
pub(crate) use envelope::{Envelope, ServerNote};
pub use hooks::{Hooks, Report};
pub use intent::{Intent, IntentKind};
pub(crate) use intent::{intents, raw_intent};
pub(crate) use span::{Server, batch_span, query_span};
pub(crate) use statement::StatementTimer;
