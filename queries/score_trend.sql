-- How far scores follow from the weight of an exam, per type of exam.
--
-- @column {Float?} fit between 0 and 1; none for less than two scores
SELECT t.code, count(e.score) AS graded, regr_r2(e.score, coalesce(e.weight, t.default_weight)) AS fit
FROM exam_types t
LEFT JOIN student_exams e ON e.institution_id = t.institution_id AND e.exam_type_id = t.id
GROUP BY t.institution_id, t.id, t.code
ORDER BY t.code
