//! A pooler in transaction mode between the client and the server: PgBouncer, if it is installed.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use plain_planner::{Client, Error, Isolation, Parent, Role, institution, session, student, student_exam, user};
use relata::chrono::Utc;
use relata::params;
use relata::uuid::Uuid;

use crate::support::texts::kept_by_text;
use crate::support::{Fixture, direct};

/// PgBouncer in front of a fixture's database, with two connections to the server.
pub(crate) struct PgBouncer {
    process: Child,
    folder: PathBuf,
    pub(crate) url: String,
}

impl PgBouncer {
    async fn start(fixture: &Fixture) -> Option<Self> {
        Self::before(fixture.database.url()).await
    }

    /// In front of the database of a URL.
    pub(crate) async fn before(url: &str) -> Option<Self> {
        let url = direct(url);
        let (_, rest) = url.split_once("://").expect("has a scheme");
        let (user, rest) = rest.split_once('@').expect("names a user");
        let (user, password) = user.split_once(':').unwrap_or((user, ""));
        let (host, database) = rest.split_once('/').expect("names a database");
        let database = database.split('?').next().unwrap_or_default();
        let (host, server_port) = host.split_once(':').unwrap_or((host, "5432"));
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port is free").port();
        let folder = std::env::temp_dir().join(format!("relata-pgbouncer-{port}"));
        std::fs::create_dir_all(&folder).expect("is made");
        // PgBouncer refuses an empty value.
        let password = if password.is_empty() { String::new() } else { format!(" password={password}") };
        let settings = format!(
            "[databases]\n* = host={host} port={server_port} user={user}{password}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = transaction\ndefault_pool_size = 2\nserver_reset_query =\n"
        );
        let file = folder.join("pgbouncer.ini");
        std::fs::write(&file, settings).expect("is written");
        let mut command = Command::new("pgbouncer");
        command.env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default()));
        if std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0) {
            command.args(["-u", "nobody"]);
        }
        let process = command.arg("-q").arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let process = match process {
            Ok(process) => process,
            Err(error) => {
                relata_devdb::skip(&format!("pgbouncer cannot be started: {error}"));
                return None;
            }
        };
        let url = format!("postgresql://{user}:any@127.0.0.1:{port}/{database}?sslmode=disable");
        let bouncer = Self { process, folder, url };
        for _ in 0..500 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Some(bouncer);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("pgbouncer does not listen");
    }

    pub(crate) async fn client(&self) -> Client {
        let url = format!("{}&pgbouncer=true", self.url);
        Client::builder(&url).expect("is a URL").max_connections(8).connect().await.expect("connects")
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// One of many tasks: runs every kind of query, so that connections switch between the tasks.
async fn work(db: &Client, tenant: Uuid, number: usize) -> Result<(), Error> {
    for round in 0..8 {
        let email = format!("{number}-{round}@x.edu");
        let row = user::Create {
            institution: tenant,
            email: email.clone(),
            password_hash: String::new(),
            role: Role::Student,
        };
        let sessions = (0..2).map(|_| session::Create { user: Parent, expires_at: Utc::now() });
        let user = db.user().create(row).with(user::sessions.create_many(sessions)).await?;
        let student =
            db.student().create(student::Create { user: user.id, institution: tenant, class_year: 2027 }).await?;
        let read = db
            .student()
            .find_unique(student::id.eq(student.id))
            .include(student::user.include(user::sessions))
            .include(student::exams.filter(student_exam::score.gt(1.0)).take(3))
            .or_err()
            .await?;
        assert_eq!((read.user.email.as_str(), read.user.sessions.len(), read.exams.len()), (email.as_str(), 2, 0));
        let faculty = db.user().update(user::id.eq(user.id)).set(user::role.to(Role::Faculty)).await?;
        assert_eq!(faculty.role, Role::Faculty);
        let (found, sessions) = db
            .batch((
                db.user().find_many().filter(user::role.in_([Role::Faculty]) & user::id.eq(user.id)),
                db.session().delete_many().filter(session::user_id.eq(user.id)),
            ))
            .await?;
        assert_eq!((found.len(), sessions), (1, 2));
        let counted = db
            .transaction(|tx| async move {
                tx.user().update(user::id.eq(user.id)).set(user::role.to(Role::Admin)).await?;
                let undone: Result<(), Error> = tx
                    .savepoint(|inner| async move {
                        inner.user().delete_many().filter(user::institution_id.eq(tenant)).await?;
                        Err(Error::custom("undone"))
                    })
                    .await;
                assert!(undone.is_err());
                tx.user().count().filter(user::id.eq(user.id) & user::role.eq(Role::Admin)).await
            })
            .isolation(Isolation::RepeatableRead)
            .statement_timeout(Duration::from_secs(30))
            .await?;
        assert_eq!(counted, 1);
        let mut stream = db.user().find_many().filter(user::id.eq(user.id)).include(user::sessions).stream();
        assert_eq!(stream.next().await.expect("there is one")?.sessions.len(), 0);
        assert!(stream.next().await.is_none());
        let copied = [(); 2].map(|()| session::Create { user: user.id, expires_at: Utc::now() });
        assert_eq!(db.session().copy_in(copied).await?, 2);
        let sql = "SELECT email, role::text FROM users WHERE id = $1 AND role = $2";
        let raw = db.query_raw::<(String, String)>(sql, params![user.id, Role::Admin]).await?;
        assert_eq!(raw, [(email, "ADMIN".to_owned())]);
    }
    Ok(())
}

#[tokio::test]
async fn everything_works_through_a_pooler() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await.id;
    let Some(bouncer) = PgBouncer::start(&fixture).await else { return };
    let db = bouncer.client().await;
    let tasks: Vec<_> = (0..6)
        .map(|number| {
            let db = db.clone();
            tokio::spawn(async move { work(&db, tenant, number).await })
        })
        .collect();
    for task in tasks {
        task.await.expect("does not panic").expect("works");
    }
    assert_eq!(fixture.db.user().count().filter(user::role.eq(Role::Admin)).await.expect("counts"), 48);
    // Nothing is left on the server's connections.
    let left = db.query_raw::<(i64,)>("SELECT count(*) FROM pg_prepared_statements", params![]).await;
    assert_eq!(left.expect("is read"), [(0,)]);
}

/// A migration changes the type of a parameter: the client asks for its new type, once.
#[tokio::test]
async fn queries_survive_a_migration_behind_a_pooler() {
    let fixture = Fixture::new().await;
    fixture.institution("north").await;
    let Some(bouncer) = PgBouncer::start(&fixture).await else { return };
    let db = bouncer.client().await;
    let sql = "SELECT name FROM institutions WHERE slug = $1";
    let read = || async { db.query_raw::<(String,)>(sql, params!["north"]).await };
    read().await.expect("is read");
    fixture.sql("ALTER TABLE institutions ALTER slug TYPE varchar(90), ALTER name TYPE varchar(90)").await;
    assert_eq!(read().await.expect("is read").len(), 1);
    let count =
        || async { db.query_raw::<(i64,)>("SELECT count(*) FROM users WHERE role = $1", params![Role::Admin]).await };
    count().await.expect("counts");
    for sql in [
        "ALTER TYPE role RENAME TO old_role",
        "CREATE TYPE role AS ENUM ('ADMIN', 'FACULTY', 'STUDENT')",
        "ALTER TABLE users ALTER role TYPE role USING role::text::role",
        "DROP TYPE old_role",
    ] {
        fixture.sql(sql).await;
    }
    assert_eq!(count().await.expect("counts again"), [(0,)]);
}

/// The pooler forwards a cancel request only while the client that sent the statement stays connected.
#[tokio::test]
async fn a_dropped_statement_behind_a_pooler_is_canceled() {
    let fixture = Fixture::new().await;
    let Some(mut bouncer) = PgBouncer::start(&fixture).await else { return };
    let db = bouncer.client().await;
    let running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%behind_a_pooler%' AND state = 'active' \
                   AND pid <> pg_backend_pid()";
    for dropped in 0..6 {
        let slow = db.query_raw::<(String,)>("SELECT 'behind_a_pooler' || pg_sleep(20)::text", params![]);
        let outcome = tokio::time::timeout(Duration::from_millis(50), slow).await;
        assert!(outcome.is_err(), "number {dropped}: {outcome:?}");
        let began = std::time::Instant::now();
        while fixture.sql(running).await[0].get::<_, i64>(0) > 0 {
            assert!(began.elapsed() < Duration::from_secs(8), "number {dropped} runs on");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let exited = bouncer.process.try_wait().expect("is asked");
    assert!(exited.is_none(), "the pooler has ended: {exited:?}");
    assert_eq!(db.institution().count().await.expect("works"), 0);
}

/// A pooler that keeps statements by their text returns the stale one: a different text is prepared, once for all.
#[tokio::test]
async fn queries_survive_a_migration_behind_a_pooler_that_keeps_statements() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await.id;
    let url = kept_by_text(&direct(fixture.database.url())).await;
    let db = Client::builder(&url).expect("is a URL").max_connections(1).connect().await;
    let db: Client = db.expect("connects");
    let read = || async { db.institution().find_unique(institution::id.eq(tenant)).or_err().await };
    let find = || db.institution().find_many().filter(institution::id.eq(tenant));
    read().await.expect("is read");
    db.batch((find(), find().take(1))).await.expect("is read");
    for ty in ["varchar(100)", "varchar(200)", "text"] {
        fixture.sql(&format!("ALTER TABLE institutions ALTER name TYPE {ty}")).await;
        for _ in 0..3 {
            assert_eq!(read().await.expect("is prepared again").id, tenant);
        }
        let (all, first) = db.batch((find(), find().take(1))).await.expect("is prepared again");
        assert_eq!((all.len(), first.len()), (1, 1));
        fixture.sql("ALTER TABLE institutions ALTER name TYPE char(99)").await;
        let tx = db.begin().await.expect("begins");
        assert_eq!(tx.institution().find_unique(institution::id.eq(tenant)).or_err().await.expect("again").id, tenant);
        tx.commit().await.expect("commits");
    }
}

/// If the client is not told about the pooler, the first connection says what to do.
#[tokio::test]
async fn an_unannounced_pooler_is_explained() {
    let fixture = Fixture::new().await;
    let Some(bouncer) = PgBouncer::start(&fixture).await else { return };
    let refused = Client::connect(&bouncer.url).await.expect_err("is refused");
    assert!(matches!(refused, Error::Connect { .. }) && refused.to_string().contains("pgbouncer=true"), "{refused}");
    // Where it is told, that is no remedy.
    let url = format!("{}&pgbouncer=true&options=-c%20statement_timeout%3D5", bouncer.url);
    let refused = Client::connect(&url).await.expect_err("is refused").to_string();
    assert!(refused.contains("ALTER ROLE") && !refused.contains("add pgbouncer=true"), "{refused}");
}

#[tokio::test]
async fn a_database_that_is_missing_behind_a_pooler_is_explained() {
    let fixture = Fixture::new().await;
    let Some(bouncer) = PgBouncer::start(&fixture).await else { return };
    let (server, _) = bouncer.url.rsplit_once('/').expect("names a database");
    let url = format!("{server}/no_such_database_anywhere?sslmode=disable&pgbouncer=true");
    let missing = Client::connect(&url).await.expect_err("is missing").to_string();
    assert!(missing.contains("create it first"), "{missing}");
}

#[tokio::test]
async fn settings_that_a_pooler_does_not_forward_are_refused() {
    let refused = |url: &str| Client::builder(url).expect("is a URL").through_pooler().connect();
    let error = refused("postgresql://me:x@127.0.0.1:1/db?schema=app").await.expect_err("is refused");
    assert!(matches!(error, Error::Config(_)) && error.to_string().contains("search_path"), "{error}");
    let builder = Client::builder("postgresql://me:x@127.0.0.1:1/db").expect("is a URL").through_pooler();
    let error = builder.statement_timeout(Duration::from_secs(1)).connect().await.expect_err("is refused");
    assert!(error.to_string().contains("ALTER ROLE"), "{error}");
}

/// Unnamed statements, sent directly to the server: exactly one statement runs.
#[tokio::test]
async fn sql_for_a_pooler_is_one_statement() {
    let fixture = Fixture::new().await;
    let db = Client::builder(fixture.database.url()).expect("is a URL").through_pooler().max_connections(1).connect();
    let db: Client = db.await.expect("connects");
    let two = db.query_raw::<(i32,)>("SELECT $1::int4; DELETE FROM institutions", params![1]).await;
    assert!(matches!(two, Err(Error::Misuse(_))), "{two:?}");
    let few = db.query_raw::<(i32,)>("SELECT $1::int4 + $2::int4", params![1]).await;
    assert!(matches!(few, Err(Error::Misuse(ref why)) if why.contains("takes 2 parameters")), "{few:?}");
    let wrong = db.query_raw::<(i32,)>("SELECT $1::int4", params!["text"]).await;
    assert!(matches!(wrong, Err(Error::InvalidValue(_))), "{wrong:?}");
    assert_eq!(db.institution().find_many().filter(institution::slug.eq("x")).await.expect("is read"), []);
}

/// A program that deploys its migrations through a pooler would leave the lock and the settings in its sessions.
#[tokio::test]
async fn a_direct_connection_is_not_one_through_a_pooler() {
    let fixture = Fixture::new().await;
    let Some(pooler) = PgBouncer::start(&fixture).await else { return };
    for url in [pooler.url.clone(), format!("{}&pgbouncer=true", pooler.url)] {
        let options: relata::ConnectOptions = url.parse().expect("is a URL");
        let refused = options.connect_direct().await.expect_err("is refused");
        let Error::Connect { target, reason } = &refused else { panic!("{refused}") };
        assert!(reason.contains("behind a pooler in transaction mode"), "{refused}");
        assert!(reason.contains("give the URL of the server itself"), "{refused}");
        assert!(target.starts_with("127.0.0.1:") && !refused.to_string().contains("any@"), "{refused}");
    }
    // The server itself is not refused, and nothing is left of the check.
    let options: relata::ConnectOptions = direct(fixture.database.url()).parse().expect("is a URL");
    let connection = options.connect_direct().await.expect("connects");
    let left = connection.query_one("SELECT coalesce(current_setting('relata.session', true), '')", &[]).await;
    assert_eq!(left.expect("is read").get::<_, String>(0), "");
}
