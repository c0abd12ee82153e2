//! Names that are derived from other names, for fields that the formatter adds: camel case and English plurals, close
//! to those of Prisma's formatter.

/// Returns `userProfile` for `UserProfile` and `user_profile`. A capital begins a word after a small letter, or after a
/// capital that began a word: `HTTPServer` becomes `httpserver`, but `WhatAUser` becomes `whatAUser`.
pub(in crate::lower) fn camel_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let (mut new_word, mut inside) = (false, ' ');
    for character in name.chars() {
        if !character.is_alphanumeric() {
            new_word = !out.is_empty();
        } else if character.is_numeric() {
            new_word = true;
            out.push(character);
        } else if new_word || inside.is_lowercase() && character.is_uppercase() {
            new_word = false;
            out.extend(character.to_uppercase());
        } else {
            inside = character;
            out.extend(character.to_lowercase());
        }
    }
    out
}

/// With a small first letter.
pub(in crate::lower) fn lower_first(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

/// With a capital first letter.
pub(in crate::lower) fn upper_first(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// Words with the same singular and plural.
const UNCOUNTABLE: &[&str] = &[
    "advice",
    "aircraft",
    "children",
    "criteria",
    "data",
    "deer",
    "education",
    "equipment",
    "evidence",
    "furniture",
    "hardware",
    "homework",
    "information",
    "knowledge",
    "luggage",
    "means",
    "money",
    "music",
    "news",
    "people",
    "police",
    "research",
    "rice",
    "series",
    "sheep",
    "software",
    "species",
    "traffic",
    "weather",
];

/// Endings and their plurals, the longer and rarer ones first. `^` marks a whole word.
const ENDINGS: &[(&str, &str)] = &[
    ("^person", "people"),
    ("^child", "children"),
    ("^man", "men"),
    ("^woman", "women"),
    ("^foot", "feet"),
    ("^tooth", "teeth"),
    ("^goose", "geese"),
    ("^mouse", "mice"),
    ("^ox", "oxen"),
    ("^quiz", "quizzes"),
    ("matrix", "matrices"),
    ("appendix", "appendices"),
    ("vertex", "vertices"),
    ("index", "indices"),
    ("codex", "codices"),
    ("datum", "data"),
    ("stratum", "strata"),
    ("addendum", "addenda"),
    ("curriculum", "curricula"),
    ("bacterium", "bacteria"),
    ("criterion", "criteria"),
    ("phenomenon", "phenomena"),
    ("automaton", "automata"),
    ("focus", "foci"),
    ("stimulus", "stimuli"),
    ("nucleus", "nuclei"),
    ("alumnus", "alumni"),
    ("radius", "radii"),
    ("cactus", "cacti"),
    ("fungus", "fungi"),
    ("syllabus", "syllabi"),
    ("hero", "heroes"),
    ("potato", "potatoes"),
    ("tomato", "tomatoes"),
    ("knife", "knives"),
    ("life", "lives"),
    ("wife", "wives"),
    ("leaf", "leaves"),
    ("sheaf", "sheaves"),
    ("loaf", "loaves"),
    ("scarf", "scarves"),
    ("alf", "alves"),
    ("elf", "elves"),
    ("olf", "olves"),
    ("alias", "aliases"),
    ("atlas", "atlases"),
    ("gas", "gases"),
    ("iris", "irises"),
    ("yes", "yeses"),
    ("sis", "ses"),
    ("axis", "axes"),
    ("us", "uses"),
    ("ss", "sses"),
    ("s", "s"),
    ("x", "xes"),
    ("ch", "ches"),
    ("sh", "shes"),
    ("zz", "zzes"),
    ("ay", "ays"),
    ("ey", "eys"),
    ("oy", "oys"),
    ("quy", "quies"),
    ("uy", "uys"),
    ("y", "ies"),
];

/// The plural of a name in camel case.
pub(in crate::lower) fn plural(name: &str) -> String {
    let last_word = name.rfind(char::is_uppercase).unwrap_or(0);
    let word = name[last_word..].to_lowercase();
    if UNCOUNTABLE.contains(&word.as_str()) {
        return name.to_owned();
    }
    for (singular, plural) in ENDINGS {
        let (singular, fits) = match singular.strip_prefix('^') {
            Some(whole) => (whole, word == whole),
            None => (*singular, word.ends_with(singular)),
        };
        // Letters that the ending does not change keep their case.
        let kept = singular.bytes().zip(plural.bytes()).take_while(|(old, new)| old == new).count();
        if fits && let Some(start) = name.len().checked_sub(singular.len() - kept) {
            return format!("{}{}", &name[..start], &plural[kept..]);
        }
    }
    format!("{name}s")
}

#[cfg(test)]
mod tests {
    use super::{camel_case, plural};

    #[test]
    fn words_begin_at_capitals_digits_and_underscores() {
        let names = [
            ("OhWhatAUser", "ohWhatAUser"),
            ("user_profile", "userProfile"),
            ("HTTPServer", "httpserver"),
            ("OAuth2Token", "oauth2Token"),
            ("ALL_CAPS", "allCaps"),
            ("Ärzte", "ärzte"),
        ];
        for (name, expected) in names {
            assert_eq!(camel_case(name), expected);
        }
    }

    #[test]
    fn plurals_are_english() {
        let words = "user:users class:classes city:cities day:days box:boxes branch:branches analysis:analyses \
            status:statuses person:people salesPerson:salesPeople human:humans news:news wife:wives photo:photos \
            shelf:shelves vertex:vertices quiz:quizzes s:s y:ies";
        for pair in words.split_whitespace() {
            let (word, expected) = pair.split_once(':').expect("a pair");
            assert_eq!(plural(word), expected);
        }
    }
}
