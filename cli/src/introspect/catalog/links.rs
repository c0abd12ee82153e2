//! What depends on what, from `pg_depend`: the needs of objects, and the parts of tables that need them.

use std::collections::{BTreeMap, BTreeSet};

use relata_codegen::sql::{Need, ObjectKey, ObjectName, State, Usage, User};
use tokio_postgres::Error;

use super::{Address, Found};
use crate::introspect::{Cx, HISTORY_TABLES};

/// What an address of the catalog stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// Something that an object can need.
    Need(Need),
    /// A part of a table, and the statement that drops it.
    User(User, Option<String>),
}

/// A row of `pg_depend`: who needs what.
struct Link {
    from: Address,
    to: Address,
}

/// All dependencies, with what their ends stand for.
pub(super) struct Links {
    /// Tables, columns, constraints, types and so on, by catalog and oid.
    targets: BTreeMap<(String, u32), Target>,
    /// The names of columns.
    columns: BTreeMap<(u32, i32), String>,
    links: Vec<Link>,
}

/// Tables and their types, views, sequences, indexes. The last five columns are the table of an index or a sequence, whether
/// an index is attached to that of a partitioned table, its constraint, and the printed name.
const RELATIONS: &str = "
    SELECT c.oid, c.relkind::text, n.nspname::text, c.relname::text, tn.nspname::text, t.relname::text,
           EXISTS (SELECT FROM pg_inherits AS h WHERE h.inhrelid = c.oid), k.conname::text, c.oid::regclass::text
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_index AS x ON x.indexrelid = c.oid
    LEFT JOIN pg_depend AS o ON c.relkind = 'S' AND o.classid = 'pg_class'::regclass AND o.objid = c.oid AND o.objsubid = 0
      AND o.refclassid = 'pg_class'::regclass AND o.deptype IN ('a', 'i')
    LEFT JOIN pg_class AS t ON t.oid = COALESCE(x.indrelid, o.refobjid)
    LEFT JOIN pg_namespace AS tn ON tn.oid = t.relnamespace
    LEFT JOIN pg_constraint AS k ON k.conindid = c.oid AND k.contype IN ('p', 'u', 'x')
    WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'p', 'S', 'i', 'I')";

/// Constraints of tables and domains.
const CONSTRAINTS: &str = "
    SELECT k.oid, n.nspname::text, t.relname::text, k.conname::text, k.contypid, k.conrelid::regclass::text,
           k.conparentid <> 0 OR k.coninhcount > 0, k.contype::text
    FROM pg_constraint AS k LEFT JOIN pg_class AS t ON t.oid = k.conrelid
    JOIN pg_namespace AS n ON n.oid = k.connamespace WHERE n.nspname = ANY($1) AND k.contype <> 't'";

/// Defaults and generated columns.
const DEFAULTS: &str = "
    SELECT d.oid, n.nspname::text, c.relname::text, a.attname::text, a.attgenerated <> '', c.oid::regclass::text,
           quote_ident(a.attname), c.relkind = 'f', c.oid
    FROM pg_attrdef AS d JOIN pg_class AS c ON c.oid = d.adrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = d.adnum
    WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'p', 'f')";

/// Enums, and the types that stand for another type: arrays, rows, multiranges.
const TYPES: &str = "
    SELECT t.oid, n.nspname::text, t.typname::text,
           CASE WHEN t.typrelid <> 0 THEN 'pg_class' WHEN e.oid IS NOT NULL OR r.rngtypid IS NOT NULL THEN 'pg_type' END,
           CASE WHEN t.typrelid <> 0 THEN t.typrelid ELSE COALESCE(e.oid, r.rngtypid) END, t.typtype = 'e'
    FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace LEFT JOIN pg_type AS e ON e.typarray = t.oid
    LEFT JOIN pg_range AS r ON (to_jsonb(r) ->> 'rngmultitypid')::oid = t.oid
    WHERE n.nspname = ANY($1)";

/// The rules behind views, and the composite types and foreign tables behind relations.
const ALIASES: &str = "
    SELECT 'pg_rewrite', r.oid, 'pg_class', r.ev_class FROM pg_rewrite AS r WHERE r.rulename = '_RETURN'
    UNION ALL
    SELECT 'pg_class', c.oid, 'pg_type', c.reltype FROM pg_class AS c WHERE c.relkind = 'c'";

const LINKS: &str = "
    SELECT d.classid::regclass::text, d.objid, d.objsubid, d.refclassid::regclass::text, d.refobjid, d.refobjsubid
    FROM pg_depend AS d WHERE d.deptype IN ('n', 'a', 'i') AND d.objid >= 16384
      AND (d.refobjid >= 16384 OR d.refclassid = 'pg_namespace'::regclass)
    -- What a member of an extension needs, the extension needs.
    UNION ALL
    SELECT DISTINCT d.classid::regclass::text, d.objid, d.objsubid, 'pg_extension', e.refobjid, 0
    FROM pg_depend AS d JOIN pg_depend AS e ON e.classid = d.refclassid AND e.objid = d.refobjid AND e.deptype = 'e'
    WHERE d.deptype IN ('n', 'a', 'i') AND d.objid >= 16384";

impl Links {
    pub(super) async fn read(cx: &Cx<'_>, state: &State, found: &[Found]) -> Result<Self, Error> {
        let mut links = Self { targets: BTreeMap::new(), columns: BTreeMap::new(), links: Vec::new() };
        links.relations(cx).await?;
        links.constraints(cx).await?;
        for found in found {
            let (class, oid, sub) = &found.address;
            if class.starts_with("pg_") && *sub == 0 && class != "pg_attrdef" {
                let need = Need::Object(found.object.key.clone());
                links.targets.insert((class.clone(), *oid), Target::Need(need));
            }
        }
        links.defaults(cx).await?;
        links.types(cx, state).await?;
        for row in cx.transaction.query(ALIASES, &[]).await? {
            let (class, oid) = (row.try_get::<_, String>(0)?, row.try_get(1)?);
            let to = (row.try_get::<_, String>(2)?, row.try_get(3)?);
            if let Some(target) = links.targets.get(&to).cloned() {
                links.targets.insert((class, oid), target);
            }
        }
        // A domain and its constraints are one object.
        for row in cx.rows(CONSTRAINTS).await? {
            let domain = ("pg_type".to_owned(), row.try_get::<_, u32>(4)?);
            if let Some(target) = links.targets.get(&domain).filter(|_| domain.1 != 0).cloned() {
                links.targets.insert(("pg_constraint".to_owned(), row.try_get(0)?), target);
            }
        }
        for row in cx.transaction.query("SELECT oid, extname::text FROM pg_extension", &[]).await? {
            let need = Need::Extension(row.try_get(1)?);
            links.targets.insert(("pg_extension".to_owned(), row.try_get(0)?), Target::Need(need));
        }
        for row in cx.transaction.query(LINKS, &[]).await? {
            links.links.push(Link {
                from: (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?),
                to: (row.try_get(3)?, row.try_get(4)?, row.try_get(5)?),
            });
        }
        Ok(links)
    }

    fn add(&mut self, class: &str, oid: u32, target: Target) {
        self.targets.insert((class.to_owned(), oid), target);
    }

    async fn relations(&mut self, cx: &Cx<'_>) -> Result<(), Error> {
        for row in cx.rows(RELATIONS).await? {
            let (oid, kind, name): (u32, &str, &str) = (row.try_get(0)?, row.try_get(1)?, row.try_get(3)?);
            let relation = cx.name(row.try_get(2)?, name);
            let table: (Option<&str>, Option<&str>) = (row.try_get(4)?, row.try_get(5)?);
            let target = match (kind, table) {
                ("r" | "p", _) if HISTORY_TABLES.contains(&name) => continue,
                ("r" | "p", _) => Target::Need(Need::Table(relation)),
                ("S", (_, Some(table))) if HISTORY_TABLES.contains(&table) => continue,
                ("S", _) => Target::Need(Need::Sequence(relation)),
                (_, (Some(schema), Some(table))) if !HISTORY_TABLES.contains(&table) => {
                    let constraint: Option<String> = row.try_get(7)?;
                    Target::Need(Need::Part(cx.name(schema, table), constraint.unwrap_or_else(|| name.to_owned())))
                }
                _ => continue,
            };
            self.add("pg_class", oid, target);
        }
        let sql = "SELECT a.attrelid, a.attnum::int, a.attname::text FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
            JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'p') AND a.attnum > 0";
        for row in cx.rows(sql).await? {
            self.columns.insert((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?);
        }
        Ok(())
    }

    async fn constraints(&mut self, cx: &Cx<'_>) -> Result<(), Error> {
        for row in cx.rows(CONSTRAINTS).await? {
            let table: Option<&str> = row.try_get(2)?;
            let Some(table) = table.filter(|table| !HISTORY_TABLES.contains(table)) else { continue };
            let need = Need::Part(cx.name(row.try_get(1)?, table), row.try_get(3)?);
            self.add("pg_constraint", row.try_get(0)?, Target::Need(need));
        }
        Ok(())
    }

    async fn defaults(&mut self, cx: &Cx<'_>) -> Result<(), Error> {
        for row in cx.rows(DEFAULTS).await? {
            let (oid, table): (u32, &str) = (row.try_get(0)?, row.try_get(2)?);
            if row.try_get(7)? {
                let of_table = self.targets.get(&("pg_class".to_owned(), row.try_get(8)?)).cloned();
                of_table.into_iter().for_each(|target| self.add("pg_attrdef", oid, target));
                continue;
            }
            let (name, column) = (cx.name(row.try_get(1)?, table), row.try_get(3)?);
            let (printed, quoted): (&str, &str) = (row.try_get(5)?, row.try_get(6)?);
            let target = if row.try_get(4)? {
                Target::User(User::Column(name, column), None)
            } else {
                let drop = format!("ALTER TABLE {printed} ALTER COLUMN {quoted} DROP DEFAULT");
                Target::User(User::Default(name, column), Some(drop))
            };
            self.add("pg_attrdef", oid, target);
        }
        Ok(())
    }

    async fn types(&mut self, cx: &Cx<'_>, state: &State) -> Result<(), Error> {
        let rows = cx.rows(TYPES).await?;
        for row in &rows {
            let (oid, name): (u32, ObjectName) = (row.try_get(0)?, cx.name(row.try_get(1)?, row.try_get(2)?));
            if row.try_get(5)? && state.enums.iter().any(|ty| ty.name == name) {
                self.add("pg_type", oid, Target::Need(Need::Enum(name)));
            }
        }
        // The type of an array of rows leads to the rows, and those to their table.
        for _ in 0..2 {
            for row in &rows {
                let (class, other): (Option<&str>, Option<u32>) = (row.try_get(3)?, row.try_get(4)?);
                let (Some(class), Some(other)) = (class, other) else { continue };
                let oid: u32 = row.try_get(0)?;
                if self.targets.contains_key(&("pg_type".to_owned(), oid)) {
                    continue;
                }
                if let Some(target) = self.targets.get(&(class.to_owned(), other)).cloned() {
                    self.add("pg_type", oid, target);
                }
            }
        }
        Ok(())
    }

    /// Returns what an address stands for.
    pub(super) fn target(&self, (class, oid, sub): &Address) -> Option<Target> {
        let target = self.targets.get(&(class.clone(), *oid))?;
        Some(match target {
            Target::Need(Need::Table(table)) if *sub > 0 => {
                Target::Need(Need::Column(table.clone(), self.columns.get(&(*oid, *sub))?.clone()))
            }
            target => target.clone(),
        })
    }

    /// Returns what each object needs.
    pub(super) fn needs(&self) -> BTreeMap<ObjectKey, BTreeSet<Need>> {
        let mut needs: BTreeMap<ObjectKey, BTreeSet<Need>> = BTreeMap::new();
        for link in &self.links {
            let Some(Target::Need(Need::Object(key))) = self.target(&link.from) else { continue };
            match self.target(&link.to) {
                Some(Target::Need(need)) if need != Need::Object(key.clone()) => {
                    needs.entry(key).or_default().insert(need);
                }
                _ => {}
            }
        }
        needs
    }

    /// Returns the parts of tables that need objects.
    pub(super) fn usages(&self) -> Vec<Usage> {
        let mut found: BTreeMap<(User, ObjectKey), Option<String>> = BTreeMap::new();
        for link in &self.links {
            let Some(Target::Need(Need::Object(object))) = self.target(&link.to) else { continue };
            // Everything is in a schema.
            if object.kind == "schema" {
                continue;
            }
            if let Some((user, release)) = self.user(&link.from) {
                found.insert((user, object), release);
            }
        }
        found.into_iter().map(|((user, object), release)| Usage { user, object, release }).collect()
    }

    fn user(&self, address: &Address) -> Option<(User, Option<String>)> {
        Some(match self.target(address)? {
            Target::User(user, release) => (user, release),
            Target::Need(Need::Table(table)) => (User::Table(table), None),
            Target::Need(Need::Column(table, column)) => (User::Column(table, column), None),
            Target::Need(Need::Part(table, name)) => {
                let quoted = relata_codegen::sql::quote::qualified;
                if address.0 == "pg_constraint" {
                    let name_sql = relata_codegen::sql::quote::ident(&name);
                    let drop = format!("ALTER TABLE {} DROP CONSTRAINT {name_sql}", quoted(&table));
                    (User::Constraint(table, name), Some(drop))
                } else {
                    let drop = format!("DROP INDEX {}", quoted(&table.sibling(&name)));
                    (User::Index(table, name), Some(drop))
                }
            }
            _ => return None,
        })
    }
}
