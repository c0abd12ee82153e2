//! Blocks of PL/pgSQL, for everything that one SQL statement cannot do.

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
