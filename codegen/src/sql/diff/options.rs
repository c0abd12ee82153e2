//! Properties of keys, foreign keys and indexes that Prisma's language does not have.
//!
//! Two schemas, and two databases, have to agree in all of them. A schema that does not mention a property leaves it to
//! the database.

use super::DiffCx;
use super::objects::same_class;
use crate::sql::change::TableObject;
use crate::sql::normalize::Origin;
use crate::sql::state::{ConstraintOptions, Deferrable, Exclusion, Index, IndexPart, TableOptions};

/// Returns whether the options of two objects are the same, or those of the schema are what the database has.
pub(super) fn same(cx: &DiffCx<'_>, old: &TableObject, next: &TableObject) -> bool {
    let (Some(a), Some(b)) = (old.options(), next.options()) else {
        // An index may be a constraint in the other database.
        return cx.origin != Origin::Catalogs || old.options() == next.options();
    };
    match cx.origin {
        // Whether a check is inherited follows from the tables.
        Origin::Catalogs | Origin::Schemas => {
            let compared = |options: &ConstraintOptions| ConstraintOptions { inherited: false, ..options.clone() };
            compared(a) == compared(b)
        }
        Origin::Printed if cx.next_is_database => merged(cx, b, a) == *b,
        Origin::Printed => merged(cx, a, b) == *a,
    }
}

/// Returns the options of a database, with those that a schema mentions.
pub(super) fn merged(cx: &DiffCx<'_>, database: &ConstraintOptions, schema: &ConstraintOptions) -> ConstraintOptions {
    ConstraintOptions {
        deferrable: schema.deferrable.or(left(cx, database.deferrable)),
        match_full: schema.match_full || left(cx, database.match_full),
        nulls_not_distinct: schema.nulls_not_distinct || left(cx, database.nulls_not_distinct),
        delete_columns: either(cx, &schema.delete_columns, &database.delete_columns),
        include: either(cx, &schema.include, &database.include),
        storage: either(cx, &schema.storage, &database.storage),
        ..database.clone()
    }
}

/// Returns what a schema that does not mention a property leaves to the database.
fn left<T: Default>(cx: &DiffCx<'_>, database: T) -> T {
    if cx.is_complete { T::default() } else { database }
}

fn either(cx: &DiffCx<'_>, schema: &[String], database: &[String]) -> Vec<String> {
    if schema.is_empty() { left(cx, database.to_vec()) } else { schema.to_vec() }
}

/// Returns whether a constraint of the database has the properties of an index of the schema.
pub(super) fn serves_for_index(cx: &DiffCx<'_>, constraint: &ConstraintOptions, index: &Index) -> bool {
    let of_index = ConstraintOptions {
        nulls_not_distinct: index.nulls_not_distinct,
        include: index.include.clone(),
        storage: index.storage.clone(),
        ..ConstraintOptions::default()
    };
    merged(cx, constraint, &of_index) == *constraint
}

/// Compares what follows the columns of an index.
pub(super) fn same_of_indexes(cx: &DiffCx<'_>, a: &Index, b: &Index) -> bool {
    let (schema, database) = match cx.origin {
        Origin::Catalogs | Origin::Schemas => {
            return a.include == b.include && a.nulls_not_distinct == b.nulls_not_distinct && a.storage == b.storage;
        }
        Origin::Printed if cx.next_is_database => (a, b),
        Origin::Printed => (b, a),
    };
    (schema.nulls_not_distinct || left(cx, database.nulls_not_distinct)) == database.nulls_not_distinct
        && either(cx, &schema.include, &database.include) == database.include
        && either(cx, &schema.storage, &database.storage) == database.storage
}

/// Compares where nulls are. A schema that has the default order leaves it to the database.
pub(super) fn same_nulls(cx: &DiffCx<'_>, a: &IndexPart, b: &IndexPart) -> bool {
    let schema = match cx.origin {
        Origin::Catalogs | Origin::Schemas => return a.nulls_first == b.nulls_first,
        Origin::Printed if cx.next_is_database => a,
        Origin::Printed => b,
    };
    a.nulls_first == b.nulls_first || (!cx.is_complete && !schema.has_unusual_nulls())
}

/// Compares when an exclusion constraint is checked.
pub(super) fn same_moment(cx: &DiffCx<'_>, a: Option<Deferrable>, b: Option<Deferrable>) -> bool {
    match cx.origin {
        Origin::Catalogs | Origin::Schemas => a == b,
        Origin::Printed if cx.next_is_database => a.or(left(cx, b)) == b,
        Origin::Printed => b.or(left(cx, a)) == a,
    }
}

/// Compares two operators. Without a schema, it is the one that is found there: PostgreSQL prints `OPERATOR(public.&&)`
/// as `&&`.
pub(super) fn same_operator(a: &str, b: &str) -> bool {
    let path = |text: &str| text.split_once('(').map(|(_, rest)| rest.trim_end_matches(')').trim().to_owned());
    match (path(a), path(b)) {
        (Some(a), Some(b)) => a == b,
        (Some(path), None) => path.rsplit('.').next() == Some(b),
        (None, Some(path)) => path.rsplit('.').next() == Some(a),
        (None, None) => a == b,
    }
}

/// Adds to an exclusion constraint of the schema what it leaves to the database.
pub(super) fn keep_of_exclusion(cx: &DiffCx<'_>, old: &Exclusion, next: &mut Exclusion) {
    keep_of_index(cx, &old.index, &mut next.index);
    next.deferrable = next.deferrable.or(left(cx, old.deferrable));
}

/// Adds to an index of the schema what it leaves to the database.
pub(super) fn keep_of_index(cx: &DiffCx<'_>, old: &Index, next: &mut Index) {
    next.nulls_not_distinct |= left(cx, old.nulls_not_distinct);
    next.storage = either(cx, &next.storage, &old.storage);
    let key: Vec<String> = next.columns().map(str::to_owned).collect();
    next.include = either(cx, &next.include, &old.include).into_iter().filter(|column| !key.contains(column)).collect();
    for part in &mut next.parts {
        let Some(old) = old.parts.iter().find(|old| old.target == part.target) else { continue };
        part.collation.clone_from(&old.collation);
        if part.sort == old.sort && !part.has_unusual_nulls() && !cx.is_complete {
            part.nulls_first = old.nulls_first;
        }
        if same_class(old, part) {
            part.operator_class.clone_from(&old.operator_class);
            part.class_options.clone_from(&old.class_options);
        }
    }
}

/// Returns the options that a table shall have.
pub(super) fn of_table(cx: &DiffCx<'_>, old: &TableOptions, next: &TableOptions) -> TableOptions {
    match cx.origin {
        Origin::Catalogs | Origin::Schemas => next.clone(),
        // The previous schema may leave them to the database.
        Origin::Printed if cx.next_is_database => TableOptions {
            unlogged: next.unlogged && (old.unlogged || cx.is_complete),
            storage: if old.storage.is_empty() && !cx.is_complete { Vec::new() } else { next.storage.clone() },
            ..partitioned(if old.partition_by.is_some() || can_say(cx, next) { next } else { old }, next)
        },
        Origin::Printed => TableOptions {
            unlogged: next.unlogged || left(cx, old.unlogged),
            storage: either(cx, &next.storage, &old.storage),
            ..partitioned(if next.partition_by.is_some() || can_say(cx, old) { next } else { old }, old)
        },
    }
}

/// Returns whether a schema that says nothing means that the table of the database is not partitioned.
fn can_say(cx: &DiffCx<'_>, database: &TableOptions) -> bool {
    cx.is_complete && (database.partition_by.is_none() || database.partition_key().is_some())
}

/// Returns `other`, partitioned like `options`.
fn partitioned(options: &TableOptions, other: &TableOptions) -> TableOptions {
    TableOptions {
        partition_by: options.partition_by.clone(),
        partition_columns: options.partition_columns.clone(),
        ..other.clone()
    }
}
