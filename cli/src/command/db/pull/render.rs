//! The text of a pulled schema: blocks that did not change as they are written, the others made anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use relata_codegen::diagnostics::SourceFile;
use relata_codegen::ir::{ColumnWalker, EnumWalker, IndexMethod, ModelWalker, Schema, SortOrder};
use relata_codegen::sql::names::clipped;
use relata_codegen::sql::{Change, Column, Index, IndexPart, IndexTarget, ObjectName, State, Table, TableObject};

use super::Existing;
use super::blocks::{Block, Line, Mixin, mixins, split, with_comments};
use super::column::describe;
use super::relations::{RelationField, is_join_table, of_table, relation_fields};

/// What things of the database are called in the schema.
pub(super) struct Names<'a> {
    old: Option<&'a Schema>,
    state: &'a State,
}

impl<'a> Names<'a> {
    pub(super) fn is_table(&self, model: ModelWalker<'_>, table: &ObjectName) -> bool {
        let model = model.model();
        model.db_name == table.name && (table.schema.is_none() || model.namespace == table.schema)
    }

    fn model(&self, table: &ObjectName) -> Option<ModelWalker<'a>> {
        self.old?.walk_models().find(|model| !model.model().is_view && self.is_table(*model, table))
    }

    fn enumeration(&self, name: &ObjectName) -> Option<EnumWalker<'a>> {
        let is_it = |it: &EnumWalker<'_>| {
            let it = it.enumeration();
            it.db_name == name.name && (name.schema.is_none() || it.namespace == name.schema)
        };
        self.old?.walk_enums().find(is_it)
    }

    fn column(&self, table: &ObjectName, column: &str) -> Option<ColumnWalker<'a>> {
        self.model(table)?.columns().find(|it| it.db_name() == column)
    }

    pub(super) fn model_name(&self, table: &ObjectName) -> String {
        self.model(table).map_or_else(|| self.free_type_name(table), |model| model.name().to_owned())
    }

    pub(super) fn enum_name(&self, name: &ObjectName) -> String {
        self.enumeration(name).map_or_else(|| self.free_type_name(name), |it| it.name().to_owned())
    }

    /// Two schemas may have tables of one name, and types of the old file their own.
    fn free_type_name(&self, name: &ObjectName) -> String {
        let plain = identifier(&name.name);
        let tables = self.state.tables.iter().map(|table| &table.name);
        let all: Vec<&ObjectName> = tables.chain(self.state.enums.iter().map(|ty| &ty.name)).collect();
        let is_shared = all.iter().any(|other| *other != name && identifier(&other.name) == plain);
        let is_used = self.old.is_some_and(|old| {
            old.walk_models().any(|it| it.name() == plain) || old.walk_enums().any(|it| it.name() == plain)
        });
        match &name.schema {
            Some(schema) if is_shared => identifier(&format!("{schema}_{}", name.name)),
            _ if is_shared || is_used => {
                let before = all.iter().filter(|other| **other < name && identifier(&other.name) == plain).count();
                format!("{plain}_{}", before + 2)
            }
            _ => plain,
        }
    }

    pub(super) fn field_name(&self, table: &ObjectName, column: &str) -> String {
        self.column(table, column).map_or_else(|| identifier(column), |it| it.name().to_owned())
    }

    pub(super) fn label_name(&self, name: &ObjectName, label: &str) -> Option<String> {
        let known = self.enumeration(name).and_then(|it| {
            it.enumeration().values.iter().find(|value| value.db_name == label).map(|value| value.name.clone())
        });
        let there = || self.state.enums.iter().find(|it| it.name == *name)?.labels.iter().find(|it| *it == label);
        known.or_else(|| there().map(|label| identifier(label)))
    }
}

/// A name as the language takes it.
fn identifier(name: &str) -> String {
    let plain: String =
        name.chars().map(|letter| if letter.is_ascii_alphanumeric() || letter == '_' { letter } else { '_' }).collect();
    let plain = plain.trim_start_matches(|letter: char| letter == '_' || letter.is_ascii_digit());
    if plain.is_empty() { format!("x{}", name.chars().count()) } else { plain.to_owned() }
}

/// A string of the language.
pub(super) fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t");
    format!("\"{text}\"")
}

/// The files of the schema. `changes` lead from the database to the existing one; `new` is the file for what none of
/// the existing files has.
pub(super) fn schema(state: &State, existing: Option<&Existing>, changes: &[Change], new: &str) -> Vec<SourceFile> {
    let names = Names { old: existing.map(|existing| &existing.schema), state };
    let mut files: Vec<(String, Vec<Block>)> = existing.map_or_else(Vec::new, |existing| {
        existing.sources.files.iter().map(|file| (file.path.clone(), split(&file.text))).collect()
    });
    if files.is_empty() {
        let head = "datasource db {\n  provider = \"postgresql\"\n}\n".to_owned();
        let head = Block { keyword: "datasource".to_owned(), text: head, ..Block::default() };
        files.push((new.to_owned(), vec![head, Block::default()]));
    }
    let cx = Cx {
        names: &names,
        relations: relation_fields(state, &names, names.old),
        touched: touched(changes),
        changes,
        mixins: mixins(files.iter().flat_map(|(_, blocks)| blocks)),
    };
    let mut written = BTreeSet::new();
    let mut texts: Vec<(SourceFile, String)> = Vec::new();
    for (path, mut blocks) in files {
        let rest = blocks.pop().unwrap_or_default();
        let mut text = String::new();
        for block in &blocks {
            if let Some(kept) = cx.keep(state, block, &mut written) {
                text += &block.above;
                text += &kept;
            }
        }
        texts.push((SourceFile { path, text }, rest.above));
    }
    let added = cx.added(state, &written);
    if !added.is_empty() {
        match texts.iter_mut().find(|(file, _)| file.path == new) {
            Some((file, _)) => file.text += &added,
            None => texts.push((SourceFile { path: new.to_owned(), text: added }, String::new())),
        }
    }
    texts.into_iter().map(|(file, rest)| SourceFile { text: file.text + &rest, ..file }).collect()
}

struct Cx<'a> {
    names: &'a Names<'a>,
    relations: Vec<RelationField>,
    touched: BTreeSet<ObjectName>,
    changes: &'a [Change],
    mixins: BTreeMap<String, Mixin>,
}

impl Cx<'_> {
    /// Blocks for the tables and enums that have none.
    fn added(&self, state: &State, written: &BTreeSet<ObjectName>) -> String {
        let mut text = String::new();
        for ty in state.enums.iter().filter(|ty| !written.contains(&ty.name)) {
            text += &format!("\n{}", self.enumeration(&ty.name, &ty.labels, None));
        }
        for table in state.tables.iter().filter(|table| !written.contains(&table.name) && !is_join_table(table)) {
            text += &format!("\n{}", self.model(table, None));
        }
        text
    }

    /// The lines of a block that put a mixin in, as far as its fields are still those of the table; and these fields.
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

    /// The text of a block of the existing file; none if what it is about is gone.
    fn keep(&self, state: &State, block: &Block, written: &mut BTreeSet<ObjectName>) -> Option<String> {
        if !["model", "enum"].contains(&block.keyword.as_str()) {
            return Some(block.text.clone());
        }
        let old = self.names.old?;
        match block.keyword.as_str() {
            "model" => {
                let model = old.walk_models().find(|model| model.name() == block.name);
                let Some(model) = model.filter(|model| !model.model().is_view) else { return Some(block.text.clone()) };
                let table = state.tables.iter().find(|table| self.names.is_table(model, &table.name))?;
                written.insert(table.name.clone());
                let is_touched = self.touched.contains(&table.name);
                Some(if is_touched { self.model(table, Some(block)) } else { block.text.clone() })
            }
            "enum" => {
                let found = old.walk_enums().find(|it| it.name() == block.name)?;
                let found = found.enumeration();
                let is_it = |name: &ObjectName| {
                    name.name == found.db_name && (name.schema.is_none() || name.schema == found.namespace)
                };
                let ty = state.enums.iter().find(|ty| is_it(&ty.name))?;
                written.insert(ty.name.clone());
                let labels: Vec<&str> = found.values.iter().map(|value| value.db_name.as_str()).collect();
                let is_same = ty.labels.iter().map(String::as_str).eq(labels);
                Some(if is_same { block.text.clone() } else { self.enumeration(&ty.name, &ty.labels, Some(block)) })
            }
            _ => Some(block.text.clone()),
        }
    }

    fn enumeration(&self, name: &ObjectName, labels: &[String], old: Option<&Block>) -> String {
        let enum_name = self.names.enum_name(name);
        let known = old.map(Block::by_key).unwrap_or_default();
        let mut text = format!("enum {enum_name} {{\n");
        for label in labels {
            let value = self.names.label_name(name, label).unwrap_or_else(|| identifier(label));
            let map = if value == *label { String::new() } else { format!(" @map({})", quoted(label)) };
            let line = with_comments(Line::new(&value, format!("  {value}{map}")), known.get(value.as_str()));
            text += &format!("{}{}\n", line.above, line.text);
        }
        text + &footer(&enum_name, name) + "}\n"
    }

    fn model(&self, table: &Table, old: Option<&Block>) -> String {
        let model_name = self.names.model_name(&table.name);
        let known = old.map(Block::by_key).unwrap_or_default();
        let keeps_attributes = old.is_some() && !self.has_other_attributes(table);
        let (spreads, mixed_in) = self.spreads(table, old, keeps_attributes);
        let mut lines: Vec<Line> = spreads.into_iter().cloned().collect();
        for column in &table.columns {
            let name = self.names.field_name(&table.name, &column.name);
            if mixed_in.contains(name.as_str()) {
                continue;
            }
            let line = match known.get(name.as_str()) {
                Some(line) if keeps_attributes && !self.is_altered(table, column) => (*line).clone(),
                found => with_comments(Line::new(&name, self.field(table, column, &name)), found),
            };
            lines.push(line);
        }
        for line in of_table(&self.relations, &table.name) {
            let old = known.get(line.key.as_str());
            let is_kept = old.is_some_and(|old| {
                keeps_attributes && old.text.contains("@relation") == line.text.contains("@relation")
            });
            lines.push(match old {
                Some(old) if is_kept && !self.is_relation_altered(table) => (*old).clone(),
                _ => with_comments(line.clone(), old),
            });
        }
        let lines = in_order(lines, old);
        let mut text = format!("model {model_name} {{\n");
        for line in &lines {
            let _ = writeln!(text, "{}{}", line.above, line.text);
        }
        text.push('\n');
        if keeps_attributes {
            let attributes = old.into_iter().flat_map(|old| &old.lines).filter(|line| line.key.is_empty());
            for line in attributes {
                let _ = writeln!(text, "{}{}", line.above.trim_start_matches('\n'), line.text);
            }
            return text + "}\n";
        }
        for attribute in self.attributes(table) {
            let _ = writeln!(text, "  {attribute}");
        }
        if super::relations::unique_sets(table).is_empty() {
            text += "  @@ignore\n";
        }
        text + &footer(&model_name, &table.name) + "}\n"
    }

    fn field(&self, table: &Table, column: &Column, name: &str) -> String {
        let old = self.names.column(&table.name, &column.name);
        let mut text = format!("  {name} {}", describe(self.names, column, old));
        let is_alone = |columns: &[String]| columns == [column.name.as_str()];
        if let Some(key) = table.primary_key.as_ref().filter(|key| is_alone(&key.columns)) {
            text += " @id";
            text += &map(&key.name, &clipped(&table.name.name, "_pkey"), "(", ")");
        }
        if name != column.name {
            let _ = write!(text, " @map({})", quoted(&column.name));
        }
        text
    }

    /// Keys of several columns, unique ones, indexes and checks.
    fn attributes(&self, table: &Table) -> Vec<String> {
        let mut attributes = Vec::new();
        let fields = |columns: &[String]| -> String {
            columns.iter().map(|column| self.names.field_name(&table.name, column)).collect::<Vec<_>>().join(", ")
        };
        let usual =
            |columns: &[String], suffix: &str| clipped(&format!("{}_{}", table.name.name, columns.join("_")), suffix);
        if let Some(key) = table.primary_key.as_ref().filter(|key| key.columns.len() > 1) {
            let map = map(&key.name, &clipped(&table.name.name, "_pkey"), ", ", "");
            attributes.push(format!("@@id([{}]{map})", fields(&key.columns)));
        }
        for unique in &table.uniques {
            let map = map(&unique.name, &usual(&unique.columns, "_key"), ", ", "");
            attributes.push(format!("@@unique([{}]{map})", fields(&unique.columns)));
        }
        for index in &table.indexes {
            attributes.push(self.index(table, index));
        }
        for check in &table.checks {
            attributes.push(format!("@@check({}, map: {})", quoted(&check.expression), quoted(&check.name)));
        }
        attributes
    }

    fn index(&self, table: &Table, index: &Index) -> String {
        let parts: Vec<String> = index.parts.iter().map(|part| self.part(table, part)).collect();
        let mut text = format!("@@{}([{}]", if index.unique { "unique" } else { "index" }, parts.join(", "));
        let method = match index.method {
            IndexMethod::BTree => None,
            IndexMethod::Hash => Some("Hash"),
            IndexMethod::Gin => Some("Gin"),
            IndexMethod::Gist => Some("Gist"),
            IndexMethod::SpGist => Some("SpGist"),
            IndexMethod::Brin => Some("Brin"),
        };
        if let Some(method) = method {
            let _ = write!(text, ", type: {method}");
        }
        if let Some(predicate) = &index.predicate {
            let _ = write!(text, ", where: raw({})", quoted(predicate));
        }
        let columns: Vec<&str> = index.columns().collect();
        let suffix = if index.unique { "_key" } else { "_idx" };
        let usual = clipped(&format!("{}_{}", table.name.name, columns.join("_")), suffix);
        text += &map(&index.name, if columns.len() == index.parts.len() { &usual } else { "" }, ", ", "");
        text + ")"
    }

    fn part(&self, table: &Table, part: &IndexPart) -> String {
        let mut arguments = Vec::new();
        if let Some(class) = &part.operator_class {
            arguments.push(format!("ops: raw({})", quoted(class)));
        }
        if part.sort == SortOrder::Desc {
            arguments.push("sort: Desc".to_owned());
        }
        let arguments = arguments.join(", ");
        match &part.target {
            IndexTarget::Column(column) => {
                let field = self.names.field_name(&table.name, column);
                if arguments.is_empty() { field } else { format!("{field}({arguments})") }
            }
            IndexTarget::Expression(sql) if arguments.is_empty() => format!("raw({})", quoted(sql)),
            IndexTarget::Expression(sql) => format!("raw({}, {arguments})", quoted(sql)),
        }
    }

    fn is_altered(&self, table: &Table, column: &Column) -> bool {
        self.changes.iter().any(|change| match change {
            Change::AlterColumn { table: name, previous, .. } => {
                same(name, &table.name) && previous.name == column.name
            }
            Change::DropColumn { table: name, column: other } => same(name, &table.name) && other.name == column.name,
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

    /// Whether its keys, indexes or checks are not those of the existing file.
    fn has_other_attributes(&self, table: &Table) -> bool {
        self.changes.iter().any(|change| match change {
            Change::AddObject { table: name, object }
            | Change::DropObject { table: name, object }
            | Change::RenameObject { table: name, object, .. }
            | Change::ReplaceObject { table: name, previous: object, .. } => {
                same(name, &table.name) && !matches!(object, TableObject::ForeignKey(_))
            }
            Change::AddColumn { table: name, .. } => same(name, &table.name),
            _ => false,
        })
    }
}

/// The comparison says the schema of the connection where the picture leaves it out.
fn same(a: &ObjectName, b: &ObjectName) -> bool {
    a.name == b.name && (a.schema == b.schema || a.schema.is_none() || b.schema.is_none())
}

fn map(name: &str, usual: &str, open: &str, close: &str) -> String {
    if name == usual { String::new() } else { format!("{open}map: {}{close}", quoted(name)) }
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

/// In the order of the old block, new lines behind the last column or relation.
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

/// The tables whose blocks have to be made anew.
fn touched(changes: &[Change]) -> BTreeSet<ObjectName> {
    let mut names = BTreeSet::new();
    let mut table = |name: &ObjectName| {
        names.insert(name.clone());
        names.insert(ObjectName::new(None, &name.name));
    };
    for change in changes {
        match change {
            Change::CreateTable(it) | Change::DropTable(it) => {
                table(&it.name);
                it.foreign_keys.iter().for_each(|key| table(&key.referenced_table));
            }
            Change::AddColumn { table: name, .. }
            | Change::AlterColumn { table: name, .. }
            | Change::DropColumn { table: name, .. } => table(name),
            Change::AddObject { table: name, object }
            | Change::DropObject { table: name, object }
            | Change::RenameObject { table: name, object, .. }
            | Change::ReplaceObject { table: name, previous: object, .. } => {
                table(name);
                if let TableObject::ForeignKey(key) = object {
                    table(&key.referenced_table);
                }
            }
            _ => {}
        }
    }
    names
}
