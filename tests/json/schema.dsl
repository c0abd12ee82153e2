// Columns of JSON whose shapes are `type` blocks.

datasource db {
  provider = "postgresql"
}

generator client {
  provider = "relata"
}

/// A postal address.
type Address {
  street  String
  /// Five digits.
  zip     String?
  country String   @default("DE")
  geo     Geo?
  tags    String[]
}

type Geo {
  lat  Float
  lng  Float
  grid Grid?
}

type Grid {
  zone Int
}

/// A value of every kind.
type Everything {
  text     String     @map("the \"text\" of it's")
  flag     Boolean    @default(true)
  int      Int        @default(-7)
  big      BigInt
  float    Float      @default(0.5)
  decimal  Decimal
  moment   DateTime
  day      DateTime   @db.Date
  hour     DateTime?  @db.Time
  id       String     @db.Uuid
  bytes    Bytes
  any      Json?
  mood     Mood       @default(LIVELY)
  /// A keyword of Rust.
  type     String?
  email    String     @rust("crate::json_types::Email")
  ints     Int[]
  floats   Float[]
  blobs    Bytes[]
  moments  DateTime[]
  moods    Mood[]
  decimals Decimal[]
  maybe    Bytes?
  number   Float?
}

/// A type that contains itself.
type Comment {
  text    String
  author  Author?
  quoted  Comment?
  answers Comment[]

  @@derive("Eq")
}

type Author {
  name     String
  favorite Comment?

  @@derive("Eq")
}

enum Mood {
  CALM   @map("calm")
  LIVELY
}

model User {
  id        Int         @id @default(autoincrement())
  name      String      @unique
  address   Address     @json
  second    Address?    @json
  others    Address[]   @default([]) @json
  all       Everything? @json
  /// Text in PostgreSQL.
  old       Geo?        @map("old_geo") @json @db.Json
  home      Address     @default("{\"street\": \"Main St\", \"geo\": {\"lat\": 1, \"lng\": 2.5}}") @json
  comment   Comment?    @json
  hidden    Geo?        @json @sensitive
  profile   Profile?
  posts     Post[]
  updatedAt DateTime    @updatedAt

  @@index([raw("(address ->> 'zip')")])
}

model Profile {
  id     Int  @id @default(autoincrement())
  userId Int  @unique
  user   User @relation(fields: [userId], references: [id])
  geo    Geo  @json
  mood   Mood
}

model Post {
  id     Int     @id @default(autoincrement())
  userId Int
  user   User    @relation(fields: [userId], references: [id])
  place  Address @json

  @@index([userId])
}

mixin Placed {
  place Self @json
}

/// Types whose names Rust and the generated code use.
model Odd {
  id   Int    @id
  ...Placed
  many Self[] @json
}

type Self {
  Option Option?
  vec    Vec[]
  box    Box
}

type Vec {
  m M?
}

type Option {
  String String
}

type Box {
  Some   Box?
  result Result?
}

type Result {
  Ok Int @default(1)
}

type M {
  f F?
}

type F {
  queries Queries?
}

type Queries {
  M    Int
  loop Boolean @default(true)
}
