-- The students of an institution with their exams. A student without an exam has none.
SELECT s.*, exam.*, exam.score > $2 AS is_passed
FROM students s
LEFT JOIN student_exams exam ON exam.student_id = s.id
WHERE s.institution_id = $1
ORDER BY s.class_year, s.created_at, exam.score
