//! Measures what generating and compiling a client costs, for synthetic schemas of any size.
//!
//! `compile [--models N]... [--runs N] [--work DIR] [--skip-cargo]`
//!
//! `cargo check` and `cargo build` are measured in CPU seconds of cargo and all processes that it starts. Dependencies
//! are built in advance, with `CARGO_INCREMENTAL=0`, except for the rebuild after a field is added, which is
//! incremental. For comparison, a crate of plain structs has the same columns and a decoder for each struct. The lowest
//! of the runs counts, because disturbances can only add time. The compiler's own work runs in a separate process for
//! each size, so that memory peaks are separate.
//!
//! `compile work WHAT SHAPE SIZE` does one thing once, so that `scripts/cost growth` can count its instructions.
//! `compile shapes` lists the shapes, and what can be done with each.

#[path = "../../../codegen/tests/it/shapes.rs"]
mod shapes;
#[path = "../../../codegen/tests/it/synthetic.rs"]
mod synthetic;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::resource::UsageWho;
use relata_bench::{Result, Usage, print_table};
use relata_codegen::diagnostics::{Places, Sources};
use relata_codegen::emit::{EmitOptions, GeneratedFile, emit};
use relata_codegen::ir::Schema;
use relata_codegen::sql::{DiffOptions, Intent, Pair, Side, State, diff, lower, plan, render};
use relata_codegen::{compile, format};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        // This program calls itself with these arguments, to measure one thing in a separate process.
        ["measure", "check", models] => measured(UsageWho::RUSAGE_SELF, || check(models.parse()?)),
        ["measure", "format", models] => measured(UsageWho::RUSAGE_SELF, || layout(models.parse()?)),
        ["measure", "generate", models] => measured(UsageWho::RUSAGE_SELF, || generate(models.parse()?)),
        ["measure", "diff", models] => measured(UsageWho::RUSAGE_SELF, || migrate(models.parse()?)),
        ["measure", "cargo", command, folder, incremental] => {
            measured(UsageWho::RUSAGE_CHILDREN, || cargo(command, Path::new(folder), incremental))
        }
        ["shapes"] => {
            for (name, text) in shapes::SHAPES {
                let is_right = compile(&Sources::single("schema.dsl", text(3))).schema.is_some();
                println!("check format{}:{name}", if is_right { " generate migrate" } else { "" });
            }
            Ok(())
        }
        ["work", what, shape, size] => work(what, shape, size.parse()?),
        _ => all(&arguments),
    }
}

/// Does the work and prints `CPU PEAK LINES`.
fn measured(who: UsageWho, work: impl FnOnce() -> Result<usize>) -> Result<()> {
    let lines = work()?;
    let Usage { cpu_s, peak_mb } = Usage::of(who)?;
    println!("{cpu_s} {peak_mb} {lines}");
    Ok(())
}

fn compiled(models: usize, edit: &str) -> Result<Schema> {
    let text = synthetic::schema(models).replacen("  note      String?\n", edit, 1);
    compile(&Sources::single("schema.dsl", &text)).schema.ok_or_else(|| "the synthetic schema is refused".into())
}

fn check(models: usize) -> Result<usize> {
    compiled(models, UNEDITED)?;
    Ok(0)
}

fn layout(models: usize) -> Result<usize> {
    Ok(format(&synthetic::schema(models)).lines().count())
}

/// One operation on a text of a shape.
fn work(what: &str, shape: &str, size: usize) -> Result<()> {
    let (_, text) = shapes::SHAPES.iter().find(|(name, _)| *name == shape).ok_or("there is no such shape")?;
    let text = text(size);
    if what == "format" {
        drop(format(&text));
        return Ok(());
    }
    let sources = Sources::single("schema.dsl", text);
    let compiled = compile(&sources);
    let places = Places::new(&sources);
    let known = compiled.diagnostics.iter().filter(|diagnostic| places.start(diagnostic.span).is_some());
    let known = known.count();
    let Some(schema) = compiled.schema else {
        return if known > 0 { Ok(()) } else { Err("no reason was given".into()) };
    };
    match what {
        "check" => {}
        "generate" => drop(emit(&schema, &EmitOptions { source: "schema.dsl".to_owned(), crate_root: true })),
        "migrate" => {
            let full = (lower(&schema), Intent::of(&schema));
            let empty = (State::default(), Intent::default());
            for (previous, next) in [(&empty, &full), (&full, &full), (&full, &empty)] {
                let pair = Pair {
                    previous: Side { state: &previous.0, intent: Some(&previous.1) },
                    next: Side { state: &next.0, intent: Some(&next.1) },
                };
                render(&plan(diff(pair, &DiffOptions::default())?));
            }
        }
        _ => return Err("the work is check, format, generate or migrate".into()),
    }
    Ok(())
}

const UNEDITED: &str = "  note      String?\n";

fn files(models: usize) -> Result<Vec<GeneratedFile>> {
    let options = EmitOptions { source: "schema.dsl".to_owned(), crate_root: true };
    Ok(emit(&compiled(models, UNEDITED)?, &options))
}

fn generate(models: usize) -> Result<usize> {
    Ok(lines_of(&files(models)?))
}

fn lines_of(files: &[GeneratedFile]) -> usize {
    files.iter().map(|file| file.text.lines().count()).sum()
}

const EDITED: &str = "  note      String?\n  remark    String?\n";

/// Adds a column to one model: from the two texts to the SQL.
fn migrate(models: usize) -> Result<usize> {
    let schemas = (compiled(models, UNEDITED)?, compiled(models, EDITED)?);
    let states = (lower(&schemas.0), lower(&schemas.1));
    let intents = (Intent::of(&schemas.0), Intent::of(&schemas.1));
    let pair = Pair {
        previous: Side { state: &states.0, intent: Some(&intents.0) },
        next: Side { state: &states.1, intent: Some(&intents.1) },
    };
    let changes = diff(pair, &DiffOptions::default())?;
    if changes.len() != 1 {
        return Err(format!("one edit gave {} changes", changes.len()).into());
    }
    Ok(render(&plan(changes)).lines().count())
}

fn cargo(command: &str, folder: &Path, incremental: &str) -> Result<usize> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg(command).arg("--quiet").current_dir(folder).env("CARGO_INCREMENTAL", incremental);
    cargo.env("CARGO_TARGET_DIR", folder.join("../target")).stdout(Stdio::null());
    if !cargo.status()?.success() {
        return Err(format!("cargo {command} failed in {}", folder.display()).into());
    }
    Ok(0)
}

/// One measurement, in a separate process.
struct Figure {
    usage: Usage,
    lines: usize,
}

fn measure(arguments: &[&str], runs: usize) -> Result<Figure> {
    best_of(runs, |_| {
        let output =
            Command::new(std::env::current_exe()?).arg("measure").args(arguments).stderr(Stdio::inherit()).output()?;
        if !output.status.success() {
            return Err(format!("measuring {} failed", arguments.join(" ")).into());
        }
        let text = String::from_utf8(output.stdout)?;
        let mut words = text.split_whitespace();
        let mut next = || words.next().ok_or("a measurement printed too little");
        let usage = Usage { cpu_s: next()?.parse()?, peak_mb: next()?.parse()? };
        Ok(Figure { usage, lines: next()?.parse()? })
    })
}

fn all(arguments: &[String]) -> Result<()> {
    let (mut models, mut runs, mut work, mut with_cargo) = (Vec::new(), 3, PathBuf::from("target/cost"), true);
    let mut arguments = arguments.iter();
    while let Some(flag) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{flag} needs a value"));
        match flag.as_str() {
            "--models" => models.push(value()?.parse()?),
            "--runs" => runs = value()?.parse()?,
            "--work" => work = value()?.into(),
            "--skip-cargo" => with_cargo = false,
            _ => return Err(format!("unknown argument {flag}; see the top of benches/src/bin/compile.rs").into()),
        }
    }
    if models.is_empty() {
        models = vec![6, 50, 200, 500];
    }
    let mut rows = Vec::new();
    for (name, what) in
        [("check", "check"), ("format", "format"), ("generate", "generate"), ("migrate-diff, one edit", "diff")]
    {
        for size in [10, 100, 1000, 5000] {
            rows.push(row(name, size, &measure(&[what, &size.to_string()], runs)?));
        }
    }
    for models in models.into_iter().filter(|_| with_cargo) {
        compile_clients(models, runs, &work, &mut rows)?;
    }
    print_table(&["what", "models", "CPU s", "peak MB", "lines"], &rows);
    Ok(())
}

fn row(what: &str, models: usize, figure: &Figure) -> Vec<String> {
    let Figure { usage, lines } = figure;
    let json = serde_json::json!({
        "what": what, "models": models, "cpu_s": usage.cpu_s, "peak_mb": usage.peak_mb, "lines": lines,
    });
    println!("{json}");
    let words = [what.to_owned(), models.to_string(), format!("{:.2}", usage.cpu_s), format!("{:.0}", usage.peak_mb)];
    words.into_iter().chain([lines.to_string()]).collect()
}

fn compile_clients(models: usize, runs: usize, work: &Path, rows: &mut Vec<Vec<String>>) -> Result<()> {
    let client = files(models)?;
    let lines = lines_of(&client);
    let plain = [GeneratedFile { path: "lib.rs".to_owned(), text: plain_structs(models) }];
    let plain_lines = lines_of(&plain);
    for (name, files, lines) in [("client", client.as_slice(), lines), ("plain structs", plain.as_slice(), plain_lines)]
    {
        let folder = work.join(format!("{}-{models}", name.replace(' ', "-")));
        write_crate(&folder, files)?;
        let folder_text = folder.display().to_string();
        for command in ["check", "build"] {
            // Builds the dependencies; this does not count.
            cargo(command, &folder, "0")?;
            let figure = best_of(runs, |_| {
                touch(&folder.join("src/lib.rs"))?;
                measure(&["cargo", command, &folder_text, "0"], 1)
            })?;
            rows.push(row(&format!("cargo {command}, {name}"), models, &Figure { lines, ..figure }));
        }
    }
    rebuild(models, runs, &work.join(format!("client-{models}")), &client, rows)
}

/// Measures the rebuild after a field was added to one model. Its file changes, and so do those of the models that name
/// its columns.
fn rebuild(
    models: usize,
    runs: usize,
    folder: &Path,
    files: &[GeneratedFile],
    rows: &mut Vec<Vec<String>>,
) -> Result<()> {
    let options = EmitOptions { source: "schema.dsl".to_owned(), crate_root: true };
    let edited = emit(&compiled(models, EDITED)?, &options);
    let changed: Vec<_> = files.iter().zip(&edited).filter(|(before, after)| before.text != after.text).collect();
    cargo("check", folder, "1")?;
    let figure = best_of(runs, |run| {
        for (before, after) in &changed {
            let file = if run % 2 == 0 { after } else { before };
            fs::write(folder.join("src").join(&file.path), &file.text)?;
        }
        measure(&["cargo", "check", &folder.display().to_string(), "1"], 1)
    })?;
    rows.push(row("cargo check, client, one field added", models, &Figure { lines: lines_of(files), ..figure }));
    Ok(())
}

/// Returns the run that took the least time.
fn best_of(runs: usize, mut run: impl FnMut(usize) -> Result<Figure>) -> Result<Figure> {
    let mut best = run(0)?;
    for number in 1..runs.max(1) {
        let figure = run(number)?;
        if figure.usage.cpu_s < best.usage.cpu_s {
            best = figure;
        }
    }
    Ok(best)
}

fn touch(path: &Path) -> Result<()> {
    Ok(fs::File::options().append(true).open(path)?.set_modified(std::time::SystemTime::now())?)
}

/// Creates a crate outside the workspace, with the workspace's versions of all dependencies.
fn write_crate(folder: &Path, files: &[GeneratedFile]) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let source = folder.join("src");
    let _ = fs::remove_dir_all(&source);
    fs::create_dir_all(&source)?;
    let manifest = format!(
        "[package]\nname = \"measured\"\nedition = \"2024\"\n\n[dependencies]\nrelata = {{ path = {:?} }}\n\n[profile.dev]\n\
         debug = \"line-tables-only\"\n\n[workspace]\n",
        fs::canonicalize(root.join("runtime"))?
    );
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    for file in files {
        fs::write(source.join(&file.path), &file.text)?;
    }
    Ok(())
}

/// The minimum that a program needs to hold the same rows: structs whose columns are read by number.
fn plain_structs(models: usize) -> String {
    let mut text = String::from("use relata::{tokio_postgres::Row, uuid::Uuid, chrono::{DateTime, Utc}};\n");
    let columns = [
        ("id", "Uuid"),
        ("name", "String"),
        ("code", "String"),
        ("amount", "i32"),
        ("total", "i64"),
        ("ratio", "Option<f64>"),
        ("active", "bool"),
        ("note", "Option<String>"),
        ("status", "String"),
        ("created_at", "DateTime<Utc>"),
        ("next_id", "Uuid"),
        ("second_id", "Option<Uuid>"),
    ];
    for model in 0..models {
        // Writing into a String cannot fail.
        let _ = write!(text, "\n#[derive(Debug, Clone, PartialEq)]\npub struct Model{model} {{\n");
        for (name, ty) in columns {
            let _ = writeln!(text, "    pub {name}: {ty},");
        }
        let _ = write!(text, "}}\n\nimpl Model{model} {{\n    pub fn read(row: &Row) -> Self {{\n        Self {{\n");
        for (number, (name, _)) in columns.iter().enumerate() {
            let _ = writeln!(text, "            {name}: row.get({number}),");
        }
        text.push_str("        }\n    }\n}\n");
    }
    text
}
