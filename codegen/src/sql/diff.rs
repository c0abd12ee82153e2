//! Takes two states and gives the changes between them.
//!
//! First the renames that were said are applied to a copy of the previous state; from then on a
//! name is an identity, and the rest is comparison. A rename that was not said but is probable is a
//! question, never a guess. What the schema language cannot say is never dropped.

mod apply;
mod columns;
mod definitions;
mod enums;
mod guess;
mod hints;
mod objects;
mod others;
mod renames;
mod sequences;
mod tables;

use std::fmt;

use super::change::Change;
use super::data_type::DataType;
use super::intent::Intent;
use super::language::said;
use super::normalize::Origin;
use super::state::{ColumnDefault, Extension, Index, ObjectName, State};

pub use guess::name_likeness;
pub use renames::Rename;
use renames::{Asides, Open, Place, is_join_table};

/// The two ends of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair<T> {
    /// The state before.
    pub previous: T,
    /// The state after.
    pub next: T,
}

/// One end of a comparison.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The state.
    pub state: &'a State,
    /// What its schema says beyond it; none if the state comes from a database.
    pub intent: Option<&'a Intent>,
}

/// What a caller decides about a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct DiffOptions {
    /// Renames from the command line.
    pub renames: Vec<Rename>,
    /// Take all probable renames for what they look like in the states: drops and additions.
    pub accept_drops: bool,
    /// Probable renames that were asked about and are none.
    pub declined: Vec<Rename>,
    /// The schema of names without one.
    pub default_schema: String,
}

impl Default for DiffOptions {
    fn default() -> Self {
        Self { renames: Vec::new(), accept_drops: false, declined: Vec::new(), default_schema: "public".to_owned() }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiffError {
    /// There are probable renames without a decision.
    ProbableRenames(Vec<ProbableRename>),
    /// `--rename` names nothing that is there.
    UnknownRename(Rename),
    /// An attribute cannot be followed, and what it may mean would be lost.
    UnappliedRenames(Vec<UnappliedRename>),
}

/// An attribute with a rename that cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnappliedRename {
    /// The attribute and its place: `@renamedFrom("name") at User.fullName`.
    pub attribute: String,
    /// Why not.
    pub reason: String,
}

/// A drop and an addition that look like a rename, and the two ways to say that it is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbableRename {
    /// `table`, `column`, `enum` or `value`.
    pub kind: &'static str,
    /// What would be dropped: `users.name`.
    pub from: String,
    /// What would be added: `users.full_name`.
    pub to: String,
    /// What to write into the schema, and where; none if it is there, and a database does not tell whether it is done.
    pub attribute: Option<String>,
    /// What says the same on the command line.
    pub rename: Rename,
}

impl ProbableRename {
    /// The option for the command line, in quotes where a shell would need them.
    pub fn flag(&self) -> String {
        let text = self.rename.to_string();
        let is_plain = text.chars().all(|letter| letter.is_ascii_alphanumeric() || "_.:-".contains(letter));
        if is_plain { format!("--rename {text}") } else { format!("--rename '{}'", text.replace('\'', "'\\''")) }
    }
}

impl fmt::Display for DiffError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DiffError::ProbableRenames(renames) => {
                f.write_str("this looks like a rename; as a drop and an addition, it would lose data")?;
                for rename in renames {
                    write!(f, "\n  {} {} -> {}", rename.kind, rename.from, rename.to)?;
                    match &rename.attribute {
                        Some(attribute) => write!(f, "\n    write {attribute}, or pass {}", rename.flag())?,
                        None => write!(
                            f,
                            "\n    the schema has it, but the database does not show whether it was applied: if not, pass {}",
                            rename.flag()
                        )?,
                    }
                }
                Ok(())
            }
            DiffError::UnknownRename(rename) => write!(
                f,
                "--rename {rename} does not name a possible rename: {} must be a table, table.column, enum or enum.value that exists before, and {} one that exists afterwards",
                rename.from, rename.to
            ),
            DiffError::UnappliedRenames(renames) => {
                f.write_str("a rename cannot be applied; without it, data would be lost")?;
                for UnappliedRename { attribute, reason } in renames {
                    write!(f, "\n  {attribute}: {reason}")?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for DiffError {}

/// What has to change for `previous` to become `next`.
///
/// # Errors
///
/// If there are probable renames without a decision, or a specified rename does not apply.
pub fn diff(pair: Pair<Side<'_>>, options: &DiffOptions) -> Result<Vec<Change>, DiffError> {
    let schema = default_schema(pair, options);
    let mut previous = in_schema(pair.previous.state, schema);
    let mut next = in_schema(pair.next.state, schema);
    // What the language cannot say is no difference between a database and a schema.
    match (pair.previous.intent.is_some(), pair.next.intent.is_some()) {
        (false, true) => {
            previous = said(&previous).0;
            accept_join_tables(&previous, &mut next);
        }
        (true, false) => {
            next = said(&next).0;
            accept_join_tables(&next, &mut previous);
        }
        _ => {}
    }
    let previous_intent = pair.previous.intent.map(|intent| intent_in_schema(intent, schema));
    let next_intent = pair.next.intent.map(|intent| intent_in_schema(intent, schema)).unwrap_or_default();
    let cx = DiffCx {
        next: &next,
        intent: &next_intent,
        origin: match (pair.previous.intent, pair.next.intent) {
            (Some(_), Some(_)) => Origin::Schemas,
            (None, None) => Origin::Catalogs,
            _ => Origin::Printed,
        },
        previous_is_database: pair.previous.intent.is_none(),
        next_is_database: pair.next.intent.is_none(),
    };

    let mut renames = renames::resolve(&cx, &previous, previous_intent.as_ref(), options)?;
    let open = std::mem::take(&mut renames.open);
    let (mut changes, asides) = renames::apply(&mut previous, renames);
    if !options.accept_drops {
        ask(&cx, &previous, open, &asides, options)?;
    }
    diff_schemas(&cx, &previous, &options.default_schema, &mut changes);
    let replaced = enums::diff_enums(&cx, &previous, &mut changes);
    sequences::diff_sequences(&cx, &mut previous, &mut changes);
    tables::diff_tables(&cx, &previous, &replaced, &mut changes);
    others::diff_others(&cx, &previous, &mut changes);
    if cx.origin == Origin::Catalogs {
        definitions::diff_definitions(&previous, &next, &mut changes);
    }
    Ok(changes)
}

/// Prisma gave its join tables a unique index before it gave them a primary key. A database that has one keeps it.
fn accept_join_tables(database: &State, schema: &mut State) {
    for table in schema.tables.iter_mut().filter(|table| is_join_table(table)) {
        let Some(there) = database.table(&table.name).filter(|there| there.primary_key.is_none()) else { continue };
        let serves = |index: &&Index| index.unique && index.is_plain() && index.columns().eq(["A", "B"]);
        // A model says such an index itself.
        let is_said = table.indexes.iter().any(|index| serves(&index));
        if let Some(index) = there.indexes.iter().find(serves).filter(|_| !is_said) {
            table.primary_key = None;
            table.indexes.push(index.clone());
        }
    }
}

/// Nothing is lost without a word: what looks like a rename, and what was said to be one and cannot be followed.
fn ask(cx: &DiffCx<'_>, previous: &State, open: Open, asides: &Asides, options: &DiffOptions) -> Result<(), DiffError> {
    let mut probable = open.questions;
    for guess in guess::probable_renames(cx, previous, asides) {
        if !probable.iter().any(|other| other.rename == guess.rename) {
            probable.push(guess);
        }
    }
    probable.retain(|probable| !options.declined.contains(&probable.rename));
    if !probable.is_empty() {
        return Err(DiffError::ProbableRenames(probable));
    }
    let taken = |(attribute, from): (String, String)| UnappliedRename {
        attribute,
        reason: format!("{from} is already renamed to another name; keep the attribute on one of them"),
    };
    let mut unapplied: Vec<_> = open.conflicts.into_iter().map(taken).collect();
    for (place, attribute) in open.unknown {
        let gone = gone(cx, previous, &place);
        if !gone.is_empty() {
            let reason = format!(
                "nothing had this name, and {} would be dropped; correct the name, or remove the attribute",
                gone.join(", ")
            );
            unapplied.push(UnappliedRename { attribute, reason });
        }
    }
    if unapplied.is_empty() { Ok(()) } else { Err(DiffError::UnappliedRenames(unapplied)) }
}

/// What goes from there.
fn gone(cx: &DiffCx<'_>, previous: &State, place: &Place) -> Vec<String> {
    match place {
        Place::Tables => {
            let gone = previous.tables.iter().filter(|old| cx.next.table(&old.name).is_none());
            gone.map(|table| table.name.to_string()).collect()
        }
        Place::Enums => {
            let gone = previous.enums.iter().filter(|old| cx.next.enum_type(&old.name).is_none());
            gone.map(|ty| ty.name.to_string()).collect()
        }
        Place::Columns(table) => {
            let (Some(old), Some(new)) = (previous.table(table), cx.next.table(table)) else { return Vec::new() };
            let gone = old.columns.iter().filter(|column| new.column(&column.name).is_none());
            gone.map(|column| format!("{table}.{}", column.name)).collect()
        }
        Place::Labels(name) => {
            let (Some(old), Some(new)) = (previous.enum_type(name), cx.next.enum_type(name)) else { return Vec::new() };
            let gone = old.labels.iter().filter(|label| !new.labels.contains(label));
            gone.map(|label| format!("{name}.{label}")).collect()
        }
    }
}

/// What all parts of a comparison need to know.
struct DiffCx<'a> {
    next: &'a State,
    intent: &'a Intent,
    origin: Origin,
    /// What hands may have made there stays.
    previous_is_database: bool,
    next_is_database: bool,
}

/// Schemas are created, never dropped: their other objects are unknown.
fn diff_schemas(cx: &DiffCx<'_>, previous: &State, default_schema: &str, changes: &mut Vec<Change>) {
    let is_new = |schema: &&String| !previous.schemas.contains(schema) && *schema != default_schema;
    changes.extend(cx.next.schemas.iter().filter(is_new).cloned().map(Change::CreateSchema));
    for extension in &cx.next.extensions {
        match previous.extensions.iter().find(|other| other.name == extension.name) {
            None => changes.push(Change::CreateExtension(extension.clone())),
            Some(other) => {
                let moved = extension.schema.is_some() && other.schema.is_some() && extension.schema != other.schema;
                let updated = extension.version.is_some() && extension.version != other.version;
                if moved || updated {
                    changes.push(Change::AlterExtension(Box::new((other.clone(), extension.clone()))));
                }
            }
        }
    }
    if !cx.previous_is_database {
        let is_gone = |old: &&Extension| cx.next.extensions.iter().all(|new| new.name != old.name);
        changes.extend(previous.extensions.iter().filter(is_gone).cloned().map(Change::DropExtension));
    }
}

/// The name of the default schema on both sides: none, unless one of them names it.
fn default_schema<'o>(pair: Pair<Side<'_>>, options: &'o DiffOptions) -> Option<&'o str> {
    let says = |state: &State| {
        let names = state.tables.iter().map(|table| &table.name).chain(state.enums.iter().map(|ty| &ty.name));
        names.into_iter().any(|name| name.schema.as_deref() == Some(&options.default_schema))
    };
    (says(pair.previous.state) || says(pair.next.state)).then_some(options.default_schema.as_str())
}

fn in_schema(state: &State, schema: Option<&str>) -> State {
    let mut state = state.clone();
    let Some(schema) = schema else {
        state.sort();
        return state;
    };
    let place = |name: &mut ObjectName| {
        name.schema.get_or_insert_with(|| schema.to_owned());
    };
    state.enums.iter_mut().for_each(|ty| place(&mut ty.name));
    for sequence in &mut state.sequences {
        place(&mut sequence.name);
        if let Some((table, _)) = &mut sequence.owned_by {
            place(table);
        }
    }
    for table in &mut state.tables {
        place(&mut table.name);
        table.foreign_keys.iter_mut().for_each(|key| place(&mut key.referenced_table));
        for column in &mut table.columns {
            if let DataType::Enum(name) = &mut column.ty {
                place(name);
            }
            if let Some(ColumnDefault::Sequence(name)) = &mut column.default {
                place(name);
            }
        }
    }
    state.sort();
    state
}

fn intent_in_schema(intent: &Intent, schema: Option<&str>) -> Intent {
    let mut intent = intent.clone();
    if let Some(schema) = schema {
        let names = intent.tables.iter_mut().map(|table| &mut table.table);
        for name in names.chain(intent.enums.iter_mut().map(|ty| &mut ty.name)) {
            name.schema.get_or_insert_with(|| schema.to_owned());
        }
    }
    intent.sort();
    intent
}
