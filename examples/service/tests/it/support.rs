//! A service on a port, with a database of its own, and a client that sends it requests.

use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::request::Builder;
use axum::http::{self, Request};
use helpdesk::db::{self, Agent, Customer, Models, Ticket, customer, ticket};
use helpdesk::{Email, Name, ensure_admin, serve};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use relata::testing::{Failure, TestArgument, TestDatabase};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The token of the admin.
pub(crate) const TOKEN: &str = "the token of the tests";

/// A service that runs.
pub(crate) struct Service {
    /// The same database, to prepare it and to look at it.
    pub(crate) db: db::Client,
    pub(crate) admin: Agent,
    pub(crate) url: String,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) running: JoinHandle<std::io::Result<()>>,
}

impl TestArgument<'_> for Service {
    async fn from_database(database: &TestDatabase) -> Result<Self, Failure> {
        let db = db::Client::connect(database.url()).await?;
        let admin = ensure_admin(&db, email("admin@helpdesk.example"), TOKEN).await?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (stop, stopped) = oneshot::channel();
        let stopped = async { _ = stopped.await };
        let running = tokio::spawn(serve(listener, db::Client::connect(database.url()).await?, stopped));
        Ok(Self { db, admin, url, stop, running })
    }
}

/// A status and a body. What is no JSON is a string; no body is null.
pub(crate) type Answer = (u16, Value);

impl Service {
    /// The beginning of a request of the admin.
    pub(crate) fn request(&self, method: &str, path: &str) -> Builder {
        self.request_of(TOKEN, method, path)
    }

    pub(crate) fn request_of(&self, token: &str, method: &str, path: &str) -> Builder {
        let url = format!("{}{path}", self.url);
        Request::builder().method(method).uri(url).header(AUTHORIZATION, format!("Bearer {token}"))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request("GET", path).body(Body::empty())).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        send(json(self.request("POST", path), &body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        send(json(self.request("PATCH", path), &body)).await
    }

    pub(crate) async fn put(&self, path: &str) -> Answer {
        send(self.request("PUT", path).body(Body::empty())).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        send(self.request("DELETE", path).body(Body::empty())).await
    }

    /// The rows of a list, which is read page by page.
    pub(crate) async fn all(&self, path: &str) -> Vec<Value> {
        let (mut rows, mut after) = (Vec::new(), String::new());
        loop {
            let (status, mut page) = self.get(&format!("{path}{after}")).await;
            assert_eq!(status, 200, "{page}");
            rows.append(page["rows"].as_array_mut().expect("a page has rows"));
            let Some(next) = page["next"].as_str() else { return rows };
            after = format!("&after={next}");
        }
    }
}

pub(crate) fn json(request: Builder, body: &Value) -> http::Result<Request<Body>> {
    request.header(CONTENT_TYPE, "application/json").body(Body::from(body.to_string()))
}

pub(crate) async fn send(request: http::Result<Request<Body>>) -> Answer {
    let http = Client::builder(TokioExecutor::new()).build_http();
    let response = http.request(request.expect("is a request")).await.expect("answers");
    let (head, body) = response.into_parts();
    let text = to_bytes(Body::new(body), usize::MAX).await.expect("has a body");
    let text = String::from_utf8(text.into()).expect("is a text");
    let body = serde_json::from_str(&text).unwrap_or_else(|_| if text.is_empty() { Value::Null } else { text.into() });
    if head.status.is_client_error() || head.status.is_server_error() {
        assert_eq!(head.headers[CONTENT_TYPE], "application/problem+json", "{body}");
        assert_eq!(body["status"], head.status.as_u16());
    }
    (head.status.as_u16(), body)
}

pub(crate) fn email(text: &str) -> Email {
    text.parse().expect("is an address")
}

pub(crate) fn name(text: &str) -> Name {
    text.to_owned().try_into().expect("is a name")
}

pub(crate) async fn a_customer(db: &Models, called: &str) -> Customer {
    let address = email(&format!("{called}@example.org"));
    let factory = customer::Factory::new(1).with([customer::name.to(name(called)), customer::email.to(address)]);
    factory.create(db).await.expect("is created")
}

/// Tickets of a customer with these subjects.
pub(crate) async fn tickets(db: &Models, of: &Customer, subjects: &[&'static str]) -> Vec<Ticket> {
    let subjects: Vec<Name> = subjects.iter().map(|text| name(text)).collect();
    let number = subjects.len();
    let factory = ticket::Factory::new(2)
        .with(ticket::customer_id.to(of.id))
        .with_each(move |number| ticket::subject.to(subjects[number].clone()));
    factory.create_many(db, number).await.expect("are created")
}

/// The values of a field of each row.
pub(crate) fn field<'a>(rows: &'a [Value], name: &str) -> Vec<&'a str> {
    rows.iter().map(|row| row[name].as_str().expect("is a text")).collect()
}
