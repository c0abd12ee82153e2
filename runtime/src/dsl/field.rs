//! The columns of a model as constants: the source of filters, sort keys, assignments and selections.
//!
//! The kind of a field decides what it offers; see [`kind`](super::kind).

mod calculation;
mod json;
mod json_field;
mod json_list;
mod search;
mod text;
mod types;

pub use json::JsonPath;
pub use json_field::{JsonField, OrderedInJson};
pub use search::{Relevance, SearchQuery, Searched};
#[cfg(feature = "types")]
pub use types::{IntoRange, Ranges};
pub use types::{Overlapping, PartOf, WholeOf};

use std::marker::PhantomData;

use super::assignment::Assignment;
use super::columns::{Columns, GroupKeys, Grouping};
use super::expression;
use super::filter::{Filter, Unique};
use super::kind::{Arity, IsUnique, List, NotUnique, Optional, Required, Single, Source, Uniqueness, Written};
use super::operand::{Comparand, NewValue};
use super::order::Order;
use super::selection::{Selection, push_output};
use crate::error::Result;
use crate::query::{Condition, Operand, Operator, Output, Select, SetTo};
use crate::rows::{Model, Reader};
use crate::value::{Assigned, Compared, IntoNullable, IntoValue, Number, Param, Scalar};

type Types<M, T, A, U, S> = PhantomData<fn() -> (M, T, A, U, S)>;

/// A field of model `M` with values of type `T`.
///
/// `A` is [`Required`], [`Optional`] or [`List`]; `U` is [`NotUnique`] or [`IsUnique`]; `S` is [`Written`] or
/// [`Generated`](super::kind::Generated). Without them, it is a required field that is not unique and can be written.
///
/// A function can take fields of several kinds:
///
/// ```
/// # use plain_planner::*;
/// use relata::kind::{Single, Uniqueness};
/// use relata::{Field, Filter, Model};
///
/// fn mentions<M: Model, A: Single, U: Uniqueness>(field: Field<M, String, A, U>, words: &[&str]) -> Filter<M> {
///     Filter::all(words.iter().map(|word| field.contains_insensitive(word)))
/// }
///
/// let of_north = mentions(institution::name, &["north", "school"]) | mentions(institution::slug, &["north"]);
/// ```
pub struct Field<M, T, A = Required, U = NotUnique, S = Written> {
    pub(crate) column: u16,
    types: Types<M, T, A, U, S>,
}

impl<M, T, A, U, S> Clone for Field<M, T, A, U, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, T, A, U, S> Copy for Field<M, T, A, U, S> {}

impl<M, T, A, U, S> std::fmt::Debug for Field<M, T, A, U, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Field({})", self.column)
    }
}

impl<M: Model, T, A: Arity, U: Uniqueness, S: Source> Field<M, T, A, U, S> {
    /// For generated code: the column's number.
    pub const fn new(column: u16) -> Self {
        Self { column, types: PhantomData }
    }

    pub(super) fn operand(self) -> Operand {
        Operand::Column(self.column)
    }

    /// Sorts in ascending order.
    pub fn asc(self) -> Order<M> {
        Order::by_column(self.column, A::NULLABLE)
    }

    /// Sorts in descending order.
    pub fn desc(self) -> Order<M> {
        self.asc().reversed()
    }
}

impl<M: Model, T: Scalar, A: Single, S: Source> Field<M, T, A, NotUnique, S> {
    /// Matches if the column equals the value.
    pub fn eq<K>(self, value: impl Comparand<M, T, K>) -> Filter<M> {
        self.compare(Operator::Eq, value)
    }
}

impl<M: Model, T: Scalar, A: Single, S: Source> Field<M, T, A, IsUnique, S> {
    /// Matches the row with this value; there is at most one.
    pub fn eq(self, value: impl Compared<T>) -> Unique<M> {
        Unique::new(vec![(self.column, value.into_compared().into_param())])
    }
}

impl<M: Model, T: Scalar, U: Uniqueness, S: Source> Field<M, T, Optional, U, S> {
    /// Matches if the column is null.
    pub fn is_null(self) -> Filter<M> {
        Filter::new(Condition::IsNull { column: self.column })
    }

    /// Matches if the column is not null.
    pub fn is_not_null(self) -> Filter<M> {
        !self.is_null()
    }
}

impl<M: Model, T: Scalar, A: Single, U: Uniqueness, S: Source> Field<M, T, A, U, S> {
    fn compare<K>(self, operator: Operator, value: impl Comparand<M, T, K>) -> Filter<M> {
        let column = self.column;
        match value.into_operand().0 {
            Operand::Value { value, .. } => Filter::new(Condition::Compare { column, operator, value }),
            Operand::Column(right) => Filter::new(Condition::CompareColumns { left: column, operator, right }),
            other => expression::compare(Operand::Column(column), operator, other),
        }
    }

    /// Matches if the column differs from the value. As always in SQL, null does not match.
    pub fn ne<K>(self, value: impl Comparand<M, T, K>) -> Filter<M> {
        self.compare(Operator::Ne, value)
    }

    /// Matches if the column is less than the value.
    pub fn lt<K>(self, value: impl Comparand<M, T, K>) -> Filter<M> {
        self.compare(Operator::Lt, value)
    }

    /// Matches if the column is less than or equal to the value.
    pub fn lte<K>(self, value: impl Comparand<M, T, K>) -> Filter<M> {
        self.compare(Operator::Lte, value)
    }

    /// Matches if the column is greater than the value.
    pub fn gt<K>(self, value: impl Comparand<M, T, K>) -> Filter<M> {
        self.compare(Operator::Gt, value)
    }

    /// Matches if the column is greater than or equal to the value.
    pub fn gte<K>(self, value: impl Comparand<M, T, K>) -> Filter<M> {
        self.compare(Operator::Gte, value)
    }

    /// Like `eq`; `None` applies no filter.
    pub fn eq_opt(self, value: Option<impl Compared<T>>) -> Filter<M> {
        value.map(|value| self.compare(Operator::Eq, value.into_compared())).into()
    }

    /// Like `ne`; `None` applies no filter.
    pub fn ne_opt(self, value: Option<impl Compared<T>>) -> Filter<M> {
        value.map(|value| self.ne(value.into_compared())).into()
    }

    /// Like `lt`; `None` applies no filter.
    pub fn lt_opt(self, value: Option<impl Compared<T>>) -> Filter<M> {
        value.map(|value| self.lt(value.into_compared())).into()
    }

    /// Like `lte`; `None` applies no filter.
    pub fn lte_opt(self, value: Option<impl Compared<T>>) -> Filter<M> {
        value.map(|value| self.lte(value.into_compared())).into()
    }

    /// Like `gt`; `None` applies no filter.
    pub fn gt_opt(self, value: Option<impl Compared<T>>) -> Filter<M> {
        value.map(|value| self.gt(value.into_compared())).into()
    }

    /// Like `gte`; `None` applies no filter.
    pub fn gte_opt(self, value: Option<impl Compared<T>>) -> Filter<M> {
        value.map(|value| self.gte(value.into_compared())).into()
    }

    /// Like `in_`; `None` applies no filter.
    pub fn in_opt<V: Compared<T>>(self, values: Option<impl IntoIterator<Item = V>>) -> Filter<M> {
        values.map(|values| self.in_(values)).into()
    }

    /// Matches if the column is between the two values, inclusive.
    pub fn between<K, L>(self, low: impl Comparand<M, T, K>, high: impl Comparand<M, T, L>) -> Filter<M> {
        self.gte(low) & self.lte(high)
    }

    /// Matches if the column is one of the values. They are sent as one parameter, however many there are.
    pub fn in_<V: Compared<T>>(self, values: impl IntoIterator<Item = V>) -> Filter<M> {
        let values = values.into_iter().map(|value| value.into_compared().into_param()).collect();
        Filter::new(Condition::In { column: self.column, values: Param::Array(values) })
    }

    /// Matches if the column is none of the values.
    pub fn not_in<V: Compared<T>>(self, values: impl IntoIterator<Item = V>) -> Filter<M> {
        !self.in_(values)
    }

    fn compare_columns(self, operator: Operator, other: impl ColumnOf<M, T>) -> Filter<M> {
        Filter::new(Condition::CompareColumns { left: self.column, operator, right: other.number() })
    }

    /// Matches if the column equals another column of the same row.
    pub fn eq_field(self, other: impl ColumnOf<M, T>) -> Filter<M> {
        self.compare_columns(Operator::Eq, other)
    }

    /// Matches if the column differs from another column of the same row.
    pub fn ne_field(self, other: impl ColumnOf<M, T>) -> Filter<M> {
        self.compare_columns(Operator::Ne, other)
    }

    /// Matches if the column is less than another column of the same row.
    pub fn lt_field(self, other: impl ColumnOf<M, T>) -> Filter<M> {
        self.compare_columns(Operator::Lt, other)
    }

    /// Matches if the column is less than or equal to another column of the same row.
    pub fn lte_field(self, other: impl ColumnOf<M, T>) -> Filter<M> {
        self.compare_columns(Operator::Lte, other)
    }

    /// Matches if the column is greater than another column of the same row.
    pub fn gt_field(self, other: impl ColumnOf<M, T>) -> Filter<M> {
        self.compare_columns(Operator::Gt, other)
    }

    /// Matches if the column is greater than or equal to another column of the same row.
    pub fn gte_field(self, other: impl ColumnOf<M, T>) -> Filter<M> {
        self.compare_columns(Operator::Gte, other)
    }
}

impl<M: Model, T, A: Arity, U: Uniqueness> Field<M, T, A, U> {
    /// Sets the column to its `@default`, whether the database or the client generates it. Without a default, sets it to
    /// null.
    pub fn to_default(self) -> Assignment<M> {
        Assignment::new(self.column, SetTo::Default)
    }
}

impl<M: Model, T: Scalar, A: Single, U: Uniqueness> Field<M, T, A, U> {
    /// Sets the column to the value.
    pub fn to<K>(self, value: impl NewValue<M, T, A, K>) -> Assignment<M> {
        let to = match value.into_operand().0 {
            Operand::Value { value, .. } => SetTo::Value(value),
            other => SetTo::Computed(other),
        };
        Assignment::new(self.column, to)
    }
}

impl<M: Model, T: Scalar, U: Uniqueness> Field<M, T, Required, U> {
    /// Sets the column to the value. `None` leaves the column as it is.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client, id: relata::uuid::Uuid) -> relata::Result<()> {
    /// struct Changes {
    ///     class_year: Option<i32>,
    ///     has_accommodations: Option<bool>,
    /// }
    ///
    /// let changes = Changes { class_year: Some(2028), has_accommodations: None };
    /// db.student()
    ///     .update(student::id.eq(id))
    ///     .set([
    ///         student::class_year.to_opt(changes.class_year),
    ///         student::has_accommodations.to_opt(changes.has_accommodations),
    ///     ])
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn to_opt(self, value: Option<impl Assigned<T>>) -> Assignment<M> {
        value.map_or(Assignment::nothing(self.column), |value| self.to(value.into_assigned()))
    }
}

impl<M: Model, T: Scalar, U: Uniqueness> Field<M, T, Optional, U> {
    /// Sets the column to the value. `None` leaves the column as it is, and `Some(None)` sets it to null.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client, id: relata::uuid::Uuid) -> relata::Result<()> {
    /// let score: Option<Option<f64>> = Some(None);
    /// let weight: Option<f64> = None;
    /// db.student_exam()
    ///     .update(student_exam::id.eq(id))
    ///     .set([student_exam::score.to_opt(score), student_exam::weight.to_opt(weight)])
    ///     .await?; // sets the score to null, and leaves the weight
    /// # Ok(())
    /// # }
    /// ```
    pub fn to_opt(self, value: Option<impl IntoNullable<T>>) -> Assignment<M> {
        value.map_or(Assignment::nothing(self.column), |value| self.to_nullable(value))
    }

    /// Sets the column to the value, or to null for `None`.
    pub fn to_nullable(self, value: impl IntoNullable<T>) -> Assignment<M> {
        let value = value.into_nullable().map_or(Param::Null, T::into_param);
        Assignment::new(self.column, SetTo::Value(value))
    }

    /// Sets the column to null.
    pub fn set_null(self) -> Assignment<M> {
        self.to_nullable(None::<T>)
    }
}

impl<M: Model, T: Scalar<Base: Number>, A: Single> Field<M, T, A, NotUnique> {
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

impl<M: Model, T: Scalar> Field<M, T, List> {
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

    /// Sets the column to the list. `None` leaves the column as it is.
    pub fn to_opt<V: IntoValue<T>>(self, values: Option<impl IntoIterator<Item = V>>) -> Assignment<M> {
        values.map_or(Assignment::nothing(self.column), |values| self.to(values))
    }
}

impl<M: Model, T: Scalar, S: Source> Field<M, T, List, NotUnique, S> {
    fn list<V: IntoValue<T>>(values: impl IntoIterator<Item = V>) -> Param {
        Param::Array(values.into_iter().map(|value| value.into_value().into_param()).collect())
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

impl<M: Model, T: Scalar, A: Arity, U: Uniqueness, S: Source> Selection<M> for Field<M, T, A, U, S> {
    type Out = A::Values<T>;

    fn add_to(self, select: &mut Select) {
        push_output(select, Output::Column(self.column));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self::Out> {
        A::read(reader)
    }
}

impl<M: Model, T: Scalar, A: Arity, U: Uniqueness, S: Source> Grouping<M> for Field<M, T, A, U, S> {
    type Values = A::Values<T>;

    fn add_to(&self, keys: &mut GroupKeys) {
        keys.0.push(self.operand());
    }

    fn read_values(reader: &mut Reader<'_>) -> Result<Self::Values> {
        A::read(reader)
    }
}

impl<M: Model, T: Scalar, A: Arity, U: Uniqueness, S: Source> Columns<M> for Field<M, T, A, U, S> {
    type Values = A::Values<T>;

    fn numbers(&self) -> Vec<u16> {
        vec![self.column]
    }

    fn read_values(reader: &mut Reader<'_>) -> Result<Self::Values> {
        A::read(reader)
    }
}

/// A column of `M` that holds a `T`, required or not: the argument of comparisons between columns.
pub trait ColumnOf<M, T>: Copy {
    /// For the runtime: its number.
    #[doc(hidden)]
    fn number(self) -> u16;
}

impl<M: Model, T: Scalar, A: Single, U: Uniqueness, S: Source> ColumnOf<M, T> for Field<M, T, A, U, S> {
    fn number(self) -> u16 {
        self.column
    }
}
