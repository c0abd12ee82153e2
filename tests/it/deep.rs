//! Queries built from a visitor's input: thousands of nested parts cause an error and not the end of the process. Tests
//! run on threads with the usual two megabytes.

use relata::{CreateWith, Error, Filter, Having, Result, count};

use crate::wide::Fixture;
use crate::wide::client::{Branch, branch};

fn refused<T: std::fmt::Debug>(result: Result<T>) -> String {
    match result {
        Err(Error::TooComplex(reason)) => reason.into_owned(),
        other => panic!("{other:?}"),
    }
}

/// `&` and `|` alternately.
fn alternating(levels: usize) -> Filter<Branch> {
    (0..levels).fold(branch::id.gt(0), |filter, level| match level % 2 {
        0 => filter | branch::id.eq(1),
        _ => filter & branch::id.eq(2),
    })
}

fn negated(levels: usize) -> Filter<Branch> {
    (0..levels).fold(branch::id.gt(0), |filter, _| !filter)
}

#[tokio::test]
async fn a_filter_that_is_too_deep_is_refused() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let lists = |levels| (0..levels).fold(branch::id.gt(0), |filter, _| Filter::all([Filter::any([filter])]));
    let related = |levels| (0..levels).fold(branch::id.gt(0), |filter, _| branch::branches.some(filter));
    let every = |levels| (0..levels).fold(branch::id.gt(0), |filter, _| branch::branches.every(filter));
    let is = |levels| (0..levels).fold(branch::id.gt(0), |filter, _| branch::parent.is(filter));
    for levels in [257, 3_000, 100_000] {
        let filters = [alternating(levels), negated(levels), lists(levels), related(levels), every(levels), is(levels)];
        for filter in filters {
            let copy = filter.clone();
            assert!(format!("{copy:?}").len() < 100_000);
            drop(copy);
            assert!(refused(db.branch().count().filter(filter.clone()).await).contains("256 conditions"));
            assert!(refused(db.branch().find_many().filter(!filter).await).contains("256 conditions"));
        }
    }
    let update = db.branch().update_many().filter(alternating(3_000)).set(branch::label.to("x")).await;
    assert!(refused(update).contains("Filter::all"));
    let tx = db.begin().await.expect("begins");
    assert!(refused(tx.branch().count().filter(negated(3_000)).await).contains("256 conditions"));
    assert_eq!(tx.branch().count().await.expect("the transaction goes on"), 0);
    tx.commit().await.expect("is committed");
}

#[tokio::test]
async fn a_filter_may_be_deep_and_wide() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    fixture.sql(r#"INSERT INTO "Branch" (id) VALUES (1), (2)"#).await;
    assert_eq!(db.branch().count().filter(alternating(254)).await.expect("is counted"), 1);
    assert_eq!(db.branch().count().filter(negated(254)).await.expect("is counted"), 2);
    assert!(format!("{:?}", alternating(254)).contains("Compare"));
    // Parts that are not nested may be many.
    let any = Filter::any((0..10_000).map(|id| branch::id.eq(id).into()));
    assert_eq!(db.branch().count().filter(any).await.expect("is counted"), 2);
    let or = (0..5_000).fold(Filter::any([]), |filter, id| filter | branch::id.eq(id));
    assert_eq!(db.branch().count().filter(or).await.expect("is counted"), 2);
    let and = (3..5_000).fold(Filter::all([]), |filter, id| filter & branch::id.ne(id));
    assert_eq!(db.branch().count().filter(and).await.expect("is counted"), 2);
    let nothing = (0..5_000)
        .fold(Filter::from(None::<Filter<Branch>>), |filter, _| filter & Filter::from(None::<Filter<Branch>>));
    assert_eq!(db.branch().count().filter(nothing).await.expect("is counted"), 2);
}

#[tokio::test]
async fn conditions_of_groups_and_orders_that_are_too_deep_are_refused() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let group = |having: Having<Branch>| db.branch().group_by(branch::parent_id).aggregate(count()).having(having);
    for levels in [300, 3_000, 100_000] {
        let start = || count().gt(0_i64);
        let alternating = (0..levels).fold(start(), |having, level| match level % 2 {
            0 => having | count().gt(1_i64),
            _ => having & count().gt(2_i64),
        });
        assert!(refused(group(alternating.clone()).await).contains("256 conditions"));
        assert!(refused(group((0..levels).fold(start(), |having, _| !having)).await).contains("256 conditions"));
        let order = (0..levels).fold(branch::id.asc(), |order, _| branch::parent.order(order));
        assert!(refused(db.branch().find_many().order_by(order.clone()).await).contains("256 relations"));
    }
    let long = (0..3_000).fold(count().gt(0_i64), |having, _| having & count().lt(9_i64));
    assert_eq!(group(long).await.expect("is read"), []);
}

#[tokio::test]
async fn nested_writes_that_are_too_deep_are_refused() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let row = |id: i32| CreateWith::new(branch::Create { id });
    let tree = |levels: i32| {
        (1..levels).fold(row(levels), |below, level| row(levels - level).with(branch::branches.create(below)))
    };
    for levels in [34, 1_000, 20_000] {
        assert!(refused(db.branch().create(tree(levels)).await).contains("32 levels of nested writes"));
        assert!(refused(db.branch().create_many([tree(levels)]).await).contains("32 levels of nested writes"));
        let update = db.branch().update(branch::id.eq(1)).with(branch::branches.create(tree(levels)));
        assert!(refused(update.await).contains("32 levels of nested writes"));
    }
    db.branch().create(tree(33)).await.expect("is created");
    assert_eq!(db.branch().count().await.expect("is counted"), 33);
}
