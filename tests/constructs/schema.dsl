// What the schemas of the other test clients do not have: several PostgreSQL schemas, views with relations, what is
// ignored or unsupported, partial and expression indexes, checks, an explicit join table, a composite key that is
// referred to by optional columns, enums as keys and in lists.

datasource db {
  provider = "postgresql"
  schemas  = ["public", "shop"]
}

generator client {
  provider  = "relata"
  factories = true
}

enum Status {
  OPEN
  PAID @map("paid")

  @@map("status")
  @@schema("shop")
}

model Customer {
  id          Int                   @id @default(autoincrement())
  email       String
  nick        String?               @unique(where: { goneAt: null })
  wants       Status[]              @default([OPEN, PAID])
  notes       Json[]
  logins      Int                   @default(0) @ignore
  position    Unsupported("point")?
  home        Unsupported("point")  @default(dbgenerated("'(1,2)'"))
  goneAt      DateTime?             @map("gone_at")
  orders      Order[]
  memberships Membership[]
  turnover    Turnover?
  secrets     Secret[]              @ignore

  @@unique([raw("lower(email)")])
  @@index([raw("length(email)", sort: Desc)])
  @@map("customers")
  @@check("length(email) > 3", name: "customers_email_is_long")
  @@schema("shop")
}

model Order {
  customerId Int
  number     Int
  status     Status   @default(OPEN)
  total      Decimal  @default(0) @db.Decimal(10, 2)
  customer   Customer @relation(fields: [customerId], references: [id], onDelete: Cascade)
  lines      Line[]

  @@id([customerId, number])
  @@unique([status, number], name: "numbered")
  @@schema("shop")
}

model Line {
  id            Int    @id @default(autoincrement())
  text          String
  orderCustomer Int?
  orderNumber   Int?
  order         Order? @relation(fields: [orderCustomer, orderNumber], references: [customerId, number], onDelete: SetNull)

  @@index([orderCustomer, orderNumber])
  @@schema("shop")
}

// Both halves of the key are relations.
model Membership {
  customerId Int
  clubId     String     @db.Uuid
  level      LevelName?
  rank       Level?     @relation(fields: [level], references: [name])
  customer   Customer   @relation(fields: [customerId], references: [id])
  club       Club       @relation(fields: [clubId], references: [id])

  @@id([customerId, clubId])
  @@index([clubId])
  @@index([level])
  @@schema("public")
}

model Club {
  id          String       @id @default(uuid()) @db.Uuid
  name        String       @unique
  memberships Membership[]
  tags        Tag[]

  @@schema("public")
}

model Tag {
  name  String @id
  clubs Club[]

  @@schema("shop")
}

enum LevelName {
  GOLD
  TIN

  @@schema("public")
}

model Level {
  name    LevelName    @id
  members Membership[]

  @@schema("public")
}

/// What a customer spent.
view Turnover {
  customerId Int      @unique
  total      Decimal
  customer   Customer @relation(fields: [customerId], references: [id])

  @@schema("shop")
}

/// How often each customer has ordered, as of the last refresh.
view Habit {
  customerId Int @unique
  orders     Int

  @@index([orders(sort: Desc)])
  @@materialized
  @@schema("shop")
  @@sql("""
    SELECT "customerId", count(*)::int AS orders
    FROM shop."Order"
    GROUP BY "customerId"
  """)
}

model Secret {
  id         Int      @id
  customerId Int
  customer   Customer @relation(fields: [customerId], references: [id])

  @@index([customerId])
  @@ignore
  @@schema("shop")
}

// A row needs a value that the client cannot write.
model Area {
  id    Int                    @id
  name  String
  shape Unsupported("polygon") @ignore

  @@schema("public")
}

// PostgreSQL generates some columns.
model Product {
  id    Int      @id @default(autoincrement())
  name  String
  price Int
  tax   Int
  gross Int      @generated("price + tax")
  slug  String   @unique @generated("lower(name)")
  half  Int?     @generated("nullif(price, 0) / 2")
  words String[] @generated("string_to_array(name, ' ')")

  @@schema("shop")
}

// PostgreSQL counts the rows, and foreign keys reference integers of another size.
model Depot {
  id      BigInt   @id @identity(always: true)
  code    Int      @unique
  racks   Rack[]
  parcels Parcel[]

  @@schema("shop")
}

model Rack {
  id       Int      @id @identity(start: 100, increment: 10)
  depotId  Int?
  position Int
  depot    Depot?   @relation(fields: [depotId], references: [id], onDelete: SetNull)
  parcels  Parcel[]

  @@unique([position], deferrable: InitiallyDeferred)
  @@index([depotId])
  @@schema("shop")
}

model Parcel {
  id        Int    @id
  depotCode BigInt
  rackId    Int    @db.SmallInt
  depot     Depot  @relation(fields: [depotCode], references: [code])
  rack      Rack   @relation(fields: [rackId], references: [id])

  @@index([depotCode])
  @@index([rackId])
  @@schema("shop")
}

// Columns have domains.
model Contact {
  id        Int       @id @default(autoincrement()) @domain("shop.contact_id")
  email     String    @unique @domain("shop.email")
  others    String[]  @domain("shop.email")
  nick      String?   @domain("nick") @db.VarChar(20)
  rating    Decimal?  @domain("shop.rating") @db.Decimal(5, 2)
  since     DateTime? @domain("shop.moment") @db.Timestamptz(3)
  token     String?   @domain("shop.token") @db.Uuid
  data      Json?     @domain("shop.data")
  visits    BigInt    @default(0) @domain("shop.visits")
  levels    Int[]     @domain("shop.level")
  inviterId Int?      @domain("shop.contact_id")
  inviter   Contact?  @relation("Invites", fields: [inviterId], references: [id], onDelete: SetNull)
  invited   Contact[] @relation("Invites")

  @@index([inviterId])
  @@schema("shop")
}

// Rows exclude each other.
model Shift {
  id     Int @id @default(autoincrement())
  person Int
  starts Int
  ends   Int

  @@exclude([raw("int4range(person, person, '[]')", with: "&&"), raw("int4range(starts, ends)", with: "&&")], map: "one_place_at_a_time")
  @@exclude([starts(with: "="), ends(with: "=")], type: BTree, deferrable: InitiallyDeferred)
  @@schema("shop")
}

model Measurement {
  id         Int      @default(autoincrement())
  measuredAt DateTime @map("measured_at") @db.Timestamptz(3)
  value      Int
  notes      Note[]

  @@id([id, measuredAt])
  @@map("measurements")
  @@schema("shop")
  @@partitionBy(Range, [measuredAt])
}

model Note {
  id            Int         @id @default(autoincrement())
  text          String
  measurementId Int
  measuredAt    DateTime    @db.Timestamptz(3)
  measurement   Measurement @relation(fields: [measurementId, measuredAt], references: [id, measuredAt], onDelete: Cascade)

  @@index([measurementId, measuredAt])
  @@schema("shop")
}

/// An account, most of whose columns are read only if a program asks for them.
model Account {
  id       Int       @id @default(autoincrement())
  /// What it is entered with.
  secret   String    @omit @sensitive
  name     String    @unique
  notes    String?   @omit
  marks    Int[]     @omit
  token    String?   @unique @omit
  parentId Int?
  parent   Account?  @relation("Parents", fields: [parentId], references: [id])
  children Account[] @relation("Parents")

  @@index([parentId])
  @@schema("shop")
}
