//! The syntax tree of a schema, with places. Nothing is resolved or checked here.

use std::borrow::Cow;

use crate::diagnostics::Span;
use crate::ir::Arity;

/// Everything that the files declare, each kind in the order of the files.
#[derive(Debug, Default)]
pub(crate) struct Ast<'s> {
    pub(crate) models: Vec<FieldBlock<'s>>,
    pub(crate) mixins: Vec<FieldBlock<'s>>,
    pub(crate) enums: Vec<EnumBlock<'s>>,
    pub(crate) configs: Vec<ConfigBlock<'s>>,
}

impl Ast<'_> {
    /// Whether no file has any block.
    pub(crate) fn is_empty(&self) -> bool {
        self.models.is_empty() && self.mixins.is_empty() && self.enums.is_empty() && self.configs.is_empty()
    }
}

/// A name as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name<'s> {
    pub(crate) text: &'s str,
    pub(crate) span: Span,
}

/// A string with its escapes resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text<'s> {
    pub(crate) value: Cow<'s, str>,
    pub(crate) span: Span,
}

/// The keyword of a block of fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ModelKind {
    Model,
    View,
    Composite,
    Mixin,
}

impl ModelKind {
    /// The keyword.
    pub(crate) fn keyword(self) -> &'static str {
        match self {
            ModelKind::Model => "model",
            ModelKind::View => "view",
            ModelKind::Composite => "type",
            ModelKind::Mixin => "mixin",
        }
    }
}

/// `...Name`
#[derive(Debug)]
pub(crate) struct Spread<'s> {
    pub(crate) name: Name<'s>,
    /// The index of the field that follows.
    pub(crate) before: usize,
}

/// `model`, `view`, `type` or `mixin`.
#[derive(Debug)]
pub(crate) struct FieldBlock<'s> {
    pub(crate) kind: ModelKind,
    pub(crate) name: Name<'s>,
    pub(crate) docs: Option<String>,
    pub(crate) fields: Vec<FieldLine<'s>>,
    pub(crate) spreads: Vec<Spread<'s>>,
    pub(crate) attributes: Vec<Attribute<'s>>,
    /// The byte of its `}`.
    pub(crate) close: Option<u32>,
    /// Whether some of its lines could not be read. Then an apparently missing part may exist.
    pub(crate) broken: bool,
}

/// A field of a model, view or type.
#[derive(Debug)]
pub(crate) struct FieldLine<'s> {
    pub(crate) name: Name<'s>,
    pub(crate) ty: FieldType<'s>,
    pub(crate) docs: Option<String>,
    pub(crate) attributes: Vec<Attribute<'s>>,
    /// Whether the rest of the line could not be read.
    pub(crate) broken: bool,
}

/// The type of a field.
#[derive(Debug)]
pub(crate) struct FieldType<'s> {
    pub(crate) name: Name<'s>,
    pub(crate) arity: Arity,
    /// The text in `Unsupported("..")`.
    pub(crate) unsupported: Option<Text<'s>>,
    /// The text between the parentheses of `Vector(3)`.
    pub(crate) arguments: Option<Name<'s>>,
    /// Includes its `?` or `[]`.
    pub(crate) span: Span,
}

/// `enum`.
#[derive(Debug)]
pub(crate) struct EnumBlock<'s> {
    pub(crate) name: Name<'s>,
    pub(crate) docs: Option<String>,
    pub(crate) values: Vec<EnumValue<'s>>,
    pub(crate) attributes: Vec<Attribute<'s>>,
    /// Whether some of its lines could not be read.
    pub(crate) broken: bool,
}

/// A value of an enum.
#[derive(Debug)]
pub(crate) struct EnumValue<'s> {
    pub(crate) name: Name<'s>,
    pub(crate) docs: Option<String>,
    pub(crate) attributes: Vec<Attribute<'s>>,
}

/// The keyword of a block of properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConfigKind {
    Datasource,
    Generator,
}

/// `datasource` or `generator`.
#[derive(Debug)]
pub(crate) struct ConfigBlock<'s> {
    pub(crate) kind: ConfigKind,
    pub(crate) name: Name<'s>,
    pub(crate) properties: Vec<Property<'s>>,
    /// Whether some of its lines could not be read.
    pub(crate) broken: bool,
}

/// `name = value`.
#[derive(Debug)]
pub(crate) struct Property<'s> {
    pub(crate) name: Name<'s>,
    pub(crate) value: Option<Expression<'s>>,
    /// Whether the rest of the line could not be read.
    pub(crate) broken: bool,
}

/// `@name(..)` or `@@name(..)`; the name has no `@`, but may have dots.
#[derive(Debug)]
pub(crate) struct Attribute<'s> {
    pub(crate) name: Name<'s>,
    pub(crate) arguments: Option<Arguments<'s>>,
    /// Whether the arguments could not be read.
    pub(crate) broken: bool,
    /// From the `@` to the closing parenthesis.
    pub(crate) span: Span,
}

impl<'s> Attribute<'s> {
    /// Returns the arguments one by one; none if there are no parentheses.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &Argument<'s>> {
        self.arguments.iter().flat_map(|arguments| &arguments.list)
    }
}

/// `(..)`.
#[derive(Debug)]
pub(crate) struct Arguments<'s> {
    pub(crate) list: Vec<Argument<'s>>,
    pub(crate) span: Span,
}

/// `value` or `name: value`.
#[derive(Debug)]
pub(crate) struct Argument<'s> {
    pub(crate) name: Option<Name<'s>>,
    pub(crate) value: Expression<'s>,
    pub(crate) span: Span,
}

/// A value.
#[derive(Debug)]
pub(crate) enum Expression<'s> {
    String(Text<'s>),
    Number(Name<'s>),
    /// A word, possibly with dots: a field, an enum value, `true`.
    Constant(Name<'s>),
    Call {
        name: Name<'s>,
        arguments: Arguments<'s>,
        span: Span,
    },
    Array {
        items: Vec<Expression<'s>>,
        span: Span,
    },
    /// `{ name: value }`
    Object {
        entries: Vec<(Name<'s>, Expression<'s>)>,
        span: Span,
    },
    /// `name:` without a value, which was reported when the tree was built.
    Missing(Span),
}

impl Expression<'_> {
    /// Returns its place.
    pub(crate) fn span(&self) -> Span {
        match self {
            Expression::String(text) => text.span,
            Expression::Number(name) | Expression::Constant(name) => name.span,
            Expression::Call { span, .. }
            | Expression::Array { span, .. }
            | Expression::Object { span, .. }
            | Expression::Missing(span) => *span,
        }
    }

    /// Describes it for a message.
    pub(crate) fn describe(&self) -> String {
        match self {
            Expression::String(text) => format!("the string {:?}", text.value),
            Expression::Number(number) => format!("the number `{}`", number.text),
            Expression::Constant(word) => format!("the word `{}`", word.text),
            Expression::Call { name, .. } => format!("the function `{}`", name.text),
            Expression::Array { .. } => "a list".to_owned(),
            Expression::Object { .. } => "an object".to_owned(),
            Expression::Missing(_) => "nothing".to_owned(),
        }
    }
}
