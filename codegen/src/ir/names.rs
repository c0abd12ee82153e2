//! The only place where names change their case, from the schema's spelling to Rust's.

use std::collections::{BTreeMap, BTreeSet};

use heck::{ToShoutySnakeCase, ToSnakeCase, ToUpperCamelCase};

/// Rust's keywords, strict and reserved, of every edition up to 2024.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else", "enum",
    "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move",
    "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Keywords that cannot be raw identifiers.
const RAW_REFUSED: &[&str] = &["crate", "self", "super", "Self", "_"];

/// The types of the language, which are reserved.
pub(crate) const SCALAR_NAMES: [&str; 9] =
    ["String", "Boolean", "Int", "BigInt", "Float", "Decimal", "DateTime", "Json", "Bytes"];

/// Names that Prisma refuses for models and enums, because its clients cannot use them.
const RESERVED: &[&str] = &[
    "PrismaClient",
    "async",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "default",
    "delete",
    "do",
    "else",
    "enum",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "implements",
    "import",
    "in",
    "instanceof",
    "interface",
    "let",
    "new",
    "null",
    "package",
    "private",
    "protected",
    "public",
    "return",
    "super",
    "switch",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "using",
    "var",
    "void",
    "while",
    "with",
    "yield",
];

/// Whether a word is a type of the language.
pub(crate) fn is_type(name: &str) -> bool {
    SCALAR_NAMES.contains(&name) || name == "Unsupported"
}

/// Whether no model and no enum can have that name.
pub fn is_reserved(name: &str) -> bool {
    is_type(name) || RESERVED.contains(&name)
}

/// A field, module or constant: `createdAt` becomes `created_at`, `type` becomes `r#type`, `self` becomes `self_`.
pub fn snake_ident(name: &str) -> String {
    escape_keyword(name.to_snake_case())
}

/// A type or enum variant: `user_role` becomes `UserRole`, `Self` becomes `Self_`.
pub fn camel_ident(name: &str) -> String {
    escape_keyword(name.to_upper_camel_case())
}

/// A constant in capitals, such as a constraint's name: `users_email_key` becomes `USERS_EMAIL_KEY`.
pub fn shouty_ident(name: &str) -> String {
    escape_keyword(name.to_shouty_snake_case())
}

/// Modules that no model may have: files of every client, and the crate in `relata::include_client!()`.
const OWN_MODULES: &[&str] = &["lib", "queries", "relata", "relata_client"];

/// Types of every client, which no model and no enum may hide.
pub(crate) const OWN_TYPES: [&str; 3] = ["Client", "Models", "Transaction"];

/// The same, for a schema with tenants.
pub(crate) const OWN_TYPES_OF_TENANTS: [&str; 4] =
    ["AcrossTenants", "TenantClient", "TenantModels", "TenantTransaction"];

/// Fields that rows have for themselves, and names of arguments in the modules of models. A constant of a field with
/// that name would hide the argument.
pub(crate) const OWN_FIELDS: [&str; 4] = ["at_", "nested_", "row_", "to_"];

/// Returns the file and module of a model: like `snake_ident`, but without `r#`, because it is also a file name. In
/// scripts without case, the module would have the name of the type, so it gets a `_`. A `_` at the end of the name
/// stays.
pub fn module_name(name: &str) -> String {
    let module = snake_ident(name);
    match module.strip_prefix("r#") {
        Some(keyword) => format!("{keyword}_"),
        None if OWN_MODULES.contains(&module.as_str()) || module == camel_ident(name) => format!("{module}_"),
        None => module,
    }
}

/// Returns the identifier that a name without a keyword's meaning is written as: `type` becomes `r#type`. `None` if it
/// cannot be one.
pub(crate) fn written_ident(name: &str) -> Option<String> {
    let ident = if KEYWORDS.contains(&name) { format!("r#{name}") } else { name.to_owned() };
    syn::parse_str::<syn::Ident>(&ident).is_ok().then_some(ident)
}

/// Returns whether rustc takes it as the name of a field, a module or a function.
pub(crate) fn is_snake(ident: &str) -> bool {
    !plain(ident).chars().any(char::is_uppercase)
}

/// Returns whether rustc takes it as the name of a type or a variant: `USD` and `V1_2`, but not `a` or `A_B`.
pub(crate) fn is_camel(ident: &str) -> bool {
    let letters: Vec<char> = plain(ident).trim_matches('_').chars().collect();
    let is_between_digits =
        |triple: &[char]| triple[1] != '_' || !triple[0].is_alphabetic() && !triple[2].is_alphabetic();
    !letters.first().is_some_and(|first| first.is_lowercase()) && letters.windows(3).all(is_between_digits)
}

/// Returns the identifier without `r#`.
pub fn plain(ident: &str) -> &str {
    ident.strip_prefix("r#").unwrap_or(ident)
}

/// A name, and the identifier that it would have alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The name in the schema.
    pub name: &'a str,
    /// The identifier.
    pub ident: String,
}

/// Returns an identifier for each name, none of them twice and none of `taken`, to which they are added.
///
/// Of several names with one identifier, the first one has it: that which is already written like it, otherwise that
/// which begins with a letter in the same case, otherwise the first of the alphabet. The others have a `_` at the end.
/// So neither the order of the names nor a name with another identifier has an effect.
pub fn distinct(wanted: &[Wanted<'_>], taken: &mut BTreeSet<String>) -> Vec<String> {
    let rank = |it: &Wanted<'_>| {
        let ident = plain(&it.ident);
        let is_upper = |text: &str| text.starts_with(char::is_uppercase);
        let is_longer = it.name.strip_prefix(ident).is_some_and(|rest| rest.chars().all(|letter| letter == '_'));
        (it.name != ident, !is_longer, is_upper(it.name) != is_upper(ident))
    };
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_key(|at| (rank(&wanted[*at]), wanted[*at].name, *at));
    let mut chosen = vec![String::new(); wanted.len()];
    let mut next: BTreeMap<&str, usize> = BTreeMap::new();
    for at in order {
        let next = next.entry(&wanted[at].ident).or_default();
        (*next, chosen[at]) = free_from(*next, &wanted[at].ident, taken);
    }
    chosen
}

/// The number of names up to which each has one `_` more than the one before. Later ones have a number.
const MOST_UNDERSCORES: usize = 3;

/// Returns the identifier, or the first free one after it, and takes it: `a`, `a_`, `a__`, `a___`, `a_4`.
pub(crate) fn free(ident: &str, taken: &mut BTreeSet<String>) -> String {
    free_from(0, ident, taken).1
}

/// The same, from a number on. Also returns the number after the one that was free.
fn free_from(first: usize, ident: &str, taken: &mut BTreeSet<String>) -> (usize, String) {
    // A keyword with something behind it is none.
    let numbered = |number: usize| match number {
        0 => ident.to_owned(),
        1..=MOST_UNDERSCORES => format!("{}{}", plain(ident), "_".repeat(number)),
        _ => format!("{}_{number}", plain(ident)),
    };
    let mut number = first;
    while taken.contains(&numbered(number)) {
        number += 1;
    }
    taken.insert(numbered(number));
    (number + 1, numbered(number))
}

/// Returns the identifier of a key: the names of its fields, joined by `_`.
pub(crate) fn joined_ident<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let parts: Vec<&str> = names.map(plain).collect();
    escape_keyword(parts.join("_"))
}

fn escape_keyword(ident: String) -> String {
    if ident.is_empty() || ident.starts_with(|first: char| first.is_ascii_digit()) {
        format!("_{ident}")
    } else if RAW_REFUSED.contains(&ident.as_str()) {
        format!("{ident}_")
    } else if KEYWORDS.contains(&ident.as_str()) {
        format!("r#{ident}")
    } else {
        ident
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Wanted, camel_ident, distinct, is_camel, is_snake, module_name, shouty_ident, snake_ident};

    #[test]
    fn keywords_and_odd_names_become_identifiers() {
        assert_eq!(snake_ident("createdAt"), "created_at");
        assert_eq!(snake_ident("type"), "r#type");
        assert_eq!(snake_ident("self"), "self_");
        assert_eq!(snake_ident("2fa"), "_2fa");
        assert_eq!(camel_ident("user_role"), "UserRole");
        assert_eq!(camel_ident("self"), "Self_");
        assert_eq!(shouty_ident("users_email_key"), "USERS_EMAIL_KEY");
        assert_eq!(module_name("Match"), "match_");
        assert_eq!(module_name("Lib"), "lib_");
        assert_eq!(module_name("Relata"), "relata_");
        assert_eq!(module_name("表"), "表_");
    }

    #[test]
    fn rustc_decides_what_is_in_which_case() {
        for name in ["USD", "User", "V1_2", "User_", "Self_", "表"] {
            assert!(is_camel(name), "{name}");
        }
        for name in ["user", "A_B", "r#type"] {
            assert!(!is_camel(name), "{name}");
        }
        assert!(is_snake("created_at_2") && is_snake("r#type") && !is_snake("createdAt"));
    }

    fn chosen(names: &[&str], ident: fn(&str) -> String, taken: &[&str]) -> Vec<String> {
        let wanted: Vec<_> = names.iter().map(|&name| Wanted { name, ident: ident(name) }).collect();
        distinct(&wanted, &mut taken.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>())
    }

    #[test]
    fn second_names_do_not_depend_on_the_order() {
        assert_eq!(chosen(&["Balance", "balance"], snake_ident, &[]), ["balance_", "balance"]);
        assert_eq!(chosen(&["balance", "other", "Balance"], snake_ident, &[]), ["balance", "other", "balance_"]);
        assert_eq!(chosen(&["CreatedAt", "createdAt"], snake_ident, &[]), ["created_at_", "created_at"]);
        assert_eq!(chosen(&["a", "A_", "A"], camel_ident, &[]), ["A__", "A_", "A"]);
        assert_eq!(chosen(&["TYPE", "type", "Type"], snake_ident, &[]), ["type_", "r#type", "type__"]);
        assert_eq!(chosen(&["self", "self_"], snake_ident, &[]), ["self__", "self_"]);
        assert_eq!(chosen(&["Client"], camel_ident, &["Client"]), ["Client_"]);
        assert_eq!(
            chosen(&["a_b", "A_b", "a_B", "A_B", "aB", "AB"], snake_ident, &[]),
            ["a_b", "a_b_4", "a_b__", "a_b___", "a_b_", "ab"]
        );
    }
}
