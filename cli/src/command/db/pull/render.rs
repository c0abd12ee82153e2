//! The text of a pulled schema: unchanged blocks keep their text, and the others are written again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use relata_codegen::diagnostics::SourceFile;
use relata_codegen::sql::{
    Change, Column, Commented, EnumType, IndexTarget, ObjectName, State, Table, TableObject, has_key,
};
pub(super) use relata_codegen::string_literal as quoted;
use relata_codegen::text_literal;

use super::Existing;
use super::attributes::{self, Attributes};
use super::blocks::{Block, Line, Mixin, docs, mixins, split, with_comments, with_docs, with_docs_of};
use super::column::{Place, describe, plain};
use super::datasource::{self, Datasource};
use super::names::{Names, identifier};
use super::relations::{RelationField, is_join_table, of_table, relation_fields};
use crate::args::Naming;
use crate::introspect::PulledView;

/// The generator of a new file whose `///` comments are those of the database.
const GENERATOR: &str = "\ngenerator client {\n  provider = \"relata\"\n  comments = true\n}\n";

/// The input of a pulled schema.
pub(super) struct Input<'a> {
    /// The database, as far as the schema language can express it.
    pub(super) state: &'a State,
    /// The views among its tables.
    pub(super) views: &'a [PulledView],
    pub(super) existing: Option<&'a Existing>,
    /// The changes from the database to the existing schema.
    pub(super) changes: &'a [Change],
    /// The file for everything that no existing file contains.
    pub(super) new: String,
    pub(super) datasource: &'a Datasource,
    pub(super) naming: Naming,
}

/// For each field with a column, by model and name: a description that is always true.
pub(super) type Plain = BTreeMap<(String, String), String>;

/// Returns the files of the schema.
pub(super) fn schema(input: &Input<'_>) -> (Vec<SourceFile>, Plain) {
    let Input { state, existing, changes, .. } = *input;
    let mut files: Vec<(String, Vec<Block>)> = existing.map_or_else(Vec::new, |existing| {
        existing.sources.files.iter().map(|file| (file.path.clone(), split(&file.text))).collect()
    });
    let mixins = mixins(files.iter().flat_map(|(_, blocks)| blocks));
    if files.is_empty() {
        let datasource = Block { keyword: "datasource".to_owned(), text: input.datasource.block(), ..Block::default() };
        let generator = Block { keyword: "generator".to_owned(), text: GENERATOR.to_owned(), ..Block::default() };
        let generator = has_comments(state).then_some(generator);
        let blocks = [datasource].into_iter().chain(generator).chain([Block::default()]);
        files.push((input.new.clone(), blocks.collect()));
    }
    let taken: Vec<String> = mixins.keys().cloned().collect();
    let old = existing.map(|existing| &existing.schema);
    let names = Names::new(state, old, &taken, input.naming);
    let mut ignored = ignored(state, &names);
    ignored.retain(|name| input.views.iter().all(|view| view.table.name != *name));
    let cx = Cx {
        views: input.views,
        names: &names,
        state,
        relations: relation_fields(state, &names, &ignored),
        touched: touched(state, &names, &ignored, changes),
        ignored,
        changes,
        mixins,
        datasource: input.datasource,
        has_comments: old.is_none_or(|old| old.comments),
    };
    let mut written = BTreeSet::new();
    let mut texts: Vec<(SourceFile, String)> = Vec::new();
    for (path, mut blocks) in files {
        let rest = blocks.pop().unwrap_or_default();
        let mut text = String::new();
        for block in &blocks {
            if let Some(kept) = cx.keep(block, &mut written) {
                text += &cx.above(block);
                text += &kept;
            }
        }
        texts.push((SourceFile { path, text }, rest.above));
    }
    let added = cx.added(&written);
    if !added.is_empty() {
        match texts.iter_mut().find(|(file, _)| file.path == input.new) {
            Some((file, _)) => file.text += &added,
            None => texts.push((SourceFile { path: input.new.clone(), text: added }, String::new())),
        }
    }
    let files = texts.into_iter().map(|(file, rest)| SourceFile { text: file.text + &rest, ..file }).collect();
    (files, plain_fields(state, &names))
}

fn plain_fields(state: &State, names: &Names<'_>) -> Plain {
    let mut fields = Plain::new();
    for table in &state.tables {
        for column in &table.columns {
            let name = names.field_name(&table.name, &column.name);
            let map = if name == column.name { String::new() } else { format!(" @map({})", quoted(&column.name)) };
            let line = format!("{name} {}{map}", plain(column));
            fields.insert((names.model_name(&table.name), name), line);
        }
    }
    fields
}

/// Returns the tables whose models are not in the client, either because the author chose so or because their rows
/// cannot be told apart.
fn ignored(state: &State, names: &Names<'_>) -> BTreeSet<ObjectName> {
    let is_ignored =
        |table: &&Table| !has_key(table) || names.model(&table.name).is_some_and(|model| model.model().ignored);
    state.tables.iter().filter(is_ignored).map(|table| table.name.clone()).collect()
}

struct Cx<'a> {
    views: &'a [PulledView],
    names: &'a Names<'a>,
    state: &'a State,
    relations: Vec<RelationField>,
    touched: BTreeSet<ObjectName>,
    ignored: BTreeSet<ObjectName>,
    changes: &'a [Change],
    mixins: BTreeMap<String, Mixin>,
    datasource: &'a Datasource,
    /// Whether `///` comments are those of the database.
    has_comments: bool,
}

impl Cx<'_> {
    /// Returns blocks for the tables and enums that have none.
    fn added(&self, written: &BTreeSet<ObjectName>) -> String {
        let mut text = String::new();
        for ty in self.state.enums.iter().filter(|ty| !written.contains(&ty.name)) {
            text +=
                &format!("\n{}{}", self.docs(ty.comment.as_deref(), ""), self.enumeration(&ty.name, &ty.labels, None));
        }
        let is_new = |table: &&Table| !written.contains(&table.name) && !is_join_table(self.state, self.names, table);
        for table in self.state.tables.iter().filter(is_new) {
            text += &format!("\n{}{}", self.docs(table.options.comment.as_deref(), ""), self.model(table, None));
        }
        text
    }

    /// Returns the `///` lines of a new block or field.
    fn docs(&self, comment: Option<&str>, indent: &str) -> String {
        comment.filter(|_| self.has_comments).map(|comment| docs(comment, indent)).unwrap_or_default()
    }

    /// Returns the comment of the database on something that has another one in the existing file.
    fn other_comment(&self, is_it: impl Fn(&Commented) -> bool) -> Option<&str> {
        self.changes.iter().find_map(|change| match change {
            Change::SetComment { on, previous, next } if previous != next && is_it(on) => previous.as_deref(),
            _ => None,
        })
    }

    /// Returns the text above a block of the existing file.
    fn above(&self, block: &Block) -> String {
        let table = || {
            let mut models = self.names.old?.walk_models();
            let model = models.find(|model| model.name() == block.name && !model.model().is_view)?;
            self.state.tables.iter().find(|table| self.names.is_table(model, &table.name))
        };
        let comment = match block.keyword.as_str() {
            "model" => table()
                .and_then(|table| self.other_comment(|on| matches!(on, Commented::Table(it) if same(it, &table.name)))),
            "enum" => self
                .enum_of(block)
                .and_then(|ty| self.other_comment(|on| matches!(on, Commented::Enum(it) if same(it, &ty.name)))),
            _ => None,
        };
        comment.map_or_else(|| block.above.clone(), |comment| with_docs(&block.above, &docs(comment, "")))
    }

    /// Returns the enum of the database that a block of the existing file declares.
    fn enum_of(&self, block: &Block) -> Option<&EnumType> {
        let found = self.names.old?.walk_enums().find(|it| it.name() == block.name)?.enumeration();
        let is_it =
            |name: &ObjectName| name.name == found.db_name && (name.schema.is_none() || name.schema == found.namespace);
        self.state.enums.iter().find(|ty| is_it(&ty.name))
    }

    /// Returns the lines of a block that include mixins whose fields still are those of the table, and these fields.
    fn spreads<'b>(
        &self,
        table: &Table,
        old: Option<&'b Block>,
        keeps_attributes: bool,
    ) -> (Vec<&'b Line>, BTreeSet<&str>) {
        let (mut lines, mut fields) = (Vec::new(), BTreeSet::new());
        let is_there = |field: &String| {
            let column = table.columns.iter().find(|it| self.names.field_name(&table.name, &it.name) == *field);
            column.is_some_and(|column| !self.is_altered(table, column))
        };
        for line in old.into_iter().flat_map(|old| &old.lines) {
            let Some(mixin) = line.key.strip_prefix("...").and_then(|name| self.mixins.get(name)) else { continue };
            if mixin.fields.iter().all(is_there) && (keeps_attributes || !mixin.has_attributes) {
                lines.push(line);
                fields.extend(mixin.fields.iter().map(String::as_str));
            }
        }
        (lines, fields)
    }

    /// Returns the text of a block of the existing file; `None` if the database no longer has what it describes.
    fn keep(&self, block: &Block, written: &mut BTreeSet<ObjectName>) -> Option<String> {
        let Some(old) = self.names.old else { return Some(block.text.clone()) };
        match block.keyword.as_str() {
            "model" => {
                let model = old.walk_models().find(|model| model.name() == block.name);
                let Some(model) = model.filter(|model| !model.model().is_view) else { return Some(block.text.clone()) };
                let table = self.state.tables.iter().find(|table| self.names.is_table(model, &table.name))?;
                written.insert(table.name.clone());
                let is_touched = self.touched.contains(&table.name);
                Some(if is_touched { self.model(table, Some(block)) } else { block.text.clone() })
            }
            "enum" => {
                let found = old.walk_enums().find(|it| it.name() == block.name)?;
                let found = found.enumeration();
                let ty = self.enum_of(block)?;
                written.insert(ty.name.clone());
                let labels: Vec<&str> = found.values.iter().map(|value| value.db_name.as_str()).collect();
                let is_same = ty.labels.iter().map(String::as_str).eq(labels);
                Some(if is_same { block.text.clone() } else { self.enumeration(&ty.name, &ty.labels, Some(block)) })
            }
            "datasource" => Some(datasource::extended(block, self.datasource, &old.extensions)),
            _ => Some(block.text.clone()),
        }
    }

    fn enumeration(&self, name: &ObjectName, labels: &[String], old: Option<&Block>) -> String {
        let enum_name = self.names.enum_name(name).map_or_else(|| identifier(&name.name), str::to_owned);
        let known = old.map(Block::by_key).unwrap_or_default();
        let mut text = format!("enum {enum_name} {{\n");
        for label in labels {
            let value = self.names.label_name(name, label).unwrap_or_else(|| identifier(label));
            let map = if value == *label { String::new() } else { format!(" @map({})", quoted(label)) };
            let line = with_comments(Line::new(&value, format!("  {value}{map}")), known.get(value.as_str()));
            text += &format!("{}{}\n", line.above, line.text);
        }
        let Some(old) = old else { return text + &footer(&enum_name, name) + "}\n" };
        for line in old.lines.iter().filter(|line| line.key.is_empty()) {
            let _ = writeln!(text, "{}{}", line.above, line.text);
        }
        text + &old.below + "}\n"
    }

    fn model(&self, table: &Table, old: Option<&Block>) -> String {
        let model_name = self.names.model_name(&table.name);
        let known = old.map(Block::by_key).unwrap_or_default();
        let (attributes, spreads, mixed_in) = self.attributes(table, old);
        let mut lines: Vec<Line> = spreads.into_iter().cloned().collect();
        for column in &table.columns {
            let name = self.names.field_name(&table.name, &column.name);
            if mixed_in.contains(name.as_str()) {
                continue;
            }
            let is_altered = self.is_altered(table, column) || attributes.altered.contains(&column.name);
            let line = match known.get(name.as_str()) {
                Some(line) if !is_altered => (*line).clone(),
                found @ Some(_) => {
                    with_comments(Line::new(&name, self.field(table, column, &name, &attributes)), found)
                }
                None => Line {
                    above: self.docs(column.options.comment.as_deref(), "  "),
                    ..Line::new(&name, self.field(table, column, &name, &attributes))
                },
            };
            let is_it =
                |on: &Commented| matches!(on, Commented::Column(it, at) if same(it, &table.name) && *at == column.name);
            lines.push(match self.other_comment(is_it) {
                Some(comment) => with_docs_of(&line, &docs(comment, "  ")),
                None => line,
            });
        }
        for line in of_table(&self.relations, &table.name) {
            let old = known.get(line.key.as_str());
            let says_the_same = |old: &&&Line| {
                let both = |word: &str| old.text.contains(word) == line.text.contains(word);
                let ty = |line: &Line| line.text.split_whitespace().nth(1).map(str::to_owned);
                ty(old) == ty(line) && both("@relation") && (both("@ignore") || !line.text.contains("@ignore"))
            };
            lines.push(match old.filter(says_the_same) {
                Some(old) if !self.is_relation_altered(table) => (*old).clone(),
                _ => with_comments(line.clone(), old),
            });
        }
        let keyword = if self.view(table).is_some() { "view" } else { "model" };
        let mut text = format!("{keyword} {model_name} {{\n");
        for line in &in_order(lines, old) {
            let _ = writeln!(text, "{}{}", line.above, line.text);
        }
        text + &self.tail(table, old, &attributes) + "}\n"
    }

    /// Returns the lines after the fields.
    fn tail(&self, table: &Table, old: Option<&Block>, attributes: &Attributes) -> String {
        let mut text = "\n".to_owned();
        for (at, line) in attributes.lines.iter().enumerate() {
            let above = if at == 0 { line.above.trim_start_matches('\n') } else { &line.above };
            let _ = writeln!(text, "{above}{}", line.text);
        }
        let is_ignored = attributes.lines.iter().any(|line| line.text.trim_start().starts_with("@@ignore"));
        if self.ignored.contains(&table.name) && !is_ignored {
            text += "  @@ignore\n";
        }
        if let Some(view) = self.view(table) {
            if view.is_materialized {
                text += "  @@materialized\n";
            }
            let _ = writeln!(text, "  @@sql({})", text_literal(view.query.trim()));
        }
        match old {
            Some(old) => text + &old.below,
            None => text + &footer(&self.names.model_name(&table.name), &table.name),
        }
    }

    fn view(&self, table: &Table) -> Option<&PulledView> {
        self.views.iter().find(|view| view.table.name == table.name)
    }

    /// Returns the keys of a table, the mixins that its model keeps, and their fields.
    fn attributes<'b>(&self, table: &Table, old: Option<&'b Block>) -> (Attributes, Vec<&'b Line>, BTreeSet<&str>) {
        let fields = self.field_names(table);
        let Some(block) = old else {
            return (attributes::fresh(self.names, table, &fields), Vec::new(), BTreeSet::new());
        };
        let brings_attributes = block.lines.iter().any(|line| {
            let mixin = line.key.strip_prefix("...").and_then(|name| self.mixins.get(name));
            mixin.is_some_and(|mixin| mixin.has_attributes)
        });
        if !brings_attributes {
            let (spreads, mixed_in) = self.spreads(table, old, true);
            return (attributes::kept(self.names, table, &fields, block, self.changes), spreads, mixed_in);
        }
        let keeps_attributes = !self.has_other_attributes(table);
        let (spreads, mixed_in) = self.spreads(table, old, keeps_attributes);
        let own = block.lines.iter().filter(|line| line.key.is_empty());
        if keeps_attributes {
            let fresh = attributes::fresh(self.names, table, &fields);
            let lines = own.cloned().collect();
            return (Attributes { lines, altered: BTreeSet::new(), ..fresh }, spreads, mixed_in);
        }
        let mut fresh = attributes::fresh(self.names, table, &fields);
        let is_of_model = |line: &&Line| {
            ["@@map", "@@schema", "@@ignore", "@@renamedFrom"].iter().any(|it| line.text.trim_start().starts_with(it))
        };
        fresh.lines.extend(own.filter(is_of_model).cloned());
        fresh.altered.extend(table.columns.iter().map(|column| column.name.clone()));
        (fresh, spreads, mixed_in)
    }

    /// Returns the names of all fields of a model, including relation fields.
    fn field_names(&self, table: &Table) -> Vec<String> {
        let columns = table.columns.iter().map(|column| self.names.field_name(&table.name, &column.name));
        columns.chain(of_table(&self.relations, &table.name).map(|line| line.key.clone())).collect()
    }

    fn field(&self, table: &Table, column: &Column, name: &str, attributes: &Attributes) -> String {
        let old = self.names.column(&table.name, &column.name);
        let in_foreign_key = table.foreign_keys.iter().any(|key| key.columns.contains(&column.name));
        let place = Place {
            is_ignored: self.ignored.contains(&table.name),
            in_foreign_key,
            is_masked: table.audit.as_ref().is_some_and(|audit| audit.masked.contains(&column.name)),
            is_bound: in_foreign_key || self.is_key(table, &column.name),
        };
        let mut text = format!("  {name} {}", describe(self.names, column, old, &place));
        if let Some(keys) = attributes.on_fields.get(&column.name) {
            text += keys;
        }
        if name != column.name {
            let _ = write!(text, " @map({})", quoted(&column.name));
        }
        text
    }

    /// Returns whether a column is in the primary key, in a key in its place, or in one that is referenced.
    fn is_key(&self, table: &Table, column: &String) -> bool {
        let in_key = match &table.primary_key {
            Some(key) => key.columns.contains(column),
            None => {
                table.uniques.iter().any(|unique| unique.columns.contains(column)) || is_in_unique_index(table, column)
            }
        };
        let references = self.state.tables.iter().flat_map(|other| &other.foreign_keys);
        in_key
            || references
                .into_iter()
                .any(|key| key.referenced_table == table.name && key.referenced_columns.contains(column))
    }

    fn is_altered(&self, table: &Table, column: &Column) -> bool {
        self.changes.iter().any(|change| match change {
            Change::AlterColumn { table: name, previous, .. } => {
                same(name, &table.name) && previous.name == column.name
            }
            Change::DropColumn { table: name, column: other } => same(name, &table.name) && other.name == column.name,
            Change::SetAudit { table: name, previous: Some(live), next, .. } => {
                let is_masked = next.as_ref().is_some_and(|audit| audit.masked.contains(&column.name));
                same(name, &table.name) && live.masked.contains(&column.name) && !is_masked
            }
            _ => false,
        })
    }

    fn is_relation_altered(&self, table: &Table) -> bool {
        self.changes.iter().any(|change| match change {
            Change::AddObject { table: name, object: TableObject::ForeignKey(key) }
            | Change::DropObject { table: name, object: TableObject::ForeignKey(key) }
            | Change::RenameObject { table: name, object: TableObject::ForeignKey(key), .. }
            | Change::ReplaceObject { table: name, previous: TableObject::ForeignKey(key), .. } => {
                same(name, &table.name) || same(&key.referenced_table, &table.name)
            }
            Change::AlterColumn { table: name, previous, next, .. } => {
                same(name, &table.name) && previous.nullable != next.nullable
            }
            _ => false,
        })
    }

    /// Returns whether its keys, indexes or checks differ from those of the existing file.
    fn has_other_attributes(&self, table: &Table) -> bool {
        self.changes.iter().any(|change| match change {
            Change::AddObject { table: name, object }
            | Change::DropObject { table: name, object }
            | Change::RenameObject { table: name, object, .. }
            | Change::ReplaceObject { table: name, previous: object, .. } => {
                same(name, &table.name) && !matches!(object, TableObject::ForeignKey(_))
            }
            Change::AddColumn { table: name, .. }
            | Change::AlterTable { table: name, .. }
            | Change::SetAudit { table: name, .. } => same(name, &table.name),
            _ => false,
        })
    }
}

/// Compares two names. The comparison writes the schema of the connection, which the state leaves out.
pub(super) fn same(a: &ObjectName, b: &ObjectName) -> bool {
    a.name == b.name && (a.schema == b.schema || a.schema.is_none() || b.schema.is_none())
}

/// Returns whether there are comments that a schema can have.
fn has_comments(state: &State) -> bool {
    let has_one = |table: &Table| {
        table.options.comment.is_some() || table.columns.iter().any(|column| column.options.comment.is_some())
    };
    state.enums.iter().any(|ty| ty.comment.is_some()) || state.tables.iter().any(has_one)
}

/// Sorts the lines as in the old block. New lines come after the last column or relation.
fn in_order(lines: Vec<Line>, old: Option<&Block>) -> Vec<Line> {
    let Some(old) = old else { return lines };
    let order: BTreeMap<&str, usize> = old.lines.iter().enumerate().map(|(at, line)| (line.key.as_str(), at)).collect();
    let mut sorted: Vec<(usize, Line)> = Vec::new();
    let mut last = 0;
    for line in lines {
        last = order.get(line.key.as_str()).copied().unwrap_or(last).max(if order.contains_key(line.key.as_str()) {
            0
        } else {
            last
        });
        sorted.push((order.get(line.key.as_str()).copied().unwrap_or(last), line));
    }
    sorted.sort_by_key(|(at, _)| *at);
    sorted.into_iter().map(|(_, line)| line).collect()
}

/// Returns the tables whose blocks have to be written again.
fn touched(
    state: &State,
    names: &Names<'_>,
    ignored: &BTreeSet<ObjectName>,
    changes: &[Change],
) -> BTreeSet<ObjectName> {
    let mut touched = BTreeSet::new();
    let mut table = |name: &ObjectName| {
        touched.insert(name.clone());
        touched.insert(ObjectName::new(None, &name.name));
    };
    for change in changes {
        match change {
            Change::CreateTable(it) | Change::DropTable(it) => {
                table(&it.name);
                it.foreign_keys.iter().for_each(|key| table(&key.referenced_table));
            }
            Change::AddColumn { table: name, .. }
            | Change::AlterColumn { table: name, .. }
            | Change::DropColumn { table: name, .. }
            | Change::AlterTable { table: name, .. }
            | Change::Distribute { table: name, .. }
            | Change::SetAudit { table: name, .. }
            | Change::SetComment { on: Commented::Column(name, _), .. } => table(name),
            Change::AddObject { table: name, object }
            | Change::DropObject { table: name, object }
            | Change::RenameObject { table: name, object, .. }
            | Change::ReplaceObject { table: name, previous: object, .. } => {
                table(name);
                if let TableObject::ForeignKey(key) = object {
                    table(&key.referenced_table);
                }
                // A unique key turns a relation into one to one.
                let keys = state.tables.iter().filter(|table| same(&table.name, name)).flat_map(|it| &it.foreign_keys);
                keys.for_each(|key| table(&key.referenced_table));
            }
            _ => {}
        }
    }
    // When a model leaves the client, so do the fields that lead to it.
    let leaves =
        |name: &ObjectName| ignored.contains(name) && names.model(name).is_some_and(|model| !model.model().ignored);
    for from in &state.tables {
        for key in &from.foreign_keys {
            if leaves(&from.name) {
                table(&key.referenced_table);
            }
            if leaves(&key.referenced_table) {
                table(&from.name);
            }
        }
    }
    touched
}

/// `@@map` and `@@schema`.
fn footer(name: &str, object: &ObjectName) -> String {
    let mut text = String::new();
    if name != object.name {
        let _ = write!(text, "\n  @@map({})\n", quoted(&object.name));
    }
    if let Some(schema) = &object.schema {
        let _ = write!(text, "\n  @@schema({})\n", quoted(schema));
    }
    text
}

/// Returns whether a unique index has a column.
fn is_in_unique_index(table: &Table, column: &str) -> bool {
    let keys = table.indexes.iter().filter(|index| index.unique);
    keys.flat_map(|index| &index.parts).any(|part| matches!(&part.target, IndexTarget::Column(name) if name == column))
}
