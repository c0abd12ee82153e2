//! Random schemas, and the random parts that edits add.

use super::sketch::{
    Arity, COLLATIONS, Enum, Field, Index, KINDS, Kind, Link, Method, Model, Partition, SCHEMAS, Sketch,
};
use super::text::{IDENTITIES, UNIQUES};
use crate::random::Random;

pub(super) const MOMENTS: [&str; 2] = ["InitiallyDeferred", "InitiallyImmediate"];
const METHODS: [Method; 8] = [
    Method::BTree,
    Method::Hash,
    Method::Brin,
    Method::Gin,
    Method::Paths,
    Method::Trigrams,
    Method::Gist,
    Method::SpGist,
];

impl Sketch {
    /// A schema with some of everything.
    pub(super) fn random(random: &mut Random) -> Self {
        let mut sketch = Self::default();
        sketch.has_schemas = random.percent(25);
        for _ in 0..random.below(3) {
            sketch.add_enum(random);
        }
        for _ in 0..random.below(2) {
            sketch.add_domain(random);
        }
        if random.percent(25) {
            sketch.add_composite(random);
        }
        if random.percent(25) {
            sketch.add_counter(random);
        }
        for _ in 0..1 + random.below(4) {
            sketch.add_model(random);
        }
        for _ in 0..random.below(4) {
            sketch.add_link(random);
        }
        if random.percent(30) {
            sketch.add_pair(random);
        }
        for _ in 0..random.below(3) {
            sketch.add_view(random);
        }
        for _ in 0..random.below(4) {
            sketch.add_routine(random);
        }
        if random.percent(20) {
            sketch.add_domain(random);
        }
        sketch.mend();
        sketch
    }

    pub(super) fn add_pair(&mut self, random: &mut Random) {
        let id = self.number();
        let sides = (random.pick(&self.models).map(|it| it.id), random.pick(&self.models).map(|it| it.id));
        if let (Some(one), Some(other)) = sides {
            self.pairs.push((id, one, other));
        }
    }

    pub(super) fn add_enum(&mut self, random: &mut Random) {
        let id = self.number();
        let db = self.db_name(random);
        let labels = (0..2 + random.below(3)).map(|_| self.label()).collect();
        let schema = random.below(SCHEMAS.len());
        self.enums.push(Enum { id, name: format!("Enum{id}"), db, schema, renamed_from: None, labels });
    }

    pub(super) fn label(&mut self) -> (usize, String, String) {
        let id = self.number();
        (id, format!("V{id}"), format!("v{id}"))
    }

    pub(super) fn add_model(&mut self, random: &mut Random) {
        let id = self.number();
        let db = self.db_name(random);
        let mut key = self.field(random);
        key.kind = *random.pick(&[Kind::Int, Kind::BigInt, Kind::Uuid, Kind::Text]).expect("one of four");
        key.name = "id".to_owned();
        key.db = "id".to_owned();
        key.arity = Arity::Required;
        key.unique = false;
        key.default = (key.kind.counts() && random.percent(60)).then_some(1);
        let mut fields = vec![key];
        for _ in 0..1 + random.below(5) {
            fields.push(self.field(random));
        }
        let mut model = Model {
            id,
            name: format!("Model{id}"),
            db,
            schema: random.below(SCHEMAS.len()),
            renamed_from: None,
            fields,
            second_key: None,
            partition: None,
            unlogged: random.percent(6),
            storage: random.percent(10).then_some(70),
            key_storage: random.percent(8).then_some(60),
            links: Vec::new(),
            indexes: Vec::new(),
            checks: Vec::new(),
            comment: random.percent(20).then_some(id),
        };
        if random.percent(20) {
            let second = model.fields[1..].iter().find(|it| it.arity == Arity::Required && it.kind.is_key());
            model.second_key = second.map(|field| field.id);
        }
        if random.percent(20) {
            let method = ["Range", "List", "Hash"][random.below(3)];
            model.partition = Some(Partition { method, by_second: model.second_key.is_some() && random.percent(50) });
        }
        self.models.push(model);
        let at = self.models.len() - 1;
        for _ in 0..random.below(3) {
            self.add_index(random, at);
        }
        if random.percent(40) {
            self.add_check(random, at);
        }
        if random.percent(20) {
            self.add_generated(random, at);
        }
    }

    pub(super) fn field(&mut self, random: &mut Random) -> Field {
        let id = self.number();
        let kind = self.kind(random);
        let arity = match random.below(10) {
            0..5 => Arity::Required,
            5..9 => Arity::Optional,
            _ => Arity::List,
        };
        let default = random.percent(50).then(|| random.below(2));
        let unique = random.percent(15) && arity != Arity::List && kind.is_key();
        let db = self.db_name(random);
        let domains: Vec<usize> = self.domains.iter().filter(|it| it.kind == kind).map(|it| it.id).collect();
        let domain = random.pick(&domains).copied().filter(|_| random.percent(70));
        let counter = random.pick(&self.counters).filter(|_| random.percent(40)).map(|it| it.id);
        let mut field = Field {
            id,
            name: format!("field{id}"),
            db,
            renamed_from: None,
            kind,
            arity,
            default,
            unique,
            unique_options: if random.percent(50) { 0 } else { random.below(UNIQUES.len()) },
            domain,
            generated: None,
            identity: random.percent(35).then(|| random.below(IDENTITIES.len())),
            collation: random.percent(12).then(|| random.below(COLLATIONS.len())),
            counter,
            comment: random.percent(20).then_some(id),
        };
        field.mend();
        field
    }

    pub(super) fn kind(&self, random: &mut Random) -> Kind {
        let (named, composite) = (random.pick(&self.enums), random.pick(&self.composites));
        let domain = random.pick(&self.domains);
        match (random.below(100), named, composite, domain) {
            (0..25, Some(found), ..) => Kind::Enum(found.id),
            (25..40, _, Some(found), _) => Kind::Composite(found.id),
            (40..55, .., Some(found)) => found.kind,
            _ => KINDS[random.below(KINDS.len())],
        }
    }

    /// A column that is computed from another one.
    pub(super) fn add_generated(&mut self, random: &mut Random, at: usize) {
        let mut field = self.field(random);
        let Some(source) = random.pick(&self.models[at].fields) else { return };
        field.generated = Some((source.id, random.below(3)));
        self.models[at].fields.push(field);
    }

    pub(super) fn add_index(&mut self, random: &mut Random, at: usize) {
        let id = self.number();
        let model = &mut self.models[at];
        let method = if random.percent(75) { Method::BTree } else { METHODS[random.below(METHODS.len())] };
        let is_usable = |it: &&Field| it.arity != Arity::List && it.kind != Kind::Json;
        let usable: Vec<&Field> = model.fields.iter().filter(is_usable).collect();
        let fitting: Vec<&Field> = model.fields.iter().filter(|it| self_fits(method, it)).collect();
        let first = if method == Method::BTree { random.pick(&usable) } else { random.pick(&fitting) };
        let Some(first) = first else { return };
        let mut fields = vec![first.id];
        if let Some(second) = random.pick(&usable).filter(|second| second.id != first.id && random.percent(50)) {
            fields.push(second.id);
        }
        let unique = random.percent(30) && first.kind.is_key();
        let condition = random.pick(&usable).filter(|_| random.percent(30)).map(|field| field.id);
        let index = Index {
            id,
            fields,
            unique,
            descending: random.percent(20),
            condition,
            is_named: random.percent(20),
            is_computed: random.percent(20),
            excludes: random.percent(40),
            method,
            include: random.pick(&model.fields).filter(|_| random.percent(15)).map(|field| field.id),
            nulls: random.percent(15).then(|| ["First", "Last"][random.below(2)]),
            nulls_not_distinct: random.percent(25),
            deferrable: random.percent(20).then(|| MOMENTS[random.below(2)]),
            storage: random.percent(10).then_some(80),
        };
        model.indexes.push(index);
    }

    pub(super) fn add_check(&mut self, random: &mut Random, at: usize) {
        let id = self.number();
        let model = &mut self.models[at];
        let field = model.fields[random.below(model.fields.len())].id;
        model.checks.push((id, field));
    }

    pub(super) fn add_link(&mut self, random: &mut Random) {
        let Some(at) = random.place(self.models.len()) else { return };
        let target = random.below(self.models.len());
        let (target, second) = (self.models[target].id, self.models[target].second_key);
        // A second foreign key over the same column.
        let shared = self.models[at].links.iter().find(|link| link.target == target).map(|link| link.field);
        let shared = shared.filter(|_| random.percent(30));
        let mut field = self.field(random);
        field.kind = if random.percent(15) { Kind::OtherWidthOf(target) } else { Kind::KeyOf(target) };
        let field_id = shared.unwrap_or(field.id);
        let arity = match shared.and_then(|id| self.models[at].field(id)) {
            Some(field) => field.arity,
            None if field.arity == Arity::List => Arity::Optional,
            None => field.arity,
        };
        field.arity = arity;
        if shared.is_none() {
            self.models[at].fields.push(field);
        }
        let second = second.filter(|_| random.percent(60)).map(|_| {
            let mut field = self.field(random);
            field.kind = Kind::SecondOf(target);
            field.arity = if random.percent(50) { arity } else { Arity::Optional };
            let id = field.id;
            self.models[at].fields.push(field);
            id
        });
        let sets_second = second.is_some() && random.percent(40);
        let link = Link {
            id: self.number(),
            field: field_id,
            second,
            target,
            on_delete: if sets_second { "SetNull" } else { on_delete(random, arity) },
            on_update: random.percent(20).then(|| ["NoAction", "Restrict", "Cascade"][random.below(3)]),
            deferrable: random.percent(15).then(|| MOMENTS[random.below(2)]),
            match_full: random.percent(40),
            sets_second,
        };
        self.models[at].links.push(link);
    }
}

/// Whether an index of this method can begin with a field.
fn self_fits(method: Method, field: &Field) -> bool {
    method.fits(field.kind, field.arity)
}

pub(super) fn on_delete(random: &mut Random, arity: Arity) -> &'static str {
    let actions: &[&'static str] =
        if arity == Arity::Optional { &["SetNull", "Cascade", "NoAction"] } else { &["Cascade", "Restrict"] };
    random.pick(actions).copied().unwrap_or("NoAction")
}
