//! The changes between two endpoints, with every probable rename resolved by a flag, an attribute, or a prompt.

use std::path::{Path, PathBuf};

use relata_codegen::sql::{self, Change, DiffError, DiffOptions, Pair, Plan, ProbableRename, Rename, diff};

use crate::compare::endpoint::Loaded;
use crate::failure::Failure;
use crate::terminal::prompt;

/// The renames that were specified on the command line.
#[derive(Debug, Clone, Default)]
pub struct Renames {
    given: Vec<Rename>,
    /// Renames of an earlier migration; those that do not apply are ignored.
    hints: Vec<Rename>,
    /// Treats all other probable renames as drops and additions.
    accept_drops: bool,
    /// Whether properties of the database that the schema does not mention are differences.
    is_complete: bool,
    /// The file for a hand-written reverse migration, if this is about one.
    down_file: Option<PathBuf>,
}

impl Renames {
    /// No renames, and no prompts.
    pub fn none() -> Self {
        Self { accept_drops: true, ..Self::default() }
    }

    /// The same, for a schema that has to mention everything that the language can express.
    pub(crate) fn of_complete_schema() -> Self {
        Self { is_complete: true, ..Self::none() }
    }

    /// Reads the values of `--rename`.
    pub(crate) fn parse(flags: &[String], accept_drops: bool) -> Result<Self, Failure> {
        let parse = |flag: &String| {
            Rename::parse(flag).ok_or_else(|| {
                Failure::usage(format!("--rename {flag}: expected OLD:NEW"))
                    .help("write --rename users:people for a table, --rename users.name:full_name for a column")
            })
        };
        let given = flags.iter().map(parse).collect::<Result<Vec<Rename>, _>>()?;
        refuse_contradictions(&given)?;
        Ok(Self { given, accept_drops, ..Self::default() })
    }

    /// The same, with renames that are used if they apply.
    pub(crate) fn with_hints(mut self, hints: Vec<Rename>) -> Self {
        self.hints = hints;
        self
    }

    /// The same, for a migration that made everything else by a drop and an addition.
    pub(crate) fn with_drops(mut self) -> Self {
        self.accept_drops = true;
        self
    }

    /// The same, for the reverse of a migration, which this file can have instead.
    pub(crate) fn of_reverse(mut self, down_file: &Path) -> Self {
        self.down_file = Some(down_file.to_owned());
        self
    }
}

/// One object cannot get two new names, and two objects cannot get the same name.
fn refuse_contradictions(given: &[Rename]) -> Result<(), Failure> {
    let target = |rename: &Rename| {
        let scope = rename.from.rsplit_once('.').map_or("", |(scope, _)| scope);
        (scope.to_owned(), rename.to.clone())
    };
    for (at, rename) in given.iter().enumerate() {
        let contradicts =
            |other: &&Rename| *other != rename && (other.from == rename.from || target(other) == target(rename));
        if let Some(other) = given[..at].iter().find(contradicts) {
            return Err(Failure::usage(format!("--rename {other} and --rename {rename} contradict each other"))
                .help("keep the one that is meant"));
        }
    }
    Ok(())
}

/// The changes from one endpoint to the other.
pub fn difference(pair: Pair<&Loaded>, renames: Renames) -> Result<Vec<Change>, Failure> {
    let schema = pair.previous.current_schema.as_ref().or(pair.next.current_schema.as_ref());
    let Renames { mut given, hints, accept_drops, is_complete, down_file } = renames;
    given.extend(hints.iter().filter(|hint| !given.contains(hint)).cloned().collect::<Vec<_>>());
    let mut options = DiffOptions { renames: given, accept_drops, is_complete, ..DiffOptions::default() };
    if let Some(schema) = schema {
        options.default_schema.clone_from(schema);
    }
    let sides = Pair { previous: pair.previous.side(), next: pair.next.side() };
    loop {
        match diff(sides, &options) {
            // The answer may lead to further prompts, about the columns of a renamed table.
            Err(DiffError::ProbableRenames(probable)) if prompt::is_interactive() => answer(&probable, &mut options)?,
            Err(DiffError::UnknownRename(rename)) if hints.contains(&rename) => {
                options.renames.retain(|other| *other != rename);
            }
            result => return result.map_err(|error| refuse(&error, down_file.as_deref())),
        }
    }
}

/// The steps of the changes; `online` splits long work into steps that do not block reads and writes.
pub fn plan(changes: Vec<Change>, online: bool) -> Plan {
    if online { sql::plan_online(changes) } else { sql::plan(changes) }
}

fn answer(probable: &[ProbableRename], options: &mut DiffOptions) -> Result<(), Failure> {
    for ProbableRename { kind, from, to, rename, .. } in probable {
        let question = format!("Is the {kind} {from} renamed to {to}? Otherwise it is dropped with its data.");
        let answers = if prompt::confirm(&question)? { &mut options.renames } else { &mut options.declined };
        answers.push(rename.clone());
    }
    Ok(())
}

fn refuse(error: &DiffError, down_file: Option<&Path>) -> Failure {
    match (error, down_file) {
        // The schema of an earlier migration is not edited any more, so an attribute is no remedy.
        (DiffError::ProbableRenames(probable), Some(file)) => {
            let line = |it: &ProbableRename| format!("\n  {} {} -> {}: pass {}", it.kind, it.from, it.to, it.flag());
            let lines: String = probable.iter().map(line).collect();
            Failure::question(format!("this looks like a rename; as a drop and an addition, it would lose data{lines}"))
                .help(format!(
                    "pass --accept-drops if it is not a rename; or write the statements that undo it into {}",
                    file.display()
                ))
        }
        (error, _) => refuse_edited(error),
    }
}

fn refuse_edited(error: &DiffError) -> Failure {
    match error {
        DiffError::ProbableRenames(_) => Failure::question(error.to_string())
            .help("pass --accept-drops if it is not a rename, but a drop and an addition"),
        DiffError::UnknownRename(_) => Failure::refused(error.to_string()),
        DiffError::UnappliedRenames(_) => {
            Failure::question(error.to_string()).help("to drop what it may mean, pass --accept-drops")
        }
    }
}
