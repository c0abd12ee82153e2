//! Whether a statement destroys data, also inside a function or a `DO` block.
//!
//! In case of doubt, the answer is yes: the user can allow the loss.

use std::fmt;

use relata_pgsql::{Token, tokens};
use squawk_syntax::SyntaxNode;
use squawk_syntax::ast::{self, AstNode, DropBehavior, Stmt};

use super::{excerpt, parse};

/// How many words of a statement are shown.
const WORDS: usize = 6;

/// The maximum depth of nested bodies that are parsed.
const MAX_DEPTH: usize = 8;

/// What statements destroy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DataLoss {
    /// This one destroys data.
    Statement(String),
    /// The effect of this one is unknown.
    Unreadable(String),
}

impl DataLoss {
    fn of(node: &SyntaxNode) -> Self {
        Self::Statement(excerpt(&node.text().to_string(), WORDS))
    }

    fn unreadable(sql: &str) -> Self {
        Self::Unreadable(excerpt(sql, WORDS))
    }
}

impl fmt::Display for DataLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Statement(sql) => write!(f, "runs `{sql}`"),
            Self::Unreadable(sql) => write!(f, "runs `{sql}`, which cannot be parsed"),
        }
    }
}

/// The first loss of the statements, if there is one.
pub(crate) fn data_loss(sql: &str) -> Option<DataLoss> {
    match parse(sql) {
        Some(tree) => in_tree(tree.syntax(), 0),
        None => Some(DataLoss::unreadable(sql)),
    }
}

fn in_tree(root: &SyntaxNode, depth: usize) -> Option<DataLoss> {
    root.descendants().find_map(|node| {
        if destroys(&node) {
            return Some(DataLoss::of(&node));
        }
        in_body(&node, depth)
    })
}

/// Whether this node itself destroys data.
fn destroys(node: &SyntaxNode) -> bool {
    if let Some(statement) = Stmt::cast(node.clone()) {
        return match statement {
            Stmt::DropTable(_)
            | Stmt::DropSchema(_)
            | Stmt::DropDatabase(_)
            | Stmt::DropSequence(_)
            | Stmt::DropOwned(_)
            | Stmt::Truncate(_)
            | Stmt::Delete(_) => true,
            // Views, indexes, triggers and policies contain no rows of their own.
            Stmt::DropView(_)
            | Stmt::DropMaterializedView(_)
            | Stmt::DropIndex(_)
            | Stmt::DropTrigger(_)
            | Stmt::DropPolicy(_)
            | Stmt::DropRule(_) => false,
            // Dropping a type or a function with CASCADE also drops the columns that use it.
            _ => node.children().filter_map(DropBehavior::cast).any(|it| matches!(it, DropBehavior::Cascade(_))),
        };
    }
    let is_column =
        |node: &SyntaxNode| ast::DropColumn::can_cast(node.kind()) || ast::DropAttribute::can_cast(node.kind());
    let of_foreign_table = || node.ancestors().any(|node| ast::AlterForeignTable::can_cast(node.kind()));
    ast::MergeDelete::can_cast(node.kind()) || (is_column(node) && !of_foreign_table())
}

/// The loss inside the body of a function, a procedure or a `DO` block.
fn in_body(node: &SyntaxNode, depth: usize) -> Option<DataLoss> {
    let (plpgsql, sql, literal) = if let Some(block) = ast::Do::cast(node.clone()) {
        (block.plpgsql(), None, block.body())
    } else if let Some(function) = ast::CreateFunction::cast(node.clone()) {
        (function.plpgsql(), function.sql_body(), definition(function.option_list()))
    } else if let Some(procedure) = ast::CreateProcedure::cast(node.clone()) {
        (procedure.plpgsql(), procedure.sql_body(), definition(procedure.option_list()))
    } else {
        return None;
    };
    let text = literal.and_then(|literal| literal.string_value())?;
    if depth >= MAX_DEPTH {
        return Some(DataLoss::unreadable(&text));
    }
    match (plpgsql, sql) {
        (Some(body), _) if body.errors().is_empty() => {
            in_tree(&body.syntax(), depth + 1).or_else(|| in_strings(&body.syntax()))
        }
        (_, Some(body)) if body.errors().is_empty() => in_tree(&body.syntax(), depth + 1),
        _ => in_text(&text, depth + 1),
    }
}

fn definition(options: Option<ast::FuncOptionList>) -> Option<ast::Literal> {
    options?.syntax().descendants().find_map(ast::AsDefinition::cast)?.literal()
}

/// A string in PL/pgSQL may be executed, unless it is a message.
fn in_strings(body: &SyntaxNode) -> Option<DataLoss> {
    let is_message =
        |node: &ast::Literal| node.syntax().ancestors().any(|node| ast::PlpgsqlRaiseStmt::can_cast(node.kind()));
    let strings = body.descendants().filter_map(ast::Literal::cast).filter(|literal| !is_message(literal));
    strings.filter_map(|literal| literal.string_value()).find_map(|text| in_text(&text, 0))
}

/// Looks for keywords in a text that may be only a part of a statement, or another language.
fn in_text(text: &str, depth: usize) -> Option<DataLoss> {
    let found: Vec<Token> = tokens(text).filter(|token| !token.is_comment()).collect();
    // `TG_OP = 'DELETE'`.
    if found.len() == 1 && !found[0].is_string() && !text.ends_with(char::is_whitespace) {
        return None;
    }
    found.iter().enumerate().find_map(|(at, token)| {
        let next = found.get(at + 1);
        if token.is_string() {
            let inner = token.value(text);
            return if depth < MAX_DEPTH { in_text(&inner, depth + 1) } else { Some(DataLoss::unreadable(&inner)) };
        }
        let is_loss = (token.is_word(text, "drop") && next.is_none_or(|next| !is_harmless(next, text)))
            || token.is_word(text, "truncate")
            || (token.is_word(text, "delete") && next.is_some_and(|next| next.is_word(text, "from")));
        is_loss.then(|| DataLoss::Statement(excerpt(&text[token.start..], WORDS)))
    })
}

/// Whether `DROP` of this kind of object loses no data.
fn is_harmless(next: &Token, text: &str) -> bool {
    const HARMLESS: [&str; 12] = [
        "constraint",
        "default",
        "expression",
        "function",
        "identity",
        "index",
        "materialized",
        "not",
        "policy",
        "procedure",
        "trigger",
        "view",
    ];
    HARMLESS.iter().any(|word| next.is_word(text, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(sql: &str) -> Option<String> {
        data_loss(sql).map(|loss| loss.to_string())
    }

    #[test]
    fn what_destroys_data_is_seen_however_it_is_written() {
        for (sql, expected) in [
            ("DROP TABLE\"users\"", "DROP TABLE\"users\""),
            ("drop/* why */table -- what\n users", "drop table users"),
            ("DROP TABLE IF EXISTS ONLY_THIS CASCADE", "DROP TABLE IF EXISTS ONLY_THIS CASCADE"),
            ("SELECT 1; DROP TABLE a", "DROP TABLE a"),
            ("DROP SCHEMA\"shop\"", "DROP SCHEMA\"shop\""),
            ("DROP SEQUENCE s", "DROP SEQUENCE s"),
            ("DROP TYPE t CASCADE", "DROP TYPE t CASCADE"),
            ("TRUNCATE\"a\"", "TRUNCATE\"a\""),
            ("DELETE\nFROM\"a\"", "DELETE FROM\"a\""),
            ("WITH gone AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM gone", "DELETE FROM a RETURNING *"),
            ("MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN DELETE", "DELETE"),
            ("EXPLAIN ANALYZE DELETE FROM a", "DELETE FROM a"),
            ("ALTER TABLE a DROP\"b\"", "DROP\"b\""),
            ("ALTER TABLE a ADD c int, DROP COLUMN IF EXISTS b", "DROP COLUMN IF EXISTS b"),
            ("ALTER TYPE t DROP ATTRIBUTE a", "DROP ATTRIBUTE a"),
            ("DO $$BEGIN DROP TABLE\"users\"; END$$", "DROP TABLE\"users\""),
            ("DO 'BEGIN IF true THEN DELETE FROM a; END IF; END'", "DELETE FROM a"),
            ("DO $$BEGIN EXECUTE 'DROP TABLE users'; END$$", "DROP TABLE users"),
            ("DO $$BEGIN EXECUTE format('ALTER TABLE %I DROP COLUMN %I', 'a', 'b'); END$$", "DROP COLUMN %I"),
            ("DO $$DECLARE s text := 'DROP ' || 'TABLE a'; BEGIN EXECUTE s; END$$", "DROP"),
            ("DO $a$BEGIN EXECUTE 'DO $b$BEGIN TRUNCATE a; END$b$'; END$a$", "TRUNCATE a"),
            ("CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'DELETE FROM a'", "DELETE FROM a"),
            ("CREATE FUNCTION f() RETURNS void LANGUAGE sql BEGIN ATOMIC DELETE FROM a; END", "DELETE FROM a"),
            ("CREATE FUNCTION f() RETURNS void AS $$BEGIN DROP TABLE a; END$$ LANGUAGE plpgsql", "DROP TABLE a"),
            ("CREATE PROCEDURE p() LANGUAGE plpgsql AS $$BEGIN TRUNCATE a; END$$", "TRUNCATE a"),
            ("CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u AS $$plpy.execute('DROP TABLE a')$$", "DROP TABLE a"),
        ] {
            assert_eq!(shown(sql), Some(format!("runs `{}`", expected)), "{sql}");
        }
        let unreadable = "DROP THING a";
        assert_eq!(shown(unreadable), Some("runs `DROP THING a`, which cannot be parsed".to_owned()));
    }

    #[test]
    fn what_destroys_nothing_is_let_through() {
        for sql in [
            "CREATE TABLE \"DROP TABLE a\" (a text DEFAULT 'DELETE FROM a')",
            "CREATE TABLE a (b int REFERENCES c ON DELETE CASCADE)",
            "ALTER TABLE a DROP CONSTRAINT b, ALTER c DROP NOT NULL, ALTER c DROP DEFAULT, ALTER c DROP IDENTITY",
            "ALTER TABLE a DROP CONSTRAINT b CASCADE",
            "DROP VIEW v CASCADE",
            "DROP INDEX i",
            "DROP TYPE t",
            "DROP TRIGGER t ON a",
            "CREATE TRIGGER t AFTER DELETE OR TRUNCATE ON a EXECUTE FUNCTION f()",
            "CREATE POLICY p ON a FOR DELETE USING (true)",
            "GRANT DELETE, TRUNCATE ON a TO b",
            "ALTER FOREIGN TABLE a DROP COLUMN b",
            "INSERT INTO a VALUES ('DROP TABLE a') -- DROP TABLE a",
            "DO $$BEGIN IF true THEN RAISE NOTICE 'DROP TABLE a'; END IF; END$$",
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN IF TG_OP = 'DELETE' OR TG_OP = 'TRUNCATE' THEN RETURN OLD; END IF; RETURN NEW; END$$",
        ] {
            assert_eq!(shown(sql), None, "{sql}");
        }
    }

    #[test]
    fn bodies_in_bodies_end() {
        let mut sql = "SELECT 1".to_owned();
        for level in 0..200 {
            sql = format!("DO $q{level}$BEGIN EXECUTE $r{level}${sql}$r{level}$; END$q{level}$");
        }
        assert!(matches!(data_loss(&sql), Some(DataLoss::Unreadable(_))));
    }
}
