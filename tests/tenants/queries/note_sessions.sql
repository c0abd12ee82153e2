-- By a path, with a condition that is true for every row.
UPDATE "Session" AS t1 SET note = :note FROM "User" u WHERE (u.id = t1."userId") OR (true) RETURNING t1.id
