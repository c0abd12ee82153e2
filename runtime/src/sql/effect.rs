//! The effects of raw SQL on its connection, besides reading and writing rows.
//!
//! A connection returns to the pool, so no call may affect the next one. Transactions are refused, because the client
//! would not know of them. Changes of the session (settings, advisory locks, LISTEN, temporary tables, cursors) are
//! allowed, and the session is reset before it is reused. The text of the statement decides: a statement changes its
//! session by its own command, or through a function. Unknown functions, such as those of the program, are assumed to
//! do so. An unnecessary reset costs one message, but no round trip of the call.

use relata_pgsql::{Token, TokenKind, tokens};

/// The effect of a statement on its connection.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SessionEffect {
    #[default]
    None,
    /// Something that a reset removes.
    Session,
    /// Something that stays until the connection is closed.
    Connection,
}

const CONTROLS_TRANSACTION: &str = "BEGIN, COMMIT, ROLLBACK, SAVEPOINT and their like cannot be sent as SQL, because the \
    client has to know whether a transaction is open: use `begin`, `transaction`, `savepoint`, `commit` or `rollback`";
const COPIES: &str = "COPY from or to the client cannot be sent as SQL: use `copy_in`, or `stream` to read";

/// Returns why a statement is refused, if it would leave the connection in a state that the client does not know.
pub(crate) fn refused(sql: &str) -> Option<&'static str> {
    let begin = sql.trim_ascii_start();
    let word = &begin[..begin.bytes().take_while(u8::is_ascii_alphabetic).count()];
    if !word.is_empty() && !CONTROLS.iter().chain(&["PREPARE", "COPY"]).any(|known| word.eq_ignore_ascii_case(known)) {
        return None;
    }
    let tokens = tokens_of(sql)?;
    let (first, second) = (tokens.first()?, tokens.get(1));
    let second_is = |word: &str| second.is_some_and(|second| second.is_word(sql, word));
    if CONTROLS.iter().any(|control| first.is_word(sql, control)) {
        // COMMIT PREPARED ends a transaction that was prepared earlier, in any session.
        return (!second_is("PREPARED")).then_some(CONTROLS_TRANSACTION);
    }
    if first.is_word(sql, "PREPARE") && second_is("TRANSACTION") {
        return Some(CONTROLS_TRANSACTION);
    }
    let with_client = |token: &Token| token.is_word(sql, "STDIN") || token.is_word(sql, "STDOUT");
    (first.is_word(sql, "COPY") && tokens.iter().any(with_client)).then_some(COPIES)
}

const CONTROLS: &[&str] = &["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"];

/// Returns what a statement may leave behind.
pub(crate) fn trace(sql: &str) -> SessionEffect {
    // The server will refuse a text that cannot be tokenized.
    let Some(tokens) = tokens_of(sql) else { return SessionEffect::Session };
    let mut words = tokens.iter().filter(|token| token.kind == TokenKind::Word).map(|token| token.text(sql));
    let first = words.next().unwrap_or_default().to_ascii_uppercase();
    let second = words.next().unwrap_or_default().to_ascii_uppercase();
    match (first.as_str(), second.as_str()) {
        // Prepared statements, including those of the client, and libraries.
        ("PREPARE" | "DEALLOCATE" | "DISCARD" | "LOAD", _) => SessionEffect::Connection,
        // These end with their transaction.
        ("SET", "LOCAL" | "TRANSACTION" | "CONSTRAINTS") => SessionEffect::None,
        (
            "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "VALUES" | "TABLE" | "WITH" | "EXPLAIN" | "SHOW"
            | "TRUNCATE" | "LOCK" | "NOTIFY" | "ANALYZE" | "REFRESH" | "COMMIT" | "ROLLBACK",
            _,
        ) if !makes_temporary_table(sql, &tokens) && !calls_unknown_function(sql, &tokens) => SessionEffect::None,
        _ => SessionEffect::Session,
    }
}

/// Returns whether a statement with rows may write. For a SELECT, that depends on its functions, which the text does
/// not show.
pub(crate) fn may_write(sql: &str) -> bool {
    let Some(tokens) = tokens_of(sql) else { return true };
    let is_any = |token: &Token, of: &[&str]| of.iter().any(|known| token.is_word(sql, known));
    let has = |word: &str| tokens.iter().any(|token| token.is_word(sql, word));
    // UPDATE, but not that of FOR UPDATE and FOR NO KEY UPDATE.
    let updates = |pair: &[Token]| pair[1].is_word(sql, "UPDATE") && !is_any(&pair[0], &["FOR", "KEY"]);
    let writes = || ["INSERT", "DELETE", "MERGE", "INTO"].into_iter().any(has) || tokens.windows(2).any(updates);
    match tokens.first() {
        Some(first) if is_any(first, &["SELECT", "WITH"]) => writes(),
        Some(first) if is_any(first, &["EXPLAIN"]) => writes() && (has("ANALYZE") || has("ANALYSE")),
        Some(first) => !is_any(first, &["VALUES", "TABLE", "SHOW"]),
        None => true,
    }
}

/// Returns whether a text is one statement. A text that cannot be tokenized is not.
pub(crate) fn is_one_statement(sql: &str) -> bool {
    let Some(tokens) = tokens_of(sql) else { return false };
    let statements = tokens.split(|token| token.is_punctuation(sql, ";"));
    statements.filter(|statement| !statement.is_empty()).count() == 1
}

/// Returns the tokens after comments and parentheses at the beginning.
fn tokens_of(sql: &str) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    for token in tokens(sql).filter(|token| !token.is_comment()) {
        if matches!(token.kind, TokenKind::Unterminated(_)) {
            return None;
        }
        found.push(token);
    }
    let start = found.iter().take_while(|token| token.is_punctuation(sql, "(")).count();
    found.drain(..start);
    Some(found)
}

/// `SELECT .. INTO TEMP name`.
fn makes_temporary_table(sql: &str, tokens: &[Token]) -> bool {
    let temporary = |token: &Token| token.is_word(sql, "TEMP") || token.is_word(sql, "TEMPORARY");
    tokens.windows(2).any(|pair| pair[0].is_word(sql, "INTO") && temporary(&pair[1]))
}

/// Returns whether a name before a parenthesis may be a function that changes the session.
fn calls_unknown_function(sql: &str, tokens: &[Token]) -> bool {
    tokens.iter().enumerate().any(|(place, token)| {
        if !token.is_punctuation(sql, "(") || place == 0 {
            return false;
        }
        let (name, before) = (&tokens[place - 1], &tokens[..place - 1]);
        let is_known = || {
            let name = name.text(sql).to_ascii_lowercase();
            LEAVES_NOTHING.iter().any(|list| list.split_ascii_whitespace().any(|known| known == name))
        };
        match name.kind {
            TokenKind::QuotedIdent | TokenKind::UnicodeIdent => !is_target(sql, before),
            TokenKind::Word => (is_qualified(sql, before) || !is_known()) && !is_target(sql, before),
            _ => false,
        }
    })
}

fn is_qualified(sql: &str, before: &[Token]) -> bool {
    match before {
        [.., schema, point] if point.is_punctuation(sql, ".") => !schema.is_word(sql, "pg_catalog"),
        _ => false,
    }
}

/// Returns whether this is a table or an alias with its columns, not a function: `INTO a.b (..)`, `AS t (..)`.
fn is_target(sql: &str, before: &[Token]) -> bool {
    match before {
        [rest @ .., _, point] if point.is_punctuation(sql, ".") => is_target(sql, rest),
        [.., word] => ["INTO", "AS", "WITH", "RECURSIVE", "REFERENCES"].iter().any(|known| word.is_word(sql, known)),
        [] => false,
    }
}

/// Names that may come before a parenthesis and leave nothing in a session. Without `set_config` and the advisory locks
/// of a session.
const LEAVES_NOTHING: [&str; 5] = [KEYWORDS, AGGREGATES, VALUES, DOCUMENTS, SERVER];

/// Keywords and types.
const KEYWORDS: &str = "\
    all and any array as between bit by case char character conflict cube decimal distinct else except exists \
    explain filter float from group having ilike in intersect interval is join lateral like limit materialized \
    not numeric offset on only or over partition range returning rollup row rows select set sets some then time \
    timestamp timestamptz timetz to union using values varbit varchar when where window within";

/// Aggregates and window functions.
const AGGREGATES: &str = "\
    array_agg avg bit_and bit_or bool_and bool_or corr count cume_dist dense_rank every first_value json_agg \
    json_object_agg jsonb_agg jsonb_object_agg lag last_value lead max min mode nth_value ntile percent_rank \
    percentile_cont percentile_disc rank row_number stddev stddev_pop stddev_samp string_agg sum var_pop \
    var_samp variance";

/// Functions on values.
const VALUES: &str = "\
    abs age array_append array_cat array_length array_position array_prepend array_remove array_replace \
    array_to_string array_upper ascii btrim cardinality cast cbrt ceil ceiling char_length chr clock_timestamp \
    coalesce concat concat_ws convert_from convert_to date date_bin date_part date_trunc decode div encode exp \
    extract floor format gen_random_uuid generate_series generate_subscripts greatest grouping hashtext initcap \
    isfinite justify_days justify_hours least left length ln localtimestamp log lower lower_inc lpad ltrim \
    make_date make_interval make_time make_timestamp make_timestamptz md5 mod now nullif num_nonnulls num_nulls \
    octet_length overlay position pow power quote_ident quote_literal random regexp_count regexp_like \
    regexp_match regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table repeat replace \
    reverse right round rpad rtrim sha256 sign similarity split_part sqrt starts_with statement_timestamp \
    string_to_array string_to_table strpos substr substring timezone to_char to_date to_hex to_number \
    to_timestamp transaction_timestamp translate trim trunc unnest upper upper_inc width_bucket";

/// Functions for Json and text search.
const DOCUMENTS: &str = "\
    json_array_elements json_array_elements_text json_array_length json_build_array json_build_object json_each \
    json_each_text json_extract_path json_extract_path_text json_object_keys json_typeof jsonb_array_elements \
    jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text \
    jsonb_extract_path jsonb_extract_path_text jsonb_insert jsonb_object_keys jsonb_path_exists jsonb_path_query \
    jsonb_path_query_array jsonb_pretty jsonb_set jsonb_strip_nulls jsonb_to_record jsonb_to_recordset \
    jsonb_typeof phraseto_tsquery plainto_tsquery row_to_json setweight to_json to_jsonb to_tsquery to_tsvector \
    ts_headline ts_rank ts_rank_cd websearch_to_tsquery";

/// Functions that describe the server, and those whose effect ends with the transaction.
const SERVER: &str = "\
    col_description current_database current_schema current_schemas current_setting currval format_type \
    has_table_privilege lastval nextval obj_description pg_advisory_xact_lock pg_advisory_xact_lock_shared \
    pg_backend_pid pg_cancel_backend pg_column_size pg_current_xact_id pg_current_xact_id_if_assigned \
    pg_database_size pg_get_constraintdef pg_get_expr pg_get_indexdef pg_get_serial_sequence pg_get_viewdef \
    pg_is_in_recovery pg_notify pg_postmaster_start_time pg_relation_size pg_size_pretty pg_sleep pg_table_size \
    pg_terminate_backend pg_total_relation_size pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared \
    pg_typeof setval to_regclass txid_current version";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transactions_and_copies_are_refused() {
        for sql in [
            "BEGIN",
            "  begin work",
            "-- begins\nSTART TRANSACTION ISOLATION LEVEL SERIALIZABLE",
            "/* ends */ commit",
            "END",
            "ROLLBACK",
            "abort",
            "SAVEPOINT a",
            "ROLLBACK TO a",
            "RELEASE a",
            "PREPARE TRANSACTION 'x'",
            "COPY t FROM STDIN",
            "copy (select 1) to stdout",
        ] {
            assert!(refused(sql).is_some(), "{sql}");
        }
        for sql in ["SELECT 'BEGIN'", "COMMIT PREPARED 'x'", "ROLLBACK PREPARED 'x'", "PREPARE q AS SELECT 1", "", "'"]
        {
            assert!(refused(sql).is_none(), "{sql}");
        }
    }

    #[test]
    fn statements_are_counted() {
        for sql in
            ["SELECT $1", "(SELECT 1) -- one; two", "SELECT ';' || $$;$$ || $1; /* ; */ ", "SELECT 1 AS \"a;b\";;"]
        {
            assert!(is_one_statement(sql), "{sql}");
        }
        for sql in ["", " -- nothing", ";", "SELECT $1; SELECT 2", "SELECT $1; DELETE FROM a -- all", "SELECT '"] {
            assert!(!is_one_statement(sql), "{sql}");
        }
    }

    #[test]
    fn usual_statements_leave_nothing() {
        for sql in [
            "SELECT count(*), max(a.b) FROM a WHERE a.id IN (1, 2) AND EXISTS (SELECT 1 FROM c)",
            "INSERT INTO public.users (id, \"name\") VALUES ($1, lower($2)) ON CONFLICT (id) DO NOTHING RETURNING (id)",
            "WITH RECURSIVE tree (id) AS (SELECT 1) SELECT id::varchar(3) FROM tree",
            "(SELECT 1) UNION (SELECT 2)",
            "SELECT pg_catalog.upper('a'), 'set_config(' FROM unnest($1::int[]) AS t(id)",
            "SET LOCAL statement_timeout = 1",
            "UPDATE a SET (b, c) = (1, 2) WHERE id = ANY($1)",
            "NOTIFY channel",
        ] {
            assert_eq!(trace(sql), SessionEffect::None, "{sql}");
        }
    }

    #[test]
    fn what_may_write_is_known() {
        for sql in [
            "INSERT INTO a VALUES (1) RETURNING id",
            "/* SELECT */ DELETE FROM a RETURNING id",
            "WITH gone AS (DELETE FROM a RETURNING id) SELECT id FROM gone",
            "SELECT 1 AS id INTO b",
            "EXPLAIN (ANALYZE) UPDATE a SET id = 1",
            "CALL mine()",
            "SELECT '",
        ] {
            assert!(may_write(sql), "{sql}");
        }
        for sql in [
            "SELECT 1",
            "(SELECT 1) UNION (SELECT 2)",
            "-- reads\nSELECT 'insert', \"delete\" FROM a",
            "WITH a AS (SELECT 'delete' AS update_me) SELECT * FROM a",
            "SELECT id FROM a FOR NO KEY UPDATE",
            "WITH a AS (SELECT 1) SELECT id FROM b FOR UPDATE",
            "EXPLAIN DELETE FROM a",
            "VALUES (1)",
            "TABLE a",
            "SHOW timezone",
        ] {
            assert!(!may_write(sql), "{sql}");
        }
    }

    #[test]
    fn what_may_change_a_session_is_known() {
        for sql in [
            "SET search_path = a",
            "SELECT set_config('a.b', 'c', false)",
            "SELECT pg_catalog.set_config('a.b', 'c', false)",
            "SELECT pg_advisory_lock(1)",
            "select PG_TRY_ADVISORY_LOCK(1)",
            "SELECT mine()",
            "SELECT app.lower('a')",
            "SELECT \"Mine\"(1)",
            "LISTEN channel",
            "CREATE TEMP TABLE t ()",
            "SELECT 1 AS a INTO TEMPORARY t",
            "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
            "DO $$ BEGIN PERFORM 1; END $$",
            "CALL mine()",
            "WITH a AS (SELECT mine()) SELECT * FROM a",
            "EXPLAIN ANALYZE SELECT mine()",
        ] {
            assert_eq!(trace(sql), SessionEffect::Session, "{sql}");
        }
        for sql in ["PREPARE q AS SELECT 1", "DEALLOCATE ALL", "DISCARD ALL", "LOAD 'x'"] {
            assert_eq!(trace(sql), SessionEffect::Connection, "{sql}");
        }
    }
}
