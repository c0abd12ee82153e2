-- All addresses of users.
SELECT name, address, others, second FROM "User" ORDER BY name
