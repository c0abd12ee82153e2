-- Whether an institution has more than so many students in each class, smallest class first.
SELECT count(*) > :more::bigint FROM students WHERE institution_id = :institution GROUP BY class_year ORDER BY count(*)
