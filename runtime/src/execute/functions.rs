//! Calls of PostgreSQL's functions for programs that work together: `pg_notify`, and the advisory locks of a transaction.

use futures_util::future::{BoxFuture, FutureExt};
use tokio_postgres::Row;

use super::executor::Executor;
use super::target::Target;
use crate::connection::{Answer, LockKey, check_channel};
use crate::error::{Error, Result, from_connection};
use crate::telemetry::IntentKind;
use crate::value::Param;

/// PostgreSQL's limit for the payload of a notification, in bytes.
const LONGEST_PAYLOAD: usize = 7999;

const PAYLOAD_TOO_LONG: &str = "the payload of a notification has at most 7999 bytes: send a key, and let the receiver read \
    the row";
const PAYLOAD_WITH_ZERO: &str = "the payload of a notification cannot hold a zero byte";

impl Executor {
    /// Sends a notification, which arrives once the transaction commits.
    pub(crate) fn notify(&self, channel: &str, payload: &str) -> BoxFuture<'static, Result<()>> {
        if let Err(error) = check_notification(channel, payload).and_then(|()| self.check_write()) {
            return async { Err(error) }.boxed();
        }
        let params = vec![Param::Text(channel.to_owned()), Param::Text(payload.to_owned())];
        let sent = self.raw::<u64>("SELECT pg_catalog.pg_notify($1, $2)", params, "notify", IntentKind::Notify);
        async { sent.await.map(drop) }.boxed()
    }

    /// Waits for an advisory lock, which lasts until the transaction ends.
    pub(crate) fn advisory_lock(&self, key: LockKey) -> BoxFuture<'static, Result<()>> {
        let locked = self.lock::<u64>(key, "pg_advisory_xact_lock");
        async { locked?.await.map(drop) }.boxed()
    }

    /// Takes an advisory lock, if no other session has it.
    pub(crate) fn try_advisory_lock(&self, key: LockKey) -> BoxFuture<'static, Result<bool>> {
        let locked = self.lock::<Vec<Row>>(key, "pg_try_advisory_xact_lock");
        async {
            let rows = locked?.await?;
            let row = rows.first().ok_or(Error::Internal("a function returned no row"))?;
            row.try_get(0).map_err(|error| from_connection(&error))
        }
        .boxed()
    }

    fn lock<T: Answer + 'static>(&self, key: LockKey, function: &str) -> Result<BoxFuture<'static, Result<T>>> {
        if !self.0.is_transaction() {
            return Err(Error::LockOutsideTransaction);
        }
        let (sql, params) = key.call(function)?;
        Ok(self.raw(&sql, params, "advisory_lock", IntentKind::AdvisoryLock))
    }

    fn check_write(&self) -> Result<()> {
        match &self.0 {
            Target::Pool(pool) => pool.check_write(),
            Target::Transaction(_) => Ok(()),
        }
    }
}

fn check_notification(channel: &str, payload: &str) -> Result<()> {
    check_channel(channel)?;
    if payload.len() > LONGEST_PAYLOAD {
        return Err(Error::InvalidValue(PAYLOAD_TOO_LONG.into()));
    }
    if payload.contains('\0') {
        return Err(Error::InvalidValue(PAYLOAD_WITH_ZERO.into()));
    }
    Ok(())
}
