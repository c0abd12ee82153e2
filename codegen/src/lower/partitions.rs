//! `@@partitionBy(Range, [field])`: tables whose rows PostgreSQL keeps in partitions.

use super::Cx;
use super::arguments::{Parameters, bind, expect_one_of, list_items, report_wrong_value};
use super::draft::{FieldType, KeyDraft, KeyKind, PartitionDraft};
use super::field_names::find_column;
use crate::diagnostics::{self as codes, Diagnostic, Span};
use crate::ir::{FieldId, ModelId, NativeType, PartitionMethod};
use crate::syntax::{Attribute, Expression, ModelKind};

const PARAMETERS: Parameters =
    Parameters { owner: "@@partitionBy", unnamed: Some("fields"), names: &["fields"], required: &["fields"] };

const METHODS: [(&str, PartitionMethod); 3] =
    [("Range", PartitionMethod::Range), ("List", PartitionMethod::List), ("Hash", PartitionMethod::Hash)];

/// Reads `@@partitionBy(Range, [createdAt])`.
pub(super) fn read_partitions<'a>(cx: &mut Cx<'a, '_>, id: ModelId, attribute: &'a Attribute<'a>) {
    let arguments: Vec<_> = attribute.arguments().collect();
    let Some((first, rest)) = arguments.split_first().filter(|(first, _)| first.name.is_none()) else {
        cx.report(
            Diagnostic::new(codes::MISSING_ARGUMENT, attribute.span, "`@@partitionBy` needs a method and fields")
                .label("the method is missing")
                .help("write `@@partitionBy(Range, [createdAt])`; the other methods are `List` and `Hash`"),
        );
        return;
    };
    let method = expect_one_of(cx, &first.value, "a method of partitioning", &METHODS);
    let bound = bind(cx, rest.iter().copied(), attribute.span, &PARAMETERS);
    let Some(value) = bound.get("fields") else { return };
    let fields = read_fields(cx, id, value);
    let (Some((method, _)), Some(fields)) = (method, fields) else { return };
    if cx.model(id).ast.kind == ModelKind::View {
        report(cx, attribute.span, "a view has no partitions", "put the attribute on the table that the view reads");
        return;
    }
    cx.model_mut(id).partitions = Some(PartitionDraft { method, fields, span: attribute.span });
}

fn read_fields<'a>(cx: &mut Cx<'a, '_>, id: ModelId, value: &'a Expression<'a>) -> Option<Vec<(FieldId, Span)>> {
    let items = list_items(value);
    if items.is_empty() {
        cx.report(
            Diagnostic::new(codes::EMPTY_LIST, value.span(), "`@@partitionBy` needs at least one field")
                .label("empty")
                .help("write the names of the fields, such as `[createdAt]`"),
        );
        return None;
    }
    let mut fields = Vec::new();
    let mut broken = false;
    for item in items {
        let Expression::Constant(name) = item else {
            report_wrong_value(cx, item, "the name of a field", "write the field's name without quotes".to_owned());
            broken = true;
            continue;
        };
        match find_column(cx, id, *name, "@@partitionBy") {
            Some(field) => fields.push((field, name.span)),
            None => broken = true,
        }
    }
    (!broken).then_some(fields)
}

fn report(cx: &mut Cx<'_, '_>, span: Span, label: &str, help: &str) {
    cx.report(mistake(span, label, help));
}

fn mistake(span: Span, label: &str, help: &str) -> Diagnostic {
    Diagnostic::new(codes::PARTITION_KEY, span, "PostgreSQL cannot partition a table like this").label(label).help(help)
}

/// Checks what partitioned tables have.
pub(super) fn check_partitions(cx: &mut Cx<'_, '_>) {
    for id in cx.model_ids() {
        let model = cx.model(id);
        let Some(partitions) = &model.partitions else { continue };
        let mut found = fields_can_be_compared(cx, partitions);
        found.extend(table_has_no_storage(cx, id, partitions));
        found.extend(model.keys.iter().filter_map(|key| key_has_the_fields(cx, partitions, key)));
        cx.diagnostics.extend(found);
    }
}

fn fields_can_be_compared(cx: &Cx<'_, '_>, partitions: &PartitionDraft) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if let (PartitionMethod::List, Some((_, span))) = (partitions.method, partitions.fields.get(1)) {
        found.push(mistake(*span, "`List` takes one field", "name one field, or write `Range` or `Hash`"));
    }
    for (at, (id, span)) in partitions.fields.iter().enumerate() {
        let field = cx.field(*id);
        let generated = field.generated.is_some();
        if partitions.fields[..at].iter().any(|(other, _)| other == id) {
            found.push(mistake(*span, "named twice", "remove one of them"));
        } else if generated {
            found.push(mistake(*span, "a generated column", "name the columns that it is computed from"));
        } else if field.ty == FieldType::Unsupported {
            // Its type is unknown.
        } else if matches!(field.native_type(), Some(NativeType::Json | NativeType::Xml)) {
            found.push(mistake(*span, "its values have no order", "name a field of another type"));
        }
    }
    found
}

/// The rows are in the partitions, which have properties of their own.
fn table_has_no_storage(cx: &Cx<'_, '_>, id: ModelId, partitions: &PartitionDraft) -> Option<Diagnostic> {
    let model = cx.model(id);
    let label = match (model.storage.is_empty(), model.unlogged) {
        (true, false) => return None,
        (false, _) => "a partitioned table cannot have storage parameters: remove `@@with`",
        (true, true) => "a partitioned table cannot be unlogged: remove `@@unlogged`",
    };
    Some(mistake(partitions.span, label, "the rows are in the partitions: set the property on each of them, by hand"))
}

/// PostgreSQL checks a key in each partition, so that a row and its duplicate must be in the same one.
fn key_has_the_fields(cx: &Cx<'_, '_>, partitions: &PartitionDraft, key: &KeyDraft<'_>) -> Option<Diagnostic> {
    if key.kind == KeyKind::Index {
        return None;
    }
    let has = |id: FieldId| key.fields.iter().any(|field| field.column() == Some(id));
    let missing: Vec<_> = partitions.fields.iter().map(|(id, _)| *id).filter(|id| !has(*id)).collect();
    if missing.is_empty() {
        return None;
    }
    let name = |id: FieldId| cx.field(id).ast.name.text;
    let names = |ids: &[FieldId]| ids.iter().map(|id| name(*id)).collect::<Vec<_>>().join(", ");
    let own: Vec<FieldId> = key.fields.iter().filter_map(|field| field.column()).collect();
    let all = names(&own.iter().chain(&missing).copied().collect::<Vec<_>>());
    let help = match key.kind {
        _ if own.len() < key.fields.len() => format!("add `{}` to the key", names(&missing)),
        KeyKind::Primary => format!("write `@@id([{all}])`"),
        _ => format!("write `@@unique([{all}])`, or `@@index` if the values need not be unique"),
    };
    let message = format!("`{}` does not contain the partition key", key.attribute);
    Some(
        Diagnostic::new(codes::KEY_WITHOUT_PARTITION, key.span, message)
            .label(format!("needs `{}`, because PostgreSQL checks it in each partition", names(&missing)))
            .second(partitions.span, "partitioned here")
            .help(help),
    )
}
