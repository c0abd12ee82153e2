//! What differs between two ends, with an answer for every rename: from a flag, an attribute, or a person.

use relata_codegen::sql::{self, Change, DiffError, DiffOptions, Pair, Plan, ProbableRename, Rename, diff};

use crate::compare::endpoint::Loaded;
use crate::failure::Failure;
use crate::terminal::prompt;

/// What was said about renames on the command line.
#[derive(Debug, Clone, Default)]
pub struct Renames {
    said: Vec<Rename>,
    /// Renames that somebody may have said earlier; those that do not fit are left out.
    hints: Vec<Rename>,
    /// Whatever else looks like a rename is a drop and an addition.
    accept_drops: bool,
}

impl Renames {
    /// Nothing is renamed, and nobody is asked.
    pub fn none() -> Self {
        Self { said: Vec::new(), hints: Vec::new(), accept_drops: true }
    }

    /// Reads the values of `--rename`.
    pub(crate) fn parse(flags: &[String], accept_drops: bool) -> Result<Self, Failure> {
        let parse = |flag: &String| {
            Rename::parse(flag).ok_or_else(|| {
                Failure::usage(format!("--rename {flag}: expected OLD:NEW"))
                    .help("write --rename users:people for a table, --rename users.name:full_name for a column")
            })
        };
        let said = flags.iter().map(parse).collect::<Result<Vec<Rename>, _>>()?;
        refuse_contradictions(&said)?;
        Ok(Self { said, hints: Vec::new(), accept_drops })
    }

    /// The same, with renames that are taken if they fit.
    pub(crate) fn with_hints(mut self, hints: Vec<Rename>) -> Self {
        self.hints = hints;
        self
    }
}

/// One thing cannot have two new names, nor two things the same.
fn refuse_contradictions(said: &[Rename]) -> Result<(), Failure> {
    let target = |rename: &Rename| {
        let scope = rename.from.rsplit_once('.').map_or("", |(scope, _)| scope);
        (scope.to_owned(), rename.to.clone())
    };
    for (at, rename) in said.iter().enumerate() {
        let contradicts =
            |other: &&Rename| *other != rename && (other.from == rename.from || target(other) == target(rename));
        if let Some(other) = said[..at].iter().find(contradicts) {
            return Err(Failure::usage(format!("--rename {other} and --rename {rename} contradict each other"))
                .help("keep the one that is meant"));
        }
    }
    Ok(())
}

/// The changes that lead from one end to the other.
pub fn difference(pair: Pair<&Loaded>, renames: Renames) -> Result<Vec<Change>, Failure> {
    let schema = pair.previous.current_schema.as_ref().or(pair.next.current_schema.as_ref());
    let Renames { mut said, hints, accept_drops } = renames;
    said.extend(hints.iter().filter(|hint| !said.contains(hint)).cloned().collect::<Vec<_>>());
    let mut options = DiffOptions { renames: said, accept_drops, ..DiffOptions::default() };
    if let Some(schema) = schema {
        options.default_schema.clone_from(schema);
    }
    let sides = Pair { previous: pair.previous.side(), next: pair.next.side() };
    loop {
        match diff(sides, &options) {
            // An answer may lead to further questions, about the columns of a renamed table.
            Err(DiffError::ProbableRenames(probable)) if prompt::is_interactive() => answer(&probable, &mut options)?,
            Err(DiffError::UnknownRename(rename)) if hints.contains(&rename) => {
                options.renames.retain(|other| *other != rename);
            }
            result => return result.map_err(|error| refuse(&error)),
        }
    }
}

/// The steps of the changes, at once or so that programs go on.
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

fn refuse(error: &DiffError) -> Failure {
    match error {
        DiffError::ProbableRenames(_) => Failure::question(error.to_string())
            .help("if it is no rename but a drop and an addition, pass --accept-drops"),
        DiffError::UnknownRename(_) => Failure::refused(error.to_string()),
        DiffError::UnappliedRenames(_) => {
            Failure::question(error.to_string()).help("to drop what it may mean, pass --accept-drops")
        }
    }
}
