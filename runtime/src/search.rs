//! Full-text search in a text column.

use std::marker::PhantomData;

use crate::field::{Field, OptionalField, OptionalUniqueField, UniqueField};
use crate::filter::{Condition, Filter};
use crate::model::Model;
use crate::order::{Order, OrderKey};
use crate::value::Param;

/// A search in one column.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    pub(crate) column: u16,
    /// The text search configuration, or the server's default.
    pub(crate) language: Option<&'static str>,
    pub(crate) query: Param,
    /// The query is as people type it, not PostgreSQL's language.
    pub(crate) web: bool,
}

impl Search {
    /// What is searched for.
    pub(crate) fn words(&self) -> &str {
        match &self.query {
            Param::Text(words) => words,
            _ => "",
        }
    }
}

/// What a text is searched for.
///
/// A text alone is a query in PostgreSQL's language.
#[derive(Debug, Clone)]
pub struct SearchQuery {
    language: Option<&'static str>,
    query: Param,
    web: bool,
}

impl SearchQuery {
    /// A query in PostgreSQL's language: `cat & dog`, `cat | dog`, `!dog`, `cat <-> dog`. A mistake in
    /// it is an error of the database's, so this is not for what a visitor types.
    pub fn terms(query: impl Into<String>) -> Self {
        Self { language: None, query: Param::Text(query.into()), web: false }
    }

    /// What a visitor types: words, `"several words"`, `or`, `-not`. It is never an error.
    pub fn web(query: impl Into<String>) -> Self {
        Self { language: None, query: Param::Text(query.into()), web: true }
    }

    /// Searches in this text search configuration (`"english"`, `"simple"`), which an index on
    /// `to_tsvector('english', column)` needs, rather than in the server's default.
    pub fn language(mut self, language: &'static str) -> Self {
        self.language = Some(language);
        self
    }

    fn of(self, column: u16) -> Search {
        Search { column, language: self.language, query: self.query, web: self.web }
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

/// How well a text answers a query, to order by.
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
    /// Least relevant first.
    pub fn asc(self) -> Order<M> {
        let order = Order::<M>::by(OrderKey::Relevance(self.search));
        order.map(|key| key, self.nullable)
    }

    /// Most relevant first.
    pub fn desc(self) -> Order<M> {
        self.asc().reversed()
    }
}

macro_rules! searched {
    ($($field:ident, nullable: $nullable:literal;)+) => {
        $(
            impl<M: Model> $field<M, String> {
                /// Holds the words of the query, in whatever form: PostgreSQL's full-text search.
                pub fn search(self, query: impl Into<SearchQuery>) -> Filter<M> {
                    Filter::new(Condition::Search(query.into().of(self.column)))
                }

                /// How well the text answers the query, to order by.
                pub fn relevance(self, query: impl Into<SearchQuery>) -> Relevance<M> {
                    Relevance { search: query.into().of(self.column), nullable: $nullable, model: PhantomData }
                }
            }
        )+
    };
}

searched! {
    Field, nullable: false;
    UniqueField, nullable: false;
    OptionalField, nullable: true;
    OptionalUniqueField, nullable: true;
}
