//! Arguments of attributes and functions: which parameter each is for, and what kind of value it has.

use super::Cx;
use super::draft::Given;
use crate::diagnostics::{self as codes, Diagnostic, Span, did_you_mean, suggest};
use crate::syntax::{Argument, Expression, Name};

/// The parameters of an attribute or a function.
pub(super) struct Parameters {
    /// How messages write it: `@@index`.
    pub(super) owner: &'static str,
    /// The parameter that needs no name.
    pub(super) unnamed: Option<&'static str>,
    /// All parameters.
    pub(super) names: &'static [&'static str],
    /// The required parameters.
    pub(super) required: &'static [&'static str],
}

/// Arguments by parameter.
#[derive(Default)]
pub(super) struct Bound<'a> {
    values: Vec<(&'static str, &'a Argument<'a>)>,
    /// Whether a mistake was reported.
    pub(super) broken: bool,
}

impl<'a> Bound<'a> {
    /// Returns the value of a parameter; `None` if it is missing or was reported.
    pub(super) fn get(&self, name: &str) -> Option<&'a Expression<'a>> {
        let (_, argument) = self.values.iter().find(|(known, _)| *known == name)?;
        (!matches!(argument.value, Expression::Missing(_))).then_some(&argument.value)
    }

    /// The whole argument, with its name.
    pub(super) fn span(&self, name: &str) -> Option<Span> {
        self.values.iter().find(|(known, _)| *known == name).map(|(_, argument)| argument.span)
    }
}

/// Assigns arguments to parameters; `span` is that of the attribute or function.
pub(super) fn bind<'a>(
    cx: &mut Cx<'a, '_>,
    arguments: impl IntoIterator<Item = &'a Argument<'a>>,
    span: Span,
    parameters: &Parameters,
) -> Bound<'a> {
    let mut bound = Bound::default();
    let mut extra = None;
    for argument in arguments {
        bound.broken |= matches!(argument.value, Expression::Missing(_));
        let name = match argument.name {
            Some(name) => match parameters.names.iter().copied().find(|known| *known == name.text) {
                Some(known) => known,
                None => {
                    report_unknown_argument(cx, name, parameters);
                    bound.broken = true;
                    continue;
                }
            },
            None => match parameters.unnamed {
                Some(unnamed) if extra.is_none() && argument_is_first_unnamed(&bound, unnamed) => unnamed,
                _ => {
                    extra.get_or_insert(argument.span);
                    continue;
                }
            },
        };
        match bound.values.iter().find(|(known, _)| *known == name) {
            Some((_, first)) => {
                let first = first.span;
                report_repeated_argument(cx, argument.span, first, name);
                bound.broken = true;
            }
            None => bound.values.push((name, argument)),
        }
    }
    if let Some(extra) = extra {
        report_extra_argument(cx, extra, parameters);
        bound.broken = true;
    }
    for name in parameters.required {
        if !bound.broken && !bound.values.iter().any(|(known, _)| known == name) {
            report_missing_argument(cx, span, name, parameters);
            bound.broken = true;
        }
    }
    bound
}

fn argument_is_first_unnamed(bound: &Bound<'_>, unnamed: &str) -> bool {
    !bound.values.iter().any(|(known, argument)| *known == unnamed && argument.name.is_none())
}

fn report_unknown_argument(cx: &mut Cx<'_, '_>, name: Name<'_>, parameters: &Parameters) {
    let help = match did_you_mean(name.text, parameters.names.iter().copied()) {
        Some(guess) => format!("did you mean `{guess}`?"),
        None if parameters.names.is_empty() => format!("write `{}` without arguments", parameters.owner),
        None => format!("`{}` takes `{}`", parameters.owner, parameters.names.join("`, `")),
    };
    let message = format!("`{}` has no argument `{}`", parameters.owner, name.text);
    cx.report(Diagnostic::new(codes::UNKNOWN_ARGUMENT, name.span, message).label("unknown argument").help(help));
}

fn report_extra_argument(cx: &mut Cx<'_, '_>, span: Span, parameters: &Parameters) {
    let help = match (parameters.unnamed, parameters.names) {
        (_, []) => format!("write `{}` without arguments", parameters.owner),
        (None, names) => format!("write the argument's name before it: `{}`", names.join(": ..`, `") + ": .."),
        (Some("fields"), _) => "put the fields in brackets: `[a, b]`".to_owned(),
        (Some(_), names) => {
            format!("only one argument may be unnamed; the arguments are `{}`", names.join("`, `"))
        }
    };
    let message = format!("`{}` does not take this argument", parameters.owner);
    cx.report(Diagnostic::new(codes::UNKNOWN_ARGUMENT, span, message).label("one argument too many").help(help));
}

fn report_repeated_argument(cx: &mut Cx<'_, '_>, span: Span, first: Span, name: &str) {
    cx.report(
        Diagnostic::new(codes::REPEATED_ARGUMENT, span, format!("the argument `{name}` is specified twice"))
            .label("given again")
            .second(first, "first specified here")
            .help("remove one of them"),
    );
}

fn report_missing_argument(cx: &mut Cx<'_, '_>, span: Span, name: &str, parameters: &Parameters) {
    let message = format!("`{}` needs the argument `{name}`", parameters.owner);
    let example = match name {
        "fields" => "([a, b])",
        "sql" => "(\"SQL\")",
        "value" => "(..)",
        _ if parameters.unnamed != Some(name) => &format!("({name}: \"..\")"),
        _ => "(\"..\")",
    };
    cx.report(
        Diagnostic::new(codes::MISSING_ARGUMENT, span, message)
            .label("the argument is missing")
            .help(format!("write `{}{example}`", parameters.owner)),
    );
}

/// Reads a value that must be a string.
pub(super) fn expect_string<'a>(cx: &mut Cx<'a, '_>, value: &'a Expression<'a>) -> Option<Given<'a>> {
    match value {
        Expression::String(text) => Some(text.into()),
        _ => {
            let help = match value {
                Expression::Constant(word) => match word.text.strip_prefix("process.env.") {
                    Some(variable) => format!("write `env(\"{variable}\")`"),
                    None => format!("put it in quotes: `\"{}\"`", word.text),
                },
                _ => "write a string, such as `\"name\"`".to_owned(),
            };
            report_wrong_value(cx, value, "a string", help);
            None
        }
    }
}

/// Reads a string with SQL, which cannot be empty. `needs` is the message if it is: "`@@check` needs an SQL condition".
pub(super) fn expect_sql<'a>(
    cx: &mut Cx<'a, '_>,
    value: &'a Expression<'a>,
    needs: impl Into<String>,
    help: &str,
) -> Option<Given<'a>> {
    let sql = expect_string(cx, value)?;
    if sql.text.trim().is_empty() {
        cx.report(Diagnostic::new(codes::WRONG_VALUE, sql.span, needs).label("empty").help(help));
        return None;
    }
    Some(sql)
}

/// Reads a string that names something in the database and so cannot be empty.
pub(super) fn expect_database_name<'a>(cx: &mut Cx<'a, '_>, value: &'a Expression<'a>) -> Option<Given<'a>> {
    let name = expect_string(cx, value)?;
    if name.text.is_empty() || name.text.contains('\0') {
        cx.report(
            Diagnostic::new(
                codes::EMPTY_DATABASE_NAME,
                name.span,
                "a name in the database cannot be empty or contain NUL",
            )
            .label(if name.text.is_empty() { "empty" } else { "contains a NUL character" })
            .help("write the name in PostgreSQL, or remove the argument"),
        );
        return None;
    }
    Some(name)
}

/// Reads a value that must be a single word.
pub(super) fn expect_word<'a>(cx: &mut Cx<'a, '_>, value: &'a Expression<'a>, what: &str) -> Option<Name<'a>> {
    match value {
        Expression::Constant(name) => Some(*name),
        _ => {
            let help = match value {
                Expression::String(text) => format!("write it without quotes: `{}`", text.value),
                _ => "write only the word".to_owned(),
            };
            report_wrong_value(cx, value, what, help);
            None
        }
    }
}

/// Returns the items of a list, or the value itself if the brackets were omitted.
pub(super) fn list_items<'a>(value: &'a Expression<'a>) -> &'a [Expression<'a>] {
    match value {
        Expression::Array { items, .. } => items,
        other => std::slice::from_ref(other),
    }
}

/// Reports a value of the wrong kind.
pub(super) fn report_wrong_value(cx: &mut Cx<'_, '_>, value: &Expression<'_>, expected: &str, help: String) {
    let message = format!("expected {expected}, found {}", value.describe());
    cx.report(
        Diagnostic::new(codes::WRONG_VALUE, value.span(), message).label(format!("expected {expected}")).help(help),
    );
}

/// Reads one of a fixed set of words.
pub(super) fn expect_one_of<'a, T: Copy>(
    cx: &mut Cx<'a, '_>,
    value: &'a Expression<'a>,
    what: &str,
    choices: &[(&'static str, T)],
) -> Option<(T, Span)> {
    let word = expect_word(cx, value, what)?;
    if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == word.text) {
        return Some((*choice, word.span));
    }
    let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
    let help =
        suggest(did_you_mean(word.text, names.iter().copied()), || format!("write one of `{}`", names.join("`, `")));
    cx.report(
        Diagnostic::new(codes::WRONG_VALUE, word.span, format!("`{}` is not {what}", word.text))
            .label("unknown word")
            .help(help),
    );
    None
}

/// `true` or `false`.
pub(super) fn expect_flag<'a>(cx: &mut Cx<'a, '_>, value: &'a Expression<'a>, example: &str) -> Option<bool> {
    match value {
        Expression::Constant(name) if name.text == "true" => Some(true),
        Expression::Constant(name) if name.text == "false" => Some(false),
        _ => {
            report_wrong_value(cx, value, "`true` or `false`", format!("write `{example}`"));
            None
        }
    }
}

/// Reads `raw("sql")`.
pub(super) fn read_raw_sql<'a>(cx: &mut Cx<'a, '_>, value: &'a Expression<'a>) -> Option<Given<'a>> {
    if let Expression::Call { name, arguments, .. } = value
        && name.text == "raw"
        && let [argument] = arguments.list.as_slice()
        && let Expression::String(sql) = &argument.value
    {
        return Some(sql.into());
    }
    let help = match value {
        Expression::String(sql) => format!("write `raw({:?})`", sql.value),
        _ => "write the SQL as `raw(\"deleted_at IS NULL\")`".to_owned(),
    };
    report_wrong_value(cx, value, "`raw(\"..\")` with SQL in it", help);
    None
}
