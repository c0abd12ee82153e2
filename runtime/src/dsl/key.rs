//! Unique keys of several columns, as constants.

use std::marker::PhantomData;

use super::field::Field;
use super::filter::Unique;
use super::kind::IsUnique;
use crate::rows::Model;
use crate::value::{IntoValue, Scalar};

/// A model with a primary key, for functions that take any model. Implemented by generated code.
///
/// ```
/// # use plain_planner::*;
/// use relata::Keyed;
///
/// /// Finds a row by its key. A missing row is an error.
/// async fn get<M: Keyed>(db: &Models, key: M::Key) -> relata::Result<M> {
///     db.of::<M>().find_unique(M::by_key(key)).or_err().await
/// }
///
/// # async fn example(db: &Client, id: relata::uuid::Uuid) -> relata::Result<()> {
/// let student: Student = get(db, id).await?;
/// assert_eq!(student.key(), id);
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no primary key in the client",
    note = "a view has none without `@id`, and neither has a model whose key has a column that the client leaves out"
)]
pub trait Keyed: Model {
    /// The type of the key: that of its column, or a tuple for several columns. If the key is unique within a tenant,
    /// it does not contain the tenant's column.
    type Key: Clone + Send + 'static;

    /// Returns the key of this row.
    fn key(&self) -> Self::Key;

    /// Matches the row with a key.
    fn by_key(key: Self::Key) -> Unique<Self>;
}

/// For generated code: implements [`Keyed`] for a model, whose key is the listed fields, each with its column's number.
#[doc(hidden)]
#[macro_export]
macro_rules! keyed {
    // The `_` keeps the argument apart from constants of the module, such as a field called `key`.
    ($model:ty, $key:ty, $field:ident $number:literal) => {
        impl $crate::Keyed for $model {
            type Key = $key;

            fn key(&self) -> $key {
                self.$field.clone()
            }

            fn by_key(key_: $key) -> $crate::Unique<Self> {
                $crate::Unique::of([($number, $crate::Scalar::into_param(key_))])
            }
        }
    };
    ($model:ty, $key:ty, $($field:ident $number:literal $place:tt),+) => {
        impl $crate::Keyed for $model {
            type Key = $key;

            fn key(&self) -> $key {
                ($(self.$field.clone()),+)
            }

            fn by_key(key_: $key) -> $crate::Unique<Self> {
                $crate::Unique::of([$(($number, $crate::Scalar::into_param(key_.$place))),+])
            }
        }
    };
}

/// A unique key of several columns: `user::institution_id_email.eq(tenant, "a@x.edu")`.
pub struct Key<M, T> {
    columns: &'static [u16],
    types: PhantomData<fn() -> (M, T)>,
}

impl<M, T> Clone for Key<M, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, T> Copy for Key<M, T> {}

impl<M, T> std::fmt::Debug for Key<M, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({:?})", self.columns)
    }
}

impl<M: Model, T> Key<M, T> {
    /// For generated code: the columns' numbers, one per type of `T`.
    pub const fn new(columns: &'static [u16]) -> Self {
        Self { columns, types: PhantomData }
    }
}

/// The columns of a unique key: a unique field, or the constant of an `@@id` or `@@unique`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a unique key of `{M}`",
    label = "expected an @id or @unique field, or the constant of an @@id or @@unique, such as `user::institution_id_email`",
    note = "PostgreSQL finds the rows that already exist in a unique index"
)]
pub trait UniqueColumns<M> {
    /// For the runtime: their numbers.
    #[doc(hidden)]
    fn columns(&self) -> Vec<u16>;
}

impl<M, T> UniqueColumns<M> for Key<M, T> {
    fn columns(&self) -> Vec<u16> {
        self.columns.to_vec()
    }
}

impl<M, T, A, S> UniqueColumns<M> for Field<M, T, A, IsUnique, S> {
    fn columns(&self) -> Vec<u16> {
        vec![self.column]
    }
}

macro_rules! key {
    ($($type:ident $value:ident),+) => {
        impl<M: Model, $($type: Scalar),+> Key<M, ($($type,)+)> {
            /// Matches the row with these values, given in the order of the key; there is at most one.
            #[allow(clippy::too_many_arguments, reason = "a key has as many values as columns")]
            pub fn eq(self, $($value: impl IntoValue<$type>),+) -> Unique<M> {
                let values = [$($value.into_value().into_param()),+];
                Unique::new(self.columns.iter().copied().zip(values).collect())
            }
        }
    };
}

key!(A a, B b);
key!(A a, B b, C c);
key!(A a, B b, C c, D d);
key!(A a, B b, C c, D d, E e);
key!(A a, B b, C c, D d, E e, F f);
key!(A a, B b, C c, D d, E e, F f, G g);
key!(A a, B b, C c, D d, E e, F f, G g, H h);
key!(A a, B b, C c, D d, E e, F f, G g, H h, I i);
key!(A a, B b, C c, D d, E e, F f, G g, H h, I i, J j);
key!(A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k);
key!(A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l);
key!(A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l, N n);
key!(A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l, N n, O o);
key!(A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l, N n, O o, P p);
key!(A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l, N n, O o, P p, Q q);
