//! Renders plans as migration.sql, and changes as a summary.

mod audit;
mod batches;
mod belongings;
mod citus;
mod options;
mod row_security;
mod shadow;
mod statement;
mod summary;

pub use shadow::SYNC_TRIGGER;
pub(super) use statement::statement;
pub use summary::summary;

use super::cast::Work;
use super::lint::cost;
use super::plan::{Action, HazardKind, Lock, Plan, Step, Transaction};

/// The line that starts a segment of a migration that runs in one transaction.
pub const SEGMENT_TRANSACTIONAL: &str = "-- relata:segment transactional";
/// The line that starts a segment of a migration whose statements run outside of transactions.
pub const SEGMENT_OUTSIDE: &str = "-- relata:segment outside";

impl Step {
    /// Returns its SQL, without a semicolon.
    pub fn sql(&self) -> String {
        statement(&self.action)
    }
}

/// Returns the text of migration.sql: the hazards as a header, then the statements. Without a segment marker, all of it
/// is one transaction. Empty for an empty plan.
pub fn render(plan: &Plan) -> String {
    let segments = segments(&plan.steps);
    let mut text = header(plan, segments.len() > 1);
    for (is_outside, steps) in &segments {
        if segments.len() > 1 || *is_outside {
            text += if *is_outside { SEGMENT_OUTSIDE } else { SEGMENT_TRANSACTIONAL };
            text += "\n\n";
        }
        for step in *steps {
            if let Some(note) = note(step) {
                text += &format!("-- {note}\n");
            }
            text += &statement(&step.action);
            text += ";\n\n";
        }
    }
    text.truncate(text.trim_end().len());
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

fn header(plan: &Plan, in_parts: bool) -> String {
    let mut text = String::new();
    if !plan.unmigrated.is_empty() {
        text += "-- Differences that this does not migrate:\n";
        for it in &plan.unmigrated {
            text += &format!("--   {}\n", one_line(&it.to_string()));
        }
    }
    let may_fail = if in_parts {
        "May fail and stop there; the next deploy resumes once the rows are valid:"
    } else {
        "May fail, without changing anything:"
    };
    let titles = [
        (HazardKind::DataLoss, "Loses data:"),
        (HazardKind::MayFail, may_fail),
        (HazardKind::BreaksClients, "Breaks existing clients:"),
    ];
    for (kind, title) in titles {
        let hazards: Vec<_> = plan.hazards().filter(|hazard| hazard.kind == kind).collect();
        if !hazards.is_empty() {
            text += &format!("-- {title}\n");
            for hazard in hazards {
                text += &format!("--   {} {}\n", hazard.lint.code, one_line(&hazard.text));
            }
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// A name can contain a line break, but a comment cannot.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// Returns runs of steps that share a transaction, or are outside of transactions.
fn segments(steps: &[Step]) -> Vec<(bool, &[Step])> {
    let mut segments = Vec::new();
    let mut start = 0;
    for (index, step) in steps.iter().enumerate() {
        let is_outside = step.transaction == Transaction::Outside;
        let ends = match steps.get(index + 1) {
            None => true,
            Some(next) => {
                step.transaction == Transaction::BoundaryAfter
                    || is_outside != (next.transaction == Transaction::Outside)
            }
        };
        if ends {
            segments.push((is_outside, &steps[start..=index]));
            start = index + 1;
        }
    }
    segments
}

/// Returns the comment above a statement: its lock and its work on existing tables, with a code if others wait for
/// long, and the purpose of a long statement.
fn note(step: &Step) -> Option<String> {
    let purpose = match &step.action {
        Action::Guard(_) => {
            return Some("Fails if objects that this migration does not create again depend on the columns".to_owned());
        }
        Action::GuardUnique(_) => {
            return Some(
                "Reads the whole table. Fails if values that differ become equal under a unique key".to_owned(),
            );
        }
        Action::CreateSyncFunction { .. } => {
            return Some("From now on, each written row also sets the shadow columns".to_owned());
        }
        Action::FillShadowColumns { .. } => ". Can be interrupted and run again",
        Action::Cutover { .. } => ": the shadow columns replace the old ones",
        _ => "",
    };
    let work = match step.work {
        Work::None => "immediate",
        Work::Scan => "reads the whole table",
        Work::Rewrite => "writes its rows",
    };
    match cost(step) {
        Some(finding) => Some(format!("{}: {} ({})", finding.lint.code, finding.text, step.lock)),
        None if step.lock == Lock::None && step.work == Work::None => None,
        None => Some(format!("{}, {work}{purpose}", step.lock)),
    }
}
