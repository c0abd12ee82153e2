//! The SQL of properties that Prisma's language does not have: options of keys, checks, tables and sequences.

use super::super::index_text::storage;
use crate::sql::quote::{ident, ident_list, qualified};
use crate::sql::state::{Column, ConstraintOptions, Deferrable, Identity, SequenceOptions, TableOptions};

/// Returns `UNIQUE NULLS NOT DISTINCT ("a") INCLUDE ("b") WITH (fillfactor=70) DEFERRABLE`.
pub(super) fn key(kind: &str, columns: &[String], options: &ConstraintOptions) -> String {
    let nulls = if options.nulls_not_distinct { " NULLS NOT DISTINCT" } else { "" };
    let columns = key_columns(columns, "", " WITHOUT OVERLAPS", options);
    let include = match options.include.as_slice() {
        [] => String::new(),
        include => format!(" INCLUDE ({})", ident_list(include)),
    };
    let storage = storage(&options.storage);
    format!("{kind}{nulls} ({columns}){include}{storage}{}", deferrable(options.deferrable))
}

/// Returns the columns. If the last one is a period, `before` and `after` enclose it.
pub(super) fn key_columns(columns: &[String], before: &str, after: &str, options: &ConstraintOptions) -> String {
    match columns.split_last() {
        Some((period, rest)) if options.period => {
            let rest: String = rest.iter().map(|column| format!("{}, ", ident(column))).collect();
            format!("{rest}{before}{}{after}", ident(period))
        }
        _ => ident_list(columns),
    }
}

pub(super) fn of_check(options: &ConstraintOptions) -> String {
    let no_inherit = if options.no_inherit { " NO INHERIT" } else { "" };
    format!("{no_inherit}{}", at_the_end(options))
}

/// Returns when it is checked, and for which rows.
pub(super) fn at_the_end(options: &ConstraintOptions) -> String {
    let enforced = if options.not_enforced { " NOT ENFORCED" } else { "" };
    // A constraint that is not enforced is never valid.
    let valid = if options.not_valid && !options.not_enforced { " NOT VALID" } else { "" };
    format!("{}{enforced}{valid}", deferrable(options.deferrable))
}

pub(super) fn deferrable(deferrable: Option<Deferrable>) -> &'static str {
    match deferrable {
        None => "",
        Some(Deferrable::InitiallyImmediate) => " DEFERRABLE",
        Some(Deferrable::InitiallyDeferred) => " DEFERRABLE INITIALLY DEFERRED",
    }
}

/// Returns the clause before the constraints of a new partition.
pub(super) fn partition_of(options: &TableOptions) -> String {
    let parents: Vec<_> = options.inherits.iter().map(qualified).collect();
    format!(" PARTITION OF {}", parents.join(", "))
}

/// Returns the clauses after the columns of a new table.
pub(super) fn of_table(options: &TableOptions) -> String {
    let parents: Vec<_> = options.inherits.iter().map(qualified).collect();
    let inherits = if let Some(bound) = &options.partition_bound {
        format!(" {bound}")
    } else if parents.is_empty() {
        String::new()
    } else {
        format!(" INHERITS ({})", parents.join(", "))
    };
    let partition = options.partition_by.as_ref().map(|by| format!(" PARTITION BY {by}")).unwrap_or_default();
    format!("{inherits}{partition}{}", storage(&options.storage))
}

/// Returns the actions of `ALTER TABLE`.
pub(super) fn table_commands(previous: &TableOptions, next: &TableOptions) -> Vec<String> {
    let mut commands = Vec::new();
    if previous.unlogged != next.unlogged {
        commands.push(if next.unlogged { "SET UNLOGGED" } else { "SET LOGGED" }.to_owned());
    }
    let name = |parameter: &String| parameter.split('=').next().unwrap_or_default().to_owned();
    let is_set = |parameter: &String| next.storage.iter().any(|other| name(other) == name(parameter));
    let removed: Vec<_> = previous.storage.iter().filter(|it| !is_set(it)).map(name).collect();
    if !removed.is_empty() {
        commands.push(format!("RESET ({})", removed.join(", ")));
    }
    let set: Vec<_> = next.storage.iter().filter(|it| !previous.storage.contains(it)).cloned().collect();
    if !set.is_empty() {
        commands.push(format!("SET ({})", set.join(", ")));
    }
    commands
}

/// Returns `GENERATED ALWAYS AS IDENTITY (START WITH 100)`; `None` if it is not an identity column.
pub(super) fn identity(column: &Column) -> Option<String> {
    let word = match column.identity? {
        Identity::Always => "ALWAYS",
        Identity::ByDefault => "BY DEFAULT",
    };
    let clauses = clauses(&column.options.counts);
    let clauses = if clauses.is_empty() { String::new() } else { format!(" ({})", clauses.join(" ")) };
    Some(format!("GENERATED {word} AS IDENTITY{clauses}"))
}

/// Returns the first value of a sequence that continues after the values of a column.
pub(super) fn next_value(column: &str, options: &SequenceOptions) -> String {
    match (options.start, options.increment < 0) {
        (None, false) if options.min.is_none() => format!("COALESCE(max({column}), 0) + 1"),
        (start, false) => {
            let first = start.or(options.min).unwrap_or(1);
            format!("GREATEST(max({column}) + 1, {first})")
        }
        (start, true) => {
            let first = start.or(options.max).unwrap_or(-1);
            format!("LEAST(min({column}) - 1, {first})")
        }
    }
}

/// Returns the clauses of a sequence that differ from PostgreSQL's defaults.
pub(super) fn clauses(options: &SequenceOptions) -> Vec<String> {
    let usual = all_clauses(&SequenceOptions { start: options.start, ..SequenceOptions::default() });
    let start = options.start.map(|start| format!("START WITH {start}"));
    let is_written = |clause: &String| !usual.contains(clause) && !clause.starts_with("START");
    start.into_iter().chain(all_clauses(options).into_iter().filter(is_written)).collect()
}

pub(super) const RESTART: &str = "RESTART";

fn least(options: &SequenceOptions) -> i64 {
    options.min.unwrap_or(if options.increment < 0 { i64::MIN } else { 1 })
}

fn largest(options: &SequenceOptions) -> i64 {
    options.max.unwrap_or(if options.increment < 0 { -1 } else { i64::MAX })
}

/// Returns the new bounds if a value that the old ones allow may be outside of them, so that the sequence has to start
/// again.
pub(super) fn narrowed(previous: &SequenceOptions, next: &SequenceOptions) -> Option<(i64, i64)> {
    let overlaps = largest(previous) >= least(next) && largest(next) >= least(previous);
    let is_narrower = least(next) > least(previous) || largest(next) < largest(previous);
    (overlaps && is_narrower).then(|| (least(next), largest(next)))
}

/// Returns the first value of a sequence.
pub(super) fn first(options: &SequenceOptions) -> i64 {
    options.start.unwrap_or(if options.increment < 0 { largest(options) } else { least(options) })
}

/// Returns the first value of a sequence with the next options, as near as the previous bounds allow.
pub(super) fn first_in_both(previous: &SequenceOptions, next: &SequenceOptions) -> i64 {
    first(next).max(least(previous)).min(largest(previous))
}

/// Returns the clauses that change the options of a sequence. A sequence whose value is outside of its new bounds
/// starts again.
pub(super) fn changed(previous: &SequenceOptions, next: &SequenceOptions) -> Vec<String> {
    let is_outside = largest(previous) < least(next) || largest(next) < least(previous);
    // If the type changes too, PostgreSQL resets `NO` to the bound of the type, whatever the direction.
    let (min, max) = if next.increment < 0 { (None, Some(-1)) } else { (Some(1), None) };
    let mut clauses = all_clauses(&SequenceOptions { min: next.min.or(min), max: next.max.or(max), ..next.clone() });
    clauses.extend(is_outside.then(|| RESTART.to_owned()));
    clauses
}

/// Returns all clauses of a sequence.
fn all_clauses(options: &SequenceOptions) -> Vec<String> {
    let bound = |word: &str, bound: Option<i64>| match bound {
        Some(bound) => format!("{word} {bound}"),
        None => format!("NO {word}"),
    };
    let first = if options.increment < 0 { options.max.unwrap_or(-1) } else { options.min.unwrap_or(1) };
    vec![
        format!("INCREMENT BY {}", options.increment),
        bound("MINVALUE", options.min),
        bound("MAXVALUE", options.max),
        format!("START WITH {}", options.start.unwrap_or(first)),
        format!("CACHE {}", options.cache),
        if options.cycle { "CYCLE" } else { "NO CYCLE" }.to_owned(),
    ]
}
