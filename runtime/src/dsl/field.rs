//! The columns of a model as constants: the source of filters, sort keys, assignments and selections.
//!
//! There is one type per kind of column, so that each offers only what applies to it: only a unique column is a key,
//! only an optional one can be null, only a list can be searched for an element.

mod calculation;
mod json;
mod search;

pub use json::JsonPath;
pub use search::{Relevance, SearchQuery};

use std::marker::PhantomData;

use super::assignment::Assignment;
use super::filter::{Filter, Unique, escape_like};
use super::order::Order;
use crate::query::{Condition, Operator, SetTo};
use crate::rows::Model;
use crate::value::{IntoNullable, IntoValue, Number, Param, Scalar};

macro_rules! field {
    ($(#[$doc:meta])* $name:ident, nullable: $nullable:literal) => {
        $(#[$doc])*
        pub struct $name<M, T> {
            pub(crate) column: u16,
            types: PhantomData<fn() -> (M, T)>,
        }

        impl<M, T> Clone for $name<M, T> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<M, T> Copy for $name<M, T> {}

        impl<M, T> std::fmt::Debug for $name<M, T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.column)
            }
        }

        impl<M: Model, T> $name<M, T> {
            /// For generated code: the column's number.
            pub const fn new(column: u16) -> Self {
                Self { column, types: PhantomData }
            }

            /// Sets the column to its `@default`, whether the database or the client generates it. Without a default, sets
            /// it to null.
            pub fn to_default(self) -> Assignment<M> {
                Assignment::new(self.column, SetTo::Default)
            }

            /// Sorts in ascending order.
            pub fn asc(self) -> Order<M> {
                Order::by_column(self.column, $nullable)
            }

            /// Sorts in descending order.
            pub fn desc(self) -> Order<M> {
                self.asc().reversed()
            }
        }
    };
}

field!(
    /// A required column.
    Field, nullable: false
);
field!(
    /// A required column whose values are unique: it identifies a row.
    UniqueField, nullable: false
);
field!(
    /// An optional column.
    OptionalField, nullable: true
);
field!(
    /// An optional column whose values are unique: a value identifies a row.
    OptionalUniqueField, nullable: true
);
field!(
    /// A list column.
    ListField, nullable: true
);

macro_rules! comparisons {
    ($name:ident) => {
        impl<M: Model, T: Scalar> $name<M, T> {
            fn compare(self, operator: Operator, value: impl IntoValue<T>) -> Filter<M> {
                let value = value.into_value().into_param();
                Filter::new(Condition::Compare { column: self.column, operator, value })
            }

            /// Matches if the column differs from the value. As always in SQL, null does not match.
            pub fn ne(self, value: impl IntoValue<T>) -> Filter<M> {
                self.compare(Operator::Ne, value)
            }

            /// Matches if the column is less than the value.
            pub fn lt(self, value: impl IntoValue<T>) -> Filter<M> {
                self.compare(Operator::Lt, value)
            }

            /// Matches if the column is less than or equal to the value.
            pub fn lte(self, value: impl IntoValue<T>) -> Filter<M> {
                self.compare(Operator::Lte, value)
            }

            /// Matches if the column is greater than the value.
            pub fn gt(self, value: impl IntoValue<T>) -> Filter<M> {
                self.compare(Operator::Gt, value)
            }

            /// Matches if the column is greater than or equal to the value.
            pub fn gte(self, value: impl IntoValue<T>) -> Filter<M> {
                self.compare(Operator::Gte, value)
            }

            /// Like `eq`; `None` applies no filter.
            pub fn eq_opt(self, value: Option<impl IntoValue<T>>) -> Filter<M> {
                value.map(|value| self.compare(Operator::Eq, value)).into()
            }

            /// Like `ne`; `None` applies no filter.
            pub fn ne_opt(self, value: Option<impl IntoValue<T>>) -> Filter<M> {
                value.map(|value| self.ne(value)).into()
            }

            /// Like `lt`; `None` applies no filter.
            pub fn lt_opt(self, value: Option<impl IntoValue<T>>) -> Filter<M> {
                value.map(|value| self.lt(value)).into()
            }

            /// Like `lte`; `None` applies no filter.
            pub fn lte_opt(self, value: Option<impl IntoValue<T>>) -> Filter<M> {
                value.map(|value| self.lte(value)).into()
            }

            /// Like `gt`; `None` applies no filter.
            pub fn gt_opt(self, value: Option<impl IntoValue<T>>) -> Filter<M> {
                value.map(|value| self.gt(value)).into()
            }

            /// Like `gte`; `None` applies no filter.
            pub fn gte_opt(self, value: Option<impl IntoValue<T>>) -> Filter<M> {
                value.map(|value| self.gte(value)).into()
            }

            /// Like `in_`; `None` applies no filter.
            pub fn in_opt<V: IntoValue<T>>(self, values: Option<impl IntoIterator<Item = V>>) -> Filter<M> {
                values.map(|values| self.in_(values)).into()
            }

            /// Matches if the column is between the two values, inclusive.
            pub fn between(self, low: impl IntoValue<T>, high: impl IntoValue<T>) -> Filter<M> {
                self.gte(low) & self.lte(high)
            }

            /// Matches if the column is one of the values. They are sent as one parameter, however many there are.
            pub fn in_<V: IntoValue<T>>(self, values: impl IntoIterator<Item = V>) -> Filter<M> {
                let values = values.into_iter().map(|value| value.into_value().into_param()).collect();
                Filter::new(Condition::In { column: self.column, values: Param::Array(values) })
            }

            /// Matches if the column is none of the values.
            pub fn not_in<V: IntoValue<T>>(self, values: impl IntoIterator<Item = V>) -> Filter<M> {
                !self.in_(values)
            }
        }

        impl<M: Model> $name<M, String> {
            fn like(self, pattern: String, insensitive: bool) -> Filter<M> {
                Filter::new(Condition::Like { column: self.column, pattern: Param::Text(pattern), insensitive })
            }

            /// Matches if the column contains the text. `%` and `_` have no special meaning.
            pub fn contains(self, text: impl AsRef<str>) -> Filter<M> {
                self.like(format!("%{}%", escape_like(text.as_ref())), false)
            }

            /// Matches if the column starts with the text.
            pub fn starts_with(self, text: impl AsRef<str>) -> Filter<M> {
                self.like(format!("{}%", escape_like(text.as_ref())), false)
            }

            /// Matches if the column ends with the text.
            pub fn ends_with(self, text: impl AsRef<str>) -> Filter<M> {
                self.like(format!("%{}", escape_like(text.as_ref())), false)
            }

            /// Matches if the column equals the text; case does not matter.
            pub fn eq_insensitive(self, text: impl AsRef<str>) -> Filter<M> {
                self.like(escape_like(text.as_ref()), true)
            }

            /// Matches if the column differs from the text; case does not matter.
            pub fn ne_insensitive(self, text: impl AsRef<str>) -> Filter<M> {
                !self.eq_insensitive(text)
            }

            /// Matches if the column starts with the text; case does not matter.
            pub fn starts_with_insensitive(self, text: impl AsRef<str>) -> Filter<M> {
                self.like(format!("{}%", escape_like(text.as_ref())), true)
            }

            /// Matches if the column ends with the text; case does not matter.
            pub fn ends_with_insensitive(self, text: impl AsRef<str>) -> Filter<M> {
                self.like(format!("%{}", escape_like(text.as_ref())), true)
            }

            /// Like `contains`; `None` applies no filter.
            pub fn contains_opt(self, text: Option<impl AsRef<str>>) -> Filter<M> {
                text.map(|text| self.contains(text)).into()
            }

            /// Matches if the column contains the text; case does not matter.
            pub fn contains_insensitive(self, text: impl AsRef<str>) -> Filter<M> {
                self.like(format!("%{}%", escape_like(text.as_ref())), true)
            }
        }
    };
}

comparisons!(Field);
comparisons!(UniqueField);
comparisons!(OptionalField);
comparisons!(OptionalUniqueField);

macro_rules! equality {
    ($name:ident, Filter) => {
        impl<M: Model, T: Scalar> $name<M, T> {
            /// Equals the value.
            pub fn eq(self, value: impl IntoValue<T>) -> Filter<M> {
                self.compare(Operator::Eq, value)
            }
        }
    };
    ($name:ident, Unique) => {
        impl<M: Model, T: Scalar> $name<M, T> {
            /// Matches the row with this value; there is at most one.
            pub fn eq(self, value: impl IntoValue<T>) -> Unique<M> {
                Unique::new(vec![(self.column, value.into_value().into_param())])
            }
        }
    };
}

equality!(Field, Filter);
equality!(OptionalField, Filter);
equality!(UniqueField, Unique);
equality!(OptionalUniqueField, Unique);

macro_rules! required {
    ($name:ident) => {
        impl<M: Model, T: Scalar> $name<M, T> {
            /// Sets the column to the value.
            pub fn to(self, value: impl IntoValue<T>) -> Assignment<M> {
                Assignment::new(self.column, SetTo::Value(value.into_value().into_param()))
            }
        }
    };
}

required!(Field);
required!(UniqueField);

macro_rules! optional {
    ($name:ident) => {
        impl<M: Model, T: Scalar> $name<M, T> {
            /// Sets the column to the value, or to null for `None`.
            pub fn to(self, value: impl IntoNullable<T>) -> Assignment<M> {
                let value = value.into_nullable().map_or(Param::Null, T::into_param);
                Assignment::new(self.column, SetTo::Value(value))
            }

            /// Matches if the column is null.
            pub fn is_null(self) -> Filter<M> {
                Filter::new(Condition::IsNull { column: self.column })
            }

            /// Matches if the column is not null.
            pub fn is_not_null(self) -> Filter<M> {
                !self.is_null()
            }
        }
    };
}

optional!(OptionalField);
optional!(OptionalUniqueField);

macro_rules! arithmetic {
    ($name:ident) => {
        impl<M: Model, T: Number> $name<M, T> {
            /// Adds the value, in the database.
            pub fn increment(self, by: impl IntoValue<T>) -> Assignment<M> {
                Assignment::new(self.column, SetTo::Add(by.into_value().into_param()))
            }

            /// Subtracts the value, in the database.
            pub fn decrement(self, by: impl IntoValue<T>) -> Assignment<M> {
                Assignment::new(self.column, SetTo::Subtract(by.into_value().into_param()))
            }

            /// Multiplies by the value, in the database.
            pub fn multiply(self, by: impl IntoValue<T>) -> Assignment<M> {
                Assignment::new(self.column, SetTo::Multiply(by.into_value().into_param()))
            }

            /// Divides by the value, in the database.
            pub fn divide(self, by: impl IntoValue<T>) -> Assignment<M> {
                Assignment::new(self.column, SetTo::Divide(by.into_value().into_param()))
            }
        }
    };
}

arithmetic!(Field);
arithmetic!(OptionalField);

impl<M: Model, T: Scalar> ListField<M, T> {
    fn list<V: IntoValue<T>>(values: impl IntoIterator<Item = V>) -> Param {
        Param::Array(values.into_iter().map(|value| value.into_value().into_param()).collect())
    }

    /// Appends a value, in the database.
    pub fn push(self, value: impl IntoValue<T>) -> Assignment<M> {
        self.push_many([value])
    }

    /// Appends values, in the database.
    pub fn push_many<V: IntoValue<T>>(self, values: impl IntoIterator<Item = V>) -> Assignment<M> {
        Assignment::new(self.column, SetTo::Append(Self::list(values)))
    }

    /// Sets the column to the list.
    pub fn to<V: IntoValue<T>>(self, values: impl IntoIterator<Item = V>) -> Assignment<M> {
        Assignment::new(self.column, SetTo::Value(Self::list(values)))
    }

    /// Matches if the column equals the list, in the same order.
    pub fn eq<V: IntoValue<T>>(self, values: impl IntoIterator<Item = V>) -> Filter<M> {
        let value = Self::list(values);
        Filter::new(Condition::Compare { column: self.column, operator: Operator::Eq, value })
    }

    /// Matches if the list contains the value.
    pub fn has(self, value: impl IntoValue<T>) -> Filter<M> {
        Filter::new(Condition::Contains { column: self.column, value: value.into_value().into_param() })
    }

    /// Matches if the list contains all of the values.
    pub fn has_every<V: IntoValue<T>>(self, values: impl IntoIterator<Item = V>) -> Filter<M> {
        Filter::new(Condition::ContainsAll { column: self.column, values: Self::list(values) })
    }

    /// Matches if the list contains at least one of the values.
    pub fn has_some<V: IntoValue<T>>(self, values: impl IntoIterator<Item = V>) -> Filter<M> {
        Filter::new(Condition::Overlaps { column: self.column, values: Self::list(values) })
    }

    /// Matches if the list is empty, or null in the database.
    pub fn is_empty(self) -> Filter<M> {
        Filter::new(Condition::IsEmpty { column: self.column })
    }
}

/// A column of `M` that holds a `T`, required or not: the argument of comparisons between columns.
pub trait ColumnOf<M, T>: Copy {
    /// For the runtime: its number.
    #[doc(hidden)]
    fn number(self) -> u16;
}

macro_rules! compare_columns {
    ($name:ident: $($(#[$doc:meta])* $method:ident $operator:ident),+) => {
        impl<M: Model, T: Scalar> ColumnOf<M, T> for $name<M, T> {
            fn number(self) -> u16 {
                self.column
            }
        }

        impl<M: Model, T: Scalar> $name<M, T> {
            $(
                $(#[$doc])*
                pub fn $method(self, other: impl ColumnOf<M, T>) -> Filter<M> {
                    let (left, right) = (self.column, other.number());
                    Filter::new(Condition::CompareColumns { left, operator: Operator::$operator, right })
                }
            )+
        }
    };
    ($name:ident) => {
        compare_columns!(
            $name:
            /// Matches if the column equals another column of the same row.
            eq_field Eq,
            /// Matches if the column differs from another column of the same row.
            ne_field Ne,
            /// Matches if the column is less than another column of the same row.
            lt_field Lt,
            /// Matches if the column is less than or equal to another column of the same row.
            lte_field Lte,
            /// Matches if the column is greater than another column of the same row.
            gt_field Gt,
            /// Matches if the column is greater than or equal to another column of the same row.
            gte_field Gte
        );
    };
}

compare_columns!(Field);
compare_columns!(UniqueField);
compare_columns!(OptionalField);
compare_columns!(OptionalUniqueField);
