//! Expressions that PostgreSQL prints in one form and reads into another one.
//!
//! `x IN ('a', 'b')` over `varchar` is printed as `(x)::text = ANY ((ARRAY['a'::character varying, ..])::text[])`. When it
//! is read again, the cast becomes one of each element, and the second database would never be reached. Without the cast,
//! PostgreSQL adds the same one by itself.

use std::ops::Range;

use relata_codegen::sql::{CatalogObject, ColumnDefault, Index, IndexTarget, State};
use relata_pgsql::{Token, tokens};

/// Rewrites the expressions of tables.
pub(super) fn rewrite_tables(state: &mut State) {
    for table in &mut state.tables {
        for column in &mut table.columns {
            rewrite_option(&mut column.generated);
            if let Some(ColumnDefault::Expression(sql)) = &mut column.default {
                rewrite(sql);
            }
        }
        table.checks.iter_mut().for_each(|check| rewrite(&mut check.expression));
        table.indexes.iter_mut().for_each(rewrite_index);
        table.exclusions.iter_mut().for_each(|exclusion| rewrite_index(&mut exclusion.index));
    }
}

fn rewrite_index(index: &mut Index) {
    rewrite_option(&mut index.predicate);
    for part in &mut index.parts {
        if let IndexTarget::Expression(sql) = &mut part.target {
            rewrite(sql);
        }
    }
}

/// Rewrites the statements of an object.
pub(super) fn rewrite_object(object: &mut CatalogObject) {
    rewrite_option(&mut object.create);
    rewrite_option(&mut object.replace);
    rewrite(&mut object.shape);
    for part in &mut object.parts {
        rewrite(&mut part.text);
        rewrite(&mut part.add);
        rewrite_option(&mut part.change);
    }
}

fn rewrite_option(sql: &mut Option<String>) {
    sql.iter_mut().for_each(rewrite);
}

/// Takes the casts from `varchar[]` to `text[]` out of `ANY (..)` and `ALL (..)`.
fn rewrite(sql: &mut String) {
    if !sql.contains("::text[]") || !sql.contains("::character varying") {
        return;
    }
    let all: Vec<Token> = tokens(sql).filter(|token| !token.is_comment()).collect();
    let mut removed: Vec<Range<usize>> = (0..all.len()).filter_map(|at| casts(sql, &all[at..])).flatten().collect();
    // One inside another comes before the end of that one.
    removed.sort_by_key(|range| range.start);
    while let Some(range) = removed.pop() {
        sql.replace_range(range, "");
    }
}

/// Returns what to take out of `ANY ((ARRAY[..])::text[])`, which the tokens begin with.
fn casts(sql: &str, all: &[Token]) -> Option<Vec<Range<usize>>> {
    let is = |at: usize, mark: &str| all.get(at).is_some_and(|token| token.is_punctuation(sql, mark));
    let is_word = |at: usize, word: &str| all.get(at).is_some_and(|token| token.is_word(sql, word));
    let begins = (is_word(0, "any") || is_word(0, "all")) && is(1, "(");
    let has_parenthesis = is(2, "(");
    let array = if has_parenthesis { 3 } else { 2 };
    if !begins || !is_word(array, "array") || !is(array + 1, "[") {
        return None;
    }
    let close = end_of_varchars(sql, all, array + 2)?;
    let cast = if has_parenthesis { close + 2 } else { close + 1 };
    let is_cast = is(cast, "::") && is_word(cast + 1, "text") && is(cast + 2, "[") && is(cast + 3, "]");
    if !is_cast || has_parenthesis && !is(close + 1, ")") || !is(cast + 4, ")") {
        return None;
    }
    let opening = has_parenthesis.then(|| all[2].range());
    let rest = all[close].range().end..all[cast + 3].range().end;
    Some(opening.into_iter().chain([rest]).collect())
}

/// Returns the end of an array of which every element ends in `::character varying`.
fn end_of_varchars(sql: &str, all: &[Token], first: usize) -> Option<usize> {
    let mut depth = 0;
    for at in first..all.len() {
        let is = |mark: &str| all[at].is_punctuation(sql, mark);
        if depth == 0 && (is(",") || is("]")) {
            let is_varchar = at >= first + 3
                && all[at - 3].is_punctuation(sql, "::")
                && all[at - 2].is_word(sql, "character")
                && all[at - 1].is_word(sql, "varying");
            if !is_varchar {
                return None;
            }
            if is("]") {
                return Some(at);
            }
        } else if is("(") || is("[") {
            depth += 1;
        } else if is(")") || is("]") {
            depth -= 1;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::rewrite;

    #[test]
    fn a_cast_that_would_be_read_otherwise_is_left_out() {
        let cases = [
            (
                "((a)::text = ANY ((ARRAY['x'::character varying, 'y, z'::character varying])::text[]))",
                "((a)::text = ANY (ARRAY['x'::character varying, 'y, z'::character varying]))",
            ),
            (
                "a::text <> ALL (ARRAY['x'::character varying]::text[]) AND b",
                "a::text <> ALL (ARRAY['x'::character varying]) AND b",
            ),
            // The cast of an element, and another array.
            ("a = ANY (ARRAY[('x'::character varying)::text])", "a = ANY (ARRAY[('x'::character varying)::text])"),
            ("f((ARRAY['x'::character varying])::text[])", "f((ARRAY['x'::character varying])::text[])"),
        ];
        for (from, to) in cases {
            let mut sql = from.to_owned();
            rewrite(&mut sql);
            assert_eq!(sql, to);
        }
    }
}
