-- What happened in each month of a span of time. A month in which nothing happened has zeros.
--
-- @param {DateTime @db.Date} since its month is the first one
-- @param {DateTime @db.Date} until its month is the last one
WITH months AS (
  SELECT month::date AS month, (month + interval '1 month')::date AS next
  FROM generate_series(date_trunc('month', :since::date::timestamp), :until::date::timestamp, interval '1 month') AS m(month)
), opened AS (
  SELECT m.month, count(*) AS tickets
  FROM months m
  JOIN tickets t ON t.created_at >= m.month AND t.created_at < m.next AND t.deleted_at IS NULL
  GROUP BY m.month
), solved AS (
  SELECT m.month, count(*) AS tickets
  FROM months m
  JOIN tickets t ON t.solved_at >= m.month AND t.solved_at < m.next AND t.deleted_at IS NULL
  GROUP BY m.month
), worked AS (
  SELECT m.month, sum(w.minutes) AS minutes, sum(w.cost) AS cost
  FROM months m
  JOIN work_entries w ON w.worked_on >= m.month AND w.worked_on < m.next
  GROUP BY m.month
)
SELECT m.month, COALESCE(o.tickets, 0) AS opened, COALESCE(s.tickets, 0) AS solved,
       COALESCE(w.minutes, 0) AS minutes, COALESCE(w.cost, 0) AS cost
FROM months m
LEFT JOIN opened o ON o.month = m.month
LEFT JOIN solved s ON s.month = m.month
LEFT JOIN worked w ON w.month = m.month
ORDER BY m.month
