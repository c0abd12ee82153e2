//! Dates and times in the spellings that schemas and PostgreSQL use.

use crate::ir::NativeType;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Returns a timestamp of a schema as PostgreSQL prints a value of the type: in UTC, rounded to its precision. `None`
/// if the text is not a timestamp, or if the type holds none.
pub(super) fn in_type(text: &str, ty: NativeType) -> Option<String> {
    let moment = moment(text, true)?;
    let of = |digits: Option<u32>| {
        let moment = round(moment, digits.unwrap_or(6));
        (date(moment.div_euclid(DAY)), clock(moment.rem_euclid(DAY)))
    };
    // The era comes at the end.
    let both = |digits: Option<u32>, zone: &str| {
        let ((date, era), clock) = of(digits);
        format!("{date} {clock}{zone}{era}")
    };
    match ty {
        NativeType::Timestamp(digits) => Some(both(digits, "")),
        NativeType::Timestamptz(digits) => Some(both(digits, "+00")),
        NativeType::Date => {
            let (date, era) = date(moment.div_euclid(DAY));
            Some(format!("{date}{era}"))
        }
        NativeType::Time(digits) => Some(of(digits).1),
        NativeType::Timetz(digits) => Some(format!("{}+00", of(digits).1)),
        _ => None,
    }
}

/// Rounds to the number of fractional digits. Halves are rounded away from the year 2000, PostgreSQL's epoch.
fn round(micros: i64, digits: u32) -> i64 {
    let unit = 10_i64.pow(6 - digits.min(6));
    let epoch = days(2000, 1, 1) * DAY;
    let since = micros - epoch;
    epoch + since.signum() * ((since.abs() + unit / 2) / unit * unit)
}

/// Returns `2026-01-31`, with ` BC` for a year before 1.
fn date(days: i64) -> (String, &'static str) {
    // Years begin in March here, so that a leap day is the last day of its year.
    let since = days - 1;
    let era = since.div_euclid(146_097);
    let day = since.rem_euclid(146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    let year = year + era * 400;
    match year {
        1.. => (format!("{year:04}-{month:02}-{day:02}"), ""),
        _ => (format!("{:04}-{month:02}-{day:02}", 1 - year), " BC"),
    }
}

/// Returns `12:30:00.25`.
fn clock(micros: i64) -> String {
    let (seconds, fraction) = (micros / SECOND, micros % SECOND);
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction == 0 { clock } else { format!("{clock}.{fraction:06}").trim_end_matches('0').to_owned() }
}

/// Returns the clock time and the zone of a time with time zone: in PostgreSQL, times with different zones differ even
/// if they are the same moment.
pub(super) fn zoned_time(text: &str) -> Option<(i64, i64)> {
    let clock = moment(text, false)?;
    Some((clock, clock - moment(text, true)?))
}

/// Returns the microseconds since year 0, for a date, a time, or both: in UTC with `zone`, otherwise as the clock
/// shows.
pub(super) fn moment(text: &str, zone: bool) -> Option<i64> {
    let text = text.trim();
    let (text, is_before_christ) = match text.strip_suffix("BC") {
        Some(text) => (text.trim_end(), true),
        None => (text, false),
    };
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (date, time.trim()),
        None if text.contains('-') && !text.contains(':') => (text, ""),
        None if text.contains(':') => ("0000-01-01", text),
        None => return None,
    };
    let mut parts = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(0..=300_000).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if is_before_christ { 1 - year } else { year };
    let (clock, offset) = split_zone(time)?;
    let mut micros = days(year, month, day) * 86_400_000_000;
    let mut unit = 3_600_000_000;
    for part in clock.split(':').filter(|part| !part.is_empty()) {
        let (whole, fraction) = part.split_once('.').unwrap_or((part, ""));
        micros += whole.parse::<i64>().ok().filter(|whole| (0..=60).contains(whole))? * unit;
        if !fraction.is_empty() {
            let digits = format!("{:0<7}", fraction.get(..7.min(fraction.len()))?);
            micros += (digits.parse::<i64>().ok()? + 5) / 10;
        }
        unit /= 60;
    }
    Some(if zone { micros - offset } else { micros })
}

/// Returns the clock time and the offset of the zone in microseconds.
fn split_zone(time: &str) -> Option<(&str, i64)> {
    let time = time.trim_end_matches(['Z', 'z']).trim_end();
    let Some(at) = time.find(['+', '-']) else { return Some((time, 0)) };
    let (clock, zone) = time.split_at(at);
    let digits: String = zone[1..].chars().filter(|letter| *letter != ':').collect();
    if !matches!(digits.len(), 2 | 4 | 6) || !digits.is_ascii() {
        return None;
    }
    // Historical offsets have seconds.
    let part = |from: usize| digits.get(from..from + 2).map_or(Some(0), |part| part.parse::<i64>().ok());
    let offset = (part(0)? * 3600 + part(2)? * 60 + part(4)?) * SECOND;
    Some((clock.trim_end(), if zone.starts_with('-') { -offset } else { offset }))
}

/// Returns the days since the start of year 0 in the proleptic Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (153 * month + 2) / 5 + day
}

/// The units of an interval, with the months, days and microseconds that each has.
const UNITS: [(&[&str], [i64; 3]); 10] = [
    (&["year", "years", "y"], [12, 0, 0]),
    (&["mon", "mons", "month", "months"], [1, 0, 0]),
    (&["week", "weeks", "w"], [0, 7, 0]),
    (&["day", "days", "d"], [0, 1, 0]),
    (&["hour", "hours", "h"], [0, 0, 3_600 * SECOND]),
    (&["minute", "minutes", "min", "mins"], [0, 0, 60 * SECOND]),
    (&["second", "seconds", "sec", "secs", "s"], [0, 0, SECOND]),
    (&["millisecond", "milliseconds", "ms"], [0, 0, SECOND / 1_000]),
    (&["microsecond", "microseconds", "us"], [0, 0, 1]),
    (&["decade", "decades"], [120, 0, 0]),
];

/// Returns the months, days and microseconds of an interval such as `1 year 2 days 03:00:00`. `None` for other spellings.
pub(super) fn interval(text: &str) -> Option<[i64; 3]> {
    let mut total = [0_i64; 3];
    let mut words = text.split_whitespace().peekable();
    words.peek()?;
    while let Some(word) = words.next() {
        let (sign, digits) = word.strip_prefix('-').map_or((1, word.trim_start_matches('+')), |rest| (-1, rest));
        if digits.contains(':') {
            let mut parts = digits.split(':').map(|part| part.parse::<f64>().ok());
            let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0.0))?);
            let seconds = hours * 3_600.0 + minutes * 60.0 + seconds;
            total[2] = total[2].checked_add(sign * (seconds * SECOND as f64).round() as i64)?;
            continue;
        }
        let number = sign * digits.parse::<i64>().ok()?;
        let unit = words.next()?.to_ascii_lowercase();
        let (_, sizes) = UNITS.iter().find(|(names, _)| names.contains(&unit.as_str()))?;
        for (sum, size) in total.iter_mut().zip(sizes) {
            *sum = sum.checked_add(number.checked_mul(*size)?)?;
        }
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::{in_type, moment};
    use crate::ir::NativeType as N;

    #[test]
    fn spellings_of_one_moment_are_the_same() {
        assert_eq!(moment("2026-01-02T03:04:05.100Z", true), moment("2026-01-02 03:04:05.1+00", true));
        assert_eq!(moment("2026-01-02", true), moment("2026-01-02 00:00:00", true));
        assert_ne!(moment("2026-01-02", true), moment("2026-01-03", true));
        for text in ["", "x", "1-2", "2026-13-01", "2026-01-02 99:00", "é-é-é", "2026-01-02 03:04+é"] {
            assert_eq!(moment(text, true), None, "{text}");
        }
    }

    #[test]
    fn a_moment_has_the_form_of_its_type() {
        let early = "2020-01-01T00:30:00+02:00";
        let late = "9999-12-31T23:59:59.9996Z";
        for (text, ty, expected) in [
            (early, N::Timestamp(Some(3)), "2019-12-31 22:30:00"),
            (early, N::Timestamptz(None), "2019-12-31 22:30:00+00"),
            (early, N::Date, "2019-12-31"),
            (early, N::Time(None), "22:30:00"),
            (early, N::Timetz(Some(0)), "22:30:00+00"),
            (late, N::Timestamp(None), "9999-12-31 23:59:59.9996"),
            (late, N::Timestamp(Some(3)), "10000-01-01 00:00:00"),
            (late, N::Time(Some(0)), "00:00:00"),
            (late, N::Date, "9999-12-31"),
            ("2020-02-29T23:59:60Z", N::Timestamp(Some(0)), "2020-03-01 00:00:00"),
            ("2020-01-01T00:00:00.1234565Z", N::Timestamp(None), "2020-01-01 00:00:00.123457"),
            ("0000-01-01T00:30:00+02:00", N::Timestamp(None), "0002-12-31 22:30:00 BC"),
            ("0000-02-29T00:00:00Z", N::Timestamptz(None), "0001-02-29 00:00:00+00 BC"),
            ("0001-01-01T00:00:00Z", N::Date, "0001-01-01"),
            ("1999-12-31T23:59:59.5Z", N::Timestamp(Some(0)), "1999-12-31 23:59:59"),
        ] {
            assert_eq!(in_type(text, ty).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn every_day_is_found_again() {
        let far = (-800_000..4_000_000).step_by(997);
        for day in far.chain(-1_500..1_500).chain(730_000..731_500) {
            let (text, era) = super::date(day);
            assert_eq!(moment(&format!("{text}{era}"), false), Some(day * super::DAY), "{text}{era}");
        }
    }
}
