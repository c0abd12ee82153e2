//! The only place where texts from a schema and texts from PostgreSQL become comparable: defaults, conditions, index
//! expressions.

mod comment;
mod constant;
mod value;

use super::data_type::{DataType, is_same_name};
use super::expression::{Node, Token, canonical, parse, tokens, verbatim};
use super::quote::qualified;
use super::state::{Column, ColumnDefault, ObjectName};
pub use comment::normal_comment;
use constant::constant;

/// The origin of the two texts of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Both were written by people: every word is significant.
    Schemas,
    /// One of them was printed by PostgreSQL: its additions and its spellings are not significant.
    Printed,
    /// Both were printed by PostgreSQL: every word is significant, including what no schema can express.
    Catalogs,
}

/// Returns whether two conditions or expressions are equal, of which PostgreSQL may have printed one.
pub fn same_sql(a: &str, b: &str) -> bool {
    same_expression(Origin::Printed, a, b)
}

/// Returns whether two conditions or expressions have the same meaning.
pub(super) fn same_expression(origin: Origin, a: &str, b: &str) -> bool {
    match origin {
        Origin::Schemas | Origin::Catalogs => verbatim(a) == verbatim(b),
        Origin::Printed => canonical(a) == canonical(b),
    }
}

/// Returns whether two conditions contain the same names and values in the same order. Used for conditions with
/// subqueries, which are not parsed. Ignores what PostgreSQL adds when it prints one: parentheses, casts, schemas and
/// tables before names, `AS`.
pub(super) fn same_loosely(a: &str, b: &str) -> bool {
    matches!((loose(a), loose(b)), (Some(a), Some(b)) if a == b)
}

fn loose(sql: &str) -> Option<Vec<Token>> {
    let mut kept: Vec<Token> = Vec::new();
    let mut tokens = tokens(sql)?.into_iter();
    while let Some(token) = tokens.next() {
        match token {
            Token::Sign(sign) if sign == "::" => drop(tokens.next()),
            Token::Sign(sign) if sign == "." => drop(kept.pop()),
            Token::Sign(sign) if sign == "(" || sign == ")" => {}
            Token::Word(word) if word == "as" => {}
            Token::Word(word) => kept.push(Token::Quoted(word)),
            other => kept.push(other),
        }
    }
    Some(kept)
}

/// Returns whether two optional conditions have the same meaning.
pub(super) fn same_predicate(origin: Origin, a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => same_expression(origin, a, b),
        (None, None) => true,
        _ => false,
    }
}

/// Returns whether the previous default serves as the next one. For a schema, any sequence is as good as another, and
/// so is an identity column.
pub(super) fn same_default(origin: Origin, previous: &Column, next: &Column) -> bool {
    let sides = (set_default(previous), set_default(next));
    match sides {
        (_, Some(ColumnDefault::Unmanaged)) => true,
        (Some(ColumnDefault::Sequence(a)), Some(ColumnDefault::Sequence(b))) if origin == Origin::Catalogs => a == b,
        (None, Some(ColumnDefault::Sequence(_))) | (Some(ColumnDefault::Sequence(_)), None)
            if origin == Origin::Catalogs =>
        {
            false
        }
        (None, Some(ColumnDefault::Sequence(_))) => previous.identity.is_some(),
        (Some(ColumnDefault::Sequence(_)), None) => next.identity.is_some(),
        (None, None) | (Some(ColumnDefault::Sequence(_)), Some(ColumnDefault::Sequence(_))) => true,
        (Some(a), Some(b)) => same_value(origin, a, b, next),
        _ => false,
    }
}

/// Returns the default, unless it is NULL, which is the same as no default.
fn set_default(column: &Column) -> Option<&ColumnDefault> {
    column.default.as_ref().filter(|default| match default {
        ColumnDefault::Expression(sql) => ColumnDefault::parse(sql, &column.ty, column.array).is_some(),
        _ => true,
    })
}

fn same_value(origin: Origin, a: &ColumnDefault, b: &ColumnDefault, column: &Column) -> bool {
    use ColumnDefault::{Expression, List, Literal, Sequence};
    match (a, b) {
        (Expression(a), Expression(b)) if same_expression(origin, a, b) => true,
        (Expression(_), Expression(_)) if origin != Origin::Printed => false,
        (Literal(a), Literal(b)) => value::same(&column.ty, a, b),
        (List(a), List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| value::same(&column.ty, a, b)),
        // `dbgenerated("nextval('numbers')")` names one sequence.
        (Sequence(a), Sequence(b)) => {
            a.name == b.name && (a.schema == b.schema || a.schema.is_none() || b.schema.is_none())
        }
        // An expression may be a plain value: `dbgenerated("'{}'")`.
        (Expression(sql), other) | (other, Expression(sql)) => {
            match ColumnDefault::parse(sql, &column.ty, column.array) {
                Some(ColumnDefault::Expression(_)) | None => false,
                Some(value) => same_value(origin, &value, other, column),
            }
        }
        _ => false,
    }
}

impl ColumnDefault {
    /// Parses the text of a default, as `pg_get_expr` prints it, for a column of the type or of an array of it. Returns
    /// `None` for `NULL::text`, which is no default. A value of another type that is cast to this one stays an
    /// expression.
    pub fn parse(sql: &str, ty: &DataType, array: bool) -> Option<Self> {
        let Some(node) = parse(sql) else { return Some(ColumnDefault::Expression(sql.trim().to_owned())) };
        match default_of(&node, ty, array) {
            Found::Nothing => None,
            Found::Value(default) => Some(default),
            Found::Expression => Some(ColumnDefault::Expression(sql.trim().to_owned())),
        }
    }
}

/// Returns a default without the cast to the domain of its column: `'{}'::email[]` becomes `'{}'::TEXT[]`.
pub fn below_domain(sql: &str, domain: &ObjectName, ty: &DataType) -> String {
    let sql = sql.trim();
    let is_it = |cast: &str| is_same_name(cast.trim_end_matches("[]"), &qualified(domain));
    match sql.rsplit_once("::").filter(|(_, cast)| is_it(cast)) {
        Some((value, cast)) => format!("{value}::{ty}{}", if cast.ends_with("[]") { "[]" } else { "" }),
        None => sql.to_owned(),
    }
}

enum Found {
    Nothing,
    Value(ColumnDefault),
    Expression,
}

fn default_of(node: &Node, ty: &DataType, array: bool) -> Found {
    if let Node::Call(name, args) = uncast(node)
        && matches!(name.as_str(), "nextval" | "pg_catalog.nextval")
        && let [argument] = args.as_slice()
        && let Node::Text(sequence) = uncast(argument)
        && let Some(sequence) = parse_object_name(sequence)
    {
        return Found::Value(ColumnDefault::Sequence(sequence));
    }
    if let Node::Op(op, items) = uncast(node)
        && op == "array"
    {
        let is_plain = elements_of(node).is_none_or(|cast| constant::keeps_elements(cast, ty));
        let items: Option<Vec<_>> = items.iter().filter(|_| is_plain).map(|item| constant(item, ty)).collect();
        let items = items.filter(|items| is_plain || items.is_empty());
        return items.map_or(Found::Expression, |items| Found::Value(ColumnDefault::List(items)));
    }
    if *uncast(node) == Node::Name("null".to_owned()) {
        return Found::Nothing;
    }
    let found = match (node, array) {
        (Node::Cast(inner, cast), true) => match &**inner {
            Node::Text(text) => constant::keeps_elements(cast, ty).then(|| text.clone()),
            _ => None,
        },
        _ => constant(node, ty),
    };
    match found {
        Some(text) if array => {
            value::parse_array(&text).map_or(Found::Expression, |items| Found::Value(ColumnDefault::List(items)))
        }
        Some(text) => Found::Value(ColumnDefault::Literal(text)),
        None => Found::Expression,
    }
}

/// Returns the type that an array is cast to as a whole.
fn elements_of(node: &Node) -> Option<&str> {
    match node {
        Node::Cast(_, cast) => Some(cast),
        _ => None,
    }
}

fn uncast(node: &Node) -> &Node {
    match node {
        Node::Cast(inner, _) => uncast(inner),
        other => other,
    }
}

/// Parses the name inside `nextval('..'::regclass)`: `t_id_seq`, `"T_id_seq"`, `shop."T_id_seq"`.
fn parse_object_name(text: &str) -> Option<ObjectName> {
    let part = |token: &Token| match token {
        Token::Word(name) | Token::Quoted(name) => Some(name.clone()),
        _ => None,
    };
    match tokens(text)?.as_slice() {
        [name] => Some(ObjectName { schema: None, name: part(name)? }),
        [schema, Token::Sign(dot), name] if dot == "." => {
            Some(ObjectName { schema: Some(part(schema)?), name: part(name)? })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{ColumnDefault, Origin, same_default};
    use crate::ir::NativeType;
    use crate::sql::{Column, ColumnOptions, DataType, Identity, ObjectName};

    fn column(ty: NativeType, default: Option<ColumnDefault>) -> Column {
        Column {
            name: "c".to_owned(),
            ty: DataType::Native(ty),
            array: matches!(default, Some(ColumnDefault::List(_))),
            nullable: false,
            default,
            identity: None,
            generated: None,
            collation: None,
            used_by: Vec::new(),
            grants: Vec::new(),
            options: ColumnOptions::default(),
        }
    }

    fn literal(text: &str) -> Option<ColumnDefault> {
        Some(ColumnDefault::Literal(text.to_owned()))
    }

    fn expression(text: &str) -> Option<ColumnDefault> {
        Some(ColumnDefault::Expression(text.to_owned()))
    }

    fn list(items: &[&str]) -> Option<ColumnDefault> {
        Some(ColumnDefault::List(items.iter().map(|&item| item.to_owned()).collect()))
    }

    #[test]
    fn printed_defaults_are_read() {
        use NativeType as N;
        let parse = |sql, ty| ColumnDefault::parse(sql, &DataType::Native(ty), false);
        assert_eq!(parse("'x'::text", N::Text), literal("x"));
        assert_eq!(parse("'x'::character varying", N::VarChar(Some(5))), literal("x"));
        assert_eq!(parse("'x'::bpchar", N::Char(Some(5))), literal("x"));
        assert_eq!(parse("'-1'::integer", N::SmallInt), literal("-1"));
        assert_eq!(parse("(0)::numeric", N::Decimal(None)), literal("0"));
        assert_eq!(parse("'-0.5'::numeric", N::DoublePrecision), literal("-0.5"));
        assert_eq!(parse("('-5'::integer)::smallint", N::SmallInt), literal("-5"));
        assert_eq!(parse("('-0.5'::numeric)::real", N::Real), literal("-0.5"));
        assert_eq!(parse("1.5", N::Decimal(Some((5, 2)))), literal("1.5"));
        assert_eq!(parse("(3.5)::money", N::Money), literal("3.5"));
        assert_eq!(parse("'$3.50'::money", N::Money), literal("$3.50"));
        assert_eq!(parse("1.239::numeric(5,2)", N::Decimal(Some((5, 2)))), literal("1.239"));
        assert_eq!(parse("'abc'::character varying(5)", N::VarChar(Some(5))), literal("abc"));
        assert_eq!(parse("false", N::Boolean), literal("false"));
        assert_eq!(parse("'2'::\"bit\"", N::Bit(Some(3))), literal("2"));
        assert_eq!(parse("NULL::character varying", N::VarChar(None)), None);
        for (sql, ty) in [
            ("'pg_class'::regclass", N::Oid),
            ("'abcdefgh'::character varying(5)", N::VarChar(Some(5))),
            ("'abc  '::bpchar", N::Text),
            ("('now'::text)::date", N::Date),
            ("'2020-01-02'::date", N::Timestamp(None)),
            ("5.7", N::Integer),
            ("'5.7'::numeric", N::Integer),
            ("(1.1)::real", N::DoublePrecision),
            ("(5)::numeric(9,4)", N::Decimal(None)),
            ("(1)::bit(3)", N::Bit(Some(3))),
            ("(100)::bit(3)", N::Bit(Some(3))),
            ("('7'::text)::integer", N::Integer),
            ("'2'::bit(3)", N::Bit(Some(3))),
            ("'2'::numeric(5,1)", N::Decimal(Some((5, 2)))),
            ("'{}'::json", N::JsonB),
            ("gen_random_uuid()", N::Uuid),
            ("'it''s", N::Text),
        ] {
            assert_eq!(parse(sql, ty), expression(sql), "{ty:?}");
        }
        let role = DataType::Enum(ObjectName::new(Some("shop"), "Role"));
        for sql in ["'ADMIN'::shop.\"Role\"", "'ADMIN'::\"Role\""] {
            assert_eq!(ColumnDefault::parse(sql, &role, false), literal("ADMIN"));
        }
        let array = |sql, ty| ColumnDefault::parse(sql, &DataType::Native(ty), true);
        assert_eq!(array("ARRAY['a'::text, 'b c'::text]", N::Text), list(&["a", "b c"]));
        assert_eq!(array("(ARRAY['a'::text])::character varying[]", N::VarChar(None)), list(&["a"]));
        assert_eq!(array("ARRAY[(3.5)::money, (2)::money]", N::Money), list(&["3.5", "2"]));
        assert_eq!(array("ARRAY[]::text[]", N::Text), list(&[]));
        assert_eq!(array("'{a,\"b c\",\"\\\"\"}'::text[]", N::Text), list(&["a", "b c", "\""]));
        for (sql, ty) in [("ARRAY['abc'::character varying(2)]", N::VarChar(None)), ("'{1,2}'::oidvector", N::Oid)] {
            assert_eq!(array(sql, ty), expression(sql));
        }
        assert_eq!(
            parse("nextval('shop.\"T_id_seq\"'::regclass)", N::Integer),
            Some(ColumnDefault::Sequence(ObjectName::new(Some("shop"), "T_id_seq")))
        );
    }

    #[test]
    fn values_are_compared_by_type() {
        let same =
            |ty, a: &str, b: &str| same_default(Origin::Printed, &column(ty, literal(a)), &column(ty, literal(b)));
        assert!(same(NativeType::Decimal(None), "1.50", "01.5"));
        assert!(same(NativeType::DoublePrecision, "1e3", "1000"));
        assert!(!same(NativeType::Text, "1.50", "1.5"));
        assert!(same(NativeType::JsonB, "{\"b\":1, \"a\":[ true ]}", "{\"a\": [true], \"b\": 1}"));
        assert!(same(NativeType::JsonB, "[1e2, 1.50]", "[100, 1.5]"));
        assert!(!same(NativeType::JsonB, "{\"b\":1}", "{\"b\":2}"));
        assert!(same(NativeType::Timestamp(Some(3)), "2020-01-02T03:04:05.000Z", "2020-01-02 03:04:05"));
        assert!(same(NativeType::Timestamptz(Some(3)), "2020-01-02T03:04:05+02:00", "2020-01-02 01:04:05+00"));
        assert!(!same(NativeType::Timestamptz(Some(3)), "2020-01-02T03:04:05+02:00", "2020-01-02 03:04:05+00"));
        assert!(same(NativeType::Timestamptz(None), "2020-03-01T00:30:00+01:00", "2020-02-29 23:30:00+00"));
        assert!(same(NativeType::ByteA, "\\xAB", "\\xab"));
        assert!(same(NativeType::Boolean, "t", "true"));
        assert!(same(NativeType::Money, "3.5", "$3.50"));
        assert!(same(NativeType::Money, "-1234567.5", "-$1,234,567.50"));
        assert!(same(NativeType::Money, "1234.5", "1.234,50 €"));
        assert!(!same(NativeType::Money, "3.5", "$3.51"));
        assert!(same(NativeType::Inet, "10.0.0.1/32", "10.0.0.1"));
        assert!(same(NativeType::VarChar(Some(3)), "x", "x") && !same(NativeType::Text, "x ", "x"));
    }

    #[test]
    fn an_expression_may_hold_a_value() {
        let ty = NativeType::JsonB;
        assert!(same_default(Origin::Printed, &column(ty, literal("{}")), &column(ty, expression("'{}'::jsonb"))));
        assert!(same_default(
            Origin::Printed,
            &column(NativeType::Text, expression("gen_random_uuid()::text")),
            &column(NativeType::Text, expression("(gen_random_uuid())::text"))
        ));
    }

    #[test]
    fn an_unmanaged_default_is_left_alone_until_it_is_replaced() {
        let unmanaged = column(NativeType::Text, Some(ColumnDefault::Unmanaged));
        let ours = column(NativeType::Text, literal("x"));
        assert!(same_default(Origin::Schemas, &ours, &unmanaged));
        assert!(!same_default(Origin::Schemas, &unmanaged, &ours));
        assert!(!same_default(Origin::Schemas, &unmanaged, &column(NativeType::Text, None)));
    }

    #[test]
    fn identity_serves_for_autoincrement() {
        let sequence = Some(ColumnDefault::Sequence(ObjectName::new(None, "s")));
        let serial = column(NativeType::Integer, sequence);
        let mut identity = column(NativeType::Integer, None);
        assert!(!same_default(Origin::Printed, &identity, &serial));
        identity.identity = Some(Identity::ByDefault);
        assert!(same_default(Origin::Printed, &identity, &serial));
    }
}
