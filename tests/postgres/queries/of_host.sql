-- The values of a host.
SELECT id, host, network, mac, bits, data, path, document, place, length * 2 AS twice, '10.0.0.0/8'::inet AS ten
FROM "Value"
WHERE host = $1 AND length >= $2::interval
ORDER BY id;
