//! Casts between the types of the client and those of PostgreSQL: of parameters, written into the statement, and of columns,
//! which the author of the query writes.

use std::collections::BTreeSet;

use super::Assembly;
use crate::diagnostics::{self as codes, Diagnostic};
use crate::ir::{Arity, ClientType, ColumnText, ColumnType, FieldId};
use crate::queries::infer::{Output, ParamState};
use crate::queries::query::ValueType;
use crate::queries::types::{Base, Ty};

impl Assembly<'_> {
    /// A geometry of Rust has no spatial reference system. It gets that of the columns beside it.
    pub(super) fn give_reference_system(&mut self, at: usize, state: &ParamState) {
        let (Ty::Base(Base::Named(name)), list) = (match state.ty {
            Some(Ty::List(base)) => (Ty::Base(base), "[]"),
            Some(ty) => (ty, ""),
            None => return,
        }) else {
            return;
        };
        let place = |field: FieldId| match &self.schema.walk_field(field).as_column()?.column().ty {
            ColumnType::Unsupported(text) => match ClientType::of(text) {
                ClientType::Place(place) if place.is_geography == (name == "geography") => place.srid,
                _ => None,
            },
            _ => None,
        };
        let srids: BTreeSet<u32> = state.all_fields().filter_map(place).collect();
        if let (Some(srid), 1, "geometry" | "geography") = (srids.first(), srids.len(), name) {
            self.casts.insert(at as u16 + 1, format!("::{name}(Geometry,{srid}){list}"));
        }
    }

    /// A value that the client has only as its text is cast in the statement.
    pub(super) fn sent_as_text(&mut self, at: usize, sql: &str, list: bool, nullable: bool) -> (ValueType, bool) {
        let list_of = if list { "[]" } else { "" };
        self.casts.insert(at as u16 + 1, format!("::text{list_of}::{sql}{list_of}"));
        let ty = ColumnType::Unsupported(sql.to_owned());
        (ValueType { ty, list, holes: false, nullable }, true)
    }

    /// Returns the type in PostgreSQL of a field that the client has only as its text, and whether it is a list.
    pub(super) fn text_type(&self, field: FieldId) -> Option<(String, bool)> {
        let column = self.schema.walk_field(field).as_column()?;
        match &column.column().ty {
            ColumnType::Unsupported(text)
                if column.column().rust.is_none() && ClientType::of(text) == ClientType::Text =>
            {
                Some((ColumnText::type_of(text).to_owned(), column.arity() == Arity::List))
            }
            _ => None,
        }
    }

    /// Returns how to read a column as text.
    fn text_cast(&self, name: &str, output: &Output, list: bool) -> String {
        let list = if list { "[]" } else { "" };
        let written = self.numbered.part(output.span).unwrap_or_default().trim();
        if written.ends_with('*') {
            return format!("list the columns in place of `{written}`, with `{name}::text{list} AS {name}` among them");
        }
        let is_plain = written.chars().all(|c| c.is_alphanumeric() || "_.\"".contains(c));
        let written = if is_plain { written.to_owned() } else { format!("({written})") };
        format!("write `{written}::text{list} AS {name}`")
    }

    /// Reports a column that the client reads only as text.
    pub(super) fn only_text(&mut self, name: &str, sql: &str, output: &Output, list: bool) {
        let message = format!("`{name}` is {sql}, which the client reads only as text");
        let help = self.text_cast(name, output, list);
        self.found.push(Diagnostic::new(codes::QUERY_NO_RUST_TYPE, output.span, message).help(help));
    }
}
