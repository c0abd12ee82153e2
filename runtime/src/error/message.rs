//! Which part of PostgreSQL's message is shown.
//!
//! Nearly every kind of message can quote a value of a parameter or of a row. So a message is shown only if its origin
//! rules that out. Otherwise, the meaning of the SQLSTATE is shown instead. DETAIL, HINT and CONTEXT are never shown.
//! The names of constraints, tables and columns have separate fields.

use super::fixed;
use tokio_postgres::error::{DbError, ErrorPosition};

/// PostgreSQL's message about a statement that was prepared before a migration. It may be translated.
pub(crate) const STALE_PLAN: &str = "cached plan must not change result type";

/// Returns the primary message if it cannot hold a value, else the meaning of the SQLSTATE.
pub(super) fn safe_message(error: &DbError) -> String {
    if error.routine() == Some("RevalidateCachedQuery") {
        return STALE_PLAN.to_owned();
    }
    if fixed::is_known(error.file(), error.message()) {
        return error.message().to_owned();
    }
    // Inside a function, which CONTEXT indicates, any SQLSTATE can be raised with any text.
    if error.where_().is_none() && (is_about_the_text(error) || is_fixed(error)) {
        return error.message().to_owned();
    }
    let code = error.code().code();
    match (code, error.routine()) {
        ("42501", Some("aclcheck_error")) => NO_PRIVILEGE.to_owned(),
        // The message names `USING` in every language.
        ("42501", Some("ExecWithCheckOptions")) if error.message().contains("USING") => HIDDEN.to_owned(),
        ("42501", Some("ExecWithCheckOptions")) => NO_POLICY.to_owned(),
        _ => meaning(code).to_owned(),
    }
}

const NO_PRIVILEGE: &str = "permission denied: the role lacks a privilege, which the owner of the object can GRANT";
const NO_POLICY: &str = "row-level security refuses the new row: it belongs to another tenant, or the session has none";
const HIDDEN: &str = "row-level security hides the row that already has this key, so ON CONFLICT cannot change it";

/// Returns whether the parser points to a place in the statement, which has `$1` instead of values. An error of a
/// running function has no such position, or one in a text of the function.
fn is_about_the_text(error: &DbError) -> bool {
    let code = error.code().code();
    (code.starts_with("42") || code.starts_with("0A")) && matches!(error.position(), Some(ErrorPosition::Original(_)))
}

/// Returns whether the server has a fixed text for it, in which it fills in only names and sizes.
fn is_fixed(error: &DbError) -> bool {
    const CLASSES: [&str; 3] = ["25", "53", "57"];
    const CODES: [&str; 5] = ["08P01", "21000", "26000", "54001", "55P03"];
    let code = error.code().code();
    // The rewriter names the generated column, before any value is read.
    let is_of_rewriter = code == "428C9" && error.routine() == Some("rewriteTargetListIU");
    is_of_rewriter || CODES.contains(&code) || CLASSES.iter().any(|class| code.starts_with(class))
}

/// Returns the meaning of a SQLSTATE, in words that apply to all its cases.
fn meaning(code: &str) -> &'static str {
    match code {
        "22001" => "a text is longer than its column allows",
        "22003" => "a number is out of range for its type",
        "22004" => "a value is null where it must not be",
        "22007" | "22008" => "a date or time is wrong or out of range",
        "22012" => "division by zero",
        "22021" | "22P05" => "a text holds a character that the database's encoding does not have",
        "22023" => "an argument of a function is out of the range that it takes",
        "22025" | "2201B" => "a pattern is wrong",
        "22026" => "a bit string has another length than its column",
        "22P02" => "a value is not written as its type demands",
        "22P03" => "a value does not have the binary form of its type",
        "2200L" | "2200M" | "2200N" => "a value is not XML",
        _ if code.starts_with("2203") => "a JSON value or path is wrong",
        "23502" => "a required value is missing",
        "23503" | "23001" => "a referenced row does not exist, or is still referenced",
        "23505" => "a unique value is already taken",
        "23514" => "a check refused the row",
        "23P01" => "the row conflicts with another one under an exclusion constraint",
        "23000" => "the row violates a constraint",
        "34000" => "a cursor does not exist",
        "3D000" => "a database does not exist",
        "3F000" => "a schema does not exist",
        "428C9" => "a value is written to a column that the database generates",
        "42501" => "permission denied: the user lacks a privilege, or row-level security refuses the row",
        "42601" => "a syntax error in a value, such as the query of a text search",
        "42703" => "a column that a value names does not exist",
        "42704" => "an object that a value names does not exist",
        "42883" => "a function or operator that a value names does not exist",
        "42P01" => "a table that a value names does not exist",
        "44000" => "the row is not one of those that the view shows (WITH CHECK OPTION)",
        "54000" => "a limit of PostgreSQL is exceeded, such as the size of an index entry or of a search query",
        "55000" => "an object is not in the state that the statement needs",
        "55006" => "an object is in use",
        "58P01" => "a file does not exist",
        "P0001" => "a function or trigger of the database raised an error; `server_message` gives its text",
        "P0002" => "a function found no row",
        "P0003" => "a function found several rows",
        "P0004" => "an assertion in a function failed",
        _ => match code.get(..2) {
            Some("0A") => "the server does not support this statement; `server_message` says why",
            Some("22") => "a value does not fit its type",
            Some("28") => "the user is not allowed to connect",
            Some("42") => "the statement, or what a value in it names, is wrong",
            Some("54") => "a limit of PostgreSQL is exceeded",
            Some("58") => "the server's operating system refused something",
            Some("XX") => "PostgreSQL met an internal error",
            _ => "its text may hold values; `server_message` gives it",
        },
    }
}
