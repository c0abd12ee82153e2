//! Splits the SQL of a migration into segments of single statements.
//!
//! Takes the text of `migration.sql`, and returns a [`Script`], or the place where the text is not well-formed.
//! Statements are sent one by one, because a message with several statements has different transaction rules, and
//! because a server continues with such a message after its client was killed.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use relata_pgsql::{Nesting, Token, TokenKind, Unterminated, tokens};

/// How the statements of a segment are executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentMode {
    /// All of them or none.
    Transactional,
    /// One after another, without a transaction. A later deploy resumes where an earlier one stopped.
    Outside,
}

/// Consecutive statements that are executed in the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The mode.
    pub mode: SegmentMode,
    /// The statements in order; never empty.
    pub statements: Vec<Statement>,
}

/// One SQL statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its text, without the semicolon and the comments before it.
    pub sql: String,
    /// The line of the file it starts on, from 1.
    pub line: u32,
    /// SHA-256 of its tokens, so that comments and white space have no effect.
    pub hash: String,
}

/// A migration split into segments. A text with only comments has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// In the order of the file.
    pub segments: Vec<Segment>,
}

/// The reason why a text cannot be split into statements.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ScriptError {
    /// The line of the file, from 1.
    pub line: u32,
    /// The problem and the remedy.
    pub problem: String,
}

impl Script {
    /// Cuts `sql` into statements and segments.
    ///
    /// A line `-- relata:segment transactional` or `-- relata:segment outside` between two statements begins a
    /// segment; what comes before the first such line is transactional.
    ///
    /// # Errors
    ///
    /// If a string or comment is not closed, a marker is unknown or inside a statement, or the runner cannot send a
    /// statement: one that begins or ends a transaction, which the runner does itself, or one that only psql can run.
    ///
    /// ```
    /// use relata::migrate::{Script, SegmentMode};
    ///
    /// let script = Script::parse("CREATE TABLE t (a int);\n-- relata:segment outside\nCREATE INDEX CONCURRENTLY t_a ON t (a);")?;
    /// assert_eq!(script.segments[1].mode, SegmentMode::Outside);
    /// assert_eq!(script.segments[1].statements[0].line, 3);
    /// # Ok::<(), relata::migrate::ScriptError>(())
    /// ```
    pub fn parse(sql: &str) -> Result<Self, ScriptError> {
        if let Some(offset) = sql.find('\0') {
            let problem = "a NUL character, which PostgreSQL does not accept; remove it".to_owned();
            return Err(ScriptError { line: line_of(sql, offset), problem });
        }
        let mut splitter = Splitter::new(sql);
        for token in tokens(sql) {
            splitter.take(token)?;
        }
        splitter.finish()
    }

    /// Returns all statements in order.
    pub fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.segments.iter().flat_map(|segment| &segment.statements)
    }

    /// Returns whether the whole script runs in one transaction, including the history row.
    #[must_use]
    pub fn is_atomic(&self) -> bool {
        matches!(self.segments.as_slice(), [] | [Segment { mode: SegmentMode::Transactional, .. }])
    }
}

fn unclosed(sql: &str, token: Token, what: Unterminated) -> ScriptError {
    let what = match what {
        Unterminated::String => "string",
        Unterminated::DollarString => "dollar-quoted string",
        Unterminated::Ident => "quoted identifier",
        Unterminated::Comment => "comment `/*`",
    };
    ScriptError { line: line_of(sql, token.start), problem: format!("this {what} is never closed; add its end") }
}

/// Returns the line of a byte offset, from 1.
pub(super) fn line_of(sql: &str, offset: usize) -> u32 {
    let newlines = sql.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count();
    u32::try_from(newlines + 1).unwrap_or(u32::MAX)
}

struct Splitter<'a> {
    sql: &'a str,
    segments: Vec<Segment>,
    mode: SegmentMode,
    statements: Vec<Statement>,
    current: Vec<Token>,
    nesting: Nesting,
}

impl<'a> Splitter<'a> {
    fn new(sql: &'a str) -> Self {
        Self {
            sql,
            segments: Vec::new(),
            mode: SegmentMode::Transactional,
            statements: Vec::new(),
            current: Vec::new(),
            nesting: Nesting::default(),
        }
    }

    fn take(&mut self, token: Token) -> Result<(), ScriptError> {
        if let TokenKind::Unterminated(what) = token.kind {
            return Err(unclosed(self.sql, token, what));
        }
        if token.is_comment() {
            return self.take_comment(token);
        }
        if self.nesting.ends_statement(self.sql, token) {
            return self.end_statement();
        }
        self.current.push(token);
        Ok(())
    }

    fn take_comment(&mut self, token: Token) -> Result<(), ScriptError> {
        let Some(marker) = segment_marker(token, self.sql) else { return Ok(()) };
        let at = |problem: &str| ScriptError { line: line_of(self.sql, token.start), problem: problem.to_owned() };
        if !self.current.is_empty() {
            return Err(at("`relata:segment` inside a statement; end the statement with a semicolon before it"));
        }
        let mode = match marker {
            "transactional" => SegmentMode::Transactional,
            "outside" => SegmentMode::Outside,
            _ => {
                return Err(at(
                    "unknown segment; write `-- relata:segment transactional` or `-- relata:segment outside`",
                ));
            }
        };
        self.end_segment();
        self.mode = mode;
        Ok(())
    }

    fn end_statement(&mut self) -> Result<(), ScriptError> {
        let tokens = std::mem::take(&mut self.current);
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return Ok(()) };
        let line = line_of(self.sql, first.start);
        if let Some(problem) = refusal(self.sql, &tokens) {
            return Err(ScriptError { line, problem });
        }
        let sql = self.sql[first.start..last.end].to_owned();
        let hash = hash_tokens(self.sql, &tokens);
        self.statements.push(Statement { sql, line, hash });
        Ok(())
    }

    fn end_segment(&mut self) {
        let statements = std::mem::take(&mut self.statements);
        if !statements.is_empty() {
            self.segments.push(Segment { mode: self.mode, statements });
        }
    }

    fn finish(mut self) -> Result<Script, ScriptError> {
        self.end_statement()?;
        self.end_segment();
        Ok(Script { segments: self.segments })
    }
}

/// Returns the text after `relata:segment` in a comment.
fn segment_marker(token: Token, sql: &str) -> Option<&str> {
    if token.kind != TokenKind::LineComment {
        return None;
    }
    token.text(sql).trim_start_matches('-').trim().strip_prefix("relata:segment").map(str::trim)
}

/// Returns why the runner cannot send a statement, and what to do instead.
fn refusal(sql: &str, tokens: &[Token]) -> Option<String> {
    if let Some(command) = transaction_control(sql, tokens) {
        return Some(format!(
            "`{command}`: the runner begins and ends transactions itself; take the statement out, and divide the file \
             with `-- relata:segment transactional` where a part has to be committed on its own"
        ));
    }
    let first = tokens.first()?;
    if first.text(sql) == "\\" {
        return Some("a line that begins with a backslash is a psql command, not SQL; remove it".to_owned());
    }
    let is_stream = |pair: &[Token]| {
        pair[0].is_word(sql, "from") && pair[1].is_word(sql, "stdin")
            || pair[0].is_word(sql, "to") && pair[1].is_word(sql, "stdout")
    };
    (first.is_word(sql, "copy") && tokens.windows(2).any(is_stream))
        .then(|| "a migration has no stdin and stdout to copy from and to; write INSERT statements".to_owned())
}

/// Returns the command, if it would end or begin the runner's own transaction. Savepoints are allowed.
fn transaction_control(sql: &str, tokens: &[Token]) -> Option<String> {
    let word = |at: usize| tokens.get(at).map(|token| token.text(sql).to_ascii_uppercase()).unwrap_or_default();
    let (first, second) = (word(0), word(1));
    let to_savepoint = || (1..=2).any(|at| word(at) == "TO");
    match (first.as_str(), second.as_str()) {
        ("BEGIN" | "COMMIT" | "END" | "ABORT", _) => Some(first),
        ("ROLLBACK", _) if !to_savepoint() => Some(first),
        ("START" | "PREPARE", "TRANSACTION") => Some(format!("{first} {second}")),
        _ => None,
    }
}

/// Returns SHA-256 of the file's bytes, with normalised line breaks, because git may change them.
pub(super) fn checksum(sql: &str) -> String {
    hex(&Sha256::digest(sql.replace("\r\n", "\n")))
}

/// Returns SHA-256 of the tokens and segment markers, so that editing comments or white space has no effect. For a text
/// that is not well-formed, its checksum is used.
pub(super) fn token_checksum(sql: &str) -> String {
    let tokens: Vec<Token> = tokens(sql).collect();
    let is_open = |token: &Token| matches!(token.kind, TokenKind::Unterminated(_));
    if tokens.iter().any(is_open) { checksum(sql) } else { hash_tokens(sql, &tokens) }
}

fn hash_tokens(sql: &str, tokens: &[Token]) -> String {
    let mut hasher = Sha256::new();
    for &token in tokens {
        if let Some(marker) = segment_marker(token, sql) {
            hasher.update(b"\x01");
            hasher.update(marker);
        } else if !token.is_comment() {
            hasher.update(token.text(sql).replace("\r\n", "\n"));
        } else {
            continue;
        }
        hasher.update(b"\0");
    }
    hex(&hasher.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(sql: &str) -> Vec<String> {
        Script::parse(sql).expect("well-formed").statements().map(|statement| statement.sql.clone()).collect()
    }

    fn problem(sql: &str) -> String {
        Script::parse(sql).expect_err("must be refused").to_string()
    }

    #[test]
    fn semicolons_in_quotes_and_comments_do_not_split() {
        let parts = [
            "SELECT 'a;b', 'it''s;'",
            r"SELECT E'it\'s; fine', e'\\'",
            "SELECT \"we;ird\"\"; name\"",
            "DO $$ BEGIN PERFORM 1; END $$",
            "DO $body$ SELECT '$$'; $body$",
            "SELECT /* a; /* nested; */ still; */ 1 -- and; this\n + 2",
            "SELECT a$b$ FROM t",
            "SELECT U&'d;\\0061t', B'01', x'ff'",
        ];
        assert_eq!(statements(&parts.join(";\n")), parts);
    }

    #[test]
    fn a_continued_escape_string_keeps_its_escapes() {
        assert_eq!(statements("SELECT E'a'\n  'b\\';c'; SELECT 2"), ["SELECT E'a'\n  'b\\';c'", "SELECT 2"]);
    }

    #[test]
    fn an_sql_function_body_and_a_rule_are_one_statement() {
        let function = "CREATE OR REPLACE FUNCTION f(a int) RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN a > 1 \
                        THEN 2 ELSE 3 END; END";
        let rule = "CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM u; DELETE FROM v)";
        assert_eq!(statements(&format!("{function};{rule};SELECT 1")), [function, rule, "SELECT 1"]);
    }

    #[test]
    fn comments_alone_are_no_statement() {
        assert!(statements("-- nothing\n/* at all */ ;;\n").is_empty());
        assert!(Script::parse("").expect("empty is fine").is_atomic());
    }

    #[test]
    fn lines_are_those_of_the_file() {
        let script = Script::parse("-- head\n\nSELECT 1;\n\n  SELECT\n  2;SELECT 3").expect("well-formed");
        assert_eq!(script.statements().map(|statement| statement.line).collect::<Vec<_>>(), [3, 5, 6]);
    }

    #[test]
    fn markers_divide_the_file() {
        let script = Script::parse(
            "SELECT 1;\n--relata:segment outside\nSELECT 2;\n-- relata:segment transactional\nSELECT 3; SELECT 4;",
        )
        .expect("well-formed");
        let shape: Vec<_> = script.segments.iter().map(|segment| (segment.mode, segment.statements.len())).collect();
        assert_eq!(
            shape,
            [(SegmentMode::Transactional, 1), (SegmentMode::Outside, 1), (SegmentMode::Transactional, 2)]
        );
        assert!(!script.is_atomic());
    }

    #[test]
    fn a_text_that_cannot_be_cut_names_its_line() {
        assert_eq!(problem("SELECT 1;\nSELECT 'open"), "line 2: this string is never closed; add its end");
        assert!(problem("DO $x$ BEGIN").contains("dollar-quoted"));
        assert!(problem("/* /* */").contains("comment"));
        assert!(problem("SELECT \"a").contains("quoted identifier"));
        assert!(problem("-- relata:segment later\n").contains("unknown segment"));
        assert!(problem("SELECT\n-- relata:segment outside\n1;").starts_with("line 2: `relata:segment` inside"));
    }

    #[test]
    fn transaction_commands_are_refused_and_savepoints_are_not() {
        for command in
            ["BEGIN", "begin work", "COMMIT", "END", "ROLLBACK", "START TRANSACTION", "PREPARE TRANSACTION 'x'"]
        {
            assert!(problem(&format!("SELECT 1; {command};")).contains("the runner begins and ends"), "{command}");
        }
        assert_eq!(statements("SAVEPOINT a; ROLLBACK TO a; ROLLBACK TO SAVEPOINT a; RELEASE a").len(), 4);
    }

    #[test]
    fn what_only_psql_can_run_is_refused() {
        for statement in ["COPY t FROM stdin;\n1\n\\.", "COPY t (a, b) TO STDOUT WITH (FORMAT csv)"] {
            assert!(problem(statement).contains("INSERT"), "{statement}");
        }
        assert_eq!(statements("COPY t FROM '/a/file'").len(), 1);
        assert!(problem("SELECT 1;\n\\connect other").starts_with("line 2: a line that begins with a backslash"));
        assert!(problem("SELECT 1;\nSELECT '\0'").starts_with("line 2: a NUL"));
    }

    #[test]
    fn only_the_token_checksum_ignores_comments_and_white_space() {
        let (one, two) = ("SELECT 1; -- one\n", "\n/* two */ SELECT\t1 ;\r\n");
        assert_ne!(checksum(one), checksum(two));
        assert_eq!(token_checksum(one), token_checksum(two));
        assert_eq!(checksum("a\r\nb"), checksum("a\nb"));
        for edit in ["SELECT 2;", "SELECT '1';", "SELECT 11;", "-- relata:segment outside\nSELECT 1;"] {
            assert_ne!(token_checksum(one), token_checksum(edit), "{edit}");
        }
        assert_ne!(token_checksum("SELECT 'a b'"), token_checksum("SELECT 'a  b'"));
    }
}
