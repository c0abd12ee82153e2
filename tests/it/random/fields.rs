//! The fields of the generated client as objects: converts what `query` says about a field to filters and orders.

use relata::kind::{Arity, IsUnique, List, NotUnique, Optional, Required, Single, Uniqueness};
use relata::serde_json::Value as Json;
use relata::{Calculated, Field, Filter, GroupOrder, Having, JsonPath, Model, Order, Scalar};

use super::query::{Compare, JsonTest, Like, Test};
use super::value::{Plain, Value};

/// A field of `M`, whatever its type.
pub(crate) trait AnyField<M> {
    fn filter(&self, test: &Test) -> Filter<M>;
    fn asc(&self) -> Order<M>;
    fn desc(&self) -> Order<M>;
}

/// A text field, with the conditions that only text has.
pub(crate) struct TextField<F>(pub(crate) F);

/// A JSON field, with the conditions that only JSON has.
pub(crate) struct JsonField<F>(pub(crate) F);

fn all<T: Plain>(values: &[Value]) -> Vec<T> {
    values.iter().map(T::of).collect()
}

/// A field whose kind is known, with the conditions that only this kind has.
pub(crate) trait OfKind<M> {
    fn test(self, test: &Test) -> Filter<M>;
}

macro_rules! of_kind {
    ($arity:ident, $uniqueness:ident $(, $test:ident => $method:ident)*) => {
        impl<M: Model, T: Scalar + Plain> OfKind<M> for Field<M, T, $arity, $uniqueness> {
            fn test(self, test: &Test) -> Filter<M> {
                match test {
                    Test::Compare(Compare::Eq, value) => self.eq(T::of(value)).into(),
                    $(Test::$test => self.$method(),)*
                    other => compared(self, other),
                }
            }
        }
    };
}

of_kind!(Required, NotUnique);
of_kind!(Required, IsUnique);
of_kind!(Optional, NotUnique, IsNull => is_null, IsNotNull => is_not_null);
of_kind!(Optional, IsUnique, IsNull => is_null, IsNotNull => is_not_null);

impl<M: Model, T: Scalar + Plain> OfKind<M> for Field<M, T, List> {
    fn test(self, test: &Test) -> Filter<M> {
        match test {
            Test::Compare(Compare::Eq, Value::List(values)) => self.eq(all::<T>(values)),
            Test::Has(value) => self.has(T::of(value)),
            Test::HasEvery(values) => self.has_every(all::<T>(values)),
            Test::HasSome(values) => self.has_some(all::<T>(values)),
            Test::IsEmpty => self.is_empty(),
            other => panic!("{other:?} is no test of a list"),
        }
    }
}

fn compared<M: Model, T: Scalar + Plain, A: Single, U: Uniqueness>(field: Field<M, T, A, U>, test: &Test) -> Filter<M> {
    let of = |value: &Option<Value>| value.as_ref().map(T::of);
    match test {
        Test::Compare(Compare::Ne, value) => field.ne(T::of(value)),
        Test::Compare(Compare::Lt, value) => field.lt(T::of(value)),
        Test::Compare(Compare::Lte, value) => field.lte(T::of(value)),
        Test::Compare(Compare::Gt, value) => field.gt(T::of(value)),
        Test::Compare(Compare::Gte, value) => field.gte(T::of(value)),
        Test::CompareIf(Compare::Eq, value) => field.eq_opt(of(value)),
        Test::CompareIf(Compare::Ne, value) => field.ne_opt(of(value)),
        Test::CompareIf(Compare::Lt, value) => field.lt_opt(of(value)),
        Test::CompareIf(Compare::Lte, value) => field.lte_opt(of(value)),
        Test::CompareIf(Compare::Gt, value) => field.gt_opt(of(value)),
        Test::CompareIf(Compare::Gte, value) => field.gte_opt(of(value)),
        Test::Between(low, high) => field.between(T::of(low), T::of(high)),
        Test::In(values) => field.in_(all::<T>(values)),
        Test::NotIn(values) => field.not_in(all::<T>(values)),
        Test::InIf(values) => field.in_opt(values.as_ref().map(|values| all::<T>(values))),
        other => panic!("{other:?} is no test of such a field"),
    }
}

impl<M: Model, T: Scalar + Plain, A: Arity, U: Uniqueness> AnyField<M> for Field<M, T, A, U>
where
    Self: OfKind<M>,
{
    fn filter(&self, test: &Test) -> Filter<M> {
        (*self).test(test)
    }

    fn asc(&self) -> Order<M> {
        (*self).asc()
    }

    fn desc(&self) -> Order<M> {
        (*self).desc()
    }
}

impl<M: Model, A: Single, U: Uniqueness> AnyField<M> for TextField<Field<M, String, A, U>>
where
    Field<M, String, A, U>: OfKind<M>,
{
    fn filter(&self, test: &Test) -> Filter<M> {
        let field = self.0;
        match test {
            Test::Like(Like::Contains, text, false) => field.contains(text),
            Test::Like(Like::Starts, text, false) => field.starts_with(text),
            Test::Like(Like::Ends, text, false) => field.ends_with(text),
            Test::Like(Like::Contains, text, true) => field.contains_insensitive(text),
            Test::Like(Like::Starts, text, true) => field.starts_with_insensitive(text),
            Test::Like(Like::Ends, text, true) => field.ends_with_insensitive(text),
            Test::Like(Like::Equals, text, _) => field.eq_insensitive(text),
            Test::Like(Like::Differs, text, _) => field.ne_insensitive(text),
            Test::ContainsIf(text) => field.contains_opt(text.as_ref()),
            other => AnyField::filter(&field, other),
        }
    }

    fn asc(&self) -> Order<M> {
        self.0.asc()
    }

    fn desc(&self) -> Order<M> {
        self.0.desc()
    }
}

impl<M: Model, A: Single, U: Uniqueness> AnyField<M> for JsonField<Field<M, Json, A, U>>
where
    Field<M, Json, A, U>: OfKind<M>,
{
    fn filter(&self, test: &Test) -> Filter<M> {
        match test {
            Test::Json(path, test) if path.is_empty() => whole_json(self.0.path(path), test, |test| match test {
                JsonTest::ArrayContains(values) => Some(self.0.array_contains(values.clone())),
                JsonTest::ArrayStarts(value) => Some(self.0.array_starts_with(value.clone())),
                JsonTest::ArrayEnds(value) => Some(self.0.array_ends_with(value.clone())),
                JsonTest::Like(Like::Contains, text, false) => Some(self.0.string_contains(text)),
                _ => None,
            }),
            Test::Json(path, test) => json(self.0.path(path), test),
            other => AnyField::filter(&self.0, other),
        }
    }

    fn asc(&self) -> Order<M> {
        self.0.asc()
    }

    fn desc(&self) -> Order<M> {
        self.0.desc()
    }
}

fn whole_json<M: Model>(
    at: JsonPath<M>,
    test: &JsonTest,
    of_field: impl Fn(&JsonTest) -> Option<Filter<M>>,
) -> Filter<M> {
    of_field(test).unwrap_or_else(|| json(at, test))
}

fn json<M: Model>(at: JsonPath<M>, test: &JsonTest) -> Filter<M> {
    match test {
        JsonTest::Exists => at.exists(),
        JsonTest::Compare(Compare::Eq, value) => at.eq(value.clone()),
        JsonTest::Compare(Compare::Ne, value) => at.ne(value.clone()),
        JsonTest::Compare(Compare::Lt, value) => at.lt(value.clone()),
        JsonTest::Compare(Compare::Lte, value) => at.lte(value.clone()),
        JsonTest::Compare(Compare::Gt, value) => at.gt(value.clone()),
        JsonTest::Compare(Compare::Gte, value) => at.gte(value.clone()),
        JsonTest::Like(Like::Starts, text, false) => at.string_starts_with(text),
        JsonTest::Like(Like::Ends, text, false) => at.string_ends_with(text),
        JsonTest::Like(Like::Starts, text, true) => at.string_starts_with_insensitive(text),
        JsonTest::Like(Like::Ends, text, true) => at.string_ends_with_insensitive(text),
        JsonTest::Like(_, text, false) => at.string_contains(text),
        JsonTest::Like(_, text, true) => at.string_contains_insensitive(text),
        JsonTest::ArrayContains(values) => at.array_contains(values.clone()),
        JsonTest::ArrayStarts(value) => at.array_starts_with(value.clone()),
        JsonTest::ArrayEnds(value) => at.array_ends_with(value.clone()),
    }
}

/// An aggregate of `M`, whatever its type.
pub(crate) trait AnyCalculation<M> {
    fn having(&self, operator: Compare, value: &Value) -> Having<M>;
    fn order(&self, descending: bool) -> GroupOrder<M>;
}

impl<M: Model, T: Scalar + Plain, O> AnyCalculation<M> for Calculated<M, T, O> {
    fn having(&self, operator: Compare, value: &Value) -> Having<M> {
        let value = T::of(value);
        match operator {
            Compare::Eq => self.clone().eq(value),
            Compare::Ne => self.clone().ne(value),
            Compare::Lt => self.clone().lt(value),
            Compare::Lte => self.clone().lte(value),
            Compare::Gt => self.clone().gt(value),
            Compare::Gte => self.clone().gte(value),
        }
    }

    fn order(&self, descending: bool) -> GroupOrder<M> {
        if descending { self.clone().desc() } else { self.clone().asc() }
    }
}
