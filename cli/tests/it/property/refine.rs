//! Edits of what PostgreSQL's tables have beyond columns and keys: options, partitions, other schemas.

use super::create::{MOMENTS, on_delete};
use super::sketch::{Arity, COLLATIONS, SCHEMAS, Sketch};
use super::text::{IDENTITIES, UNIQUES};
use crate::random::Random;

/// One such edit; some find nothing to do.
pub(super) fn refine(sketch: &mut Sketch, random: &mut Random) {
    match random.below(12) {
        0 | 1 if sketch.has_schemas => move_to_another_schema(sketch, random),
        0..3 => refine_table(sketch, random),
        3..6 => refine_index(sketch, random),
        6 | 7 => refine_link(sketch, random),
        _ => refine_field(sketch, random),
    }
}

fn move_to_another_schema(sketch: &mut Sketch, random: &mut Random) {
    let schema = random.below(SCHEMAS.len());
    let (model, named, view) =
        (random.place(sketch.models.len()), random.place(sketch.enums.len()), random.place(sketch.views.len()));
    match (random.below(6), model, named, view) {
        (0, _, Some(at), _) => sketch.enums[at].schema = schema,
        (1, _, _, Some(at)) => sketch.views[at].schema = schema,
        (_, Some(at), ..) => sketch.models[at].schema = schema,
        _ => {}
    }
}

fn refine_table(sketch: &mut Sketch, random: &mut Random) {
    let Some(at) = random.place(sketch.models.len()) else { return };
    let model = &mut sketch.models[at];
    match random.below(4) {
        0 => model.unlogged ^= true,
        1 => model.storage = if model.storage.is_some() { None } else { Some(90) },
        2 => model.storage = Some(50 + random.below(40)),
        _ => model.key_storage = if model.key_storage.is_some() { None } else { Some(75) },
    }
}

fn refine_index(sketch: &mut Sketch, random: &mut Random) {
    let with_indexes: Vec<usize> =
        (0..sketch.models.len()).filter(|at| !sketch.models[*at].indexes.is_empty()).collect();
    let Some(at) = random.pick(&with_indexes).copied() else { return };
    let model = &mut sketch.models[at];
    let other = random.pick(&model.fields).map(|field| field.id);
    let place = random.below(model.indexes.len());
    let index = &mut model.indexes[place];
    match random.below(6) {
        0 => index.include = if index.include.is_some() { None } else { other },
        1 => index.nulls = [None, Some("First"), Some("Last")][random.below(3)],
        2 => index.nulls_not_distinct ^= true,
        3 => index.deferrable = if random.percent(40) { None } else { Some(MOMENTS[random.below(2)]) },
        4 => index.storage = if index.storage.is_some() { None } else { Some(65) },
        _ => index.descending ^= true,
    }
}

fn refine_link(sketch: &mut Sketch, random: &mut Random) {
    let with_links: Vec<usize> = (0..sketch.models.len()).filter(|at| !sketch.models[*at].links.is_empty()).collect();
    let Some(at) = random.pick(&with_links).copied() else { return };
    let model = &mut sketch.models[at];
    let place = random.below(model.links.len());
    let arity = model.field(model.links[place].field).map_or(Arity::Required, |field| field.arity);
    let link = &mut model.links[place];
    match random.below(5) {
        0 => link.deferrable = if random.percent(40) { None } else { Some(MOMENTS[random.below(2)]) },
        1 => link.match_full ^= true,
        2 => link.sets_second ^= true,
        3 => link.on_update = [None, Some("Restrict"), Some("NoAction")][random.below(3)],
        _ => link.on_delete = on_delete(random, arity),
    }
}

fn refine_field(sketch: &mut Sketch, random: &mut Random) {
    let Some(at) = random.place(sketch.models.len()) else { return };
    let (domains, counters) = (sketch.domains.clone(), sketch.counters.clone());
    if random.percent(15) {
        sketch.add_generated(random, at);
        return;
    }
    let model = &mut sketch.models[at];
    let source = random.pick(&model.fields).map(|field| field.id);
    let place = random.below(model.fields.len());
    let is_bound = place == 0 || model.is_linked(model.fields[place].id);
    let is_partitioned = model.partition_field().is_some_and(|field| field.id == model.fields[place].id);
    let field = &mut model.fields[place];
    match random.below(8) {
        0 => field.identity = if field.identity.is_some() { None } else { Some(random.below(IDENTITIES.len())) },
        1 if field.identity.is_some() => field.identity = Some(random.below(IDENTITIES.len())),
        2 if !is_partitioned => {
            field.collation = if random.percent(30) { None } else { Some(random.below(COLLATIONS.len())) };
        }
        3 => field.unique_options = random.below(UNIQUES.len()),
        4 if !is_bound => match field.generated {
            Some((source, version)) if random.percent(50) => field.generated = Some((source, version + 1)),
            Some(_) => field.generated = None,
            None => field.generated = source.map(|source| (source, 1)),
        },
        5 => field.counter = if field.counter.is_some() { None } else { random.pick(&counters).map(|it| it.id) },
        _ if field.domain.is_some() && random.percent(40) => field.domain = None,
        _ if !is_bound && !is_partitioned => {
            if let Some(domain) = random.pick(&domains) {
                field.domain = Some(domain.id);
                if field.kind != domain.kind && !matches!(field.arity, Arity::List) {
                    field.kind = domain.kind;
                    field.default = None;
                }
            }
        }
        _ => {}
    }
}
