//! Values without a static type: the oracle computes with them, and results are converted to them.
//!
//! Comparisons are PostgreSQL's, except for texts, whose order depends on the database's collation. The database is
//! asked once how it sorts the texts of the pools.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use relata::chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use relata::rust_decimal::Decimal;
use relata::serde_json::Value as Json;
use relata::uuid::Uuid;

/// The value of a column or an aggregate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Decimal(Decimal),
    Text(String),
    /// A value of an enum: its label, and its position in the declaration, by which PostgreSQL sorts.
    Label(usize, &'static str),
    Uuid(Uuid),
    Moment(DateTime<Utc>),
    Day(NaiveDate),
    Time(NaiveTime),
    Bytes(Vec<u8>),
    Json(Json),
    List(Vec<Value>),
}

/// The texts of the pools, in the order of the database.
pub(crate) static TEXTS: OnceLock<BTreeMap<String, usize>> = OnceLock::new();

fn compare_texts(left: &str, right: &str) -> Ordering {
    let ranks = TEXTS.get().expect("the database was asked");
    match (ranks.get(left), ranks.get(right)) {
        (Some(left), Some(right)) => left.cmp(right),
        _ => panic!("{left:?} or {right:?} is not a text of the pools"),
    }
}

impl Value {
    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Compares two values of one type, neither of them null.
    pub(crate) fn compare(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
            (Value::Int(left), Value::Int(right)) => left.cmp(right),
            (Value::Float(left), Value::Float(right)) => compare_floats(*left, *right),
            (Value::Decimal(left), Value::Decimal(right)) => left.cmp(right),
            (Value::Text(left), Value::Text(right)) => compare_texts(left, right),
            (Value::Label(left, _), Value::Label(right, _)) => left.cmp(right),
            (Value::Uuid(left), Value::Uuid(right)) => left.cmp(right),
            (Value::Moment(left), Value::Moment(right)) => left.cmp(right),
            (Value::Day(left), Value::Day(right)) => left.cmp(right),
            (Value::Time(left), Value::Time(right)) => left.cmp(right),
            (Value::Bytes(left), Value::Bytes(right)) => left.cmp(right),
            (Value::List(left), Value::List(right)) => compare_lists(left, right),
            // JSON values are compared only for equality; another test covers their order.
            (Value::Json(left), Value::Json(right)) if left == right => Ordering::Equal,
            (Value::Json(left), Value::Json(right)) => left.to_string().cmp(&right.to_string()),
            _ => panic!("{self:?} and {other:?} are of different types"),
        }
    }

    /// Compares two values that may be null; nulls are equal to one another.
    pub(crate) fn compare_nullable(&self, other: &Value, descending: bool, nulls_first: bool) -> Ordering {
        match (self.is_null(), other.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) if nulls_first => Ordering::Less,
            (true, false) => Ordering::Greater,
            (false, true) if nulls_first => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) if descending => other.compare(self),
            (false, false) => self.compare(other),
        }
    }

    /// Whether two results are equal: nulls are, and so are computed numbers except for rounding.
    pub(crate) fn same(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Float(left), Value::Float(right)) if left.is_finite() && right.is_finite() => {
                (left - right).abs() <= 1e-9 * left.abs().max(right.abs()).max(1.0)
            }
            (Value::Decimal(left), Value::Decimal(right)) => (left - right).abs() < Decimal::new(1, 9),
            (Value::Null, _) | (_, Value::Null) => false,
            _ => self.compare(other) == Ordering::Equal,
        }
    }

    /// Returns the value as an SQL literal.
    pub(crate) fn literal(&self, sql_type: &str) -> String {
        let quoted = |text: &str| format!("'{}'::{sql_type}", text.replace('\'', "''"));
        match self {
            Value::Null => "NULL".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Int(value) => quoted(&value.to_string()),
            Value::Float(value) => quoted(&value.to_string()),
            Value::Decimal(value) => quoted(&value.to_string()),
            Value::Text(value) => quoted(value),
            Value::Label(_, label) => quoted(label),
            Value::Uuid(value) => quoted(&value.to_string()),
            Value::Moment(value) => quoted(&value.to_rfc3339()),
            Value::Day(value) => quoted(&value.to_string()),
            Value::Time(value) => quoted(&value.to_string()),
            Value::Bytes(value) => quoted(&value.iter().fold("\\x".to_owned(), |hex, byte| format!("{hex}{byte:02x}"))),
            Value::Json(value) => quoted(&value.to_string()),
            Value::List(values) => {
                let element = sql_type.trim_end_matches("[]");
                let elements: Vec<_> = values.iter().map(|value| value.literal(element)).collect();
                format!("ARRAY[{}]::{sql_type}", elements.join(", "))
            }
        }
    }
}

/// NaN equals itself and is greater than all others.
fn compare_floats(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right).unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()))
}

fn compare_lists(left: &[Value], right: &[Value]) -> Ordering {
    let elements = left.iter().zip(right).map(|(left, right)| left.compare(right));
    elements.fold(Ordering::Equal, Ordering::then).then(left.len().cmp(&right.len()))
}

/// Converts a Rust type of the client in both directions.
pub(crate) trait Plain: Clone {
    fn value(&self) -> Value;
    fn of(value: &Value) -> Self;
}

macro_rules! plain {
    ($($type:ty => $variant:ident;)+) => {
        $(
            impl Plain for $type {
                fn value(&self) -> Value {
                    Value::$variant(self.clone())
                }

                fn of(value: &Value) -> Self {
                    match value {
                        Value::$variant(value) => value.clone(),
                        other => panic!(concat!("{:?} is no ", stringify!($type)), other),
                    }
                }
            }
        )+
    };
}

plain! {
    bool => Bool;
    i64 => Int;
    f64 => Float;
    Decimal => Decimal;
    String => Text;
    Uuid => Uuid;
    DateTime<Utc> => Moment;
    NaiveDate => Day;
    NaiveTime => Time;
    Vec<u8> => Bytes;
    Json => Json;
}

impl Plain for i32 {
    fn value(&self) -> Value {
        Value::Int(i64::from(*self))
    }

    fn of(value: &Value) -> Self {
        i64::of(value).try_into().expect("fits")
    }
}

macro_rules! plain_enum {
    ($($type:ty),+) => {
        $(
            impl Plain for $type {
                fn value(&self) -> Value {
                    let place = Self::ALL.iter().position(|known| known == self);
                    Value::Label(place.expect("is one of all"), self.as_str())
                }

                fn of(value: &Value) -> Self {
                    match value {
                        Value::Label(place, _) => Self::ALL[*place],
                        other => panic!(concat!("{:?} is no ", stringify!($type)), other),
                    }
                }
            }
        )+
    };
}

plain_enum!(plain_planner::Role, crate::wide::client::Color);
