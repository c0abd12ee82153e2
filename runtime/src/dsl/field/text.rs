//! Conditions on text.

use super::Field;
use super::types::PartOf;
use crate::dsl::kind::{Single, Source, Uniqueness};
use crate::dsl::{Filter, escape_like};
use crate::query::Condition;
use crate::rows::Model;
use crate::value::{Param, Scalar};

impl<V: AsRef<str>> PartOf<String> for V {
    fn contains<M: Model>(self, column: u16) -> Filter<M> {
        let pattern = Param::Text(format!("%{}%", escape_like(self.as_ref())));
        Filter::new(Condition::Like { column, pattern, insensitive: false })
    }
}

impl<M: Model, T: Scalar<Base = String>, A: Single, U: Uniqueness, S: Source> Field<M, T, A, U, S> {
    fn like(self, pattern: String, insensitive: bool) -> Filter<M> {
        Filter::new(Condition::Like { column: self.column, pattern: Param::Text(pattern), insensitive })
    }

    /// Matches if the column starts with the text.
    pub fn starts_with(self, text: impl AsRef<str>) -> Filter<M> {
        self.like(format!("{}%", escape_like(text.as_ref())), false)
    }

    /// Matches if the column ends with the text.
    pub fn ends_with(self, text: impl AsRef<str>) -> Filter<M> {
        self.like(format!("%{}", escape_like(text.as_ref())), false)
    }

    /// Matches if the column equals the text; case does not matter.
    pub fn eq_insensitive(self, text: impl AsRef<str>) -> Filter<M> {
        self.like(escape_like(text.as_ref()), true)
    }

    /// Matches if the column differs from the text; case does not matter.
    pub fn ne_insensitive(self, text: impl AsRef<str>) -> Filter<M> {
        !self.eq_insensitive(text)
    }

    /// Matches if the column starts with the text; case does not matter.
    pub fn starts_with_insensitive(self, text: impl AsRef<str>) -> Filter<M> {
        self.like(format!("{}%", escape_like(text.as_ref())), true)
    }

    /// Matches if the column ends with the text; case does not matter.
    pub fn ends_with_insensitive(self, text: impl AsRef<str>) -> Filter<M> {
        self.like(format!("%{}", escape_like(text.as_ref())), true)
    }

    /// Like `contains`; `None` applies no filter.
    pub fn contains_opt(self, text: Option<impl AsRef<str>>) -> Filter<M> {
        text.map(|text| self.contains(text)).into()
    }

    /// Matches if the column contains the text; case does not matter.
    pub fn contains_insensitive(self, text: impl AsRef<str>) -> Filter<M> {
        self.like(format!("%{}%", escape_like(text.as_ref())), true)
    }
}
