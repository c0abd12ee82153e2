//! Progress on stderr: lines, and a spinner at a terminal.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use relata::migrate::{Event, Listener};
use relata_codegen::diagnostics::counted;

use crate::terminal::output;

/// A spinner at a terminal, nothing otherwise.
pub(crate) fn spinner() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let spinner = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
        spinner.set_style(style);
    }
    spinner.enable_steady_tick(Duration::from_millis(120));
    spinner
}

/// Reports the events of a migration run.
pub(crate) fn listener(spinner: &ProgressBar) -> Listener {
    reporting(spinner, String::new())
}

/// Reports the events of a migration run in one of several schemas.
pub(crate) fn listener_of(spinner: &ProgressBar, schema: &str) -> Listener {
    reporting(spinner, format!("{schema}: "))
}

/// `of`: what each line begins with.
fn reporting(spinner: &ProgressBar, of: String) -> Listener {
    let spinner = spinner.clone();
    let line = move |spinner: &ProgressBar, text: &str| line(spinner, &format!("{of}{text}"));
    Arc::new(move |event| match event {
        Event::Applying { name, statements } => spinner.set_message(format!("{name}: {statements} to run")),
        Event::Progress { name, done, total } => spinner.set_message(format!("{name}: {done} of {total} done")),
        Event::WaitingForLock { holder } => line(&spinner, &format!("waiting for another migration run: {holder}")),
        Event::WaitingForLease { holder } => line(&spinner, &format!("waiting for another migration run: {holder}")),
        Event::Found { name, line: at } => {
            line(
                &spinner,
                &format!("{name}: the statement in line {at} had taken effect before the run was interrupted"),
            );
        }
        Event::Resuming { name, done } => {
            line(&spinner, &format!("{name}: resuming after {}", counted(*done as usize, "statement")))
        }
        Event::Retrying { name, reason, attempt } => line(&spinner, &format!("{name}: retry {attempt}: {reason}")),
        Event::Applied { name } => line(&spinner, &format!("applied {name}")),
        Event::Undone { name } => line(&spinner, &format!("undone {name}")),
        _ => {}
    })
}

/// A line above the spinner.
fn line(spinner: &ProgressBar, text: &str) {
    spinner.suspend(|| output::eprint(text));
}
