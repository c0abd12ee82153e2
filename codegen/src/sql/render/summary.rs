//! Changes in words, one line each.

use super::super::change::{CatalogChange, Change, Commented, Place, TableObject, Temporary};
use super::super::data_type::DataType;
use super::super::state::{
    Column, ColumnDefault, Distribution, EnumType, ForeignKey, ObjectName, TableOptions, repartitioned,
};
use super::statement::{delete_action, update_action};

/// Returns one line per change: `+` for an addition, `-` for a removal, `~` for a change. Empty if there are no
/// changes.
pub fn summary(changes: &[Change]) -> String {
    let names = Temporary::of(changes);
    let listed =
        changes.iter().filter(|change| !is_part_of_another(change, changes, &names) && !names.is_target(change));
    let text = |change: &&Change| match change {
        Change::ReplaceEnum { previous, next, .. } => replaced_enum(previous, next, changes, &names),
        change => line(change, &names),
    };
    // An object that comes back is named once.
    listed.map(|change| text(&change)).filter(|line| !line.is_empty()).map(|line| line + "\n").collect()
}

/// Another value may get the name of a removed one. Then the values are listed by their old names.
fn replaced_enum(previous: &EnumType, next: &EnumType, changes: &[Change], names: &Temporary) -> String {
    let gives_name = |label: &String| names.label(&previous.name, label) != label && !next.labels.contains(label);
    let before: Vec<String> = match previous.labels.iter().any(gives_name) {
        true => previous.labels.iter().map(|label| before_renames(&previous.name, label, changes)).collect(),
        false => previous.labels.iter().map(|label| names.label(&previous.name, label).to_owned()).collect(),
    };
    let removed = previous.labels.iter().filter(|label| gives_name(label)).map(|label| {
        let name = names.label(&previous.name, label);
        format!("{name} is removed, {} gets its name", before_renames(&previous.name, name, changes))
    });
    let removed: Vec<String> = removed.collect();
    let why = if removed.is_empty() { String::new() } else { format!(": {}", removed.join("; ")) };
    format!("~ enum {} from ({}) to ({}){why}", next.name, before.join(", "), next.labels.join(", "))
}

/// Returns the name of a value before all renames of its enum.
fn before_renames(enum_name: &ObjectName, label: &str, changes: &[Change]) -> String {
    let renames = changes.iter().rev().filter_map(|change| match change {
        Change::RenameLabel { enum_name: other, from, to } if other == enum_name => Some((from, to)),
        _ => None,
    });
    renames.fold(label.to_owned(), |name, (from, to)| if *to == name { from.clone() } else { name })
}

/// A sequence is part of the change of its column, and a column with a replaced enum is part of the change of the enum.
fn is_part_of_another(change: &Change, changes: &[Change], names: &Temporary) -> bool {
    match change {
        Change::CreateSequence(sequence) | Change::DropSequence(sequence) => {
            sequence.owned_by.as_ref().is_some_and(|owner| changes.iter().any(|change| is_about(change, owner)))
        }
        Change::ShowAllTenants
        | Change::OnCitus(_)
        | Change::OnPartitions(_)
        | Change::OnDomains(_)
        | Change::OnAudited(_)
        | Change::EditAudit { .. } => true,
        // The line of a new table says that it has row security.
        Change::CreatePolicy { table, .. } | Change::SetRowSecurity { table, .. } => {
            changes.iter().any(|change| matches!(change, Change::CreateTable(new) if new.name == *table))
        }
        Change::SetComment { on, .. } => changes.iter().any(|change| is_new(change, on)),
        Change::AlterColumn { previous, next, enum_replaced: true, .. } => {
            describe(previous, names) == describe(next, names)
        }
        _ => false,
    }
}

fn is_about(change: &Change, (owner, name): &(ObjectName, String)) -> bool {
    match change {
        Change::CreateTable(table) | Change::DropTable(table) => table.name == *owner,
        Change::AddColumn { table, column, .. } | Change::DropColumn { table, column } => {
            table == owner && column.name == *name
        }
        Change::AlterColumn { table, next, .. } => table == owner && next.name == *name,
        _ => false,
    }
}

/// Returns whether a change creates what the comment is on.
fn is_new(change: &Change, on: &Commented) -> bool {
    match (change, on) {
        (Change::CreateTable(table), on) => on.table() == Some(&table.name),
        (Change::AddColumn { table, column, .. }, Commented::Column(other, name)) => {
            table == other && column.name == *name
        }
        (Change::CreateEnum(ty), Commented::Enum(name)) => ty.name == *name,
        _ => false,
    }
}

fn line(change: &Change, names: &Temporary) -> String {
    match change {
        Change::CreateSchema(name) => format!("+ schema {name}"),
        Change::CreateExtension(extension) => format!("+ extension {}", extension.name),
        Change::AlterExtension(pair) => format!("~ extension {}", pair.1.name),
        Change::DropExtension(extension) => format!("- extension {}", extension.name),
        Change::RenameEnum { from, to } => format!("~ enum {} is renamed to {to}", names.enum_type(from)),
        Change::RenameLabel { enum_name, from, to } => {
            format!("~ value {enum_name}.{} is renamed to {to}", names.label(enum_name, from))
        }
        Change::CreateEnum(ty) => format!("+ enum {} ({})", ty.name, ty.labels.join(", ")),
        Change::AddLabel { enum_name, label, place } => match place {
            Place::End => format!("+ value {enum_name}.{label}"),
            Place::Before(other) => format!("+ value {enum_name}.{label} before {other}"),
        },
        // `replaced_enum` describes it, because that depends on the other changes.
        Change::ReplaceEnum { next, .. } => format!("~ enum {}", next.name),
        Change::DropEnum(ty) => format!("- enum {}", names.enum_type(&ty.name)),
        Change::RenameSequence { from, to } => format!("~ sequence {from} is renamed to {to}"),
        Change::CreateSequence(sequence) => format!("+ sequence {}", sequence.name),
        Change::AlterSequence(pair) if pair.0.ty != pair.1.ty => {
            format!("~ sequence {} counts as {}", pair.1.name, pair.1.ty)
        }
        Change::AlterSequence(pair) => format!("~ sequence {}", pair.1.name),
        Change::AlterTable { table, previous, next, .. } => altered_table(table, previous, next),
        Change::DropSequence(sequence) => format!("- sequence {}", sequence.name),
        Change::RenameTable { from, to } => format!("~ table {} is renamed to {to}", names.table(from)),
        Change::CreateTable(table) if table.row_security.enabled => format!("+ table {} with row security", table.name),
        Change::CreateTable(table) => format!("+ table {}", table.name),
        Change::DropTable(table) => format!("- table {}", names.table(&table.name)),
        Change::RenameColumn { table, from, to } => {
            format!("~ column {table}.{} is renamed to {to}", names.column(table, from))
        }
        Change::AddColumn { table, column, .. } => {
            format!("+ column {table}.{} {}", column.name, describe(column, names))
        }
        Change::AlterColumn { table, previous, next, .. } if previous.options.outdated => {
            format!("~ column {table}.{} is created again, because its expression changes its type", next.name)
        }
        Change::AlterColumn { table, previous, next, .. } => {
            format!("~ column {table}.{} from {} to {}", next.name, describe(previous, names), describe(next, names))
        }
        Change::DropColumn { table, column } => format!("- column {table}.{}", names.column(table, &column.name)),
        Change::RenameObject { table, object, to } => {
            let name = names.object(table, object.name());
            format!("~ {} {name} on {table} is renamed to {to}", object.kind())
        }
        Change::AddObject { table, object } => format!("+ {} {} on {table}", object.kind(), object.name()),
        Change::ReplaceObject { table, previous, next } => replaced(table, previous, next),
        Change::DropObject { table, object } => format!("- {} {} on {table}", object.kind(), object.name()),
        Change::CreatePolicy { table, policy } => format!("+ policy {} on {table}", policy.name),
        Change::ReplacePolicy { table, previous, next } => {
            let how = if previous == next { " is created again" } else { "" };
            format!("~ policy {} on {table}{how}", next.name)
        }
        Change::DropPolicy { table, policy } => format!("- policy {} on {}", policy.name, names.table(table)),
        Change::SetRowSecurity { table, previous, next } => {
            format!("~ row security of {table} from {} to {}", switched(*previous), switched(*next))
        }
        Change::Distribute { table, previous, next, .. } => distributed(table, previous, next),
        Change::ShowAllTenants
        | Change::OnCitus(_)
        | Change::OnPartitions(_)
        | Change::OnDomains(_)
        | Change::OnAudited(_)
        // The rename says it.
        | Change::EditAudit { .. } => String::new(),
        Change::SetAuditLog { previous: None, .. } => "+ a table of recorded changes".to_owned(),
        Change::SetAuditLog { .. } => "~ the table of recorded changes".to_owned(),
        Change::SetAudit { table, next: None, .. } => format!("- changes of {table} are no longer recorded"),
        Change::SetAudit { table, previous: None, .. } => format!("+ changes of {table} are recorded"),
        Change::SetAudit { table, .. } => format!("~ other changes of {table} are recorded"),
        // It comes back with what it is on.
        Change::SetComment { previous, next, .. } if previous == next => String::new(),
        Change::SetComment { on, previous: None, .. } => format!("+ comment on {on}"),
        Change::SetComment { on, next: None, .. } => format!("- comment on {on}"),
        Change::SetComment { on, .. } => format!("~ comment on {on}"),
        Change::Catalog(change) => catalog(change),
        Change::CreateOther(other) => format!("+ {} {}", other.kind, other.name),
        Change::ReplaceOther(pair) => {
            let how = if pair.0.create == pair.1.create { " is created again" } else { "" };
            format!("~ {} {}{how}", pair.1.kind, pair.1.name)
        }
        Change::DropOther(other) => format!("- {} {}", other.kind, other.name),
        Change::Unmigrated(unmigrated) => format!("! {unmigrated}, and is not migrated"),
    }
}

fn catalog(change: &CatalogChange) -> String {
    match change {
        CatalogChange::Create { object, again: false, .. } => format!("+ {}", object.key),
        CatalogChange::Create { object, again: true, .. } => format!("~ {} is created again", object.key),
        CatalogChange::Alter { object, .. } => format!("~ {}", object.key),
        CatalogChange::Drop { object, comes_back: false, .. } => format!("- {}", object.key),
        CatalogChange::Drop { .. } => String::new(),
        CatalogChange::Release { user, object, .. } => format!("~ {user} makes way for {object}"),
    }
}

fn distributed(table: &ObjectName, previous: &Distribution, next: &Distribution) -> String {
    let again = if previous == next { " again" } else { "" };
    match next {
        Distribution::Local => format!("~ table {table} is on the coordinator alone"),
        Distribution::Reference => format!("~ table {table} is on every server{again}"),
        Distribution::By { column, .. } => format!("~ table {table} is distributed by {column}{again}"),
    }
}

fn switched((enabled, forced): (bool, bool)) -> &'static str {
    match (enabled, forced) {
        (true, true) => "forced",
        (true, false) => "enabled",
        (false, true) => "disabled, and forced once enabled",
        (false, false) => "disabled",
    }
}

fn altered_table(table: &ObjectName, previous: &TableOptions, next: &TableOptions) -> String {
    let stored = (!previous.is_stored_like(next)).then(|| format!("~ table {table} {}", options(previous, next)));
    let is_same = previous.is_partitioned_like(next);
    let partitioned = (!is_same).then(|| format!("~ {}, by hand", repartitioned(table, previous, next)));
    stored.into_iter().chain(partitioned).collect::<Vec<_>>().join("\n")
}

fn options(previous: &TableOptions, next: &TableOptions) -> String {
    let of = |options: &TableOptions| match (options.unlogged, options.storage.is_empty()) {
        (true, true) => "unlogged".to_owned(),
        (true, false) => format!("unlogged ({})", options.storage.join(", ")),
        (false, true) => "the defaults".to_owned(),
        (false, false) => format!("({})", options.storage.join(", ")),
    };
    format!("from {} to {}", of(previous), of(next))
}

fn replaced(table: &ObjectName, previous: &TableObject, next: &TableObject) -> String {
    let how = match (previous, next) {
        _ if previous == next => " is rebuilt".to_owned(),
        (TableObject::ForeignKey(previous), TableObject::ForeignKey(next)) => changed_actions(previous, next),
        _ => String::new(),
    };
    format!("~ {} {} on {table}{how}", next.kind(), next.name())
}

/// Says which actions of a foreign key change, because they decide what a deletion deletes.
fn changed_actions(previous: &ForeignKey, next: &ForeignKey) -> String {
    let actions = [(delete_action(previous), delete_action(next)), (update_action(previous), update_action(next))];
    let changed: Vec<_> = actions.into_iter().filter(|(previous, next)| previous != next).collect();
    if changed.is_empty() {
        return String::new();
    }
    let (before, after): (Vec<_>, Vec<_>) = changed.into_iter().unzip();
    format!(" from {} to {}", before.join(" "), after.join(" "))
}

fn describe(column: &Column, names: &Temporary) -> String {
    let mut text = column.type_words();
    if let Some(collation) = &column.collation {
        text += &format!(" COLLATE {collation}");
    }
    if !column.nullable {
        text += " NOT NULL";
    }
    if let Some(sql) = &column.generated {
        text += &format!(" GENERATED ALWAYS AS ({sql}){}", if column.options.is_virtual { " VIRTUAL" } else { "" });
    }
    text += &super::options::identity(column).map(|identity| format!(" {identity}")).unwrap_or_default();
    let shown = |value: &'_ str| match &column.ty {
        DataType::Enum(name) => names.label(name, value).to_owned(),
        _ => value.to_owned(),
    };
    match &column.default {
        Some(ColumnDefault::Literal(value)) => text += &format!(" DEFAULT {}", shown(value)),
        Some(ColumnDefault::List(values)) => {
            let values: Vec<_> = values.iter().map(|value| shown(value)).collect();
            text += &format!(" DEFAULT [{}]", values.join(", "));
        }
        Some(ColumnDefault::Expression(sql)) => text += &format!(" DEFAULT {sql}"),
        Some(ColumnDefault::Sequence(_)) => text += " autoincrement",
        Some(ColumnDefault::Unmanaged) | None => {}
    }
    text
}
