//! Relations of a model to itself that are followed step by step: `descendants` and `ancestors`.

use std::collections::BTreeMap;

use relata::{Error, Tree};

use crate::wide::Fixture;
use crate::wide::client::{Branch, branch, person};

/// 1 has 2 and 3, 2 has 4 and 5, 4 has 6; 7 is alone; 8 and 9 are each other's parent.
const BRANCHES: &str = r#"INSERT INTO "Branch" (id, "parentId", label) VALUES
    (1, NULL, 'root'), (2, 1, 'left'), (3, 1, 'right'), (4, 2, 'low'), (5, 2, ''), (6, 4, 'leaf'), (7, NULL, 'alone'),
    (8, 9, 'round'), (9, 8, 'round')"#;

async fn world() -> Fixture {
    let fixture = Fixture::new().await;
    fixture.sql(BRANCHES).await;
    fixture
}

/// `2(4(6) 5) 3`
fn outline(trees: &[Tree<Branch>]) -> String {
    let one = |tree: &Tree<Branch>| match tree.children.as_slice() {
        [] => tree.id.to_string(),
        children => format!("{}({})", tree.id, outline(children)),
    };
    trees.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn ids(rows: &[Branch]) -> Vec<i32> {
    rows.iter().map(|row| row.id).collect()
}

#[tokio::test]
async fn trees_and_paths_are_included() {
    let Fixture { db, .. } = &world().await;
    let below = || branch::branches.descendants().order_by(branch::id.asc());
    for _ in 0..2 {
        let root = db.branch().find_unique(branch::id.eq(1)).include(below()).or_err().await.expect("is found");
        assert_eq!(outline(&root.branches), "2(4(6) 5) 3");
        assert_eq!(root.branches[0].count(), 4);
        assert_eq!(root.branches[0].rows().map(|row| row.id).collect::<Vec<_>>(), [2, 4, 6, 5]);
        let all = db.branch().find_many().order_by(branch::id.asc()).include(below()).await.expect("are read");
        let outlines: Vec<_> = all.iter().map(|row| outline(&row.branches)).collect();
        assert_eq!(outlines, ["2(4(6) 5) 3", "4(6) 5", "", "6", "", "", "", "9(8)", "8(9)"]);

        let above = branch::parent.ancestors();
        let leaf = db.branch().find_unique(branch::id.eq(6)).include(above.clone()).or_err().await.expect("is found");
        assert_eq!(ids(&leaf.parent), [4, 2, 1]);
        let all = db.branch().find_many().order_by(branch::id.asc()).include(above).await.expect("are read");
        let paths: Vec<_> = all.iter().map(|row| ids(&row.parent)).collect();
        assert_eq!(paths, [&[][..], &[1], &[1], &[2, 1], &[2, 1], &[4, 2, 1], &[], &[9, 8], &[8, 9]]);
    }
    let nothing = db.branch().find_many().filter(branch::id.gt(100)).include(below()).await.expect("are read");
    assert!(nothing.is_empty());
    let nobody = db.branch().find_unique(branch::id.eq(100)).include(below()).await.expect("is read");
    assert!(nobody.is_none());
}

#[tokio::test]
async fn a_depth_and_a_filter_limit_what_is_reached() {
    let Fixture { db, .. } = &world().await;
    let root = || db.branch().find_unique(branch::id.eq(1));
    let below = || branch::branches.descendants().order_by(branch::id.desc());
    for (depth, expected) in [(1, "3 2"), (2, "3 2(5 4)"), (3, "3 2(5 4(6))"), (256, "3 2(5 4(6))")] {
        let root = root().include(below().depth(depth)).or_err().await.expect("is found");
        assert_eq!(outline(&root.branches), expected);
        // The depth counts from each row, although the rows of one are among those of another.
        let both = db.branch().find_many().filter(branch::id.in_([1, 2])).order_by(branch::id.asc());
        let both = both.include(below().depth(depth)).await.expect("are read");
        assert_eq!(outline(&both[0].branches), expected);
        assert_eq!(outline(&both[1].branches), if depth == 1 { "5 4" } else { "5 4(6)" });
    }
    // What is below a row that does not match is not reached.
    let root = root().include(below().filter(branch::label.ne("low"))).or_err().await.expect("is found");
    assert_eq!(outline(&root.branches), "3 2(5)");
    let near = branch::parent.ancestors().depth(2);
    let leaf = db.branch().find_unique(branch::id.eq(6)).include(near).or_err().await.expect("is found");
    assert_eq!(ids(&leaf.parent), [4, 2]);
    // In a circle, the depth ends it.
    let round = db.branch().find_unique(branch::id.eq(8)).include(below().depth(1)).or_err().await.expect("is found");
    assert_eq!(outline(&round.branches), "9");
}

#[tokio::test]
async fn filters_look_at_all_levels() {
    let Fixture { db, .. } = &world().await;
    let matching = async |filter: relata::Filter<Branch>| {
        ids(&db.branch().find_many().filter(filter).order_by(branch::id.asc()).await.expect("are read"))
    };
    let up = || branch::parent.ancestors();
    let down = || branch::branches.descendants();
    for _ in 0..2 {
        assert_eq!(matching(up().some(branch::id.eq(2))).await, [4, 5, 6]);
        assert_eq!(matching(up().depth(1).some(branch::id.eq(2))).await, [4, 5]);
        assert_eq!(matching(up().none(branch::id.eq(2))).await, [1, 2, 3, 7, 8, 9]);
        assert_eq!(matching(!up().some(branch::id.eq(2))).await, [1, 2, 3, 7, 8, 9]);
        assert_eq!(matching(up().every(branch::id.lt(3))).await, [1, 2, 3, 4, 5, 7]);
        assert_eq!(matching(down().some(branch::id.eq(6))).await, [1, 2, 4]);
        assert_eq!(matching(down().depth(2).some(branch::id.eq(6))).await, [2, 4]);
        assert_eq!(matching(down().none(branch::id.eq(6))).await, [3, 5, 6, 7, 8, 9]);
        assert_eq!(matching(down().every(branch::id.gt(3))).await, [2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(matching(up().some(branch::id.eq(8))).await, [8, 9]);
        // The same rule as for includes: the way leads along rows that match.
        assert_eq!(matching(down().filter(branch::label.ne("low")).some(branch::id.eq(6))).await, [4]);
        assert_eq!(matching(down().filter(branch::label.ne("left")).some(branch::id.eq(6))).await, [2, 4]);
        // Inside another condition, and inside itself.
        assert_eq!(matching(branch::id.eq(7) | up().some(down().some(branch::id.eq(5)))).await, [2, 3, 4, 5, 6, 7]);
    }
    let deleted = db.branch().delete_many().filter(up().some(branch::id.eq(4))).await.expect("are deleted");
    assert_eq!(deleted, 1);
}

#[tokio::test]
async fn rows_of_a_tree_have_relations_and_json() {
    let Fixture { db, .. } = &world().await;
    let below = branch::branches.descendants().order_by(branch::id.asc()).depth(2).include(branch::parent);
    let root = db.branch().find_unique(branch::id.eq(1)).include(below).or_err().await.expect("is found");
    let left = &root.branches[0];
    assert_eq!(left.parent.as_ref().map(|row| row.id), Some(1));
    assert_eq!(left.children[0].parent.as_ref().map(|row| row.label.as_str()), Some("left"));

    let tree = Tree { row: 1, children: vec![Tree { row: 2, children: Vec::new() }] };
    assert_eq!(tree.rows().copied().collect::<Vec<_>>(), [1, 2]);
    let people = db.person().find_many().include(person::manager.ancestors()).include(person::reports.descendants());
    assert!(people.await.expect("are read").is_empty());
}

#[tokio::test]
async fn what_cannot_be_followed_is_said() {
    let Fixture { db, .. } = &world().await;
    let misuse = |result: relata::Result<usize>| match result {
        Err(Error::Misuse(reason)) => reason.into_owned(),
        other => panic!("{other:?}"),
    };
    let all = |depth| db.branch().find_many().include(branch::branches.descendants().depth(depth));
    assert!(misuse(all(0).await.map(|rows| rows.len())).contains("begins at 1"));
    assert!(misuse(all(257).await.map(|rows| rows.len())).contains("256 levels"));
    let up = db.branch().find_many().filter(branch::parent.ancestors().depth(0).some(branch::id.eq(1)));
    assert!(misuse(up.await.map(|rows| rows.len())).contains("begins at 1"));
    let friends = db.person().find_many().filter(person::friends.descendants().some(person::name.eq("A")));
    assert!(misuse(friends.await.map(|rows| rows.len())).contains("many-to-many"));
}

#[tokio::test]
async fn a_tree_may_be_as_deep_as_a_path_is_long() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let chain =
        "INSERT INTO \"Branch\" (id, \"parentId\") SELECT n, nullif(n - 1, 0) FROM generate_series(1, 5000) AS n";
    fixture.sql(chain).await;
    let leaf = db.branch().find_unique(branch::id.eq(5000)).include(branch::parent.ancestors());
    assert_eq!(leaf.or_err().await.expect("is found").parent.len(), 4999);
    let root = || db.branch().find_unique(branch::id.eq(1));
    match root().include(branch::branches.descendants()).await {
        Err(Error::TooComplex(reason)) => assert!(reason.contains(".depth("), "{reason}"),
        other => panic!("{:?}", other.map(|_| ())),
    }
    let near = root().include(branch::branches.descendants().depth(256)).or_err().await.expect("is found");
    assert_eq!(near.branches[0].count(), 256);
    let low = db.branch().find_many().filter(branch::parent.ancestors().some(branch::id.eq(1)));
    assert_eq!(low.await.expect("are read").len(), 4999);
}

/// Rows with a random parent, or none, against the same rows in memory. Circles are among them.
#[tokio::test]
async fn random_rows_agree_with_a_walk_in_memory() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..8 {
        let size = random.i32(2..30);
        let parents: BTreeMap<i32, Option<i32>> =
            (1..=size).map(|id| (id, random.bool().then(|| random.i32(1..=size)))).collect();
        db.branch().delete_many().all_rows().await.expect("are deleted");
        let rows = parents
            .iter()
            .map(|(id, parent)| format!("({id}, {})", parent.map_or("NULL".to_owned(), |parent| parent.to_string())));
        let rows: Vec<_> = rows.collect();
        fixture.sql(&format!("INSERT INTO \"Branch\" (id, \"parentId\") VALUES {}", rows.join(", "))).await;
        let above = |id: i32, depth: usize| {
            let mut path = Vec::new();
            let mut next = parents[&id];
            while let Some(parent) = next.filter(|parent| path.len() < depth && !path.contains(parent)) {
                path.push(parent);
                next = parents[&parent];
            }
            path
        };
        for depth in [1, 2, 100] {
            let steps = u32::try_from(depth).expect("is small");
            let read = db.branch().find_many().order_by(branch::id.asc());
            let read = read.include(branch::parent.ancestors().depth(steps)).await.expect("are read");
            for row in &read {
                assert_eq!(ids(&row.parent), above(row.id, depth), "{} of {parents:?}", row.id);
            }
            for id in 1..=size {
                let filter = branch::parent.ancestors().depth(steps).some(branch::id.eq(id));
                let found = db.branch().find_many().filter(filter).order_by(branch::id.asc()).await.expect("are read");
                let expected: Vec<_> = (1..=size).filter(|row| above(*row, depth).contains(&id)).collect();
                assert_eq!(ids(&found), expected, "below {id} of {parents:?}");
                let filter = branch::branches.descendants().depth(steps).none(branch::id.eq(id));
                let found = db.branch().find_many().filter(filter).order_by(branch::id.asc()).await.expect("are read");
                let expected: Vec<_> = (1..=size).filter(|row| !above(id, depth).contains(row)).collect();
                assert_eq!(ids(&found), expected, "not above {id} of {parents:?}");
            }
            let read = db.branch().find_many().order_by(branch::id.asc());
            let read = read.include(branch::branches.descendants().depth(steps)).await.expect("are read");
            for row in &read {
                let mut reached: Vec<_> = row.branches.iter().flat_map(Tree::rows).map(|below| below.id).collect();
                reached.sort_unstable();
                let expected: Vec<_> = (1..=size).filter(|id| above(*id, depth).contains(&row.id)).collect();
                assert_eq!(reached, expected, "below {} of {parents:?}", row.id);
            }
        }
    }
}
