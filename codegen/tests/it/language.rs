//! Schemas and what the compiler makes of them: diagnostics as plain text, or the IR.

use std::path::Path;

use relata_codegen::diagnostics::{CODES, SourceFile, Sources, find_code, render_plain, shorten};
use relata_codegen::{Compiled, compile, fix, format};

fn compile_fixture(path: &Path) -> (Sources, Compiled) {
    let text = std::fs::read_to_string(path).expect("a fixture is UTF-8");
    let sources = example(&path.file_name().unwrap_or_default().to_string_lossy(), &text);
    let compiled = compile(&sources);
    (sources, compiled)
}

fn rendered(sources: &Sources, compiled: &Compiled) -> String {
    let texts: Vec<_> = compiled.diagnostics.iter().map(|diagnostic| render_plain(diagnostic, sources)).collect();
    texts.join("\n")
}

/// Every file of `syntax` and `validation` is refused or warned about, in the words of its snapshot.
#[test]
fn mistakes_are_explained() {
    insta::glob!("../fixtures", "{syntax,validation}/*.dsl", |path| {
        let (sources, compiled) = compile_fixture(path);
        assert!(!compiled.diagnostics.is_empty(), "{} is accepted", path.display());
        insta::assert_snapshot!(rendered(&sources, &compiled));
    });
}

/// The first example of every code emits it and nothing else, the second has nothing wrong.
#[test]
fn every_code_is_explained_by_examples() {
    let mut texts = Vec::new();
    for code in CODES.iter().filter(|code| !code.is_about_queries()) {
        let examples: Vec<_> = code.examples().collect();
        let [wrong, right] = examples.as_slice() else { panic!("{} has {} examples", code.code, examples.len()) };
        let sources = example(&format!("{}.dsl", code.code), wrong);
        let compiled = compile(&sources);
        let text = rendered(&sources, &compiled);
        let codes: Vec<_> = compiled.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
        assert!(!codes.is_empty() && codes.iter().all(|found| *found == code.code), "{}: {text}", code.code);
        texts.push(text);
        let sources = example("right.dsl", right);
        let compiled = compile(&sources);
        assert!(compiled.diagnostics.is_empty(), "{}: {}", code.code, rendered(&sources, &compiled));
    }
    insta::assert_snapshot!(texts.join("\n"));
}

/// A schema, and the files of views and objects behind it, each after a line with its path.
fn example(path: &str, text: &str) -> Sources {
    let mut sources = Sources::single(path, "");
    for line in text.split_inclusive('\n') {
        let path = line.trim_end().strip_prefix("-- ").filter(|path| path.ends_with(".sql"));
        let file = |path: &str| SourceFile { path: path.to_owned(), text: String::new() };
        match path {
            Some(path) if path.starts_with("views/") => sources.views.push(file(path)),
            Some(path) => sources.objects.push(file(path)),
            None => {
                let files = sources.objects.last_mut().or(sources.views.last_mut()).or(sources.files.last_mut());
                files.expect("there is the schema").text += line;
            }
        }
    }
    sources
}

/// Codes are unique and in order, and can be found.
#[test]
fn codes_are_in_order() {
    assert!(CODES.windows(2).all(|pair| pair[0].code < pair[1].code));
    assert!(CODES.iter().all(|code| find_code(code.code) == Some(*code)));
    assert_eq!(find_code("R9999"), None);
}

/// The proposed changes resolve what proposes them, and bring no errors.
#[test]
fn proposed_changes_resolve_what_they_are_for() {
    insta::glob!("../fixtures", "validation/*.dsl", |path| {
        let (sources, compiled) = compile_fixture(path);
        let fixed = fix(&sources);
        let again = compile(&fixed.sources);
        assert!(
            again.diagnostics.iter().all(|diagnostic| diagnostic.edits.is_empty()),
            "{}",
            rendered(&fixed.sources, &again)
        );
        let errors = |compiled: &Compiled| compiled.diagnostics.iter().filter(|found| found.is_error()).count();
        assert!(errors(&again) <= errors(&compiled), "{}", rendered(&fixed.sources, &again));
    });
}

#[test]
fn a_schema_is_given_to_its_tenants() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/validation/rows_of_tenants_do_not_meet.dsl");
    let (sources, _) = compile_fixture(&path);
    let fixed = fix(&sources);
    let texts: Vec<_> = fixed.resolved.iter().map(|found| format!("{}: {}", found.code, found.message)).collect();
    let text = format(&fixed.sources.files[0].text);
    let removed = |line: &&str| {
        !sources.files[0].text.lines().any(|before| before.split_whitespace().eq(line.split_whitespace()))
    };
    let new: Vec<_> =
        text.lines().filter(removed).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    insta::assert_snapshot!([texts, new].concat().join("\n"));
}

/// A key with `global: true` means what it says, also where Citus cannot check it.
#[test]
fn a_fix_keeps_what_is_unique_across_tenants() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/validation/rows_on_other_servers.dsl");
    let (sources, _) = compile_fixture(&path);
    assert!(sources.files[0].text.contains("@unique(global: true)"));
    let fixed = fix(&sources);
    assert!(fixed.sources.files[0].text.contains("@unique(global: true)"), "{}", fixed.sources.files[0].text);
    let left = compile(&fixed.sources).diagnostics;
    let told = left.iter().find(|found| found.code == "R1104" && found.message.contains("email")).expect("is reported");
    assert!(told.help.as_deref().is_some_and(|help| help.contains("or drop `global: true`")), "{told:?}");
}

/// What is proposed for a relation of one side is the whole of it, also if a model references itself.
#[test]
fn a_fix_completes_relations() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/validation");
    let left = |name: &str| {
        let (sources, _) = compile_fixture(&folder.join(name));
        let fixed = fix(&sources);
        let compiled = compile(&fixed.sources);
        compiled.diagnostics.iter().map(|found| format!("{} {}", found.code, found.message)).collect::<Vec<_>>()
    };
    let lists = ["boxes", "things", "boxes"].into_iter().zip(["City", "Box", "Thing"]);
    let lists = lists.map(|(field, model)| format!("R0701 `{model}.{field}` has no field on its other side"));
    let relations = left("relations_of_one_side.dsl");
    assert!(relations.iter().zip(lists).all(|(found, list)| found.starts_with(&list)), "{relations:#?}");
    assert_eq!(relations.len(), 3, "{relations:#?}");
    let actions = left("what_a_deletion_cannot_set_to_null.dsl");
    assert_eq!(actions, ["R0712 `onDelete: SetNull` cannot set `orgId` to null, because it is required"]);
}

const ORDERS: &str = "model Shop {
  id     Int     @id
  orders Order[]
  lines  Line[]

  @@tenant
}

model Order {
  id     Int    @id @default(autoincrement())
  shopId Int
  shop   Shop   @relation(fields: [shopId], references: [id])
  lines  Line[]

  @@tenant(shop)
}

model Line {
  orderId  Int
  order    Order @relation(fields: [orderId], references: [id])
  position Int
  shopId   Int
  shop     Shop  @relation(fields: [shopId], references: [id])

  @@id([orderId, position])
  @@tenant(shop)
}
";

/// An index for a foreign key that another fix changes would be redundant, and so would a warning about a key whose part
/// references one row.
#[test]
fn fixes_leave_no_redundant_index_and_no_new_warning() {
    let fixed = fix(&Sources::single("schema.dsl", ORDERS));
    let text = &fixed.sources.files[0].text;
    assert!(text.contains("fields: [shopId, orderId], references: [shopId, id]"), "{text}");
    let (order, line) = text.split_once("model Line").expect("has both");
    assert!(order.contains("@@unique([shopId, id])") && !order.contains("@@index"), "{order}");
    assert_eq!(line.matches("@@index").count(), 1, "{line}");
    assert!(line.contains("@@index([shopId, orderId])"), "{line}");
    assert_eq!(compile(&fixed.sources).diagnostics, []);
    // Where another tenant may have the same number, the key is reported.
    let own = text
        .replace("id     Int    @id @default(autoincrement())", "id     Int")
        .replace("@@unique([shopId, id])", "@@id([shopId, id])");
    let found: Vec<_> = compile(&Sources::single("schema.dsl", own)).diagnostics;
    assert!(found.iter().any(|found| found.code == "R0907" && found.message.contains("orderId")), "{found:?}");
}

/// Every file of `ir` is accepted, and means what its snapshot says.
#[test]
fn schemas_become_ir() {
    insta::glob!("../fixtures", "ir/*.dsl", |path| {
        let (sources, compiled) = compile_fixture(path);
        assert!(compiled.schema.is_some(), "{}", rendered(&sources, &compiled));
        insta::assert_debug_snapshot!(compiled.schema);
    });
}

/// Whatever part of a schema is missing, the compiler says so instead of failing itself.
#[test]
fn any_part_of_a_schema_can_be_missing() {
    insta::glob!("../fixtures", "*/*.dsl", |path| {
        let text = std::fs::read_to_string(path).expect("a fixture is UTF-8");
        let cuts: Vec<usize> = (0..text.len()).step_by(3).filter(|at| text.is_char_boundary(*at)).collect();
        for cut in &cuts {
            for part in [&text[..*cut], &text[*cut..]] {
                rendered_whole(part);
            }
        }
        for (from, to) in cuts.iter().zip(cuts.iter().skip(7)) {
            rendered_whole(&format!("{}{}", &text[..*from], &text[*to..]));
        }
    });
}

/// Compiles and renders; every span lies in the text.
fn rendered_whole(text: &str) {
    let sources = Sources::single("part.dsl", text);
    let compiled = compile(&sources);
    assert_eq!(compiled.schema.is_none(), compiled.diagnostics.iter().any(|diagnostic| diagnostic.is_error()));
    for diagnostic in &compiled.diagnostics {
        assert!(text.get(diagnostic.span.range()).is_some(), "{diagnostic:?} in {text}");
        assert!(!diagnostic.message.is_empty() && diagnostic.help.is_some() | !diagnostic.label.is_empty());
    }
    rendered(&sources, &compiled);
}

/// Neither depth nor length of the input overflows the stack.
#[test]
fn hostile_input_is_refused_in_time() {
    let deep = |open: &str, close: &str| {
        format!("model A {{\n  id Int @id @default({}1{})\n}}\n", open.repeat(50_000), close.repeat(50_000))
    };
    let long_list = format!("model A {{\n  id Int @id\n  n Int[] @default([{}1])\n}}\n", "1, ".repeat(20_000));
    let cases = [
        deep("[", "]"),
        deep("f(", ")"),
        deep("(", ")"),
        "model A {\n".repeat(20_000),
        "/*".repeat(50_000),
        "@@x([\n".repeat(20_000),
        (0..20_000).map(|n| format!("mixin M{n} {{\n  ...M{}\n}}\n", n + 1)).collect(),
        format!("model A {{\n  s String @default(\"{}\")\n}}", "[".repeat(50_000)),
        format!("model A {{\n  id Int @id {}\n}}", "@a ".repeat(20_000)),
        "\u{FEFF}\0model".to_owned(),
    ];
    for text in &cases {
        let compiled = compile(&Sources::single("hostile.dsl", text.as_str()));
        assert!(compiled.schema.is_none());
    }
    assert!(compile(&Sources::single("long.dsl", long_list)).schema.is_some());
}

/// In a build, hundreds of warnings of one kind would hide the rest: three are shown, the others counted. Notes are not
/// shown at all.
#[test]
fn many_warnings_are_shortened() {
    let field = |n: i32| format!("  a{n} Int\n  r{n} B @relation(\"r{n}\", fields: [a{n}], references: [id])\n");
    let back = |n: i32| format!("  b{n} A[] @relation(\"r{n}\")\n");
    let text = format!(
        "generator g {{\n  provider = \"other\"\n}}\nmodel A {{\n  id Int @id\n{}}}\nmodel B {{\n  id Int @id\n{}}}\n",
        (0..5).map(field).collect::<String>(),
        (0..5).map(back).collect::<String>()
    );
    let compiled = compile(&Sources::single("many.dsl", text));
    assert!(compiled.schema.is_some());
    assert_eq!(compiled.diagnostics.len(), 6);
    let short = shorten(&compiled.diagnostics);
    assert_eq!(short.shown.iter().map(|shown| shown.code).collect::<Vec<_>>(), ["R0716"; 3]);
    assert_eq!(short.rest, ["2 more warnings R0716: `codegen check` shows all"]);
}

/// Line ends, a byte order mark, and how the text is cut into files do not change the meaning.
#[test]
fn the_form_of_the_text_does_not_matter() {
    let text = include_str!("../fixtures/ir/relations.dsl");
    let expected = compile(&Sources::single("schema.dsl", text)).schema;
    let forms =
        [text.replace('\n', "\r\n"), text.replace('\n', "\r"), format!("\u{FEFF}{text}"), text.trim_end().to_owned()];
    for form in forms {
        assert_eq!(compile(&Sources::single("schema.dsl", form)).schema, expected);
    }
    let (first, second) = text.split_at(text.find("model Book").expect("the fixture has it"));
    let files = [("a.dsl", first), ("b.dsl", second)];
    let files = files.map(|(path, text)| SourceFile { path: path.to_owned(), text: text.to_owned() });
    assert_eq!(compile(&Sources { files: files.to_vec(), ..Sources::default() }).schema, expected);
}

/// One run reports the mistakes of all files, each in its file.
#[test]
fn mistakes_of_all_files_are_reported() {
    let file = |path: &str, text: &str| SourceFile { path: path.to_owned(), text: text.to_owned() };
    let sources = Sources {
        files: vec![
            file("a.dsl", "model A {\n  id Strin @id\n  b  B\n}\n"),
            file("b.dsl", "model B {\n  id Int @id\n}\n\nmodel A {\n  id Int @id\n}\n"),
        ],
        ..Sources::default()
    };
    insta::assert_snapshot!(rendered(&sources, &compile(&sources)));
}
