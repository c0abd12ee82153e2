UPDATE "School" SET name = :name
