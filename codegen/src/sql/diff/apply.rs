//! Applies renames as PostgreSQL does: everything that references the renamed object follows.

use crate::sql::data_type::DataType;
use crate::sql::expression::{Token, tokens};
use crate::sql::state::{
    ColumnDefault, Distribution, Index, IndexTarget, ObjectName, PartitionKey, Policy, State, Table, Use,
};

pub(super) fn rename_enum(state: &mut State, from: &ObjectName, to: &ObjectName) {
    for ty in state.enums.iter_mut().filter(|ty| ty.name == *from) {
        ty.name = to.clone();
    }
    state.catalog.rename_enum(from, to);
    for column in state.tables.iter_mut().flat_map(|table| &mut table.columns) {
        if column.ty == DataType::Enum(from.clone()) {
            column.ty = DataType::Enum(to.clone());
        }
    }
}

pub(super) fn rename_label(state: &mut State, enum_name: &ObjectName, from: &str, to: &str) {
    let rename = |label: &mut String| {
        if label == from {
            to.clone_into(label);
        }
    };
    for ty in state.enums.iter_mut().filter(|ty| ty.name == *enum_name) {
        ty.labels.iter_mut().for_each(rename);
    }
    for table in &mut state.tables {
        let mut is_used = false;
        for column in table.columns.iter_mut().filter(|column| column.ty == DataType::Enum(enum_name.clone())) {
            is_used = true;
            column.options.default_text = None;
            match &mut column.default {
                Some(ColumnDefault::Literal(label)) => rename(label),
                Some(ColumnDefault::List(labels)) => labels.iter_mut().for_each(rename),
                _ => {}
            }
        }
        if is_used {
            rewrite_expressions(table, |token| match token {
                Token::Text(text) if text == from => Token::Text(to.to_owned()),
                other => other,
            });
        }
    }
}

/// Owned sequences move to another schema with their table, but keep their names.
pub(super) fn rename_table(state: &mut State, from: &ObjectName, to: &ObjectName) {
    let mut moved = Vec::new();
    for sequence in &mut state.sequences {
        if let Some((table, _)) = &mut sequence.owned_by
            && table == from
        {
            *table = to.clone();
            let name = ObjectName { schema: to.schema.clone(), name: sequence.name.name.clone() };
            moved.push((std::mem::replace(&mut sequence.name, name.clone()), name));
        }
    }
    for table in &mut state.tables {
        let named = table.row_security.policies.iter_mut().flat_map(Policy::tables);
        named.filter(|name| *name == from).for_each(|name| *name = to.clone());
        if table.name == *from {
            table.name = to.clone();
        }
        for key in table.foreign_keys.iter_mut().filter(|key| key.referenced_table == *from) {
            key.referenced_table = to.clone();
        }
        for parent in table.options.inherits.iter_mut().filter(|parent| *parent == from) {
            *parent = to.clone();
        }
        for column in &mut table.columns {
            if let Some(ColumnDefault::Sequence(name)) = &mut column.default
                && let Some((_, new)) = moved.iter().find(|(old, _)| old == name)
            {
                *name = new.clone();
            }
        }
    }
    state.catalog.rename_table(from, to);
    for used in state.others.iter_mut().flat_map(|other| &mut other.uses) {
        let (Use::Relation(name) | Use::Column(name, _) | Use::Constraint(name, _)) = used;
        if name == from {
            *name = to.clone();
        }
    }
}

pub(super) fn rename_column(state: &mut State, table_name: &ObjectName, from: &str, to: &str) {
    let rename = |name: &mut String| {
        if name == from {
            to.clone_into(name);
        }
    };
    for sequence in &mut state.sequences {
        if let Some((table, column)) = &mut sequence.owned_by
            && table == table_name
        {
            rename(column);
        }
    }
    state.catalog.rename_column(table_name, from, to);
    for used in state.others.iter_mut().flat_map(|other| &mut other.uses) {
        if let Use::Column(table, column) = used
            && table == table_name
        {
            rename(column);
        }
    }
    for table in &mut state.tables {
        let own = table.name.clone();
        for policy in &mut table.row_security.policies {
            rename_column_in_policy(policy, &own, table_name, rename);
        }
        for key in table.foreign_keys.iter_mut().filter(|key| key.referenced_table == *table_name) {
            key.referenced_columns.iter_mut().for_each(rename);
        }
        if table.name != *table_name {
            continue;
        }
        table.columns.iter_mut().for_each(|column| rename(&mut column.name));
        table.options.partition_columns.iter_mut().for_each(rename);
        if let Some(text) = &mut table.options.partition_by
            && let Some(mut key) = PartitionKey::parse(text)
        {
            key.columns.iter_mut().for_each(rename);
            *text = key.to_string();
        }
        if let Distribution::By { column, .. } = &mut table.distribution {
            rename(column);
        }
        table.primary_key.iter_mut().flat_map(|key| &mut key.columns).for_each(rename);
        table.uniques.iter_mut().flat_map(|unique| &mut unique.columns).for_each(rename);
        table.foreign_keys.iter_mut().flat_map(|key| &mut key.columns).for_each(rename);
        let keys = table.primary_key.iter_mut().map(|key| &mut key.options);
        let keys = keys.chain(table.uniques.iter_mut().map(|unique| &mut unique.options));
        keys.flat_map(|options| &mut options.include).for_each(rename);
        table.foreign_keys.iter_mut().flat_map(|key| &mut key.options.delete_columns).for_each(rename);
        for index in every_index(table) {
            rename_index_column(index, rename);
        }
        rewrite_expressions(table, |token| match token {
            Token::Word(name) if name == from => Token::Quoted(to.to_owned()),
            Token::Quoted(name) if name == from => Token::Quoted(to.to_owned()),
            other => other,
        });
    }
}

/// A column of `renamed`, in a policy of `table`.
fn rename_column_in_policy(
    policy: &mut Policy,
    table: &ObjectName,
    renamed: &ObjectName,
    rename: impl Fn(&mut String) + Copy,
) {
    for way in policy.ways() {
        let mut here = table.clone();
        for join in &mut way.joins {
            if here == *renamed {
                join.from.iter_mut().for_each(rename);
            }
            here = join.table.clone();
            if here == *renamed {
                join.to.iter_mut().for_each(rename);
            }
        }
        if here == *renamed {
            rename(&mut way.column);
        }
    }
    policy.uses.iter_mut().filter(|(table, _)| table == renamed).for_each(|(_, column)| rename(column));
}

/// Returns the indexes, and those of exclusion constraints.
fn every_index(table: &mut Table) -> impl Iterator<Item = &mut Index> {
    table.indexes.iter_mut().chain(table.exclusions.iter_mut().map(|exclusion| &mut exclusion.index))
}

fn rename_index_column(index: &mut Index, rename: impl Fn(&mut String)) {
    index.include.iter_mut().for_each(&rename);
    for part in &mut index.parts {
        if let IndexTarget::Column(name) = &mut part.target {
            rename(name);
        }
    }
}

/// Rewrites the expressions of a table token by token. Changed expressions lose their spacing.
fn rewrite_expressions(table: &mut Table, rewrite: impl Fn(Token) -> Token) {
    let predicates = |index: &mut Index| {
        let parts = index.parts.iter_mut().filter_map(|part| match &mut part.target {
            IndexTarget::Expression(sql) => Some(sql),
            IndexTarget::Column(_) => None,
        });
        for sql in parts.chain(index.predicate.as_mut()) {
            rewrite_sql(sql, &rewrite);
        }
    };
    every_index(table).for_each(predicates);
    let checks = table.checks.iter_mut().map(|check| &mut check.expression);
    for sql in checks.chain(table.columns.iter_mut().filter_map(|column| column.generated.as_mut())) {
        rewrite_sql(sql, &rewrite);
    }
}

fn rewrite_sql(sql: &mut String, rewrite: impl Fn(Token) -> Token) {
    let Some(old) = tokens(sql) else { return };
    let new: Vec<_> = old.iter().cloned().map(rewrite).collect();
    if new != old {
        *sql = new.iter().map(Token::to_string).collect::<Vec<_>>().join(" ");
    }
}
