-- The students of an institution; of all class years, if none is given.
SELECT s.* FROM students s
WHERE s.institution_id = $1 AND ($2::int IS NULL OR s.class_year = $2)
ORDER BY s.class_year, s.id
