-- Sets the values of one row.
UPDATE "Value" SET data = $1, path = $2, length = $3, flags = $4, hosts = $5 WHERE id = $6 RETURNING data, path, flags, hosts;
