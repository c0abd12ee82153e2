//! Connections that share the one session of the engine: each keeps its own session, and none hangs.

use futures_util::future::{join_all, try_join_all};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_postgres::{AsyncMessage, Client, Config, Error, NoTls, SimpleQueryMessage};

/// How long a connection waits for one that is idle in its transaction, in seconds.
const PATIENCE: u64 = 2;

/// The program, for one test. It ends with this value.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_relata-devdb-embedded"))
            .env("RELATA_DEVDB_PATIENCE", PATIENCE.to_string())
            .env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut url = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut url).expect("a line");
        Server { child, url: url.trim().to_owned() }
    }

    fn config(&self) -> Config {
        self.url.parse().expect("a URL")
    }

    async fn connect(&self) -> Client {
        connect(&self.config()).await.expect("a connection").0
    }

    fn address(&self) -> &str {
        self.url.split(['@', '/']).nth(3).expect("a host and a port")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

async fn connect(config: &Config) -> Result<(Client, JoinHandle<()>), Error> {
    let (client, connection) = config.connect(NoTls).await?;
    let driver = tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok((client, driver))
}

/// Returns the first column of all rows.
async fn ask(client: &Client, sql: &str) -> Result<Vec<String>, Error> {
    let row = |message| match message {
        SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("NULL").to_owned()),
        _ => None,
    };
    Ok(client.simple_query(sql).await?.into_iter().filter_map(row).collect())
}

async fn one(client: &Client, sql: &str) -> String {
    ask(client, sql).await.expect("runs").pop().expect("a row")
}

fn code(error: &Error) -> &str {
    error.code().map_or("none", |code| code.code())
}

#[tokio::test]
async fn a_pool_of_connections_works_at_once() {
    let server = Server::start();
    let mut clients = join_all((0..5).map(|_| server.connect())).await;
    one(&clients[0], "CREATE TABLE t (worker int, step int); SELECT 1").await;
    let work = clients.iter_mut().enumerate().map(|(number, client)| async move {
        for step in 0..10i32 {
            let transaction = client.transaction().await?;
            let number = i32::try_from(number).expect("few");
            transaction.execute("INSERT INTO t VALUES ($1, $2)", &[&number, &step]).await?;
            let own = "SELECT count(*) FROM t WHERE worker = $1";
            let rows: i64 = transaction.query_one(own, &[&number]).await?.get(0);
            assert_eq!(rows, i64::from(step) + 1);
            transaction.commit().await?;
        }
        Ok::<_, Error>(())
    });
    try_join_all(work).await.expect("all of them work");
    assert_eq!(one(&clients[4], "SELECT count(*) FROM t").await, "50");
}

/// tokio-postgres numbers its statements from `s0` in each connection.
#[tokio::test]
async fn statements_of_the_same_name_are_independent() {
    let server = Server::start();
    let (one_client, other) = (server.connect().await, server.connect().await);
    let first = one_client.prepare("SELECT $1::int4 + 1").await.expect("is prepared");
    let second = other.prepare("SELECT 'text ' || $1::text").await.expect("is prepared");
    for _ in 0..3 {
        let number: i32 = one_client.query_one(&first, &[&41]).await.expect("runs").get(0);
        let text: String = other.query_one(&second, &[&"x"]).await.expect("runs").get(0);
        assert_eq!((number, text.as_str()), (42, "text x"));
    }
    // The engine discards the statements of both.
    one(&one_client, "DEALLOCATE ALL; SELECT 1").await;
    let text: String = other.query_one(&second, &[&"y"]).await.expect("is prepared again").get(0);
    assert_eq!(text, "text y");
    let gone = one_client.query_one(&first, &[&1]).await.expect_err("it asked for it");
    assert_eq!(code(&gone), "26000");
    // SQL statements.
    one(&one_client, "PREPARE p AS SELECT 'one'; SELECT 1").await;
    one(&other, "PREPARE p AS SELECT 'other'; SELECT 1").await;
    assert_eq!(one(&one_client, "EXECUTE p").await, "one");
    assert_eq!(one(&other, "EXECUTE p").await, "other");
    // Each sees its own.
    other.query_one(&second, &[&"z"]).await.expect("runs");
    let count = "SELECT count(*) FROM pg_prepared_statements";
    assert_eq!((one(&one_client, count).await, one(&other, count).await), ("1".to_owned(), "1".to_owned()));
    other.query_one(&second, &[&"z"]).await.expect("runs");
    assert_eq!(one(&other, count).await, "2");
}

#[tokio::test]
async fn settings_stay_with_their_connection() {
    let server = Server::start();
    let mut config = server.config();
    config.application_name("one").options("-c statement_timeout=7s");
    let (one_client, other) = (connect(&config).await.expect("connects").0, server.connect().await);
    let settings = "SELECT concat_ws(' ', current_setting('application_name'), current_setting('statement_timeout'), \
        current_setting('timezone'), current_setting('search_path'), nullif(current_setting('app.tenant', true), ''), current_user)";
    let plain = one(&other, settings).await;
    assert_eq!(one(&one_client, settings).await, "one 7s UTC public postgres");
    one(&one_client, "CREATE ROLE guest; CREATE SCHEMA app; SELECT 1").await;
    one(
        &one_client,
        "SET timezone = 'Asia/Tokyo'; SET search_path = app, public; SELECT set_config('app.tenant', '7', false)",
    )
    .await;
    one_client.execute("SELECT set_config($1, $2, false)", &[&"app.region", &"it's"]).await.expect("runs");
    one(&one_client, "SET ROLE guest; SELECT 1").await;
    for _ in 0..2 {
        assert_eq!(one(&other, settings).await, plain);
        assert_eq!(one(&one_client, settings).await, "one 7s Asia/Tokyo app, public 7 guest");
        assert_eq!(one(&one_client, "SHOW app.region").await, "it's");
    }
    // A reset restores the initial settings of the connection.
    one(&one_client, "RESET ROLE; RESET ALL; SELECT 1").await;
    one(&other, "SELECT 1").await;
    assert!(one(&one_client, settings).await.starts_with("one 7s UTC"));
    // What is rolled back with its transaction is not kept.
    let undone = "BEGIN; SET timezone = 'Asia/Tokyo'; ROLLBACK; SELECT 1";
    one(&one_client, undone).await;
    one(&other, "SELECT 1").await;
    assert_eq!(one(&one_client, "SHOW timezone").await, "UTC");
    drop(one_client);
    assert_eq!(one(&server.connect().await, settings).await, plain);
}

#[tokio::test]
async fn a_database_and_a_role_may_have_settings() {
    let server = Server::start();
    let first = server.connect().await;
    one(&first, "ALTER DATABASE postgres SET timezone = 'Asia/Tokyo'; SELECT 1").await;
    assert_eq!(one(&first, "SHOW timezone").await, "UTC");
    assert_eq!(one(&server.connect().await, "SHOW timezone").await, "Asia/Tokyo");
}

#[tokio::test]
async fn a_client_lost_in_a_transaction_leaves_nothing() {
    let server = Server::start();
    let other = server.connect().await;
    one(&other, "CREATE TABLE t (n int); SELECT 1").await;
    let (client, driver) = connect(&server.config()).await.expect("a connection");
    one(&client, "BEGIN; INSERT INTO t VALUES (1); SELECT pg_advisory_lock(1)").await;
    driver.abort();
    let started = Instant::now();
    assert_eq!(one(&other, "SELECT count(*) FROM t").await, "0");
    assert_eq!(one(&other, "SELECT pg_try_advisory_lock(1)").await, "t");
    assert!(started.elapsed() < Duration::from_secs(PATIENCE), "after {:?}", started.elapsed());
}

#[tokio::test]
async fn a_transaction_that_waits_for_another_gets_an_error() {
    let server = Server::start();
    let (mut holder, other) = (server.connect().await, server.connect().await);
    let transaction = holder.transaction().await.expect("begins");
    transaction.batch_execute("CREATE TABLE t (n int)").await.expect("runs");
    for refused in [
        other.simple_query("SELECT 1").await.expect_err("has no turn"),
        other.query_one("SELECT 1", &[]).await.expect_err("has no turn"),
    ] {
        let error = refused.as_db_error().expect("an answer");
        assert_eq!((code(&refused), error.severity()), ("55P03", "ERROR"));
        assert!(error.message().contains("another connection is in a transaction"), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("one transaction at a time")), "{error:?}");
    }
    transaction.commit().await.expect("nothing happened to it");
    assert_eq!(other.query("SELECT * FROM t", &[]).await.expect("has its turn").len(), 0);
}

#[tokio::test]
async fn a_waiting_client_can_be_canceled() {
    let server = Server::start();
    let (mut holder, other) = (server.connect().await, server.connect().await);
    let token = other.cancel_token();
    let transaction = holder.transaction().await.expect("begins");
    transaction.batch_execute("SELECT 1").await.expect("runs");
    let (waited, ()) = tokio::join!(other.simple_query("SELECT 1"), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        token.cancel_query(NoTls).await.expect("is sent");
    });
    assert_eq!(code(&waited.expect_err("is canceled")), "57014");
    transaction.commit().await.expect("goes on");
}

#[tokio::test]
async fn messages_sent_at_once_are_answered_in_order() {
    let server = Server::start();
    let clients = join_all((0..3).map(|_| server.connect())).await;
    let all = clients.iter().map(|client| async move {
        let statement = client.prepare("SELECT $1::int4").await?;
        let numbers: Vec<i32> = (0..30).collect();
        // tokio-postgres sends them without waiting for responses.
        let rows = try_join_all(numbers.iter().map(|number| {
            let statement = &statement;
            async move { client.query_one(statement, &[number]).await }
        }));
        let read: Vec<i32> = rows.await?.iter().map(|row| row.get(0)).collect();
        assert_eq!(read, numbers);
        Ok::<_, Error>(())
    });
    try_join_all(all).await.expect("all are answered");
}

/// Several groups in one packet, one of which fails: what follows in it is ignored until its Sync.
#[test]
fn an_error_skips_to_the_next_sync() {
    let server = Server::start();
    let mut stream = std::net::TcpStream::connect(server.address()).expect("a connection");
    let message = |tag: &[u8], body: &[u8]| {
        let length = u32::try_from(body.len() + 4).expect("short").to_be_bytes();
        [tag, &length, body].concat()
    };
    stream.write_all(&message(b"", b"\0\x03\0\0user\0postgres\0database\0postgres\0\0")).expect("is sent");
    let extended = |sql: &str| {
        let parse = message(b"P", &[b"\0", sql.as_bytes(), b"\0\0\0"].concat());
        [parse, message(b"B", b"\0\0\0\0\0\0\0\0"), message(b"E", b"\0\0\0\0\0")].concat()
    };
    let sync = message(b"S", b"");
    let groups = [extended("SELECT 1/0"), extended("SELECT 2"), sync.clone(), extended("SELECT 3"), sync].concat();
    stream.write_all(&[groups, message(b"Q", b"SELECT 4\0"), message(b"X", b"")].concat()).expect("is sent");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("it answers and closes");
    let mut tags = String::new();
    let mut rest = &bytes[..];
    while let [tag, a, b, c, d, ..] = rest {
        tags.push(char::from(*tag));
        rest = &rest[1 + u32::from_be_bytes([*a, *b, *c, *d]) as usize..];
    }
    let after_start = tags.split_once('Z').expect("is ready").1;
    // The second statement is ignored, together with the rest of the first.
    assert_eq!(after_start, "1EZ12DCZTDCZ", "{tags}");
}

#[tokio::test]
async fn advisory_locks_belong_to_their_connection() {
    let server = Server::start();
    let (holder, other) = (server.connect().await, server.connect().await);
    one(&holder, "SELECT pg_advisory_lock(1380273217, hashtext('x')), pg_advisory_lock_shared(-5)").await;
    for _ in 0..2 {
        assert_eq!(one(&other, "SELECT pg_try_advisory_lock(1380273217, hashtext('x'))").await, "f");
        assert_eq!(one(&other, "SELECT pg_try_advisory_lock(-5)").await, "f");
        assert_eq!(one(&other, "SELECT pg_try_advisory_lock_shared(-5)").await, "t");
        assert_eq!(one(&other, "SELECT pg_advisory_unlock_shared(-5)").await, "t");
        assert_eq!(one(&holder, "SELECT pg_try_advisory_lock(-6), pg_advisory_unlock(-6)").await, "t");
    }
    // A statement that waits gets its turn when the locks are released, or an error.
    let refused = ask(&other, "SELECT pg_advisory_lock(1380273217, hashtext('x'))").await.expect_err("is held");
    assert_eq!(code(&refused), "55P03");
    let (waited, ()) = tokio::join!(other.query_one("SELECT pg_advisory_lock(-5)", &[]), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        one(&holder, "SELECT pg_advisory_unlock_all()").await;
    });
    waited.expect("it is its turn");
    assert_eq!(one(&holder, "SELECT pg_try_advisory_lock(-5)").await, "f");
    // In a transaction, the connection that holds the lock could never release it.
    let refused = ask(&holder, "BEGIN; SELECT 1").await.expect("begins");
    assert_eq!(refused, ["1"]);
    let refused = ask(&holder, "SELECT pg_advisory_xact_lock(-5)").await.expect_err("is held");
    assert_eq!(code(&refused), "55P03");
    assert_eq!(code(&ask(&holder, "SELECT 1").await.expect_err("has failed")), "25P02");
    one(&holder, "ROLLBACK; SELECT 1").await;
    drop(other);
    let deadline = Instant::now() + Duration::from_secs(10);
    while one(&holder, "SELECT pg_try_advisory_lock(-5)").await == "f" {
        assert!(Instant::now() < deadline, "the lock of a client that left is given back");
    }
}

#[tokio::test]
async fn rows_are_copied_in_and_out_among_others() {
    use futures_util::{SinkExt, TryStreamExt};
    let server = Server::start();
    let (copier, other) = (server.connect().await, server.connect().await);
    one(&copier, "CREATE TABLE t (n int); SELECT 1").await;
    for round in 1..=2u64 {
        let sink = copier.copy_in("COPY t FROM STDIN").await.expect("begins");
        tokio::pin!(sink);
        let rows = (0..20_000).map(|n| format!("{n}\n")).collect::<String>();
        for chunk in rows.as_bytes().chunks(50_000) {
            sink.send(bytes::Bytes::copy_from_slice(chunk)).await.expect("is taken");
        }
        assert_eq!(sink.finish().await.expect("ends"), 20_000);
        assert_eq!(one(&other, "SELECT count(*) FROM t").await, (round * 20_000).to_string());
        let stream = copier.copy_out("COPY t TO STDOUT").await.expect("begins");
        let (copied, waited) = tokio::join!(stream.try_collect::<Vec<_>>(), one(&other, "SELECT 1"));
        let bytes: usize = copied.expect("ends").iter().map(bytes::Bytes::len).sum();
        assert_eq!(bytes as u64, round * 108_890);
        assert_eq!(waited, "1");
    }
    let sink = copier.copy_in::<_, bytes::Bytes>("COPY t FROM STDIN").await.expect("begins");
    tokio::pin!(sink);
    sink.send("not a number\n".into()).await.expect("is taken");
    assert_eq!(code(&sink.finish().await.expect_err("is refused")), "22P02");
    assert_eq!(one(&copier, "SELECT count(*) FROM t").await, "40000");
    // A client that disappears halfway.
    let (client, driver) = connect(&server.config()).await.expect("a connection");
    let sink = client.copy_in::<_, bytes::Bytes>("COPY t FROM STDIN").await.expect("begins");
    tokio::pin!(sink);
    sink.send("1\n".into()).await.expect("is taken");
    tokio::time::sleep(Duration::from_millis(100)).await;
    driver.abort();
    assert_eq!(one(&other, "SELECT count(*) FROM t").await, "40000");
}

#[tokio::test]
async fn notifications_reach_the_listeners() {
    let server = Server::start();
    let (listener, mut connection) = server.config().connect(NoTls).await.expect("a connection");
    let (sender, mut heard) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(Ok(message)) = std::future::poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(notification) = message {
                let _ = sender.send(format!("{} {}", notification.channel(), notification.payload()));
            }
        }
    });
    let other = server.connect().await;
    listener.batch_execute("LISTEN jobs").await.expect("listens");
    other.batch_execute("NOTIFY other, 'no'; NOTIFY jobs, 'from another'").await.expect("notifies");
    assert_eq!(heard.recv().await.as_deref(), Some("jobs from another"));
    // A backend that was replaced for another database in between listens again.
    other.batch_execute("CREATE DATABASE second").await.expect("is made");
    let second = connect(server.config().dbname("second")).await.expect("a connection").0;
    one(&second, "SELECT 1").await;
    listener.batch_execute("NOTIFY jobs, 'its own'").await.expect("notifies");
    assert_eq!(heard.recv().await.as_deref(), Some("jobs its own"));
    listener.batch_execute("UNLISTEN jobs").await.expect("listens no more");
    other.batch_execute("NOTIFY jobs, 'unheard'").await.expect("notifies");
    one(&listener, "SELECT 1").await;
    assert!(heard.try_recv().is_err());
}

#[tokio::test]
async fn several_databases_take_turns() {
    let server = Server::start();
    let first = server.connect().await;
    first.batch_execute("CREATE DATABASE second").await.expect("is made");
    let second = connect(server.config().dbname("second")).await.expect("a connection").0;
    let statement = first.prepare("SELECT current_database()::text, $1::int4").await.expect("is prepared");
    for client in [&first, &second, &first] {
        one(client, "CREATE TABLE IF NOT EXISTS t AS SELECT current_database() AS name; SELECT 1").await;
        let name = one(client, "SELECT current_database()").await;
        assert_eq!(one(client, "SELECT name FROM t").await, name);
    }
    let name: String = first.query_one(&statement, &[&1]).await.expect("is prepared again").get(0);
    assert_eq!(name, "postgres");
}

#[tokio::test]
async fn an_impossible_connection_is_refused() {
    let server = Server::start();
    let working = server.connect().await;
    one(&working, "SET application_name = 'kept'; SELECT 1").await;
    for (config, expected) in [
        (server.config().dbname("missing"), "3D000"),
        (server.config().user("nobody"), "22023"),
        (server.config().options("-c statement_timeout=soon"), "22023"),
        (server.config().options("-c no_such_setting=1"), "42704"),
        (server.config().options("--fast"), "42601"),
    ] {
        let error = connect(config).await.map(|_| ()).expect_err("is refused");
        assert_eq!((code(&error), error.as_db_error().expect("an answer").severity()), (expected, "FATAL"));
        assert_eq!(one(&working, "SHOW application_name").await, "kept");
    }
}

#[tokio::test]
async fn temporary_tables_end_with_the_last_connection_that_created_any() {
    let server = Server::start();
    let (one_client, other) = (server.connect().await, server.connect().await);
    one(&one_client, "CREATE TEMP TABLE t AS SELECT 1 AS n; SELECT 1").await;
    assert_eq!(one(&one_client, "SELECT n FROM t").await, "1");
    drop(one_client);
    let deadline = Instant::now() + Duration::from_secs(10);
    while one(&other, "SELECT to_regclass('t')::text").await != "NULL" {
        assert!(Instant::now() < deadline, "it is dropped");
    }
}

/// When the parent ends, so does the program, even if a client is in a transaction.
#[tokio::test]
async fn the_program_ends_while_a_transaction_is_open() {
    let mut server = Server::start();
    let (client, waiting) = (server.connect().await, server.connect().await);
    one(&client, "BEGIN; SELECT 1").await;
    let waits = tokio::spawn(async move { waiting.simple_query("SELECT 1").await.map(|_| ()) });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let started = Instant::now();
    drop(server.child.stdin.take());
    assert!(server.child.wait().expect("it ends").success());
    assert!(started.elapsed() < Duration::from_secs(5), "after {:?}", started.elapsed());
    assert!(client.simple_query("SELECT 1").await.is_err());
    assert!(waits.await.expect("no panic").is_err());
}
