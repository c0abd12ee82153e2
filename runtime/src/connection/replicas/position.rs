//! Places in the write-ahead log of a primary, and how far behind them a replica is.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tokio_postgres::SimpleQueryMessage;

/// A place in the log: the number of bytes before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Lsn(u64);

impl Lsn {
    /// Reads `16/B374D848`.
    fn parse(text: &str) -> Option<Self> {
        let (high, low) = text.split_once('/')?;
        Some(Self(u64::from_str_radix(high, 16).ok()? << 32 | u64::from(u32::from_str_radix(low, 16).ok()?)))
    }

    /// Returns the end of the last record before it. At the end of a page, PostgreSQL names the place behind the header
    /// of the next one, which a standby reaches only with the next record. No record ends between the two.
    fn end_of_record(self) -> Self {
        let in_page = self.0 % PAGE;
        Self(if in_page == PAGE_HEADER || in_page == SEGMENT_HEADER { self.0 - in_page } else { self.0 })
    }

    fn bytes_since(self, other: Lsn) -> u64 {
        self.0.saturating_sub(other.0)
    }
}

/// The sizes of a page of the log, and of the headers of a page and of the first page of a segment.
const PAGE: u64 = 8192;
const PAGE_HEADER: u64 = 24;
const SEGMENT_HEADER: u64 = 40;

/// A place in the log of a primary. Each promotion begins a new timeline, on which places are counted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) timeline: u32,
    /// The end of everything that has been written.
    pub(super) written: Lsn,
    /// The end of everything that is safe on its disk, which is what it sends.
    pub(super) flushed: Lsn,
}

impl Position {
    /// Fails on a standby.
    pub(super) const ASK: &'static str = "SELECT pg_catalog.pg_current_wal_insert_lsn(), \
        pg_catalog.pg_current_wal_flush_lsn(), \
        pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 8)";

    pub(super) fn read(answer: &[SimpleQueryMessage]) -> Option<Self> {
        let texts = row(answer)?;
        Some(Self {
            written: Lsn::parse(texts.get(0)?)?.end_of_record(),
            flushed: Lsn::parse(texts.get(1)?)?,
            timeline: u32::from_str_radix(texts.get(2)?, 16).ok()?,
        })
    }
}

/// What a replica says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) is_standby: bool,
    pub(super) replayed: Lsn,
}

impl Seen {
    pub(super) const ASK: &'static str = "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.pg_last_wal_replay_lsn()";

    pub(super) fn read(answer: &[SimpleQueryMessage]) -> Option<Self> {
        let texts = row(answer)?;
        let replayed = texts.get(1).map_or(Some(Lsn(0)), Lsn::parse)?;
        Some(Self { is_standby: texts.get(0)? == "t", replayed })
    }
}

fn row(answer: &[SimpleQueryMessage]) -> Option<&tokio_postgres::SimpleQueryRow> {
    answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    })
}

/// How far a replica is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lag {
    pub(super) time: Duration,
    pub(super) bytes: u64,
}

/// What the primary had written when.
///
/// The lag is measured with it, by the client's own clock. PostgreSQL's `now() - pg_last_xact_replay_timestamp()` grows
/// while nothing is written, and compares the clocks of two machines.
#[derive(Debug, Default)]
pub(super) struct History {
    timeline: Option<u32>,
    /// When each place was first seen, the oldest first.
    seen: VecDeque<(Instant, Lsn)>,
    /// When the primary was last asked.
    asked: Option<Instant>,
    /// Whether there was a promotion.
    has_changed: bool,
}

/// What a position of the primary says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    None,
    /// Another server has become the primary.
    Promotion,
    /// It is that of a server which was the primary before.
    OldPrimary,
}

/// How many places are kept. With more, the lag of a replica that is far behind is reported too low.
const KEPT: usize = 1024;

impl History {
    pub(super) fn timeline(&self) -> Option<u32> {
        self.timeline
    }

    pub(super) fn has_changed(&self) -> bool {
        self.has_changed
    }

    pub(super) fn note(&mut self, now: Instant, position: Position) -> News {
        let news = match self.timeline {
            Some(known) if position.timeline < known => return News::OldPrimary,
            Some(known) if position.timeline > known => News::Promotion,
            _ => News::None,
        };
        if news == News::Promotion {
            self.seen.clear();
            self.has_changed = true;
        }
        self.timeline = Some(position.timeline);
        self.asked = Some(now);
        if self.seen.back().is_none_or(|(_, last)| *last < position.flushed) {
            self.seen.push_back((now, position.flushed));
            if self.seen.len() > KEPT {
                self.seen.pop_front();
            }
        }
        news
    }

    /// Returns the last known place.
    pub(super) fn last(&self) -> Option<Lsn> {
        self.seen.back().map(|(_, lsn)| *lsn)
    }

    /// Returns how far a replica is behind. While the primary cannot be asked, it does not grow: nothing is known about
    /// what was written since.
    pub(super) fn lag(&self, replayed: Lsn) -> Option<Lag> {
        let (asked, last) = (self.asked?, self.last()?);
        let missing = self.seen.partition_point(|(_, lsn)| *lsn <= replayed);
        let time = self.seen.get(missing).map_or(Duration::ZERO, |(since, _)| asked.duration_since(*since));
        Some(Lag { time, bytes: last.bytes_since(replayed) })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn at(timeline: u32, lsn: u64) -> Position {
        Position { timeline, written: Lsn(lsn), flushed: Lsn(lsn) }
    }

    pub(in super::super) fn lsn(lsn: u64) -> Lsn {
        Lsn(lsn)
    }

    #[test]
    fn places_are_read_and_compared() {
        assert_eq!(Lsn::parse("16/B374D848"), Some(Lsn(0x16_B374_D848)));
        assert_eq!(Lsn::parse("0/0"), Some(Lsn(0)));
        assert_eq!(["", "1", "x/1", "1/", "1/123456789"].map(Lsn::parse), [None; 5]);
        assert_eq!(Lsn(0x4018).end_of_record(), Lsn(0x4000), "behind the header of a page");
        assert_eq!(Lsn(0x100_0028).end_of_record(), Lsn(0x100_0000), "behind the header of a segment");
        assert_eq!(Lsn(0x4030).end_of_record(), Lsn(0x4030));
    }

    #[test]
    fn an_idle_primary_makes_no_lag() {
        let mut history = History::default();
        let start = Instant::now();
        let second = |second: u64| start + Duration::from_secs(second);
        assert_eq!(history.lag(Lsn(100)), None, "nothing is known yet");
        history.note(second(0), at(1, 100));
        history.note(second(60), at(1, 100));
        assert_eq!(history.lag(Lsn(100)), Some(Lag { time: Duration::ZERO, bytes: 0 }));
        // It writes, and the replica replays nothing.
        history.note(second(61), at(1, 150));
        history.note(second(64), at(1, 170));
        assert_eq!(history.lag(Lsn(100)), Some(Lag { time: Duration::from_secs(3), bytes: 70 }));
        assert_eq!(history.lag(Lsn(150)), Some(Lag { time: Duration::ZERO, bytes: 20 }));
        assert_eq!(history.lag(Lsn(180)), Some(Lag { time: Duration::ZERO, bytes: 0 }), "it was asked a little later");
        history.note(second(70), at(1, 170));
        assert_eq!(history.lag(Lsn(150)), Some(Lag { time: Duration::from_secs(6), bytes: 20 }));
    }

    #[test]
    fn a_new_timeline_is_a_promotion() {
        let mut history = History::default();
        let now = Instant::now();
        assert_eq!(history.note(now, at(1, 500)), News::None);
        assert_eq!(history.note(now, at(2, 400)), News::Promotion);
        assert_eq!((history.timeline(), history.last()), (Some(2), Some(Lsn(400))));
        assert_eq!(history.note(now, at(1, 600)), News::OldPrimary);
        assert_eq!((history.timeline(), history.last()), (Some(2), Some(Lsn(400))));
    }

    #[test]
    fn old_places_are_forgotten() {
        let mut history = History::default();
        let now = Instant::now();
        for place in 0..5000 {
            history.note(now, at(1, place));
        }
        assert_eq!(history.seen.len(), KEPT);
        assert_eq!(history.lag(Lsn(0)).map(|lag| lag.bytes), Some(4999));
    }
}
