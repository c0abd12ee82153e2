//! The tables and functions that random queries are made of.

/// A table and its columns with their types.
pub(super) type Table = (&'static str, &'static [(&'static str, &'static str)]);

/// The tables of `schema.dsl`.
pub(super) const TABLES: [Table; 3] = [
    (
        "wide",
        &[
            ("id", "int4"),
            ("i", "int4"),
            ("i_n", "int4"),
            ("s", "int2"),
            ("s_n", "int2"),
            ("b", "int8"),
            ("b_n", "int8"),
            ("f", "float8"),
            ("f_n", "float8"),
            ("r", "float4"),
            ("r_n", "float4"),
            ("d", "numeric"),
            ("d_n", "numeric"),
            ("t", "text"),
            ("t_n", "text"),
            ("v", "varchar"),
            ("v_n", "varchar"),
            ("c", "bpchar"),
            ("c_n", "bpchar"),
            ("u", "uuid"),
            ("u_n", "uuid"),
            ("k", "bool"),
            ("k_n", "bool"),
            ("ts", "timestamp"),
            ("ts_n", "timestamp"),
            ("tz", "timestamptz"),
            ("tz_n", "timestamptz"),
            ("day", "date"),
            ("day_n", "date"),
            ("tm", "time"),
            ("tm_n", "time"),
            ("j", "jsonb"),
            ("j_n", "jsonb"),
            ("js", "json"),
            ("js_n", "json"),
            ("y", "bytea"),
            ("y_n", "bytea"),
            ("m", "mood"),
            ("m_n", "mood"),
            ("li", "int4[]"),
            ("lb", "int8[]"),
            ("lf", "float8[]"),
            ("lt", "text[]"),
            ("lu", "uuid[]"),
            ("lm", "mood[]"),
            ("lj", "jsonb[]"),
        ],
    ),
    (
        "node",
        &[
            ("id", "int4"),
            ("parent", "int4"),
            ("label", "text"),
            ("note", "text"),
            ("wide", "int4"),
            ("mood", "mood"),
            ("size", "int8"),
            ("tags", "text[]"),
        ],
    ),
    ("link", &[("a", "int4"), ("b", "int4"), ("id", "int4"), ("note", "text"), ("at", "timestamptz")]),
];

/// Types that a client reads, the usual ones several times.
pub(super) const READ: [&str; 32] = [
    "int4",
    "int4",
    "int4",
    "int8",
    "int8",
    "int2",
    "float8",
    "float8",
    "float4",
    "numeric",
    "numeric",
    "text",
    "text",
    "text",
    "text",
    "varchar",
    "bpchar",
    "uuid",
    "bool",
    "bool",
    "bool",
    "timestamp",
    "timestamptz",
    "timestamptz",
    "date",
    "time",
    "jsonb",
    "json",
    "bytea",
    "mood",
    "int4[]",
    "text[]",
];

/// What `elem` can stand for.
pub(super) const ELEMENTS: [&str; 16] = [
    "int4",
    "int8",
    "int2",
    "float8",
    "float4",
    "numeric",
    "text",
    "varchar",
    "uuid",
    "bool",
    "timestamp",
    "timestamptz",
    "date",
    "jsonb",
    "mood",
    "bytea",
];

/// Types that turn into one another, from narrow to wide.
pub(super) const FAMILIES: [&[&str]; 3] = [
    &["int2", "int4", "int8", "numeric", "float4", "float8"],
    &["bpchar", "varchar", "text"],
    &["date", "timestamp", "timestamptz"],
];

/// Values of a type as the texts between quotes.
pub(super) fn values(ty: &str) -> &'static [&'static str] {
    match ty {
        "int2" | "int4" | "int8" | "oid" => &["0", "1", "2", "3", "7"],
        "float4" | "float8" | "numeric" => &["0", "1", "2.5", "0.5", "-1.25"],
        "money" => &["1.50"],
        "text" | "varchar" => &["", "a", "a,b", "two words", "1", "%"],
        "bpchar" | "name" => &["a", "abc"],
        "uuid" => &["00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000009"],
        "bool" => &["true", "false"],
        "timestamp" | "timestamptz" => &["2024-01-31 10:11:12", "2000-01-01"],
        "date" => &["2024-02-29", "2000-01-01"],
        "time" | "timetz" => &["10:20:30"],
        "interval" => &["1 day", "2 hours", "1 month"],
        "json" | "jsonb" => &["{\"a\": 1}", "[1, 2]", "null", "\"x\"", "{}"],
        "bytea" => &["\\x01", ""],
        "mood" => &["HAPPY", "so sad"],
        "jsonpath" => &["$.a", "$[*]", "$.a ? (@ > 0)"],
        "tsvector" => &["a b", ""],
        "tsquery" => &["a", "a & b"],
        "citext" => &["a", ""],
        "regclass" => &["node_id_seq"],
        "regconfig" => &["english", "simple"],
        "bit" | "varbit" => &["101"],
        "inet" => &["10.0.0.1", "10.0.0.0/8", "::1"],
        "cidr" => &["10.0.0.0/8", "::/0"],
        "macaddr" => &["08:00:2b:01:02:03"],
        "macaddr8" => &["08:00:2b:01:02:03:04:05"],
        "point" => &["(0,0)", "(1,2)", "(NaN,1)"],
        "line" => &["{1,-1,0}", "{1,-1,1}", "{0,1,0}"],
        "lseg" => &["[(0,0),(1,1)]", "[(5,5),(6,6)]", "[(0,0),(0,0)]"],
        "box" => &["(1,1),(0,0)", "(6,6),(5,5)"],
        "path" => &["((0,0),(1,1))", "[(0,0),(1,0)]", "[(0,0)]"],
        "polygon" => &["((0,0),(1,1),(1,0))", "((5,5))"],
        "circle" => &["<(0,0),1>", "<(5,5),0>"],
        "int4range" | "numrange" => &["empty", "[1,3)", "(,2)", "[5,)"],
        "daterange" => &["empty", "[2024-01-01,2024-02-01)", "(,)"],
        "int4multirange" => &["{}", "{[1,3)}", "{(,2),[5,)}"],
        "int4[]" | "int8[]" | "int2[]" | "numeric[]" => &["{}", "{1,2}", "{3}"],
        "float8[]" | "float4[]" => &["{}", "{0.5,0.25}"],
        "text[]" | "varchar[]" => &["{}", "{a}", "{a,b}"],
        "mood[]" => &["{}", "{HAPPY}"],
        "uuid[]" => &["{}", "{00000000-0000-0000-0000-000000000001}"],
        "bool[]" => &["{}", "{t,f}"],
        "jsonb[]" | "json[]" => &["{}", "{1}"],
        _ => &["{}"],
    }
}

/// A line of the compiler's `functions.txt`.
#[derive(Debug, Clone)]
pub(super) struct Signature {
    pub(super) kind: &'static str,
    pub(super) name: &'static str,
    pub(super) args: Vec<&'static str>,
    pub(super) variadic: bool,
    pub(super) result: &'static str,
    /// Of a set: its columns, with their types.
    pub(super) columns: Vec<(&'static str, &'static str)>,
    pub(super) within: bool,
    /// When it is null: `?`, `!`, `0`, `2`, or nothing.
    pub(super) mark: &'static str,
}

/// The functions that are listed by hand.
pub(super) fn signatures() -> Vec<Signature> {
    read_signatures(include_str!("../../../../codegen/src/queries/functions.txt"))
}

/// The functions that are listed by a script, some of which stop the server.
pub(super) fn catalog() -> Vec<Signature> {
    read_signatures(include_str!("../../../../codegen/src/queries/catalog.txt"))
}

/// The operators of PostgreSQL, with names such as `operator &&`.
pub(super) fn operators() -> Vec<Signature> {
    read_signatures(include_str!("../../../../codegen/src/queries/operators.txt"))
}

fn read_signatures(text: &'static str) -> Vec<Signature> {
    let mut kind = "";
    let mut signatures = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            kind = section.trim_end_matches(']');
        }
        let Some((name, rest)) = line.split_once('(').filter(|_| !line.starts_with(['#', '['])) else { continue };
        let Some((args, rest)) = rest.split_once(')') else { continue };
        let variadic = args.ends_with("...");
        let args = args.trim_end_matches("...").split(',').map(str::trim).filter(|arg| !arg.is_empty());
        let mut words = rest.split_whitespace();
        let result = words.next().unwrap_or_default();
        let (mut columns, mut within, mut mark) = (Vec::new(), false, "");
        for word in words {
            columns.extend(word.split_once(':').map(|(name, ty)| (name, ty.trim_end_matches('?'))));
            within |= word == "within";
            if matches!(word, "?" | "!" | "0" | "2") {
                mark = word;
            }
        }
        signatures.push(Signature { kind, name, args: args.collect(), variadic, result, columns, within, mark });
    }
    signatures
}
