//! The objects that a query can name: the tables of the schema with their columns, and PostgreSQL's functions.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::types::{Base, Ty};
use crate::ir::{Arity, ColumnWalker, FieldId, ModelId, RelationStorage, Schema};

/// A table, a view, or a join table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) model: Option<ModelId>,
    pub(super) namespace: Option<String>,
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
}

/// A column of a table or of a query.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) ty: Ty,
    pub(super) nullable: bool,
    pub(super) holes: bool,
    pub(super) sensitive: bool,
    pub(super) field: Option<FieldId>,
    /// Whether a row can be inserted without it.
    pub(super) has_default: bool,
}

/// The result of looking up a table.
pub(super) enum Lookup<'c> {
    Found(&'c Table),
    /// A table of PostgreSQL itself, whose columns are unknown here.
    System,
    Unknown,
}

#[derive(Debug)]
pub(super) struct Catalog {
    pub(super) tables: Vec<Table>,
    by_name: BTreeMap<String, Vec<usize>>,
    pub(super) functions: &'static BTreeMap<&'static str, Vec<Function>>,
}

impl Catalog {
    pub(super) fn new(schema: &Schema) -> Self {
        let mut tables: Vec<Table> = schema
            .walk_models()
            .map(|model| Table {
                model: Some(model.id),
                namespace: model.model().namespace.clone(),
                name: model.model().db_name.clone(),
                columns: model.columns().map(column).collect(),
            })
            .collect();
        tables.extend(join_tables(schema));
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, table) in tables.iter().enumerate() {
            by_name.entry(table.name.clone()).or_default().push(at);
        }
        Self { tables, by_name, functions: &FUNCTIONS }
    }

    /// Returns the table with that name. Without a schema, it belongs to the default schema.
    pub(super) fn table(&self, namespace: Option<&str>, name: &str) -> Lookup<'_> {
        let is_default = |namespace: Option<&str>| namespace.is_none_or(|namespace| namespace == "public");
        let mut candidates = self.by_name.get(name).into_iter().flatten().map(|at| &self.tables[*at]);
        let found = candidates.find(|table| match (namespace, table.namespace.as_deref()) {
            (Some(wanted), Some(known)) => wanted == known,
            (wanted, known) => is_default(wanted) && is_default(known),
        });
        match found {
            Some(table) => Lookup::Found(table),
            None if matches!(namespace, Some("pg_catalog" | "information_schema")) => Lookup::System,
            None if namespace.is_none() && name.starts_with("pg_") => Lookup::System,
            None => Lookup::Unknown,
        }
    }

    /// Returns a table with that name in another schema.
    pub(super) fn elsewhere(&self, name: &str) -> Option<&Table> {
        self.by_name.get(name).and_then(|found| found.first()).map(|at| &self.tables[*at])
    }
}

fn column(column: ColumnWalker<'_>) -> Column {
    let base = Base::of_column(&column.column().ty);
    let is_list = column.arity() == Arity::List;
    let ty = base.map_or(Ty::Opaque, |base| if is_list { Ty::List(base) } else { Ty::Base(base) });
    Column {
        name: column.db_name().to_owned(),
        ty,
        // Lists are nullable: as in Prisma, they are created without NOT NULL.
        nullable: column.arity() != Arity::Required,
        holes: false,
        sensitive: column.column().sensitive,
        field: Some(column.id),
        has_default: column.has_database_default(),
    }
}

/// The tables of implicit many-to-many relations, with their columns `A` and `B`.
fn join_tables(schema: &Schema) -> impl Iterator<Item = Table> {
    schema.walk_relations().filter_map(|relation| {
        let RelationStorage::JoinTable { db_name, namespace } = &relation.relation().storage else { return None };
        let sides = [("A", relation.referencing_field()), ("B", relation.referenced_field())];
        let columns = sides.into_iter().map(|(name, side)| {
            let key = side.model().primary_key_columns().next();
            let base = key.and_then(|key| Base::of_column(&key.column().ty));
            Column {
                name: name.to_owned(),
                ty: base.map_or(Ty::Opaque, Ty::Base),
                nullable: false,
                holes: false,
                sensitive: false,
                field: None,
                has_default: false,
            }
        });
        let columns = columns.collect();
        Some(Table { model: None, namespace: namespace.clone(), name: db_name.clone(), columns })
    })
}

/// A type in the signature of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Base(Base),
    List(Base),
    /// A value of any type.
    Any,
    /// A type that is unknown here.
    Other,
    /// Any enum, the same as for `Element`.
    Enum,
    /// The same type in all places of the signature.
    Element,
    /// A list of the type of `Element`.
    Elements,
}

/// The kind of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Aggregate,
    Window,
    /// Returns rows, with columns of these names.
    Set,
}

/// When the result is null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nulls {
    /// If an argument is null; for an aggregate, also if there are no rows.
    Strict,
    /// Sometimes, whatever the arguments.
    Maybe,
    Never,
    /// For an aggregate: only if there are no rows.
    Empty,
    /// Also if the second argument is an empty text.
    EmptyFormat,
}

/// One signature of a function.
#[derive(Debug, Clone)]
pub(super) struct Function {
    pub(super) kind: Kind,
    pub(super) args: Vec<Slot>,
    /// Whether the last argument may be repeated.
    pub(super) variadic: bool,
    pub(super) result: Slot,
    /// For a function that returns rows: its columns, if they have names of their own.
    pub(super) columns: Vec<(&'static str, Slot, bool)>,
    pub(super) nulls: Nulls,
    /// Whether the last argument is in `WITHIN GROUP (ORDER BY ..)`.
    pub(super) within: bool,
}

/// The functions are the same for every schema.
static FUNCTIONS: LazyLock<BTreeMap<&'static str, Vec<Function>>> = LazyLock::new(functions);

/// Reads the functions of `functions.txt`.
fn functions() -> BTreeMap<&'static str, Vec<Function>> {
    let mut functions: BTreeMap<&'static str, Vec<Function>> = BTreeMap::new();
    let mut kind = Kind::Plain;
    for line in include_str!("functions.txt").lines().map(str::trim) {
        match line {
            "[plain]" => kind = Kind::Plain,
            "[aggregate]" => kind = Kind::Aggregate,
            "[window]" => kind = Kind::Window,
            "[set]" => kind = Kind::Set,
            line => {
                if let Some((name, function)) = signature(line, kind) {
                    functions.entry(name).or_default().push(function);
                }
            }
        }
    }
    functions
}

/// Reads `name(type, type...) type flag`; `None` for comments and empty lines.
fn signature(line: &'static str, kind: Kind) -> Option<(&'static str, Function)> {
    let (name, rest) = line.split_once('(').filter(|_| !line.starts_with('#'))?;
    let (args, rest) = rest.split_once(')')?;
    let variadic = args.ends_with("...");
    let args = args.trim_end_matches("...").split(',').map(str::trim).filter(|arg| !arg.is_empty());
    let mut words = rest.split_whitespace();
    let result = words.next()?;
    let mut columns = Vec::new();
    let (mut nulls, mut within) = (Nulls::Strict, false);
    for word in words {
        match word {
            "?" => nulls = Nulls::Maybe,
            "!" => nulls = Nulls::Never,
            "0" => nulls = Nulls::Empty,
            "2" => nulls = Nulls::EmptyFormat,
            "within" => within = true,
            word => {
                let (name, ty) = word.split_once(':')?;
                columns.push((name, slot(ty.trim_end_matches('?'))?, ty.ends_with('?')));
            }
        }
    }
    let args = args.map(slot).collect::<Option<Vec<_>>>()?;
    Some((name, Function { kind, args, variadic, result: slot(result)?, columns, nulls, within }))
}

fn slot(name: &str) -> Option<Slot> {
    Some(match name {
        "any" => Slot::Any,
        "other" => Slot::Other,
        "enum" => Slot::Enum,
        "elem" => Slot::Element,
        "list" => Slot::Elements,
        name => match name.strip_suffix("[]") {
            Some(name) => Slot::List(Base::of_name(name)?),
            None => Slot::Base(Base::of_name(name)?),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::{functions, signature};

    #[test]
    fn every_line_of_functions_is_read() {
        let lines = include_str!("functions.txt").lines().map(str::trim);
        let written = lines.filter(|line| !line.is_empty() && !line.starts_with(['#', '[']));
        for line in written.clone() {
            assert!(signature(line, super::Kind::Plain).is_some(), "{line}");
        }
        assert_eq!(functions().values().map(Vec::len).sum::<usize>(), written.count());
    }
}
