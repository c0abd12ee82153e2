//! From text to tree: takes the texts of a schema, and returns an `Ast` with spans and diagnostics about syntax. Never
//! fails: text that cannot be parsed is reported and left out. Resolves no names.

mod ast;
mod build;
mod prepare;
mod strings;

pub(crate) use ast::{
    Argument, Arguments, Ast, Attribute, ConfigBlock, ConfigKind, EnumBlock, EnumValue, Expression, FieldBlock,
    FieldLine, ModelKind, Name, Property, Text,
};
pub(crate) use prepare::prepare;
pub use strings::{string_literal, text_literal};

use pest::Parser;
use pest::error::Error;
use pest::iterators::Pairs;

use crate::diagnostics::Diagnostic;

/// The parser that pest generates from the grammar.
#[derive(pest_derive::Parser)]
#[grammar = "syntax/schema.pest"]
struct Grammar;

/// Returns the pairs of a text for which `prepare` has no diagnostics.
pub(crate) fn read(text: &str) -> Result<Pairs<'_, Rule>, Box<Error<Rule>>> {
    Grammar::parse(Rule::schema, text).map_err(Box::new)
}

/// Parses texts that `prepare` has checked, in the order of the files.
pub(crate) fn parse<'s>(texts: &'s [std::borrow::Cow<'s, str>], diagnostics: &mut Vec<Diagnostic>) -> Ast<'s> {
    let mut ast = Ast::default();
    for (file, text) in texts.iter().enumerate() {
        build::build_file(file as u32, text, &mut ast, diagnostics);
    }
    ast
}
