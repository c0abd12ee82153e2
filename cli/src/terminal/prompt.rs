//! Prompts at a terminal. Each prompt has a flag that answers it.

use std::io::{BufRead, IsTerminal};

use crate::failure::Failure;
use crate::terminal::output;

/// Whether stdin and stderr are a terminal.
pub(crate) fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Prompts for a line, and returns it trimmed.
pub(crate) fn line(question: &str) -> Result<String, Failure> {
    output::eprint(question);
    let mut answer = String::new();
    match std::io::stdin().lock().read_line(&mut answer) {
        Ok(0) => Err(Failure::refused("no answer; nothing was changed")),
        Ok(_) => Ok(answer.trim().to_owned()),
        Err(error) => Err(Failure::refused(format!("the answer cannot be read: {error}"))),
    }
}

/// Prompts until the answer is yes or no.
pub(crate) fn confirm(question: &str) -> Result<bool, Failure> {
    loop {
        match line(&format!("{question} [y/n]"))?.to_lowercase().as_str() {
            "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            _ => {}
        }
    }
}
