//! Sort keys: created by fields, counts and relations.

use std::marker::PhantomData;

use crate::error::{Error, Result};
use crate::query::{OrderKey, OrderTerm};

/// A sort key: the argument of `order_by`.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client) -> relata::Result<()> {
/// let by_score = student_exam::score.desc().nulls_last();
/// let by_email = student_exam::student.order(student::user.order(user::email.asc()));
/// let exams = db.student_exam().find_many().order_by(by_score).order_by(by_email).await?;
/// # Ok(())
/// # }
/// ```
pub struct Order<M> {
    pub(crate) term: OrderTerm,
    model: PhantomData<fn() -> M>,
}

impl<M> Order<M> {
    /// Sorts by a value that is never null, in ascending order.
    pub(crate) fn by(key: OrderKey) -> Self {
        Self { term: OrderTerm { key, descending: false, nulls_first: None, nullable: false }, model: PhantomData }
    }

    pub(crate) fn by_column(column: u16, nullable: bool) -> Self {
        let mut order = Self::by(OrderKey::Column(column));
        order.term.nullable = nullable;
        order
    }

    /// Returns the opposite order: descending for ascending, and nulls at the other end.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client, backwards: bool) -> relata::Result<()> {
    /// let by_year = student::class_year.asc();
    /// let by_year = if backwards { by_year.reversed() } else { by_year };
    /// let students = db.student().find_many().order_by(by_year).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn reversed(self) -> Self {
        Self { term: self.term.reversed(), model: PhantomData }
    }

    /// Reads the sort keys that a visitor chooses: names with commas between them, such as `-year,email`. A name with a
    /// `-` before it sorts in the [opposite order](Self::reversed). An empty text has no sort keys.
    ///
    /// `key` returns the sort key of a name, or `None` if visitors cannot sort by it.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let orders = relata::Order::parse_list("-year,email", |name| match name {
    ///     "email" => Some(student::user.order(user::email.asc())),
    ///     "year" => Some(student::class_year.asc()),
    ///     _ => None,
    /// })?;
    /// let students = db.student().find_many().order_by_all(orders).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`], with the place of a name that `key` does not know.
    pub fn parse_list(text: &str, key: impl Fn(&str) -> Option<Self>) -> Result<Vec<Self>> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let orders = text.split(',').enumerate().map(|(index, name)| {
            let order = match name.strip_prefix('-') {
                Some(name) => key(name).map(Self::reversed),
                None => key(name),
            };
            let unknown = || Error::InvalidValue(format!("sort key {} does not exist", index + 1).into());
            order.ok_or_else(unknown)
        });
        orders.collect()
    }

    /// Returns the same order by another value; that value can be null if this one can, or if `nullable`.
    pub(crate) fn map<P>(self, key: impl FnOnce(OrderKey) -> OrderKey, nullable: bool) -> Order<P> {
        let OrderTerm { key: inner, descending, nulls_first, nullable: before } = self.term;
        let term = OrderTerm { key: key(inner), descending, nulls_first, nullable: before || nullable };
        Order { term, model: PhantomData }
    }

    /// Sorts nulls before all values. By default, they come last in ascending and first in descending order.
    pub fn nulls_first(mut self) -> Self {
        self.term.nulls_first = Some(true);
        self
    }

    /// Sorts nulls after all values.
    pub fn nulls_last(mut self) -> Self {
        self.term.nulls_first = Some(false);
        self
    }
}

impl<M> Clone for Order<M> {
    fn clone(&self) -> Self {
        Self { term: self.term.clone(), model: PhantomData }
    }
}

impl<M> std::fmt::Debug for Order<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.term.fmt(f)
    }
}
