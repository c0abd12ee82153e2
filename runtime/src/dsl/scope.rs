//! Scopes of the schema as constants.

use std::marker::PhantomData;

/// A scope of the model `M` (`@@scope`): a constant of the module `scope` of the model's module, such as
/// `post::scope::published`. `unscoped` of a call or a relation lifts it.
pub struct Scope<M> {
    /// Its position among the scopes of the table.
    pub(crate) place: usize,
    model: PhantomData<fn() -> M>,
}

impl<M> Scope<M> {
    /// For generated code.
    #[allow(clippy::new_without_default, reason = "made only as constants")]
    pub const fn new(place: usize) -> Self {
        Self { place, model: PhantomData }
    }
}

impl<M> Clone for Scope<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Scope<M> {}

impl<M> std::fmt::Debug for Scope<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scope({})", self.place)
    }
}
