//! SQL expressions, as far as comparing them needs: the text in a schema and PostgreSQL's version of it, from
//! `pg_get_expr`, become the same text.
//!
//! PostgreSQL prints `x IN ('a', 'b')` as `((x)::text = ANY (ARRAY['a'::text, 'b'::text]))`. So casts are removed,
//! parentheses follow from the tree, and each operator gets PostgreSQL's spelling. Syntax that this parser does not
//! know is compared token by token.

use super::moment::{interval, moment};

pub(super) use relata_pgsql::{Lexeme as Token, Node, lexemes as tokens, parse_expression as parse};

/// Returns the canonical text of an expression: equal expressions have the same text.
pub(super) fn canonical(sql: &str) -> String {
    match parse(sql) {
        Some(node) => simplify(node).to_string(),
        None => verbatim(sql),
    }
}

/// Returns the text without spaces and comments and with normalised case, to compare two schemas.
pub(super) fn verbatim(sql: &str) -> String {
    match tokens(sql) {
        Some(tokens) => tokens.iter().map(Token::to_string).collect::<Vec<_>>().join(" "),
        None => sql.trim().to_owned(),
    }
}

/// Removes what PostgreSQL adds, and reduces alternative spellings to one.
fn simplify(node: Node) -> Node {
    match node {
        // PostgreSQL prints `'1 day 2 hours'` as `'1 day 02:00:00'`.
        Node::Cast(inner, ty) if ty == "interval" => match *inner {
            Node::Text(text) => match interval(&text) {
                Some([months, days, micros]) => Node::Name(format!("interval {months} {days} {micros}")),
                None => Node::Text(text),
            },
            other => simplify(other),
        },
        Node::Cast(inner, _) => simplify(*inner),
        Node::Text(text) if is_number(&text) => Node::Number(text),
        // PostgreSQL prints `'2026-01-01'` with a time of midnight if it is compared with a timestamp.
        Node::Text(text) => match moment(&text, true).filter(|_| text.contains('-')) {
            Some(micros) => Node::Name(format!("moment {micros}")),
            None => Node::Text(text),
        },
        Node::Op(op, args) => simplify_op(op, args.into_iter().map(simplify).collect()),
        Node::Call(name, args) if args.is_empty() && NOW.contains(&name.as_str()) => {
            Node::Name("current_timestamp".to_owned())
        }
        Node::Call(name, args) => {
            let name = ["pg_catalog.", "public."].iter().find_map(|schema| name.strip_prefix(schema)).unwrap_or(&name);
            Node::Call(name.to_owned(), args.into_iter().map(simplify).collect())
        }
        other => other,
    }
}

/// Functions that return the start of the transaction, as CURRENT_TIMESTAMP does.
const NOW: &[&str] = &["now", "pg_catalog.now", "transaction_timestamp", "pg_catalog.transaction_timestamp"];

fn simplify_op(op: String, mut args: Vec<Node>) -> Node {
    match (op.as_str(), args.as_mut_slice()) {
        ("-", [Node::Number(number)]) if !number.starts_with('-') => Node::Number(format!("-{number}")),
        ("+", [Node::Number(number)]) => Node::Number(std::mem::take(number)),
        ("and" | "or", _) => {
            let mut flat = Vec::with_capacity(args.len());
            for arg in args {
                match arg {
                    Node::Op(inner, parts) if inner == op => flat.extend(parts),
                    other => flat.push(other),
                }
            }
            Node::Op(op, flat)
        }
        ("= any" | "<> all", [_, Node::Op(array, items)]) if array == "array" && items.len() == 1 => {
            let single = items.remove(0);
            let op = if op == "= any" { "=" } else { "<>" };
            args[1] = single;
            Node::Op(op.to_owned(), args)
        }
        _ => Node::Op(op, args),
    }
}

/// Returns whether a text is a decimal number with an optional sign.
pub(super) fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.chars().all(|letter| letter.is_ascii_digit() || letter == '.')
        && digits.matches('.').count() <= 1
}

#[cfg(test)]
mod tests {
    use super::{canonical, verbatim};

    fn same(written: &str, printed: &str) {
        assert_eq!(canonical(written), canonical(printed), "{written}  |  {printed}");
    }

    #[test]
    fn what_is_written_equals_what_postgresql_prints() {
        same("now()", "CURRENT_TIMESTAMP");
        same("price > 0", "(price > (0)::numeric)");
        same("price > -1 and qty >= 0 and c", "((price > ('-1'::integer)::numeric) AND (qty >= 0) AND c)");
        same(
            "status IN ('a','b')",
            "((status)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
        );
        same("status not in ('a', 'b')", "(status <> ALL (ARRAY['a'::text, 'b'::text]))");
        same("status IN ('a')", "(status = 'a'::text)");
        same("x between 1 and 5", "((x >= 1) AND (x <= 5))");
        same("x not between 1 and 5 or y", "((x < 1) OR (x > 5) OR y)");
        same("name like 'a%'", "(name ~~ 'a%'::text)");
        same("name not ilike 'a%'", "(name !~~* 'a%'::text)");
        same("\"deletedAt\" is null", "(\"deletedAt\" IS NULL)");
        same("role = 'ADMIN'", "(role = 'ADMIN'::\"Role\")");
        same("role = 'ADMIN'::shop.\"Role\"", "(role = 'ADMIN'::shop.\"Role\")");
        same("lower(email)", "lower((email)::text)");
        same("public.uuid_generate_v4()", "uuid_generate_v4()");
        same("now() + interval '1 day'", "(now() + '1 day'::interval)");
        same("now() + interval '2 day'", "(now() + '2 days'::interval)");
        same("a - '1 week 90 minutes'::interval", "(a - '7 days 01:30:00'::interval)");
        same("a + interval '-1 month 0.5 s'", "(a + interval '-1 month 0.5 s')");
        same("CASE WHEN a THEN 1 END = 1", "(CASE WHEN a THEN 1 ELSE NULL::integer END = 1)");
        same("a != b", "(a <> b)");
        same("cast(a as text) = 'x'", "((a)::text = 'x'::text)");
        same("a || ' ' || b", "((a || ' '::text) || b)");
        same("extract(year from at) > 2000", "(EXTRACT(year FROM at) > (2000)::numeric)");
        same("not a or b", "((NOT a) OR b)");
        same("(at at time zone 'UTC')::date", "((at AT TIME ZONE 'UTC'::text))::date");
        same("data->>'a' = 'x'", "((data ->> 'a'::text) = 'x'::text)");
        same("at > '2020-01-01'", "(at > '2020-01-01 00:00:00'::timestamp without time zone)");
        same(
            "code like 'x%' and code <> 'y'",
            "((code OPERATOR(tools.~~) 'x%'::tools.citext) AND (code OPERATOR(tools.<>) 'y'::tools.citext))",
        );
        same("code in ('a', 'b')", "(code OPERATOR(\"my tools\".=) ANY (ARRAY['a'::tools.citext, 'b'::tools.citext]))");
        same("a is distinct from b", "(a IS DISTINCT FROM b)");
    }

    #[test]
    fn what_differs_stays_different() {
        assert_ne!(canonical("a > 0"), canonical("a >= 0"));
        assert_ne!(canonical("a and b or c"), canonical("a and (b or c)"));
        assert_ne!(canonical("'a'"), canonical("'b'"));
        assert_ne!(canonical("a + interval '1 day'"), canonical("a + interval '24 hours'"));
        assert_ne!(canonical("\"A\" = 1"), canonical("a = 1"));
        assert_ne!(verbatim("a::int > 1"), verbatim("a::text > 1"));
    }

    #[test]
    fn odd_text_is_compared_word_by_word() {
        assert_eq!(canonical("select  1 FROM x"), "select 1 from x");
        assert_eq!(canonical("'open"), "'open");
        let deep = format!("{}1{}", "(".repeat(100_000), ")".repeat(100_000));
        assert_eq!(canonical(&deep), verbatim(&deep));
        let long = format!("1{}", " + 1".repeat(100_000));
        assert_eq!(canonical(&long), verbatim(&long));
    }
}
