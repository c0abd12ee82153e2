//! Drives the generated client for the test: converts queries from data to typed calls, and typed results to trees of
//! values.

use std::pin::Pin;

use relata::kind::{List, Optional, Required};
use relata::{
    Aggregate, Aggregates, Columns, Delegate, Filter, Find, FindMany, FindUnique, GroupBy, GroupOrder, Grouping,
    Having, Model, NotIncluded, Order, RelationField, Result, Select, Unique,
};

use super::fields::{AnyCalculation, AnyField};
use super::query::{self, Compare, Condition, GroupTerm, Groups, Include, OrderKey, Reach, Rows, Term};
use super::value::{Plain, Value};
use super::world;

/// A running query.
pub(crate) type Run<T> = Pin<Box<dyn Future<Output = Result<T>> + Send>>;

/// A model of the client under test. Positions are those of its `world::Model`.
pub(crate) trait Subject: Model + Clone + Observe {
    type Db: Clone + Send + Sync + 'static;

    fn describe() -> world::Model;
    fn sources() -> Vec<super::data::Source>;
    fn delegate(db: &Self::Db) -> Delegate<Self>;
    fn field(place: usize) -> Box<dyn AnyField<Self>>;
    fn pair(place: usize, operator: Compare) -> Filter<Self>;
    fn relation(place: usize) -> Box<dyn AnyRelation<Self>>;
    fn key(place: usize, values: &[Value]) -> Unique<Self>;
    fn calculation(place: usize) -> Box<dyn AnyCalculation<Self>>;
    fn distinct<Q: Refine<Self>>(query: Q, place: usize) -> Q;
    fn find(find: FindMany<Self>, shape: usize, includes: &[Include]) -> Run<Vec<Tree>>;
    fn find_one(find: FindUnique<Self>, shape: usize, includes: &[Include]) -> Run<Vec<Tree>>;
    fn select(find: FindMany<Self>, place: usize) -> Run<Vec<Tree>>;
    fn aggregate(db: &Self::Db, rows: &Rows) -> Run<Tree>;
    fn group_by(db: &Self::Db, groups: &Groups) -> Run<Vec<Tree>>;
}

/// A relation of `M`, whatever it leads to.
pub(crate) trait AnyRelation<M> {
    fn filter(&self, reach: Reach, condition: &Condition) -> Filter<M>;
    fn order(&self, term: Term) -> Order<M>;
    fn count(&self, condition: Option<&Condition>, descending: bool) -> Order<M>;
}

macro_rules! to_one {
    ($arity:ident, |$this:ident, $other:ident| $present:expr) => {
        impl<P: Subject, C: Subject, const SLOT: usize, const BACK: usize> AnyRelation<P>
            for RelationField<P, C, $arity, SLOT, BACK>
        {
            fn filter(&self, reach: Reach, condition: &Condition) -> Filter<P> {
                match reach {
                    Reach::Is => self.is(filter::<C>(condition)),
                    Reach::IsNot => self.is_not(filter::<C>(condition)),
                    $other => {
                        let $this = self;
                        $present
                    }
                }
            }

            fn order(&self, term: Term) -> Order<P> {
                (*self).order(order::<C>(&term))
            }

            fn count(&self, _: Option<&Condition>, _: bool) -> Order<P> {
                panic!("only to-many relations are counted")
            }
        }
    };
}

to_one!(Required, |_this, other| panic!("{other:?} is not for required relations"));
to_one!(Optional, |this, other| match other {
    Reach::IsSome => this.is_some(),
    Reach::IsNone => this.is_none(),
    other => panic!("{other:?} is not for to-one relations"),
});

impl<P: Subject, C: Subject, const SLOT: usize, const BACK: usize> AnyRelation<P>
    for RelationField<P, C, List, SLOT, BACK>
{
    fn filter(&self, reach: Reach, condition: &Condition) -> Filter<P> {
        match reach {
            Reach::Some => self.some(filter::<C>(condition)),
            Reach::Every => self.every(filter::<C>(condition)),
            Reach::None => self.none(filter::<C>(condition)),
            other => panic!("{other:?} is not for to-many relations"),
        }
    }

    fn order(&self, _: Term) -> Order<P> {
        panic!("only to-one relations have values to order by")
    }

    fn count(&self, condition: Option<&Condition>, descending: bool) -> Order<P> {
        let count = match condition {
            Some(condition) => (*self).filter(filter::<C>(condition)).count(),
            None => (*self).count(),
        };
        if descending { count.desc() } else { count.asc() }
    }
}

pub(crate) fn filter<M: Subject>(condition: &Condition) -> Filter<M> {
    let each = |parts: &[Condition]| parts.iter().map(filter::<M>).collect::<Vec<_>>();
    match condition {
        Condition::And(parts) => {
            each(parts).into_iter().reduce(|all, one| all & one).unwrap_or_else(|| None::<Filter<M>>.into())
        }
        Condition::Or(parts) => each(parts).into_iter().reduce(|all, one| all | one).unwrap_or_else(|| Filter::any([])),
        Condition::All(parts) => Filter::all(each(parts)),
        Condition::Any(parts) => Filter::any(each(parts)),
        Condition::Not(part) => !filter::<M>(part),
        Condition::Field(field, test) => M::field(*field).filter(test),
        Condition::Pair(pair, operator) => M::pair(*pair, *operator),
        Condition::Related(relation, reach, condition) => M::relation(*relation).filter(*reach, condition),
    }
}

pub(crate) fn order<M: Subject>(term: &Term) -> Order<M> {
    let order = match &term.key {
        OrderKey::Field(field) if term.descending => M::field(*field).desc(),
        OrderKey::Field(field) => M::field(*field).asc(),
        OrderKey::Related(relation, key) => {
            return M::relation(*relation).order(Term { key: (**key).clone(), ..term.clone() });
        }
        OrderKey::Count(relation, condition) => M::relation(*relation).count(condition.as_ref(), term.descending),
    };
    match term.nulls_first {
        Some(true) => order.nulls_first(),
        Some(false) => order.nulls_last(),
        None => order,
    }
}

/// The common interface of what can be refined: queries, includes, aggregates.
pub(crate) trait Refine<M: Subject>: Sized {
    fn refine(self, rows: &Rows) -> Self;
    fn by(self, columns: impl Columns<M>) -> Self;
}

macro_rules! refine {
    ([$($generic:tt)*] $type:ty, $model:ty, take: |$query:ident, $rows:ident| $take:expr) => {
        impl<$($generic)*> Refine<$model> for $type {
            fn refine(self, rows: &Rows) -> Self {
                let mut query = self;
                if let Some(condition) = &rows.filter {
                    query = query.filter(filter::<$model>(condition));
                }
                for term in &rows.order {
                    query = query.order_by(order::<$model>(term));
                }
                query = {
                    let ($query, $rows) = (query, rows);
                    $take
                };
                if let Some(skip) = rows.skip {
                    query = query.skip(skip);
                }
                if let Some((key, values)) = &rows.cursor {
                    query = query.cursor(<$model>::key(*key, values));
                }
                if let Some(place) = rows.distinct {
                    query = <$model>::distinct(query, place);
                }
                query
            }

            fn by(self, columns: impl Columns<$model>) -> Self {
                self.distinct(columns)
            }
        }
    };
}

macro_rules! take {
    ($query:ident, $rows:ident) => {
        match $rows.take {
            Some(take) if $rows.last => $query.take_last(take),
            Some(take) => $query.take(take),
            None => $query,
        }
    };
}

refine!([M: Subject, S] FindMany<M, S>, M, take: |query, rows| take!(query, rows));
refine!([M: Subject, S] FindUnique<M, S>, M, take: |query, _rows| query);
refine!([M: Subject, A: Aggregates<M>] Aggregate<M, A>, M, take: |query, rows| take!(query, rows));
refine!(
    [P: Subject, C: Subject, const SLOT: usize, const BACK: usize, S] RelationField<P, C, List, SLOT, BACK, S, Select>,
    C,
    take: |query, rows| take!(query, rows)
);

pub(crate) fn refine_groups<M: Subject, K: Grouping<M>, A: Aggregates<M>>(
    mut query: GroupBy<M, K, A>,
    groups: &Groups,
) -> GroupBy<M, K, A> {
    if let Some(condition) = &groups.filter {
        query = query.filter(filter::<M>(condition));
    }
    if let Some(condition) = &groups.having {
        query = query.having(having::<M>(condition));
    }
    for term in &groups.order {
        let (order, nulls_first): (GroupOrder<M>, _) = match term {
            GroupTerm::Field(field, descending, nulls) => {
                let field = M::field(*field);
                (if *descending { field.desc() } else { field.asc() }.into(), nulls)
            }
            GroupTerm::Calculated(place, descending, nulls) => (M::calculation(*place).order(*descending), nulls),
        };
        query = query.order_by(match nulls_first {
            Some(true) => order.nulls_first(),
            Some(false) => order.nulls_last(),
            None => order,
        });
    }
    query = groups.take.into_iter().fold(query, GroupBy::take);
    groups.skip.into_iter().fold(query, GroupBy::skip)
}

fn having<M: Subject>(condition: &query::Having) -> Having<M> {
    match condition {
        query::Having::And(parts) => having::<M>(&parts[0]) & having::<M>(&parts[1]),
        query::Having::Or(parts) => having::<M>(&parts[0]) | having::<M>(&parts[1]),
        query::Having::Not(part) => !having::<M>(part),
        query::Having::Compare(place, operator, value) => M::calculation(*place).having(*operator, value),
    }
}

/// A result without its types. A row with relations consists of its values and then its relations, in their order.
#[derive(Debug, Clone)]
pub(crate) enum Tree {
    Value(Value),
    Row(Vec<Tree>),
    Rows(Vec<Tree>),
    NotIncluded,
}

pub(crate) trait Observe {
    fn tree(&self) -> Tree;
}

/// Types with several values: models, models with relations, tuples.
pub(crate) trait RowTree {
    fn values(&self) -> Vec<Tree>;
}

impl<T: RowTree> Observe for T {
    fn tree(&self) -> Tree {
        Tree::Row(self.values())
    }
}

impl<T: RowTree> Observe for Option<T> {
    fn tree(&self) -> Tree {
        self.as_ref().map_or(Tree::Value(Value::Null), Observe::tree)
    }
}

impl<T: RowTree> Observe for Vec<T> {
    fn tree(&self) -> Tree {
        Tree::Rows(self.iter().map(Observe::tree).collect())
    }
}

impl Observe for NotIncluded {
    fn tree(&self) -> Tree {
        Tree::NotIncluded
    }
}

macro_rules! observe_scalar {
    ($($type:ty),+) => {
        $(
            impl Observe for $type {
                fn tree(&self) -> Tree {
                    Tree::Value(self.value())
                }
            }

            impl Observe for Option<$type> {
                fn tree(&self) -> Tree {
                    Tree::Value(self.as_ref().map_or(Value::Null, Plain::value))
                }
            }

            impl Observe for Vec<$type> {
                fn tree(&self) -> Tree {
                    Tree::Value(Value::List(self.iter().map(Plain::value).collect()))
                }
            }
        )+
    };
}

observe_scalar!(bool, i32, i64, f64, String, relata::uuid::Uuid, relata::rust_decimal::Decimal, Vec<u8>);
observe_scalar!(relata::chrono::DateTime<relata::chrono::Utc>, relata::chrono::NaiveDate, relata::chrono::NaiveTime);
observe_scalar!(relata::serde_json::Value, plain_planner::Role, crate::wide::client::Color);

macro_rules! observe_tuple {
    ($($type:ident $place:tt),+) => {
        impl<$($type: Observe),+> RowTree for ($($type,)+) {
            fn values(&self) -> Vec<Tree> {
                vec![$(self.$place.tree()),+]
            }
        }
    };
}

observe_tuple!(A 0);
observe_tuple!(A 0, B 1);
observe_tuple!(A 0, B 1, C 2);
observe_tuple!(A 0, B 1, C 2, D 3);
observe_tuple!(A 0, B 1, C 2, D 3, E 4);
observe_tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
observe_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
observe_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
observe_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
observe_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
observe_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
observe_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);

/// Runs a query of a model.
pub(crate) async fn run<M: Subject>(db: &M::Db, query: &query::Query) -> Result<Vec<Tree>> {
    use query::Query;
    let condition = |condition: &Option<Condition>| condition.as_ref().map(filter::<M>);
    let number = |value: i64| vec![Tree::Value(Value::Int(value))];
    Ok(match query {
        Query::Find(shape, rows) => M::find(M::delegate(db).find_many().refine(rows), *shape, &rows.includes).await?,
        Query::First(shape, rows) => {
            M::find_one(M::delegate(db).find_first().refine(rows), *shape, &rows.includes).await?
        }
        Query::Unique(shape, (key, values), rows) => {
            let find = M::delegate(db).find_unique(M::key(*key, values)).refine(rows);
            M::find_one(find, *shape, &rows.includes).await?
        }
        Query::Pages(size, rows) => pages(M::delegate(db).find_many().refine(rows).take(*size)).await?,
        Query::PagesBack(size, rows) => pages_back(M::delegate(db).find_many().refine(rows).take(*size)).await?,
        Query::Stream(rows) => {
            let mut stream = M::delegate(db).find_many().refine(rows).stream().rows_at_once(2);
            let mut trees = Vec::new();
            while let Some(row) = stream.next().await {
                trees.push(row?.tree());
            }
            trees
        }
        Query::Select(place, rows) => M::select(M::delegate(db).find_many().refine(rows), *place).await?,
        Query::Count(filter) => {
            let count = M::delegate(db).count().filter(condition(filter)).await?;
            number(i64::try_from(count).expect("is small"))
        }
        Query::Exists(filter) => {
            vec![Tree::Value(Value::Bool(M::delegate(db).exists().filter(condition(filter)).await?))]
        }
        Query::Aggregate(rows) => vec![M::aggregate(db, rows).await?],
        Query::GroupBy(groups) => M::group_by(db, groups).await?,
    })
}

async fn pages<M: Subject>(find: Find<M, M, relata::All>) -> Result<Vec<Tree>> {
    let (mut rows, mut token) = (Vec::new(), None);
    loop {
        let page = find.clone().page_after(token).await?;
        rows.extend(page.rows.iter().map(Observe::tree));
        match page.next {
            // The token goes to a visitor as text and comes back.
            Some(next) if rows.len() < 100 => token = Some(next.to_string().parse()?),
            // No table has that many rows, so the pages repeat in a circle.
            Some(_) => return Ok(rows),
            None => return Ok(rows),
        }
    }
}

async fn pages_back<M: Subject>(find: Find<M, M, relata::All>) -> Result<Vec<Tree>> {
    let (mut rows, mut token) = (Vec::new(), None);
    loop {
        let page = find.clone().page_before(token).await?;
        rows.splice(0..0, page.rows.iter().map(Observe::tree));
        match page.previous {
            Some(previous) if rows.len() < 100 => token = Some(previous),
            _ => return Ok(rows),
        }
    }
}
