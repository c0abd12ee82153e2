// What the exam planner's schema does not have: every scalar, lists, composite keys, self relations,
// many-to-many, several relations between two models, names that are Rust's.

datasource db {
  provider = "postgresql"
}

generator client {
  provider  = "relata"
  factories = true
}

enum Color {
  RED
  dark_green @map("dark-green")
  BLUE
}

model Sample {
  id      Int       @id @default(autoincrement())
  text    String
  short   String?   @db.VarChar(5)
  fixed   String?   @db.Char(4)
  flag    Boolean   @default(true)
  small   Int?      @db.SmallInt
  big     BigInt    @default(9007199254740993)
  real    Float?    @db.Real
  double  Float     @default(0.5)
  exact   Decimal   @default(1.50) @db.Decimal(12, 4)
  money   Decimal?  @db.Money
  moment  DateTime  @default(now())
  zoned   DateTime? @db.Timestamptz(6)
  day     DateTime? @db.Date
  time    DateTime? @db.Time(6)
  timetz  DateTime? @db.Timetz(6)
  json    Json      @default("{\"a\": [1]}")
  plain   Json?     @db.Json
  bytes   Bytes?
  uuid    String?   @db.Uuid
  inet    String?   @db.Inet
  bits    String?   @db.Bit(3)
  xml     String?   @db.Xml
  oid     Int?      @db.Oid
  color   Color     @default(dark_green)
  maybe   Color?
  texts   String[]
  numbers Int[]
  colors  Color[]
  uuids   String[]  @db.Uuid
  type    String?
  self    Int       @default(1)

  @@map("Sample \"quoted\"")
}

model Person {
  id        String   @id @default(uuid(7))
  name      String   @unique
  secret    String   @default("") @sensitive
  managerId String?  @map("manager_id")
  manager   Person?  @relation("Management", fields: [managerId], references: [id])
  reports   Person[] @relation("Management")
  friends   Person[] @relation("Friends")
  friendOf  Person[] @relation("Friends")
  written   Note[]   @relation("Author")
  reviewed  Note[]   @relation("Reviewer")
  groups    Group[]
}

model Group {
  id      Int      @id @default(autoincrement())
  title   String
  members Person[]
}

model Note {
  tenant     Int
  number     Int
  body       String    @default("")
  authorId   String
  author     Person    @relation("Author", fields: [authorId], references: [id], onDelete: Cascade)
  reviewerId String?
  reviewer   Person?   @relation("Reviewer", fields: [reviewerId], references: [id])
  comments   Comment[]

  @@id([tenant, number])
  @@unique([authorId, number], name: "by_author")
}

model Comment {
  id     BigInt @id @default(autoincrement())
  tenant Int
  number Int
  note   Note   @relation(fields: [tenant, number], references: [tenant, number])
  text   String
  likes  Int    @default(0)
}

model Empty {
  id Int @id @default(autoincrement())
}

model Made {
  id    String @id @default(cuid())
  cuid2 String @default(cuid(2))
  ulid  String @default(ulid())
  nano  String @default(nanoid())
  nano7 String @default(nanoid(7))
  uuid  String @default(uuid())
  uuid7 String @default(uuid(7)) @db.Uuid
}

model Document {
  id      Int    @id @default(autoincrement())
  text    String
  version Int    @default(1)
}

// A column of each native type, and a list of each: what the client offers for them has to work.
model Native {
  id           Int        @id
  small        Int?       @db.SmallInt
  whole        Int?
  big          BigInt?
  oid          Int?       @db.Oid
  numeric      Decimal?
  money        Decimal?   @db.Money
  real         Float?     @db.Real
  double       Float?
  varchar      String?    @db.VarChar(9)
  char         String?    @db.Char(5)
  text         String?
  inet         String?    @db.Inet
  uuid         String?    @db.Uuid
  xml          String?    @db.Xml
  bit          String?    @db.Bit(4)
  varbit       String?    @db.VarBit
  bytes        Bytes?
  timestamp    DateTime?
  timestamptz  DateTime?  @db.Timestamptz(6)
  time         DateTime?  @db.Time(0)
  timetz       DateTime?  @db.Timetz(6)
  date         DateTime?  @db.Date
  boolean      Boolean?
  json         Json?      @db.Json
  jsonb        Json?
  color        Color?
  smalls       Int[]      @db.SmallInt
  wholes       Int[]
  bigs         BigInt[]
  oids         Int[]      @db.Oid
  numerics     Decimal[]
  moneys       Decimal[]  @db.Money
  reals        Float[]    @db.Real
  doubles      Float[]
  varchars     String[]   @db.VarChar(9)
  chars        String[]   @db.Char(5)
  texts        String[]
  inets        String[]   @db.Inet
  uuids        String[]   @db.Uuid
  xmls         String[]   @db.Xml
  bits         String[]   @db.Bit(4)
  varbits      String[]   @db.VarBit
  byteses      Bytes[]
  timestamps   DateTime[]
  timestamptzs DateTime[] @db.Timestamptz(6)
  times        DateTime[] @db.Time(6)
  timetzs      DateTime[] @db.Timetz(6)
  dates        DateTime[] @db.Date
  booleans     Boolean[]
  jsons        Json[]     @db.Json
  jsonbs       Json[]
  colors       Color[]
}

// A row below a row, as deep as one likes.
model Branch {
  id       Int      @id
  parentId Int?
  label    String   @default("") @sensitive
  parent   Branch?  @relation("Tree", fields: [parentId], references: [id])
  branches Branch[] @relation("Tree")
}

enum ContentKind {
  ESSAY
  FILM
}

// Rows of several kinds: what they share, and a model for each kind. The key of two columns keeps each row to its kind.
model Content {
  id    Int         @id @default(autoincrement())
  kind  ContentKind
  title String
  essay Essay?
  film  Film?

  @@unique([id, kind])
}

model Essay {
  id      Int         @id
  kind    ContentKind
  text    String
  content Content     @relation(fields: [id, kind], references: [id, kind], onDelete: Cascade)

  @@unique([id, kind])
  @@check("kind = 'ESSAY'")
}

model Film {
  id      Int         @id
  kind    ContentKind
  minutes Int
  content Content     @relation(fields: [id, kind], references: [id, kind], onDelete: Cascade)

  @@unique([id, kind])
  @@check("kind = 'FILM'")
}

// Every column has to be given: what a factory finds for each type has to fit.
model Filled {
  id          Int      @id
  code        String   @unique @db.VarChar(2)
  letter      String   @db.Char(1)
  fixed       String   @db.Char(4)
  email       String   @db.VarChar(30)
  text        String
  bits        String   @db.Bit(3)
  varbits     String   @db.VarBit(5)
  inet        String   @db.Inet
  uuid        String   @unique @db.Uuid
  xml         String   @db.Xml
  small       Int      @unique @db.SmallInt
  whole       Int
  big         BigInt   @unique
  oid         Int      @db.Oid
  numeric     Decimal  @unique
  digits      Decimal  @unique @db.Decimal(4, 3)
  percent     Decimal  @db.Decimal(2, 2)
  money       Decimal  @db.Money
  real        Float    @unique @db.Real
  double      Float
  timestamp   DateTime @unique
  timestamptz DateTime @db.Timestamptz(0)
  time        DateTime @db.Time(0)
  timetz      DateTime @db.Timetz(6)
  date        DateTime @unique @db.Date
  boolean     Boolean
  bytes       Bytes    @unique
  json        Json
  plain       Json     @db.Json
  color       Color

  @@unique([color, boolean, whole])
}

// Rows that require each other, and rows that require themselves.
model Hen {
  id    Int   @id
  eggId Int
  egg   Egg   @relation("Laid", fields: [eggId], references: [id])
  eggs  Egg[] @relation("Hatched")
}

model Egg {
  id    Int   @id
  henId Int
  hen   Hen   @relation("Hatched", fields: [henId], references: [id])
  hens  Hen[] @relation("Laid")
}

model Ring {
  id     Int    @id
  nextId Int
  next   Ring   @relation("Next", fields: [nextId], references: [id])
  before Ring[] @relation("Next")
}
