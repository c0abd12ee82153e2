// Tenants: rows with a column of their own for the school, rows that lead to it by a path, and rows of all. A foreign
// key that holds the tenant, ones that do not, keys that are unique within a tenant and across them, and a relation
// through a table between.

datasource db {
  provider    = "postgresql"
  rowSecurity = true
}

generator client {
  provider  = "relata"
  factories = true
}

model School {
  id       String    @id @default(uuid()) @db.Uuid
  name     String
  slug     String    @unique
  users    User[]
  students Student[]
  rooms    Room[]
  exams    Exam[]
  clubs    Club[]
  results  Result[]
  halls    Hall[]
  desks    Desk[]
  seats    Seat[]
  lockers  Locker[]

  @@tenant
}

enum Role {
  ADMIN
  STUDENT
}

model User {
  id        String    @id @default(uuid()) @db.Uuid
  schoolId  String    @db.Uuid
  school    School    @relation(fields: [schoolId], references: [id], onDelete: Cascade)
  email     String
  role      Role      @default(STUDENT)
  countryId Int?
  country   Country?  @relation(fields: [countryId], references: [id])
  updatedAt DateTime  @updatedAt @db.Timestamptz(6)
  sessions  Session[]
  student   Student?
  locker    Locker?

  @@unique([schoolId, id])
  @@unique([schoolId, email])
  @@index([countryId])
  @@tenant(school)
}

// The tenant is found by a path.
model Session {
  id     String @id @default(uuid()) @db.Uuid
  userId String @db.Uuid
  user   User   @relation(fields: [userId], references: [id], onDelete: Cascade)
  note   String @default("")

  @@index([userId])
  @@tenant(user.school)
}

model Student {
  id       String    @id @default(uuid()) @db.Uuid
  schoolId String    @db.Uuid
  school   School    @relation(fields: [schoolId], references: [id], onDelete: Cascade)
  userId   String    @db.Uuid
  user     User      @relation(fields: [schoolId, userId], references: [schoolId, id], onDelete: Cascade)
  year     Int
  number   Int
  labels   String[]
  mentorId String?   @db.Uuid
  mentor   Student?  @relation("mentoring", fields: [schoolId, mentorId], references: [schoolId, id], onDelete: NoAction)
  mentored Student[] @relation("mentoring")
  results  Result[]
  clubs    Club[]

  @@unique([schoolId, id])
  @@unique([schoolId, userId])
  @@unique([schoolId, year, number])
  @@index([schoolId, mentorId])
  @@tenant(school)
}

model Club {
  id       Int       @id @default(autoincrement())
  schoolId String    @db.Uuid
  school   School    @relation(fields: [schoolId], references: [id], onDelete: Cascade)
  name     String
  // lint:allow R0906 the table between has no room for the school
  students Student[]
  topics   Topic[]

  @@unique([schoolId, name])
  @@tenant(school)
}

model Room {
  id       Int      @id @default(autoincrement())
  schoolId String   @db.Uuid
  school   School   @relation(fields: [schoolId], references: [id], onDelete: Cascade)
  name     String
  exams    Exam[]
  lockers  Locker[]

  @@index([schoolId])
  @@tenant(school)
}

// Its foreign keys do not hold the school: one is optional, one required.
model Exam {
  id       Int      @id @default(autoincrement())
  schoolId String   @db.Uuid
  school   School   @relation(fields: [schoolId], references: [id], onDelete: Cascade)
  code     String   @unique(global: true)
  roomId   Int?
  // lint:allow R0906 to see that a handle looks it up
  room     Room?    @relation(fields: [roomId], references: [id])
  results  Result[]

  @@unique([schoolId, id])
  @@index([schoolId])
  @@index([roomId])
  @@tenant(school)
}

model Result {
  id        String  @id @default(uuid()) @db.Uuid
  schoolId  String  @db.Uuid
  school    School  @relation(fields: [schoolId], references: [id], onDelete: Cascade)
  studentId String  @db.Uuid
  student   Student @relation(fields: [schoolId, studentId], references: [schoolId, id], onDelete: Cascade)
  examId    Int
  // lint:allow R0906 to see that a handle looks it up
  exam      Exam    @relation(fields: [examId], references: [id])
  score     Float?

  @@index([schoolId, studentId])
  @@index([examId])
  @@tenant(school)
}

model Country {
  id    Int    @id
  name  String
  users User[]

  @@shared
}

// A row of all schools, and a table between that joins it to rows of each.
model Topic {
  id    Int    @id @default(autoincrement())
  name  String
  clubs Club[]

  @@shared
}

model Hall {
  region   Int
  number   Int
  schoolId String @db.Uuid
  school   School @relation(fields: [schoolId], references: [id], onDelete: Cascade)
  seats    Seat[]

  @@id([region, number], global: true)
  @@index([schoolId])
  @@tenant(school)
}

model Desk {
  region   Int
  number   Int
  schoolId String @db.Uuid
  school   School @relation(fields: [schoolId], references: [id], onDelete: Cascade)
  seats    Seat[]

  @@id([region, number], global: true)
  @@index([schoolId])
  @@tenant(school)
}

// Two foreign keys without the school share a column.
model Seat {
  id         Int    @id @default(autoincrement())
  schoolId   String @db.Uuid
  school     School @relation(fields: [schoolId], references: [id], onDelete: Cascade)
  region     Int
  hallNumber Int
  deskNumber Int
  // lint:allow R0906 to see that a handle looks it up
  hall       Hall   @relation(fields: [region, hallNumber], references: [region, number])
  // lint:allow R0906 to see that a handle looks it up
  desk       Desk   @relation(fields: [region, deskNumber], references: [region, number])

  @@index([schoolId])
  @@index([region, hallNumber])
  @@index([region, deskNumber])
  @@tenant(school)
}

// A foreign key without the school is a key of its own, and another has a default.
model Locker {
  id       Int     @id @default(autoincrement())
  schoolId String  @db.Uuid
  school   School  @relation(fields: [schoolId], references: [id], onDelete: Cascade)
  label    String
  userId   String? @unique(global: true) @db.Uuid
  // lint:allow R0906 to see that a handle looks it up
  user     User?   @relation(fields: [userId], references: [id])
  roomId   Int     @default(1)
  // lint:allow R0906 to see that a handle looks it up
  room     Room    @relation(fields: [roomId], references: [id])

  @@index([schoolId])
  @@index([roomId])
  @@tenant(school)
}
