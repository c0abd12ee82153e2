//! One cluster per user and version, shared by every process.
//!
//! Attaching reads `postmaster.pid` and connects. Only if that fails, the cluster's lock is taken, and the cluster is
//! created or started. A cluster is throw-away, because it runs without fsync: if it was not shut down properly, it is
//! deleted, never repaired.
//!
//! The folder of a version contains `data` (the data folder), `socket`, `password` (for TCP), `port`, `log`, and the
//! watcher's `used` and `seen`. Only the server's user can read them.

use super::account::{self, Account};
use super::binaries::Installation;
use super::pidfile::{self, PidFile, State};
use super::watcher::{self, Heartbeat};
use crate::admin::{Admin, Failure};
use crate::error::Error;
use crate::files::{self, io};
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const USER: &str = "postgres";
/// A stopped cluster that is older than this is created again: systems delete files from the temporary folder one by
/// one if they have not been used for ten days.
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// If the pid file says "ready" but the server refuses this many connections, it is dead, and another process has its
/// process number.
const MAX_REFUSALS: u32 = 5;
/// The limit of macOS for the path of a socket, minus the name that PostgreSQL gives it.
const LONGEST_SOCKET_FOLDER: usize = 103 - "/.s.PGSQL.65535".len();

/// The socket needs no password, because only the server's user can enter its folder. TCP needs one, because everyone
/// on the machine can connect. It is sent in clear text, since it never leaves the loopback interface, and SCRAM would
/// cost a debug build 4096 rounds of unoptimized SHA-256 per connection.
const HBA: &str = "local all all trust\nhost all all 127.0.0.1/32 password\n";

const SETTINGS: &str = "\
listen_addresses = '127.0.0.1'
max_connections = 200
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
log_statement = none
log_min_error_statement = panic
timezone = 'UTC'
log_timezone = 'UTC'
";

/// A cluster that may be running, stopped, or not created yet.
pub(crate) struct Cluster {
    installation: Installation,
    account: Account,
    folder: PathBuf,
    lock: PathBuf,
    idle: Duration,
}

/// A running cluster.
pub(crate) struct Running {
    pub(crate) admin: Admin,
    /// For TCP, with the password and the database `postgres`.
    pub(crate) url: String,
    /// For libpq, through the socket, without a password.
    pub(crate) socket_url: String,
    pub(crate) pid: u32,
}

impl Cluster {
    pub(super) fn new(installation: Installation, account: Account, home: &Path, idle: Duration) -> Self {
        let folder = home.join(&account.version);
        // Next to the folder, which belongs to the server's user.
        let lock = home.join(format!("{}.lock", account.version));
        Cluster { installation, account, folder, lock, idle }
    }

    pub(crate) fn describe(&self) -> String {
        format!("PostgreSQL {} of {}", self.account.version, self.installation.folder.display())
    }

    /// Refuses what would fail later with a worse message.
    pub(super) fn check_paths(&self) -> Result<(), Error> {
        let length = self.folder("socket").as_os_str().len();
        if length > LONGEST_SOCKET_FOLDER {
            return Err(Error::Setting {
                name: "RELATA_DEVDB_DIR",
                problem: format!("{} is too long for a socket", self.folder("socket").display()),
                help: format!("Set it to a folder whose path is {} bytes shorter.", length - LONGEST_SOCKET_FOLDER),
            });
        }
        let home = self.folder.parent().unwrap_or(&self.folder);
        let Some(user) = self.account.shut_out_of(&self.installation, home) else { return Ok(()) };
        let closed = account::closed_folder(home).unwrap_or_else(|| home.to_owned());
        Err(Error::Setting {
            name: "RELATA_DEVDB_DIR",
            problem: format!(
                "PostgreSQL refuses root and runs as the user {user}, who may not enter {}: {} is closed to other users",
                home.display(),
                closed.display()
            ),
            help: format!(
                "Set it to a folder that all users may enter, such as one in /tmp, or run `chmod o+x {}`.",
                closed.display()
            ),
        })
    }

    /// Returns the running cluster: attaches to it, starts it, or creates it.
    pub(crate) fn ensure(&self) -> Result<Running, Error> {
        if let Some(running) = self.attach()? {
            return Ok(running);
        }
        let _lock = files::lock(&self.lock)?;
        self.make_folder(&self.folder)?;
        let deadline = Instant::now() + START_TIMEOUT;
        let mut refused = 0;
        // Another process may have started it before we got the lock, and a watcher may be stopping it.
        while let Some(file) = pidfile::read(&self.data()) {
            if let Some(running) = self.attach()? {
                return Ok(running);
            }
            refused += u32::from(file.state == State::Ready);
            if refused >= MAX_REFUSALS || has_exited(file.pid) || Instant::now() > deadline {
                self.wipe()?;
            } else {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        self.start().or_else(|_| {
            self.wipe()?;
            self.start()
        })
    }

    /// Returns the cluster if it is already running.
    pub(crate) fn attach(&self) -> Result<Option<Running>, Error> {
        let Some(PidFile { pid, port, state: State::Ready }) = pidfile::read(&self.data()) else { return Ok(None) };
        watcher::touch(&self.folder)?;
        let running = self.running(pid, port)?;
        match running.admin.run(&["SELECT 1"]) {
            Ok(_) => {}
            Err(Failure { unreachable: true, .. }) => return Ok(None),
            Err(failure) => return Err(failure.error),
        }
        if !watcher::is_running(&self.folder, self.idle) {
            self.mark_watched()?;
            watcher::start(&self.account, &self.folder, pid, self.idle)?;
        }
        Ok(Some(running))
    }

    /// Stops the cluster, even if it is in use. Returns whether it was running.
    pub(crate) fn stop(&self) -> Result<bool, Error> {
        let _lock = files::lock(&self.lock)?;
        match self.attach() {
            Ok(None) => return Ok(false),
            // It answers, even if only with an error, so there is something to stop.
            Ok(Some(_)) | Err(Error::Server { .. }) => {}
            Err(error) => return Err(error),
        }
        let mut command = self.account.command(&self.installation.program("pg_ctl"));
        command.arg("stop").arg("-D").arg(self.data()).args(["-m", "fast", "-w", "-s"]);
        self.run(command)?;
        Ok(true)
    }

    pub(crate) fn heartbeat(&self) -> Heartbeat {
        Heartbeat::start(self.folder.clone(), self.idle)
    }

    /// How long an unused cluster keeps running.
    pub(crate) fn idle(&self) -> Duration {
        self.idle
    }

    fn start(&self) -> Result<Running, Error> {
        if !self.is_usable() {
            self.initialise()?;
        }
        watcher::touch(&self.folder)?;
        self.mark_watched()?;
        // A killed server leaves the lock file of its socket behind. The next server would trust it if the process
        // number has been reused.
        remove(&self.folder("socket"))?;
        self.make_folder(&self.folder("socket"))?;
        let port = self.choose_port()?;
        self.write("data/devdb.conf", &self.settings(port))?;
        let log = self.folder("log");
        // The previous log is of no use, and truncating it keeps it from growing forever.
        let _ = fs::remove_file(&log);
        let mut command = self.account.command(&self.installation.program("pg_ctl"));
        command.arg("start").arg("-D").arg(self.data()).arg("-l").arg(&log).args(["-w", "-s", "-t"]);
        command.arg(START_TIMEOUT.as_secs().to_string());
        self.run(command).map_err(|error| with_log(error, &log))?;
        let Some(PidFile { pid, port, .. }) = pidfile::read(&self.data()) else {
            let error = Error::Program { program: "postgres".to_owned(), output: "it stopped at once".to_owned() };
            return Err(with_log(error, &log));
        };
        watcher::start(&self.account, &self.folder, pid, self.idle)?;
        let running = self.running(pid, port)?;
        running.admin.run(&["SELECT 1"])?;
        Ok(running)
    }

    /// Whether there is an intact data folder.
    fn is_usable(&self) -> bool {
        // initdb writes this file, and nothing changes it afterwards.
        let made = fs::metadata(self.data().join("PG_VERSION")).and_then(|metadata| metadata.modified());
        made.is_ok_and(|made| made.elapsed().is_ok_and(|age| age < LIFETIME))
    }

    /// Creates the data folder under another name first, so that an interrupted run leaves nothing behind that looks
    /// complete.
    fn initialise(&self) -> Result<(), Error> {
        self.wipe()?;
        self.write("password", &uuid::Uuid::new_v4().simple().to_string())?;
        let with_unicode = if cfg!(target_os = "macos") { "UTF-8" } else { "C.UTF-8" };
        // Not every system has this locale. Without it, only ASCII letters have upper and lower case.
        self.initdb(with_unicode).or_else(|_| self.initdb("C"))?;
        self.write("data.new/pg_hba.conf", HBA)?;
        let configuration = self.folder("data.new/postgresql.conf");
        let text = fs::read_to_string(&configuration).map_err(io("read", &configuration))?;
        self.write("data.new/postgresql.conf", &format!("{text}\ninclude_if_exists 'devdb.conf'\n"))?;
        fs::rename(self.folder("data.new"), self.data()).map_err(io("create", &self.data()))
    }

    fn initdb(&self, ctype: &str) -> Result<(), Error> {
        let unfinished = self.folder("data.new");
        remove(&unfinished)?;
        let mut command = self.account.command(&self.installation.program("initdb"));
        command.arg("-D").arg(&unfinished).args(["-U", USER, "-E", "UTF8", "--locale=C", "--no-sync"]);
        command.arg(format!("--lc-ctype={ctype}")).args(["--auth-local=trust", "--auth-host=password"]);
        command.arg("--pwfile").arg(self.folder("password"));
        self.run(command)
    }

    fn settings(&self, port: u16) -> String {
        // A list of folders, each in double quotes, inside a single-quoted string.
        let socket = self.folder("socket").display().to_string().replace('"', "\"\"").replace('\'', "''");
        format!("{SETTINGS}port = {port}\nunix_socket_directories = '\"{socket}\"'\n")
    }

    /// Returns the port of the last run if it is still free, so that URLs stay valid.
    fn choose_port(&self) -> Result<u16, Error> {
        let file = self.folder("port");
        let last = fs::read_to_string(&file).ok().and_then(|text| text.trim().parse().ok()).filter(|port| *port != 0);
        let bind = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|l| l.local_addr());
        let address = match last.map(bind) {
            Some(Ok(address)) => address,
            _ => bind(0).map_err(io("find a free port for", &self.folder))?,
        };
        self.write("port", &address.port().to_string())?;
        Ok(address.port())
    }

    /// This happens before a watcher is started, so that the next process to attach does not start another.
    fn mark_watched(&self) -> Result<(), Error> {
        self.write(watcher::SEEN, "")
    }

    fn running(&self, pid: u32, port: u16) -> Result<Running, Error> {
        let socket = self.folder("socket");
        let file = self.folder("password");
        let password = fs::read_to_string(&file).map_err(io("read", &file))?;
        let mut config = tokio_postgres::Config::new();
        config.host_path(&socket).port(port).user(USER).dbname("postgres");
        let encoded = crate::url::encode(&socket.display().to_string());
        Ok(Running {
            admin: Admin::new(config, self.describe()),
            url: format!("postgres://{USER}:{}@127.0.0.1:{port}/postgres", password.trim()),
            socket_url: format!("postgres:///postgres?host={encoded}&port={port}&user={USER}"),
            pid,
        })
    }

    /// Removes the data. A server that is still running notices that its pid file is gone, and ends by itself.
    fn wipe(&self) -> Result<(), Error> {
        remove(&self.folder("data.new"))?;
        remove(&self.data())
    }

    fn make_folder(&self, folder: &Path) -> Result<(), Error> {
        fs::create_dir_all(folder).map_err(io("create", folder))?;
        self.restrict(folder, 0o700)
    }

    /// Writes a file that only the server's user (and root) can read.
    fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;
        let path = self.folder(name);
        let file = File::options().create(true).write(true).truncate(true).mode(0o600).open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(io("write", &path))?;
        self.restrict(&path, 0o600)
    }

    fn restrict(&self, path: &Path, mode: u32) -> Result<(), Error> {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(io("set the mode of", path))?;
        self.account.own(path).map_err(io("change the owner of", path))
    }

    fn run(&self, mut command: std::process::Command) -> Result<(), Error> {
        let program = command.get_program().to_string_lossy().into_owned();
        let failed = |output: String| Error::Program { program: program.clone(), output };
        let output = command.current_dir(&self.folder).output().map_err(|error| failed(error.to_string()))?;
        if output.status.success() {
            return Ok(());
        }
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Err(failed(format!("{}\n{}", output.status, text.trim())))
    }

    fn data(&self) -> PathBuf {
        self.folder("data")
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

fn has_exited(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_none_or(|pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH))
}

fn remove(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io("remove", folder)(error)),
        _ => Ok(()),
    }
}

/// Returns `error` with the last lines of the server's log, which contain the reason.
pub(super) fn with_log(error: Error, log: &Path) -> Error {
    let Error::Program { program, output } = error else { return error };
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let tail = lines[lines.len().saturating_sub(10)..].join("\n");
    Error::Program { program, output: format!("{output}\n{tail}") }
}
