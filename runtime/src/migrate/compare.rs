//! Compares the files with the history: what is applied, what is pending, and what contradicts.

use std::fmt;

use super::history::{Attempt, Kind, State};
use super::source::{Migration, Migrations};

/// A contradiction between the files and the history, or an attempt that did not end well.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The file of an applied migration has different statements now.
    Edited {
        /// The migration.
        name: String,
    },
    /// The first statements of a half-applied migration were changed after they ran.
    EditedBehind {
        /// The migration.
        name: String,
        /// The number of its statements that have run.
        done: u32,
    },
    /// An applied migration has no file.
    Missing {
        /// The migration.
        name: String,
    },
    /// A migration that stopped in the middle has no file.
    MissingUnfinished {
        /// The migration.
        name: String,
        /// How many of its statements have run, or of those that undo it.
        done: u32,
        /// Whether it was being undone.
        undoing: bool,
    },
    /// A migration that is not applied sorts before one that is.
    OutOfOrder {
        /// The migration.
        name: String,
        /// The last applied one.
        after: String,
    },
    /// A migration stopped at a statement that failed.
    Failed {
        /// The migration.
        name: String,
        /// The number of its statements that have run.
        done: u32,
        /// The error of the server.
        error: String,
    },
    /// The process that ran a migration ended before it was done.
    Interrupted {
        /// The migration.
        name: String,
        /// The number of its statements that are known to have run.
        done: u32,
    },
    /// Undoing a migration stopped before it was done.
    Undoing {
        /// The migration.
        name: String,
        /// The number of undoing statements that have run.
        done: u32,
    },
    /// A migration replaces others, of which the database has only some.
    PartlyReplaced {
        /// The migration.
        name: String,
        /// The first of those that the database lacks.
        lacking: String,
    },
    /// A migration is running.
    Running {
        /// The migration.
        name: String,
        /// The program that runs it.
        runner: String,
    },
}

impl Problem {
    /// Returns the migration.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Edited { name }
            | Self::EditedBehind { name, .. }
            | Self::Missing { name }
            | Self::MissingUnfinished { name, .. }
            | Self::OutOfOrder { name, .. }
            | Self::Failed { name, .. }
            | Self::Interrupted { name, .. }
            | Self::Undoing { name, .. }
            | Self::PartlyReplaced { name, .. }
            | Self::Running { name, .. } => name,
        }
    }

    /// Returns whether deploying cannot solve the problem, so that a person has to.
    #[must_use]
    pub fn blocks_deploy(&self) -> bool {
        !matches!(self, Self::Failed { .. } | Self::Interrupted { .. })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edited { name } => write!(
                f,
                "{name} was edited after it was applied; restore its migration.sql and put the change into a new migration"
            ),
            Self::EditedBehind { name, done: 1 } => write!(
                f,
                "the first statement of {name} has run and was edited since; restore it, and change only what comes after it"
            ),
            Self::EditedBehind { name, done } => write!(
                f,
                "the first {done} statements of {name} have run and were edited since; restore them, and change only \
                 what follows"
            ),
            Self::Missing { name } => write!(
                f,
                "{name} is applied but its folder is missing; restore it from version control, or, if you have undone \
                 by hand what it did, run `migrate resolve {name} --rolled-back`"
            ),
            Self::MissingUnfinished { name, done, undoing: false } => write!(
                f,
                "{name} stopped after {done} of its statements, and its folder is missing; restore the folder and \
                 deploy again, or undo by hand what it did (`migrate-diff --from-url URL --to-url OTHER` shows what is \
                 left of it, where OTHER has the other migrations) and run `migrate resolve {name} --rolled-back`"
            ),
            Self::MissingUnfinished { name, done, undoing: true } => write!(
                f,
                "undoing {name} stopped after {done} of its statements, and its folder is missing; restore the folder \
                 and run `migrate down` again, or undo the rest by hand and run `migrate resolve {name} --rolled-back`"
            ),
            Self::OutOfOrder { name, after } => write!(
                f,
                "{name} is not applied but older than {after}, which is; give it a later timestamp, or allow it to run \
                 out of order"
            ),
            Self::Failed { name, done, error } => {
                write!(f, "{name} stopped after {done} of its statements: {error}; correct it and deploy again")
            }
            Self::Interrupted { name, done } => {
                write!(f, "{name} was interrupted after {done} of its statements; the next deploy resumes there")
            }
            Self::Undoing { name, done } => write!(
                f,
                "undoing {name} stopped after {done} of its statements; run `migrate down` again, it resumes there"
            ),
            Self::PartlyReplaced { name, lacking } => write!(
                f,
                "{name} replaces several migrations, but the database has only some of them: {lacking} is missing; deploy \
                 with the folder as it was before they were squashed"
            ),
            Self::Running { name, runner } => write!(f, "{name} is being run by {runner}"),
        }
    }
}

/// The remaining work.
#[derive(Debug)]
pub(super) struct Comparison<'m> {
    pub(super) applied: Vec<Attempt>,
    /// Pending migrations, with the attempt to resume, if there is one.
    pub(super) pending: Vec<(&'m Migration, Option<Attempt>)>,
    pub(super) problems: Vec<Problem>,
}

/// Compares the files with the history.
pub(super) fn compare<'m>(
    migrations: &'m Migrations,
    mut attempts: Vec<Attempt>,
    out_of_order: bool,
) -> Comparison<'m> {
    let mut problems = Vec::new();
    for migration in migrations.iter().filter(|migration| !migration.replaces().is_empty()) {
        problems.extend(take_place(migration, &mut attempts));
    }
    let is_partly = |name: &str| {
        let partly = |it: &Problem| matches!(it, Problem::PartlyReplaced { name: other, .. } if other == name);
        problems.iter().any(partly)
    };
    let partly: Vec<String> =
        migrations.iter().map(Migration::name).filter(|name| is_partly(name)).map(str::to_owned).collect();
    for attempt in &attempts {
        match migrations.get(&attempt.name) {
            None => problems.push(without_file(attempt)),
            Some(migration) => problems.extend(check_attempt(attempt, migration)),
        }
    }
    let last_applied =
        attempts.iter().filter(|attempt| attempt.state == State::Applied).map(|it| it.name.clone()).max();
    let mut pending = Vec::new();
    for migration in migrations {
        let attempt = attempts.iter().find(|attempt| attempt.name == migration.name());
        let is_done = attempt.is_some_and(|attempt| attempt.state == State::Applied || attempt.kind == Kind::Down);
        if is_done || partly.iter().any(|name| name == migration.name()) {
            continue;
        }
        if let (None, Some(last), false) = (attempt, &last_applied, out_of_order)
            && migration.name() < last.as_str()
        {
            problems.push(Problem::OutOfOrder { name: migration.name().to_owned(), after: last.clone() });
        }
        pending.push((migration, attempt.cloned()));
    }
    let applied = attempts.into_iter().filter(|attempt| attempt.state == State::Applied).collect();
    Comparison { applied, pending, problems }
}

/// Of the attempts at migrations that `migration` replaces, keeps only the last one, as an attempt at `migration`.
fn take_place(migration: &Migration, attempts: &mut Vec<Attempt>) -> Option<Problem> {
    let replaces = migration.replaces();
    let is_applied = |name: &str, hash: &str, attempts: &[Attempt]| {
        attempts.iter().any(|it| it.state == State::Applied && it.name == name && it.token_checksum == hash)
    };
    let is_there = |name: &str, attempts: &[Attempt]| {
        replaces.iter().any(|it| it.name == name && is_applied(name, &it.hash, attempts))
    };
    let is_replaced = |it: &Attempt| replaces.iter().any(|replaced| replaced.name == it.name);
    // It is recorded under the name of the last replaced one, whose row shows which of the two was run.
    if is_applied(migration.name(), migration.token_checksum(), attempts) || !attempts.iter().any(is_replaced) {
        attempts.retain(|it| it.name == migration.name() || !is_replaced(it));
        return None;
    }
    // Migrations that an earlier squash replaced are part of its last one.
    let lacking = replaces.iter().find(|it| !it.earlier && !is_there(&it.name, attempts));
    if let Some(lacking) = lacking {
        attempts.retain(|it| !is_replaced(it));
        return Some(Problem::PartlyReplaced { name: migration.name().to_owned(), lacking: lacking.name.clone() });
    }
    attempts.retain(|it| it.name == migration.name() || !is_replaced(it));
    for attempt in attempts.iter_mut().filter(|it| it.name == migration.name()) {
        migration.token_checksum().clone_into(&mut attempt.token_checksum);
    }
    None
}

fn without_file(attempt: &Attempt) -> Problem {
    let name = attempt.name.clone();
    match attempt.state {
        State::Applied => Problem::Missing { name },
        State::Running if attempt.alive => Problem::Running { name, runner: attempt.runner.clone() },
        _ => Problem::MissingUnfinished { name, done: attempt.steps_done, undoing: attempt.kind == Kind::Down },
    }
}

fn check_attempt(attempt: &Attempt, migration: &Migration) -> Vec<Problem> {
    let name = attempt.name.clone();
    let done = attempt.steps_done;
    if attempt.state == State::Applied {
        return if attempt.ran(migration) { Vec::new() } else { vec![Problem::Edited { name }] };
    }
    if attempt.alive && attempt.state == State::Running {
        return vec![Problem::Running { name, runner: attempt.runner.clone() }];
    }
    if attempt.kind == Kind::Down {
        return vec![Problem::Undoing { name, done }];
    }
    let mut problems = vec![match attempt.state {
        State::Failed => Problem::Failed { name: name.clone(), done, error: attempt.error.clone().unwrap_or_default() },
        _ => Problem::Interrupted { name: name.clone(), done },
    }];
    if !migration.begins_with(&attempt.step_hashes) {
        problems.push(Problem::EditedBehind { name, done });
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(name: &str, sql: &str) -> Attempt {
        Attempt {
            id: 1,
            name: name.to_owned(),
            kind: Kind::Apply,
            checksum: super::super::script::checksum(sql),
            token_checksum: super::super::script::token_checksum(sql),
            state: State::Applied,
            steps_done: 0,
            step_hashes: Vec::new(),
            error: None,
            runner: String::new(),
            finished_at: None,
            alive: false,
        }
    }

    fn half_done(name: &str, sql: &str, done: usize) -> Attempt {
        let migrations = Migrations::from_static(&[(name, sql)]).expect("well-formed");
        let migration = migrations.iter().next().expect("one");
        let hashes = migration.step_hashes()[..done].iter().map(|hash| (*hash).to_owned()).collect();
        Attempt {
            state: State::Running,
            steps_done: u32::try_from(done).expect("small"),
            step_hashes: hashes,
            ..applied(name, sql)
        }
    }

    #[test]
    fn comments_may_be_edited_and_statements_may_not() {
        let files = Migrations::from_static(&[("1", "SELECT 1 -- more")]).expect("well-formed");
        assert!(compare(&files, vec![applied("1", "SELECT 1")], false).problems.is_empty());
        let problems = compare(&files, vec![applied("1", "SELECT 2")], false).problems;
        assert_eq!(problems, [Problem::Edited { name: "1".to_owned() }]);
        let other_tokens = Attempt { token_checksum: String::new(), ..applied("1", "SELECT 1 -- more") };
        assert!(compare(&files, vec![other_tokens], false).problems.is_empty(), "the file is the same");
    }

    #[test]
    fn a_missing_file_and_an_older_newcomer_are_problems() {
        let files = Migrations::from_static(&[("1", "SELECT 1"), ("3", "SELECT 3")]).expect("well-formed");
        let history = || vec![applied("2", "SELECT 2"), applied("3", "SELECT 3")];
        let found = compare(&files, history(), false);
        assert_eq!(
            found.problems,
            [
                Problem::Missing { name: "2".to_owned() },
                Problem::OutOfOrder { name: "1".to_owned(), after: "3".to_owned() }
            ]
        );
        assert_eq!(found.pending.len(), 1);
        assert_eq!(compare(&files, history(), true).problems, [Problem::Missing { name: "2".to_owned() }]);
    }

    #[test]
    fn a_missing_file_of_one_that_is_not_applied_is_another_problem() {
        let files = Migrations::from_static(&[("1", "SELECT 1")]).expect("well-formed");
        let problems = |change: fn(&mut Attempt)| {
            let mut attempt = Attempt { steps_done: 3, ..applied("2", "SELECT 2") };
            change(&mut attempt);
            compare(&files, vec![applied("1", "SELECT 1"), attempt], false).problems
        };
        let missing = |undoing| vec![Problem::MissingUnfinished { name: "2".to_owned(), done: 3, undoing }];
        assert_eq!(problems(|it| it.state = State::Failed), missing(false));
        assert_eq!(problems(|it| it.state = State::Running), missing(false));
        assert_eq!(problems(|it| (it.kind, it.state) = (Kind::Down, State::Failed)), missing(true));
        let running = problems(|it| (it.alive, it.state) = (true, State::Running));
        assert_eq!(running, [Problem::Running { name: "2".to_owned(), runner: String::new() }]);
        assert!(missing(false)[0].blocks_deploy());
    }

    #[test]
    fn one_that_takes_the_place_of_others_needs_all_or_none_of_them() {
        let hash = |sql: &str| super::super::script::token_checksum(sql);
        let sql =
            format!("-- relata:replaces 1 {}\n-- relata:replaces 2 {}\nSELECT 12", hash("SELECT 1"), hash("SELECT 2"));
        let files = Migrations::from_static(&[("2", &sql)]).expect("well-formed");
        let both = vec![applied("1", "SELECT 1"), applied("2", "SELECT 2")];
        for (history, has, problem) in [
            (vec![], 0, None),
            (both, 1, None),
            (vec![applied("2", &sql)], 1, None),
            (vec![applied("1", "SELECT 1")], 0, Some("2")),
            (vec![applied("1", "SELECT 0"), applied("2", "SELECT 2")], 0, Some("1")),
        ] {
            let found = compare(&files, history, false);
            let lacking = found.problems.first().map(|problem| match problem {
                Problem::PartlyReplaced { lacking, .. } => lacking.as_str(),
                other => panic!("{other:?}"),
            });
            assert_eq!((found.applied.len(), lacking), (has, problem));
            assert_eq!(found.pending.len(), usize::from(has == 0 && problem.is_none()));
        }
    }

    #[test]
    fn what_ran_of_a_half_done_migration_may_not_change() {
        let sql = "SELECT 1; SELECT 2; SELECT 3";
        for (edit, blocked) in [("SELECT 1; SELECT 4", false), ("SELECT 0; SELECT 2", true), ("", true)] {
            let files = Migrations::from_static(&[("1", edit)]).expect("well-formed");
            let problems = compare(&files, vec![half_done("1", sql, 1)], false).problems;
            assert_eq!(problems.iter().any(Problem::blocks_deploy), blocked, "{edit}");
        }
    }
}
