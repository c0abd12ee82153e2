//! Whether reads may go to a replica: what is known about it, and what follows from that.

use std::time::Duration;

use super::position::{History, Lag, Lsn, Seen};

/// How far a replica may be behind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LagLimits {
    pub(crate) time: Duration,
    pub(crate) bytes: Option<u64>,
}

/// What is known about a replica.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// Why no read goes to it.
    left_out: Option<String>,
    /// The timeline of the primary that it is known to follow.
    timeline: Option<u32>,
    /// How much it had replayed at the last check.
    replayed: Lsn,
    /// After a promotion: how much it had replayed when it was first seen.
    before: Option<Lsn>,
    lag: Option<Lag>,
}

const NOT_CHECKED: &str = "it has not been checked yet";
const PROMOTED: &str = "it is not a standby: it was promoted, or is the primary itself";
const NOT_FOLLOWING: &str = "another server was promoted, and it has not been seen to follow that one";

impl Standing {
    pub(super) fn unknown() -> Self {
        Self { left_out: Some(NOT_CHECKED.to_owned()), ..Self::default() }
    }

    pub(super) fn left_out(&self) -> Option<&str> {
        self.left_out.as_deref()
    }

    pub(super) fn lag(&self) -> Option<Lag> {
        self.lag
    }

    pub(super) fn replayed(&self) -> Lsn {
        self.replayed
    }

    pub(super) fn timeline(&self) -> Option<u32> {
        self.timeline
    }

    /// Leaves it out, for a reason.
    pub(super) fn fail(&mut self, reason: String) {
        self.left_out = Some(reason);
        self.lag = None;
    }

    /// Takes in what it says about itself.
    pub(super) fn note(&mut self, seen: Seen, history: &History, limits: LagLimits) {
        if !seen.is_standby {
            self.timeline = None;
            return self.fail(PROMOTED.to_owned());
        }
        if !self.follows(seen.replayed, history) {
            return self.fail(NOT_FOLLOWING.to_owned());
        }
        self.replayed = seen.replayed;
        self.lag = history.lag(seen.replayed);
        self.left_out = self.lag.and_then(|lag| match limits {
            _ if lag.time > limits.time => {
                Some(format!("it is {:?} behind the primary, and {:?} are allowed", lag.time, limits.time))
            }
            LagLimits { bytes: Some(limit), .. } if lag.bytes > limit => {
                Some(format!("it is {} bytes behind the primary, and {limit} are allowed", lag.bytes))
            }
            _ => None,
        });
    }

    /// Forgets what it has replayed: another server has become the primary, and its log may differ from here on.
    pub(super) fn note_promotion(&mut self) {
        self.timeline = None;
        self.before = None;
        self.replayed = Lsn::default();
        self.fail(NOT_FOLLOWING.to_owned());
    }

    /// Returns whether it follows the primary.
    ///
    /// A standby of the old primary may have received more than the new one, and then stays where it is, with rows that
    /// no longer exist. PostgreSQL shows most roles neither whom it follows nor its timeline. But only a standby that
    /// follows the new primary goes on, and reaches what that one has written.
    fn follows(&mut self, replayed: Lsn, history: &History) -> bool {
        let Some(timeline) = history.timeline() else { return true };
        if self.timeline == Some(timeline) {
            return true;
        }
        let is_first = self.before.is_none() && !history.has_changed();
        let before = *self.before.get_or_insert(replayed);
        let goes_on = replayed > before && history.last().is_some_and(|last| replayed >= last);
        if is_first || goes_on {
            self.timeline = Some(timeline);
            self.before = None;
        }
        is_first || goes_on
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::super::position::tests::{at, lsn};
    use super::*;

    const LIMITS: LagLimits = LagLimits { time: Duration::from_secs(5), bytes: Some(1000) };

    fn standby(place: u64) -> Seen {
        Seen { is_standby: true, replayed: lsn(place) }
    }

    fn checked(standing: &mut Standing, seen: Seen, history: &History) -> Option<String> {
        standing.note(seen, history, LIMITS);
        standing.left_out().map(str::to_owned)
    }

    #[test]
    fn what_lags_is_left_out_and_taken_back() {
        let (mut standing, mut history) = (Standing::unknown(), History::default());
        let start = Instant::now();
        assert_eq!(standing.left_out(), Some(NOT_CHECKED));
        history.note(start, at(1, 100));
        assert_eq!(checked(&mut standing, standby(100), &history), None);
        history.note(start + Duration::from_secs(1), at(1, 200));
        history.note(start + Duration::from_secs(7), at(1, 200));
        let late = checked(&mut standing, standby(100), &history).expect("is left out");
        assert!(late.contains("6s behind the primary, and 5s are allowed"), "{late}");
        assert_eq!(checked(&mut standing, standby(200), &history), None);
        history.note(start + Duration::from_secs(8), at(1, 1201));
        let far = checked(&mut standing, standby(200), &history).expect("is left out");
        assert!(far.contains("1001 bytes behind"), "{far}");
        standing.fail("it is gone".to_owned());
        assert_eq!(standing.lag(), None);
        assert_eq!(checked(&mut standing, standby(1201), &history), None);
    }

    #[test]
    fn a_promoted_replica_is_left_out() {
        let (mut standing, mut history) = (Standing::unknown(), History::default());
        history.note(Instant::now(), at(1, 100));
        assert_eq!(checked(&mut standing, standby(100), &history), None);
        let promoted = Seen { is_standby: false, replayed: lsn(0) };
        assert_eq!(checked(&mut standing, promoted, &history).as_deref(), Some(PROMOTED));
    }

    /// It has received more of the old primary than the new one, which nothing on it shows.
    #[test]
    fn a_replica_has_to_follow_the_new_primary() {
        let (mut standing, mut history) = (Standing::unknown(), History::default());
        let now = Instant::now();
        history.note(now, at(1, 500));
        assert_eq!(checked(&mut standing, standby(500), &history), None);
        assert_eq!(history.note(now, at(2, 400)), super::super::position::News::Promotion);
        standing.note_promotion();
        for _ in 0..3 {
            assert_eq!(checked(&mut standing, standby(500), &history).as_deref(), Some(NOT_FOLLOWING));
        }
        history.note(now, at(2, 700));
        assert_eq!(checked(&mut standing, standby(500), &history).as_deref(), Some(NOT_FOLLOWING));
        assert_eq!(checked(&mut standing, standby(600), &history).as_deref(), Some(NOT_FOLLOWING), "not there yet");
        assert_eq!(checked(&mut standing, standby(700), &history), None);
        assert_eq!(standing.timeline(), Some(2));
    }

    #[test]
    fn one_that_is_first_seen_after_a_promotion_has_to_show_it_as_well() {
        let mut history = History::default();
        let now = Instant::now();
        history.note(now, at(1, 100));
        history.note(now, at(2, 100));
        let mut standing = Standing::unknown();
        assert_eq!(checked(&mut standing, standby(100), &history).as_deref(), Some(NOT_FOLLOWING));
        history.note(now, at(2, 110));
        assert_eq!(checked(&mut standing, standby(110), &history), None);
    }
}
