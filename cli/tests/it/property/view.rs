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
}

impl Sketch {
    pub(super) fn add_view(&mut self, random: &mut Random) {
        let id = self.number();
        let Some(model) = random.pick(&self.models) else { return };
        let fields: Vec<usize> = model.fields.iter().filter(|_| random.percent(60)).map(|field| field.id).collect();
        let model = model.id;
        let (is_materialized, is_second) = (random.percent(30), random.percent(40));
        self.views.push(View { id, model, fields, is_materialized, is_second });
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
            let (ty, native, _) = self.value_kind(field.kind).words();
            let named = self.enums.iter().find(|it| self.value_kind(field.kind) == Kind::Enum(it.id));
            let mark = if field.arity == Arity::List { "[]" } else { "?" };
            let _ = writeln!(text, "  v{} {}{mark} {native}", field.id, named.map_or(ty, |it| &it.name));
        }
        let (source, items): (String, Vec<String>) = match under {
            Some(under) => {
                (format!("view{}", under.id), columns.iter().map(|field| format!("v{}", field.id)).collect())
            }
            None => (
                ident(&model.db),
                columns.iter().map(|field| format!("t.{} AS v{}", ident(&field.db), field.id)).collect(),
            ),
        };
        let sql = format!("SELECT {} FROM {source} AS t", items.join(", "));
        let materialized = if view.is_materialized { "\n  @@materialized" } else { "" };
        let index = columns.iter().find(|field| field.arity != Arity::List && field.kind != Kind::Json);
        let index = index.filter(|_| view.is_materialized);
        let index = index.map_or_else(String::new, |field| format!("\n  @@index([v{}])", field.id));
        let _ = writeln!(text, "\n  @@map(\"view{}\"){materialized}{index}\n  @@sql({})\n}}", view.id, quoted(&sql));
    }
}
