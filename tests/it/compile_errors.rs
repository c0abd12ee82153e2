//! Mistakes that do not compile, and rustc's messages for them.
//!
//! After a change to the messages, run `TRYBUILD=overwrite cargo test -p exam-planner compile_errors`.

#[test]
fn mistakes_are_explained_by_the_compiler() {
    trybuild::TestCases::new().compile_fail("tests/compile_errors/*.rs");
}
