// Rows that are marked as deleted: relations of every kind between models with and without `@softDelete`, keys that are
// unique among the other rows and among all, and cascades, also of a model to itself.

datasource db {
  provider = "postgresql"
}

generator client {
  provider = "relata"
}

model Team {
  id        Int          @id
  name      String       @unique(where: { deletedAt: null })
  users     User[]
  members   Membership[]
  deletedAt DateTime?    @map("deleted_at") @db.Timestamptz(6) @softDelete
}

model User {
  id        Int          @id
  email     String       @unique(where: { deletedAt: null })
  // lint:allow R1402 a handle is never used again
  handle    String       @unique
  first     String       @default("")
  last      String       @default("")
  teamId    Int?
  team      Team?        @relation(fields: [teamId], references: [id])
  managerId Int?
  manager   User?        @relation("reports", fields: [managerId], references: [id])
  reports   User[]       @relation("reports")
  profile   Profile?
  posts     Post[]
  sessions  Session[]
  notes     Note[]
  articles  Article[]
  members   Membership[]
  updatedAt DateTime     @updatedAt @db.Timestamptz(6)
  deletedAt DateTime?    @map("deleted_at") @db.Timestamptz(6) @softDelete

  @@unique([first, last, teamId], where: { deletedAt: null })
  @@index([teamId])
  @@index([managerId])
}

model Profile {
  id        Int       @id
  bio       String    @default("")
  userId    Int       @unique(where: { deletedAt: null })
  user      User      @relation(fields: [userId], references: [id])
  deletedAt DateTime? @map("deleted_at") @db.Timestamptz(6) @softDelete
}

model Post {
  id        Int       @id
  title     String
  views     Int       @default(0)
  authorId  Int
  author    User      @relation(fields: [authorId], references: [id], onDelete: Cascade)
  comments  Comment[]
  tags      Tag[]
  deletedAt DateTime? @map("deleted_at") @db.Timestamptz(6) @softDelete

  @@index([authorId])
}

model Comment {
  id        Int       @id
  text      String    @default("")
  postId    Int
  post      Post      @relation(fields: [postId], references: [id], onDelete: Cascade)
  parentId  Int?
  parent    Comment?  @relation("replies", fields: [parentId], references: [id], onDelete: Cascade)
  replies   Comment[] @relation("replies")
  deletedAt DateTime? @map("deleted_at") @db.Timestamptz(6) @softDelete

  @@index([postId])
  @@index([parentId])
}

model Tag {
  id        Int       @id
  name      String    @unique(where: { deletedAt: null })
  posts     Post[]
  notes     Note[]
  deletedAt DateTime? @map("deleted_at") @db.Timestamptz(6) @softDelete
}

// A key of two columns, with a relation in each.
model Membership {
  teamId    Int
  team      Team      @relation(fields: [teamId], references: [id], onDelete: Cascade)
  userId    Int
  user      User      @relation(fields: [userId], references: [id], onDelete: Cascade)
  role      String    @default("")
  duties    Duty[]
  deletedAt DateTime? @map("deleted_at") @db.Timestamptz(6) @softDelete

  @@id([teamId, userId])
  @@index([userId])
}

model Duty {
  id        Int        @id
  teamId    Int
  userId    Int
  member    Membership @relation(fields: [teamId, userId], references: [teamId, userId], onDelete: Cascade)
  deletedAt DateTime?  @map("deleted_at") @db.Timestamptz(6) @softDelete

  @@index([teamId, userId])
}

// Without `@softDelete`.
model Session {
  id     Int  @id
  userId Int
  // lint:allow R1403 what happens to them is a test
  user   User @relation(fields: [userId], references: [id], onDelete: Cascade)

  @@index([userId])
}

// Without `@softDelete`, and with optional relations.
model Note {
  id     Int    @id
  text   String @default("")
  userId Int?
  user   User?  @relation(fields: [userId], references: [id])
  tags   Tag[]

  @@index([userId])
}

// With scopes beside `@softDelete`: an object, and SQL with a function, a type and a column without quotes.
model Article {
  id        Int       @id
  // lint:allow R1402 a slug is never used again
  slug      String    @unique
  public    Boolean   @default(true) @map("is_public")
  words     Int       @default(0)
  language  String    @default("en")
  userId    Int?
  user      User?     @relation(fields: [userId], references: [id])
  parentId  Int?
  parent    Article?  @relation("series", fields: [parentId], references: [id])
  parts     Article[] @relation("series")
  remarks   Remark[]
  deletedAt DateTime? @map("deleted_at") @db.Timestamptz(6) @softDelete

  @@index([userId])
  @@index([parentId])
  @@scope(published, where: { public: true })
  @@scope(readable, where: raw("words > 0 AND lower(\"language\") <> 'xx'::text OR language = 'words'"))
}

// A required relation to a model with scopes.
model Remark {
  id        Int     @id
  articleId Int
  article   Article @relation(fields: [articleId], references: [id])

  @@index([articleId])
}
