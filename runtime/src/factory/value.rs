//! The values that a factory chooses: for a column, a number of a row and a seed, always the same one.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::meta::{Column, SampleKind, Table};
use crate::value::Param;

/// What values depend on, for all rows of a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    pub(super) seed: u64,
    /// The time that all times are near to.
    pub(super) at: DateTime<Utc>,
}

/// A column of a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) table: &'static Table,
    /// The number of the column.
    pub(super) index: u16,
    /// The number of the row.
    pub(super) number: u64,
    /// Whether the column is a part of a unique key.
    pub(super) unique: bool,
}

impl Place {
    fn column(&self) -> &'static Column {
        &self.table.columns[usize::from(self.index)]
    }
}

/// The digits of a text that tells rows apart.
const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// How many of them there are, if the column is long enough.
const TAG: u32 = 7;

/// The largest number that a unique integer begins with, so that sums of two still fit.
const LARGE: u64 = 1 << 30;

/// The number of values that `smallint` has above zero.
const SMALL: u64 = i16::MAX as u64;

/// How many decimal digits [`Decimal`] always has room for.
const DECIMAL_DIGITS: u32 = 28;

/// How many decimal digits the whole numbers of a factory have at most.
const WHOLE_DIGITS: u32 = 10;

impl Source {
    /// Returns the value of a column.
    ///
    /// # Errors
    /// If its type is not known.
    pub(super) fn value(&self, place: &Place, kind: SampleKind) -> Result<Param> {
        let value = match kind {
            SampleKind::Labels(labels) => self.label(place, labels),
            SampleKind::JsonList => Some(Param::Json(serde_json::Value::Array(Vec::new()))),
            SampleKind::ByHand => None,
            _ => self.of_type(place, kind),
        };
        value.ok_or_else(|| {
            let (table, column) = (place.table.name, place.column());
            Error::Misuse(
                format!(
                    "a factory cannot create a {table}, because it knows no value for `{}` of type {}: set it using `.with(..)`",
                    column.name, column.sql_type
                )
                .into(),
            )
        })
    }

    fn of_type(&self, place: &Place, kind: SampleKind) -> Option<Param> {
        let length = match kind {
            SampleKind::Length(length) => Some(length),
            _ => None,
        };
        Some(match place.column().sql_type {
            "boolean" => Param::Bool(self.pick(place, 2) == 1),
            "smallint" => Param::Int(self.integer(place, SMALL)),
            "integer" | "bigint" | "oid" => Param::Int(self.integer(place, i32::MAX as u64)),
            "real" => Param::Float(self.integer(place, 1 << 22) as f64 + 0.5),
            "double precision" => Param::Float(self.integer(place, i32::MAX as u64) as f64 + 0.5),
            "numeric" => Param::Decimal(self.decimal(place, kind)),
            "money" => Param::Decimal(self.decimal(place, SampleKind::Digits(12, 2))),
            "text" | "varchar" | "bpchar" | "citext" => Param::Text(self.text(place, length)),
            "uuid" => Param::Uuid(self.uuid(place)),
            "bytea" => Param::Bytes(self.scattered(place).to_be_bytes().to_vec()),
            "timestamp" | "timestamptz" => Param::Timestamp(self.time(place)),
            "date" => Param::Date((self.later(TimeDelta::try_days(self.day(place)))).date_naive()),
            "time" | "timetz" => Param::Time(self.time_of_day(place)?),
            "json" | "jsonb" => Param::Json(serde_json::Value::Object(serde_json::Map::new())),
            _ => return self.of_other_type(place, length),
        })
    }

    /// Types that the schema has no scalars for. A text stands for those that travel as text, and for the others what the
    /// database would send.
    fn of_other_type(&self, place: &Place, length: Option<u32>) -> Option<Param> {
        let Column { sql_type, wire, .. } = place.column();
        let [.., a, b, c] = self.count(place, 1 << 24).to_be_bytes();
        let float = || (self.pick(place, 90) as f64).to_be_bytes();
        Some(match (*sql_type, *wire) {
            ("xml", Some("text")) => {
                Param::Text(format!("<{0}/>", self.tag(place, TAG).replace(|c: char| c.is_ascii_digit(), "x")))
            }
            ("varbit", Some("text")) => Param::Text(self.bits(place, length)),
            ("inet", Some("text")) => Param::Text(format!("10.{a}.{b}.{c}")),
            ("hstore", Some("text")) => Param::Text(format!("\"key\"=>\"{}\"", self.tag(place, TAG))),
            ("ltree" | "tsvector", Some("text")) => Param::Text(self.tag(place, TAG)),
            // The family, the length of the network, whether it is a network, the length of the address.
            ("inet", None) => Param::Raw(vec![2, 32, 0, 4, 10, a, b, c]),
            ("cidr", None) => Param::Raw(vec![2, 32, 1, 4, 10, a, b, c]),
            // The second digit marks addresses that no manufacturer assigns.
            ("macaddr", None) => Param::Raw(vec![2, 0, 0, a, b, c]),
            ("macaddr8", None) => Param::Raw(vec![2, 0, 0, 0, 0, a, b, c]),
            // Microseconds, days, months.
            ("interval", None) => {
                Param::Raw([&(self.integer(place, SMALL) * 60_000_000).to_be_bytes()[..], &[0; 8]].concat())
            }
            ("point", None) => Param::Raw([float(), float()].concat()),
            (_, Some("real[]")) => Param::Array(vec![Param::Float(0.5); usize::try_from(length?).ok()?]),
            _ => return None,
        })
    }

    /// Returns a random number that belongs to a column, for all rows.
    fn base(&self, place: &Place) -> u64 {
        let names = place.table.name.bytes().chain([0]).chain(place.column().name.bytes());
        mixed(self.seed ^ hashed(names))
    }

    /// Returns a random number that belongs to a column of a row.
    fn scattered(&self, place: &Place) -> u64 {
        mixed(self.base(place) ^ mixed(place.number.wrapping_add(1)))
    }

    /// Returns one of several things: one after the other if they should differ, else a random one.
    fn pick(&self, place: &Place, several: u64) -> u64 {
        if place.unique { place.number % several } else { self.scattered(place) % several }
    }

    /// Counts the rows from a random number up to `limit`, and then from 0: only after that do numbers repeat.
    fn count(&self, place: &Place, limit: u64) -> u64 {
        (self.base(place) % limit).wrapping_add(place.number) % limit
    }

    fn label(&self, place: &Place, labels: &'static [&'static str]) -> Option<Param> {
        let index = self.pick(place, u64::try_from(labels.len()).ok().filter(|several| *several > 0)?);
        Some(Param::Label(labels.get(usize::try_from(index).ok()?)?))
    }

    /// Returns a number from 1 to `limit`. Unless it has to be unique, it is small, and that of a later column is larger:
    /// `start` and `end` are often columns in this order.
    fn integer(&self, place: &Place, limit: u64) -> i64 {
        let number = match place.unique {
            true => (self.base(place) % (limit / 2).min(LARGE) + place.number) % limit + 1,
            false => ((self.row(place) % 900 + place.number) % 1000 + 1 + u64::from(place.index)).min(limit),
        };
        number as i64
    }

    /// Returns a random number that belongs to all columns of a table.
    fn row(&self, place: &Place) -> u64 {
        mixed(self.seed ^ hashed(place.table.name.bytes()))
    }

    /// Returns a number with the digits that the column has.
    fn decimal(&self, place: &Place, kind: SampleKind) -> Decimal {
        let (precision, scale) = match kind {
            SampleKind::Digits(precision, scale) => (precision, scale),
            _ => (DECIMAL_DIGITS, 2),
        };
        // Hundredths are enough if there is room for many whole numbers.
        let has_room = precision.saturating_sub(scale) > WHOLE_DIGITS;
        let kept = scale.min(if has_room { 2 } else { DECIMAL_DIGITS });
        let digits = precision.saturating_sub(scale - kept).min(DECIMAL_DIGITS);
        let limit = 10_i128.pow(digits).saturating_sub(1).max(1);
        let number = i128::from(self.integer(place, LARGE));
        let units = if place.unique { number } else { number.saturating_mul(10_i128.pow(kept)) };
        let units = if units > limit { number % limit + 1 } else { units };
        // It has at most 28 digits.
        Decimal::try_from_i128_with_scale(units.min(limit), kept).unwrap_or(Decimal::ONE)
    }

    /// Returns a text that says what it is, as far as there is room: at least the end of it differs from row to row.
    fn text(&self, place: &Place, length: Option<u32>) -> String {
        let tag = self.tag(place, TAG);
        let name = place.column().name.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
        let text = if says(&["email", "e_mail"]) {
            format!("{tag}@example.com")
        } else if says(&["url", "uri", "website", "homepage"]) {
            format!("https://example.com/{tag}")
        } else if says(&["phone", "mobile"]) {
            format!("+1555{:07}", self.count(place, 10_000_000))
        } else if says(&["slug", "code", "key", "token", "sku"]) || name.ends_with("_id") || name == "id" {
            tag.clone()
        } else {
            format!("{} {tag}", name.replace('_', " "))
        };
        match length {
            Some(length) if text.chars().count() > length as usize => self.tag(place, length.min(TAG)),
            _ => text,
        }
    }

    /// Returns digits that differ from row to row.
    fn tag(&self, place: &Place, length: u32) -> String {
        let mut rest = self.count(place, 36_u64.pow(length.min(TAG)));
        let mut digits = vec![b'0'; length.min(TAG) as usize];
        for digit in digits.iter_mut().rev() {
            *digit = DIGITS[(rest % 36) as usize];
            rest /= 36;
        }
        digits.into_iter().map(char::from).collect()
    }

    /// Returns as many bits as the column has. Without a length, `bit` has one.
    fn bits(&self, place: &Place, length: Option<u32>) -> String {
        let length = length.unwrap_or(1) as usize;
        let count = self.count(place, 1 << length.min(32));
        format!("{count:0length$b}")
    }

    fn uuid(&self, place: &Place) -> Uuid {
        let [high, low] = [self.scattered(place), mixed(self.scattered(place))];
        uuid::Builder::from_u128((u128::from(high) << 64) | u128::from(low))
            .with_variant(uuid::Variant::RFC4122)
            .with_version(uuid::Version::Random)
            .into_uuid()
    }

    /// Rows are a minute apart, and columns an hour. Times that must not repeat begin at a random one of the next hour.
    fn time(&self, place: &Place) -> DateTime<Utc> {
        let minutes = i64::try_from(place.number).unwrap_or(i64::MAX).saturating_add(i64::from(place.index) * 60);
        let start = if place.unique { self.base(place) % (60 * 60 * 1000) } else { self.row(place) % 60 * 1000 };
        self.later(TimeDelta::try_milliseconds(minutes.saturating_mul(60 * 1000).saturating_add(start as i64)))
    }

    /// Rows and columns are a day apart. Dates that may repeat are of the next weeks, the others begin in the next years.
    fn day(&self, place: &Place) -> i64 {
        let number = match place.unique {
            true => place.number.saturating_add(self.base(place) % (3 * 365)),
            false => place.number % 28,
        };
        i64::try_from(number).unwrap_or(i64::MAX).saturating_add(place.index.into())
    }

    fn time_of_day(&self, place: &Place) -> Option<NaiveTime> {
        let day = 24 * 60 * 60;
        let second = (self.row(place) + place.number * 60 + place.number / (24 * 60) + u64::from(place.index)) % day;
        NaiveTime::from_num_seconds_from_midnight_opt(second as u32, 0)
    }

    /// Returns a later time, or the same one if there is no such time.
    fn later(&self, by: Option<TimeDelta>) -> DateTime<Utc> {
        by.and_then(|by| self.at.checked_add_signed(by)).unwrap_or(self.at)
    }
}

/// Returns the seed of all rows that the factory of a table creates. The rows that two factories create of a third table
/// differ, even if they have the same seed.
pub(super) fn seed_of(table: &Table, seed: u64) -> u64 {
    mixed(seed) ^ hashed(table.name.bytes())
}

/// Mixes the bits of a number, as the generator SplitMix64 does.
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// FNV-1a: the same on every machine and in every version.
fn hashed(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    static TABLE: Table = Table::new(
        "Thing",
        "\"things\"",
        &[
            Column::new("code", "varchar"),
            Column::new("small", "smallint"),
            Column::new("price", "numeric"),
            Column::new("email", "text"),
            Column::new("bits", "varbit").via("text"),
        ],
        &[],
        &[],
        &[],
    );

    fn value(seed: u64, index: u16, number: u64, unique: bool, kind: SampleKind) -> Param {
        let source = Source { seed, at: DateTime::UNIX_EPOCH };
        source.value(&Place { table: &TABLE, index, number, unique }, kind).expect("is known")
    }

    fn text(param: Param) -> String {
        match param {
            Param::Text(text) => text,
            _ => String::new(),
        }
    }

    #[test]
    fn texts_are_as_long_as_the_column_and_differ() {
        for (length, rows) in [(1, 36), (2, 1000), (5, 1000), (30, 1000)] {
            let texts: BTreeSet<String> =
                (0..rows).map(|row| text(value(7, 0, row, true, SampleKind::Length(length)))).collect();
            assert_eq!(texts.len() as u64, rows, "{length}");
            assert!(texts.iter().all(|text| !text.is_empty() && text.len() <= length as usize), "{texts:?}");
        }
    }

    #[test]
    fn every_value_of_a_small_type_is_used_before_one_repeats() {
        let numbers: BTreeSet<i64> = (0..SMALL)
            .map(|row| match value(3, 1, row, true, SampleKind::Any) {
                Param::Int(number) => number,
                _ => 0,
            })
            .collect();
        assert_eq!(
            (numbers.len() as u64, numbers.first(), numbers.last()),
            (SMALL, Some(&1), Some(&i64::from(i16::MAX)))
        );
    }

    #[test]
    fn numbers_have_the_digits_of_the_column() {
        for (precision, scale) in [(1, 0), (1, 1), (3, 2), (5, 2), (12, 4), (65, 30), (2, 40), (28, 28), (1000, 0)] {
            for unique in [true, false] {
                let Param::Decimal(number) = value(5, 2, 4, unique, SampleKind::Digits(precision, scale)) else {
                    panic!("is a number");
                };
                assert!(number.scale() <= scale, "{number} has more digits than ({precision}, {scale})");
                let whole = precision.saturating_sub(scale).min(27);
                assert!(number.trunc() < Decimal::from_i128_with_scale(10_i128.pow(whole), 0), "{number}");
                assert!(precision < scale || number > Decimal::ZERO, "({precision}, {scale})");
            }
        }
    }

    #[test]
    fn the_seed_and_the_name_decide() {
        let email = |seed, row| text(value(seed, 3, row, false, SampleKind::Any));
        assert_eq!(email(1, 0), email(1, 0));
        assert_ne!(email(1, 0), email(2, 0));
        assert!(email(1, 0).ends_with("@example.com"));
        assert_eq!(text(value(1, 4, 0, false, SampleKind::Length(4))).len(), 4);
    }
}
