//! The names in the schema: the name of the existing file if there is one, otherwise the name in the database if the
//! language accepts it, otherwise a similar name.
//!
//! All names are chosen before anything is written, so that no two collide, neither in the schema nor in Rust.

use std::collections::{BTreeMap, BTreeSet};

use relata_codegen::compile;
use relata_codegen::diagnostics::Sources;
use relata_codegen::ir::names::{camel_ident, is_reserved, module_name, snake_ident};
use relata_codegen::ir::{ColumnWalker, EnumWalker, ModelWalker, Schema};
use relata_codegen::sql::{EnumType, ObjectName, State, Table};

use super::words::{camel, pascal, singular, snake};
use crate::args::Naming;

impl Naming {
    fn model(self, table: &str) -> String {
        let plain = identifier(table);
        if self == Naming::Keep { plain } else { pascal(&singular(&snake(&plain))) }
    }

    fn enumeration(self, ty: &str) -> String {
        let plain = identifier(ty);
        if self == Naming::Keep { plain } else { pascal(&plain) }
    }

    /// Returns the name of a field for that column, or for these words.
    pub(super) fn field(self, name: &str) -> String {
        let plain = identifier(name);
        match self {
            Naming::Keep => plain,
            Naming::Prisma => camel(&plain),
            Naming::Rust => snake(&plain),
        }
    }
}

/// The names of all models, enums, fields and values.
pub(super) struct Names<'a> {
    pub(super) naming: Naming,
    pub(super) old: Option<&'a Schema>,
    models: BTreeMap<ObjectName, String>,
    enums: BTreeMap<ObjectName, String>,
    fields: BTreeMap<(ObjectName, String), String>,
    labels: BTreeMap<(ObjectName, String), String>,
}

impl<'a> Names<'a> {
    /// Chooses the names of everything in `state`. `taken` are names of the existing file that belong to nothing in the
    /// database: mixins.
    pub(super) fn new(state: &State, old: Option<&'a Schema>, taken: &[String], naming: Naming) -> Self {
        let mut names = Self {
            naming,
            old,
            models: BTreeMap::new(),
            enums: BTreeMap::new(),
            fields: BTreeMap::new(),
            labels: BTreeMap::new(),
        };
        names.choose_types(state, taken);
        for table in &state.tables {
            names.choose_fields(table);
        }
        for ty in &state.enums {
            names.choose_labels(ty);
        }
        names
    }

    pub(super) fn is_table(&self, model: ModelWalker<'_>, table: &ObjectName) -> bool {
        let model = model.model();
        model.db_name == table.name && (table.schema.is_none() || model.namespace == table.schema)
    }

    pub(super) fn model(&self, table: &ObjectName) -> Option<ModelWalker<'a>> {
        self.old?.walk_models().find(|model| !model.model().is_view && self.is_table(*model, table))
    }

    pub(super) fn enumeration(&self, name: &ObjectName) -> Option<EnumWalker<'a>> {
        let is_it = |it: &EnumWalker<'_>| {
            let it = it.enumeration();
            it.db_name == name.name && (name.schema.is_none() || it.namespace == name.schema)
        };
        self.old?.walk_enums().find(is_it)
    }

    pub(super) fn column(&self, table: &ObjectName, column: &str) -> Option<ColumnWalker<'a>> {
        self.model(table)?.columns().find(|it| it.db_name() == column)
    }

    pub(super) fn model_name(&self, table: &ObjectName) -> String {
        self.models.get(table).cloned().unwrap_or_else(|| identifier(&table.name))
    }

    /// Returns `None` for a type that the schema does not declare.
    /// Returns whether a model or an enum has the name.
    pub(super) fn declares(&self, name: &str) -> bool {
        self.models.values().chain(self.enums.values()).any(|known| known == name)
    }

    pub(super) fn enum_name(&self, name: &ObjectName) -> Option<&str> {
        self.enums.get(name).map(String::as_str)
    }

    pub(super) fn field_name(&self, table: &ObjectName, column: &str) -> String {
        self.fields.get(&(table.clone(), column.to_owned())).cloned().unwrap_or_else(|| identifier(column))
    }

    pub(super) fn label_name(&self, name: &ObjectName, label: &str) -> Option<String> {
        self.labels.get(&(name.clone(), label.to_owned())).cloned()
    }

    /// Models and enums share a namespace. Models are also modules of the client.
    fn choose_types(&mut self, state: &State, taken: &[String]) {
        let mut types = Taken::new(camel_ident);
        let mut modules = Taken::new(module_name);
        for name in taken {
            types.insert(name);
        }
        for model in self.old.into_iter().flat_map(Schema::walk_models) {
            types.insert_old(model.name(), &model.model().rust_ident);
            modules.insert_old(model.name(), &model.model().module);
        }
        for ty in self.old.into_iter().flat_map(Schema::walk_enums) {
            types.insert_old(ty.name(), &ty.enumeration().rust_ident);
            modules.insert_old(ty.name(), &ty.enumeration().module);
        }
        let mut wanted: Vec<(&ObjectName, bool, String)> = Vec::new();
        for table in &state.tables {
            match self.model(&table.name) {
                Some(model) => drop(self.models.insert(table.name.clone(), model.name().to_owned())),
                None => wanted.push((&table.name, true, self.naming.model(&table.name.name))),
            }
        }
        for ty in &state.enums {
            match self.enumeration(&ty.name) {
                Some(found) => drop(self.enums.insert(ty.name.clone(), found.name().to_owned())),
                None => wanted.push((&ty.name, false, self.naming.enumeration(&ty.name.name))),
            }
        }
        let counts = count(wanted.iter().map(|(.., plain)| plain.as_str()));
        // A name that stays as it is in the database takes precedence over one that is converted.
        wanted.sort_by_key(|(name, _, plain)| name.name != *plain || is_reserved(plain));
        for (name, is_model, plain) in wanted {
            let is_shared = counts.get(plain.as_str()).is_some_and(|count| *count > 1);
            let with_schema = name.schema.as_ref().map(|schema| {
                let joined = format!("{schema}_{}", name.name);
                if is_model { self.naming.model(&joined) } else { self.naming.enumeration(&joined) }
            });
            let first = if is_shared { with_schema.clone().unwrap_or(plain.clone()) } else { plain.clone() };
            let word = if is_model { "Model" } else { "Enum" };
            let capital = pascal_first(&plain);
            let others = [Some(plain.clone()), with_schema].into_iter().flatten();
            let reserved = is_reserved(&first).then(|| [capital.clone(), format!("{capital}{word}")]);
            let candidates = std::iter::once(first).chain(reserved.into_iter().flatten()).chain(others);
            let chosen = choose(candidates, &plain, |name| {
                !is_reserved(name) && types.is_free(name) && (!is_model || modules.is_free(name))
            });
            types.insert(&chosen);
            if is_model {
                modules.insert(&chosen);
                self.models.insert(name.clone(), chosen);
            } else {
                self.enums.insert(name.clone(), chosen);
            }
        }
    }

    fn choose_fields(&mut self, table: &Table) {
        let mut taken = Taken::new(snake_ident);
        if let Some(model) = self.model(&table.name) {
            model.fields().for_each(|field| taken.insert_old(field.name(), &field.field().rust_ident));
        }
        let known = |column: &str| self.column(&table.name, column).map(|it| it.name().to_owned());
        let plain = |column: &str| self.naming.field(column);
        let names = table.columns.iter().map(|column| column.name.as_str());
        let chosen = choose_all(names, &mut taken, known, plain);
        self.fields.extend(chosen.into_iter().map(|(column, name)| ((table.name.clone(), column), name)));
    }

    fn choose_labels(&mut self, ty: &EnumType) {
        let mut taken = Taken::new(camel_ident);
        let old = self.enumeration(&ty.name).map(|it| it.enumeration());
        let values = || old.into_iter().flat_map(|old| &old.values);
        values().for_each(|value| taken.insert_old(&value.name, &value.rust_ident));
        let known = |label: &str| values().find(|value| value.db_name == label).map(|value| value.name.clone());
        let names = ty.labels.iter().map(String::as_str);
        let chosen = choose_all(names, &mut taken, known, identifier);
        self.labels.extend(chosen.into_iter().map(|(label, name)| ((ty.name.clone(), label), name)));
    }
}

/// Names that are in use, compared by their Rust identifiers too.
pub(super) struct Taken {
    convert: fn(&str) -> String,
    idents: BTreeSet<String>,
}

impl Taken {
    pub(super) fn new(convert: fn(&str) -> String) -> Self {
        Self { convert, idents: BTreeSet::new() }
    }

    pub(super) fn insert(&mut self, name: &str) {
        self.idents.insert((self.convert)(name));
    }

    /// Takes a name of the existing schema, which may have chosen another one in Rust.
    fn insert_old(&mut self, name: &str, ident: &str) {
        self.insert(name);
        self.idents.insert(ident.to_owned());
    }

    pub(super) fn is_free(&self, name: &str) -> bool {
        !self.idents.contains(&(self.convert)(name))
    }

    /// Returns the name, with a number appended if it is taken, and takes it.
    pub(super) fn take(&mut self, plain: &str) -> String {
        let chosen = choose([plain.to_owned()], plain, |name| self.is_free(name));
        self.insert(&chosen);
        chosen
    }
}

/// Chooses a name for each item without one. Items whose name can stay as it is come first.
fn choose_all<'n>(
    names: impl Iterator<Item = &'n str>,
    taken: &mut Taken,
    known: impl Fn(&str) -> Option<String>,
    plain: impl Fn(&str) -> String,
) -> Vec<(String, String)> {
    let mut chosen = Vec::new();
    let mut left = Vec::new();
    for name in names {
        match known(name) {
            Some(known) => chosen.push((name.to_owned(), known)),
            None => left.push((name, plain(name))),
        }
    }
    left.sort_by_key(|(name, plain)| name != plain);
    for (name, plain) in left {
        // `1_a` and `2_a` differ only in the characters that a name must not begin with.
        let is_cut = name.starts_with(|first: char| first == '_' || first.is_numeric());
        let whole = is_cut.then(|| identifier(&format!("x{name}")));
        let candidates = [Some(plain.clone()), whole].into_iter().flatten();
        let free = choose(candidates, &plain, |name| taken.is_free(name));
        taken.insert(&free);
        chosen.push((name.to_owned(), free));
    }
    chosen
}

/// Returns the first free candidate, otherwise `plain` with the first number that makes it free.
fn choose(candidates: impl IntoIterator<Item = String>, plain: &str, is_free: impl Fn(&str) -> bool) -> String {
    let numbered = (2_u32..).map(|number| format!("{plain}_{number}"));
    candidates.into_iter().chain(numbered).find(|name| is_free(name)).unwrap_or_else(|| plain.to_owned())
}

fn count<'n>(names: impl Iterator<Item = &'n str>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    names.for_each(|name| *counts.entry(name.to_owned()).or_insert(0) += 1);
    counts
}

fn pascal_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Returns the name as the language accepts it: letters, digits and `_`, beginning with a letter.
pub(super) fn identifier(name: &str) -> String {
    let replace = |is_letter: fn(char) -> bool| -> String {
        name.chars().map(|letter| if is_letter(letter) || letter == '_' { letter } else { '_' }).collect()
    };
    let start = |text: &str| {
        let is_no_letter = |letter: char| letter == '_' || letter.is_numeric();
        text.trim_start_matches(is_no_letter).trim_end_matches('_').to_owned()
    };
    let wide = start(&replace(char::is_alphanumeric));
    if wide.is_ascii() {
        let plain = replace(|letter| letter.is_ascii_alphanumeric());
        let kept = plain.trim_start_matches(|letter: char| letter == '_' || letter.is_ascii_digit());
        let digits: String = name.chars().filter(char::is_ascii_digit).collect();
        return match (kept.is_empty(), digits.is_empty()) {
            (false, _) => kept.to_owned(),
            (true, false) => format!("x{digits}"),
            (true, true) => format!("x{}", name.chars().count()),
        };
    }
    // The language and Rust accept letters of other scripts in names, but not everything that Unicode calls a letter.
    if is_name(&wide) {
        return wide;
    }
    let ascii = start(&replace(|letter| letter.is_ascii_alphanumeric()));
    if ascii.is_empty() { format!("x{}", name.chars().count()) } else { ascii }
}

/// Returns whether the compiler accepts it as a name.
fn is_name(name: &str) -> bool {
    let text = format!("model M {{\n  id Int @id\n  {name} Int\n}}\n");
    compile(&Sources::single("name", &text)).schema.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enumeration(labels: &[&str]) -> Vec<String> {
        let name = ObjectName::new(None, "e");
        let ty = EnumType {
            name: name.clone(),
            labels: labels.iter().map(|&label| label.to_owned()).collect(),
            comment: None,
        };
        let state = State { enums: vec![ty], ..State::default() };
        let names = Names::new(&state, None, &[], Naming::Keep);
        labels.iter().map(|label| names.label_name(&name, label).expect("a name")).collect()
    }

    fn tables(naming: Naming, tables: &[(Option<&str>, &str)]) -> Vec<String> {
        let tables: Vec<_> = tables.iter().map(|(schema, name)| Table::new(ObjectName::new(*schema, name))).collect();
        let state = State { tables, ..State::default() };
        let names = Names::new(&state, None, &[], naming);
        state.tables.iter().map(|table| names.model_name(&table.name)).collect()
    }

    #[test]
    fn a_name_stays_as_it_is_where_it_can() {
        for name in ["users", "User_2", "straße", "ключ", "a__b", "type"] {
            assert_eq!(identifier(name), name);
        }
        let others =
            [("a b", "a_b"), ("_x", "x"), ("1_a", "a"), ("12", "x12"), ("", "x0"), ("--", "x2"), ("\"\n", "x2")];
        for (name, expected) in others {
            assert_eq!(identifier(name), expected, "{name:?}");
        }
        assert_eq!(identifier("x²"), "x", "superscripts are no names in Rust");
    }

    #[test]
    fn no_two_names_become_one() {
        assert_eq!(enumeration(&["1", "2", "a b", "a-b"]), ["x1", "x2", "a_b", "a_b_2"]);
        assert_eq!(enumeration(&["draft", "DRAFT", "Draft"]), ["draft", "DRAFT_2", "Draft_3"]);
        assert_eq!(enumeration(&["1_a", "2_a", "a"]), ["x1_a", "x2_a", "a"]);
    }

    #[test]
    fn tables_get_names_that_the_language_takes() {
        assert_eq!(
            tables(Naming::Keep, &[(None, "class"), (None, "String"), (None, "Class")]),
            ["ClassModel", "StringModel", "Class"]
        );
        assert_eq!(tables(Naming::Keep, &[(Some("a"), "t"), (Some("b"), "t"), (Some("b"), "u")]), ["a_t", "b_t", "u"]);
        assert_eq!(tables(Naming::Keep, &[(None, "foo"), (None, "_foo"), (None, "Foo")]), ["foo", "foo_3", "Foo_2"]);
        assert_eq!(
            tables(Naming::Prisma, &[(None, "users"), (None, "user"), (None, "order_items")]),
            ["User", "User_2", "OrderItem"]
        );
    }
}
