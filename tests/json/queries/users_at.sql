-- The users with an address.
SELECT id FROM "User" WHERE address = :address
