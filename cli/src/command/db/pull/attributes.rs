//! Keys, indexes and checks of a table as attributes, either on fields or on separate lines.
//!
//! A line of an existing block keeps its text and its comments as long as the database has what it declares.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use relata_codegen::ir::names::snake_ident;
use relata_codegen::ir::{Engine, IndexMethod, IndexTarget as OldTarget, ModelWalker, NativeType, SortOrder};
use relata_codegen::sql::names::clipped;
use relata_codegen::sql::{
    Change, DataType, Distribution, Exclusion, Index, IndexPart, IndexTarget, PrimaryKey, Table, TableObject,
    TableOptions, UniqueConstraint, same_sql,
};

use super::blocks::{Block, Line, with_comments};
use super::names::{Names, Taken};
use super::render::{quoted, same};

/// The keys of a model, and where each is written.
#[derive(Default)]
pub(super) struct Attributes {
    /// ` @id` and ` @unique(..)` for the columns of these names.
    pub(super) on_fields: BTreeMap<String, String>,
    /// Columns whose line in the existing block declares a different key than the database has.
    pub(super) altered: BTreeSet<String>,
    /// `@@id`, `@@unique`, `@@index`, `@@exclude`, `@@check`, and the other attributes of the existing block.
    pub(super) lines: Vec<Line>,
}

/// Objects of a table that are written in one place.
type Objects = Vec<TableObject>;

/// Returns the attributes of a new model.
pub(super) fn fresh(names: &Names<'_>, table: &Table, fields: &[String]) -> Attributes {
    let mut writer = Writer::new(names, table, fields);
    let mut attributes = Attributes::default();
    writer.add(&mut attributes, objects(table), &mut BTreeSet::new());
    attributes.lines.extend(storage_lines(names, table));
    attributes.lines.extend(audit_line(names, table));
    if table.distribution.is_placed() && is_for_citus(names) {
        attributes.lines.push(distribution_line(names, table));
    }
    attributes
}

/// Returns `@@partitionBy(..)`, `@@with(..)` and `@@unlogged`.
fn storage_lines(names: &Names<'_>, table: &Table) -> impl Iterator<Item = Line> {
    let TableOptions { storage, unlogged, .. } = &table.options;
    let with = (!storage.is_empty()).then(|| format!("  @@with({})", quoted(&storage.join(", "))));
    let unlogged = unlogged.then(|| "  @@unlogged".to_owned());
    let partitions = table.options.partition_key().map(|key| {
        let fields: Vec<_> = key.columns.iter().map(|column| names.field_name(&table.name, column)).collect();
        format!("  @@partitionBy({}, [{}])", key.method.name(), fields.join(", "))
    });
    [partitions, with, unlogged].into_iter().flatten().map(|text| Line::new("", text))
}

/// Returns `@@audited`.
fn audit_line(names: &Names<'_>, table: &Table) -> Option<Line> {
    let audit = table.audit.as_ref()?;
    let fields: Vec<_> = audit.except.iter().map(|column| names.field_name(&table.name, column)).collect();
    let except = if fields.is_empty() { String::new() } else { format!("(except: [{}])", fields.join(", ")) };
    Some(Line::new("", format!("  @@audited{except}")))
}

/// Returns whether the schema may name distributions: a new one, or an existing one that is for Citus.
fn is_for_citus(names: &Names<'_>) -> bool {
    names.old.is_none_or(|old| old.engine == Engine::Citus)
}

/// Returns `@@distributed(by: ..)`, `@@reference` or `@@local`.
fn distribution_line(names: &Names<'_>, table: &Table) -> Line {
    let text = match &table.distribution {
        Distribution::Local => "@@local".to_owned(),
        Distribution::Reference => "@@reference".to_owned(),
        Distribution::By { column, .. } => format!("@@distributed(by: {})", names.field_name(&table.name, column)),
    };
    Line::new("", format!("  {text}"))
}

/// Returns whether a line says where the rows of the model are.
fn is_distribution(line: &Line) -> bool {
    ["@@distributed", "@@reference", "@@local"].iter().any(|word| line.text.trim_start().starts_with(word))
}

/// Returns whether the existing file says that the rows are elsewhere than in the database.
fn is_elsewhere(changes: &[Change], table: &Table) -> bool {
    changes.iter().any(|change| match change {
        Change::Distribute { table: other, next, .. } if same(other, &table.name) => {
            match (next, &table.distribution) {
                (Distribution::By { column, .. }, Distribution::By { column: live, .. }) => column != live,
                (next, live) => next != live,
            }
        }
        _ => false,
    })
}

/// Returns the attributes of a model that the existing file declares in `block`, without those of its mixins.
pub(super) fn kept(
    names: &Names<'_>,
    table: &Table,
    fields: &[String],
    block: &Block,
    changes: &[Change],
) -> Attributes {
    let mut writer = Writer::new(names, table, fields);
    let mut attributes = Attributes::default();
    let Some(model) = names.model(&table.name) else { return attributes };
    let places = places(model, block);
    let mut left = objects(table);
    let mut with_unique = BTreeSet::new();
    let mut lines: Vec<Option<Line>> = block.lines.iter().map(|line| Some(line.clone())).collect();
    for (place, kind, name) in places {
        let object = match fate(changes, table, kind, &name) {
            Fate::Kept(live) => {
                left.retain(|object| !is_called(object, kind, &live));
                if let Place::Field(column) = &place {
                    if kind == "unique" {
                        with_unique.insert(column.clone());
                    }
                    let text = writer.kept_on_field(table, kind, &live);
                    *attributes.on_fields.entry(column.clone()).or_default() += &text;
                }
                continue;
            }
            Fate::Removed => None,
            Fate::Other(object) => {
                let at = left.iter().position(|other| is_called(other, kind, object.name()));
                at.map(|at| left.remove(at))
            }
        };
        match (place, object) {
            (Place::Field(column), object) => {
                attributes.altered.insert(column);
                left.extend(object);
            }
            (Place::Line(at), Some(object)) => {
                let name = client_name(model, &name);
                let text = writer.line(&object, name);
                lines[at] = Some(with_comments(Line::new("", format!("  {text}")), Some(&&block.lines[at])));
            }
            (Place::Line(at), None) => lines[at] = None,
        }
    }
    // New lines come after the last key or index, and before `@@map`.
    let mut own = 0;
    for line in lines.into_iter().flatten().filter(|line| line.key.is_empty()) {
        attributes.lines.push(line);
        if attributes.lines.last().and_then(object_word).is_some() {
            own = attributes.lines.len();
        }
    }
    let mut behind = attributes.lines.split_off(own);
    writer.add(&mut attributes, left, &mut with_unique);
    if changes.iter().any(|change| matches!(change, Change::AlterTable { table: it, .. } if same(it, &table.name))) {
        let is_storage = |line: &Line| {
            ["@@partitionBy", "@@with", "@@unlogged"].iter().any(|word| line.text.trim_start().starts_with(word))
        };
        behind.retain(|line| !is_storage(line));
        attributes.lines.retain(|line| !is_storage(line));
        behind.extend(storage_lines(names, table));
    }
    if changes.iter().any(|change| matches!(change, Change::SetAudit { table: it, .. } if same(it, &table.name))) {
        let is_audit = |line: &Line| line.text.trim_start().starts_with("@@audited");
        behind.retain(|line| !is_audit(line));
        attributes.lines.retain(|line| !is_audit(line));
        behind.extend(audit_line(names, table));
    }
    if is_elsewhere(changes, table) {
        behind.retain(|line| !is_distribution(line));
        attributes.lines.retain(|line| !is_distribution(line));
        behind.push(distribution_line(names, table));
    }
    attributes.lines.extend(behind);
    attributes
}

/// What happened to an object of the existing file.
enum Fate {
    /// The database has it, under this name.
    Kept(String),
    /// Its name belongs to another object now, or it has another name.
    Other(TableObject),
    Removed,
}

/// `changes` are the changes from the database to the file.
fn fate(changes: &[Change], table: &Table, kind: &str, name: &str) -> Fate {
    for change in changes {
        match change {
            Change::AddObject { table: other, object } if same(other, &table.name) && is_called(object, kind, name) => {
                return Fate::Removed;
            }
            Change::RenameObject { table: other, object, to }
                if same(other, &table.name) && to == name && word(object) == kind =>
            {
                return Fate::Other(object.clone());
            }
            Change::ReplaceObject { table: other, previous, next }
                if same(other, &table.name) && is_called(next, kind, name) =>
            {
                let is_same = previous.name() == next.name() && says_the_same(previous, next);
                return if is_same { Fate::Kept(name.to_owned()) } else { Fate::Other(previous.clone()) };
            }
            _ => {}
        }
    }
    Fate::Kept(name.to_owned())
}

/// Returns whether it is replaced only because an object that it depends on changes.
fn says_the_same(a: &TableObject, b: &TableObject) -> bool {
    match (a, b) {
        (TableObject::Check(a), TableObject::Check(b)) => same_sql(&a.expression, &b.expression),
        (TableObject::Index(a), TableObject::Index(b)) => {
            let same_target = |a: &IndexPart, b: &IndexPart| match (&a.target, &b.target) {
                (IndexTarget::Expression(a), IndexTarget::Expression(b)) => same_sql(a, b),
                (a, b) => a == b,
            };
            let same_place = |a: &IndexPart, b: &IndexPart| a.sort == b.sort && a.nulls_first == b.nulls_first;
            a.unique == b.unique
                && a.method == b.method
                && a.include == b.include
                && a.nulls_not_distinct == b.nulls_not_distinct
                && a.storage == b.storage
                && a.parts.len() == b.parts.len()
                && a.parts.iter().zip(&b.parts).all(|(a, b)| same_target(a, b) && same_place(a, b))
                && match (&a.predicate, &b.predicate) {
                    (Some(a), Some(b)) => same_sql(a, b),
                    (a, b) => a == b,
                }
        }
        (TableObject::Exclusion(a), TableObject::Exclusion(b)) => {
            let (left, right) = (TableObject::Index(a.index.clone()), TableObject::Index(b.index.clone()));
            a.operators == b.operators && a.deferrable == b.deferrable && says_the_same(&left, &right)
        }
        (a, b) => a == b,
    }
}

fn word(object: &TableObject) -> &'static str {
    match object {
        TableObject::PrimaryKey(_) => "id",
        TableObject::Unique(_) => "unique",
        TableObject::Index(index) if index.unique => "unique",
        TableObject::Index(_) => "index",
        TableObject::Check(_) => "check",
        TableObject::Exclusion(_) => "exclude",
        TableObject::ForeignKey(_) => "relation",
    }
}

fn is_called(object: &TableObject, kind: &str, name: &str) -> bool {
    word(object) == kind && object.name() == name
}

/// Where the existing file declares an object.
enum Place {
    /// On the field of this column.
    Field(String),
    /// On this line of the block.
    Line(usize),
}

/// Returns all keys, indexes and checks that the existing model declares, with their kinds and their names in the
/// database.
fn places(model: ModelWalker<'_>, block: &Block) -> Vec<(Place, &'static str, String)> {
    let lines_of = |kind: &str| -> Vec<usize> {
        let is_it = |at: &usize| object_word(&block.lines[*at]) == Some(kind);
        (0..block.lines.len()).filter(is_it).collect()
    };
    let mut places = Vec::new();
    if let Some(key) = &model.model().primary_key {
        let column = model.primary_key_columns().next().map(|column| column.db_name().to_owned());
        let place =
            lines_of("id").first().map_or_else(|| Place::Field(column.unwrap_or_default()), |at| Place::Line(*at));
        places.push((place, "id", key.constraint_name.clone()));
    }
    // Those on fields come first.
    let (uniques, indexes): (Vec<_>, Vec<_>) = model.model().indexes.iter().partition(|index| index.unique);
    let lines = lines_of("unique");
    let on_fields = uniques.len().saturating_sub(lines.len());
    for (at, unique) in uniques.into_iter().enumerate() {
        let column = || {
            let field = unique.fields.first().filter(|field| matches!(field.target, OldTarget::Field(_)));
            field.and_then(|field| model.index_column(field)).map(|it| it.db_name().to_owned()).unwrap_or_default()
        };
        let place = match at.checked_sub(on_fields).and_then(|at| lines.get(at)) {
            Some(line) => Place::Line(*line),
            None => Place::Field(column()),
        };
        places.push((place, "unique", unique.constraint_name.clone()));
    }
    for (line, index) in lines_of("index").into_iter().zip(indexes) {
        places.push((Place::Line(line), "index", index.constraint_name.clone()));
    }
    for (line, exclusion) in lines_of("exclude").into_iter().zip(&model.model().exclusions) {
        places.push((Place::Line(line), "exclude", exclusion.index.constraint_name.clone()));
    }
    for (line, check) in lines_of("check").into_iter().zip(&model.model().checks) {
        places.push((Place::Line(line), "check", check.constraint_name.clone()));
    }
    places
}

/// Returns `id` for a line that begins with `@@id`; `None` for lines about the model itself.
fn object_word(line: &Line) -> Option<&'static str> {
    let name = line.text.trim_start().strip_prefix("@@")?;
    let name = name.split(|letter: char| !letter.is_alphanumeric()).next()?;
    ["id", "unique", "index", "exclude", "check"].into_iter().find(|word| *word == name)
}

/// Returns the `name:` in the existing file.
fn client_name(model: ModelWalker<'_>, constraint: &str) -> Option<String> {
    let model = model.model();
    let of_key = model.primary_key.iter().filter(|key| key.constraint_name == constraint);
    let of_index = model.indexes.iter().filter(|index| index.constraint_name == constraint);
    of_key.filter_map(|key| key.name.clone()).chain(of_index.filter_map(|index| index.name.clone())).next()
}

fn objects(table: &Table) -> Objects {
    let key = table.primary_key.iter().cloned().map(TableObject::PrimaryKey);
    let uniques = table.uniques.iter().cloned().map(TableObject::Unique);
    let indexes = table.indexes.iter().cloned().map(TableObject::Index);
    let checks = table.checks.iter().cloned().map(TableObject::Check);
    let exclusions = table.exclusions.iter().cloned().map(TableObject::Exclusion);
    key.chain(uniques).chain(indexes).chain(exclusions).chain(checks).collect()
}

struct Writer<'a> {
    names: &'a Names<'a>,
    table: &'a Table,
    /// The client's names of fields and of keys with several fields.
    taken: Taken,
}

impl<'a> Writer<'a> {
    fn new(names: &'a Names<'a>, table: &'a Table, fields: &[String]) -> Self {
        let mut taken = Taken::new(snake_ident);
        fields.iter().for_each(|field| taken.insert(field));
        Self { names, table, taken }
    }

    /// Writes objects where they belong: a key with one column on its field.
    fn add(&mut self, attributes: &mut Attributes, objects: Objects, with_unique: &mut BTreeSet<String>) {
        let usual = |object: &TableObject| {
            single_unique(object)
                .is_some_and(|column| object.name() == clipped(&format!("{}_{column}", self.table.name.name), "_key"))
        };
        // A field has only one `@unique`: the one with the default name.
        let (first, rest): (Objects, Objects) = objects.into_iter().partition(usual);
        for object in first.iter().chain(&rest) {
            let column = match object {
                TableObject::PrimaryKey(key) => Some(&key.columns).filter(|it| it.len() == 1).map(|it| it[0].clone()),
                _ => single_unique(object).filter(|column| !with_unique.contains(column)),
            };
            match column {
                Some(column) => {
                    if word(object) == "unique" {
                        with_unique.insert(column.clone());
                    }
                    *attributes.on_fields.entry(column.clone()).or_default() += &self.on_field(object);
                    attributes.altered.insert(column);
                }
                None => {
                    let text = self.line(object, None);
                    attributes.lines.push(Line::new("", format!("  {text}")));
                }
            }
        }
    }

    fn kept_on_field(&self, table: &Table, kind: &str, name: &str) -> String {
        let object = objects(table).into_iter().find(|object| is_called(object, kind, name));
        object.map(|object| self.on_field(&object)).unwrap_or_default()
    }

    /// Returns ` @id` or ` @unique(..)`, with their arguments.
    fn on_field(&self, object: &TableObject) -> String {
        let table = &self.table.name.name;
        match object {
            TableObject::PrimaryKey(key) => {
                let map = map(&key.name, &clipped(table, "_pkey"), "", "");
                let arguments: Vec<String> = Some(map).filter(|map| !map.is_empty()).into_iter().collect();
                with_arguments(" @id", arguments.into_iter().chain(self.options(object)))
            }
            object => {
                let column = single_unique(object).unwrap_or_default();
                let sort = match object {
                    TableObject::Index(index) if index.parts.iter().any(|part| part.sort == SortOrder::Desc) => {
                        Some("sort: Desc".to_owned())
                    }
                    _ => None,
                };
                let usual = clipped(&format!("{table}_{column}"), "_key");
                let map = Some(map(object.name(), &usual, "", "")).filter(|map| !map.is_empty());
                with_arguments(" @unique", [map, sort].into_iter().flatten().chain(self.options(object)))
            }
        }
    }

    /// Returns `@@id`, `@@unique`, `@@index` or `@@check`. `known` is the key's name in the client.
    fn line(&mut self, object: &TableObject, known: Option<String>) -> String {
        match object {
            TableObject::PrimaryKey(key) => {
                let map = map(&key.name, &clipped(&self.table.name.name, "_pkey"), ", ", "");
                let name = self.name(&key.columns, known);
                let options = self.listed_options(object);
                format!("@@id([{}]{name}{options}{map})", self.fields(&key.columns))
            }
            TableObject::Unique(unique) => {
                let plain = format!("{}_{}", self.table.name.name, unique.columns.join("_"));
                let map = map(&unique.name, &clipped(&plain, "_key"), ", ", "");
                let name = self.name(&unique.columns, known);
                let options = self.listed_options(object);
                format!("@@unique([{}]{name}{options}{map})", self.fields(&unique.columns))
            }
            TableObject::Index(index) => {
                let options = self.listed_options(object);
                self.index(index, &options, known)
            }
            TableObject::Exclusion(exclusion) => self.exclusion(exclusion, &self.listed_options(object)),
            TableObject::Check(check) => {
                format!("@@check({}, map: {})", quoted(&check.expression), quoted(&check.name))
            }
            TableObject::ForeignKey(_) => String::new(),
        }
    }

    fn fields(&self, columns: &[String]) -> String {
        let names = columns.iter().map(|column| self.names.field_name(&self.table.name, column));
        names.collect::<Vec<_>>().join(", ")
    }

    /// Returns `name: ".."` if a key of several columns would get the name of something else in the client.
    fn name(&mut self, columns: &[String], known: Option<String>) -> String {
        if columns.len() < 2 && known.is_none() {
            return String::new();
        }
        let names = columns.iter().map(|column| self.names.field_name(&self.table.name, column));
        let plain = names.collect::<Vec<_>>().join("_");
        match known {
            Some(known) => {
                self.taken.insert(&known);
                format!(", name: {}", quoted(&known))
            }
            None if self.taken.is_free(&plain) => {
                self.taken.insert(&plain);
                String::new()
            }
            None => {
                let letters = plain.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' });
                let chosen = self.taken.take(&format!("{}_key", letters.collect::<String>()));
                format!(", name: {}", quoted(&chosen))
            }
        }
    }

    /// Returns `, include: [a], with: ".."`.
    fn listed_options(&self, object: &TableObject) -> String {
        self.options(object).iter().map(|option| format!(", {option}")).collect()
    }

    /// Returns the arguments for properties that Prisma's language does not have.
    fn options(&self, object: &TableObject) -> Vec<String> {
        let (include, storage, nulls_not_distinct, deferrable) = match object {
            TableObject::Index(index) => (&index.include, &index.storage, index.nulls_not_distinct, None),
            TableObject::PrimaryKey(PrimaryKey { options, .. }) => (&options.include, &options.storage, false, None),
            TableObject::Unique(UniqueConstraint { options, .. }) => {
                (&options.include, &options.storage, options.nulls_not_distinct, options.deferrable)
            }
            TableObject::Exclusion(Exclusion { index, deferrable, .. }) => {
                (&index.include, &index.storage, false, *deferrable)
            }
            TableObject::ForeignKey(_) | TableObject::Check(_) => return Vec::new(),
        };
        let include = (!include.is_empty()).then(|| format!("include: [{}]", self.fields(include)));
        let nulls = nulls_not_distinct.then(|| "nullsNotDistinct: true".to_owned());
        let deferrable = deferrable.map(|deferrable| format!("deferrable: {deferrable:?}"));
        let storage = (!storage.is_empty()).then(|| format!("with: {}", quoted(&storage.join(", "))));
        [include, nulls, deferrable, storage].into_iter().flatten().collect()
    }

    fn index(&mut self, index: &Index, options: &str, known: Option<String>) -> String {
        let parts: Vec<String> = index.parts.iter().map(|part| self.part(index.method, part)).collect();
        let mut text = format!("@@{}([{}]", if index.unique { "unique" } else { "index" }, parts.join(", "));
        if index.unique && index.is_plain() {
            let columns: Vec<String> = index.columns().map(str::to_owned).collect();
            text += &self.name(&columns, known);
        }
        let method = match index.method {
            IndexMethod::BTree => None,
            IndexMethod::Hash => Some("Hash"),
            IndexMethod::Gin => Some("Gin"),
            IndexMethod::Gist => Some("Gist"),
            IndexMethod::SpGist => Some("SpGist"),
            IndexMethod::Brin => Some("Brin"),
            IndexMethod::Hnsw => Some("Hnsw"),
            IndexMethod::IvfFlat => Some("IvfFlat"),
        };
        if let Some(method) = method {
            let _ = write!(text, ", type: {method}");
        }
        if let Some(predicate) = &index.predicate {
            let _ = write!(text, ", where: raw({})", quoted(predicate));
        }
        text += options;
        let columns: Vec<&str> = index.columns().collect();
        let suffix = if index.unique { "_key" } else { "_idx" };
        let usual = clipped(&format!("{}_{}", self.table.name.name, columns.join("_")), suffix);
        text += &map(&index.name, if columns.len() == index.parts.len() { &usual } else { "" }, ", ", "");
        text + ")"
    }

    fn exclusion(&self, exclusion: &Exclusion, options: &str) -> String {
        let index = &exclusion.index;
        let parts = index.parts.iter().zip(&exclusion.operators);
        let parts: Vec<String> = parts.map(|(part, operator)| self.excluding_part(part, operator)).collect();
        let mut text = format!("@@exclude([{}]", parts.join(", "));
        if index.method != IndexMethod::Gist {
            let _ = write!(text, ", type: {:?}", index.method);
        }
        if let Some(predicate) = &index.predicate {
            let _ = write!(text, ", where: raw({})", quoted(predicate));
        }
        let columns: Vec<&str> = index.columns().collect();
        let usual = clipped(&format!("{}_{}", self.table.name.name, columns.join("_")), "_excl");
        let usual = if columns.len() == index.parts.len() { usual.as_str() } else { "" };
        text + options + &map(&index.name, usual, ", ", "") + ")"
    }

    /// Returns `during(with: "&&")`.
    fn excluding_part(&self, part: &IndexPart, operator: &str) -> String {
        let class = part.operator_class.as_ref().map(|class| format!("ops: raw({}), ", quoted(class)));
        let arguments = format!("{}with: {}", class.unwrap_or_default(), quoted(operator));
        match &part.target {
            IndexTarget::Column(column) => {
                format!("{}({arguments})", self.names.field_name(&self.table.name, column))
            }
            IndexTarget::Expression(sql) => format!("raw({}, {arguments})", quoted(sql)),
        }
    }

    fn part(&self, method: IndexMethod, part: &IndexPart) -> String {
        let mut arguments = Vec::new();
        if let Some(class) = part.operator_class.as_ref().or_else(|| self.default_class(method, part)) {
            arguments.push(format!("ops: raw({})", quoted(class)));
        }
        if part.sort == SortOrder::Desc {
            arguments.push("sort: Desc".to_owned());
        }
        if part.has_unusual_nulls() && method == IndexMethod::BTree {
            arguments.push(format!("nulls: {}", if part.nulls_first { "First" } else { "Last" }));
        }
        let arguments = arguments.join(", ");
        match &part.target {
            IndexTarget::Column(column) => {
                let field = self.names.field_name(&self.table.name, column);
                if arguments.is_empty() { field } else { format!("{field}({arguments})") }
            }
            IndexTarget::Expression(sql) if arguments.is_empty() => format!("raw({})", quoted(sql)),
            IndexTarget::Expression(sql) => format!("raw({}, {arguments})", quoted(sql)),
        }
    }

    /// Returns the default operator class if the language knows none for the method and type, because they belong to an
    /// extension.
    fn default_class<'p>(&self, method: IndexMethod, part: &'p IndexPart) -> Option<&'p String> {
        let IndexTarget::Column(name) = &part.target else { return None };
        let column = self.table.column(name)?;
        let takes = match &column.ty {
            DataType::Native(native) => method.takes(*native, column.array),
            // These methods do not support enums, just as they do not support money.
            DataType::Enum(_) => method.takes(NativeType::Money, column.array),
            DataType::Other(_) => true,
        };
        part.default_class.as_ref().filter(|_| !takes)
    }
}

/// Returns the column of a unique key that can be written on its field.
fn single_unique(object: &TableObject) -> Option<String> {
    match object {
        TableObject::Unique(unique) if unique.columns.len() == 1 => Some(unique.columns[0].clone()),
        TableObject::Index(index)
            if index.unique
                && index.is_plain()
                && index.parts.len() == 1
                && !index.parts.iter().any(IndexPart::has_unusual_nulls) =>
        {
            index.columns().next().map(str::to_owned)
        }
        _ => None,
    }
}

fn with_arguments(attribute: &str, arguments: impl Iterator<Item = String>) -> String {
    let arguments: Vec<String> = arguments.collect();
    if arguments.is_empty() { attribute.to_owned() } else { format!("{attribute}({})", arguments.join(", ")) }
}

fn map(name: &str, usual: &str, open: &str, close: &str) -> String {
    if name == usual { String::new() } else { format!("{open}map: {}{close}", quoted(name)) }
}
