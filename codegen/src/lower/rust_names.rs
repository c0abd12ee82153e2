//! Names in the client: those of the schema in Rust's case, or those that `@rust(name: "..")` chooses. Of several names
//! that would be the same in Rust, all but one get a second name, and a warning.

use std::collections::{BTreeMap, BTreeSet};

use super::Cx;
use super::draft::{FieldDraft, FieldType, Given, KeyDraft, ModelDraft};
use super::soft_delete::is_live_key;
use crate::diagnostics::{self as codes, Diagnostic, Span};
use crate::ir::names::{self, Wanted, camel_ident, distinct, module_name, snake_ident};
use crate::ir::{EnumId, ModelId, Tenancy, TypeId};
use crate::syntax::Name;

/// Chooses the names of modules, types, fields, keys and variants.
pub(super) fn choose_rust_names(cx: &mut Cx<'_, '_>) {
    let mut found = Vec::new();
    choose_types(cx, &mut found);
    for id in cx.model_ids() {
        choose_fields(cx, id, &mut found);
        choose_keys(cx, id, &mut found);
    }
    for id in cx.type_ids() {
        choose_type_fields(cx, id, &mut found);
    }
    for id in cx.enum_ids() {
        choose_values(cx, id, &mut found);
    }
    cx.diagnostics.extend(found);
}

/// A name of the schema that becomes one of the client.
#[derive(Clone, Copy)]
struct Item<'a> {
    name: Name<'a>,
    /// `name:` of `@rust`.
    chosen: Option<Given<'a>>,
    /// What is not in the client takes no name from others.
    in_client: bool,
}

/// What is named.
struct Kind {
    what: &'static str,
    attribute: &'static str,
    convert: fn(&str) -> String,
    is_in_case: fn(&str) -> bool,
    case: &'static str,
    /// Names that the client has for itself.
    own: Vec<&'static str>,
}

fn choose_types(cx: &mut Cx<'_, '_>, found: &mut Vec<Diagnostic>) {
    let models = cx.models.iter().map(|it| Item { name: it.ast.name, chosen: it.rust_name, in_client: !it.ignored });
    let enums = cx.enums.iter().map(|it| Item { name: it.ast.name, chosen: it.rust_name, in_client: true });
    let types = cx.types.iter().map(|it| Item { name: it.ast.name, chosen: it.rust_name, in_client: true });
    let items: Vec<_> = models.chain(enums).chain(types).collect();
    let mut own = names::OWN_TYPES.to_vec();
    if cx.models.iter().any(|model| model.tenancy != Tenancy::Shared) {
        own.extend(names::OWN_TYPES_OF_TENANTS);
    }
    let (attribute, case, is_in_case) = ("@@rust", "upper camel case", names::is_camel as fn(&str) -> bool);
    let types = choose(&items, &Kind { what: "type", attribute, convert: camel_ident, is_in_case, case, own }, found);
    let modules = choose_modules(&items, &types, found);
    let models = cx.models.iter_mut().map(|it| (&mut it.rust_ident, &mut it.module));
    let enums = cx.enums.iter_mut().map(|it| (&mut it.rust_ident, &mut it.module));
    let blocks = cx.types.iter_mut().map(|it| (&mut it.rust_ident, &mut it.module));
    for (names, chosen) in models.chain(enums).chain(blocks).zip(types.into_iter().zip(modules)) {
        (*names.0, *names.1) = chosen;
    }
}

/// Chooses the modules. Most are named after the type; two types may still have one module.
fn choose_modules(items: &[Item<'_>], types: &[String], found: &mut Vec<Diagnostic>) -> Vec<String> {
    // Equal names are reported by another rule.
    let mut seen = BTreeSet::new();
    let named = items.iter().zip(types).enumerate().filter(|(_, (item, _))| item.in_client);
    let in_client: Vec<_> = named.filter(|(_, (item, _))| seen.insert(item.name.text)).collect();
    let wanted = |item: &Item<'_>, ident: &str| match item.chosen {
        // heck leaves out the end of `User_`.
        Some(_) => format!("{}{}", module_name(ident), &ident[ident.trim_end_matches('_').len()..]),
        None => module_name(item.name.text),
    };
    let named: Vec<_> =
        in_client.iter().map(|(_, (item, ident))| Wanted { name: ident, ident: wanted(item, ident) }).collect();
    let mut chosen = distinct(&named, &mut types.iter().cloned().collect()).into_iter();
    let mut modules: Vec<_> = items.iter().map(|item| module_name(item.name.text)).collect();
    for ((at, (item, ident)), named) in in_client.into_iter().zip(&named) {
        modules[at] = chosen.next().unwrap_or_default();
        let is_second = modules[at] != named.ident;
        // A type with a second name was reported.
        if is_second && item.chosen.is_none() && *ident == camel_ident(item.name.text) {
            let message = format!("the module of `{}` would have the name of another one", item.name.text);
            found.push(
                Diagnostic::new(codes::RUST_NAME_CLASH, item.name.span, message)
                    .label(format!("the module is named `{}`", modules[at]))
                    .help("to choose another name, write `@@rust(name: \"..\")`"),
            );
        }
    }
    modules
}

fn choose_fields(cx: &mut Cx<'_, '_>, id: ModelId, found: &mut Vec<Diagnostic>) {
    let is_in_client = |field: &FieldDraft<'_>| !field.ignored && field.ty != FieldType::Unknown;
    let items: Vec<_> = cx
        .model(id)
        .field_ids()
        .map(|id| cx.field(id))
        .map(|it| Item { name: it.ast.name, chosen: it.rust_name, in_client: is_in_client(it) })
        .collect();
    let idents = choose(&items, &kind_of_fields(names::OWN_FIELDS.to_vec()), found);
    for (id, ident) in cx.model(id).field_ids().zip(idents) {
        cx.field_mut(id).rust_ident = ident;
    }
}

fn choose_type_fields(cx: &mut Cx<'_, '_>, id: TypeId, found: &mut Vec<Diagnostic>) {
    let fields = &mut cx.types[id.index()].fields;
    let items: Vec<_> =
        fields.iter().map(|it| Item { name: it.ast.name, chosen: it.rust_name, in_client: true }).collect();
    let idents = choose(&items, &kind_of_fields(Vec::new()), found);
    for (field, ident) in fields.iter_mut().zip(idents) {
        field.rust_ident = ident;
    }
}

fn kind_of_fields(own: Vec<&'static str>) -> Kind {
    Kind {
        what: "field",
        attribute: "@rust",
        convert: snake_ident,
        is_in_case: names::is_snake,
        case: "snake case",
        own,
    }
}

fn choose_values(cx: &mut Cx<'_, '_>, id: EnumId, found: &mut Vec<Diagnostic>) {
    let values = &mut cx.enums[id.index()].values;
    let items: Vec<_> =
        values.iter().map(|it| Item { name: it.ast.name, chosen: it.rust_name, in_client: true }).collect();
    let kind = Kind {
        what: "variant",
        attribute: "@rust",
        convert: camel_ident,
        is_in_case: names::is_camel,
        case: "upper camel case",
        own: Vec::new(),
    };
    for (value, ident) in values.iter_mut().zip(choose(&items, &kind, found)) {
        value.rust_ident = ident;
    }
}

/// Returns the name of each item. Those that the schema chooses come first.
fn choose(items: &[Item<'_>], kind: &Kind, found: &mut Vec<Diagnostic>) -> Vec<String> {
    let mut taken: BTreeSet<String> = kind.own.iter().map(|&own| own.to_owned()).collect();
    let mut holders: BTreeMap<String, Name<'_>> = BTreeMap::new();
    let mut idents: Vec<String> = items.iter().map(|item| (kind.convert)(item.name.text)).collect();
    for (ident, item) in idents.iter_mut().zip(items) {
        let Some(given) = item.chosen else { continue };
        match check_chosen(given, kind, &holders) {
            Ok(chosen) => {
                holders.insert(chosen.clone(), item.name);
                taken.insert(chosen.clone());
                *ident = chosen;
            }
            Err(diagnostic) => found.push(*diagnostic),
        }
    }
    // Equal names are reported by another rule.
    let mut seen = BTreeSet::new();
    let is_other = |at: &usize| {
        let item = &items[*at];
        item.in_client && item.chosen.is_none() && seen.insert(item.name.text)
    };
    let mut others: Vec<usize> = (0..items.len()).filter(is_other).collect();
    others.retain(|at| match syn::parse_str::<syn::Ident>(&idents[*at]) {
        Ok(_) => true,
        Err(_) => {
            found.push(not_a_name(items[*at].name, &idents[*at], kind));
            false
        }
    });
    let wanted: Vec<_> =
        others.iter().map(|at| Wanted { name: items[*at].name.text, ident: idents[*at].clone() }).collect();
    let chosen = distinct(&wanted, &mut taken);
    holders.extend(others.iter().zip(&chosen).map(|(at, ident)| (ident.clone(), items[*at].name)));
    for ((at, wanted), chosen) in others.iter().zip(&wanted).zip(chosen) {
        if wanted.ident != chosen {
            found.push(second_name(items[*at].name, &wanted.ident, &chosen, holders.get(&wanted.ident), kind));
        }
        idents[*at] = chosen;
    }
    idents
}

fn not_a_name(name: Name<'_>, ident: &str, kind: &Kind) -> Diagnostic {
    let help = format!(
        "use letters, digits and `_`, or choose the name in Rust: `{}(name: \"..\")`; `@map` and `@@map` keep the name \
         in the database",
        kind.attribute
    );
    Diagnostic::new(codes::NOT_A_RUST_NAME, name.span, format!("`{}` cannot be a name in Rust", name.text))
        .label(format!("the {} would be named `{ident}`", kind.what))
        .help(help)
}

/// Says which name a field or type has, because another one has the name that it would have.
fn second_name(name: Name<'_>, wanted: &str, chosen: &str, holder: Option<&Name<'_>>, kind: &Kind) -> Diagnostic {
    let message = match holder {
        Some(holder) => format!("`{}` and `{}` are the same name in Rust", holder.text, name.text),
        None => format!("`{wanted}` is the client's own name"),
    };
    let mut diagnostic = Diagnostic::new(codes::RUST_NAME_CLASH, name.span, message)
        .label(format!("the {} is named `{chosen}`", kind.what))
        .help(format!("to choose another name, write `{}(name: \"..\")`", kind.attribute));
    if let Some(holder) = holder {
        diagnostic = diagnostic.second(holder.span, format!("this is `{wanted}`"));
    }
    diagnostic
}

/// Checks a name that the schema chooses.
fn check_chosen(
    given: Given<'_>,
    kind: &Kind,
    holders: &BTreeMap<String, Name<'_>>,
) -> Result<String, Box<Diagnostic>> {
    let refused = |message: String, help: String| {
        Box::new(Diagnostic::new(codes::CHOSEN_RUST_NAME, given.span, message).with("chosen here", help))
    };
    let Some(ident) = names::written_ident(given.text) else {
        let help = format!("write letters, digits and `_`, such as `{}`", suggestion(given.text, kind));
        return Err(refused(format!("`{}` cannot be a name in Rust", given.text), help));
    };
    if !(kind.is_in_case)(&ident) {
        let message = format!("a {} is named in {}, and `{}` is not", kind.what, kind.case, given.text);
        return Err(refused(message, format!("write `{}`", suggestion(given.text, kind))));
    }
    if kind.own.contains(&ident.as_str()) {
        let help = format!("choose another name, such as `{ident}_`");
        return Err(refused(format!("`{ident}` is the client's own name"), help));
    }
    match holders.get(&ident) {
        None => Ok(ident),
        Some(other) => {
            let message = format!("`{}` is named `{}`, too", other.text, given.text);
            let second = (other.span, "this has the name");
            Err(Box::new(refused(message, "choose another name".to_owned()).second(second.0, second.1)))
        }
    }
}

/// Returns a name in Rust's case that resembles the given one.
fn suggestion(text: &str, kind: &Kind) -> String {
    let ident = (kind.convert)(text);
    if syn::parse_str::<syn::Ident>(&ident).is_ok() { names::plain(&ident).to_owned() } else { (kind.convert)("name") }
}

/// In the client, a key of several fields has a name like a field: its own name, or that of its fields.
fn choose_keys(cx: &mut Cx<'_, '_>, id: ModelId, found: &mut Vec<Diagnostic>) {
    let model = cx.model(id);
    let is_key = |key: &KeyDraft<'_>| key.is_unique() || is_live_key(cx, id, key);
    let is_named = |key: &KeyDraft<'_>| key.fields.len() > 1 && is_key(key);
    let keys: Vec<usize> = (0..model.keys.len()).filter(|at| is_named(&model.keys[*at])).collect();
    let mut columns = BTreeSet::new();
    let is_repeated: Vec<bool> = keys.iter().map(|at| !columns.insert(model.keys[*at].columns())).collect();
    if keys.is_empty() {
        return;
    }
    let fields: BTreeMap<String, Name<'_>> =
        model.field_ids().map(|id| (cx.field(id).rust_ident.clone(), cx.field(id).ast.name)).collect();
    // Two keys may have the same name: those of `[a_b, c]` and of `[a, b_c]`.
    let texts: Vec<String> = keys.iter().map(|at| name_of_key(cx, model, *at, ",")).collect();
    let plain: Vec<String> = keys.iter().map(|at| ident_of_key(cx, model, *at)).collect();
    let wanted = texts.iter().zip(&plain).map(|(name, ident)| {
        let ident = if fields.contains_key(ident) { format!("{}_key", names::plain(ident)) } else { ident.clone() };
        Wanted { name, ident }
    });
    let wanted: Vec<_> = wanted.collect();
    let chosen = distinct(&wanted, &mut fields.keys().cloned().collect());
    for (index, (plain, chosen)) in plain.iter().zip(&chosen).enumerate().filter(|(_, (plain, own))| plain != own) {
        let field = fields.get(plain).filter(|field| field.text != name_of_key(cx, model, keys[index], "_"));
        // A key that is declared twice, or has the name of a field, is reported by other rules.
        if field.is_some() || !fields.contains_key(plain) && !is_repeated[index] {
            found.push(second_name_of_key(cx, model, keys[index], chosen, field));
        }
    }
    for (at, chosen) in keys.into_iter().zip(chosen) {
        cx.model_mut(id).keys[at].rust_ident = Some(chosen);
    }
}

fn second_name_of_key(
    cx: &Cx<'_, '_>,
    model: &ModelDraft<'_>,
    at: usize,
    chosen: &str,
    field: Option<&Name<'_>>,
) -> Diagnostic {
    let key = &model.keys[at];
    let name = name_of_key(cx, model, at, "_");
    let message = match field {
        Some(field) => format!("the key `{name}` and the field `{}` are the same name in Rust", field.text),
        None => format!("two keys of `{}` are the same name in Rust", model.ast.name.text),
    };
    let span: Span = key.name.map_or(key.span, |name| name.span);
    let diagnostic = Diagnostic::new(codes::RUST_NAME_CLASH, span, message)
        .label(format!("the key is named `{chosen}`"))
        .help("to choose another name, write `name: \"..\"`");
    match field {
        Some(field) => diagnostic.second(field.span, "this is the field"),
        None => diagnostic,
    }
}

/// Returns the name of a key, or those of its fields.
fn name_of_key(cx: &Cx<'_, '_>, model: &ModelDraft<'_>, at: usize, between: &str) -> String {
    let key = &model.keys[at];
    let fields = key.columns().unwrap_or_default();
    let names: Vec<_> = fields.iter().map(|id| cx.field(*id).ast.name.text).collect();
    key.name.map_or_else(|| names.join(between), |name| name.text.to_owned())
}

fn ident_of_key(cx: &Cx<'_, '_>, model: &ModelDraft<'_>, at: usize) -> String {
    let fields = model.keys[at].columns().unwrap_or_default();
    match model.keys[at].name {
        Some(name) => snake_ident(name.text),
        None => names::joined_ident(fields.iter().map(|id| cx.field(*id).rust_ident.as_str())),
    }
}
