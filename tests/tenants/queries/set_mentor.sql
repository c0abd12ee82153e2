UPDATE "Student" SET "mentorId" = :mentor WHERE id = :id OR id = :other
