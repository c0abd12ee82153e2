//! The static that describes a table to the runtime, and the constants with the names of its constraints.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::context::{ColumnNames, EmitCx, ModelNames, RelationNames, ident};
use super::factory::emit_samples;
use super::scalar::{own_type, qualified, sql_types};
use super::scope::emit_scopes;
use super::soft_delete::emit_deletion_mark;
use super::tenancy::emit_tenancy;
use crate::ir::{
    Arity, ColumnType, DefaultValue, Engine, FieldId, IndexField, IndexTarget, NativeType, RelationStorage, Side, names,
};

/// `static TABLE` and the constants it needs.
pub(super) fn emit_table(cx: &EmitCx<'_>, model: &ModelNames<'_>) -> TokenStream {
    let name = model.walker.name();
    let sql = qualified(model.walker.model().namespace.as_deref(), &model.walker.model().db_name);
    let columns = model.columns.iter().map(|column| emit_column(cx, column));
    let key = key_columns(model).into_iter().map(Literal::u16_unsuffixed);
    let relations = model.relations.iter().map(|relation| emit_relation(cx, model, relation));
    let tenancy = emit_tenancy(cx, model);
    let soft_delete = emit_deletion_mark(model);
    let scopes = emit_scopes(model);
    let secured = model.walker.model().row_security.then(|| quote!(.row_secured()));
    let on_citus = (cx.schema.engine == Engine::Citus).then(|| quote!(.on_citus()));
    let omitted = model.omitted().count();
    let read = Literal::usize_unsuffixed(model.columns.len() - omitted);
    let omits = (omitted > 0).then(|| quote!(.reads(#read)));
    let samples = emit_samples(cx, model);
    let constraints = constraints(model);
    let constants = constraints.iter().map(|constraint| {
        let (ident, name) = (&constraint.ident, &constraint.name);
        quote!(pub const #ident: &str = #name;)
    });
    let entries = constraints.iter().map(|constraint| {
        let (ident, columns) = (&constraint.ident, &constraint.columns);
        quote!(rt::Constraint::new(#ident, &[#(#columns),*]))
    });
    quote! {
        #(#constants)*

        pub(super) static TABLE: rt::Table = rt::Table::new(
            #name,
            #sql,
            &[#(#columns),*],
            &[#(#key),*],
            &[#(#relations),*],
            &[#(#entries),*],
        )#omits #tenancy #soft_delete #scopes #secured #on_citus #samples;
    }
}

fn emit_column(cx: &EmitCx<'_>, column: &ColumnNames<'_>) -> TokenStream {
    let name = column.walker.db_name();
    let (sql, wire) = sql_types(cx, column.walker);
    let via = wire.map(|wire| quote!(.via(#wire)));
    let own = own_type(column.walker).filter(|_| matches!(column.walker.column().ty, ColumnType::Unsupported(_)));
    let text = if column.walker.arity() == Arity::List { "text[]" } else { "text" };
    let own = own.map(|own| quote!(.own::<#own>(#text)));
    let default = client_default(column).map(|default| quote!(.default(rt::ClientDefault::#default)));
    let updated_at = column.walker.column().updated_at.then(|| quote!(.updated_at()));
    let generated = column.walker.is_never_written().then(|| quote!(.generated()));
    let sensitive = column.walker.column().sensitive.then(|| quote!(.sensitive()));
    let domain = column.walker.column().domain.is_some().then(|| quote!(.domain()));
    let json = column.walker.column().json.filter(|shape| !shape.list).map(|_| emit_json(column));
    quote!(rt::Column::new(#name, #sql)#via #own #domain #default #updated_at #generated #sensitive #json)
}

/// Emits what the runtime knows of a column with one value of a `type` block.
fn emit_json(column: &ColumnNames<'_>) -> TokenStream {
    let nullable = (column.walker.arity() == Arity::Optional).then(|| quote!(.nullable_json()));
    let default = column.walker.column().default.is_some().then(|| quote!(.json_default()));
    quote!(#nullable #default)
}

/// Returns the runtime's name of a default that the client generates.
fn client_default(column: &ColumnNames<'_>) -> Option<TokenStream> {
    let is_uuid = matches!(column.walker.column().ty, ColumnType::Scalar(_, NativeType::Uuid));
    match column.walker.column().default.as_ref()? {
        DefaultValue::Uuid(7) if is_uuid => Some(quote!(Uuid7)),
        DefaultValue::Uuid(7) => Some(quote!(Uuid7Text)),
        DefaultValue::Uuid(_) if is_uuid => Some(quote!(Uuid4)),
        DefaultValue::Uuid(_) => Some(quote!(Uuid4Text)),
        DefaultValue::Cuid(1) => Some(quote!(Cuid)),
        DefaultValue::Cuid(_) => Some(quote!(Cuid2)),
        DefaultValue::Ulid => Some(quote!(Ulid)),
        DefaultValue::Nanoid(length) => {
            // The default length of Prisma; the language allows 2 to 255.
            let length = Literal::u32_unsuffixed(length.unwrap_or(21));
            Some(quote!(Nanoid(#length)))
        }
        _ => None,
    }
}

/// The primary key, else the first unique index on required columns, else the first unique one.
fn key_columns(model: &ModelNames<'_>) -> Vec<u16> {
    let primary = model.walker.model().primary_key.as_ref().map(|key| key.fields.as_slice());
    let required = |fields: &&[IndexField]| {
        fields
            .iter()
            .all(|field| model.walker.index_column(field).is_some_and(|column| column.arity() == Arity::Required))
    };
    let uniques: Vec<&[IndexField]> = model.walker.unique_indexes().map(|index| index.fields.as_slice()).collect();
    let best = primary.or_else(|| uniques.iter().copied().find(required)).or(uniques.first().copied());
    best.and_then(|fields| model.numbers(index_fields(fields))).unwrap_or_default()
}

fn index_fields(fields: &[IndexField]) -> impl Iterator<Item = FieldId> {
    fields.iter().filter_map(|field| match field.target {
        IndexTarget::Field(id) => Some(id),
        IndexTarget::Expression(_) => None,
    })
}

fn emit_relation(cx: &EmitCx<'_>, model: &ModelNames<'_>, relation: &RelationNames<'_>) -> TokenStream {
    let name = &relation.walker.field().rust_ident;
    let related = cx.model(relation.walker.related_model().id);
    let child_module = &related.module;
    let child = quote!(&super::#child_module::TABLE);
    let (ours, theirs) = key_numbers(model, related, relation);
    let (ours, theirs) =
        (ours.into_iter().map(Literal::u16_unsuffixed), theirs.into_iter().map(Literal::u16_unsuffixed));
    let columns = quote!(&[#(#ours),*], &[#(#theirs),*]);
    if let RelationStorage::JoinTable { db_name, namespace } = &relation.walker.relation().relation().storage {
        let sql = qualified(namespace.as_deref(), db_name);
        let between = if relation.walker.side() == Side::Referencing { quote!(a_to_b) } else { quote!(b_to_a) };
        return quote!(rt::Relation::through(#name, #child, #columns, rt::JoinTable::#between(#sql)));
    }
    let constructor = match (relation.walker.side(), relation.walker.arity()) {
        (Side::Referencing, Arity::Required) => quote!(one),
        (Side::Referencing, _) => quote!(maybe),
        (Side::Referenced, Arity::List) => quote!(back_many),
        (Side::Referenced, _) => quote!(back_one),
    };
    let pair = relation.walker.relation().tenant_pair().map(|place| {
        let place = Literal::usize_unsuffixed(place);
        quote!(.within_tenant(#place))
    });
    let filled = is_filled(relation).then(|| quote!(.filled()));
    let marks = relation.walker.side() == Side::Referenced && relation.walker.relation().cascades_marks();
    let cascading = marks.then(|| quote!(.cascading()));
    quote!(rt::Relation::#constructor(#name, #child, #columns)#pair #filled #cascading)
}

/// Returns whether a foreign key to a row of a tenant gets a value if a new row leaves it out. A foreign key with the
/// tenant's column needs no check.
fn is_filled(relation: &RelationNames<'_>) -> bool {
    let of = relation.walker.relation();
    let mut columns = of.referencing_columns();
    relation.walker.side() == Side::Referencing
        && relation.walker.related_model().has_tenant()
        && of.tenant_pair().is_none()
        && columns.any(|column| column.column().default.is_some() || column.column().generated.is_some())
}

/// The columns of a relation on this side and on the other.
fn key_numbers(model: &ModelNames<'_>, related: &ModelNames<'_>, relation: &RelationNames<'_>) -> (Vec<u16>, Vec<u16>) {
    let walker = relation.walker.relation();
    let Some(key) = walker.foreign_key() else {
        let primary = |model: &ModelNames<'_>| {
            model.numbers(model.walker.primary_key_columns().map(|column| column.id)).unwrap_or_default()
        };
        return (primary(model), primary(related));
    };
    let (ours, theirs) = match relation.walker.side() {
        Side::Referencing => (&key.fields, &key.references),
        Side::Referenced => (&key.references, &key.fields),
    };
    let numbers =
        |model: &ModelNames<'_>, fields: &[FieldId]| model.numbers(fields.iter().copied()).unwrap_or_default();
    (numbers(model, ours), numbers(related, theirs))
}

/// A constraint with a constant in the client.
struct NamedConstraint {
    ident: Ident,
    name: String,
    columns: Vec<String>,
}

/// Returns keys, unique indexes, foreign keys, exclusion constraints and checks. A constant is named after the constraint, without the name of
/// the table: `EMAIL_KEY` for `users_email_key`.
fn constraints(model: &ModelNames<'_>) -> Vec<NamedConstraint> {
    let walker = model.walker;
    // A view has no constraints; its keys exist only in the client.
    if walker.model().is_view {
        return Vec::new();
    }
    let index_columns = |fields: &[IndexField]| -> Vec<String> {
        fields.iter().filter_map(|field| Some(walker.index_column(field)?.db_name().to_owned())).collect()
    };
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    found
        .extend(walker.model().primary_key.iter().map(|key| (key.constraint_name.clone(), index_columns(&key.fields))));
    let unique = walker.model().indexes.iter().filter(|index| index.unique);
    found.extend(unique.map(|index| (index.constraint_name.clone(), index_columns(&index.fields))));
    for field in walker.relation_fields().filter(|field| field.side() == Side::Referencing) {
        let columns = field.relation().referencing_columns().map(|column| column.db_name().to_owned()).collect();
        found.extend(field.relation().foreign_key().map(|key| (key.constraint_name.clone(), columns)));
    }
    let exclusions = walker.model().exclusions.iter().map(|it| &it.index);
    found.extend(exclusions.map(|index| (index.constraint_name.clone(), index_columns(&index.fields))));
    found.extend(walker.model().checks.iter().map(|check| (check.constraint_name.clone(), Vec::new())));

    let prefix = format!("{}_", walker.model().db_name);
    let fields = walker.fields().map(|field| field.field().rust_ident.clone());
    let mut taken: BTreeSet<String> = fields.chain(["TABLE".to_owned()]).collect();
    let named = found.into_iter().filter_map(|(name, columns)| {
        let short = constant_name(name.strip_prefix(&prefix).unwrap_or(&name));
        let constant = if taken.contains(&short) { constant_name(&name) } else { short };
        // If two names differ only in case or punctuation, only the first one gets a constant.
        taken.insert(constant.clone()).then(|| NamedConstraint { ident: ident(&constant), name, columns })
    });
    named.collect()
}

/// PostgreSQL allows letters in names that Rust does not allow, such as `²`.
fn constant_name(name: &str) -> String {
    let constant = names::shouty_ident(name);
    if syn::parse_str::<Ident>(&constant).is_ok() {
        return constant;
    }
    names::shouty_ident(&name.replace(|letter: char| !letter.is_ascii(), "_"))
}
