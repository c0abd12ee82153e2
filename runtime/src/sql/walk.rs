//! Statements of queries that a connection may know by their shape.

use super::pass::{Pass, Shape};
use super::statement::Statement;
use super::tenant::Context;
use super::writer::Writer;
use crate::value::Param;

/// A query, as something to walk over.
pub(super) trait Walk {
    /// Walks over all of it. The values may be taken out of it: they go with the first pass.
    fn walk<P: Pass>(&mut self, writer: &mut Writer<'_, P>);
}

/// The statement of a query, put together.
pub(super) fn written(mut query: impl Walk, context: Context<'_>) -> Statement {
    let mut writer = Writer::new(context);
    query.walk(&mut writer);
    writer.finish()
}

/// The statement of a query. Where the connection knows its shape, its text is not put together.
#[inline]
pub(super) fn shaped(context: Context<'_>, mut query: impl Walk) -> Statement {
    let Some(shapes) = context.shapes else { return written(query, context) };
    let mut writer = Writer::of(Shape::new(), context);
    query.walk(&mut writer);
    let params = writer.take_params();
    let words = writer.pass().words();
    let Some(known) = words.and_then(|words| shapes.of_shape(words)) else {
        return unknown(query, context, params, words);
    };
    let statement = Statement::known_by_shape(known, params);
    debug_assert_eq!(statement.sql(), written(query, context).sql(), "a shape lacks a word");
    statement
}

/// A statement whose shape the connection does not know, or that has none. Its values went with the shape, unless it is
/// refused.
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
