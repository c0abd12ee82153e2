//! Migrations on engines that lack advisory locks and transactional DDL. PostgreSQL stands in for each: it does what they
//! do if it is not asked for more.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use relata::ConnectOptions;
use relata::migrate::{self, Engine, Error, Event, Migrations, Options, Problem, Resolution};
use relata::tokio_postgres::Client;
use relata_devdb::{DevDb, TestDatabase};

fn database() -> TestDatabase {
    static SERVER: OnceLock<DevDb> = OnceLock::new();
    let server = SERVER.get_or_init(|| DevDb::start().expect("a PostgreSQL is found or started"));
    server.create_database("engines").expect("a database is made")
}

async fn connect(database: &TestDatabase) -> Client {
    let options: ConnectOptions = database.url().parse().expect("is a URL");
    options.connect_direct().await.expect("connects")
}

async fn options(database: &TestDatabase, engine: Engine) -> Options {
    let mut options = Options::default();
    options.engine = Some(engine);
    options.renews = Some(Arc::new(connect(database).await));
    options.lock_wait = Duration::from_secs(60);
    options
}

const OTHERS: [Engine; 4] = [Engine::CockroachDb, Engine::YugabyteDb, Engine::AuroraDsql, Engine::Spanner];

/// Two migrations, each of several statements that change the schema or rows.
fn migrations() -> Migrations {
    Migrations::from_static(&[
        ("1", "CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1); ALTER TABLE a ADD b text"),
        ("2", "CREATE TABLE c (id int); UPDATE a SET b = coalesce(b, '') || 'x'"),
    ])
    .expect("are well-formed")
}

async fn text(client: &Client, sql: &str) -> String {
    let row = client.query_one(&format!("SELECT ({sql})::text"), &[]).await.expect("is right");
    row.get::<_, Option<String>>(0).unwrap_or_default()
}

const HISTORY: &str =
    "SELECT string_agg(name || ' ' || state || ' ' || steps_done, ', ' ORDER BY id) FROM _relata_migrations";

#[tokio::test]
async fn each_engine_has_its_migrations_applied_undone_and_recorded() {
    for engine in OTHERS {
        let database = database();
        let (mut client, options) = (connect(&database).await, options(&database, engine).await);
        let report = migrate::deploy(&mut client, &migrations(), &options).await.expect("is applied");
        assert_eq!(report.applied, ["1", "2"], "{engine}");
        let again = migrate::deploy(&mut client, &migrations(), &options).await.expect("is applied");
        assert_eq!((again.applied.len(), again.already_applied), (0, 2));
        assert_eq!(text(&client, "SELECT b FROM a").await, "x");
        // The history says for which engine it is.
        let status = migrate::status(&client, &migrations()).await.expect("is read");
        assert_eq!((status.applied.len(), status.pending.len(), status.problems.len()), (2, 0, 0));
        assert!(status.applied[0].finished_at.is_some());
        let undo = Migrations::from_static(&[("2", "DROP TABLE c; UPDATE a SET b = NULL")]).expect("is well-formed");
        let undone = migrate::down(&mut client, &migrations(), &undo, &options).await.expect("is undone");
        assert_eq!((undone, text(&client, "SELECT b FROM a").await), (vec!["2".to_owned()], String::new()));
        client.batch_execute("CREATE TABLE c (id int)").await.expect("is made");
        let applied = Resolution::Applied;
        migrate::resolve(&mut client, &migrations(), "2", applied, &options).await.expect("is recorded");
        assert_eq!(migrate::deploy(&mut client, &migrations(), &options).await.expect("runs").already_applied, 2);
        assert_eq!(migrate::execute(&mut client, "x", "DROP TABLE c; SELECT 1", &options).await.expect("runs"), 2);
        let refused = migrate::reset(&mut client, &migrations(), &options).await.expect_err("is refused");
        assert!(matches!(refused, Error::NotForEngine { .. }), "{refused}");
        // The lease has ended.
        assert_eq!(text(&client, "SELECT ends_at <= now() FROM _relata_migrations_lock").await, "true");
    }
}

#[tokio::test]
async fn a_baseline_is_recorded() {
    let database = database();
    let (mut client, options) = (connect(&database).await, options(&database, Engine::CockroachDb).await);
    let names = migrate::baseline(&mut client, &migrations(), "1", &options).await.expect("is recorded");
    assert_eq!((names.len(), text(&client, HISTORY).await), (1, "1 applied 3".to_owned()));
}

/// A statement that fails stops its migration there. What ran before it stays, and does not run again.
#[tokio::test]
async fn a_run_resumes_behind_the_last_statement_that_is_counted() {
    let database = database();
    let (mut client, options) = (connect(&database).await, options(&database, Engine::CockroachDb).await);
    let broken = [("1", "CREATE TABLE a (n int); INSERT INTO a VALUES (1); SELECT nonsense; INSERT INTO a VALUES (2)")];
    let broken = Migrations::from_static(&broken).expect("is well-formed");
    let failed = migrate::deploy(&mut client, &broken, &options).await.expect_err("fails");
    assert!(failed.to_string().contains("stopped after 2 of its statements"), "{failed}");
    assert_eq!(text(&client, HISTORY).await, "1 failed 2");
    let mended = [("1", "CREATE TABLE a (n int); INSERT INTO a VALUES (1); SELECT 1; INSERT INTO a VALUES (2)")];
    let mended = Migrations::from_static(&mended).expect("is well-formed");
    migrate::deploy(&mut client, &mended, &options).await.expect("resumes");
    assert_eq!(text(&client, "SELECT string_agg(n::text, ',' ORDER BY n) FROM a").await, "1,2");
}

/// The server ends the session of a run before each of its messages in turn, as when its process is killed. The next run
/// completes the migration: each statement takes effect once.
#[tokio::test]
async fn a_run_that_is_killed_anywhere_is_completed_by_the_next() {
    let sql = "CREATE TABLE a (n int); INSERT INTO a VALUES (1); ALTER TABLE a ADD b int; UPDATE a SET n = n + 1; \
               ALTER TABLE a RENAME b TO d; DROP TABLE old; CREATE INDEX i ON a (n)";
    let migrations = Migrations::from_static(&[("1", sql)]).expect("is well-formed");
    let mut kills = 0;
    for fails_at in 1..40 {
        let database = database();
        let admin = connect(&database).await;
        // A rule of the database: the statement with this number loses the session of the run, after or before it is
        // counted.
        admin
            .batch_execute(&format!(
                "CREATE TABLE old (n int); CREATE SEQUENCE writes;
                 CREATE FUNCTION loses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                   IF nextval('writes') = {fails_at} THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
                   RETURN NEW; END $$"
            ))
            .await
            .expect("is made");
        let options = options(&database, Engine::AuroraDsql).await;
        let mut options = options;
        // A CREATE INDEX without ASYNC is not for DSQL.
        options.engine = Some(Engine::CockroachDb);
        options.lease = Duration::from_millis(300);
        let empty = Migrations::from_static(&[]).expect("is well-formed");
        let mut first = connect(&database).await;
        migrate::deploy(&mut first, &empty, &options).await.expect("makes the tables");
        let trigger = "CREATE TRIGGER loses BEFORE INSERT OR UPDATE ON _relata_migrations FOR EACH ROW \
                       EXECUTE FUNCTION loses()";
        admin.batch_execute(trigger).await.expect("is made");
        let killed = migrate::deploy(&mut first, &migrations, &options).await.is_err();
        kills += u32::from(killed);
        let mut second = connect(&database).await;
        if killed {
            migrate::deploy(&mut second, &migrations, &options).await.expect("resumes");
        }
        assert_eq!(text(&admin, "SELECT string_agg(n::text, ',') FROM a").await, "2", "killed at {fails_at}");
        assert_eq!(text(&admin, "SELECT d IS NULL FROM a").await, "true");
        assert_eq!(text(&admin, "SELECT to_regclass('old') IS NULL AND to_regclass('i') IS NOT NULL").await, "true");
        assert_eq!(text(&admin, HISTORY).await, "1 applied 7", "killed at {fails_at}");
        if !killed {
            break;
        }
    }
    assert!(kills >= 8, "{kills}");
}

/// Runs at the same time take turns: one applies everything, and the others find nothing to do.
#[tokio::test]
async fn runs_at_the_same_time_take_turns() {
    let database = Arc::new(database());
    let waited = Arc::new(AtomicU32::new(0));
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let (database, waited) = (Arc::clone(&database), Arc::clone(&waited));
            tokio::spawn(async move {
                let mut options = options(&database, Engine::CockroachDb).await;
                options.on_event = Some(Arc::new(move |event: &Event| {
                    if let Event::WaitingForLease { holder } = event {
                        assert!(holder.to_string().contains("since"), "{holder}");
                        waited.fetch_add(1, Ordering::SeqCst);
                    }
                }));
                let mut client = connect(&database).await;
                let slow = [("1", "CREATE TABLE a (n int); INSERT INTO a SELECT 1 FROM pg_sleep(0.5)")];
                let slow = Migrations::from_static(&slow).expect("is well-formed");
                migrate::deploy(&mut client, &slow, &options).await.expect("is applied").applied.len()
            })
        })
        .collect();
    let mut applied = 0;
    for task in tasks {
        applied += task.await.expect("does not panic");
    }
    assert_eq!(applied, 1);
    assert!(waited.load(Ordering::SeqCst) >= 1);
    let client = connect(&database).await;
    assert_eq!(text(&client, "SELECT count(*) FROM a").await, "1");
}

/// A lease that is not renewed ends. A run that waits for it reports the holder.
#[tokio::test]
async fn a_dead_run_blocks_others_until_its_lease_ends() {
    let database = database();
    let (mut client, mut options) = (connect(&database).await, options(&database, Engine::CockroachDb).await);
    migrate::deploy(&mut client, &migrations(), &options).await.expect("is applied");
    let dead = "UPDATE _relata_migrations_lock SET token = token + 1, holder = 'dead:1', taken_at = now(), \
                ends_at = now() + interval '1 hour'";
    client.batch_execute(dead).await.expect("is written");
    client.batch_execute("UPDATE _relata_migrations SET state = 'running' WHERE name = '2'").await.expect("is written");
    let running = migrate::status(&client, &migrations()).await.expect("is read");
    assert!(matches!(&running.problems[..], [Problem::Running { name, .. }] if name == "2"), "{:?}", running.problems);
    options.lock_wait = Duration::from_millis(300);
    let blocked = migrate::deploy(&mut client, &migrations(), &options).await.expect_err("waits in vain");
    let text = blocked.to_string();
    assert!(matches!(blocked, Error::Leased { .. }) && text.contains("dead:1, since 2"), "{text}");
    client.batch_execute("UPDATE _relata_migrations_lock SET ends_at = now()").await.expect("ends");
    let stopped = migrate::status(&client, &migrations()).await.expect("is read");
    assert!(
        matches!(&stopped.problems[..], [Problem::Interrupted { name, .. }] if name == "2"),
        "{:?}",
        stopped.problems
    );
    client.batch_execute("UPDATE _relata_migrations SET state = 'applied' WHERE name = '2'").await.expect("is written");
    migrate::deploy(&mut client, &migrations(), &options).await.expect("has the lock");
}

/// A statement that takes longer than the lease: the other connection renews it.
#[tokio::test]
async fn a_lease_is_renewed_while_a_statement_runs() {
    let database = database();
    let (mut client, mut options) = (connect(&database).await, options(&database, Engine::CockroachDb).await);
    options.lease = Duration::from_millis(300);
    let slow = [("1", "CREATE TABLE a (n int); SELECT pg_sleep(1.5); CREATE TABLE b (n int)")];
    let slow = Migrations::from_static(&slow).expect("is well-formed");
    let mut other = options.clone();
    let (url, started) = (database.url().to_owned(), Arc::new(tokio::sync::Notify::new()));
    let told = Arc::clone(&started);
    options.on_event = Some(Arc::new(move |event: &Event| {
        if matches!(event, Event::Progress { done: 1, .. }) {
            told.notify_one();
        }
    }));
    let second = tokio::spawn(async move {
        started.notified().await;
        let mut client = url.parse::<ConnectOptions>().expect("is a URL").connect_direct().await.expect("connects");
        other.lock_wait = Duration::from_secs(30);
        let slow = [("1", "CREATE TABLE a (n int); SELECT pg_sleep(1.5); CREATE TABLE b (n int)")];
        let slow = Migrations::from_static(&slow).expect("is well-formed");
        migrate::deploy(&mut client, &slow, &other).await.expect("finds nothing to do").applied.len()
    });
    migrate::deploy(&mut client, &slow, &options).await.expect("keeps its lease");
    assert_eq!(second.await.expect("does not panic"), 0);
}

/// A process that is paused past its lease, while another run takes over: it stops at its next statement, whatever its
/// clock says.
#[test]
fn a_run_that_is_paused_past_its_lease_stops() {
    let database = Arc::new(database());
    let sql = "CREATE TABLE a (n int); INSERT INTO a VALUES (1); INSERT INTO a VALUES (2); INSERT INTO a VALUES (3)";
    let (paused, goes_on) = (Arc::new(Mutex::new(None)), Arc::new((Mutex::new(false), std::sync::Condvar::new())));
    let (paused_in, goes_on_in, in_thread) = (Arc::clone(&paused), Arc::clone(&goes_on), Arc::clone(&database));
    let (told, wait) = std::sync::mpsc::channel();
    *paused_in.lock().expect("is free") = Some(told);
    // A thread with a runtime of its own, all of whose tasks stop while its listener blocks: the renewal too.
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("is built");
        runtime.block_on(async {
            let mut client = connect(&in_thread).await;
            let mut options = options(&in_thread, Engine::CockroachDb).await;
            options.lease = Duration::from_millis(200);
            options.on_event = Some(Arc::new(move |event: &Event| {
                if matches!(event, Event::Progress { done: 2, .. }) {
                    paused_in.lock().expect("is free").take().expect("once").send(()).expect("somebody waits");
                    let (lock, condition) = &*goes_on_in;
                    let mut is_over = lock.lock().expect("is free");
                    while !*is_over {
                        is_over = condition.wait(is_over).expect("is free");
                    }
                }
            }));
            let migrations = Migrations::from_static(&[("1", sql)]).expect("is well-formed");
            migrate::deploy(&mut client, &migrations, &options).await
        })
    });
    wait.recv().expect("it is paused");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("is built");
    runtime.block_on(async {
        let mut client = connect(&database).await;
        let options = options(&database, Engine::CockroachDb).await;
        let migrations = Migrations::from_static(&[("1", sql)]).expect("is well-formed");
        let report = migrate::deploy(&mut client, &migrations, &options).await.expect("takes over");
        assert_eq!(report.applied, ["1"]);
    });
    *goes_on.0.lock().expect("is free") = true;
    goes_on.1.notify_all();
    let lost = thread.join().expect("does not panic").expect_err("stops");
    assert!(matches!(lost, Error::LeaseLost { .. }) && lost.to_string().contains("it resumes there"), "{lost}");
    runtime.block_on(async {
        let client = connect(&database).await;
        assert_eq!(text(&client, "SELECT string_agg(n::text, ',' ORDER BY n) FROM a").await, "1,2,3");
        assert_eq!(text(&client, HISTORY).await, "1 applied 4");
    });
}

#[tokio::test]
async fn what_an_engine_cannot_do_is_refused_before_anything_runs() {
    let database = database();
    let (mut client, mut options) = (connect(&database).await, options(&database, Engine::AuroraDsql).await);
    let sql = [
        ("1", "CREATE TABLE a (id int PRIMARY KEY)"),
        ("2", "CREATE TABLE b (a int REFERENCES a (id));\nCREATE INDEX i ON b (a)"),
    ];
    let migrations = Migrations::from_static(&sql).expect("are well-formed");
    let refused = migrate::deploy(&mut client, &migrations, &options).await.expect_err("is refused").to_string();
    for part in ["Aurora DSQL does not have", ":1: REFERENCES", ":2: CREATE INDEX; write CREATE INDEX ASYNC"] {
        assert!(refused.contains(part), "{refused}");
    }
    assert_eq!(text(&client, "SELECT to_regclass('a')").await, "");
    options.renews = None;
    let refused = migrate::deploy(&mut client, &migrations, &options).await.expect_err("is refused");
    assert!(matches!(refused, Error::NoRenewal { engine: Engine::AuroraDsql }), "{refused}");
}

#[tokio::test]
async fn a_history_belongs_to_its_engine() {
    let database = database();
    let (mut client, others) = (connect(&database).await, options(&database, Engine::YugabyteDb).await);
    migrate::deploy(&mut client, &migrations(), &others).await.expect("is applied");
    assert_eq!(Engine::detect(&client).await.expect("answers"), Engine::PostgreSql);
    let refused = migrate::deploy(&mut client, &migrations(), &Options::default()).await.expect_err("is refused");
    assert!(refused.to_string().contains("for another engine than PostgreSQL"), "{refused}");
}

/// A server that is none of them says what it is, in a function that comes first on the search path.
#[tokio::test]
async fn an_unknown_engine_is_named() {
    let database = database();
    let mut client = connect(&database).await;
    let other = "CREATE SCHEMA other; CREATE FUNCTION other.version() RETURNS text LANGUAGE sql AS $$ SELECT 'MyDB 3' $$; \
                 SET search_path = other, pg_catalog, public";
    client.batch_execute(other).await.expect("is made");
    let refused = migrate::deploy(&mut client, &migrations(), &Options::default()).await.expect_err("is refused");
    let text = refused.to_string();
    assert!(text.contains("(MyDB 3)") && text.contains("--engine postgresql, cockroachdb"), "{text}");
}
