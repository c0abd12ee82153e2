// Columns of every type, with null and without, and lists: what random queries are about.

datasource db {
  provider = "postgresql"
}

generator client {
  provider = "relata"
}

enum Mood {
  HAPPY
  SAD   @map("so sad")

  @@map("mood")
}

model Wide {
  id    Int       @id
  i     Int
  iN    Int?      @map("i_n")
  s     Int       @db.SmallInt
  sN    Int?      @map("s_n") @db.SmallInt
  b     BigInt
  bN    BigInt?   @map("b_n")
  f     Float
  fN    Float?    @map("f_n")
  r     Float     @db.Real
  rN    Float?    @map("r_n") @db.Real
  d     Decimal
  dN    Decimal?  @map("d_n") @db.Decimal(10, 2)
  t     String
  tN    String?   @map("t_n")
  v     String    @db.VarChar(20)
  vN    String?   @map("v_n") @db.VarChar(20)
  c     String    @db.Char(3)
  cN    String?   @map("c_n") @db.Char(3)
  u     String    @db.Uuid
  uN    String?   @map("u_n") @db.Uuid
  k     Boolean
  kN    Boolean?  @map("k_n")
  ts    DateTime  @db.Timestamp(3)
  tsN   DateTime? @map("ts_n") @db.Timestamp(3)
  tz    DateTime  @db.Timestamptz(3)
  tzN   DateTime? @map("tz_n") @db.Timestamptz(3)
  day   DateTime  @db.Date
  dayN  DateTime? @map("day_n") @db.Date
  tm    DateTime  @db.Time(3)
  tmN   DateTime? @map("tm_n") @db.Time(3)
  j     Json
  jN    Json?     @map("j_n")
  js    Json      @db.Json
  jsN   Json?     @map("js_n") @db.Json
  y     Bytes
  yN    Bytes?    @map("y_n")
  m     Mood
  mN    Mood?     @map("m_n")
  li    Int[]
  lb    BigInt[]
  lf    Float[]
  lt    String[]
  lu    String[]  @db.Uuid
  lm    Mood[]
  lj    Json[]

  @@map("wide")
}

model Node {
  id     Int     @id @default(autoincrement())
  parent Int?
  label  String
  note   String?
  wide   Int?
  mood   Mood?
  size   BigInt  @default(0)
  tags   String[]

  @@map("node")
}

model Link {
  a    Int
  b    Int
  id   Int?
  note String?
  at   DateTime? @db.Timestamptz(3)

  @@id([a, b])
  @@map("link")
}
