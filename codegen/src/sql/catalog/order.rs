//! When a change of an object can run, in terms of what it gives and what it waits for.

use crate::sql::change::CatalogChange;
use crate::sql::state::{CatalogObject, Nature, Need, ObjectKey, ObjectName, User};

/// What a change of an object gives to others, or waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sql) enum Event {
    /// An object exists in its new form.
    Made(ObjectKey),
    /// An object is dropped.
    Gone(ObjectKey),
    /// Nothing needs the object any more.
    Free(ObjectKey),
    /// The objects that a table needs exist.
    Served(ObjectName),
    /// A table has a policy.
    Secured(ObjectName),
    /// Schemas exist.
    Spaces,
    /// What has to make way for changes of tables has done so.
    Cleared,
    /// A table, an enum or a sequence is no longer needed.
    Released(ObjectName),
    /// No object needs an extension any more.
    Unextended,
    /// A table exists, and has its columns.
    Shaped(ObjectName),
    /// A table has its keys.
    Keyed(ObjectName),
    /// An enum or a sequence exists.
    Exists(ObjectName),
    /// The foreign keys of a table that are dropped are gone.
    Detached(ObjectName),
    /// Extended statistics and sequences without a column exist.
    OthersMade,
    /// A table no longer has what it loses.
    Trimmed(ObjectName),
    /// A table no longer has the columns that it loses.
    Narrowed(ObjectName),
}

/// What a change gives and waits for.
#[derive(Debug, Default)]
pub(in crate::sql) struct Events {
    pub(in crate::sql) gives: Vec<Event>,
    pub(in crate::sql) waits: Vec<Event>,
}

/// Returns what a change gives and waits for.
pub(in crate::sql) fn events(change: &CatalogChange) -> Events {
    let mut events = Events::default();
    match change {
        CatalogChange::Create { object, serves, .. } => {
            events.waits.push(Event::Gone(object.key.clone()));
            // What reads all columns must not read one that is about to be dropped.
            events.waits.extend(object.needs.iter().filter_map(Need::table).cloned().map(Event::Narrowed));
            makes(&mut events, object, serves.iter());
        }
        CatalogChange::Alter { object, serves, releases, after, .. } => {
            events.waits.extend(after.iter().cloned().map(Event::Trimmed));
            makes(&mut events, object, serves.iter());
            events.gives.extend(releases.iter().flat_map(released));
        }
        CatalogChange::Drop { object, after, .. } => {
            events.gives.push(Event::Gone(object.key.clone()));
            events.waits.push(Event::Free(object.key.clone()));
            events.gives.extend(object.needs.iter().chain(&object.owner).flat_map(released));
            events.waits.extend(after.iter().cloned().map(Event::Trimmed));
            if object.key.kind == "partition" {
                // A detached partition would keep the foreign keys of its table.
                let tables = object.needs.iter().chain(&object.owner).filter_map(Need::table);
                events.waits.extend(tables.cloned().map(Event::Detached));
            }
            if after.is_empty() && object.nature != Nature::Space {
                events.gives.push(Event::Cleared);
            }
        }
        CatalogChange::Release { user, object, .. } => {
            events.gives.extend([Event::Free(object.clone()), Event::Cleared]);
            // An index goes before a constraint that needs it could not.
            if let User::Constraint(table, _) = user {
                events.gives.push(Event::Released(table.clone()));
            }
        }
    }
    events
}

fn makes<'a>(events: &mut Events, object: &CatalogObject, serves: impl Iterator<Item = &'a ObjectName>) {
    events.gives.push(Event::Made(object.key.clone()));
    events.gives.extend(serves.cloned().map(Event::Served));
    if object.key.kind == "policy" {
        let table = object.owner.as_ref().and_then(Need::table);
        events.gives.extend(table.cloned().map(Event::Secured));
    }
    if object.nature == Nature::Space {
        events.gives.push(Event::Spaces);
        return;
    }
    for need in object.needs.iter().chain(&object.owner) {
        events.waits.extend(match need {
            Need::Object(key) => vec![Event::Made(key.clone())],
            Need::Table(table) | Need::Column(table, _) => vec![Event::Shaped(table.clone())],
            Need::Part(table, _) => {
                vec![Event::Shaped(table.clone()), Event::Keyed(table.clone()), Event::OthersMade]
            }
            Need::Enum(name) | Need::Sequence(name) => vec![Event::Exists(name.clone())],
            Need::Extension(_) => Vec::new(),
        });
    }
}

fn released(need: &Need) -> Vec<Event> {
    match need {
        Need::Object(key) => vec![Event::Free(key.clone())],
        Need::Table(name) | Need::Column(name, _) | Need::Part(name, _) | Need::Enum(name) | Need::Sequence(name) => {
            vec![Event::Released(name.clone())]
        }
        Need::Extension(_) => vec![Event::Unextended],
    }
}

/// Returns whether it runs before anything is renamed.
pub(in crate::sql) fn is_first(change: &CatalogChange) -> bool {
    match change {
        CatalogChange::Drop { object, after, .. } => after.is_empty() && object.nature != Nature::Space,
        CatalogChange::Release { .. } => true,
        CatalogChange::Create { object, .. } => object.nature == Nature::Space,
        CatalogChange::Alter { .. } => false,
    }
}

/// Returns the preferred place among the phases of a plan.
pub(in crate::sql) fn phase(change: &CatalogChange) -> u8 {
    match change {
        CatalogChange::Release { .. } => 0,
        CatalogChange::Drop { object, after, .. } => match object.nature {
            Nature::Space => 40,
            _ if after.is_empty() => 0,
            _ => 19,
        },
        CatalogChange::Create { object, .. } | CatalogChange::Alter { object, .. } => match object.nature {
            Nature::Space => 0,
            Nature::Base => 6,
            Nature::View => 22,
            Nature::Part => 23,
            Nature::Guard => 24,
            Nature::Note => 25,
        },
    }
}
