//! Values inside a column of JSON whose shape is a `type` block: conditions, sort keys and new values.

use std::marker::PhantomData;

use crate::dsl::assignment::Assignment;
use crate::dsl::kind::{Arity, List, Optional, Required, Single};
use crate::dsl::order::Order;
use crate::dsl::selection::{Selection, push_output};
use crate::dsl::{Filter, escape_like};
use crate::error::Result;
use crate::query::{
    Condition, JsonChange, JsonFieldTest, JsonKind, JsonPlace, Operator, OrderKey, Output, Select, SetTo,
};
use crate::rows::{Model, Reader};
use crate::value::json_format::{JsonFormat, Plain};
use crate::value::{Assigned, IntoNullable, IntoValue, Ordered, Param, Scalar, json_array};

type Types<M, T, A, F> = PhantomData<fn() -> (M, T, A, F)>;

/// A field of a `type` block in a column of JSON: `user::address.zip`.
///
/// `A` is [`Required`], [`Optional`] or [`List`]. A value is null if its key is missing, if it is JSON's null, or if
/// there is no object that it could be in. As always in SQL, null satisfies no comparison.
///
/// ```
/// use relata::{Filter, JsonField, Model};
///
/// fn near<M: Model>(zip: JsonField<M, String>, digits: &str) -> Filter<M> {
///     zip.starts_with(digits)
/// }
/// ```
pub struct JsonField<M, T, A = Required, F = Plain> {
    place: JsonPlace,
    types: Types<M, T, A, F>,
}

impl<M, T, A, F> Clone for JsonField<M, T, A, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, T, A, F> Copy for JsonField<M, T, A, F> {}

impl<M, T, A, F> std::fmt::Debug for JsonField<M, T, A, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JsonField({}.{})", self.place.column, self.place.path.join("."))
    }
}

impl<M, T, A, F> JsonField<M, T, A, F> {
    /// For generated code: the column's number, the keys that lead to the value, and how it is compared.
    pub const fn new(column: u16, path: &'static [&'static str], kind: JsonKind) -> Self {
        Self { place: JsonPlace { column, path, kind }, types: PhantomData }
    }
}

/// A type whose values have the same order in JSON as in Rust.
#[diagnostic::on_unimplemented(message = "values of `{Self}` have no order in JSON")]
pub trait OrderedInJson: Ordered {}

macro_rules! ordered {
    ($($type:ty),+) => {
        $(impl OrderedInJson for $type {})+
    };
}

ordered!(bool, i32, i64, f64, String, rust_decimal::Decimal, uuid::Uuid);
ordered!(chrono::DateTime<chrono::Utc>, chrono::NaiveDate, chrono::NaiveTime);
#[cfg(feature = "bigdecimal")]
ordered!(bigdecimal::BigDecimal);
#[cfg(feature = "jiff")]
ordered!(jiff::Timestamp, jiff::civil::Date, jiff::civil::Time);
#[cfg(feature = "time")]
ordered!(time::OffsetDateTime, time::Date, time::Time);

const NOT_JSON: &str = "the value has no form in JSON: a number is not finite, or serde cannot write it";

/// Returns a value as JSON.
fn json<T, F: JsonFormat<T>>(value: impl IntoValue<T>) -> Param {
    F::to_json(value.into_value()).map_or(Param::Invalid(NOT_JSON), Scalar::into_param)
}

impl<M: Model, T: Scalar, A: Arity, F: JsonFormat<T>> JsonField<M, T, A, F> {
    fn test(self, test: JsonFieldTest) -> Filter<M> {
        Filter::new(Condition::JsonField(self.place, test))
    }

    /// Returns a value as it is compared: a string as text, and anything else as JSON.
    fn compared(self, value: impl IntoValue<T>) -> Param {
        match (self.place.kind, json::<T, F>(value)) {
            (JsonKind::Json, value) | (_, value @ (Param::Refused(_) | Param::Invalid(_))) => value,
            (_, Param::Json(serde_json::Value::String(text))) => Param::Text(text),
            (_, Param::Json(other)) => Param::Text(other.to_string()),
            (_, other) => other,
        }
    }

    fn to_param(self, value: impl IntoValue<T>) -> Assignment<M> {
        self.change(Some(json::<T, F>(value)))
    }

    fn change(self, value: Option<Param>) -> Assignment<M> {
        let change = JsonChange { path: self.place.path, value };
        Assignment::new(self.place.column, SetTo::JsonFields(vec![change]))
    }
}

impl<M: Model, T: Scalar, A: Single, F: JsonFormat<T>> JsonField<M, T, A, F> {
    fn compare(self, operator: Operator, value: impl IntoValue<T>) -> Filter<M> {
        self.test(JsonFieldTest::Compare(operator, self.compared(value)))
    }

    /// Matches if it equals the value.
    pub fn eq(self, value: impl IntoValue<T>) -> Filter<M> {
        self.compare(Operator::Eq, value)
    }

    /// Matches if it differs from the value. As always in SQL, null does not match.
    pub fn ne(self, value: impl IntoValue<T>) -> Filter<M> {
        self.compare(Operator::Ne, value)
    }

    /// Matches if it is one of the values.
    pub fn in_<V: IntoValue<T>>(self, values: impl IntoIterator<Item = V>) -> Filter<M> {
        let values = values.into_iter().map(|value| self.compared(value)).collect();
        self.test(JsonFieldTest::In(Param::Array(values)))
    }

    /// Matches if it is none of the values.
    pub fn not_in<V: IntoValue<T>>(self, values: impl IntoIterator<Item = V>) -> Filter<M> {
        !self.in_(values)
    }

    /// Like `eq`; `None` applies no filter.
    pub fn eq_opt(self, value: Option<impl IntoValue<T>>) -> Filter<M> {
        value.map(|value| self.eq(value)).into()
    }

    /// Like `ne`; `None` applies no filter.
    pub fn ne_opt(self, value: Option<impl IntoValue<T>>) -> Filter<M> {
        value.map(|value| self.ne(value)).into()
    }

    /// Like `in_`; `None` applies no filter.
    pub fn in_opt<V: IntoValue<T>>(self, values: Option<impl IntoIterator<Item = V>>) -> Filter<M> {
        values.map(|values| self.in_(values)).into()
    }
}

/// The comparisons of types that have an order.
macro_rules! comparisons {
    ($($(#[$doc:meta])* $method:ident $optional:ident $operator:ident)+) => {
        $(
            $(#[$doc])*
            pub fn $method(self, value: impl IntoValue<T>) -> Filter<M> {
                self.compare(Operator::$operator, value)
            }

            #[doc = concat!("Like `", stringify!($method), "`; `None` applies no filter.")]
            pub fn $optional(self, value: Option<impl IntoValue<T>>) -> Filter<M> {
                value.map(|value| self.$method(value)).into()
            }
        )+
    };
}

impl<M: Model, T: Scalar<Base: OrderedInJson>, A: Single, F: JsonFormat<T>> JsonField<M, T, A, F> {
    comparisons! {
        /// Matches if it is less than the value.
        lt lt_opt Lt
        /// Matches if it is less than or equal to the value.
        lte lte_opt Lte
        /// Matches if it is greater than the value.
        gt gt_opt Gt
        /// Matches if it is greater than or equal to the value.
        gte gte_opt Gte
    }

    /// Matches if it is between the two values, inclusive.
    pub fn between(self, low: impl IntoValue<T>, high: impl IntoValue<T>) -> Filter<M> {
        self.gte(low) & self.lte(high)
    }

    /// Sorts in ascending order.
    pub fn asc(self) -> Order<M> {
        Order::<M>::by(OrderKey::JsonField(self.place)).map(|key| key, true)
    }

    /// Sorts in descending order.
    pub fn desc(self) -> Order<M> {
        self.asc().reversed()
    }
}

impl<M: Model, T: Scalar, F: JsonFormat<T>> JsonField<M, T, Optional, F> {
    /// Matches if there is no value.
    pub fn is_null(self) -> Filter<M> {
        self.test(JsonFieldTest::IsNull)
    }

    /// Matches if there is a value.
    pub fn is_not_null(self) -> Filter<M> {
        !self.is_null()
    }

    /// Sets the value. `None` leaves it as it is, and `Some(None)` removes its key.
    pub fn to_opt(self, value: Option<impl IntoNullable<T>>) -> Assignment<M> {
        value.map_or(Assignment::nothing(self.place.column), |value| self.to_nullable(value))
    }

    /// Sets the value, or removes its key for `None`. Other values of the column stay as they are. Objects that are
    /// missing on the way are created.
    pub fn to_nullable(self, value: impl IntoNullable<T>) -> Assignment<M> {
        match value.into_nullable() {
            Some(value) => self.to_param(value),
            None => self.change(None),
        }
    }

    /// Removes the key of the value. Other values of the column stay as they are.
    pub fn set_null(self) -> Assignment<M> {
        self.change(None)
    }
}

impl<M: Model, T: Scalar, F: JsonFormat<T>> JsonField<M, T, Required, F> {
    /// Sets the value. `None` leaves it as it is.
    pub fn to_opt(self, value: Option<impl Assigned<T>>) -> Assignment<M> {
        value.map_or(Assignment::nothing(self.place.column), |value| self.to(value))
    }
}

impl<M: Model, T: Scalar, A: Single, F: JsonFormat<T>> JsonField<M, T, A, F> {
    /// Sets the value. Other values of the column stay as they are. Objects that are missing on the way are created.
    pub fn to(self, value: impl Assigned<T>) -> Assignment<M> {
        self.to_param(value.into_assigned())
    }
}

impl<M: Model, T: Scalar, A: Single, F: JsonFormat<T>> Selection<M> for JsonField<M, T, A, F> {
    type Out = Option<T>;

    fn add_to(self, select: &mut Select) {
        push_output(select, Output::JsonField(self.place));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Option<T>> {
        reader.in_json::<T, F>()
    }
}

impl<M: Model, T: Scalar, F: JsonFormat<Vec<T>> + JsonFormat<T>> Selection<M> for JsonField<M, T, List, F> {
    type Out = Vec<T>;

    fn add_to(self, select: &mut Select) {
        push_output(select, Output::JsonField(self.place));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Vec<T>> {
        Ok(reader.in_json::<Vec<T>, F>()?.unwrap_or_default())
    }
}

/// The conditions on text.
macro_rules! patterns {
    ($($(#[$doc:meta])* $method:ident $insensitive:ident $pattern:literal)+) => {
        $(
            $(#[$doc])*
            pub fn $method(self, text: impl AsRef<str>) -> Filter<M> {
                self.like(format!($pattern, escape_like(text.as_ref())), false)
            }

            #[doc = concat!("Like `", stringify!($method), "`; case does not matter.")]
            pub fn $insensitive(self, text: impl AsRef<str>) -> Filter<M> {
                self.like(format!($pattern, escape_like(text.as_ref())), true)
            }
        )+
    };
}

impl<M: Model, T: Scalar<Base = String>, A: Single, F: JsonFormat<T>> JsonField<M, T, A, F> {
    fn like(self, pattern: String, insensitive: bool) -> Filter<M> {
        self.test(JsonFieldTest::Like { pattern: Param::Text(pattern), insensitive })
    }

    patterns! {
        /// Matches if it contains the text. `%` and `_` have no special meaning.
        contains contains_insensitive "%{}%"
        /// Matches if it starts with the text.
        starts_with starts_with_insensitive "{}%"
        /// Matches if it ends with the text.
        ends_with ends_with_insensitive "%{}"
    }

    /// Matches if it equals the text; case does not matter.
    pub fn eq_insensitive(self, text: impl AsRef<str>) -> Filter<M> {
        self.like(escape_like(text.as_ref()), true)
    }
}

impl<M: Model, T: Scalar, F: JsonFormat<T>> JsonField<M, T, List, F> {
    fn list<V: IntoValue<T>>(values: impl IntoIterator<Item = V>) -> Param {
        json_array(values.into_iter().map(|value| json::<T, F>(value)))
    }

    /// Matches if it equals the list, in the same order.
    pub fn eq<V: IntoValue<T>>(self, values: impl IntoIterator<Item = V>) -> Filter<M> {
        self.test(JsonFieldTest::Compare(Operator::Eq, Self::list(values)))
    }

    /// Matches if the list contains the value.
    pub fn has(self, value: impl IntoValue<T>) -> Filter<M> {
        self.has_every([value])
    }

    /// Matches if the list contains all of the values.
    pub fn has_every<V: IntoValue<T>>(self, values: impl IntoIterator<Item = V>) -> Filter<M> {
        self.test(JsonFieldTest::HasEvery(Self::list(values)))
    }

    /// Matches if the list contains at least one of the values.
    pub fn has_some<V: IntoValue<T>>(self, values: impl IntoIterator<Item = V>) -> Filter<M> {
        let lists = values.into_iter().map(|value| Self::list([value])).collect();
        self.test(JsonFieldTest::HasSome(Param::Array(lists)))
    }

    /// Matches if the list is empty or missing.
    pub fn is_empty(self) -> Filter<M> {
        self.test(JsonFieldTest::IsEmpty)
    }

    /// Sets the list. Other values of the column stay as they are. Objects that are missing on the way are created.
    pub fn to<V: IntoValue<T>>(self, values: impl IntoIterator<Item = V>) -> Assignment<M> {
        self.change(Some(Self::list(values)))
    }

    /// Sets the list. `None` leaves it as it is.
    pub fn to_opt<V: IntoValue<T>>(self, values: Option<impl IntoIterator<Item = V>>) -> Assignment<M> {
        values.map_or(Assignment::nothing(self.place.column), |values| self.to(values))
    }
}

/// For generated code: a struct with the paths to the fields of a `type` block.
#[doc(hidden)]
#[macro_export]
macro_rules! json_paths {
    ($paths:ident) => {
        impl<M, F: Copy> ::std::clone::Clone for $paths<M, F> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<M, F: Copy> ::std::marker::Copy for $paths<M, F> {}

        impl<M, F: ::std::fmt::Debug> ::std::fmt::Debug for $paths<M, F> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                self.own_.fmt(f)
            }
        }

        impl<M, F> ::std::ops::Deref for $paths<M, F> {
            type Target = F;

            fn deref(&self) -> &F {
                &self.own_
            }
        }

        impl<M: $crate::Model, F: $crate::Selection<M> + ::std::marker::Copy> $crate::Selection<M> for $paths<M, F> {
            type Out = F::Out;

            fn add_to(self, select: &mut $crate::Select) {
                self.own_.add_to(select);
            }

            fn read(reader: &mut $crate::rt::Reader<'_>) -> $crate::Result<F::Out> {
                F::read(reader)
            }
        }

        impl<M: $crate::Model, F: $crate::Grouping<M> + ::std::marker::Copy> $crate::Grouping<M> for $paths<M, F> {
            type Values = F::Values;

            fn add_to(&self, keys: &mut $crate::rt::GroupKeys) {
                self.own_.add_to(keys);
            }

            fn read_values(reader: &mut $crate::rt::Reader<'_>) -> $crate::Result<F::Values> {
                F::read_values(reader)
            }
        }

        impl<M: $crate::Model, F: $crate::Columns<M> + ::std::marker::Copy> $crate::Columns<M> for $paths<M, F> {
            type Values = F::Values;

            fn numbers(&self) -> ::std::vec::Vec<u16> {
                self.own_.numbers()
            }

            fn read_values(reader: &mut $crate::rt::Reader<'_>) -> $crate::Result<F::Values> {
                F::read_values(reader)
            }
        }

        impl<M, T, F: $crate::ColumnOf<M, T>> $crate::ColumnOf<M, T> for $paths<M, F> {
            fn number(self) -> u16 {
                self.own_.number()
            }
        }
    };
}
