//! Conditions on values inside a Json column.

use std::marker::PhantomData;

use serde_json::Value as Json;

use super::Field;
use crate::dsl::kind::{Single, Source, Uniqueness};
use crate::dsl::{Filter, escape_like};
use crate::query::{Condition, JsonTest, Operator};
use crate::rows::Model;
use crate::value::{Param, Scalar};

/// A path inside a Json column: `sample::json.path(["address", "city"])`.
///
/// A path that does not exist satisfies no condition, like null in SQL.
pub struct JsonPath<M> {
    column: u16,
    path: Option<Param>,
    model: PhantomData<fn() -> M>,
}

impl<M> Clone for JsonPath<M> {
    fn clone(&self) -> Self {
        Self { column: self.column, path: self.path.clone(), model: PhantomData }
    }
}

impl<M> std::fmt::Debug for JsonPath<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JsonPath({})", self.column)
    }
}

impl<M: Model> JsonPath<M> {
    fn root(column: u16) -> Self {
        Self { column, path: None, model: PhantomData }
    }

    fn test(self, test: JsonTest) -> Filter<M> {
        Filter::new(Condition::Json { column: self.column, path: self.path, test })
    }

    /// Matches if the path exists, even if the value is Json's null.
    pub fn exists(self) -> Filter<M> {
        self.test(JsonTest::Exists)
    }

    /// Matches if the value equals this one; Json's null equals itself.
    pub fn eq(self, value: impl Into<Json>) -> Filter<M> {
        self.test(JsonTest::Compare(Operator::Eq, value.into().into_param()))
    }

    /// Matches if the path exists and the value differs from this one.
    pub fn ne(self, value: impl Into<Json>) -> Filter<M> {
        self.test(JsonTest::Compare(Operator::Ne, value.into().into_param()))
    }

    /// Matches a value of the same kind (number, string ...) that is less than this one.
    pub fn lt(self, value: impl Into<Json>) -> Filter<M> {
        self.test(JsonTest::Compare(Operator::Lt, value.into().into_param()))
    }

    /// Matches a value of the same kind that is less than or equal to this one.
    pub fn lte(self, value: impl Into<Json>) -> Filter<M> {
        self.test(JsonTest::Compare(Operator::Lte, value.into().into_param()))
    }

    /// Matches a value of the same kind that is greater than this one.
    pub fn gt(self, value: impl Into<Json>) -> Filter<M> {
        self.test(JsonTest::Compare(Operator::Gt, value.into().into_param()))
    }

    /// Matches a value of the same kind that is greater than or equal to this one.
    pub fn gte(self, value: impl Into<Json>) -> Filter<M> {
        self.test(JsonTest::Compare(Operator::Gte, value.into().into_param()))
    }
}

/// The tests of a path, and of a field as the path to the whole value.
macro_rules! json_tests {
    ($($(#[$doc:meta])* $method:ident($($argument:ident: $type:ty),*) => $test:expr;)+) => {
        impl<M: Model> JsonPath<M> {
            $(
                $(#[$doc])*
                pub fn $method(self, $($argument: $type),*) -> Filter<M> {
                    self.test($test)
                }
            )+
        }

        impl<M: Model, T: Scalar<Base = Json>, A: Single, U: Uniqueness, S: Source> Field<M, T, A, U, S> {
            $(
                $(#[$doc])*
                pub fn $method(self, $($argument: $type),*) -> Filter<M> {
                    JsonPath::root(self.column).$method($($argument),*)
                }
            )+
        }
    };
}

impl<M: Model, T: Scalar<Base = Json>, A: Single, U: Uniqueness, S: Source> Field<M, T, A, U, S> {
    /// Returns a path inside: object keys, and array indexes from 0.
    pub fn path<P: Into<String>>(self, path: impl IntoIterator<Item = P>) -> JsonPath<M> {
        let path: Vec<Param> = path.into_iter().map(|name| Param::Text(name.into())).collect();
        let path = (!path.is_empty()).then_some(Param::Array(path));
        JsonPath { column: self.column, path, model: PhantomData }
    }
}

fn like(pattern: String, insensitive: bool) -> JsonTest {
    JsonTest::Like { pattern: Param::Text(pattern), insensitive }
}

json_tests! {
    /// Matches a string that contains the text.
    string_contains(text: impl AsRef<str>) => like(format!("%{}%", escape_like(text.as_ref())), false);
    /// Matches a string that starts with the text.
    string_starts_with(text: impl AsRef<str>) => like(format!("{}%", escape_like(text.as_ref())), false);
    /// Matches a string that ends with the text.
    string_ends_with(text: impl AsRef<str>) => like(format!("%{}", escape_like(text.as_ref())), false);
    /// Matches a string that contains the text; case does not matter.
    string_contains_insensitive(text: impl AsRef<str>) => like(format!("%{}%", escape_like(text.as_ref())), true);
    /// Matches a string that starts with the text; case does not matter.
    string_starts_with_insensitive(text: impl AsRef<str>) => like(format!("{}%", escape_like(text.as_ref())), true);
    /// Matches a string that ends with the text; case does not matter.
    string_ends_with_insensitive(text: impl AsRef<str>) => like(format!("%{}", escape_like(text.as_ref())), true);
    /// Matches an array that contains all of the values. An object in it may have further keys.
    array_contains(values: impl IntoIterator<Item = impl Into<Json>>) => {
        JsonTest::ArrayContains(values.into_iter().map(Into::into).collect::<Json>().into_param())
    };
    /// Matches an array whose first element is the value.
    array_starts_with(value: impl Into<Json>) => JsonTest::ArrayStartsWith(value.into().into_param());
    /// Matches an array whose last element is the value.
    array_ends_with(value: impl Into<Json>) => JsonTest::ArrayEndsWith(value.into().into_param());
}
