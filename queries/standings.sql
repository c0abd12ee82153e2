-- Every student with their place by average score. Who has no score yet comes last.
SELECT u.email,
       s.class_year,
       count(e.score) AS graded,
       avg(e.score) AS average,
       rank() OVER (ORDER BY avg(e.score) DESC NULLS LAST) AS place,
       array_agg(e.score ORDER BY e.score) FILTER (WHERE e.score IS NOT NULL) AS scores
FROM students s
JOIN users u ON u.institution_id = s.institution_id AND u.id = s.user_id
LEFT JOIN student_exams e ON e.institution_id = s.institution_id AND e.student_id = s.id
GROUP BY s.institution_id, s.id, u.email
ORDER BY place, u.email
