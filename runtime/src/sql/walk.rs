//! Statements of queries that a connection may identify by shape.

use super::pass::{Pass, Shape};
use super::statement::Statement;
use super::tenant::Context;
use super::writer::Writer;
use crate::value::Param;

/// A query that can be walked over.
pub(super) trait Walk {
    /// Walks over the whole query. May move the values out of it: only the first pass needs them.
    fn walk<P: Pass>(&mut self, writer: &mut Writer<'_, P>);
}

/// Builds the statement of a query.
pub(super) fn written(mut query: impl Walk, context: Context<'_>) -> Statement {
    let mut writer = Writer::new(context);
    query.walk(&mut writer);
    writer.finish()
}

/// Returns the statement of a query. If the connection knows its shape, the text is not built.
#[inline]
pub(super) fn shaped(context: Context<'_>, mut query: impl Walk) -> Statement {
    let Some(shapes) = context.shapes else { return written(query, context) };
    let mut writer = Writer::of(Shape::new(), context);
    query.walk(&mut writer);
    if let Some(refused) = writer.refusal() {
        return refused;
    }
    let params = writer.take_params();
    let words = writer.pass().words();
    let Some(known) = words.and_then(|words| shapes.of_shape(words)) else {
        return unknown(query, context, params, words);
    };
    let statement = Statement::known_by_shape(known, params);
    debug_assert_eq!(statement.sql(), written(query, context).sql(), "a shape lacks a word");
    statement
}

/// Builds a statement whose shape the connection does not know, or that has none. Its values were moved by the first
/// pass, unless it is refused.
#[cold]
fn unknown(query: impl Walk, context: Context<'_>, params: Vec<Param>, words: Option<&[usize]>) -> Statement {
    let statement = written(query, context);
    if statement.params.len() != params.len() {
        return statement;
    }
    match words {
        Some(words) => Statement::with_shape(statement.into_sql(), params, words),
        None => Statement::new(statement.into_sql(), params),
    }
}
