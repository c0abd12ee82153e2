//! `@rust("crate::Email", name: "mail")`: the type of a field in the client, and its name there.

use syn::{GenericArgument, PathArguments, Type, TypePath};

use super::Cx;
use super::arguments::{Parameters, bind, expect_string, list_items};
use super::draft::{FieldType, Given, RelationDraft};
use crate::diagnostics::{self as codes, Diagnostic, Span};
use crate::ir::FieldId;
use crate::syntax::{Attribute, Expression};

const PARAMETERS: Parameters =
    Parameters { owner: "@rust", unnamed: Some("type"), names: &["type", "name"], required: &[] };

/// Reads `@rust("crate::Email", name: "mail")`.
pub(super) fn read_rust<'a>(cx: &mut Cx<'a, '_>, id: FieldId, attribute: &'a Attribute<'a>) {
    let field = cx.field(id);
    let own = match field.ty {
        FieldType::Enum(_) => Some("an enum"),
        FieldType::Model(_) => Some("a relation"),
        _ => field.json.is_some().then_some("a `type` block"),
    };
    let own = own.map(|what| (what, field.ast.ty.span));
    let (name, path) = read_name_and_type(cx, attribute, own);
    let field = cx.field_mut(id);
    field.rust_name = name;
    if path.is_some() {
        field.rust = path;
    }
}

/// The name and the type that `@rust` gives, with the place of the type.
pub(super) type NameAndType<'a> = (Option<Given<'a>>, Option<(String, Span)>);

/// Reads `@rust`. A field whose type has a type in the client cannot have another one; `own` says what it is, and its
/// place.
pub(super) fn read_name_and_type<'a>(
    cx: &mut Cx<'a, '_>,
    attribute: &'a Attribute<'a>,
    own: Option<(&str, Span)>,
) -> NameAndType<'a> {
    let bound = bind(cx, attribute.arguments(), attribute.span, &PARAMETERS);
    let name = bound.get("name").and_then(|value| expect_string(cx, value));
    let Some(value) = bound.get("type") else {
        if bound.span("name").is_none() && !bound.broken {
            cx.report(
                Diagnostic::new(codes::MISSING_ARGUMENT, attribute.span, "`@rust` needs a type or a name")
                    .label("the argument is missing")
                    .help("write `@rust(\"crate::Email\")` for a type, or `@rust(name: \"..\")` for a name"),
            );
        }
        return (name, None);
    };
    let Some(given) = expect_string(cx, value) else { return (name, None) };
    if let Some((what, ty)) = own {
        cx.report(
            Diagnostic::new(
                codes::WRONG_FIELD_TYPE,
                given.span,
                "the type of `@rust` is for scalars and `Unsupported`",
            )
            .label(format!("not possible for {what}"))
            .second(ty, "its values are of this type")
            .help("remove the type, or make the field a scalar, such as `String` or `Json`"),
        );
        return (name, None);
    }
    match absolute(given.text) {
        Ok(path) => (name, Some((path, given.span))),
        Err((problem, help)) => {
            cx.report(
                Diagnostic::new(codes::RUST_TYPE, given.span, format!("`{}` {problem}", given.text)).with("here", help),
            );
            (name, None)
        }
    }
}

/// Returns the type with a path from a crate, as the generated modules can name it.
fn absolute(text: &str) -> Result<String, (&'static str, String)> {
    let not_a_type =
        ("is not the path of a type", "write a path, such as `crate::Email` or `relata::Json<crate::Settings>`");
    let not_a_type = || (not_a_type.0, not_a_type.1.to_owned());
    let TypePath { qself: None, path, .. } = syn::parse_str(text).map_err(|_| not_a_type())? else {
        return Err(not_a_type());
    };
    if !path.segments.iter().all(|segment| is_plain(&segment.arguments)) {
        return Err(not_a_type());
    }
    let first = path.segments.first().map(|segment| segment.ident.to_string()).unwrap_or_default();
    let text = text.trim();
    if path.leading_colon.is_some() || first == "crate" && path.segments.len() > 1 {
        return Ok(text.to_owned());
    }
    if path.segments.len() == 1 && ["Option", "Vec"].contains(&first.as_str()) {
        let help = "write the type of one value; `?` makes a field an `Option`, and `[]` a `Vec`";
        return Err(("is not the type of a value", help.to_owned()));
    }
    let whole = "write the whole path, because the generated modules are elsewhere: ";
    match first.as_str() {
        "self" | "super" | "Self" | "crate" => Err(("is relative", format!("{whole}`crate::..`"))),
        _ if path.segments.len() == 1 => Err(("has no path", format!("{whole}`crate::{text}`"))),
        _ => Ok(format!("::{text}")),
    }
}

/// Returns whether the arguments of a type are types that own what they hold.
fn is_plain(arguments: &PathArguments) -> bool {
    let is_type = |argument: &GenericArgument| match argument {
        GenericArgument::Type(ty) => is_plain_type(ty),
        GenericArgument::Const(_) => true,
        _ => false,
    };
    match arguments {
        PathArguments::None => true,
        PathArguments::AngleBracketed(arguments) => arguments.args.iter().all(is_type),
        PathArguments::Parenthesized(_) => false,
    }
}

fn is_plain_type(ty: &Type) -> bool {
    match ty {
        Type::Path(TypePath { qself: None, path, .. }) => {
            path.segments.iter().all(|segment| is_plain(&segment.arguments))
        }
        Type::Tuple(tuple) => tuple.elems.iter().all(is_plain_type),
        Type::Array(array) => is_plain_type(&array.elem),
        _ => false,
    }
}

const NAME: &[&str] = &["name"];
const ON_BLOCKS: Parameters = Parameters { owner: "@@rust", unnamed: None, names: NAME, required: NAME };
const ON_VALUES: Parameters = Parameters { owner: "@rust", unnamed: None, names: NAME, required: NAME };

/// Reads `@@rust(name: "Person")` of a model or an enum.
pub(super) fn read_name_of_block<'a>(cx: &mut Cx<'a, '_>, attribute: &'a Attribute<'a>) -> Option<Given<'a>> {
    let bound = bind(cx, attribute.arguments(), attribute.span, &ON_BLOCKS);
    bound.get("name").and_then(|value| expect_string(cx, value))
}

/// Reads `@rust(name: "Usd")` of a value of an enum.
pub(super) fn read_name_of_value<'a>(cx: &mut Cx<'a, '_>, attribute: &'a Attribute<'a>) -> Option<Given<'a>> {
    let bound = bind(cx, attribute.arguments(), attribute.span, &ON_VALUES);
    bound.get("name").and_then(|value| expect_string(cx, value))
}

const DERIVE: Parameters =
    Parameters { owner: "@@derive", unnamed: Some("paths"), names: &["paths"], required: &["paths"] };

/// Reads `@@derive("Hash")`, or several in a list.
pub(super) fn read_derive<'a>(cx: &mut Cx<'a, '_>, attribute: &'a Attribute<'a>) -> Vec<String> {
    let bound = bind(cx, attribute.arguments(), attribute.span, &DERIVE);
    bound.get("paths").map(|value| read_derives(cx, value)).unwrap_or_default()
}

/// Reads paths of derives. A derive without a path is one of Rust's own.
pub(super) fn read_derives<'a>(cx: &mut Cx<'a, '_>, value: &'a Expression<'a>) -> Vec<String> {
    let mut found = Vec::new();
    for item in list_items(value) {
        let Some(given) = expect_string(cx, item) else { continue };
        let name = syn::parse_str::<syn::Ident>(given.text).is_ok();
        match absolute(given.text) {
            _ if name && RUSTS.contains(&given.text) => found.push(given.text.to_owned()),
            Ok(path) if !path.contains('<') => found.push(path),
            _ => {
                let message = format!("`{}` is not the path of a derive", given.text);
                let help = format!(
                    "write a path, such as `utoipa::ToSchema`, or one of Rust's own: {}",
                    RUSTS.map(|name| format!("`{name}`")).join(", ")
                );
                cx.report(Diagnostic::new(codes::RUST_TYPE, given.span, message).with("here", help));
            }
        }
    }
    found
}

/// The derives of Rust itself.
const RUSTS: [&str; 9] = ["Clone", "Copy", "Debug", "Default", "Eq", "Hash", "Ord", "PartialEq", "PartialOrd"];

/// Gives the fields of foreign keys the types of what they reference, and reports those that have another one.
pub(super) fn share_rust_types(cx: &mut Cx<'_, '_>) {
    let pairs = |relation: &RelationDraft<'_>| {
        let key = relation.foreign_key.as_ref();
        key.map(|key| key.fields.iter().copied().zip(key.references.iter().copied()).collect::<Vec<_>>())
    };
    let pairs: Vec<(FieldId, FieldId)> = cx.relations.iter().filter_map(pairs).flatten().collect();
    // What is referenced may itself be part of a foreign key that comes later.
    let mut is_settled = false;
    while !is_settled {
        is_settled = true;
        for (field, referenced) in &pairs {
            if let (None, Some(rust)) = (&cx.field(*field).rust, &cx.field(*referenced).rust) {
                cx.field_mut(*field).rust = Some(rust.clone());
                is_settled = false;
            }
        }
    }
    let found: Vec<_> = pairs.iter().filter_map(|(field, referenced)| other_type(cx, *field, *referenced)).collect();
    cx.diagnostics.extend(found);
}

/// Reports a field of a foreign key whose type is not that of what it references.
fn other_type(cx: &Cx<'_, '_>, field: FieldId, referenced: FieldId) -> Option<Diagnostic> {
    let (own, _) = cx.field(field).rust.as_ref()?;
    let (is, second, label, help) = match &cx.field(referenced).rust {
        Some((path, _)) if path == own => return None,
        Some((path, span)) => {
            let help = "remove the attribute of one of the two".to_owned();
            (format!("is `{path}`"), *span, "the type of what it references", help)
        }
        None => {
            let help = format!("write `@rust` on `{}`, too", cx.qualified(referenced));
            let name = cx.field(referenced).ast.name.span;
            ("has no `@rust`".to_owned(), name, "this has the type of its scalar", help)
        }
    };
    let message =
        format!("`{}` is `{own}`, and references `{}`, which {is}", cx.qualified(field), cx.qualified(referenced));
    let diagnostic = Diagnostic::new(codes::RUST_TYPE_OF_REFERENCE, cx.field(field).ast.name.span, message);
    let help = format!("{help}: a foreign key has the type of what it references");
    Some(diagnostic.label("another type").second(second, label).help(help))
}

#[cfg(test)]
mod tests {
    use super::absolute;

    #[test]
    fn paths_are_made_absolute() {
        let path = |text| absolute(text).map_err(|(problem, _)| problem);
        assert_eq!(path("crate::Email"), Ok("crate::Email".to_owned()));
        assert_eq!(path(" uuid::Uuid "), Ok("::uuid::Uuid".to_owned()));
        assert_eq!(path("::geo_types::Point<f64>"), Ok("::geo_types::Point<f64>".to_owned()));
        assert_eq!(
            path("relata::Json<Vec<(u8, [crate::A; 2])>>"),
            Ok("::relata::Json<Vec<(u8, [crate::A; 2])>>".to_owned())
        );
        assert_eq!(path("Email"), Err("has no path"));
        assert_eq!(path("Option<crate::Email>"), Err("is not the type of a value"));
        assert_eq!(path("crate"), Err("is relative"));
        assert_eq!(path("super::Email"), Err("is relative"));
        for text in [
            "",
            "&str",
            "a b",
            "<T as A>::B",
            "crate::A<'static>",
            "crate::A<dyn B>",
            "fn()",
            "crate::A<&'static str>",
            "crate::Fn(a)",
        ] {
            assert_eq!(path(text), Err("is not the path of a type"), "{text}");
        }
    }
}
