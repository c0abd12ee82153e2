//! INSERT, UPDATE and DELETE of a confined statement.
//!
//! Only rows of the tenant are changed and deleted, and new rows belong to it. A statement that could move a row to
//! another tenant, or give it a reference to a row of another one, is not confined.

use super::super::infer::{NewRows, NewValues, Write};
use super::{Edit, condition_of};
use crate::ir::{ColumnType, ColumnWalker, ModelWalker, RelationWalker, Schema, Tenancy, row_security_cast};
use relata_pgsql::ident;

/// What a confined statement has more where it writes.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) edits: Vec<Edit>,
    /// Whether the tenant's column has no value without them.
    pub(super) needs_tenant: bool,
}

/// Returns the edits for all tables that are written; `None` if one of them cannot be confined.
pub(super) fn edits(schema: &Schema, writes: &[Write], parameter: usize) -> Option<Written> {
    let mut written = Written::default();
    for write in writes {
        let model = schema.walk_model(write.model);
        if !is_allowed(model, write) {
            return None;
        }
        if let Some(rows) = &write.new_rows {
            add_tenant(model, rows, parameter, &mut written)?;
        }
        if let (Some(place), true) = (write.filter, model.has_tenant()) {
            let name = write.name.as_deref()?;
            let letter = if name.starts_with('t') { 's' } else { 't' };
            let condition = condition_of(model, (&ident(name), letter), parameter)?;
            if place.start == place.end {
                written.edits.push(Edit::insert(place.end, format!(" WHERE {condition}")));
            } else {
                written.edits.push(Edit::insert(place.start, format!("{condition} AND (")));
                written.edits.push(Edit::insert(place.end, ")".to_owned()));
            }
        }
    }
    Some(written)
}

/// Returns whether no row leaves its tenant, and none gets a reference to a row of another one.
fn is_allowed(model: ModelWalker<'_>, write: &Write) -> bool {
    // A view may show the rows of a table under other names.
    if model.model().is_view {
        return false;
    }
    let sets = |column: &ColumnWalker<'_>| write.sets.iter().any(|name| name == column.db_name());
    if model.tenant_column().is_some_and(|own| sets(&own)) {
        return false;
    }
    unguarded(model).all(|relation| {
        let mut columns = relation.referencing_columns();
        let is_set =
            |column: ColumnWalker<'_>| sets(&column) || !write.sets.is_empty() && column.column().generated.is_some();
        let is_given = |column: ColumnWalker<'_>| {
            let is_own = || model.column_of_tenant() == Some(column);
            write.new_rows.as_ref().is_some_and(|rows| is_own() || gives(rows, column))
        };
        !columns.any(|column| is_set(column) || is_given(column))
    })
}

/// Returns whether new rows have a value in a column, rather than null.
fn gives(rows: &NewRows, column: ColumnWalker<'_>) -> bool {
    let takes_default = matches!(rows.values, Some(NewValues::Defaults(_)));
    let names_all = rows.columns.is_empty() && !takes_default;
    let known = column.column();
    names_all
        || rows.columns.iter().any(|name| name == column.db_name())
        || known.default.is_some()
        || known.generated.is_some()
        || known.identity.is_some()
        || column.column_text().is_some_and(|text| text.has_value())
}

/// Returns the foreign keys in which PostgreSQL accepts rows of other tenants, because they do not contain the tenant.
/// The owner of the rows of an ignored model is unknown.
fn unguarded(model: ModelWalker<'_>) -> impl Iterator<Item = RelationWalker<'_>> {
    let own = model.column_of_tenant();
    let leads_to_itself = move |relation: &RelationWalker<'_>| {
        let (mut from, mut to) = (relation.referencing_columns(), relation.referenced_columns());
        let (is_own, is_tenant) =
            (from.next() == own, to.next() == relation.referenced_field().model().tenant_column());
        own.is_some() && is_own && is_tenant && from.next().is_none()
    };
    model.schema.walk_relations().filter(move |relation| {
        let other = relation.referenced_field().model();
        relation.foreign_key().is_some()
            && relation.referencing_field().model().id == model.id
            && (other.has_tenant() || other.model().ignored)
            && relation.tenant_pair().is_none()
            && !leads_to_itself(relation)
    })
}

/// Adds the tenant to new rows, where their model has a column for it.
fn add_tenant(model: ModelWalker<'_>, rows: &NewRows, parameter: usize, written: &mut Written) -> Option<()> {
    if model.model().tenancy == Tenancy::Shared {
        return Some(());
    }
    let own = model.column_of_tenant()?;
    let (values, name) = (rows.values.as_ref()?, ident(own.db_name()));
    if rows.columns.iter().any(|column| column == own.db_name()) {
        return None;
    }
    // Without a type, DISTINCT would make the value a text.
    let value = format!("${parameter}::{}", type_of(own)?);
    match values {
        NewValues::Defaults(place) => {
            let text = format!("({name}) VALUES ({value})");
            written.edits.push(Edit { start: place.start, end: place.end, text });
        }
        NewValues::Listed { columns, values } => {
            written.edits.push(Edit::insert(*columns, format!(", {name}")));
            written.edits.extend(values.iter().map(|end| Edit::insert(*end, format!(", {value}"))));
        }
    }
    written.needs_tenant |= !own.has_database_default();
    Some(())
}

/// Returns the type of a tenant's id in a cast. A length would cut the value.
fn type_of(column: ColumnWalker<'_>) -> Option<&'static str> {
    let ColumnType::Scalar(_, native) = column.column().ty else { return None };
    row_security_cast(native).map(|name| if name.is_empty() { "text" } else { name })
}
