// A medical school's exam planning: who sits which exam, and when.

datasource db {
  provider = "postgresql"
}

generator client {
  provider  = "relata"
  factories = true
}

/// Every table below belongs to one institution.
model Institution {
  id        String     @id @default(uuid()) @db.Uuid
  name      String
  slug      String     @unique
  createdAt DateTime   @default(now()) @map("created_at") @db.Timestamptz(3)
  updatedAt DateTime   @updatedAt @map("updated_at") @db.Timestamptz(3)
  users     User[]
  students  Student[]
  examTypes ExamType[]

  @@map("institutions")
}

enum Role {
  ADMIN
  FACULTY
  STUDENT

  @@map("role")
}

/// Someone who can log in.
model User {
  id            String      @id @default(uuid()) @db.Uuid
  institutionId String      @map("institution_id") @db.Uuid
  institution   Institution @relation(fields: [institutionId], references: [id], onDelete: Cascade, onUpdate: Cascade)
  email         String
  passwordHash  String      @map("password_hash")
  role          Role
  createdAt     DateTime    @default(now()) @map("created_at") @db.Timestamptz(3)
  updatedAt     DateTime    @updatedAt @map("updated_at") @db.Timestamptz(3)
  sessions      Session[]
  student       Student?

  @@unique([institutionId, email])
  @@map("users")
}

/// A login; it ends at `expiresAt`.
model Session {
  id        String   @id @default(uuid()) @db.Uuid
  userId    String   @map("user_id") @db.Uuid
  user      User     @relation(fields: [userId], references: [id], onDelete: Cascade, onUpdate: Cascade)
  expiresAt DateTime @map("expires_at") @db.Timestamptz(3)
  createdAt DateTime @default(now()) @map("created_at") @db.Timestamptz(3)

  @@index([userId])
  @@index([expiresAt])
  @@map("sessions")
}

/// A user who sits exams.
model Student {
  id                String        @id @default(uuid()) @db.Uuid
  userId            String        @unique @map("user_id") @db.Uuid
  user              User          @relation(fields: [userId], references: [id], onDelete: Cascade, onUpdate: Cascade)
  institutionId     String        @map("institution_id") @db.Uuid
  institution       Institution   @relation(fields: [institutionId], references: [id], onDelete: Cascade, onUpdate: Cascade)
  classYear         Int           @map("class_year")
  /// Only whether there are any; medical details are never kept.
  hasAccommodations Boolean       @default(false) @map("has_accommodations")
  createdAt         DateTime      @default(now()) @map("created_at") @db.Timestamptz(3)
  updatedAt         DateTime      @updatedAt @map("updated_at") @db.Timestamptz(3)
  exams             StudentExam[]

  @@index([institutionId])
  @@map("students")
}

/// A kind of exam that an institution offers.
model ExamType {
  id            String        @id @default(uuid()) @db.Uuid
  institutionId String        @map("institution_id") @db.Uuid
  institution   Institution   @relation(fields: [institutionId], references: [id], onDelete: Cascade, onUpdate: Cascade)
  code          String
  name          String
  defaultWeight Float         @map("default_weight")
  createdAt     DateTime      @default(now()) @map("created_at") @db.Timestamptz(3)
  updatedAt     DateTime      @updatedAt @map("updated_at") @db.Timestamptz(3)
  exams         StudentExam[]

  @@unique([institutionId, code])
  @@map("exam_types")
}

/// One exam of one student.
model StudentExam {
  id          String    @id @default(uuid()) @db.Uuid
  studentId   String    @map("student_id") @db.Uuid
  student     Student   @relation(fields: [studentId], references: [id], onDelete: Cascade, onUpdate: Cascade)
  examTypeId  String    @map("exam_type_id") @db.Uuid
  examType    ExamType  @relation(fields: [examTypeId], references: [id], onDelete: Restrict, onUpdate: Cascade)
  scheduledOn DateTime? @map("scheduled_on") @db.Date
  weight      Float?
  score       Float?
  createdAt   DateTime  @default(now()) @map("created_at") @db.Timestamptz(3)
  updatedAt   DateTime  @updatedAt @map("updated_at") @db.Timestamptz(3)

  @@index([studentId])
  @@index([examTypeId])
  @@map("student_exams")
}
