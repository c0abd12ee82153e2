//! Servers of PostgreSQL with streaming replication, made for one test: `initdb`, `pg_basebackup` and `pg_ctl`.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A primary and its replicas. All are stopped and removed at the end.
pub(super) struct Cluster {
    folder: PathBuf,
    programs: Programs,
    /// The first one was made as the primary.
    servers: Vec<Server>,
    empty: Arc<EmptyServer>,
}

/// A server that was never started, which those of all tests are copies of. It is removed with the last of them.
struct EmptyServer(PathBuf);

impl EmptyServer {
    fn get(programs: &Programs) -> Arc<Self> {
        static EMPTY: Mutex<Weak<EmptyServer>> = Mutex::new(Weak::new());
        let mut empty = EMPTY.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = empty.upgrade() {
            return known;
        }
        let folder = programs.new_folder("empty");
        let data = folder.join("data").display().to_string();
        programs.run("initdb", &["-D", &data, "-U", OWNER, "-A", "trust", "-E", "UTF8", "-N", "--wal-segsize=1"]);
        let made = Arc::new(Self(folder));
        *empty = Arc::downgrade(&made);
        made
    }

    fn copy_to(&self, data: &Path) {
        let status = Command::new("cp").arg("-a").arg(self.0.join("data")).arg(data).status().expect("cp is started");
        assert!(status.success(), "the folder is copied");
    }
}

impl Drop for EmptyServer {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// One server.
pub(super) struct Server {
    data: PathBuf,
    port: u16,
    programs: Programs,
}

#[derive(Clone)]
struct Programs {
    folder: PathBuf,
    /// The user that they run as, if it is another one: PostgreSQL refuses root.
    user: Option<(u32, u32)>,
}

/// The settings of all servers. Every statement is logged, which shows where it went.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
max_connections = 100
shared_buffers = 16MB
fsync = off
wal_keep_size = 64MB
min_wal_size = 2MB
max_wal_senders = 10
autovacuum = off
log_statement = all
log_line_prefix = '%a '
wal_retrieve_retry_interval = 100ms
max_standby_streaming_delay = 30s
";

const OWNER: &str = "relata";

impl Programs {
    fn find() -> Option<Self> {
        let in_path = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect::<Vec<_>>();
        let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let installed = versions.map(|version| version.path().join("bin"));
        let has_all =
            |folder: &PathBuf| ["initdb", "pg_ctl", "pg_basebackup"].iter().all(|name| folder.join(name).exists());
        let folder = in_path.into_iter().chain(installed).find(has_all)?;
        let is_root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
        let user = if is_root { Some(account()?) } else { None };
        Some(Self { folder, user })
    }

    /// Runs a program, and fails with its output if it fails.
    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(self.folder.join(program));
        command.args(arguments).current_dir("/").env("LC_ALL", "C");
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        // A server inherits what its output goes to, so that is a file.
        let output = std::env::temp_dir().join(format!(
            "relata-output-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        let file = fs::File::create(&output).expect("is created");
        command.stdout(file.try_clone().expect("is shared")).stderr(file);
        let status = command.status().expect("is started");
        let text = fs::read_to_string(&output).unwrap_or_default();
        let _ = fs::remove_file(&output);
        assert!(status.success(), "{program} {arguments:?}: {text}");
    }

    /// A new folder that belongs to the user.
    fn new_folder(&self, name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("relata-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("is created");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("is opened");
        self.own(&folder);
        folder
    }

    fn own(&self, path: &Path) {
        if let Some((user, group)) = self.user {
            std::os::unix::fs::chown(path, Some(user), Some(group)).expect("is given away");
        }
    }
}

/// Returns the user `postgres` if there is one, otherwise `nobody`.
fn account() -> Option<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let of = |name: &str| {
        let fields: Vec<&str> =
            users.lines().map(|line| line.split(':').collect()).find(|f: &Vec<&str>| f[0] == name)?;
        Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
    };
    of("postgres").or_else(|| of("nobody"))
}

fn free_port() -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    socket.local_addr().expect("has an address").port()
}

impl Cluster {
    /// Starts a primary. `None` if PostgreSQL's programs are not on this machine.
    pub(super) fn start(name: &str) -> Option<Self> {
        let Some(programs) = Programs::find() else {
            relata_devdb::skip("PostgreSQL's initdb and pg_basebackup are not installed");
            return None;
        };
        let empty = EmptyServer::get(&programs);
        let folder = programs.new_folder(name);
        let mut cluster = Self { folder, programs, servers: Vec::new(), empty };
        let server = cluster.new_server();
        cluster.empty.copy_to(&server.data);
        server.set(SETTINGS);
        server.set(&format!("port = {}\nunix_socket_directories = ''", server.port));
        server.start();
        cluster.servers.push(server);
        Some(cluster)
    }

    fn new_server(&self) -> Server {
        let data = self.folder.join(format!("server{}", self.servers.len()));
        Server { data, port: free_port(), programs: self.programs.clone() }
    }

    /// Adds a replica of the first server.
    pub(super) fn add_replica(&mut self) {
        let server = self.new_server();
        let (port, data) = (self.primary().port.to_string(), server.data.display().to_string());
        let from = ["-h", "127.0.0.1", "-p", &port, "-U", OWNER];
        let how = ["-D", &data, "-R", "-X", "stream", "-c", "fast", "--no-sync"];
        self.programs.run("pg_basebackup", &[&from[..], &how[..]].concat());
        server.set(&format!("port = {}", server.port));
        self.servers.push(server);
        self.follow(self.servers.len() - 1, 0);
        self.servers[self.servers.len() - 1].start();
    }

    /// Lets one server follow another one, once it is started or loads its settings.
    pub(super) fn follow(&self, at: usize, of: usize) {
        let port = self.servers[of].port;
        let conninfo = format!("host=127.0.0.1 port={port} user={OWNER} application_name=server{at}");
        self.servers[at].set(&format!("primary_conninfo = '{conninfo}'"));
    }

    pub(super) fn primary(&self) -> &Server {
        &self.servers[0]
    }

    pub(super) fn replicas(&self) -> impl Iterator<Item = &Server> {
        self.servers[1..].iter()
    }

    pub(super) fn server(&self, at: usize) -> &Server {
        &self.servers[at]
    }

    /// A connection string with several hosts.
    pub(super) fn url_of(&self, servers: &[usize], options: &str) -> String {
        let hosts: Vec<String> = servers.iter().map(|at| format!("127.0.0.1:{}", self.servers[*at].port)).collect();
        format!("postgresql://{OWNER}@{}/postgres?{options}", hosts.join(","))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for server in self.servers.iter().filter(|server| server.is_running()) {
            server.stop();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Server {
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn url(&self) -> String {
        format!("postgresql://{OWNER}@127.0.0.1:{}/postgres", self.port)
    }

    fn log(&self) -> PathBuf {
        self.data.with_extension("log")
    }

    /// Adds settings, which hold once the server is started or loads them. The last value of a setting counts.
    pub(super) fn set(&self, settings: &str) {
        let file = self.data.join("postgresql.auto.conf");
        let text = fs::read_to_string(&file).unwrap_or_default();
        fs::write(&file, format!("{text}\n{settings}\n")).expect("is written");
        self.programs.own(&file);
    }

    /// Replaces who may connect how, once it loads its settings.
    pub(super) fn set_hba(&self, lines: &str) {
        fs::write(self.data.join("pg_hba.conf"), format!("{lines}\n")).expect("is written");
    }

    fn control(&self, arguments: &[&str]) {
        let (data, log) = (self.data.display().to_string(), self.log().display().to_string());
        self.programs.run("pg_ctl", &[&["-D", &data, "-l", &log, "-w", "-s"], arguments].concat());
    }

    pub(super) fn start(&self) {
        self.control(&["start"]);
    }

    /// Stops it at once, as a crash does.
    pub(super) fn stop(&self) {
        self.control(&["stop", "-m", "immediate"]);
    }

    pub(super) fn reload(&self) {
        self.control(&["reload"]);
    }

    pub(super) fn promote(&self) {
        self.control(&["promote"]);
    }

    fn is_running(&self) -> bool {
        self.data.join("postmaster.pid").exists()
    }

    /// Runs a statement on a connection of its own, and returns the texts of the first column.
    pub(super) async fn sql(&self, sql: &str) -> Vec<String> {
        let options: relata::ConnectOptions =
            format!("{}?application_name=test", self.url()).parse().expect("is a URL");
        let connection = options.connect_direct().await.expect("connects");
        let answer = connection.simple_query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let texts = answer.iter().filter_map(|message| match message {
            relata::tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        texts.collect()
    }

    /// The texts of all statements that the tested clients have sent so far, as its log has them.
    pub(super) fn statements(&self) -> Vec<String> {
        let log = fs::read_to_string(self.log()).expect("is read");
        let lines = log.lines().filter_map(|line| line.strip_prefix(super::APPLICATION)?.strip_prefix(" LOG:  "));
        let texts = lines.filter_map(|line| {
            let (kind, text) = line.split_once(": ")?;
            (kind == "statement" || kind.starts_with("execute ")).then(|| text.to_owned())
        });
        texts.collect()
    }
}
