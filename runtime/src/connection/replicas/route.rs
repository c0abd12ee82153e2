//! The way of one read: from replica to replica, and in the end to the primary.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::position::{Position, Seen};
use super::{Replicas, Routing, Side};
use crate::connection::manager::Connection;
use crate::connection::pool::Pool;
use crate::error::{Error, Result, from_connection};
use crate::telemetry::ServerNote;

/// The way of one read. Each server is tried once.
pub(crate) struct Route<'r> {
    pool: &'r Arc<Pool>,
    routing: &'r Routing,
    note: Option<&'r ServerNote>,
    /// The replicas that were tried.
    tried: Vec<usize>,
    at: At,
    /// Until when it may wait for a replica.
    deadline: Option<Instant>,
}

/// Where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    Replica(usize),
    Primary,
}

/// Has what a connection must have replayed.
pub(crate) struct Freshness {
    position: Position,
    deadline: Instant,
    limit: Duration,
    replicas: Arc<Replicas>,
    at: usize,
}

/// What takes too long in [`Error::Timeout`] if a replica does not catch up.
const CATCHING_UP: &str = "waiting until a replica has what was written";

impl<'r> Route<'r> {
    pub(crate) fn new(pool: &'r Arc<Pool>, routing: &'r Routing, note: Option<&'r ServerNote>) -> Self {
        Self { pool, routing, note, tried: Vec::new(), at: At::Start, deadline: None }
    }

    /// Returns the client at the next server.
    pub(crate) async fn next(&mut self) -> Result<Arc<Pool>> {
        let replicas = &self.routing.replicas;
        let position = match self.routing.side {
            Side::Both if self.at != At::Primary => {
                let ask = || {
                    let primary = self.pool.at(&replicas.primary);
                    async move { replicas.position(&primary).await }
                };
                match self.routing.own.position(ask).await {
                    Ok(position) => position,
                    // What was written is only there for sure.
                    Err(_) => return Ok(self.go_to_primary()),
                }
            }
            _ => None,
        };
        let best = if self.routing.side == Side::Primary { None } else { self.best(position) };
        match best {
            Some(at) => {
                self.at = At::Replica(at);
                self.tried.push(at);
                let shared = &replicas.list[at].shared;
                self.note.inspect(|note| note.note(&shared.server));
                let mut pool = self.pool.at(shared);
                if let (Some(position), Some(pool)) = (position, Arc::get_mut(&mut pool)) {
                    let limit = replicas.settings.wait;
                    let deadline = *self.deadline.get_or_insert_with(|| Instant::now() + limit);
                    let replicas = Arc::clone(replicas);
                    pool.freshness = Some(Arc::new(Freshness { position, deadline, limit, replicas, at }));
                }
                Ok(pool)
            }
            None if self.routing.side == Side::Replicas && !replicas.list.is_empty() => Err(self.no_replica()),
            None => Ok(self.go_to_primary()),
        }
    }

    fn go_to_primary(&mut self) -> Arc<Pool> {
        self.at = At::Primary;
        let primary = &self.routing.replicas.primary;
        self.note.inspect(|note| note.note(&primary.server));
        self.pool.at(primary)
    }

    /// Returns whether the read is to be tried at the next server.
    pub(crate) fn goes_on<T>(&mut self, outcome: &Result<T>) -> bool {
        let (At::Replica(at), Err(error)) = (self.at, outcome) else { return false };
        if error.is_lost_server() || matches!(error, Error::RowSecurity(_)) {
            let replicas = &self.routing.replicas;
            replicas.note_failure(at, error);
            replicas.list[at].wake.notify_one();
            return true;
        }
        // A conflict with what it replays, and what a replica refuses and the primary does not.
        let is_late = matches!(error, Error::Timeout { what, .. } if *what == CATCHING_UP);
        is_late || error.is_retryable() || (self.routing.side == Side::Both && error.is_of_standby())
    }

    /// Returns the replica to try: of those that have the position, or else of all, the one with the fewest connections
    /// in use.
    fn best(&self, position: Option<Position>) -> Option<usize> {
        let list = &self.routing.replicas.list;
        let turn = self.routing.replicas.turns.fetch_add(1, Ordering::Relaxed);
        let in_turn = (0..list.len()).map(|step| (turn + step) % list.len()).filter(|at| !self.tried.contains(at));
        let usable = in_turn.filter_map(|at| {
            let standing = list[at].standing();
            if standing.left_out().is_some() || position.is_some_and(|of| standing.timeline() != Some(of.timeline)) {
                return None;
            }
            let misses = position.is_some_and(|position| standing.replayed() < position.written);
            Some((misses, list[at].shared.status().in_use, at))
        });
        // The first of equal ones, whose turn it is.
        usable.min_by_key(|(misses, in_use, _)| (*misses, *in_use)).map(|(_, _, at)| at)
    }

    fn no_replica(&self) -> Error {
        let list = &self.routing.replicas.list;
        let reasons = list.iter().map(|replica| {
            let standing = replica.standing();
            format!("{}: {}", replica.shared.server.text(), standing.left_out().unwrap_or("it has just failed"))
        });
        let target = list.iter().map(|replica| replica.shared.options.target()).collect::<Vec<_>>().join(", ");
        let reason = format!("no replica serves the read, and `db.replica()` allows no other server: {}", {
            reasons.collect::<Vec<_>>().join("; ")
        });
        Error::Connect { target, reason }
    }
}

/// The pauses between two questions to a replica grow up to this.
const MAX_PAUSE: Duration = Duration::from_millis(20);

impl Freshness {
    /// Waits until the server of a connection has replayed the position.
    pub(crate) async fn check(&self, connection: &Connection) -> Result<()> {
        let (timeline, wanted) = (self.position.timeline, self.position.written);
        let replica = &self.replicas.list[self.at];
        let mut pause = Duration::from_millis(1);
        // A pooler may have another connection to the server for each question.
        let is_same_server = replica.shared.unnamed.is_none();
        loop {
            let known = connection.replayed().filter(|_| is_same_server);
            if known.is_some_and(|(of, replayed)| of == timeline && replayed >= wanted) {
                return Ok(());
            }
            let answer = connection.simple_query(Seen::ASK).await.map_err(|error| from_connection(&error))?;
            match Seen::read(&answer) {
                Some(seen) if seen.is_standby && replica.standing().timeline() == Some(timeline) => {
                    connection.note_replayed((timeline, seen.replayed));
                    if seen.replayed >= wanted {
                        return Ok(());
                    }
                }
                _ => return Err(Error::ConnectionLost("the server is no longer a replica of the primary".to_owned())),
            }
            if Instant::now() + pause > self.deadline {
                return Err(Error::Timeout { what: CATCHING_UP, limit: self.limit });
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }
}
