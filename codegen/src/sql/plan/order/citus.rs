//! What the actions of Citus wait for.

use super::{Milestone, Needs, ready};
use crate::sql::change::TableObject;
use crate::sql::plan::action::Action;
use crate::sql::state::ObjectName;

/// Returns the milestones after which the rows of a table are where they stay.
pub(super) fn placed(table: &ObjectName) -> [Milestone; 2] {
    [Milestone::Distributed(table.clone()), Milestone::Placed(table.clone())]
}

/// Citus gives back the rows of a table before anything about it changes, and takes them once it has its columns, and
/// no key that it refuses.
pub(super) fn on_citus(needs: &mut Needs, action: &Action) {
    use Milestone as M;
    match action {
        Action::Undistribute(table) => {
            needs.waits.extend([M::Detached(table.clone()), M::OthersDropped]);
            needs.gives.extend([M::Undistributed(table.clone()), M::AllReleased]);
        }
        Action::Distribute { table, follows, .. } => {
            needs.waits.extend(ready(table));
            needs.waits.extend([
                M::Undistributed(table.clone()),
                M::Filled(table.clone()),
                M::Detached(table.clone()),
                M::Cleared(table.clone()),
                M::Trimmed(table.clone()),
                M::Counted(table.clone()),
            ]);
            needs.waits.extend(follows.iter().cloned().map(M::Distributed));
            needs.gives.push(M::Distributed(table.clone()));
        }
        Action::ClearLocalRows(table) => {
            needs.waits.push(M::Distributed(table.clone()));
            needs.gives.push(M::Placed(table.clone()));
        }
        Action::AlterColumns { table, .. }
        | Action::AddColumns { table, .. }
        | Action::SetNotNull { table, .. }
        | Action::Backfill { table, .. }
        | Action::RenameObject { table, .. } => needs.waits.push(M::Undistributed(table.clone())),
        Action::DropObject { object: TableObject::ForeignKey(_), .. } => {}
        Action::DropObject { table, .. } => needs.waits.push(M::Undistributed(table.clone())),
        Action::DropColumns { table, .. } => {
            needs.waits.push(M::Undistributed(table.clone()));
            needs.gives.push(M::Trimmed(table.clone()));
        }
        Action::AdvanceSequence { table, .. }
        | Action::AdvanceIdentity { table, .. }
        | Action::DropIdentity { table, .. }
        | Action::DropDefault { table, .. }
        | Action::OwnSequence { table, .. } => {
            needs.waits.push(M::Undistributed(table.clone()));
            needs.gives.push(M::Counted(table.clone()));
        }
        _ => {}
    }
}
