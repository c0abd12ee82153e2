-- Two clubs of the handle's school.
INSERT INTO "Club" (name) VALUES (:name), (:other) RETURNING id, name
