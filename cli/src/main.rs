//! The command `codegen`.

use std::process::ExitCode;

fn main() -> ExitCode {
    relata_cli::run()
}
