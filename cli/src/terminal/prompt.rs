//! Questions to a person at a terminal. Every one of them has a flag that answers it.

use std::io::{BufRead, IsTerminal};

use crate::failure::Failure;
use crate::terminal::output;

/// Whether anybody can read a question and answer it.
pub(crate) fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks, and gives the answer without the spaces around it.
pub(crate) fn line(question: &str) -> Result<String, Failure> {
    output::eprint(question);
    let mut answer = String::new();
    match std::io::stdin().lock().read_line(&mut answer) {
        Ok(0) => Err(Failure::refused("no answer; nothing was changed")),
        Ok(_) => Ok(answer.trim().to_owned()),
        Err(error) => Err(Failure::refused(format!("the answer cannot be read: {error}"))),
    }
}

/// Asks until the answer is yes or no.
pub(crate) fn confirm(question: &str) -> Result<bool, Failure> {
    loop {
        match line(&format!("{question} [y/n]"))?.to_lowercase().as_str() {
            "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            _ => {}
        }
    }
}
