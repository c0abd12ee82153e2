//! SQL of the program in conditions and values.

use super::{Expression, condition_of};
use crate::dsl::Filter;
use crate::dsl::kind::Single;
use crate::dsl::operand::Term;
use crate::query::{self, Form, Operand, OperandType, Refusal, places};
use crate::rows::Model;
use crate::value::Scalar;

/// The arguments of SQL in an expression or a filter of `M`: a tuple of columns, expressions and values. Values are sent as
/// parameters.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tuple of arguments for SQL on rows of `{M}`",
    label = "expected a tuple of columns, expressions and values, such as `(student::class_year, 2)` or `()`"
)]
pub trait SqlArguments<M> {
    #[doc(hidden)]
    fn into_operands(self) -> Operands;
}

/// Operands, for the runtime.
#[doc(hidden)]
#[derive(Debug)]
pub struct Operands(Vec<Operand>);

macro_rules! arguments {
    ($($type:ident $place:tt),*) => {
        impl<M_, $($type: Term<M_>),*> SqlArguments<M_> for ($($type,)*) {
            fn into_operands(self) -> Operands {
                Operands(vec![$(self.$place.into_term().0),*])
            }
        }
    };
}

arguments!();
arguments!(A 0);
arguments!(A 0, B 1);
arguments!(A 0, B 1, C 2);
arguments!(A 0, B 1, C 2, D 3);
arguments!(A 0, B 1, C 2, D 3, E 4);
arguments!(A 0, B 1, C 2, D 3, E 4, F 5);
arguments!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
arguments!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

impl<M: Model, T: Scalar, A: Single> Expression<M, T, A> {
    /// Creates a value from SQL. Each `{}` stands for an argument: a column, which is written with its name in the database,
    /// an expression, or a value, which is sent as a parameter. `{{` and `}}` are braces. The program promises the type `T`,
    /// and that the value is never null unless `A` is [`Optional`](crate::kind::Optional).
    ///
    /// Where PostgreSQL cannot infer the type of a value, a cast tells it: `{}::integer`. The SQL is a constant, so no text
    /// of a user becomes part of a statement. On a handle that is confined to a tenant, the SQL must not read tables: such a
    /// call is [`Error::Misuse`](crate::Error::Misuse).
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// use relata::Expression;
    ///
    /// let decade: Expression<Student, i32> = Expression::sql("{} / 10 * 10", (student::class_year,));
    /// let students = db.student().find_many().order_by(decade.clone().asc()).select((student::id, decade)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn sql(sql: &'static str, arguments: impl SqlArguments<M>) -> Self {
        Self::of(of_sql(sql, arguments.into_operands().0))
    }
}

impl<M: Model> Filter<M> {
    /// Creates a condition from SQL: see [`Expression::sql`].
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// use relata::Filter;
    ///
    /// let even = Filter::<Student>::sql("{} % {} = 0", (student::class_year, 2));
    /// let students = db.student().find_many().filter(even).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn sql(sql: &'static str, arguments: impl SqlArguments<M>) -> Self {
        condition_of(of_sql(sql, arguments.into_operands().0))
    }
}

fn of_sql(sql: &'static str, operands: Vec<Operand>) -> query::Expression {
    if places(sql) != operands.len() {
        return query::Expression::refused(Refusal::WrongNumberOfArguments);
    }
    // A value has the type that PostgreSQL infers, rather than that of the first column.
    let free = |operand| match operand {
        Operand::Value { value, .. } => Operand::Value { value, ty: OperandType::Inferred },
        other => other,
    };
    query::Expression::new(Form::Sql(sql), operands.into_iter().map(free).collect())
}
