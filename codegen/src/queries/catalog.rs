//! The objects that a query can name: the tables of the schema with their columns, and PostgreSQL's functions.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::types::{Base, Span, Ty};
use crate::ir::{Arity, ColumnWalker, FieldId, ModelId, RelationStorage, Schema};

/// A table, a view, or a join table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) model: Option<ModelId>,
    pub(super) namespace: Option<String>,
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// Whether it is a table, which has system columns.
    pub(super) is_stored: bool,
    /// Whether its columns are unknown.
    pub(super) is_opaque: bool,
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
    /// The functions of the project.
    own: BTreeMap<String, Vec<Function>>,
    /// The extensions whose functions can be called.
    extensions: Vec<String>,
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
                is_stored: true,
                is_opaque: false,
            })
            .collect();
        tables.extend(join_tables(schema));
        let mut extensions: Vec<String> = schema.extensions.iter().map(|extension| extension.db_name.clone()).collect();
        // A column of a type of an extension exists only with the extension.
        let columns = tables.iter().flat_map(|table| &table.columns);
        let used = columns.filter_map(|column| match column.ty {
            Ty::Base(base) | Ty::List(base) => base.extension(),
            _ => None,
        });
        for name in used {
            if !extensions.iter().any(|known| known == name) {
                extensions.push(name.to_owned());
            }
        }
        let mut catalog = Self { tables: Vec::new(), by_name: BTreeMap::new(), own: BTreeMap::new(), extensions };
        tables.into_iter().for_each(|table| catalog.add_table(table));
        catalog
    }

    /// Adds a table. One that is already there takes precedence.
    pub(super) fn add_table(&mut self, table: Table) {
        self.by_name.entry(table.name.clone()).or_default().push(self.tables.len());
        self.tables.push(table);
    }

    pub(super) fn add_extension(&mut self, name: String) {
        if !self.extensions.contains(&name) {
            self.extensions.push(name);
        }
    }

    /// Adds a function of the project, in place of one with the same arguments.
    pub(super) fn add_function(&mut self, name: String, function: Function) {
        let known = self.own.entry(name).or_default();
        known.retain(|known| known.args != function.args || known.namespace != function.namespace);
        known.push(function);
    }

    /// Returns all functions that a name denotes: those of PostgreSQL, of the extensions, and of the project.
    pub(super) fn functions(&self, namespace: Option<&str>, name: &str) -> impl Iterator<Item = &Function> + Clone {
        let is_builtin = matches!(namespace, None | Some("pg_catalog"));
        let is_default = |namespace: Option<&str>| namespace.is_none_or(|namespace| namespace == "public");
        let own = self.own.get(name).into_iter().flatten();
        let own = own.filter(move |function| match (namespace, function.namespace.as_deref()) {
            (Some(wanted), Some(known)) => wanted == known,
            (wanted, known) => is_default(wanted) && is_default(known),
        });
        let of_extensions = self.of_extensions(name).filter(move |_| is_default(namespace));
        FUNCTIONS.get(name).filter(|_| is_builtin).into_iter().flatten().chain(of_extensions).chain(own)
    }

    /// Returns the functions of the extensions with that name, or the operators with the name `operator @>`.
    pub(super) fn of_extensions(&self, name: &str) -> impl Iterator<Item = &Function> + Clone {
        // Most schemas have no extension, and need not read their functions.
        self.extensions.iter().filter_map(move |known| EXTENSIONS.get(known.as_str())?.get(name)).flatten()
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
            Some(table) if table.is_opaque => Lookup::System,
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
        let (namespace, name) = (namespace.clone(), db_name.clone());
        Some(Table { model: None, namespace, name, columns, is_stored: true, is_opaque: false })
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
    /// A range of values of the type of `Element`.
    Range,
    /// Ranges of values of the type of `Element`.
    Multirange,
}

impl Slot {
    /// Returns its type, where `elem` is this type.
    pub(super) fn ty(self, element: Option<Base>) -> Option<Ty> {
        match (self, element) {
            (Slot::Base(base), _) | (Slot::Element, Some(base)) => Some(Ty::Base(base)),
            (Slot::List(base), _) | (Slot::Elements, Some(base)) => Some(Ty::List(base)),
            (Slot::Range, Some(base)) => Base::of_span(Span::Range(base)).map(Ty::Base),
            (Slot::Multirange, Some(base)) => Base::of_span(Span::Multirange(base)).map(Ty::Base),
            _ => None,
        }
    }

    /// Returns what `elem` is, if the argument has this type.
    pub(super) fn element_in(self, ty: Ty) -> Option<Base> {
        match (self, ty) {
            (Slot::Element | Slot::Enum, Ty::Base(base)) | (Slot::Elements, Ty::List(base)) => Some(base),
            (Slot::Range | Slot::Multirange, Ty::Base(base)) => base.span().map(Span::element),
            _ => None,
        }
    }
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
    /// Only if the first argument is null.
    First,
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
    pub(super) columns: Vec<(String, Slot, bool)>,
    pub(super) nulls: Nulls,
    /// Whether the list that it returns may hold nulls.
    pub(super) holes: bool,
    /// Whether the last argument is in `WITHIN GROUP (ORDER BY ..)`.
    pub(super) within: bool,
    /// The names of the arguments, for functions of the project.
    pub(super) names: Vec<Option<String>>,
    /// The number of arguments at the end that have a default.
    pub(super) defaults: usize,
    /// The schema of a function of the project.
    pub(super) namespace: Option<String>,
    /// Whether it may read tables.
    pub(super) goes_outside: bool,
}

/// The functions are the same for every schema.
static FUNCTIONS: LazyLock<Functions> = LazyLock::new(functions);

/// The functions of each extension.
static EXTENSIONS: LazyLock<BTreeMap<&'static str, Functions>> = LazyLock::new(extensions);

type Functions = BTreeMap<&'static str, Vec<Function>>;

/// Reads the functions of `functions.txt`, and the others and the operators of PostgreSQL.
fn functions() -> Functions {
    let mut functions = Functions::new();
    read_functions(include_str!("functions.txt"), &mut functions);
    read_functions(include_str!("operators.txt"), &mut functions);
    let mut others = Functions::new();
    read_functions(include_str!("catalog.txt"), &mut others);
    others.into_iter().for_each(|(name, others)| {
        functions.entry(name).or_insert(others);
    });
    functions
}

/// Reads `extensions.txt`, in which `[extension name]` begins the functions of an extension.
fn extensions() -> BTreeMap<&'static str, Functions> {
    let sections = include_str!("extensions.txt").split("[extension ").skip(1);
    let read = |section: &'static str| {
        let (name, lines) = section.split_once(']').unwrap_or((section, ""));
        let mut functions = Functions::new();
        read_functions(lines, &mut functions);
        (name, functions)
    };
    sections.map(read).collect()
}

fn read_functions(text: &'static str, functions: &mut Functions) {
    let mut kind = Kind::Plain;
    for line in text.lines().map(str::trim) {
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
}

/// Reads `name(type, type...) type flag`; `None` for comments, types, casts and empty lines.
fn signature(line: &'static str, kind: Kind) -> Option<(&'static str, Function)> {
    let (name, rest) = line.split_once('(').filter(|_| !line.starts_with('#'))?;
    let (args, rest) = rest.split_once(')')?;
    let variadic = args.ends_with("...");
    let args = args.trim_end_matches("...").split(',').map(str::trim).filter(|arg| !arg.is_empty());
    let mut words = rest.split_whitespace();
    let result = words.next()?;
    let mut columns = Vec::new();
    let (mut nulls, mut holes, mut within, mut goes_outside) = (Nulls::Strict, false, false, false);
    for word in words {
        match word {
            "?" => nulls = Nulls::Maybe,
            "!" => nulls = Nulls::Never,
            "0" => nulls = Nulls::Empty,
            "1" => nulls = Nulls::First,
            "2" => nulls = Nulls::EmptyFormat,
            "*" => holes = true,
            "within" => within = true,
            "reads" => goes_outside = true,
            word => {
                let (name, ty) = word.split_once(':')?;
                columns.push((name.to_owned(), slot(ty.trim_end_matches('?'))?, ty.ends_with('?')));
            }
        }
    }
    let args = args.map(slot).collect::<Option<Vec<_>>>()?;
    let function = Function {
        kind,
        args,
        variadic,
        result: slot(result)?,
        columns,
        nulls,
        holes,
        within,
        names: Vec::new(),
        defaults: 0,
        namespace: None,
        goes_outside,
    };
    Some((name, function))
}

fn slot(name: &str) -> Option<Slot> {
    Some(match name {
        "any" => Slot::Any,
        "other" => Slot::Other,
        "enum" => Slot::Enum,
        "elem" => Slot::Element,
        "list" => Slot::Elements,
        "range" => Slot::Range,
        "multirange" => Slot::Multirange,
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
        let (ours, others, operators) =
            (include_str!("functions.txt"), include_str!("catalog.txt"), include_str!("operators.txt"));
        let written = |text: &'static str| {
            let lines = text.lines().map(str::trim);
            lines.filter(|line| {
                !line.is_empty()
                    && !line.starts_with(['#', '['])
                    && !line.starts_with("type ")
                    && !line.starts_with("cast ")
            })
        };
        for line in [ours, others, operators, include_str!("extensions.txt")].into_iter().flat_map(written) {
            assert!(signature(line, super::Kind::Plain).is_some(), "{line}");
        }
        let count = [ours, others, operators].into_iter().flat_map(written).count();
        assert_eq!(functions().values().map(Vec::len).sum::<usize>(), count, "a name is in both files");
    }
}
