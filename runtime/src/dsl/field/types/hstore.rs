//! `hstore`.

use super::{PartOf, WholeOf};
use crate::dsl::Filter;
use crate::dsl::expression::{Expression, holds, like_column, named};
use crate::dsl::field::Field;
use crate::dsl::kind::{Optional, Single, Source, Uniqueness};
use crate::query::Form;
use crate::rows::Model;
use crate::value::{Hstore, Param, Scalar};

#[diagnostic::do_not_recommend]
impl PartOf<Hstore> for Hstore {
    fn contains<M: Model>(self, column: u16) -> Filter<M> {
        holds(column, Form::Infix("@>"), vec![like_column(self.into_param())])
    }
}

#[diagnostic::do_not_recommend]
impl WholeOf<Hstore> for Hstore {
    fn contained_in<M: Model>(self, column: u16) -> Filter<M> {
        holds(column, Form::Infix("<@"), vec![like_column(self.into_param())])
    }
}

fn keys<K: Into<String>>(keys: impl IntoIterator<Item = K>) -> Param {
    Param::Array(keys.into_iter().map(|key| Param::Text(key.into())).collect())
}

impl<M: Model, T: Scalar<Base = Hstore>, A: Single, U: Uniqueness, S: Source> Field<M, T, A, U, S> {
    /// Returns the value of a key. It is null if there is no such key, or if its value is null.
    pub fn get(self, key: impl Into<String>) -> Expression<M, String, Optional> {
        Expression::new(self.column, Form::Infix("->"), vec![named(Param::Text(key.into()), "text")])
    }

    /// Matches if the key exists, whatever its value is.
    pub fn has_key(self, key: impl Into<String>) -> Filter<M> {
        holds(self.column, Form::Infix("?"), vec![named(Param::Text(key.into()), "text")])
    }

    /// Matches if all of the keys exist.
    pub fn has_every_key<K: Into<String>>(self, names: impl IntoIterator<Item = K>) -> Filter<M> {
        holds(self.column, Form::Infix("?&"), vec![named(keys(names), "text[]")])
    }

    /// Matches if at least one of the keys exists.
    pub fn has_some_key<K: Into<String>>(self, names: impl IntoIterator<Item = K>) -> Filter<M> {
        holds(self.column, Form::Infix("?|"), vec![named(keys(names), "text[]")])
    }
}
