//! Edits of a schema, as people make them between two migrations.

use super::create::on_delete;
use super::refine::refine;
use super::sketch::{Arity, Field, KINDS, Kind, Sketch};
use super::types::edit_type;
use crate::random::Random;

/// One edit; some find nothing to do.
pub(super) fn edit(sketch: &mut Sketch, random: &mut Random) {
    match random.below(10) {
        0 | 1 => refine(sketch, random),
        2 => edit_type(sketch, random),
        _ => edit_part(sketch, random),
    }
    sketch.mend();
}

fn edit_part(sketch: &mut Sketch, random: &mut Random) {
    match random.below(29) {
        0 => sketch.add_model(random),
        1 => drop_model(sketch, random),
        2 => rename_model(sketch, random),
        3 => sketch.add_enum(random),
        4 => drop_enum(sketch, random),
        5..8 => edit_enum(sketch, random),
        8 => sketch.add_link(random),
        9 => edit_link(sketch, random),
        10 => edit_key(sketch, random),
        11 => sketch.add_pair(random),
        25 => sketch.add_routine(random),
        26 | 27 => {
            if let Some(at) = random.place(sketch.routines.len()) {
                sketch.routines[at].version += 1 + random.below(2);
            }
        }
        28 => {
            if let Some(at) = random.place(sketch.routines.len()) {
                sketch.routines.remove(at);
            }
        }
        22 => sketch.add_view(random),
        23 => edit_view(sketch, random),
        24 => {
            if let Some(at) = random.place(sketch.views.len()) {
                sketch.views.remove(at);
            }
        }
        12 => {
            if let Some(at) = random.place(sketch.pairs.len()) {
                sketch.pairs.remove(at);
            }
        }
        _ => edit_model(sketch, random),
    }
}

fn edit_view(sketch: &mut Sketch, random: &mut Random) {
    let Some(at) = random.place(sketch.views.len()) else { return };
    let model = sketch.model(sketch.views[at].model);
    let ids: Vec<usize> = model.into_iter().flat_map(|model| &model.fields).map(|field| field.id).collect();
    let view = &mut sketch.views[at];
    match random.below(5) {
        0 => view.is_materialized ^= true,
        1 => view.is_second ^= true,
        4 => view.has_options ^= true,
        2 => view.fields.extend(ids.into_iter().find(|id| !view.fields.contains(id))),
        _ => drop(random.place(view.fields.len()).map(|place| view.fields.remove(place))),
    }
}

fn drop_model(sketch: &mut Sketch, random: &mut Random) {
    if sketch.models.len() < 2 {
        return;
    }
    let gone = sketch.models.remove(random.below(sketch.models.len())).id;
    sketch.pairs.retain(|(_, one, other)| ![*one, *other].contains(&gone));
    for model in &mut sketch.models {
        let links = model.links.iter().filter(|it| it.target == gone);
        let fields: Vec<usize> = links.flat_map(|it| [Some(it.field), it.second]).flatten().collect();
        for field in fields {
            drop_field(sketch_field(model, field), model);
        }
    }
}

fn sketch_field(model: &super::sketch::Model, id: usize) -> usize {
    model.fields.iter().position(|field| field.id == id).unwrap_or(usize::MAX)
}

/// Takes a field and all that speaks of it.
fn drop_field(at: usize, model: &mut super::sketch::Model) {
    if at == 0 || at >= model.fields.len() {
        return;
    }
    // What is partitioned by a field keeps it.
    if model.partition_field().is_some_and(|field| field.id == model.fields[at].id) {
        return;
    }
    let gone = model.fields.remove(at).id;
    model.links.retain(|link| link.field != gone && link.second != Some(gone));
    model.indexes.retain(|index| !index.fields.contains(&gone) && index.condition != Some(gone));
    model.checks.retain(|(_, field)| *field != gone);
    if model.second_key == Some(gone) {
        model.second_key = None;
    }
}

fn rename_model(sketch: &mut Sketch, random: &mut Random) {
    let name = sketch.db_name(random);
    let number = sketch.number();
    let (Some(one), Some(other)) = (random.place(sketch.models.len()), random.place(sketch.models.len())) else {
        return;
    };
    match random.below(5) {
        0 => sketch.models[one].db = name,
        1 => {
            let model = &mut sketch.models[one];
            model.renamed_from.get_or_insert_with(|| model.db.clone());
            model.db = name;
            model.name = format!("Model{number}");
        }
        // Only the program sees it.
        2 => sketch.models[one].name = format!("Model{number}"),
        // For the program as well, which only attributes tell.
        3 if one != other => {
            let (db, name) = (sketch.models[one].db.clone(), sketch.models[one].name.clone());
            sketch.models[one].db = std::mem::replace(&mut sketch.models[other].db, db);
            sketch.models[one].name = std::mem::replace(&mut sketch.models[other].name, name);
        }
        _ => {
            let db = sketch.models[one].db.clone();
            sketch.models[one].db = std::mem::replace(&mut sketch.models[other].db, db);
        }
    }
}

fn drop_enum(sketch: &mut Sketch, random: &mut Random) {
    let Some(at) = random.place(sketch.enums.len()) else { return };
    let gone = sketch.enums.remove(at).id;
    for field in sketch.models.iter_mut().flat_map(|model| &mut model.fields) {
        if field.kind == Kind::Enum(gone) {
            field.kind = Kind::Text;
            field.default = None;
        }
    }
}

fn edit_enum(sketch: &mut Sketch, random: &mut Random) {
    let new = sketch.label();
    let name = sketch.db_name(random);
    let Some(at) = random.place(sketch.enums.len()) else { return };
    let it = &mut sketch.enums[at];
    let place = random.below(it.labels.len());
    match random.below(7) {
        0 => it.labels.push(new),
        1 | 2 => it.labels.insert(place, new),
        3 if it.labels.len() > 1 => {
            it.labels.remove(place);
        }
        4 => it.labels[place].2 = name,
        5 => {
            let other = random.below(it.labels.len());
            it.labels.swap(place, other);
        }
        _ => it.db = name,
    }
}

fn edit_link(sketch: &mut Sketch, random: &mut Random) {
    let Some(target) = random.pick(&sketch.models).map(|model| model.id) else { return };
    let linked: Vec<usize> = (0..sketch.models.len()).filter(|at| !sketch.models[*at].links.is_empty()).collect();
    let Some(model) = random.pick(&linked).map(|at| &mut sketch.models[*at]) else { return };
    let place = random.below(model.links.len());
    let at = sketch_field(model, model.links[place].field);
    match random.below(4) {
        0 => drop_field(at, model),
        // The column stays.
        1 => {
            let link = model.links.remove(place);
            let kinds = [Kind::KeyOf(link.target), Kind::SecondOf(link.target)];
            let kinds = kinds.map(|kind| (kind, sketch.value_kind(kind)));
            let model = sketch.models.iter_mut().find(|model| model.field(link.field).is_some());
            if let Some(model) = model {
                let linked: Vec<usize> =
                    model.fields.iter().map(|it| it.id).filter(|id| model.is_linked(*id)).collect();
                for field in model.fields.iter_mut().filter(|it| !linked.contains(&it.id)) {
                    if let Some((_, kind)) = kinds.iter().find(|(kind, _)| *kind == field.kind) {
                        field.kind = *kind;
                    }
                }
            }
        }
        2 => {
            let shared = model.links[place].field;
            for link in model.links.iter_mut().filter(|link| link.field == shared) {
                (link.target, link.second) = (target, None);
            }
            model.fields[at].kind = Kind::KeyOf(target);
        }
        _ => {
            let field = &mut model.fields[at];
            field.arity = if field.arity == Arity::Required { Arity::Optional } else { Arity::Required };
            model.links[place].on_delete = on_delete(random, field.arity);
        }
    }
}

fn edit_key(sketch: &mut Sketch, random: &mut Random) {
    let Some(at) = random.place(sketch.models.len()) else { return };
    let model = &mut sketch.models[at];
    let is_partitioned = model.partition.is_some();
    match random.below(3) {
        0 if model.partition.is_none_or(|it| !it.by_second) => {
            let usable: Vec<usize> = model.fields[1..]
                .iter()
                .filter(|field| field.arity == Arity::Required && field.kind.is_key())
                .map(|field| field.id)
                .collect();
            model.second_key = if model.second_key.is_some() { None } else { random.pick(&usable).copied() };
        }
        1 if model.fields[0].kind.counts() => {
            model.fields[0].default = if model.fields[0].default.is_some() { None } else { Some(1) };
        }
        // PostgreSQL does not change the type of a column by which a table is partitioned.
        _ if is_partitioned => {}
        _ => {
            let key = &mut model.fields[0];
            key.kind = if key.kind == Kind::Int { Kind::BigInt } else { Kind::Text };
            key.default = key.default.filter(|_| key.kind.counts());
        }
    }
}

fn edit_model(sketch: &mut Sketch, random: &mut Random) {
    let Some(at) = random.place(sketch.models.len()) else { return };
    match random.below(17) {
        16 => comment(sketch, random, at),
        0 | 1 => {
            let field = sketch.field(random);
            sketch.models[at].fields.push(field);
        }
        2 => {
            let place = random.below(sketch.models[at].fields.len());
            drop_field(place, &mut sketch.models[at]);
        }
        3 => sketch.add_index(random, at),
        4 => {
            let model = &mut sketch.models[at];
            if let Some(place) = random.place(model.indexes.len()) {
                model.indexes.remove(place);
            }
        }
        5 => {
            let indexes = &mut sketch.models[at].indexes;
            if let Some(place) = random.place(indexes.len()) {
                // What was unique stays so only if another constraint sees to it.
                indexes[place].unique &= random.percent(50);
                indexes[place].excludes ^= indexes[place].unique;
                indexes[place].is_named ^= true;
                indexes[place].is_computed = random.percent(30);
            }
        }
        6 => sketch.add_check(random, at),
        7 => {
            let model = &mut sketch.models[at];
            if let Some(place) = random.place(model.checks.len()) {
                model.checks.remove(place);
            }
        }
        8 => replace_field(sketch, random, at),
        _ => edit_field(sketch, random, at),
    }
}

/// A model or a field gets another comment, or none.
fn comment(sketch: &mut Sketch, random: &mut Random, at: usize) {
    let new = random.percent(70).then(|| sketch.number());
    let model = &mut sketch.models[at];
    match random.place(model.fields.len() + 1) {
        Some(place) if place < model.fields.len() => model.fields[place].comment = new,
        _ => model.comment = new,
    }
}

/// Another field takes the column's name.
fn replace_field(sketch: &mut Sketch, random: &mut Random, at: usize) {
    let mut new = sketch.field(random);
    let model = &mut sketch.models[at];
    let place = random.below(model.fields.len());
    if place > 0 {
        new.db.clone_from(&model.fields[place].db);
        drop_field(place, model);
        model.fields.push(new);
    }
}

fn edit_field(sketch: &mut Sketch, random: &mut Random, at: usize) {
    let name = sketch.db_name(random);
    let number = sketch.number();
    let kind = if random.percent(70) { KINDS[random.below(KINDS.len())] } else { sketch.kind(random) };
    let model = &mut sketch.models[at];
    let place = random.below(model.fields.len());
    let swap = 1 + random.below(model.fields.len().max(2) - 1);
    let is_key = place == 0 || model.second_key == Some(model.fields[place].id);
    let is_bound = is_key || model.is_linked(model.fields[place].id);
    let is_indexed = model.indexes.iter().any(|index| index.fields.contains(&model.fields[place].id));
    match random.below(8) {
        0 => model.fields[place].db = name,
        1 if place > 0 => rename_field(&mut model.fields[place], name, number),
        2 if swap < model.fields.len() && place > 0 => {
            let db = model.fields[place].db.clone();
            model.fields[place].db = std::mem::replace(&mut model.fields[swap].db, db);
        }
        7 if swap < model.fields.len() && place > 0 && swap != place => {
            let (db, name) = (model.fields[place].db.clone(), model.fields[place].name.clone());
            model.fields[place].db = std::mem::replace(&mut model.fields[swap].db, db);
            model.fields[place].name = std::mem::replace(&mut model.fields[swap].name, name);
        }
        3 if !is_bound && (kind != Kind::Json || !is_indexed) => {
            model.fields[place].kind = kind;
            model.fields[place].default = random.percent(40).then(|| random.below(2));
        }
        4 if !is_bound => {
            model.fields[place].arity = match random.below(if is_indexed { 2 } else { 3 }) {
                0 => Arity::Required,
                1 => Arity::Optional,
                _ => Arity::List,
            };
        }
        5 if !is_bound => model.fields[place].default = random.percent(70).then(|| random.below(2)),
        _ if !is_key => model.fields[place].unique ^= true,
        _ => {}
    }
    model.fields[place].mend();
}

/// Under a new name for the program as well, which only `@renamedFrom` tells.
fn rename_field(field: &mut Field, name: String, number: usize) {
    field.renamed_from.get_or_insert_with(|| field.db.clone());
    field.db = name;
    field.name = format!("field{number}");
}

/// What is called otherwise on both sides is another thing, unless that is said.
pub(super) fn say_renames(previous: &Sketch, next: &mut Sketch) {
    for model in &mut next.models {
        let Some(old) = previous.model(model.id) else { continue };
        if old.name != model.name && old.db != model.db {
            model.renamed_from = Some(old.db.clone());
        }
        for field in &mut model.fields {
            if let Some(old) = old.field(field.id).filter(|old| old.name != field.name && old.db != field.db) {
                field.renamed_from = Some(old.db.clone());
            }
        }
    }
}
