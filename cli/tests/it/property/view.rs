//! Views of random schemas.

use std::fmt::Write as _;

use relata_codegen::sql::quote::ident;

use super::sketch::{Arity, Field, Kind, Sketch, quoted};
use crate::random::Random;

/// A view of fields of a model. Each column is named after the number of its field.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) id: usize,
    pub(super) model: usize,
    pub(super) fields: Vec<usize>,
    pub(super) is_materialized: bool,
    /// Whether it reads the last view of the same model in place of the table.
    pub(super) is_second: bool,
    /// Its place in the schemas.
    pub(super) schema: usize,
    pub(super) has_options: bool,
}

impl Sketch {
    pub(super) fn add_view(&mut self, random: &mut Random) {
        let id = self.number();
        let Some(model) = random.pick(&self.models) else { return };
        let fields: Vec<usize> = model.fields.iter().filter(|_| random.percent(60)).map(|field| field.id).collect();
        let model = model.id;
        let (is_materialized, is_second) = (random.percent(30), random.percent(40));
        let (schema, has_options) = (random.below(3), random.percent(25));
        self.views.push(View { id, model, fields, is_materialized, is_second, schema, has_options });
    }

    /// The fields of a view that its model still has.
    fn columns(&self, view: &View) -> Vec<&Field> {
        let model = self.model(view.model);
        view.fields.iter().filter_map(|id| model?.field(*id)).collect()
    }

    pub(super) fn push_view(&self, text: &mut String, at: usize) {
        let view = &self.views[at];
        let (Some(model), columns) = (self.model(view.model), self.columns(view)) else { return };
        if columns.is_empty() {
            return;
        }
        let has_all = |other: &&View| columns.iter().all(|field| other.fields.contains(&field.id));
        let under = self.views[..at].iter().rev().filter(|_| view.is_second);
        let under = under.filter(|other| other.model == view.model && !other.is_materialized).find(has_all);
        let _ = writeln!(text, "\nview View{} {{", view.id);
        for field in &columns {
            let (_, native, _) = self.value_kind(field.kind).words();
            let mark = if field.arity == Arity::List { "[]" } else { "?" };
            let _ = writeln!(text, "  v{} {}{mark} {native}", field.id, self.type_words(field.kind));
        }
        let (source, items): (String, Vec<String>) = match under {
            Some(under) => (
                self.path(under.schema, &format!("view{}", under.id)),
                columns.iter().map(|field| format!("v{}", field.id)).collect(),
            ),
            None => (
                self.table(model),
                columns.iter().map(|field| format!("t.{} AS v{}", ident(&field.db), field.id)).collect(),
            ),
        };
        let sql = format!("SELECT {} FROM {source} AS t", items.join(", "));
        let materialized = if view.is_materialized { "\n  @@materialized" } else { "" };
        let is_indexed =
            |field: &&&Field| field.arity != Arity::List && !matches!(field.kind, Kind::Json | Kind::Composite(_));
        let index = columns.iter().find(is_indexed);
        let index = index.filter(|_| view.is_materialized);
        let index = index.map_or_else(String::new, |field| format!("\n  @@index([v{}])", field.id));
        let options = match (view.has_options, view.is_materialized) {
            (true, true) => "\n  @@with(\"fillfactor=80\")",
            (true, false) => "\n  @@with(\"security_barrier=true\")",
            (false, _) => "",
        };
        let more = format!("{materialized}{options}{}{index}", self.schema(view.schema));
        let _ = writeln!(text, "\n  @@map(\"view{}\"){more}\n  @@sql({})\n}}", view.id, quoted(&sql));
    }
}
