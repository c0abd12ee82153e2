//! What does not go together in a schema is taken away, so that edits can be made without regard to each other.

use std::collections::BTreeMap;

use super::routine::{Routine, What};
use super::sketch::{Arity, Field, Index, Kind, Link, Method, Model, Sketch};

impl Method {
    /// Whether an index of this method can begin with a field.
    pub(super) fn fits(self, kind: Kind, arity: Arity) -> bool {
        let is_list = arity == Arity::List;
        match self {
            Self::BTree => !is_list && !matches!(kind, Kind::Json | Kind::Composite(_)),
            Self::Hash => !is_list && kind.is_key(),
            Self::Brin => !is_list && kind.is_scalar() && kind.is_key() && kind != Kind::Citext,
            Self::Gin => (is_list && kind.is_scalar()) || (!is_list && kind == Kind::Json),
            Self::Paths => !is_list && kind == Kind::Json,
            Self::Trigrams => !is_list && matches!(kind, Kind::Text | Kind::Word),
            Self::Gist => {
                let kinds = [Kind::Int, Kind::BigInt, Kind::Text, Kind::Day, Kind::Price, Kind::Uuid, Kind::Time];
                !is_list && kinds.contains(&kind)
            }
            Self::SpGist => !is_list && matches!(kind, Kind::Text | Kind::Word),
        }
    }

    fn has_several(self) -> bool {
        !matches!(self, Self::Hash | Self::SpGist | Self::Gin | Self::Paths | Self::Trigrams)
    }
}

impl Sketch {
    /// Takes away what does not go together.
    pub(super) fn mend(&mut self) {
        self.mend_types();
        self.mend_links();
        for at in 0..self.models.len() {
            let mut model = self.models[at].clone();
            self.mend_fields(&mut model);
            self.mend_indexes(&mut model);
            if model.partition.is_some() {
                mend_partitioned(&mut model);
            }
            self.models[at] = model;
        }
        self.mend_unlogged();
    }

    fn mend_types(&mut self) {
        let is_check = |it: &&Routine| it.what == What::Check && self.is_written(it);
        let checks: Vec<usize> = self.routines.iter().filter(is_check).map(|it| it.id).collect();
        let fields: Vec<Field> = self.models.iter().flat_map(|model| model.fields.clone()).collect();
        for domain in &mut self.domains {
            domain.calls = domain.calls.filter(|id| checks.contains(id));
            let is_nullable = |it: &&Field| it.domain == Some(domain.id) && it.arity != Arity::Required;
            domain.not_null &= !fields.iter().any(|it| is_nullable(&it));
        }
        let enums: Vec<usize> = self.enums.iter().map(|it| it.id).collect();
        for (_, kind) in self.composites.iter_mut().flat_map(|it| &mut it.attributes) {
            if matches!(kind, Kind::Enum(id) if !enums.contains(id)) {
                *kind = Kind::Text;
            }
        }
    }

    /// Links to what is no key any more, and to two fields of what is one.
    fn mend_links(&mut self) {
        let keys: BTreeMap<usize, (bool, Option<Field>)> = self
            .models
            .iter()
            .map(|it| {
                (
                    it.id,
                    (it.partition.is_some_and(|it| it.by_second), it.second_key.and_then(|id| it.field(id).cloned())),
                )
            })
            .collect();
        for model in &mut self.models {
            let arities: BTreeMap<usize, Arity> = model.fields.iter().map(|it| (it.id, it.arity)).collect();
            for link in &mut model.links {
                let second = keys.get(&link.target).and_then(|(_, second)| second.as_ref());
                let is_usable = |it: &&Field| it.generated.is_none() && it.kind.target().is_none();
                if second.filter(is_usable).is_none() {
                    link.second = None;
                }
                mend_link(link, &arities);
            }
            model.links.retain(|link| link.second.is_some() || keys.get(&link.target).is_some_and(|(alone, _)| !alone));
            let linked: Vec<usize> = model.links.iter().flat_map(|it| [Some(it.field), it.second]).flatten().collect();
            for field in model.fields.iter_mut().filter(|it| it.kind.target().is_some() && !linked.contains(&it.id)) {
                field.kind = Kind::Int;
            }
        }
    }

    fn mend_fields(&self, model: &mut Model) {
        let known: Vec<Field> = model.fields.clone();
        let linked: Vec<usize> = known.iter().filter(|it| model.is_linked(it.id)).map(|it| it.id).collect();
        for (at, field) in model.fields.iter_mut().enumerate() {
            let is_key = at == 0 || model.second_key == Some(field.id);
            if matches!(field.kind, Kind::Composite(id) if self.composite(id).is_none()) {
                field.kind = Kind::Text;
            }
            let source = field.generated.and_then(|(id, _)| known.iter().find(|it| it.id == id));
            let source = source.filter(|it| it.generated.is_none() && !is_key && !linked.contains(&field.id));
            match source {
                Some(source) => {
                    field.kind = self.value_kind(source.kind);
                    field.arity = source.arity;
                    (field.default, field.identity, field.counter) = (None, None, None);
                }
                None => field.generated = None,
            }
            field.domain = field.domain.filter(|id| self.domain(*id).is_some_and(|it| it.kind == field.kind));
            field.counter = field.counter.filter(|id| self.counter(*id).is_some());
            if linked.contains(&field.id) {
                (field.identity, field.counter, field.default, field.unique) = (None, None, None, false);
            }
            field.mend();
        }
        model.second_key = model.second_key.filter(|id| model.field(*id).is_some_and(|it| it.arity == Arity::Required));
    }

    fn mend_indexes(&self, model: &mut Model) {
        let fields = model.fields.clone();
        let find = |id: usize| fields.iter().find(|it| it.id == id);
        let kind = |field: &Field| self.value_kind(field.kind);
        model.indexes.retain_mut(|index| {
            let Some(first) = index.fields.first().and_then(|id| find(*id)) else { return false };
            if !index.method.fits(kind(first), first.arity) {
                index.method = Method::BTree;
            }
            let fits = |field: &Field| index.method.fits(kind(field), field.arity);
            let are_others_fit = index.fields[1..].iter().all(|id| find(*id).is_some_and(fits));
            if !index.method.has_several() || !are_others_fit {
                index.fields.truncate(1);
            }
            mend_index(index, &fields);
            let first = first.clone();
            index.method.fits(kind(&first), first.arity)
        });
    }

    /// A table with a write-ahead log cannot point at one without.
    fn mend_unlogged(&mut self) {
        let paired: Vec<usize> = self.pairs.iter().flat_map(|(_, one, other)| [*one, *other]).collect();
        loop {
            let logged = self.models.iter().filter(|model| !model.unlogged);
            let targets: Vec<usize> = logged.flat_map(|model| model.links.iter().map(|link| link.target)).collect();
            let is_wrong = |model: &&mut Model| {
                model.unlogged
                    && (targets.contains(&model.id) || paired.contains(&model.id) || model.partition.is_some())
            };
            let Some(model) = self.models.iter_mut().find(is_wrong) else { return };
            model.unlogged = false;
        }
    }
}

fn mend_link(link: &mut Link, arities: &BTreeMap<usize, Arity>) {
    let arity = |id: usize| arities.get(&id).copied();
    let is_optional = |id: usize| arity(id) == Some(Arity::Optional);
    link.match_full &= link.second.is_some_and(|second| arity(second) == arity(link.field));
    link.sets_second &= link.on_delete == "SetNull" && link.second.is_some_and(is_optional);
    let is_nulled = link.sets_second || (is_optional(link.field) && link.second.is_none_or(is_optional));
    if link.on_delete == "SetNull" && !is_nulled {
        link.on_delete = "Cascade";
    }
}

fn mend_index(index: &mut Index, fields: &[Field]) {
    let find = |id: usize| fields.iter().find(|it| it.id == id);
    let is_tree = index.method == Method::BTree;
    let is_optional = index.fields.iter().any(|id| find(*id).is_some_and(|it| it.arity == Arity::Optional));
    index.excludes |= index.method == Method::Gist;
    index.unique |= index.method == Method::Gist;
    index.unique &= matches!(index.method, Method::BTree | Method::Gist);
    let excludes = index.unique && index.excludes;
    let is_constraint = index.unique && index.deferrable.is_some();
    if !index.unique {
        index.deferrable = None;
    }
    if is_constraint && !excludes {
        (index.condition, index.descending, index.is_computed, index.nulls) = (None, false, false, None);
    }
    index.descending &= is_tree;
    index.is_computed &= is_tree;
    index.nulls = index.nulls.filter(|_| is_tree);
    index.nulls_not_distinct &= index.unique && !excludes && is_optional && !index.is_computed;
    index.include = index.include.filter(|id| {
        matches!(index.method, Method::BTree | Method::Gist) && find(*id).is_some() && !index.fields.contains(id)
    });
    let has_factor = matches!(index.method, Method::BTree | Method::Hash | Method::Gist | Method::SpGist);
    index.storage = index.storage.filter(|_| has_factor);
}

/// Keys of a partitioned table contain the field that its partitions are about.
fn mend_partitioned(model: &mut Model) {
    if model.partition_field().is_none() {
        model.partition = model.partition.map(|it| super::sketch::Partition { by_second: false, ..it });
    }
    let Some(by) = model.partition_field().map(|field| field.id) else { return };
    (model.unlogged, model.storage) = (false, None);
    for field in &mut model.fields {
        field.unique &= field.id == by;
    }
    for index in &mut model.indexes {
        index.excludes = false;
        index.unique &= index.fields.contains(&by) && !index.is_computed && index.method == Method::BTree;
        if !index.unique {
            (index.deferrable, index.nulls_not_distinct) = (None, false);
        }
        if index.method == Method::Gist {
            index.method = Method::BTree;
        }
    }
}

impl Field {
    /// Takes away what does not go together.
    pub(super) fn mend(&mut self) {
        let is_list = self.arity == Arity::List;
        if matches!(self.kind, Kind::Composite(_)) {
            self.default = None;
            if is_list {
                self.arity = Arity::Optional;
            }
        }
        if is_list || !self.kind.is_key() {
            self.unique = false;
        }
        if self.arity != Arity::Optional && self.unique_options == 1 {
            self.unique_options = 0;
        }
        self.collation = self.collation.filter(|_| self.kind.is_text());
        let can_count = self.kind.counts() && self.arity == Arity::Required;
        self.identity = self.identity.filter(|_| can_count && self.domain.is_none());
        self.counter = self.counter.filter(|_| self.kind.counts() && !is_list && self.identity.is_none());
        if self.identity.is_some() || self.generated.is_some() {
            self.default = None;
        }
        // Only a required column counts, and a list has values for a default.
        let is_counter = self.kind.counts() && self.default == Some(1);
        let is_call = matches!(self.kind, Kind::Uuid | Kind::Time | Kind::Zoned | Kind::Day) && self.default == Some(0);
        let is_sql = matches!(self.kind, Kind::Uuid | Kind::Text) && self.default == Some(1);
        if (is_counter && self.arity != Arity::Required) || (is_list && (is_call || is_sql)) {
            self.default = None;
        }
    }
}
