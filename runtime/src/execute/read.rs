//! Reads: one statement for the rows and the joined ones, and one more for each other relation and level.
//!
//! The statements of the relations of one level are sent together. They are sent with the first statement if the
//! query's key already identifies their rows.

use futures_util::future::{BoxFuture, FutureExt, try_join, try_join_all};
use tokio_postgres::Row;

use super::recursive;
use crate::connection::Session;
use crate::error::Result;
use crate::meta::{Relation, Table};
use crate::query::{Condition, Include, Outcome, PageToken, Select};
use crate::rows::{KeyedRows, Keys, Node, RowDecoder};
use crate::sql::{self, ChildrenOf, KeySource, ReadPlan, Statement, read_statement};
use crate::value::Param;

/// Reads `select`. `key` has the values of the unique key that it is filtered by.
pub(crate) async fn read(session: &Session<'_>, select: &Select, key: &[(u16, Param)]) -> Result<Node> {
    let (statement, plan) = read_statement(session.shaped(), select, None);
    if !plan.is_single_statement() {
        return read_with_separate(*session, statement, &plan, key).boxed().await;
    }
    let mut node = Node::new(select.table, session.query(statement, select.table).await?);
    attach_joined(&mut node, &plan);
    Ok(node)
}

/// Reads rows that may be many. Decodes a part of them while the others arrive, if nothing else has to be read.
pub(super) async fn read_many(session: Session<'_>, select: &Select) -> Result<Outcome> {
    let (statement, plan) = read_statement(session.shaped(), select, None);
    if !plan.is_single_statement() {
        return read_with_separate(session, statement, &plan, &[]).boxed().await.map(Outcome::Rows);
    }
    let mut decoded: Option<Box<dyn RowDecoder>> = None;
    let mut take = |rows: Vec<Row>| {
        let mut part = Node::new(select.table, rows);
        attach_joined(&mut part, &plan);
        if let Some(make) = select.decoder {
            decoded.get_or_insert_with(make).take(&part)?;
        }
        Ok(part.into_rows())
    };
    let mut node = Node::new(select.table, session.query_in_parts(statement, select.table, &mut take).await?);
    attach_joined(&mut node, &plan);
    Ok(match decoded {
        Some(decoded) => Outcome::Decoded(decoded, node),
        None => Outcome::Rows(node),
    })
}

/// Reads the rows of `plan`, and the relations with separate statements.
async fn read_with_separate(
    session: Session<'_>,
    statement: Statement,
    plan: &ReadPlan<'_>,
    key: &[(u16, Param)],
) -> Result<Node> {
    let table = plan.select.table;
    let tenant = session.tenant.map(|tenant| &tenant.key);
    let known = |include: &Include| known_key(include.relation, plan.select, key, tenant);
    let early: Vec<&Include> = plan.separate.iter().copied().filter(|include| known(include).is_some()).collect();
    let rows = session.query(statement, table);
    let early_children = try_join_all(early.iter().map(|include| {
        let values = known(include).unwrap_or_default();
        read_children(session, table, include, KeySource::One(values))
    }));
    let (rows, early_nodes) = try_join(rows, early_children).await?;
    let mut node = Node::new(table, rows);
    let late = |include: &&Include| !early.iter().any(|done| std::ptr::eq(*done, *include));
    let late: Vec<&Include> = plan.separate.iter().copied().filter(late).collect();
    attach(session, &mut node, plan, &late).await?;
    for (include, child) in early.iter().zip(early_nodes) {
        if include.select.recursion.is_none() {
            node.add_all(include.slot, include.relation, child);
        } else {
            let rows = recursive::first_rows(&node, plan, include, &child);
            recursive::add(&mut node, include, child, rows);
        }
    }
    Ok(node)
}

/// Returns the statements of a read whose parameters are known before anything is sent, and says which relations need the
/// rows of others.
pub(super) fn known_statements(session: Session<'_>, select: &Select) -> (Vec<Statement>, Vec<String>) {
    let (statement, plan) = read_statement(session.unshaped(), select, None);
    let (mut statements, mut waiting) = (vec![statement], Vec::new());
    let tenant = session.tenant.map(|tenant| &tenant.key);
    for include in &plan.separate {
        let name = include.relation.name;
        let Some(key) = known_key(include.relation, plan.select, &[], tenant) else {
            waiting.push(left_out(name));
            continue;
        };
        let of = ChildrenOf { parent: select.table, relation: include.relation };
        let (statement, child) = read_statement(session.unshaped(), &include.select, Some((of, KeySource::One(key))));
        statements.push(statement);
        name_separate(&child, &format!("{name}."), &mut waiting);
    }
    name_joined(&plan, "", &mut waiting);
    (statements, waiting)
}

/// Names the relations of a plan that have statements of their own.
fn name_separate(plan: &ReadPlan<'_>, path: &str, waiting: &mut Vec<String>) {
    waiting.extend(plan.separate.iter().map(|include| left_out(&format!("{path}{}", include.relation.name))));
    name_joined(plan, path, waiting);
}

fn name_joined(plan: &ReadPlan<'_>, path: &str, waiting: &mut Vec<String>) {
    for (include, child, _) in &plan.joined {
        name_separate(child, &format!("{path}{}.", include.relation.name), waiting);
    }
}

/// Says that a relation is not explained.
pub(super) fn left_out(path: &str) -> String {
    format!("`{path}`: its statement needs keys of the rows: `.analyze()` runs the call and explains it")
}

/// Returns the rows of a read, cut to their page if it is one.
pub(super) fn outcome(node: Node, plan: &ReadPlan<'_>) -> Outcome {
    let Some(start) = &plan.select.page else { return Outcome::Rows(node) };
    let all = node.len();
    let len = plan.select.take.and_then(|take| usize::try_from(take).ok()).map_or(all, |take| take.min(all));
    let backward = start.is_backward();
    // The extra row is at the end towards which the page was counted.
    let rows = if backward { all - len..all } else { 0..len };
    let goes_on = (all > len, start.token().is_some());
    let (follows, precedes) = if backward { (goes_on.1, goes_on.0) } else { goes_on };
    let order = plan.select.effective_order();
    let token = |row| PageToken::of(&node, row, plan.end(), &order);
    let next = rows.clone().last().filter(|_| follows).map(token);
    let previous = rows.clone().next().filter(|_| precedes).map(token);
    Outcome::Page { node, rows, next, previous }
}

/// Returns the values of a relation's parent columns, if the key or the filter determines all of them.
fn known_key(relation: &Relation, select: &Select, key: &[(u16, Param)], tenant: Option<&Param>) -> Option<Vec<Param>> {
    let filters = if select.single { &select.condition } else { &Condition::ALL };
    let value = |column: &u16| {
        let given = key.iter().find(|(known, _)| known == column).map(|(_, value)| value);
        given.or_else(|| filters.equal_value(*column)).cloned()
    };
    let columns = relation.parent_columns.iter().enumerate();
    columns
        .map(|(place, column)| {
            value(column).or_else(|| relation.tenant_pair.filter(|pair| *pair == place).and(tenant).cloned())
        })
        .collect()
}

/// Reads the included relations and adds them to the rows.
pub(super) fn attach<'a>(
    session: Session<'a>,
    node: &'a mut Node,
    plan: &'a ReadPlan<'_>,
    separate: &'a [&Include],
) -> BoxFuture<'a, Result<()>> {
    async move {
        node.set_names(plan.names());
        for (include, child_plan, present) in &plan.joined {
            let mut child = node.joined(include.relation.child, child_plan.offset - plan.offset);
            attach(session, &mut child, child_plan, &child_plan.separate).await?;
            node.add_joined(include.slot, include.relation, child, *present);
        }
        let children = {
            let node = &*node;
            try_join_all(separate.iter().map(|include| read_children_of(session, node, plan, include))).await?
        };
        for (include, child) in separate.iter().zip(children).filter_map(|(include, child)| Some((include, child?))) {
            match child {
                Fetched::OfOne(child) => node.add_all(include.slot, include.relation, child),
                Fetched::ByKey(child, rows) if include.select.recursion.is_some() => {
                    recursive::add(node, include, child, rows);
                }
                Fetched::ByKey(child, rows) => node.add_keyed(include.slot, include.relation, child, rows),
            }
        }
        Ok(())
    }
    .boxed()
}

/// Returns the rows of a read with their included relations.
pub(crate) async fn attach_to_rows(session: Session<'_>, mut node: Node, plan: &ReadPlan<'_>) -> Result<Node> {
    if plan.is_single_statement() {
        attach_joined(&mut node, plan);
    } else {
        attach(session, &mut node, plan, &plan.separate).await?;
    }
    Ok(node)
}

/// Reads the included relations of existing rows that have all columns.
pub(super) async fn attach_all(session: Session<'_>, node: &mut Node, select: &Select) -> Result<()> {
    let plan = sql::unjoined_plan(select);
    attach(session, node, &plan, &plan.separate).await
}

/// Adds joined rows, if nothing else has to be read for them.
pub(super) fn attach_joined(node: &mut Node, plan: &ReadPlan<'_>) {
    node.set_names(plan.names());
    for (include, child_plan, present) in &plan.joined {
        let mut child = node.joined(include.relation.child, child_plan.offset - plan.offset);
        attach_joined(&mut child, child_plan);
        node.add_joined(include.slot, include.relation, child, *present);
    }
}

/// Children: of the only parent, or of many.
enum Fetched {
    OfOne(Node),
    ByKey(Node, KeyedRows),
}

/// Returns the children of all rows of a node; `None` if no row has a key.
async fn read_children_of(
    session: Session<'_>,
    node: &Node,
    plan: &ReadPlan<'_>,
    include: &Include,
) -> Result<Option<Fetched>> {
    let forms = include.relation.key_forms(node.table);
    let mut keys = Keys::of(node, &plan.parent_places(include.relation), forms);
    let lists = std::mem::take(&mut keys.lists);
    if keys.len() == 0 {
        return Ok(None);
    }
    if node.len() == 1 && include.select.recursion.is_none() {
        let key = lists.iter().filter_map(|list| list.param(0)).collect();
        return Ok(Some(Fetched::OfOne(read_children(session, node.table, include, KeySource::One(key)).await?)));
    }
    let of = ChildrenOf { parent: node.table, relation: include.relation };
    let (statement, child_plan) = read_statement(session.shaped(), &include.select, Some((of, KeySource::Many(lists))));
    let child = read_rows(session, statement, &child_plan).await?;
    let rows = keys.match_children(&child, &child_plan.key);
    Ok(Some(Fetched::ByKey(child, rows)))
}

/// Returns the children of one parent.
async fn read_children(
    session: Session<'_>,
    parent: &'static Table,
    include: &Include,
    keys: KeySource,
) -> Result<Node> {
    let of = ChildrenOf { parent, relation: include.relation };
    let (statement, plan) = read_statement(session.shaped(), &include.select, Some((of, keys)));
    read_rows(session, statement, &plan).await
}

async fn read_rows(session: Session<'_>, statement: Statement, plan: &ReadPlan<'_>) -> Result<Node> {
    let table = plan.select.table;
    attach_to_rows(session, Node::new(table, session.query(statement, table).await?), plan).await
}

/// Returns the count that is the only value of a result.
pub(super) fn count_of(node: &Node) -> Result<Outcome> {
    let count: i64 = node.cursors().next().map_or(Ok(0), |at| at.get(0))?;
    Ok(Outcome::Count(count.unsigned_abs()))
}
