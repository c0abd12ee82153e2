-- Rows by patterns and shapes, which travel as text.
SELECT id, path || 'end' AS path, data -> :key AS value, data - :key AS rest, place <-> :from AS distance, host + 1 AS next,
  round::text AS round
FROM "Value"
WHERE path ~ :pattern AND path ~ ANY (:patterns) AND document @@ :search AND round = :round AND data ? :key
ORDER BY id;
