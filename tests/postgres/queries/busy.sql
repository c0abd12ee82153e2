-- The bookings that a range of time overlaps, with what they have in common with it.
--
-- @param {TstzRange} $1:asked
SELECT id, during, during * $1 AS shared, upper(during) - lower(during) AS length, nights, seats
FROM "Booking"
WHERE during && $1
ORDER BY id;
