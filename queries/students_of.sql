-- The students of a class year; of all class years, if none is given.
SELECT s.* FROM students s
WHERE $1::int IS NULL OR s.class_year = $1
ORDER BY s.class_year, s.id
