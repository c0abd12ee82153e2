//! The words in names: their case, and the singular and plural of English nouns.

use heck::{ToLowerCamelCase, ToSnakeCase, ToUpperCamelCase};

/// Returns `UserProfile` for `user_profile`.
pub(super) fn pascal(name: &str) -> String {
    letter_first(name.to_upper_camel_case(), name)
}

/// Returns `userProfile` for `user_profile`.
pub(super) fn camel(name: &str) -> String {
    letter_first(name.to_lower_camel_case(), name)
}

/// Returns `user_profile` for `userProfile`.
pub(super) fn snake(name: &str) -> String {
    letter_first(name.to_snake_case(), name)
}

fn letter_first(name: String, otherwise: &str) -> String {
    if name.starts_with(char::is_alphabetic) { name } else { otherwise.to_owned() }
}

/// Words that are both singular and plural, or that the rules below must not change.
const KEPT: &[&str] = &[
    "access",
    "address",
    "alias",
    "always",
    "analytics",
    "atlas",
    "basis",
    "bias",
    "bonus",
    "business",
    "bus",
    "campus",
    "canvas",
    "census",
    "chaos",
    "chess",
    "class",
    "compass",
    "consensus",
    "corpus",
    "crisis",
    "cross",
    "data",
    "dns",
    "dress",
    "emphasis",
    "ethics",
    "express",
    "focus",
    "fps",
    "gas",
    "genius",
    "glass",
    "gps",
    "grass",
    "https",
    "ics",
    "iris",
    "is",
    "kudos",
    "lens",
    "less",
    "logistics",
    "loss",
    "mass",
    "mathematics",
    "media",
    "menus",
    "metrics",
    "minus",
    "news",
    "nexus",
    "os",
    "pass",
    "physics",
    "plus",
    "politics",
    "press",
    "process",
    "progress",
    "radius",
    "rss",
    "series",
    "sms",
    "sos",
    "species",
    "statistics",
    "status",
    "stimulus",
    "success",
    "surplus",
    "syllabus",
    "tennis",
    "thesis",
    "this",
    "tls",
    "us",
    "virus",
    "was",
    "works",
    "yes",
];

/// Irregular plurals with their singulars. All other words follow the rules.
const IRREGULAR: &[(&str, &str)] = &[
    ("addenda", "addendum"),
    ("aliases", "alias"),
    ("analyses", "analysis"),
    ("appendices", "appendix"),
    ("atlases", "atlas"),
    ("axes", "axis"),
    ("bases", "base"),
    ("bonuses", "bonus"),
    ("buses", "bus"),
    ("caches", "cache"),
    ("children", "child"),
    ("cookies", "cookie"),
    ("crises", "crisis"),
    ("criteria", "criterion"),
    ("diagnoses", "diagnosis"),
    ("feet", "foot"),
    ("foci", "focus"),
    ("geese", "goose"),
    ("halves", "half"),
    ("heroes", "hero"),
    ("hypotheses", "hypothesis"),
    ("indices", "index"),
    ("knives", "knife"),
    ("leaves", "leaf"),
    ("lies", "lie"),
    ("lives", "life"),
    ("matrices", "matrix"),
    ("men", "man"),
    ("menus", "menu"),
    ("mice", "mouse"),
    ("movies", "movie"),
    ("oases", "oasis"),
    ("oxen", "ox"),
    ("pains", "pain"),
    ("parentheses", "parenthesis"),
    ("people", "person"),
    ("phenomena", "phenomenon"),
    ("pies", "pie"),
    ("potatoes", "potato"),
    ("quizzes", "quiz"),
    ("radii", "radius"),
    ("selfies", "selfie"),
    ("shelves", "shelf"),
    ("shoes", "shoe"),
    ("statuses", "status"),
    ("syllabi", "syllabus"),
    ("teeth", "tooth"),
    ("theses", "thesis"),
    ("thieves", "thief"),
    ("ties", "tie"),
    ("tomatoes", "tomato"),
    ("vertices", "vertex"),
    ("viruses", "virus"),
    ("wives", "wife"),
    ("wolves", "wolf"),
    ("women", "woman"),
    ("zombies", "zombie"),
    ("calories", "calorie"),
    ("categories", "category"),
    ("heroines", "heroine"),
    ("vetoes", "veto"),
    ("echoes", "echo"),
    ("gases", "gas"),
    ("lenses", "lens"),
    ("canvases", "canvas"),
    ("campuses", "campus"),
    ("corpora", "corpus"),
    ("genera", "genus"),
];

/// Returns the singular of the last word of a name in snake case. Other words than plurals stay as they are.
pub(super) fn singular(name: &str) -> String {
    let start = name.rfind('_').map_or(0, |at| at + 1);
    let (before, word) = name.split_at(start);
    format!("{before}{}", singular_word(word))
}

fn singular_word(word: &str) -> String {
    if let Some((_, singular)) = IRREGULAR.iter().find(|(plural, _)| *plural == word) {
        return (*singular).to_owned();
    }
    if KEPT.contains(&word) || !word.is_ascii() || word.len() < 3 {
        return word.to_owned();
    }
    if let Some(stem) = word.strip_suffix("ies") {
        return format!("{stem}y");
    }
    for ending in ["sses", "shes", "ches", "xes", "zzes"] {
        if word.ends_with(ending) {
            return word[..word.len() - 2].to_owned();
        }
    }
    // Words with these endings are singular: `address`, `radius`, `analysis`.
    if ["ss", "us", "is"].iter().any(|ending| word.ends_with(ending)) {
        return word.to_owned();
    }
    word.strip_suffix('s').unwrap_or(word).to_owned()
}

/// Returns the plural of a name, by its last word. The names of many tables are plurals already.
pub(super) fn plural(name: &str) -> String {
    if name.ends_with('s') { name.to_owned() } else { format!("{name}s") }
}

/// Returns the plural of the English noun at the end of a name in snake case.
pub(super) fn english_plural(name: &str) -> String {
    let start = name.rfind('_').map_or(0, |at| at + 1);
    let (before, word) = name.split_at(start);
    format!("{before}{}", plural_word(word))
}

fn plural_word(word: &str) -> String {
    if let Some((plural, _)) = IRREGULAR.iter().find(|(_, singular)| *singular == word) {
        return (*plural).to_owned();
    }
    if ["data", "series", "species", "news", "media"].contains(&word) || singular_word(word) != word {
        return word.to_owned();
    }
    if let Some(stem) = word.strip_suffix('y')
        && !stem.ends_with(['a', 'e', 'i', 'o', 'u'])
    {
        return format!("{stem}ies");
    }
    if ["s", "x", "z", "ch", "sh"].iter().any(|ending| word.ends_with(ending)) {
        return format!("{word}es");
    }
    format!("{word}s")
}

#[cfg(test)]
mod tests {
    use super::{camel, english_plural, pascal, singular, snake};

    #[test]
    fn singulars_are_english() {
        let pairs = "users:user addresses:address categories:category statuses:status status:status boxes:box \
            news:news series:series people:person children:child order_items:order_item user_statuses:user_status \
            movies:movie branches:branch analyses:analysis indices:index aliases:alias days:day data:data \
            quizzes:quiz classes:class bus:bus buses:bus houses:house databases:database invoices:invoice \
            process:process processes:process canvas:canvas user:user os:os ids:id wolves:wolf media:media \
            api_keys:api_key entries:entry purchases:purchase caches:cache services:service settings:setting \
            events_news:events_news leaves:leaf responses:response heroes:hero works:works expenses:expense";
        for pair in pairs.split_whitespace() {
            let (plural, expected) = pair.split_once(':').expect("a pair");
            assert_eq!(singular(plural), expected);
        }
    }

    #[test]
    fn plurals_are_english() {
        let pairs = "user:users category:categories box:boxes person:people day:days status:statuses data:data \
            branch:branches order_item:order_items news:news users:users address:addresses";
        for pair in pairs.split_whitespace() {
            let (word, expected) = pair.split_once(':').expect("a pair");
            assert_eq!(english_plural(word), expected);
        }
    }

    #[test]
    fn names_change_their_case() {
        assert_eq!(pascal("user_profile"), "UserProfile");
        assert_eq!(camel("created_at"), "createdAt");
        assert_eq!(snake("createdAt"), "created_at");
        assert_eq!(camel("ключ_а"), "ключА");
    }
}
