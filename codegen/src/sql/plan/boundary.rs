//! Decides where a transaction has to be committed before the next step.
//!
//! PostgreSQL refuses to use an enum value in the transaction that added it. A later step uses one if its data contains
//! the value, or if it casts values of other types to the enum.

use std::collections::BTreeSet;

use relata_pgsql::tokens;

use super::action::{Action, Alteration, ColumnSpec};
use super::{Step, Transaction};
use crate::sql::change::{CatalogChange, TableObject};
use crate::sql::data_type::DataType;
use crate::sql::state::{Column, ColumnDefault, Exclusion, Index, IndexTarget, ObjectName};

/// Marks the last step that adds a value, if a later step uses one of the added values.
pub(super) fn set_boundaries(steps: &mut [Step]) {
    let is_label = |step: &Step| matches!(step.action, Action::AddLabel { .. });
    let Some(last) = steps.iter().rposition(is_label) else { return };
    let (before, after) = steps.split_at_mut(last + 1);
    let (types, labels): (BTreeSet<&ObjectName>, BTreeSet<&str>) = before
        .iter()
        .filter_map(|step| match &step.action {
            Action::AddLabel { enum_name, label, .. } => Some((enum_name, label.as_str())),
            _ => None,
        })
        .unzip();
    let is_used = |step: &Step| casts_to(&step.action, &types) || texts(&step.action).any(|text| text.names(&labels));
    if after.iter().any(is_used) {
        before[last].transaction = Transaction::BoundaryAfter;
    }
}

fn casts_to(action: &Action, types: &BTreeSet<&ObjectName>) -> bool {
    match action {
        Action::AlterColumns { alterations, .. } => alterations
            .iter()
            .any(|it| it.retyped && matches!(&it.next.ty, DataType::Enum(name) if types.contains(name))),
        _ => false,
    }
}

/// The SQL that a user wrote into an action. Unlike names, it may contain values of an enum.
enum Text<'a> {
    Value(&'a str),
    Sql(&'a str),
}

impl Text<'_> {
    fn names(&self, labels: &BTreeSet<&str>) -> bool {
        match self {
            Text::Value(value) => holds(value, labels),
            Text::Sql(sql) => tokens(sql).any(|token| token.is_string() && holds(&token.value(sql), labels)),
        }
    }
}

/// Returns whether the value is a label, or an array or a row that may contain one.
fn holds(value: &str, labels: &BTreeSet<&str>) -> bool {
    labels.contains(value) || (value.starts_with(['{', '(']) && labels.iter().any(|label| value.contains(label)))
}

/// Returns the texts of an action that are part of its statement.
fn texts(action: &Action) -> Box<dyn Iterator<Item = Text<'_>> + '_> {
    match action {
        Action::CreateTable { table, .. } => {
            let checks = table.checks.iter().map(|check| Text::Sql(&check.expression));
            Box::new(table.columns.iter().flat_map(of_column).chain(checks))
        }
        Action::AddColumns { columns, .. } => Box::new(columns.iter().flat_map(of_spec)),
        Action::AlterColumns { alterations, .. } => Box::new(alterations.iter().flat_map(of_alteration)),
        Action::AddObject { object, .. } | Action::AddNotValid { object, .. } => of_object(object),
        Action::CreateIndexConcurrently { index, .. } => Box::new(of_index(index)),
        Action::CreateSyncFunction { columns, .. } | Action::FillShadowColumns { columns, .. } => {
            Box::new(columns.iter().flat_map(|shadow| shadow.alteration.using.as_deref()).map(Text::Sql))
        }
        Action::Cutover { actions, .. } => Box::new(actions.iter().flat_map(texts)),
        Action::CreateOther(other) => Box::new(std::iter::once(Text::Sql(&other.create))),
        Action::ChangeOther(other) => {
            Box::new(std::iter::once(Text::Sql(other.change.as_deref().unwrap_or(&other.create))))
        }
        Action::Catalog(CatalogChange::Create { object, .. }) => {
            Box::new(object.create.as_deref().map(Text::Sql).into_iter())
        }
        Action::Catalog(CatalogChange::Alter { statements, .. }) => {
            Box::new(statements.iter().map(|sql| Text::Sql(sql)))
        }
        Action::Restore { sql, .. } => Box::new(std::iter::once(Text::Sql(sql))),
        // Only names, and the labels of other enums.
        _ => Box::new(std::iter::empty()),
    }
}

fn of_column(column: &Column) -> impl Iterator<Item = Text<'_>> {
    column.generated.as_deref().map(Text::Sql).into_iter().chain(column.default.iter().flat_map(of_default))
}

fn of_default(default: &ColumnDefault) -> Box<dyn Iterator<Item = Text<'_>> + '_> {
    match default {
        ColumnDefault::Literal(value) => Box::new(std::iter::once(Text::Value(value))),
        ColumnDefault::List(values) => Box::new(values.iter().map(|value| Text::Value(value))),
        ColumnDefault::Expression(sql) => Box::new(std::iter::once(Text::Sql(sql))),
        ColumnDefault::Sequence(_) | ColumnDefault::Unmanaged => Box::new(std::iter::empty()),
    }
}

fn of_spec(spec: &ColumnSpec) -> impl Iterator<Item = Text<'_>> {
    of_column(&spec.column).chain(spec.fill.as_deref().map(Text::Sql))
}

fn of_alteration(alteration: &Alteration) -> impl Iterator<Item = Text<'_>> {
    let Alteration { previous, next, using, .. } = alteration;
    let is_recreated = previous.is_recreated(next);
    let default = next.default.iter().filter(move |_| is_recreated || alteration.redefaulted).flat_map(of_default);
    let generated = next.generated.as_deref().filter(|_| is_recreated).map(Text::Sql);
    using.as_deref().map(Text::Sql).into_iter().chain(default).chain(generated)
}

fn of_object(object: &TableObject) -> Box<dyn Iterator<Item = Text<'_>> + '_> {
    match object {
        TableObject::Check(check) => Box::new(std::iter::once(Text::Sql(&check.expression))),
        TableObject::Index(index) | TableObject::Exclusion(Exclusion { index, .. }) => Box::new(of_index(index)),
        TableObject::PrimaryKey(_) | TableObject::Unique(_) | TableObject::ForeignKey(_) => {
            Box::new(std::iter::empty())
        }
    }
}

fn of_index(index: &Index) -> impl Iterator<Item = Text<'_>> {
    let expressions = index.parts.iter().filter_map(|part| match &part.target {
        IndexTarget::Expression(sql) => Some(Text::Sql(sql)),
        IndexTarget::Column(_) => None,
    });
    expressions.chain(index.predicate.as_deref().map(Text::Sql))
}
