CREATE TYPE "role" AS ENUM ('ADMIN', 'FACULTY', 'STUDENT');

CREATE TABLE "exam_types" (
  "id" UUID NOT NULL,
  "institution_id" UUID NOT NULL,
  "code" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "default_weight" DOUBLE PRECISION NOT NULL,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "exam_types_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "institutions" (
  "id" UUID NOT NULL,
  "name" TEXT NOT NULL,
  "slug" TEXT NOT NULL,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "institutions_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "sessions" (
  "id" UUID NOT NULL,
  "user_id" UUID NOT NULL,
  "expires_at" TIMESTAMPTZ(3) NOT NULL,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "sessions_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "student_exams" (
  "id" UUID NOT NULL,
  "student_id" UUID NOT NULL,
  "exam_type_id" UUID NOT NULL,
  "scheduled_on" DATE,
  "weight" DOUBLE PRECISION,
  "score" DOUBLE PRECISION,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "student_exams_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "students" (
  "id" UUID NOT NULL,
  "user_id" UUID NOT NULL,
  "institution_id" UUID NOT NULL,
  "class_year" INTEGER NOT NULL,
  "has_accommodations" BOOLEAN NOT NULL DEFAULT false,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "students_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "users" (
  "id" UUID NOT NULL,
  "institution_id" UUID NOT NULL,
  "email" TEXT NOT NULL,
  "password_hash" TEXT NOT NULL,
  "role" "role" NOT NULL,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "exam_types_institution_id_code_key" ON "exam_types" ("institution_id", "code");

CREATE UNIQUE INDEX "institutions_slug_key" ON "institutions" ("slug");

CREATE INDEX "sessions_expires_at_idx" ON "sessions" ("expires_at");

CREATE INDEX "sessions_user_id_idx" ON "sessions" ("user_id");

CREATE INDEX "student_exams_exam_type_id_idx" ON "student_exams" ("exam_type_id");

CREATE INDEX "student_exams_student_id_idx" ON "student_exams" ("student_id");

CREATE INDEX "students_institution_id_idx" ON "students" ("institution_id");

CREATE UNIQUE INDEX "students_user_id_key" ON "students" ("user_id");

CREATE UNIQUE INDEX "users_institution_id_email_key" ON "users" ("institution_id", "email");

ALTER TABLE "exam_types" ADD CONSTRAINT "exam_types_institution_id_fkey" FOREIGN KEY ("institution_id") REFERENCES "institutions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "sessions" ADD CONSTRAINT "sessions_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "student_exams" ADD CONSTRAINT "student_exams_exam_type_id_fkey" FOREIGN KEY ("exam_type_id") REFERENCES "exam_types"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "student_exams" ADD CONSTRAINT "student_exams_student_id_fkey" FOREIGN KEY ("student_id") REFERENCES "students"("id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "students" ADD CONSTRAINT "students_institution_id_fkey" FOREIGN KEY ("institution_id") REFERENCES "institutions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "students" ADD CONSTRAINT "students_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "users" ADD CONSTRAINT "users_institution_id_fkey" FOREIGN KEY ("institution_id") REFERENCES "institutions"("id") ON DELETE CASCADE ON UPDATE CASCADE;
