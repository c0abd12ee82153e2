//! Any query file is compiled or refused, and all reported places are inside it. Accepted files are generated as Rust
//! code.
#![no_main]

#[path = "../../codegen/tests/it/properties.rs"]
mod properties;

use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use relata_codegen::ir::Schema;
use relata_fuzz::mutate;

static SCHEMA: LazyLock<Option<Schema>> =
    LazyLock::new(|| properties::check(include_str!("../../codegen/tests/fixtures/queries/schema.dsl")));

fuzz_target!(|text: &str| properties::query(SCHEMA.as_ref().expect("the fixture is right"), text));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed).unwrap_or_else(|| fuzzer_mutate(data, size, max_size))
});
