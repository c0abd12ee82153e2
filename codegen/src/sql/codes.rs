//! The codes of all lints for migrations: what each finds, what happens, and what to do instead.

/// How serious a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LintSeverity {
    /// For information.
    Info,
    /// Should be reviewed before production.
    Warning,
    /// Data is lost, or the migration fails.
    Error,
}

/// A kind of finding.
#[derive(Debug, PartialEq, Eq)]
pub struct Lint {
    /// A letter and three digits; never reused.
    pub code: &'static str,
    /// The severity, unless a database shows more.
    pub severity: LintSeverity,
    /// The title.
    pub title: &'static str,
    /// What happens, and why.
    pub explanation: &'static str,
    /// What to do instead.
    pub alternative: &'static str,
}

/// Returns the lint with that code; case does not matter.
///
/// ```
/// assert_eq!(relata_codegen::sql::find_lint("d103").unwrap().code, "D103");
/// ```
pub fn find_lint(code: &str) -> Option<&'static Lint> {
    LINTS.iter().copied().find(|lint| lint.code.eq_ignore_ascii_case(code))
}

macro_rules! lints {
    ($($code:ident $severity:ident $title:literal $explanation:literal $alternative:literal)*) => {
        $(pub(in crate::sql) const $code: &Lint = &Lint {
            code: stringify!($code),
            severity: LintSeverity::$severity,
            title: $title,
            explanation: $explanation,
            alternative: $alternative,
        };)*

        /// All lints, in the order of their codes.
        pub const LINTS: &[&Lint] = &[$($code),*];
    };
}

lints! {
    // D: data is lost.
    D101 Error "Drops a schema or a database"
        "Everything in it is dropped too."
        "Move what is still needed out of it first: `ALTER TABLE .. SET SCHEMA`."
    D102 Error "Drops a table"
        "Its rows are lost once the migration is committed."
        "Rename it to `.._old`, release, and drop it once nothing uses it any more. With --url, an empty table is not reported."
    D103 Error "Drops a column"
        "Its values are lost once the migration is committed, and programs that still name it fail."
        "Stop reading and writing it, release, then drop it. With --url, a column without values is not reported."
    D104 Error "May be a rename, written as a drop and an addition"
        "A rename keeps the data; a drop and an addition lose it."
        "Use ALTER TABLE .. RENAME, or `@renamedFrom` in the schema. If both are meant, copy what is needed from one to the other. With --url, a column or table that holds nothing is not reported."
    D105 Error "Changes a type and loses part of the values"
        "PostgreSQL converts the values without an error, and drops what the new type cannot hold."
        "Add a second column, copy, compare, and drop the first one in a later migration; or say with `@using(\"..\")` how to convert the values."
    D106 Warning "Changes a type to one that some values may not fit"
        "The statement fails at the first value that the new type cannot hold. Nothing is changed then."
        "Count such values first. Correct them, or say with `@using(\"..\")` how to convert them."
    D107 Error "Removes an enum value"
        "The statement fails if a row holds the value."
        "Give these rows another value first. With --url, a value that no row holds is not reported."
    D108 Warning "CASCADE drops objects that the statement does not name"
        "Whatever depends on the named object is dropped or emptied too: views, foreign keys, rows of other tables."
        "Name each object to drop, in a statement of its own."
    D109 Warning "Drops a sequence"
        "Its current number is lost."
        "Note the number if numbers must not be issued twice."

    D110 Error "Turns a generated column into a plain one"
        "The expression is lost: rows keep the values that it gave them, and new rows have what clients write."
        "To keep the column generated, write `@generated(\"..\")` on the field, or `@default(dbgenerated())` to leave it to the database. Otherwise note the expression."

    // F: the statement may fail.
    F201 Error "Adds a required column without a default"
        "PostgreSQL has no value for existing rows, so the statement fails if there are any."
        "Give the column a default; or add it as optional, fill it, and make it required then. With --url, an empty table is not reported."
    F202 Warning "Makes a column required"
        "The statement fails if the column contains NULL."
        "Fill it first: `UPDATE .. SET .. WHERE .. IS NULL`. With --url, the NULLs are counted."
    F203 Warning "Adds a unique constraint or index"
        "The statement fails if two rows have the same value."
        "Find them with `GROUP BY .. HAVING count(*) > 1` and decide which one to keep. With --url, they are counted."
    F204 Warning "Adds a foreign key to a table with rows"
        "The statement fails if a row references a row that does not exist."
        "Add it NOT VALID, correct the rows, then VALIDATE it. With --url, such rows are counted."
    F205 Warning "Adds a check to a table with rows"
        "The statement fails if a row violates it."
        "Add it NOT VALID, correct the rows, then VALIDATE it. With --url, such rows are counted."
    F206 Error "Turns a single value into a list without USING"
        "PostgreSQL has no cast from a value to a list of it, so the statement fails (42804)."
        "Write `USING ARRAY[the_column]`. With --url, a column that is already a list is not reported."
    F207 Error "Uses a new enum value in the transaction that adds it"
        "PostgreSQL refuses with `unsafe use of new value` (55P04)."
        "Write `-- relata:segment transactional` between the two statements, so that the value is committed first."
    F208 Info "Changes a column that views may use"
        "PostgreSQL refuses to drop a column, or to change its type, while a view, a policy, a trigger or a generated column uses it. Before PostgreSQL 15, the generated column is dropped with it."
        "Drop those objects before the statement and create them again after it, in the same migration. With --url, they are counted; if there are none, nothing is reported."
    F209 Warning "Changes values under a unique constraint or index"
        "Values that differ may become equal: as integers, 1.2 and 1.4 are both 1, and a default that fills NULL gives several rows the same value. The statement then fails (23505)."
        "Find them with `GROUP BY` over the new value and `HAVING count(*) > 1`, and decide which row to keep; or say with `@using(\"..\")` how to convert the values. With --url, they are counted. --online counts them before anything is changed."
    F210 Warning "Uses a domain that no migration creates"
        "A schema names the domains of its columns, and files of `sql` define them. No file defines this one. The statement fails if the database does not have the domain (42704). If the domain is based on another type than the field has, the client cannot read the column."
        "Write CREATE DOMAIN into a file of `sql`, or into an earlier statement. With --url, a domain that is there and fits is not reported."
    F211 Warning "Adds an exclusion constraint to a table with rows"
        "The statement fails if two rows exclude each other."
        "Find them with a join of the table with itself, and decide which one to keep. With --url, such rows are looked for."
    F212 Error "Changes how a table is partitioned"
        "PostgreSQL has no statement for it: a table cannot become partitioned, and a partition key cannot change. The migration contains a statement that fails and says so, so that nothing is changed."
        "Create the migration with `migrate dev --create-only`, and replace this statement: rename the table, create the partitioned one, and attach the old table as a partition or copy its rows. docs/migration-recipes.md has an example."

    // L: other sessions have to wait.
    L301 Warning "Builds an index under a lock that blocks writes"
        "Nobody can insert, update or delete rows until the index is built. For a large table that takes minutes."
        "Use CREATE INDEX CONCURRENTLY in a segment `outside`. --online does this."
    L302 Warning "Drops an index under a lock that blocks all access"
        "DROP INDEX waits for every running query on the table, and every later query waits for it."
        "Use DROP INDEX CONCURRENTLY in a segment `outside`. --online does this."
    L303 Error "CONCURRENTLY inside a transaction"
        "PostgreSQL refuses (25001): such a statement runs its own transactions."
        "Write `-- relata:segment outside` before it."
    L304 Warning "Builds a key under a lock that blocks all access"
        "Nobody can read or write the table while its index is built."
        "Use CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT .. USING INDEX. --online does this."
    L305 Warning "Changes a type and rewrites the table"
        "All rows and indexes are rewritten, and nobody can read or write the table meanwhile."
        "Expand and contract: add a second column, write both, backfill in batches, switch over, drop the first. --online does this, but not for an enum that loses a value: leave the value in the enum and stop writing it, or give the second column a second enum."
    L306 Warning "Adds a column and rewrites the table"
        "A default that differs from row to row, a serial, an identity or a stored generated column is written into every row, a domain with a constraint checks every row, and nobody can read or write the table meanwhile."
        "Add the column empty, set the default, backfill in batches, then make it required. --online does this for defaults and serials."
    L307 Warning "Proves NOT NULL under a lock that blocks all access"
        "PostgreSQL reads every row, and nobody can read or write the table meanwhile."
        "ADD CHECK (.. IS NOT NULL) NOT VALID, VALIDATE it in a segment of its own, SET NOT NULL (which is then immediate), and drop the check. --online does this."
    L308 Warning "Proves a check under a lock that blocks all access"
        "PostgreSQL reads every row, and nobody can read or write the table meanwhile."
        "Add it NOT VALID, and VALIDATE it in a segment of its own. --online does this."
    L309 Warning "Proves a foreign key under locks that block writes to both tables"
        "PostgreSQL looks up the key of every row, and nobody can write to either table meanwhile."
        "Add it NOT VALID, and VALIDATE it in a segment of its own. --online does this."
    L310 Warning "VALIDATE in the transaction that adds the constraint"
        "The lock of ADD CONSTRAINT is held until the transaction ends, so NOT VALID has no benefit."
        "Write `-- relata:segment outside` between the two statements."
    L311 Warning "Removes the lock timeout"
        "While a statement waits for its lock, every later query on the table waits behind it. The runner gives up after three seconds and retries; this migration does not."
        "Keep lock_timeout as the runner sets it."
    L312 Info "Locks several tables in one transaction"
        "The first tables stay locked while the transaction waits for the next one, and two transactions that lock them in different orders deadlock (40P01)."
        "Change one table per segment: write `-- relata:segment transactional` between the statements."
    L313 Warning "Writes rows in the transaction of a schema change"
        "The rows stay locked until the transaction ends, and so do the tables that it has changed."
        "Write them in a segment `outside`, in batches."
    L314 Info "Dropping a table locks the tables that it references"
        "Its foreign keys are dropped with it, which blocks all access to the referenced tables at that moment."
        "Drop the foreign keys in a segment of their own."

    L315 Warning "Copies a table to or from the servers of Citus"
        "create_distributed_table and create_reference_table copy all rows to their servers, and undistribute_table copies them back. Nobody can write the table meanwhile, and its foreign keys are checked again."
        "Plan a maintenance window. On a test system with as many rows, measure how long it takes."
    L316 Warning "Builds an exclusion constraint under a lock that blocks all access"
        "Nobody can read or write the table while its index is built. PostgreSQL can build this index neither concurrently nor from an existing one."
        "Add the constraint while the table is small, or plan a maintenance window. --online does the same."
    L317 Warning "Builds an index of a partitioned table under a lock"
        "PostgreSQL cannot build or drop an index of a partitioned table CONCURRENTLY, nor check its foreign keys later. Nobody can write the table until all partitions are done, nor read it if the index belongs to a key."
        "Write the statements yourself: CREATE INDEX .. ON ONLY the table, CREATE INDEX CONCURRENTLY on each partition in a segment `outside`, and ALTER INDEX .. ATTACH PARTITION for each. --online does not do this."

    // C: clients or guarantees change.
    C401 Warning "Renames something that clients use"
        "Existing clients fail from that moment on."
        "Keep the name in the database with `@map`, or expand and contract."
    C402 Warning "Existing clients may read unexpected values"
        "NULL in a column that had none, or a value that their enum does not have."
        "Release clients that can read it before any client writes it."
    C403 Info "Drops a constraint"
        "What it guaranteed is no longer enforced."
        "Nothing, if that is intended."
    C404 Warning "Adds an enum value before others"
        "Rows that are sorted by the column change their order."
        "Add it at the end if the order has a meaning."
    C405 Warning "Enables row security for a table with rows"
        "From then on, sessions that do not set `relata.tenant` see no rows and cannot write any: existing clients, psql, and jobs of other programs."
        "Release clients that were generated with `rowSecurity = true` first. They set the tenant in each transaction, and work with and without the policies."
    C406 Warning "Exposes rows that row security hides"
        "Without the policies, SQL that forgets the tenant reads and writes the rows of all tenants."
        "If this is intended, do nothing. To work across tenants temporarily, write SET LOCAL relata.across_tenants = 'on' in a transaction."
    C407 Warning "Drops a view"
        "Clients that read the view fail."
        "Release clients that do not read it first."
    C408 Warning "Clients cannot read a view during the migration"
        "The view is dropped before the columns change that it reads, and created again at the end. An online migration does not run in one transaction, so queries of the view fail in between."
        "Apply the change of the view's columns in a migration of its own, without --online, or let clients read the table in the meantime."

    // Q: quality.
    Q501 Info "Uses a type that is often regretted"
        "Integers run out of numbers, timestamps without a time zone are ambiguous, char(n) pads with blanks, and serials have separate privileges."
        "Use bigint, timestamptz, text and identity."
    Q502 Warning "A name that PostgreSQL truncates"
        "Names are cut after 63 bytes. Two names that differ only after that are the same."
        "Choose a shorter name, with `map: \"..\"`."
    Q503 Info "A foreign key without an index on its columns"
        "Deleting a referenced row, or changing its key, reads the whole referencing table, and holds locks meanwhile."
        "Add an index that begins with its columns, `@@index([..])`. With --url, an existing one silences this."
    Q505 Warning "A statement outside a transaction that cannot run twice"
        "If the runner is killed while the statement runs, nobody knows whether it succeeded, and it runs again."
        "Use IF EXISTS or IF NOT EXISTS. Statements that create or drop an index concurrently do not need it: the runner looks the index up."
    Q506 Info "A statement that the linter cannot parse"
        "It was not checked. PostgreSQL may well accept it."
        "Check it yourself."

    // H: history.
    H601 Error "The migrations do not match the history of the database"
        "A migration was edited or removed after it was applied, failed, or is older than the last applied one."
        "Run `codegen migrate status`: it says what is wrong and what to do."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_within_their_letter_and_found_again() {
        for pair in LINTS.windows(2) {
            assert!(pair[0].code[..1] != pair[1].code[..1] || pair[0].code < pair[1].code, "{}", pair[1].code);
        }
        assert!(LINTS.iter().all(|lint| find_lint(&lint.code.to_lowercase()) == Some(lint)));
        assert_eq!(find_lint("D999"), None);
    }
}
