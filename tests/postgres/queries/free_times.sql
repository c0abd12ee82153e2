-- The times of a room without a booking. A bound that is null leaves the range open.
SELECT free.part AS during, lower(free.part) AS since
FROM (
  SELECT tstzmultirange(tstzrange(:since, :until)) - range_agg(during) AS parts FROM "Booking" WHERE room = :room
) taken, unnest(taken.parts) AS free (part)
ORDER BY free.part;
