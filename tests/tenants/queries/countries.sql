SELECT name FROM "Country" ORDER BY id
