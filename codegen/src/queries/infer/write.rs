//! INSERT, UPDATE and DELETE: checks that values fit their columns, and infers the returned rows.

use super::super::catalog::{Column, Lookup};
use super::super::tree::{
    Conflict, Delete, Expr, ExprKind, Insert, InsertSource, Item, Name, Query, Set, Subscript, Term, Update,
};
use super::super::types::{Base, Ty};
use super::scope::{Relation, Scope};
use super::{Cx, LeftOut, Output, Typed, param_of};
use crate::diagnostics::{self as codes, Diagnostic, counted};
use crate::ir::Arity;

impl Cx<'_> {
    /// Returns the target table, and a scope with that table alone.
    fn target<'p>(
        &mut self,
        parent: Option<&'p Scope<'p>>,
        path: &[Name],
        alias: Option<&Name>,
    ) -> (Scope<'p>, Vec<Column>) {
        let (mut relation, model) = self.stored_table(path);
        self.goes_outside |= model.is_none();
        relation.is_target = true;
        if parent.is_none() && self.ctes.is_empty() || self.writes.is_none() {
            self.writes = model;
        }
        if let Some(alias) = alias {
            relation.name.clone_from(&alias.text);
            relation.namespace = None;
        }
        for column in &mut relation.columns {
            column.holes |= column.field.is_some_and(|field| self.written_holes.contains(&field));
        }
        let columns = relation.columns.clone();
        (Scope { relations: vec![relation], ..Scope::inside(parent) }, columns)
    }

    fn returning(&mut self, scope: &Scope<'_>, items: Option<&Vec<Item>>) -> Option<Vec<Output>> {
        let mut outputs = self.items(scope, items?);
        self.close(&mut outputs);
        Some(outputs)
    }

    pub(super) fn insert(&mut self, parent: Option<&Scope<'_>>, insert: &Insert) -> Option<Vec<Output>> {
        let before = self.begin_with(parent, &insert.with);
        let (mut scope, columns) = self.target(parent, &insert.table, insert.alias.as_ref());
        let opaque = scope.relations[0].opaque;
        let targets: Option<Vec<Column>> = match insert.columns.as_slice() {
            [] if opaque => None,
            [] => Some(columns.clone()),
            names => names.iter().map(|name| self.target_column(&scope, name)).collect(),
        };
        if let InsertSource::Query(query) = &insert.source {
            self.insert_source(parent, insert, query, targets.as_deref());
        }
        if !opaque && !insert.columns.is_empty() {
            self.left_out(insert, &columns);
        }
        if let Some(conflict) = &insert.conflict {
            self.conflict(&mut scope, conflict, &columns);
        }
        let outputs = self.returning(&scope, insert.returning.as_ref());
        self.record_insert(&scope, insert);
        self.end_with(before);
        outputs
    }

    fn insert_source(
        &mut self,
        parent: Option<&Scope<'_>>,
        insert: &Insert,
        query: &Query,
        targets: Option<&[Column]>,
    ) {
        let (Some(targets), true) = (targets, !query.terms.is_empty()) else {
            self.query(parent, query, false);
            return;
        };
        let few = |width: usize| width > targets.len() || !insert.columns.is_empty() && width < targets.len();
        if let [Term::Values { rows, .. }] = query.terms.as_slice() {
            let empty = Scope::inside(parent);
            for row in rows {
                if few(row.len()) {
                    let span = row.get(targets.len()).or(row.last()).map_or(query.span, |expr| expr.span);
                    self.shape(span, mismatch(targets.len(), row.len()));
                }
                row.iter().zip(targets).for_each(|(expr, column)| self.store(&empty, expr, column));
            }
            return;
        }
        let outputs = self.query(parent, query, false);
        if few(outputs.len()) && !outputs.iter().any(|output| output.is_star) {
            let (columns, values) = (counted(targets.len(), "column"), outputs.len());
            self.shape(query.span, format!("the statement writes {columns}, but the query returns {values}"));
        }
        let exprs = single_items(query);
        for (at, (output, column)) in outputs.iter().zip(targets).enumerate() {
            let ty = self.settle(output.typed.ty, column.ty);
            self.write_holes(output.typed, column);
            let expr = exprs.as_ref().and_then(|exprs| exprs.get(at).copied());
            match expr {
                Some(expr) => {
                    self.stored_param(expr, column);
                    self.fit(expr, Typed { ty, ..output.typed }, column.ty, true);
                }
                None => {
                    let place = Expr { kind: ExprKind::Null, span: output.span };
                    self.fit(&place, Typed { ty, ..output.typed }, column.ty, true);
                }
            }
        }
    }

    /// Infers an expression that becomes the value of a column.
    fn store(&mut self, scope: &Scope<'_>, expr: &Expr, column: &Column) {
        if matches!(expr.kind, ExprKind::Default) {
            return;
        }
        let typed = self.expr(scope, expr);
        self.write_holes(typed, column);
        self.stored_param(expr, column);
        self.fit(expr, typed, column.ty, true);
    }

    /// Records a list that may contain null. A schema declares lists without null, so only this statement shows it.
    fn write_holes(&mut self, typed: Typed, column: &Column) {
        let is_element = typed.nullable && matches!(column.ty, Ty::Base(_));
        let is_list = |field| self.schema.walk_field(field).field().arity == Arity::List;
        if typed.holes && matches!(column.ty, Ty::List(_)) || is_element && column.field.is_some_and(is_list) {
            self.written_holes.extend(column.field);
        }
    }

    fn stored_param(&mut self, expr: &Expr, column: &Column) {
        self.name_param(expr, &column.name);
        self.value_of(expr, column.field);
        let direct = match &expr.kind {
            ExprKind::Param(_) => Some(expr.span.start),
            ExprKind::Cast(inner, _) => matches!(inner.kind, ExprKind::Param(_)).then_some(inner.span.start),
            _ => None,
        };
        // A list is passed as it is; there is no need for null, because a list may be empty.
        let takes_null = column.nullable && !matches!(column.ty, Ty::List(_));
        if let (Some(start), true, Some(number)) = (direct, takes_null, param_of(expr)) {
            self.param(number).nullable_uses.insert(start);
        }
    }

    fn target_column(&mut self, scope: &Scope<'_>, name: &Name) -> Option<Column> {
        let relation = &scope.relations[0];
        let found = relation.columns.iter().find(|column| column.name == name.text).cloned();
        if found.is_none() && !relation.opaque {
            let known: Vec<&str> = relation.columns.iter().map(|column| column.name.as_str()).collect();
            let message = format!("`{}` has no column `{}`", relation.name, name.text);
            self.unknown_name(codes::QUERY_UNKNOWN_COLUMN, name, message, known);
        }
        found
    }

    /// Finds required columns without a default in the database. The client's own defaults do not apply to queries. The
    /// client of a tenant sets the tenant's column, if the statement can be confined.
    fn left_out(&mut self, insert: &Insert, columns: &[Column]) {
        let namespace = insert.table.len().checked_sub(2).map(|at| insert.table[at].text.as_str());
        let Some(last) = insert.table.last() else { return };
        let Lookup::Found(table) = self.catalog.table(namespace, &last.text) else { return };
        if table.model.is_some_and(|model| self.schema.walk_model(model).model().is_view) {
            return;
        }
        let named = |column: &&Column| insert.columns.iter().any(|name| name.text == column.name);
        let missing: Vec<&Column> = columns.iter().filter(|column| !column.has_default && !named(column)).collect();
        let own =
            table.model.and_then(|model| self.schema.walk_model(model).column_of_tenant()).map(|column| column.id);
        let but_own: Vec<&Column> =
            missing.iter().copied().filter(|column| own.is_none() || column.field != own).collect();
        let confined = self.missing_columns(last, &but_own);
        if let Some(other) = self.missing_columns(last, &missing) {
            self.left_out.push(LeftOut { confined, other });
        }
    }

    fn missing_columns(&self, table: &Name, missing: &[&Column]) -> Option<Diagnostic> {
        let first = missing.first()?;
        let names: Vec<&str> = missing.iter().map(|column| column.name.as_str()).collect();
        let (message, help) = (
            format!("`{}` gets no value for {}, which has no default in the database", table.text, names.join(", ")),
            format!("name `{}`, with a value such as {}", first.name, self.example_value(first)),
        );
        Some(Diagnostic::new(codes::QUERY_LEFT_OUT, table.span, message).help(help))
    }

    fn example_value(&self, column: &Column) -> &'static str {
        let refers = |field| {
            let mut relations = self.schema.walk_relations();
            relations.any(|relation| relation.referencing_columns().any(|column| column.id == field))
        };
        match column.ty.base() {
            // The key of another row.
            _ if column.field.is_some_and(refers) => "`$1`",
            Some(Base::Uuid) => "`gen_random_uuid()`",
            Some(Base::Timestamp | Base::Timestamptz) => "`now()`",
            _ => "`$1`",
        }
    }

    fn conflict(&mut self, scope: &mut Scope<'_>, conflict: &Conflict, columns: &[Column]) {
        for expr in &conflict.target {
            self.expr(scope, expr);
        }
        if let Some(filter) = &conflict.target_filter {
            self.condition(scope, filter);
        }
        let excluded = Relation { qualified_only: true, ..Relation::new("excluded", columns.to_vec()) };
        let excluded = Relation { opaque: scope.relations[0].opaque, ..excluded };
        scope.relations.push(excluded);
        self.sets(scope, &conflict.sets);
        if let Some(filter) = &conflict.filter.condition {
            self.condition(scope, filter);
        }
        scope.relations.pop();
    }

    fn sets(&mut self, scope: &Scope<'_>, sets: &[Set]) {
        for set in sets {
            let targets: Option<Vec<Column>> = set.columns.iter().map(|name| self.target_column(scope, name)).collect();
            let Some(targets) = targets else {
                self.expr_or_query(scope, &set.value);
                continue;
            };
            let targets: Vec<Column> = match (targets.as_slice(), set.subscripts.as_slice()) {
                ([column], [_, ..]) => vec![self.part_of(scope, column, &set.subscripts)],
                _ => targets,
            };
            match (&set.value.kind, targets.as_slice()) {
                (_, [column]) if !set.is_list => self.store(scope, &set.value, column),
                (ExprKind::Row(values), targets) if values.len() == targets.len() => {
                    values.iter().zip(targets).for_each(|(expr, column)| self.store(scope, expr, column));
                }
                (ExprKind::Query(query), targets) => {
                    let outputs = self.query(Some(scope), query, false);
                    if outputs.len() != targets.len() {
                        self.shape(set.value.span, mismatch(targets.len(), outputs.len()));
                    }
                    for (output, column) in outputs.iter().zip(targets) {
                        let place = Expr { kind: ExprKind::Null, span: output.span };
                        self.write_holes(output.typed, column);
                        self.fit(&place, output.typed, column.ty, true);
                    }
                }
                (_, [column]) => self.store(scope, &set.value, column),
                (_, targets) => {
                    self.expr_or_query(scope, &set.value);
                    self.shape(set.value.span, format!("there are {} columns to set", targets.len()));
                }
            }
        }
    }

    /// Returns the part of a list or of jsonb that a subscript means, as a column of its type.
    fn part_of(&mut self, scope: &Scope<'_>, column: &Column, subscripts: &[Subscript]) -> Column {
        let index = if column.ty == Ty::Base(Base::Jsonb) { Ty::Base(Base::Text) } else { Ty::Base(Base::Int4) };
        for bound in subscripts.iter().flat_map(|subscript| &subscript.bounds) {
            let typed = self.expr(scope, bound);
            // A number is an element of a json list.
            if index == Ty::Base(Base::Int4) || typed.ty.is_open() {
                self.fit(bound, typed, index, true);
            }
        }
        let is_slice = subscripts.iter().any(|subscript| subscript.is_slice);
        match column.ty {
            Ty::List(base) if !is_slice => Column { ty: Ty::Base(base), nullable: false, ..column.clone() },
            Ty::List(_) | Ty::Base(Base::Jsonb) => Column { nullable: false, ..column.clone() },
            _ => Column { ty: Ty::Opaque, ..column.clone() },
        }
    }

    fn expr_or_query(&mut self, scope: &Scope<'_>, expr: &Expr) {
        if !matches!(expr.kind, ExprKind::Default) {
            self.expr(scope, expr);
        }
    }

    pub(super) fn update(&mut self, parent: Option<&Scope<'_>>, update: &Update) -> Option<Vec<Output>> {
        let before = self.begin_with(parent, &update.with);
        let (mut scope, _) = self.target(parent, &update.table, update.alias.as_ref());
        for source in &update.from {
            self.source(&mut scope, source);
        }
        if let Some(filter) = &update.filter.condition {
            self.condition(&scope, filter);
        }
        // RETURNING shows the new rows, so the condition says nothing about their values.
        let outputs = self.returning(&scope, update.returning.as_ref());
        self.sets(&scope, &update.sets);
        self.record_update(&scope, update);
        self.end_with(before);
        outputs
    }

    pub(super) fn delete(&mut self, parent: Option<&Scope<'_>>, delete: &Delete) -> Option<Vec<Output>> {
        let before = self.begin_with(parent, &delete.with);
        let (mut scope, _) = self.target(parent, &delete.table, delete.alias.as_ref());
        for source in &delete.using {
            self.source(&mut scope, source);
        }
        if let Some(filter) = &delete.filter.condition {
            self.narrow(&mut scope, filter);
            self.condition(&scope, filter);
        }
        let outputs = self.returning(&scope, delete.returning.as_ref());
        self.record_delete(&scope, delete);
        self.end_with(before);
        outputs
    }
}

/// Returns the expressions of a plain SELECT without a star, to report a mistake at one of them.
fn single_items(query: &Query) -> Option<Vec<&Expr>> {
    let [Term::Select(select)] = query.terms.as_slice() else { return None };
    let exprs = select.items.iter().map(|item| match item {
        Item::Expr(expr, _) => Some(expr),
        Item::Star(..) => None,
    });
    exprs.collect()
}

/// Says that a list of columns and a row differ in length.
fn mismatch(columns: usize, values: usize) -> String {
    let (columns, values) = (counted(columns, "column"), counted(values, "value"));
    format!("the statement writes {columns}, but gives {values}")
}
