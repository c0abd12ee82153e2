//! What the types of the fields are.

use super::draft::FieldType;
use super::{Cx, Declared};
use crate::diagnostics::hints::type_hint;
use crate::diagnostics::{self as codes, Diagnostic, did_you_mean};
use crate::ir::names::SCALAR_NAMES;
use crate::ir::{FieldId, ScalarType};

/// Finds the type of every field.
pub(super) fn resolve_types(cx: &mut Cx<'_, '_>) {
    for id in cx.field_ids() {
        let ty = resolve_type(cx, id);
        cx.field_mut(id).ty = ty;
    }
}

fn resolve_type(cx: &mut Cx<'_, '_>, id: FieldId) -> FieldType {
    let field = cx.field(id).ast;
    if field.ty.unsupported.is_some() {
        return FieldType::Unsupported;
    }
    let name = field.ty.name.text;
    if let Some(scalar) = scalar_type(name) {
        return FieldType::Scalar(scalar);
    }
    match cx.declared.get(name) {
        Some(Declared::Model(model)) => FieldType::Model(*model),
        Some(Declared::Enum(id)) => FieldType::Enum(*id),
        Some(Declared::Composite) => FieldType::Unknown,
        None => {
            if !field.broken {
                report_unknown_type(cx, id);
            }
            FieldType::Unknown
        }
    }
}

/// The scalar of that name.
pub(super) fn scalar_type(name: &str) -> Option<ScalarType> {
    Some(match name {
        "String" => ScalarType::String,
        "Boolean" => ScalarType::Boolean,
        "Int" => ScalarType::Int,
        "BigInt" => ScalarType::BigInt,
        "Float" => ScalarType::Float,
        "Decimal" => ScalarType::Decimal,
        "DateTime" => ScalarType::DateTime,
        "Json" => ScalarType::Json,
        "Bytes" => ScalarType::Bytes,
        _ => return None,
    })
}

fn report_unknown_type(cx: &mut Cx<'_, '_>, id: FieldId) {
    let name = cx.field(id).ast.ty.name;
    let known = SCALAR_NAMES.into_iter().chain(cx.declared.keys().copied());
    // What differs in capitals alone is meant; else a word of SQL says more than a near one.
    let same = SCALAR_NAMES.into_iter().find(|scalar| scalar.eq_ignore_ascii_case(name.text));
    let guess = same.map(str::to_owned).or_else(|| type_hint(name.text, None)).or_else(|| {
        let found =
            if cx.may_search() { did_you_mean(name.text, known) } else { did_you_mean(name.text, SCALAR_NAMES) };
        found.map(str::to_owned)
    });
    let help = match guess {
        Some(guess) => format!("did you mean `{guess}`?"),
        None if name.text == "Unsupported" => {
            "write the type of the database in it: `Unsupported(\"tsvector\")`".to_owned()
        }
        None => {
            format!("declare `model {0} {{` or `enum {0} {{`, or use one of {1}", name.text, SCALAR_NAMES.join(", "))
        }
    };
    cx.report(
        Diagnostic::new(codes::UNKNOWN_TYPE, name.span, format!("there is no type `{}`", name.text))
            .label("neither a built-in type, nor a model, nor an enum")
            .help(help),
    );
}
