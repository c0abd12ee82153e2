//! Every code of a finding about a migration: what is wrong, and what to do instead.

/// How serious a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LintSeverity {
    /// Good to know.
    Info,
    /// Look at it before production does.
    Warning,
    /// Data is lost, or the migration fails.
    Error,
}

/// A kind of finding.
#[derive(Debug, PartialEq, Eq)]
pub struct Lint {
    /// A letter and three digits; never given to anything else.
    pub code: &'static str,
    /// How serious it is if nothing more is known.
    pub severity: LintSeverity,
    /// What it is about, in a few words.
    pub title: &'static str,
    /// What happens, and why.
    pub explanation: &'static str,
    /// What to do instead.
    pub alternative: &'static str,
}

/// The code of that name, in any case of letters.
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

        /// All codes, in order.
        pub const LINTS: &[&Lint] = &[$($code),*];
    };
}

lints! {
    // D: data is lost.
    D101 Error "A schema or database is dropped"
        "Everything in it goes with it."
        "Move what is still needed out of it first: `ALTER TABLE .. SET SCHEMA`."
    D102 Error "A table is dropped"
        "Its rows are gone once the migration is committed."
        "Rename it to `.._old`, release, and drop it when nothing has missed it. With --url, an empty table is no finding."
    D103 Error "A column is dropped"
        "Its values are gone once the migration is committed, and programs that still name it fail."
        "Stop reading and writing it, release, then drop it. With --url, a column without values is no finding."
    D104 Error "What is dropped looks like what comes, so it may be a rename"
        "A rename keeps values; a drop and an addition lose them."
        "ALTER TABLE .. RENAME, or `@renamedFrom` in the schema; if both are meant, copy what is needed between the two. With --url, a column or table that holds nothing is no finding."
    D105 Error "A type change loses part of the values"
        "PostgreSQL makes new values of old ones without a complaint, and what the new type cannot hold is gone."
        "Add a second column, copy, compare, and drop the first one in a later migration; or say with `@using(\"..\")` how values change."
    D106 Warning "A type change that some values may not survive"
        "The statement fails at the first value that the new type cannot hold, and nothing has happened then."
        "Count such values first; correct them, or say with `@using(\"..\")` how they change."
    D107 Error "An enum value is removed"
        "Rows that hold it cannot be kept: the statement fails at the first of them."
        "Give such rows another value first. With --url, a value that no row holds is no finding."
    D108 Warning "CASCADE takes along what is not named"
        "Whatever depends on the named object is dropped or emptied too: views, foreign keys, rows of other tables."
        "Name what is to go, one statement each."
    D109 Warning "A sequence is dropped"
        "The number that it has come to is lost."
        "Note the number, if what was handed out must not come again."

    D110 Error "A generated column becomes a plain one"
        "The expression is gone: rows keep the values that it gave them, and new rows have what programs write."
        "If it is to stay generated, write `@default(dbgenerated())` at the field, which leaves it to the database. Else note the expression."

    // F: the statement may fail.
    F201 Error "A required column without a default comes to a table"
        "PostgreSQL has no value for the rows that are there, so it refuses if there is one."
        "Give it a default; or add it as optional, fill it, and require it then. With --url, an empty table is no finding."
    F202 Warning "A column becomes required"
        "The statement fails if the column holds NULL."
        "Fill it first: `UPDATE .. SET .. WHERE .. IS NULL`. With --url, the NULLs are counted."
    F203 Warning "Values have to be unique from now on"
        "The statement fails if two rows have the same."
        "Find them with `GROUP BY .. HAVING count(*) > 1` and decide which one stays. With --url, they are counted."
    F204 Warning "A foreign key comes to a table with rows"
        "The statement fails if a row points at nothing."
        "Add it NOT VALID, correct the rows, then VALIDATE it. With --url, such rows are counted."
    F205 Warning "A check comes to a table with rows"
        "The statement fails if a row does not pass."
        "Add it NOT VALID, correct the rows, then VALIDATE it. With --url, such rows are counted."
    F206 Error "A single value becomes a list without USING"
        "PostgreSQL has no cast from a value to a list of it, so it refuses (42804)."
        "`USING ARRAY[the_column]`. With --url, a column that is a list already is no finding."
    F207 Error "A new enum value is used in the transaction that adds it"
        "PostgreSQL refuses with `unsafe use of new value` (55P04)."
        "Write `-- relata:segment transactional` between the two, so that the value is committed first."
    F208 Info "A column changes that views may use"
        "PostgreSQL refuses to drop a column, or to give it another type, while a view, a policy, a trigger or a generated column uses it. Before 15, the generated column is dropped with it."
        "Drop those before the statement and make them again after it, in the same migration. With --url, they are counted; none is no finding."

    // L: somebody has to wait.
    L301 Warning "An index is built under a lock that blocks writes"
        "Until it is built, which takes minutes for a large table, nobody can insert, update or delete."
        "CREATE INDEX CONCURRENTLY in a segment `outside`; --online plans write it so."
    L302 Warning "An index is dropped under a lock that blocks everybody"
        "DROP INDEX waits for all who use the table, and all who come later wait behind it."
        "DROP INDEX CONCURRENTLY in a segment `outside`; --online plans write it so."
    L303 Error "CONCURRENTLY in a transaction"
        "PostgreSQL refuses (25001): such a statement makes transactions of its own."
        "Write `-- relata:segment outside` before it."
    L304 Warning "A key is built under a lock that blocks everybody"
        "Its index is built while nobody can read or write the table."
        "CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT .. USING INDEX; --online plans write it so."
    L305 Warning "A type change that rewrites the table"
        "All rows and all indexes are written anew while nobody can read or write the table."
        "Expand and contract: add a second column, write both, fill it in batches, switch over, drop the first. --online plans write it so."
    L306 Warning "A new column that rewrites the table"
        "A default that differs from row to row, a serial, an identity or a stored generated column is written into every row while nobody can read or write the table."
        "Add it empty, set the default, fill it in batches, require it then; --online plans write it so for defaults and serials."
    L307 Warning "NOT NULL is proved under a lock that blocks everybody"
        "PostgreSQL reads all rows while nobody can read or write the table."
        "ADD CHECK (.. IS NOT NULL) NOT VALID, VALIDATE it in a segment of its own, SET NOT NULL, which then costs nothing, and drop the check; --online plans write it so."
    L308 Warning "A check is proved under a lock that blocks everybody"
        "PostgreSQL reads all rows while nobody can read or write the table."
        "Add it NOT VALID, and VALIDATE it in a segment of its own; --online plans write it so."
    L309 Warning "A foreign key is proved under locks that block writes to both tables"
        "PostgreSQL looks up every row while nobody can write to either table."
        "Add it NOT VALID, and VALIDATE it in a segment of its own; --online plans write it so."
    L310 Warning "VALIDATE in the transaction that adds the constraint"
        "The lock of ADD CONSTRAINT is kept to the end of the transaction, so nothing is gained by NOT VALID."
        "Write `-- relata:segment outside` between the two."
    L311 Warning "The lock timeout is taken away"
        "A statement that waits for its lock makes everybody wait who comes after it. The runner gives up after three seconds and tries again; this migration does not."
        "Leave lock_timeout as the runner sets it."
    L312 Info "Several tables are locked for everybody in one transaction"
        "The first ones stay locked while it waits for the next, and two that take them in different orders stop each other (40P01)."
        "Change one table in each part: `-- relata:segment transactional` between the two."
    L313 Warning "Rows are written in the transaction of a schema change"
        "They stay locked until the end of the transaction, and so do the tables that it has changed."
        "Write them in a segment `outside`, a part of the rows at a time."
    L314 Info "Dropping a table locks those that it points at"
        "Its foreign keys go with it, and for that nobody may read or write the referenced tables at that moment."
        "Drop the foreign keys in a segment of their own."

    // C: programs or promises change.
    C401 Warning "A name changes that programs use"
        "Programs of before fail from that moment on."
        "Keep the name in the database with `@map`, or expand and contract."
    C402 Warning "Programs of before may read what they do not expect"
        "NULL in a column that had none, or a value that their enum does not have."
        "Release programs that can read it before any writes it."
    C403 Info "A constraint is dropped"
        "What it promised is not enforced any more."
        "Nothing, if that is the intent."
    C404 Warning "An enum value comes before others"
        "Rows that are sorted by the column change places."
        "Add it at the end, if the order has a meaning."

    // Q: quality.
    Q501 Info "A type that is likely to be regretted"
        "Integers run out, timestamps without a zone are read differently by everyone, char(n) pads, serials have privileges of their own."
        "bigint, timestamptz, text and identity."
    Q502 Warning "A name that PostgreSQL cuts"
        "Names end after 63 bytes. Two that differ later are the same."
        "A shorter name, with `map: \"..\"`."
    Q503 Info "A foreign key whose columns have no index"
        "Whoever deletes a row there, or changes its key, reads this whole table for rows that point at it, and holds locks meanwhile."
        "An index that begins with its columns, `@@index([..])`. With --url, one that is there is no finding."
    Q505 Warning "A statement outside of transactions that cannot run twice"
        "If the runner is killed while it runs, nobody knows whether it has happened, and it runs again."
        "IF EXISTS, IF NOT EXISTS. What creates or drops an index concurrently is looked up and needs neither."
    Q506 Info "A statement that the linter cannot read"
        "It was not checked. PostgreSQL may well understand it."
        "Look at it yourself."

    // H: history.
    H601 Error "The migrations do not fit the history of the database"
        "A migration was edited or removed after it was applied, failed, or is older than the last applied one."
        "`codegen migrate status` tells what it is, and what to do."
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
