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

/// Values that no page token may hold.
model Secret {
  id    Int        @id @default(autoincrement())
  data  Hstore?    @sensitive
  seats Int4Range? @sensitive
  place Point?     @sensitive
  path  Ltree?     @sensitive
  host  Inet?      @sensitive
}
