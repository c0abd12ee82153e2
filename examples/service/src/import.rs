//! Customers from a file of JSON lines: all of them or none.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use futures_util::TryStreamExt;
use relata::{CreateWith, Upserted};
use serde::Serialize;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};
use tokio_util::io::StreamReader;

use crate::Email;
use crate::auth::Caller;
use crate::customers::NewCustomer;
use crate::db::{Client, Models, customer};
use crate::problem::{Problem, WrongLine};

/// The number of bytes that a file may have.
const LIMIT: u64 = 32 * 1024 * 1024;

/// The number of rows in memory, and of a statement.
const BATCH: usize = 1_000;

/// The number of wrong lines that an answer lists. After them, nothing is read.
const WRONG_LINES: usize = 100;

/// How long the transaction waits for more of the file.
const PATIENCE: Duration = Duration::from_secs(30);

/// What became of the lines.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Imported {
    created: u64,
    updated: u64,
}

/// Creates a customer for each line, or updates the one with this address. If a line is wrong, nothing is imported, and
/// the answer lists the wrong lines.
pub(crate) async fn import(State(db): State<Client>, _: Caller, body: Body) -> Result<Json<Imported>, Problem> {
    let file = StreamReader::new(body.into_data_stream().map_err(std::io::Error::other));
    let tx = db.begin().idle_timeout(PATIENCE).await?;
    let imported = import_file(&tx, file).await?;
    tx.commit().await?;
    Ok(Json(imported))
}

/// Reads a file line by line, while the rows before are written.
async fn import_file(db: &Models, file: impl AsyncBufRead + Unpin) -> Result<Imported, Problem> {
    let mut lines = file.take(LIMIT).lines();
    let mut parsed = Lines::default();
    let mut imported = Imported::default();
    while let Some(line) = lines.next_line().await.map_err(|error| unreadable(error.kind(), parsed.read))? {
        parsed.push(&line);
        if parsed.wrong.len() == WRONG_LINES {
            break;
        }
        if parsed.rows.len() == BATCH {
            write(db, std::mem::take(&mut parsed.rows), &mut imported).await?;
        }
    }
    if lines.get_ref().limit() == 0 {
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the file has more than 32 MiB"));
    }
    if !parsed.wrong.is_empty() {
        return Err(Problem::invalid("nothing is imported, because lines are wrong").with_lines(parsed.wrong));
    }
    write(db, parsed.rows, &mut imported).await?;
    Ok(imported)
}

fn unreadable(kind: ErrorKind, read: u64) -> Problem {
    let detail = match kind {
        ErrorKind::InvalidData => format!("line {} is not UTF-8", read + 1),
        _ => format!("the file ends after {read} lines"),
    };
    Problem::new(StatusCode::BAD_REQUEST, detail)
}

async fn write(db: &Models, rows: Vec<CreateWith<customer::Create>>, imported: &mut Imported) -> relata::Result<()> {
    for row in db.customer().upsert_many(rows).on(customer::email).and_return().select(customer::id).await? {
        match row {
            Upserted::Inserted(_) => imported.created += 1,
            Upserted::Updated(_) => imported.updated += 1,
            Upserted::Skipped => {}
        }
    }
    Ok(())
}

/// The lines that were read.
#[derive(Default)]
struct Lines {
    read: u64,
    /// Those that are not written yet.
    rows: Vec<CreateWith<customer::Create>>,
    /// The line of each address.
    known: HashMap<Email, u64>,
    wrong: Vec<WrongLine>,
}

impl Lines {
    /// Reads a line. Blank ones count, and are left out.
    fn push(&mut self, line: &str) {
        self.read += 1;
        if line.trim().is_empty() {
            return;
        }
        match self.parse(line) {
            // After the first wrong line, nothing will be written.
            Ok(row) if self.wrong.is_empty() => self.rows.push(row),
            Ok(_) => self.rows.clear(),
            Err(detail) => self.wrong.push(WrongLine { line: self.read, detail }),
        }
    }

    fn parse(&mut self, line: &str) -> Result<CreateWith<customer::Create>, String> {
        let new: NewCustomer = serde_json::from_str(line).map_err(|error| {
            // serde counts lines, too, and this is always its first one.
            let text = error.to_string();
            text.rsplit_once(" at line ").map_or(text.clone(), |(reason, _)| reason.to_owned())
        })?;
        match self.known.insert(new.email.clone(), self.read) {
            None => Ok(new.into_row()),
            Some(before) => Err(format!("line {before} has the same address")),
        }
    }
}
