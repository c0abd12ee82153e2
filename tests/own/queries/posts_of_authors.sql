-- The number of posts of each author: columns that show fields, renamed and calculated ones.
SELECT "schoolId", "authorId" AS writer, count(*) AS "postCount"
FROM "Post"
GROUP BY "schoolId", "authorId"
