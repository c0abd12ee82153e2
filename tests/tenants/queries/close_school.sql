DELETE FROM "School" WHERE slug <> :except
