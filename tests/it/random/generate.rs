//! Generates random queries.

use relata::serde_json::{Value as Json, json};

use super::query::{
    Compare, Condition, GroupTerm, Groups, Having, Include, JsonTest, Like, OrderKey, Query, Reach, Rows, Term, Test,
};
use super::value::{Plain, Value};
use super::world::{Arity, Branch, Calculation, Class, Model, World};

/// How deep relations are nested in a condition.
const RELATIONS: usize = 3;

/// Generates queries for a world.
pub(crate) struct Generator<'w> {
    pub(crate) world: &'w World,
    pub(crate) rng: fastrand::Rng,
}

impl<'w> Generator<'w> {
    fn chance(&mut self, percent: u8) -> bool {
        self.rng.u8(..100) < percent
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        self.rng.choice(of).expect("has something to choose").clone()
    }

    fn info(&self, model: usize) -> &'w Model {
        &self.world.models[model]
    }

    pub(crate) fn query(&mut self, model: usize) -> Query {
        let info = self.info(model);
        match self.rng.u8(..20) {
            0..=5 => {
                let shape = self.rng.usize(..info.shapes.len());
                Query::Find(shape, self.rows(model, &info.shapes[shape]))
            }
            6 => Query::Stream(self.rows(model, &[])),
            7 | 8 => {
                let shape = self.rng.usize(..info.shapes.len());
                let rows = Rows { take: None, last: false, ..self.rows(model, &info.shapes[shape]) };
                Query::First(shape, rows)
            }
            9 | 10 => {
                let shape = self.rng.usize(..info.shapes.len());
                let filter = if self.chance(20) { Some(self.condition(model, 2, RELATIONS)) } else { None };
                let rows = Rows { filter, includes: self.includes(model, &info.shapes[shape]), ..Rows::default() };
                Query::Unique(shape, self.key(model), rows)
            }
            11 => Query::Pages(self.rng.u64(1..4), self.uncut(model)),
            12 => Query::PagesBack(self.rng.u64(1..4), self.uncut(model)),
            13 | 14 => {
                let rows = self.rows(model, &[]);
                Query::Select(self.rng.usize(..info.selections.len()), self.made_total(model, rows))
            }
            15 => Query::Count(self.filter(model)),
            16 => Query::Exists(self.filter(model)),
            17 => {
                let rows = self.rows(model, &[]);
                Query::Aggregate(self.made_total(model, rows))
            }
            _ => Query::GroupBy(self.groups(model)),
        }
    }

    fn filter(&mut self, model: usize) -> Option<Condition> {
        if self.chance(80) { Some(self.condition(model, 3, RELATIONS)) } else { None }
    }

    fn uncut(&mut self, model: usize) -> Rows {
        let filter = self.filter(model);
        Rows { filter, order: self.order(model), ..Rows::default() }
    }

    fn rows(&mut self, model: usize, shape: &[Branch]) -> Rows {
        let mut rows = self.uncut(model);
        if self.chance(40) {
            rows.take = Some(self.rng.u64(..5));
            rows.last = self.chance(30);
        }
        rows.skip = if self.chance(25) { Some(self.rng.u64(..4)) } else { None };
        rows.cursor = if self.chance(20) { Some(self.key(model)) } else { None };
        rows.distinct = if self.chance(20) { Some(self.rng.usize(..self.info(model).columns.len())) } else { None };
        rows.includes = self.includes(model, shape);
        rows
    }

    /// The database may return rows that are equal in the order in any sequence; here, the sequence must be known.
    fn made_total(&mut self, model: usize, mut rows: Rows) -> Rows {
        for field in &self.info(model).keys[0] {
            rows.order.push(Term { key: OrderKey::Field(*field), descending: self.chance(30), nulls_first: None });
        }
        rows
    }

    fn includes(&mut self, model: usize, shape: &[Branch]) -> Vec<Include> {
        let include = |branch: &Branch| {
            let relation = self.info(model).relation(branch.relation);
            let info = &self.info(model).relations[relation];
            let rows = match info.arity {
                Arity::Many => self.rows(info.child, &branch.inner),
                _ => Rows { includes: self.includes(info.child, &branch.inner), ..Rows::default() },
            };
            Include { relation, rows }
        };
        shape.iter().map(include).collect()
    }

    /// Returns the values of a unique key, usually that of an existing row.
    fn key(&mut self, model: usize) -> (usize, Vec<Value>) {
        let info = self.info(model);
        let key = self.rng.usize(..info.keys.len());
        let fields = &info.keys[key];
        let row = if self.chance(85) { self.rng.choice(&self.world.rows[model]) } else { None };
        let value = |field: &usize| match row {
            Some(row) if !row[*field].is_null() => row[*field].clone(),
            _ => self.pick(&info.fields[*field].pool),
        };
        (key, fields.iter().map(value).collect())
    }

    fn order(&mut self, model: usize) -> Vec<Term> {
        let number = self.pick(&[0, 1, 1, 2, 3]);
        (0..number).map(|_| self.term(model)).collect()
    }

    fn term(&mut self, model: usize) -> Term {
        let key = self.order_key(model, 2);
        let descending = self.chance(50);
        Term { key, descending, nulls_first: self.pick(&[None, None, Some(true), Some(false)]) }
    }

    fn order_key(&mut self, model: usize, depth: usize) -> OrderKey {
        let info = self.info(model);
        let relations = |many: bool| {
            let fits = |place: &usize| (info.relations[*place].arity == Arity::Many) == many;
            (0..info.relations.len()).filter(fits).collect::<Vec<_>>()
        };
        let (to_one, to_many) = (relations(false), relations(true));
        if !to_one.is_empty() && depth > 0 && self.chance(30) {
            let relation = self.pick(&to_one);
            return OrderKey::Related(relation, Box::new(self.order_key(info.relations[relation].child, depth - 1)));
        }
        if !to_many.is_empty() && self.chance(30) {
            let relation = self.pick(&to_many);
            let filtered = self.chance(40);
            let condition = filtered.then(|| self.condition(info.relations[relation].child, 1, 1));
            return OrderKey::Count(relation, condition);
        }
        let ordered = |place: &usize| matches!(info.fields[*place].class, Class::Plain | Class::Text | Class::List);
        let fields: Vec<usize> = (0..info.fields.len()).filter(ordered).collect();
        OrderKey::Field(self.pick(&fields))
    }

    fn groups(&mut self, model: usize) -> Groups {
        let info = self.info(model);
        let by = self.rng.usize(..info.columns.len());
        let having = if self.chance(40) { Some(self.having(info, 2)) } else { None };
        let nulls = [None, Some(true), Some(false)];
        let mut order = Vec::new();
        for _ in 0..self.rng.usize(..3) {
            let place = self.rng.usize(..info.calculations.len());
            order.push(GroupTerm::Calculated(place, self.chance(50), self.pick(&nulls)));
        }
        for field in &info.columns[by] {
            order.push(GroupTerm::Field(*field, self.chance(50), self.pick(&nulls)));
        }
        let take = if self.chance(30) { Some(self.rng.u64(..4)) } else { None };
        let skip = if self.chance(30) { Some(self.rng.u64(..3)) } else { None };
        Groups { by, filter: self.filter(model), having, order, take, skip }
    }

    fn having(&mut self, info: &Model, depth: usize) -> Having {
        match self.rng.u8(..6) {
            0 if depth > 0 => Having::And(Box::new([self.having(info, depth - 1), self.having(info, depth - 1)])),
            1 if depth > 0 => Having::Or(Box::new([self.having(info, depth - 1), self.having(info, depth - 1)])),
            2 if depth > 0 => Having::Not(Box::new(self.having(info, depth - 1))),
            _ => {
                let place = self.rng.usize(..info.calculations.len());
                let value = self.calculated(info, info.calculations[place]);
                Having::Compare(place, self.pick(&Compare::ALL), value)
            }
        }
    }

    /// Returns a value that an aggregate may have.
    fn calculated(&mut self, info: &Model, calculation: Calculation) -> Value {
        match calculation {
            Calculation::Rows | Calculation::Count(_) | Calculation::CountDistinct(_) => Value::Int(self.rng.i64(0..4)),
            Calculation::Sum(field) | Calculation::Least(field) | Calculation::Greatest(field) => {
                self.pick(&info.fields[field].pool)
            }
            Calculation::Average(field) => match self.pick(&info.fields[field].pool) {
                Value::Int(value) => Value::Float(value as f64),
                value => value,
            },
        }
    }

    pub(crate) fn condition(&mut self, model: usize, depth: usize, relations: usize) -> Condition {
        let parts = |this: &mut Self| {
            let number = this.pick(&[0, 1, 2, 2, 3]);
            (0..number).map(|_| this.condition(model, depth - 1, relations)).collect::<Vec<_>>()
        };
        match self.rng.u8(..12) {
            0 | 1 if depth > 0 => Condition::And(parts(self)),
            2 | 3 if depth > 0 => Condition::Or(parts(self)),
            4 if depth > 0 => Condition::Not(Box::new(self.condition(model, depth - 1, relations))),
            5 if depth > 0 => Condition::All(parts(self)),
            6 if depth > 0 => Condition::Any(parts(self)),
            7..=9 if relations > 0 && !self.info(model).relations.is_empty() => {
                let relation = self.rng.usize(..self.info(model).relations.len());
                let info = &self.info(model).relations[relation];
                let reach = match info.arity {
                    Arity::One => self.pick(&[Reach::Is, Reach::IsNot]),
                    Arity::Maybe => self.pick(&[Reach::Is, Reach::IsNot, Reach::IsSome, Reach::IsNone]),
                    Arity::Many => self.pick(&[Reach::Some, Reach::Every, Reach::None]),
                };
                Condition::Related(relation, reach, Box::new(self.condition(info.child, depth.min(2), relations - 1)))
            }
            10 if !self.info(model).pairs.is_empty() => {
                let pair = self.rng.usize(..self.info(model).pairs.len());
                Condition::Pair(pair, self.pick(&Compare::ALL))
            }
            _ => {
                let field = self.rng.usize(..self.info(model).fields.len());
                Condition::Field(field, self.test(model, field))
            }
        }
    }

    fn values(&mut self, pool: &[Value]) -> Vec<Value> {
        let number = self.rng.usize(..4);
        (0..number).map(|_| self.pick(pool)).collect()
    }

    fn test(&mut self, model: usize, field: usize) -> Test {
        let info = &self.info(model).fields[field];
        if info.class == Class::Opaque || (info.nullable && info.class != Class::List && self.chance(20)) {
            return self.pick(&[Test::IsNull, Test::IsNotNull]);
        }
        let pool = &info.pool;
        match info.class {
            Class::Text if self.chance(50) => {
                let text = String::of(&self.pick(&super::data::texts()));
                match self.rng.u8(..6) {
                    0 => Test::ContainsIf(self.rng.bool().then_some(text)),
                    1 => Test::Like(self.pick(&[Like::Equals, Like::Differs]), text, true),
                    _ => Test::Like(self.pick(&[Like::Contains, Like::Starts, Like::Ends]), text, self.rng.bool()),
                }
            }
            Class::Json => Test::Json(self.path(), self.json_test()),
            Class::List => {
                let list = self.pick(pool);
                let Value::List(values) = self.pick(pool) else { return Test::IsEmpty };
                match self.rng.u8(..5) {
                    0 => Test::Compare(Compare::Eq, list),
                    1 if !values.is_empty() => Test::Has(self.pick(&values)),
                    2 => Test::HasEvery(values),
                    3 => Test::HasSome(values),
                    _ => Test::IsEmpty,
                }
            }
            Class::Equal => match self.rng.u8(..3) {
                0 => Test::In(self.values(pool)),
                _ => Test::Compare(self.pick(&[Compare::Eq, Compare::Ne]), self.pick(pool)),
            },
            _ => match self.rng.u8(..10) {
                0 => Test::CompareIf(self.pick(&Compare::ALL), self.rng.bool().then(|| pool[0].clone())),
                1 => Test::Between(self.pick(pool), self.pick(pool)),
                2 => Test::In(self.values(pool)),
                3 => Test::NotIn(self.values(pool)),
                4 => Test::InIf(if self.chance(50) { Some(self.values(pool)) } else { None }),
                _ => Test::Compare(self.pick(&Compare::ALL), self.pick(pool)),
            },
        }
    }

    fn path(&mut self) -> Vec<String> {
        let path =
            self.pick(&[&[][..], &[], &["a"], &["a"], &["b"], &["b", "c"], &["b", "c", "1"], &["a", "2", "k"], &["0"]]);
        path.iter().map(|step| (*step).to_owned()).collect()
    }

    fn json_test(&mut self) -> JsonTest {
        let values = [
            json!(1),
            json!("ab"),
            json!("a"),
            json!(null),
            json!([]),
            json!([1, 2]),
            json!({ "k": true }),
            json!(2.5),
            json!("x"),
        ];
        let ordered = [json!(1), json!(2), json!("ab"), json!("B")];
        match self.rng.u8(..8) {
            0 => JsonTest::Exists,
            1 | 2 => JsonTest::Compare(self.pick(&[Compare::Eq, Compare::Ne]), self.pick(&values)),
            3 => {
                let operators = [Compare::Lt, Compare::Lte, Compare::Gt, Compare::Gte];
                JsonTest::Compare(self.pick(&operators), self.pick(&ordered))
            }
            4 => {
                let text = self.pick(&["a", "B", "b", "", "%"]).to_owned();
                JsonTest::Like(self.pick(&[Like::Contains, Like::Starts, Like::Ends]), text, self.rng.bool())
            }
            5 => {
                let number = self.rng.usize(..3);
                JsonTest::ArrayContains((0..number).map(|_| self.pick(&values)).collect::<Vec<Json>>())
            }
            6 => JsonTest::ArrayStarts(self.pick(&values)),
            _ => JsonTest::ArrayEnds(self.pick(&values)),
        }
    }
}
