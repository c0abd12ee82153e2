//! Any text is compiled or refused, and all reported places are inside it.
#![no_main]

#[path = "../../codegen/tests/it/properties.rs"]
mod properties;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use relata_fuzz::mutate;

fuzz_target!(|text: &str| drop(properties::check(text)));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed).unwrap_or_else(|| fuzzer_mutate(data, size, max_size))
});
