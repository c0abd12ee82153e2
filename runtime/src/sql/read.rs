//! SELECT statements.

use super::order::{COUNT_OF, EXPRESSION, JSON_FIELD};
use super::pass::Pass;
use super::plan::{ReadPlan, plan_of, written_plan};
use super::scope::lifted_by;
use super::statement::Statement;
use super::tenant::Context;
use super::walk::{Walk, shaped};
use super::write::TABLE;
use super::writer::{Alias, Writer};
use crate::meta::{Column, KeyForm, Lifted, Relation, Table};
use crate::query::{Condition, OrderTerm, Output, Select};
use crate::value::{Param, RawList};

/// The parents of the rows to read.
#[derive(Debug, Clone)]
pub(crate) enum KeySource {
    /// One parent: a value per key column.
    One(Vec<Param>),
    /// Many parents: a list per key column.
    Many(Vec<RawList>),
    /// The parent whose key is in the columns of `k`.
    Lateral,
}

/// The children of rows of `parent`, through a relation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChildrenOf<'q> {
    pub(crate) parent: &'static Table,
    pub(crate) relation: &'q Relation,
}

impl ChildrenOf<'_> {
    /// Returns the columns with the types of the keys: those of a join table, and integers of another size than the
    /// children's, have the types of the parent's.
    fn key_columns(&self) -> Vec<&'static Column> {
        let is_of_parent =
            self.relation.through.is_some() || self.relation.key_forms(self.parent).contains(&KeyForm::Integer);
        let (table, columns) = match is_of_parent {
            true => (self.parent, self.relation.parent_columns),
            false => (self.relation.child, self.relation.child_columns),
        };
        columns.iter().map(|column| &table.columns[usize::from(*column)]).collect()
    }
}

/// A read without parents, or of the children that `of` selects.
struct Read<'p, 'q> {
    plan: &'p ReadPlan<'q>,
    of: Option<(ChildrenOf<'q>, KeySource)>,
}

impl Walk for Read<'_, '_> {
    fn walk<P: Pass>(&mut self, writer: &mut Writer<'_, P>) {
        let select = self.plan.select;
        writer.word(READ);
        writer.pass().address(select.table);
        match &mut self.of {
            Some((of, KeySource::Many(keys))) if select.is_cut() => writer.push_lateral(self.plan, *of, keys),
            of if select.from_end => writer.push_end(self.plan, of),
            of => {
                writer.word(WHOLE);
                writer.push_select(self.plan, of, None);
            }
        }
    }
}

/// The kind of a statement, in the first word of a shape. `write` has the other kinds.
const READ: usize = 0;

/// How the number of rows is limited, in a word.
const WHOLE: usize = 0;
const LATERAL: usize = 1;
const FROM_END: usize = 2;

/// Represents all columns, in place of a number of values.
const ALL_COLUMNS: usize = usize::MAX;

/// Returns the statement of a read, in the context of a connection that may know it.
pub(crate) fn read_statement<'q>(
    context: Context<'_>,
    select: &'q Select,
    of: Option<(ChildrenOf<'q>, KeySource)>,
) -> (Statement, ReadPlan<'q>) {
    let plan = plan_of(select, of.as_ref());
    // A rare read is not walked over for a shape, because it has none.
    let is_rare = !select.distinct.is_empty() || select.cursor.is_some() || select.page.is_some();
    let shapes = context.shapes.filter(|_| !is_rare);
    (shaped(Context { shapes, ..context }, Read { plan: &plan, of }), plan)
}

/// Changes a write that returns all columns to return the requested values of the row and of those that it references.
pub(crate) fn written_statement<'q>(
    context: Context<'_>,
    write: Statement,
    select: &'q Select,
) -> (Statement, ReadPlan<'q>) {
    let plan = written_plan(select);
    if write.is_refused() || plan.joined.is_empty() && plan.places.is_none() {
        return (write, plan);
    }
    let sql = write.sql().to_owned();
    let mut writer = Writer::behind(write.params, context);
    let alias = writer.alias();
    let mut joins = Vec::new();
    writer.push("WITH relata_written AS (");
    writer.push(&sql);
    // RETURNING is its last part.
    writer.push_omitted(select.table, TABLE);
    writer.push(") SELECT ");
    writer.push_outputs(&plan, alias, &mut joins);
    writer.push(" FROM relata_written AS ");
    writer.push_alias(alias);
    writer.push_joins(&joins);
    (writer.finish(), plan)
}

impl<P: Pass> Writer<'_, P> {
    /// Writes a SELECT. With `numbered`, the row's number comes after its values. Returns the number of columns.
    fn push_select(
        &mut self,
        plan: &ReadPlan<'_>,
        of: &mut Option<(ChildrenOf<'_>, KeySource)>,
        numbered: Option<&[OrderTerm]>,
    ) -> usize {
        let (select, table) = (plan.select, plan.select.table);
        let alias = self.alias();
        let order = select.directed_order();
        let mut joins = Vec::new();
        self.push_cursor(select, &order);
        self.push("SELECT ");
        self.push_outputs(plan, alias, &mut joins);
        let mut columns = plan.end() - plan.offset;
        self.push_children_shape(select, of.as_ref());
        let through = of.as_ref().and_then(|(of, _)| of.relation.through.as_ref());
        let between = through.map(|through| (self.alias(), through));
        if let Some((between, through)) = between {
            self.push(", ");
            self.push_through_column(between, through.parent_column);
            columns += 1;
        }
        if select.page.is_some() {
            self.push_order_values(&order, table, alias);
            columns += order.len();
        }
        if let Some(numbered) = numbered {
            self.push(", row_number() OVER (");
            self.push_order(numbered, table, alias);
            self.push(")");
            columns += 1;
        }
        self.push(" FROM ");
        self.push_source(select, alias, of.as_ref());
        self.push_joins(&joins);
        if let (Some((between, through)), Some((of, _))) = (between, &*of) {
            self.push_through_join(of.relation, through, alias, between);
        }
        let mut first = true;
        if let Some((of, keys)) = of {
            self.push_where_or_and(&mut first);
            match select.recursion {
                Some(recursion) => self.push_reached(*of, keys, select, recursion, alias),
                None => self.push_keys(*of, keys, alias, between.map(|(between, _)| between)),
            }
        }
        if select.distinct.is_empty() {
            let lifted = lifted_of(select, of.as_ref());
            self.push_confined_also(table, alias, lifted, &mut first);
            // A row that a recursion reached matches already.
            if select.recursion.is_none() {
                self.push_also(&select.condition, table, alias, &mut first);
            }
        }
        self.push_starts(select, &order, alias, &mut first);
        self.push_order(&order, table, alias);
        self.push_page(select);
        self.word(select.lock.is_some().into());
        if let Some(lock) = select.lock {
            self.pass().static_text(lock.strength);
            self.pass().static_text(lock.wait);
        }
        columns
    }

    fn push_children_shape(&mut self, select: &Select, of: Option<&(ChildrenOf<'_>, KeySource)>) {
        let Some((of, keys)) = of else { return self.word(0) };
        let source = match keys {
            KeySource::One(_) => 1,
            KeySource::Many(_) => 2,
            KeySource::Lateral => 3,
        };
        self.word(source | usize::from(select.recursion.is_some()) << 2);
        self.pass().address(of.parent);
        self.pass().address(of.relation);
        if let Some(recursion) = select.recursion {
            self.push_recursion_shape(recursion);
        }
    }

    /// Writes the table, or the first of its rows that agree in the columns of `distinct`.
    pub(super) fn push_source(&mut self, select: &Select, alias: Alias, of: Option<&(ChildrenOf<'_>, KeySource)>) {
        if select.distinct.is_empty() {
            return self.push_table(select.table, alias);
        }
        self.pass().give_up();
        let (table, inner) = (select.table, self.alias());
        let columns = |writer: &mut Self| {
            for (index, number) in select.distinct.iter().enumerate() {
                writer.push(if index > 0 { ", " } else { "" });
                writer.push_comparable(inner, &table.columns[usize::from(*number)]);
            }
        };
        self.push("(SELECT DISTINCT ON (");
        columns(self);
        self.push(") ");
        self.push_alias(inner);
        self.push(".* FROM ");
        self.push_table(table, inner);
        let mut first = true;
        if let Some((of, keys)) = of {
            let between = of.relation.through.as_ref().map(|through| (self.alias(), through));
            if let Some((between, through)) = between {
                self.push_through_join(of.relation, through, inner, between);
            }
            self.push_where_or_and(&mut first);
            self.push_keys(*of, &mut keys.clone(), inner, between.map(|(between, _)| between));
        }
        self.push_confined_also(table, inner, lifted_of(select, of), &mut first);
        self.push_also(&select.condition, table, inner, &mut first);
        self.push(" ORDER BY ");
        columns(self);
        for term in select.total_order() {
            self.push(", ");
            self.push_term(&term, table, inner);
        }
        self.push(") AS ");
        self.push_alias(alias);
    }

    /// Writes the last rows of an order, in that order.
    fn push_end(&mut self, plan: &ReadPlan<'_>, of: &mut Option<(ChildrenOf<'_>, KeySource)>) {
        self.word(FROM_END);
        let order = plan.select.directed_order();
        self.push("SELECT r.* FROM (");
        let columns = self.push_select(plan, of, Some(&order));
        self.push(") AS r(");
        self.push_column_list(columns);
        self.push(") ORDER BY r.\"c");
        self.push_number(columns as u32 - 1);
        self.push("\" DESC");
    }

    /// Writes `"c0", "c1"` and so on.
    fn push_column_list(&mut self, columns: usize) {
        for index in 0..columns {
            self.push(if index > 0 { ", " } else { "" });
            self.push("\"c");
            self.push_number(index as u32);
            self.push("\"");
        }
    }

    /// Writes a condition, after earlier ones.
    pub(super) fn push_also(&mut self, condition: &Condition, table: &Table, alias: Alias, first: &mut bool) {
        if self.tells_every_row(condition) {
            return;
        }
        self.push_where_or_and(first);
        let parentheses = condition.is_or();
        self.push(if parentheses { "(" } else { "" });
        self.push_condition(condition, table, alias);
        self.push(if parentheses { ")" } else { "" });
    }

    pub(super) fn push_confined_also(&mut self, table: &Table, alias: Alias, lifted: Lifted, first: &mut bool) {
        let confined = self.push_confined(if *first { " WHERE " } else { " AND " }, table, alias, lifted);
        *first &= !confined;
    }

    pub(super) fn push_where_or_and(&mut self, first: &mut bool) {
        self.push(if *first { " WHERE " } else { " AND " });
        *first = false;
    }

    fn push_page(&mut self, select: &Select) {
        // One more row than the page shows whether there is another page.
        let ahead = u64::from(select.page.is_some());
        self.push_limit(select.take.map(|take| take.saturating_add(ahead)), select.skip);
    }

    pub(super) fn push_limit(&mut self, take: Option<u64>, skip: Option<u64>) {
        self.word(usize::from(take.is_some()) | usize::from(skip.is_some()) << 1);
        if let Some(take) = take {
            self.push(" LIMIT ");
            self.push_param(Param::Int(i64::try_from(take).unwrap_or(i64::MAX)));
        }
        if let Some(skip) = skip {
            self.push(" OFFSET ");
            self.push_param(Param::Int(i64::try_from(skip).unwrap_or(i64::MAX)));
        }
    }

    /// Writes the select list of a table and of the tables joined to it, in the order of the plan.
    fn push_outputs<'q>(&mut self, plan: &ReadPlan<'q>, alias: Alias, joins: &mut Vec<Join<'q>>) {
        let table = plan.select.table;
        match &plan.places {
            None => {
                self.word(ALL_COLUMNS);
                self.push_all_columns(table, alias);
            }
            Some(places) => {
                self.word(places.len());
                for (index, output) in places.iter().enumerate() {
                    self.push(if index > 0 { ", " } else { "" });
                    self.push_output(output, table, alias);
                }
            }
        }
        self.word(plan.joined.len());
        for (include, child, _) in &plan.joined {
            self.pass().address(include.relation);
            let child_alias = self.alias();
            let lifted = include.select.condition.lifted();
            self.push_lifted_shape(include.relation.child, lifted);
            if P::IS_TEXT {
                joins.push(Join { relation: include.relation, table, parent: alias, child: child_alias, lifted });
            }
            self.push(", ");
            self.push_outputs(child, child_alias, joins);
        }
    }

    fn push_output(&mut self, output: &Output, table: &'static Table, alias: Alias) {
        match output {
            Output::Column(column) => {
                self.word(usize::from(*column));
                self.push_read(alias, &table.columns[usize::from(*column)]);
            }
            Output::Count { relation, condition } => {
                self.word(COUNT_OF);
                self.push("(SELECT count(*) FROM ");
                self.push_related_rows(relation, condition, table, alias);
                self.push(")");
            }
            Output::Expression(expression) => {
                self.word(EXPRESSION);
                self.push_read_expression(expression, table, alias);
            }
            Output::JsonField(place) => {
                self.word(JSON_FIELD);
                self.push_json_shape(*place);
                self.push_json_value(*place, &table.columns[usize::from(place.column)], alias);
            }
        }
    }

    fn push_joins(&mut self, joins: &[Join<'_>]) {
        for join in joins {
            self.push(" LEFT JOIN ");
            self.push_table(join.relation.child, join.child);
            self.push(" ON ");
            self.push_join_condition(join.relation, join.child, join.table, join.parent);
            self.push_tenant_unless_joined(join.relation, join.child, join.lifted);
        }
    }

    /// Writes the condition that selects the children of the given parents.
    pub(super) fn push_keys(&mut self, of: ChildrenOf<'_>, keys: &mut KeySource, alias: Alias, between: Option<Alias>) {
        let types = of.key_columns();
        // The tenant has a separate condition, which is the same for all.
        let ours = self.tenancy_of(of.relation.child).and(of.relation.tenant_pair);
        let count = types.len() - usize::from(ours.is_some());
        let places = (0..types.len()).filter(|place| Some(*place) != ours);
        match keys {
            KeySource::One(values) => {
                for (number, place) in places.enumerate() {
                    self.push(if number > 0 { " AND " } else { "" });
                    self.push_key_column(of.relation, place, alias, between);
                    self.push(" = ");
                    let value =
                        values.get_mut(place).map_or(Param::Null, |value| std::mem::replace(value, Param::Null));
                    self.push_value(types[place], value);
                }
            }
            KeySource::Lateral => {
                for (number, place) in places.enumerate() {
                    self.push(if number > 0 { " AND " } else { "" });
                    self.push_key_column(of.relation, place, alias, between);
                    self.push(" = k.k");
                    self.push_number(place as u32);
                }
            }
            KeySource::Many(lists) if count == 1 => {
                for place in places {
                    self.push_key_column(of.relation, place, alias, between);
                    self.push(" = ANY(");
                    self.push_values(types[place], Param::RawList(std::mem::take(&mut lists[place])));
                    self.push(")");
                }
            }
            KeySource::Many(lists) => {
                self.push("(");
                for (number, place) in places.clone().enumerate() {
                    self.push(if number > 0 { ", " } else { "" });
                    self.push_key_column(of.relation, place, alias, between);
                }
                self.push(") IN (SELECT * FROM unnest(");
                for (number, place) in places.enumerate() {
                    self.push(if number > 0 { ", " } else { "" });
                    self.push_values(types[place], Param::RawList(std::mem::take(&mut lists[place])));
                }
                self.push("))");
            }
        }
    }

    fn push_key_lists(&mut self, types: &[&'static Column], lists: &mut [RawList]) {
        for (index, (ty, list)) in types.iter().zip(lists).enumerate() {
            self.push(if index > 0 { ", " } else { "" });
            self.push_values(ty, Param::RawList(std::mem::take(list)));
        }
    }

    /// Writes the column by which children are found: their own, or that of the join table.
    fn push_key_column(&mut self, relation: &Relation, index: usize, alias: Alias, between: Option<Alias>) {
        match (between, &relation.through) {
            (Some(between), Some(through)) => self.push_through_column(between, through.parent_column),
            _ => self.push_column(alias, &relation.child.columns[usize::from(relation.child_columns[index])]),
        }
    }

    /// Writes a limited number of children for each of many parents: a LATERAL subquery per parent.
    fn push_lateral(&mut self, plan: &ReadPlan<'_>, of: ChildrenOf<'_>, keys: &mut [RawList]) {
        self.word(LATERAL);
        let select = plan.select;
        self.push("SELECT r.* FROM unnest(");
        self.push_key_lists(&of.key_columns(), keys);
        self.push(") WITH ORDINALITY AS k(");
        for index in 0..of.relation.child_columns.len() {
            self.push("k");
            self.push_number(index as u32);
            self.push(", ");
        }
        self.push("parent) CROSS JOIN LATERAL (");
        let order = select.directed_order();
        let columns =
            self.push_select(plan, &mut Some((of, KeySource::Lateral)), (!order.is_empty()).then_some(&order[..]));
        self.push(") AS r(");
        self.push_column_list(columns);
        self.push(")");
        if !order.is_empty() {
            let direction = if select.from_end { " DESC" } else { "" };
            self.push(" ORDER BY k.parent, r.\"c");
            self.push_number(columns as u32 - 1);
            self.push("\"");
            self.push(direction);
        }
    }
}

/// A table that is joined to another.
#[derive(Debug)]
struct Join<'q> {
    relation: &'q Relation,
    table: &'static Table,
    parent: Alias,
    child: Alias,
    /// The scopes of the joined table that are lifted.
    lifted: Lifted,
}

/// Returns the scopes that are lifted for the rows of a read.
fn lifted_of(select: &Select, of: Option<&(ChildrenOf<'_>, KeySource)>) -> Lifted {
    let lifted = select.condition.lifted();
    of.map_or(lifted, |(of, _)| lifted_by(of.relation, lifted))
}

#[cfg(test)]
mod tests {
    use super::super::pass::{Shape, Text};
    use super::*;
    use crate::query::{
        JsonFieldTest, JsonKind, JsonPlace, Lock, Operator, OrderKey, Outputs, Recursion, RecursiveRows,
    };

    static COLUMNS: [Column; 2] = [Column::new("id", "integer"), Column::new("name", "text")];
    static TABLE: Table = Table::new("Thing", "\"things\"", &COLUMNS, &[0], &[], &[]);
    static OTHER: Table = Table::new("Other", "\"others\"", &COLUMNS, &[0], &[], &[]);

    fn compare(column: u16, operator: Operator, value: i64) -> Condition {
        Condition::Compare { column, operator, value: Param::Int(value) }
    }

    /// The shape of a read, and its text.
    fn walked(change: impl FnOnce(&mut Select)) -> (Option<Vec<usize>>, String) {
        let mut select = Select::new(&TABLE);
        change(&mut select);
        let plan = plan_of(&select, None);
        let (mut shape, mut text) =
            (Writer::of(Shape::new(), Context::default()), Writer::of(Text::new(), Context::default()));
        Read { plan: &plan, of: None }.walk(&mut shape);
        Read { plan: &plan, of: None }.walk(&mut text);
        (shape.pass().words().map(<[usize]>::to_vec), text.finish().into_sql())
    }

    #[test]
    fn values_are_no_part_of_a_shape() {
        let with = |value| {
            walked(|select| {
                select.condition = compare(0, Operator::Eq, value);
                select.take = Some(value.unsigned_abs());
            })
        };
        assert!(with(1).0.is_some());
        assert_eq!(with(1), with(2));
    }

    fn json(column: u16, path: &'static [&'static str], kind: JsonKind, test: JsonFieldTest) -> Condition {
        Condition::JsonField(JsonPlace { column, path, kind }, test)
    }

    static CHILDREN: Relation = Relation::back_many("children", &TABLE, &[0], &[1]);
    static PARENT: Relation = Relation::maybe("parent", &TABLE, &[1], &[0]);

    fn reaches(relation: &'static Relation, depth: Option<u32>) -> Condition {
        let recursion = Recursion { rows: RecursiveRows::Tree, depth };
        let (along, condition) = (Box::new(Condition::ALL), Box::new(Condition::ALL));
        Condition::Reaches { relation, recursion, along, condition }
    }

    fn output(path: &'static [&'static str]) -> Output {
        Output::JsonField(JsonPlace { column: 0, path, kind: JsonKind::Text })
    }

    fn by_json(path: &'static [&'static str], kind: JsonKind) -> OrderTerm {
        let key = OrderKey::JsonField(JsonPlace { column: 0, path, kind });
        OrderTerm { key, ..OrderTerm::by_key(0, false) }
    }

    #[test]
    fn whatever_changes_the_text_changes_the_shape() {
        let set = |condition: Condition| walked(|select| select.condition = condition);
        let one = || compare(0, Operator::Eq, 1);
        let all = [
            walked(|_| {}),
            walked(|select| select.table = &OTHER),
            walked(|select| select.take = Some(1)),
            walked(|select| select.skip = Some(1)),
            walked(|select| select.from_end = true),
            walked(|select| select.lock = Some(Lock::UPDATE)),
            walked(|select| select.lock = Some(Lock::SHARE)),
            walked(|select| select.lock = Some(Lock { wait: " NOWAIT", ..Lock::UPDATE })),
            walked(|select| select.order.push(OrderTerm::by_key(0, false))),
            walked(|select| select.order.push(OrderTerm::by_key(0, true))),
            walked(|select| select.order.push(OrderTerm::by_key(1, false))),
            walked(|select| select.order.push(OrderTerm { nulls_first: Some(true), ..OrderTerm::by_key(1, false) })),
            walked(|select| select.outputs = Outputs::List(vec![Output::Column(0)])),
            walked(|select| select.outputs = Outputs::List(vec![Output::Column(1)])),
            walked(|select| select.outputs = Outputs::List(vec![output(&["a"])])),
            walked(|select| select.outputs = Outputs::List(vec![output(&["b"])])),
            set(one()),
            set(compare(1, Operator::Eq, 1)),
            set(compare(0, Operator::Ne, 1)),
            set(Condition::CompareColumns { left: 0, operator: Operator::Lt, right: 1 }),
            set(Condition::CompareColumns { left: 0, operator: Operator::Gt, right: 1 }),
            set(Condition::IsNull { column: 0 }),
            set(Condition::IsNull { column: 0 }.negated()),
            set(Condition::IsNull { column: 1 }.negated()),
            set(Condition::NotTrue(Box::new(one()))),
            set(Condition::In { column: 0, values: Param::Array(Vec::new()) }),
            set(Condition::Or(Vec::new())),
            set(Condition::And(vec![one(), one()])),
            set(Condition::Or(vec![one(), one()])),
            set(Condition::Like { column: 1, pattern: Param::Null, insensitive: false }),
            set(Condition::Like { column: 1, pattern: Param::Null, insensitive: true }),
            set(json(0, &["a"], JsonKind::Text, JsonFieldTest::IsNull)),
            set(json(1, &["a"], JsonKind::Text, JsonFieldTest::IsNull)),
            set(json(0, &["b"], JsonKind::Text, JsonFieldTest::IsNull)),
            set(json(0, &["b", "a"], JsonKind::Text, JsonFieldTest::IsNull)),
            set(json(0, &["a"], JsonKind::Text, JsonFieldTest::Compare(Operator::Eq, Param::Null))),
            set(json(0, &["a"], JsonKind::Text, JsonFieldTest::Compare(Operator::Gte, Param::Null))),
            set(json(0, &["a"], JsonKind::Json, JsonFieldTest::Compare(Operator::Eq, Param::Null))),
            set(json(0, &["a"], JsonKind::Decimal, JsonFieldTest::Compare(Operator::Eq, Param::Null))),
            set(json(0, &["a"], JsonKind::Date, JsonFieldTest::Compare(Operator::Eq, Param::Null))),
            set(json(0, &["a"], JsonKind::Text, JsonFieldTest::In(Param::Null))),
            set(json(0, &["a"], JsonKind::Text, JsonFieldTest::Like { pattern: Param::Null, insensitive: false })),
            set(json(0, &["a"], JsonKind::Text, JsonFieldTest::Like { pattern: Param::Null, insensitive: true })),
            set(json(0, &["a"], JsonKind::Json, JsonFieldTest::HasEvery(Param::Null))),
            set(json(0, &["a"], JsonKind::Json, JsonFieldTest::HasSome(Param::Null))),
            set(json(0, &["a"], JsonKind::Json, JsonFieldTest::IsEmpty)),
            walked(|select| select.order.push(by_json(&["a"], JsonKind::Text))),
            walked(|select| select.order.push(by_json(&["a"], JsonKind::Time))),
            walked(|select| select.order.push(by_json(&["b"], JsonKind::Text))),
            set(reaches(&CHILDREN, None)),
            set(reaches(&PARENT, None)),
            set(reaches(&CHILDREN, Some(1))),
            set(reaches(&CHILDREN, Some(2))),
            set(Condition::Another { table: &OTHER, condition: Box::new(Condition::ALL) }),
            set(Condition::Another { table: &OTHER, condition: Box::new(one()) }),
        ];
        for (index, (shape, text)) in all.iter().enumerate() {
            assert!(shape.is_some(), "{text} has no shape");
            for (other_shape, other) in &all[..index] {
                assert_ne!(text, other);
                assert_ne!(shape, other_shape, "{text} and {other}");
            }
        }
    }

    #[test]
    fn what_is_rare_or_long_has_no_shape() {
        assert_eq!(walked(|select| select.distinct = vec![0]).0, None);
        let long = (0..50).map(|value| compare(0, Operator::Eq, value)).collect();
        assert_eq!(walked(|select| select.condition = Condition::Or(long)).0, None);
    }
}
