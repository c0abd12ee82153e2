//! Functions of the program that are called around queries.
//!
//! If there are none, a query only checks one `Option`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::intent::Intent;
use crate::error::{Error, Result};
use crate::meta::Table;
use crate::rows::Model;

type BeforeFn = Arc<dyn Fn(&Intent) -> Result<()> + Send + Sync>;
type AfterFn = Arc<dyn Fn(&Intent, &Report<'_>) + Send + Sync>;

/// Functions that are called before and after queries.
///
/// ```
/// use relata::{Error, Hooks, IntentKind};
///
/// let hooks = Hooks::new().before(|intent| match intent.kind {
///     IntentKind::Delete | IntentKind::DeleteMany => Err(Error::custom("nothing is deleted here")),
///     _ => Ok(()),
/// });
/// ```
#[derive(Clone, Default)]
pub struct Hooks {
    before: Vec<(Option<&'static Table>, BeforeFn)>,
    after: Vec<(Option<&'static Table>, AfterFn)>,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hooks({} before, {} after)", self.before.len(), self.after.len())
    }
}

/// The outcome of a query.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Report<'a> {
    /// The duration of the whole query, including the wait for a connection.
    pub took: Duration,
    /// The number of rows that it read or wrote, or its error. For nested parts, that of the whole query.
    pub outcome: std::result::Result<u64, &'a Error>,
    /// Host and port of the server that it ran on: the primary, or the replica that a read went to. If a connection
    /// string has several hosts, the first one.
    pub server: &'a str,
}

impl Hooks {
    /// Creates an empty set of hooks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls a function before each query and each nested part of one. If it returns an error, nothing is sent and the
    /// query fails with that error.
    pub fn before(mut self, hook: impl Fn(&Intent) -> Result<()> + Send + Sync + 'static) -> Self {
        self.before.push((None, Arc::new(hook)));
        self
    }

    /// Like [`before`](Self::before), for one model: `before_model::<User>(..)`.
    pub fn before_model<M: Model>(mut self, hook: impl Fn(&Intent) -> Result<()> + Send + Sync + 'static) -> Self {
        self.before.push((Some(M::table()), Arc::new(hook)));
        self
    }

    /// Calls a function after each query, and once more for each nested part of it. The function is not called for a
    /// query whose future was dropped, or that a `before` hook refused. A stream is one query: the function is called
    /// at its end, with the number of all its rows. It is not called if the stream is dropped earlier.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let slow = relata::Hooks::new().after(|intent, report| {
    ///     if report.took > std::time::Duration::from_millis(100) {
    ///         println!("slow: {:?} of {:?}", intent.kind, intent.model);
    ///     }
    /// });
    /// let db = db.with_hooks(slow);
    /// # Ok(())
    /// # }
    /// ```
    pub fn after(mut self, hook: impl Fn(&Intent, &Report<'_>) + Send + Sync + 'static) -> Self {
        self.after.push((None, Arc::new(hook)));
        self
    }

    /// Like [`after`](Self::after), for one model.
    pub fn after_model<M: Model>(mut self, hook: impl Fn(&Intent, &Report<'_>) + Send + Sync + 'static) -> Self {
        self.after.push((Some(M::table()), Arc::new(hook)));
        self
    }

    /// Appends other hooks.
    pub(crate) fn and(mut self, others: Hooks) -> Self {
        self.before.extend(others.before);
        self.after.extend(others.after);
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }

    /// Asks the hooks whether all of it may run.
    pub(crate) fn check(&self, intents: &[Intent]) -> Result<()> {
        for intent in intents {
            for (_, hook) in self.before.iter().filter(|(table, _)| concerns(*table, intent)) {
                hook(intent)?;
            }
        }
        Ok(())
    }

    pub(crate) fn report(&self, intents: &[Intent], report: &Report<'_>) {
        for intent in intents {
            for (_, hook) in self.after.iter().filter(|(table, _)| concerns(*table, intent)) {
                hook(intent, report);
            }
        }
    }
}

fn concerns(table: Option<&'static Table>, intent: &Intent) -> bool {
    table.is_none_or(|table| intent.model == Some(table.name))
}
