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
  id      Int                            @id @default(autoincrement())
  room    Int
  during  Unsupported("tstzrange")
  nights  Unsupported("daterange")?
  seats   Unsupported("int4range")?
  big     Unsupported("int8range")?
  price   Unsupported("numrange")?
  local   Unsupported("tsrange")?
  breaks  Unsupported("tstzmultirange")?
  numbers Unsupported("int4multirange")?
  past    Unsupported("int4range")[]

  @@index([during], type: Gist)
  @@exclude([room(with: "="), during(with: "&&")])
}

model Value {
  id       Int                                                                                           @id @default(autoincrement())
  length   Unsupported("interval")                                                                       @default(dbgenerated("'1 day'"))
  lengths  Unsupported("interval")[]
  host     Unsupported("inet")?
  network  Unsupported("cidr")?
  hosts    Unsupported("inet")[]
  mac      Unsupported("macaddr")?
  long_mac Unsupported("macaddr8")?
  bits     Unsupported("bit(5)")?
  flags    Unsupported("bit varying(40)")?
  data     Unsupported("hstore")?
  path     Unsupported("ltree")?
  body     String                                                                                        @default("")
  document Unsupported("tsvector GENERATED ALWAYS AS (to_tsvector('english'::regconfig, body)) STORED")?
  query    Unsupported("tsquery")?
  place    Unsupported("point")?
  area     Unsupported("box")?
  segment  Unsupported("lseg")?
  outline  Unsupported("polygon")?
  round    Unsupported("circle")?
  position Unsupported("pg_lsn")?
  price    Unsupported("money")?
  email    String?                                                                                       @db.Citext
  tag      Unsupported("xml")?

  @@index([document], type: Gin)
  @@index([path], type: Gist)
  @@index([data], type: Gin)
}
