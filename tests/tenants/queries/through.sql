SELECT count(*) AS pairs FROM "_ClubToStudent"
