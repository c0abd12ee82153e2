//! `ltree`.

use crate::dsl::Filter;
use crate::dsl::expression::{Expression, holds, like_column, named};
use crate::dsl::field::Field;
use crate::dsl::kind::{Single, Source, Uniqueness};
use crate::query::Form;
use crate::rows::Model;
use crate::value::{IntoValue, Ltree, Param, Scalar};

impl<M: Model, T: Scalar<Base = Ltree>, A: Single, U: Uniqueness, S: Source> Field<M, T, A, U, S> {
    /// Matches a path that is the other one, or below it.
    pub fn descendant_of(self, path: impl IntoValue<Ltree>) -> Filter<M> {
        holds(self.column, Form::Infix("<@"), vec![like_column(path.into_value().into_param())])
    }

    /// Matches a path that is the other one, or above it.
    pub fn ancestor_of(self, path: impl IntoValue<Ltree>) -> Filter<M> {
        holds(self.column, Form::Infix("@>"), vec![like_column(path.into_value().into_param())])
    }

    /// Matches a pattern of PostgreSQL's `lquery`: `*.Science.*{1,2}`.
    pub fn matches(self, pattern: impl Into<String>) -> Filter<M> {
        holds(self.column, Form::Infix("~"), vec![named(Param::Text(pattern.into()), "text::lquery")])
    }

    /// Matches the words of a query of PostgreSQL's `ltxtquery`, in any order: `Europe & Russia*@`.
    pub fn matches_words(self, query: impl Into<String>) -> Filter<M> {
        holds(self.column, Form::Infix("@"), vec![named(Param::Text(query.into()), "text::ltxtquery")])
    }

    /// Returns the number of labels.
    pub fn depth(self) -> Expression<M, i32, A> {
        Expression::new(self.column, Form::Call("nlevel"), Vec::new())
    }
}
