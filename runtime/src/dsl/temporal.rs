//! Times and dates of columns: which types they are, their units and their parts.

use chrono::{DateTime, NaiveDate, Utc};

use crate::value::Scalar;

/// Types that hold a time or a date, with the methods `date_trunc` and `date_part`.
#[diagnostic::on_unimplemented(message = "`{Self}` is neither a time nor a date")]
pub trait Temporal: Scalar {
    #[doc(hidden)]
    const IS_DATE: bool;
}

/// Types that hold a point in time: they can be compared with [`now()`](super::now).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a point in time, like `now()`; a date is compared with `today()`"
)]
pub trait Instant: Temporal {}

/// Types that hold a date: they can be compared with [`today()`](super::today).
#[diagnostic::on_unimplemented(message = "`{Self}` is not a date, like `today()`; a time is compared with `now()`")]
pub trait Day: Temporal {}

macro_rules! temporal {
    ($($ty:ty: $kind:ident = $is_date:literal $(if $feature:literal)?;)+) => {
        $(
            $(#[cfg(feature = $feature)])?
            impl Temporal for $ty {
                const IS_DATE: bool = $is_date;
            }

            $(#[cfg(feature = $feature)])?
            impl $kind for $ty {}
        )+
    };
}

temporal! {
    DateTime<Utc>: Instant = false;
    NaiveDate: Day = true;
    jiff::Timestamp: Instant = false if "jiff";
    jiff::civil::Date: Day = true if "jiff";
    time::OffsetDateTime: Instant = false if "time";
    time::Date: Day = true if "time";
}

/// Declares an enum whose values are written in templates.
macro_rules! units {
    (
        $(#[$doc:meta])* $name:ident
        $template:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            $template! { $($variant = $text,)+ }
        }
    };
}

/// Returns the template with the text of a value between two parts.
macro_rules! templates {
    ($method:ident: $before:literal, $after:literal, $($variant:ident = $text:literal,)+) => {
        pub(super) fn $method(self) -> &'static str {
            match self {
                $(Self::$variant => concat!($before, $text, $after),)+
            }
        }
    };
}

macro_rules! unit_templates {
    ($($units:tt)+) => {
        templates! { truncated: "date_trunc('", "', {})", $($units)+ }
        templates! { date_truncated: "date_trunc('", "', {})::date", $($units)+ }
        templates! { truncated_in: "date_trunc('", "', {}::timestamptz, {})", $($units)+ }
    };
}

macro_rules! part_templates {
    ($($parts:tt)+) => {
        templates! { part: "trunc(date_part('", "', {}))::integer", $($parts)+ }
        templates! { part_in: "trunc(date_part('", "', {}::timestamptz AT TIME ZONE {}))::integer", $($parts)+ }
    };
}

units! {
    /// A unit of time, of `date_trunc`.
    DateUnit unit_templates {
        /// Seconds.
        Second = "second",
        /// Minutes.
        Minute = "minute",
        /// Hours.
        Hour = "hour",
        /// Days.
        Day = "day",
        /// Weeks, which begin on Monday.
        Week = "week",
        /// Months.
        Month = "month",
        /// Quarters of a year.
        Quarter = "quarter",
        /// Years.
        Year = "year",
    }
}

units! {
    /// A part of a time or a date, of `date_part`.
    DatePart part_templates {
        /// The second, 0 to 59, without its fraction.
        Second = "second",
        /// The minute, 0 to 59.
        Minute = "minute",
        /// The hour, 0 to 23.
        Hour = "hour",
        /// The day of the month, 1 to 31.
        Day = "day",
        /// The day of the week: 1 is Monday, 7 is Sunday.
        Weekday = "isodow",
        /// The day of the year, 1 to 366.
        DayOfYear = "doy",
        /// The week of the year by ISO 8601, 1 to 53. It belongs to the year of its Thursday, [`WeekYear`](Self::WeekYear).
        Week = "week",
        /// The year of the week by ISO 8601.
        WeekYear = "isoyear",
        /// The month, 1 to 12.
        Month = "month",
        /// The quarter of the year, 1 to 4.
        Quarter = "quarter",
        /// The year.
        Year = "year",
    }
}
