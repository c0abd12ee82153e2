WITH gone AS (DELETE FROM "Room" WHERE id = :id RETURNING name)
INSERT INTO "Club" (name) SELECT name || ' club' FROM gone RETURNING name
