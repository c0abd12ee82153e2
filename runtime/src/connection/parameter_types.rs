//! The types of parameters, for statements without names.
//!
//! A pooler in transaction mode gives every transaction another server connection, so a statement that was prepared on
//! one is unknown on the next. Statements are then sent with their texts, and values can be written only if the types
//! of the parameters are known. They are requested once per text, in one round trip that leaves nothing behind.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::types::{Kind, Type};
use uuid::Uuid;

use super::failure::Failure;
use super::pooled::PooledConnection;
use crate::sql::{Statement, effect};

/// Types of parameters by the text of their statement, for all connections.
pub(crate) struct ParameterTypes {
    known: RwLock<HashMap<String, Known>>,
    /// The maximum number of texts.
    limit: usize,
    /// The number of requests.
    clock: AtomicU64,
}

struct Known {
    types: Arc<[Type]>,
    /// The time of the last request, by the clock.
    used: AtomicU64,
}

impl ParameterTypes {
    pub(crate) fn new(limit: usize) -> Self {
        Self { known: RwLock::default(), limit, clock: AtomicU64::new(0) }
    }

    pub(super) async fn types_of(
        &self,
        connection: &PooledConnection,
        text: &str,
        statement: &Statement,
    ) -> Result<Arc<[Type]>, Failure> {
        if statement.params.is_empty() {
            return Ok(Arc::new([]));
        }
        if let Some(types) = self.known(text) {
            return Ok(types);
        }
        let types: Arc<[Type]> = ask(connection, text).await?.into();
        self.remember(text, &types);
        Ok(types)
    }

    fn known(&self, sql: &str) -> Option<Arc<[Type]>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let known = known.get(sql)?;
        known.used.store(self.clock.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        Some(Arc::clone(&known.types))
    }

    fn remember(&self, sql: &str, types: &Arc<[Type]>) {
        let used = AtomicU64::new(self.clock.fetch_add(1, Ordering::Relaxed));
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(sql.to_owned(), Known { types: Arc::clone(types), used });
        if known.len() > self.limit {
            // Removes a tenth at once, the least recently used ones, so that this is rare.
            let mut times: Vec<u64> = known.values().map(|known| known.used.load(Ordering::Relaxed)).collect();
            let last = (times.len() - 1).min(self.limit / 10);
            let (_, last, _) = times.select_nth_unstable(last);
            let last = *last;
            known.retain(|_, known| known.used.load(Ordering::Relaxed) > last);
        }
    }

    pub(super) fn forget(&self, sql: &str) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).remove(sql);
    }
}

/// Asks the server, which prepares the statement for this and forgets it again.
async fn ask(connection: &PooledConnection, sql: &str) -> Result<Vec<Type>, Failure> {
    // A prepared statement is always a single one. Without a name, a second statement would run too.
    if !effect::is_one_statement(sql) {
        return Err(Failure::Refused("SQL with parameters must be one statement".to_owned()));
    }
    let name = format!("relata_{}", Uuid::new_v4().simple());
    let text = format!(
        "PREPARE {name} AS {sql}\n;\
         SELECT t.oid, t.typname, t.typtype, t.typelem, e.typname, e.typtype, b.oid, b.typname, b.typtype \
         FROM pg_catalog.pg_prepared_statements p \
         CROSS JOIN LATERAL unnest(p.parameter_types::oid[]) WITH ORDINALITY AS u (oid, place) \
         JOIN pg_catalog.pg_type t ON t.oid = u.oid LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem \
         LEFT JOIN LATERAL (WITH RECURSIVE d (oid) AS (SELECT t.typbasetype WHERE t.typtype = 'd' \
         UNION ALL SELECT e.typbasetype WHERE e.typtype = 'd' \
         UNION ALL SELECT x.typbasetype FROM d JOIN pg_catalog.pg_type x ON x.oid = d.oid WHERE x.typtype = 'd') \
         SELECT x.oid, x.typname, x.typtype FROM d JOIN pg_catalog.pg_type x ON x.oid = d.oid \
         WHERE x.typtype <> 'd') b ON true \
         WHERE p.name = '{name}' ORDER BY u.place;\
         DEALLOCATE {name}"
    );
    let messages = connection.simple_query(&text).await.map_err(Failure::Driver)?;
    let types = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(read_type(row)),
        _ => None,
    });
    Ok(types.collect())
}

fn read_type(row: &tokio_postgres::SimpleQueryRow) -> Type {
    let text = |column: usize| row.get(column).unwrap_or_default();
    let oid = |column: usize| text(column).parse().unwrap_or_default();
    let named = |oid: u32, name: &str, kind: Kind| {
        Type::from_oid(oid).unwrap_or_else(|| Type::new(name.to_owned(), oid, kind, String::new()))
    };
    let kind_of = |letter: &str| match letter {
        "e" => Kind::Enum(Vec::new()),
        "d" => Kind::Domain(named(oid(6), text(7), if text(8) == "e" { Kind::Enum(Vec::new()) } else { Kind::Simple })),
        _ => Kind::Simple,
    };
    let kind = match oid(3) {
        0 => kind_of(text(2)),
        element => Kind::Array(named(element, text(4), kind_of(text(5)))),
    };
    named(oid(0), text(1), kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_bounded_and_those_in_use_stay() {
        let known = ParameterTypes::new(100);
        let types: Arc<[Type]> = Arc::new([Type::INT4]);
        for text in 0..5_000 {
            known.remember(&format!("SELECT {text} + $1"), &types);
            assert!(known.known("SELECT 0 + $1").is_some(), "after {text}");
            assert!(known.known.read().expect("nobody panicked").len() <= 100);
        }
        assert!(known.known("SELECT 1 + $1").is_none());
        let none = ParameterTypes::new(0);
        none.remember("SELECT $1", &types);
        assert!(none.known("SELECT $1").is_none());
    }
}
