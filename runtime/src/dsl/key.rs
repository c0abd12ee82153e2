//! Unique keys of several columns, as constants.

use std::marker::PhantomData;

use super::filter::Unique;
use crate::rows::Model;
use crate::value::{IntoValue, Scalar};

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
