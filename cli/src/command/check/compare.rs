//! Compares the inferred types of a query with those that PostgreSQL reports.

use relata_codegen::diagnostics::{Diagnostic, counted};
use relata_codegen::ir::{FieldId, Schema};
use relata_codegen::queries::{Query, ResultColumn, ValueType};
use tokio_postgres::types::{Kind, Type};
use tokio_postgres::{Column, Statement};

/// Reports parameters and columns whose number, types or names differ in PostgreSQL.
pub fn compare_types(schema: &Schema, query: &Query, statement: &Statement) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (at, (param, ty)) in query.params.iter().zip(statement.params()).enumerate() {
        if !is_own(schema, param.field) && !is_one_of(&param.value, ty, schema, param.derived) {
            let (says, is) = (words(&param.value, schema, param.derived), ty.name());
            found.push(
                Diagnostic::of_database(
                    false,
                    param.span,
                    format!("PostgreSQL says that `${}` is {is}, but {says} was inferred", at + 1),
                )
                .with(format!("is {is}"), format!("write a cast: `${}::{says}`", at + 1)),
            );
        }
    }
    if query.params.len() != statement.params().len() {
        let message = format!(
            "PostgreSQL finds {}, and the compiler inferred {}",
            counted(statement.params().len(), "parameter"),
            query.params.len()
        );
        found.push(Diagnostic::of_database(false, query.span, message).with("", "number the parameters from `$1`"));
    }
    // Rows without a value are only counted.
    if query.columns.is_none() && statement.columns().iter().all(|column| *column.type_() == Type::VOID) {
        return found;
    }
    let known = query.columns.as_deref().unwrap_or_default();
    if known.len() != statement.columns().len() {
        let returned = counted(statement.columns().len(), "column");
        let message = format!("PostgreSQL returns {returned}, and the compiler inferred {}", known.len());
        let names: Vec<&str> = statement.columns().iter().map(Column::name).collect();
        let help = format!("annotate all columns, in this order: {}", names.join(", "));
        found.push(Diagnostic::of_database(false, query.span, message).with("", help));
        return found;
    }
    let columns = known.iter().zip(statement.columns());
    found.extend(columns.filter_map(|(column, real)| compare_column(schema, column, real)));
    found
}

/// PostgreSQL's name for a column without a name.
const UNNAMED: &str = "?column?";

fn compare_column(schema: &Schema, column: &ResultColumn, real: &Column) -> Option<Diagnostic> {
    let name = &column.db_name;
    // The field of a column without a name has a number. Whether `SELECT true` has one depends on the version.
    if real.name() != name && name != UNNAMED {
        let message = format!("PostgreSQL names this column `{}`, but `{name}` was inferred", real.name());
        return Some(
            Diagnostic::of_database(false, column.span, message).with("", format!("write `AS {name}` after it")),
        );
    }
    if is_own(schema, column.field) || is_one_of(&column.value, real.type_(), schema, column.derived) {
        return None;
    }
    let (says, is) = (words(&column.value, schema, column.derived), real.type_().name());
    let message = format!("PostgreSQL says that `{name}` is {is}, but {says} was inferred");
    let help = format!("annotate its type, or write a cast: `::{says}`");
    Some(Diagnostic::of_database(false, column.span, message).with(format!("is {is}"), help))
}

/// Whether the type in PostgreSQL is one of those that the value can have.
fn is_one_of(value: &ValueType, ty: &Type, schema: &Schema, derived: bool) -> bool {
    let ty = match (value.list, below(ty).kind()) {
        (true, Kind::Array(element)) => below(element),
        (false, Kind::Array(_)) | (true, _) => return false,
        (false, _) => below(ty),
    };
    value.database_types(schema, derived).iter().any(|known| known == ty.name())
}

/// Whether a value has the type that `@rust` names. Only that type knows which columns it reads, and says so when the
/// query runs.
fn is_own(schema: &Schema, field: Option<FieldId>) -> bool {
    let column = field.and_then(|field| schema.walk_field(field).as_column());
    column.is_some_and(|column| column.column().rust.is_some())
}

/// Returns the type that a domain is based on.
fn below(ty: &Type) -> &Type {
    match ty.kind() {
        Kind::Domain(inner) => below(inner),
        _ => ty,
    }
}

fn words(value: &ValueType, schema: &Schema, derived: bool) -> String {
    let name = value.database_types(schema, derived).into_iter().next().unwrap_or_default();
    if value.list { format!("{name}[]") } else { name }
}
