//! Citus from the installed PostgreSQL: a coordinator and two workers, for the tests of one process.

use super::account::{self, Account};
use super::binaries::{self, Installation};
use crate::admin::Admin;
use crate::database::{self, TestDatabase};
use crate::error::Error;
use crate::files::{create_home, io};
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

const USER: &str = "relata";
const SERVERS: usize = 3;

/// Each database of Citus has a background worker on each server.
const SETTINGS: &str = "
shared_preload_libraries = 'citus'
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 400
max_worker_processes = 200
max_prepared_transactions = 400
shared_buffers = 32MB
fsync = off
full_page_writes = off
citus.shard_count = 4
citus.node_conninfo = 'sslmode=prefer'
citus.enable_statistics_collection = off
";

/// Stops the servers when the process ends that holds the other end of its input, however it ends.
const STOP: &str = r#"
cat > /dev/null
for data in "$2"/server*; do "$1" stop -D "$data" -m immediate -s > /dev/null 2>&1; done
rm -rf "$2"
"#;

/// While a database is created or dropped, the servers of another one may lose their connections.
static DATABASES: Mutex<()> = Mutex::new(());

/// Citus on a coordinator and two workers, from the installed PostgreSQL.
///
/// All values of one process share the servers, which are stopped when the process ends.
#[derive(Clone)]
pub struct Citus {
    servers: Arc<Servers>,
}

struct Servers {
    /// The coordinator first.
    ports: Vec<u16>,
    password: String,
    /// Ends the servers once its input is closed.
    _watcher: Child,
}

impl std::fmt::Debug for Citus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Citus").field("ports", &self.servers.ports).finish()
    }
}

impl Citus {
    /// Starts the servers, or returns those that this process has started. `None` if the installed PostgreSQL has no
    /// extension `citus`.
    ///
    /// # Errors
    ///
    /// Fails if a server cannot be started.
    pub fn start() -> Result<Option<Citus>, Error> {
        static STARTED: Mutex<Option<Citus>> = Mutex::new(None);
        let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
        if started.is_none() {
            *started = Servers::start()?.map(|servers| Citus { servers: Arc::new(servers) });
        }
        Ok(started.clone())
    }

    /// Starts the servers. Without Citus, reports that the calling test is skipped.
    ///
    /// # Errors
    ///
    /// Fails if a server cannot be started.
    pub fn start_or_skip() -> Result<Option<Citus>, Error> {
        let citus = Self::start()?;
        if citus.is_none() {
            crate::skip("the installed PostgreSQL has no extension citus");
        }
        Ok(citus)
    }

    /// Creates an empty database on all servers, with the extension. It is dropped with its value.
    ///
    /// # Errors
    ///
    /// Fails if a server is gone or refuses.
    pub fn create_database(&self, prefix: &str) -> Result<TestDatabase, Error> {
        let name = database::test_name(prefix);
        // Declared first, so that a failure drops the database after the lock is released.
        let life = Created { servers: Arc::clone(&self.servers), name: name.clone() };
        let servers = &self.servers;
        let _one_at_a_time = DATABASES.lock().unwrap_or_else(PoisonError::into_inner);
        for server in 0..SERVERS {
            servers.admin(server, "postgres").run(&[&format!("CREATE DATABASE {name}")])?;
            servers.admin(server, &name).run(&["CREATE EXTENSION citus"])?;
        }
        let mut nodes = vec![format!("SELECT citus_set_coordinator_host('127.0.0.1', {})", servers.ports[0])];
        nodes.extend(servers.ports[1..].iter().map(|port| format!("SELECT citus_add_node('127.0.0.1', {port})")));
        let nodes: Vec<&str> = nodes.iter().map(String::as_str).collect();
        servers.admin(0, &name).run(&nodes)?;
        Ok(TestDatabase::new(name.clone(), servers.url(&name), Box::new(life)))
    }
}

/// A database that is dropped with this value.
struct Created {
    servers: Arc<Servers>,
    name: String,
}

impl Drop for Created {
    fn drop(&mut self) {
        let _one_at_a_time = DATABASES.lock().unwrap_or_else(PoisonError::into_inner);
        // The coordinator first: the workers' databases then have no connections of Citus. What remains goes with the
        // servers.
        for server in 0..SERVERS {
            let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
            let _ = self.servers.admin(server, "postgres").run(&[&drop]);
        }
    }
}

impl Servers {
    fn start() -> Result<Option<Self>, Error> {
        let search = binaries::Search {
            pg_bin: std::env::var_os("PG_BIN").filter(|value| !value.is_empty()).map(PathBuf::from),
            path: std::env::var_os("PATH").unwrap_or_default(),
            only: None,
        };
        let Ok(installation) = binaries::find(&search) else { return Ok(None) };
        if !has_citus(&installation) {
            return Ok(None);
        }
        let account = account::choose(&installation)?;
        let home = std::env::var_os("RELATA_DEVDB_DIR").map_or_else(super::default_home, PathBuf::from);
        // The user of the servers removes the folder at the end, and so must own the folder around it.
        let folder = create_home(&home)?.join("citus").join(uuid::Uuid::new_v4().simple().to_string());
        let made = Start { installation, account, folder };
        match made.run() {
            Ok(servers) => Ok(Some(servers)),
            Err(error) => {
                made.remove();
                Err(error)
            }
        }
    }

    fn admin(&self, server: usize, database: &str) -> Admin {
        let mut config = tokio_postgres::Config::new();
        config.host("127.0.0.1").port(self.ports[server]).user(USER).password(&self.password).dbname(database);
        Admin::new(config, format!("server {server} of Citus"))
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://{USER}:{}@127.0.0.1:{}/{database}", self.password, self.ports[0])
    }
}

/// Whether the extension is installed: its control file is beside those of PostgreSQL.
fn has_citus(installation: &Installation) -> bool {
    let folder = &installation.folder;
    let beside = folder
        .parent()
        .into_iter()
        .flat_map(|parent| ["share/extension", "share/postgresql/extension"].map(|extensions| parent.join(extensions)));
    let text = folder.to_string_lossy();
    // Debian keeps programs in /usr/lib/postgresql/17/bin, and extensions in /usr/share/postgresql/17/extension.
    let debian = text.strip_prefix("/usr/lib/postgresql/").and_then(|rest| rest.split('/').next());
    let debian = debian.map(|version| Path::new("/usr/share/postgresql").join(version).join("extension"));
    beside.chain(debian).any(|extensions| extensions.join("citus.control").exists())
}

/// What is needed to start the servers.
struct Start {
    installation: Installation,
    account: Account,
    folder: PathBuf,
}

impl Start {
    fn run(&self) -> Result<Servers, Error> {
        fs::create_dir_all(&self.folder).map_err(io("create", &self.folder))?;
        for folder in self.folder.parent().into_iter().chain([self.folder.as_path()]) {
            self.restrict(folder, 0o700)?;
        }
        let password = uuid::Uuid::new_v4().simple().to_string();
        self.write("password", &password)?;
        // The servers connect to each other with it.
        self.write("pgpass", &format!("*:*:*:*:{password}\n"))?;
        let first = self.data(0);
        let mut initdb = self.command("initdb");
        initdb.arg("-D").arg(&first).args(["-U", USER, "-E", "UTF8", "--locale=C", "--no-sync"]);
        initdb.args(["--auth-local=reject", "--auth-host=password"]).arg("--pwfile").arg(self.folder.join("password"));
        self.execute(initdb)?;
        for server in 1..SERVERS {
            let mut copy = self.account.command(Path::new("cp"));
            copy.arg("-a").arg(&first).arg(self.data(server));
            self.execute(copy)?;
        }
        let mut stop = self.account.command(Path::new("sh"));
        stop.args(["-c", STOP, "sh"]).arg(self.installation.program("pg_ctl")).arg(&self.folder);
        stop.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let watcher = stop.spawn().map_err(io("watch", &self.folder))?;
        let mut ports = Vec::new();
        for server in 0..SERVERS {
            ports.push(self.start(server)?);
        }
        Ok(Servers { ports, password, _watcher: watcher })
    }

    fn start(&self, server: usize) -> Result<u16, Error> {
        let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let port = bound.map_err(io("find a free port for", &self.folder))?.port();
        self.write(&format!("server{server}/postgresql.auto.conf"), &format!("{SETTINGS}port = {port}\n"))?;
        let log = self.folder.join(format!("log{server}"));
        let mut start = self.command("pg_ctl");
        start.arg("start").arg("-D").arg(self.data(server)).arg("-l").arg(&log).args(["-w", "-s"]);
        self.execute(start).map_err(|error| super::cluster::with_log(error, &log))?;
        Ok(port)
    }

    fn remove(&self) {
        for server in 0..SERVERS {
            let mut stop = self.command("pg_ctl");
            stop.arg("stop").arg("-D").arg(self.data(server)).args(["-m", "immediate", "-s"]);
            let _ = self.execute(stop);
        }
        let _ = fs::remove_dir_all(&self.folder);
    }

    fn data(&self, server: usize) -> PathBuf {
        self.folder.join(format!("server{server}"))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = self.account.command(&self.installation.program(program));
        command.env("PGPASSFILE", self.folder.join("pgpass"));
        command
    }

    fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        let path = self.folder.join(name);
        fs::write(&path, text).map_err(io("write", &path))?;
        self.restrict(&path, 0o600)
    }

    fn restrict(&self, path: &Path, mode: u32) -> Result<(), Error> {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(io("set the mode of", path))?;
        self.account.own(path).map_err(io("change the owner of", path))
    }

    fn execute(&self, mut command: Command) -> Result<(), Error> {
        let program = command.get_program().to_string_lossy().into_owned();
        let output = command.current_dir("/").stdin(Stdio::null()).output();
        let output = output.map_err(io("run a program for", &self.folder))?;
        if output.status.success() {
            return Ok(());
        }
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Err(Error::Program { program, output: text.trim().to_owned() })
    }
}
