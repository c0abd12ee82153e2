//! Statements of queries that a connection may know by their shape.

use super::pass::{Pass, Shape};
use super::statement::{Statement, Statements};
use super::writer::Writer;
use crate::value::Param;

/// A query, as something to walk over.
pub(super) trait Walk {
    /// Walks over all of it. The values may be taken out of it: they go with the first pass.
    fn walk<P: Pass>(&mut self, writer: &mut Writer<P>);
}

/// The statement of a query, put together.
pub(super) fn written(mut query: impl Walk) -> Statement {
    let mut writer = Writer::new();
    query.walk(&mut writer);
    writer.finish()
}

/// The statement of a query. Where the connection knows its shape, its text is not put together.
#[inline]
pub(super) fn shaped(shapes: Option<&Statements>, mut query: impl Walk) -> Statement {
    let Some(shapes) = shapes else { return written(query) };
    let mut writer = Writer::of(Shape::new());
    query.walk(&mut writer);
    let params = writer.take_params();
    let words = writer.pass().words();
    let Some(known) = words.and_then(|words| shapes.of_shape(words)) else {
        return unknown(query, params, words);
    };
    let statement = Statement::known_by_shape(known, params);
    debug_assert_eq!(statement.sql(), text_of(query), "a shape lacks a word");
    statement
}

/// A statement whose shape the connection does not know, or that has none.
#[cold]
fn unknown(query: impl Walk, params: Vec<Param>, words: Option<&[usize]>) -> Statement {
    let text = text_of(query);
    match words {
        Some(words) => Statement::with_shape(text, params, words),
        None => Statement::new(text, params),
    }
}

/// The text alone: the values went with the shape.
fn text_of(query: impl Walk) -> String {
    written(query).into_sql()
}
