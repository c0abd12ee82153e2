SELECT "User".email FROM "User" WHERE id IN (SELECT "userId" FROM "Session") ORDER BY 1
