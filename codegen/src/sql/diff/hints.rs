//! Renames that the schemas declare: by an attribute, or because a name in the schema stayed while the name in the
//! database changed.
//!
//! An attribute is written for one migration and may stay in the schema. The snapshot of that migration has it too, so
//! an attribute that both schemas have was applied. A database has no attributes, so if it does not show whether a
//! rename was applied, that is a question.

use std::collections::BTreeSet;

use crate::sql::intent::Named;

/// The objects of one kind in one place, in two schemas.
pub(super) struct Hints<'k, N> {
    /// In the order of their names in the schema; `None` if the previous state comes from a database.
    previous: Option<Vec<Named<'k, N>>>,
    next: Vec<Named<'k, N>>,
}

/// The existing objects, by their names in the database.
pub(super) struct Candidates<Find, Was, Is> {
    /// Returns the previous object that an attribute names, for a new object with the second name.
    pub(super) find: Find,
    pub(super) before: Was,
    pub(super) afterwards: Is,
}

/// The renames of one kind.
#[derive(Debug)]
pub(super) struct Found<N> {
    /// Old and new names: first those by attributes, then those by unchanged names in the schema. Earlier ones take
    /// precedence.
    pub(super) by_attribute: Vec<(N, N)>,
    pub(super) by_key: Vec<(N, N)>,
    /// Attributes for which a database does not show whether they were applied.
    pub(super) questions: Vec<(N, N)>,
    /// Attributes on new objects that name no previous object: the name in the attribute, and the new object.
    pub(super) unknown: Vec<(String, N)>,
}

impl<'k, N: Ord + Clone> Hints<'k, N> {
    pub(super) fn new(mut previous: Option<Vec<Named<'k, N>>>, next: Vec<Named<'k, N>>) -> Self {
        if let Some(previous) = &mut previous {
            previous.sort_by_key(|thing| thing.key);
        }
        Self { previous, next }
    }

    pub(super) fn resolve<Find, Was, Is>(&self, candidates: &Candidates<Find, Was, Is>) -> Found<N>
    where
        Find: Fn(&str, &N) -> Option<N>,
        Was: Fn(&N) -> bool,
        Is: Fn(&N) -> bool,
    {
        let mut found =
            Found { by_attribute: Vec::new(), by_key: Vec::new(), questions: Vec::new(), unknown: Vec::new() };
        for thing in &self.next {
            let Some(hint) = thing.renamed_from.filter(|hint| !self.is_done(thing, hint)) else { continue };
            let by_key = || self.before(hint).map(|old| old.name.clone()).filter(|name| (candidates.before)(name));
            match (candidates.find)(hint, thing.name).or_else(by_key) {
                Some(from) if from == *thing.name => {}
                Some(from) if self.previous.is_some() => found.by_attribute.push((from, thing.name.clone())),
                Some(from) => match ((candidates.before)(thing.name), (candidates.afterwards)(&from)) {
                    (false, false) => found.by_attribute.push((from, thing.name.clone())),
                    // Both exist before and afterwards, so nothing is lost if it was applied.
                    (true, true) => {}
                    _ => found.questions.push((from, thing.name.clone())),
                },
                None if self.previous.is_some() && !(candidates.before)(thing.name) => {
                    found.unknown.push((hint.to_owned(), thing.name.clone()));
                }
                None => {}
            }
        }
        let claimed: BTreeSet<&N> = found.by_attribute.iter().map(|(from, _)| from).collect();
        let same_key = |thing: &Named<'k, N>| {
            let old = self.before(thing.key)?.name;
            let is_renamed = old != thing.name && (candidates.before)(old) && !claimed.contains(old);
            is_renamed.then(|| (old.clone(), thing.name.clone()))
        };
        found.by_key = self.next.iter().filter_map(same_key).collect();
        found
    }

    fn before(&self, key: &str) -> Option<&Named<'k, N>> {
        let previous = self.previous.as_ref()?;
        previous.get(previous.binary_search_by(|thing| thing.key.cmp(key)).ok()?)
    }

    /// Returns whether the previous schema already had the attribute, so that a migration has applied it.
    fn is_done(&self, thing: &Named<'k, N>, hint: &str) -> bool {
        let is_same = |old: &Named<'k, N>| old.key == thing.key || old.name == thing.name;
        let mut previous = self.previous.iter().flatten();
        previous.any(|old| is_same(old) && old.renamed_from == Some(hint))
    }
}
