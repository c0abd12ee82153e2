//! A client's connection: how it starts, and what it does without a turn. [`turn`] handles what happens during a turn.

mod turn;

use crate::engine::{Failure, Shared, USER};
use crate::pool::{Pool, Turn, no_turn};
use crate::session::{Id, Session, Settings};
use crate::startup::{Startup, startup};
use crate::wire::{self, Frame, Frames, Refusal};
use bytes::{BufMut, BytesMut};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Mutex, mpsc, watch};
use turn::End;

/// How long to wait before checking again whether an advisory lock has been released.
const LOCK_PAUSE: Duration = Duration::from_millis(20);
/// Serves a connection until it ends.
pub async fn serve(pool: Arc<Pool>, stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (reader, mut writer) = stream.into_split();
    let mut frames = Frames::new(reader);
    let startup = match startup(&mut frames, &mut writer).await? {
        Startup::Session(parameters) => parameters,
        Startup::Cancel { id, secret } => {
            pool.cancel(id, secret);
            return Ok(());
        }
        Startup::Ended => return Ok(()),
    };
    let (sender, notices) = mpsc::unbounded_channel();
    let secret = secret();
    let id = pool.enter(secret, sender);
    let session = Session::new(id, startup.database.clone(), Settings::new());
    let mut client = Client {
        closing: pool.closing(),
        pool: Arc::clone(&pool),
        frames,
        writer,
        notices,
        told: BTreeMap::new(),
        session: Arc::new(Mutex::new(session)),
        id,
        out: BytesMut::new(),
    };
    let done = client.run(startup.user, startup.settings, secret).await;
    let session = client.session;
    pool.leave(id, Some(session)).await;
    done
}

fn secret() -> i32 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let bytes = RandomState::new().build_hasher().finish().to_le_bytes();
    i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

struct Client {
    pool: Arc<Pool>,
    frames: Frames<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    notices: mpsc::UnboundedReceiver<Frame>,
    closing: watch::Receiver<bool>,
    session: Shared,
    id: Id,
    /// The settings that were reported to the client.
    told: BTreeMap<String, String>,
    /// The bytes to send.
    out: BytesMut,
}

impl Client {
    async fn run(&mut self, user: String, start: Settings, secret: i32) -> io::Result<()> {
        if let Err(error) = self.begin(user, start).await {
            self.writer.write_all(error.bytes()).await?;
            return Ok(());
        }
        self.push(&Frame::new(b'R', |bytes| bytes.put_u32(0)));
        for (name, value) in self.told.clone() {
            self.push(&wire::parameter(&name, &value));
        }
        let id = self.id;
        self.push(&Frame::new(b'K', |bytes| {
            bytes.put_i32(id);
            bytes.put_i32(secret);
        }));
        self.push(&wire::ready(b'I'));
        self.flush().await?;
        self.listen().await
    }

    /// Determines the initial state of the session. An error ends the connection.
    async fn begin(&mut self, user: String, start: Settings) -> Result<(), Frame> {
        let database = self.session.lock().await.database.clone();
        let key = (database, user, start);
        if let Some((settings, told)) = self.pool.known(&key) {
            let mut session = self.session.lock().await;
            session.start.clone_from(&settings);
            session.settings = settings;
            self.told = told;
            return Ok(());
        }
        let mut turn = self.pool.turn(self.id).await.map_err(|refusal| refusal.frame("FATAL"))?;
        // First without the client's settings: those of the role and the database have to be queried.
        turn.switch(&self.session).await.map_err(|failure| failure.frame())?;
        let mut settings = turn.engine().configured(&key.1).await.map_err(|failure| failure.frame())?;
        settings.extend(key.2.clone());
        if key.1 != USER {
            settings.insert("session_authorization".to_owned(), key.1.clone());
        }
        // A new session, so that the engine has to apply its settings.
        let mut session = Session::new(self.id, key.0.clone(), settings.clone());
        std::mem::swap(&mut session.listens, &mut self.session.lock().await.listens);
        self.session = Arc::new(Mutex::new(session));
        turn.switch(&self.session).await.map_err(|failure| failure.frame())?;
        self.told = turn.engine().link().map_err(|failure| failure.frame())?.parameters.clone();
        self.pool.learn(key, (settings, self.told.clone()));
        Ok(())
    }

    /// Collects messages until one of them requires a response, then takes a turn for all of them.
    async fn listen(&mut self) -> io::Result<()> {
        let mut group = Vec::new();
        // After an error, PostgreSQL ignores everything until the next Sync.
        let mut skipping = false;
        loop {
            let frame = tokio::select! {
                frame = self.frames.next() => frame?,
                Some(notice) = self.notices.recv() => {
                    self.push(&notice);
                    self.flush().await?;
                    continue;
                }
                _ = self.closing.changed() => return self.goodbye().await,
            };
            let Some(frame) = frame else { return Ok(()) };
            match frame.tag() {
                b'X' => return Ok(()),
                // Rows for a failed COPY are ignored.
                b'd' | b'c' | b'f' => {}
                b'S' if skipping => {
                    skipping = false;
                    self.push(&wire::ready(b'I'));
                    self.flush().await?;
                }
                _ if skipping => {}
                tag => {
                    group.push(frame);
                    if matches!(tag, b'Q' | b'F' | b'S' | b'H') {
                        match self.turn(std::mem::take(&mut group)).await? {
                            Some(skips) => skipping = skips,
                            None => return Ok(()),
                        }
                    }
                }
            }
        }
    }

    async fn goodbye(&mut self) -> io::Result<()> {
        let message = "terminating connection due to administrator command".to_owned();
        self.push(&Refusal { code: "57P01", message, hint: "" }.frame("FATAL"));
        self.flush().await
    }

    /// Runs a group of messages. Returns whether the following messages are ignored until a `Sync`, or nothing at the
    /// end of the connection.
    async fn turn(&mut self, group: Vec<Frame>) -> io::Result<Option<bool>> {
        let is_synced = group.last().is_some_and(|frame| frame.tag() != b'H');
        let mut turn = match self.wait(&group).await {
            Ok(turn) => turn,
            Err(Wait::Refused(refusal)) => {
                self.push(&refusal.frame("ERROR"));
                if is_synced {
                    self.push(&wire::ready(b'I'));
                }
                self.flush().await?;
                return Ok(Some(!is_synced));
            }
            Err(Wait::Failed(failure)) => {
                self.push(&failure.frame());
                self.flush().await?;
                return Ok(None);
            }
        };
        let end = self.in_turn(&mut turn, group).await;
        self.publish().await;
        match end {
            End::Ready => Ok(Some(false)),
            End::Gone => {
                drop(turn);
                self.goodbye().await?;
                Ok(None)
            }
            End::Failed(failure) => {
                turn.engine().lose().await;
                drop(turn);
                self.push(&failure.frame());
                self.flush().await?;
                Ok(None)
            }
        }
    }

    /// Waits for a turn for `group` in which none of its statements waits for a lock of another client.
    async fn wait(&mut self, group: &[Frame]) -> Result<Turn, Wait> {
        let started = Instant::now();
        let waits = self.session.lock().await.traits(group).waits_for_lock;
        loop {
            let mut turn = self.pool.turn(self.id).await.map_err(Wait::Refused)?;
            turn.switch(&self.session).await.map_err(Wait::Failed)?;
            if !waits || !turn.engine().others_hold_locks(self.id) {
                return Ok(turn);
            }
            drop(turn);
            if started.elapsed() > self.pool.patience().idle {
                return Err(Wait::Refused(no_turn("it waits for an advisory lock, and another connection holds one")));
            }
            tokio::time::sleep(LOCK_PAUSE).await;
        }
    }

    fn push(&mut self, frame: &Frame) {
        self.out.put_slice(frame.bytes());
    }

    async fn flush(&mut self) -> io::Result<()> {
        flush(&mut self.writer, &mut self.out).await
    }
}

async fn flush(writer: &mut OwnedWriteHalf, out: &mut BytesMut) -> io::Result<()> {
    writer.write_all_buf(out).await
}

/// The reason why there is no turn.
enum Wait {
    Refused(Refusal),
    Failed(Failure),
}
