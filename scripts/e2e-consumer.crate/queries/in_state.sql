-- How much each author has in a state, the most first.
SELECT w.handle, count(*) AS pieces, max(a.price) AS dearest
FROM articles a
JOIN "Author" w ON w.id = a.author_id
WHERE a.status = $1
GROUP BY w.handle
ORDER BY pieces DESC
