//! The only backend. It starts when it is first needed, and switches to the session of the client whose turn it is.

use crate::session::{Id, Lock, Session, Settings};
use crate::sql::{literal, name};
use crate::wire::{self, Frame, Frames, Refusal};
use pglite_oxide::PgliteServer;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Mutex;

/// The engine's own superuser.
pub const USER: &str = "postgres";

/// The number of clients whose locks are kept while others have their turns.
const PREPARED_TRANSACTIONS: &str = "50";
/// The engine's databases are small, and each has its own process.
const SHARED_BUFFERS: &str = "32MB";

const SESSION_SETTINGS: &str = "SELECT name, setting FROM pg_catalog.pg_settings \
    WHERE source = 'session' AND name NOT LIKE 'transaction\\_%'";
const LOCKS: &str = "SELECT classid, objid, objsubid, mode FROM pg_catalog.pg_locks \
    WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid()";
const PREPARED: &str = "SELECT name, statement FROM pg_catalog.pg_prepared_statements WHERE from_sql";

/// A client's session, which two share: its connection, and the engine while the session is the current one.
pub type Shared = Arc<Mutex<Session>>;
type Rows = Vec<Vec<Option<String>>>;

/// The reason why the engine did not carry out a request.
#[derive(Debug)]
pub enum Failure {
    /// The engine returned an error.
    Server(Frame),
    /// The engine is gone, and everything that it had in memory is lost.
    Lost(String),
}

impl Failure {
    /// Returns the message for a client whose connection ends because of this error.
    pub fn frame(&self) -> Frame {
        match self {
            Failure::Server(frame) => wire::as_fatal(frame),
            Failure::Lost(why) => {
                let message = format!("the embedded PostgreSQL has ended: {why}");
                Refusal { code: "57P02", message, hint: "Connect again: the engine restarts." }.frame("FATAL")
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Server(frame) => f.write_str(&wire::message(frame)),
            Failure::Lost(why) => f.write_str(why),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::Lost(error.to_string())
    }
}

/// A running backend, which serves one database.
pub struct Link {
    pub frames: Frames<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    database: String,
    /// `I`, `T` or `E`: outside a transaction, inside one, or inside one that has failed.
    pub status: u8,
    /// The settings that the engine reports.
    pub parameters: BTreeMap<String, String>,
    /// The current settings; none if a client left before they were read.
    applied: Option<Settings>,
}

/// The engine, which has at most one backend.
pub struct Engine {
    root: PathBuf,
    /// Dropped before the server, which waits until its client is gone.
    link: Option<Link>,
    server: Option<PgliteServer>,
    current: Option<Shared>,
    /// The generation of the prepared statements, which belong to one client. It changes when they are discarded.
    pub generation: u64,
    /// The clients whose locks are kept by prepared transactions.
    parked: BTreeSet<Id>,
    /// Channels that the backend no longer listens on.
    pub deaf: bool,
}

impl Engine {
    pub fn new(root: PathBuf) -> Self {
        Engine { root, server: None, link: None, current: None, generation: 1, parked: BTreeSet::new(), deaf: false }
    }

    /// Returns the backend; each turn begins with this.
    pub fn link(&mut self) -> Result<&mut Link, Failure> {
        self.link.as_mut().ok_or_else(|| Failure::Lost("it is not running".to_owned()))
    }

    pub async fn send(&mut self, frames: &[Frame]) -> Result<(), Failure> {
        let bytes: Vec<u8> = frames.iter().flat_map(Frame::bytes).copied().collect();
        Ok(self.link()?.writer.write_all(&bytes).await?)
    }

    /// Runs our own statements and returns the rows.
    pub async fn ask(&mut self, sql: &str) -> Result<Rows, Failure> {
        self.send(&[wire::query(sql)]).await?;
        self.answer().await
    }

    async fn answer(&mut self) -> Result<Rows, Failure> {
        let mut rows = Vec::new();
        let mut error = None;
        loop {
            let frame = self.receive().await?;
            match frame.tag() {
                b'D' => rows.push(wire::row(&frame)),
                b'E' => error = error.or(Some(frame)),
                b'Z' => return error.map_or(Ok(rows), |error| Err(Failure::Server(error))),
                _ => {}
            }
        }
    }

    /// Returns the next message, after recording what it says about the engine.
    pub async fn receive(&mut self) -> Result<Frame, Failure> {
        let link = self.link()?;
        let frame = link.frames.next().await?;
        let frame = frame.ok_or_else(|| Failure::Lost("it closed its connection".to_owned()))?;
        link.take_down(&frame);
        Ok(frame)
    }

    /// Returns the next message if it has already arrived.
    pub fn buffered(&mut self) -> Result<Option<Frame>, Failure> {
        let link = self.link()?;
        let frame = link.frames.buffered()?;
        if let Some(frame) = &frame {
            link.take_down(frame);
        }
        Ok(frame)
    }

    /// Switches the engine to the session of `shared`.
    pub async fn switch(&mut self, shared: &Shared, listened: &BTreeSet<String>) -> Result<(), Failure> {
        if self.current.as_ref().is_some_and(|current| Arc::ptr_eq(current, shared)) && self.link.is_some() {
            return Ok(());
        }
        if let Some(previous) = self.current.take() {
            self.park(&mut *previous.lock().await).await?;
        }
        let mut session = shared.lock().await;
        match &self.link {
            Some(link) if link.database == session.database => {}
            Some(_) => {
                self.check_database(&session.database).await?;
                self.open(&session.database).await?;
            }
            None => self.open(&session.database).await?,
        }
        self.unpark(&mut session).await?;
        if self.deaf {
            for channel in listened {
                self.ask(&format!("LISTEN {}", name(channel))).await?;
            }
            self.deaf = false;
        }
        drop(session);
        self.current = Some(Arc::clone(shared));
        Ok(())
    }

    /// Refuses a database that does not exist, before the backend of the open one is closed for it.
    async fn check_database(&mut self, database: &str) -> Result<(), Failure> {
        let sql = format!("SELECT 1 FROM pg_catalog.pg_database WHERE datname = {}", literal(database));
        if !self.ask(&sql).await?.is_empty() {
            return Ok(());
        }
        let message = format!("database \"{database}\" does not exist");
        Err(Failure::Server(Refusal { code: "3D000", message, hint: "" }.frame("FATAL")))
    }

    /// Marks the engine's session as belonging to no client, with unknown settings.
    pub async fn disown(&mut self) -> Result<(), Failure> {
        self.current = None;
        let Some(link) = &mut self.link else { return Ok(()) };
        link.applied = None;
        if link.status != b'I' {
            self.ask("ROLLBACK").await?;
        }
        Ok(())
    }

    /// Whether another client than `id` holds an advisory lock.
    pub fn others_hold_locks(&self, id: Id) -> bool {
        self.parked.iter().any(|parked| *parked != id)
    }

    /// Reads back what `session` changed, and removes from the engine what only it may see.
    async fn park(&mut self, session: &mut Session) -> Result<(), Failure> {
        let dirty = std::mem::take(&mut session.dirty);
        if dirty.settings {
            let settings = self.read_settings(session).await?;
            self.link()?.applied = Some(settings.clone());
            session.settings = session.start.clone();
            session.settings.extend(settings);
        }
        if dirty.prepared || !session.prepared.is_empty() {
            session.prepared = pairs(self.ask(PREPARED).await?);
        }
        self.deallocate(session).await?;
        if dirty.locks {
            session.parked = self.ask(LOCKS).await?.into_iter().filter_map(lock).collect();
            if !session.parked.is_empty() {
                // A prepared transaction holds them, and conflicts with all clients as another session would.
                let locks = calls("pg_advisory_xact_lock", &session.parked);
                self.ask("SELECT pg_catalog.pg_advisory_unlock_all()").await?;
                self.ask(&format!("BEGIN; SELECT {locks}; PREPARE TRANSACTION '{}'", transaction(session.id))).await?;
                self.parked.insert(session.id);
            }
        }
        Ok(())
    }

    /// Removes the statements of `session` from the engine.
    async fn deallocate(&mut self, session: &Session) -> Result<(), Failure> {
        if session.has_statements(self.generation) || session.dirty.prepared || !session.prepared.is_empty() {
            self.ask("DEALLOCATE ALL").await?;
        }
        // The unnamed one is lost in any case, or will belong to another client.
        self.generation += 1;
        Ok(())
    }

    async fn unpark(&mut self, session: &mut Session) -> Result<(), Failure> {
        if self.link()?.applied.as_ref() != Some(&session.settings) {
            self.link()?.applied = None;
            self.ask(&apply(&session.settings)).await?;
            self.link()?.applied = Some(session.settings.clone());
        }
        for (_, statement) in &session.prepared {
            self.ask(statement).await?;
        }
        if self.parked.remove(&session.id) {
            self.ask(&format!("COMMIT PREPARED '{}'", transaction(session.id))).await?;
            self.ask(&format!("SELECT {}", calls("pg_advisory_lock", &session.parked))).await?;
            session.parked.clear();
            // They are in the engine again, and have to be checked when the turn ends.
            session.dirty.locks = true;
        }
        Ok(())
    }

    async fn read_settings(&mut self, session: &Session) -> Result<Settings, Failure> {
        let special = ["role", "session_authorization"].map(str::to_owned);
        let names: Vec<String> = session.custom.iter().chain(&special).map(|name| literal(name)).collect();
        let sql = format!(
            "{SESSION_SETTINGS} UNION ALL SELECT n, pg_catalog.current_setting(n, true) \
             FROM pg_catalog.unnest(ARRAY[{}]) n WHERE pg_catalog.current_setting(n, true) <> ''",
            names.join(",")
        );
        let mut settings: Settings = pairs(self.ask(&sql).await?).into_iter().collect();
        for (name, default) in [("role", "none"), ("session_authorization", USER)] {
            if settings.get(name).is_some_and(|value| value == default) {
                settings.remove(name);
            }
        }
        Ok(settings)
    }

    /// Returns the initial settings of a session according to `ALTER DATABASE` and `ALTER ROLE`.
    pub async fn configured(&mut self, user: &str) -> Result<Settings, Failure> {
        let sql = format!(
            "SELECT split_part(line, '=', 1), substr(line, strpos(line, '=') + 1) FROM pg_catalog.pg_db_role_setting, \
             pg_catalog.unnest(setconfig) line \
             WHERE setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())) \
             AND setrole IN (0, (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = {})) ORDER BY setrole, setdatabase",
            literal(user)
        );
        Ok(pairs(self.ask(&sql).await?).into_iter().collect())
    }

    /// Removes everything of `shared` from the engine, because its client is gone.
    pub async fn forget(&mut self, shared: &Shared, others_have_temporary: bool) -> Result<(), Failure> {
        let is_current = self.current.as_ref().is_some_and(|current| Arc::ptr_eq(current, shared));
        if self.link.is_none() {
            return Ok(());
        }
        let session = shared.lock().await;
        if is_current {
            self.current = None;
            if session.dirty.settings {
                self.link()?.applied = None;
                // What follows runs as a role that has the right to do it.
                self.ask("SET SESSION AUTHORIZATION DEFAULT").await?;
            }
            if session.dirty.locks {
                self.ask("SELECT pg_catalog.pg_advisory_unlock_all()").await?;
            }
            self.deallocate(&session).await?;
        }
        if self.parked.remove(&session.id) {
            self.ask(&format!("ROLLBACK PREPARED '{}'", transaction(session.id))).await?;
        }
        if session.temporary && !others_have_temporary {
            self.ask("DISCARD TEMP").await?;
        }
        Ok(())
    }

    /// Opens `database`, after the backend of another one was closed.
    pub async fn open(&mut self, database: &str) -> Result<(), Failure> {
        self.close().await;
        let first = self.server.is_none();
        if first {
            self.server = Some(start(self.root.clone()).await?);
        }
        let address = self.server.as_ref().and_then(PgliteServer::tcp_addr);
        let address = address.ok_or_else(|| Failure::Lost("it has no port".to_owned()))?;
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (reader, mut writer) = stream.into_split();
        let startup = [("user", USER), ("database", database), ("client_encoding", "UTF8")];
        writer.write_all(&wire::startup(&startup)).await?;
        self.link = Some(Link {
            frames: Frames::new(reader),
            writer,
            database: database.to_owned(),
            status: b'I',
            parameters: BTreeMap::new(),
            applied: None,
        });
        if let Err(failure) = self.greeting().await {
            self.link = None;
            return Err(failure);
        }
        if first {
            for gid in self
                .ask(
                    "SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE database = current_database() \
                AND gid LIKE 'relata\\_client\\_%'",
                )
                .await?
                .into_iter()
                .flatten()
                .flatten()
            {
                self.ask(&format!("ROLLBACK PREPARED {}", literal(&gid))).await?;
            }
        }
        Ok(())
    }

    /// Reads the backend's first messages. An error ends its connection: no `Z` follows.
    async fn greeting(&mut self) -> Result<(), Failure> {
        loop {
            let frame = self.receive().await?;
            match frame.tag() {
                b'E' => return Err(Failure::Server(frame)),
                b'Z' => return Ok(()),
                _ => {}
            }
        }
    }

    /// Closes the backend, if there is one. Its data is then on disk.
    pub async fn close(&mut self) {
        self.current = None;
        self.deaf = true;
        self.generation += 1;
        let Some(mut link) = self.link.take() else { return };
        let end = Frame::new(b'X', |_| ());
        if link.writer.write_all(end.bytes()).await.is_ok() {
            // It closes when it has finished.
            while let Ok(Some(_)) = link.frames.next().await {}
        }
    }

    /// Closes the backend and its server.
    pub async fn stop(&mut self) {
        self.close().await;
        if let Some(server) = self.server.take() {
            let _ = tokio::task::spawn_blocking(move || server.shutdown()).await;
        }
    }

    /// The backend is gone, or its state is unknown.
    pub async fn lose(&mut self) {
        self.link = None;
        self.close().await;
        // The thread is left alone: another server is started.
        if let Some(server) = self.server.take() {
            std::thread::spawn(move || drop(server));
        }
    }
}

impl Link {
    fn take_down(&mut self, frame: &Frame) {
        match frame.tag() {
            b'Z' => self.status = frame.body().first().copied().unwrap_or(b'I'),
            b'S' => {
                if let [name, value, ..] = frame.texts().as_slice() {
                    self.parameters.insert(name.clone(), value.clone());
                }
            }
            _ => {}
        }
    }
}

/// Starts the server on a separate thread, because this blocks.
async fn start(root: PathBuf) -> Result<PgliteServer, Failure> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let work = move || {
        let server = PgliteServer::builder()
            .path(root)
            .relaxed_durability(true)
            .postgres_config("max_prepared_transactions", PREPARED_TRANSACTIONS)
            .postgres_config("shared_buffers", SHARED_BUFFERS)
            .start();
        let _ = sender.send(server);
    };
    std::thread::Builder::new().name("engine".to_owned()).spawn(work)?;
    match receiver.await {
        Ok(Ok(server)) => Ok(server),
        Ok(Err(error)) => Err(Failure::Lost(format!("{error:#}"))),
        Err(_) => Err(Failure::Lost("its thread ended".to_owned())),
    }
}

/// Returns the name of the prepared transaction that keeps a client's locks.
fn transaction(id: Id) -> String {
    format!("relata_client_{id}")
}

fn pairs(rows: Rows) -> Vec<(String, String)> {
    let pair = |row: Vec<Option<String>>| {
        let mut values = row.into_iter();
        Some((values.next()??, values.next()??))
    };
    rows.into_iter().filter_map(pair).collect()
}

fn lock(row: Vec<Option<String>>) -> Option<Lock> {
    let [Some(class), Some(object), Some(kind), Some(mode)] = row.as_slice() else { return None };
    let (class, object): (u32, u32) = (class.parse().ok()?, object.parse().ok()?);
    let key = match kind.as_str() {
        "1" => ((u64::from(class) << 32) | u64::from(object)).cast_signed().to_string(),
        _ => format!("{}, {}", class.cast_signed(), object.cast_signed()),
    };
    Some(Lock { key, shared: mode == "ShareLock" })
}

/// Returns calls of `function`, one for each lock.
fn calls(function: &str, locks: &[Lock]) -> String {
    let call = |lock: &Lock| {
        let shared = if lock.shared { "_shared" } else { "" };
        // A key is a bigint, or two values of type int.
        let key = if lock.key.contains(',') { lock.key.clone() } else { format!("'{}'::bigint", lock.key) };
        format!("pg_catalog.{function}{shared}({key})")
    };
    locks.iter().map(call).collect::<Vec<_>>().join(", ")
}

/// Returns statements that give a session these settings and no others.
fn apply(settings: &Settings) -> String {
    let special = |name: &str| matches!(name, "role" | "session_authorization");
    let mut sql = "SET SESSION AUTHORIZATION DEFAULT; RESET ALL".to_owned();
    for (name, value) in settings.iter().filter(|(name, _)| !special(name)) {
        sql.push_str(&format!("; SELECT pg_catalog.set_config({}, {}, false)", literal(name), literal(value)));
    }
    if let Some(user) = settings.get("session_authorization") {
        sql.push_str(&format!("; SET SESSION AUTHORIZATION {}", name(user)));
    }
    if let Some(role) = settings.get("role") {
        sql.push_str(&format!("; SET ROLE {}", name(role)));
    }
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_taken_again_as_it_was() {
        let row = |values: [&str; 4]| values.map(|value| Some(value.to_owned())).to_vec();
        let one = lock(row(["4294967295", "4294967295", "1", "ExclusiveLock"])).expect("a lock");
        let two = lock(row(["1380273217", "4294967295", "2", "ShareLock"])).expect("a lock");
        assert_eq!(
            calls("pg_advisory_lock", &[one, two]),
            "pg_catalog.pg_advisory_lock('-1'::bigint), pg_catalog.pg_advisory_lock_shared(1380273217, -1)"
        );
    }

    #[test]
    fn settings_are_applied_as_values() {
        let settings = [("a.b", "it's"), ("role", "r\"x")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let sql = apply(&settings.into_iter().collect());
        assert!(sql.contains("set_config('a.b', 'it''s', false)") && sql.ends_with("SET ROLE \"r\"\"x\""), "{sql}");
    }
}
