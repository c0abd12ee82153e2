-- The best score of each student, with the exam.
SELECT s.id, u.email, e.code, max(r.score) AS best
FROM "Student" s
JOIN "User" AS u ON u.id = s."userId"
LEFT JOIN "Result" r ON r."studentId" = s.id
LEFT JOIN "Exam" e ON e.id = r."examId"
WHERE s.year = :year
GROUP BY s.id, u.email, e.code
ORDER BY u.email
