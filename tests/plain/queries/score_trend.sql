-- How far scores follow from the weight of an exam, per type of exam.
--
-- @column {Float?} fit between 0 and 1; none for less than two scores
SELECT t.code, count(e.score) AS graded, regr_r2(e.score, coalesce(e.weight, t.default_weight)) AS fit
FROM exam_types t LEFT JOIN student_exams e ON e.exam_type_id = t.id
WHERE t.institution_id = $1
GROUP BY t.id, t.code
ORDER BY t.code
