//! The findings of squawk about hand-written SQL, under our codes.
//!
//! Takes a script, gives findings by the number of their statement. Rules without a code here are disabled: they are
//! matters of style, or the runner handles them.

use std::fmt::Write as _;

use relata::migrate::{Script, SegmentMode};
use relata_codegen::sql::{Finding, find_lint};
use relata_pgsql::{Token, tokens};
use squawk_linter::{Linter, Rule, Violation};
use squawk_syntax::SourceFile;

/// Each rule and its code.
const RULES: &[(Rule, &str)] = &[
    (Rule::BanDropSchema, "D101"),
    (Rule::BanDropDatabase, "D101"),
    (Rule::BanDropTable, "D102"),
    (Rule::BanDropColumn, "D103"),
    (Rule::BanTruncateCascade, "D108"),
    (Rule::BanDropSequence, "D109"),
    (Rule::AddingRequiredField, "F201"),
    (Rule::RequireConcurrentIndexCreation, "L301"),
    (Rule::RequireConcurrentReindex, "L301"),
    (Rule::RequireConcurrentIndexDeletion, "L302"),
    (Rule::AddingSerialPrimaryKeyField, "L304"),
    (Rule::DisallowedUniqueConstraint, "L304"),
    (Rule::ChangingColumnType, "L305"),
    (Rule::AddingFieldWithDefault, "L306"),
    (Rule::AddingNotNullableField, "L307"),
    (Rule::AddingForeignKeyConstraint, "L309"),
    (Rule::ConstraintMissingNotValid, "L308"),
    (Rule::RenamingColumn, "C401"),
    (Rule::RenamingTable, "C401"),
    (Rule::BanSetSchema, "C401"),
    (Rule::BanDropNotNull, "C402"),
    (Rule::BanDropConstraint, "C403"),
    (Rule::RequireEnumValueOrdering, "C404"),
    (Rule::PreferBigintOverInt, "Q501"),
    (Rule::PreferBigintOverSmallint, "Q501"),
    (Rule::PreferIdentity, "Q501"),
    (Rule::PreferTimestampTz, "Q501"),
    (Rule::BanCharField, "Q501"),
    (Rule::IdentifierTooLong, "Q502"),
    (Rule::PreferRobustStmts, "Q505"),
];

/// The findings, each with the number of its statement.
pub(super) fn read(script: &Script) -> Vec<(usize, Finding)> {
    let Text { sql, starts, outside } = write(script);
    let mut linter = Linter::from(RULES.iter().map(|(rule, _)| *rule));
    let mut found: Vec<(usize, Finding)> = Vec::new();
    for violation in linter.lint(&SourceFile::parse(&sql), &sql) {
        let offset = usize::from(violation.text_range.start());
        let Some(index) = starts.partition_point(|start| *start <= offset).checked_sub(1) else { continue };
        let Some(finding) = finding(&violation, &sql[offset..]) else { continue };
        // A failed transaction is rolled back and can run again.
        let can_run_again = !outside.contains(&index) || is_repeatable(&sql[starts[index]..]);
        let is_needless = finding.lint.code == "Q505" && can_run_again;
        if !is_needless && !found.contains(&(index, finding.clone())) {
            found.push((index, finding));
        }
    }
    // The rule about NOT VALID also matches keys, which have their own codes.
    let of_keys: Vec<usize> =
        found.iter().filter(|(_, it)| matches!(it.lint.code, "L304" | "L309")).map(|(index, _)| *index).collect();
    found.retain(|(index, it)| it.lint.code != "L308" || !of_keys.contains(index));
    found
}

/// Whether a statement does nothing the second time, or the runner checks its result before it runs it again.
fn is_repeatable(sql: &str) -> bool {
    let statement = tokens(sql).take_while(|token| !token.is_punctuation(sql, ";"));
    let words: Vec<Token> = statement.filter(|token| !token.is_comment()).collect();
    let is = |token: &Token, word: &str| token.is_word(sql, word);
    let has = |first: &str, second: &str| words.windows(2).any(|pair| is(&pair[0], first) && is(&pair[1], second));
    let is_concurrent = words.iter().any(|token| is(token, "concurrently"));
    is_concurrent || has("validate", "constraint") || has("add", "value")
}

fn finding(violation: &Violation, at: &str) -> Option<Finding> {
    let (_, code) = RULES.iter().find(|(rule, _)| *rule == violation.code)?;
    let is_validation = at.get(..8).is_some_and(|word| word.eq_ignore_ascii_case("validate"));
    let lint = find_lint(if *code == "L308" && is_validation { "L310" } else { code })?;
    Some(Finding::new(lint, lint.title))
}

/// A script for squawk, with the transactions that the runner creates.
struct Text {
    sql: String,
    /// Where each statement begins.
    starts: Vec<usize>,
    /// The numbers of the statements outside of transactions.
    outside: Vec<usize>,
}

fn write(script: &Script) -> Text {
    let mut text = Text { sql: String::new(), starts: Vec::new(), outside: Vec::new() };
    for segment in &script.segments {
        let is_transaction = segment.mode == SegmentMode::Transactional;
        if is_transaction {
            text.sql += "BEGIN;\n";
        }
        for statement in &segment.statements {
            if !is_transaction {
                text.outside.push(text.starts.len());
            }
            text.starts.push(text.sql.len());
            // Writing to a String cannot fail.
            let _ = writeln!(text.sql, "{};", statement.sql);
        }
        if is_transaction {
            text.sql += "COMMIT;\n";
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_runner_can_repeat_is_read_as_postgresql_reads_it() {
        assert!(is_repeatable("ALTER TYPE t ADD/* one */VALUE 'a'; SELECT 1"));
        assert!(is_repeatable("DROP INDEX CONCURRENTLY\"i\""));
        assert!(!is_repeatable("ALTER TABLE t ADD \"value\" int"));
        assert!(!is_repeatable("CREATE TABLE a (b int); DROP INDEX CONCURRENTLY i"));
        assert!(is_repeatable("ALTER TABLE \";\" VALIDATE CONSTRAINT c"));
    }

    #[test]
    fn every_rule_has_a_code_of_ours() {
        for (rule, code) in RULES {
            assert!(find_lint(code).is_some(), "{rule}: {code}");
        }
    }
}
