//! From the syntax tree to the IR: resolves names, reads attributes, fills in defaults, and reports mistakes.
//!
//! The passes of `lower` run in the order in which they depend on each other. Each goes over the whole schema and
//! reports all mistakes that it finds. What a pass cannot use is left out, so that later passes do not report it again.
//! The result is valid only if no error was reported.

mod arguments;
mod attributes;
mod audit;
mod citus;
mod config;
mod constraint_names;
mod defaults;
mod domains;
mod draft;
mod extensions;
mod field_names;
mod finish;
mod generated;
mod identity;
mod json_types;
mod keys;
mod missing;
mod mixins;
mod name_lengths;
mod names;
mod naming;
mod native_types;
mod objects;
mod omitted;
mod operator_classes;
mod partitions;
mod predicates;
mod relations;
mod rust_names;
mod rust_types;
mod scopes;
mod shadowed_names;
mod soft_delete;
mod tenants;
mod types;
mod views;

use std::collections::BTreeMap;

use config::Config;
use draft::{EnumDraft, FieldDraft, ModelDraft, RelationDraft, TypeDraft};

pub(crate) use missing::Insertion;

use crate::diagnostics::{Diagnostic, Edit, SourceFile, Sources};
use crate::ir::{EnumId, FieldId, ModelId, Schema, SqlObject, TypeId};
use crate::syntax::Ast;

/// Lowers the tree. The schema is valid only if no error was added to the diagnostics.
pub(crate) fn lower<'a>(ast: &'a Ast<'a>, sources: &'a Sources, diagnostics: &mut Vec<Diagnostic>) -> Schema {
    let mut cx = Cx::new(ast, diagnostics);
    config::lower_config(&mut cx);
    names::declare(&mut cx);
    types::resolve_types(&mut cx);
    json_types::read_types(&mut cx);
    attributes::read_attributes(&mut cx);
    json_types::check_columns(&mut cx);
    views::read_files(&mut cx, sources);
    views::check_options(&mut cx);
    defaults::check_defaults(&mut cx);
    extensions::check_extensions(&mut cx);
    keys::validate_keys(&mut cx);
    relations::resolve_relations(&mut cx);
    rust_types::share_rust_types(&mut cx);
    generated::check_generated(&mut cx);
    omitted::check_omitted(&mut cx);
    domains::check_domains(&mut cx);
    partitions::check_partitions(&mut cx);
    tenants::resolve_tenants(&mut cx);
    soft_delete::check_soft_deletes(&mut cx);
    audit::check_audited(&mut cx);
    citus::distribute(&mut cx);
    constraint_names::name_constraints(&mut cx);
    names::validate_database_names(&mut cx);
    name_lengths::validate_name_lengths(&mut cx);
    shadowed_names::validate_shadowed_names(&mut cx);
    rust_names::choose_rust_names(&mut cx);
    objects::read_objects(&mut cx, sources);
    mixins::report_once(&mut cx);
    finish::finish(cx)
}

/// Returns the changes that write the queries of files into the views that they are for.
pub(crate) fn view_attributes<'a>(ast: &'a Ast<'a>, views: &'a [SourceFile]) -> Vec<Edit> {
    let mut diagnostics = Vec::new();
    let mut cx = Cx::new(ast, &mut diagnostics);
    config::lower_config(&mut cx);
    names::declare(&mut cx);
    attributes::read_attributes(&mut cx);
    views::attributes_of_files(&cx, views)
}

/// Returns the missing parts of relations as text to insert; nothing if names, types or attributes have errors.
pub(crate) fn find_missing<'a>(ast: &'a Ast<'a>, texts: &[&str]) -> Vec<Insertion> {
    let mut diagnostics = Vec::new();
    let mut cx = Cx::new(ast, &mut diagnostics);
    config::lower_config(&mut cx);
    // Relations do not depend on the datasource.
    cx.diagnostics.clear();
    names::declare(&mut cx);
    types::resolve_types(&mut cx);
    attributes::read_attributes(&mut cx);
    if cx.diagnostics.iter().any(Diagnostic::is_error) { Vec::new() } else { missing::find_missing(&cx, texts) }
}

/// The number of diagnostics up to which similar names are suggested.
const MAX_SEARCHES: usize = 50;

/// What a name at the top level refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Declared {
    Model(ModelId),
    Enum(EnumId),
    Type(TypeId),
}

/// The schema during lowering: drafts that the passes fill in, indexed by id.
struct Cx<'a, 'd> {
    ast: &'a Ast<'a>,
    diagnostics: &'d mut Vec<Diagnostic>,
    config: Config<'a>,
    declared: BTreeMap<&'a str, Declared>,
    models: Vec<ModelDraft<'a>>,
    fields: Vec<FieldDraft<'a>>,
    enums: Vec<EnumDraft<'a>>,
    types: Vec<TypeDraft<'a>>,
    relations: Vec<RelationDraft<'a>>,
    objects: Vec<SqlObject>,
}

impl<'a, 'd> Cx<'a, 'd> {
    fn new(ast: &'a Ast<'a>, diagnostics: &'d mut Vec<Diagnostic>) -> Self {
        Cx {
            ast,
            diagnostics,
            config: Config::default(),
            declared: BTreeMap::new(),
            models: Vec::new(),
            fields: Vec::new(),
            enums: Vec::new(),
            types: Vec::new(),
            relations: Vec::new(),
            objects: Vec::new(),
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Returns whether to search the schema for a similar name. For very many mistakes, the searches would take too
    /// long.
    fn may_search(&self) -> bool {
        self.diagnostics.len() < MAX_SEARCHES
    }

    fn model(&self, id: ModelId) -> &ModelDraft<'a> {
        &self.models[id.index()]
    }

    fn model_mut(&mut self, id: ModelId) -> &mut ModelDraft<'a> {
        &mut self.models[id.index()]
    }

    fn field(&self, id: FieldId) -> &FieldDraft<'a> {
        &self.fields[id.index()]
    }

    fn field_mut(&mut self, id: FieldId) -> &mut FieldDraft<'a> {
        &mut self.fields[id.index()]
    }

    fn model_ids(&self) -> impl Iterator<Item = ModelId> + use<> {
        (0..self.models.len() as u32).map(ModelId)
    }

    fn field_ids(&self) -> impl Iterator<Item = FieldId> + use<> {
        (0..self.fields.len() as u32).map(FieldId)
    }

    fn enum_ids(&self) -> impl Iterator<Item = EnumId> + use<> {
        (0..self.enums.len() as u32).map(EnumId)
    }

    fn type_ids(&self) -> impl Iterator<Item = TypeId> + use<> {
        (0..self.types.len() as u32).map(TypeId)
    }

    /// Returns the field of a model with that name.
    fn find_field(&self, model: ModelId, name: &str) -> Option<FieldId> {
        self.model(model).by_name.get(name).copied()
    }

    /// Returns `Model.field`, for messages.
    fn qualified(&self, id: FieldId) -> String {
        let field = self.field(id);
        format!("{}.{}", self.model(field.model).ast.name.text, field.ast.name.text)
    }
}
