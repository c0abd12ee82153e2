//! Decides which client has the engine: one at a time, in the order in which they asked.
//!
//! A turn lasts until the transaction ends. A client that has waited too long is refused: if the holder is idle in a
//! transaction, it may itself be waiting for that client, and only this program could notice.

use crate::engine::{Engine, Failure, Shared};
use crate::session::{Id, Settings};
use crate::wire::{Frame, Refusal};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Mutex as AsyncMutex, Notify, OwnedMutexGuard, watch};

/// How long a client waits for its turn.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// While another client is idle in a transaction.
    pub idle: Duration,
    /// While a statement of another client runs.
    pub busy: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience { idle: Duration::from_secs(10), busy: Duration::from_secs(300) }
    }
}

/// How often a waiting client checks what it is waiting for.
const LOOK: Duration = Duration::from_millis(100);

const HINT: &str = "The embedded PostgreSQL runs one transaction at a time, over all connections. End the other one \
    first, or set DATABASE_URL to a PostgreSQL server. See docs/devdb.md.";

/// What the holder of the turn is waiting for, and since when.
#[derive(Debug, Clone, Copy)]
pub enum Activity {
    Nobody,
    /// The client has not sent its next message.
    Client(Instant),
    /// The engine has not responded.
    Engine(Instant),
}

/// The part of a client that the others can access.
struct Entry {
    secret: i32,
    cancel: Arc<Notify>,
    notices: UnboundedSender<Frame>,
    listens: BTreeSet<String>,
    temporary: bool,
}

type Known = HashMap<(String, String, Settings), (Settings, BTreeMap<String, String>)>;

/// The engine and its clients.
pub struct Pool {
    engine: Arc<AsyncMutex<Engine>>,
    patience: Patience,
    activity: Mutex<Activity>,
    clients: Mutex<HashMap<Id, Entry>>,
    /// The settings with which a session of each kind starts, and what the engine reports of them.
    known: Mutex<Known>,
    next: AtomicI32,
    closing: watch::Receiver<bool>,
}

/// The right to use the engine. Dropping it gives the turn to the next client.
pub struct Turn {
    engine: OwnedMutexGuard<Engine>,
    pool: Arc<Pool>,
}

impl Pool {
    pub fn new(root: PathBuf, patience: Patience, closing: watch::Receiver<bool>) -> Arc<Self> {
        Arc::new(Pool {
            engine: Arc::new(AsyncMutex::new(Engine::new(root))),
            patience,
            activity: Mutex::new(Activity::Nobody),
            clients: Mutex::default(),
            known: Mutex::default(),
            next: AtomicI32::new(1),
            closing,
        })
    }

    pub fn patience(&self) -> Patience {
        self.patience
    }

    /// Signals when the engine has to end.
    pub fn closing(&self) -> watch::Receiver<bool> {
        self.closing.clone()
    }

    /// Returns a number for a new client, under which the others can access it.
    pub fn enter(&self, secret: i32, notices: UnboundedSender<Frame>) -> Id {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let entry =
            Entry { secret, cancel: Arc::new(Notify::new()), notices, listens: BTreeSet::new(), temporary: false };
        lock(&self.clients).insert(id, entry);
        id
    }

    /// Removes the client, and whatever it left in the engine.
    pub async fn leave(self: &Arc<Self>, id: Id, session: Option<Shared>) {
        lock(&self.clients).remove(&id);
        let Some(session) = session else { return };
        let mut turn = self.hold().await;
        let others = lock(&self.clients).values().any(|entry| entry.temporary);
        turn.mark(Activity::Engine(Instant::now()));
        if turn.engine().forget(&session, others).await.is_err() {
            turn.engine().lose().await;
        }
    }

    async fn hold(self: &Arc<Self>) -> Turn {
        Turn { engine: Arc::clone(&self.engine).lock_owned().await, pool: Arc::clone(self) }
    }

    /// Waits for the turn of client `id`.
    pub async fn turn(self: &Arc<Self>, id: Id) -> Result<Turn, Refusal> {
        let started = Instant::now();
        let cancel = lock(&self.clients).get(&id).map(|entry| Arc::clone(&entry.cancel));
        let hold = self.hold();
        tokio::pin!(hold);
        loop {
            tokio::select! {
                biased;
                turn = &mut hold => return Ok(turn),
                () = cancelled(cancel.as_deref()) => return Err(canceled()),
                () = tokio::time::sleep(LOOK) => self.look(started)?,
            }
        }
    }

    fn look(&self, started: Instant) -> Result<(), Refusal> {
        let (since, limit, what) = match *lock(&self.activity) {
            Activity::Nobody => return Ok(()),
            Activity::Client(since) => (since, self.patience.idle, "another connection is in a transaction"),
            Activity::Engine(since) => (since, self.patience.busy, "a statement of another connection runs"),
        };
        if since.max(started).elapsed() < limit {
            return Ok(());
        }
        Err(no_turn(&format!("{what}, and has been for {} s", since.elapsed().as_secs())))
    }

    /// Returns the initial state of a session, if one of its kind has been seen.
    pub fn known(&self, key: &(String, String, Settings)) -> Option<(Settings, BTreeMap<String, String>)> {
        lock(&self.known).get(key).cloned()
    }

    pub fn learn(&self, key: (String, String, Settings), value: (Settings, BTreeMap<String, String>)) {
        lock(&self.known).insert(key, value);
    }

    /// `ALTER ROLE` or `ALTER DATABASE` was run: sessions may start differently from now on.
    pub fn unlearn(&self) {
        lock(&self.known).clear();
    }

    /// Requests that client `id` cancel what it does. Takes effect while the client waits for its turn.
    pub fn cancel(&self, id: Id, secret: i32) {
        if let Some(entry) = lock(&self.clients).get(&id)
            && entry.secret == secret
        {
            entry.cancel.notify_waiters();
        }
    }

    /// Passes a notification on to the clients that listen.
    pub fn notify(&self, notice: &Frame) {
        let channel = notice.body().get(4..).map(|rest| crate::wire::text(rest).0).unwrap_or_default();
        for entry in lock(&self.clients).values().filter(|entry| entry.listens.contains(&channel)) {
            // A client that is leaving does not receive it.
            let _ = entry.notices.send(notice.clone());
        }
    }

    /// Records what the others have to know about a client's session.
    pub fn publish(&self, id: Id, listens: &BTreeSet<String>, temporary: bool) {
        if let Some(entry) = lock(&self.clients).get_mut(&id) {
            entry.listens.clone_from(listens);
            entry.temporary = temporary;
        }
    }

    fn listened(&self) -> BTreeSet<String> {
        lock(&self.clients).values().flat_map(|entry| entry.listens.iter().cloned()).collect()
    }

    /// Starts the engine before a client needs it.
    pub async fn start(self: &Arc<Self>, database: &str) -> Result<(), String> {
        self.hold().await.engine().open(database).await.map_err(|failure| failure.to_string())
    }

    /// Ends the engine, so that its files are complete. Clients have been told that it is closing.
    pub async fn stop(self: &Arc<Self>) {
        self.hold().await.engine().stop().await;
    }
}

impl Turn {
    pub fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    /// Describes what the holder is waiting for.
    pub fn mark(&self, activity: Activity) {
        *lock(&self.pool.activity) = activity;
    }

    /// Switches the engine to the session of `session`. If that fails, the engine's session belongs to no client.
    pub async fn switch(&mut self, session: &Shared) -> Result<(), Failure> {
        self.mark(Activity::Engine(Instant::now()));
        let listened = self.pool.listened();
        let done = self.engine.switch(session, &listened).await;
        match &done {
            Err(Failure::Server(_)) if self.engine.disown().await.is_ok() => {}
            Err(_) => self.engine.lose().await,
            Ok(()) => {}
        }
        done
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.mark(Activity::Nobody);
    }
}

async fn cancelled(cancel: Option<&Notify>) {
    match cancel {
        Some(cancel) => cancel.notified().await,
        None => std::future::pending().await,
    }
}

fn canceled() -> Refusal {
    Refusal { code: "57014", message: "canceling statement due to user request".to_owned(), hint: "" }
}

/// Returns the error for a client that has waited too long.
pub fn no_turn(why: &str) -> Refusal {
    Refusal { code: "55P03", message: format!("the statement was not run: {why}"), hint: HINT }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
