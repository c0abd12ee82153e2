-- The spots near a place and inside an area, with their distances in metres.
SELECT id, at, ST_Distance(at, $1) AS distance, ST_Distance(line, :flat) AS apart, ST_Centroid(anything) AS middle,
  ST_SetSRID(ST_MakePoint(:x, :y), 4326) AS made
FROM "Spot"
WHERE ST_DWithin(at, $1, :within) AND ST_Intersects(line, :region) AND line && :region AND line = ANY (:lines)
ORDER BY at <-> $1
