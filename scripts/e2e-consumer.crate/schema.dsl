datasource db {
  provider = "postgresql"
}

enum Status {
  DRAFT
  IN_PRINT @map("in print")
}

/// Somebody who writes; perhaps taught by somebody else.
model Author {
  id       Int       @id @default(autoincrement())
  handle   String    @unique
  tags     String[]
  mentorId Int?      @map("mentor_id")
  mentor   Author?   @relation("Mentoring", fields: [mentorId], references: [id], onDelete: SetNull)
  pupils   Author[]  @relation("Mentoring")
  written  Article[] @relation("Writing")
  reviewed Article[] @relation("Reviewing")

  @@index([mentorId])
}

model Article {
  blog       String
  number     Int
  title      String
  // new field
  status     Status    @default(DRAFT)
  history    Status[]
  price      Decimal?  @db.Decimal(10, 2)
  meta       Json      @default("{}")
  published  DateTime? @db.Date
  authorId   Int       @map("author_id")
  author     Author    @relation("Writing", fields: [authorId], references: [id], onDelete: Cascade)
  reviewerId Int?      @map("reviewer_id")
  reviewer   Author?   @relation("Reviewing", fields: [reviewerId], references: [id], onDelete: SetNull)
  comments   Comment[]

  @@id([blog, number])
  @@unique([authorId, title], map: "one_title_per_author")
  @@index([reviewerId])
  @@map("articles")
}

model Comment {
  id      BigInt  @id @default(autoincrement())
  blog    String
  number  Int
  article Article @relation(fields: [blog, number], references: [blog, number], onDelete: Cascade)
  text    String
  scores  Int[]
  raw     Bytes?

  @@index([blog, number])
}

/// The module of this model must not hide the crate.
model Relata {
  id Int @id
}
