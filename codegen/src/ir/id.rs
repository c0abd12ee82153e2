//! Typed indexes into the vectors of `Schema`.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// The position in its vector.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id!(
    /// A model or view.
    ModelId
);
id!(
    /// A field of any model.
    FieldId
);
id!(
    /// An enum.
    EnumId
);
id!(
    /// A `type` block.
    TypeId
);
id!(
    /// A relation.
    RelationId
);
