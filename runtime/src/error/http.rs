//! Which answer of a web service suits an error.

use super::{Error, Lookup};

/// What PostgreSQL says of values that a column cannot hold: a text that is too long, a number that is too large, a text
/// with a zero byte. See [the list](https://www.postgresql.org/docs/current/errcodes-appendix.html).
const VALUES: [&str; 3] = ["22001", "22003", "22021"];

impl Error {
    /// Returns the status of HTTP that suits the error, as the table in `docs/client.md` has it.
    ///
    /// Only what a visitor can change is below 500: a key that is taken, a row that is missing, a page token that is
    /// none, a value that is too long. Mistakes of the program are 500, and what may work later is 503. An
    /// [`Error::Custom`] is 500, because only the program knows what it means.
    ///
    /// ```
    /// use relata::{Error, Lookup};
    ///
    /// let missing = Error::NotFound { model: "Student", operation: Lookup::Find, relation: None };
    /// assert_eq!(missing.http_status(), 404);
    /// assert_eq!(Error::InvalidPageToken.http_status(), 400);
    /// assert_eq!(Error::TransactionFailed.http_status(), 500);
    /// ```
    pub fn http_status(&self) -> u16 {
        match self {
            Error::InvalidPageToken | Error::ForeignPageToken | Error::InvalidValue(_) | Error::TooComplex(_) => 400,
            Error::NotFound { operation: Lookup::Find | Lookup::Update | Lookup::Delete, .. } => 404,
            Error::UniqueViolation(_) | Error::ForeignKeyViolation(_) | Error::ExclusionViolation(_) => 409,
            Error::NotFound { operation: Lookup::Connect | Lookup::Disconnect, .. }
            | Error::NotNullViolation(_)
            | Error::CheckViolation(_) => 422,
            Error::Serialization { .. } | Error::ChangedWhileReading { .. } => 503,
            // It may have been committed: the visitor must not be told to try again.
            Error::CommitUnknown => 500,
            Error::Database(error) if VALUES.contains(&error.sqlstate.as_str()) => 400,
            error if error.is_timeout() || error.is_lost_server() => 503,
            _ => 500,
        }
    }
}
