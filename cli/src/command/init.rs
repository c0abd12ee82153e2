//! `init`: creates a first schema, and prints the next steps.

use std::path::{Path, PathBuf};

use crate::failure::{Exit, Failure};
use crate::project::settings;
use crate::project::write::write_file;
use crate::terminal::output;

const SCHEMA: &str = "\
// What your tables look like. `codegen check` reports every mistake,
// `codegen migrate dev --name init` makes a migration of it and applies it.

datasource db {
  provider = \"postgresql\"
}

generator client {
  provider = \"relata\"
}

model User {
  id        String   @id @default(uuid()) @db.Uuid
  email     String   @unique
  name      String?
  createdAt DateTime @default(now()) @map(\"created_at\") @db.Timestamptz(3)
  notes     Note[]

  @@map(\"users\")
}

model Note {
  id        String   @id @default(uuid()) @db.Uuid
  userId    String   @map(\"user_id\") @db.Uuid
  user      User     @relation(fields: [userId], references: [id], onDelete: Cascade, onUpdate: Cascade)
  text      String
  createdAt DateTime @default(now()) @map(\"created_at\") @db.Timestamptz(3)

  @@index([userId])
  @@map(\"notes\")
}
";

const SETUP: &str = "\
Cargo.toml:
    cargo add RUNTIME
    cargo add tokio --features macros,rt-multi-thread
    cargo add --build COMPILER

build.rs:
    fn main() {
        relata_codegen::build::Build::new(\"schema.dsl\").run();
    }

src/main.rs or src/lib.rs:
    mod db {
        relata::include_client!();
    }

The first migration:
    codegen migrate dev --name init --url postgres://..
";

pub(crate) fn init() -> Result<Exit, Failure> {
    let path = settings::schema().unwrap_or_else(|| "schema.dsl".into());
    let name = path.display();
    if path.exists() {
        return Err(
            Failure::refused(format!("{name} exists already")).help("it was not changed; `codegen check` checks it")
        );
    }
    if Path::new("schema.prisma").exists() {
        return Err(Failure::refused("there is a schema.prisma, which works without changes")
            .help("try `codegen check`; a schema.dsl in the same folder would be used instead of it"));
    }
    write_file(&path, SCHEMA)?;
    let around = SETUP
        .replace("schema.dsl", &name.to_string())
        .replace("RUNTIME", &package("relata", "runtime"))
        .replace("COMPILER", &package("relata-codegen", "codegen"));
    output::print(&format!("wrote {name}\n\nNext steps:\n\n{around}"))?;
    Ok(Exit::Done)
}

/// The arguments of `cargo add`. A command that was built in a checkout depends on the packages of that checkout, as
/// long as they exist, so that the command and the client have the same version.
fn package(name: &str, folder: &str) -> String {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name(folder);
    if !beside.join("Cargo.toml").is_file() {
        return name.to_owned();
    }
    let path = std::env::current_dir().ok().and_then(|here| relative(&here, &beside)).unwrap_or(beside);
    format!("{name} --path \"{}\"", path.display())
}

/// The maximum number of `..` in a path that is printed as a relative one.
const MAX_UP: usize = 3;

/// The relative path from a folder to another one near it: `../relata/runtime`.
fn relative(from: &Path, to: &Path) -> Option<PathBuf> {
    let up =
        from.ancestors().take(MAX_UP + 1).position(|folder| to.starts_with(folder) && folder.parent().is_some())?;
    let rest = to.strip_prefix(from.ancestors().nth(up)?).ok()?;
    Some(std::iter::repeat_n(Path::new(".."), up).collect::<PathBuf>().join(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkout_nearby_has_a_relative_path() {
        let path = |from, to| relative(Path::new(from), Path::new(to)).map(|path| path.display().to_string());
        assert_eq!(path("/home/me/shop", "/home/me/relata/runtime").as_deref(), Some("../relata/runtime"));
        assert_eq!(path("/home/me/relata", "/home/me/relata/runtime").as_deref(), Some("runtime"));
        assert_eq!(path("/tmp/shop", "/home/me/relata/runtime"), None);
        assert_eq!(path("/home/me/a/b/c/d/e", "/home/me/relata/runtime"), None);
    }

    /// The steps in the README and those that `init` prints lead to the same project.
    #[test]
    fn the_readme_says_the_same() {
        let readme = include_str!("../../../README.md");
        let features = "features = [\"macros\", \"rt-multi-thread\"]";
        assert!(readme.contains(features) && SETUP.contains("--features macros,rt-multi-thread"));
        let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in
            ["mod db { relata::include_client!(); }", "relata_codegen::build::Build::new(\"schema.dsl\").run();"]
        {
            assert!(plain(readme).contains(part) && plain(SETUP).contains(part), "{part}");
        }
    }
}
