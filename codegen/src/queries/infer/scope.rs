//! The names that are visible at a place of a query: the tables of FROM with their columns, and those of enclosing
//! queries.

use super::super::catalog::Column;
use super::super::tree::{Call, Expr, ExprKind, Name};
use super::super::types::Base;
use super::{Cx, Output, Typed, Whole, column_of};
use crate::diagnostics::{self as codes, Span};
use crate::ir::ModelId;

/// A table, a query or a function in FROM.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    pub(super) name: String,
    /// For a table without an alias: the schema by which it may be qualified.
    pub(super) namespace: Option<String>,
    pub(super) columns: Vec<Column>,
    /// Whether its columns are unknown.
    pub(super) opaque: bool,
    /// Whether it is a function with one value per row, which the name of the relation denotes too.
    pub(super) is_scalar: bool,
    /// Whether it is a table, which has system columns.
    pub(super) is_stored: bool,
    /// The model of a table.
    pub(super) model: Option<ModelId>,
    /// Whether it is the table that the statement writes.
    pub(super) is_target: bool,
    /// Whether it is on the nullable side of an outer join.
    pub(super) missing: bool,
    /// Columns that USING has merged, which an unqualified name no longer finds here.
    pub(super) merged: Vec<usize>,
    /// `excluded`, or the table that INSERT and similar statements write, where an unqualified name means another
    /// table.
    pub(super) qualified_only: bool,
}

impl Relation {
    pub(super) fn new(name: impl Into<String>, columns: Vec<Column>) -> Self {
        Self {
            name: name.into(),
            namespace: None,
            columns,
            opaque: false,
            is_scalar: false,
            is_stored: false,
            model: None,
            is_target: false,
            missing: false,
            merged: Vec::new(),
            qualified_only: false,
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Scope<'p> {
    pub(super) parent: Option<&'p Scope<'p>>,
    pub(super) relations: Vec<Relation>,
    /// The columns that USING has merged.
    pub(super) merged: Vec<Column>,
    /// Columns that a condition excludes from being null: positions in `relations` and in its columns.
    pub(super) known: Vec<(usize, usize)>,
    /// Whether aggregates see at least one row.
    pub(super) has_rows: bool,
    /// Expressions that are null in the groups of some grouping sets.
    pub(super) grouping_sets: Vec<&'p Expr>,
    /// Whether several functions of the select list return rows: the shorter ones are padded with nulls.
    pub(super) padded: bool,
    /// Windows of WINDOW with frames, which may be empty.
    pub(super) framed: Vec<String>,
}

impl<'p> Scope<'p> {
    pub(super) fn inside(parent: Option<&'p Scope<'p>>) -> Self {
        Self { parent, ..Self::default() }
    }

    /// The type of a column, with everything known about nulls.
    fn typed(&self, at: usize, column: usize) -> Typed {
        let relation = &self.relations[at];
        let known = &relation.columns[column];
        // A table that a join may leave empty exists if one of its columns is not null.
        let missing = relation.missing && !self.known.iter().any(|(relation, _)| *relation == at);
        let nullable = (known.nullable || missing) && !self.known.contains(&(at, column));
        Typed::of_column(known, nullable || self.is_grouped_column(&known.name))
    }

    /// Returns whether grouping sets make a column of that name null.
    fn is_grouped_column(&self, name: &str) -> bool {
        self.grouping_sets.iter().any(|expr| column_of(expr) == Some(name))
    }

    /// Returns whether grouping sets make an expression null, here or in an enclosing query.
    pub(super) fn is_grouped(&self, expr: &Expr) -> bool {
        self.around().any(|scope| scope.grouping_sets.iter().any(|grouped| grouped.may_equal(expr)))
    }

    /// Returns the scope whose rows an aggregate processes: the innermost one with a column of its arguments.
    pub(super) fn of_aggregate(&self, call: &Call) -> &Scope<'p> {
        let mut levels: Vec<usize> = Vec::new();
        for arg in call.args.iter().chain(&call.within) {
            arg.has(&mut |expr| {
                if let ExprKind::Column(path) = &expr.kind {
                    levels.extend(self.around().position(|scope| scope.has_column(path)));
                }
                // Names inside a nested query are not checked.
                if matches!(expr.kind, ExprKind::Query(_) | ExprKind::ListQuery(_) | ExprKind::Exists(_)) {
                    levels.push(0);
                }
                false
            });
        }
        self.around().nth(levels.into_iter().min().unwrap_or(0)).unwrap_or(self)
    }

    pub(super) fn has_column(&self, path: &[Name]) -> bool {
        match path {
            [name] => {
                self.merged.iter().any(|column| column.name == name.text)
                    || !self.places(&name.text).is_empty()
                    || self.is_opaque()
            }
            [table @ .., _] => self.relation(table).is_some(),
            [] => false,
        }
    }

    fn merged_column(&self, column: &Column) -> Typed {
        Typed::of_column(column, column.nullable || self.is_grouped_column(&column.name))
    }

    /// Returns all places of columns with that name.
    fn places(&self, name: &str) -> Vec<(usize, usize)> {
        let mut places = Vec::new();
        for (at, relation) in self.relations.iter().enumerate().filter(|(_, relation)| !relation.qualified_only) {
            let found = relation.columns.iter().position(|column| column.name == name);
            places.extend(found.filter(|column| !relation.merged.contains(column)).map(|column| (at, column)));
        }
        places
    }

    fn relation(&self, path: &[Name]) -> Option<usize> {
        let [.., last] = path else { return None };
        self.relations.iter().position(|relation| match path {
            [namespace, _] => relation.name == last.text && relation.namespace.as_deref() == Some(&namespace.text),
            _ => relation.name == last.text,
        })
    }

    fn around(&self) -> impl Iterator<Item = &Scope<'p>> {
        let mut next = Some(self);
        std::iter::from_fn(move || {
            let scope = next?;
            next = scope.parent;
            Some(scope)
        })
    }

    /// Returns the columns of a relation for a star, without those that USING has merged.
    fn columns_of(&self, at: usize, without_merged: bool, span: Span) -> Vec<Output> {
        let relation = &self.relations[at];
        if without_merged && relation.qualified_only {
            return Vec::new();
        }
        // The merged columns of USING come first, once for both tables.
        let is_merged = |name: &str| without_merged && self.merged.iter().any(|column| column.name == name);
        let columns =
            relation.columns.iter().enumerate().filter(|(column, known)| {
                !(is_merged(&known.name) || without_merged && relation.merged.contains(column))
            });
        let whole = self.whole(at, span).filter(|_| !without_merged || self.merged.is_empty());
        let output = |(column, known): (usize, &Column)| Output {
            name: Some(known.name.clone()),
            typed: self.typed(at, column),
            span,
            is_star: false,
            whole: whole.clone(),
        };
        columns.map(output).collect()
    }

    /// Returns the table that a star reads whole. Grouping sets make single columns null.
    fn whole(&self, at: usize, span: Span) -> Option<Whole> {
        let relation = &self.relations[at];
        let missing = relation.missing && !self.known.iter().any(|(relation, _)| *relation == at);
        let model = relation.model.filter(|_| self.grouping_sets.is_empty())?;
        Some(Whole { at: (span, at), name: relation.name.clone(), model, missing })
    }

    fn is_opaque(&self) -> bool {
        self.relations.iter().any(|relation| relation.opaque)
    }

    fn column_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.relations.iter().flat_map(|relation| relation.columns.iter().map(|column| column.name.as_str()))
    }
}

/// Columns that every table has, and that `*` does not include.
const SYSTEM: [(&str, Base); 6] = [
    ("tableoid", Base::Oid),
    ("ctid", Base::Tid),
    ("xmin", Base::Xid),
    ("xmax", Base::Xid),
    ("cmin", Base::Cid),
    ("cmax", Base::Cid),
];

/// Returns the system column of that name.
fn system_column(relation: &Relation, name: &str) -> Option<Typed> {
    let (_, base) = SYSTEM.iter().find(|(known, _)| *known == name)?;
    relation.is_stored.then(|| Typed::base(*base, relation.missing))
}

impl Cx<'_> {
    /// Returns the type of a column by its name, qualified or not.
    pub(super) fn column(&mut self, scope: &Scope<'_>, path: &[Name]) -> Typed {
        self.find_column(scope, path).unwrap_or_else(Typed::opaque)
    }

    /// Returns the place of a column in this scope, without the enclosing ones.
    pub(super) fn place(&mut self, scope: &Scope<'_>, path: &[Name]) -> Option<(usize, usize)> {
        match path {
            [name] => match scope.places(&name.text).as_slice() {
                [place] => Some(*place),
                _ => None,
            },
            [table @ .., name] => {
                let at = scope.relation(table)?;
                let column = scope.relations[at].columns.iter().position(|column| column.name == name.text)?;
                Some((at, column))
            }
            [] => None,
        }
    }

    fn find_column(&mut self, scope: &Scope<'_>, path: &[Name]) -> Option<Typed> {
        match path {
            [name] => self.plain_column(scope, name),
            [table @ .., name] if table.len() <= 2 => self.qualified_column(scope, table, name),
            _ => None,
        }
    }

    fn plain_column(&mut self, scope: &Scope<'_>, name: &Name) -> Option<Typed> {
        for around in scope.around() {
            if let Some(merged) = around.merged.iter().find(|column| column.name == name.text) {
                return Some(around.merged_column(merged));
            }
            match around.places(&name.text).as_slice() {
                [] => {}
                [(at, column)] => {
                    return Some(around.typed(*at, *column));
                }
                places => {
                    let tables: Vec<String> = places.iter().map(|(at, _)| around.relations[*at].name.clone()).collect();
                    self.ambiguous(name, &tables);
                    return None;
                }
            }
            if let Some(at) = around.relations.iter().position(|known| known.is_scalar && known.name == name.text) {
                return Some(around.typed(at, 0));
            }
            // The name of a table denotes its whole row.
            if around.is_opaque() || around.relations.iter().any(|relation| relation.name == name.text) {
                return None;
            }
            let system = around
                .relations
                .iter()
                .filter_map(|known| system_column(known, &name.text).map(|typed| (known, typed)));
            let system: Vec<(&Relation, Typed)> = system.collect();
            match system.as_slice() {
                [] => {}
                [(relation, only)] => {
                    self.names_system_column_of(relation);
                    return Some(*only);
                }
                _ => {
                    let tables: Vec<String> = around.relations.iter().map(|known| known.name.clone()).collect();
                    self.ambiguous(name, &tables);
                    return None;
                }
            }
        }
        let known: Vec<String> = scope.around().flat_map(Scope::column_names).map(str::to_owned).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let message = match scope.relations.as_slice() {
            [] => format!("there is no column `{}`: there is no FROM", name.text),
            [only] => format!("`{}` has no column `{}`", only.name, name.text),
            _ => format!("no table of this query has a column `{}`", name.text),
        };
        self.unknown_name(codes::QUERY_UNKNOWN_COLUMN, name, message, known);
        None
    }

    /// A subquery, which replaces a table of tenants that is read, has no system columns.
    fn names_system_column_of(&mut self, relation: &Relation) {
        let is_of_tenants = relation.model.is_some_and(|model| self.schema.walk_model(model).has_tenant());
        self.goes_outside |= is_of_tenants && !relation.is_target;
    }

    fn ambiguous(&mut self, name: &Name, tables: &[String]) {
        let forms: Vec<String> = tables.iter().map(|table| format!("`{table}.{}`", name.text)).collect();
        self.wrong(
            codes::QUERY_AMBIGUOUS_COLUMN,
            name.span,
            format!("`{}` is a column of {}", name.text, tables.join(" and of ")),
            "which one?",
            format!("write {}", forms.join(" or ")),
        );
    }

    fn qualified_column(&mut self, scope: &Scope<'_>, table: &[Name], name: &Name) -> Option<Typed> {
        let mut around = scope.around();
        let Some((scope_of, at)) = around.find_map(|scope| Some((scope, scope.relation(table)?))) else {
            self.unknown_relation(scope, table);
            return None;
        };
        let relation = &scope_of.relations[at];
        if let Some(column) = relation.columns.iter().position(|column| column.name == name.text) {
            return Some(scope_of.typed(at, column));
        }
        if relation.opaque {
            return None;
        }
        if let Some(typed) = system_column(relation, &name.text) {
            self.names_system_column_of(relation);
            return Some(typed);
        }
        let known: Vec<&str> = relation.columns.iter().map(|column| column.name.as_str()).collect();
        let message = format!("`{}` has no column `{}`", relation.name, name.text);
        self.unknown_name(codes::QUERY_UNKNOWN_COLUMN, name, message, known);
        None
    }

    fn unknown_relation(&mut self, scope: &Scope<'_>, table: &[Name]) {
        let Some(last) = table.last() else { return };
        let known: Vec<String> =
            scope.around().flat_map(|scope| &scope.relations).map(|relation| relation.name.clone()).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let message = format!("there is no `{}` in FROM", last.text);
        self.unknown_name(codes::QUERY_UNKNOWN_TABLE, last, message, known);
    }

    /// Returns all columns for `*` or `t.*`; `None` if they are unknown.
    pub(super) fn star(&mut self, scope: &Scope<'_>, table: &[Name], span: Span) -> Option<Vec<Output>> {
        if table.is_empty() {
            if scope.relations.is_empty() {
                let help = "list the columns".to_owned();
                self.wrong(codes::QUERY_SYNTAX, span, "`*` needs a FROM clause".to_owned(), "", help);
                return None;
            }
            if scope.is_opaque() {
                return None;
            }
            let merged = scope.merged.iter().map(|column| Output {
                name: Some(column.name.clone()),
                typed: scope.merged_column(column),
                span,
                is_star: false,
                whole: None,
            });
            let mut columns: Vec<_> = merged.collect();
            for at in 0..scope.relations.len() {
                columns.extend(scope.columns_of(at, true, span));
            }
            return Some(columns);
        }
        for around in scope.around() {
            if let Some(at) = around.relation(table) {
                return (!around.relations[at].opaque).then(|| around.columns_of(at, false, span));
            }
        }
        self.unknown_relation(scope, table);
        None
    }
}
