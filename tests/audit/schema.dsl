// Recorded changes: every kind of call, values of many types, and what is left out or not shown.

datasource db {
  provider = "postgresql"
}

generator client {
  provider = "relata"
}

enum Role {
  STUDENT
  GUEST
}

model Student {
  id        Int        @id
  name      String     @map("full_name")
  email     String     @unique @sensitive
  year      Int?
  role      Role       @default(STUDENT)
  score     Decimal?   @db.Decimal(30, 10)
  rate      Float      @default(0.5)
  isActive  Boolean    @default(true)
  photo     Bytes?
  token     String     @default(uuid()) @db.Uuid
  seenAt    DateTime?  @db.Timestamptz(6)
  born      DateTime?  @db.Date
  data      Json?
  tags      String[]
  views     Int        @default(0)
  updatedAt DateTime   @updatedAt @db.Timestamptz(6)
  bookings  Booking[]

  @@audited(except: [views])
  @@map("students")
}

// A key of two columns, which a cascade deletes.
model Booking {
  studentId Int
  student   Student   @relation(fields: [studentId], references: [id], onDelete: Cascade)
  day       DateTime  @db.Timestamptz(6)
  room      String    @default("")
  deletedAt DateTime? @db.Timestamptz(6) @softDelete

  @@id([studentId, day])
  @@audited
}

// Without `@@audited`.
model Note {
  id   Int    @id
  text String
}
