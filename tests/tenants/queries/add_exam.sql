INSERT INTO "Exam" AS e (code) VALUES (:code) ON CONFLICT (code) DO UPDATE SET code = upper(excluded.code) RETURNING e.id
