//! `@@exclude`: the operators that relate two rows, and what PostgreSQL accepts of them.

use super::super::Cx;
use super::super::arguments::{Bound, expect_string};
use super::super::draft::{Given, KeyDraft, KeyKind};
use super::refuse_argument;
use crate::diagnostics::{self as codes, Diagnostic};
use crate::ir::IndexMethod;

/// Reads `with: "&&"` of a part of an exclusion constraint.
pub(super) fn read_operator<'a>(
    cx: &mut Cx<'a, '_>,
    bound: &Bound<'a>,
    kind: KeyKind,
    owner: &str,
) -> Option<Given<'a>> {
    let value = bound.get("with")?;
    if kind != KeyKind::Exclusion {
        refuse_argument(cx, value.span(), "with", owner, "only the fields of `@@exclude` have operators");
        return None;
    }
    let operator = expect_string(cx, value)?;
    if !is_operator(operator.text.trim()) {
        cx.report(
            Diagnostic::new(codes::EXCLUSION_CONSTRAINT, operator.span, "expected an operator of PostgreSQL")
                .label("no operator")
                .help("write `\"=\"` for equal values, `\"&&\"` for ranges that overlap, or `\"OPERATOR(schema.+)\"`"),
        );
    }
    Some(operator)
}

/// PostgreSQL 15 manual, Lexical Structure, Operators.
fn is_operator(text: &str) -> bool {
    let is_sign = |letter: char| "+-*/<>=~!@#%^&|`?".contains(letter);
    let upper = text.to_ascii_uppercase();
    match upper.strip_prefix("OPERATOR(").and_then(|rest| rest.strip_suffix(')')) {
        Some(path) => path.rsplit('.').next().is_some_and(|name| !name.is_empty() && name.chars().all(is_sign)),
        None => !text.is_empty() && text.chars().all(is_sign) && !text.contains("--") && !text.contains("/*"),
    }
}

/// Returns what is wrong with an exclusion constraint.
pub(super) fn mistakes(key: &KeyDraft<'_>) -> Vec<Diagnostic> {
    if key.kind != KeyKind::Exclusion {
        return Vec::new();
    }
    let mut found: Vec<_> = key
        .fields
        .iter()
        .filter(|field| field.operator.is_none())
        .map(|field| {
            Diagnostic::new(codes::EXCLUSION_CONSTRAINT, field.span, "each part of `@@exclude` needs an operator")
                .label("`with` is missing")
                .help("write how two rows compare: `field(with: \"=\")`, or `field(with: \"&&\")` for ranges that overlap")
        })
        .collect();
    let excludes_nothing =
        |method| matches!(method, IndexMethod::Gin | IndexMethod::Brin | IndexMethod::Hnsw | IndexMethod::IvfFlat);
    if let Some((method, span)) = key.method.filter(|(method, _)| excludes_nothing(*method)) {
        let message = format!("an index of type `{}` cannot exclude rows", super::method_name(method));
        found.push(
            Diagnostic::new(codes::EXCLUSION_CONSTRAINT, span, message)
                .label("not possible")
                .help("omit `type`, which is `Gist` then, or use `SpGist`, `BTree` or `Hash`"),
        );
    }
    found
}
