//! Printing that cannot panic: a reader that went away (`| head`) ends nothing.

use std::io::{self, ErrorKind, Write};

use crate::failure::Failure;

/// Writes text and a line break to stdout.
pub(crate) fn out(text: &str) -> Result<(), Failure> {
    out_as_is(&format!("{text}\n"))
}

/// Writes text to stdout.
pub(crate) fn out_as_is(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::refused(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes text and a line break to stderr. If that fails, there is nobody to tell.
pub(crate) fn err(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
