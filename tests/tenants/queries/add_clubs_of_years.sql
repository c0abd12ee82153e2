-- A club for each year of students.
INSERT INTO "Club" (name) SELECT DISTINCT 'Year ' || year FROM "Student"
ON CONFLICT ("schoolId", name) DO NOTHING RETURNING name
