//! A client of `tests/postgres/vectors/schema.dsl`, where the server has pgvector.
//!
//! `cargo codegen generate --schema tests/postgres/vectors/schema.dsl --out tests/postgres/vectors/generated` generates its files.

use relata::bit_vec::BitVec;
use relata::pgvector::{HalfVector, SparseVector, Vector};
use relata::{Error, count};

use crate::support::{Database, with_extensions};

#[path = "../postgres/vectors/generated/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports, unreachable_pub, rustdoc::broken_intra_doc_links)]
mod db;

use db::{doc, item, queries};

async fn fixture(name: &str) -> Option<(db::Client, Database)> {
    let database = with_extensions(name, &["vector"], "tests/postgres/vectors/schema.dsl").await?;
    Some((db::Client::connect(database.url()).await.expect("connects"), database))
}

fn bits(text: &str) -> BitVec {
    text.chars().map(|bit| bit == '1').collect()
}

fn item(dense: [f32; 3]) -> relata::CreateWith<item::Create> {
    item::Create { dense: dense.to_vec().into() }
        .set(item::half.to(dense))
        .set(item::sparse.to(SparseVector::from_dense(&[0.0, dense[0], 0.0, dense[1], dense[2]])))
        .set(item::many.to([[1.0, 2.0], [dense[0], dense[1]]]))
}

#[tokio::test]
async fn vectors_are_written_and_read() {
    let Some((db, _database)) = &fixture("vectors").await else { return };
    let new =
        item([1.5, -2.25, 1e-3]).set(item::bits.to(bits("1010"))).set(item::any.to(vec![f32::MAX, f32::MIN_POSITIVE]));
    let made = db.item().create(new).await.expect("is created");
    assert_eq!(made.dense.as_slice(), [1.5, -2.25, 1e-3]);
    assert_eq!(made.half, Some(HalfVector::from_f32_slice(&[1.5, -2.25, 1e-3])));
    assert_eq!(made.sparse, Some(SparseVector::from_dense(&[0.0, 1.5, 0.0, -2.25, 1e-3])));
    assert_eq!(
        (made.bits.clone(), made.any.as_ref().map(Vector::as_slice)),
        (Some(bits("1010")), Some(&[f32::MAX, f32::MIN_POSITIVE][..]))
    );
    assert_eq!(made.many.iter().map(Vector::as_slice).collect::<Vec<_>>(), [&[1.0, 2.0][..], &[1.5, -2.25]]);
    let json = relata::serde_json::to_value(&made).expect("is JSON");
    assert_eq!(json["dense"][1], -2.25);
    assert_eq!(db.item().create_many([item([1.0; 3]), item([2.0; 3])]).await.expect("are created"), 2);
    assert_eq!(db.item().copy_in([item([3.0; 3])]).await.expect("is copied"), 1);
    let rows = db.item().find_many().order_by(item::id.asc()).select((item::dense, item::half, item::sparse)).await;
    let last = rows.expect("is read").pop().expect("is there");
    assert_eq!(
        (last.0.as_slice(), last.1.is_some(), last.2.map(|it| it.to_vec())),
        (&[3.0; 3][..], true, Some(vec![0.0, 3.0, 0.0, 3.0, 3.0]))
    );
    let changed = db.item().update(item::id.eq(made.id)).set(item::dense.to([0.0; 3])).set(item::half.set_null()).await;
    let changed = changed.expect("is updated");
    assert_eq!((changed.dense.as_slice(), changed.half), (&[0.0; 3][..], None));
    let (mean, half, rows) =
        db.item().aggregate((item::dense.avg(), item::half.avg(), count())).await.expect("is read");
    assert_eq!((mean.map(|it| it.to_vec()), rows), (Some(vec![1.5; 3]), 4));
    assert_eq!(half, Some(HalfVector::from_f32_slice(&[2.0; 3])));

    let error = db.item().create(item::Create { dense: vec![1.0, 2.0].into() }).await.expect_err("has two numbers");
    assert!(
        error.to_string().contains("22000") && error.to_string().contains("expected 3 dimensions, not 2"),
        "{error}"
    );
    let sparse = SparseVector::from_dense(&[1.0]);
    let error = db.query(queries::nearest(vec![1.0, 2.0], [1.0; 3], sparse, 1.0)).await.expect_err("has two numbers");
    assert!(error.to_string().contains("different vector dimensions 3 and 2"), "{error}");
    let error = db.item().create(item::Create { dense: vec![f32::NAN; 3].into() }).await.expect_err("is no number");
    assert!(matches!(error, Error::Database(_) | Error::InvalidValue(_)), "{error:?}");
}

#[tokio::test]
async fn query_files_find_the_nearest() {
    let Some((db, _database)) = &fixture("query_files_of_vectors").await else { return };
    db.item()
        .create_many([item([0.0, 2.0, 0.0]), item([1.0, 0.0, 0.0]), item([9.0, 9.0, 9.0])])
        .await
        .expect("are created");
    let sparse = SparseVector::from_dense(&[0.0, 1.0, 0.0, 0.0, 0.0]);
    let near = db.query(queries::nearest(vec![1.0, 0.0, 0.0], [1.0, 2.0, 3.0], sparse, 5.0)).await.expect("is read");
    let distances: Vec<_> = near.iter().map(|row| (row.distance, row.product, row.of_sparse)).collect();
    assert_eq!(distances, [(0.0, Some(-1.0), Some(0.0)), (1.0, Some(-4.0), Some(5f64.sqrt()))]);
    assert_eq!((near[1].difference.to_vec(), near[1].mean.to_vec()), (vec![-1.0, 2.0, 0.0], vec![0.5, 1.0, 0.0]));
    assert_eq!(near[0].sum, None);
}

#[tokio::test]
async fn vectors_have_distances() {
    let Some((db, _database)) = &fixture("vector_distances").await else { return };
    let mut ids = Vec::new();
    for (dense, text) in [([1.0, 0.0, 0.0], "1000"), ([0.0, 1.0, 0.0], "1100"), ([0.6, 0.8, 0.0], "0011")] {
        ids.push(db.item().create(item(dense).set(item::bits.to(bits(text)))).await.expect("is created").id);
    }
    let [x, y, both] = ids[..] else { panic!("three rows") };
    let query = [1.0, 0.0, 0.0];
    let sorted = |order: relata::Order<db::Item>| async {
        db.item().find_many().order_by(order).select(item::id).await.expect("is read")
    };
    assert_eq!(sorted(item::dense.l2_distance(query).asc()).await, [x, both, y]);
    assert_eq!(sorted(item::dense.cosine_distance(query).desc()).await, [y, both, x]);
    assert_eq!(sorted(item::dense.negative_inner_product(query).asc()).await, [x, both, y]);
    assert_eq!(sorted(item::dense.l1_distance(query).asc()).await, [x, both, y]);
    assert_eq!(sorted(item::half.l2_distance(query).asc()).await, [x, both, y]);
    let sparse = SparseVector::from_dense(&[0.0, 1.0, 0.0, 0.0, 0.0]);
    assert_eq!(sorted(item::sparse.cosine_distance(sparse).asc()).await, [x, both, y]);
    assert_eq!(sorted(item::bits.hamming_distance(bits("1000")).asc()).await, [x, y, both]);
    assert_eq!(sorted(item::bits.jaccard_distance(bits("0010")).asc()).await[0], both);
    let distance = || item::dense.l2_distance(query);
    let near =
        db.item().find_many().filter(distance().lt(1.0)).order_by(distance().asc()).select((item::id, distance()));
    let near = near.await.expect("is read");
    assert_eq!(near.iter().map(|row| row.0).collect::<Vec<_>>(), [x, both]);
    assert!((near[1].1 - 0.8_f64.sqrt()).abs() < 1e-6, "{near:?}");
    assert_eq!(
        db.item()
            .count()
            .filter(distance().between(0.5, 2.0) & item::dense.eq([0.0, 1.0, 0.0]))
            .await
            .expect("is read"),
        1
    );
    let page = db.item().find_many().order_by(distance().asc()).take(2).page_after(None).await.expect("is read");
    let rest =
        db.item().find_many().order_by(distance().asc()).take(2).page_after(page.next.clone()).await.expect("is read");
    assert_eq!((page.rows.len(), rest.rows.iter().map(|row| row.id).collect::<Vec<_>>()), (2, vec![y]));
    // A token is for one vector.
    let other = item::dense.l2_distance([0.0, 0.0, 1.0]).asc();
    let error =
        db.item().find_many().order_by(other).take(2).page_after(page.next).await.expect_err("is another order");
    assert!(matches!(error, Error::ForeignPageToken), "{error:?}");
}

#[tokio::test]
async fn many_vectors_are_written_at_once() {
    let Some((db, _database)) = &fixture("many_vectors").await else { return };
    let row = |value: f32| doc::Create { emb: vec![value; 3].into() }.set(doc::half.to([value, 0.5]));
    assert_eq!(db.doc().create_many([row(1.0), row(2.0)]).await.expect("are created"), 2);
    assert_eq!(db.doc().create_many_and_return([row(3.0)]).await.expect("is created")[0].emb.as_slice(), [3.0; 3]);
    assert_eq!(db.doc().copy_in([row(4.0), row(5.0)]).await.expect("are copied"), 2);
    let of = |filter| async { db.doc().count().filter(filter).await.expect("is read") };
    assert_eq!(of(doc::emb.in_([vec![1.0; 3], vec![5.0; 3]])).await, 2);
    assert_eq!(of(doc::half.in_([[2.0, 0.5]]) | doc::emb.not_in([vec![1.0; 3], vec![2.0; 3], vec![5.0; 3]])).await, 3);
    let rows = db.doc().find_many().order_by(doc::id.asc()).select((doc::emb, doc::half)).await.expect("is read");
    let expected: Vec<f32> = (1..=5_u8).map(f32::from).collect();
    assert_eq!(rows.iter().map(|row| row.0.as_slice()[0]).collect::<Vec<_>>(), expected);
    assert!(rows.iter().all(|row| row.1.is_some()));
}
