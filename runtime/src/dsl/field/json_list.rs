//! Columns whose values are lists in JSON.

use super::Field;
use crate::dsl::Filter;
use crate::dsl::assignment::Assignment;
use crate::dsl::kind::{JsonList, Source, Uniqueness};
use crate::query::{Condition, JsonFieldTest, JsonKind, JsonPlace, Operator, SetTo};
use crate::rows::Model;
use crate::value::{IntoValue, Param, Scalar, json_array};

fn list<T: Scalar, V: IntoValue<T>>(values: impl IntoIterator<Item = V>) -> Param {
    json_array(values.into_iter().map(|value| value.into_value().into_param()))
}

impl<M: Model, T: Scalar, U: Uniqueness> Field<M, T, JsonList, U> {
    /// Sets the column to the list.
    pub fn to<V: IntoValue<T>>(self, values: impl IntoIterator<Item = V>) -> Assignment<M> {
        Assignment::new(self.column, SetTo::Value(list(values)))
    }

    /// Sets the column to the list. `None` leaves the column as it is.
    pub fn to_opt<V: IntoValue<T>>(self, values: Option<impl IntoIterator<Item = V>>) -> Assignment<M> {
        values.map_or(Assignment::nothing(self.column), |values| self.to(values))
    }
}

impl<M: Model, T: Scalar, U: Uniqueness, S: Source> Field<M, T, JsonList, U, S> {
    fn test(self, test: JsonFieldTest) -> Filter<M> {
        let place = JsonPlace { column: self.column, path: &[], kind: JsonKind::Json };
        Filter::new(Condition::JsonField(place, test))
    }

    /// Matches if the column equals the list, in the same order.
    pub fn eq<V: IntoValue<T>>(self, values: impl IntoIterator<Item = V>) -> Filter<M> {
        self.test(JsonFieldTest::Compare(Operator::Eq, list(values)))
    }

    /// Matches if the list contains the value. An object in it may have further keys.
    pub fn has(self, value: impl IntoValue<T>) -> Filter<M> {
        self.has_every([value])
    }

    /// Matches if the list contains all of the values.
    pub fn has_every<V: IntoValue<T>>(self, values: impl IntoIterator<Item = V>) -> Filter<M> {
        self.test(JsonFieldTest::HasEvery(list(values)))
    }

    /// Matches if the list contains at least one of the values.
    pub fn has_some<V: IntoValue<T>>(self, values: impl IntoIterator<Item = V>) -> Filter<M> {
        let lists = values.into_iter().map(|value| list::<T, V>([value])).collect();
        self.test(JsonFieldTest::HasSome(Param::Array(lists)))
    }

    /// Matches if the list is empty.
    pub fn is_empty(self) -> Filter<M> {
        self.test(JsonFieldTest::IsEmpty)
    }
}
