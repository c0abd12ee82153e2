//! The only place where names change their case, from the schema's spelling to Rust's.

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

/// Files of every client, which no model's module may use.
const OWN_MODULES: &[&str] = &["lib", "queries", "relata_client"];

/// Returns the file and module of a model: like `snake_ident`, but without `r#`, because it is also a file name. In
/// scripts without case, the module would have the name of the type, so it gets a `_`.
pub fn module_name(name: &str) -> String {
    let module = snake_ident(name);
    match module.strip_prefix("r#") {
        Some(keyword) => format!("{keyword}_"),
        None if OWN_MODULES.contains(&module.as_str()) || module == camel_ident(name) => format!("{module}_"),
        None => module,
    }
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
    use super::{camel_ident, module_name, shouty_ident, snake_ident};

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
        assert_eq!(module_name("表"), "表_");
    }
}
