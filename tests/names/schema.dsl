// Names that are the client's own, Rust's, or the same as another after case conversion.

datasource db {
  provider = "postgresql"
}

model With {
  id     Int     @id
  at     String
  to     String
  row    String
  set    Int
  user1  Create  @relation("a", fields: [aId], references: [id])
  user_1 Create? @relation("b", fields: [bId], references: [id])
  aId    Int
  bId    Int?
  with   Create? @relation("c", fields: [cId], references: [id])
  cId    Int?    @unique
}

model Create {
  id     Int    @id
  insert Int
  a      With[] @relation("a")
  b      With[] @relation("b")
  c      With?  @relation("c")
  m      M
  ms     M[]
  mk     M      @unique
  link   MKey[]
}

model MKey {
  k      M      @id
  linkId Int
  link   Create @relation(fields: [linkId], references: [id])
  of     MRef[]
}

model MRef {
  id  Int  @id
  k   M
  key MKey @relation(fields: [k], references: [k])
}

model WithUser {
  id     Int @id
  userId Int
  user   Lib @relation(fields: [userId], references: [id])
}

model Lib {
  id Int        @id
  u  WithUser[]
}

model RelataClient {
  id Int @id
}

model Rt {
  id   Int    @id
  rt   String
  ok   String
  err  String
  some String
  none String
}

model Relata {
  id Int @id
}

model Std {
  id Int @id
}

model Core {
  id Int @id
}

model Transaction {
  id Int @id
}

model Batch {
  id Int @id
}

model Client {
  id Int @id
}

model Model {
  id Int @id
}

model Id {
  id Int @id
}

model Clone {
  id Int @id
}

model Debug {
  id Int @id
}

model Handle {
  id Int @id
}

model New {
  id Int @id
}

model L0 {
  id  Int @id
  s0  S0  @relation(fields: [sId], references: [id])
  sId Int
}

model S0 {
  id Int  @id
  l0 L0[]
}

model T {
  id  Int  @id
  t   T?   @relation("t", fields: [tId], references: [id])
  tt  T[]  @relation("t")
  tId Int?
}

model Hidden {
  id Int                   @id
  x  Int                   @ignore
  y  Unsupported("point")?
}

model AllHidden {
  id Int @id @ignore
  x  Int @ignore
}

model Pkey {
  id    Int @id
  pkey  Int @unique
  table Int @unique
  other Int @unique(map: "Pkey_TABLE")
}

enum M {
  M     @map("m")
  All
  Label
  Self
  x2    @map("2")
}

// Relations whose type parameters have the names of structs.
model Joined {
  id         Int       @id
  with       Created[]
  withJoined Created[] @relation("named")
}

model Created {
  id       Int     @id
  create   Joined  @relation(fields: [createId], references: [id])
  createId Int
  named    Joined? @relation("named", fields: [namedId], references: [id])
  namedId  Int?
}

view V {
  id Int    @unique
  a  String
}

view W {
  a String
}

model Models {
  id Int @id
}

model Transaction_ {
  id Int @id
}

model Self {
  id    Int    @id
  self  String
  super String
}

model Error {
  id Int @id
}

// Rust's prelude, and its keywords as fields.
model Option {
  id     Int       @id
  option Option[]  @relation("itself")
  none   Option?   @relation("itself", fields: [self], references: [id])
  self   Int?
  type   String    @default("x")
  match  Int[]
  fn     Boolean   @default(true)
  crate  Json?
  dyn    Prelude   @default(None)
  async  Prelude[] @default([Ok, Err])
  result Result[]
}

model Result {
  id     Int    @id
  ok     Int
  option Option @relation(fields: [ok], references: [id])
  await  Int?
  try    Int    @unique
  gen    Float?
  vec    Vec[]
  box    Box?
}

model Vec {
  len    Int      @id
  push   String
  result Result[]
}

model Box {
  id     Int    @id
  result Result @relation(fields: [id], references: [id])
  Some   Some?
}

model Some {
  None Int    @id
  Ok   Box    @relation(fields: [None], references: [id])
  Err  String
}

model Default {
  id      Int    @id
  default String @default("default")
  clone   String @default("clone")
  into    String @default("into")
  drop    String @default("drop")
}

enum Prelude {
  None
  Some
  Ok
  Err
  Default
  Vec
  type
  self
  static
}

// Names that are the same in Rust.
model balance {
  id         Int        @id
  Balance    Int
  balance    Int
  created_at String
  createdAt  String     @unique
  CreatedAt  String?
  to         Int
  To         Int
  at         Int
  At         Int
  row        BALANCE    @relation("row", fields: [to], references: [id])
  Row        BALANCE?   @relation("Row", fields: [at], references: [id])
  aB         Int
  a          Int
  b          Int
  x_y        Int
  z          Int
  x          Int
  y_z        Int
  email      String     @rust("relata::Postgres<std::string::String>", name: "mail")
  kind       currency   @rust(name: "of")
  kinds      Currency[]

  @@unique([a, b])
  @@unique([x_y, z], map: "first")
  @@unique([x, y_z], map: "second")
}

model BALANCE {
  id   Int       @id
  rows balance[] @relation("row")
  Rows balance[] @relation("Row")
}

model Balance {
  id Int @id

  @@rust(name: "Account")
}

enum currency {
  EUR @rust(name: "EUR")
  eur
  Eur
}

enum Currency {
  A1b
  A1B
}

model A1b {
  id Int @id
}

model A1B {
  id Int @id
}

enum a1b {
  x
}

// More relations than the first list of slots holds.
model Hub {
  id     Int    @id
  leaf0  Leaf[] @relation("r0")
  leaf1  Leaf[] @relation("r1")
  leaf2  Leaf[] @relation("r2")
  leaf3  Leaf[] @relation("r3")
  leaf4  Leaf[] @relation("r4")
  leaf5  Leaf[] @relation("r5")
  leaf6  Leaf[] @relation("r6")
  leaf7  Leaf[] @relation("r7")
  leaf8  Leaf[] @relation("r8")
  leaf9  Leaf[] @relation("r9")
  leaf10 Leaf[] @relation("r10")
  leaf11 Leaf[] @relation("r11")
  leaf12 Leaf[] @relation("r12")
  leaf13 Leaf[] @relation("r13")
  leaf14 Leaf[] @relation("r14")
  leaf15 Leaf[] @relation("r15")
  leaf16 Leaf[] @relation("r16")
  leaf17 Leaf[] @relation("r17")
}

model Leaf {
  id  Int  @id
  h0 Int?
  hub0 Hub? @relation("r0", fields: [h0], references: [id])
  h1 Int?
  hub1 Hub? @relation("r1", fields: [h1], references: [id])
  h2 Int?
  hub2 Hub? @relation("r2", fields: [h2], references: [id])
  h3 Int?
  hub3 Hub? @relation("r3", fields: [h3], references: [id])
  h4 Int?
  hub4 Hub? @relation("r4", fields: [h4], references: [id])
  h5 Int?
  hub5 Hub? @relation("r5", fields: [h5], references: [id])
  h6 Int?
  hub6 Hub? @relation("r6", fields: [h6], references: [id])
  h7 Int?
  hub7 Hub? @relation("r7", fields: [h7], references: [id])
  h8 Int?
  hub8 Hub? @relation("r8", fields: [h8], references: [id])
  h9 Int?
  hub9 Hub? @relation("r9", fields: [h9], references: [id])
  h10 Int?
  hub10 Hub? @relation("r10", fields: [h10], references: [id])
  h11 Int?
  hub11 Hub? @relation("r11", fields: [h11], references: [id])
  h12 Int?
  hub12 Hub? @relation("r12", fields: [h12], references: [id])
  h13 Int?
  hub13 Hub? @relation("r13", fields: [h13], references: [id])
  h14 Int?
  hub14 Hub? @relation("r14", fields: [h14], references: [id])
  h15 Int?
  hub15 Hub? @relation("r15", fields: [h15], references: [id])
  h16 Int?
  hub16 Hub? @relation("r16", fields: [h16], references: [id])
  h17 Int?
  hub17 Hub? @relation("r17", fields: [h17], references: [id])
}

// Calls of the client and of its models.
model AdvisoryLock {
  id Int @id
}

model Explain {
  id Int @id
}

model Listen {
  id Int @id
}

model Notify {
  id Int @id
}
