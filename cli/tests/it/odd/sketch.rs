//! A database under construction, and the functions that add objects to it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::names::NAMES;
use super::{columns, indexes, objects, tables};
use crate::random::Random;

/// A database that is being thought of.
pub(super) struct Sketch {
    pub(super) random: Random,
    /// The server's, as 150000.
    pub(super) version: u32,
    pub(super) used: BTreeSet<String>,
    pub(super) sql: String,
    /// What has to be named by a warning.
    pub(super) told: Vec<String>,
}

impl Sketch {
    /// A name that nothing has yet.
    pub(super) fn name(&mut self) -> String {
        let odd = NAMES[self.random.below(NAMES.len())];
        let mut name = odd.chars().take(40).collect::<String>();
        while name.len() > 55 {
            name.pop();
        }
        // The whole name once, in its full length.
        if odd.len() <= 63 && self.used.insert(odd.to_owned()) {
            return odd.to_owned();
        }
        let number = self.used.len();
        name = format!("{name}{number}");
        self.used.insert(name.clone());
        name
    }

    /// The same in quotes.
    pub(super) fn quoted(&mut self) -> String {
        let name = self.name();
        ident(&name)
    }

    pub(super) fn run(&mut self, sql: &str) {
        let _ = writeln!(self.sql, "{sql};");
    }

    pub(super) fn tell(&mut self, quoted: &str) {
        self.told.push(quoted.to_owned());
    }
}

pub(super) fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

pub(super) type Maker = fn(&mut Sketch);

pub(super) const MAKERS: &[Maker] = &[
    tables::plain_table,
    tables::keyless_tables,
    columns::types_and_defaults,
    columns::enums,
    columns::odd_types,
    tables::foreign_keys,
    tables::relations,
    tables::join_tables,
    tables::partitions,
    tables::inheritance,
    objects::views,
    objects::functions,
    objects::triggers_and_rules,
    objects::security,
    columns::columns_beyond,
    indexes::constraints_beyond,
    indexes::indexes,
    indexes::indexes_beyond,
    objects::extensions,
    objects::text_search,
    objects::foreign_data,
    objects::other_schemas,
    objects::comments,
    columns::sequences,
    tables::names_that_become_one,
    tables::strange_tables,
];

/// The database of a seed. The first has one of everything.
pub(super) fn sketch(seed: u64, version: u32) -> Sketch {
    let mut sketch =
        Sketch { random: Random::new(seed), version, used: BTreeSet::new(), sql: String::new(), told: Vec::new() };
    sketch.used.extend(["id", "_", "__"].map(str::to_owned));
    for maker in MAKERS {
        if seed == 0 || sketch.random.below(3) == 0 {
            maker(&mut sketch);
        }
    }
    sketch
}
