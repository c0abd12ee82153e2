//! Mistakes that do not compile, and what rustc says of them.
//!
//! After a change of the messages: `TRYBUILD=overwrite cargo test -p exam-planner compile_errors`.

#[test]
fn mistakes_are_explained_by_the_compiler() {
    trybuild::TestCases::new().compile_fail("tests/compile_errors/*.rs");
}
