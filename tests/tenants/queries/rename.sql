UPDATE "User" SET email = $1 WHERE id = $2
