//! A web service with axum: a paginated list of which each institution sees only its own part, and errors as responses.
//!
//! `cargo run --example web` needs no database. It finds or starts one, prints its address and an example request, and
//! serves until it is stopped. `cargo run --example web -- --check` sends itself requests instead, and exits.
//!
//! `examples/service` is a whole service to start from, with migrations and tests. This one shows what is different with
//! tenants.

#[path = "support/database.rs"]
mod database;

use std::net::SocketAddr;

use axum::extract::{FromRef, FromRequestParts, Path, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use exam_planner::{Client, Error, Parent, Role, TenantClient, exam_type, institution, student, student_exam, user};
use relata::serde_json::{Value, json};
use relata::uuid::Uuid;
use relata::{Lookup, Page, PageToken};
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use database::Result;

#[tokio::main]
async fn main() -> Result<()> {
    let (db, _database) = database::open("web").await?;
    fill(&db).await?;
    let service = Router::new()
        .route("/{institution}/students", get(list_students).post(add_student))
        .route("/{institution}/students/{id}", get(show_student))
        .with_state(db);
    let check = std::env::args().any(|argument| argument == "--check");
    let listener = TcpListener::bind(("127.0.0.1", if check { 0 } else { 3000 })).await?;
    let address = listener.local_addr()?;
    if check {
        tokio::spawn(async move { axum::serve(listener, service).await });
        return ask_oneself(address).await;
    }
    println!("listening         http://{address}; try: curl 'http://{address}/north/students?class_year=2027'");
    Ok(axum::serve(listener, service).with_graceful_shutdown(stopped()).await?)
}

/// Resolves on Ctrl-C; then the database is dropped.
async fn stopped() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}

/// The client of the institution that the path names. A handler that takes it, and no `Client`, cannot reach the rows of
/// another institution, whatever the request contains.
struct Here(TenantClient);

impl<S: Send + Sync> FromRequestParts<S> for Here
where
    Client: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let slug = parts.uri.path().split('/').nth(1).unwrap_or_default();
        let db = Client::from_ref(state);
        let institution = db.across_tenants().institution().find_unique(institution::slug.eq(slug)).or_err().await?;
        Ok(Self(db.tenant(institution.id)))
    }
}

/// The query parameters of a list.
#[derive(Deserialize)]
struct Wanted {
    class_year: Option<i32>,
    search: Option<String>,
    /// The token of the previous page, unchanged.
    after: Option<String>,
}

/// Returns the students of an institution, three at a time. A missing filter matches every row.
async fn list_students(Here(db): Here, Query(wanted): Query<Wanted>) -> Result<Json<Value>, Failure> {
    let after: Option<PageToken> = wanted.after.map(|text| text.parse()).transpose()?;
    let search = wanted.search.map(|part| student::user.is(user::email.contains_insensitive(part)));
    let page: Page<(Uuid, String, i32, i64)> = db
        .student()
        .find_many()
        .filter(student::class_year.eq_opt(wanted.class_year))
        .filter(search)
        .order_by(student::user.order(user::email.asc()))
        .take(3)
        .select((student::id, student::user.select(user::email), student::class_year, student::exams.count()))
        .page_after(after)
        .await?;
    let students = page.rows.into_iter().map(|(id, email, class_year, exams)| {
        json!({ "id": id.to_string(), "email": email, "class_year": class_year, "exams": exams })
    });
    let next = page.next.map(|token| token.to_string());
    Ok(Json(json!({ "students": students.collect::<Vec<_>>(), "next": next })))
}

/// Returns one student with the exams. A student of another institution is not found.
async fn show_student(Here(db): Here, Path((_, id)): Path<(String, String)>) -> Result<Json<Value>, Failure> {
    let id: Uuid = id.parse().map_err(|_| no_student())?;
    let student = db
        .student()
        .find_unique(student::id.eq(id))
        .include(student::user)
        .include(student::exams.order_by(student_exam::created_at.asc()).include(student_exam::exam_type))
        .or_err()
        .await?;
    let exams = student.exams.iter().map(|exam| json!({ "code": exam.exam_type.code, "score": exam.score }));
    Ok(Json(json!({ "email": student.user.email, "exams": exams.collect::<Vec<_>>() })))
}

#[derive(Deserialize)]
struct NewStudent {
    email: String,
    class_year: i32,
}

/// Creates a user and a student, in one transaction.
async fn add_student(Here(db): Here, Json(new): Json<NewStudent>) -> Result<(StatusCode, Json<Value>), Failure> {
    let user = user::Create { email: new.email, password_hash: String::new(), role: Role::Student };
    let student = student::Create { user: Parent, class_year: new.class_year };
    let user = db.user().create(user).with(user::student.create(student)).await?;
    Ok((StatusCode::CREATED, Json(json!({ "email": user.email }))))
}

/// An id that is no UUID belongs to no student.
fn no_student() -> Error {
    Error::NotFound { model: "Student", operation: Lookup::Find, relation: None }
}

/// Converts an error to a response. Errors contain no values, so their text may be shown.
struct Failure(Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        // A mistake of the program is never the visitor's.
        let status = StatusCode::from_u16(self.0.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(json!({ "error": self.0.to_string() }))).into_response()
    }
}

async fn fill(db: &Client) -> Result<()> {
    for (slug, students) in [("north", 7), ("south", 2)] {
        let here = database::institution(db, &format!("The {slug}ern school"), slug).await?;
        let row = exam_type::Create { code: "STEP1".to_owned(), name: "USMLE Step 1".to_owned(), default_weight: 1.0 };
        let exam_type = here.exam_type().create(row).await?.id;
        for number in 1..=students {
            let user = user::Create {
                email: format!("student{number}@{slug}.edu"),
                password_hash: String::new(),
                role: Role::Student,
            };
            let student = student::Create { user, class_year: 2026 + number % 2 };
            let exam = student_exam::Create { student: Parent, exam_type };
            let exam = exam.set(student_exam::score.to(80.0 + f64::from(number)));
            here.student().create(student).with(student::exams.create(exam)).await?;
        }
    }
    Ok(())
}

/// Sends the requests of a visitor, and fails if a response is wrong.
async fn ask_oneself(address: SocketAddr) -> Result<()> {
    println!("GET /north/students, page by page");
    let (mut token, mut found, mut id) = (String::new(), 0, String::new());
    loop {
        let (_, page) = ask(address, "GET", &format!("/north/students{token}"), "").await?;
        for student in page["students"].as_array().into_iter().flatten() {
            println!("  {} class of {}, exams: {}", student["email"], student["class_year"], student["exams"]);
            (found, id) = (found + 1, student["id"].as_str().unwrap_or_default().to_owned());
        }
        let Some(next) = page["next"].as_str() else { break };
        token = format!("?after={next}");
        println!("  and then");
    }
    expect(found == 7, "all students of the institution come, once each")?;
    let (_, page) = ask(address, "GET", "/south/students?class_year=2027&search=STUDENT", "").await?;
    println!("GET /south/students?class_year=2027&search=STUDENT\n  {}", page["students"][0]["email"]);
    expect(page["students"].as_array().map(Vec::len) == Some(1), "filters are joined")?;

    let email = r#"{"email":"new@north.edu","class_year":2028}"#;
    for (method, path, body, expected) in [
        ("GET", format!("/north/students/{id}"), "", 200),
        ("GET", format!("/south/students/{id}"), "", 404),
        ("POST", "/north/students".to_owned(), email, 201),
        ("POST", "/north/students".to_owned(), email, 409),
        ("GET", "/west/students".to_owned(), "", 404),
        ("GET", "/north/students?after=nonsense".to_owned(), "", 400),
    ] {
        let (status, answer) = ask(address, method, &path, body).await?;
        println!("{method} {}\n  {status} {answer}", path.replace(&id, "<id>"));
        expect(status == expected, &format!("the status is {expected}"))?;
    }
    Ok(())
}

fn expect(holds: bool, what: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(format!("it does not hold that {what}").into()) }
}

/// Sends one request over a new connection.
async fn ask(address: SocketAddr, method: &str, path: &str, body: &str) -> Result<(u16, Value)> {
    let mut connection = TcpStream::connect(address).await?;
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    connection.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("the answer has no body")?;
    let status = head.split(' ').nth(1).ok_or("the answer has no status")?;
    Ok((status.parse()?, relata::serde_json::from_str(body)?))
}
