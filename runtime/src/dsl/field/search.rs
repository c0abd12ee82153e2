//! Full-text search in a column of text, or in a `tsvector`.

use std::marker::PhantomData;

use super::Field;
use crate::dsl::kind::{Single, Source, Uniqueness};
use crate::dsl::{Filter, Order};
use crate::query::{Condition, OrderKey, Search};
use crate::rows::Model;
use crate::value::{Param, Scalar, TsVector};

/// A full-text query.
///
/// A `&str` becomes a query in PostgreSQL's query syntax.
#[derive(Debug, Clone)]
pub struct SearchQuery {
    language: Option<&'static str>,
    query: Param,
    web: bool,
}

impl SearchQuery {
    /// Creates a query in PostgreSQL's query syntax: `cat & dog`, `cat | dog`, `!dog`, `cat <-> dog`. A syntax error in it
    /// is an error of the database, so do not use it for text that a visitor types.
    pub fn terms(query: impl Into<String>) -> Self {
        Self { language: None, query: Param::Text(query.into()), web: false }
    }

    /// Creates a query from text that a visitor types: words, `"several words"`, `or`, `-not`. It is never an error.
    pub fn web(query: impl Into<String>) -> Self {
        Self { language: None, query: Param::Text(query.into()), web: true }
    }

    /// Sets the text search configuration (`"english"`, `"simple"`) in place of the server's default. It must be that of
    /// the index on `to_tsvector('english', column)`.
    pub fn language(mut self, language: &'static str) -> Self {
        self.language = Some(language);
        self
    }

    fn of(self, column: u16, is_document: bool) -> Search {
        Search { column, is_document, language: self.language, query: self.query, web: self.web }
    }
}

impl From<&str> for SearchQuery {
    fn from(query: &str) -> Self {
        Self::terms(query)
    }
}

impl From<String> for SearchQuery {
    fn from(query: String) -> Self {
        Self::terms(query)
    }
}

/// The relevance of a text for a query, as a sort key.
pub struct Relevance<M> {
    search: Search,
    nullable: bool,
    model: PhantomData<fn() -> M>,
}

impl<M> std::fmt::Debug for Relevance<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Relevance({})", self.search.column)
    }
}

impl<M> Relevance<M> {
    /// Sorts the least relevant rows first.
    pub fn asc(self) -> Order<M> {
        let order = Order::<M>::by(OrderKey::Relevance(self.search));
        order.map(|key| key, self.nullable)
    }

    /// Sorts the most relevant rows first.
    pub fn desc(self) -> Order<M> {
        self.asc().reversed()
    }
}

/// Types that full-text search looks into: a text, and a `tsvector`.
#[diagnostic::on_unimplemented(message = "there is no full-text search in values of `{Self}`")]
pub trait Searched: Scalar {
    #[doc(hidden)]
    const IS_DOCUMENT: bool;
}

impl Searched for String {
    const IS_DOCUMENT: bool = false;
}

impl Searched for TsVector {
    const IS_DOCUMENT: bool = true;
}

impl<M: Model, T: Scalar<Base: Searched>, A: Single, U: Uniqueness, S: Source> Field<M, T, A, U, S> {
    /// Matches texts that contain the words of the query in any grammatical form: PostgreSQL's full-text search.
    pub fn search(self, query: impl Into<SearchQuery>) -> Filter<M> {
        Filter::new(Condition::Search(query.into().of(self.column, T::Base::IS_DOCUMENT)))
    }

    /// Returns the relevance of the text for the query, as a sort key.
    pub fn relevance(self, query: impl Into<SearchQuery>) -> Relevance<M> {
        Relevance {
            search: query.into().of(self.column, T::Base::IS_DOCUMENT),
            nullable: A::NULLABLE,
            model: PhantomData,
        }
    }
}
