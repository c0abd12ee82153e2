//! The types of parameters, for statements without names.
//!
//! A pooler in transaction mode gives every transaction another server connection, so that a statement prepared on one
//! is unknown on the next. Statements then travel with their text, and values can be written only if the types that the
//! server gives the parameters are known: they are asked for once per text, in one round trip that leaves nothing behind.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::types::{Kind, Type};
use uuid::Uuid;

use super::lease::Lease;
use super::session::Failure;
use crate::migrate::Script;
use crate::sql::Statement;

/// Types of parameters by the text of their statement.
#[derive(Default)]
pub(crate) struct KnownTypes(RwLock<HashMap<String, Arc<[Type]>>>);

impl KnownTypes {
    pub(super) async fn types_of(&self, lease: &Lease, statement: &Statement) -> Result<Arc<[Type]>, Failure> {
        if statement.params.is_empty() {
            return Ok(Arc::new([]));
        }
        if let Some(types) = self.0.read().ok().and_then(|known| known.get(statement.sql()).cloned()) {
            return Ok(types);
        }
        let types: Arc<[Type]> = ask(lease, statement.sql()).await?.into();
        if let Ok(mut known) = self.0.write() {
            known.insert(statement.sql().to_owned(), Arc::clone(&types));
        }
        Ok(types)
    }

    pub(super) fn forget(&self, sql: &str) {
        if let Ok(mut known) = self.0.write() {
            known.remove(sql);
        }
    }
}

/// Asks the server, which prepares the statement for it and forgets it again.
async fn ask(lease: &Lease, sql: &str) -> Result<Vec<Type>, Failure> {
    // What is prepared by its name is one statement. Here a second one would run.
    if !matches!(Script::parse(sql), Ok(script) if script.statements().count() == 1) {
        return Err(Failure::Refused("SQL with parameters must be one statement".to_owned()));
    }
    let name = format!("relata_{}", Uuid::new_v4().simple());
    let text = format!(
        "PREPARE {name} AS {sql}\n;\
         SELECT t.oid, t.typname, t.typtype, t.typelem, e.typname, e.typtype FROM pg_catalog.pg_prepared_statements p \
         CROSS JOIN LATERAL unnest(p.parameter_types::oid[]) WITH ORDINALITY AS u (oid, place) \
         JOIN pg_catalog.pg_type t ON t.oid = u.oid LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem \
         WHERE p.name = '{name}' ORDER BY u.place;\
         DEALLOCATE {name}"
    );
    let messages = lease.simple_query(&text).await.map_err(Failure::Driver)?;
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
    let kind_of = |letter: &str| if letter == "e" { Kind::Enum(Vec::new()) } else { Kind::Simple };
    let kind = match oid(3) {
        0 => kind_of(text(2)),
        element => Kind::Array(named(element, text(4), kind_of(text(5)))),
    };
    named(oid(0), text(1), kind)
}
