//! What holds for every text there is, tried with arbitrary ones. The fuzz target `pgsql` tries the same.

mod properties;

use proptest::prelude::*;

/// Pieces that mean something to PostgreSQL's scanner.
const PIECES: &[&str] = &[
    "'", "''", "\"", "\"\"", "$$", "$a$", "$1", "$", "E'", "e'\\", "U&'", "U&\"", "N'", "B'0", "X'", "\\'", "\\", "--",
    "/*", "*/", "\n", "\r", " ", "+", "-", "@", "=-", "::", ":=", "..", ":", "(", "]", "1", "1e", ".5", "0x1f", "1_0",
    "a", "_", "ä", "İ", "\u{feff}", "\u{0}", "\u{b}", "select", "between", "and",
];

fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![4 => prop::sample::select(PIECES).prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_cut_into_tokens(text in texts()) {
        properties::everything(&text);
    }
}

#[test]
fn what_was_found_stays_mended() {
    for text in ["", "\u{feff}", "'a'\n'b'", "'a' --c\n'b'", "$a$ $a $a$", "U&\"\\0061\"", "1..2", "a=-1", "E'\\'"] {
        properties::everything(text);
    }
}
