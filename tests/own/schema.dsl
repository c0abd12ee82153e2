// Fields whose types the program has itself.

datasource db {
  provider = "postgresql"
}

generator client {
  provider = "relata"
  serde    = true
}

model School {
  id    String @id @default(uuid()) @db.Uuid @rust("crate::own_types::SchoolId")
  name  String
  users User[]

  @@tenant
}

model User {
  schoolId String                 @db.Uuid
  id       String                 @id @default(uuid(7)) @db.Uuid @rust("crate::own_types::UserId")
  email    String                 @rust("crate::own_types::Email")
  nick     String?                @rust("crate::own_types::Nick")
  tags     String[]               @rust("crate::own_types::Tag")
  level    String                 @default("low") @rust("crate::own_types::Level")
  balance  Int                    @default(0) @rust("crate::own_types::Cents")
  /// JSON with a shape.
  settings Json                   @rust("crate::own_types::Settings")
  scores   Json?                  @rust("relata::Json<std::collections::BTreeMap<String, i64>>")
  place    Unsupported("point")?  @rust("crate::own_types::Place")
  address  Unsupported("inet")?   @rust("relata::Postgres<std::net::IpAddr>")
  others   Unsupported("inet")[]  @rust("relata::Postgres<std::net::IpAddr>")
  round    Unsupported("circle")? @rust("crate::own_types::Circle")
  words    TsVector?              @rust("crate::own_types::Words")
  school   School                 @relation(fields: [schoolId], references: [id])
  posts    Post[]

  @@unique([schoolId, id])
  @@unique([schoolId, email])
  @@index([schoolId])
  @@tenant(school)
}

model Post {
  schoolId String @db.Uuid
  id       Int    @id @default(autoincrement())
  authorId String @db.Uuid
  title    String
  mood     Mood   @default(CALM)
  author   User   @relation(fields: [schoolId, authorId], references: [schoolId, id])

  @@index([schoolId, authorId])
  @@tenant(author.school)
  @@derive(["Eq", "Hash"])
}

enum Mood {
  CALM   @map("calm")
  LIVELY

  @@derive("serde::Serialize")
}
