//! Any text is cut into tokens that cover it, and any name or string is quoted as one token.
#![no_main]

#[path = "../../pgsql/tests/it/properties.rs"]
mod properties;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| properties::everything(text));
