//! The rules for keys and indexes, one function per rule.

use std::collections::BTreeMap;

use super::super::Cx;
use super::super::draft::{FieldType, KeyDraft, KeyKind, OperatorClass};
use super::super::native_types::native_type_name;
use super::super::operator_classes::method_name;
use super::comparable::{in_place_of_order, without_order};
use crate::diagnostics::{self as codes, Diagnostic, Span};
use crate::ir::{Arity, ClientType, ColumnText, FieldId, IndexMethod, ModelId, NativeType};
use crate::syntax::ModelKind;

/// Checks the keys of all models.
pub(in super::super) fn validate_keys(cx: &mut Cx<'_, '_>) {
    for id in cx.model_ids() {
        let found = Rules { cx, model: id }.all();
        cx.diagnostics.extend(found);
    }
}

/// The rules for one model. Each returns the mistakes that it found.
struct Rules<'r, 'a, 'd> {
    cx: &'r Cx<'a, 'd>,
    model: ModelId,
}

impl<'r, 'a> Rules<'r, 'a, '_> {
    fn all(&self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        if self.cx.model(self.model).ast.kind == ModelKind::View {
            found.extend(self.views_have_no_keys_of_their_own(self.cx.model(self.model).has_indexes()));
        } else {
            found.extend(self.a_row_can_be_identified());
        }
        found.extend(self.there_is_one_primary_key());
        for key in self.keys() {
            found.extend(self.id_fields_are_required(key));
            found.extend(self.fields_are_named_once(key));
            found.extend(self.fields_can_be_indexed(key));
            found.extend(self.fields_are_stored(key));
            found.extend(self.vectors_can_be_indexed(key));
            found.extend(self.method_takes_these_fields(key));
            found.extend(super::options::mistakes(self.cx, key));
            found.extend(super::exclusions::mistakes(key));
        }
        found.extend(self.client_names_are_unique());
        found
    }

    fn keys(&self) -> &'r [KeyDraft<'a>] {
        &self.cx.model(self.model).keys
    }

    fn field_name(&self, id: FieldId) -> &'a str {
        self.cx.field(id).ast.name.text
    }

    /// Only a materialized view has indexes.
    fn views_have_no_keys_of_their_own(&self, has_indexes: bool) -> Vec<Diagnostic> {
        let is_possible = |key: &KeyDraft<'_>| match has_indexes {
            true => key.kind != KeyKind::Primary,
            false => key.kind == KeyKind::Unique && key.map.is_none(),
        };
        let keys = self.keys().iter().filter(|key| !is_possible(key));
        keys.map(|key| {
            let message = format!("a view cannot have `{}` here", key.attribute);
            let diagnostic = Diagnostic::new(codes::KEY_ON_VIEW, key.span, message);
            match has_indexes {
                true => diagnostic
                    .label("PostgreSQL has no primary keys on views")
                    .help("write `@unique` or `@@unique`, which creates a unique index"),
                false => diagnostic.label("PostgreSQL has no keys or indexes on views").help(
                    "write `@unique` or `@@unique` without `map`, which only tells the client which fields are unique",
                ),
            }
        })
        .collect()
    }

    fn a_row_can_be_identified(&self) -> Option<Diagnostic> {
        let model = self.cx.model(self.model);
        let identifies = |key: &KeyDraft<'_>| {
            key.is_unique()
                && key.columns().iter().flatten().all(|id| {
                    let field = self.cx.field(*id);
                    let is_known =
                        field.ty != FieldType::Unsupported || field.sql_type.as_ref().is_some_and(|ty| ty.named);
                    field.arity() != Arity::Optional && is_known && !field.ast.broken
                })
        };
        // A primary key with optional fields is reported by another rule.
        let has_id = self.keys().iter().any(|key| key.kind == KeyKind::Primary && !self.has_unsupported(key));
        if model.ignored || model.has_broken_key || has_id || self.keys().iter().any(identifies) {
            return None;
        }
        let name = model.ast.name;
        let mut diagnostic =
            Diagnostic::new(codes::NO_KEY, name.span, format!("`{}` has no key that identifies a row", name.text))
                .label("needs an id or a unique key of required fields")
                .help("add `id String @id @default(uuid()) @db.Uuid`, or `@id` to a field, or `@@id([a, b])`");
        for key in self.keys().iter().filter(|key| key.kind.is_key()) {
            diagnostic = diagnostic.second(key.span, "does not count: it has an optional, partial or unsupported part");
        }
        Some(diagnostic)
    }

    fn has_unsupported(&self, key: &KeyDraft<'_>) -> bool {
        key.columns().iter().flatten().any(|id| {
            let field = self.cx.field(*id);
            field.ty == FieldType::Unsupported && !field.sql_type.as_ref().is_some_and(|ty| ty.named)
        })
    }

    fn there_is_one_primary_key(&self) -> Vec<Diagnostic> {
        let mut ids = self.keys().iter().filter(|key| key.kind == KeyKind::Primary);
        let Some(first) = ids.next() else { return Vec::new() };
        ids.map(|key| {
            Diagnostic::new(codes::TWO_IDS, key.span, "a model has only one id")
                .label("this is the second")
                .second(first.span, "this is the first")
                .help("for an id of several fields remove both and write `@@id([a, b])`; for another key use `@unique`")
        })
        .collect()
    }

    fn id_fields_are_required(&self, key: &KeyDraft<'_>) -> Vec<Diagnostic> {
        if key.kind != KeyKind::Primary || key.is_on_field() {
            return Vec::new();
        }
        let fields = key.fields.iter().filter_map(|field| Some((field.column()?, field.span)));
        let loose = fields.filter(|(id, _)| self.cx.field(*id).arity() != Arity::Required);
        loose
            .map(|(id, span)| {
                let field = self.cx.field(id).ast;
                Diagnostic::new(codes::ID_NOT_REQUIRED, span, "an id cannot have optional fields or lists")
                    .label(format!("`{}` is part of the id", field.name.text))
                    .second(field.ty.span, "this is not required")
                    .help(format!("write `{} {}`, or use `@@unique`", field.name.text, field.ty.name.text))
            })
            .collect()
    }

    fn fields_are_named_once(&self, key: &KeyDraft<'_>) -> Vec<Diagnostic> {
        let mut seen: BTreeMap<FieldId, Span> = BTreeMap::new();
        let mut found = Vec::new();
        for field in &key.fields {
            let Some(id) = field.column() else { continue };
            if let Some(first) = seen.insert(id, field.span) {
                let message = format!("`{}` names `{}` twice", key.attribute, self.field_name(id));
                found.push(
                    Diagnostic::new(codes::REPEATED_KEY_FIELD, field.span, message)
                        .label("named again")
                        .second(first, "first named here")
                        .help("remove one of them"),
                );
            }
        }
        found
    }

    fn fields_can_be_indexed(&self, key: &KeyDraft<'_>) -> Vec<Diagnostic> {
        if key.method() != IndexMethod::BTree || key.kind == KeyKind::Exclusion {
            return Vec::new();
        }
        let fields = key.fields.iter().filter(|field| field.operator_class.is_none());
        let fields = fields.filter_map(|field| Some((field.column()?, field.span)));
        let unordered = fields.filter_map(|(id, span)| {
            let ty = without_order(&self.column_type(id)?)?;
            let is_of_id = key.kind == KeyKind::Primary && self.cx.field(id).native_type().is_some();
            (!is_of_id).then_some((id, span, ty))
        });
        unordered
            .map(|(id, span, ty)| {
                let is_unique = key.kind.is_key();
                let message = if is_unique {
                    format!("PostgreSQL cannot compare values of type {ty}, so they cannot be a key")
                } else {
                    format!("PostgreSQL has no order of values of type {ty}, which an index of type `BTree` needs")
                };
                Diagnostic::new(codes::NOT_INDEXABLE, span, message)
                    .label(format!("a field of type {ty}"))
                    .second(self.cx.field(id).ast.ty.span, "declared here")
                    .help(match key.kind {
                        KeyKind::Primary => "choose another field as the id, such as `id Int @id`".to_owned(),
                        _ => in_place_of_order(ty, is_unique, self.field_name(id)),
                    })
            })
            .collect()
    }

    /// Returns the name of a column's type in PostgreSQL.
    fn column_type(&self, id: FieldId) -> Option<String> {
        let field = self.cx.field(id);
        match field.native_type().map(native_type_name) {
            Some("Xml") => Some("xml".to_owned()),
            Some("Json") => Some("json".to_owned()),
            Some(_) => None,
            None => {
                let text = ColumnText::type_of(&field.sql_type.as_ref()?.text).to_ascii_lowercase();
                let plain = text.split(['(', '[']).next().unwrap_or_default().trim();
                Some(plain.rsplit('.').next().unwrap_or_default().trim_matches('"').to_owned())
            }
        }
    }

    /// pgvector indexes vectors up to a number of dimensions.
    fn vectors_can_be_indexed(&self, key: &KeyDraft<'_>) -> Vec<Diagnostic> {
        let Some((method @ (IndexMethod::Hnsw | IndexMethod::IvfFlat), _)) = key.method else { return Vec::new() };
        let fields = key.fields.iter().filter_map(|field| Some((field.column()?, field.span)));
        let large = fields.filter_map(|(id, span)| {
            let text = &self.cx.field(id).sql_type.as_ref()?.text;
            let size: u32 = text.split_once('(')?.1.split_once(')')?.0.trim().parse().ok()?;
            let (most, help) = match ClientType::of(text) {
                ClientType::Vector if size <= 4000 => {
                    (2000, "store a `HalfVec`, which can be indexed up to 4000 dimensions")
                }
                ClientType::Vector => (2000, "store fewer dimensions, or index a part of them: `raw(\"..\")`"),
                ClientType::HalfVector => (4000, "store fewer dimensions, or index a part of them: `raw(\"..\")`"),
                ClientType::Bits => (64_000, "store fewer bits, or index a part of them: `raw(\"..\")`"),
                _ => return None,
            };
            (size > most).then_some((id, span, size, most, help))
        });
        large
            .map(|(id, span, size, most, help)| {
                let message = format!(
                    "an index of type `{}` takes at most {most} dimensions, and `{}` has {size}",
                    method_name(method),
                    self.field_name(id)
                );
                Diagnostic::new(codes::INDEX_METHOD, span, message)
                    .label("too many dimensions")
                    .second(self.cx.field(id).ast.ty.span, "declared here")
                    .help(help)
            })
            .collect()
    }

    fn fields_are_stored(&self, key: &KeyDraft<'_>) -> Vec<Diagnostic> {
        let fields = key.fields.iter().filter_map(|field| Some((field.column()?, field.span)));
        let generated = fields.filter_map(|(id, span)| Some((span, self.cx.field(id).generated.as_ref()?)));
        generated
            .filter(|(_, generated)| generated.is_virtual)
            .map(|(span, generated)| {
                Diagnostic::new(codes::NOT_INDEXABLE, span, "PostgreSQL cannot index a virtual column")
                    .label("its values are not stored")
                    .second(generated.span, "virtual here")
                    .help("remove `virtual: true`, or index the expression: `raw(\"..\")`")
            })
            .collect()
    }

    fn method_takes_these_fields(&self, key: &KeyDraft<'_>) -> Vec<Diagnostic> {
        let method = key.method();
        let mut found = Vec::new();
        let has_one = |method| matches!(method, IndexMethod::SpGist | IndexMethod::Hnsw | IndexMethod::IvfFlat);
        if let (Some((method, span)), true) = (key.method.filter(|it| has_one(it.0)), key.fields.len() > 1) {
            let message = format!("an index of type `{}` can have only one column", method_name(method));
            found.push(
                Diagnostic::new(codes::INDEX_METHOD, span, message)
                    .label("this type")
                    .help("write one index per column"),
            );
        }
        for field in &key.fields {
            if let (Some((IndexMethod::Hash, span)), Some((_, sort))) = (key.method, field.sort) {
                found.push(
                    Diagnostic::new(codes::INDEX_METHOD, sort, "an index of type `Hash` has no order")
                        .label("not possible")
                        .second(span, "because of this type")
                        .help("remove `sort`"),
                );
            }
            let Some(id) = field.column() else { continue };
            match &field.operator_class {
                Some(OperatorClass::Known(class, span)) => {
                    found.extend(self.class_fits(id, *span, class, method));
                }
                Some(OperatorClass::Raw(_)) => {}
                // An extension may have a default one, such as btree_gist.
                None if key.kind == KeyKind::Exclusion => {}
                None => found.extend(self.method_indexes_type(id, field.span, method)),
            }
        }
        found
    }

    fn class_fits(
        &self,
        id: FieldId,
        span: Span,
        class: &super::super::operator_classes::KnownClass,
        method: IndexMethod,
    ) -> Option<Diagnostic> {
        if !class.methods.contains(&method) {
            let methods: Vec<_> = class.methods.iter().map(|method| method_name(*method)).collect();
            let message = format!("`{}` does not work with indexes of type `{}`", class.name, method_name(method));
            return Some(
                Diagnostic::new(codes::OPERATOR_CLASS, span, message)
                    .label("does not fit the index")
                    .help(format!("write `type: {}`, or another operator class", methods.join("` or `type: "))),
            );
        }
        let field = self.cx.field(id);
        let native = field.native_type().map(native_type_name);
        let fits = match class.native_types {
            [] => field.arity() == Arity::List,
            types => native.is_some_and(|native| types.contains(&native)),
        };
        if fits {
            return None;
        }
        let expected = match class.native_types {
            [] => "a list".to_owned(),
            types => format!("a field of type `@db.{}`", types.join("` or `@db.")),
        };
        Some(
            Diagnostic::new(codes::OPERATOR_CLASS, span, format!("`{}` is for {expected}", class.name))
                .label("does not fit the field")
                .second(field.ast.ty.span, "this is the field's type")
                .help("change the field's type, or choose the operator class for it"),
        )
    }

    /// Returns whether the type has an operator class of the method that need not be named. Only pgvector's are known.
    fn has_vector_class(&self, id: FieldId, method: IndexMethod) -> bool {
        let is_vector = || {
            let ty = self.cx.field(id).sql_type.as_ref().map(|ty| ClientType::of(&ty.text));
            ty == Some(ClientType::Vector)
        };
        match method {
            IndexMethod::Hnsw => false,
            IndexMethod::IvfFlat => is_vector(),
            _ => true,
        }
    }

    fn method_indexes_type(&self, id: FieldId, span: Span, method: IndexMethod) -> Option<Diagnostic> {
        let field = self.cx.field(id);
        let is_list = field.arity() == Arity::List;
        let fits = match field.ty {
            FieldType::Scalar(_) => {
                let native = field.native_type();
                native.is_some_and(|native| method.takes(native, is_list))
                    || method == IndexMethod::Gist && field.native.is_none() && native == Some(NativeType::Text)
            }
            FieldType::Enum(_) => match method {
                IndexMethod::BTree | IndexMethod::Hash => true,
                IndexMethod::Gin => is_list,
                _ => false,
            },
            FieldType::Unsupported => self.has_vector_class(id, method),
            _ => true,
        };
        if fits {
            return None;
        }
        let message = format!("an index of type `{}` cannot have `{}`", method_name(method), self.field_name(id));
        let (label, help) = match method {
            IndexMethod::Hnsw | IndexMethod::IvfFlat => (
                "needs the operator class of a distance",
                format!("name one: `{}(ops: raw(\"vector_cosine_ops\"))`", field.ast.name.text),
            ),
            _ => (
                "PostgreSQL has no operator class for its type",
                "omit `type:`, or name an operator class: `field(ops: raw(\"..\"))`".to_owned(),
            ),
        };
        let diagnostic = Diagnostic::new(codes::INDEX_METHOD, span, message).label(label);
        Some(diagnostic.second(field.ast.ty.span, "this is the field's type").help(help))
    }

    /// The client's name of a key with several fields is `name:`, or the names of the fields.
    fn client_names_are_unique(&self) -> Vec<Diagnostic> {
        let mut seen: BTreeMap<String, Span> = BTreeMap::new();
        let mut found = Vec::new();
        for key in self.keys().iter().filter(|key| key.kind.is_key() && !key.is_on_field()) {
            let Some(columns) = key.columns() else { continue };
            let given = key.name.map(|name| name.text.to_owned());
            if given.is_none() && columns.len() < 2 {
                continue;
            }
            let names: Vec<_> = columns.iter().map(|id| self.field_name(*id)).collect();
            let name = given.clone().unwrap_or_else(|| names.join("_"));
            let span = key.name.map_or(key.span, |name| name.span);
            if let Some(field) = self.cx.find_field(self.model, &name) {
                found.push(
                    Diagnostic::new(codes::KEY_NAME_CLASH, span, format!("the key `{name}` has the name of a field"))
                        .label("the key's name in the client")
                        .second(self.cx.field(field).ast.name.span, "this field has the same name")
                        .help("give the key another name with `name: \"..\"`"),
                );
            }
            if let (Some(first), true) = (seen.get(&name), given.is_some()) {
                found.push(
                    Diagnostic::new(codes::KEY_NAME_CLASH, span, format!("two keys are named `{name}`"))
                        .label("named again")
                        .second(*first, "first named here")
                        .help("rename one of them with `name: \"..\"`"),
                );
            }
            seen.entry(name).or_insert(span);
        }
        found
    }
}
