//! Compares two states and returns the changes between them.
//!
//! First, the known renames are applied to a copy of the previous state. From then on, objects are identified by their
//! names. A probable rename is a question to the user, never a guess. Objects that the schema language cannot express
//! are never dropped.

mod apply;
mod audit;
mod citus;
mod columns;
mod comments;
mod enums;
mod guess;
mod hints;
mod objects;
mod options;
mod others;
mod renames;
mod row_security;
mod sequences;
mod tables;

use std::collections::BTreeSet;
use std::fmt;

use super::catalog;
use super::change::Change;
use super::data_type::DataType;
use super::intent::Intent;
use super::language::expressible;
use super::names::CITUS;
use super::normalize::Origin;
use super::quote::ident;
use super::state::{
    CatalogObject, ColumnDefault, Extension, Index, Managed, ObjectName, Policy, Sequence, State, User,
};

pub use guess::name_likeness;
pub use renames::Rename;
use renames::{Displaced, Open, Place, is_join_table};

/// A pair of previous and next.
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
    /// The intent of its schema; `None` if the state comes from a database.
    pub intent: Option<&'a Intent>,
}

/// Options of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct DiffOptions {
    /// Renames from the command line.
    pub renames: Vec<Rename>,
    /// Whether to treat all probable renames as drops and additions.
    pub accept_drops: bool,
    /// Probable renames that the user has declined.
    pub declined: Vec<Rename>,
    /// The default schema, for names without a schema.
    pub default_schema: String,
    /// Whether a schema that does not mention a property of a database, such as INCLUDE, differs from it. Otherwise it
    /// leaves the property to the database.
    pub is_complete: bool,
}

impl Default for DiffOptions {
    fn default() -> Self {
        Self {
            renames: Vec::new(),
            accept_drops: false,
            declined: Vec::new(),
            default_schema: "public".to_owned(),
            is_complete: false,
        }
    }
}

/// Why two states cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiffError {
    /// There are probable renames without a decision.
    ProbableRenames(Vec<ProbableRename>),
    /// `--rename` names an object that does not exist.
    UnknownRename(Rename),
    /// An attribute cannot be applied, and data may be lost.
    UnappliedRenames(Vec<UnappliedRename>),
}

/// An attribute with a rename that cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnappliedRename {
    /// The attribute and its place: `@renamedFrom("name") at User.fullName`.
    pub attribute: String,
    /// The reason.
    pub reason: String,
}

/// A drop and an addition that look like a rename, and two ways to declare the rename.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbableRename {
    /// `table`, `column`, `enum` or `value`.
    pub kind: &'static str,
    /// What would be dropped: `users.name`.
    pub from: String,
    /// What would be added: `users.full_name`.
    pub to: String,
    /// What to write into the schema, and where; `None` if it is already there, and the database does not show whether
    /// it was applied.
    pub attribute: Option<String>,
    /// The same rename for the command line.
    pub rename: Rename,
}

impl ProbableRename {
    /// Returns the option for the command line, quoted if a shell needs it.
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

/// Returns the changes that turn `previous` into `next`.
///
/// # Errors
///
/// If there are probable renames without a decision, or a specified rename does not apply.
pub fn diff(pair: Pair<Side<'_>>, options: &DiffOptions) -> Result<Vec<Change>, DiffError> {
    let mut released = BTreeSet::new();
    loop {
        let (changes, more) = diff_without(pair, options, &released)?;
        // What makes way for other objects is missing in the table afterwards.
        let before = released.len();
        released.extend(more);
        if released.len() == before {
            return Ok(changes);
        }
    }
}

/// Returns the changes of a database in which these parts of tables have made way, and the parts that have to.
fn diff_without(
    pair: Pair<Side<'_>>,
    options: &DiffOptions,
    released: &BTreeSet<User>,
) -> Result<(Vec<Change>, BTreeSet<User>), DiffError> {
    let schema = default_schema(pair, options);
    let mut previous = in_schema(pair.previous.state, schema);
    let mut next = in_schema(pair.next.state, schema);
    // Between a database and a schema, what the language cannot express is not a difference.
    match (pair.previous.intent.is_some(), pair.next.intent.is_some()) {
        (false, true) => {
            previous = expressible(&previous).0;
            accept_join_tables(&previous, &mut next);
            catalog::keep_unmentioned(&previous.catalog, &mut next.catalog);
        }
        (true, false) => {
            next = expressible(&next).0;
            accept_join_tables(&next, &mut previous);
            catalog::keep_unmentioned(&next.catalog, &mut previous.catalog);
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
        is_complete: options.is_complete,
        ignores_distribution: match (pair.previous.intent, pair.next.intent) {
            (Some(intent), None) | (None, Some(intent)) => !intent.is_for_citus,
            _ => false,
        },
        ignores_row_security: match (pair.previous.intent, pair.next.intent) {
            (Some(intent), None) | (None, Some(intent)) => !intent.has_tenants,
            _ => false,
        },
        ignores_comments: match (pair.previous.intent, pair.next.intent) {
            (Some(intent), None) | (None, Some(intent)) => !intent.has_comments,
            _ => false,
        },
    };

    let mut renames = renames::resolve(&cx, &previous, previous_intent.as_ref(), options)?;
    let open = std::mem::take(&mut renames.open);
    let (mut changes, displaced) = renames::apply(&mut previous, renames);
    catalog::release(&mut previous, released);
    if !options.accept_drops {
        ask(&cx, &previous, open, &displaced, options)?;
    }
    diff_schemas(&cx, &previous, &options.default_schema, &mut changes);
    let replaced = enums::diff_enums(&cx, &previous, &mut changes);
    // Sequences go with the tables that own them.
    let anew = tables::made_anew(&cx, &previous);
    let goes = |sequence: &Sequence| sequence.owned_by.as_ref().is_some_and(|(table, _)| anew.contains(table));
    previous.sequences.retain(|sequence| !goes(sequence));
    sequences::diff_sequences(&cx, &mut previous, &mut changes);
    tables::diff_tables(&cx, &previous, &replaced, &mut changes);
    audit::diff_audit(&cx, &previous, &mut changes);
    others::diff_others(&cx, &previous, &mut changes);
    comments::diff_comments(&cx, &previous, &mut changes);
    let mut more = BTreeSet::new();
    if cx.origin == Origin::Catalogs || !previous.catalog.objects.is_empty() || !next.catalog.objects.is_empty() {
        let followed = catalog::follow_renames(&previous, &next, cx.previous_is_database);
        let next = followed.as_ref().unwrap_or(&next);
        let (of_objects, made_way) = catalog::diff_catalog(&previous, next, &changes, released);
        changes.extend(of_objects);
        add_domains(next, &mut changes);
        more = made_way;
    }
    Ok((changes, more))
}

/// Adds the domains that the schema manages: columns can have them.
fn add_domains(next: &State, changes: &mut Vec<Change>) {
    let domains = next.catalog.objects.iter().filter(|object| object.key.kind == "domain");
    let names = domains.filter_map(|object| match &object.managed {
        Some(Managed::Object(domain)) => Some(domain.relation.clone()),
        _ => None,
    });
    let names: BTreeSet<ObjectName> = names.collect();
    if !names.is_empty() && !changes.is_empty() {
        changes.push(Change::OnDomains(names));
    }
}

/// Older versions of Prisma created join tables with a unique index instead of a primary key. A database with one keeps
/// it.
fn accept_join_tables(database: &State, schema: &mut State) {
    for table in schema.tables.iter_mut().filter(|table| is_join_table(table)) {
        let Some(there) = database.table(&table.name).filter(|there| there.primary_key.is_none()) else { continue };
        let serves = |index: &&Index| index.unique && index.is_plain() && index.columns().eq(["A", "B"]);
        // A model declares such an index itself.
        let is_said = table.indexes.iter().any(|index| serves(&index));
        if let Some(index) = there.indexes.iter().find(serves).filter(|_| !is_said) {
            table.primary_key = None;
            table.indexes.push(index.clone());
        }
    }
}

/// Fails if data could be lost by a probable rename, or by a declared rename that cannot be applied.
fn ask(
    cx: &DiffCx<'_>,
    previous: &State,
    open: Open,
    displaced: &Displaced,
    options: &DiffOptions,
) -> Result<(), DiffError> {
    let mut probable = open.questions;
    for guess in guess::probable_renames(cx, previous, displaced) {
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
        let dropped = dropped_names(cx, previous, &place);
        if !dropped.is_empty() {
            let reason = format!(
                "nothing had this name, and {} would be dropped; correct the name, or remove the attribute",
                dropped.join(", ")
            );
            unapplied.push(UnappliedRename { attribute, reason });
        }
    }
    if unapplied.is_empty() { Ok(()) } else { Err(DiffError::UnappliedRenames(unapplied)) }
}

/// Returns the names of the objects that are dropped at this place.
fn dropped_names(cx: &DiffCx<'_>, previous: &State, place: &Place) -> Vec<String> {
    match place {
        Place::Tables => {
            let dropped = previous.tables.iter().filter(|old| cx.next.table(&old.name).is_none());
            dropped.map(|table| table.name.to_string()).collect()
        }
        Place::Enums => {
            let dropped = previous.enums.iter().filter(|old| cx.next.enum_type(&old.name).is_none());
            dropped.map(|ty| ty.name.to_string()).collect()
        }
        Place::Columns(table) => {
            let (Some(old), Some(new)) = (previous.table(table), cx.next.table(table)) else { return Vec::new() };
            let dropped = old.columns.iter().filter(|column| new.column(&column.name).is_none());
            dropped.map(|column| format!("{table}.{}", column.name)).collect()
        }
        Place::Labels(name) => {
            let (Some(old), Some(new)) = (previous.enum_type(name), cx.next.enum_type(name)) else { return Vec::new() };
            let dropped = old.labels.iter().filter(|label| !new.labels.contains(label));
            dropped.map(|label| format!("{name}.{label}")).collect()
        }
    }
}

/// The context of a comparison.
struct DiffCx<'a> {
    next: &'a State,
    intent: &'a Intent,
    origin: Origin,
    /// Whether the previous state comes from a database: objects that may have been created by hand stay.
    previous_is_database: bool,
    next_is_database: bool,
    /// Whether a schema mentions every property that the language can express.
    is_complete: bool,
    /// Whether distributions are not compared, because a schema that is not for Citus is compared with a database.
    ignores_distribution: bool,
    /// Whether row security is not compared, because a schema without tenants is compared with a database.
    ignores_row_security: bool,
    /// Whether comments are not compared, because a schema that keeps its comments to itself is compared with a database.
    ignores_comments: bool,
}

/// Creates schemas, and never drops them: their other objects are unknown.
fn diff_schemas(cx: &DiffCx<'_>, previous: &State, default_schema: &str, changes: &mut Vec<Change>) {
    // A comparison of all schemas creates them as objects.
    let is_object = |schema: &String| {
        let is_it = |object: &CatalogObject| {
            object.key.kind == "schema" && (object.key.name == *schema || object.key.name == ident(schema))
        };
        cx.next.catalog.objects.iter().any(is_it) || previous.catalog.objects.iter().any(is_it)
    };
    let is_new =
        |schema: &&String| !previous.schemas.contains(schema) && *schema != default_schema && !is_object(schema);
    let of_extensions = new_extension_schemas(cx.next, previous);
    let named: BTreeSet<&String> = cx.next.schemas.iter().chain(of_extensions).collect();
    changes.extend(named.into_iter().filter(is_new).cloned().map(Change::CreateSchema));
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
    if !cx.previous_is_database || cx.origin == Origin::Catalogs {
        // Without its extension, Citus would forget its servers.
        let is_dropped =
            |old: &&Extension| old.name != CITUS && cx.next.extensions.iter().all(|new| new.name != old.name);
        changes.extend(previous.extensions.iter().filter(is_dropped).cloned().map(Change::DropExtension));
    }
}

/// Returns the schemas of extensions that are created or moved, unless another extension was there before.
fn new_extension_schemas<'s>(next: &'s State, previous: &State) -> impl Iterator<Item = &'s String> {
    let known: Vec<_> = previous.extensions.iter().filter_map(|extension| extension.schema.clone()).collect();
    let schemas = next.extensions.iter().filter_map(|extension| extension.schema.as_ref());
    schemas.filter(move |schema| !known.contains(schema) && *schema != "pg_catalog")
}

/// Returns the default schema if one of the sides names it.
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
    state.audit.iter_mut().for_each(|log| place(&mut log.name));
    for table in &mut state.tables {
        place(&mut table.name);
        table.foreign_keys.iter_mut().for_each(|key| place(&mut key.referenced_table));
        table.row_security.policies.iter_mut().flat_map(Policy::tables).for_each(place);
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
