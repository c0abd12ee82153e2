//! Replicas: which server a read goes to.
//!
//! A background check knows which replicas are reachable and close enough to the primary. Reads go to those, and to the
//! primary if there are none. What a handle has written itself, its reads see: they go to a connection whose server has
//! replayed it, or to the primary.

mod check;
mod own_writes;
mod position;
mod route;
mod standing;

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use own_writes::OwnWrites;
pub(super) use position::Lsn;
use position::{History, News, Position, Seen};
pub(crate) use route::{Freshness, Route};
pub(crate) use standing::LagLimits;
use standing::Standing;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::pool::{Pool, Shared};
use crate::error::{Error, Result, from_connection};
use crate::telemetry::{ServerRole, ServerStatistics};

/// Where the calls of a handle go.
#[derive(Clone)]
pub(crate) struct Routing {
    side: Side,
    replicas: Arc<Replicas>,
    own: Arc<OwnWrites>,
}

/// Which servers a handle uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Reads go to replicas, everything else to the primary.
    Both,
    Primary,
    /// Reads go to replicas only, and nothing else may be sent.
    Replicas,
}

/// The settings of replicas.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReplicaSettings {
    pub(crate) limits: LagLimits,
    /// How long a read waits until a replica has what its handle wrote.
    pub(crate) wait: Duration,
    /// The pause between two checks.
    pub(crate) interval: Duration,
}

impl Default for ReplicaSettings {
    fn default() -> Self {
        Self {
            limits: LagLimits { time: Duration::from_secs(10), bytes: None },
            wait: Duration::from_millis(200),
            interval: Duration::from_secs(1),
        }
    }
}

/// The replicas of one primary.
pub(crate) struct Replicas {
    primary: Arc<Shared>,
    list: Vec<Replica>,
    settings: ReplicaSettings,
    history: Mutex<History>,
    /// Counts reads, so that they take turns.
    turns: AtomicUsize,
    /// The checks.
    tasks: Mutex<Vec<AbortHandle>>,
}

struct Replica {
    shared: Arc<Shared>,
    standing: Mutex<Standing>,
    /// Asks for a check now.
    wake: Arc<Notify>,
}

const WRITES_ON_REPLICA: &str = "`db.replica()` only reads: write through the client itself or `db.primary()`, and begin \
    a transaction with `.read_only()`. Raw SQL that may write is refused as well";

/// Notes a write of a handle when it ends, however it ends.
pub(crate) struct Writing<'r>(&'r OwnWrites);

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.0.note();
    }
}

impl Routing {
    /// Checks the replicas once, and begins to check them in the background.
    pub(crate) async fn start(primary: Arc<Shared>, replicas: Vec<Shared>, settings: ReplicaSettings) -> Result<Self> {
        let replicas = Arc::new(Replicas::new(primary, replicas, settings));
        check::start(&replicas).await?;
        Ok(Self { side: Side::Both, replicas, own: Arc::default() })
    }

    /// The routing of a client without replicas that is asked for one.
    fn without_replicas(primary: &Arc<Shared>) -> Self {
        let replicas = Arc::new(Replicas::new(Arc::clone(primary), Vec::new(), ReplicaSettings::default()));
        Self { side: Side::Both, replicas, own: Arc::default() }
    }

    /// Sends everything to the primary.
    pub(crate) fn to_primary(pool: &mut Pool) {
        if let Some(routing) = &mut pool.routing {
            routing.side = Side::Primary;
        }
    }

    /// Sends reads to replicas only, and refuses everything else.
    pub(crate) fn to_replicas(pool: &mut Pool) {
        pool.routing.get_or_insert_with(|| Self::without_replicas(&pool.shared)).side = Side::Replicas;
    }

    /// Begins to note writes anew.
    pub(crate) fn with_own_writes(pool: &mut Pool) {
        if let Some(routing) = &mut pool.routing {
            routing.own = Arc::default();
        }
    }

    /// Notes a write that has ended.
    pub(crate) fn note_write(&self) {
        self.own.note();
    }

    /// Notes a write from before it is sent until it has ended.
    pub(crate) fn writing(&self) -> Writing<'_> {
        self.own.note();
        Writing(&self.own)
    }

    /// Whether all calls are reads, which replicas serve.
    pub(crate) fn only_reads(&self) -> bool {
        self.side == Side::Replicas
    }

    /// Refuses a write at a handle that only reads.
    pub(crate) fn check_write(&self) -> Result<()> {
        if self.only_reads() { Err(Error::Misuse(WRITES_ON_REPLICA.into())) } else { Ok(()) }
    }

    pub(super) fn statistics(&self) -> Vec<ServerStatistics> {
        self.replicas.list.iter().map(Replica::statistics).collect()
    }

    /// Closes the connections to the replicas, and ends the checks.
    pub(crate) fn close(&self) {
        self.replicas.end_tasks();
        self.replicas.list.iter().for_each(|replica| replica.shared.connections.close());
    }
}

impl Replicas {
    fn new(primary: Arc<Shared>, replicas: Vec<Shared>, settings: ReplicaSettings) -> Self {
        let list = replicas.into_iter().map(|shared| Replica {
            shared: Arc::new(shared),
            standing: Mutex::new(Standing::unknown()),
            wake: Arc::default(),
        });
        Self {
            primary,
            list: list.collect(),
            settings,
            history: Mutex::default(),
            turns: AtomicUsize::new(0),
            tasks: Mutex::default(),
        }
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tasks(&self) -> MutexGuard<'_, Vec<AbortHandle>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep_tasks(&self, tasks: Vec<AbortHandle>) {
        *self.tasks() = tasks;
    }

    fn end_tasks(&self) {
        self.tasks().drain(..).for_each(|task| task.abort());
    }

    /// Takes in what the primary has written. Returns whether it is the primary that is known.
    fn note_primary(&self, asked: Instant, position: Position) -> bool {
        let mut history = self.history();
        match history.note(asked, position) {
            News::None => true,
            News::OldPrimary => {
                self.primary.close_idle();
                false
            }
            News::Promotion => {
                tracing::warn!(timeline = position.timeline, "another server has become the primary");
                self.primary.close_idle();
                self.list.iter().for_each(|replica| replica.standing().note_promotion());
                true
            }
        }
    }

    /// Takes in what a replica says about itself.
    fn note_replica(&self, at: usize, seen: Seen) {
        let history = self.history();
        self.list[at].change(|standing| standing.note(seen, &history, self.settings.limits));
    }

    /// Leaves a replica out that did not answer, until the next check.
    fn note_failure(&self, at: usize, error: &Error) {
        self.list[at].change(|standing| standing.fail(error.to_string()));
    }

    /// Asks the primary for its position.
    async fn position(&self, pool: &Arc<Pool>) -> Result<Position> {
        let asked = Instant::now();
        let connection = pool.acquire().await?;
        let answer = connection.ask(Position::ASK).await.map_err(|error| from_connection(&error))?;
        match Position::read(&answer) {
            Some(position) if self.note_primary(asked, position) => Ok(position),
            _ => Err(Error::ConnectionLost("the server is no longer the primary".to_owned())),
        }
    }
}

impl Drop for Replicas {
    fn drop(&mut self) {
        self.end_tasks();
    }
}

impl Replica {
    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is known about it, and logs if it is left out or taken back.
    fn change(&self, change: impl FnOnce(&mut Standing)) {
        let mut standing = self.standing();
        let was_left_out = standing.left_out().is_some();
        change(&mut standing);
        let server = self.shared.server.text();
        match standing.left_out() {
            Some(reason) if !was_left_out => tracing::warn!(server, reason, "a replica is left out"),
            None if was_left_out => tracing::info!(server, "a replica is used"),
            _ => {}
        }
    }

    fn statistics(&self) -> ServerStatistics {
        let standing = self.standing();
        let server = self.shared.status().of_server(self.shared.server.text().to_owned(), ServerRole::Replica);
        ServerStatistics {
            left_out: standing.left_out().map(str::to_owned),
            lag: standing.lag().map(|lag| lag.time),
            lag_bytes: standing.lag().map(|lag| lag.bytes),
            ..server
        }
    }
}
