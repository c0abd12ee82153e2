//! A client's turn: its messages go to the engine, and the responses come back, until its transaction ends.

use super::{Client, flush};
use crate::engine::Failure;
use crate::pool::{Activity, Turn, no_turn};
use crate::session::Outgoing;
use crate::wire::{self, Frame};
use std::collections::VecDeque;
use std::io;
use std::time::Instant;

/// How much output is collected before it is sent.
const WRITE: usize = 64 * 1024;

/// The state of a turn.
struct State {
    /// A `Z` is expected.
    awaiting: bool,
    /// Messages were sent that no `Sync` has ended yet.
    open: bool,
    copy: Option<Copy>,
    /// The expected responses to statements that were prepared again.
    again: VecDeque<String>,
    parses: VecDeque<(String, Frame)>,
    is_extended: bool,
}

/// The client sends rows.
struct Copy {
    /// The client has ended the rows, or the engine has given up. In the extended protocol, only a `Sync` is missing.
    ended: bool,
}

enum Event {
    Engine(Result<Frame, Failure>),
    Client(io::Result<Option<Frame>>),
    Closing,
}

/// How a turn ended.
pub(super) enum End {
    Ready,
    /// The client has disconnected, or was told to.
    Gone,
    Failed(Failure),
}

impl Client {
    pub(super) async fn in_turn(&mut self, turn: &mut Turn, group: Vec<Frame>) -> End {
        let mut state = State {
            awaiting: false,
            open: false,
            copy: None,
            again: VecDeque::new(),
            parses: VecDeque::new(),
            is_extended: false,
        };
        let mut pending = Vec::new();
        if let Err(failure) = self.send(turn, &mut state, group).await {
            return End::Failed(failure);
        }
        loop {
            let Ok(status) = turn.engine().link().map(|link| link.status) else { return End::Gone };
            if !state.awaiting && !state.open && pending.is_empty() && status == b'I' {
                return End::Ready;
            }
            let listens = !state.awaiting || state.copy.is_some();
            let now = Instant::now();
            turn.mark(if listens { Activity::Client(now) } else { Activity::Engine(now) });
            let event = tokio::select! {
                frame = turn.engine().receive() => Event::Engine(frame),
                frame = self.frames.next(), if listens => Event::Client(frame),
                _ = self.closing.changed() => Event::Closing,
            };
            let done = match event {
                Event::Engine(Ok(frame)) => self.answer(turn, &mut state, frame).await,
                Event::Engine(Err(failure)) => return End::Failed(failure),
                Event::Client(Ok(Some(frame))) if frame.tag() != b'X' => {
                    self.ask(turn, &mut state, &mut pending, frame).await.map_err(Some)
                }
                Event::Client(_) | Event::Closing => Err(None),
            };
            match done {
                Ok(()) => {}
                Err(Some(failure)) => return End::Failed(failure),
                Err(None) => {
                    return match self.abandon(turn, state).await {
                        Ok(()) => End::Gone,
                        Err(failure) => End::Failed(failure),
                    };
                }
            }
        }
    }

    /// Handles a message that the client sends during its turn.
    async fn ask(
        &mut self,
        turn: &mut Turn,
        state: &mut State,
        pending: &mut Vec<Frame>,
        frame: Frame,
    ) -> Result<(), Failure> {
        let tag = frame.tag();
        if let Some(copy) = &mut state.copy {
            copy.ended |= matches!(tag, b'c' | b'f');
            // If no Sync is expected, whatever follows belongs after the Z.
            if copy.ended && (tag == b'S' || !state.is_extended) {
                state.copy = None;
            }
            return turn.engine().send(&[frame]).await;
        }
        match tag {
            b'd' | b'c' | b'f' => Ok(()),
            b'Q' | b'F' | b'S' | b'H' => {
                pending.push(frame);
                let group = std::mem::take(pending);
                let others = turn.engine().others_hold_locks(self.id);
                if others && self.session.lock().await.traits(&group).waits_for_lock {
                    return self.fail(turn, state, tag).await;
                }
                self.send(turn, state, group).await
            }
            _ => {
                pending.push(frame);
                Ok(())
            }
        }
    }

    /// Sends a group to the engine, after the statements that it needs.
    async fn send(&mut self, turn: &mut Turn, state: &mut State, group: Vec<Frame>) -> Result<(), Failure> {
        let end = group.last().map_or(b'S', Frame::tag);
        let engine = turn.engine();
        let generation = engine.generation;
        let mut session = self.session.lock().await;
        let traits = session.traits(&group);
        session.note(traits);
        let Outgoing { frames, again, parses } = session.outgoing(group, generation);
        drop(session);
        state.again.extend(again);
        state.parses.extend(parses);
        state.awaiting |= end != b'H';
        state.open = end == b'H';
        state.is_extended = !matches!(end, b'Q' | b'F');
        engine.send(&frames).await
    }

    /// Makes the transaction fail as it would if the statement had failed: with an error of the engine.
    async fn fail(&mut self, turn: &mut Turn, state: &mut State, end: u8) -> Result<(), Failure> {
        let refusal = no_turn("it waits for an advisory lock, and another connection holds one");
        let sql = format!(
            "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{}', MESSAGE = {}, HINT = {}; END $$",
            refusal.code,
            crate::sql::literal(&refusal.message),
            crate::sql::literal(refusal.hint),
        );
        state.awaiting = true;
        state.open = end == b'H';
        turn.engine().send(&[wire::query(&sql)]).await
    }

    /// Passes a response of the engine on. `Err(None)` if the client does not accept it.
    async fn answer(&mut self, turn: &mut Turn, state: &mut State, first: Frame) -> Result<(), Option<Failure>> {
        let mut next = Some(first);
        while let Some(frame) = next {
            self.pass(turn, state, frame).await;
            if self.out.len() > WRITE {
                break;
            }
            // After a Z, nothing is read until the turn ends or continues.
            next = if state.awaiting || state.open { turn.engine().buffered().map_err(Some)? } else { None };
        }
        turn.mark(Activity::Client(Instant::now()));
        tokio::select! {
            sent = flush(&mut self.writer, &mut self.out) => sent.map_err(|_| None),
            _ = self.closing.changed() => Err(None),
        }
    }

    async fn pass(&mut self, turn: &mut Turn, state: &mut State, frame: Frame) {
        match frame.tag() {
            b'1' => {
                if state.again.pop_front().is_some() {
                    return;
                }
                if let Some((name, parse)) = state.parses.pop_front() {
                    let generation = turn.engine().generation;
                    self.session.lock().await.parsed(name, parse, generation);
                }
            }
            b'C' => self.completed(turn, &frame.text()).await,
            b'E' => {
                let lost: Vec<String> = state.again.drain(..).collect();
                self.session.lock().await.lost(&lost);
                state.parses.clear();
                if let Some(copy) = &mut state.copy {
                    copy.ended = true;
                }
            }
            b'G' => state.copy = Some(Copy { ended: false }),
            b'S' => {
                if let [name, value, ..] = frame.texts().as_slice() {
                    self.told.insert(name.clone(), value.clone());
                }
            }
            b'A' => {
                self.publish().await;
                self.pool.notify(&frame);
                return;
            }
            b'Z' => {
                state.awaiting = false;
                state.copy = None;
                self.tell(turn);
                // Notifications that arrived during this turn come before its end, as in PostgreSQL.
                while let Ok(notice) = self.notices.try_recv() {
                    self.push(&notice);
                }
            }
            _ => {}
        }
        self.push(&frame);
    }

    /// A command has finished: records what has to be read back at the end of the turn.
    async fn completed(&mut self, turn: &mut Turn, tag: &str) {
        let mut session = self.session.lock().await;
        match tag {
            "SET" | "RESET" => session.dirty.settings = true,
            "PREPARE" | "DEALLOCATE" => session.dirty.prepared = true,
            "DEALLOCATE ALL" | "DISCARD ALL" => {
                session.forget_statements();
                session.dirty.prepared = true;
                if tag == "DISCARD ALL" {
                    session.dirty.settings = true;
                    session.dirty.locks = true;
                    session.listens.clear();
                    turn.engine().deaf = true;
                }
            }
            "UNLISTEN" => {
                session.listens.clear();
                turn.engine().deaf = true;
            }
            "ALTER DATABASE" | "ALTER ROLE" => self.pool.unlearn(),
            _ => {}
        }
    }

    /// Reports settings to the client that differ from those reported before.
    fn tell(&mut self, turn: &mut Turn) {
        let Ok(link) = turn.engine().link() else { return };
        let changed: Vec<(String, String)> = link
            .parameters
            .iter()
            .filter(|(name, value)| self.told.get(*name) != Some(value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        for (name, value) in changed {
            self.push(&wire::parameter(&name, &value));
            self.told.insert(name, value);
        }
    }

    pub(super) async fn publish(&self) {
        let session = self.session.lock().await;
        self.pool.publish(self.id, &session.listens, session.temporary);
    }

    /// Ends what the client has started: its statement, its transaction.
    async fn abandon(&mut self, turn: &mut Turn, mut state: State) -> Result<(), Failure> {
        turn.mark(Activity::Engine(Instant::now()));
        if state.copy.is_some() {
            self.end_copy(turn, &state).await?;
        } else if state.open && !state.awaiting {
            turn.engine().send(&[wire::sync()]).await?;
            state.awaiting = true;
        }
        while state.awaiting {
            let frame = turn.engine().receive().await?;
            match frame.tag() {
                b'G' => self.end_copy(turn, &state).await?,
                b'Z' => state.awaiting = false,
                b'C' => self.completed(turn, &frame.text()).await,
                _ => {}
            }
        }
        if turn.engine().link()?.status != b'I' {
            turn.engine().ask("ROLLBACK").await?;
        }
        Ok(())
    }

    async fn end_copy(&mut self, turn: &mut Turn, state: &State) -> Result<(), Failure> {
        let fail = Frame::new(b'f', |bytes| wire::put_text(bytes, "the client is gone"));
        let frames = if state.is_extended { vec![fail, wire::sync()] } else { vec![fail] };
        turn.engine().send(&frames).await
    }
}
