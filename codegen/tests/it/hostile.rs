//! Texts that nobody writes but a program may: very deep, very long, very many, in odd encodings. Each is refused with
//! a clear diagnostic or means what it says, in a thread with a small stack, and with memory that grows with the text.
//!
//! Work is counted in bytes allocated, here and for twice the text: no clock, and the same on every machine. What
//! allocates nothing is counted in instructions by `scripts/cost growth`.

use allocation_counter::measure;
use relata_codegen::diagnostics::{Diagnostic, Places, Sources};
use relata_codegen::emit::{EmitOptions, emit};
use relata_codegen::sql::{DiffOptions, Intent, Pair, Side, State, diff, lower, plan, render};
use relata_codegen::{compile, format};

use crate::properties;
use crate::shapes::{SHAPES, model, repeat};

/// Less than the 2 MB that a thread has, so that no editor or build script with less room overflows.
const STACK: usize = 512 * 1024;

fn with_little_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        thread.expect("a thread starts").join().expect("the work is done without a panic")
    })
}

/// The codes that a text is refused with, each once, in the order of the text.
fn refused(text: &str) -> Vec<&'static str> {
    with_little_stack(|| {
        let compiled = compile(&Sources::single("schema.dsl", text));
        let mut codes: Vec<_> =
            compiled.diagnostics.iter().filter(|found| found.is_error()).map(|found| found.code).collect();
        codes.dedup();
        codes
    })
}

#[test]
fn brackets_may_be_as_deep_as_they_like() {
    for (open, close) in [("(", ")"), ("[", "]"), ("{ a: ", " }"), ("f(", ")"), ("[f(", ")]")] {
        for depth in [17, 20_000] {
            let value = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            assert_eq!(refused(&model(&format!("  b Int @default({value})\n"))), ["R0117"], "{depth} {open}");
            assert_eq!(refused(&open.repeat(depth)), ["R0117"], "{depth} {open} alone");
        }
    }
    with_little_stack(|| assert_eq!(format(&"[".repeat(20_000)), "[".repeat(20_000)));
    let blocks = "model A {\n".repeat(5_000);
    assert!(!refused(&blocks).is_empty());
    assert!(!refused(&"/*".repeat(500_000)).is_empty());
}

#[test]
fn names_may_be_a_megabyte_long() {
    let name = "a".repeat(1 << 20);
    let text = model(&format!("  {name} Int\n"));
    assert_eq!(refused(&text), ["R0211"]);
    assert_eq!(
        format(&text).trim(),
        text.replace("id Int @id", &format!("id{} Int @id", " ".repeat(name.len() - 2))).trim()
    );
    for line in ["b NAME", "b Int @NAME", "b Int @db.NAME", "b Int @default(NAME())", "@@index([NAME])", "...NAME"] {
        let found = refused(&model(&format!("  {}\n", line.replace("NAME", &name))));
        assert_eq!(found.len(), 1, "{line}: {found:?}");
    }
    assert_eq!(refused(&model(&format!("  b String @default(\"{name}\")\n"))), [""; 0]);
    assert_eq!(refused(&model(&format!("  b Int @default({})\n", "9".repeat(1 << 20)))).len(), 1);
}

#[test]
fn texts_come_in_any_form() {
    let text = model("  name String // ö\n");
    let means = |text: &str| compile(&Sources::single("schema.dsl", text)).schema;
    for same in [text.replace('\n', "\r\n"), text.replace('\n', "\r"), format!("\u{FEFF}{text}")] {
        assert!(means(&same).is_some());
        assert_eq!(means(&same), means(&text));
    }
    assert_eq!(refused(&text.replace('n', "\0")), ["R0118"]);
    assert_eq!(refused(&"\0".repeat(1 << 20)), ["R0118"]);
    assert_eq!(refused(&format!("{text}\u{FEFF}")).len(), 1);
    // Letters of every script are names, in Rust too.
    for name in ["größe", "имя", "名前", "שם"] {
        let text = model(&format!("  {name} Int\n"));
        assert_eq!(refused(&text), [""; 0], "{name}");
        properties::generate(&text);
    }
    // Digits of other scripts, marks without a letter, and the joiners that make two names look alike.
    for name in ["٣a", "\u{301}a", "a\u{200B}b", "a\u{202E}b", "🦀"] {
        assert!(!refused(&model(&format!("  {name} Int\n"))).is_empty(), "{name:?}");
    }
}

#[test]
fn twenty_thousand_models_are_a_schema() {
    let text = repeat(20_000, |i| format!("model M{i} {{\n  id Int @id\n}}\n\n"));
    with_little_stack(|| {
        let schema = compile(&Sources::single("schema.dsl", &text)).schema.expect("the schema is right");
        assert_eq!(lower(&schema).tables.len(), 20_000);
        assert_eq!(format(&text).trim_end(), text.trim_end());
    });
}

#[test]
fn ten_megabytes_are_read() {
    let line = format!("// {}\n", "x".repeat(1000));
    let text = format!("{}{}", line.repeat(10_500), model("  a Nothing\n"));
    assert!(text.len() > 10_000_000);
    assert_eq!(refused(&text).len(), 1);
}

/// What is done with a text of a certain size.
type Work = fn(&str);

const WORK: &[(&str, Work)] = &[
    ("check", |text| drop(reported(text))),
    ("format", |text| drop(format(text))),
    ("generate", |text| {
        if let Some(schema) = compile(&Sources::single("schema.dsl", text)).schema {
            emit(&schema, &EmitOptions { source: "schema.dsl".to_owned(), crate_root: true });
        }
    }),
    ("migrate", |text| {
        let Some(schema) = compile(&Sources::single("schema.dsl", text)).schema else { return };
        let (full, empty) = ((lower(&schema), Intent::of(&schema)), (State::default(), Intent::default()));
        for (previous, next) in [(&empty, &full), (&full, &full), (&full, &empty)] {
            let side = |(state, intent)| Side { state, intent: Some(intent) };
            let pair = Pair { previous: side((&previous.0, &previous.1)), next: side((&next.0, &next.1)) };
            render(&plan(diff(pair, &DiffOptions::default()).expect("nothing looks renamed")));
        }
    }),
];

/// All diagnostics, with their places.
fn reported(text: &str) -> Vec<Diagnostic> {
    let sources = Sources::single("schema.dsl", text);
    let found = compile(&sources).diagnostics;
    let places = Places::new(&sources);
    assert!(found.iter().all(|diagnostic| places.start(diagnostic.span).is_some()));
    found
}

/// Twice the text takes at most a little more than twice the bytes, and never more than so many for each of its own.
#[test]
fn memory_grows_with_the_text() {
    for (shape, text) in SHAPES {
        let texts = [text(100), text(200)];
        for (what, work) in WORK {
            let [once, twice] = [&texts[0], &texts[1]].map(|text| measure(|| work(text)));
            let growth = twice.bytes_total as f64 / once.bytes_total.max(1) as f64;
            assert!(growth < 2.4, "{what} of {shape}: {growth:.2} times the bytes for twice the text");
            let peak = twice.bytes_max / texts[1].len() as u64;
            assert!(peak < 2_000, "{what} of {shape}: {peak} bytes at once for each of the text");
        }
    }
}
