//! Advisory locks: their keys, and those that a session holds, on a connection of its own.

use std::fmt::Display;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tokio_postgres::types::{ToSql, Type};

use super::own::{OwnConnection, Purpose, back_off};
use super::pool::Shared;
use crate::error::{Error, Result};
use crate::value::Param;

/// The key of an advisory lock: a number of 64 bits, or two of 32 bits. PostgreSQL never takes one for the other.
///
/// A name stands for the first eight bytes of its SHA-256, as a signed number in network order. Other programs get the same
/// key in SQL: `('x' || encode(substr(sha256('invoices'), 1, 8), 'hex'))::bit(64)::bigint`. A key of a name and a value is
/// that of both with a zero byte between them, as in `sha256('invoices'::bytea || '\x00' || '42')`.
///
/// ```
/// use relata::LockKey;
///
/// assert_eq!(LockKey::from("invoices"), LockKey::from(5_268_556_066_836_248_654));
/// assert_ne!(LockKey::from(("invoices", 4)), LockKey::from("invoices4"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LockKey(Key);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Number(i64),
    Pair(i32, i32),
}

/// The first number of the lock of migrations, whose second one is the history table: see `migrate::lock`.
const OF_MIGRATIONS: i32 = 0x5245_4c41;

const RESERVED: &str = "the first number of this advisory lock is that of the lock of migrations: choose another one";

impl From<i64> for LockKey {
    fn from(number: i64) -> Self {
        Self(Key::Number(number))
    }
}

impl From<(i32, i32)> for LockKey {
    fn from((first, second): (i32, i32)) -> Self {
        Self(Key::Pair(first, second))
    }
}

impl From<&str> for LockKey {
    fn from(name: &str) -> Self {
        Self::hashed(&[name.as_bytes()])
    }
}

impl From<&String> for LockKey {
    fn from(name: &String) -> Self {
        name.as_str().into()
    }
}

impl From<String> for LockKey {
    fn from(name: String) -> Self {
        name.as_str().into()
    }
}

impl<K: Display> From<(&str, K)> for LockKey {
    fn from((name, key): (&str, K)) -> Self {
        Self::hashed(&[name.as_bytes(), &[0], key.to_string().as_bytes()])
    }
}

impl LockKey {
    fn hashed(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        parts.iter().for_each(|part| hash.update(part));
        let hash = hash.finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&hash[..8]);
        Self(Key::Number(i64::from_be_bytes(first)))
    }

    /// Returns the call of a function with this key, and its parameters.
    pub(crate) fn call(self, function: &str) -> Result<(String, Vec<Param>)> {
        match self.0 {
            Key::Number(number) => Ok((format!("SELECT pg_catalog.{function}($1)"), vec![Param::Int(number)])),
            Key::Pair(OF_MIGRATIONS, _) => Err(Error::Misuse(RESERVED.into())),
            Key::Pair(first, second) => {
                let numbers = vec![Param::Int(first.into()), Param::Int(second.into())];
                Ok((format!("SELECT pg_catalog.{function}($1, $2)"), numbers))
            }
        }
    }

    fn types(self) -> Vec<Type> {
        match self.0 {
            Key::Number(_) => vec![Type::INT8],
            Key::Pair(..) => vec![Type::INT4, Type::INT4],
        }
    }
}

/// The pauses between two attempts to take a lock that another session holds.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How long the answer to the release of a lock may take.
const RELEASE_LIMIT: Duration = Duration::from_secs(10);

const LOST: &str = "it held an advisory lock, which ended with it: another session may have the lock now, so the work was \
    stopped";

/// A lock of a session. If it is dropped, its connection is closed, which releases the lock.
pub(crate) struct SessionLock {
    connection: OwnConnection,
    key: LockKey,
}

impl SessionLock {
    /// Takes a lock, if no other session has it.
    pub(crate) async fn try_take(shared: &Arc<Shared>, key: LockKey) -> Result<Option<Self>> {
        let lock = Self::prepare(shared, key).await?;
        Ok(lock.call("pg_try_advisory_lock").await?.then_some(lock))
    }

    /// Takes a lock, and waits for it.
    ///
    /// It does not wait inside PostgreSQL: a statement that waits holds a snapshot, so that VACUUM removes nothing, and
    /// CREATE INDEX CONCURRENTLY of the session that has the lock would wait for the one that waits.
    pub(crate) async fn take(shared: &Arc<Shared>, key: LockKey, limit: Option<Duration>) -> Result<Self> {
        let began = Instant::now();
        let lock = Self::prepare(shared, key).await?;
        let mut attempt = 0;
        while !lock.call("pg_try_advisory_lock").await? {
            let pause = back_off(FIRST_PAUSE, LONGEST_PAUSE, attempt);
            let pause = match limit.map(|limit| (limit, limit.saturating_sub(began.elapsed()))) {
                Some((limit, left)) if left.is_zero() => {
                    return Err(Error::Timeout { what: "waiting for an advisory lock", limit });
                }
                Some((_, left)) => pause.min(left),
                None => pause,
            };
            tokio::time::sleep(pause).await;
            attempt = attempt.saturating_add(1);
        }
        Ok(lock)
    }

    /// Opens the connection.
    async fn prepare(shared: &Arc<Shared>, key: LockKey) -> Result<Self> {
        key.call("pg_advisory_lock")?;
        let (connection, _) = OwnConnection::first(shared, &shared.options.at_primary(), Purpose::Lock).await?;
        Ok(Self { connection, key })
    }

    /// Calls a function of the lock that says whether it succeeded.
    async fn call(&self, function: &str) -> Result<bool> {
        let (sql, numbers) = self.key.call(function)?;
        let params = numbers.iter().map(|number| number as &(dyn ToSql + Sync));
        let params: Vec<_> = params.zip(self.key.types()).collect();
        let rows = self.connection.ask(&sql, &params).await?;
        Ok(rows.first().is_some_and(|row| row.try_get(0).unwrap_or(false)))
    }

    /// Does something while the lock is held, and releases it. If the lock is lost, the work is dropped where it is.
    ///
    /// The result is `Ok` only if the lock was held to the end of the work.
    pub(crate) async fn during<T, E: From<Error>>(mut self, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let done = tokio::select! {
            biased;
            () = self.connection.lost() => return Err(lost().into()),
            done = work => done,
        };
        let released = tokio::time::timeout(RELEASE_LIMIT, self.call("pg_advisory_unlock")).await;
        let done = done?;
        match released {
            Ok(Ok(true)) => Ok(done),
            _ => Err(lost().into()),
        }
    }
}

fn lost() -> Error {
    Error::ConnectionLost(LOST.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_parameters() {
        let call = |key: LockKey| key.call("f").expect("is right");
        assert_eq!(call(7.into()), ("SELECT pg_catalog.f($1)".to_owned(), vec![Param::Int(7)]));
        assert_eq!(
            call((-1, 2).into()),
            ("SELECT pg_catalog.f($1, $2)".to_owned(), vec![Param::Int(-1), Param::Int(2)])
        );
        assert!(LockKey::from((OF_MIGRATIONS, 1)).call("f").is_err());
    }

    #[test]
    fn names_and_values_do_not_run_together() {
        let keys = [("ab", "c"), ("a", "bc"), ("abc", ""), ("", "abc")].map(LockKey::from);
        for (place, key) in keys.iter().enumerate() {
            assert!(!keys[..place].contains(key), "{place}");
            assert_ne!(*key, LockKey::from("abc"));
        }
        assert_eq!(LockKey::from(("a", 1)), LockKey::from(("a", "1")));
    }
}
