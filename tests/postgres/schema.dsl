// Types of PostgreSQL and its own extensions beyond the scalars of the language.

datasource db {
  provider   = "postgresql"
  extensions = [btree_gist, citext, hstore, ltree]
}

generator client {
  provider = "relata"
  serde    = true
}

model Booking {
  id      Int             @id @default(autoincrement())
  room    Int
  during  TstzRange
  nights  DateRange?
  seats   Int4Range?
  big     Int8Range?
  price   NumRange?
  local   TsRange?
  breaks  TstzMultirange?
  numbers Int4Multirange?
  past    Int4Range[]

  @@index([during], type: Gist)
  @@exclude([room(with: "="), during(with: "&&")])
}

model Value {
  id       Int                     @id @default(autoincrement())
  length   Interval                @default(dbgenerated("'1 day'"))
  lengths  Interval[]
  host     Inet?
  network  Cidr?
  hosts    Inet[]
  mac      MacAddr?
  long_mac MacAddr8?
  bits     Bit(5)?
  flags    VarBit(40)?
  data     Hstore?
  path     Ltree?
  body     String                  @default("")
  document TsVector?               @generated("to_tsvector('english'::regconfig, body)")
  query    Unsupported("tsquery")?
  place    Point?
  area     Box?
  segment  Lseg?
  outline  Unsupported("polygon")?
  round    Unsupported("circle")?
  position Unsupported("pg_lsn")?
  price    Unsupported("money")?
  email    String?                 @db.Citext
  tag      Unsupported("xml")?

  @@index([document], type: Gin)
  @@index([path], type: Gist)
  @@index([data], type: Gin)
}

// Keys of such types. Some values are equal, although they are written differently.
model Net {
  net   Cidr   @id
  hosts Host[]
}

model Host {
  id   Int                  @id @default(autoincrement())
  net  Cidr
  name Ltree                @unique
  of   Net                  @relation(fields: [net], references: [net])
  json Unsupported("json")?
  none Inet[]               @default([])

  @@index([net])
}

model Code {
  code   String                 @id @db.Citext
  span   Interval               @unique
  amount Unsupported("numeric") @unique
  prices NumRange               @unique
  ratio  Float                  @unique
  marks  Mark[]                 @relation("code")
  spans  Mark[]                 @relation("span")
  sums   Mark[]                 @relation("amount")
  ranges Mark[]                 @relation("prices")
  ratios Mark[]                 @relation("ratio")
}

model Mark {
  id       Int                    @id @default(autoincrement())
  code     String                 @db.Citext
  span     Interval
  amount   Unsupported("numeric")
  prices   NumRange
  ratio    Float
  byCode   Code                   @relation("code", fields: [code], references: [code])
  bySpan   Code                   @relation("span", fields: [span], references: [span])
  byAmount Code                   @relation("amount", fields: [amount], references: [amount])
  byPrices Code                   @relation("prices", fields: [prices], references: [prices])
  byRatio  Code                   @relation("ratio", fields: [ratio], references: [ratio])

  @@index([code])
  @@index([span])
  @@index([amount])
  @@index([prices])
  @@index([ratio])
}

/// Values that no page token may hold.
model Secret {
  id    Int        @id @default(autoincrement())
  data  Hstore?    @sensitive
  seats Int4Range? @sensitive
  place Point?     @sensitive
  path  Ltree?     @sensitive
  host  Inet?      @sensitive
}
