-- Every student of an institution with their place by average score. Who has no score yet comes last.
--
-- @param {String} $1:institution the institution's id
SELECT u.email,
       s.class_year,
       count(e.score) AS graded,
       avg(e.score) AS average,
       rank() OVER (ORDER BY avg(e.score) DESC NULLS LAST) AS place,
       array_agg(e.score ORDER BY e.score) FILTER (WHERE e.score IS NOT NULL) AS scores
FROM students s
JOIN users u ON u.id = s.user_id
LEFT JOIN student_exams e ON e.student_id = s.id
WHERE s.institution_id = $1
GROUP BY s.id, u.email
ORDER BY place, u.email
