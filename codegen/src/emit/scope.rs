//! `@@scope` in the client: the conditions in the table, and the constants by which calls lift them.

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use relata_pgsql::{TokenKind, tokens};

use super::context::{ModelNames, ident};
use crate::ir::Scope;

/// Emits the conditions of the scopes.
pub(super) fn emit_scopes(model: &ModelNames<'_>) -> Option<TokenStream> {
    let scopes = &model.walker.model().scopes;
    let conditions = scopes.iter().map(|scope| {
        let (texts, columns) = split(model, scope);
        let columns = columns.into_iter().map(Literal::u16_unsuffixed);
        quote!(rt::TableScope::new(&[#(#texts),*], &[#(#columns),*]))
    });
    (!scopes.is_empty()).then(|| quote!(.scopes(&[#(#conditions),*])))
}

/// Emits a constant for each scope, in a module of their own: no field has their names there.
pub(super) fn emit_scope_constants(model: &ModelNames<'_>) -> Option<TokenStream> {
    let (scopes, row) = (&model.walker.model().scopes, &model.ident);
    let constants = scopes.iter().enumerate().map(|(place, scope)| {
        let (name, place) = (ident(&scope.rust_ident), Literal::usize_unsuffixed(place));
        let docs = format!("`{}`", scope.sql.split_whitespace().collect::<Vec<_>>().join(" "));
        quote!(#[doc = #docs] pub const #name: rt::Scope<super::#row> = rt::Scope::new(#place);)
    });
    (!scopes.is_empty()).then(|| quote!(pub mod scope { use ::relata::rt; #(#constants)* }))
}

/// Returns the texts of a condition between its columns, and the numbers of these.
fn split(model: &ModelNames<'_>, scope: &Scope) -> (Vec<String>, Vec<u16>) {
    let sql = &scope.sql;
    let all: Vec<_> = tokens(sql).filter(|token| !token.is_comment()).collect();
    let (mut texts, mut columns, mut behind) = (Vec::new(), Vec::new(), 0);
    for (place, token) in all.iter().enumerate() {
        let before = place.checked_sub(1).map(|place| all[place].text(sql));
        let next = all.get(place + 1);
        let is_name = match token.kind {
            TokenKind::QuotedIdent | TokenKind::UnicodeIdent => true,
            // `date '2020-01-01'` is a value, and `lower(..)` a function.
            TokenKind::Word => next.is_none_or(|next| !next.is_string() && next.text(sql) != "("),
            _ => false,
        };
        let is_type = before.is_some_and(|before| before == "::" || before.eq_ignore_ascii_case("as"));
        let stands_alone = !is_type && before != Some(".") && next.is_none_or(|next| next.text(sql) != ".");
        let value = token.value(sql);
        let column = model.columns.iter().find(|column| column.walker.db_name() == value);
        if let Some(column) = column.filter(|_| is_name && stands_alone) {
            texts.push(sql[behind..token.start].to_owned());
            columns.push(column.number);
            behind = token.end;
        }
    }
    texts.push(sql[behind..].to_owned());
    (texts, columns)
}
