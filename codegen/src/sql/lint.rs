//! Findings about the steps of a plan, for the review of a migration.
//!
//! Takes steps and returns findings with codes. `probe` has the queries with which a live database shows whether it is
//! affected. Reads no SQL: that is the task of the command.

use super::cast::Work;
use super::change::{CatalogChange, Place, TableObject};
use super::codes::{self, Lint};
use super::plan::{Action, Alteration, Lock, Step};
use super::probe::Probe;
use super::quote::qualified;
use super::state::{Column, ForeignKey, Index, IndexTarget, ObjectName, Other, OtherKind, State, Table};

/// One finding about one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The kind of finding.
    pub lint: &'static Lint,
    /// What happens, and to which object.
    pub text: String,
    /// The query that shows whether a database is affected.
    pub probe: Option<Probe>,
}

impl Finding {
    /// Creates a finding without a probe.
    pub fn new(lint: &'static Lint, text: impl Into<String>) -> Self {
        Self { lint, text: text.into(), probe: None }
    }
}

/// Returns the findings about a step: its hazards, its cost, and its consequences.
pub fn lint_step(step: &Step) -> Vec<Finding> {
    let hazards = step.hazards.iter().map(|hazard| Finding {
        lint: hazard.lint,
        text: hazard.text.clone(),
        probe: hazard.probe.clone(),
    });
    hazards.chain(cost(step)).chain(consequences(step)).collect()
}

/// Returns the finding about a foreign key without an index.
pub fn lint_foreign_key(step: &Step, next: &State) -> Option<Finding> {
    let Action::AddObject { table, object: TableObject::ForeignKey(key), .. } = &step.action else { return None };
    if next.table(table).is_none_or(|it| is_indexed(it, key)) {
        return None;
    }
    let text = format!("no index starts with {table} ({})", key.columns.join(", "));
    let probe = Probe::Unindexed { table: qualified(table), columns: key.columns.clone() };
    Some(Finding { probe: Some(probe), ..Finding::new(codes::Q503, text) })
}

fn is_indexed(table: &Table, key: &ForeignKey) -> bool {
    let begins = |columns: Vec<&str>| {
        columns.get(..key.columns.len()).is_some_and(|first| key.columns.iter().all(|it| first.contains(&it.as_str())))
    };
    let names = |columns: &'_ [String]| begins(columns.iter().map(String::as_str).collect());
    table.primary_key.as_ref().is_some_and(|it| names(&it.columns))
        || table.uniques.iter().any(|it| names(&it.columns))
        || table.indexes.iter().any(|it| begins(first_columns(it)))
}

/// Returns the columns before the first expression. A partial index counts, because its author knows which rows are
/// searched.
fn first_columns(index: &Index) -> Vec<&str> {
    let columns = index.parts.iter().map_while(|part| match &part.target {
        IndexTarget::Column(name) => Some(name.as_str()),
        IndexTarget::Expression(_) => None,
    });
    columns.collect()
}

/// Returns the finding about a step that takes long or blocks others.
pub(super) fn cost(step: &Step) -> Option<Finding> {
    let who_waits = match step.lock {
        Lock::None | Lock::ShareUpdateExclusive | Lock::RowExclusive => "",
        Lock::Share | Lock::ShareRowExclusive => ", and blocks writes in the meantime",
        Lock::AccessExclusive => ", and blocks reads and writes in the meantime",
    };
    let text = match (step.work, step.lock) {
        (Work::None, _) => {
            return match &step.action {
                Action::DropObject { object: TableObject::Index(_), .. } => Some(Finding::new(
                    if step.is_partitioned { codes::L317 } else { codes::L302 },
                    "Waits for all transactions on the table, and blocks new ones in the meantime",
                )),
                _ => None,
            };
        }
        (Work::Scan, _) => format!("Reads the whole table{who_waits}"),
        (Work::Rewrite, _) if matches!(step.action, Action::Distribute { .. } | Action::Undistribute(_)) => {
            format!("Copies the whole table{who_waits}")
        }
        (Work::Rewrite, Lock::RowExclusive) => "Writes every row that it matches".to_owned(),
        (Work::Rewrite, _) => format!("Rewrites the whole table{who_waits}"),
    };
    Some(Finding::new(cost_code(step)?, text))
}

/// Returns `None` for long work under a weak lock.
fn cost_code(step: &Step) -> Option<&'static Lint> {
    Some(match &step.action {
        Action::AddObject { object, .. } if step.is_partitioned && !matches!(object, TableObject::Check(_)) => {
            codes::L317
        }
        Action::AddObject { object, .. } => match object {
            TableObject::Index(_) => codes::L301,
            TableObject::PrimaryKey(_) | TableObject::Unique(_) => codes::L304,
            TableObject::Check(_) => codes::L308,
            TableObject::Exclusion(_) => codes::L316,
            TableObject::ForeignKey(_) => codes::L309,
        },
        Action::AlterColumns { alterations, .. } if alterations.iter().any(|it| it.retyped) => codes::L305,
        Action::AlterColumns { .. } | Action::SetNotNull { .. } => codes::L307,
        Action::AddColumns { .. } => codes::L306,
        Action::Backfill { .. } => codes::L313,
        Action::Distribute { .. } | Action::Undistribute(_) => codes::L315,
        _ => return None,
    })
}

/// Returns the findings about clients and about constraints.
fn consequences(step: &Step) -> Vec<Finding> {
    match &step.action {
        Action::DropSequence(name) => {
            vec![Finding::new(codes::D109, format!("sequence {name} is dropped, and its current number is lost"))]
        }
        Action::DropOther(Other { kind: OtherKind::Sequence, name, .. }) => {
            vec![Finding::new(codes::D109, format!("sequence {name} is dropped, and its current number is lost"))]
        }
        Action::Catalog(CatalogChange::Drop { object, comes_back: false, .. }) if object.key.kind == "sequence" => {
            vec![Finding::new(codes::D109, format!("{} is dropped, and its current number is lost", object.key))]
        }
        Action::AddLabel { enum_name, label, place } => {
            let mut found =
                vec![Finding::new(codes::C402, format!("existing clients do not know the value {enum_name}.{label}"))];
            if let Place::Before(other) = place {
                let text =
                    format!("{enum_name}.{label} sorts before {other}: rows that are ordered by it change their order");
                found.push(Finding::new(codes::C404, text));
            }
            found
        }
        Action::AlterColumns { table, alterations } => altered(table, alterations.iter()),
        Action::FillShadowColumns { table, columns } => altered(table, columns.iter().map(|shadow| &shadow.alteration)),
        Action::DropColumns { table, columns } => {
            let name = |column: &'_ Column| step.names.column(table, &column.name).to_owned();
            columns.iter().map(|column| dependents(table, &name(column), "is dropped")).collect()
        }
        Action::DropObject { table, object: TableObject::ForeignKey(key) } => {
            let text = format!("{table} ({}) may reference rows that do not exist", key.columns.join(", "));
            vec![Finding::new(codes::C403, text)]
        }
        Action::SetRowSecurity { table, previous: (true, forced), next: (false, _) } => {
            let text = match forced {
                true => format!("{table} shows the rows of all tenants to every session"),
                false => format!("{table} shows all of its rows, unless it has other policies"),
            };
            vec![Finding::new(codes::C406, text)]
        }
        Action::DropTable(table) => locked_parents(table, step.names.table(&table.name)),
        _ => Vec::new(),
    }
}

fn altered<'a>(table: &ObjectName, alterations: impl Iterator<Item = &'a Alteration> + Clone) -> Vec<Finding> {
    let relaxed = alterations.clone().filter(|it| !it.previous.nullable && it.next.nullable);
    let text = |column: &Column| format!("existing clients do not expect NULL in {table}.{}", column.name);
    let relaxed = relaxed.map(|it| Finding::new(codes::C402, text(&it.next)));
    let retyped = alterations.filter(|it| it.retyped);
    relaxed.chain(retyped.map(|it| dependents(table, &it.next.name, "changes its type"))).collect()
}

/// Only a database knows whether the column has dependents.
fn dependents(table: &ObjectName, column: &str, what: &str) -> Finding {
    Finding {
        lint: codes::F208,
        text: format!("{table}.{column} {what}: fails if a view, a policy, a trigger or a generated column uses it"),
        probe: Some(Probe::Dependents { table: qualified(table), column: column.to_owned(), dropped: Vec::new() }),
    }
}

fn locked_parents(table: &Table, name: &ObjectName) -> Vec<Finding> {
    let others = table.foreign_keys.iter().filter(|key| key.referenced_table != table.name);
    let text = |parent| format!("dropping {name} also locks {parent}, which it references");
    others.map(|key| Finding::new(codes::L314, text(&key.referenced_table))).collect()
}
