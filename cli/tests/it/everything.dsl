datasource db {
  provider = "postgresql"
}

enum Color {
  RED
  GREEN @map("the green one")

  @@map("color")
}

model Everything {
  id        BigInt    @id @default(autoincrement())
  small     Int       @default(-5) @db.SmallInt
  whole     Int       @default(42)
  oid       Int?      @db.Oid
  ratio     Float     @default(1.5)
  real      Float?    @db.Real
  price     Decimal   @default(10.50) @db.Decimal(10, 2)
  exact     Decimal?
  money     Decimal?  @db.Money
  flag      Boolean   @default(true)
  text      String    @default("it's \"here\"")
  short     String    @default("x") @db.VarChar(20)
  fixed     String?   @db.Char(3)
  uuid      String    @default(uuid()) @db.Uuid
  made      String    @default(dbgenerated("gen_random_uuid()")) @db.Uuid
  address   String?   @db.Inet
  xml       String?   @db.Xml
  bits      String?   @db.Bit(4)
  varbits   String?   @db.VarBit
  at        DateTime  @default(now())
  zoned     DateTime  @default(now()) @db.Timestamptz(6)
  day       DateTime? @db.Date
  clock     DateTime? @db.Time(0)
  moment    DateTime  @default("2026-01-01T00:00:00Z") @db.Timestamptz(3)
  changed   DateTime  @updatedAt
  data      Json      @default("{\"a\": [1, 2]}")
  plain     Json?     @db.Json
  raw       Bytes     @default("AQID")
  color     Color     @default(GREEN)
  colors    Color[]   @default([RED, GREEN])
  words     String[]  @default(["a", "b,c"])
  numbers   Int[]     @default([])
  dates     DateTime[]
  search    Unsupported("tsvector")?
  length    Interval? @default(dbgenerated("'1 day'"))
  seats     Int4Range[]
  network   Cidr?
  pattern   VarBit(8)?
  parentId  BigInt?   @map("parent_id")
  parent    Everything?  @relation("Tree", fields: [parentId], references: [id], onDelete: SetNull, onUpdate: NoAction, map: "tree_fk")
  children  Everything[] @relation("Tree")
  tags      Tag[]

  @@unique([short, flag], map: "short_flag")
  @@index([text, whole(sort: Desc)])
  @@index([data(ops: JsonbPathOps)], type: Gin)
  @@index([uuid], type: Hash)
  @@map("everything")
}

model Account {
  id      Int       @id
  email   String    @unique(where: { goneAt: null })
  name    String?
  color   Color     @default(RED)
  goneAt  DateTime? @map("gone_at")
  data    Json
  balance Decimal   @default(0) @db.Decimal(12, 2)
  area    Unsupported("polygon")?

  @@unique([raw("lower(email)")])
  @@unique([name, color], where: { color: { not: RED }, balance: 0 })
  @@index([raw("lower(name)", sort: Desc), email])
  @@index([raw("name || ' ' || email", ops: raw("text_pattern_ops"))], map: "by_both")
  @@index([raw("data ->> 'city'")], where: raw("gone_at IS NULL AND balance > 0"))
  @@index([raw("to_tsvector('english', email)")], type: Gin)
  @@index([raw("balance % 10"), raw("(CASE WHEN gone_at IS NULL THEN 1 ELSE 0 END)")])
  @@index([raw("md5(email)")], type: Hash)
  @@index([email(ops: raw("text_pattern_ops"))], map: "by_prefix")
  @@index([email(ops: raw("text_ops"))], map: "by_the_default_class")
  @@index([area(ops: raw("poly_ops"))], type: SpGist)
  @@check("balance >= 0", name: "in_credit")
  @@check("length(email) > 3 AND email LIKE '%@%'")
}

model Tag {
  id    String       @id @db.VarChar(10)
  items Everything[]
  pairs Pair[]
}

model Pair {
  a     Int
  b     String
  tagId String @map("tag_id") @db.VarChar(10)
  tag   Tag    @relation(fields: [tagId], references: [id])
  extra Int    @unique

  @@id([a, b])
}
