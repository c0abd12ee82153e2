// A medical school's exam planning: who sits which exam, and when. Each row belongs to one institution, and no foreign key
// leads to a row of another one.

datasource db {
  provider = "postgresql"
}

generator client {
  provider  = "relata"
  factories = true
}

/// Every row of the other models belongs to one institution.
model Institution {
  id           String        @id @default(uuid()) @db.Uuid
  name         String
  slug         String        @unique
  createdAt    DateTime      @default(now()) @map("created_at") @db.Timestamptz(3)
  updatedAt    DateTime      @updatedAt @map("updated_at") @db.Timestamptz(3)
  users        User[]
  sessions     Session[]
  students     Student[]
  examTypes    ExamType[]
  studentExams StudentExam[]

  @@map("institutions")
  @@tenant
}

enum Role {
  ADMIN
  FACULTY
  STUDENT

  @@map("role")
}

/// Someone who can log in.
model User {
  id            String      @default(uuid()) @db.Uuid
  institutionId String      @map("institution_id") @db.Uuid
  institution   Institution @relation(fields: [institutionId], references: [id], onDelete: Cascade, onUpdate: NoAction)
  email         String
  passwordHash  String      @map("password_hash")
  role          Role
  createdAt     DateTime    @default(now()) @map("created_at") @db.Timestamptz(3)
  updatedAt     DateTime    @updatedAt @map("updated_at") @db.Timestamptz(3)
  sessions      Session[]
  student       Student?

  @@id([institutionId, id])
  @@unique([institutionId, email])
  @@map("users")
  @@tenant(institution)
}

/// A login; it ends at `expiresAt`.
model Session {
  id            String      @default(uuid()) @db.Uuid
  institutionId String      @map("institution_id") @db.Uuid
  institution   Institution @relation(fields: [institutionId], references: [id], onDelete: Cascade, onUpdate: NoAction)
  userId        String      @map("user_id") @db.Uuid
  user          User        @relation(fields: [institutionId, userId], references: [institutionId, id], onDelete: Cascade, onUpdate: NoAction)
  expiresAt     DateTime    @map("expires_at") @db.Timestamptz(3)
  createdAt     DateTime    @default(now()) @map("created_at") @db.Timestamptz(3)

  @@id([institutionId, id])
  @@index([institutionId, userId])
  @@index([expiresAt])
  @@map("sessions")
  @@tenant(institution)
}

/// A user who sits exams.
model Student {
  id                String        @default(uuid()) @db.Uuid
  institutionId     String        @map("institution_id") @db.Uuid
  institution       Institution   @relation(fields: [institutionId], references: [id], onDelete: Cascade, onUpdate: NoAction)
  userId            String        @map("user_id") @db.Uuid
  user              User          @relation(fields: [institutionId, userId], references: [institutionId, id], onDelete: Cascade, onUpdate: NoAction)
  classYear         Int           @map("class_year")
  /// Only whether there are any; medical details are never kept.
  hasAccommodations Boolean       @default(false) @map("has_accommodations")
  createdAt         DateTime      @default(now()) @map("created_at") @db.Timestamptz(3)
  updatedAt         DateTime      @updatedAt @map("updated_at") @db.Timestamptz(3)
  exams             StudentExam[]

  @@id([institutionId, id])
  @@unique([institutionId, userId])
  @@map("students")
  @@tenant(institution)
}

/// A kind of exam that an institution offers.
model ExamType {
  id            String        @default(uuid()) @db.Uuid
  institutionId String        @map("institution_id") @db.Uuid
  institution   Institution   @relation(fields: [institutionId], references: [id], onDelete: Cascade, onUpdate: NoAction)
  code          String
  name          String
  defaultWeight Float         @map("default_weight")
  createdAt     DateTime      @default(now()) @map("created_at") @db.Timestamptz(3)
  updatedAt     DateTime      @updatedAt @map("updated_at") @db.Timestamptz(3)
  exams         StudentExam[]

  @@id([institutionId, id])
  @@unique([institutionId, code])
  @@map("exam_types")
  @@tenant(institution)
}

/// One exam of one student.
model StudentExam {
  id            String      @default(uuid()) @db.Uuid
  institutionId String      @map("institution_id") @db.Uuid
  institution   Institution @relation(fields: [institutionId], references: [id], onDelete: Cascade, onUpdate: NoAction)
  studentId     String      @map("student_id") @db.Uuid
  student       Student     @relation(fields: [institutionId, studentId], references: [institutionId, id], onDelete: Cascade, onUpdate: NoAction)
  examTypeId    String      @map("exam_type_id") @db.Uuid
  examType      ExamType    @relation(fields: [institutionId, examTypeId], references: [institutionId, id], onDelete: Restrict, onUpdate: NoAction)
  scheduledOn   DateTime?   @map("scheduled_on") @db.Date
  weight        Float?
  score         Float?
  createdAt     DateTime    @default(now()) @map("created_at") @db.Timestamptz(3)
  updatedAt     DateTime    @updatedAt @map("updated_at") @db.Timestamptz(3)

  @@id([institutionId, id])
  @@index([institutionId, studentId])
  @@index([institutionId, examTypeId])
  @@map("student_exams")
  @@tenant(institution)
}
