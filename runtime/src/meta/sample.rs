//! What a factory has to know of a table: which columns need a value, what limits it, and which keys are unique.

/// What factories have to know of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Samples {
    /// The required columns without a default that belong to no required relation.
    pub(crate) columns: &'static [Sample],
    /// The unique keys that no default makes unique.
    pub(crate) keys: &'static [&'static [u16]],
}

/// A column for which a factory has to find a value.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub(crate) column: u16,
    pub(crate) kind: SampleKind,
}

/// What is known of the values of a column, in addition to its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SampleKind {
    /// Nothing.
    Any,
    /// The maximum of characters, bits or dimensions.
    Length(u32),
    /// The digits of a number, and how many of them are behind the point.
    Digits(u32, u32),
    /// The labels of the enum.
    Labels(&'static [&'static str]),
    /// A list in JSON.
    JsonList,
    /// Only the program knows a value.
    ByHand,
}

impl Sample {
    /// A column. For generated code.
    pub const fn new(column: u16) -> Self {
        Self { column, kind: SampleKind::Any }
    }

    /// Sets the maximum of characters, bits or dimensions. For generated code.
    pub const fn length(mut self, length: u32) -> Self {
        self.kind = SampleKind::Length(length);
        self
    }

    /// Sets the precision and the scale. For generated code.
    pub const fn digits(mut self, precision: u32, scale: u32) -> Self {
        self.kind = SampleKind::Digits(precision, scale);
        self
    }

    /// Sets the labels of the enum. For generated code.
    pub const fn labels(mut self, labels: &'static [&'static str]) -> Self {
        self.kind = SampleKind::Labels(labels);
        self
    }

    /// Marks a list in JSON. For generated code.
    pub const fn json_list(mut self) -> Self {
        self.kind = SampleKind::JsonList;
        self
    }

    /// Marks a column whose values only the program knows. For generated code.
    pub const fn by_hand(mut self) -> Self {
        self.kind = SampleKind::ByHand;
        self
    }
}
