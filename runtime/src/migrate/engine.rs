//! Databases that speak PostgreSQL's protocol: how each differs from PostgreSQL in what the runner needs.
//!
//! An engine is data. `docs/engines.md` has the sources of these facts, and says what was run.

use std::fmt;
use std::str::FromStr;

use relata_pgsql::{Token, tokens};
use tokio_postgres::Client;

use super::error::Error;
use super::script::Statement;
use super::source::Migration;

/// A database that speaks PostgreSQL's protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Engine {
    /// PostgreSQL itself, and databases that behave like it.
    PostgreSql,
    /// CockroachDB.
    CockroachDb,
    /// YugabyteDB, its YSQL.
    YugabyteDb,
    /// Amazon Aurora DSQL.
    AuroraDsql,
    /// Spanner with its PostgreSQL interface, behind PGAdapter.
    Spanner,
}

/// What an engine has, of what a migration run needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EngineProfile {
    /// Its name for people.
    pub name: &'static str,
    /// Whether a session can hold an advisory lock. Without, the lock is a row with a lease.
    pub advisory_locks: bool,
    /// Whether statements that change the schema are part of a transaction. Without, each statement is on its own and
    /// counted, and a run resumes at the first that is not.
    pub transactional_ddl: bool,
    /// Statements that it does not have.
    missing: &'static [Missing],
}

/// A statement or a clause that an engine does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Missing {
    /// The first words of the statement. Without, any statement that changes the schema.
    statement: &'static [&'static str],
    /// Words that follow each other somewhere in it.
    clause: &'static [&'static str],
    /// A word with which it is accepted.
    unless: Option<&'static str>,
    /// What to do instead.
    instead: &'static str,
}

const fn statement(statement: &'static [&'static str], instead: &'static str) -> Missing {
    Missing { statement, clause: &[], unless: None, instead }
}

const fn clause(clause: &'static [&'static str], instead: &'static str) -> Missing {
    Missing { statement: &[], clause, unless: None, instead }
}

const TRIGGERS: Missing = statement(&["create", "trigger"], "let the program do the trigger's work");
const EXTENSIONS: Missing = statement(&["create", "extension"], "remove the extension and what uses it");
const EXCLUSION: Missing = clause(&["exclude", "using"], "let the program check it");

const POSTGRESQL: EngineProfile =
    EngineProfile { name: "PostgreSQL", advisory_locks: true, transactional_ddl: true, missing: &[] };

const COCKROACH: EngineProfile = EngineProfile {
    name: "CockroachDB",
    advisory_locks: false,
    transactional_ddl: false,
    missing: &[
        statement(&["create", "domain"], "use the type below it, with a CHECK constraint"),
        statement(&["create", "foreign"], "use an ordinary table"),
        statement(&["create", "server"], "leave out the foreign server"),
        clause(&["int4range"], RANGES),
        clause(&["int8range"], RANGES),
        clause(&["numrange"], RANGES),
        clause(&["daterange"], RANGES),
        clause(&["tsrange"], RANGES),
        clause(&["tstzrange"], RANGES),
    ],
};

const RANGES: &str = "use two columns instead of a range";

const YUGABYTE: EngineProfile = EngineProfile {
    name: "YugabyteDB",
    advisory_locks: false,
    transactional_ddl: false,
    missing: &[
        EXCLUSION,
        clause(&["inherits"], "give each table its own columns"),
        clause(&["using", "gist"], "use another kind of index"),
    ],
};

const DSQL: EngineProfile = EngineProfile {
    name: "Aurora DSQL",
    advisory_locks: false,
    transactional_ddl: false,
    missing: &[
        TRIGGERS,
        EXTENSIONS,
        EXCLUSION,
        clause(&["references"], "leave out the foreign key: relationMode = \"prisma\" in the datasource"),
        statement(&["truncate"], "use DELETE"),
        statement(&["create", "temporary"], "use an ordinary table"),
        statement(&["create", "temp"], "use an ordinary table"),
        statement(&["create", "type"], "use text, with a CHECK constraint for an enum"),
        statement(&["create", "materialized", "view"], "use a view or a table"),
        statement(&["create", "sequence"], "use a uuid"),
        clause(&["serial"], "use a uuid"),
        clause(&["bigserial"], "use a uuid"),
        clause(&["as", "identity"], "use a uuid"),
        clause(&["partition", "by"], "use one table"),
        clause(&["language", "plpgsql"], "write the function in SQL"),
        Missing { unless: Some("async"), ..statement(&["create", "index"], "write CREATE INDEX ASYNC") },
        Missing {
            unless: Some("async"),
            ..statement(&["create", "unique", "index"], "write CREATE UNIQUE INDEX ASYNC")
        },
    ],
};

const SPANNER: EngineProfile = EngineProfile {
    name: "Spanner",
    advisory_locks: false,
    transactional_ddl: false,
    missing: &[
        TRIGGERS,
        EXTENSIONS,
        clause(&["serial"], "use a uuid, or an identity column"),
        clause(&["bigserial"], "use a uuid, or an identity column"),
        statement(&["create", "type"], "use varchar, with a CHECK constraint for an enum"),
        statement(&["create", "domain"], "use the type below it"),
        statement(&["create", "function"], "let the program do the function's work"),
        statement(&["create", "operator"], "leave out the operator"),
        Missing { clause: &["where"], ..statement(&["create", "index"], "leave WHERE out") },
        Missing { clause: &["where"], ..statement(&["create", "unique", "index"], "leave WHERE out") },
    ],
};

/// The version, and objects that only some engines have.
const QUESTION: &str = "SELECT version()::text, \
    (SELECT count(*) FROM information_schema.tables WHERE table_schema = 'sys' \
     AND table_name IN ('jobs', 'iam_pg_role_mappings')), \
    (SELECT count(*) FROM information_schema.schemata WHERE schema_name = 'spanner_sys')";

impl Engine {
    /// All engines.
    pub const ALL: [Self; 5] = [Self::PostgreSql, Self::CockroachDb, Self::YugabyteDb, Self::AuroraDsql, Self::Spanner];

    /// Returns its name in the command line.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::PostgreSql => "postgresql",
            Self::CockroachDb => "cockroachdb",
            Self::YugabyteDb => "yugabytedb",
            Self::AuroraDsql => "aurora-dsql",
            Self::Spanner => "spanner",
        }
    }

    /// Returns what it has.
    #[must_use]
    pub fn profile(self) -> &'static EngineProfile {
        match self {
            Self::PostgreSql => &POSTGRESQL,
            Self::CockroachDb => &COCKROACH,
            Self::YugabyteDb => &YUGABYTE,
            Self::AuroraDsql => &DSQL,
            Self::Spanner => &SPANNER,
        }
    }

    /// Asks the server what it is.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownEngine`] if it is none of these, or does not answer the question.
    pub async fn detect(client: &Client) -> Result<Self, Error> {
        let row = match client.query_one(QUESTION, &[]).await {
            Ok(row) => row,
            Err(source) if source.is_closed() => {
                return Err(Error::Database { doing: "asking the server what it is", source });
            }
            Err(source) => return Err(Error::UnknownEngine { version: super::error::describe(&source) }),
        };
        let version: String = row.get(0);
        Self::of(&version, row.get(1), row.get(2)).ok_or(Error::UnknownEngine { version })
    }

    /// Tells the engine from its version, the number of tables that DSQL has, and of schemas that Spanner has.
    fn of(version: &str, of_dsql: i64, of_spanner: i64) -> Option<Self> {
        if version.starts_with("CockroachDB") {
            return Some(Self::CockroachDb);
        }
        if !version.starts_with("PostgreSQL") && !version.starts_with("EnterpriseDB") {
            return None;
        }
        Some(match () {
            () if version.contains("-YB-") => Self::YugabyteDb,
            () if of_dsql == 2 => Self::AuroraDsql,
            () if of_spanner > 0 => Self::Spanner,
            () => Self::PostgreSql,
        })
    }

    /// Returns whether the runner uses only SQL that all engines have.
    pub(super) fn is_portable(self) -> bool {
        self != Self::PostgreSql
    }

    /// Returns an engine that has this kind of history.
    pub(super) fn with_history(portable: bool) -> Self {
        if portable { Self::CockroachDb } else { Self::PostgreSql }
    }

    /// Returns the statements of a migration that it does not have, each with its place and what to do instead.
    pub(super) fn refuses(self, migration: &Migration) -> Vec<String> {
        let refused = |statement: &Statement| {
            let missing = self.profile().missing.iter().find(|missing| missing.is_in(&statement.sql))?;
            let (file, line) = (migration.file().display(), statement.line);
            Some(format!("{file}:{line}: {}; {}", missing.words(), missing.instead))
        };
        migration.script().statements().filter_map(refused).collect()
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.profile().name)
    }
}

impl FromStr for Engine {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|engine| engine.id() == text).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|engine| engine.id()).collect();
            format!("there is no engine {text:?}; write one of {}", known.join(", "))
        })
    }
}

impl Missing {
    fn is_in(&self, sql: &str) -> bool {
        let all: Vec<Token> = tokens(sql).filter(|token| !token.is_comment()).collect();
        let begin_with = |at: &[Token], words: &[&str]| {
            at.len() >= words.len() && at.iter().zip(words).all(|(token, word)| token.is_word(sql, word))
        };
        let has = |words: &[&str]| (0..all.len()).any(|at| begin_with(&all[at..], words));
        let is_meant = match self.statement {
            [] => begin_with(&all, &["create"]) || begin_with(&all, &["alter"]),
            // CREATE OR REPLACE is a CREATE.
            ["create", rest @ ..] if begin_with(&all, &["create", "or", "replace"]) => begin_with(&all[3..], rest),
            words => begin_with(&all, words),
        };
        is_meant && (self.clause.is_empty() || has(self.clause)) && !self.unless.is_some_and(|word| has(&[word]))
    }

    /// Returns its words, for a message.
    fn words(&self) -> String {
        let words: Vec<&str> = self.statement.iter().chain(self.clause).copied().collect();
        words.join(" ").to_uppercase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrate::Migrations;

    #[test]
    fn an_engine_is_told_by_its_version() {
        for (version, of_dsql, of_spanner, engine) in [
            ("PostgreSQL 15.18 (Debian 15.18-0+deb12u1) on x86_64-pc-linux-gnu", 0, 0, Some(Engine::PostgreSql)),
            // A database may have a schema `sys` of its own.
            ("PostgreSQL 15.18 on x86_64-pc-linux-gnu", 1, 0, Some(Engine::PostgreSql)),
            ("CockroachDB CCL v25.4.0 (x86_64-pc-linux-gnu, built 2025)", 0, 0, Some(Engine::CockroachDb)),
            ("PostgreSQL 15.12-YB-2025.1.0.0-b0 on x86_64-pc-linux-gnu", 0, 0, Some(Engine::YugabyteDb)),
            ("PostgreSQL 16", 2, 0, Some(Engine::AuroraDsql)),
            ("PostgreSQL 14.1", 0, 1, Some(Engine::Spanner)),
            ("MyDB 3", 0, 0, None),
        ] {
            assert_eq!(Engine::of(version, of_dsql, of_spanner), engine, "{version}");
        }
        for engine in Engine::ALL {
            assert_eq!(engine.id().parse(), Ok(engine));
        }
        assert!("oracle".parse::<Engine>().is_err_and(|problem| problem.contains("aurora-dsql")));
    }

    #[test]
    fn what_an_engine_does_not_have_is_named_with_its_line() {
        let refused = |engine: Engine, sql: &'static str| {
            let migrations = Migrations::from_static(&[("1", sql)]).expect("well-formed");
            engine.refuses(migrations.iter().next().expect("one"))
        };
        let sql = "CREATE TABLE a (id int);\nALTER TABLE a ADD FOREIGN KEY (id) REFERENCES b (id)";
        assert_eq!(refused(Engine::PostgreSql, sql), [""; 0]);
        assert_eq!(refused(Engine::CockroachDb, sql), [""; 0]);
        let problems = refused(Engine::AuroraDsql, sql);
        assert!(problems.len() == 1 && problems[0].contains(":2: REFERENCES; leave out"), "{problems:?}");
        for (engine, sql, number) in [
            (Engine::AuroraDsql, "CREATE INDEX ASYNC i ON a (id)", 0),
            (Engine::AuroraDsql, "CREATE INDEX i ON a (id)", 1),
            (Engine::AuroraDsql, "CREATE UNIQUE INDEX i ON a (id)", 1),
            (Engine::AuroraDsql, "CREATE OR REPLACE TRIGGER t BEFORE INSERT ON a EXECUTE FUNCTION f()", 1),
            (Engine::AuroraDsql, "CREATE TABLE type (\"references\" int)", 0),
            (Engine::AuroraDsql, "INSERT INTO a SELECT 'create type', 1 -- truncate", 0),
            (Engine::Spanner, "CREATE INDEX i ON a (id) WHERE id > 0", 1),
            (Engine::Spanner, "CREATE INDEX i ON a (id)", 0),
            (Engine::Spanner, "CREATE TABLE a (id bigserial)", 1),
            (Engine::YugabyteDb, "ALTER TABLE a ADD EXCLUDE USING gist (r WITH &&)", 1),
            (Engine::CockroachDb, "CREATE TABLE a (r int4range)", 1),
        ] {
            assert_eq!(refused(engine, sql).len(), number, "{engine}: {sql}");
        }
    }
}
