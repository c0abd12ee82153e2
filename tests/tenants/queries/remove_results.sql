DELETE FROM "Result" r USING "Exam" e WHERE e.id = r."examId" OR r."studentId" = :student
