//! Whether a row matches a condition: true, false, or (`None`) unknown.

use std::cmp::Ordering;

use super::super::query::{Compare, Condition, Like, Reach, Test};
use super::super::value::Value;
use super::super::world::{Row, World};
use super::inside;

type Truth = Option<bool>;

/// Whether a query with this condition returns the row: only if the condition is true.
pub(crate) fn meets(world: &World, model: usize, row: &Row, condition: Option<&Condition>) -> bool {
    condition.is_none_or(|condition| truth(world, model, row, condition) == Some(true))
}

fn truth(world: &World, model: usize, row: &Row, condition: &Condition) -> Truth {
    let each = |parts: &[Condition]| parts.iter().map(|part| truth(world, model, row, part)).collect::<Vec<_>>();
    match condition {
        Condition::And(parts) | Condition::All(parts) => all(&each(parts)),
        Condition::Or(parts) | Condition::Any(parts) => any(&each(parts)),
        Condition::Not(part) => truth(world, model, row, part).map(|truth| !truth),
        Condition::Field(field, test) => field_test(&row[*field], test),
        Condition::Pair(pair, operator) => {
            let (left, right) = world.models[model].pairs[*pair];
            compare(&row[left], *operator, &row[right])
        }
        Condition::Related(relation, reach, inner) => {
            let child = world.models[model].relations[*relation].child;
            let mut rows = world.related(model, row, *relation).into_iter();
            let meets = |row: &Row| meets(world, child, row, Some(inner));
            Some(match reach {
                Reach::Some | Reach::Is => rows.any(meets),
                Reach::None | Reach::IsNot => !rows.any(meets),
                Reach::Every => rows.all(meets),
                Reach::IsSome => rows.next().is_some(),
                Reach::IsNone => rows.next().is_none(),
            })
        }
    }
}

fn all(truths: &[Truth]) -> Truth {
    if truths.contains(&Some(false)) {
        Some(false)
    } else if truths.contains(&None) {
        None
    } else {
        Some(true)
    }
}

fn any(truths: &[Truth]) -> Truth {
    all(&truths.iter().map(|truth| truth.map(|truth| !truth)).collect::<Vec<_>>()).map(|truth| !truth)
}

pub(super) fn compare(left: &Value, operator: Compare, right: &Value) -> Truth {
    (!left.is_null() && !right.is_null()).then(|| holds(left.compare(right), operator))
}

pub(super) fn holds(order: Ordering, operator: Compare) -> bool {
    match operator {
        Compare::Eq => order.is_eq(),
        Compare::Ne => order.is_ne(),
        Compare::Lt => order.is_lt(),
        Compare::Lte => order.is_le(),
        Compare::Gt => order.is_gt(),
        Compare::Gte => order.is_ge(),
    }
}

/// Whether it equals one of them. For an empty list, the result is false, even if the value is null.
fn is_in(value: &Value, values: &[Value]) -> Truth {
    any(&values.iter().map(|known| compare(value, Compare::Eq, known)).collect::<Vec<_>>())
}

fn field_test(value: &Value, test: &Test) -> Truth {
    let elements = || match value {
        Value::List(elements) => Some(elements.as_slice()),
        _ => None,
    };
    let holds = |elements: &[Value], wanted: &Value| elements.iter().any(|element| element.compare(wanted).is_eq());
    match test {
        Test::Compare(operator, other) => compare(value, *operator, other),
        Test::CompareIf(operator, Some(other)) => compare(value, *operator, other),
        Test::CompareIf(_, None) | Test::InIf(None) | Test::ContainsIf(None) => Some(true),
        Test::Between(low, high) => all(&[compare(value, Compare::Gte, low), compare(value, Compare::Lte, high)]),
        Test::In(values) | Test::InIf(Some(values)) => is_in(value, values),
        Test::NotIn(values) => is_in(value, values).map(|truth| !truth),
        Test::IsNull => Some(value.is_null()),
        Test::IsNotNull => Some(!value.is_null()),
        Test::Like(how, text, insensitive) => like(value, *how, text, *insensitive),
        Test::ContainsIf(Some(text)) => like(value, Like::Contains, text, false),
        Test::Has(wanted) => elements().map(|elements| holds(elements, wanted)),
        Test::HasEvery(wanted) => elements().map(|elements| wanted.iter().all(|wanted| holds(elements, wanted))),
        Test::HasSome(wanted) => elements().map(|elements| wanted.iter().any(|wanted| holds(elements, wanted))),
        Test::IsEmpty => Some(elements().is_none_or(<[Value]>::is_empty)),
        Test::Json(path, test) => match value {
            Value::Json(json) => inside::truth(Some(json), path, test),
            _ => inside::truth(None, path, test),
        },
    }
}

fn like(value: &Value, how: Like, text: &str, insensitive: bool) -> Truth {
    match value {
        Value::Text(value) => Some(text_is_like(value, how, text, insensitive)),
        _ => None,
    }
}

pub(super) fn text_is_like(value: &str, how: Like, text: &str, insensitive: bool) -> bool {
    let folded = |text: &str| if insensitive { text.to_ascii_lowercase() } else { text.to_owned() };
    let (value, text) = (folded(value), folded(text));
    match how {
        Like::Contains => value.contains(&text),
        Like::Starts => value.starts_with(&text),
        Like::Ends => value.ends_with(&text),
        Like::Equals => value == text,
        Like::Differs => value != text,
    }
}
