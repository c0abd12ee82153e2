-- Users whose email address contains a text, with their number of posts.
SELECT u.id, u.email, u.tags, u.settings, u.place, count(p.id) AS posts
FROM "User" AS u LEFT JOIN "Post" AS p ON p."schoolId" = u."schoolId" AND p."authorId" = u.id
WHERE u.email LIKE '%' || :part || '%' AND u.level = :level
GROUP BY u.id
ORDER BY u.email
