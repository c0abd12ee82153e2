//! The commands behind a pooler in transaction mode, where no lock and no setting belongs to a connection: PgBouncer, if it
//! is installed.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use relata_devdb::Feature;

use crate::support::{Project, Session, database, query, server};

/// PgBouncer in front of a database.
struct PgBouncer {
    process: Child,
    folder: PathBuf,
    url: String,
}

impl PgBouncer {
    /// Starts it with further lines of its settings.
    fn before(url: &str, settings: &str) -> Option<Self> {
        let (_, rest) = url.split_once("://").expect("has a scheme");
        let (user, rest) = rest.split_once('@').expect("names a user");
        let (user, password) = user.split_once(':').unwrap_or((user, ""));
        let (host, database) = rest.split_once('/').expect("names a database");
        let database = database.split('?').next().unwrap_or_default();
        let (host, server_port) = host.split_once(':').unwrap_or((host, "5432"));
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port is free").port();
        let folder = std::env::temp_dir().join(format!("relata-cli-pgbouncer-{port}"));
        std::fs::create_dir_all(&folder).expect("is made");
        // PgBouncer refuses an empty value.
        let password = if password.is_empty() { String::new() } else { format!(" password={password}") };
        let text = format!(
            "[databases]\n* = host={host} port={server_port} user={user}{password}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             default_pool_size = 3\n{settings}\n"
        );
        let file = folder.join("pgbouncer.ini");
        std::fs::write(&file, text).expect("is written");
        let mut command = Command::new("pgbouncer");
        command.env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default()));
        if std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0) {
            command.args(["-u", "nobody"]);
        }
        let process = match command.arg("-q").arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
            Ok(process) => process,
            Err(error) => {
                relata_devdb::skip(&format!("pgbouncer cannot be started: {error}"));
                return None;
            }
        };
        let url = format!("postgresql://{user}:any@127.0.0.1:{port}/{database}?sslmode=disable");
        let bouncer = Self { process, folder, url };
        for _ in 0..500 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(bouncer);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("pgbouncer does not listen");
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

const SCHEMA: &str = "model Room {\n  id Int @id\n}\n";
const REFUSED: &str = "behind a pooler in transaction mode";
const REMEDY: &str = "give the URL of the server itself, not of the pooler";

/// Lists the advisory locks and the tables of a database.
const LEFT: &str = "SELECT 'lock' FROM pg_locks WHERE locktype = 'advisory'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    UNION ALL SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace";

#[test]
fn a_command_refuses_a_pooler_in_transaction_mode() {
    if server().skips_without(&[Feature::Roles]) {
        return;
    }
    let database = database("pooled");
    // What the client's own start-up options meet, and a pooler that ignores or knows them.
    for settings in ["pool_mode = transaction", "pool_mode = transaction\nignore_startup_parameters = options"] {
        let Some(pooler) = PgBouncer::before(database.url(), settings) else { return };
        let project = Project::new();
        project.write("schema.dsl", SCHEMA).write("change.sql", "CREATE TABLE t (a int)");
        let deployed = Project::new();
        deployed.migration("1_a", "CREATE TABLE t (a int)");
        let declared = format!("{}&pgbouncer=true", pooler.url);
        for url in [&pooler.url, &declared] {
            project.run(&["migrate", "dev", "--name", "init", "--url", url]).exits(1).says(REFUSED).says(REMEDY);
            project.run(&["db", "push", "--url", url]).exits(1).says(REFUSED).says(REMEDY);
            project.run(&["db", "execute", "change.sql", "--url", url]).exits(1).says(REFUSED);
            project.run(&["db", "pull", "--url", url]).exits(1).says(REFUSED);
            deployed.run(&["migrate", "deploy", "--url", url]).exits(1).says(REFUSED).hides("add pgbouncer=true");
        }
        // Nothing was made, and no lock and no setting stays with the pooler.
        assert_eq!(query(&database, LEFT), Vec::<String>::new());
        let setting = "SELECT coalesce(current_setting('relata.across_tenants', true), '')";
        let seen = Session::open(&pooler.url).sql(setting);
        assert!(seen.iter().all(String::is_empty), "{seen:?}");
    }
}

/// There, the session of the server is that of the connection.
#[test]
fn a_pooler_in_session_mode_is_as_good_as_the_server() {
    if server().skips_without(&[Feature::Roles]) {
        return;
    }
    let database = database("sessions");
    let settings = "pool_mode = session\nignore_startup_parameters = options";
    let Some(pooler) = PgBouncer::before(database.url(), settings) else { return };
    let project = Project::new();
    project.write("schema.dsl", SCHEMA);
    project.run(&["migrate", "dev", "--name", "init", "--url", &pooler.url]).exits(0);
    project.run(&["migrate", "status", "--url", &pooler.url]).exits(0);
}
