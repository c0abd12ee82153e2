// A client on time, with serde and the usual decimals.

generator client {
  provider = "relata"
  serde    = true
  dateTime = "time"
}

datasource db {
  provider = "postgresql"
}

model Event {
  at     DateTime   @id @db.Timestamptz(6)
  local  DateTime   @default(now()) @db.Timestamp(6)
  day    DateTime?  @db.Date
  time   DateTime?  @db.Time(6)
  zoned  DateTime?  @db.Timetz(6)
  many   DateTime[] @db.Timestamptz(6)
  amount Decimal    @default(0) @db.Decimal(20, 4)
}

/// Values in JSON whose formats differ from library to library.
type Moments {
  at      DateTime
  maybe   DateTime?
  many    DateTime[]
  day     DateTime   @db.Date
  days    DateTime[] @db.Date
  time    DateTime   @db.Time
  amount  Decimal
  amounts Decimal[]
}

model Stamp {
  id      Int     @id
  moments Moments @json
}
