//! The new values of columns that stay, and the keys and checks that these can break.
//!
//! Takes the changes. A type change, `@using`, another generated expression and a default that fills NULL change
//! values. Rows that differed may be equal afterwards.

use std::collections::BTreeMap;

use super::action::{Action, ShadowColumn, UniqueGuard};
use super::assess::is_stable;
use crate::ir::NativeType;
use crate::sql::cast::{cast, keeps_apart, keeps_expressions, keeps_together, keeps_values};
use crate::sql::change::{Change, TableObject};
use crate::sql::data_type::DataType;
use crate::sql::expression::{Token, tokens};
use crate::sql::probe::Probe;
use crate::sql::quote::{ident, literal, qualified};
use crate::sql::state::{Column, ColumnDefault, Exclusion, ForeignKey, Index, IndexPart, IndexTarget, ObjectName};

/// The new values of one column.
#[derive(Debug, Clone)]
struct Conversion {
    previous: Column,
    next: Column,
    /// Whether the statement that changes the column also changes the values. Otherwise, only the statement that fills
    /// NULL does.
    by_column: bool,
    /// Whether the values come from PostgreSQL or from a user's expression, rather than from a known cast.
    by_expression: bool,
    /// Whether a default fills NULL.
    filled: bool,
    /// The new value as SQL over the old row; `None` if it cannot be written as SQL.
    value: Option<String>,
}

impl Conversion {
    fn of(previous: &Column, next: &Column, using: Option<&str>, retyped: bool) -> Option<Self> {
        let made_anew = previous.is_recreated(next);
        let filled = previous.nullable && !next.nullable && fills_equally(next.default.as_ref());
        if !retyped && !made_anew && !filled {
            return None;
        }
        let value = if made_anew { None } else { Some(converted(previous, next, using, retyped)) };
        let value = if filled { value.and_then(|value| filled_with(&value, next)) } else { value };
        Some(Self {
            previous: previous.clone(),
            next: next.clone(),
            by_column: retyped || made_anew,
            by_expression: using.is_some() || made_anew,
            filled,
            value,
        })
    }

    fn merges(&self) -> bool {
        self.filled || self.by_expression || !keeps_apart(&self.previous, &self.next)
    }

    fn keeps_expressions(&self) -> bool {
        !self.filled && !self.by_expression && keeps_expressions(&self.previous, &self.next)
    }

    fn keeps_values(&self) -> bool {
        !self.by_expression && keeps_values(&self.previous, &self.next)
    }

    /// Returns whether both sides of a foreign key change in the same way.
    fn agrees_with(&self, other: &Self) -> bool {
        let is_same = |a: &Column, b: &Column| a.ty == b.ty && a.array == b.array && a.collation == b.collation;
        let is_known = !self.by_expression && !other.by_expression;
        is_known
            && is_same(&self.previous, &other.previous)
            && is_same(&self.next, &other.next)
            && keeps_together(&self.previous, &self.next)
    }
}

/// Returns the value in the new type, as SQL.
fn converted(previous: &Column, next: &Column, using: Option<&str>, retyped: bool) -> String {
    let name = ident(&next.name);
    let by_cast = || cast(previous, next).using;
    let value = match using.map(str::to_owned).or_else(|| if retyped { by_cast() } else { None }) {
        Some(sql) => in_parentheses(&sql),
        None => name,
    };
    if !retyped {
        return value;
    }
    let collation = next.collation.as_ref().map(|name| format!(" COLLATE {name}")).unwrap_or_default();
    format!("({value}::{}{}{collation})", next.ty, if next.array { "[]" } else { "" })
}

/// Encloses an expression so that a comment at its end cannot hide the following text.
fn in_parentheses(sql: &str) -> String {
    if sql.contains("--") { format!("({sql}\n)") } else { format!("({sql})") }
}

/// Returns whether the default has the same value for each row.
fn fills_equally(default: Option<&ColumnDefault>) -> bool {
    match default {
        Some(ColumnDefault::Literal(_) | ColumnDefault::List(_)) => true,
        Some(ColumnDefault::Expression(sql)) => is_stable(sql),
        Some(ColumnDefault::Sequence(_) | ColumnDefault::Unmanaged) | None => false,
    }
}

fn filled_with(value: &str, next: &Column) -> Option<String> {
    let ty = format!("{}{}", next.ty, if next.array { "[]" } else { "" });
    let default = match next.default.as_ref()? {
        ColumnDefault::Literal(text) => literal(text),
        ColumnDefault::Expression(sql) => in_parentheses(sql),
        _ => return None,
    };
    Some(format!("COALESCE({value}, {default}::{ty})"))
}

/// The new values of all columns, by table and name.
#[derive(Debug, Default)]
pub(super) struct Conversions {
    columns: BTreeMap<(ObjectName, String), Conversion>,
    /// Unique keys and indexes that stay, with their tables.
    keys: Vec<(ObjectName, TableObject)>,
    /// Foreign keys and checks that stay, with their tables.
    constraints: Vec<(ObjectName, TableObject)>,
    /// Exclusion constraints that stay, with their tables and columns.
    exclusions: Vec<(ObjectName, String, Vec<String>)>,
}

impl Conversions {
    pub(super) fn of(changes: &[Change]) -> Self {
        let mut conversions = Self::default();
        for change in changes {
            let Change::AlterColumn { table, previous, next, using, enum_replaced, belongings } = change else {
                continue;
            };
            let retyped = *enum_replaced || previous.is_retyped(next);
            let Some(conversion) = Conversion::of(previous, next, using.as_deref(), retyped) else { continue };
            conversions.columns.insert((table.clone(), next.name.clone()), conversion);
            for object in &belongings.objects {
                let key = (table.clone(), object.clone());
                if is_unique(object) && !conversions.keys.contains(&key) {
                    conversions.keys.push(key);
                }
            }
            for object in &belongings.constraints {
                let constraint = (table.clone(), object.clone());
                if !conversions.constraints.contains(&constraint) {
                    conversions.constraints.push(constraint);
                }
            }
            for (name, columns) in &belongings.exclusions {
                let exclusion = (table.clone(), name.clone(), columns.clone());
                if !conversions.exclusions.contains(&exclusion) {
                    conversions.exclusions.push(exclusion);
                }
            }
        }
        conversions
    }

    /// Adds the names that shadow columns have until the cutover.
    pub(super) fn add_shadows<'a>(&mut self, actions: impl Iterator<Item = &'a Action>) {
        for action in actions {
            let Action::FillShadowColumns { table, columns } = action else { continue };
            for ShadowColumn { name, alteration } in columns {
                let found = self.columns.get(&(table.clone(), alteration.next.name.clone())).cloned();
                self.columns.extend(found.map(|found| ((table.clone(), name.clone()), found)));
            }
        }
    }

    fn column(&self, table: &ObjectName, column: &str) -> Option<&Conversion> {
        self.columns.get(&(table.clone(), column.to_owned()))
    }

    /// Returns the new value of a column, as SQL over the old row; `None` if it stays or cannot be written as SQL.
    pub(super) fn value(&self, table: &ObjectName, column: &str) -> Option<String> {
        self.column(table, column)?.value.clone()
    }

    /// Returns the column's name after the migration.
    pub(super) fn final_name<'n>(&'n self, table: &ObjectName, column: &'n str) -> &'n str {
        self.column(table, column).map_or(column, |it| &it.next.name)
    }

    /// Returns the unique keys of a table that stay, and in which a change of these columns may make values equal.
    /// `fills`: the change is the statement that fills NULL.
    pub(super) fn kept_keys<'s>(
        &'s self,
        table: &'s ObjectName,
        columns: &'s [&str],
        fills: bool,
    ) -> impl Iterator<Item = &'s TableObject> {
        let is_changed = move |name: &str| {
            let found = self.column(table, name).filter(|_| columns.contains(&name));
            found.is_some_and(|it| if fills { it.filled } else { it.by_column && it.merges() })
        };
        let on_table = self.keys.iter().filter(move |(other, _)| other == table).map(|(_, object)| object);
        on_table
            .filter(move |object| key_parts(object).any(|part| matches!(part, Part::Column(name) if is_changed(name))))
    }

    /// Returns the foreign keys and checks of a table that stay, and that a default in place of NULL may violate.
    pub(super) fn filled_constraints<'s>(
        &'s self,
        table: &'s ObjectName,
        column: &'s str,
    ) -> impl Iterator<Item = &'s TableObject> {
        let is_filled = self.column(table, column).is_some_and(|it| it.filled);
        let on_table = self.constraints.iter().filter(move |(other, _)| is_filled && other == table);
        on_table.map(|(_, object)| object).filter(move |object| match object {
            TableObject::ForeignKey(key) => key.columns.iter().any(|name| name == column),
            TableObject::Check(check) => {
                self.mentioned(table, &check.expression).is_none_or(|mut found| found.any(|it| it.next.name == column))
            }
            _ => false,
        })
    }

    /// Returns the exclusion constraints of a table that stay, and that the change of these columns may break.
    pub(super) fn kept_exclusions<'s>(
        &'s self,
        table: &'s ObjectName,
        columns: &'s [&str],
        fills: bool,
    ) -> impl Iterator<Item = &'s str> {
        let on_table = self.exclusions.iter().filter(move |(other, ..)| other == table);
        let is_changed = move |name: &String| {
            let found = self.column(table, name).filter(|_| columns.contains(&name.as_str()));
            found.is_some_and(|it| if fills { it.filled } else { it.by_column && !it.keeps_expressions() })
        };
        on_table.filter(move |(.., names)| names.iter().any(is_changed)).map(|(_, name, _)| name.as_str())
    }

    /// Returns whether rows whose keys differ may have equal keys afterwards.
    pub(super) fn may_merge(&self, table: &ObjectName, object: &TableObject) -> bool {
        is_unique(object)
            && key_parts(object).any(|part| match part {
                Part::Column(name) => self.column(table, name).is_some_and(Conversion::merges),
                Part::Sql(sql) => self.changes_result(table, sql),
            })
    }

    /// Returns whether the result of an expression may change.
    fn changes_result(&self, table: &ObjectName, sql: &str) -> bool {
        self.mentioned(table, sql).is_none_or(|mut found| found.any(|it| !it.keeps_expressions()))
    }

    /// Returns the conversions of the columns in an expression; `None` if it cannot be parsed.
    fn mentioned<'s>(&'s self, table: &'s ObjectName, sql: &str) -> Option<impl Iterator<Item = &'s Conversion>> {
        let found = tokens(sql)?.into_iter().filter_map(move |token| match token {
            Token::Word(name) | Token::Quoted(name) => self.column(table, &name),
            _ => None,
        });
        Some(found)
    }

    /// Returns whether rows that satisfied the object still satisfy it.
    pub(super) fn keep(&self, table: &ObjectName, object: &TableObject) -> bool {
        match object {
            TableObject::ForeignKey(key) => self.keep_reference(table, key),
            TableObject::Check(check) => !self.changes_result(table, &check.expression),
            TableObject::Exclusion(Exclusion { index, .. }) => {
                index.columns().all(|name| self.column(table, name).is_none())
                    && index.expressions().all(|sql| !self.changes_result(table, sql))
            }
            TableObject::PrimaryKey(_) | TableObject::Unique(_) | TableObject::Index(_) => true,
        }
    }

    fn keep_reference(&self, table: &ObjectName, key: &ForeignKey) -> bool {
        key.columns.iter().zip(&key.referenced_columns).all(|(column, referenced)| {
            match (self.column(table, column), self.column(&key.referenced_table, referenced)) {
                (None, None) => true,
                // A default in place of NULL may reference nothing.
                (Some(one), _) if one.filled => false,
                (Some(one), None) | (None, Some(one)) => one.keeps_values(),
                (Some(one), Some(other)) => one.agrees_with(other) || (one.keeps_values() && other.keeps_values()),
            }
        })
    }

    /// Returns whether a query over the old values does not show whether rows satisfy the object.
    pub(super) fn changes_under(&self, table: &ObjectName, object: &TableObject) -> bool {
        let is_known = |table: &ObjectName, name: &str| self.column(table, name).is_some();
        match object {
            TableObject::ForeignKey(key) => {
                let there = |name: &String| is_known(&key.referenced_table, name);
                key.columns.iter().any(|name| is_known(table, name)) || key.referenced_columns.iter().any(there)
            }
            TableObject::Check(check) => {
                self.mentioned(table, &check.expression).is_none_or(|mut found| found.next().is_some())
            }
            TableObject::Exclusion(_) => !self.keep(table, object),
            _ => false,
        }
    }

    /// Returns the probe that counts the keys that several rows will have.
    pub(super) fn duplicates(&self, table: &ObjectName, object: &TableObject) -> Option<Probe> {
        let UniqueValues { values: columns, condition, nulls_equal } = self.unique_values(table, object)?;
        Some(Probe::Duplicates { table: qualified(table), columns, condition, nulls_equal })
    }

    /// Returns the guard that fails if the key would not be unique.
    pub(super) fn guard(&self, table: &ObjectName, object: &TableObject) -> Option<UniqueGuard> {
        let UniqueValues { values, condition, nulls_equal } = self.unique_values(table, object)?;
        let needs_more = |it: &Conversion| {
            it.by_expression || !matches!(it.next.ty, DataType::Native(ty) if ty != NativeType::Citext)
        };
        let is_custom = |name: &str| self.column(table, name).is_some_and(needs_more);
        Some(UniqueGuard {
            key: self.key_text(table, object),
            table: table.clone(),
            values,
            condition,
            nulls_equal,
            is_custom: key_parts(object).any(|part| match part {
                Part::Column(name) => is_custom(name),
                Part::Sql(_) => true,
            }),
        })
    }

    /// Returns the unique keys and indexes over changed columns that stay, with their tables.
    pub(super) fn keys(&self) -> impl Iterator<Item = (&ObjectName, &TableObject)> {
        self.keys.iter().map(|(table, object)| (table, object))
    }

    /// Returns the values of a unique key after the migration, as SQL over the old rows.
    fn unique_values(&self, table: &ObjectName, object: &TableObject) -> Option<UniqueValues> {
        let is_untouched = |sql: &str| self.mentioned(table, sql).is_some_and(|mut found| found.next().is_none());
        let value = |name: &str| match self.column(table, name) {
            Some(conversion) => conversion.value.clone(),
            None => Some(ident(name)),
        };
        let part = |part: &IndexPart| {
            let value = match &part.target {
                IndexTarget::Column(name) => value(name)?,
                IndexTarget::Expression(sql) if is_untouched(sql) => format!("({sql})"),
                IndexTarget::Expression(_) => return None,
            };
            Some(part.collation.as_ref().map(|name| format!("({value} COLLATE {name})")).unwrap_or(value))
        };
        let plain = |columns: &[String]| columns.iter().map(|name| value(name)).collect::<Option<Vec<_>>>();
        let (values, condition, nulls_equal) = match object {
            TableObject::PrimaryKey(key) => (plain(&key.columns)?, None, false),
            TableObject::Unique(key) => (plain(&key.columns)?, None, key.options.nulls_not_distinct),
            TableObject::Index(index) if index.unique => {
                if !index.predicate.as_deref().is_none_or(is_untouched) {
                    return None;
                }
                let values: Option<Vec<_>> = index.parts.iter().map(part).collect();
                (values?, index.predicate.clone(), index.nulls_not_distinct)
            }
            _ => return None,
        };
        Some(UniqueValues { values, condition, nulls_equal })
    }

    /// Describes the key in words.
    pub(super) fn key_text(&self, table: &ObjectName, object: &TableObject) -> String {
        let parts = key_columns(object).map(|part| match part {
            Part::Column(name) => self.final_name(table, name).to_owned(),
            Part::Sql(sql) => format!("({sql})"),
        });
        format!("{table} ({})", parts.collect::<Vec<_>>().join(", "))
    }
}

/// The values of a unique key, and the condition of its rows.
struct UniqueValues {
    values: Vec<String>,
    condition: Option<String>,
    nulls_equal: bool,
}

pub(super) fn is_unique(object: &TableObject) -> bool {
    match object {
        TableObject::PrimaryKey(_) | TableObject::Unique(_) => true,
        TableObject::Index(index) => index.unique,
        TableObject::ForeignKey(_) | TableObject::Check(_) | TableObject::Exclusion(_) => false,
    }
}

/// An element of a key.
enum Part<'a> {
    Column(&'a str),
    Sql(&'a str),
}

/// Returns the columns and expressions of a key, without those of `INCLUDE`.
fn key_columns(object: &TableObject) -> Box<dyn Iterator<Item = Part<'_>> + '_> {
    match object {
        TableObject::PrimaryKey(key) => Box::new(key.columns.iter().map(|name| Part::Column(name))),
        TableObject::Unique(key) => Box::new(key.columns.iter().map(|name| Part::Column(name))),
        TableObject::Index(Index { parts, .. }) => Box::new(parts.iter().map(|part| match &part.target {
            IndexTarget::Column(name) => Part::Column(name),
            IndexTarget::Expression(sql) => Part::Sql(sql),
        })),
        TableObject::ForeignKey(_) | TableObject::Check(_) | TableObject::Exclusion(_) => Box::new(std::iter::empty()),
    }
}

/// Like [`key_columns`], with the condition of a partial index.
fn key_parts(object: &TableObject) -> Box<dyn Iterator<Item = Part<'_>> + '_> {
    let predicate = match object {
        TableObject::Index(index) => index.predicate.as_deref(),
        _ => None,
    };
    Box::new(key_columns(object).chain(predicate.map(Part::Sql)))
}
