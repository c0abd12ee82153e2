// A client on jiff and bigdecimal, with serde.

generator client {
  provider = "relata"
  serde    = true
  dateTime = "jiff"
  decimal  = "bigdecimal"
}

datasource db {
  provider = "postgresql"
}

enum Mood {
  HAPPY
  very_sad @map("very sad")
}

model Author {
  id        String     @id @default(uuid(7)) @db.Uuid
  fullName  String     @map("full_name")
  secret    String     @default("hidden") @sensitive
  mood      Mood       @default(HAPPY)
  bornOn    DateTime?  @db.Date
  portrait  Bytes?
  createdAt DateTime   @default(now()) @db.Timestamptz(6)
  posts     BlogPost[]
  profile   Profile?
}

model Profile {
  id       Int    @id @default(autoincrement())
  authorId String @unique @db.Uuid
  author   Author @relation(fields: [authorId], references: [id])
  type     String @default("plain")
}

model BlogPost {
  publishedAt DateTime   @id @db.Timestamptz(6)
  authorId    String     @db.Uuid
  author      Author     @relation(fields: [authorId], references: [id])
  price       Decimal    @default(0)
  prices      Decimal[]
  local       DateTime   @default(now()) @db.Timestamp(6)
  time        DateTime?  @db.Time(6)
  zoned       DateTime?  @db.Timetz(6)
  days        DateTime[] @db.Date
  views       BigInt     @default(0)
  data        Json       @default("{}")

  @@index([authorId])
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
