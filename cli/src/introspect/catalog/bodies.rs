//! What the bodies of functions name. PostgreSQL reads a body in quotes when the function is called, which a check, an index
//! or a materialized view can do while it is created.

use std::collections::{BTreeMap, BTreeSet};

use relata_codegen::sql::{CatalogObject, Nature, Need, ObjectKey, ObjectName, Usage};
use relata_pgsql::{TokenKind, tokens};

/// Returns what each function names, unless that needs the function itself.
pub(super) fn mentions(objects: &[CatalogObject], usages: &[Usage]) -> BTreeMap<ObjectKey, Vec<ObjectKey>> {
    let mut by_name: BTreeMap<String, Vec<&ObjectKey>> = BTreeMap::new();
    for object in objects.iter().filter(|object| is_function(object) || object.nature == Nature::View) {
        by_name.entry(bare(&object.key.name)).or_default().push(&object.key);
    }
    let mut needs = Needs::of(objects, usages);
    let mut found: BTreeMap<ObjectKey, Vec<ObjectKey>> = BTreeMap::new();
    for function in objects.iter().filter(|object| is_function(object)) {
        for name in words_of_body(function.create.as_deref().unwrap_or_default()) {
            for other in by_name.get(&name).into_iter().flatten().filter(|other| **other != &function.key) {
                if needs.reaches(other, &function.key) {
                    continue;
                }
                needs.add(&function.key, other);
                found.entry(function.key.clone()).or_default().push((*other).clone());
            }
        }
    }
    found
}

fn is_function(object: &CatalogObject) -> bool {
    ["function", "procedure"].contains(&object.key.kind.as_str())
}

/// The name without its schema, its arguments and quotes.
fn bare(name: &str) -> String {
    let name = name.split('(').next().unwrap_or_default();
    name.rsplit('.').next().unwrap_or_default().trim_matches('"').to_owned()
}

/// The words between dollar signs.
fn words_of_body(create: &str) -> BTreeSet<String> {
    let bodies = tokens(create).filter(|token| token.kind == TokenKind::DollarString);
    let mut words = BTreeSet::new();
    for body in bodies.map(|token| token.value(create).into_owned()) {
        let named = tokens(&body).filter(|token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent));
        words.extend(named.map(|token| token.value(&body).into_owned()));
    }
    words
}

/// An object or a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    Object(ObjectKey),
    Table(ObjectName),
}

/// What needs what, among objects and tables.
struct Needs(BTreeMap<Node, Vec<Node>>);

impl Needs {
    fn of(objects: &[CatalogObject], usages: &[Usage]) -> Self {
        let mut needs: BTreeMap<Node, Vec<Node>> = BTreeMap::new();
        for object in objects {
            let of_object = object.needs.iter().chain(&object.owner).filter_map(|need| match need {
                Need::Object(key) => Some(Node::Object(key.clone())),
                need => need.table().cloned().map(Node::Table),
            });
            needs.entry(Node::Object(object.key.clone())).or_default().extend(of_object);
        }
        for usage in usages {
            let table = Node::Table(usage.user.table().clone());
            needs.entry(table).or_default().push(Node::Object(usage.object.clone()));
        }
        Self(needs)
    }

    fn add(&mut self, from: &ObjectKey, to: &ObjectKey) {
        self.0.entry(Node::Object(from.clone())).or_default().push(Node::Object(to.clone()));
    }

    fn reaches(&self, from: &ObjectKey, to: &ObjectKey) -> bool {
        let (mut open, mut seen) = (vec![Node::Object(from.clone())], BTreeSet::new());
        while let Some(node) = open.pop() {
            if node == Node::Object(to.clone()) {
                return true;
            }
            if let Some(needed) = self.0.get(&node).filter(|_| seen.insert(node)) {
                open.extend(needed.iter().cloned());
            }
        }
        false
    }
}
