//! Printing that cannot panic: a reader that went away (`| head`) ends nothing.

use std::io::{self, ErrorKind, Write};

use crate::failure::Failure;

/// Writes text and a line break to stdout.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    print_raw(&format!("{text}\n"))
}

/// Writes text to stdout.
pub(crate) fn print_raw(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::refused(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes text and a line break to stderr. If that fails, there is nobody to tell.
pub(crate) fn eprint(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
