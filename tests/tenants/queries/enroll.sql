INSERT INTO "Student" (id, "userId", year, number) VALUES (:id, :user, :year, 9)
