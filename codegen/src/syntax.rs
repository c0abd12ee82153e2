//! Text to tree: takes the texts of a schema, gives an `Ast` with spans and what is wrong with the
//! writing. Never fails: what cannot be read is reported and left out. Resolves no name.

mod ast;
mod build;
mod prepare;
mod strings;

pub(crate) use ast::{
    Argument, Arguments, Ast, Attribute, ConfigBlock, ConfigKind, EnumBlock, EnumValue, Expression, FieldBlock,
    FieldLine, ModelKind, Name, Property, Text,
};
pub(crate) use prepare::prepare;

use pest::Parser;
use pest::error::Error;
use pest::iterators::Pairs;

use crate::diagnostics::Diagnostic;

/// The parser that pest makes of the grammar.
#[derive(pest_derive::Parser)]
#[grammar = "syntax/schema.pest"]
struct Grammar;

/// The pairs of a text that `prepare` has nothing to say about.
pub(crate) fn read(text: &str) -> Result<Pairs<'_, Rule>, Box<Error<Rule>>> {
    Grammar::parse(Rule::schema, text).map_err(Box::new)
}

/// Parses texts that `prepare` has seen, in the order of the files.
pub(crate) fn parse<'s>(texts: &'s [std::borrow::Cow<'s, str>], diagnostics: &mut Vec<Diagnostic>) -> Ast<'s> {
    let mut ast = Ast::default();
    for (file, text) in texts.iter().enumerate() {
        build::build_file(file as u32, text, &mut ast, diagnostics);
    }
    ast
}
