//! `type` blocks as JSON.

use relata_codegen::ir::{self, Arity, DefaultValue, JsonField, JsonFieldType, JsonShape, JsonType, Literal};
use serde::Serialize;
use serde_json::{Value, json};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Type<'s> {
    name: &'s str,
    rust_name: &'s str,
    module: &'s str,
    docs: Option<&'s str>,
    fields: Vec<Field<'s>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    derives: &'s [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Field<'s> {
    name: &'s str,
    rust_name: &'s str,
    key: &'s str,
    docs: Option<&'s str>,
    arity: &'static str,
    #[serde(rename = "type")]
    ty: Value,
    default: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rust: Option<&'s str>,
}

/// Returns all `type` blocks.
pub(super) fn types(schema: &ir::Schema) -> Vec<Type<'_>> {
    schema.json_types().map(|(_, ty)| json_type(schema, ty)).collect()
}

fn json_type<'s>(schema: &'s ir::Schema, ty: &'s JsonType) -> Type<'s> {
    Type {
        name: &ty.name,
        rust_name: &ty.rust_ident,
        module: &ty.module,
        docs: ty.docs.as_deref(),
        fields: ty.fields.iter().map(|known| field(schema, known)).collect(),
        derives: &ty.derives,
    }
}

fn field<'s>(schema: &'s ir::Schema, known: &'s JsonField) -> Field<'s> {
    let ty = match known.ty {
        JsonFieldType::Scalar(scalar, native) if native == scalar.default_native_type() => {
            json!({ "scalar": format!("{scalar:?}") })
        }
        JsonFieldType::Scalar(scalar, native) => {
            let (native, _) = super::json::native_type(native);
            json!({ "scalar": format!("{scalar:?}"), "native": native })
        }
        JsonFieldType::Enum(id) => json!({ "enum": schema.walk_enum(id).name() }),
        JsonFieldType::Type(id) => json!({ "type": schema.json_type(id).name }),
    };
    Field {
        name: &known.name,
        rust_name: &known.rust_ident,
        key: &known.key,
        docs: known.docs.as_deref(),
        arity: arity(known.arity),
        ty,
        default: known.default.as_ref().map(|default| default_value(schema, known, default)),
        rust: known.rust.as_deref(),
    }
}

pub(super) fn arity(arity: Arity) -> &'static str {
    match arity {
        Arity::Required => "required",
        Arity::Optional => "optional",
        Arity::List => "list",
    }
}

/// A default of a `type` block is a literal or a value of an enum.
fn default_value(schema: &ir::Schema, known: &JsonField, default: &DefaultValue) -> Value {
    match (default, known.ty) {
        (DefaultValue::Literal(literal), _) => literal_value(literal),
        (DefaultValue::EnumValue(position), JsonFieldType::Enum(id)) => {
            let value = schema.walk_enum(id).enumeration().values.get(*position);
            json!({ "enumValue": value.map(|value| &value.name) })
        }
        _ => Value::Null,
    }
}

pub(super) fn literal_value(literal: &Literal) -> Value {
    match literal {
        Literal::String(text) => json!({ "string": text }),
        Literal::Number(text) => json!({ "number": text }),
        Literal::Boolean(value) => json!({ "boolean": value }),
    }
}

/// `{"type": "Address", "list": false}`.
pub(super) fn shape(schema: &ir::Schema, shape: JsonShape) -> Value {
    json!({ "type": schema.json_type(shape.ty).name, "list": shape.list })
}
