-- The bookings that a range of time overlaps, with what they have in common with it.
--
-- @param {TstzRange} $1:asked
SELECT id, during, (upper(during) - lower(during))::interval AS length, nights, seats
FROM "Booking"
WHERE during && $1
ORDER BY id;
