-- Its foreign key does not contain the school.
UPDATE "Exam" SET "roomId" = :room WHERE id = :id
