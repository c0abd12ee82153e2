//! The one place where texts from a schema and texts from PostgreSQL become comparable:
//! defaults, conditions, index expressions.

mod value;

use super::data_type::DataType;
use super::expression::{Node, Token, canonical, is_number, parse, tokens, verbatim};
use super::state::{Column, ColumnDefault, ObjectName};
use crate::ir::NativeType;

/// Where the two texts of a comparison come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Both are as an author wrote them: every word counts.
    Schemas,
    /// PostgreSQL printed one of them: what it adds and respells does not count.
    Printed,
}

/// Whether a condition or expression is that of a database, whatever PostgreSQL added when it printed it.
pub fn same_sql(a: &str, b: &str) -> bool {
    same_expression(Origin::Printed, a, b)
}

/// Whether two conditions or expressions say the same.
pub(super) fn same_expression(origin: Origin, a: &str, b: &str) -> bool {
    match origin {
        Origin::Schemas => verbatim(a) == verbatim(b),
        Origin::Printed => canonical(a) == canonical(b),
    }
}

/// Whether two optional conditions say the same.
pub(super) fn same_predicate(origin: Origin, a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => same_expression(origin, a, b),
        (None, None) => true,
        _ => false,
    }
}

/// Whether the default that is there serves for the one that shall be there.
/// A sequence is as good as any other, and so is an identity column.
pub(super) fn same_default(origin: Origin, previous: &Column, next: &Column) -> bool {
    let sides = (set_default(previous), set_default(next));
    match sides {
        (_, Some(ColumnDefault::Unmanaged)) => true,
        (None, Some(ColumnDefault::Sequence(_))) => previous.identity.is_some(),
        (Some(ColumnDefault::Sequence(_)), None) => next.identity.is_some(),
        (None, None) | (Some(ColumnDefault::Sequence(_)), Some(ColumnDefault::Sequence(_))) => true,
        (Some(a), Some(b)) => same_value(origin, a, b, next),
        _ => false,
    }
}

/// The default unless it is NULL, which is what a column without one has.
fn set_default(column: &Column) -> Option<&ColumnDefault> {
    column.default.as_ref().filter(|default| match default {
        ColumnDefault::Expression(sql) => ColumnDefault::parse(sql, column.array).is_some(),
        _ => true,
    })
}

fn same_value(origin: Origin, a: &ColumnDefault, b: &ColumnDefault, column: &Column) -> bool {
    use ColumnDefault::{Expression, List, Literal};
    match (a, b) {
        (Expression(a), Expression(b)) if same_expression(origin, a, b) => true,
        (Expression(_), Expression(_)) if origin == Origin::Schemas => false,
        (Literal(a), Literal(b)) => value::same(&column.ty, a, b),
        (List(a), List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| value::same(&column.ty, a, b)),
        // An expression may hold a plain value: `dbgenerated("'{}'")`.
        (Expression(sql), other) | (other, Expression(sql)) => match ColumnDefault::parse(sql, column.array) {
            Some(ColumnDefault::Expression(_)) | None => false,
            Some(value) => same_value(origin, &value, other, column),
        },
        _ => false,
    }
}

impl ColumnDefault {
    /// Reads the text of a default as `pg_get_expr` prints it, of an array column or not.
    /// None is no default: `NULL::text`.
    pub fn parse(sql: &str, array: bool) -> Option<Self> {
        let Some(node) = parse(sql) else { return Some(ColumnDefault::Expression(sql.trim().to_owned())) };
        match default_of(&node, array) {
            Found::Nothing => None,
            Found::Value(default) => Some(default),
            Found::Expression => Some(ColumnDefault::Expression(sql.trim().to_owned())),
        }
    }
}

enum Found {
    Nothing,
    Value(ColumnDefault),
    Expression,
}

fn default_of(node: &Node, array: bool) -> Found {
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
        let items: Option<Vec<_>> = items.iter().map(scalar).collect();
        return items.map_or(Found::Expression, |items| Found::Value(ColumnDefault::List(items)));
    }
    if *uncast(node) == Node::Name("null".to_owned()) {
        return Found::Nothing;
    }
    match scalar(node) {
        Some(text) if array => {
            value::parse_array(&text).map_or(Found::Expression, |items| Found::Value(ColumnDefault::List(items)))
        }
        Some(text) => Found::Value(ColumnDefault::Literal(text)),
        None => Found::Expression,
    }
}

/// The value of a constant: a string, whatever it is cast to, a number or a boolean.
/// A cast number is left alone, as `1::bit(3)` is not the string `1` as a bit string.
fn scalar(node: &Node) -> Option<String> {
    match node {
        Node::Text(text) => Some(text.clone()),
        Node::Number(number) => Some(number.clone()),
        Node::Name(name) if name == "true" || name == "false" => Some(name.clone()),
        Node::Op(op, args) if op == "-" => match args.as_slice() {
            [Node::Number(number)] => Some(format!("-{number}")),
            _ => None,
        },
        Node::Cast(inner, ty) => {
            let text = scalar(inner)?;
            let is_string = matches!(uncast(inner), Node::Text(_));
            (is_string || (is_number(&text) && is_numeric_type(ty))).then_some(text)
        }
        _ => None,
    }
}

fn is_numeric_type(ty: &str) -> bool {
    matches!(
        DataType::parse(ty).0,
        DataType::Native(
            NativeType::SmallInt
                | NativeType::Integer
                | NativeType::BigInt
                | NativeType::Decimal(_)
                | NativeType::Real
                | NativeType::DoublePrecision
        )
    )
}

fn uncast(node: &Node) -> &Node {
    match node {
        Node::Cast(inner, _) => uncast(inner),
        other => other,
    }
}

/// The name inside `nextval('..'::regclass)`: `t_id_seq`, `"T_id_seq"`, `shop."T_id_seq"`.
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
    use crate::sql::{Column, DataType, Identity, ObjectName};

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
        assert_eq!(ColumnDefault::parse("'x'::text", false), literal("x"));
        assert_eq!(ColumnDefault::parse("'ADMIN'::shop.\"Role\"", false), literal("ADMIN"));
        assert_eq!(ColumnDefault::parse("'-1'::integer", false), literal("-1"));
        assert_eq!(ColumnDefault::parse("(0)::numeric", false), literal("0"));
        assert_eq!(ColumnDefault::parse("1.5", false), literal("1.5"));
        assert_eq!(ColumnDefault::parse("false", false), literal("false"));
        assert_eq!(ColumnDefault::parse("NULL::character varying", false), None);
        assert_eq!(ColumnDefault::parse("'2'::bit(3)", false), literal("2"));
        assert_eq!(ColumnDefault::parse("(1)::bit(3)", false), expression("(1)::bit(3)"));
        assert_eq!(ColumnDefault::parse("ARRAY['a'::text, 'b c'::text]", true), list(&["a", "b c"]));
        assert_eq!(ColumnDefault::parse("ARRAY[]::text[]", true), list(&[]));
        assert_eq!(ColumnDefault::parse("'{a,\"b c\",\"\\\"\"}'::text[]", true), list(&["a", "b c", "\""]));
        assert_eq!(ColumnDefault::parse("gen_random_uuid()", false), expression("gen_random_uuid()"));
        assert_eq!(
            ColumnDefault::parse("nextval('shop.\"T_id_seq\"'::regclass)", false),
            Some(ColumnDefault::Sequence(ObjectName::new(Some("shop"), "T_id_seq")))
        );
        assert_eq!(ColumnDefault::parse("'it''s", false), expression("'it''s"));
    }

    #[test]
    fn values_are_compared_by_type() {
        let same =
            |ty, a: &str, b: &str| same_default(Origin::Printed, &column(ty, literal(a)), &column(ty, literal(b)));
        assert!(same(NativeType::Decimal(None), "1.50", "01.5"));
        assert!(same(NativeType::DoublePrecision, "1e3", "1000"));
        assert!(!same(NativeType::Text, "1.50", "1.5"));
        assert!(same(NativeType::JsonB, "{\"b\":1, \"a\":[ true ]}", "{\"a\": [true], \"b\": 1}"));
        assert!(!same(NativeType::JsonB, "{\"b\":1}", "{\"b\":2}"));
        assert!(same(NativeType::Timestamp(Some(3)), "2020-01-02T03:04:05.000Z", "2020-01-02 03:04:05"));
        assert!(same(NativeType::Timestamptz(Some(3)), "2020-01-02T03:04:05+02:00", "2020-01-02 01:04:05+00"));
        assert!(!same(NativeType::Timestamptz(Some(3)), "2020-01-02T03:04:05+02:00", "2020-01-02 03:04:05+00"));
        assert!(same(NativeType::Timestamptz(None), "2020-03-01T00:30:00+01:00", "2020-02-29 23:30:00+00"));
        assert!(same(NativeType::ByteA, "\\xAB", "\\xab"));
        assert!(same(NativeType::Boolean, "t", "true"));
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
