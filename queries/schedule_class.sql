-- Schedules an exam for every student of a class year who has none of that type yet. For the handle of an institution,
-- which confines what is read and sets the institution of the new rows.
INSERT INTO student_exams (id, student_id, exam_type_id, scheduled_on, updated_at)
SELECT gen_random_uuid(), s.id, t.id, :day, now()
FROM students s
JOIN exam_types t ON t.institution_id = s.institution_id AND t.code = :code
WHERE s.class_year = :class_year
  AND NOT EXISTS (
    SELECT 1 FROM student_exams e
    WHERE e.institution_id = s.institution_id AND e.student_id = s.id AND e.exam_type_id = t.id
  )
RETURNING id, student_id, scheduled_on
