//! Names in other languages (SQL, Rust, TypeScript, other schema languages) and their equivalents, for help texts.

/// Types of PostgreSQL for which the language has neither a scalar nor a name.
const UNSUPPORTED: [&str; 6] = ["circle", "line", "name", "path", "polygon", "tsquery"];

/// Returns how to write a type that other languages call `name`, with its arguments in parentheses, if any.
pub(crate) fn type_hint(name: &str, arguments: Option<&str>) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let sized = |ty: &str, native: &str, usual: &str| {
        let arguments = arguments.map_or(usual, str::trim);
        format!("{ty} @db.{native}({arguments})")
    };
    let plain = match lower.as_str() {
        "text" | "str" => "String",
        "uuid" => "String @db.Uuid",
        "inet" => "Inet",
        "xml" => "String @db.Xml",
        "citext" => "String @db.Citext",
        "bool" => "Boolean",
        "integer" | "int4" | "i32" | "number" => "Int",
        "smallint" | "int2" | "i16" => "Int @db.SmallInt",
        "serial" => "Int @default(autoincrement())",
        "int8" | "i64" | "long" => "BigInt",
        "bigserial" => "BigInt @default(autoincrement())",
        "double" | "float8" | "f64" => "Float",
        "real" | "float4" | "f32" => "Float @db.Real",
        "money" => "Decimal @db.Money",
        "date" => "DateTime @db.Date",
        "jsonb" | "object" => "Json",
        "bytea" | "blob" | "binary" => "Bytes",
        "numeric" if arguments.is_none() => "Decimal",
        "timestamp" if arguments.is_none() => "DateTime",
        "varchar" | "string" => return Some(sized("String", "VarChar", "255")),
        "char" | "bpchar" => return Some(sized("String", "Char", "10")),
        "bit" => return Some(sized("String", "Bit", "8")),
        "numeric" | "decimal" => return Some(sized("Decimal", "Decimal", "10, 2")),
        "timestamp" | "datetime" => return Some(sized("DateTime", "Timestamp", "3")),
        "timestamptz" => return Some(sized("DateTime", "Timestamptz", "3")),
        "time" => return Some(sized("DateTime", "Time", "3")),
        "timetz" => return Some(sized("DateTime", "Timetz", "3")),
        other if UNSUPPORTED.contains(&other) => {
            let arguments = arguments.map(|text| format!("({text})")).unwrap_or_default();
            return Some(format!("Unsupported(\"{other}{arguments}\")"));
        }
        _ => return None,
    };
    Some(plain.to_owned())
}

/// Returns what to write instead of a field attribute of another language.
pub(crate) fn field_attribute_hint(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase().replace('_', "");
    Some(match lower.as_str() {
        "autoincrement" | "now" | "uuid" | "cuid" | "ulid" | "nanoid" | "dbgenerated" => {
            format!("write `@default({name}())`")
        }
        "createdat" => "write `@default(now())`".to_owned(),
        "primary" | "primarykey" | "pk" | "key" => "write `@id`".to_owned(),
        "length" | "size" | "max" | "maxlength" => "a length belongs to the native type: `@db.VarChar(255)`".to_owned(),
        "nullable" | "optional" | "null" => "write `?` after the type: `String?`".to_owned(),
        "required" | "notnull" => "remove it: a field without `?` is required".to_owned(),
        "column" | "name" | "dbname" => "write `@map(\"name_in_the_database\")`".to_owned(),
        "references" | "foreignkey" | "fk" | "ref" => {
            "write `@relation(fields: [..], references: [..])` on a field whose type is the other model".to_owned()
        }
        "private" | "secret" | "hidden" | "omit" => {
            "write `@sensitive` to keep it out of Debug, or `@ignore` to keep it out of the client".to_owned()
        }
        "comment" | "description" | "doc" => "write a comment with `///` above the field".to_owned(),
        _ => return None,
    })
}

/// The same for attributes of a model.
pub(crate) fn block_attribute_hint(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().replace('_', "").as_str() {
        "primary" | "primarykey" | "pk" | "key" => "write `@@id([a, b])`",
        "table" | "tablename" | "name" => "write `@@map(\"name_in_the_database\")`",
        "constraint" => "write `@@check(\"price > 0\")`",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{field_attribute_hint, type_hint};

    #[test]
    fn words_of_other_languages_are_known() {
        let hint = |name, arguments| type_hint(name, arguments).unwrap_or_default();
        assert_eq!(hint("varchar", Some("40")), "String @db.VarChar(40)");
        assert_eq!(hint("NUMERIC", Some("10,2")), "Decimal @db.Decimal(10,2)");
        assert_eq!(hint("timestamptz", None), "DateTime @db.Timestamptz(3)");
        assert_eq!(hint("circle", None), "Unsupported(\"circle\")");
        assert_eq!(hint("Invoice", None), "");
        assert_eq!(field_attribute_hint("primary_key").as_deref(), Some("write `@id`"));
        assert_eq!(field_attribute_hint("unqiue"), None);
    }
}
