//! The methods of calls that lift scopes of their model: `with_deleted`, `only_deleted` and `unscoped`.

/// Adds the methods to a call, which keeps its condition in a field.
macro_rules! scoped {
    ($name:ident<M $(, $parameter:ident $(: $bound:ident)?)*> in $($field:ident).+, $verb:literal) => {
        impl<M: $crate::rows::Model $(, $parameter $(: $bound)?)*> $name<M $(, $parameter)*> {
            #[doc = concat!("Also ", $verb, " rows that a scope of the model leaves out (`@@scope`):")]
            /// `.unscoped(post::scope::published)`. Other scopes of the model keep their effect.
            ///
            /// This concerns the rows of this model that the call itself looks for. Rows of relations are those in their
            /// scopes, unless the relation has `unscoped`, too.
            pub fn unscoped(mut self, scope: $crate::dsl::Scope<M>) -> Self {
                let condition = std::mem::replace(&mut self.$($field).+, $crate::query::Condition::ALL);
                self.$($field).+ = condition.unscoped(scope.place);
                self
            }
        }

        impl<M: $crate::rows::SoftDelete $(, $parameter $(: $bound)?)*> $name<M $(, $parameter)*> {
            #[doc = concat!("Also ", $verb, " rows that are deleted (`@softDelete`).")]
            ///
            /// This concerns the rows of this model that the call itself looks for. Rows of relations are those that are
            /// not deleted, unless the relation has `with_deleted`, too.
            ///
            /// # Errors
            /// The call returns [`Error::Misuse`](crate::Error::Misuse) if its key is unique only among rows that are
            /// not deleted.
            pub fn with_deleted(mut self) -> Self {
                let condition = std::mem::replace(&mut self.$($field).+, $crate::query::Condition::ALL);
                self.$($field).+ = condition.with_deleted();
                self
            }

            #[doc = concat!("Only ", $verb, " rows that are deleted (`@softDelete`).")]
            ///
            /// # Errors
            /// As for [`with_deleted`](Self::with_deleted).
            pub fn only_deleted(mut self) -> Self {
                let condition = std::mem::replace(&mut self.$($field).+, $crate::query::Condition::ALL);
                self.$($field).+ = condition.only_deleted();
                self
            }
        }
    };
}

pub(super) use scoped;
