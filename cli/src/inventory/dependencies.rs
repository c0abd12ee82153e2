//! The dependencies between the objects of a database, from `pg_depend`. A part of an object counts as the object.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::{Error, Transaction};

/// An object of the catalog: the table of the catalog, and the oid in it.
pub(super) type Node = (String, u32);

/// The objects that each object depends on.
#[derive(Debug, Default)]
pub(super) struct Dependencies {
    needs: BTreeMap<Node, BTreeSet<Node>>,
    /// Tables, views and other relations.
    relations: BTreeSet<Node>,
}

/// A default, a constraint or an index counts as its table, an array as its element type, the row type of a table as
/// the table, and a member of an extension as the extension. A sequence does not depend on the column that owns it.
const EDGES: &str = "
    WITH part AS (
        SELECT 'pg_rewrite'::regclass::oid AS c, oid AS o, 'pg_class'::regclass::oid AS nc, ev_class AS no
        FROM pg_rewrite WHERE rulename = '_RETURN'
        UNION ALL SELECT 'pg_attrdef'::regclass, oid, 'pg_class'::regclass, adrelid FROM pg_attrdef
        UNION ALL SELECT 'pg_constraint'::regclass, oid, 'pg_class'::regclass, conrelid FROM pg_constraint
        WHERE conrelid <> 0
        UNION ALL SELECT 'pg_constraint'::regclass, oid, 'pg_type'::regclass, contypid FROM pg_constraint
        WHERE contypid <> 0
        UNION ALL SELECT 'pg_class'::regclass, indexrelid, 'pg_class'::regclass, indrelid FROM pg_index
        UNION ALL SELECT 'pg_type'::regclass, typarray, 'pg_type'::regclass, oid FROM pg_type WHERE typarray <> 0
        UNION ALL SELECT 'pg_type'::regclass, t.oid, 'pg_class'::regclass, t.typrelid
        FROM pg_type AS t JOIN pg_class AS c ON c.oid = t.typrelid WHERE c.relkind <> 'c'
        UNION ALL SELECT 'pg_class'::regclass, oid, 'pg_type'::regclass, reltype FROM pg_class WHERE relkind = 'c'
    ), member AS (
        SELECT classid AS c, objid AS o, refobjid AS e FROM pg_depend
        WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass
    )
    SELECT DISTINCT coalesce(a.nc, d.classid)::regclass::text, coalesce(a.no, d.objid),
        CASE WHEN m.e IS NULL THEN coalesce(b.nc, d.refclassid)::regclass::text ELSE 'pg_extension' END,
        coalesce(m.e, b.no, d.refobjid)
    FROM pg_depend AS d
    LEFT JOIN part AS a ON a.c = d.classid AND a.o = d.objid
    LEFT JOIN part AS b ON b.c = d.refclassid AND b.o = d.refobjid
    LEFT JOIN member AS m ON m.c = coalesce(b.nc, d.refclassid) AND m.o = coalesce(b.no, d.refobjid)
    WHERE d.deptype IN ('n', 'a', 'i', 'P', 'S') AND d.refobjid >= 16384
      AND NOT EXISTS (SELECT FROM pg_class AS s WHERE d.classid = 'pg_class'::regclass AND s.oid = d.objid
                      AND s.relkind = 'S' AND d.deptype IN ('a', 'i'))";

const RELATIONS: &str = "SELECT oid FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND oid >= 16384";

impl Dependencies {
    pub(super) async fn read(transaction: &Transaction<'_>) -> Result<Self, Error> {
        let mut dependencies = Self::default();
        for row in transaction.query(EDGES, &[]).await? {
            let from: Node = (row.try_get(0)?, row.try_get(1)?);
            let to: Node = (row.try_get(2)?, row.try_get(3)?);
            if from != to {
                dependencies.needs.entry(from).or_default().insert(to);
            }
        }
        for row in transaction.query(RELATIONS, &[]).await? {
            dependencies.relations.insert(("pg_class".to_owned(), row.try_get(0)?));
        }
        Ok(dependencies)
    }

    /// Adds a dependency that the catalog does not contain.
    pub(super) fn add(&mut self, from: Node, to: Node) {
        self.needs.entry(from).or_default().insert(to);
    }

    pub(super) fn is_relation(&self, node: &Node) -> bool {
        self.relations.contains(node)
    }

    pub(super) fn directly(&self, node: &Node) -> impl DoubleEndedIterator<Item = &Node> {
        self.needs.get(node).into_iter().flatten()
    }

    /// Returns all objects that `node` depends on, directly or indirectly. Dependencies of other tables are not
    /// followed: those tables are created separately.
    pub(super) fn of(&self, node: &Node) -> BTreeSet<Node> {
        let mut found = BTreeSet::new();
        let mut left: Vec<&Node> = self.directly(node).collect();
        while let Some(next) = left.pop() {
            if found.insert(next.clone()) && !self.is_relation(next) {
                left.extend(self.directly(next));
            }
        }
        found
    }
}
