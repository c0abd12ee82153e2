//! Dates and times in the spellings that schemas and PostgreSQL use.

/// Microseconds since year 0, of a date, a time, or both; with `zone` in UTC, else as the clock shows.
pub(super) fn moment(text: &str, zone: bool) -> Option<i64> {
    let text = text.trim();
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
    let (clock, offset) = split_zone(time)?;
    let mut micros = days(year, month, day) * 86_400_000_000;
    let mut unit = 3_600_000_000;
    for part in clock.split(':').filter(|part| !part.is_empty()) {
        let (whole, fraction) = part.split_once('.').unwrap_or((part, ""));
        micros += whole.parse::<i64>().ok().filter(|whole| (0..=60).contains(whole))? * unit;
        if !fraction.is_empty() {
            let digits = format!("{:0<6}", fraction.get(..6.min(fraction.len()))?);
            micros += digits.parse::<i64>().ok()?;
        }
        unit /= 60;
    }
    Some(if zone { micros - offset } else { micros })
}

/// The clock's part and the zone's offset in microseconds.
fn split_zone(time: &str) -> Option<(&str, i64)> {
    let time = time.trim_end_matches(['Z', 'z']).trim_end();
    let Some(at) = time.find(['+', '-']) else { return Some((time, 0)) };
    let (clock, zone) = time.split_at(at);
    let digits: String = zone[1..].chars().filter(|letter| *letter != ':').collect();
    if !matches!(digits.len(), 2 | 4) {
        return None;
    }
    let minutes = digits.get(2..).filter(|minutes| !minutes.is_empty()).unwrap_or("0");
    let offset = (digits.get(..2)?.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?) * 60_000_000;
    Some((clock.trim_end(), if zone.starts_with('-') { -offset } else { offset }))
}

/// Days since the start of year 0 in the proleptic Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (153 * month + 2) / 5 + day
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn spellings_of_one_moment_are_the_same() {
        assert_eq!(moment("2026-01-02T03:04:05.100Z", true), moment("2026-01-02 03:04:05.1+00", true));
        assert_eq!(moment("2026-01-02", true), moment("2026-01-02 00:00:00", true));
        assert_ne!(moment("2026-01-02", true), moment("2026-01-03", true));
        for text in ["", "x", "1-2", "2026-13-01", "2026-01-02 99:00", "é-é-é", "2026-01-02 03:04+é"] {
            assert_eq!(moment(text, true), None, "{text}");
        }
    }
}
