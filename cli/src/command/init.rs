//! `init`: a first schema, and the lines that a project needs around it.

use std::path::Path;

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

const AROUND: &str = "\
build.rs:
    fn main() {
        relata_codegen::build::Build::new(\"schema.dsl\").run();
    }

Cargo.toml:
    cargo add RUNTIME
    cargo add --build COMPILER
    cargo add tokio --features macros,rt-multi-thread

src/lib.rs or src/main.rs:
    relata::include_client!();
";

pub(crate) fn init() -> Result<Exit, Failure> {
    let path = settings::schema().unwrap_or_else(|| "schema.dsl".into());
    let name = path.display();
    if path.exists() {
        return Err(Failure::refused(format!("{name} exists already"))
            .help("it is left as it is; `codegen check` tells whether it is valid"));
    }
    if Path::new("schema.prisma").exists() {
        return Err(Failure::refused("there is a schema.prisma, and it works as it is")
            .help("try `codegen check`; a schema.dsl beside it would be taken instead of it"));
    }
    write_file(&path, SCHEMA)?;
    let around = AROUND
        .replace("schema.dsl", &name.to_string())
        .replace("RUNTIME", &package("relata", "runtime"))
        .replace("COMPILER", &package("relata-codegen", "codegen"));
    output::print(&format!("wrote {name}\n\nWhat else the project needs:\n\n{around}"))?;
    Ok(Exit::Done)
}

/// What `cargo add` is told: a command that was built in a checkout takes the packages beside it, as long as they are
/// there, so that the command and the client are of one version.
fn package(name: &str, folder: &str) -> String {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name(folder);
    if beside.join("Cargo.toml").is_file() {
        format!("{name} --path \"{}\"", beside.display())
    } else {
        name.to_owned()
    }
}
