//! New rows as data: their columns, the rows they reference, and the rows that reference them.

use crate::field::{Assignment, SetTo};
use crate::filter::Unique;
use crate::model::Model;
use crate::nested::{self, Nested, NestedWrite, Sets};
use crate::sql::Cell;
use crate::table::{Relation, Table};
use crate::value::{Param, Scalar};

/// A new row, for generated code.
#[derive(Debug, Clone)]
pub struct Insert {
    pub(crate) table: &'static Table,
    pub(crate) cells: Vec<(u16, Cell)>,
    /// Rows that must be created first, because this one references them.
    pub(crate) before: Vec<(&'static Relation, Insert)>,
    /// Rows that reference this one.
    pub(crate) after: Vec<NestedWrite>,
    /// The first mistake that was found while it was built.
    pub(crate) refused: Option<&'static str>,
    /// How many nested writes are inside one another at most.
    pub(crate) levels: u16,
}

impl Insert {
    /// Creates a row without values.
    pub fn new(table: &'static Table) -> Self {
        Self {
            table,
            cells: Vec::with_capacity(table.columns.len()),
            before: Vec::new(),
            after: Vec::new(),
            refused: None,
            levels: 0,
        }
    }

    /// Sets a column.
    pub fn value(mut self, column: u16, value: impl Scalar) -> Self {
        self.cells.push((column, Cell::Value(value.into_param())));
        self
    }

    /// Sets the row that the relation with this number references.
    pub fn link<M: Model, K>(mut self, slot: usize, to: impl LinkTarget<M, K>) -> Self {
        let table = self.table;
        to.link(&mut self, &table.relations[slot]);
        self
    }

    /// Sets the columns of a foreign key, in the order of the key.
    pub fn key(&mut self, relation: &'static Relation, values: impl IntoIterator<Item = Param>) {
        for (column, value) in relation.parent_columns.iter().zip(values) {
            self.cells.push((*column, Cell::Value(value)));
        }
    }

    /// Takes a row along that must be there first.
    fn write_before(&mut self, relation: &'static Relation, other: Insert) {
        self.refused = self.refused.or(other.refused);
        if other.levels >= nested::MOST_LEVELS {
            self.refused = Some(nested::TOO_DEEP);
            return;
        }
        self.levels = self.levels.max(other.levels + 1);
        self.before.push((relation, other));
    }

    /// Takes a write along that comes behind it.
    pub(crate) fn write_after(&mut self, write: NestedWrite) {
        self.refused = self.refused.or(write.refused);
        self.levels = self.levels.max(write.levels);
        self.after.push(write);
    }

    pub(crate) fn assign(&mut self, column: u16, to: SetTo) {
        match to {
            // What is added to a list is what a new row's list begins with.
            SetTo::Value(value) | SetTo::Append(value) => {
                self.cells.retain(|(known, _)| *known != column);
                self.cells.push((column, Cell::Value(value)));
            }
            SetTo::Default => self.cells.retain(|(known, _)| *known != column),
            _ => self.refused = Some("a new row has no value yet to increment, decrement, multiply or divide"),
        }
    }
}

/// Stands for the row that is created together with this one: its key is filled in.
///
/// It is accepted only inside the `create` of that row:
/// `user::student.create(student::Create { user: Parent, .. })`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent;

/// What the field of a required relation accepts in generated code: a [`Link`] or [`Parent`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which `{M}` this relation points at",
    label = "expected its key of type `{K}`, a unique filter such as `user::id.eq(..)`, or its `Create`"
)]
pub trait LinkTarget<M, K> {
    /// Writes it into the new row.
    fn link(self, insert: &mut Insert, relation: &'static Relation);
}

impl<M, K> LinkTarget<M, K> for Parent {
    fn link(self, _: &mut Insert, _: &'static Relation) {}
}

/// What the field of a required relation accepts: the key `K` of a row of `M`, a unique filter that finds the row, or a
/// `Create` of it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which `{M}` this relation points at",
    label = "expected its key of type `{K}`, a unique filter such as `user::id.eq(..)`, or its `Create`",
    note = "`Parent` stands only in what is created inside a parent's `create`"
)]
pub trait Link<M, K>: LinkTarget<M, K> {}

impl<M: Model, K> LinkTarget<M, K> for Unique<M> {
    fn link(self, insert: &mut Insert, relation: &'static Relation) {
        for (ours, theirs) in relation.parent_columns.iter().zip(relation.child_columns) {
            let cell = Cell::Lookup { relation, column: *theirs, key: self.values.clone() };
            insert.cells.push((*ours, cell));
        }
    }
}

impl<M: Model, K> Link<M, K> for Unique<M> {}

impl<M: Model, K, C: CreateRow<Model = M>> LinkTarget<M, K> for C {
    fn link(self, insert: &mut Insert, relation: &'static Relation) {
        insert.write_before(relation, self.into_insert());
    }
}

impl<M: Model, K, C: CreateRow<Model = M>> Link<M, K> for C {}

/// Keys of one column: every scalar type that a referenced column can have.
macro_rules! key_type {
    ($($key:ty),+) => {
        $(
            impl<M: crate::model::Model> crate::create::LinkTarget<M, $key> for $key {
                fn link(self, insert: &mut crate::create::Insert, relation: &'static crate::table::Relation) {
                    insert.key(relation, [crate::value::Scalar::into_param(self)]);
                }
            }

            impl<M: crate::model::Model> crate::create::Link<M, $key> for $key {}
        )+
    };
}
#[cfg(any(feature = "bigdecimal", feature = "jiff", feature = "time"))]
pub(crate) use key_type;

key_type!(bool, i32, i64, f64, String, Vec<u8>, uuid::Uuid, rust_decimal::Decimal, serde_json::Value);
key_type!(chrono::DateTime<chrono::Utc>, chrono::NaiveDate, chrono::NaiveTime);

impl<M: Model> LinkTarget<M, String> for &str {
    fn link(self, insert: &mut Insert, relation: &'static Relation) {
        insert.key(relation, [self.to_owned().into_param()]);
    }
}

impl<M: Model> Link<M, String> for &str {}

/// Keys of several columns are tuples.
macro_rules! key_tuple {
    ($($type:ident $index:tt),+) => {
        impl<M: Model, $($type: Scalar),+> LinkTarget<M, ($($type,)+)> for ($($type,)+) {
            fn link(self, insert: &mut Insert, relation: &'static Relation) {
                insert.key(relation, [$(self.$index.into_param()),+]);
            }
        }

        impl<M: Model, $($type: Scalar),+> Link<M, ($($type,)+)> for ($($type,)+) {}
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
    message = "`{Self}` is not a new row",
    label = "expected a `Create`, whose relations hold keys, unique filters such as `user::id.eq(..)`, or `Create`s"
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
    note = "`Parent` stands only in what is created inside a parent's `create`, and there it must stand for that parent"
)]
pub trait CreateRow<const PARENT: usize = ANY>: NewRow {}

/// For generated code: `set` and `with` of a `Create`, whatever its relations hold.
#[doc(hidden)]
#[macro_export]
macro_rules! set_and_with {
    ($model:ty) => {
        /// Sets an optional column, or a column with a default.
        pub fn set(self, to_: $crate::rt::Assignment<$model>) -> $crate::rt::CreateWith<Self> {
            $crate::rt::CreateWith::first(self, to_)
        }

        /// Also creates or connects related rows.
        pub fn with(self, nested_: $crate::rt::Nested<$model>) -> $crate::rt::CreateWith<Self> {
            $crate::rt::CreateWith::first_with(self, nested_)
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

    /// For generated code: the first `set`, before it is known what the relations hold.
    pub fn first<M>(create: C, assignment: Assignment<M>) -> Self {
        Self { create, sets: vec![(assignment.column, assignment.to)], nested: Vec::new() }
    }
}

impl<C> CreateWith<C> {
    /// For generated code: the first `with`, before it is known what the relations hold.
    pub fn first_with<M>(create: C, nested: Nested<M>) -> Self {
        Self { create, sets: Sets::new(), nested: vec![nested.write] }
    }
}

impl<C: NewRow> CreateWith<C> {
    /// Sets an optional column, or a column with a default.
    pub fn set(mut self, assignment: Assignment<C::Model>) -> Self {
        self.sets.push((assignment.column, assignment.to));
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
