//! The text of a schema.

use std::fmt::Write as _;

use relata_codegen::sql::quote::{ident, literal};

use super::sketch::{Arity, COLLATIONS, Field, Index, Kind, Link, Method, Model, SCHEMAS, Sketch, quoted};

/// What an identity column says about its numbers.
pub(super) const IDENTITIES: [&str; 5] = [
    "",
    "(always: true)",
    "(start: 1000, increment: 10, cache: 20)",
    "(min: -5, max: 100000, start: 7, cycle: true)",
    "(always: true, increment: 5)",
];

/// Options of a unique field.
pub(super) const UNIQUES: [&str; 5] = [
    "",
    "(nullsNotDistinct: true)",
    "(deferrable: InitiallyDeferred)",
    "(deferrable: InitiallyImmediate)",
    "(with: \"fillfactor=70\")",
];

impl Sketch {
    /// The text of the schema.
    pub(super) fn text(&self) -> String {
        let mut body = String::new();
        for it in &self.enums {
            let _ = writeln!(body, "\nenum {} {{", it.name);
            for (_, name, label) in &it.labels {
                let _ = writeln!(body, "  {name} @map({})", quoted(label));
            }
            let (schema, renamed) = (self.schema(it.schema), renamed("\n  @@", it.renamed_from.as_deref()));
            let _ = writeln!(body, "\n  @@map({}){schema}{renamed}\n}}", quoted(&it.db));
        }
        for model in &self.models {
            self.push_model(&mut body, model);
        }
        for at in 0..self.views.len() {
            self.push_view(&mut body, at);
        }
        let mut text = "datasource db {\n  provider = \"postgresql\"\n".to_owned();
        if self.has_schemas {
            let _ = writeln!(text, "  schemas = [{}]", SCHEMAS.map(quoted).join(", "));
        }
        let needed = [("citext", "@db.Citext"), ("pg_trgm", "gin_trgm_ops"), ("btree_gist", "type: Gist")];
        let is_needed = |(name, word): &(&str, &str)| {
            body.contains(word) || (*name == "citext" && self.domains.iter().any(|it| it.kind == Kind::Citext))
        };
        let extensions: Vec<&str> = needed.into_iter().filter(is_needed).map(|(name, _)| name).collect();
        if !extensions.is_empty() {
            let _ = writeln!(text, "  extensions = [{}]", extensions.join(", "));
        }
        text + "}\n\ngenerator client {\n  provider = \"relata\"\n  comments = true\n}\n" + &body
    }

    /// `@@schema(..)`, if there are several.
    pub(super) fn schema(&self, schema: usize) -> String {
        if self.has_schemas { format!("\n  @@schema({})", quoted(SCHEMAS[schema])) } else { String::new() }
    }

    fn push_model(&self, text: &mut String, model: &Model) {
        let _ = writeln!(text, "\n{}model {} {{", comment("", model.comment), model.name);
        for field in &model.fields {
            self.push_field(text, model, field);
        }
        for link in &model.links {
            self.push_link(text, model, link);
        }
        for other in &self.models {
            for link in other.links.iter().filter(|link| link.target == model.id) {
                let _ = writeln!(text, "  back{} {}[] @relation(\"r{}\")", link.id, other.name, link.id);
            }
        }
        for (id, one, other) in &self.pairs {
            let sides = [("one", one, other), ("other", other, one)];
            for (side, _, target) in sides.into_iter().filter(|(_, owner, _)| **owner == model.id) {
                let Some(target) = self.model(*target) else { continue };
                let _ = writeln!(text, "  {side}{id} {}[] @relation(\"p{id}\")", target.name);
            }
        }
        if let Some(second) = model.second_key.and_then(|id| model.field(id)) {
            let _ = writeln!(text, "\n  @@id([id, {}]{})", second.name, with(", ", model.key_storage));
        }
        for index in &model.indexes {
            self.push_index(text, model, index);
        }
        for (id, field) in &model.checks {
            if let Some(field) = model.field(*field) {
                let _ = writeln!(text, "  @@check({}, map: \"check{id}\")", quoted(&self.condition(model, field)));
            }
        }
        self.push_called_checks(text, model);
        if let (Some(partition), Some(field)) = (model.partition, model.partition_field()) {
            let _ = writeln!(text, "  @@partitionBy({}, [{}])", partition.method, field.name);
        }
        if model.unlogged {
            text.push_str("  @@unlogged\n");
        }
        if let Some(factor) = model.storage {
            let _ = writeln!(text, "  @@with(\"fillfactor={factor}, autovacuum_enabled=false\")");
        }
        let (schema, renamed) = (self.schema(model.schema), renamed("\n  @@", model.renamed_from.as_deref()));
        let _ = writeln!(text, "  @@map({}){schema}{renamed}\n}}", quoted(&model.db));
    }

    fn push_link(&self, text: &mut String, model: &Model, link: &Link) {
        let (Some(target), Some(field)) = (self.model(link.target), model.field(link.field)) else { return };
        let keys = |model: &Model, ids: [Option<usize>; 2]| {
            let fields = ids.into_iter().flatten().filter_map(|id| model.field(id));
            fields.map(|field| field.name.clone()).collect::<Vec<_>>().join(", ")
        };
        let own = keys(model, [Some(link.field), link.second]);
        let theirs = keys(target, [Some(target.fields[0].id), link.second.and(target.second_key)]);
        let second = link.second.and_then(|id| model.field(id));
        let is_optional = [Some(field), second].into_iter().flatten().any(|field| field.arity == Arity::Optional);
        let mark = if is_optional { "?" } else { "" };
        let mut more = format!("onDelete: {}", link.on_delete);
        if let Some(action) = link.on_update {
            let _ = write!(more, ", onUpdate: {action}");
        }
        if let Some(moment) = link.deferrable {
            let _ = write!(more, ", deferrable: {moment}");
        }
        if link.match_full {
            more.push_str(", match: Full");
        }
        if let Some(second) = second.filter(|_| link.sets_second) {
            let _ = write!(more, ", setNull: [{}]", second.name);
        }
        let _ = writeln!(
            text,
            "  link{} {}{mark} @relation(\"r{}\", fields: [{own}], references: [{theirs}], {more})",
            link.id, target.name, link.id
        );
    }

    /// The type in the schema language.
    pub(super) fn type_words(&self, kind: Kind) -> String {
        match self.value_kind(kind) {
            Kind::Enum(id) => self.enums.iter().find(|it| it.id == id).map_or_else(String::new, |it| it.name.clone()),
            Kind::Composite(id) => format!("Unsupported({})", quoted(&self.composite_path(id))),
            other => other.words().0.to_owned(),
        }
    }

    fn push_field(&self, text: &mut String, model: &Model, field: &Field) {
        let (_, native, _) = self.value_kind(field.kind).words();
        let mark = match field.arity {
            Arity::Required => "",
            Arity::Optional => "?",
            Arity::List => "[]",
        };
        text.push_str(&comment("  ", field.comment));
        let _ = write!(text, "  {} {}{mark}", field.name, self.type_words(field.kind));
        let is_alone = model.partition.is_none_or(|it| !it.by_second);
        match (field.name == "id", model.second_key) {
            (true, None) => {
                let options = with("", model.key_storage);
                text.push_str(" @id");
                text.push_str(&if options.is_empty() { options } else { format!("({options})") });
            }
            (true, Some(_)) if is_alone => text.push_str(" @unique"),
            _ if field.unique => {
                let _ = write!(text, " @unique{}", UNIQUES[field.unique_options]);
            }
            _ => {}
        }
        self.push_value(text, model, field);
        if let Some(it) = field.domain.and_then(|id| self.domain(id)) {
            let schema =
                if self.has_schemas { format!(", schema: {}", quoted(SCHEMAS[it.schema])) } else { String::new() };
            let _ = write!(text, " @domain({}{schema})", quoted(&it.name()));
        }
        if let Some(at) = field.collation {
            let _ = write!(text, " @collate({})", quoted(COLLATIONS[at]));
        }
        let _ = writeln!(text, " {native} @map({}){}", quoted(&field.db), renamed(" @", field.renamed_from.as_deref()));
    }

    /// Where the value comes from if a row is created without one.
    fn push_value(&self, text: &mut String, model: &Model, field: &Field) {
        let kind = self.value_kind(field.kind);
        let named = self.enums.iter().find(|it| kind == Kind::Enum(it.id));
        if let Some(sql) = field.generated.and_then(|it| self.expression(model, it)) {
            let _ = write!(text, " @generated({})", quoted(&sql));
        } else if let Some(at) = field.identity {
            let _ = write!(text, " @identity{}", IDENTITIES[at]);
        } else if let Some(it) = field.counter.and_then(|id| self.counter(id)) {
            let call = format!("nextval({})", literal(&self.path(it.schema, &it.name())));
            let _ = write!(text, " @default(dbgenerated({}))", quoted(&call));
        } else if let Some(at) = field.default {
            let value = match named {
                Some(it) => it.labels[at.min(it.labels.len() - 1)].1.clone(),
                None => kind.words().2[at].to_owned(),
            };
            let value = if field.arity == Arity::List { format!("[{value}]") } else { value };
            let _ = write!(text, " @default({value})");
        }
    }

    /// The expression of a generated column.
    fn expression(&self, model: &Model, (source, version): (usize, usize)) -> Option<String> {
        let field = model.field(source)?;
        let column = ident(&field.db);
        if field.arity == Arity::List {
            return Some(column);
        }
        Some(match (self.value_kind(field.kind), version % 3) {
            (_, 0) => column,
            (Kind::SmallInt | Kind::Int | Kind::BigInt | Kind::Float, version) => format!("{column} + {version}"),
            (Kind::Decimal | Kind::Price, version) => format!("{column} * {version}"),
            (Kind::Text | Kind::Word | Kind::Citext, 1) => format!("lower({column})"),
            (Kind::Text | Kind::Citext, _) => format!("{column} || 'x'"),
            (Kind::Bool, _) => format!("NOT {column}"),
            (Kind::Time, version) => format!("{column} + '{version} day'::interval"),
            (Kind::Day, version) => format!("{column} + {version}"),
            (_, version) => format!("CASE WHEN {version} > 0 THEN {column} END"),
        })
    }

    fn push_index(&self, text: &mut String, model: &Model, index: &Index) {
        let excludes = index.unique && index.excludes;
        let part = [
            excludes.then(|| "with: \"=\"".to_owned()),
            (!excludes && index.descending).then(|| "sort: Desc".to_owned()),
            index.nulls.filter(|_| !excludes).map(|place| format!("nulls: {place}")),
            (index.method == Method::Paths).then(|| "ops: JsonbPathOps".to_owned()),
            (index.method == Method::Trigrams).then(|| "ops: raw(\"gin_trgm_ops\")".to_owned()),
        ];
        let part = part.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let fields: Vec<String> = index
            .fields
            .iter()
            .filter_map(|id| model.field(*id))
            .enumerate()
            .map(|(at, field)| match self.computed(field).filter(|_| at == 0 && index.is_computed) {
                Some(sql) if part.is_empty() => format!("raw({})", quoted(&sql)),
                Some(sql) => format!("raw({}, {part})", quoted(&sql)),
                None if part.is_empty() => field.name.clone(),
                None => format!("{}({part})", field.name),
            })
            .collect();
        let attribute = match (index.unique, excludes) {
            (_, true) => "exclude",
            (true, false) => "unique",
            (false, false) => "index",
        };
        let more = self.index_options(model, index);
        let _ = writeln!(text, "  @@{attribute}([{}]{more})", fields.join(", "));
    }

    fn index_options(&self, model: &Model, index: &Index) -> String {
        let mut more = match index.method {
            Method::BTree if index.unique && index.excludes => ", type: BTree".to_owned(),
            Method::BTree => String::new(),
            Method::Paths | Method::Trigrams => ", type: Gin".to_owned(),
            other => format!(", type: {other:?}"),
        };
        if let Some(field) = index.condition.and_then(|id| model.field(id)) {
            let _ = write!(more, ", where: raw({})", quoted(&self.condition(model, field)));
        }
        if let Some(field) = index.include.and_then(|id| model.field(id)) {
            let _ = write!(more, ", include: [{}]", field.name);
        }
        if index.nulls_not_distinct {
            more.push_str(", nullsNotDistinct: true");
        }
        if let Some(moment) = index.deferrable {
            let _ = write!(more, ", deferrable: {moment}");
        }
        more.push_str(&with(", ", index.storage));
        // Without names of their own, two alike would be one.
        let is_plain = !index.descending && !index.is_computed && index.method == Method::BTree;
        let is_usual = index.condition.is_none() && index.include.is_none() && index.nulls.is_none();
        if index.is_named || !is_plain || !is_usual {
            let _ = write!(more, ", map: \"index{}\"", index.id);
        }
        more
    }

    /// An expression over a field that differs where the values do.
    fn computed(&self, field: &Field) -> Option<String> {
        let column = ident(&field.db);
        match self.value_kind(field.kind) {
            Kind::SmallInt | Kind::Int | Kind::BigInt | Kind::Float | Kind::Decimal | Kind::Price => {
                Some(format!("{column} + 1"))
            }
            Kind::Text | Kind::Word | Kind::Citext => Some(format!("lower({column})")),
            _ => None,
        }
    }

    /// A condition about a field that all rows fulfil.
    fn condition(&self, model: &Model, field: &Field) -> String {
        let (column, key) = (ident(&field.db), ident(&model.fields[0].db));
        if field.arity == Arity::List {
            return format!("cardinality({column}) < 100");
        }
        match self.value_kind(field.kind) {
            Kind::Enum(id) => {
                let label = self.enums.iter().find(|it| it.id == id).map_or("", |it| &it.labels[0].2);
                format!("{column} <> {} OR {key} IS NOT NULL", literal(label))
            }
            Kind::Bool => format!("{column} OR {key} IS NOT NULL"),
            other => {
                fulfilled(other, &column, 0).unwrap_or_else(|| format!("{column} IS NOT NULL OR {key} IS NOT NULL"))
            }
        }
    }
}

/// A condition about a value that all values of the rows fulfil.
pub(super) fn fulfilled(kind: Kind, value: &str, version: usize) -> Option<String> {
    Some(match kind {
        Kind::SmallInt | Kind::Int | Kind::BigInt | Kind::Float | Kind::Decimal | Kind::Price => {
            format!("{value} > -{} AND {value} <> 77", 1000 + version)
        }
        Kind::Text | Kind::Word | Kind::Citext => format!("length({value}) < {} OR {value} LIKE 'x%'", 500 + version),
        Kind::Time | Kind::Zoned | Kind::Day => format!("{value} > '{}-01-01'", 1999 - version),
        _ => return None,
    })
}

/// `with: ".."` of an index.
fn with(prefix: &str, factor: Option<usize>) -> String {
    factor.map_or_else(String::new, |factor| format!("{prefix}with: \"fillfactor={factor}\""))
}

fn renamed(prefix: &str, from: Option<&str>) -> String {
    from.map_or_else(String::new, |from| format!("{prefix}renamedFrom({})", quoted(from)))
}

/// The comment of a number, above a line.
fn comment(indent: &str, number: Option<usize>) -> String {
    number
        .map_or_else(String::new, |number| format!("{indent}/// It's \"{number}\" \\ ü\n{indent}///\n{indent}/// $1\n"))
}
