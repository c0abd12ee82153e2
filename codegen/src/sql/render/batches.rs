//! Blocks of PL/pgSQL, for everything that one SQL statement cannot do.

use crate::sql::plan::UniqueGuard;
use crate::sql::quote::{literal, qualified};
use crate::sql::state::ObjectName;

/// Runs `UPDATE` on a few hundred pages at a time, so that rows are locked only for moments and vacuum can keep up.
/// Rows that move to the end of the table are already filled. Partitions have the same page numbers. Each batch is
/// committed, and finished rows do not satisfy the condition, so the block can be interrupted and run again.
pub(super) fn in_batches(table: &ObjectName, assignments: &str, condition: &str) -> String {
    let name = qualified(table);
    // Unqualified names are columns, because the table may have columns with the names of the variables.
    let body = format!(
        "#variable_conflict use_column
<<relata>>
DECLARE
  pages bigint;
  page bigint := 0;
BEGIN
  SELECT COALESCE(max(pg_relation_size(relid)), 0) / current_setting('block_size')::bigint INTO relata.pages
  FROM (SELECT {regclass}::regclass AS relid UNION SELECT relid FROM pg_partition_tree({regclass})) AS parts;
  WHILE relata.page <= relata.pages LOOP
    UPDATE {name} SET {assignments}
    WHERE {condition}
      AND ctid >= format('(%s,0)', relata.page)::tid AND ctid < format('(%s,0)', relata.page + 500)::tid;
    COMMIT;
    relata.page := relata.page + 500;
  END LOOP;
END
",
        regclass = literal(&name),
    );
    do_block(&body)
}

/// Fails if several rows would have the same key, and says which query finds them.
pub(super) fn guard_unique(guard: &UniqueGuard) -> String {
    let UniqueGuard { table, key, values, condition, nulls_equal, .. } = guard;
    let present = values.iter().filter(|_| !nulls_equal).map(|value| format!("{value} IS NOT NULL"));
    let conditions: Vec<_> = condition.iter().map(|sql| format!("({sql}\n)")).chain(present).collect();
    let filter = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
    let values = values.join(", ");
    let repeated =
        |what: &str| format!("SELECT {what} FROM {}{filter} GROUP BY {values} HAVING count(*) > 1", qualified(table));
    let body = format!(
        "#variable_conflict use_column
<<relata>>
DECLARE
  repeated bigint;
BEGIN
  relata.repeated := (SELECT count(*) FROM ({}) AS keys);
  IF relata.repeated > 0 THEN
    RAISE EXCEPTION USING MESSAGE = {} || relata.repeated,
      ERRCODE = 'unique_violation',
      HINT = {};
  END IF;
END
",
        repeated("1"),
        literal(&format!("{key} would not be unique; number of its new values that several rows would have: ")),
        literal(&format!(
            "{} shows them; correct these rows, and deploy again",
            repeated(&format!("{values}, count(*)"))
        )),
    );
    do_block(&body)
}

/// Returns `DO` with a quoting tag that the body does not contain.
pub(super) fn do_block(body: &str) -> String {
    format!("DO {}", dollar_quoted(body))
}

pub(super) fn dollar_quoted(body: &str) -> String {
    let mut tag = "$relata$".to_owned();
    while body.contains(&tag) {
        tag.insert(1, '_');
    }
    format!("{tag}\n{body}{tag}")
}
