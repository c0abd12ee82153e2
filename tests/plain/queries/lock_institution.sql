-- Waits until no other transaction holds the lock of an institution.
SELECT pg_advisory_xact_lock(hashtextextended($1::uuid::text, 0))
