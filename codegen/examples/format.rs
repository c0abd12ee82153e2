//! Compares the formatter with what a corpus expects of it.
//!
//! `cargo run -p relata-codegen --example format -- DIR [--list] [--out DIR]`, where `DIR/EXPECTED.tsv`
//! has the columns `path` and `format`: `canonical`, or the SHA-256 of the formatted text (of all
//! files in the order of their paths, where the path is a folder). Of `formatted/` and of every
//! `X.prisma` with an `X.reformatted.prisma` beside it the text itself is compared.
//! `--list` prints every path that differs, `--out` writes what the formatter made of it.
//! Besides, formatting twice must be formatting once, and no valid schema may change its meaning.
//! Exit status: 0 all agree, 1 some do not, 64 wrong usage.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use relata_codegen::diagnostics::{SourceFile, Sources};
use relata_codegen::{compile, format_all};
use sha2::{Digest, Sha256};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(folder) = arguments.next().map(PathBuf::from) else {
        eprintln!("usage: format DIR [--list] [--out DIR]");
        return ExitCode::from(64);
    };
    let mut options = Options::default();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--list" => options.list = true,
            "--out" => options.out = arguments.next().map(PathBuf::from),
            _ => return ExitCode::from(64),
        }
    }
    match compare(&folder, &options) {
        Ok(figures) => {
            println!("{}", figures.text());
            ExitCode::from(u8::from(figures.differs()))
        }
        Err(error) => {
            eprintln!("{}: {error}", folder.display());
            ExitCode::FAILURE
        }
    }
}

#[derive(Default)]
struct Options {
    list: bool,
    out: Option<PathBuf>,
}

#[derive(Default)]
struct Figures {
    valid: Count,
    invalid: Count,
    texts: Count,
    twice: Count,
    meaning: Count,
}

#[derive(Default)]
struct Count {
    same: usize,
    all: usize,
}

impl Count {
    fn add(&mut self, same: bool) {
        self.all += 1;
        self.same += usize::from(same);
    }
}

impl Figures {
    fn counts(&self) -> [(&'static str, &Count); 5] {
        [
            ("valid schemas formatted as expected", &self.valid),
            ("schemas with mistakes formatted as expected", &self.invalid),
            ("formatted texts equal to those of the corpus", &self.texts),
            ("formatted twice the same as once", &self.twice),
            ("valid schemas that mean the same after formatting", &self.meaning),
        ]
    }

    fn text(&self) -> String {
        self.counts().iter().fold(String::new(), |mut text, (what, count)| {
            let _ = writeln!(text, "{:>4} of {:>4} {what}", count.same, count.all);
            text
        })
    }

    fn differs(&self) -> bool {
        self.counts().iter().any(|(_, count)| count.same < count.all)
    }
}

fn compare(folder: &Path, options: &Options) -> std::io::Result<Figures> {
    let table = std::fs::read_to_string(folder.join("EXPECTED.tsv"))?;
    let mut lines = table.lines();
    let header: Vec<_> = lines.next().unwrap_or("").split('\t').collect();
    let column = |name: &str| header.iter().position(|known| *known == name).unwrap_or(usize::MAX);
    let (verdict, format) = (column("expected"), column("format"));
    let mut figures = Figures::default();
    for row in lines {
        let columns: Vec<_> = row.split('\t').collect();
        let (Some(path), Some(verdict), Some(expected)) = (columns.first(), columns.get(verdict), columns.get(format))
        else {
            continue;
        };
        let sources = read(&folder.join(path))?;
        let formatted = formatted(&sources);
        let (before, after) = (joined(&sources), joined(&formatted));
        let same = if *expected == "canonical" { before == after } else { digest(&after) == *expected };
        if *verdict == "ok" {
            figures.valid.add(same)
        } else {
            figures.invalid.add(same)
        }
        say(options, path, "is formatted otherwise", same, &formatted)?;
        compare_text(folder, path, &formatted, &mut figures, options)?;

        let again = joined(&self::formatted(&formatted)) == after;
        figures.twice.add(again);
        say(options, path, "changes when it is formatted again", again, &formatted)?;
        if let Some(schema) = compile(&sources).schema {
            let kept = compile(&formatted).schema.as_ref() == Some(&schema);
            figures.meaning.add(kept);
            say(options, path, "means something else when it is formatted", kept, &formatted)?;
        }
    }
    Ok(figures)
}

/// Compares with the formatted text, where the corpus has it.
fn compare_text(
    folder: &Path,
    path: &str,
    formatted: &Sources,
    figures: &mut Figures,
    options: &Options,
) -> std::io::Result<()> {
    let beside = match path.strip_prefix("schemas/") {
        Some(name) => folder.join("formatted").join(name),
        None => match (path.strip_suffix(".prisma"), path.trim_end_matches('/').strip_suffix("/before")) {
            (Some(stem), _) => folder.join(format!("{stem}.reformatted.prisma")),
            (None, Some(stem)) => folder.join(stem).join("after"),
            (None, None) => return Ok(()),
        },
    };
    if beside.exists() {
        let expected = read(&beside)?;
        let same = joined(&expected) == joined(formatted);
        figures.texts.add(same);
        say(options, path, "differs from the formatted text", same, formatted)?;
        let fixed = joined(&self::formatted(&expected)) == joined(&expected);
        figures.twice.add(fixed);
        say(options, path, "changes when it is formatted by Prisma first", fixed, formatted)?;
    }
    Ok(())
}

fn say(options: &Options, path: &str, what: &str, fine: bool, formatted: &Sources) -> std::io::Result<()> {
    if fine {
        return Ok(());
    }
    if options.list {
        println!("{path} {what}");
    }
    if let Some(out) = &options.out {
        let file = out.join(path.trim_end_matches('/').replace('/', "__"));
        std::fs::create_dir_all(out)?;
        std::fs::write(file, joined(formatted))?;
    }
    Ok(())
}

fn formatted(sources: &Sources) -> Sources {
    let texts = format_all(sources).into_iter().zip(&sources.files);
    Sources {
        files: texts.map(|(text, file)| SourceFile { path: file.path.clone(), text }).collect(),
        ..Sources::default()
    }
}

fn joined(sources: &Sources) -> String {
    sources.files.iter().map(|file| file.text.as_str()).collect()
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A file, or all schema files below a folder. Of an SQL file it is the schema in its comment.
fn read(path: &Path) -> std::io::Result<Sources> {
    let mut sources = Sources::default();
    let mut paths = vec![path.to_owned()];
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            for entry in std::fs::read_dir(&path)? {
                paths.push(entry?.path());
            }
            continue;
        }
        let extension = path.extension().and_then(|extension| extension.to_str());
        let text = match extension {
            Some("prisma" | "dsl") => std::fs::read_to_string(&path)?,
            Some("sql") => {
                let text = std::fs::read_to_string(&path)?;
                let comment = text.split_once("/*").and_then(|(_, rest)| rest.rsplit_once("*/"));
                comment.map_or("", |(schema, _)| schema).trim_start().to_owned()
            }
            _ => continue,
        };
        sources.files.push(SourceFile { path: path.display().to_string(), text });
    }
    sources.files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}
