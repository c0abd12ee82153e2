//! PostgreSQL's lexical rules: tokens, quoting, and expressions as trees.
//!
//! This crate takes SQL text and returns tokens with their byte ranges, or takes names and values and returns SQL text.
//! It does not parse statements, and uses neither the catalog nor settings. It assumes that
//! `standard_conforming_strings` is on, which is the default since PostgreSQL 9.1, and folds names as in a database
//! whose encoding is UTF-8.

mod enclosed;
mod expression;
mod lexeme;
mod lexer;
mod quote;
mod statements;
mod token;

pub use enclosed::is_enclosed;
pub use expression::{Node, parse_expression};
pub use lexeme::{Lexeme, lexemes};
pub use lexer::{Tokens, tokens};
pub use quote::{ident, ident_if_needed, literal, push_ident, push_literal};
pub use statements::Nesting;
pub use token::{Token, TokenKind, Unterminated};
