//! What Citus refuses, one function per rule.

use super::super::Cx;
use super::super::draft::{FieldType, ForeignKeyDraft, KeyDraft, KeyKind, RelationDraft};
use super::super::tenants::{self, names, new_line};
use crate::diagnostics::{self as codes, Diagnostic, Edit, Span};
use crate::ir::{Distribution, FieldId, ModelId, NativeType, ReferentialAction, Tenancy};
use crate::syntax::ModelKind;

/// Reports unique keys of distributed models that do not contain the column. Each server only knows its own rows.
pub(super) fn keys_hold_the_column(cx: &Cx<'_, '_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for id in cx.model_ids() {
        let Distribution::By(column) = cx.model(id).distribution else { continue };
        let without = |key: &&KeyDraft<'_>| {
            key.kind != KeyKind::Index && !key.fields.iter().any(|field| field.column() == Some(column))
        };
        for (number, key) in cx.model(id).keys.iter().filter(without).enumerate() {
            found.push(key_without_column(cx, id, key, column, number == 0));
        }
    }
    found
}

fn key_without_column(
    cx: &Cx<'_, '_>,
    model: ModelId,
    key: &KeyDraft<'_>,
    column: FieldId,
    is_first: bool,
) -> Diagnostic {
    let (name, column_name) = (cx.model(model).ast.name.text, cx.field(column).ast.name.text);
    let columns: Vec<FieldId> = key.fields.iter().filter_map(|field| field.column()).collect();
    let what = match columns.as_slice() {
        [] => format!("`{}(..)`", key.attribute),
        columns => format!("`{}`", names(cx, columns)),
    };
    let message = format!("{what} does not contain `{column_name}`, by which `{name}` is distributed");
    let diagnostic = Diagnostic::new(codes::KEY_ACROSS_SHARDS, key.span, message)
        .label("no server knows all values")
        .second(cx.field(column).ast.name.span, "selects the server of each row");
    if cx.model(model).tenancy == Tenancy::Tenant {
        let edits = if is_first { new_line(cx, model, "@@reference".to_owned()) } else { None };
        return diagnostic
            .help("write `@@reference` in the model: every server then has all rows, and every key is enforced")
            .edits(edits);
    }
    if key.kind == KeyKind::Exclusion {
        return diagnostic
            .help(format!("add `{column_name}(with: \"=\")` as the first field, or write `@@reference` in the model"));
    }
    let kept = if key.kind == KeyKind::Primary { "@@id" } else { "@@unique" };
    let list = names(cx, &[&[column], columns.as_slice()].concat());
    // A key that also covers other tenants is corrected because of that.
    let is_corrected = tenants::shared_key(cx, model, key).is_some();
    // With the column, the key would no longer be unique across tenants, which the schema asks for.
    if key.global {
        return diagnostic.help(format!(
            "put the values into a `@@reference` model, whose keys are unique on all servers, or drop `global: true` and write \
             `{kept}([{list}])`"
        ));
    }
    let edits = if is_corrected { Vec::new() } else { tenants::with_tenant(cx, model, key, column, &list) };
    let help = match columns.is_empty() {
        true => format!("add `{column_name}` as the first field, or write `@@reference` in the model"),
        false => format!("write `{kept}([{list}])`, or `@@reference` in the model if its rows seldom change"),
    };
    diagnostic.help(help).edits(edits)
}

/// Reports models that reach their tenant through rows in another place. The condition of a handle is a subquery then, which
/// Citus refuses in most statements that write.
pub(super) fn paths_stay_in_one_place(cx: &Cx<'_, '_>) -> Vec<Diagnostic> {
    cx.model_ids()
        .filter(|id| cx.model(*id).ast.kind != ModelKind::View)
        .filter_map(|id| path_elsewhere(cx, id))
        .collect()
}

fn path_elsewhere(cx: &Cx<'_, '_>, id: ModelId) -> Option<Diagnostic> {
    let model = cx.model(id);
    let Tenancy::Within(path) = &model.tenancy else { return None };
    let (_, before) = path.split_last()?;
    let here = model.distribution;
    let mut on_path = before.iter().filter_map(|field| match cx.field(*field).ty {
        FieldType::Model(to) => Some(to),
        _ => None,
    });
    let name = model.ast.name.text;
    let span = model.declared_tenancy.map_or(model.ast.name.span, |declared| declared.span());
    let (message, help) = match here {
        Distribution::By(_) if before.is_empty() => return None,
        Distribution::By(_) => (
            format!("`{name}` is distributed, but it reaches its tenant through another model"),
            "add a relation to the tenant, and write `@@tenant(..)` with its name".to_owned(),
        ),
        Distribution::Reference | Distribution::Local => {
            let other = on_path.find(|other| cx.model(*other).distribution != here)?;
            let other = cx.model(other).ast.name.text;
            (
                format!("`{name}` reaches its tenant through `{other}`, whose rows are in another place"),
                "write `@@reference` in both; or add a relation to the tenant, and write `@@tenant(..)` with its name"
                    .to_owned(),
            )
        }
    };
    Some(
        Diagnostic::new(codes::TENANT_PATH_ACROSS_SERVERS, span, message)
            .label("Citus cannot follow this path when it writes")
            .help(help),
    )
}

/// The two models of a relation, where their rows are, and the foreign key.
struct Ends<'c, 'a, 'd> {
    cx: &'c Cx<'a, 'd>,
    relation: &'c RelationDraft<'a>,
    referencing: ModelId,
    referenced: ModelId,
}

/// Reports relations between rows on different servers, and actions that could move a row.
pub(super) fn relations_stay_on_one_server(cx: &Cx<'_, '_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for relation in &cx.relations {
        let ends = Ends::of(cx, relation);
        let is_view = |id| cx.model(id).ast.kind == ModelKind::View;
        if is_view(ends.referencing) || is_view(ends.referenced) {
            continue;
        }
        match &relation.foreign_key {
            None => found.extend(ends.join_table()),
            Some(key) => match ends.apart(key) {
                Some(diagnostic) => found.push(diagnostic),
                None => found.extend(ends.actions(key)),
            },
        }
    }
    found
}

/// Returns whether Citus refuses that an update of the referenced key changes the referencing rows.
pub(super) fn keeps_its_key(cx: &Cx<'_, '_>, relation: &RelationDraft<'_>) -> bool {
    let ends = Ends::of(cx, relation);
    relation.foreign_key.as_ref().is_some_and(|key| ends.holds_the_column(key) || ends.leads_to_the_coordinator())
}

impl<'c, 'a, 'd> Ends<'c, 'a, 'd> {
    fn of(cx: &'c Cx<'a, 'd>, relation: &'c RelationDraft<'a>) -> Self {
        let (referencing, referenced) = (cx.field(relation.referencing).model, cx.field(relation.referenced).model);
        Self { cx, relation, referencing, referenced }
    }

    fn name(&self, id: ModelId) -> &'a str {
        self.cx.model(id).ast.name.text
    }

    fn distribution(&self, id: ModelId) -> Distribution {
        self.cx.model(id).distribution
    }

    fn holds_the_column(&self, key: &ForeignKeyDraft<'_>) -> bool {
        matches!(self.distribution(self.referencing), Distribution::By(column) if key.fields.contains(&column))
    }

    fn leads_to_the_coordinator(&self) -> bool {
        let ends = (self.distribution(self.referencing), self.distribution(self.referenced));
        ends == (Distribution::Reference, Distribution::Local)
    }

    fn qualified(&self) -> String {
        self.cx.qualified(self.relation.referencing)
    }

    /// An implicit many-to-many relation has a join table without a column to distribute it by.
    fn join_table(&self) -> Option<Diagnostic> {
        let is_distributed = |id| matches!(self.distribution(id), Distribution::By(_));
        if !is_distributed(self.referencing) && !is_distributed(self.referenced) {
            return None;
        }
        let message = format!("the join table of `{}` cannot be distributed", self.qualified());
        let span = self.cx.field(self.relation.referencing).ast.name.span;
        Some(
            Diagnostic::new(codes::RELATION_ACROSS_SHARDS, span, message)
                .label("its join table has no column to distribute it by")
                .second(self.cx.field(self.relation.referenced).ast.name.span, "the other side")
                .help("replace the join table with a model that has `@@tenant(..)` and a relation to each of the two"),
        )
    }

    /// Returns why the referenced row may be on another server.
    fn apart(&self, key: &ForeignKeyDraft<'_>) -> Option<Diagnostic> {
        let (message, help, edits) = match (self.distribution(self.referencing), self.distribution(self.referenced)) {
            (Distribution::By(ours), Distribution::By(theirs)) => self.other_shard(key, ours, theirs)?,
            (Distribution::By(_), Distribution::Local) => self.to_the_coordinator(),
            (Distribution::Reference | Distribution::Local, Distribution::By(_)) => self.to_one_server(),
            _ => return None,
        };
        let list = self.cx.field(self.relation.referencing).relation.fields.as_ref();
        let span = list.map_or(key.span, |list| list.span);
        Some(
            Diagnostic::new(codes::RELATION_ACROSS_SHARDS, span, message)
                .label("no server has both rows")
                .help(help)
                .edits(edits),
        )
    }

    fn other_shard(
        &self,
        key: &ForeignKeyDraft<'_>,
        ours: FieldId,
        theirs: FieldId,
    ) -> Option<(String, String, Vec<Edit>)> {
        let cx = self.cx;
        let same_type =
            cx.field(ours).native_type() == cx.field(theirs).native_type() && cx.field(ours).ty == cx.field(theirs).ty;
        let holds = key.fields.iter().zip(&key.references).any(|(from, to)| (*from, *to) == (ours, theirs));
        let message = |reason: &str| format!("`{}` can reference a row on another server: {reason}", self.qualified());
        match (holds, same_type) {
            (true, true) => None,
            (true, false) => Some((
                message("the columns that distribute the two models differ in their types"),
                format!("give `{}` and `{}` the same type", cx.qualified(ours), cx.qualified(theirs)),
                Vec::new(),
            )),
            (false, _) => {
                let with = |column, list: &[FieldId]| {
                    let rest: Vec<FieldId> = list.iter().copied().filter(|id| *id != column).collect();
                    names(cx, &[&[column], rest.as_slice()].concat())
                };
                let (fields, references) = (with(ours, &key.fields), with(theirs, &key.references));
                let help = format!(
                    "write `fields: [{fields}], references: [{references}]`, with a key on these fields of `{}`",
                    self.name(self.referenced)
                );
                Some((
                    message("the foreign key does not contain the columns that distribute the models"),
                    help,
                    Vec::new(),
                ))
            }
        }
    }

    fn to_the_coordinator(&self) -> (String, String, Vec<Edit>) {
        let (from, to) = (self.name(self.referencing), self.name(self.referenced));
        let message = format!("`{}` is distributed, but `{to}` is only on the coordinator", from);
        let help = format!("write `@@reference` in `{to}`: every server then has its rows");
        let is_silent = self.cx.model(self.referenced).declared_distribution.is_none();
        let line = new_line(self.cx, self.referenced, "@@reference".to_owned());
        (message, help, line.into_iter().filter(|_| is_silent).collect())
    }

    fn to_one_server(&self) -> (String, String, Vec<Edit>) {
        let (from, to) = (self.name(self.referencing), self.name(self.referenced));
        let where_it_is = match self.distribution(self.referencing) {
            Distribution::Reference => "on every server",
            _ => "only on the coordinator",
        };
        let message = format!("the rows of `{from}` are {where_it_is}, but `{to}` is distributed");
        let help =
            format!("distribute `{from}` as well, by a column that `{to}` has too; or write `@@reference` in `{to}`");
        (message, help, Vec::new())
    }

    /// Reports actions that would change a column that selects a server.
    fn actions(&self, key: &ForeignKeyDraft<'_>) -> Vec<Diagnostic> {
        use ReferentialAction as A;
        let relation = &self.cx.field(self.relation.referencing).relation;
        let (update, delete): (&[A], &[A]) = if self.holds_the_column(key) {
            (&[A::Cascade, A::SetNull, A::SetDefault], &[A::SetNull, A::SetDefault])
        } else if self.leads_to_the_coordinator() {
            (&[A::Cascade, A::SetNull, A::SetDefault], &[A::Cascade, A::SetNull, A::SetDefault])
        } else {
            return Vec::new();
        };
        let reason = match self.holds_the_column(key) {
            true => "could move rows to another server",
            false => "would have to run on every server",
        };
        let mut found = Vec::new();
        if update.contains(&key.on_update) {
            found.push(self.refused("onUpdate", key.on_update, relation.on_update, key, reason));
        }
        if delete.contains(&key.on_delete) {
            found.push(self.refused("onDelete", key.on_delete, relation.on_delete, key, reason));
        }
        found
    }

    fn refused(
        &self,
        name: &str,
        action: ReferentialAction,
        given: Option<(ReferentialAction, Span)>,
        key: &ForeignKeyDraft<'_>,
        reason: &str,
    ) -> Diagnostic {
        let message = format!("`{name}: {action:?}` of `{}` {reason}", self.qualified());
        let span = given.map_or(key.span, |(_, span)| span);
        let diagnostic = Diagnostic::new(codes::ACTION_ACROSS_SHARDS, span, message).label("Citus refuses this");
        match (name, given) {
            ("onUpdate", Some((_, span))) => {
                diagnostic.help("write `onUpdate: NoAction`").edits([Edit { span, text: "NoAction".to_owned() }])
            }
            ("onUpdate", None) => diagnostic.help("write `onUpdate: NoAction`"),
            _ if self.holds_the_column(key) => {
                diagnostic.help("write `onDelete: Cascade`, `onDelete: Restrict` or `onDelete: NoAction`")
            }
            _ => diagnostic.help("write `onDelete: Restrict` or `onDelete: NoAction`"),
        }
    }
}

/// Policies compare the tenant with a setting, which Citus does not pass on to the other servers.
pub(super) fn policies_are_not_distributed(cx: &Cx<'_, '_>) -> Option<Diagnostic> {
    let model =
        cx.models.iter().find(|model| cx.has_row_security(model) && model.distribution != Distribution::Local)?;
    let span = cx.config.row_security.map_or(model.ast.name.span, |(_, span)| span);
    let message =
        format!("row security is not possible for `{}`, whose rows are on other servers", model.ast.name.text);
    Some(
        Diagnostic::new(codes::CITUS_ROW_SECURITY, span, message)
            .label("Citus does not pass on the setting with the tenant")
            .help("remove `rowSecurity`: the handles of the client keep the tenants apart"),
    )
}

/// Citus refuses the cast by which the client reads `money` in the rows that a statement returns.
pub(super) fn written_rows_can_be_returned(cx: &Cx<'_, '_>) -> Vec<Diagnostic> {
    let is_placed = |id: ModelId| cx.model(id).distribution != Distribution::Local;
    let fields = cx.fields.iter().filter(|field| field.native_type() == Some(NativeType::Money) && !field.ignored);
    fields
        .filter(|field| is_placed(field.model) && !cx.model(field.model).ignored)
        .map(|field| {
            let message = format!("`{}` has the type money, which Citus cannot return", field.ast.name.text);
            Diagnostic::new(codes::CITUS_MONEY, field.ast.ty.span, message)
                .label("depends on a setting of each server")
                .help("write `Decimal @db.Decimal(19, 2)`")
        })
        .collect()
}
