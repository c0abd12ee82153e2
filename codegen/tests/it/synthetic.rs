//! Schemas of any size, the same every time: models of 12 columns with two relations each, and the back relations.
//!
//! Models stand in rings of 50, each pointing at the next and the one after, so that every model has two
//! relations of its own and two that come back. The benchmarks use the same schemas.

use std::fmt::Write;

/// How many models point at one another in a ring.
const RING: usize = 50;

/// What every model holds, the columns of its two relations among them.
const COLUMNS: &str = r#"  id        String    @id @default(uuid()) @db.Uuid
  name      String
  code      String    @unique
  amount    Int
  total     BigInt
  ratio     Float?
  active    Boolean   @default(true)
  note      String?
  status    Status    @default(OPEN)
  createdAt DateTime  @default(now()) @map("created_at") @db.Timestamptz(3)
  nextId    String    @map("next_id") @db.Uuid
  secondId  String?   @map("second_id") @db.Uuid
"#;

const HEAD: &str = r#"datasource db {
  provider = "postgresql"
}

enum Status {
  OPEN
  DONE
  CLOSED
}
"#;

/// The text of a schema of `models` models.
pub(crate) fn schema(models: usize) -> String {
    let mut text = HEAD.to_owned();
    for model in 0..models {
        push_model(&mut text, model, models);
    }
    text
}

fn push_model(text: &mut String, model: usize, models: usize) {
    let first = model / RING * RING;
    let length = RING.min(models - first);
    let at = model - first;
    let forwards = |steps: usize| first + (at + steps) % length;
    let backwards = |steps: usize| first + (at + length - steps % length) % length;
    let (next, second) = (forwards(1), forwards(2));
    let (before, before_that) = (backwards(1), backwards(2));
    // Writing into a String cannot fail.
    let _ = write!(
        text,
        r#"
/// The synthetic model number {model}.
model Model{model} {{
{COLUMNS}  next      Model{next} @relation("next{model}", fields: [nextId], references: [id])
  second    Model{second}? @relation("second{model}", fields: [secondId], references: [id])
  befores   Model{before}[] @relation("next{before}")
  earlier   Model{before_that}[] @relation("second{before_that}")

  @@index([nextId])
  @@index([secondId])
  @@map("model_{model}")
}}
"#
    );
}

/// A schema whose model `Leaf` is like the others, but that nothing points at it.
#[allow(dead_code, reason = "the benchmarks share this file and have no use for it")]
pub(crate) fn leaf() -> String {
    format!(
        r#"{HEAD}
model Next {{
  id     String @id @db.Uuid
  leaves Leaf[]
}}

model Second {{
  id     String @id @db.Uuid
  leaves Leaf[]
}}

/// The model to look at.
model Leaf {{
{COLUMNS}  next      Next      @relation(fields: [nextId], references: [id])
  second    Second?   @relation(fields: [secondId], references: [id])

  @@index([nextId])
  @@index([secondId])
  @@map("leaves")
}}
"#
    )
}
