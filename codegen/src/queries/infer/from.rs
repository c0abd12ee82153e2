//! The FROM clause: tables, queries and functions, and their joins.

use super::super::catalog::{Column, Lookup};
use super::super::tree::{
    Call, Expr, ExprKind, FunctionCall, Join, JoinKind, Name, On, Relation as TreeRelation, RelationKind, Source,
    TypeName,
};
use super::super::types::{Base, Ty};
use super::scope::{Relation, Scope};
use super::select::columns;
use super::{Cx, Typed};
use crate::diagnostics::{self as codes, Span};

impl Cx<'_> {
    /// Adds the items of FROM to a scope.
    pub(super) fn source(&mut self, scope: &mut Scope<'_>, source: &Source) {
        let begin = (scope.relations.len(), scope.merged.len());
        self.relation(scope, &source.first);
        for join in &source.joins {
            self.join(scope, join, begin);
        }
    }

    fn join(&mut self, scope: &mut Scope<'_>, join: &Join, (begin, merged): (usize, usize)) {
        let (middle, inner) = (scope.relations.len(), scope.merged.len());
        self.relation(scope, &join.relation);
        // Columns that a side has merged itself are nullable if its tables are.
        let (left, right) = scope.merged[merged..].split_at_mut(inner - merged);
        if matches!(join.kind, JoinKind::Left | JoinKind::Full) {
            right.iter_mut().for_each(|column| column.nullable = true);
        }
        if matches!(join.kind, JoinKind::Right | JoinKind::Full) {
            left.iter_mut().for_each(|column| column.nullable = true);
        }
        match &join.on {
            On::Condition(condition) => self.condition(scope, condition),
            On::Using(names) => {
                names.iter().for_each(|name| self.merge(scope, name, join.kind, (begin, merged, middle)))
            }
            On::Natural => {
                let left: Vec<String> = scope.relations[begin..middle]
                    .iter()
                    .flat_map(|relation| relation.columns.iter().map(|column| column.name.clone()))
                    .collect();
                let right = scope.relations[middle..].iter().flat_map(|relation| &relation.columns);
                let both: Vec<String> =
                    right.filter(|column| left.contains(&column.name)).map(|column| column.name.clone()).collect();
                for text in both {
                    let name = Name { text, span: join.relation.span };
                    self.merge(scope, &name, join.kind, (begin, merged, middle));
                }
            }
            On::Nothing => {}
        }
        let (left, right) = scope.relations[begin..].split_at_mut(middle - begin);
        if matches!(join.kind, JoinKind::Left | JoinKind::Full) {
            right.iter_mut().for_each(|relation| relation.missing = true);
        }
        if matches!(join.kind, JoinKind::Right | JoinKind::Full) {
            left.iter_mut().for_each(|relation| relation.missing = true);
        }
    }

    /// Merges two columns, as USING does.
    fn merge(
        &mut self,
        scope: &mut Scope<'_>,
        name: &Name,
        kind: JoinKind,
        (begin, merged, middle): (usize, usize, usize),
    ) {
        let find = |from: usize, to: usize| {
            (from..to).find_map(|at| {
                let column = scope.relations[at].columns.iter().position(|column| column.name == name.text)?;
                Some((at, column))
            })
        };
        let (Some(left), Some(right)) = (find(begin, middle), find(middle, scope.relations.len())) else {
            if !scope.relations[begin..].iter().any(|relation| relation.opaque) {
                let message = format!("one side of the join has no column `{}`", name.text);
                let known: Vec<String> = scope.relations[begin..]
                    .iter()
                    .flat_map(|relation| relation.columns.iter().map(|column| column.name.clone()))
                    .collect();
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                self.unknown_name(codes::QUERY_UNKNOWN_COLUMN, name, message, known);
            }
            return;
        };
        let [a, b] = [left, right].map(|(at, column)| scope.relations[at].columns[column].clone());
        let types = [(a.ty, name.span), (b.ty, name.span)];
        let ty = self.together(&types);
        let [left_nullable, right_nullable] =
            [(left, &a), (right, &b)].map(|((at, _), column)| column.nullable || scope.relations[at].missing);
        let nullable = match kind {
            JoinKind::Inner => left_nullable && right_nullable,
            JoinKind::Left => left_nullable,
            JoinKind::Right => right_nullable,
            JoinKind::Full => left_nullable || right_nullable,
        };
        for (at, column) in [left, right] {
            scope.relations[at].merged.push(column);
        }
        let of_both = scope.merged.split_off(merged).into_iter().filter(|column| column.name != name.text);
        let of_both: Vec<Column> = of_both.collect();
        scope.merged.extend(of_both);
        scope.merged.push(Column { ty, nullable, ..a });
    }

    fn relation(&mut self, scope: &mut Scope<'_>, relation: &TreeRelation) {
        let mut found = match &relation.kind {
            RelationKind::Joined(source) => {
                let (begin, merged) = (scope.relations.len(), scope.merged.len());
                self.source(scope, source);
                if let Some(alias) = &relation.alias {
                    // An alias of a join hides the tables in it.
                    let inner = scope.relations.drain(begin..).flat_map(|relation| {
                        let missing = relation.missing;
                        let columns = relation.columns.into_iter().enumerate();
                        let shown = columns.filter(move |(at, _)| !relation.merged.contains(at));
                        shown.map(move |(_, column)| Column { nullable: column.nullable || missing, ..column })
                    });
                    let inner: Vec<Column> = scope.merged.drain(merged..).chain(inner).collect();
                    let of = Name { text: alias.text.clone(), span: relation.span };
                    let columns = self.renamed(inner, &relation.columns, &of);
                    scope.relations.push(Relation::new(&alias.text, columns));
                }
                return;
            }
            RelationKind::Table(path) => self.table(path),
            RelationKind::Query { query, lateral } => {
                let around = if *lateral { Some(&*scope) } else { scope.parent };
                let outputs = self.query(around, query, true);
                Relation::new("", columns(outputs))
            }
            RelationKind::Functions { calls, ordinality } => {
                self.function_relation(scope, calls, relation, *ordinality)
            }
        };
        if let Some(alias) = &relation.alias {
            found.name.clone_from(&alias.text);
            found.namespace = None;
        }
        if relation.types.is_empty() && !found.opaque {
            let of = Name { text: found.name.clone(), span: relation.span };
            found.columns = self.renamed(found.columns, &relation.columns, &of);
        }
        if !found.name.is_empty()
            && scope.relations.iter().any(|known| known.name == found.name && known.namespace == found.namespace)
        {
            let message = format!("`{}` is in FROM twice", found.name);
            let help = "rename one of them: `AS other`".to_owned();
            self.wrong(codes::QUERY_AMBIGUOUS_COLUMN, relation.span, message, "", help);
        }
        scope.relations.push(found);
    }

    /// Returns a table of WITH or of the schema.
    fn table(&mut self, path: &[Name]) -> Relation {
        let Some(name) = path.last() else { return Relation::new("", Vec::new()) };
        if let [_] = path
            && let Some(cte) = self.ctes.iter().rev().find(|cte| cte.name == name.text)
        {
            return Relation::new(&name.text, cte.columns.clone());
        }
        let (relation, model) = self.stored_table(path);
        match (path.first(), model) {
            (Some(first), Some(model)) => self.tables.push((Span { end: name.span.end, ..first.span }, model)),
            _ => self.goes_outside = true,
        }
        relation
    }

    /// Returns a table of the schema, and its model.
    pub(super) fn stored_table(&mut self, path: &[Name]) -> (Relation, Option<crate::ir::ModelId>) {
        let Some(name) = path.last() else { return (Relation::new("", Vec::new()), None) };
        let namespace = path.len().checked_sub(2).map(|at| path[at].text.as_str());
        match self.catalog.table(namespace, &name.text) {
            Lookup::Found(table) => {
                let named = Some(namespace.map_or("public", |namespace| namespace).to_owned());
                let is_view = |model| self.schema.walk_model(model).model().is_view;
                let relation = Relation {
                    namespace: named,
                    is_stored: table.is_stored && !table.model.is_some_and(is_view),
                    model: table.model,
                    ..Relation::new(&name.text, table.columns.clone())
                };
                return (relation, table.model);
            }
            Lookup::System => {}
            Lookup::Unknown => self.unknown_table(namespace, name),
        }
        (Relation { opaque: true, ..Relation::new(&name.text, Vec::new()) }, None)
    }

    fn unknown_table(&mut self, namespace: Option<&str>, name: &Name) {
        let full = namespace.map_or_else(|| name.text.clone(), |namespace| format!("{namespace}.{}", name.text));
        let message = format!("the schema has no table `{full}`");
        if let Some(other) = self.catalog.elsewhere(&name.text) {
            let help = format!("did you mean `{}.{}`?", other.namespace.as_deref().unwrap_or("public"), other.name);
            self.wrong(codes::QUERY_UNKNOWN_TABLE, name.span, message, "", help);
            return;
        }
        // The name of the model is a common mistake.
        let model = self.schema.walk_models().find(|model| model.name().eq_ignore_ascii_case(&name.text));
        if let Some(model) = model {
            let help = format!("the table of the model `{}` is `{}`", model.name(), model.model().db_name);
            self.wrong(codes::QUERY_UNKNOWN_TABLE, name.span, message, "", help);
            return;
        }
        let ctes = self.ctes.iter().map(|cte| cte.name.clone());
        let known: Vec<String> = ctes.chain(self.catalog.tables.iter().map(|table| table.name.clone())).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        self.unknown_name(codes::QUERY_UNKNOWN_TABLE, name, message, known);
    }

    fn function_relation(
        &mut self,
        scope: &Scope<'_>,
        calls: &[FunctionCall],
        relation: &TreeRelation,
        ordinality: bool,
    ) -> Relation {
        let mut columns: Vec<Column> = Vec::new();
        let mut opaque = false;
        for call in calls {
            let (mut found, unknown) = self.function_columns(scope, call, relation);
            columns.append(&mut found);
            opaque |= unknown;
        }
        // A function that returns fewer rows than another is padded with nulls.
        let parts = calls.iter().map(|call| if is_parallel_unnest(&call.call) { 2 } else { 1 }).sum::<usize>();
        columns.iter_mut().for_each(|column| column.nullable |= parts > 1);
        if ordinality {
            columns.push(plain_column("ordinality", Typed::base(Base::Int8, false)));
        }
        let is_plain = relation.types.is_empty() && calls.iter().all(|call| call.columns.is_empty());
        let is_scalar = columns.len() == 1 && !ordinality && is_plain;
        let opaque = opaque && relation.types.is_empty() && relation.columns.is_empty();
        Relation { opaque, is_scalar, ..Relation::new(function_name(calls.first()), columns) }
    }

    /// Returns the columns of one function, and whether they are unknown.
    fn function_columns(
        &mut self,
        scope: &Scope<'_>,
        function: &FunctionCall,
        relation: &TreeRelation,
    ) -> (Vec<Column>, bool) {
        let ExprKind::Call(tree) = &function.call.kind else { return (Vec::new(), true) };
        let name = tree.name.last().map_or("", |name| name.text.as_str());
        if is_parallel_unnest(&function.call) {
            let lists = tree.args.iter().map(|arg| {
                let call = Call { name: tree.name.clone(), ..Call::default() };
                plain_column("unnest", self.set_call_of(scope, &call, &[arg]).0)
            });
            return (lists.collect(), false);
        }
        let (typed, named) = self.set_call(scope, tree);
        let is_unknown = named.is_empty() && typed.ty == Ty::Opaque;
        let is_alone = matches!(&relation.kind, RelationKind::Functions { calls, .. } if calls.len() == 1);
        let alias = relation.alias.as_ref().filter(|_| is_alone).map_or(name, |alias| alias.text.as_str());
        let listed: Vec<(&Name, &TypeName)> = match function.columns.as_slice() {
            [] => relation.columns.iter().zip(&relation.types).collect(),
            columns => columns.iter().map(|(name, ty)| (name, ty)).collect(),
        };
        let columns: Vec<Column> = if !listed.is_empty() {
            let column = |(name, ty): (&Name, &TypeName)| plain_column(&name.text, Typed::new(self.type_of(ty), true));
            return (listed.into_iter().map(column).collect(), false);
        } else if named.is_empty() {
            vec![plain_column(alias, typed)]
        } else {
            named.iter().map(|(name, typed)| plain_column(name, *typed)).collect()
        };
        (columns, is_unknown)
    }
}

/// `unnest(a, b)`, which is only allowed in FROM: each list becomes a column.
fn is_parallel_unnest(call: &Expr) -> bool {
    matches!(&call.kind, ExprKind::Call(call)
        if call.args.len() > 1 && call.name.last().is_some_and(|name| name.text == "unnest"))
}

fn function_name(call: Option<&FunctionCall>) -> &str {
    match call.map(|call| &call.call.kind) {
        Some(ExprKind::Call(call)) => call.name.last().map_or("", |name| name.text.as_str()),
        _ => "",
    }
}

fn plain_column(name: &str, typed: Typed) -> Column {
    Column {
        name: name.to_owned(),
        ty: typed.ty,
        nullable: typed.nullable,
        holes: typed.holes,
        sensitive: typed.sensitive,
        field: None,
        has_default: false,
    }
}
