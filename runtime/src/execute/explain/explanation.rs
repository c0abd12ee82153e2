//! What an EXPLAIN returns.

use std::fmt;

use tokio_postgres::Row;

use crate::error::{Result, from_connection};

/// The plans of the statements of a call. `Display` writes all of them.
///
/// Its `Debug` does not show them, because plans contain the values of parameters.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Explanation<P = String> {
    /// The statements in the order in which they are sent.
    pub statements: Vec<ExplainedStatement<P>>,
    /// What of the call is not explained, and why. Empty after `analyze`.
    pub left_out: Vec<String>,
}

/// A statement and its plan.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct ExplainedStatement<P = String> {
    /// The text of the statement, with `$1` in place of values.
    pub sql: String,
    /// The plan: the text of EXPLAIN, or its JSON.
    pub plan: P,
}

impl<P> fmt::Debug for Explanation<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Explanation")
            .field("statements", &self.statements)
            .field("left_out", &self.left_out)
            .finish_non_exhaustive()
    }
}

impl<P> fmt::Debug for ExplainedStatement<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExplainedStatement").field("sql", &self.sql).finish_non_exhaustive()
    }
}

impl<P: fmt::Display> fmt::Display for Explanation<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, statement) in self.statements.iter().enumerate() {
            let gap = if place > 0 { "\n\n" } else { "" };
            write!(f, "{gap}{}\n{}", statement.sql, statement.plan)?;
        }
        for (place, reason) in self.left_out.iter().enumerate() {
            let gap = if place > 0 || !self.statements.is_empty() { "\n\n" } else { "" };
            write!(f, "{gap}-- not explained: {reason}")?;
        }
        Ok(())
    }
}

/// The forms of a plan: text, and JSON.
pub trait Plan: Send + Sized + 'static + sealed::Sealed {
    /// PostgreSQL's name of the format.
    #[doc(hidden)]
    const FORMAT: &str;

    /// Reads what EXPLAIN returned.
    #[doc(hidden)]
    fn read(rows: &[Row]) -> Result<Self>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for String {}
    impl Sealed for serde_json::Value {}
}

impl Plan for String {
    const FORMAT: &str = "TEXT";

    fn read(rows: &[Row]) -> Result<Self> {
        let lines = rows.iter().map(|row| row.try_get::<_, &str>(0));
        let lines: Vec<&str> = lines.collect::<Result<_, _>>().map_err(|error| from_connection(&error))?;
        Ok(lines.join("\n"))
    }
}

impl Plan for serde_json::Value {
    const FORMAT: &str = "JSON";

    fn read(rows: &[Row]) -> Result<Self> {
        let Some(row) = rows.first() else { return Ok(serde_json::Value::Null) };
        row.try_get(0).map_err(|error| from_connection(&error))
    }
}
