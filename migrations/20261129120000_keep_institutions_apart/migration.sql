-- May fail, without changing anything:
--   F203 exam_types gets the primary key (institution_id, id): fails for duplicates and NULL
--   F203 sessions gets the primary key (institution_id, id): fails for duplicates and NULL
--   F203 student_exams gets the primary key (institution_id, id): fails for duplicates and NULL
--   F203 students gets the primary key (institution_id, id): fails for duplicates and NULL
--   F203 students gets the unique index students_institution_id_user_id_key: fails for duplicates
--   F203 users gets the primary key (institution_id, id): fails for duplicates and NULL
--   F204 sessions (institution_id) must reference rows of institutions: fails for orphans
--   F204 sessions (institution_id, user_id) must reference rows of users: fails for orphans
--   F204 student_exams (institution_id, exam_type_id) must reference rows of exam_types: fails for orphans
--   F204 student_exams (institution_id) must reference rows of institutions: fails for orphans
--   F204 student_exams (institution_id, student_id) must reference rows of students: fails for orphans
--   F204 students (institution_id, user_id) must reference rows of users: fails for orphans

-- ACCESS EXCLUSIVE, immediate
ALTER TABLE "exam_types" DROP CONSTRAINT "exam_types_institution_id_fkey";

-- ACCESS EXCLUSIVE, immediate
ALTER TABLE "sessions" DROP CONSTRAINT "sessions_user_id_fkey";

-- ACCESS EXCLUSIVE, immediate
ALTER TABLE "student_exams" DROP CONSTRAINT "student_exams_exam_type_id_fkey";

-- ACCESS EXCLUSIVE, immediate
ALTER TABLE "student_exams" DROP CONSTRAINT "student_exams_student_id_fkey";

-- ACCESS EXCLUSIVE, immediate
ALTER TABLE "students" DROP CONSTRAINT "students_institution_id_fkey";

-- ACCESS EXCLUSIVE, immediate
ALTER TABLE "students" DROP CONSTRAINT "students_user_id_fkey";

-- ACCESS EXCLUSIVE, immediate
ALTER TABLE "users" DROP CONSTRAINT "users_institution_id_fkey";

-- ACCESS EXCLUSIVE, immediate
ALTER TABLE "exam_types" DROP CONSTRAINT "exam_types_pkey";

-- ACCESS EXCLUSIVE, immediate
ALTER TABLE "sessions" DROP CONSTRAINT "sessions_pkey";

-- L302: Waits for all transactions on the table, and blocks new ones in the meantime (ACCESS EXCLUSIVE)
DROP INDEX "sessions_user_id_idx";

-- ACCESS EXCLUSIVE, immediate
ALTER TABLE "student_exams" DROP CONSTRAINT "student_exams_pkey";

-- L302: Waits for all transactions on the table, and blocks new ones in the meantime (ACCESS EXCLUSIVE)
DROP INDEX "student_exams_exam_type_id_idx";

-- L302: Waits for all transactions on the table, and blocks new ones in the meantime (ACCESS EXCLUSIVE)
DROP INDEX "student_exams_student_id_idx";

-- ACCESS EXCLUSIVE, immediate
ALTER TABLE "students" DROP CONSTRAINT "students_pkey";

-- L302: Waits for all transactions on the table, and blocks new ones in the meantime (ACCESS EXCLUSIVE)
DROP INDEX "students_institution_id_idx";

-- L302: Waits for all transactions on the table, and blocks new ones in the meantime (ACCESS EXCLUSIVE)
DROP INDEX "students_user_id_key";

-- ACCESS EXCLUSIVE, immediate
ALTER TABLE "users" DROP CONSTRAINT "users_pkey";

-- ACCESS EXCLUSIVE, immediate
ALTER TABLE "sessions" ADD COLUMN "institution_id" UUID;

-- Existing rows belong to the institution of their user.
UPDATE "sessions" SET "institution_id" = "users"."institution_id" FROM "users" WHERE "users"."id" = "sessions"."user_id";

-- L305: Reads the whole table, and blocks reads and writes in the meantime (ACCESS EXCLUSIVE)
ALTER TABLE "sessions" ALTER COLUMN "institution_id" SET NOT NULL;

-- ACCESS EXCLUSIVE, immediate
ALTER TABLE "student_exams" ADD COLUMN "institution_id" UUID;

-- Existing rows belong to the institution of their student.
UPDATE "student_exams" SET "institution_id" = "students"."institution_id" FROM "students" WHERE "students"."id" = "student_exams"."student_id";

-- L305: Reads the whole table, and blocks reads and writes in the meantime (ACCESS EXCLUSIVE)
ALTER TABLE "student_exams" ALTER COLUMN "institution_id" SET NOT NULL;

-- L304: Reads the whole table, and blocks reads and writes in the meantime (ACCESS EXCLUSIVE)
ALTER TABLE "exam_types" ADD CONSTRAINT "exam_types_pkey" PRIMARY KEY ("institution_id", "id");

-- L304: Reads the whole table, and blocks reads and writes in the meantime (ACCESS EXCLUSIVE)
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_pkey" PRIMARY KEY ("institution_id", "id");

-- L301: Reads the whole table, and blocks writes in the meantime (SHARE)
CREATE INDEX "sessions_institution_id_user_id_idx" ON "sessions" ("institution_id", "user_id");

-- L304: Reads the whole table, and blocks reads and writes in the meantime (ACCESS EXCLUSIVE)
ALTER TABLE "student_exams" ADD CONSTRAINT "student_exams_pkey" PRIMARY KEY ("institution_id", "id");

-- L301: Reads the whole table, and blocks writes in the meantime (SHARE)
CREATE INDEX "student_exams_institution_id_exam_type_id_idx" ON "student_exams" ("institution_id", "exam_type_id");

-- L301: Reads the whole table, and blocks writes in the meantime (SHARE)
CREATE INDEX "student_exams_institution_id_student_id_idx" ON "student_exams" ("institution_id", "student_id");

-- L304: Reads the whole table, and blocks reads and writes in the meantime (ACCESS EXCLUSIVE)
ALTER TABLE "students" ADD CONSTRAINT "students_pkey" PRIMARY KEY ("institution_id", "id");

-- L301: Reads the whole table, and blocks writes in the meantime (SHARE)
CREATE UNIQUE INDEX "students_institution_id_user_id_key" ON "students" ("institution_id", "user_id");

-- L304: Reads the whole table, and blocks reads and writes in the meantime (ACCESS EXCLUSIVE)
ALTER TABLE "users" ADD CONSTRAINT "users_pkey" PRIMARY KEY ("institution_id", "id");

-- L309: Reads the whole table, and blocks writes in the meantime (SHARE ROW EXCLUSIVE)
ALTER TABLE "exam_types" ADD CONSTRAINT "exam_types_institution_id_fkey" FOREIGN KEY ("institution_id") REFERENCES "institutions"("id") ON DELETE CASCADE ON UPDATE NO ACTION;

-- L309: Reads the whole table, and blocks writes in the meantime (SHARE ROW EXCLUSIVE)
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_institution_id_fkey" FOREIGN KEY ("institution_id") REFERENCES "institutions"("id") ON DELETE CASCADE ON UPDATE NO ACTION;

-- L309: Reads the whole table, and blocks writes in the meantime (SHARE ROW EXCLUSIVE)
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_institution_id_user_id_fkey" FOREIGN KEY ("institution_id", "user_id") REFERENCES "users"("institution_id", "id") ON DELETE CASCADE ON UPDATE NO ACTION;

-- L309: Reads the whole table, and blocks writes in the meantime (SHARE ROW EXCLUSIVE)
ALTER TABLE "student_exams" ADD CONSTRAINT "student_exams_institution_id_exam_type_id_fkey" FOREIGN KEY ("institution_id", "exam_type_id") REFERENCES "exam_types"("institution_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

-- L309: Reads the whole table, and blocks writes in the meantime (SHARE ROW EXCLUSIVE)
ALTER TABLE "student_exams" ADD CONSTRAINT "student_exams_institution_id_fkey" FOREIGN KEY ("institution_id") REFERENCES "institutions"("id") ON DELETE CASCADE ON UPDATE NO ACTION;

-- L309: Reads the whole table, and blocks writes in the meantime (SHARE ROW EXCLUSIVE)
ALTER TABLE "student_exams" ADD CONSTRAINT "student_exams_institution_id_student_id_fkey" FOREIGN KEY ("institution_id", "student_id") REFERENCES "students"("institution_id", "id") ON DELETE CASCADE ON UPDATE NO ACTION;

-- L309: Reads the whole table, and blocks writes in the meantime (SHARE ROW EXCLUSIVE)
ALTER TABLE "students" ADD CONSTRAINT "students_institution_id_fkey" FOREIGN KEY ("institution_id") REFERENCES "institutions"("id") ON DELETE CASCADE ON UPDATE NO ACTION;

-- L309: Reads the whole table, and blocks writes in the meantime (SHARE ROW EXCLUSIVE)
ALTER TABLE "students" ADD CONSTRAINT "students_institution_id_user_id_fkey" FOREIGN KEY ("institution_id", "user_id") REFERENCES "users"("institution_id", "id") ON DELETE CASCADE ON UPDATE NO ACTION;

-- L309: Reads the whole table, and blocks writes in the meantime (SHARE ROW EXCLUSIVE)
ALTER TABLE "users" ADD CONSTRAINT "users_institution_id_fkey" FOREIGN KEY ("institution_id") REFERENCES "institutions"("id") ON DELETE CASCADE ON UPDATE NO ACTION;
