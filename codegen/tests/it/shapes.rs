//! Texts that get longer in one way each, right ones and wrong ones: what takes twice as long for twice the text must
//! not take four times as long. The tests count bytes, and `scripts/cost growth` counts instructions.

use crate::synthetic;

/// What grows, and the text of a size.
pub(crate) type Shape = (&'static str, fn(usize) -> String);

pub(crate) const SHAPES: &[Shape] = &[
    ("models", |n| synthetic::schema(n / 5)),
    ("models without an end", |n| "model A {\n".repeat(n)),
    ("unknown types", |n| repeat(n, |i| format!("model M{i} {{\n  id Int @id\n  a Unknown{i}\n}}\n"))),
    ("models of one name", |n| "model A {\n  id Int @id\n}\n".repeat(n)),
    ("fields", |n| model(&repeat(n, |i| format!("  f{i} Int\n")))),
    ("fields of one name", |n| model(&"  a Int\n".repeat(n))),
    ("unknown fields in indexes", |n| model(&repeat(n, |i| format!("  f{i} Int\n  @@index([g{i}])\n")))),
    ("keys", |n| model(&repeat(n, |i| format!("  f{i} Int\n  @@unique([id, f{i}])\n")))),
    ("values", |n| format!("{}{}", model("  e E\n"), values(n))),
    ("defaults of one enum", |n| {
        format!("{}{}", model(&repeat(n, |i| format!("  f{i} E @default(V{i})\n"))), values(n))
    }),
    ("unknown values", |n| format!("{}{}", model(&repeat(n, |i| format!("  f{i} E @default(W{i})\n"))), values(n))),
    ("mixins", |n| {
        repeat(n, |i| format!("mixin M{i} {{\n  f Int @unknown\n}}\nmodel A{i} {{\n  id Int @id\n  ...M{i}\n}}\n"))
    }),
    ("relations without another side", |n| repeat(n, |i| format!("model A{i} {{\n  id Int @id\n  b{i} A0?\n}}\n"))),
    ("tables that point at the next", |n| {
        repeat(n, |i| {
            // The last one points at itself.
            let next = (i + 1).min(n - 1);
            let before =
                if i == 0 { String::new() } else { format!("  before A{}[] @relation(\"r{}\")\n", i - 1, i - 1) };
            let own = if next == i { format!("  own A{i}[] @relation(\"r{i}\")\n") } else { String::new() };
            let next = format!("A{next}? @relation(\"r{i}\", fields: [nextId], references: [id])");
            format!("model A{i} {{\n  id Int @id\n{before}{own}  nextId Int?\n  next {next}\n}}\n")
        })
    }),
    ("comments", |n| "// a comment\n".repeat(n)),
    ("lines of nonsense", |n| "?!\u{1}\n".repeat(n)),
];

/// A model with more fields than its key.
pub(crate) fn model(fields: &str) -> String {
    format!("model A {{\n  id Int @id\n{fields}}}\n")
}

fn values(n: usize) -> String {
    format!("enum E {{\n{}}}\n", repeat(n, |i| format!("  V{i}\n")))
}

/// One piece of text per number.
pub(crate) fn repeat(times: usize, piece: impl Fn(usize) -> String) -> String {
    (0..times).map(piece).collect()
}
