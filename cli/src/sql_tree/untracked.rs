//! Whether a statement has an effect that no snapshot of a schema shows.

use squawk_syntax::SyntaxKind;
use squawk_syntax::ast::{AstNode, Stmt};

use super::parse;

/// Whether the statements have an effect that a comparison of the snapshots does not show. Assumed if they cannot be
/// parsed.
pub(crate) fn is_untracked(sql: &str) -> bool {
    parse(sql).is_none_or(|tree| tree.stmts().any(|statement| is_untracked_statement(&statement)))
}

fn is_untracked_statement(statement: &Stmt) -> bool {
    match statement {
        Stmt::CreateTable(_)
        | Stmt::CreateTableAs(_)
        | Stmt::AlterTable(_)
        | Stmt::DropTable(_)
        | Stmt::CreateIndex(_)
        | Stmt::AlterIndex(_)
        | Stmt::DropIndex(_)
        | Stmt::CreateType(_)
        | Stmt::AlterType(_)
        | Stmt::DropType(_)
        | Stmt::CreateSequence(_)
        | Stmt::AlterSequence(_)
        | Stmt::DropSequence(_)
        | Stmt::CreateSchema(_)
        | Stmt::AlterSchema(_)
        | Stmt::DropSchema(_)
        | Stmt::CreateExtension(_)
        | Stmt::AlterExtension(_)
        | Stmt::DropExtension(_) => false,
        Stmt::Insert(_)
        | Stmt::Delete(_)
        | Stmt::Merge(_)
        | Stmt::Truncate(_)
        | Stmt::Do(_)
        | Stmt::Grant(_)
        | Stmt::Revoke(_) => true,
        other => {
            let first = other.syntax().children_with_tokens().find(|it| !is_trivia(it.kind()));
            first.is_some_and(|it| {
                matches!(it.kind(), SyntaxKind::CREATE_KW | SyntaxKind::ALTER_KW | SyntaxKind::DROP_KW)
            })
        }
    }
}

fn is_trivia(kind: SyntaxKind) -> bool {
    matches!(kind, SyntaxKind::WHITESPACE | SyntaxKind::COMMENT)
}

#[cfg(test)]
mod tests {
    use super::is_untracked;

    #[test]
    fn what_no_snapshot_shows_is_seen_however_it_is_written() {
        for sql in [
            "CREATE VIEW v AS SELECT 1",
            "create/**/or replace view v AS SELECT 1",
            "-- why\nCREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "DROP TRIGGER\"t\"ON a",
            "WITH n AS (SELECT 1) INSERT INTO a SELECT * FROM n",
            "DO'BEGIN END'",
            "GRANT SELECT ON a TO b",
            "SELECT 1; INSERT INTO a VALUES (1)",
            "CREATE SOMETHING NEW",
        ] {
            assert!(is_untracked(sql), "{sql}");
        }
        for sql in [
            "CREATE TEMP TABLE a (b int)",
            "CREATE UNLOGGED TABLE a (b int)",
            "CREATE/* once */UNIQUE INDEX ON a (b)",
            "ALTER TABLE\"a\"ADD b int",
            "UPDATE a SET b = 1",
            "SELECT 1",
            "SET lock_timeout = '1s'",
            "COMMENT ON TABLE a IS 'b'",
        ] {
            assert!(!is_untracked(sql), "{sql}");
        }
    }
}
