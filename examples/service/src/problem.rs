//! Errors as answers, all in the form of [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457), `application/problem+json`.

use std::borrow::Cow;
use std::time::Instant;

use axum::Json;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use relata::Error;
use serde::Serialize;

/// The type of an answer's body.
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// An error as a visitor reads it.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    #[serde(serialize_with = "as_number")]
    status: StatusCode,
    title: &'static str,
    detail: Cow<'static, str>,
    /// The columns that a constraint is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    columns: Vec<String>,
    /// What is wrong with which line of a file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lines: Vec<WrongLine>,
}

/// What is wrong with a line of a file. The first one is 1.
#[derive(Debug, Serialize)]
pub(crate) struct WrongLine {
    pub(crate) line: u64,
    pub(crate) detail: String,
}

fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        Self { status, title, detail: detail.into(), columns: Vec::new(), lines: Vec::new() }
    }

    /// A request whose meaning is wrong.
    pub(crate) fn invalid(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    pub(crate) fn with_lines(mut self, lines: Vec<WrongLine>) -> Self {
        self.lines = lines;
        self
    }
}

/// An error of a visitor says what is wrong. Any other is for the log: its text speaks of the program and the database.
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = StatusCode::from_u16(error.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status.is_server_error() {
            tracing::error!(kind = error.kind(), %error, "a request failed");
        }
        let detail: Cow<'static, str> = match &error {
            Error::UniqueViolation(violation) => format!("there is another {} like this", violation.model).into(),
            Error::ForeignKeyViolation(violation) => {
                format!("a row that this {} refers to does not exist, or rows refer to it", violation.model).into()
            }
            Error::CheckViolation(violation) | Error::NotNullViolation(violation) => {
                format!("a value of this {} is not possible", violation.model).into()
            }
            Error::Database(_) if status.is_client_error() => {
                "a value is too long, too large, or has a zero byte".into()
            }
            Error::NotFound { model, .. } => format!("there is no such {model}").into(),
            _ if status == StatusCode::SERVICE_UNAVAILABLE => "try again later".into(),
            _ if status.is_server_error() => "this is a mistake of the service".into(),
            error => error.to_string().into(),
        };
        let columns = match error {
            Error::UniqueViolation(violation)
            | Error::ForeignKeyViolation(violation)
            | Error::NotNullViolation(violation)
            | Error::CheckViolation(violation) => violation.columns,
            _ => Vec::new(),
        };
        Self { columns, ..Self::new(status, detail) }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status;
        (status, [(CONTENT_TYPE, PROBLEM)], Json(self)).into_response()
    }
}

/// Makes a problem of every other answer that is an error: those of axum's extractors, of unknown paths and methods.
pub(crate) async fn unify(response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || response.headers().get(CONTENT_TYPE) == Some(&PROBLEM) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let text = to_bytes(body, 10_000).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let detail = if text.is_empty() { "this is not a request of this service".into() } else { text };
    head.headers.remove(CONTENT_LENGTH);
    head.headers.remove(CONTENT_TYPE);
    (head.headers, Problem::new(status, detail)).into_response()
}

/// Logs each request. The query is left out, because visitors search for names.
pub(crate) async fn log(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let start = Instant::now();
    let response = next.run(request).await;
    tracing::info!(%method, path, status = response.status().as_u16(), ms = start.elapsed().as_millis(), "answered");
    response
}
