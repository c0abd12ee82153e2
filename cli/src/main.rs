//! The command `codegen`.

fn main() {}
