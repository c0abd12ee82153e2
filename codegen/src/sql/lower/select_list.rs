//! The columns of a query as its text lists them, without knowing what they mean.

use relata_pgsql::{Token, TokenKind, tokens};

/// Returns the select list of a query, or of the first query of a set operation. Each item is the name of the column if
/// the text says it, and otherwise the text of the item. The list is empty if the query does not begin with `SELECT` or
/// `WITH`.
pub(super) fn select_list(sql: &str) -> Vec<String> {
    let mut list = Vec::new();
    let mut item: Vec<Token> = Vec::new();
    let mut scan = Scan { sql, depth: 0, before: None };
    let mut all = tokens(sql).filter(|token| !token.is_comment()).peekable();
    if all.peek().is_some_and(|first| first.is_punctuation(sql, "(")) {
        return list;
    }
    let is_outside = |scan: &mut Scan<'_>, token: &Token| scan.step(*token) == 0;
    let mut rest = all.skip_while(|token| !(is_outside(&mut scan, token) && token.is_word(sql, "select"))).skip(1);
    let mut scan = Scan { sql, depth: 0, before: None };
    for token in &mut rest {
        let before = scan.before;
        let is_outside = scan.step(token) == 0;
        if is_outside && (token.is_punctuation(sql, ";") || ends_list(sql, &token, before.as_ref())) {
            break;
        }
        if is_outside && token.is_punctuation(sql, ",") {
            list.push(name_of(sql, &item));
            item.clear();
        } else {
            item.push(token);
        }
        if list.is_empty() {
            skip_quantifier(sql, &mut item);
        }
    }
    list.extend((!item.is_empty()).then(|| name_of(sql, &item)));
    list
}

/// Counts the open parentheses and brackets.
struct Scan<'s> {
    sql: &'s str,
    depth: usize,
    before: Option<Token>,
}

impl Scan<'_> {
    /// Returns how many are open around a token. A parenthesis counts as inside.
    fn step(&mut self, token: Token) -> usize {
        let is = |mark| token.is_punctuation(self.sql, mark);
        self.before = Some(token);
        if is("(") || is("[") {
            self.depth += 1;
            return self.depth;
        }
        let depth = self.depth;
        if is(")") || is("]") {
            self.depth = self.depth.saturating_sub(1);
        }
        depth
    }
}

/// Returns whether a word ends the list.
fn ends_list(sql: &str, token: &Token, before: Option<&Token>) -> bool {
    const WORDS: [&str; 14] = [
        "from",
        "where",
        "group",
        "having",
        "window",
        "union",
        "intersect",
        "except",
        "order",
        "limit",
        "offset",
        "fetch",
        "for",
        "into",
    ];
    // `a IS DISTINCT FROM b`, `WITHIN GROUP (..)`, `t.order`, and a name after AS.
    let continues = |word: &str| before.is_some_and(|before| before.is_word(sql, word));
    let is_name = before.is_some_and(|before| before.is_punctuation(sql, ".")) || continues("as");
    WORDS.iter().any(|word| token.is_word(sql, word)) && !continues("distinct") && !continues("within") && !is_name
}

/// Takes `ALL`, `DISTINCT` and `DISTINCT ON (..)` away from the beginning of the first item.
fn skip_quantifier(sql: &str, item: &mut Vec<Token>) {
    let [first, rest @ ..] = item.as_slice() else { return };
    let is_quantifier = ["all", "distinct"].iter().any(|word| first.is_word(sql, word));
    // The word alone may still be followed by ON.
    let ([second, ..], true) = (rest, is_quantifier) else { return };
    if !second.is_word(sql, "on") {
        item.remove(0);
        return;
    }
    let mut scan = Scan { sql, depth: 0, before: None };
    let closes = |token: &Token| scan.step(*token) == 1 && token.is_punctuation(sql, ")");
    if let Some(close) = rest.iter().position(closes) {
        item.drain(..=close + 1);
    }
}

/// Returns the name of the column that an item gives, or the text of the item.
fn name_of(sql: &str, item: &[Token]) -> String {
    let is_name =
        |token: &Token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent | TokenKind::UnicodeIdent);
    let called = || item.iter().take_while(|token| !token.is_punctuation(sql, "(")).last();
    match item {
        [name] if is_name(name) => name.value(sql).into_owned(),
        [.., mark, name] if is_name(name) && (mark.is_word(sql, "as") || mark.is_punctuation(sql, ".")) => {
            name.value(sql).into_owned()
        }
        [.., last] if last.is_punctuation(sql, ")") && is_call(sql, item) => {
            called().map(|name| name.value(sql).into_owned()).unwrap_or_default()
        }
        _ => item.iter().map(|token| token.text(sql)).collect::<Vec<_>>().join(" "),
    }
}

/// Returns whether an item is a call, perhaps with `FILTER (..)` or `OVER (..)`.
fn is_call(sql: &str, item: &[Token]) -> bool {
    const WORDS: [&str; 4] = ["filter", "over", "within", "group"];
    let mut scan = Scan { sql, depth: 0, before: None };
    let outside: Vec<_> = item.iter().filter(|token| scan.step(**token) == 0).collect();
    let is_name = |token: &&&Token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent);
    let names = outside.iter().take_while(|token| is_name(token) || token.is_punctuation(sql, ".")).count();
    let words = outside.iter().filter(|token| WORDS.iter().any(|word| token.is_word(sql, word))).count();
    let marks = outside.iter().filter(|token| token.is_punctuation(sql, ".")).count();
    names == outside.len() && names == 2 * marks + 1 + words
}

#[cfg(test)]
mod tests {
    use super::select_list;

    #[test]
    fn columns_have_the_names_that_postgresql_gives_them() {
        let list = |sql: &str| select_list(sql).join(" | ");
        assert_eq!(list("SELECT a, t.b, c AS d, \"E\" FROM t"), "a | b | d | E");
        assert_eq!(list("select distinct on (a, (b)) a, b + 1 as b from t"), "a | b");
        assert_eq!(list("SELECT DISTINCT a FROM t"), "a");
        assert_eq!(list("SELECT ALL a, (SELECT x, y FROM u LIMIT 1) AS z"), "a | z");
        assert_eq!(list("WITH w AS (SELECT q FROM t) SELECT w.q, count(*) FROM w GROUP BY 1"), "q | count");
        assert_eq!(list("SELECT sum(x) FILTER (WHERE x > 1) OVER (ORDER BY y), s.f(1) FROM t"), "sum | f");
        assert_eq!(list("SELECT a IS DISTINCT FROM b AS c, d FROM t"), "c | d");
        assert_eq!(list("SELECT t.order, 1 AS from FROM t"), "order | from");
        assert_eq!(list("SELECT mode() WITHIN GROUP (ORDER BY a), b FROM t"), "mode | b");
        assert_eq!(list("SELECT a -- first, one\n, b /* FROM */ FROM t UNION SELECT c, d FROM t"), "a | b");
    }

    #[test]
    fn items_without_a_clear_name_are_their_text() {
        let list = |sql: &str| select_list(sql).join(" | ");
        assert_eq!(
            list("SELECT *, a::int, f(a) + g(b), CASE WHEN a THEN b END FROM t"),
            "* | a :: int | f ( a ) + g ( b ) | CASE WHEN a THEN b END"
        );
        assert_eq!(list("VALUES (1, 2)"), "");
        assert_eq!(list("(SELECT a FROM t) UNION SELECT b FROM t"), "");
        assert_eq!(list(""), "");
        assert_eq!(list("SELECT"), "");
        assert_eq!(list("SELECT ("), "(");
    }
}
