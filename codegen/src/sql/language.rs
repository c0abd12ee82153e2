//! What the schema language cannot express: ignored in a comparison with a schema, and reported by `pull`.
//!
//! Takes the state of a database. Returns the part of it that a schema can describe, and the rest with the reasons. The
//! rules are those by which `lower` refuses a schema.

use std::collections::BTreeSet;

use super::data_type::DataType;
use super::state::{Column, Exclusion, ForeignKey, Index, IndexPart, IndexTarget, ObjectName, State, Table};
use crate::ir::{ScalarType, SortOrder, name_of_sql_type};

/// A part of a table that the schema language cannot express.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inexpressible {
    /// The table.
    pub table: ObjectName,
    /// Its kind: `foreign key`, `index`, `primary key`, `exclusion constraint`.
    pub kind: &'static str,
    /// Its name in the database.
    pub name: String,
    /// Why the language cannot express it.
    pub reason: String,
}

/// Splits the state into what a schema can express and the rest.
pub fn expressible(state: &State) -> (State, Vec<Inexpressible>) {
    let mut expressible = state.clone();
    let mut inexpressible = Vec::new();
    for table in &mut expressible.tables {
        leave_out_keys(table, &mut inexpressible);
    }
    // All keys that foreign keys can reference are known now.
    let tables = expressible.tables.clone();
    for table in &mut expressible.tables {
        let (name, columns) = (table.name.clone(), table.columns.clone());
        table.foreign_keys.retain(|key| match why_no_foreign_key(&tables, &columns, key) {
            Some(reason) => {
                inexpressible.push(Inexpressible {
                    table: name.clone(),
                    kind: "foreign key",
                    name: key.name.clone(),
                    reason,
                });
                false
            }
            None => true,
        });
    }
    (expressible, inexpressible)
}

/// Returns the sets of columns in which no two rows have the same values: what a foreign key can reference.
pub fn unique_sets(table: &Table) -> Vec<BTreeSet<&str>> {
    let key = table.primary_key.iter().map(|key| key.columns.iter().map(String::as_str).collect());
    // A deferrable key can be violated until the end of the transaction.
    let uniques = table.uniques.iter().filter(|unique| unique.options.deferrable.is_none());
    let uniques = uniques.map(|unique| unique.columns.iter().map(String::as_str).collect());
    let indexes = table.indexes.iter().filter(|index| index.unique && index.is_plain());
    key.chain(uniques).chain(indexes.map(|index| index.columns().collect())).collect()
}

/// Returns whether a client can identify a row of the table: by a primary key, or by a unique key of columns that are
/// never null.
pub fn has_key(table: &Table) -> bool {
    let is_known = |name: &str| {
        table.column(name).is_some_and(|column| match &column.ty {
            DataType::Other(sql) => name_of_sql_type(sql).is_some(),
            DataType::Native(_) | DataType::Enum(_) => true,
        })
    };
    let is_present = |name: &str| table.column(name).is_some_and(|column| !column.nullable || column.array);
    let has_id = table.primary_key.as_ref().is_some_and(|key| key.columns.iter().all(|column| is_known(column)));
    has_id || unique_sets(table).iter().any(|set| set.iter().all(|column| is_known(column) && is_present(column)))
}

/// Leaves out primary keys and indexes.
fn leave_out_keys(table: &mut Table, inexpressible: &mut Vec<Inexpressible>) {
    let columns = table.columns.clone();
    let is_list = |name: &String| columns.iter().any(|column| column.name == *name && column.array);
    if let Some(key) = table.primary_key.take_if(|key| key.columns.iter().any(is_list)) {
        let reason = "an id cannot have a list".to_owned();
        inexpressible.push(Inexpressible { table: table.name.clone(), kind: "primary key", name: key.name, reason });
    }
    let name = table.name.clone();
    table.exclusions.retain(|exclusion| match why_no_exclusion(exclusion) {
        Some(reason) => {
            let (table, kind) = (name.clone(), "exclusion constraint");
            inexpressible.push(Inexpressible { table, kind, name: exclusion.index.name.clone(), reason });
            false
        }
        None => true,
    });
    table.indexes.retain(|index| match why_no_index(index) {
        Some(reason) => {
            inexpressible.push(Inexpressible { table: name.clone(), kind: "index", name: index.name.clone(), reason });
            false
        }
        None => true,
    });
}

fn why_no_exclusion(exclusion: &Exclusion) -> Option<String> {
    let has_more = |part: &IndexPart| {
        part.collation.is_some() || !part.class_options.is_empty() || part.sort == SortOrder::Desc || part.nulls_first
    };
    match exclusion.index.parts.iter().any(has_more) {
        true => Some("a part of an exclusion constraint has no collation, order or options".to_owned()),
        false => why_no_index(&exclusion.index),
    }
}

fn why_no_index(index: &Index) -> Option<String> {
    if index.unique && index.parts.iter().any(|part| part.operator_class.is_some()) {
        return Some("a unique index cannot name an operator class".to_owned());
    }
    let mut seen = BTreeSet::new();
    let repeated = index.columns().find(|column| !seen.insert(*column));
    if let Some(column) = repeated {
        return Some(format!("an index cannot name `{column}` twice"));
    }
    let is_empty = |target: &IndexTarget| matches!(target, IndexTarget::Expression(sql) if sql.trim().is_empty());
    index.parts.iter().any(|part| is_empty(&part.target)).then(|| "its expression cannot be parsed".to_owned())
}

fn why_no_foreign_key(tables: &[Table], columns: &[Column], key: &ForeignKey) -> Option<String> {
    let Some(referenced) = tables.iter().find(|table| table.name == key.referenced_table) else {
        return Some(format!("it references {}, which is not in the schema", key.referenced_table));
    };
    for list in [&key.columns, &key.referenced_columns] {
        let mut seen = BTreeSet::new();
        if let Some(column) = list.iter().find(|column| !seen.insert(*column)) {
            return Some(format!("a relation cannot name `{column}` twice"));
        }
    }
    let points_at: BTreeSet<&str> = key.referenced_columns.iter().map(String::as_str).collect();
    if !unique_sets(referenced).contains(&points_at) {
        return Some(format!("it references columns of {} that are no key in the schema", referenced.name));
    }
    key.columns.iter().zip(&key.referenced_columns).find_map(|(here, there)| {
        let (from, to) = (columns.iter().find(|column| column.name == *here)?, referenced.column(there)?);
        (kind(from) != kind(to)).then(|| {
            format!(
                "`{here}` is {} and `{}.{there}` is {}, and a relation needs columns of the same type",
                from.ty, referenced.name, to.ty
            )
        })
    })
}

/// Columns of the same kind can reference each other in the language.
#[derive(PartialEq)]
enum Kind<'c> {
    Scalar(ScalarType, bool),
    Enum(&'c ObjectName, bool),
    Unsupported(bool),
}

fn kind(column: &Column) -> Kind<'_> {
    match &column.ty {
        // PostgreSQL compares integers of all sizes.
        DataType::Native(native) if native.scalar() == ScalarType::BigInt => {
            Kind::Scalar(ScalarType::Int, column.array)
        }
        DataType::Native(native) => Kind::Scalar(native.scalar(), column.array),
        DataType::Enum(name) => Kind::Enum(name, column.array),
        DataType::Other(_) => Kind::Unsupported(column.array),
    }
}

#[cfg(test)]
mod tests {
    use super::{expressible, has_key};
    use crate::ir::{NativeType, ReferentialAction};
    use crate::sql::{
        Column, ColumnOptions, ConstraintOptions, DataType, ForeignKey, Index, IndexPart, ObjectName, PrimaryKey,
        State, Table,
    };

    fn column(name: &str, ty: DataType) -> Column {
        Column {
            name: name.to_owned(),
            ty,
            array: false,
            nullable: false,
            default: None,
            identity: None,
            generated: None,
            collation: None,
            used_by: Vec::new(),
            grants: Vec::new(),
            options: ColumnOptions::default(),
        }
    }

    fn table(name: &str, id: NativeType) -> Table {
        let mut table = Table::new(ObjectName::new(None, name));
        table.columns.push(column("id", DataType::Native(id)));
        table.primary_key = Some(PrimaryKey {
            name: format!("{name}_pkey"),
            columns: vec!["id".to_owned()],
            options: ConstraintOptions::default(),
        });
        table
    }

    fn pointing(from: NativeType, to: NativeType) -> State {
        let mut child = table("child", from);
        child.foreign_keys.push(ForeignKey {
            name: "child_id_fkey".to_owned(),
            columns: vec!["id".to_owned()],
            referenced_table: ObjectName::new(None, "parent"),
            referenced_columns: vec!["id".to_owned()],
            on_delete: ReferentialAction::NoAction,
            on_update: ReferentialAction::NoAction,
            options: ConstraintOptions::default(),
        });
        State { tables: vec![child, table("parent", to)], ..State::default() }
    }

    #[test]
    fn a_relation_is_between_columns_of_one_scalar() {
        let (state, inexpressible) = expressible(&pointing(NativeType::Integer, NativeType::Decimal(None)));
        assert!(state.tables[0].foreign_keys.is_empty());
        assert_eq!(inexpressible[0].kind, "foreign key");
        assert!(
            inexpressible[0].reason.contains("INTEGER") && inexpressible[0].reason.contains("DECIMAL"),
            "{inexpressible:?}"
        );
        assert_eq!(expressible(&pointing(NativeType::SmallInt, NativeType::Integer)).1, []);
        assert_eq!(expressible(&pointing(NativeType::Integer, NativeType::BigInt)).1, []);
        let mut alone = pointing(NativeType::Integer, NativeType::Integer);
        alone.tables.pop();
        assert!(expressible(&alone).1[0].reason.contains("not in the schema"));
    }

    #[test]
    fn what_is_left_out_of_keys_is_no_key() {
        let mut lists = table("lists", NativeType::Integer);
        lists.columns[0].array = true;
        assert!(has_key(&lists));
        let (state, inexpressible) = expressible(&State { tables: vec![lists], ..State::default() });
        assert!(!has_key(&state.tables[0]) && inexpressible[0].kind == "primary key");

        let mut domain = table("domain", NativeType::Integer);
        domain.columns[0].ty = DataType::Other("phone".to_owned());
        assert!(!has_key(&domain));

        let mut repeated = table("repeated", NativeType::Integer);
        repeated.indexes.push(Index {
            name: "i".to_owned(),
            unique: false,
            method: crate::ir::IndexMethod::BTree,
            parts: vec![IndexPart::column("id"), IndexPart::column("id")],
            include: Vec::new(),
            predicate: None,
            nulls_not_distinct: false,
            storage: Vec::new(),
            valid: true,
            only: false,
            has_keys: false,
        });
        assert_eq!(expressible(&State { tables: vec![repeated], ..State::default() }).1[0].name, "i");
    }
}
