//! Types of PostgreSQL and its extensions that are known by name, and the casts of them: the lines `type` and `cast` of
//! `operators.txt` and `extensions.txt`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::{Base, Ty};
use crate::ir::ColumnText;

/// A range, or a set of ranges, of values of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::queries) enum Span {
    Range(Base),
    Multirange(Base),
}

impl Span {
    pub(in crate::queries) fn element(self) -> Base {
        let (Span::Range(base) | Span::Multirange(base)) = self;
        base
    }
}

/// What a list says about a type.
#[derive(Debug)]
struct Named {
    name: &'static str,
    extension: Option<&'static str>,
    span: Option<Span>,
}

/// The types of the lists that GROUP BY accepts, besides ranges.
const GROUPED: [&str; 10] =
    ["cidr", "macaddr", "macaddr8", "hstore", "ltree", "vector", "halfvec", "sparsevec", "geometry", "geography"];

/// When PostgreSQL makes a cast by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cast {
    Implicit,
    Assigned,
}

#[derive(Debug, Default)]
struct Lists {
    types: BTreeMap<&'static str, Named>,
    casts: BTreeMap<(Ty, Ty), Cast>,
}

static LISTS: LazyLock<Lists> = LazyLock::new(lists);

fn lists() -> Lists {
    let texts = [include_str!("../operators.txt"), include_str!("../extensions.txt")];
    let (mut types, mut extension) = (BTreeMap::new(), None);
    for line in texts.into_iter().flat_map(str::lines) {
        if let Some(name) = line.strip_prefix("[extension ") {
            extension = Some(name.trim_end_matches(']'));
        } else if let Some(line) = line.strip_prefix("type ") {
            let words: Vec<&str> = line.split(' ').collect();
            let span = match words[1..] {
                ["range", element] => Base::of_basic_name(element).map(Span::Range),
                ["multirange", element] => Base::of_basic_name(element).map(Span::Multirange),
                _ => None,
            };
            types.insert(words[0], Named { name: words[0], extension, span });
        }
    }
    let base = |name: &str| Base::of_basic_name(name).or_else(|| types.get(name).map(|known| Base::Named(known.name)));
    let ty = |name: &str| match name.strip_suffix("[]") {
        Some(name) => base(name).map(Ty::List),
        None => base(name).map(Ty::Base),
    };
    let cast = |line: &str| {
        let [from, to, when] = line.strip_prefix("cast ")?.split(' ').collect::<Vec<_>>()[..] else { return None };
        let when = if when == "implicit" { Cast::Implicit } else { Cast::Assigned };
        Some(((ty(from)?, ty(to)?), when))
    };
    let casts = texts.into_iter().flat_map(str::lines).filter_map(cast).collect();
    Lists { types, casts }
}

/// Returns the type of a list with that name.
pub(in crate::queries) fn named(name: &str) -> Option<Base> {
    LISTS.types.get(name).map(|known| Base::Named(known.name))
}

/// Returns whether PostgreSQL casts a type to another one, where it must be implicit, or where a value is stored.
pub(in crate::queries) fn is_cast(from: Ty, to: Ty, is_stored: bool) -> bool {
    LISTS.casts.get(&(from, to)).is_some_and(|cast| is_stored || *cast == Cast::Implicit)
}

impl Base {
    /// Returns what a range or a multirange consists of.
    pub(in crate::queries) fn span(self) -> Option<Span> {
        let Base::Named(name) = self else { return None };
        LISTS.types.get(name)?.span
    }

    /// Returns whether GROUP BY accepts values of the type. Most geometric types have an operator `=`, and no order.
    pub(in crate::queries) fn can_be_grouped(self) -> bool {
        match self {
            Base::Json | Base::Xml | Base::Jsonpath => false,
            Base::Named(name) => self.span().is_some() || GROUPED.contains(&name),
            _ => true,
        }
    }

    /// Returns the extension that has the type.
    pub(in crate::queries) fn extension(self) -> Option<&'static str> {
        let Base::Named(name) = self else { return None };
        LISTS.types.get(name)?.extension
    }

    /// Returns the type of PostgreSQL that consists of these ranges.
    pub(in crate::queries) fn of_span(span: Span) -> Option<Self> {
        LISTS.types.values().find(|known| known.span == Some(span)).map(|known| Base::Named(known.name))
    }

    /// Returns the type in the text of an `Unsupported("..")`; `None` if it is unknown, or an array.
    pub(in crate::queries) fn of_text(text: &str) -> Option<Self> {
        let ty = ColumnText::type_of(text);
        if ty.contains('[') {
            return None;
        }
        let name = ty.split('(').next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        let name = name.to_ascii_lowercase();
        let last = name.rsplit('.').next().unwrap_or_default().trim_matches('"');
        let plain = if last.starts_with("interval ") { "interval" } else { last };
        let base = Base::of_name(plain)?;
        // A type of an extension may be in any schema.
        let is_it = name == last || name == format!("pg_catalog.{last}") || base.extension().is_some();
        is_it.then_some(base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_known_by_their_texts() {
        for (text, name) in [
            ("tstzrange", Some("tstzrange")),
            ("extensions.vector(3)", Some("vector")),
            ("\"extensions\".vector", Some("vector")),
            ("pg_catalog.point", Some("point")),
            ("mine.point", None),
            ("vector(3)[]", None),
            ("ltree[]", None),
            ("geometry(Point, 4326)", Some("geometry")),
            ("mood", None),
        ] {
            assert_eq!(Base::of_text(text), name.map(Base::Named), "{text}");
        }
        assert_eq!(Base::of_text("interval day to second(3)"), Some(Base::Interval));
        assert_eq!(Base::of_text("bit varying(3)"), Some(Base::Varbit));
    }

    #[test]
    fn every_range_has_its_multirange() {
        let ranges = LISTS.types.values().filter_map(|known| match known.span {
            Some(Span::Range(element)) => Some(element),
            _ => None,
        });
        let elements: Vec<Base> = ranges.collect();
        assert_eq!(elements.len(), 6);
        assert!(elements.iter().all(|element| Base::of_span(Span::Multirange(*element)).is_some()));
    }

    #[test]
    fn every_cast_is_of_known_types() {
        let lines =
            [include_str!("../operators.txt"), include_str!("../extensions.txt")].into_iter().flat_map(str::lines);
        let count = lines.filter(|line| line.starts_with("cast ")).count();
        assert!(count > 20 && LISTS.casts.len() == count);
        let vector = Ty::Base(Base::Named("vector"));
        assert!(is_cast(vector, Ty::List(Base::Float4), false));
        assert!(is_cast(Ty::List(Base::Float4), vector, true) && !is_cast(Ty::List(Base::Float4), vector, false));
    }
}
