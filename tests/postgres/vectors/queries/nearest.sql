-- The nearest items, with the mean of all of them.
SELECT id, dense <=> $1 AS distance, half <#> :half AS product, sparse <-> :sparse AS of_sparse, dense - $1 AS difference,
  avg(dense) OVER () AS mean, "any" + "any" AS sum
FROM "Item" WHERE dense <-> $1 < :within ORDER BY dense <=> $1, id
