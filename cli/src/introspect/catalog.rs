//! The objects that are not part of tables, for a comparison of two databases: each with its identity, the statements
//! that make, change and drop it, and what it needs.
//!
//! Every kind of object is a query whose columns [`Select`] names. Texts are printed by PostgreSQL where it can. A kind
//! for which there is no statement is only compared. Its text may contain a secret and is never shown.
//!
//! Not read: owners and roles, tablespaces, settings of roles and databases.

mod acls;
mod bodies;
mod code;
mod links;
mod notes;
mod relations;
mod replication;
mod sequences;
mod servers;
mod types;

use relata_codegen::sql::{Catalog, CatalogObject, CatalogPart, Nature, Need, ObjectKey, Other, OtherKind, State};
use tokio_postgres::{Error, Row};

use super::Cx;
pub(super) use code::FUNCTION_SHAPE;
use links::{Links, Target};
pub(super) use relations::VIEW_COLUMNS;
pub(super) use types::{select_composites, select_domains};

/// An object of the server: its catalog, its oid, and the number of its column or 0.
type Address = (String, u32, i32);

/// An object and its address.
struct Found {
    object: CatalogObject,
    address: Address,
    owner: Option<Address>,
    other: Option<u32>,
}

/// A query for objects of one kind. Each field is an SQL expression.
struct Select<'a> {
    /// The catalog of the object: `pg_proc`.
    class: &'a str,
    oid: &'a str,
    sub: &'a str,
    kind: &'a str,
    name: &'a str,
    /// `NULL` if it is only compared.
    create: &'a str,
    drop: &'a str,
    shape: &'a str,
    replace: &'a str,
    /// A flat array of texts, five for each part: name, text, and how to add, drop and change it.
    parts: &'a str,
    /// Catalog, oid and column of what it is dropped with.
    owner: Option<(&'a str, &'a str, &'a str)>,
    /// The statement that restores its owner, if the owner is not the current user.
    restore: String,
    /// The oid of another relation that it needs.
    other: &'a str,
    from: String,
}

impl Default for Select<'_> {
    fn default() -> Self {
        Self {
            class: "",
            oid: "",
            sub: "0",
            kind: "",
            name: "",
            create: "NULL",
            drop: "''",
            shape: "''",
            replace: "NULL",
            parts: "NULL",
            owner: None,
            restore: "NULL".to_owned(),
            other: "NULL",
            from: String::new(),
        }
    }
}

impl Select<'_> {
    fn sql(&self) -> String {
        let described = match self.class {
            class if class.starts_with("pg_") => format!("pg_describe_object('{class}'::regclass, {}, 0)", self.oid),
            _ => "NULL".to_owned(),
        };
        let (class, oid, sub) = self.owner.unwrap_or(("NULL", "NULL", "NULL"));
        format!(
            "SELECT ({})::text AS class, ({})::oid AS oid, ({})::int AS sub, ({})::text AS kind, ({})::text AS name,
               ({})::text AS create, ({})::text AS drop, ({})::text AS shape, ({})::text AS replace, ({})::text[] AS parts,
               ({class})::text AS owner_class, ({oid})::oid AS owner_oid, ({sub})::int AS owner_sub, ({})::oid AS other,
               ({})::text AS restore, ({described})::text AS described
             FROM {}",
            literal(self.class),
            self.oid,
            self.sub,
            literal(self.kind),
            self.name,
            self.create,
            self.drop,
            self.shape,
            self.replace,
            self.parts,
            self.other,
            self.restore,
            self.from,
        )
    }
}

/// A constant is written without quotes; everything else is SQL.
fn literal(text: &str) -> String {
    let is_plain = text.chars().all(|letter| letter.is_ascii_lowercase() || " _-".contains(letter));
    if is_plain && !text.starts_with("case ") { format!("'{text}'") } else { text.to_owned() }
}

/// The name of an object in a schema, as PostgreSQL would print it.
fn name(schema: &str, name: &str) -> String {
    format!(
        "CASE WHEN {schema}.nspname = current_schema() THEN quote_ident({name})
           ELSE quote_ident({schema}.nspname) || '.' || quote_ident({name}) END"
    )
}

/// The statement that gives an object to its owner, if that is not the role that reads.
fn owned(word: &str, name: &str, owner: &str) -> String {
    format!(
        "CASE WHEN pg_get_userbyid({owner}) <> current_user THEN format('ALTER %s %s OWNER TO %I', {word}, {name}, pg_get_userbyid({owner})) END"
    )
}

/// The condition that an object is not a member of an extension.
fn free(class: &str, alias: &str) -> String {
    format!(
        "NOT EXISTS (SELECT FROM pg_depend AS e WHERE e.classid = 'pg_catalog.{class}'::regclass AND e.objid = {alias}.oid
           AND e.deptype = 'e')"
    )
}

/// The condition that an object does not come with another one, such as the functions of a range type.
fn alone(class: &str, alias: &str) -> String {
    format!(
        "NOT EXISTS (SELECT FROM pg_depend AS i WHERE i.classid = 'pg_catalog.{class}'::regclass AND i.objid = {alias}.oid
           AND i.deptype = 'i')"
    )
}

/// The condition that an object is not a member of an extension, and in the schema `n`, which has to be one of those that are read.
fn ours(class: &str, alias: &str) -> String {
    format!("n.nspname = ANY($1) AND {}", free(class, alias))
}

/// Reads all objects, and what tables need of them.
pub(super) async fn catalog(cx: &Cx<'_>, state: &State) -> Result<Catalog, Error> {
    let mut found = Vec::new();
    let queries = [
        types::queries(cx.is_whole),
        code::queries(),
        servers::queries(),
        relations::queries(),
        sequences::queries(),
        notes::queries(cx.is_whole),
        replication::queries(cx).await?,
    ];
    for (nature, sql) in queries.concat() {
        // Some kinds belong to no schema.
        let rows = if sql.contains("$1") { cx.rows(&sql).await? } else { cx.transaction.query(&sql, &[]).await? };
        for row in &rows {
            found.push(object(row, nature)?);
        }
    }
    let links = Links::read(cx, state, &found).await?;
    let (usages, mut needs) = (links.usages(), links.needs());
    let mut objects = Vec::new();
    for Found { mut object, address, owner, other } in found {
        if let Some(owner) = owner {
            match links.target(&owner) {
                Some(Target::Need(need)) => object.owner = Some(need),
                // It belongs to a history table, or to something that is not read.
                _ => continue,
            }
        }
        if is_itself(&address) {
            let needs = needs.remove(&object.key).unwrap_or_default();
            object.needs = needs.into_iter().filter(|need| object.owner.as_ref() != Some(need)).collect();
        }
        let other = other.and_then(|oid| links.target(&("pg_class".to_owned(), oid, 0)));
        if let Some(Target::Need(need)) = other {
            object.needs.push(need);
        }
        objects.push(object);
    }
    objects.sort_by(|a, b| a.key.cmp(&b.key));
    let (acls, default_grants) = (acls::acls(cx, &links).await?, acls::default_grants(cx).await?);
    let mentions = bodies::mentions(&objects, &usages);
    Ok(Catalog { objects, usages, mentions, acls, default_grants })
}

/// Takes over views and what belongs to them, which the comparison with a schema creates in its own way.
pub(super) fn take_parts_of_views(state: &mut State) {
    let others = std::mem::take(&mut state.others);
    for other in others {
        let is_part = matches!(other.kind, OtherKind::Settings | OtherKind::Statistics);
        match &other.part_of {
            Some(view) if is_part => {
                let is_it = |key: &&ObjectKey| {
                    key.kind == "materialized view" && key.name.replace('"', "") == view.to_string().replace('"', "")
                };
                if let Some(view) = state.catalog.objects.iter().map(|it| &it.key).find(is_it).cloned() {
                    state.catalog.objects.push(part_of_view(&other, view));
                }
            }
            None if is_part || other.kind == OtherKind::Sequence => {
                state.others.push(other);
            }
            _ => {}
        }
    }
    state.catalog.objects.sort_by(|a, b| a.key.cmp(&b.key));
}

fn part_of_view(other: &Other, view: ObjectKey) -> CatalogObject {
    let key = ObjectKey { kind: other.kind.to_string(), name: other.name.clone() };
    CatalogObject {
        described: key.to_string(),
        key,
        create: Some(other.create.clone()),
        drop: other.drop.clone(),
        shape: if other.change.is_some() { String::new() } else { other.create.clone() },
        replace: other.change.clone(),
        parts: Vec::new(),
        managed: None,
        restore: None,
        needs: Vec::new(),
        owner: Some(Need::Object(view)),
        nature: Nature::Part,
    }
}

/// Whether an address is that of an object of PostgreSQL, and not of something that is said about one.
fn is_itself((class, ..): &Address) -> bool {
    class.starts_with("pg_")
}

/// Returns the parts of an object from a flat array.
pub(super) fn parts(texts: Option<Vec<Option<String>>>) -> Vec<CatalogPart> {
    let text = |part: &[Option<String>], at: usize| part[at].clone().unwrap_or_default();
    let part = |part: &[Option<String>]| CatalogPart {
        name: text(part, 0),
        text: text(part, 1),
        add: text(part, 2),
        drop: text(part, 3),
        change: part[4].clone(),
    };
    texts.unwrap_or_default().chunks_exact(5).map(part).collect()
}

fn object(row: &Row, nature: Nature) -> Result<Found, Error> {
    let owner: (Option<String>, Option<u32>, Option<i32>) =
        (row.try_get("owner_class")?, row.try_get("owner_oid")?, row.try_get("owner_sub")?);
    let key = ObjectKey { kind: row.try_get("kind")?, name: row.try_get("name")? };
    Ok(Found {
        address: (row.try_get("class")?, row.try_get("oid")?, row.try_get("sub")?),
        owner: match owner {
            (Some(class), Some(oid), sub) => Some((class, oid, sub.unwrap_or(0))),
            _ => None,
        },
        other: row.try_get("other")?,
        object: CatalogObject {
            described: row.try_get::<_, Option<String>>("described")?.unwrap_or_else(|| key.to_string()),
            key,
            create: row.try_get("create")?,
            drop: row.try_get("drop")?,
            shape: row.try_get::<_, Option<String>>("shape")?.unwrap_or_default(),
            replace: row.try_get("replace")?,
            parts: parts(row.try_get("parts")?),
            managed: None,
            restore: row.try_get("restore")?,
            needs: Vec::new(),
            owner: None,
            nature,
        },
    })
}
