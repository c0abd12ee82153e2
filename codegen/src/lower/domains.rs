//! `@domain("public.email")`: columns whose type in PostgreSQL is a domain. The field has the type below it.

use super::Cx;
use super::arguments::{Parameters, bind, expect_database_name};
use super::draft::FieldType;
use crate::diagnostics::{self as codes, Diagnostic, Span};
use crate::ir::{Domain, FieldId};
use crate::syntax::Attribute;

const PARAMETERS: Parameters =
    Parameters { owner: "@domain", unnamed: Some("name"), names: &["name", "schema"], required: &["name"] };

/// Reads `@domain("email")`, `@domain("public.email")` or `@domain("odd.name", schema: "public")`.
pub(super) fn read_domain<'a>(cx: &mut Cx<'a, '_>, id: FieldId, attribute: &'a Attribute<'a>) {
    let bound = bind(cx, attribute.arguments(), attribute.span, &PARAMETERS);
    let name = bound.get("name").and_then(|value| expect_database_name(cx, value));
    let schema = bound.get("schema").and_then(|value| expect_database_name(cx, value));
    let field = cx.field(id);
    if !matches!(field.ty, FieldType::Scalar(_)) {
        let ty = field.ast.ty.span;
        cx.report(
            Diagnostic::new(codes::WRONG_FIELD_TYPE, attribute.span, "`@domain` is for scalars")
                .label("not possible for this type")
                .second(ty, "this is no scalar")
                .help("make the field's type the scalar that the domain is based on, or write the domain as the type: `Unsupported(\"..\")`"),
        );
        return;
    }
    let Some(name) = name else { return };
    let domain = match (schema, name.text.split_once('.')) {
        (Some(schema), _) => Domain { name: name.text.to_owned(), schema: Some(schema.text.to_owned()) },
        (None, None) => Domain { name: name.text.to_owned(), schema: None },
        (None, Some((schema, inner))) if !schema.is_empty() && !inner.is_empty() && !inner.contains('.') => {
            Domain { name: inner.to_owned(), schema: Some(schema.to_owned()) }
        }
        (None, Some(_)) => {
            cx.report(
                Diagnostic::new(codes::WRONG_VALUE, name.span, "expected the name of a domain, or `schema.name`")
                    .label("not a name")
                    .help("for a name with a dot, specify the schema: `@domain(\"odd.name\", schema: \"public\")`"),
            );
            return;
        }
    };
    cx.field_mut(id).domain = Some((domain, attribute.span));
}

/// Reports columns that PostgreSQL does not allow to have a domain.
pub(super) fn check_domains(cx: &mut Cx<'_, '_>) {
    let found: Vec<_> = cx.field_ids().filter_map(|id| needs_a_type(cx, id)).collect();
    cx.diagnostics.extend(found);
}

fn needs_a_type(cx: &Cx<'_, '_>, id: FieldId) -> Option<Diagnostic> {
    let field = cx.field(id);
    let (_, domain) = field.domain.as_ref()?;
    let is_virtual = field.generated.as_ref().filter(|generated| generated.is_virtual);
    let (other, what): (Span, _) = match (&field.identity, is_virtual) {
        (Some((_, span)), _) => (*span, "an identity column"),
        (None, Some(generated)) => (generated.span, "a virtual generated column"),
        (None, None) => return None,
    };
    let message = format!("`{}` is {what} and cannot have a domain", cx.qualified(id));
    Some(
        Diagnostic::new(codes::DOMAIN_COLUMN, *domain, message)
            .label("PostgreSQL rejects it")
            .second(other, format!("it is {what}"))
            .help("remove one of the two attributes"),
    )
}
