INSERT INTO "Country" VALUES (:id, :name) ON CONFLICT (id) DO UPDATE SET name = excluded.name
