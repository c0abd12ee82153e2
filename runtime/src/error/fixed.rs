//! Messages of types and extensions whose text is known: they hold numbers of dimensions, positions and reference
//! systems, and never a value.
//!
//! A message is known by the file of the source that raises it. So no function of a database can imitate one.

/// The files that raise messages, and their texts. `#` stands for a number, `@` for a word.
const KNOWN: &[(&[&str], &[&str])] = &[
    (
        &["vector.c", "halfvec.c", "sparsevec.c", "bitutils.c", "bitvec.c"],
        &[
            "expected # dimensions, not #",
            "different vector dimensions # and #",
            "different halfvec dimensions # and #",
            "different sparsevec dimensions # and #",
            "different bit lengths # and #",
            "NaN not allowed in @",
            "infinite value not allowed in @",
            "@ must have at least # dimension",
            "@ cannot have more than # dimensions",
            "sparsevec cannot have more than # non-zero elements",
            "array must be #-D",
            "array must not contain nulls",
        ],
    ),
    (
        &["lwgeom_pg.c", "gserialized_typmod.c", "lwgeom_inout.c", "geography_inout.c"],
        &[
            "@: Operation on mixed SRID geometries (@, #) != (@, #)",
            "Operation on mixed SRID geometries (@, #) != (@, #)",
            "Geometry SRID (#) does not match column SRID (#)",
            "Geometry type (@) does not match column type (@)",
            "Geometry has Z dimension but column does not",
            "Column has Z dimension but geometry does not",
            "Geometry has M dimension but column does not",
            "Column has M dimension but geometry does not",
            "Only lon/lat coordinate systems are supported in geography.",
            "parse error - invalid geometry",
            "WKB structure does not match expected size!",
            "@: Argument must be @ geometries",
        ],
    ),
    (
        &["ltree_io.c", "ltxtquery_io.c", "ltree_op.c"],
        &[
            "ltree syntax error at character #",
            "lquery syntax error at character #",
            "ltree syntax error",
            "lquery syntax error",
            "number of ltree labels (#) exceeds the maximum allowed (#)",
            "number of lquery items (#) exceeds the maximum allowed (#)",
            "label string is too long",
            "invalid positions",
        ],
    ),
    (
        &["hstore_io.c"],
        &[
            "Unexpected end of string",
            "syntax error in hstore: unexpected end of string",
            "string too long for hstore @",
        ],
    ),
    (
        &["rangetypes.c", "multirangetypes.c"],
        &[
            "range lower bound must be less than or equal to range upper bound",
            "result of range difference would not be contiguous",
            "result of range union would not be contiguous",
            "range constructor flags argument must not be null",
            "invalid range bound flags",
            "multirange values cannot contain null members",
        ],
    ),
    (
        &["varbit.c"],
        &[
            "bit string length # does not match type bit(#)",
            "bit string too long for type bit varying(#)",
            "cannot AND bit strings of different sizes",
            "cannot OR bit strings of different sizes",
            "cannot XOR bit strings of different sizes",
        ],
    ),
];

/// Returns whether a message has one of the known texts, and comes from the source of the type.
pub(super) fn is_known(file: Option<&str>, message: &str) -> bool {
    let file = file.and_then(|file| file.rsplit(['/', '\\']).next());
    let of_file = KNOWN.iter().filter(|(files, _)| file.is_some_and(|file| files.contains(&file)));
    of_file.into_iter().any(|(_, texts)| texts.iter().any(|text| fits(text, message)))
}

/// Returns whether a message has the form of a text.
fn fits(text: &str, message: &str) -> bool {
    let mut rest = message;
    for expected in text.chars() {
        let end = match expected {
            '#' => rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()),
            '@' => rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len()),
            _ if rest.starts_with(expected) => expected.len_utf8(),
            _ => 0,
        };
        if end == 0 {
            return false;
        }
        rest = &rest[end..];
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::is_known;

    #[test]
    fn messages_without_values_are_known() {
        for (file, message) in [
            ("vector.c", "different vector dimensions 3 and 4"),
            ("src/vector.c", "expected 3 dimensions, not 2"),
            ("halfvec.c", "NaN not allowed in halfvec"),
            ("lwgeom_pg.c", "ST_Distance: Operation on mixed SRID geometries (Point, 4326) != (MultiPoint, 0)"),
            ("gserialized_typmod.c", "Geometry SRID (4326) does not match column SRID (3857)"),
            ("ltree_io.c", "ltree syntax error at character 3"),
            ("rangetypes.c", "range lower bound must be less than or equal to range upper bound"),
            ("varbit.c", "bit string length 3 does not match type bit(5)"),
        ] {
            assert!(is_known(Some(file), message), "{message}");
        }
    }

    #[test]
    fn a_message_with_a_value_is_not() {
        for (file, message) in [
            (Some("vector.c"), "invalid input syntax for type vector: \"secret\""),
            (Some("vector.c"), "different vector dimensions 3 and secret"),
            (Some("vector.c"), "different vector dimensions 3 and 4 secret"),
            (Some("vector.c"), "different vector dimensions  and 4"),
            (Some("hstore_io.c"), "syntax error in hstore, near \"s\" at position 0"),
            (Some("lwgeom_pg.c"), "parse error - invalid geometry secret"),
            // A function of the database raises it.
            (Some("pl_exec.c"), "different vector dimensions 3 and 4"),
            (None, "different vector dimensions 3 and 4"),
        ] {
            assert!(!is_known(file, message), "{message}");
        }
    }
}
