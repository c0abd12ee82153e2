//! Formatting is idempotent, loses nothing, and keeps the meaning of a schema.
#![no_main]

#[path = "../../codegen/tests/it/properties.rs"]
mod properties;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use relata_fuzz::mutate;

fuzz_target!(|text: &str| properties::format_keeps(text));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed).unwrap_or_else(|| fuzzer_mutate(data, size, max_size))
});
