//! New rows: the values that a `Create` and the fields of its relations accept.

use std::marker::PhantomData;

use super::assignment::{IntoAssignments, as_sets};
use super::filter::Unique;
use super::nested::Nested;
use crate::meta::Relation;
use crate::query::{Cell, Insert, Key, LinkTarget, NestedWrite, Referenced, Sets};
use crate::rows::Model;
use crate::value::{AsText, Scalar, TsVector};
#[cfg(feature = "types")]
use crate::value::{Hstore, Interval, Ltree, Multirange, Range};

/// Refers to the row that is created together with this one. Its key is filled in.
///
/// It is accepted only inside the `create` of that row:
/// `user::student.create(student::Create { user: Parent, .. })`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent;

impl<M, K> LinkTarget<M, K> for Parent {
    fn link(self, _: &mut Insert, _: &'static Relation) {}
}

/// What the field of the required relation `SLOT` accepts: the key `K` of a row of `M`, a unique filter that finds the
/// row, a `Create` of it, or [`Parent`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which `{M}` this relation references",
    label = "expected its key of type `{K}`, a unique filter such as `user::id.eq(..)`, or its `Create`",
    note = "`Parent` can only be used in a row that is created inside a parent's `create`"
)]
pub trait Link<const SLOT: usize, M, K>: LinkTarget<M, K> {
    /// The parents of a row whose other relations have `Parents`: the same ones, and `SLOT` for [`Parent`].
    type With<Parents>;
}

impl<const SLOT: usize, M, K> Link<SLOT, M, K> for Parent {
    type With<Parents> = InParent<SLOT, Parents>;
}

/// The relations of a new row whose fields are [`Parent`]: `SLOT`, and those of `Rest`. A row with none of them has `()`.
#[derive(Debug, Clone, Copy)]
pub struct InParent<const SLOT: usize, Rest>(PhantomData<Rest>);

/// The parents of a row that is created in a certain place: see [`CreateRow`].
#[diagnostic::on_unimplemented(
    message = "`Parent` is in the wrong place, or missing",
    label = "expected `Parent` in the field of the relation to the row that creates this one, and in no other field",
    note = "a row that is not created inside a parent's `create` takes keys, unique filters such as `user::id.eq(..)`, or `Create`s"
)]
pub trait Inside<const PARENT: usize> {}

impl Inside<ANY> for () {}
impl<const PARENT: usize> Inside<PARENT> for InParent<PARENT, ()> {}

/// For generated code: a new row, and the relations of it whose fields are [`Parent`].
pub trait HasParents {
    /// The relations: `()`, or [`InParent`].
    type Parents;
}

/// For generated code: a new row whose parents are those of a certain place.
pub trait PlacedIn<const PARENT: usize> {}

impl<const PARENT: usize, C: HasParents<Parents: Inside<PARENT>>> PlacedIn<PARENT> for C {}

impl<M: Model, K> LinkTarget<M, K> for Unique<M> {
    fn link(self, insert: &mut Insert, relation: &'static Relation) {
        for (ours, theirs) in relation.key_pairs() {
            let cell = Cell::Lookup { relation, column: theirs, key: self.values.clone() };
            insert.cells.push((ours, cell));
        }
    }
}

impl<const SLOT: usize, M: Model, K> Link<SLOT, M, K> for Unique<M> {
    type With<Parents> = Parents;
}

impl<M: Model, K, C: CreateRow<Model = M>> LinkTarget<M, K> for C {
    fn link(self, insert: &mut Insert, relation: &'static Relation) {
        insert.write_before(Referenced { relation, key: None, row: self.into_insert() });
    }
}

impl<const SLOT: usize, M: Model, K, C: CreateRow<Model = M>> Link<SLOT, M, K> for C {
    type With<Parents> = Parents;
}

/// A row that is created if no row has the key: the value of a required relation's field, made by
/// [`or_create`](Unique::or_create).
#[derive(Debug, Clone)]
pub struct OrCreate<C> {
    key: Key,
    row: C,
}

impl<M: Model> Unique<M> {
    /// References the row with this key, and creates it if it does not exist: a value for the field of a required
    /// relation.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client, tenant: relata::uuid::Uuid) -> relata::Result<()> {
    /// let email = || "a@x.edu".to_owned();
    /// let new = user::Create { institution: tenant, email: email(), password_hash: String::new(), role: Role::Student };
    /// let user = user::institution_id_email.eq(tenant, email()).or_create(new);
    /// let student = db.student().create(student::Create { user, institution: tenant, class_year: 2027 }).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "connect_or_create")]
    pub fn or_create<C: CreateRow<Model = M>>(self, row: C) -> OrCreate<C> {
        OrCreate { key: self.values, row }
    }
}

impl<M: Model, K, C: CreateRow<Model = M>> LinkTarget<M, K> for OrCreate<C> {
    fn link(self, insert: &mut Insert, relation: &'static Relation) {
        insert.write_before(Referenced { relation, key: Some(self.key), row: self.row.into_insert() });
    }
}

impl<const SLOT: usize, M: Model, K, C: CreateRow<Model = M>> Link<SLOT, M, K> for OrCreate<C> {
    type With<Parents> = Parents;
}

/// Keys of one column: every type that a referenced column can have.
macro_rules! key_type {
    (for [$($generic:tt)*] $key:ty) => {
        impl<M: Model, $($generic)*> LinkTarget<M, $key> for $key {
            fn link(self, insert: &mut Insert, relation: &'static Relation) {
                insert.key(relation, [Scalar::into_param(self)]);
            }
        }

        impl<const SLOT: usize, M: Model, $($generic)*> Link<SLOT, M, $key> for $key {
            type With<Parents> = Parents;
        }
    };
    ($($key:ty),+) => {
        $(key_type!(for [] $key);)+
    };
}

key_type!(bool, i32, i64, f64, String, Vec<u8>, uuid::Uuid, rust_decimal::Decimal, serde_json::Value);
key_type!(chrono::DateTime<chrono::Utc>, chrono::NaiveDate, chrono::NaiveTime);
key_type!(TsVector, AsText);
#[cfg(feature = "types")]
key_type!(Interval, Hstore, Ltree);
#[cfg(feature = "types")]
key_type!(for [T: Scalar] Range<T>);
#[cfg(feature = "types")]
key_type!(for [T: Scalar] Multirange<T>);
#[cfg(feature = "net")]
key_type!(cidr::IpInet, cidr::IpCidr, macaddr::MacAddr6, macaddr::MacAddr8);
#[cfg(feature = "bit")]
key_type!(bit_vec::BitVec);
#[cfg(feature = "pgvector")]
key_type!(pgvector::Vector, pgvector::HalfVector, pgvector::SparseVector);
#[cfg(feature = "geo")]
key_type!(geo_types::Geometry<f64>, geo_types::Point<f64>, geo_types::Polygon<f64>, geo_types::LineString<f64>);
#[cfg(feature = "bigdecimal")]
key_type!(bigdecimal::BigDecimal);
#[cfg(feature = "jiff")]
key_type!(jiff::Timestamp, jiff::civil::Date, jiff::civil::Time);
#[cfg(feature = "time")]
key_type!(time::OffsetDateTime, time::Date, time::Time);

macro_rules! text_key {
    ($($text:ty),+) => {
        $(
            impl<M: Model> LinkTarget<M, String> for $text {
                fn link(self, insert: &mut Insert, relation: &'static Relation) {
                    insert.key(relation, [self.to_owned().into_param()]);
                }
            }

            impl<const SLOT: usize, M: Model> Link<SLOT, M, String> for $text {
                type With<Parents> = Parents;
            }
        )+
    };
}

text_key!(&str, &String);

/// Keys of several columns are tuples.
macro_rules! key_tuple {
    ($($type:ident $index:tt),+) => {
        impl<M: Model, $($type: Scalar),+> LinkTarget<M, ($($type,)+)> for ($($type,)+) {
            fn link(self, insert: &mut Insert, relation: &'static Relation) {
                insert.key(relation, [$(self.$index.into_param()),+]);
            }
        }

        impl<const SLOT: usize, M: Model, $($type: Scalar),+> Link<SLOT, M, ($($type,)+)> for ($($type,)+) {
            type With<Parents> = Parents;
        }
    };
}

key_tuple!(A 0, B 1);
key_tuple!(A 0, B 1, C 2);
key_tuple!(A 0, B 1, C 2, D 3);
key_tuple!(A 0, B 1, C 2, D 3, E 4);
key_tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
key_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
key_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

/// The `PARENT` of rows that are created directly, or through a relation that has no field in `Create`.
pub const ANY: usize = usize::MAX;

/// A new row as data. Implemented by generated code for each `Create`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a new row nor a key that this place takes",
    label = "expected a `Create`; the field of a relation also takes the other row's key, or a unique filter such as `user::id.eq(..)`",
    note = "`Parent` can only be used in a row that is created inside a parent's `create`, for the relation to that parent"
)]
pub trait NewRow: Sized {
    /// The model.
    type Model: Model;

    /// The row as data.
    fn into_insert(self) -> Insert;
}

/// A new row that is accepted in a certain place: a `Create`, with or without `.set(..)`.
///
/// `PARENT` is the number of the relation whose field is [`Parent`], or [`ANY`] if none is.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a new row nor a key that this place takes",
    label = "expected a `Create`; the field of a relation also takes the other row's key, or a unique filter such as `user::id.eq(..)`",
    note = "`Parent` can only be used in a row that is created inside a parent's `create`, for the relation to that parent"
)]
pub trait CreateRow<const PARENT: usize = ANY>: NewRow {}

/// For generated code: `set` and `with` of a `Create`, whatever its relations hold.
#[doc(hidden)]
#[macro_export]
macro_rules! set_and_with {
    ($model:ty) => {
        /// Sets an optional column, or a column with a default.
        pub fn set(self, to_: impl $crate::IntoAssignments<$model>) -> $crate::rt::CreateWith<Self> {
            $crate::rt::CreateWith::first(self, to_)
        }

        /// Also creates or connects related rows.
        pub fn with(self, nested_: $crate::rt::Nested<$model>) -> $crate::rt::CreateWith<Self> {
            $crate::rt::CreateWith::first_with(self, nested_)
        }
    };
}

/// For generated code: a `Create` is a row of the places that the types of its relations allow. `$parents` are its
/// parents. Each relation has the parameter that holds it, its number, its model and its key.
#[doc(hidden)]
#[macro_export]
macro_rules! create_row {
    ($create:ident; $parents:ty; $($parameter:ident $slot:literal $model:ty, $key:ty);*) => {
        impl<$($parameter: $crate::Link<$slot, $model, $key>),*> $crate::rt::HasParents for $create<$($parameter),*> {
            type Parents = $parents;
        }

        impl<const PARENT: usize, $($parameter: $crate::Link<$slot, $model, $key>),*> $crate::CreateRow<PARENT>
            for $create<$($parameter),*>
        where
            Self: $crate::rt::PlacedIn<PARENT>,
        {
        }
    };
}

/// A `Create` with values for optional columns, or with related rows.
#[derive(Debug, Clone)]
pub struct CreateWith<C> {
    create: C,
    sets: Sets,
    nested: Vec<NestedWrite>,
}

impl<C> CreateWith<C> {
    /// Wraps a `Create`; continue with [`with`](Self::with) or [`set`](Self::set).
    pub fn new(create: C) -> Self {
        Self { create, sets: Sets::new(), nested: Vec::new() }
    }

    /// For generated code: the first `set`, when the types of the relations are still unknown.
    pub fn first<M>(create: C, assignments: impl IntoAssignments<M>) -> Self {
        Self { create, sets: as_sets(assignments).collect(), nested: Vec::new() }
    }
}

impl<C> CreateWith<C> {
    /// For generated code: the first `with`, when the types of the relations are still unknown.
    pub fn first_with<M>(create: C, nested: Nested<M>) -> Self {
        Self { create, sets: Sets::new(), nested: vec![nested.write] }
    }
}

impl<C: NewRow> CreateWith<C> {
    /// Sets an optional column, or a column with a default.
    pub fn set(mut self, assignments: impl IntoAssignments<C::Model>) -> Self {
        self.sets.extend(as_sets(assignments));
        self
    }

    /// Also creates or connects related rows.
    pub fn with(mut self, nested: Nested<C::Model>) -> Self {
        self.nested.push(nested.write);
        self
    }
}

impl<C: NewRow> NewRow for CreateWith<C> {
    type Model = C::Model;

    fn into_insert(self) -> Insert {
        let mut insert = self.create.into_insert();
        self.sets.into_iter().for_each(|(column, to)| insert.assign(column, to));
        self.nested.into_iter().for_each(|write| insert.write_after(write));
        insert
    }
}

impl<const PARENT: usize, C: CreateRow<PARENT>> CreateRow<PARENT> for CreateWith<C> {}

impl<C: HasParents> HasParents for CreateWith<C> {
    type Parents = C::Parents;
}
