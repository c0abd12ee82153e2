//! Why a statement has no answer, and what is refused before it is sent or because of its columns.

use crate::error::{Error, Result, from_connection};
use crate::meta::Table;
use crate::sql::{Statement, effect};

/// The reason why there is no answer.
pub(super) enum Failure {
    Driver(tokio_postgres::Error),
    Refused(String),
}

impl Failure {
    pub(super) fn explain(self, table: Option<&'static Table>) -> Error {
        match (self, table) {
            (Failure::Driver(error), Some(table)) => Error::from_driver(&error, table.writes.unwrap_or(table)),
            (Failure::Driver(error), None) => from_connection(&error),
            (Failure::Refused(reason), _) => Error::Misuse(reason.into()),
        }
    }
}

/// Refuses raw SQL with statements that only the client may send.
pub(super) fn refuse_own(statement: &Statement) -> Result<(), Failure> {
    match statement.is_own().then(|| effect::refused(statement.sql())).flatten() {
        Some(reason) => Err(Failure::Refused(reason.to_owned())),
        None => Ok(()),
    }
}

/// The maximum number of parameters of a statement: the protocol counts them in 16 bits.
const MAX_PARAMETERS: usize = u16::MAX as usize;

pub(super) fn refuse_too_many(statement: &Statement) -> Result<()> {
    match statement.params.len() {
        0..=MAX_PARAMETERS => Ok(()),
        count => {
            let reason = format!(
                "the statement has {count} parameters, and PostgreSQL takes 65,535: use `in_` or a list, which are one \
                 parameter however many values they have, or split the call"
            );
            Err(Error::TooComplex(reason.into()))
        }
    }
}

/// Compares the columns that the database returns with those that a query was compiled for. For models, the client
/// itself lists the columns.
pub(super) fn check_columns(table: &Table, columns: &[tokio_postgres::Column]) -> Result<()> {
    if table.columns.first().is_none_or(|column| column.accepts.is_none()) {
        return Ok(());
    }
    let (name, wanted) = (table.name, table.columns.len());
    let advice = "`codegen check --database --url URL` compares all queries with a database";
    if columns.len() != wanted {
        let message = format!("{name} returns {} columns, but was compiled for {wanted}: {advice}", columns.len());
        return Err(Error::RowMismatch(message.into()));
    }
    for (known, real) in table.columns.iter().zip(columns) {
        if known.accepts.is_some_and(|accepts| !accepts(real.type_())) {
            let (column, ty) = (known.name, real.type_());
            let message = format!("column {column} of {name} is {ty}, which it was not compiled for: {advice}");
            return Err(Error::RowMismatch(message.into()));
        }
    }
    Ok(())
}
