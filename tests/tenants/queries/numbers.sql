WITH RECURSIVE of_year AS (
  SELECT number, year FROM public."Student" WHERE year = $1
), "Room" AS (SELECT 1 AS one)
SELECT count(*) AS number, (SELECT count(*) FROM "Club") AS clubs, (SELECT one FROM "Room") AS one FROM of_year
