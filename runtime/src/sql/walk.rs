//! Statements of queries that a connection may know by their shape.

use super::pass::{Pass, Shape, Text};
use super::statement::{Statement, Statements};
use super::writer::Writer;

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
pub(super) fn shaped(shapes: Option<&Statements>, mut query: impl Walk) -> Statement {
    let Some(shapes) = shapes else { return written(query) };
    let mut writer = Writer::of(Shape::new());
    query.walk(&mut writer);
    let (shape, params) = writer.into_parts();
    let known = shape.words().and_then(|words| shapes.of_shape(words));
    let Some(known) = known else {
        let text = text_of(&mut query);
        return match shape.words() {
            Some(words) => Statement::with_shape(text, params, words),
            None => Statement::new(text, params),
        };
    };
    let statement = Statement::known_by_shape(known, params);
    debug_assert_eq!(statement.sql(), text_of(&mut query), "a shape lacks a word");
    statement
}

/// The text alone: the values went with the shape.
fn text_of(query: &mut impl Walk) -> String {
    let mut writer = Writer::of(Text::new());
    query.walk(&mut writer);
    writer.into_parts().0.0
}
