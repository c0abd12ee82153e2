//! The objects of `sql/**/*.sql` that queries can name: functions, views, sequences and extensions.
//!
//! Only signatures are read, and the query of a view, whose columns are inferred like those of any query. What cannot be
//! read is left out: a query that names it reports that.

use relata_pgsql::Nesting;

use super::catalog::{Catalog, Column, Function, Kind, Lookup, Nulls, Slot, Table};
use super::infer::{ParamState, columns, infer, named_type};
use super::lexer::tokens;
use super::parser::parse_object;
use super::tree::{Argument, FunctionObject, Mode, Name, Object, Query, Returns, Statement, TypeName};
use super::types::{Base, Ty};
use crate::diagnostics::SourceFile;
use crate::ir::Schema;

/// Adds the objects of all files to the catalog. Views may use functions of later files, and views above them.
pub(super) fn add_objects(schema: &Schema, catalog: &mut Catalog, files: &[SourceFile]) {
    let mut views = Vec::new();
    for object in files.iter().flat_map(|file| objects(&file.text)) {
        match object {
            Object::Function(function) => add_function(schema, catalog, &function),
            Object::Extension(name) => catalog.add_extension(name.text),
            Object::Sequence(name) => add_sequence(catalog, &name),
            Object::View { name, columns, query } => views.push((name, columns, *query)),
        }
    }
    for (name, names, query) in views {
        add_view(schema, catalog, &name, &names, query);
    }
}

/// Returns what the statements of a file create.
fn objects(text: &str) -> Vec<Object> {
    let (mut nesting, mut start, mut found) = (Nesting::default(), 0, Vec::new());
    for token in relata_pgsql::tokens(text) {
        if nesting.ends_statement(text, token) {
            found.extend(parse_object(0, &tokens(&text[start..token.start])));
            start = token.end;
        }
    }
    found.extend(parse_object(0, &tokens(&text[start..])));
    found
}

/// Returns the schema and the name of a path.
fn split(path: &[Name]) -> Option<(Option<String>, String)> {
    match path {
        [name] => Some((None, name.text.clone())),
        [.., namespace, name] => Some((Some(namespace.text.clone()), name.text.clone())),
        [] => None,
    }
}

fn add_sequence(catalog: &mut Catalog, path: &[Name]) {
    let Some((namespace, name)) = split(path) else { return };
    let columns = [("last_value", Base::Int8), ("log_cnt", Base::Int8), ("is_called", Base::Bool)];
    let columns =
        columns.into_iter().map(|(name, base)| value_column(name.to_owned(), Ty::Base(base), false)).collect();
    catalog.add_table(Table { model: None, namespace, name, columns, is_stored: true, is_opaque: false });
}

fn value_column(name: String, ty: Ty, nullable: bool) -> Column {
    Column { name, ty, nullable, holes: false, sensitive: false, field: None, has_default: false }
}

fn add_view(schema: &Schema, catalog: &mut Catalog, path: &[Name], names: &[Name], query: Query) {
    let Some((namespace, name)) = split(path) else { return };
    let (cx, outputs) = infer(schema, catalog, Vec::<ParamState>::new(), &Statement::Query(query));
    let outputs = outputs.unwrap_or_default();
    let is_opaque = !cx.found.is_empty() || outputs.iter().any(|output| output.is_star);
    let mut columns = columns(outputs);
    columns.iter_mut().zip(names).for_each(|(column, name)| column.name.clone_from(&name.text));
    catalog.add_table(Table { model: None, namespace, name, columns, is_stored: false, is_opaque });
}

fn add_function(schema: &Schema, catalog: &mut Catalog, object: &FunctionObject) {
    let Some((namespace, name)) = split(&object.name) else { return };
    let inputs: Vec<&Argument> = object.args.iter().filter(|arg| arg.mode != Mode::Out).collect();
    let variadic = inputs.last().is_some_and(|arg| arg.mode == Mode::Variadic);
    let mut args: Vec<Slot> = inputs.iter().map(|arg| slot(schema, &arg.ty)).collect();
    // A variadic argument is a list of the values that a call writes.
    if let (true, Some(last)) = (variadic, args.last_mut()) {
        *last = match *last {
            Slot::List(base) => Slot::Base(base),
            Slot::Elements => Slot::Element,
            other => other,
        };
    }
    let (kind, result, columns) = result(schema, catalog, object);
    let function = Function {
        holes: false,
        kind,
        args,
        variadic,
        result,
        columns,
        nulls: Nulls::Maybe,
        within: false,
        names: inputs.iter().map(|arg| arg.name.as_ref().map(|name| name.text.clone())).collect(),
        defaults: inputs.iter().filter(|arg| arg.has_default).count(),
        namespace,
        goes_outside: true,
    };
    catalog.add_function(name, function);
}

/// A column of the rows that a function returns: its name, its type, and whether it may be null.
type FunctionColumn = (String, Slot, bool);

/// Returns what a function returns, and its columns if they have names.
fn result(schema: &Schema, catalog: &Catalog, object: &FunctionObject) -> (Kind, Slot, Vec<FunctionColumn>) {
    let outputs = object.args.iter().filter(|arg| matches!(arg.mode, Mode::Out | Mode::InOut));
    let outputs = outputs.enumerate().map(|(at, arg)| {
        let name = arg.name.as_ref().map_or_else(|| format!("column{}", at + 1), |name| name.text.clone());
        (name, slot(schema, &arg.ty), true)
    });
    let outputs: Vec<FunctionColumn> = outputs.collect();
    let (kind, columns) = match &object.returns {
        Returns::Table(columns) => {
            let column = |(name, ty): &(Name, TypeName)| (name.text.clone(), slot(schema, ty), true);
            (Kind::Set, columns.iter().map(column).collect())
        }
        Returns::Outputs => (Kind::Plain, outputs),
        Returns::Type { ty, set } => {
            let kind = if *set { Kind::Set } else { Kind::Plain };
            match outputs.is_empty() {
                true => match columns_of(catalog, ty) {
                    Some(columns) => return (kind, Slot::Other, columns),
                    None => return (kind, slot(schema, ty), Vec::new()),
                },
                false => (kind, outputs),
            }
        }
    };
    match columns.as_slice() {
        [(_, only, _)] => (kind, *only, columns),
        _ => (kind, Slot::Other, columns),
    }
}

/// Returns the columns of the rows of a table. A function may return rows that the table does not have, so all may be
/// null.
fn columns_of(catalog: &Catalog, ty: &TypeName) -> Option<Vec<FunctionColumn>> {
    let (name, namespace) = (ty.parts.last()?, ty.parts.len().checked_sub(2).map(|at| ty.parts[at].as_str()));
    let Lookup::Found(table) = catalog.table(namespace, name) else { return None };
    let slot = |column: &Column| match column.ty {
        Ty::Base(base) => Slot::Base(base),
        Ty::List(base) => Slot::List(base),
        _ => Slot::Other,
    };
    Some(table.columns.iter().map(|column| (column.name.clone(), slot(column), true)).collect())
}

fn slot(schema: &Schema, name: &TypeName) -> Slot {
    let pseudo = name.parts.last().map(String::as_str);
    match (named_type(schema, name), pseudo) {
        (Ty::Base(base), _) => Slot::Base(base),
        (Ty::List(base), _) => Slot::List(base),
        (_, Some("anyelement" | "anynonarray" | "anycompatible" | "anycompatiblenonarray")) => Slot::Element,
        (_, Some("anyarray" | "anycompatiblearray")) => Slot::Elements,
        (_, Some("anyenum")) => Slot::Enum,
        (_, Some("anyrange" | "anycompatiblerange")) => Slot::Range,
        (_, Some("anymultirange" | "anycompatiblemultirange")) => Slot::Multirange,
        (_, Some("any")) => Slot::Any,
        _ => Slot::Other,
    }
}
