//! `type` blocks: the shapes of JSON values. PostgreSQL does not know them.

use super::{Arity, DefaultValue, EnumId, NativeType, ScalarType, Schema, TypeId};

/// A `type` block: an object in JSON, and a struct in the client.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonType {
    /// The name in the schema.
    pub name: String,
    /// The lines of its `///` comment.
    pub docs: Option<String>,
    /// Its fields in the order of their declaration.
    pub fields: Vec<JsonField>,
    /// `@@derive`, and `derives` of the generator: further derives of the struct, as paths.
    pub derives: Vec<String>,
    /// The name of its struct.
    pub rust_ident: String,
    /// The name of its module.
    pub module: String,
}

/// A field of a `type` block.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonField {
    /// The name in the schema.
    pub name: String,
    /// The key in JSON, after `@map`.
    pub key: String,
    /// The lines of its `///` comment.
    pub docs: Option<String>,
    /// Required, optional or list.
    pub arity: Arity,
    /// The type of one value.
    pub ty: JsonFieldType,
    /// `@default`: the value if the key is missing. A literal, or a value of an enum.
    pub default: Option<DefaultValue>,
    /// `@rust`: the type in the client, as a path from a crate.
    pub rust: Option<String>,
    /// The name of the field in the client.
    pub rust_ident: String,
    /// The type contains itself through this optional field, so the value is in a `Box`.
    pub boxed: bool,
}

/// The type of one value in a `type` block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonFieldType {
    /// A scalar. Of its native types, only those with another type in the client have an effect.
    Scalar(ScalarType, NativeType),
    /// An enum of the schema, whose values have their names in JSON.
    Enum(EnumId),
    /// A `type` block.
    Type(TypeId),
}

/// `@json`: the shape of the values in a column of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonShape {
    /// The type of the value, or of each element.
    pub ty: TypeId,
    /// The value is one array.
    pub list: bool,
}

impl Schema {
    /// A `type` block.
    pub fn json_type(&self, id: TypeId) -> &JsonType {
        &self.types[id.index()]
    }

    /// All `type` blocks.
    pub fn json_types(&self) -> impl Iterator<Item = (TypeId, &JsonType)> {
        self.types.iter().enumerate().map(|(index, ty)| (TypeId(index as u32), ty))
    }

    /// Returns whether a `type` block has a field with this enum.
    pub fn is_in_json(&self, id: EnumId) -> bool {
        self.types.iter().flat_map(|ty| &ty.fields).any(|field| field.ty == JsonFieldType::Enum(id))
    }
}
