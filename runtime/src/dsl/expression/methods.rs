//! What PostgreSQL computes from a value: methods that columns and expressions share.

use super::{Expression, condition, named};
use crate::dsl::calculated::Calculated;
use crate::dsl::field::Field;
use crate::dsl::kind::{Optional, Single, Source, Uniqueness};
use crate::dsl::operand::{Addend, Comparand};
use crate::dsl::temporal::{DatePart, DateUnit, Instant, Temporal};
use crate::dsl::{Filter, escape_like};
use crate::query::{self, Calculation, Condition, Form, Function, Operand, OperandType, Operator};
use crate::rows::Model;
use crate::value::{Average, Number, Ordered, Param, Scalar, Sum};

/// Types with `lower()` and `upper()`: for a text, its letters in lower or upper case; for a range, its bounds.
#[diagnostic::on_unimplemented(message = "`{Self}` is neither a text nor a range")]
pub trait TextOrRange: Scalar {
    /// The type of the result.
    type Part: Scalar;
    /// The kind of the result, for a column of kind `A`. A bound of a range can be missing.
    type Kind<A: Single>: Single;
    #[doc(hidden)]
    const IS_TEXT: bool;
}

impl TextOrRange for String {
    type Part = String;
    type Kind<A: Single> = A;
    const IS_TEXT: bool = true;
}

#[cfg(feature = "types")]
impl<R: crate::value::RangeOf + Scalar> TextOrRange for R
where
    R::Bound: Scalar,
{
    type Part = R::Bound;
    type Kind<A: Single> = Optional;
    const IS_TEXT: bool = false;
}

/// The type of the average of values of type `T`.
type Mean<T> = <<T as Scalar>::Base as Average>::Average;

/// The result of `lower()` and `upper()`.
type Part<M, T, A> =
    Expression<M, <<T as Scalar>::Base as TextOrRange>::Part, <<T as Scalar>::Base as TextOrRange>::Kind<A>>;

fn computed<M, T, A>(form: Form, operands: Vec<Operand>) -> Expression<M, T, A> {
    Expression::of(query::Expression::new(form, operands))
}

fn of_text_or_range<M, T, A>(function: &'static str, is_text: bool, operand: Operand) -> Expression<M, T, A> {
    let form = if is_text { Form::CallOfTexts(function) } else { Form::Call(function) };
    computed(form, vec![operand])
}

/// A parameter that is subtracted from a time could be an interval, so its type is written.
fn timestamp(operand: Operand) -> Operand {
    match operand {
        Operand::Value { value, .. } => Operand::Value { value, ty: OperandType::Named("timestamptz") },
        other => other,
    }
}

fn null_if<M, T>(this: Operand, other: Operand) -> Expression<M, T, Optional> {
    let (like, levels) = (this.like(), this.levels().max(other.levels()) + 1);
    // As a comparison, because PostgreSQL cannot compare values of every type.
    let left = Box::new(this.clone());
    let equal = Condition::CompareOperands { left, operator: Operator::Eq, right: Box::new(other) };
    let differs = Operand::Condition(Condition::NotTrue(Box::new(equal)));
    Expression::of(query::Expression::deep(Form::Case, vec![differs, this], like, levels))
}

/// Implements the methods for a type of operands.
macro_rules! methods {
    ([$($generic:tt)*] $of:ident<M, T, A $(, $more:ident)*>) => {
        impl<M: Model, T: Scalar, A: Single, $($generic)*> $of<M, T, A $(, $more)*> {
            /// Returns the value, or another one where it is null.
            pub fn coalesce<K, V: Comparand<M, T, K>>(self, other: V) -> Expression<M, T, V::Arity> {
                let (this, other) = (self.operand(), other.into_operand().0);
                let like = this.like().or(other.like());
                Expression::of(query::Expression::typed(Form::Call("coalesce"), vec![this, other], like))
            }

            /// Returns the value, or null where it equals another one: `a.divided_by(b.null_if(0))`.
            pub fn null_if<K>(self, other: impl Comparand<M, T, K>) -> Expression<M, T, Optional> {
                null_if(self.operand(), other.into_operand().0)
            }

            /// Adds a number to a number, or a span of time to a time or a date. A sum that the type of the column cannot
            /// hold is an error of PostgreSQL.
            pub fn plus<K, V: Addend<M, T, K>>(self, other: V) -> Expression<M, T, A::With<V::Arity>> {
                let (form, other) = other.into_sum('+').0;
                computed(form, vec![self.operand(), other])
            }

            /// Subtracts a number from a number, or a span of time from a time or a date.
            pub fn minus<K, V: Addend<M, T, K>>(self, other: V) -> Expression<M, T, A::With<V::Arity>> {
                let (form, other) = other.into_sum('-').0;
                computed(form, vec![self.operand(), other])
            }

            /// Returns a text in lower case, or the lower bound of a range: null for an empty range, and for one without a
            /// lower bound.
            pub fn lower(self) -> Part<M, T, A>
            where
                T::Base: TextOrRange,
            {
                of_text_or_range("lower", T::Base::IS_TEXT, self.operand())
            }

            /// Returns a text in upper case, or the upper bound of a range: null for an empty range, and for one without an
            /// upper bound. PostgreSQL writes ranges of whole numbers and dates with an exclusive upper bound.
            pub fn upper(self) -> Part<M, T, A>
            where
                T::Base: TextOrRange,
            {
                of_text_or_range("upper", T::Base::IS_TEXT, self.operand())
            }
        }

        impl<M: Model, T: Scalar<Base: Number>, A: Single, $($generic)*> $of<M, T, A $(, $more)*> {
            /// Multiplies two numbers.
            pub fn times<K, V: Comparand<M, T, K>>(self, other: V) -> Expression<M, T, A::With<V::Arity>> {
                computed(Form::Arithmetic("*"), vec![self.operand(), other.into_operand().0])
            }

            /// Divides two numbers. The quotient of integers is an integer, without the remainder. A division by zero is an
            /// error of PostgreSQL; `null_if(0)` of the divisor gives null in its place.
            pub fn divided_by<K, V: Comparand<M, T, K>>(self, other: V) -> Expression<M, T, A::With<V::Arity>> {
                computed(Form::Arithmetic("/"), vec![self.operand(), other.into_operand().0])
            }
        }

        impl<M: Model, T: Scalar<Base = String>, A: Single, $($generic)*> $of<M, T, A $(, $more)*> {
            /// Returns the text without spaces at its beginning and its end.
            pub fn trim(self) -> Expression<M, String, A> {
                computed(Form::CallOfTexts("btrim"), vec![self.operand()])
            }

            /// Returns the number of characters.
            pub fn char_length(self) -> Expression<M, i32, A> {
                computed(Form::CallOfTexts("char_length"), vec![self.operand()])
            }

            /// Appends a text.
            pub fn concat<K, V: Comparand<M, String, K>>(self, other: V) -> Expression<M, String, A::With<V::Arity>> {
                // The function of `||`.
                computed(Form::CallOfTexts("textcat"), vec![self.operand(), other.into_operand().0])
            }
        }

        impl<M: Model, T: Scalar<Base: Temporal>, A: Single, $($generic)*> $of<M, T, A $(, $more)*> {
            /// Returns the beginning of the month, the day and so on, in the time zone of the session: UTC, unless the
            /// connection string says otherwise.
            pub fn date_trunc(self, unit: DateUnit) -> Expression<M, T, A> {
                let text = if T::Base::IS_DATE { unit.date_truncated() } else { unit.truncated() };
                computed(Form::Template(text), vec![self.operand()])
            }

            /// Returns a part of the time or the date, in the time zone of the session: UTC, unless the connection string says
            /// otherwise.
            pub fn date_part(self, part: DatePart) -> Expression<M, i32, A> {
                computed(Form::Template(part.part()), vec![self.operand()])
            }
        }

        impl<M: Model, T: Scalar<Base: Instant>, A: Single, $($generic)*> $of<M, T, A $(, $more)*> {
            /// Returns the beginning of the month, the day and so on in a time zone, such as `Europe/Berlin`. An unknown time
            /// zone is an error of PostgreSQL.
            pub fn date_trunc_in(self, unit: DateUnit, zone: impl Into<String>) -> Expression<M, T, A> {
                let zone = named(Param::Text(zone.into()), "text");
                computed(Form::Template(unit.truncated_in()), vec![self.operand(), zone])
            }

            /// Returns a part of the time in a time zone, such as `Europe/Berlin`. An unknown time zone is an error of
            /// PostgreSQL.
            pub fn date_part_in(self, part: DatePart, zone: impl Into<String>) -> Expression<M, i32, A> {
                let zone = named(Param::Text(zone.into()), "text");
                computed(Form::Template(part.part_in()), vec![self.operand(), zone])
            }

            /// Returns the seconds from another time to this one, with their fraction: negative if the other one is later.
            pub fn seconds_since<K, V: Comparand<M, T, K>>(self, other: V) -> Expression<M, f64, A::With<V::Arity>> {
                let form = Form::Template("extract(epoch FROM ({} - {}))::float8");
                computed(form, vec![self.operand(), timestamp(other.into_operand().0)])
            }
        }
    };
}

methods!([U: Uniqueness, S: Source] Field<M, T, A, U, S>);
methods!([] Expression<M, T, A>);

impl<M: Model, A: Single> Expression<M, String, A> {
    fn like(self, before: &str, text: &str, after: &str) -> Filter<M> {
        let pattern = named(Param::Text(format!("{before}{}{after}", escape_like(text))), "text");
        condition(Form::Template("{} LIKE {}"), vec![self.operand(), pattern])
    }

    /// Matches if it contains the text. `%` and `_` have no special meaning.
    pub fn contains(self, text: impl AsRef<str>) -> Filter<M> {
        self.like("%", text.as_ref(), "%")
    }

    /// Matches if it starts with the text.
    pub fn starts_with(self, text: impl AsRef<str>) -> Filter<M> {
        self.like("", text.as_ref(), "%")
    }

    /// Matches if it ends with the text.
    pub fn ends_with(self, text: impl AsRef<str>) -> Filter<M> {
        self.like("%", text.as_ref(), "")
    }
}

impl<M: Model, T: Scalar, A: Single> Expression<M, T, A> {
    fn calculation<R, O>(self, function: Function) -> Calculated<M, R, O> {
        Calculated::new(Calculation::Of(function, self.operand()))
    }

    /// Counts the rows in which it is not null.
    pub fn count(self) -> Calculated<M, i64> {
        self.calculation(Function::Count)
    }

    /// Counts its distinct values.
    pub fn count_distinct(self) -> Calculated<M, i64> {
        self.calculation(Function::CountDistinct)
    }

    /// Sums its values. The sum of no values is 0.
    pub fn sum(self) -> Calculated<M, <T::Base as Sum>::Sum>
    where
        T::Base: Sum,
    {
        self.calculation(Function::Sum(T::Base::SUMMED))
    }

    /// Averages its values, if there are any.
    pub fn avg(self) -> Calculated<M, Mean<T>, Option<Mean<T>>>
    where
        T::Base: Average,
    {
        self.calculation(Function::Average(T::Base::AVERAGED))
    }

    /// Finds its smallest value, if there is one.
    pub fn min(self) -> Calculated<M, T, Option<T>>
    where
        T::Base: Ordered,
    {
        self.calculation(Function::Least)
    }

    /// Finds its largest value, if there is one.
    pub fn max(self) -> Calculated<M, T, Option<T>>
    where
        T::Base: Ordered,
    {
        self.calculation(Function::Greatest)
    }
}
