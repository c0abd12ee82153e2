//! How the service starts, says how it is, and stops.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use helpdesk::db::Client;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::support::{Service, send};

#[relata::test]
async fn health_is_told_without_a_token(service: Service) {
    for path in ["/health/live", "/health/ready"] {
        let (status, body) = send(Request::get(format!("{}{path}", service.url)).body(Body::empty())).await;
        assert_eq!((status, body), (200, json!("ok")));
    }
}

#[tokio::test]
async fn a_service_without_its_database_lives_and_is_not_ready() {
    let builder = Client::builder("postgresql://helpdesk@127.0.0.1:9/helpdesk?sslmode=disable").expect("is a URL");
    let db: Client = builder.connect_lazily().expect("needs no server");
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("listens");
    let url = format!("http://{}", listener.local_addr().expect("has an address"));
    tokio::spawn(helpdesk::serve(listener, db, std::future::pending()));

    let get = |path: &str| Request::get(format!("{url}{path}"));
    assert_eq!(send(get("/health/live").body(Body::empty())).await.0, 200);
    let (status, problem) = send(get("/health/ready").body(Body::empty())).await;
    assert_eq!((status, &problem["detail"]), (503, &json!("try again later")));
    let (status, problem) = send(get("/customers").header("authorization", "Bearer secret").body(Body::empty())).await;
    assert_eq!(status, 503);
    assert!(!problem.to_string().contains("127.0.0.1"));
}

#[relata::test]
async fn a_request_that_has_begun_is_answered_before_the_service_stops(service: Service) {
    let (file, mut lines) = mpsc::channel::<Result<&str, std::io::Error>>(1);
    let body = futures_util::stream::poll_fn(move |cx| lines.poll_recv(cx));
    let import = send(service.request("POST", "/customers/import").body(Body::from_stream(body)));
    let stop = async {
        file.send(Ok("{\"email\": \"a@x.org\", ")).await.expect("is sent");
        tokio::time::sleep(Duration::from_millis(200)).await;
        service.stop.send(()).expect("is told");
        tokio::time::sleep(Duration::from_millis(200)).await;
        file.send(Ok("\"name\": \"A\"}")).await.expect("is sent");
        drop(file);
    };
    let ((status, imported), ()) = tokio::join!(import, stop);
    assert_eq!((status, imported), (200, json!({ "created": 1, "updated": 0 })));
    service.running.await.expect("does not panic").expect("stops");
    assert!(TcpStream::connect(service.url.trim_start_matches("http://")).await.is_err());
}

/// The program itself: it migrates an empty database, and stops when it is asked to.
#[cfg(unix)]
#[relata::test(migrations = false)]
async fn the_program_migrates_serves_and_stops(database: &relata::testing::TestDatabase) {
    use std::process::Stdio;
    use tokio::io::{AsyncBufReadExt, BufReader};

    let mut program = tokio::process::Command::new(env!("CARGO_BIN_EXE_helpdesk"))
        .env("DATABASE_URL", database.url())
        .env("LISTEN", "127.0.0.1:0")
        .envs([("ADMIN_EMAIL", "admin@x.org"), ("ADMIN_TOKEN", "secret-token"), ("LOG", "debug")])
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("starts");
    let mut lines = BufReader::new(program.stderr.take().expect("is piped")).lines();
    let mut log = String::new();
    let address = loop {
        let line = lines.next_line().await.expect("is text").unwrap_or_else(|| panic!("it ended: {log}"));
        log.push_str(&line);
        if let Some((_, address)) = line.split_once("listening address=") {
            break address.to_owned();
        }
    };
    let customers = Request::get(format!("http://{address}/customers?q=secret"));
    let customers = customers.header("authorization", "Bearer secret-token").body(Body::empty());
    assert_eq!(send(customers).await.1["rows"], json!([]));

    let id = program.id().expect("runs").to_string();
    let told = std::process::Command::new("kill").args(["-TERM", &id]).status().expect("runs");
    assert!(told.success());
    assert!(program.wait().await.expect("ends").success());
    while let Some(line) = lines.next_line().await.expect("is text") {
        log.push_str(&line);
    }
    assert!(log.contains("migrated applied=1 before=0") && log.contains("stopped"), "{log}");
    assert!(!log.contains("secret"), "{log}");
}

#[test]
fn settings_are_checked_and_not_shown() {
    for (name, value, expected) in [
        ("LISTEN", "secret", "LISTEN has a value that cannot be read"),
        ("ADMIN_TOKEN", "secret", "set both ADMIN_EMAIL and ADMIN_TOKEN, or neither"),
        ("LOG", "info", "set DATABASE_URL to the URL of the database"),
    ] {
        let program = std::process::Command::new(env!("CARGO_BIN_EXE_helpdesk"))
            .env_remove("DATABASE_URL")
            .env("LISTEN", "127.0.0.1:0")
            .envs((name == "LISTEN").then_some(("DATABASE_URL", "postgresql://localhost")))
            .env(name, value)
            .output()
            .expect("runs");
        let text = String::from_utf8_lossy(&program.stderr);
        assert!(!program.status.success() && text.contains(expected) && !text.contains("secret"), "{text}");
    }
}
