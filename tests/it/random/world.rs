//! The models, with their fields and relations as plain data, and all rows. They are described independently of the
//! generated code under test.

use super::value::Value;

/// Which conditions a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Plain,
    /// Cannot be compared by size.
    Equal,
    Text,
    Json,
    List,
    /// Cannot be compared at all.
    Opaque,
}

#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) class: Class,
    pub(crate) nullable: bool,
    /// The values that it may hold. Keys are filled in from the rows that they reference.
    pub(crate) pool: Vec<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arity {
    One,
    Maybe,
    Many,
}

/// Which rows a relation leads to.
#[derive(Debug, Clone)]
pub(crate) enum Link {
    /// Our fields equal their fields: as described.
    Named(&'static [&'static str], &'static [&'static str]),
    /// The same with positions: as a world has it.
    Fields(Vec<usize>, Vec<usize>),
    /// A join table, and whether our key is in its column `A`. Both keys have one column.
    Between(&'static str, bool),
}

#[derive(Debug, Clone)]
pub(crate) struct Relation {
    pub(crate) name: &'static str,
    pub(crate) child: usize,
    pub(crate) arity: Arity,
    pub(crate) link: Link,
}

/// The aggregates of rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Calculation {
    Rows,
    Count(usize),
    CountDistinct(usize),
    Sum(usize),
    Average(usize),
    Least(usize),
    Greatest(usize),
}

/// The selected values of a row, by name.
#[derive(Debug, Clone)]
pub(crate) enum Selected {
    Field(&'static str),
    Count(&'static str),
    /// Values of the rows of a relation, in the order of their key.
    Related(&'static str, Vec<Selected>),
}

pub(crate) fn field(name: &'static str) -> Selected {
    Selected::Field(name)
}

pub(crate) fn count(relation: &'static str) -> Selected {
    Selected::Count(relation)
}

pub(crate) fn related(relation: &'static str, selected: Vec<Selected>) -> Selected {
    Selected::Related(relation, selected)
}

#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) name: &'static str,
    pub(crate) fields: Vec<Field>,
    pub(crate) relations: Vec<Relation>,
    /// The primary key comes first.
    pub(crate) keys: Vec<Vec<usize>>,
    /// Pairs of fields of one type.
    pub(crate) pairs: Vec<(usize, usize)>,
    /// The columns for `distinct` and for `group_by`.
    pub(crate) columns: Vec<Vec<usize>>,
    pub(crate) calculations: Vec<Calculation>,
    /// What can be included: one tree of relations each.
    pub(crate) shapes: Vec<Vec<Branch>>,
    pub(crate) selections: Vec<Vec<Selected>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Branch {
    pub(crate) relation: &'static str,
    pub(crate) inner: Vec<Branch>,
}

pub(crate) type Row = Vec<Value>;

/// All models and all rows.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) models: Vec<Model>,
    pub(crate) rows: Vec<Vec<Row>>,
    /// The pairs of keys in each join table.
    pub(crate) between: Vec<(&'static str, Vec<(Value, Value)>)>,
}

impl Model {
    pub(crate) fn field(&self, name: &str) -> usize {
        let place = self.fields.iter().position(|field| field.name == name);
        place.unwrap_or_else(|| panic!("{} has no field {name}", self.name))
    }

    pub(crate) fn relation(&self, name: &str) -> usize {
        let place = self.relations.iter().position(|relation| relation.name == name);
        place.unwrap_or_else(|| panic!("{} has no relation {name}", self.name))
    }

    pub(crate) fn fields_named(&self, names: &[&str]) -> Vec<usize> {
        names.iter().map(|name| self.field(name)).collect()
    }
}

impl World {
    /// A world without rows.
    pub(crate) fn new(mut models: Vec<Model>) -> Self {
        for place in 0..models.len() {
            for number in 0..models[place].relations.len() {
                let relation = &models[place].relations[number];
                let Link::Named(ours, theirs) = relation.link else { continue };
                let ours = models[place].fields_named(ours);
                let theirs = models[relation.child].fields_named(theirs);
                models[place].relations[number].link = Link::Fields(ours, theirs);
            }
        }
        let rows = vec![Vec::new(); models.len()];
        World { models, rows, between: Vec::new() }
    }

    /// Returns the rows that a relation leads to from a row, in the order of their table.
    pub(crate) fn related(&self, model: usize, row: &Row, relation: usize) -> Vec<&Row> {
        let relation = &self.models[model].relations[relation];
        let children = &self.rows[relation.child];
        match &relation.link {
            Link::Named(..) => panic!("names are resolved when a world is made"),
            Link::Fields(ours, theirs) => {
                let equal = |child: &&Row| {
                    ours.iter().zip(theirs).all(|(our, their)| {
                        !row[*our].is_null() && !child[*their].is_null() && row[*our] == child[*their]
                    })
                };
                children.iter().filter(equal).collect()
            }
            Link::Between(table, we_are_a) => {
                let (_, pairs) = self.between.iter().find(|(name, _)| name == table).expect("is known");
                let our_key = &row[self.models[model].keys[0][0]];
                let their_key = self.models[relation.child].keys[0][0];
                let joined = |child: &&Row| {
                    pairs.iter().any(|(a, b)| match we_are_a {
                        true => a == our_key && *b == child[their_key],
                        false => b == our_key && *a == child[their_key],
                    })
                };
                children.iter().filter(joined).collect()
            }
        }
    }
}
