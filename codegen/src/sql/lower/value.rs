//! Defaults: which of them belong to the database, and their values.

use crate::ir::{ColumnType, ColumnWalker, DefaultValue, Literal, ScalarType};
use crate::sql::moment::in_type;
use crate::sql::names::sequence_name;
use crate::sql::state::{ColumnDefault, ObjectName};

/// Returns the default in the database; `None` for defaults that the client generates.
pub(super) fn lower_default(
    column: ColumnWalker<'_>,
    default: &DefaultValue,
    table: &ObjectName,
) -> Option<ColumnDefault> {
    match default {
        DefaultValue::Literal(_) | DefaultValue::EnumValue(_) => {
            lower_value(column, default).map(ColumnDefault::Literal)
        }
        DefaultValue::List(items) => {
            Some(ColumnDefault::List(items.iter().filter_map(|item| lower_value(column, item)).collect()))
        }
        DefaultValue::Now => Some(ColumnDefault::Expression("CURRENT_TIMESTAMP".to_owned())),
        DefaultValue::Autoincrement => Some(ColumnDefault::Sequence(sequence_name(table, column.db_name()))),
        DefaultValue::DbGenerated(Some(sql)) => Some(ColumnDefault::Expression(sql.clone())),
        DefaultValue::DbGenerated(None) => Some(ColumnDefault::Unmanaged),
        DefaultValue::Uuid(_) | DefaultValue::Cuid(_) | DefaultValue::Ulid | DefaultValue::Nanoid(_) => None,
    }
}

fn lower_value(column: ColumnWalker<'_>, value: &DefaultValue) -> Option<String> {
    match (value, &column.column().ty) {
        (DefaultValue::EnumValue(index), ColumnType::Enum(id)) => {
            let values = &column.schema.walk_enum(*id).enumeration().values;
            values.get(*index).map(|value| value.db_name.clone())
        }
        (DefaultValue::Literal(Literal::String(text)), ColumnType::Scalar(ScalarType::Bytes, _)) => {
            Some(bytes_from_base64(text))
        }
        (DefaultValue::Literal(Literal::String(text)), ColumnType::Scalar(ScalarType::DateTime, native)) => {
            Some(in_type(text, *native).unwrap_or_else(|| text.clone()))
        }
        (DefaultValue::Literal(Literal::String(text) | Literal::Number(text)), _) => Some(text.clone()),
        (DefaultValue::Literal(Literal::Boolean(value)), _) => Some(value.to_string()),
        _ => None,
    }
}

/// Returns `\x0102` for `AQI=`. Characters other than base64 were refused before, and are skipped.
fn bytes_from_base64(text: &str) -> String {
    let mut hex = String::from("\\x");
    let (mut buffer, mut bits) = (0_u32, 0_u32);
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => continue,
        };
        buffer = (buffer << 6 | u32::from(value)) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            hex += &format!("{:02x}", buffer >> bits & 0xff);
        }
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::bytes_from_base64;

    #[test]
    fn base64_becomes_hexadecimal() {
        assert_eq!(bytes_from_base64("AQID/w=="), "\\x010203ff");
        assert_eq!(bytes_from_base64(""), "\\x");
    }
}
