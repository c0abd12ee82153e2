//! The SQL of migrations as squawk's syntax trees: names, and the effects of statements.

mod loss;
mod untracked;

use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SourceFile, SyntaxNode};

pub(crate) use loss::{DataLoss, data_loss};
pub(crate) use untracked::is_untracked;

/// Parses statements; none if squawk cannot parse them.
pub(crate) fn parse(sql: &str) -> Option<SourceFile> {
    let parsed = SourceFile::parse(sql);
    parsed.errors().is_empty().then(|| parsed.tree())
}

/// The text of a node, without the spaces around it.
pub(crate) fn text(node: &impl AstNode) -> String {
    node.syntax().text().to_string().trim().to_owned()
}

/// The normalized name for comparisons: `public."Users"` is not `users`.
pub(crate) fn key(name: &str) -> String {
    let fold = |part: &str| match part.strip_prefix('"').and_then(|part| part.strip_suffix('"')) {
        Some(quoted) => quoted.to_owned(),
        None => part.to_lowercase(),
    };
    name.split('.').map(|part| fold(part.trim())).collect::<Vec<_>>().join(".")
}

/// The columns between the parentheses of a key, which are below its parameters.
pub(crate) fn constraint_columns(node: &SyntaxNode) -> Vec<String> {
    let list = node.descendants().find_map(ast::ConstraintColumnRefList::cast);
    list.map(|list| names_in(list.syntax())).unwrap_or_default()
}

/// The texts of the children of a list.
pub(crate) fn names_in(list: &SyntaxNode) -> Vec<String> {
    list.children().map(|name| name.text().to_string().trim().to_owned()).collect()
}

/// The first `words` words of the first statement, without its comments.
pub(crate) fn excerpt(sql: &str, words: usize) -> String {
    let mut text = String::new();
    let mut end = None;
    let tokens = relata_pgsql::tokens(sql).filter(|token| !token.is_comment());
    for token in tokens.take_while(|token| !token.is_punctuation(sql, ";")) {
        if end.is_some_and(|end| end < token.start) {
            text.push(' ');
        }
        text.extend(token.text(sql).split_whitespace().flat_map(|word| [" ", word]).skip(1));
        end = Some(token.end);
    }
    text.split(' ').take(words).collect::<Vec<_>>().join(" ")
}
