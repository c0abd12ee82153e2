//! Times of the server: `now()` and `today()`, also with something added to them.

use std::ops::{Add, Sub};
use std::time::Duration;

use chrono::TimeDelta;

use crate::query::{self, ServerTime};
use crate::value::Param;

/// The server's time at the start of the transaction, like `CURRENT_TIMESTAMP`: a time to compare columns with, and to set
/// them to. All statements of a transaction see the same time, which is also that of `@updatedAt` columns.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client) -> relata::Result<()> {
/// use relata::chrono::TimeDelta;
/// use relata::now;
///
/// let expired = db.session().delete_many().filter(session::expires_at.lt(now())).await?;
/// let soon = db.session().find_many().filter(session::expires_at.lt(now() + TimeDelta::hours(1))).await?;
/// # Ok(())
/// # }
/// ```
pub fn now() -> Now {
    Now { plus: None }
}

/// The server's date at the start of the transaction, in the time zone of the session: UTC, unless the connection string
/// says otherwise.
///
/// ```
/// use relata::today;
///
/// let tomorrow = today() + 1;
/// let last_week = today() - 7;
/// ```
pub fn today() -> Today {
    Today { plus: 0 }
}

/// A time of the server: see [`now`].
#[derive(Debug, Clone, PartialEq)]
pub struct Now {
    /// What is added.
    plus: Option<Span>,
}

/// A date of the server: see [`today`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Today {
    plus: i64,
}

impl Now {
    fn shifted(self, span: Span) -> Self {
        let before = self.plus.unwrap_or_default();
        let plus = Span {
            months: before.months.saturating_add(span.months),
            days: before.days.saturating_add(span.days),
            microseconds: before.microseconds.saturating_add(span.microseconds),
        };
        Self { plus: Some(plus) }
    }

    pub(super) fn into_query(self) -> query::Now {
        query::Now { time: ServerTime::Transaction, plus: self.plus.map(Span::param) }
    }
}

/// A span of time as PostgreSQL has it, for the runtime.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    pub(super) months: i64,
    pub(super) days: i64,
    pub(super) microseconds: i128,
}

impl Span {
    fn of(seconds: u64, microseconds: u32) -> Self {
        Self { microseconds: i128::from(seconds) * 1_000_000 + i128::from(microseconds), ..Self::default() }
    }

    /// Returns the same span in the other direction, if `negated`.
    pub(super) fn signed(self, negated: bool) -> Self {
        let sign: i8 = if negated { -1 } else { 1 };
        Self {
            months: self.months * i64::from(sign),
            days: self.days * i64::from(sign),
            microseconds: self.microseconds * i128::from(sign),
        }
    }

    /// Returns it as the text of an interval.
    pub(super) fn param(self) -> Param {
        Param::Text(format!("{:+} months {:+} days {:+} microseconds", self.months, self.days, self.microseconds))
    }
}

impl Today {
    pub(super) fn into_query(self) -> query::Now {
        let plus = (self.plus != 0).then_some(Param::Int(self.plus));
        query::Now { time: ServerTime::Date, plus }
    }
}

impl<E: Elapsed> Add<E> for Now {
    type Output = Now;

    fn add(self, elapsed: E) -> Now {
        self.shifted(elapsed.span())
    }
}

impl<E: Elapsed> Sub<E> for Now {
    type Output = Now;

    fn sub(self, elapsed: E) -> Now {
        self.shifted(elapsed.span().signed(true))
    }
}

impl Add<i32> for Today {
    type Output = Today;

    fn add(self, days: i32) -> Today {
        Today { plus: self.plus.saturating_add(days.into()) }
    }
}

impl Sub<i32> for Today {
    type Output = Today;

    fn sub(self, days: i32) -> Today {
        Today { plus: self.plus.saturating_sub(days.into()) }
    }
}

/// A span of time that can be added to a time of the server, or to a column.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a span of time",
    note = "use `std::time::Duration`, `relata::chrono::TimeDelta`, or with the feature `types` `relata::Interval`"
)]
pub trait Elapsed {
    #[doc(hidden)]
    fn span(&self) -> Span;
}

impl Elapsed for Duration {
    fn span(&self) -> Span {
        Span::of(self.as_secs(), self.subsec_micros())
    }
}

impl Elapsed for TimeDelta {
    fn span(&self) -> Span {
        self.abs().to_std().unwrap_or(Duration::MAX).span().signed(*self < TimeDelta::zero())
    }
}

#[cfg(feature = "jiff")]
impl Elapsed for jiff::SignedDuration {
    fn span(&self) -> Span {
        self.unsigned_abs().span().signed(self.is_negative())
    }
}

#[cfg(feature = "time")]
impl Elapsed for time::Duration {
    fn span(&self) -> Span {
        self.unsigned_abs().span().signed(self.is_negative())
    }
}

#[cfg(feature = "types")]
impl Elapsed for crate::value::Interval {
    fn span(&self) -> Span {
        Span { months: self.months.into(), days: self.days.into(), microseconds: self.microseconds.into() }
    }
}
